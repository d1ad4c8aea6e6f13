"""Plans are kept from when the ledger was empty; until PostgreSQL analyses it they must not read all of it either."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.database import Database, DatabaseOptions
from app.domain.metrics import Metric
from app.domain.tallies import FIRST_DAY, WHOLE_CITY, Span
from app.models.ledger import LedgerEntry
from app.services import reads, sums, tallies
from tests.city import TestCity, settled
from tests.metrics.facts import entry
from tests.metrics.test_roll_up import city_of_its_own

ENTRIES = 3 * tallies.ENTRIES_A_PAGE
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
_READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'ledger_entry'"


@pytest.fixture
async def city(app: FastAPI, server: str) -> AsyncIterator[TestCity]:
    """All its writes are by one connection."""
    async with (
        city_of_its_own(app, server) as (alone, url),
        Database.opened(DatabaseOptions(url, write_connections=1)) as database,
    ):
        alone.database = database
        yield alone


def sighting(city: TestCity, number: int) -> LedgerEntry:
    return entry(city, metric=Metric.SIGHTINGS, recorded_at=START + timedelta(minutes=number))


async def entries_read(session: AsyncSession) -> int:
    """How many rows of the ledger the session's connection has read, since some moment before this transaction."""
    return (await (await session.connection()).execute(sa.text(_READ))).scalar_one()


async def rolled_up(city: TestCity) -> int:
    """How many rows that takes."""
    async with city.database.transaction() as session:
        before = await entries_read(session)
        assert await tallies.roll_up(session, in_turn=True) == 1
        return await entries_read(session) - before


async def counted(city: TestCity, **values: Any) -> int:
    """How many rows that takes."""
    async with city.database.transaction() as session:
        before = await entries_read(session)
        await (await session.connection()).execute(sa.text("SET LOCAL plan_cache_mode = force_generic_plan"))
        asked = {"periods": ["ever"], "spans": [Span.EVER.value], "starts": [FIRST_DAY]}
        (_,) = await reads.rows_within(session, sums.sums, city_id=city.id, area=WHOLE_CITY, **asked, **values)
        return await entries_read(session) - before


async def test_who_rolls_up_reads_what_is_new(city: TestCity):
    await city.add(sighting(city, 0))
    await rolled_up(city)
    await city.add(sighting(city, 1))
    await rolled_up(city)
    await city.add(*(sighting(city, number) for number in range(2, ENTRIES)))
    await settled(city)
    assert await rolled_up(city) >= ENTRIES - 2
    await city.add(sighting(city, ENTRIES))
    await settled(city)
    assert 1 <= await rolled_up(city) <= 10


async def test_who_counts_reads_a_page_at_most(city: TestCity):
    past = {"as_of": START + timedelta(minutes=ENTRIES // 2)}
    assert (await counted(city), await counted(city, **past)) == (0, 0)
    await city.add(*(sighting(city, number) for number in range(ENTRIES)))
    await settled(city)
    assert await counted(city) >= ENTRIES
    await rolled_up(city)
    assert await counted(city) == 0
    assert 1 <= await counted(city, **past) <= tallies.ENTRIES_A_PAGE
