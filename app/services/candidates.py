"""What eligibility is judged by: the facts about volunteers and one raid, in one query for all who ask."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.assignments import COMING, STAYED
from app.domain.eligibility import MIN_REST, Candidate, Engagement, Outing, reasons_against
from app.domain.errors import Fault
from app.domain.permissions import Role
from app.domain.raids import RaidStatus
from app.domain.volunteers import ConsentGiver, ConsentPurpose, VolunteerStatus
from app.models.assignments import Assignment
from app.models.cities import City
from app.models.raids import Raid
from app.models.volunteers import Consent, Volunteer
from app.schemas.base import Out
from app.services import reads
from app.services.reads import Query

RAID_ID = sa.bindparam("raid_id", type_=sa.Uuid)
VOLUNTEER_IDS = sa.bindparam("volunteer_ids", type_=sa.ARRAY(sa.Uuid))


class Facts(Out):
    id: UUID
    status: VolunteerStatus
    programmes: frozenset[str]
    birth_on: date
    has_guardian_consent: bool
    is_on_it: bool
    engagements: tuple[tuple[datetime, datetime], ...]
    starts_at: datetime
    ends_at: datetime
    time_zone: str

    def reasons(self) -> tuple[Fault, ...]:
        candidate = Candidate(
            status=self.status,
            programmes=self.programmes,
            birth_on=self.birth_on,
            has_guardian_consent=self.has_guardian_consent,
            engagements=tuple(Engagement(*times) for times in self.engagements),
            is_on_it=self.is_on_it,
        )
        return reasons_against(candidate, Outing(self.starts_at, self.ends_at, self.time_zone))


def facts(role: Role | None, given: frozenset[str]) -> Query:
    """Of each of VOLUNTEER_IDS that exists, about the raid RAID_ID."""
    return columns().where(col(Volunteer.id) == sa.any_(VOLUNTEER_IDS))


def columns() -> Query:
    """Facts of every volunteer of the city, to be narrowed down."""
    return (
        sa.select(
            *reads.fields(
                Volunteer,
                Facts,
                has_guardian_consent=_guardians_latest_word(),
                is_on_it=_is_on_it(),
                engagements=_engagements(),
                starts_at=col(Raid.starts_at),
                ends_at=col(Raid.ends_at),
                time_zone=col(City.time_zone),
            )
        )
        .join(Raid, sa.and_(col(Raid.city_id) == col(Volunteer.city_id), col(Raid.id) == RAID_ID))
        .join(City, col(City.id) == col(Volunteer.city_id))
        .where(col(Volunteer.city_id) == reads.CITY)
    )


def _guardians_latest_word() -> sa.ColumnElement[bool]:
    latest = (
        sa.select(col(Consent.is_given))
        .where(
            col(Consent.city_id) == col(Volunteer.city_id),
            col(Consent.volunteer_id) == col(Volunteer.id),
            col(Consent.purpose) == ConsentPurpose.PARTICIPATION,
            col(Consent.given_by) == ConsentGiver.GUARDIAN,
        )
        .order_by(col(Consent.id).desc())
        .limit(1)
    )
    return sa.func.coalesce(latest.correlate(Volunteer).scalar_subquery(), sa.false())


def _is_on_it() -> sa.ColumnElement[bool]:
    return sa.exists().where(
        col(Assignment.city_id) == col(Volunteer.city_id),
        col(Assignment.volunteer_id) == col(Volunteer.id),
        col(Assignment.raid_id) == RAID_ID,
        one_of(Assignment.status, STAYED),
    )


def _engagements() -> sa.ColumnElement[object]:
    """Start and end of the other raids that the volunteer is on and that end or begin within MIN_REST of this one."""
    other = aliased(Raid, name="other")
    times = sa.func.json_build_array(other.starts_at, other.ends_at)
    listed = (
        sa.select(sa.func.json_agg(times))
        .select_from(Assignment)
        .join(other, sa.and_(col(other.city_id) == col(Assignment.city_id), col(other.id) == col(Assignment.raid_id)))
        .where(
            col(Assignment.city_id) == col(Volunteer.city_id),
            col(Assignment.volunteer_id) == col(Volunteer.id),
            one_of(Assignment.status, COMING),
            col(other.id) != RAID_ID,
            col(other.status) != RaidStatus.CANCELLED,
            col(other.starts_at) < col(Raid.ends_at) + MIN_REST,
            col(other.ends_at) > col(Raid.starts_at) - MIN_REST,
        )
    )
    return sa.func.coalesce(listed.correlate(Volunteer, Raid).scalar_subquery(), sa.text("'[]'::json"))


def one_of(column: Any, statuses: Sequence[str]) -> sa.ColumnElement[bool]:
    """`= ANY` of a constant list: an IN could not be compiled once."""
    values = sa.literal([str(status) for status in statuses], sa.ARRAY(sa.Text))
    return sa.cast(column, sa.Text) == sa.any_(values)


async def judged(session: AsyncSession, raid: Raid, volunteer_ids: Sequence[UUID]) -> dict[UUID, tuple[Fault, ...]]:
    """The reasons against each, by id, as things stand in this transaction."""
    values = {"actor_city_id": raid.city_id, "raid_id": raid.id, "volunteer_ids": list(volunteer_ids)}
    found = [read(row) for row in await reads.rows_within(session, facts, **values)]
    return {each.id: each.reasons() for each in found}


def read(document: bytes | str) -> Facts:
    return Facts.model_validate_json(document)
