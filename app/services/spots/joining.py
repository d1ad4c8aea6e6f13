"""Same place, same spot (rule 10), however many report it at once.

Whoever looks for a spot near a point first takes a lock on the tiles of ground that may hold one; two who could
find, or make, the same spot share a tile, on whichever side of its border they stand. Locks are taken in one
statement in the order of their keys, so that nobody waits in a circle, and end with the transaction: the next in
turn sees the spot that the one before has made. See docs/adr/0012-same-place-same-spot.md.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import blake2b
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.database import fetch_within
from app.core.points import box_around, tiles_near
from app.domain.errors import Fault, Invalid
from app.domain.permissions import Actor
from app.domain.spots import CLEAN, GONE, NEAR_CITY_METRES, SpotAction, SpotKind
from app.models.cities import City
from app.models.spots import Spot
from app.schemas.base import Point
from app.services import cities, reads
from app.services.cities import Districts
from app.services.spots import steps
from app.services.spots.area import in_box, metres_from

_LOCK = "SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key"
_CIRCLE = ("latitude", "longitude", "metres", "west", "south", "east", "north")


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
    await fetch_within(session, _LOCK, keys)


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
    values: dict[str, object] = {"actor_city_id": city.id, "but": but}
    if wall.point is None:
        values["address"] = _plain(wall.address)
        return (await session.exec(_at_address(), params=values)).first()
    place = wall.point.latitude, wall.point.longitude, city.same_spot_metres
    values |= dict(zip(_CIRCLE, (*place, *box_around(*place)), strict=True))
    return (await session.exec(_in_circle(), params=values)).first()


# Composed once: that took a fifth of what the service does for a report.
@cache
def _in_circle() -> SelectOfScalar[Spot]:
    latitude, longitude, metres, *box = (sa.bindparam(name, type_=sa.Float[float]()) for name in _CIRCLE)
    away = metres_from(latitude, longitude)
    return _first_alive().where(in_box(*box), away <= metres).order_by(away, col(Spot.id))


@cache
def _at_address() -> SelectOfScalar[Spot]:
    plain = sa.func.lower(sa.func.regexp_replace(col(Spot.address), r"\s+", " ", "g"))
    here = plain == sa.bindparam("address", type_=sa.Text)
    return _first_alive().where(col(Spot.latitude).is_(None), here).order_by(col(Spot.id))


def _first_alive() -> SelectOfScalar[Spot]:
    is_none_of = col(Spot.id).not_in(sa.bindparam("but", expanding=True))
    alive = select(Spot).where(col(Spot.city_id) == reads.CITY, col(Spot.status).not_in(GONE), is_none_of)
    return alive.limit(1).with_for_update()


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
