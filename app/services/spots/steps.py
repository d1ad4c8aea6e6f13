"""The steps of a spot's flow, and the cycles that they open and close."""

from datetime import datetime
from functools import cache
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import utc_now
from app.domain.checks import Verdict
from app.domain.errors import NotFound
from app.domain.permissions import Actor, Role
from app.domain.spots import CLEAN, SPOT_FLOW, SpotAction, SpotStatus
from app.models.spots import Removal, Sighting, Spot, SpotCycle, SpotEvent
from app.services import reads
from app.services.spots.queries import visible_to


async def get(session: AsyncSession, actor: Actor, spot_id: UUID) -> Spot:
    """Locked. Raises NotFound."""
    spot = (await session.exec(_one(actor.role), params={**reads.values_of(actor), "id": spot_id})).one_or_none()
    if spot is None:
        raise NotFound("spot")
    return spot


@cache
def _one(role: Role) -> SelectOfScalar[Spot]:
    return visible_to(role).where(col(Spot.id) == reads.ID).with_for_update()


async def advance(
    session: AsyncSession, actor: Actor, spot_id: UUID, action: SpotAction, *, at: datetime | None = None
) -> Spot:
    """Take one step of the spot's flow, under a lock; `at` is when it happened. Raises NotFound or Conflict."""
    spot = await get(session, actor, spot_id)
    await step(session, spot, action, at or utc_now())
    return spot


async def check(session: AsyncSession, actor: Actor, removal: Removal, verdict: Verdict) -> Spot:
    """What a verdict means for the spot, if nothing has come after that painting-over."""
    spot = await get(session, actor, removal.spot_id)
    if spot.status is not SpotStatus.PAINTED or (await _cycle(session, spot)).painted_at != removal.removed_at:
        return spot
    if verdict is Verdict.VERIFIED:
        await step(session, spot, SpotAction.VERIFY, utc_now())
        return spot
    for action in (SpotAction.DISPUTE, SpotAction.CONFIRM):
        await step(session, spot, action, utc_now())
    return spot


async def step(session: AsyncSession, spot: Spot, action: SpotAction, at: datetime) -> None:
    """As `advance`, for a spot that is locked already."""
    spot.status = SPOT_FLOW.after(spot.status, action)
    match action:
        case SpotAction.PAINT:
            (await _cycle(session, spot)).painted_at = at
        case SpotAction.DISPUTE:
            (await _cycle(session, spot)).painted_at = None
        case SpotAction.REAPPEAR:
            spot.cycle += 1
            session.add(SpotCycle(city_id=spot.city_id, spot_id=spot.id, cycle=spot.cycle, opened_at=at))
        case _:
            pass


async def store(session: AsyncSession, spot: Spot, opened_at: datetime) -> None:
    """Store a new spot with its first cycle."""
    session.add(spot)
    await session.flush()
    session.add(SpotCycle(city_id=spot.city_id, spot_id=spot.id, cycle=spot.cycle, opened_at=opened_at))


async def see(session: AsyncSession, spot: Spot, sighting: Sighting) -> None:
    """Count the sighting at its spot, which it says more of or, seen after it was painted over, opens again."""
    spot.sightings += 1
    spot.last_seen_at = max(spot.last_seen_at or sighting.seen_at, sighting.seen_at)
    spot.kind = spot.kind or sighting.kind
    spot.surface = spot.surface or sighting.surface
    spot.address = spot.address or sighting.address
    await reopen(session, spot, sighting.seen_at)


async def reopen(session: AsyncSession, spot: Spot, seen_at: datetime) -> None:
    """The next cycle, if the spot was clean before; what a phone saw earlier and sends late changes nothing."""
    if spot.status in CLEAN:
        painted_at = (await _cycle(session, spot)).painted_at
        if painted_at is not None and seen_at > painted_at:
            await step(session, spot, SpotAction.REAPPEAR, seen_at)


async def confirm(session: AsyncSession, actor: Actor, spot_id: UUID) -> None:
    spot = await advance(session, actor, spot_id, SpotAction.CONFIRM)
    session.add(event(actor, spot, SpotAction.CONFIRM))


async def dismiss(session: AsyncSession, actor: Actor, spot_id: UUID, reason: str) -> None:
    spot = await advance(session, actor, spot_id, SpotAction.DISMISS)
    spot.dismiss_reason = reason
    session.add(event(actor, spot, SpotAction.DISMISS, reason))


def event(actor: Actor, spot: Spot, action: SpotAction, reason: str | None = None) -> SpotEvent:
    return SpotEvent(city_id=spot.city_id, spot_id=spot.id, action=action, decided_by=actor.account_id, reason=reason)


async def _cycle(session: AsyncSession, spot: Spot) -> SpotCycle:
    # Without autoflush a cycle that this transaction began would not be found.
    await session.flush()
    query = select(SpotCycle).where(
        SpotCycle.city_id == spot.city_id, SpotCycle.spot_id == spot.id, SpotCycle.cycle == spot.cycle
    )
    return (await session.exec(query)).one()
