"""Who was there, and for how long. All of it under the raid's lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.domain.assignments import STAYED, AssignmentAction, AssignmentStatus
from app.domain.attendance import (
    CHECK_IN_BEFORE,
    CHECK_OUT_AFTER,
    NEAR_METRES,
    code_at,
    code_ends_at,
    is_code,
    metres_between,
    minutes_between,
)
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.permissions import Actor
from app.domain.raids import RaidStatus
from app.models.assignments import Assignment
from app.models.raids import Raid
from app.schemas.assignments import RollCall
from app.schemas.attendance import HereNow
from app.services import places, raids, volunteers


@dataclass(frozen=True, slots=True)
class RaidCode:
    code: str
    expires_at: datetime


def code(raid_id: UUID, secret: bytes) -> RaidCode:
    """What the lead shows."""
    now = utc_now()
    return RaidCode(code_at(secret, raid_id, now), code_ends_at(now))


async def call(session: AsyncSession, raid: Raid, called: RollCall) -> None:
    """Raises Invalid for somebody who is not on the raid, or named as both."""
    crew = {each.volunteer_id: each for each in await places.all_in(session, raid, *STAYED)}
    if called.present & called.absent:
        raise Invalid(Fault("twice", "/body/absent"))
    for name, named in (("present", called.present), ("absent", called.absent)):
        if named - crew.keys():
            raise Invalid(Fault("not_on_raid", f"/body/{name}"))
    for volunteer_id in called.present:
        _check_in(raid, crew[volunteer_id])
    for volunteer_id in called.absent:
        places.step(raid, crew[volunteer_id], AssignmentAction.MARK_ABSENT)


async def call_roll(session: AsyncSession, actor: Actor, raid_id: UUID, called: RollCall) -> None:
    raid = await raids.led(session, actor, raid_id)
    _refuse_unless_under_way(raid)
    await call(session, raid, called)


async def check_in(session: AsyncSession, actor: Actor, raid_id: UUID, volunteer_id: UUID) -> UUID:
    """By the lead. Returns the assignment's id."""
    raid, assignment = await _by_lead(session, actor, raid_id, volunteer_id)
    _check_in(raid, assignment)
    return assignment.id


async def check_out(session: AsyncSession, actor: Actor, raid_id: UUID, volunteer_id: UUID) -> UUID:
    """By the lead. Returns the assignment's id."""
    raid, assignment = await _by_lead(session, actor, raid_id, volunteer_id)
    _check_out(raid, assignment, utc_now())
    return assignment.id


async def check_in_here(session: AsyncSession, actor: Actor, raid_id: UUID, here: HereNow, secret: bytes) -> UUID:
    """By the volunteer's own phone. Raises Invalid for a wrong code, a place too far off or a time outside the raid."""
    raid, assignment = await _own(session, actor, raid_id, here, secret)
    _check_in(raid, assignment)
    return assignment.id


async def check_out_here(session: AsyncSession, actor: Actor, raid_id: UUID, here: HereNow, secret: bytes) -> UUID:
    """As `check_in_here`."""
    raid, assignment = await _own(session, actor, raid_id, here, secret)
    _check_out(raid, assignment, utc_now())
    return assignment.id


async def end(session: AsyncSession, raid: Raid) -> Sequence[Assignment]:
    """The raid is over: who did not come was absent, who did not check out left with the others. Returns the crew."""
    crew = await places.all_in(session, raid, *STAYED)
    for assignment in crew:
        if assignment.status is AssignmentStatus.ACCEPTED:
            places.step(raid, assignment, AssignmentAction.MARK_ABSENT)
        elif assignment.status is AssignmentStatus.PRESENT:
            _check_out(raid, assignment, min(utc_now(), raid.ends_at))
    return crew


def _check_in(raid: Raid, assignment: Assignment) -> None:
    places.step(raid, assignment, AssignmentAction.MARK_PRESENT)
    assignment.checked_in_at = utc_now()


def _check_out(raid: Raid, assignment: Assignment, moment: datetime) -> None:
    places.step(raid, assignment, AssignmentAction.ATTEND)
    began = assignment.checked_in_at or moment
    assignment.checked_out_at = max(moment, began)
    assignment.minutes = minutes_between(began, assignment.checked_out_at)


async def _by_lead(session: AsyncSession, actor: Actor, raid_id: UUID, volunteer_id: UUID) -> tuple[Raid, Assignment]:
    raid = await raids.led(session, actor, raid_id)
    _refuse_unless_on(raid)
    return raid, await _on_raid(session, raid, volunteer_id)


async def _own(
    session: AsyncSession, actor: Actor, raid_id: UUID, here: HereNow, secret: bytes
) -> tuple[Raid, Assignment]:
    volunteer = await volunteers.of_account(session, actor)
    raid = await raids.get(session, actor, raid_id, lock=True)
    _refuse_unless_on(raid)
    assignment = await _on_raid(session, raid, volunteer.id)
    if faults := _doubts(raid, here, secret):
        raise Invalid(*faults)
    return raid, assignment


def _doubts(raid: Raid, here: HereNow, secret: bytes) -> list[Fault]:
    now = utc_now()
    faults: list[Fault] = []
    if not is_code(secret, raid.id, now, here.code):
        faults.append(Fault("wrong_code", "/body/code"))
    if raid.latitude is None or raid.longitude is None:
        faults.append(Fault("no_meeting_point", "/body/point"))
    elif metres_between(raid.latitude, raid.longitude, here.point.latitude, here.point.longitude) > NEAR_METRES:
        faults.append(Fault("too_far", "/body/point", {"metres": NEAR_METRES}))
    if not raid.starts_at - CHECK_IN_BEFORE <= now <= raid.ends_at + CHECK_OUT_AFTER:
        faults.append(Fault("outside_check_in"))
    return faults


async def _on_raid(session: AsyncSession, raid: Raid, volunteer_id: UUID) -> Assignment:
    query = select(Assignment).where(
        Assignment.city_id == raid.city_id,
        Assignment.raid_id == raid.id,
        Assignment.volunteer_id == volunteer_id,
        col(Assignment.status).in_(STAYED),
    )
    assignment = (await session.exec(query)).one_or_none()
    if assignment is None:
        raise NotFound("assignment")
    return assignment


def _refuse_unless_on(raid: Raid) -> None:
    if raid.status not in {RaidStatus.OPEN, RaidStatus.UNDER_WAY}:
        raise Conflict("wrong_status", noun="raid", status=raid.status, action="check_in")


def _refuse_unless_under_way(raid: Raid) -> None:
    if raid.status is not RaidStatus.UNDER_WAY:
        raise Conflict("wrong_status", noun="raid", status=raid.status, action="call_roll")
