"""The ledger is closed in batches: every entry once, in a chain, and nobody waits."""

import asyncio

import pytest
from sqlalchemy import text

from app.core.clock import utc_now
from app.domain.permissions import Role
from app.domain.seals import EVERY, MOST_ENTRIES
from app.jobs import sealing
from app.models.seals import Seal, SealedEntry
from app.services import seals
from tests.city import TestCity
from tests.metrics.facts import entry
from tests.seals.sealing import fact, sealed, settled, settled_mark, verified


async def test_each_seal_follows_the_one_before(city: TestCity):
    await city.add(*(entry(city) for _ in range(3)))
    assert await sealed(city) == 1
    assert await sealed(city) == 0
    await fact(city)
    assert await sealed(city) == 1
    analyst = await city.as_(Role.ANALYST)
    second, first = (await analyst.get("/seals")).json()["items"]
    assert [(seal["number"], seal["entries"]) for seal in (first, second)] == [(1, 3), (2, 1)]
    assert (first["previous"], second["previous"]) == (None, first["digest"])
    assert first["complete_until"] < first["sealed_at"] < second["complete_until"]
    assert (await analyst.get(f"/seals/{first['id']}")).json() == first
    verdict = await verified(city)
    assert (verdict.seals, verdict.entries, verdict.digest.hex()) == (2, 4, second["digest"])
    assert verdict.misfit is None


async def test_an_entry_that_is_still_being_written_is_waited_for_and_holds_nobody_up(city: TestCity):
    async with city.database.transaction() as writing:
        writing.add(entry(city))
        await writing.flush()
        await fact(city)
        marked = await sealing.mark(city.database)
        assert not await settled(city, marked)
        assert await sealing.of_city(city.database, city.id, marked) == 0
    assert await sealed(city) == 1
    assert (await verified(city)).entries == 2


async def test_writers_do_not_wait_for_a_seal_that_is_being_made(city: TestCity):
    await fact(city)
    marked = await settled_mark(city)
    async with city.database.transaction() as session:
        assert await seals.close(session, city.id, marked) == 1
        async with asyncio.timeout(5):
            await fact(city)
    assert await sealed(city) == 1
    assert (await verified(city)).entries == 2


async def test_a_sealer_that_dies_leaves_nothing_behind(city: TestCity):
    await fact(city)
    marked = await settled_mark(city)

    async def die() -> None:
        async with city.database.transaction() as session:
            assert await seals.close(session, city.id, marked) == 1
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await die()
    assert (await city.count(Seal), await city.count(SealedEntry)) == (0, 0)
    assert await sealed(city) == 1


async def test_many_sealers_at_once_seal_each_entry_once(city: TestCity):
    await city.add(*(entry(city) for _ in range(5)))
    marked = await settled_mark(city)
    made = await asyncio.gather(*(sealing.of_city(city.database, city.id, marked) for _ in range(5)))
    assert sum(made) == 1
    assert ((await verified(city)).entries, await city.count(SealedEntry)) == (5, 5)


async def test_a_large_batch_is_several_seals_of_which_the_last_is_complete(city: TestCity):
    async with city.database.transaction() as session:
        many = """
            INSERT INTO ledger_entry (city_id, id, metric, origin, amount, occurred_on, subject_id)
            SELECT :city, gen_random_uuid(), 'sightings', 'recorded', 1, '2026-03-01', gen_random_uuid()
            FROM generate_series(1, :many)
        """
        await (await session.connection()).execute(text(many), {"city": city.id, "many": MOST_ENTRIES + 1})
    assert await sealed(city) == 2
    rows = sorted(await city.rows(Seal), key=lambda seal: seal.number)
    assert [seal.entries for seal in rows] == [MOST_ENTRIES, 1]
    assert rows[0].complete_until is None
    assert rows[1].complete_until is not None
    assert (await verified(city)).misfit is None


async def test_a_city_is_due_once_its_newest_seal_is_old_enough(city: TestCity):
    await fact(city)
    await sealed(city)
    async with city.database.transaction() as session:
        assert city.id not in await seals.due(session, utc_now() - EVERY)
        assert city.id in await seals.due(session, utc_now() + EVERY)
