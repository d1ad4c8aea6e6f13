"""What the public may know of every city's counts, for those who draw them beside the service's own health."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlmodel import col

from app.core.database import Database
from app.domain.metrics import ABOUT_PEOPLE, Metric, Origin
from app.domain.permissions import Role
from app.domain.tallies import Period
from app.models.cities import City
from app.services import reads, sums
from app.services.reads import Query
from app.services.sums import Question

_EVER = "ever"


@dataclass(frozen=True, slots=True)
class CityCounts:
    """All that a city has counted so far; of people, too, it is the total alone, and none below five."""

    city_id: str
    is_demo: bool
    revision: int
    counts: Mapping[tuple[Metric, Origin], int]
    overlaps: Mapping[Metric, int]
    """How many declared totals are of days on which facts were recorded too."""


async def programme(database: Database) -> list[CityCounts]:
    """Each city in the order of their ids; at most two are counted at a time."""
    found: list[str] = json.loads(await reads.document(database, None, city_ids, "city"))["ids"]
    turns = asyncio.Semaphore(2)

    async def count(city_id: str) -> CityCounts:
        async with turns:
            return await _counts(database, city_id)

    try:
        async with asyncio.TaskGroup() as group:
            counted = [group.create_task(count(city_id)) for city_id in found]
    except BaseExceptionGroup as failed:
        # The first refusal is the answer, and ends the others: nobody waits for them any more.
        raise failed.exceptions[0] from None
    return [each.result() for each in counted]


async def _counts(database: Database, city_id: str) -> CityCounts:
    found = await sums.of_city(database, None, city_id, Question([Period(_EVER)]))
    standing = found.standing
    # On which days people were counted is told to nobody here.
    overlaps = Counter(total.metric for total in found.overlaps if total.metric not in ABOUT_PEOPLE)
    return CityCounts(city_id, standing.is_demo, standing.revision, dict(_by_origin(found)), overlaps)


def _by_origin(found: sums.Sums) -> Iterator[tuple[tuple[Metric, Origin], int]]:
    for metric in Metric:
        if metric in ABOUT_PEOPLE and found.is_of_few(metric, _EVER):
            continue
        count = found.count(metric, _EVER)
        yield (metric, Origin.RECORDED), count.recorded
        yield (metric, Origin.DECLARED), count.declared


def city_ids(role: Role | None, given: frozenset[str]) -> Query:
    ids = sa.func.json_agg(aggregate_order_by(col(City.id), col(City.id)))
    return sa.select(sa.func.coalesce(ids, sa.text("'[]'::json")).label("ids"))
