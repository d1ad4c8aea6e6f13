"""Whom to ask for a raid: those who may go, the nearest first, then who has time, was asked longest ago, gave least.

The city is not ranked as a whole. Those who are near and have time are looked at first, and only as long as there are
too few of them the next: so a city of a hundred thousand costs little more than one of a thousand.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE
from sqlmodel import col

from app.core.database import Database
from app.core.ranges import half_open
from app.domain.availability import part_of_week
from app.domain.eligibility import asking_order
from app.domain.permissions import Actor, Role
from app.domain.volunteers import Programme, VolunteerStatus
from app.models.assignments import Assignment
from app.models.cities import City
from app.models.raids import Raid
from app.models.volunteers import BYTES, Volunteer, VolunteerTerm
from app.schemas.assignments import Suggestion, Suggestions
from app.schemas.base import Out
from app.services import candidates, raids, reads
from app.services.candidates import Facts
from app.services.reads import Query

POOL = 200
"""So many of each circle are judged at most, whatever the size of the city."""
CIRCLES = (("near", "free"), ("near", "busy"), ("far", "free"), ("far", "busy"))
"""In the order in which to ask them."""
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_DISTRICT = sa.bindparam("district", type_=BYTES)
_TIME = sa.bindparam("part_of_week", type_=INT4MULTIRANGE)
_YEAR, _SHARE_DAYS = "365 days", "90 days"


class Occasion(Out):
    starts_at: datetime
    ends_at: datetime
    district_id: str | None
    time_zone: str


class Considered(Facts):
    given_name: str
    family_name: str
    is_near: bool
    is_available: bool
    last_asked_at: datetime | None
    minutes: int


class _Pool(Out):
    items: list[Considered]


def occasion(role: Role | None, given: frozenset[str]) -> Query:
    """Where and when the raid RAID_ID is."""
    columns = reads.fields(Raid, Occasion, time_zone=col(City.time_zone))
    query = raids.visible_to(role).with_only_columns(*columns)
    return query.join(City, col(City.id) == col(Raid.city_id)).where(col(Raid.id) == candidates.RAID_ID)


def circle(role: Role | None, given: frozenset[str]) -> Query:
    """Active street volunteers who have had nothing to do with this raid yet, those to be asked first in front.

    `near` or `far`, and `free` or `busy`, say which of them.
    """
    last_asked_at, minutes = _last_asked_at().label("last_asked_at"), _minutes().label("minutes")
    is_near = _is_near()
    is_free = col(Volunteer.availability).contains(_TIME)
    return (
        candidates.columns()
        .add_columns(
            col(Volunteer.given_name),
            col(Volunteer.family_name),
            (sa.true() if "near" in given else sa.false()).label("is_near"),
            (sa.true() if "free" in given else sa.false()).label("is_available"),
            last_asked_at,
            minutes,
        )
        .where(
            col(Volunteer.status) == VolunteerStatus.ACTIVE,
            sa.literal(str(Programme.STREET), sa.Text) == sa.any_(col(Volunteer.programmes)),
            is_near if "near" in given else ~is_near,
            is_free if "free" in given else ~is_free,
            ~_has_been_asked(),
        )
        # Minutes are for those who are left: to look them up for all who are near would take as long again.
        .order_by(last_asked_at.asc().nulls_first(), col(Volunteer.id))
        .limit(_LIMIT)
    )


def _last_asked_at() -> sa.ColumnElement[datetime]:
    """Within a year."""
    return _of_record(sa.func.max(Assignment.created_at), _YEAR)


def _minutes() -> sa.ColumnElement[int]:
    """Given to raids that they were asked for in the last 90 days."""
    return sa.func.coalesce(_of_record(sa.func.sum(Assignment.minutes), _SHARE_DAYS), 0)


def _of_record(value: sa.ColumnElement[Any], days: str) -> Any:
    query = sa.select(value).where(
        col(Assignment.city_id) == col(Volunteer.city_id),
        col(Assignment.volunteer_id) == col(Volunteer.id),
        col(Assignment.created_at) > sa.func.now() - sa.text(f"interval '{days}'"),
    )
    return query.correlate(Volunteer).scalar_subquery()


def _is_near() -> sa.ColumnElement[bool]:
    """The district is among theirs: by the terms of the search, because those have an index."""
    return sa.exists().where(
        col(VolunteerTerm.city_id) == col(Volunteer.city_id),
        col(VolunteerTerm.id) == col(Volunteer.id),
        col(VolunteerTerm.term) == _DISTRICT,
    )


def _has_been_asked() -> sa.ColumnElement[bool]:
    return sa.exists().where(
        col(Assignment.city_id) == col(Volunteer.city_id),
        col(Assignment.raid_id) == candidates.RAID_ID,
        col(Assignment.volunteer_id) == col(Volunteer.id),
    )


async def ranked(database: Database, actor: Actor, raid_id: UUID, limit: int) -> Suggestions:
    """At most `limit` of those who may go, in the order in which to ask them. Raises NotFound."""
    raid = Occasion.model_validate_json(await reads.document(database, actor, occasion, "raid", raid_id=raid_id))
    asked = {
        "raid_id": raid_id,
        # No volunteer has a district without a name: nobody is near a raid that has none.
        "district": f"district:{raid.district_id or ''}",
        "part_of_week": half_open(part_of_week(raid.starts_at, raid.ends_at, raid.time_zone)),
    }
    found: list[Considered] = []
    for where, when in CIRCLES:
        page = await reads.page(database, actor, circle, POOL, **asked, **{where: True, when: True})
        considered = _Pool.model_validate_json(page.json).items
        fit = [each for each in considered if not each.reasons()]
        found += sorted(fit, key=lambda each: asking_order(each.last_asked_at, each.minutes))
        if len(found) >= limit:
            break
    return Suggestions(items=[Suggestion.model_validate(each) for each in found[:limit]])
