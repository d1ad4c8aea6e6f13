"""Raids as they are planned and read; what happens on them is in outings.py."""

from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import SQLColumnExpression
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import utc_now
from app.core.ids import new_id
from app.domain.errors import Fault, Forbidden, Invalid, NotFound
from app.domain.permissions import ALLOWED, Actor, Permission, Role
from app.domain.raids import MAX_HOURS, RAID_FLOW, RaidAction, RaidStatus
from app.models.assignments import Assignment
from app.models.raids import Raid
from app.models.volunteers import Volunteer
from app.schemas.raids import RaidPlan, RaidRead
from app.services import cities, reads, spots
from app.services.reads import Query


def visible_to(role: Role | None) -> SelectOfScalar[Raid]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    query = select(Raid).where(col(Raid.city_id) == reads.CITY)
    if role and Permission.RAID_PLAN in ALLOWED[role]:
        return query
    return query.where(col(Raid.status) != RaidStatus.DRAFT)


def _card(role: Role | None) -> Query:
    return visible_to(role).with_only_columns(*reads.fields(Raid, RaidRead))


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _card(role).where(col(Raid.id) == reads.ID)


def led_card(role: Role | None, given: frozenset[str]) -> Query:
    """For those who plan raids, and for the raid's own lead."""
    if role and Permission.RAID_PLAN in ALLOWED[role]:
        return card(role, given)
    return card(role, given).where(led_by_actor(reads.ID))


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _card(role)
    if "status" in given:
        query = query.where(col(Raid.status) == sa.bindparam("status", type_=sa.Text))
    if "district" in given:
        query = query.where(col(Raid.district_id) == sa.bindparam("district", type_=sa.Text))
    return reads.newest_first(query, Raid.id, given)


async def plan(session: AsyncSession, actor: Actor, planned: RaidPlan) -> UUID:
    """A draft that volunteers do not see yet. Raises Invalid for times and points that cannot be."""
    districts = await cities.districts(session, await cities.get(session, actor.city_id))
    point = planned.point
    if faults := [*_time_faults(planned), *(spots.faults_of(districts, point) if point else ())]:
        raise Invalid(*faults)
    raid = Raid(
        city_id=actor.city_id,
        id=planned.id or new_id(),
        planned_by=actor.account_id,
        latitude=point.latitude if point else None,
        longitude=point.longitude if point else None,
        district_id=districts.at(point.latitude, point.longitude) if point else None,
        **planned.model_dump(exclude={"id", "point", "lead_id"}),
    )
    session.add(raid)
    await session.flush()
    return raid.id


async def publish(session: AsyncSession, actor: Actor, raid_id: UUID) -> None:
    advance(await get(session, actor, raid_id, lock=True), RaidAction.PUBLISH)


@cache
def _one(role: Role, *, lock: bool) -> SelectOfScalar[Raid]:
    query = visible_to(role).where(col(Raid.id) == reads.ID)
    return query.with_for_update() if lock else query


async def get(session: AsyncSession, actor: Actor, raid_id: UUID, *, lock: bool = False) -> Raid:
    values = {**reads.values_of(actor), "id": raid_id}
    raid = (await session.exec(_one(actor.role, lock=lock), params=values)).one_or_none()
    if raid is None:
        raise NotFound("raid")
    return raid


async def led(session: AsyncSession, actor: Actor, raid_id: UUID) -> Raid:
    """The raid, locked, for those who plan raids and for its lead. Raises Forbidden `not_lead`."""
    raid = await get(session, actor, raid_id, lock=True)
    if not actor.may(Permission.RAID_PLAN) and not await _leads(session, actor, raid):
        raise Forbidden("not_lead")
    return raid


def led_by_actor(raid_id: SQLColumnExpression[Any]) -> sa.ColumnElement[bool]:
    """For a read: whether ACCOUNT is the lead's."""
    lead = sa.exists().where(
        col(Raid.city_id) == reads.CITY,
        col(Raid.id) == raid_id,
        col(Volunteer.city_id) == col(Raid.city_id),
        col(Volunteer.id) == col(Raid.lead_id),
        col(Volunteer.account_id) == reads.ACCOUNT,
    )
    # Not the raid or the volunteer of the SELECT around it.
    return lead.correlate(Assignment)


def advance(raid: Raid, action: RaidAction) -> None:
    raid.status = RAID_FLOW.after(raid.status, action)


async def _leads(session: AsyncSession, actor: Actor, raid: Raid) -> bool:
    query = select(Volunteer.id).where(
        Volunteer.city_id == actor.city_id,
        col(Volunteer.id) == raid.lead_id,
        col(Volunteer.account_id) == actor.account_id,
    )
    return (await session.exec(query)).first() is not None


def _time_faults(planned: RaidPlan) -> list[Fault]:
    faults: list[Fault] = []
    if planned.ends_at <= planned.starts_at:
        faults.append(Fault("ends_before_start", "/body/ends_at"))
    elif planned.ends_at - planned.starts_at > timedelta(hours=MAX_HOURS):
        faults.append(Fault("raid_too_long", "/body/ends_at", {"hours": MAX_HOURS}))
    if planned.ends_at <= utc_now():
        faults.append(Fault("in_past", "/body/ends_at"))
    return faults
