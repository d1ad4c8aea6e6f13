"""Crews ranked by what they painted over. A crew is who was on one raid: this service has no lasting teams."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlmodel import col

from app.core.clock import day_in
from app.core.database import Database
from app.domain.errors import Fault, Invalid
from app.domain.metrics import Metric, Origin
from app.domain.permissions import Permission, Role
from app.domain.reports import MOST_CREW_DAYS, SMALLEST_SHOWN
from app.domain.tallies import FIRST_DAY
from app.models.assignments import Assignment
from app.models.cities import City, District
from app.models.ledger import LedgerEntry
from app.models.raids import Raid
from app.models.spots import Removal
from app.schemas.reports import CrewLeaderboard, CrewQuery, CrewStanding
from app.services import reads
from app.services.cities import CITY_ID
from app.services.reads import Query
from app.services.reports.questions import Asked
from app.services.sums import Standing

_FROM, _TO = sa.bindparam("from", type_=sa.Date), sa.bindparam("to", type_=sa.Date)
_AS_OF = sa.bindparam("as_of", type_=sa.DateTime(timezone=True))
_DISTRICT = sa.bindparam("district", type_=sa.Text)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)


class _Crew(BaseModel):
    raid_id: str
    title: str
    day: date
    district_id: str | None
    painted: int
    people: int
    minutes: int


class _Answered(BaseModel):
    crews: list[_Crew]
    district_exists: bool


async def crews(database: Database, asked: Asked[CrewQuery], standing: Standing) -> CrewLeaderboard:
    """The first of them.

    Raises Invalid for a district that is not there, and `too_many_days` for more than 366: each removal of theirs is
    looked at.
    """
    query = asked.query
    first, last = _days(query, standing)
    values: dict[str, object] = {
        "city_id": asked.city_id,
        "from": first,
        "to": last,
        "as_of": query.as_of,
        "district": query.district,
        "limit": query.limit,
    }
    answered = await reads.document(database, asked.actor, crew_counts, "city", **values)
    found = _Answered.model_validate_json(answered)
    if not found.district_exists:
        raise Invalid(Fault("no_such_district", "/query/district"))
    heading: dict[str, Any] = asked.heading(standing) | {"from_": first, "to": last}
    return CrewLeaderboard(**heading, standings=[*_ranked(asked, found.crews)])


def _days(query: CrewQuery, standing: Standing) -> tuple[date, date]:
    today = day_in(standing.time_zone, query.as_of) if query.as_of else standing.today
    last = query.to or today
    first = query.from_ or max(last - timedelta(days=MOST_CREW_DAYS - 1), FIRST_DAY)
    if last < first:
        raise Invalid(Fault("ends_before_start", "/query/from"))
    if (last - first).days >= MOST_CREW_DAYS:
        raise Invalid(Fault("too_many_days", "/query/from", {"limit": MOST_CREW_DAYS}))
    return first, last


def _ranked(asked: Asked[CrewQuery], found: list[_Crew]) -> Iterator[CrewStanding]:
    counts = [crew.painted for crew in found]
    for crew in found:
        known = crew.model_dump()
        if not _shows_people(asked, crew.people):
            known |= {"people": None, "minutes": None}
        yield CrewStanding(rank=counts.index(crew.painted) + 1, **known)


def _shows_people(asked: Asked[CrewQuery], people: int) -> bool:
    """Volunteers learn of people what the public does: totals only."""
    actor = asked.actor
    if actor is None or not actor.may(Permission.LEDGER_READ):
        return False
    return people >= SMALLEST_SHOWN or actor.may(Permission.VOLUNTEER_MANAGE)


def crew_counts(role: Role | None, given: frozenset[str]) -> Query:
    best = _best(given).subquery("best")
    columns: list[Any] = [
        *best.c,
        _of_crew(best.c.raid_id, Metric.PARTICIPANTS, given).label("people"),
        _of_crew(best.c.raid_id, Metric.VOLUNTEER_MINUTES, given).label("minutes"),
    ]
    each = sa.select(*columns).order_by(best.c.painted.desc(), best.c.day.desc(), best.c.raid_id).subquery("crew")
    crews = sa.select(sa.func.coalesce(sa.func.json_agg(each.table_valued()), sa.text("'[]'::json"))).select_from(each)
    named = sa.exists().where(col(District.city_id) == CITY_ID, col(District.id) == _DISTRICT)
    exists = named if "district" in given else sa.true()
    return sa.select(crews.scalar_subquery().label("crews"), exists.label("district_exists"))


def _best(given: frozenset[str]) -> Query:
    """By the index on metric and day; each removal and raid by its key."""
    painted = sa.cast(sa.func.sum(col(LedgerEntry.amount)), sa.BigInteger)
    day = sa.cast(sa.func.timezone(col(City.time_zone), col(Raid.starts_at)), sa.Date)
    of_raid: list[Any] = [col(Raid.id), col(Raid.title), day, col(Raid.district_id)]
    names = ("raid_id", "title", "day", "district_id")
    query = (
        sa.select(*(column.label(name) for name, column in zip(names, of_raid, strict=True)), painted.label("painted"))
        .select_from(LedgerEntry)
        .join(Removal, (col(Removal.city_id) == CITY_ID) & (col(Removal.id) == col(LedgerEntry.subject_id)))
        .join(Raid, (col(Raid.city_id) == CITY_ID) & (col(Raid.id) == col(Removal.raid_id)))
        .join(City, col(City.id) == CITY_ID)
        .where(
            col(LedgerEntry.city_id) == CITY_ID,
            col(LedgerEntry.metric) == Metric.GRAFFITI_PAINTED,
            col(LedgerEntry.origin) == Origin.RECORDED,
            col(LedgerEntry.occurred_on).between(_FROM, _TO),
            *_known(given),
        )
    )
    if "district" in given:
        query = query.where(col(Raid.district_id) == _DISTRICT)
    return query.group_by(*of_raid).having(painted > 0).order_by(painted.desc(), day.desc(), of_raid[0]).limit(_LIMIT)


def _of_crew(raid_id: Any, metric: Metric, given: frozenset[str]) -> Any:
    """Facts of people are never taken back, so the index on facts finds all there are."""
    of_fact = (col(LedgerEntry.city_id) == CITY_ID) & (col(LedgerEntry.subject_id) == col(Assignment.id))
    total = sa.func.coalesce(sa.func.sum(col(LedgerEntry.amount)), 0)
    query = sa.select(sa.cast(total, sa.BigInteger)).select_from(Assignment).join(LedgerEntry, of_fact)
    return query.where(
        col(Assignment.city_id) == CITY_ID,
        col(Assignment.raid_id) == raid_id,
        col(LedgerEntry.metric) == metric,
        col(LedgerEntry.reverses_id).is_(None),
        *_known(given),
    ).scalar_subquery()


def _known(given: frozenset[str]) -> list[sa.ColumnElement[bool]]:
    recorded_at: Any = col(LedgerEntry.recorded_at)
    return [recorded_at <= _AS_OF] if "as_of" in given else []
