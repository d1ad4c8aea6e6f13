"""Same place, same spot (rule 10), however many report it at once.

Whoever looks for a spot near a point first takes a lock on the tiles of ground that may hold one; two who could
find, or make, the same spot share a tile, on whichever side of its border they stand. Locks are taken in one
statement in the order of their keys, so that nobody waits in a circle, and end with the transaction: the next in
turn sees the spot that the one before has made. See docs/adr/0012-same-place-same-spot.md.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.points import box_around, tiles_near
from app.domain.errors import Fault, Invalid
from app.domain.permissions import Actor
from app.domain.spots import CLEAN, GONE, NEAR_CITY_METRES, SpotAction, SpotKind
from app.models.cities import City
from app.models.spots import Spot
from app.schemas.base import Point
from app.services import cities
from app.services.cities import Districts
from app.services.spots import steps
from app.services.spots.area import in_box, metres_from

_LOCK = sa.text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")


class Wall(Protocol):
    """What a report says of a place: a point or, without one, an address."""

    @property
    def point(self) -> Point | None: ...
    @property
    def address(self) -> str | None: ...
    @property
    def kind(self) -> SpotKind: ...
    @property
    def surface(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Found:
    """A wall that a crew came upon on its way."""

    point: Point
    kind: SpotKind
    seen_at: datetime
    address: str | None = None
    surface: str | None = None


def faults_of(districts: Districts, point: Point) -> Iterator[Fault]:
    """What is wrong with a point: nowhere, too far from the city, or the wrong way round."""
    latitude, longitude = point.latitude, point.longitude
    if latitude == longitude == 0:
        yield Fault("point_null_island", "/body/point")
    elif not districts.near(latitude, longitude, NEAR_CITY_METRES):
        is_swapped = districts.near(longitude, latitude, NEAR_CITY_METRES)
        code = "point_swapped" if is_swapped else "point_outside"
        yield Fault(code, "/body/point", {"km": NEAR_CITY_METRES // 1000})


async def take_turns(session: AsyncSession, city: City, walls: Iterable[Wall]) -> None:
    """Until this transaction ends nobody else looks for a spot at these places."""
    keys = sorted({key for wall in walls for key in _keys(city, wall)})
    await (await session.connection()).execute(_LOCK, {"keys": keys})


def _keys(city: City, wall: Wall) -> Iterator[int]:
    point = wall.point
    places = tiles_near(point.latitude, point.longitude, city.same_spot_metres) if point else [_plain(wall.address)]
    for place in places:
        digest = blake2b(f"{city.id} {place}".encode(), digest_size=8).digest()
        yield int.from_bytes(digest, signed=True)


def _plain(address: str | None) -> str:
    return " ".join((address or "").lower().split())


async def spot_here(session: AsyncSession, city: City, wall: Wall, but: Collection[UUID] = ()) -> Spot | None:
    """The nearest live spot that the wall is a part of, locked."""
    query = select(Spot).where(Spot.city_id == city.id, col(Spot.status).not_in(GONE), col(Spot.id).not_in(but))
    if wall.point is None:
        plain = sa.func.lower(sa.func.regexp_replace(col(Spot.address), r"\s+", " ", "g"))
        query = query.where(col(Spot.latitude).is_(None), plain == _plain(wall.address)).order_by(col(Spot.id))
    else:
        latitude, longitude, metres = wall.point.latitude, wall.point.longitude, city.same_spot_metres
        away = metres_from(latitude, longitude)
        query = query.where(in_box(*box_around(latitude, longitude, metres)), away <= metres)
        query = query.order_by(away, col(Spot.id))
    return (await session.exec(query.limit(1).with_for_update())).first()


async def new_spot(session: AsyncSession, city: City, wall: Wall, opened_at: datetime) -> Spot:
    point = wall.point
    districts = await cities.districts(session, city)
    spot = Spot(
        city_id=city.id,
        kind=wall.kind,
        latitude=point.latitude if point else None,
        longitude=point.longitude if point else None,
        address=wall.address,
        surface=wall.surface,
        district_id=districts.at(point.latitude, point.longitude) if point else None,
    )
    await steps.store(session, spot, opened_at)
    return spot


async def found(session: AsyncSession, actor: Actor, wall: Found, but: Collection[UUID] = ()) -> Spot:
    """The live spot that the wall is a part of, back from the clean if it was painted over, or a new one; locked.

    Never one of those in `but`. Raises Invalid for a point that cannot be.
    """
    city = await cities.get(session, actor.city_id)
    if faults := [*faults_of(await cities.districts(session, city), wall.point)]:
        raise Invalid(*faults)
    await take_turns(session, city, [wall])
    spot = await spot_here(session, city, wall, but) or await new_spot(session, city, wall, wall.seen_at)
    if spot.status in CLEAN:
        await steps.step(session, spot, SpotAction.REAPPEAR, wall.seen_at)
    await session.flush()
    return spot
