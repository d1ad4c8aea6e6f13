"""Spots and the sightings that make them."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import utc_now
from app.core.ids import new_id
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.permissions import Actor, Role
from app.domain.spots import SPOT_FLOW, SpotAction, SpotKind
from app.models.spots import Sighting, Spot
from app.schemas.base import Point
from app.schemas.spots import SightingRead, SightingReport, SpotRead
from app.services import cities, reads
from app.services.reads import Query


def visible_to(role: Role | None) -> SelectOfScalar[Spot]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    return select(Spot).where(col(Spot.city_id) == reads.CITY)


def _card(role: Role | None) -> Query:
    return visible_to(role).with_only_columns(*reads.fields(Spot, SpotRead))


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _card(role).where(col(Spot.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _card(role)
    if "status" in given:
        query = query.where(col(Spot.status) == sa.bindparam("status", type_=sa.Text))
    if "district" in given:
        query = query.where(col(Spot.district_id) == sa.bindparam("district", type_=sa.Text))
    return reads.newest_first(query, Spot.id, given)


def sighting_card(role: Role | None, given: frozenset[str]) -> Query:
    return sa.select(*reads.fields(Sighting, SightingRead, version=sa.literal(1))).where(
        col(Sighting.city_id) == reads.CITY, col(Sighting.id) == reads.ID
    )


async def report(session: AsyncSession, actor: Actor, sighting: SightingReport) -> UUID:
    """One report of graffiti at a point; makes the spot. Returns the sighting's id."""
    if sighting.seen_at > utc_now():
        raise Invalid(Fault("in_future", "/body/seen_at"))
    spot = await new_spot(session, actor, sighting.point, sighting.kind)
    spot.surface, spot.address = sighting.surface, sighting.address
    seen = Sighting(
        city_id=actor.city_id,
        id=sighting.id or new_id(),
        spot_id=spot.id,
        reported_by=actor.account_id,
        seen_at=sighting.seen_at,
        note=sighting.note,
    )
    session.add(spot)
    await session.flush()
    session.add(seen)
    return seen.id


async def new_spot(session: AsyncSession, actor: Actor, point: Point, kind: SpotKind) -> Spot:
    """Not yet added to the session. Raises Invalid for the point 0, 0."""
    if point.latitude == point.longitude == 0:
        raise Invalid(Fault("point_null_island", "/body/point"))
    city = await cities.get(session, actor.city_id)
    districts = await cities.districts(session, city)
    return Spot(
        city_id=actor.city_id,
        kind=kind,
        latitude=point.latitude,
        longitude=point.longitude,
        district_id=districts.at(point.latitude, point.longitude),
    )


async def advance(session: AsyncSession, actor: Actor, spot_id: UUID, action: SpotAction) -> Spot:
    """Take one step of the spot's flow, under a lock. Raises NotFound or Conflict."""
    query = visible_to(actor.role).where(col(Spot.id) == spot_id).with_for_update()
    spot = (await session.exec(query, params=reads.values_of(actor))).one_or_none()
    if spot is None:
        raise NotFound("spot")
    spot.status = SPOT_FLOW.after(spot.status, action)
    return spot
