"""Districts ranked by a count; crews have a leaderboard of their own, and a person is never ranked."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.core.database import Database
from app.domain.metrics import ABOUT_PEOPLE, LEVELS, kind_of
from app.domain.permissions import Permission, Role
from app.domain.reports import small
from app.domain.tallies import FIRST_DAY, LAST_DAY, NO_DISTRICT, WHOLE_CITY, Count, Period
from app.models.cities import District
from app.schemas.metrics import Parts
from app.schemas.reports import LeaderboardQuery, LeaderboardRead, Standing
from app.services import cities, reads, sums
from app.services.cities import CITY_ID
from app.services.reads import Query
from app.services.reports.questions import Asked
from app.services.sums import Question

_WITHIN = "within"
Names = Mapping[str, Mapping[str, str]]


async def leaderboard(database: Database, asked: Asked[LeaderboardQuery]) -> LeaderboardRead:
    """Of people, counts below 5 are shown to those alone who see the people."""
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
        standings=[*_ranked(counts, _hidden(asked, counts), names["names"])],
        **whole.parts(),
    )


def _hidden(asked: Asked[LeaderboardQuery], counts: Mapping[str, Count]) -> frozenset[str]:
    sees_people = asked.actor is not None and asked.actor.may(Permission.VOLUNTEER_MANAGE)
    if asked.query.metric not in ABOUT_PEOPLE or sees_people:
        return frozenset()
    # What was declared was published, and has no district: only what is recorded could point at somebody.
    return small({area: count.recorded for area, count in counts.items()})


def _ranked(counts: Mapping[str, Count], hidden: frozenset[str], names: Names) -> Iterator[Standing]:
    """Those that are hidden stand after those that are shown, by name and not by count."""
    shown = sorted((area for area in names if area not in hidden), key=lambda area: (-counts[area].total, area))
    totals = [counts[area].total for area in shown]
    for area in shown:
        yield _standing(area, names[area], counts[area], rank=totals.index(counts[area].total) + 1)
    for area in sorted(hidden - {NO_DISTRICT}):
        yield _standing(area, names[area], None)
    if counts[NO_DISTRICT] != Count():
        yield _standing(None, None, None if NO_DISTRICT in hidden else counts[NO_DISTRICT])


def _standing(
    district_id: str | None, names: Mapping[str, str] | None, count: Count | None, rank: int | None = None
) -> Standing:
    parts: dict[str, Any] = count.parts() if count else dict.fromkeys(Parts.model_fields)
    return Standing.model_validate({"rank": rank, "district_id": district_id, "names": names, **parts})


def district_names(role: Role | None, given: frozenset[str]) -> Query:
    each = sa.func.json_object_agg(col(District.id), cities.names(District))
    named = sa.func.coalesce(each, sa.text("'{}'::json"))
    return sa.select(named.label("names")).where(col(District.city_id) == CITY_ID)
