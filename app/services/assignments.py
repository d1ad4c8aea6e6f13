"""Who is on which raid. Locks are taken in one order: the volunteer's row, then the raid's.

A volunteer's time is only taken (accepted) under their own row's lock, so that two raids cannot both have it.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.domain.assignments import ON_IT, STAYED, AssignmentAction, AssignmentStatus, is_late_withdrawal
from app.domain.errors import Conflict, NotFound
from app.domain.permissions import ALLOWED, Actor, Permission, Role
from app.domain.raids import RaidStatus
from app.models.assignments import Assignment
from app.models.raids import Raid
from app.models.volunteers import Volunteer
from app.schemas.assignments import AssignmentRead, CrewMember, RollMember
from app.services import candidates, places, raids, reads, volunteers
from app.services.reads import Query

RAID_ID = candidates.RAID_ID


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _cards().where(col(Assignment.id) == reads.ID)


def own_card(role: Role | None, given: frozenset[str]) -> Query:
    """The actor's own on the raid RAID_ID."""
    own = sa.select(col(Volunteer.id)).where(
        col(Volunteer.city_id) == reads.CITY, col(Volunteer.account_id) == reads.ACCOUNT
    )
    return _cards().where(col(Assignment.raid_id) == RAID_ID, col(Assignment.volunteer_id) == own.scalar_subquery())


def crew(role: Role | None, given: frozenset[str]) -> Query:
    """Everybody on the raid or waiting for it; only for those who plan raids, because of the phone numbers."""
    return _members(CrewMember, given)


def roll(role: Role | None, given: frozenset[str]) -> Query:
    """Who is to be called at the meeting point, without phone numbers: for planners and the raid's own lead."""
    query = _members(RollMember, given).where(candidates.one_of(Assignment.status, STAYED))
    if role and Permission.RAID_PLAN in ALLOWED[role]:
        return query
    return query.where(raids.led_by_actor(col(Assignment.raid_id)))


def _cards() -> Query:
    return sa.select(*reads.fields(Assignment, AssignmentRead, status=_status(), position=_position())).where(
        col(Assignment.city_id) == reads.CITY
    )


def _status() -> sa.ColumnElement[Any]:
    """An offer is over at its second, whether or not somebody has touched the raid since."""
    is_over = sa.and_(
        col(Assignment.status) == AssignmentStatus.OFFERED,
        col(Assignment.offer_expires_at) <= sa.func.clock_timestamp(),
    )
    return sa.case((is_over, sa.literal_column("'lapsed'", sa.Text)), else_=sa.cast(col(Assignment.status), sa.Text))


def _position() -> sa.ColumnElement[int]:
    """1 for the first in line; NULL for who is not waiting."""
    before = aliased(Assignment, name="before")
    count = sa.select(sa.func.count()).where(
        col(before.city_id) == col(Assignment.city_id),
        col(before.raid_id) == col(Assignment.raid_id),
        col(before.status) == AssignmentStatus.WAITING,
        col(before.line_number) <= col(Assignment.line_number),
    )
    is_waiting = col(Assignment.status) == AssignmentStatus.WAITING
    return sa.case((is_waiting, count.correlate(Assignment).scalar_subquery()))


def _members(schema: type[RollMember], given: frozenset[str]) -> Query:
    said = {
        "given_name": col(Volunteer.given_name),
        "family_name": col(Volunteer.family_name),
        "phone": col(Volunteer.phone),
    }
    query = (
        sa.select(*reads.fields(Assignment, schema, status=_status(), position=_position(), **said))
        .join(
            Volunteer,
            sa.and_(
                col(Volunteer.city_id) == col(Assignment.city_id), col(Volunteer.id) == col(Assignment.volunteer_id)
            ),
        )
        .where(
            col(Assignment.city_id) == reads.CITY,
            col(Assignment.raid_id) == RAID_ID,
            candidates.one_of(Assignment.status, ON_IT),
        )
    )
    return reads.newest_first(query, Assignment.id, given)


async def sign_up(session: AsyncSession, actor: Actor, raid_id: UUID) -> UUID:
    """Take a place on an open raid or, when it is full, the last place in line. Returns the assignment's id.

    Raises Conflict: `wrong_status`, `already_on_raid`, or `not_eligible` with every reason.
    """
    volunteer = await volunteers.of_account(session, actor)
    raid = await _open(session, actor, raid_id, "join")
    await places.settle(session, raid)
    assignment = await places.of(session, raid, volunteer.id)
    if assignment and assignment.status in ON_IT:
        raise Conflict("already_on_raid")
    await _refuse_ineligible(session, raid, volunteer.id)
    action = AssignmentAction.JOIN if places.has_room(raid) else AssignmentAction.WAIT
    return places.enter(session, raid, volunteer.id, assignment, action).id


