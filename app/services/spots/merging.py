"""Where the distance was wrong a coordinator is right: two spots that are one wall, or one that is two.

Sightings and removals move. Ledger entries stay as they are: their subject is the removal, and the district that it
was counted in is the one that was published. What was merged stays as a row that says where everything is now.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.ids import new_id
from app.domain.errors import Conflict, Fault, Invalid
from app.domain.permissions import Actor
from app.domain.spots import GONE, SPOT_FLOW, SpotAction
from app.models.spots import Removal, Sighting, Spot, SpotEvent
from app.schemas.spots import Merger
from app.schemas.spots import Split as SplitAsked
from app.services import cities
from app.services.spots import steps


async def merge(session: AsyncSession, actor: Actor, spot_id: UUID, merger: Merger) -> None:
    """Take another spot in.

    Raises NotFound for either, Conflict if one of them is gone or on a raid, or if one raid has painted both.
    """
    if merger.spot_id == spot_id:
        raise Invalid(Fault("same_spot", "/body/spot_id"))
    # In one order, whichever is to be taken in.
    locked = {one: await steps.get(session, actor, one) for one in sorted((spot_id, merger.spot_id))}
    spot, other = locked[spot_id], locked[merger.spot_id]
    if spot.status in GONE:
        raise Conflict("wrong_status", noun="spot", status=spot.status, action=SpotAction.MERGE)
    if await _painted_together(session, spot, other):
        raise Conflict("painted_together")
    other.status, other.merged_into_id = SPOT_FLOW.after(other.status, SpotAction.MERGE), spot.id
    moved = _event(actor, spot, other, merger.reason)
    session.add(moved)
    await _move_all(session, other, spot)
    await _take_in(session, spot, other)


async def _painted_together(session: AsyncSession, spot: Spot, other: Spot) -> bool:
    """A raid's list has each spot once, and so has its count."""
    query = (
        select(Removal.raid_id)
        .where(Removal.city_id == spot.city_id, col(Removal.spot_id).in_([spot.id, other.id]))
        .where(col(Removal.raid_id).is_not(None))
        .group_by(col(Removal.raid_id))
        .having(func.count() > 1)
    )
    return (await session.exec(query)).first() is not None


def _event(actor: Actor, spot: Spot, other: Spot, reason: str | None) -> SpotEvent:
    event = steps.event(actor, spot, SpotAction.MERGE, reason)
    event.other_spot_id, event.sightings = other.id, other.sightings
    return event


async def _move_all(session: AsyncSession, other: Spot, spot: Spot) -> None:
    for model in (Sighting, Removal):
        here = col(model.city_id) == other.city_id
        await session.exec(update(model).where(here, col(model.spot_id) == other.id).values(spot_id=spot.id))
    # What the other one had taken in before is found in one step, too.
    await session.exec(
        update(Spot)
        .where(col(Spot.city_id) == other.city_id, col(Spot.merged_into_id) == other.id)
        .values(merged_into_id=spot.id, version=Spot.version + 1)
    )


async def _take_in(session: AsyncSession, spot: Spot, other: Spot) -> None:
    spot.sightings, other.sightings = spot.sightings + other.sightings, 0
    spot.kind, spot.surface = spot.kind or other.kind, spot.surface or other.surface
    spot.address = spot.address or other.address
    if other.last_seen_at:
        spot.last_seen_at = max(spot.last_seen_at or other.last_seen_at, other.last_seen_at)
        await steps.reopen(session, spot, other.last_seen_at)


async def split(session: AsyncSession, actor: Actor, spot_id: UUID, asked: SplitAsked) -> UUID:
    """Make a spot of its own of some of the sightings, where the first of them was. Returns its id.

    Raises NotFound, Conflict for a spot that is gone, and Invalid for sightings of another spot or all of this one.
    """
    spot = await steps.get(session, actor, spot_id)
    spot.status = SPOT_FLOW.after(spot.status, SpotAction.SPLIT)
    leaving, seen_last = await _parted(session, spot, asked.sighting_ids)
    other = await _spot_of(session, spot, leaving, asked.id)
    for sighting in leaving:
        sighting.spot_id = other.id
    spot.sightings, spot.last_seen_at = spot.sightings - len(leaving), seen_last
    event = steps.event(actor, spot, SpotAction.SPLIT, asked.reason)
    event.other_spot_id, event.sightings = other.id, len(leaving)
    session.add(event)
    return other.id


async def _parted(session: AsyncSession, spot: Spot, sighting_ids: Sequence[UUID]) -> tuple[list[Sighting], datetime]:
    """Those that leave, the earliest first, and when one of those that stay was last seen."""
    query = select(Sighting).where(Sighting.city_id == spot.city_id, Sighting.spot_id == spot.id)
    there = {sighting.id: sighting for sighting in await session.exec(query.order_by(col(Sighting.seen_at)))}
    unknown = [index for index, sighting_id in enumerate(sighting_ids) if sighting_id not in there]
    if unknown:
        raise Invalid(*(Fault("not_of_spot", f"/body/sighting_ids/{index}") for index in unknown))
    leaving = [sighting for sighting in there.values() if sighting.id in sighting_ids]
    if len(leaving) == len(there):
        raise Invalid(Fault("nothing_left", "/body/sighting_ids"))
    return leaving, max(sighting.seen_at for sighting in there.values() if sighting not in leaving)


async def _spot_of(session: AsyncSession, spot: Spot, leaving: list[Sighting], spot_id: UUID | None) -> Spot:
    first = leaving[0]
    district_id = spot.district_id
    if first.latitude is not None and first.longitude is not None:
        districts = await cities.districts(session, await cities.get(session, spot.city_id))
        district_id = districts.at(first.latitude, first.longitude)
    other = Spot(
        id=spot_id or new_id(),
        **first.model_dump(include={"city_id", "kind", "latitude", "longitude", "address", "surface"}),
        district_id=district_id,
        sightings=len(leaving),
        last_seen_at=max(sighting.seen_at for sighting in leaving),
    )
    await steps.store(session, other, first.seen_at)
    return other
