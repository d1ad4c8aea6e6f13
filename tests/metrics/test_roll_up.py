"""The tally's maintainer may be killed, and its database moved: nothing is lost, nothing counts twice."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from fastapi import FastAPI

from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.domain.metrics import Metric
from app.domain.tallies import Period
from app.jobs import rolling_up
from app.main import create_app
from app.models.cities import City
from app.models.ledger import LedgerEntry
from app.services import reconciling, sums
from app.services.sums import Question
from tests.city import TestCity, found_city, settled
from tests.conftest import TEMPLATE, copy_of, database_url, execute
from tests.dumps import copied
from tests.killed import having_said
from tests.metrics.facts import entry

ROLL_UP_AND_WAIT = """
import asyncio, sys
from app.core.database import Database, DatabaseOptions
from app.services import tallies

async def main():
    async with Database.opened(DatabaseOptions(sys.argv[1])) as database, database.transaction() as session:
        print(await tallies.roll_up(session, in_turn=True), flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def sighting(city: TestCity) -> LedgerEntry:
    return entry(city, metric=Metric.SIGHTINGS)


async def total(database: Database, city_id: str) -> int:
    found = await sums.of_city(database, None, city_id, Question([Period("ever")]))
    return found.count(Metric.SIGHTINGS, "ever").total


async def differences(database: Database, city_id: str) -> list[reconciling.Difference]:
    async with database.transaction() as session:
        return await reconciling.differences(session, city_id)


@asynccontextmanager
async def database_of_its_own(server: str, template: str) -> AsyncIterator[str]:
    """Without what other tests have tampered with."""
    name = f"test_{uuid4().hex}"
    await execute(server, copy_of(template, name))
    try:
        yield database_url(server, name)
    finally:
        await execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def city_of_its_own(app: FastAPI, server: str) -> AsyncIterator[tuple[TestCity, str]]:
    """In a database, here by its URL, where no service takes the entries in before the test does."""
    async with database_of_its_own(server, TEMPLATE) as url, Database.opened(DatabaseOptions(url)) as database:
        city = TestCity(app, "almaty")
        city.database = database
        await city.add(City(id=city.id, name_kk="Қала", name_ru="Город", name_en="City", time_zone="Asia/Almaty"))
        yield city, url


async def test_killed_in_the_middle_it_leaves_everything_to_the_next(app: FastAPI, server: str):
    async with city_of_its_own(app, server) as (city, url):
        await city.add(*(sighting(city) for _ in range(20)))
        await settled(city)
        async with having_said(1, ROLL_UP_AND_WAIT, url) as process:
            # One at a time: this one finds that somebody is at it.
            assert await rolling_up.once(city.database) == 0
            assert await total(city.database, city.id) == 20
            process.send_signal(signal.SIGKILL)
            assert await process.wait() == -signal.SIGKILL

        assert await total(city.database, city.id) == 20
        assert await rolling_up.once(city.database, in_turn=True) == 1
        assert await total(city.database, city.id) == 20
        assert await differences(city.database, city.id) == []


async def test_a_restored_database_counts_what_the_first_one_did(settings: Settings, server: str):
    async with (
        database_of_its_own(server, TEMPLATE) as source,
        database_of_its_own(server, "template0") as target,
        Database.opened(DatabaseOptions(source)) as first,
    ):
        app = create_app(settings.model_copy(update={"database_url": source}))
        async with app.router.lifespan_context(app), found_city(app) as city:
            await city.add(*(sighting(city) for _ in range(5)))
            await settled(city)
            await rolling_up.once(first, in_turn=True)
            await city.add(sighting(city))
        await asyncio.to_thread(copied, source, target)
        async with Database.opened(DatabaseOptions(target)) as restored, rolling_up.running(restored):
            assert await total(restored, city.id) == 6
            assert (await sums.standing_of(restored, None, city.id)).revision == 6
            assert await differences(restored, city.id) == []


async def test_a_transaction_that_is_still_open_holds_the_horizon_back_and_no_count(city: TestCity):
    async with city.database.transaction() as session:
        session.add(sighting(city))
        await session.flush()
        await city.add(*(sighting(city) for _ in range(4)))
        await asyncio.gather(*(rolling_up.once(city.database) for _ in range(3)))
        assert await total(city.database, city.id) == 4
    assert await total(city.database, city.id) == 5
    await rolling_up.once(city.database, in_turn=True)
    assert await differences(city.database, city.id) == []
