"""Suspended, reinstated, gone: steps of a volunteer's file that free the places they held (rule 2).

Locks are taken in the order of app/services/assignments.py: the volunteer's row, then each raid's, by its id.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import day_in, utc_now
from app.domain.assignments import AssignmentAction, AssignmentStatus
from app.domain.errors import Conflict, Fault, Invalid
from app.domain.permissions import Actor
from app.domain.raids import RaidStatus
from app.domain.volunteers import ConsentGiver, VolunteerAction, VolunteerStatus
from app.models.assignments import Assignment
from app.models.raids import Raid
from app.models.volunteers import Consent, Volunteer
from app.schemas.volunteers import ConsentChange, OwnConsentChange, Suspension
from app.services import accounts, cities, places, volunteers

_AHEAD = (RaidStatus.DRAFT, RaidStatus.OPEN)
_ON_THE_WAY = (AssignmentStatus.WAITING, AssignmentStatus.OFFERED, AssignmentStatus.ACCEPTED)


async def suspend(session: AsyncSession, actor: Actor, volunteer_id: UUID, suspension: Suspension) -> None:
    """Takes the account away with the next request, and the places on raids that have not begun.

    Raises Invalid where the last day is over, and Forbidden where the account has risen to another role.
    """
    volunteer = await volunteers.get(session, actor, volunteer_id, lock=True)
    await _refuse_past(session, actor, suspension.until)
    event = await volunteers.advance(session, actor, volunteer, VolunteerAction.SUSPEND, suspension.reason)
    event.until = volunteer.suspended_until = suspension.until
    await _step_back(session, volunteer)
    await _switch_account(session, actor, volunteer, is_active=False)


async def reinstate(session: AsyncSession, actor: Actor, volunteer_id: UUID) -> None:
    """Raises Conflict `consent_withdrawn` while a needed consent is taken back."""
    volunteer = await volunteers.get(session, actor, volunteer_id, lock=True)
    await volunteers.advance(session, actor, volunteer, VolunteerAction.REINSTATE)
    if await _is_withdrawn(session, actor, volunteer):
        raise Conflict("consent_withdrawn")
    await _switch_account(session, actor, volunteer, is_active=True)


async def leave(session: AsyncSession, actor: Actor, volunteer_id: UUID, reason: str | None) -> None:
    """For good. As `suspend`, what they did stays counted."""
    volunteer = await volunteers.get(session, actor, volunteer_id, lock=True)
    await volunteers.advance(session, actor, volunteer, VolunteerAction.LEAVE, reason)
    await _step_back(session, volunteer)
    await _switch_account(session, actor, volunteer, is_active=False)


async def leave_oneself(session: AsyncSession, actor: Actor, reason: str | None) -> None:
    """As `leave`; the account ends with the answer."""
    volunteer = await volunteers.of_account(session, actor)
    await volunteers.advance(session, actor, volunteer, VolunteerAction.LEAVE, reason)
    await _step_back(session, volunteer)
    await accounts.switch_off(session, await volunteers.account_of(session, actor, volunteer))


async def consent(session: AsyncSession, actor: Actor, volunteer_id: UUID, word: ConsentChange) -> Consent:
    """What a coordinator was told. Without a needed consent an active volunteer is suspended at once."""
    volunteer = await volunteers.get(session, actor, volunteer_id, lock=True)
    recorded = await volunteers.record(session, actor, volunteer, word)
    if await _must_pause(session, actor, volunteer):
        await volunteers.advance(session, actor, volunteer, VolunteerAction.SUSPEND)
        await _step_back(session, volunteer)
        await _switch_account(session, actor, volunteer, is_active=False)
    return recorded


async def consent_oneself(session: AsyncSession, actor: Actor, word: OwnConsentChange) -> Consent:
    """As `consent`; an account that this suspends ends with the answer."""
    volunteer = await volunteers.of_account(session, actor)
    said = ConsentChange(**word.model_dump(), given_by=ConsentGiver.SELF)
    recorded = await volunteers.record(session, actor, volunteer, said)
    if await _must_pause(session, actor, volunteer):
        await volunteers.advance(session, actor, volunteer, VolunteerAction.SUSPEND)
        await _step_back(session, volunteer)
        await accounts.switch_off(session, await volunteers.account_of(session, actor, volunteer))
    return recorded


async def _must_pause(session: AsyncSession, actor: Actor, volunteer: Volunteer) -> bool:
    return volunteer.status is VolunteerStatus.ACTIVE and await _is_withdrawn(session, actor, volunteer)


async def _is_withdrawn(session: AsyncSession, actor: Actor, volunteer: Volunteer) -> bool:
    return await volunteers.is_withdrawn(session, await cities.get(session, actor.city_id), volunteer)


async def _refuse_past(session: AsyncSession, actor: Actor, until: date | None) -> None:
    city = await cities.get(session, actor.city_id)
    if until is not None and until < day_in(city.time_zone, utc_now()):
        raise Invalid(Fault("in_past", "/body/until"))


async def _step_back(session: AsyncSession, volunteer: Volunteer) -> None:
    """From every raid that has not begun; the next in line are asked in the same transaction.

    Not late, whatever the hour: it was not their choice. On a raid that is under way the lead calls the roll.
    """
    await session.flush()
    for raid_id in await _ahead(session, volunteer):
        raid = await _locked(session, volunteer, raid_id)
        assignment = await places.of(session, raid, volunteer.id)
        if raid.status not in _AHEAD or assignment is None or assignment.status not in _ON_THE_WAY:
            continue
        places.step(raid, assignment, AssignmentAction.WITHDRAW)
        if raid.lead_id == volunteer.id:
            raid.lead_id = None
        await places.settle(session, raid)


async def _ahead(session: AsyncSession, volunteer: Volunteer) -> Sequence[UUID]:
    """Under the volunteer's lock they take no further place; what happens to these is seen under each raid's own."""
    query = (
        select(Assignment.raid_id)
        .join(Raid, sa.and_(col(Raid.city_id) == col(Assignment.city_id), col(Raid.id) == col(Assignment.raid_id)))
        .where(
            Assignment.city_id == volunteer.city_id,
            Raid.city_id == volunteer.city_id,
            Assignment.volunteer_id == volunteer.id,
            col(Assignment.status).in_(_ON_THE_WAY),
            col(Raid.status).in_(_AHEAD),
        )
        .order_by(col(Assignment.raid_id))
    )
    return (await session.exec(query)).all()


async def _locked(session: AsyncSession, volunteer: Volunteer, raid_id: UUID) -> Raid:
    query = select(Raid).where(Raid.city_id == volunteer.city_id, Raid.id == raid_id)
    return (await session.exec(query.with_for_update())).one()


async def _switch_account(session: AsyncSession, actor: Actor, volunteer: Volunteer, *, is_active: bool) -> None:
    account = await volunteers.account_of(session, actor, volunteer)
    await accounts.change_access(session, actor, account, role=account.role, is_active=is_active)
