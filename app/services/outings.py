"""What happens on a raid and to it: changed, started, finished, called off. Leads may do what their raid needs."""

from collections.abc import Iterator, Sequence
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import clock_in, day_in, utc_now
from app.domain.assignments import AssignmentStatus
from app.domain.errors import Conflict, Fault, Invalid, PreconditionFailed
from app.domain.metrics import Metric
from app.domain.permissions import Actor
from app.domain.raids import EARLY_START, RaidAction, RaidStatus
from app.models.assignments import Assignment
from app.models.cities import City
from app.models.raids import Raid
from app.models.spots import Removal, Spot
from app.schemas.assignments import RollCall
from app.schemas.raids import RaidChange
from app.services import attendance, checks, cities, ledger, places, raids, stops
from app.services.ledger import Fact


async def change(session: AsyncSession, actor: Actor, raid_id: UUID, version: int, changed: RaidChange) -> None:
    """Raises PreconditionFailed if the raid is no longer at `version`; Conflict once it has started.

    New places go to those who wait.
    """
    raid = await raids.get(session, actor, raid_id, lock=True)
    if raid.version != version:
        raise PreconditionFailed
    if raid.status not in {RaidStatus.DRAFT, RaidStatus.OPEN}:
        raise Conflict("wrong_status", noun="raid", status=raid.status, action="change")
    if changed.capacity is not None and changed.capacity < raid.places_taken:
        raise Invalid(Fault("too_small", "/body/capacity", {"limit": raid.places_taken}))
    raid.sqlmodel_update(changed.model_dump(exclude_none=True))
    await places.settle(session, raid)


async def start(session: AsyncSession, actor: Actor, raid_id: UUID, called: RollCall | None) -> None:
    """Raises Forbidden `not_lead`, and Conflict `too_early` more than EARLY_START before the planned time."""
    raid = await raids.led(session, actor, raid_id)
    raids.advance(raid, RaidAction.START)
    if utc_now() < raid.starts_at - EARLY_START:
        city = await cities.get(session, actor.city_id)
        raise Conflict("too_early", starts_at=clock_in(city.time_zone, raid.starts_at))
    await places.close(session, raid)
    if called:
        await attendance.call(session, raid, called)


async def cancel(session: AsyncSession, actor: Actor, raid_id: UUID, reason: str) -> None:
    """The reason stays on the raid; its spots are free for other raids, and no offer stands any longer."""
    raid = await raids.get(session, actor, raid_id, lock=True)
    raids.advance(raid, RaidAction.CANCEL)
    raid.cancel_reason = reason
    await places.close(session, raid)
    await stops.release(session, actor, raid)


async def finish(session: AsyncSession, actor: Actor, raid_id: UUID, secret: bytes) -> None:
    """Close the raid and put removals and hours in the ledger, each on its day in the city.

    Raises Forbidden `not_lead`; Conflict `stops_unanswered`, or `raid_empty` when there was neither stop nor removal.
    `secret` keys the draw of removals to be checked.
    """
    raid = await raids.led(session, actor, raid_id)
    raids.advance(raid, RaidAction.FINISH)
    city = await cities.get(session, actor.city_id)
    painted = await _painted(session, raid)
    await _refuse_unanswered(session, raid, painted)
    crew = await attendance.end(session, raid)
    await checks.draw(session, raid, city.checked_percent, [removal for removal, _ in painted], secret)
    ledger.record(session, actor, *_held(raid, city), *_removed(city, painted), *_given(raid, city, crew))


async def _refuse_unanswered(session: AsyncSession, raid: Raid, painted: Sequence[object]) -> None:
    planned = await stops.of(session, raid)
    if unanswered := sum(stop.outcome is None for stop in planned):
        raise Conflict("stops_unanswered", count=unanswered)
    if not painted and not planned:
        raise Conflict("raid_empty")


async def _painted(session: AsyncSession, raid: Raid) -> Sequence[tuple[Removal, str | None]]:
    query = (
        select(Removal, Spot.district_id)
        .join(Spot, sa.and_(col(Spot.city_id) == Removal.city_id, col(Spot.id) == Removal.spot_id))
        .where(Removal.city_id == raid.city_id, Removal.raid_id == raid.id)
        .order_by(col(Removal.id))
    )
    return (await session.exec(query)).all()


def _held(raid: Raid, city: City) -> Iterator[Fact]:
    yield Fact(Metric.RAIDS_HELD, raid.id, _day(raid, city), 1, raid.district_id)


def _removed(city: City, painted: Sequence[tuple[Removal, str | None]]) -> Iterator[Fact]:
    for removal, district_id in painted:
        day = day_in(city.time_zone, removal.removed_at)
        yield Fact(Metric.GRAFFITI_PAINTED, removal.id, day, removal.inscriptions, district_id)


def _given(raid: Raid, city: City, crew: Sequence[Assignment]) -> Iterator[Fact]:
    for assignment in crew:
        if assignment.status is not AssignmentStatus.ATTENDED:
            continue
        yield Fact(Metric.PARTICIPANTS, assignment.id, _day(raid, city), 1, raid.district_id)
        if assignment.minutes:
            yield Fact(Metric.VOLUNTEER_MINUTES, assignment.id, _day(raid, city), assignment.minutes, raid.district_id)


def _day(raid: Raid, city: City) -> date:
    return day_in(city.time_zone, min(raid.starts_at, utc_now()))
