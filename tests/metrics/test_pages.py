"""The pages of the ledger: a past moment is never more than a page of entries away from a sum."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from app.domain.metrics import Metric
from app.domain.tallies import Period
from app.jobs import rolling_up
from app.models.ledger import LedgerEntry
from app.models.tallies import LedgerPage
from app.services import sums
from app.services.sums import Question
from tests.city import TestCity, settled
from tests.metrics.facts import entry
from tests.metrics.test_roll_up import city_of_its_own
from tests.metrics.test_sums import differences

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
async def alone(app: FastAPI, server: str) -> AsyncIterator[TestCity]:
    async with city_of_its_own(app, server) as (city, _):
        yield city


def at(city: TestCity, minute: int) -> LedgerEntry:
    moment = START + timedelta(minutes=minute)
    return entry(city, metric=Metric.SIGHTINGS, occurred_on=date(2026, 3, 1), recorded_at=moment)


async def taken_in(city: TestCity, *minutes: int) -> list[int]:
    """Records at these minutes, takes it in by pages of four, and returns at which minutes the pages begin."""
    if minutes:
        await city.add(*(at(city, minute) for minute in minutes))
    await settled(city)
    await rolling_up.once(city.database, in_turn=True, entries_a_page=4)
    assert await differences(city) == []
    async with city.database.transaction() as session:
        pages = await session.exec(
            sa.select(LedgerPage.starts_at).where(LedgerPage.city_id == city.id).order_by(LedgerPage.starts_at)
        )
        return [round((starts_at - START).total_seconds() / 60) for (starts_at,) in pages]


async def known_at(city: TestCity, minute: int) -> int:
    question = Question([Period("ever")], as_of=START + timedelta(minutes=minute))
    return (await sums.of_city(city.database, None, city.id, question)).count(Metric.SIGHTINGS, "ever").recorded


async def test_a_page_is_turned_after_so_many_entries_however_many_come_at_once(alone: TestCity):
    assert await taken_in(alone, 0, 1, 2) == []
    assert await taken_in(alone, 3, 4, 5) == [4]
    assert await taken_in(alone, *range(6, 17)) == [4, 8, 12, 16]


async def test_no_page_begins_before_what_is_on_the_last_one(alone: TestCity):
    """They are in its sums already; what comes late makes it longer."""
    assert await taken_in(alone, 10, 20, 30) == []
    assert await taken_in(alone, 1, 2, 3, 4, 31) == []
    assert await taken_in(alone, 32, 33) == [32]
    assert [await known_at(alone, minute) for minute in (0, 3, 10, 19, 31, 32, 60)] == [0, 3, 5, 5, 8, 9, 10]


async def test_what_comes_late_rises_its_own_page_and_all_that_follow(alone: TestCity):
    assert await taken_in(alone, *range(10, 20)) == [14, 18]
    assert await taken_in(alone, 12, 15, 15) == [14, 18]
    assert [await known_at(alone, minute) for minute in (11, 12, 14, 15, 17, 18, 19)] == [2, 4, 6, 9, 11, 12, 13]


async def test_entries_of_one_moment_are_on_one_page(alone: TestCity):
    assert await taken_in(alone, *[5] * 9) == [5]
    assert await taken_in(alone, 6) == [5]
    assert [await known_at(alone, minute) for minute in (4, 5, 6)] == [0, 9, 10]


async def test_what_is_late_leaves_the_newest_where_it_is(alone: TestCity):
    assert await taken_in(alone, 10, 20, 30) == []
    assert await taken_in(alone, 1, 2) == []
    assert await taken_in(alone, 25, 26, 27, 28) == []
    assert [await known_at(alone, minute) for minute in (2, 24, 26, 30)] == [2, 4, 6, 9]


async def test_no_page_begins_at_the_moment_of_what_is_on_the_last_one(alone: TestCity):
    assert await taken_in(alone, 1, 2, 3, 5) == []
    assert await taken_in(alone, 5, 6) == [6]
    assert await taken_in(alone, 7, 8, 9) == [6, 9]
    assert await taken_in(alone, 9, 9, 9, 9, 10) == [6, 9]
    assert [await known_at(alone, minute) for minute in (4, 5, 8, 9, 10)] == [3, 5, 8, 13, 14]


async def test_made_anew_a_city_has_its_pages_anew(alone: TestCity):
    assert await taken_in(alone, *range(1, 6)) == [5]
    assert await taken_in(alone, 2, 2, 2) == [5]
    async with alone.database.transaction() as session:
        await (await session.connection()).execute(sa.text("UPDATE tally_state SET server = 'another'"))
    assert await taken_in(alone) == [2]
    assert [await known_at(alone, minute) for minute in (1, 2, 4, 5)] == [1, 5, 7, 8]


async def test_however_many_metrics_are_new_each_is_counted(alone: TestCity):
    metrics = [metric for metric in Metric if metric is not Metric.VOLUNTEER_MINUTES][:7]
    await alone.add(*(entry(alone, metric=metric, recorded_at=START) for metric in metrics))
    assert await taken_in(alone) == [0]
    found = await sums.of_city(alone.database, None, alone.id, Question([Period("ever")]))
    assert [metric for metric in Metric if found.count(metric, "ever").recorded == 1] == metrics
