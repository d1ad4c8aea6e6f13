"""The places of a raid and the line behind them. Everything here is called under the raid's lock.

A place that is free, or whose offer has passed its deadline, goes to the first who waits and may go, in the
transaction that finds it so. Nobody's own row is locked for that: an offer takes the raid's place but not yet the
volunteer's time, so nothing here waits for anybody, and what has changed meanwhile is judged when they accept.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import utc_now
from app.domain.assignments import (
    ASSIGNMENT_FLOW,
    FIRST_STEPS,
    HOLDING,
    AssignmentAction,
    AssignmentStatus,
    offer_deadline,
)
from app.domain.raids import RaidStatus
from app.models.assignments import Assignment
from app.models.raids import Raid
from app.services import candidates, reads

_AT_ONCE = 50
"""Of those who wait, judged in one query."""


async def settle(session: AsyncSession, raid: Raid) -> None:
    """The one rule: offers end at their second, and free places are offered in order of waiting."""
    await session.flush()
    now = utc_now()
    for offer in await _offers(session, raid):
        if is_over(offer, now):
            step(raid, offer, AssignmentAction.LAPSE)
    await _promote(session, raid, now)


async def close(session: AsyncSession, raid: Raid) -> None:
    """No more offers: the raid begins or is called off."""
    for offer in await _offers(session, raid):
        step(raid, offer, AssignmentAction.LAPSE)


def enter(
    session: AsyncSession, raid: Raid, volunteer_id: UUID, before: Assignment | None, action: AssignmentAction
) -> Assignment:
    """One of the three ways in: join, wait or be offered a place. The assignment there was before begins again."""
    if before is not None:
        step(raid, before, action)
        return before
    assignment = Assignment(city_id=raid.city_id, raid_id=raid.id, volunteer_id=volunteer_id)
    assignment.status = FIRST_STEPS[action]
    _keep_count(raid, assignment, held_before=False)
    session.add(assignment)
    return assignment


def step(raid: Raid, assignment: Assignment, action: AssignmentAction) -> None:
    """Every step goes through here, so that places_taken is always the number of those who hold one."""
    held_before = assignment.status in HOLDING
    assignment.status = ASSIGNMENT_FLOW.after(assignment.status, action)
    _keep_count(raid, assignment, held_before=held_before)


def has_room(raid: Raid) -> bool:
    return raid.places_taken < raid.capacity


def is_over(assignment: Assignment, now: datetime) -> bool:
    """Whether it is an offer whose deadline has passed."""
    deadline = assignment.offer_expires_at
    return assignment.status is AssignmentStatus.OFFERED and deadline is not None and deadline <= now


async def of(session: AsyncSession, raid: Raid, volunteer_id: UUID) -> Assignment | None:
    values = {**_values_of(raid), "volunteer_id": volunteer_id}
    return (await session.exec(_ones(), params=values)).one_or_none()


async def all_in(session: AsyncSession, raid: Raid, *statuses: AssignmentStatus) -> Sequence[Assignment]:
    return (await session.exec(_in_states(), params={**_values_of(raid), "statuses": statuses})).all()


def _keep_count(raid: Raid, assignment: Assignment, *, held_before: bool) -> None:
    raid.places_taken += (assignment.status in HOLDING) - held_before
    if assignment.status is AssignmentStatus.WAITING:
        raid.line_length += 1
        assignment.line_number = raid.line_length
    if assignment.status is AssignmentStatus.OFFERED:
        assignment.offer_expires_at = offer_deadline(utc_now(), raid.starts_at)


async def _offers(session: AsyncSession, raid: Raid) -> Sequence[Assignment]:
    return await all_in(session, raid, AssignmentStatus.OFFERED)


async def _promote(session: AsyncSession, raid: Raid, now: datetime) -> None:
    after = 0
    while raid.status is RaidStatus.OPEN and has_room(raid):
        waiting = await _next_in_line(session, raid, after)
        if not waiting:
            return
        after = waiting[-1].line_number or after
        reasons = await candidates.judged(session, raid, [each.volunteer_id for each in waiting])
        for each in waiting:
            if has_room(raid) and not reasons[each.volunteer_id]:
                step(raid, each, AssignmentAction.OFFER)


async def _next_in_line(session: AsyncSession, raid: Raid, after: int) -> Sequence[Assignment]:
    return (await session.exec(_line(), params={**_values_of(raid), "after": after})).all()


def _values_of(raid: Raid) -> dict[str, object]:
    return {"actor_city_id": raid.city_id, "raid_id": raid.id}


def _on_raid() -> SelectOfScalar[Assignment]:
    return select(Assignment).where(
        col(Assignment.city_id) == reads.CITY, col(Assignment.raid_id) == candidates.RAID_ID
    )


# Composed once: for a crowd that signs up, that took longer than all that PostgreSQL does.
@cache
def _ones() -> SelectOfScalar[Assignment]:
    return _on_raid().where(col(Assignment.volunteer_id) == sa.bindparam("volunteer_id", type_=sa.Uuid))


@cache
def _in_states() -> SelectOfScalar[Assignment]:
    return _on_raid().where(col(Assignment.status).in_(sa.bindparam("statuses", expanding=True)))


@cache
def _line() -> SelectOfScalar[Assignment]:
    waiting = _on_raid().where(
        col(Assignment.status) == AssignmentStatus.WAITING,
        col(Assignment.line_number) > sa.bindparam("after", type_=sa.Integer),
    )
    return waiting.order_by(col(Assignment.line_number)).limit(_AT_ONCE)
