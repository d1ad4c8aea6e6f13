"""Two spots that are one wall.

Sightings and removals move. Ledger entries stay as they are: their subject is the removal, and the district that it
was counted in is the one that was published. What was merged stays as a row that says where everything is now, and
with it the stops of raids that are over.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.errors import Conflict, Fault, Invalid
from app.domain.permissions import Actor
from app.domain.raids import RaidStatus
from app.domain.spots import CLEAN, GONE, SPOT_FLOW, SpotAction, SpotStatus, cycles_of, standing
from app.models.raids import Raid, RaidStop
from app.models.spots import Removal, Sighting, Spot
from app.schemas.spots import Merger
from app.services.spots import cycles, steps

_AHEAD = (RaidStatus.DRAFT, RaidStatus.OPEN)


async def merge(session: AsyncSession, actor: Actor, spot_id: UUID, merger: Merger) -> None:
    """Take another spot in.

    Raises NotFound for either, Conflict if one of them is gone or on a raid under way, or if one raid has painted both.
    """
    if merger.spot_id == spot_id:
        raise Invalid(Fault("same_spot", "/body/spot_id"))
    both = sorted((spot_id, merger.spot_id))
    # As wherever raids and spots are locked, raids come first.
    stops = await _stops_ahead(session, actor, both)
    locked = {one: await steps.get(session, actor, one) for one in both}
    spot, other = locked[spot_id], locked[merger.spot_id]
    _refuse_unknown_stops(stops, spot, other)
    if spot.status in GONE:
        raise Conflict("wrong_status", noun="spot", status=spot.status, action=SpotAction.MERGE)
    if await _painted_together(session, spot, other):
        raise Conflict("painted_together")
    before = (spot.status, other.status)
    other.status, other.merged_into_id = SPOT_FLOW.after(other.status, SpotAction.MERGE), spot.id
    sightings, removals = await _move_all(session, other, spot)
    event = steps.event(actor, spot, SpotAction.MERGE, merger.reason)
    event.other_spot_id, event.sightings, event.removals = other.id, sightings, removals
    session.add(event)
    _take_in(spot, other)
    spot.status = await _as_one(session, spot, other, before)
    await _reroute(session, spot, stops)


async def _stops_ahead(session: AsyncSession, actor: Actor, spot_ids: Collection[UUID]) -> list[RaidStop]:
    """Of raids to come, whose rows are locked. Raises Conflict `crew_on_its_way`."""
    query = (
        select(RaidStop, Raid)
        .join(Raid, (col(Raid.city_id) == RaidStop.city_id) & (col(Raid.id) == RaidStop.raid_id))
        .where(
            RaidStop.city_id == actor.city_id,
            col(RaidStop.spot_id).in_(spot_ids),
            col(RaidStop.outcome).is_(None),
            col(Raid.status).in_([*_AHEAD, RaidStatus.UNDER_WAY]),
        )
        .order_by(col(Raid.id))
        .with_for_update(of=Raid)
    )
    found = (await session.exec(query)).all()
    if any(raid.status not in _AHEAD for _, raid in found):
        raise Conflict("crew_on_its_way")
    return [stop for stop, _ in found]


def _refuse_unknown_stops(stops: list[RaidStop], *spots: Spot) -> None:
    """A spot that was put on a raid after its stops were looked for."""
    listed = {stop.spot_id for stop in stops}
    for spot in spots:
        if (spot.status is SpotStatus.SCHEDULED) != (spot.id in listed):
            raise Conflict("wrong_status", noun="spot", status=spot.status, action=SpotAction.MERGE)


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


async def _move_all(session: AsyncSession, other: Spot, spot: Spot) -> tuple[int, int]:
    """How many sightings and removals have moved."""
    moved: list[int] = []
    for model in (Sighting, Removal):
        here = col(model.city_id) == other.city_id
        rows = update(model).where(here, col(model.spot_id) == other.id).values(spot_id=spot.id)
        moved.append((await session.exec(rows)).rowcount)
    # What the other one had taken in before is found in one step, too.
    await session.exec(
        update(Spot)
        .where(col(Spot.city_id) == other.city_id, col(Spot.merged_into_id) == other.id)
        .values(merged_into_id=spot.id, version=Spot.version + 1)
    )
    return moved[0], moved[1]


def _take_in(spot: Spot, other: Spot) -> None:
    spot.sightings, other.sightings = spot.sightings + other.sightings, 0
    spot.kind, spot.surface = spot.kind or other.kind, spot.surface or other.surface
    spot.address = spot.address or other.address
    if other.last_seen_at:
        spot.last_seen_at = max(spot.last_seen_at or other.last_seen_at, other.last_seen_at)


async def _as_one(session: AsyncSession, spot: Spot, other: Spot, before: Sequence[SpotStatus]) -> SpotStatus:
    """Its past is that of both; the other one keeps what it was known to have gone through."""
    known = await cycles.of(session, spot, other)
    query = select(Sighting.seen_at).where(Sighting.city_id == spot.city_id, Sighting.spot_id == spot.id)
    seen: list[datetime] = [*(cycle.opened_at for cycle in known), *(await session.exec(query)).all()]
    past = cycles_of(seen, (cycle.painted_at for cycle in known if cycle.painted_at))
    await cycles.rewrite(session, spot, past)
    return standing(past, *before)


async def _reroute(session: AsyncSession, spot: Spot, stops: Sequence[RaidStop]) -> None:
    """One raid goes there, the one that had the spot rather than the other; none where it is clean by now."""
    kept = next((stop for stop in stops if stop.spot_id == spot.id), next(iter(stops), None))
    if kept and spot.status not in CLEAN:
        kept.spot_id = spot.id
        spot.status = SPOT_FLOW.after(spot.status, SpotAction.SCHEDULE)
    else:
        kept = None
    for stop in stops:
        if stop is not kept:
            await session.delete(stop)
