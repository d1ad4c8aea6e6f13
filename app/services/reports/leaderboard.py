"""Districts ranked by a count; crews have a leaderboard of their own, and a person is never ranked."""

import json
from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from sqlmodel import col

from app.core.database import Database
from app.domain.metrics import LEVELS, kind_of
from app.domain.permissions import Role
from app.domain.tallies import FIRST_DAY, LAST_DAY, NO_DISTRICT, WHOLE_CITY, Count, Period
from app.models.cities import District
from app.schemas.metrics import Words
from app.schemas.reports import LeaderboardQuery, LeaderboardRead, Standing
from app.services import cities, reads, sums
from app.services.cities import CITY_ID
from app.services.reads import Query
from app.services.reports.questions import Asked
from app.services.sums import Question

_WITHIN = "within"
Names = Mapping[str, Mapping[str, str]]


async def leaderboard(database: Database, asked: Asked[LeaderboardQuery]) -> LeaderboardRead:
    query = asked.query
    names = json.loads(await reads.document(database, asked.actor, district_names, "city", city_id=asked.city_id))
    # Of a level, its value at the end of the last day.
    first = FIRST_DAY if query.metric in LEVELS else query.from_ or FIRST_DAY
    last = query.to or LAST_DAY
    question = Question([Period(_WITHIN, first, last)], by_district=True, as_of=query.as_of)
    found = await sums.of_city(database, asked.actor, asked.city_id, question)
    counts = {area: found.count(query.metric, _WITHIN, area) for area in (*names["names"], NO_DISTRICT)}
    whole = found.count(query.metric, _WITHIN, WHOLE_CITY)
    return LeaderboardRead(
        **asked.heading(found.standing),
        metric=query.metric,
        kind=kind_of(query.metric),
        overlaps=found.overlapping(query.metric, first, last),
        standings=[*_ranked(counts, names["names"])],
        **whole.parts(),
    )


def _ranked(counts: Mapping[str, Count], names: Names) -> Iterator[Standing]:
    in_order = sorted(names, key=lambda area: (-counts[area].total, area))
    totals = [counts[area].total for area in in_order]
    for area in in_order:
        rank = totals.index(counts[area].total) + 1
        yield Standing(rank=rank, district_id=area, names=Words(**names[area]), **counts[area].parts())
    if counts[NO_DISTRICT] != Count():
        yield Standing(rank=None, district_id=None, names=None, **counts[NO_DISTRICT].parts())


def district_names(role: Role | None, given: frozenset[str]) -> Query:
    each = sa.func.json_object_agg(col(District.id), cities.names(District))
    named = sa.func.coalesce(each, sa.text("'{}'::json"))
    return sa.select(named.label("names")).where(col(District.city_id) == CITY_ID)
