"""Raids, from the plan to the count."""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import day_in, utc_now
from app.core.ids import new_id
from app.domain.errors import Conflict, Fault, Invalid, NotFound, PreconditionFailed
from app.domain.metrics import Metric
from app.domain.permissions import ALLOWED, Actor, Permission, Role
from app.domain.raids import EARLY_START, MAX_HOURS, RAID_FLOW, RaidAction, RaidStatus
from app.models.raids import Raid
from app.models.spots import Removal, Spot
from app.schemas.raids import RaidChange, RaidPlan, RaidRead
from app.services import cities, ledger, reads
from app.services.ledger import Fact
from app.services.reads import Query


def visible_to(role: Role | None) -> SelectOfScalar[Raid]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    query = select(Raid).where(col(Raid.city_id) == reads.CITY)
    if role and Permission.RAID_PLAN in ALLOWED[role]:
        return query
    return query.where(col(Raid.status) != RaidStatus.DRAFT)


def _card(role: Role | None) -> Query:
    return visible_to(role).with_only_columns(*reads.fields(Raid, RaidRead))


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _card(role).where(col(Raid.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _card(role)
    if "status" in given:
        query = query.where(col(Raid.status) == sa.bindparam("status", type_=sa.Text))
    if "district" in given:
        query = query.where(col(Raid.district_id) == sa.bindparam("district", type_=sa.Text))
    return reads.newest_first(query, Raid.id, given)


async def plan(session: AsyncSession, actor: Actor, planned: RaidPlan) -> UUID:
    """A draft that volunteers do not see yet. Raises Invalid for times that cannot be."""
    if faults := _time_faults(planned):
        raise Invalid(*faults)
    city = await cities.get(session, actor.city_id)
    point = planned.point
    districts = await cities.districts(session, city)
    raid = Raid(
        city_id=actor.city_id,
        id=planned.id or new_id(),
        planned_by=actor.account_id,
        latitude=point.latitude if point else None,
        longitude=point.longitude if point else None,
        district_id=districts.at(point.latitude, point.longitude) if point else None,
        **planned.model_dump(exclude={"id", "point"}),
    )
    session.add(raid)
    return raid.id


async def change(session: AsyncSession, actor: Actor, raid_id: UUID, version: int, changed: RaidChange) -> None:
    """Raises PreconditionFailed if the raid is no longer at `version`; Conflict once it has started."""
    raid = await get(session, actor, raid_id, lock=True)
    if raid.version != version:
        raise PreconditionFailed
    if raid.status not in {RaidStatus.DRAFT, RaidStatus.OPEN}:
        raise Conflict("wrong_status", noun="raid", status=raid.status, action="change")
    if changed.capacity is not None and changed.capacity < raid.places_taken:
        raise Invalid(Fault("too_small", "/body/capacity", {"limit": raid.places_taken}))
    raid.sqlmodel_update(changed.model_dump(exclude_none=True))


async def publish(session: AsyncSession, actor: Actor, raid_id: UUID) -> None:
    await _advance(session, actor, raid_id, RaidAction.PUBLISH)


async def start(session: AsyncSession, actor: Actor, raid_id: UUID) -> None:
    """Raises Conflict `too_early` more than EARLY_START before the planned time."""
    raid = await _advance(session, actor, raid_id, RaidAction.START)
    if utc_now() < raid.starts_at - EARLY_START:
        raise Conflict("too_early", starts_at=raid.starts_at.isoformat(timespec="minutes"))


async def cancel(session: AsyncSession, actor: Actor, raid_id: UUID, reason: str) -> None:
    raid = await _advance(session, actor, raid_id, RaidAction.CANCEL)
    raid.cancel_reason = reason


async def finish(session: AsyncSession, actor: Actor, raid_id: UUID) -> None:
    """Close the raid and put its removals in the ledger, each on its day in the city and in its district.

    Raises Conflict `raid_empty` when nothing was recorded.
    """
    raid = await _advance(session, actor, raid_id, RaidAction.FINISH)
    city = await cities.get(session, actor.city_id)
    rows = (
        await session.exec(
            select(Removal, Spot.district_id)
            .join(Spot, sa.and_(col(Spot.city_id) == Removal.city_id, col(Spot.id) == Removal.spot_id))
            .where(Removal.city_id == raid.city_id, Removal.raid_id == raid.id)
        )
    ).all()
    if not rows:
        raise Conflict("raid_empty")
    painted = (
        Fact(
            Metric.GRAFFITI_PAINTED,
            removal.id,
            day_in(city.time_zone, removal.removed_at),
            removal.inscriptions,
            district_id,
        )
        for removal, district_id in rows
    )
    day = day_in(city.time_zone, min(raid.starts_at, utc_now()))
    held = Fact(Metric.RAIDS_HELD, raid.id, day, 1, raid.district_id)
    ledger.record(session, actor, held, *painted)


async def get(session: AsyncSession, actor: Actor, raid_id: UUID, *, lock: bool = False) -> Raid:
    query = visible_to(actor.role).where(col(Raid.id) == raid_id)
    raid = (await session.exec(query.with_for_update() if lock else query, params=reads.values_of(actor))).one_or_none()
    if raid is None:
        raise NotFound("raid")
    return raid


async def _advance(session: AsyncSession, actor: Actor, raid_id: UUID, action: RaidAction) -> Raid:
    raid = await get(session, actor, raid_id, lock=True)
    raid.status = RAID_FLOW.after(raid.status, action)
    return raid


def _time_faults(planned: RaidPlan) -> list[Fault]:
    faults: list[Fault] = []
    if planned.ends_at <= planned.starts_at:
        faults.append(Fault("ends_before_start", "/body/ends_at"))
    elif planned.ends_at - planned.starts_at > timedelta(hours=MAX_HOURS):
        faults.append(Fault("raid_too_long", "/body/ends_at", {"hours": MAX_HOURS}))
    if planned.ends_at <= utc_now():
        faults.append(Fault("in_past", "/body/ends_at"))
    return faults
