"""What becomes of requests when PostgreSQL is slow, full, gone or says no at the last moment: never a false answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import httpx
import pytest

from app.core import database as core_database
from app.core.config import Settings
from app.domain.permissions import Role
from app.main import create_app
from app.models.raids import Raid
from tests.city import TestCity, found_city, raid_plan
from tests.conftest import TEMPLATE, copy_of, database_url, execute

KILL = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'narkostop'
"""
AT_COMMIT = """
    CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {act}; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON raid DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION at_commit()
"""


@pytest.fixture
async def alone(server: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestCity]:
    """A city in a database of its own, with few connections and little patience."""
    monkeypatch.setattr(core_database, "ACQUIRE_TIMEOUT_S", 1)
    name = f"test_{uuid4().hex}"
    few = {"read_connections": 2, "write_connections": 2, "statement_timeout_ms": 1_000}
    await execute(server, copy_of(TEMPLATE, name))
    app = create_app(settings.model_copy(update={"database_url": database_url(server, name), **few}))
    async with app.router.lifespan_context(app), found_city(app) as city:
        yield city
    await execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def assert_unavailable(answer: httpx.Response, code: str = "unavailable") -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert int(answer.headers["retry-after"]) > 0


async def test_a_read_is_planned_once_for_all_values(alone: TestCity):
    analyst = await alone.as_(Role.ANALYST)
    for days in range(8):
        assert (await analyst.get(f"/metrics?days={days}")).status_code == 200
    plans = "SELECT sum(custom_plans) AS anew, max(generic_plans) AS kept FROM pg_prepared_statements"
    (found,) = await alone.database.fetch(plans)
    assert (found["anew"], found["kept"] >= 8) == (0, True)


async def test_killed_connections_cost_no_request_a_false_answer(alone: TestCity):
    coordinator = await alone.as_(Role.COORDINATOR)
    answers: list[httpx.Response] = []

    async def work() -> None:
        for _ in range(10):
            answers.append(await coordinator.post("/raids", json=raid_plan()))
            answers.append(await coordinator.get("/raids"))

    async with alone.beside() as other, asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(work())
        for _ in range(8):
            await asyncio.sleep(0.03)
            await other.execute(KILL)

    statuses = [answer.status_code for answer in answers]
    assert len(statuses) == 80
    assert set(statuses) <= {200, 201, 503}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    unknown = [answer for answer in answers if answer.status_code == 503]
    stored = {str(raid.id) for raid in await alone.rows(Raid)}
    assert made <= stored
    assert len(stored - made) <= len(unknown)


async def test_after_a_kill_the_next_request_is_served_as_if_nothing_had_been(alone: TestCity):
    coordinator = await alone.as_(Role.COORDINATOR)
    async with alone.beside() as other:
        for _ in range(3):
            assert await other.fetch(KILL)
            assert (await coordinator.post("/raids", json=raid_plan())).status_code == 201
            assert (await coordinator.get("/raids")).status_code == 200


async def test_with_every_connection_taken_a_request_is_told_to_come_back(alone: TestCity):
    coordinator = await alone.as_(Role.COORDINATOR)
    async with AsyncExitStack() as held:
        for _ in range(2):
            session = await held.enter_async_context(alone.database.transaction())
            await session.connection()
            await alone.database.reads._line.enter()
            held.callback(alone.database.reads._line.leave)
        read, write = await asyncio.gather(coordinator.get("/raids"), coordinator.post("/raids", json=raid_plan()))

    assert_unavailable(read)
    assert_unavailable(write)
    assert (await coordinator.get("/raids")).status_code == 200
    assert (await coordinator.post("/raids", json=raid_plan())).status_code == 201


async def test_a_statement_that_takes_too_long_is_given_up_and_leaves_nothing(alone: TestCity):
    coordinator = await alone.as_(Role.COORDINATOR)
    raid = (await coordinator.post("/raids", json=raid_plan())).json()
    async with alone.beside() as other, other.transaction():
        await other.execute("LOCK TABLE raid IN ACCESS EXCLUSIVE MODE")
        read, write = await asyncio.gather(
            coordinator.get(f"/raids/{raid['id']}"), coordinator.post(f"/raids/{raid['id']}/publish")
        )

    assert_unavailable(read)
    assert_unavailable(write)
    assert (await coordinator.get(f"/raids/{raid['id']}")).json()["status"] == "draft"


