"""Paintings-over, recorded while their raid is under way."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.core.ids import new_id
from app.domain.errors import Conflict, Fault, Invalid
from app.domain.permissions import Actor, Role
from app.domain.raids import EARLY_START, RaidStatus, StopOutcome
from app.domain.spots import SpotAction
from app.models.raids import Raid
from app.models.spots import Removal, Spot
from app.schemas.raids import RemovalRead, RemovalRecord
from app.services import raids, reads, spots, stops
from app.services.reads import Query


def _card() -> Query:
    return sa.select(*reads.fields(Removal, RemovalRead, version=sa.literal(1))).where(
        col(Removal.city_id) == reads.CITY, col(Removal.raid_id).is_not(None)
    )


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _card().where(col(Removal.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _card().where(col(Removal.raid_id) == sa.bindparam("raid_id", type_=sa.Uuid))
    return reads.newest_first(query, Removal.id, given)


def cards_of_spot(role: Role | None, given: frozenset[str]) -> Query:
    """By raids; what was taken over from older records is counted, but has no raid to show."""
    query = _card().where(col(Removal.spot_id) == sa.bindparam("spot_id", type_=sa.Uuid))
    return reads.newest_first(query, Removal.id, given)


async def record(session: AsyncSession, actor: Actor, raid_id: UUID, removal: RemovalRecord) -> UUID:
    """One painting-over of one spot; counted when the raid finishes. Returns its id.

    Raises Forbidden `not_lead`; Conflict `wrong_status` unless the raid is under way, and `removal_exists` for a
    second at one spot.
    """
    raid = await raids.led(session, actor, raid_id)
    if raid.status is not RaidStatus.UNDER_WAY:
        raise Conflict("wrong_status", noun="raid", status=raid.status, action="record")
    if not raid.starts_at - EARLY_START <= removal.removed_at <= utc_now():
        raise Invalid(Fault("outside_raid", "/body/removed_at"))
    spot = await _spot(session, actor, raid, removal)
    recorded = Removal(
        city_id=raid.city_id,
        id=removal.id or new_id(),
        spot_id=spot.id,
        raid_id=raid.id,
        inscriptions=removal.inscriptions,
        minutes=removal.minutes,
        removed_at=removal.removed_at,
        recorded_by=actor.account_id,
    )
    session.add(recorded)
    return recorded.id


async def _spot(session: AsyncSession, actor: Actor, raid: Raid, removal: RemovalRecord) -> Spot:
    if removal.spot_id and removal.point is None and removal.kind is None:
        if removal.spot_id in await _recorded(session, raid):
            raise Conflict("removal_exists")
        return await _painted(session, actor, raid, removal.spot_id, removal.removed_at)
    if removal.spot_id or removal.point is None or removal.kind is None:
        raise Invalid(Fault("spot_or_point", "/body"))
    wall = spots.Found(removal.point, removal.kind, removal.removed_at)
    spot = await spots.found(session, actor, wall, but=await _recorded(session, raid))
    return await _painted(session, actor, raid, spot.id, removal.removed_at)


async def _painted(session: AsyncSession, actor: Actor, raid: Raid, spot_id: UUID, at: datetime) -> Spot:
    """Raises Conflict `stop_answered`, and `on_another_raid` for a spot that is another crew's to paint."""
    stop = await stops.at(session, raid, spot_id)
    if stop:
        stops.close(stop, StopOutcome.PAINTED)
    elif await stops.is_scheduled(session, actor, spot_id):
        raise Conflict("on_another_raid")
    return await spots.advance(session, actor, spot_id, SpotAction.PAINT, at=at)


async def _recorded(session: AsyncSession, raid: Raid) -> Sequence[UUID]:
    """The spots that the raid has painted over so far."""
    query = select(Removal.spot_id).where(Removal.city_id == raid.city_id, Removal.raid_id == raid.id)
    return (await session.exec(query)).all()
