"""Steps of the file at the door: approval, rejection, invitation."""

from collections.abc import Collection
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import day_in, utc_now
from app.domain.errors import Conflict
from app.domain.metrics import Metric
from app.domain.permissions import Actor, Role
from app.domain.volunteers import VOLUNTEER_FLOW, Programme, VolunteerAction, VolunteerStatus
from app.models.volunteers import Volunteer, VolunteerEvent
from app.schemas.accounts import AccountDraft
from app.services import accounts, cities, ledger
from app.services.ledger import Fact
from app.services.volunteers.consents import is_withdrawn
from app.services.volunteers.files import account_of, get

COUNTED = {Programme.STREET: Metric.VOLUNTEERS_STREET, Programme.ONLINE: Metric.VOLUNTEERS_ONLINE}
ACTIVE = {Programme.STREET: Metric.VOLUNTEERS_STREET_ACTIVE, Programme.ONLINE: Metric.VOLUNTEERS_ONLINE_ACTIVE}


async def approve(session: AsyncSession, actor: Actor, volunteer_id: UUID, reason: str | None) -> None:
    """Admit the volunteer, with an account to be invited to, and count them in their programmes.

    Raises Conflict `consent_withdrawn` where a needed consent was taken back.
    """
    volunteer = await get(session, actor, volunteer_id, lock=True)
    await advance(session, actor, volunteer, VolunteerAction.APPROVE, reason)
    if await is_withdrawn(session, await cities.get(session, actor.city_id), volunteer):
        raise Conflict("consent_withdrawn")
    account = await accounts.create(session, actor.city_id, AccountDraft(login=volunteer.phone, role=Role.VOLUNTEER))
    volunteer.account_id = account.id
    await count(session, actor, volunteer, volunteer.programmes)


async def reject(session: AsyncSession, actor: Actor, volunteer_id: UUID, reason: str) -> None:
    volunteer = await get(session, actor, volunteer_id, lock=True)
    await advance(session, actor, volunteer, VolunteerAction.REJECT, reason)


async def invite(session: AsyncSession, actor: Actor, volunteer_id: UUID) -> accounts.Invitation:
    """A code for the volunteer to set a password with; the earlier one is void. Raises Conflict unless active."""
    volunteer = await get(session, actor, volunteer_id, lock=True)
    if volunteer.status is not VolunteerStatus.ACTIVE:
        raise Conflict("wrong_status", noun="volunteer", status=volunteer.status, action="invite")
    return accounts.invite(await account_of(session, actor, volunteer))


async def advance(
    session: AsyncSession, actor: Actor, volunteer: Volunteer, action: VolunteerAction, reason: str | None = None
) -> VolunteerEvent:
    """A step of the locked file, kept in its history; it counts where the volunteer becomes active or ceases to be."""
    before, volunteer.status = volunteer.status, VOLUNTEER_FLOW.after(volunteer.status, action)
    volunteer.status_reason, volunteer.suspended_until = reason, None
    event = VolunteerEvent(
        city_id=volunteer.city_id,
        volunteer_id=volunteer.id,
        action=action,
        decided_by=actor.account_id,
        reason=reason,
    )
    session.add(event)
    change = (volunteer.status is VolunteerStatus.ACTIVE) - (before is VolunteerStatus.ACTIVE)
    if change:
        await count_active(session, actor, volunteer.programmes, change, event.id)
    return event


async def count(session: AsyncSession, actor: Actor, volunteer: Volunteer, programmes: Collection[str]) -> None:
    """Approval for a programme is a fact of its day, counted once; it stays one if they leave the programme later."""
    city = await cities.get(session, actor.city_id)
    today = day_in(city.time_zone, utc_now())
    for metric in (metric for programme, metric in COUNTED.items() if programme in programmes):
        if not await ledger.is_counted(session, actor, metric, volunteer.id):
            ledger.record(session, actor, Fact(metric, volunteer.id, today))


async def count_active(
    session: AsyncSession, actor: Actor, programmes: Collection[str], change: int, subject_id: UUID
) -> None:
    """One more active volunteer in these programmes, or one fewer; `subject_id` is the step that made it so."""
    city = await cities.get(session, actor.city_id)
    today = day_in(city.time_zone, utc_now())
    metrics = [metric for programme, metric in ACTIVE.items() if programme in programmes]
    ledger.record(session, actor, *(Fact(metric, subject_id, today, change) for metric in metrics))