async def test_a_slow_client_holds_no_connection(alone: TestCity):
    """Its body is read before the transaction begins."""
    coordinator = await alone.as_(Role.COORDINATOR)
    hurry = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b" "
        await hurry.wait()
        yield b"{}"

    headers = {"Content-Type": "application/json"}
    slow = [asyncio.create_task(coordinator.post("/raids", content=slowly(), headers=headers)) for _ in range(5)]
    await asyncio.sleep(0.05)
    quick = await coordinator.post("/raids", json=raid_plan())
    hurry.set()

    assert quick.status_code == 201
    assert {answer.status_code for answer in await asyncio.gather(*slow)} == {422}


async def test_the_victim_of_a_deadlock_starts_again(city: TestCity):
    """Sign-up holds the volunteer and waits for the raid; somebody holds the raid and waits for the volunteer."""
    raid = await city.open_raid()
    volunteer, client = await city.volunteer()
    async with city.beside() as other:
        await other.execute("SET deadlock_timeout = '1min'")
        async with other.transaction():
            await other.execute("SELECT FROM raid WHERE id = $1 FOR UPDATE", raid["id"])
            signing_up = asyncio.create_task(client.post(f"/raids/{raid['id']}/sign-up"))
            await asyncio.sleep(0.2)
            await other.execute("SELECT FROM volunteer WHERE id = $1 FOR UPDATE", volunteer.id)
            assert not signing_up.done()
        assert (await signing_up).status_code == 201


async def test_a_victim_that_asks_beneath_sqlalchemy_starts_again_too(city: TestCity):
    tries = 0

    async def both() -> None:
        nonlocal tries
        tries += 1
        async with city.database.transaction() as session:
            for lock in ("first", "second"):
                await core_database.fetch_within(session, "SELECT pg_advisory_xact_lock(hashtext($1))", lock)

    async with city.beside() as other:
        await other.execute("SET deadlock_timeout = '1min'")
        async with other.transaction():
            await other.execute("SELECT pg_advisory_xact_lock(hashtext('second'))")
            taking = asyncio.create_task(core_database.retried(both))
            await asyncio.sleep(0.2)
            await other.execute("SELECT pg_advisory_xact_lock(hashtext('first'))")
        await taking
    assert tries == 2


async def test_a_connection_lost_at_commit_is_told_as_what_it_is(alone: TestCity):
    coordinator = await alone.as_(Role.COORDINATOR)
    async with alone.beside() as other:
        await other.execute(AT_COMMIT.format(act="PERFORM pg_terminate_backend(pg_backend_pid())"))

    assert_unavailable(await coordinator.post("/raids", json=raid_plan()), "outcome_unknown")


@pytest.mark.parametrize(("state", "status"), [("23505", 409), ("23503", 409), ("23514", 409), ("40001", 503)])
async def test_a_no_at_commit_is_never_answered_with_a_yes(alone: TestCity, state: str, status: int):
    coordinator = await alone.as_(Role.COORDINATOR)
    async with alone.beside() as other:
        await other.execute(AT_COMMIT.format(act=f"RAISE EXCEPTION 'no' USING ERRCODE = '{state}'"))

    refused = await coordinator.post("/raids", json=raid_plan(), headers={"Idempotency-Key": "1"})

    assert refused.status_code == status
    assert await alone.count(Raid) == 0


async def test_a_read_that_outlives_its_database_leaves_no_connection(settings: Settings):
    async with core_database.Database.opened(core_database.DatabaseOptions(settings.database_url or "")) as database:
        asked = asyncio.create_task(database.fetch("SELECT 1 AS one FROM pg_sleep(0.1)"))
        await asyncio.sleep(0.05)
    assert (await asked)[0]["one"] == 1
    assert database.reads.open_count() == 0


async def test_what_is_fetched_first_is_within_the_transaction_too(city: TestCity):
    mine = "SELECT count(*) AS mine FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    async with city.database.transaction() as session:
        await core_database.fetch_within(session, "SELECT pg_advisory_xact_lock(7)")
        assert (await core_database.fetch_within(session, mine))[0]["mine"] == 1
