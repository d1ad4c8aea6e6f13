"""Who waits for whom before a connection is taken."""

import asyncio

import pytest

from app.core.turns import Line, NoTurnError, Turns


async def test_each_key_has_a_queue_of_its_own_and_in_it_the_first_goes_first():
    turns, order, inside = Turns(at_once=2, wait_s=60), [], set()

    async def take(key: str, number: int) -> None:
        async with turns.of(key):
            inside.add((key, number))
            assert sum(other == key for other, _ in inside) <= 2
            await asyncio.sleep(0)
            order.append((key, number))
            inside.remove((key, number))

    await asyncio.gather(*(take(key, number) for number in range(50) for key in "ab"))

    assert [number for key, number in order if key == "a"] == list(range(50))
    assert len(order) == 100
    assert len(turns) == 0


@pytest.mark.parametrize("attempt", range(20))
async def test_who_gives_up_or_fails_leaves_the_turn_to_the_next(attempt: int):
    turns = Turns(at_once=1, wait_s=60)

    async def fail() -> None:
        async with turns.of("raid"):
            await asyncio.sleep(0)
            raise LookupError

    tasks = [asyncio.create_task(fail()) for _ in range(10)]
    await asyncio.sleep(0)
    for task in tasks[attempt % 3 :: 3]:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(end) for end in ended} == {LookupError, asyncio.CancelledError}
    assert len(turns) == 0


async def test_nobody_waits_for_ever():
    turns = Turns(at_once=1, wait_s=0.01)
    async with turns.of("raid"):
        with pytest.raises(NoTurnError):
            async with turns.of("raid"):
                pytest.fail("two at once")
        async with turns.of("another raid"):
            pass
    assert len(turns) == 0


@pytest.mark.parametrize("first", ["turn", "cancellation"])
async def test_a_turn_that_comes_with_a_cancellation_is_passed_on(first: str):
    line = Line(at_once=1, wait_s=60)
    await line.enter()
    waiting = [asyncio.create_task(line.enter()) for _ in range(2)]
    await asyncio.sleep(0)
    steps = [line.leave, waiting[0].cancel]
    for step in steps if first == "turn" else reversed(steps):
        step()
    await asyncio.wait_for(waiting[1], 1)
    assert waiting[0].cancelled()


async def test_patience_that_ends_with_a_cancellation_frees_no_place():
    line = Line(at_once=1, wait_s=0)
    await line.enter()
    late = asyncio.create_task(line.enter())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0, late.cancel)
    with pytest.raises((asyncio.CancelledError, NoTurnError)):
        await late
    with pytest.raises(NoTurnError):
        await line.enter()
    line.leave()
    await line.enter()