async def withdraw(session: AsyncSession, actor: Actor, raid_id: UUID) -> UUID:
    """Give the place back, or leave the line, until the raid starts; the next in line is offered the place."""
    volunteer = await volunteers.of_account(session, actor)
    raid = await _open(session, actor, raid_id, "withdraw")
    assignment = await _existing(session, raid, volunteer.id)
    is_late = assignment.status is AssignmentStatus.ACCEPTED and is_late_withdrawal(utc_now(), raid.starts_at)
    places.step(raid, assignment, AssignmentAction.WITHDRAW)
    assignment.withdrew_late = is_late
    if raid.lead_id == volunteer.id:
        raid.lead_id = None
    await places.settle(session, raid)
    return assignment.id


async def offer(session: AsyncSession, actor: Actor, raid_id: UUID, volunteer_id: UUID) -> UUID:
    """Keep a place for a volunteer until they answer. Raises Conflict `raid_full` or `not_eligible`."""
    volunteer = await volunteers.get(session, actor, volunteer_id)
    raid = await _open(session, actor, raid_id, "offer")
    await places.settle(session, raid)
    await _refuse_ineligible(session, raid, volunteer.id)
    assignment = await places.of(session, raid, volunteer.id)
    if assignment and assignment.status is AssignmentStatus.OFFERED:
        raise Conflict("already_on_raid")
    if not places.has_room(raid):
        raise Conflict("raid_full")
    return places.enter(session, raid, volunteer.id, assignment, AssignmentAction.OFFER).id


async def accept(session: AsyncSession, actor: Actor, raid_id: UUID) -> Assignment:
    """Take the place that is offered. Raises Conflict `not_eligible` if something has come between.

    Lapsed, and not raised, when the deadline has passed: that the next in line has the place now must be committed.
    """
    return await _answer(session, actor, raid_id, AssignmentAction.ACCEPT)


async def decline(session: AsyncSession, actor: Actor, raid_id: UUID) -> Assignment:
    """Leave the place to the next in line; as `accept` after the deadline."""
    return await _answer(session, actor, raid_id, AssignmentAction.DECLINE)


async def name_lead(session: AsyncSession, actor: Actor, raid_id: UUID, volunteer_id: UUID) -> None:
    """The lead is one of the crew. Raises Conflict `lead_without_account`, `not_eligible` or `raid_full`."""
    volunteer = await volunteers.get(session, actor, volunteer_id, lock=True)
    if volunteer.account_id is None:
        raise Conflict("lead_without_account")
    raid = await raids.get(session, actor, raid_id, lock=True)
    if raid.status not in {RaidStatus.DRAFT, RaidStatus.OPEN}:
        raise Conflict("wrong_status", noun="raid", status=raid.status, action="name_lead")
    await places.settle(session, raid)
    assignment = await places.of(session, raid, volunteer.id)
    if assignment is None or assignment.status is not AssignmentStatus.ACCEPTED:
        await _take_place(session, raid, volunteer.id, assignment)
    raid.lead_id = volunteer.id


async def _take_place(session: AsyncSession, raid: Raid, volunteer_id: UUID, assignment: Assignment | None) -> None:
    await _refuse_ineligible(session, raid, volunteer_id)
    if assignment and assignment.status is AssignmentStatus.OFFERED:
        places.step(raid, assignment, AssignmentAction.ACCEPT)
        return
    if not places.has_room(raid):
        raise Conflict("raid_full")
    places.enter(session, raid, volunteer_id, assignment, AssignmentAction.JOIN)


async def _answer(session: AsyncSession, actor: Actor, raid_id: UUID, action: AssignmentAction) -> Assignment:
    volunteer = await volunteers.of_account(session, actor)
    raid = await _open(session, actor, raid_id, action)
    assignment = await _existing(session, raid, volunteer.id)
    if not places.is_over(assignment, utc_now()):
        if action is AssignmentAction.ACCEPT:
            await _refuse_ineligible(session, raid, volunteer.id)
        places.step(raid, assignment, action)
    await places.settle(session, raid)
    return assignment


async def _open(session: AsyncSession, actor: Actor, raid_id: UUID, action: str) -> Raid:
    raid = await raids.get(session, actor, raid_id, lock=True)
    if raid.status is not RaidStatus.OPEN:
        raise Conflict("wrong_status", noun="raid", status=raid.status, action=action)
    return raid


async def _existing(session: AsyncSession, raid: Raid, volunteer_id: UUID) -> Assignment:
    assignment = await places.of(session, raid, volunteer_id)
    if assignment is None:
        raise NotFound("assignment")
    return assignment


async def _refuse_ineligible(session: AsyncSession, raid: Raid, volunteer_id: UUID) -> None:
    if reasons := (await candidates.judged(session, raid, [volunteer_id]))[volunteer_id]:
        raise Conflict("not_eligible", faults=reasons)
