"""The spots that a raid is to go to, in order. A spot on a stop is scheduled for that raid alone."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.domain.errors import Conflict, NotFound
from app.domain.permissions import Actor, Role
from app.domain.raids import RaidStatus, StopOutcome
from app.domain.spots import SpotAction, SpotStatus
from app.models.raids import Raid, RaidStop
from app.models.spots import Spot
from app.schemas.raids import StopAnswer, StopRead
from app.services import raids, reads, spots
from app.services.reads import Query


def cards(role: Role | None, given: frozenset[str]) -> Query:
    """All stops of the raid `raid_id`, in order: one row with a list, for a raid has at most MAX_STOPS."""
    place = {name: getattr(Spot, name) for name in ("latitude", "longitude", "address", "kind")}
    stop = (
        sa.select(*reads.fields(RaidStop, StopRead, **place))
        .join(Spot, sa.and_(col(Spot.city_id) == col(RaidStop.city_id), col(Spot.id) == col(RaidStop.spot_id)))
        .where(
            col(RaidStop.city_id) == reads.CITY,
            col(RaidStop.raid_id) == sa.bindparam("raid_id", type_=sa.Uuid),
        )
        .order_by(col(RaidStop.position))
        .subquery("stop")
    )
    return sa.select(sa.func.coalesce(sa.func.json_agg(stop.table_valued()), sa.text("'[]'::json")).label("items"))


async def plan(session: AsyncSession, actor: Actor, raid_id: UUID, spot_ids: Sequence[UUID]) -> None:
    """Put the raid's stops in this order; spots that are left out are free for other raids again.

    Raises NotFound, and Conflict `wrong_status` for a spot that is not confirmed or on another raid.
    """
    raid = await raids.get(session, actor, raid_id, lock=True)
    if raid.status not in {RaidStatus.DRAFT, RaidStatus.OPEN}:
        raise Conflict("wrong_status", noun="raid", status=raid.status, action="change")
    before = {stop.spot_id for stop in await of(session, raid)}
    await _release(session, actor, before.difference(spot_ids))
    # Sorted: two raids that want the same spots lock them in one order.
    for spot_id in sorted(set(spot_ids) - before):
        await spots.advance(session, actor, spot_id, SpotAction.SCHEDULE)
    await session.exec(delete(RaidStop).where(col(RaidStop.city_id) == raid.city_id, col(RaidStop.raid_id) == raid.id))
    session.add_all(
        RaidStop(city_id=raid.city_id, raid_id=raid.id, spot_id=spot_id, position=position)
        for position, spot_id in enumerate(spot_ids, start=1)
    )


async def answer(session: AsyncSession, actor: Actor, raid_id: UUID, spot_id: UUID, given: StopAnswer) -> None:
    """Why nothing was painted at this stop; the spot is free for other raids again.

    Raises Forbidden `not_lead`, NotFound, and Conflict `stop_answered`.
    """
    raid = await raids.led(session, actor, raid_id)
    if raid.status is not RaidStatus.UNDER_WAY:
        raise Conflict("wrong_status", noun="raid", status=raid.status, action="answer")
    stop = await at(session, raid, spot_id)
    if stop is None:
        raise NotFound("stop")
    close(stop, StopOutcome(given.outcome))
    stop.note = given.note
    await _release(session, actor, {spot_id})


def close(stop: RaidStop, outcome: StopOutcome) -> None:
    """A stop is answered once. Raises Conflict `stop_answered`."""
    if stop.outcome is not None:
        raise Conflict("stop_answered")
    stop.outcome, stop.answered_at = outcome, utc_now()


async def release(session: AsyncSession, actor: Actor, raid: Raid) -> None:
    """The raid does not take place."""
    await _release(session, actor, {stop.spot_id for stop in await of(session, raid) if stop.outcome is None})


async def of(session: AsyncSession, raid: Raid) -> Sequence[RaidStop]:
    query = select(RaidStop).where(RaidStop.city_id == raid.city_id, RaidStop.raid_id == raid.id)
    return (await session.exec(query)).all()


async def at(session: AsyncSession, raid: Raid, spot_id: UUID) -> RaidStop | None:
    query = select(RaidStop).where(
        RaidStop.city_id == raid.city_id, RaidStop.raid_id == raid.id, RaidStop.spot_id == spot_id
    )
    return (await session.exec(query)).one_or_none()


async def is_scheduled(session: AsyncSession, actor: Actor, spot_id: UUID) -> bool:
    query = select(Spot.id).where(
        Spot.city_id == actor.city_id, Spot.id == spot_id, Spot.status == SpotStatus.SCHEDULED
    )
    return (await session.exec(query)).first() is not None


async def _release(session: AsyncSession, actor: Actor, spot_ids: set[UUID]) -> None:
    """Those that are still scheduled: a coordinator may have dismissed one meanwhile."""
    query = (
        select(Spot.id)
        .where(Spot.city_id == actor.city_id, col(Spot.id).in_(spot_ids), Spot.status == SpotStatus.SCHEDULED)
        .order_by(col(Spot.id))
        .with_for_update()
    )
    for spot_id in (await session.exec(query)).all():
        await spots.advance(session, actor, spot_id, SpotAction.RELEASE)
