"""Whom to ask for a raid: those who may go, nearest first, then who was asked longest ago and gave least hours."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlmodel import col

from app.core.database import Database
from app.domain.permissions import Actor, Role
from app.domain.volunteers import Programme, VolunteerStatus
from app.models.assignments import Assignment
from app.models.raids import Raid
from app.models.volunteers import Volunteer
from app.schemas.assignments import Suggestion, Suggestions
from app.services import candidates, reads
from app.services.candidates import Facts
from app.services.reads import Query

POOL = 200
"""So many are judged at most, whatever the size of the city."""
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_YEAR, _SHARE_DAYS = "365 days", "90 days"


class Considered(Facts):
    given_name: str
    family_name: str
    is_near: bool
    last_asked_at: datetime | None
    minutes: int


_CONSIDERED = TypeAdapter(dict[str, list[Considered] | UUID | None])


def pool(role: Role | None, given: frozenset[str]) -> Query:
    """Active street volunteers who have had nothing to do with this raid yet, those to be asked first in front."""
    record = _record().subquery("record")
    is_near = sa.func.coalesce(col(Raid.district_id) == sa.any_(col(Volunteer.districts)), sa.false())
    minutes = sa.func.coalesce(record.c.minutes, 0)
    return (
        candidates.columns()
        .add_columns(
            col(Volunteer.given_name),
            col(Volunteer.family_name),
            is_near.label("is_near"),
            record.c.last_asked_at,
            minutes.label("minutes"),
        )
        .outerjoin(
            record,
            sa.and_(record.c.city_id == col(Volunteer.city_id), record.c.volunteer_id == col(Volunteer.id)),
        )
        .where(
            col(Volunteer.status) == VolunteerStatus.ACTIVE,
            sa.literal(str(Programme.STREET), sa.Text) == sa.any_(col(Volunteer.programmes)),
            ~_has_been_asked(),
        )
        .order_by(is_near.desc(), record.c.last_asked_at.asc().nulls_first(), minutes, col(Volunteer.id))
        .limit(_LIMIT)
    )


def _record() -> Query:
    """When each was last asked within a year, and what they gave in the last 90 days."""
    lately = col(Assignment.checked_in_at) > sa.func.now() - sa.text(f"interval '{_SHARE_DAYS}'")
    return (
        sa.select(
            col(Assignment.city_id),
            col(Assignment.volunteer_id),
            sa.func.max(Assignment.created_at).label("last_asked_at"),
            sa.func.sum(Assignment.minutes).filter(lately).label("minutes"),
        )
        .where(
            col(Assignment.city_id) == reads.CITY,
            col(Assignment.created_at) > sa.func.now() - sa.text(f"interval '{_YEAR}'"),
        )
        .group_by(col(Assignment.city_id), col(Assignment.volunteer_id))
    )


def _has_been_asked() -> sa.ColumnElement[bool]:
    return sa.exists().where(
        col(Assignment.city_id) == col(Volunteer.city_id),
        col(Assignment.raid_id) == candidates.RAID_ID,
        col(Assignment.volunteer_id) == col(Volunteer.id),
    )


async def ranked(database: Database, actor: Actor, raid_id: UUID, limit: int) -> Suggestions:
    """At most `limit` of those who may go, in the order in which to ask them."""
    found = await reads.page(database, actor, pool, POOL, raid_id=raid_id)
    considered = _CONSIDERED.validate_json(found.json)["items"]
    assert isinstance(considered, list)
    eligible = [each for each in considered if not each.reasons()]
    return Suggestions(items=[Suggestion.model_validate(each) for each in eligible[:limit]])
