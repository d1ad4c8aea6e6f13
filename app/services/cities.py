"""Cities and their districts: what a day is there, and which district a point is in."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from shapely import STRtree, box, from_geojson, points, prepare
from shapely.geometry.base import BaseGeometry
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import day_in, utc_now
from app.core.points import box_around
from app.domain.errors import Conflict, Fault, Invalid, NotFound, PreconditionFailed
from app.domain.permissions import Actor, Role
from app.models.cities import City, District
from app.schemas.cities import CityRead, NamesGiven, NewCity, SettingsChange, SettingsRead
from app.services import reads
from app.services.reads import Query

CITY_ID = sa.bindparam("city_id", type_=sa.Text)
_SLUG = re.compile(r"[a-z][a-z0-9-]{1,31}", re.ASCII)


class Districts:
    """The outlines of one city, prepared for many questions."""

    def __init__(self, ids: Sequence[str], outlines: Sequence[BaseGeometry]) -> None:
        self._ids = ids
        prepare(outlines)
        self._tree = STRtree(outlines)

    def at(self, latitude: float, longitude: float) -> str | None:
        """The district's id; on a shared border the first by id; None outside them all."""
        return self.at_each([latitude], [longitude])[0]

    def at_each(self, latitudes: Sequence[float], longitudes: Sequence[float]) -> list[str | None]:
        """As `at`, for many points in one call."""
        found: list[str | None] = [None] * len(latitudes)
        which, where = self._tree.query(points(longitudes, latitudes), predicate="intersects").tolist()
        for point, district in sorted(zip(which, where, strict=True), reverse=True):
            found[point] = self._ids[district]
        return found

    def near(self, latitude: float, longitude: float, metres: float) -> bool:
        """Whether a district is within `metres` to each side of the point; always, where a city has none."""
        around = box(*box_around(latitude, longitude, metres))
        return not self._ids or self._tree.query(around, predicate="intersects").size > 0


_prepared: dict[str, tuple[int, Districts]] = {}


async def get(session: AsyncSession, city_id: str) -> City:
    city = await session.get(City, city_id)
    if city is None:
        raise NotFound("city")
    return city


async def today(session: AsyncSession, city_id: str) -> date:
    return day_in((await get(session, city_id)).time_zone, utc_now())


async def districts(session: AsyncSession, city: City) -> Districts:
    """Prepared once for each version of the outlines, in each process."""
    known = _prepared.get(city.id)
    if known is None or known[0] != city.districts_version:
        rows = (await session.exec(select(District).where(District.city_id == city.id).order_by(District.id))).all()
        outlines = [from_geojson(json.dumps(row.outline)) for row in rows]
        known = _prepared[city.id] = (city.districts_version, Districts([row.id for row in rows], outlines))
    return known[1]


def settings(role: Role | None, given: frozenset[str]) -> Query:
    return sa.select(*reads.fields(City, SettingsRead)).where(col(City.id) == reads.CITY)


async def change(session: AsyncSession, actor: Actor, version: int, changed: SettingsChange) -> None:
    """Raises PreconditionFailed if the settings are no longer at `version`."""
    query = select(City).where(City.id == actor.city_id).with_for_update(key_share=True)
    city = (await session.exec(query, execution_options={"populate_existing": True})).one()
    if city.version != version:
        raise PreconditionFailed
    city.sqlmodel_update(changed.model_dump(exclude_none=True))
    city.version += 1


def bundled(city_id: str) -> NewCity | None:
    """A city that comes with the service, from app/data; None for any other."""
    file = files("app") / "data" / f"{city_id}.json"
    if not _SLUG.fullmatch(city_id) or not file.is_file():
        return None
    return NewCity.model_validate_json(file.read_bytes())


async def found(session: AsyncSession, new: NewCity, *, is_demo: bool = False) -> City:
    """A new city with the districts it was given. Raises Invalid with every fault, and Conflict `city_exists`."""
    if faults := tuple(_faults(new)):
        raise Invalid(*faults)
    row = {"id": new.id, **_columns(new.names), "time_zone": new.time_zone, "is_demo": is_demo, "districts_version": 1}
    made = await session.exec(insert(City).values(**row).on_conflict_do_nothing().returning(col(City.id)))
    if made.first() is None:
        raise Conflict("city_exists")
    session.add_all(
        District(
            city_id=new.id,
            id=district.id,
            **_columns(district.names),
            outline=district.outline,
            source=osm_source(district.osm_relation),
        )
        for district in new.districts
    )
    await session.flush()
    return await get(session, new.id)


def osm_source(relation: int) -> str:
    """The attribution that OpenStreetMap's licence asks for; also how a district is found by its relation."""
    return f"OpenStreetMap relation {relation}, © OpenStreetMap contributors, ODbL"


def _faults(new: NewCity) -> Iterator[Fault]:
    if not _SLUG.fullmatch(new.id):
        yield Fault("not_a_slug", "/id")
    try:
        ZoneInfo(new.time_zone)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        yield Fault("no_such_zone", "/time_zone", {"zone": new.time_zone})


def _columns(names: NamesGiven) -> dict[str, str]:
    return {"name_kk": names.kk, "name_ru": names.ru, "name_en": names.en}


async def has_district(session: AsyncSession, city_id: str, district_id: str) -> bool:
    query = select(District.id).where(District.city_id == city_id, District.id == district_id)
    return (await session.exec(query)).first() is not None


def public_city(role: Role | None, given: frozenset[str]) -> Query:
    district = sa.func.json_build_object("id", District.id, "names", names(District))
    columns = reads.fields(
        City,
        CityRead,
        names=names(City),
        districts=_of_each_district(district),
        version=col(City.districts_version),
    )
    return sa.select(*columns).where(col(City.id) == CITY_ID)


def district_map(role: Role | None, given: frozenset[str]) -> Query:
    """The outlines as a GeoJSON FeatureCollection (RFC 7946)."""
    feature = sa.func.json_build_object(
        "type",
        "Feature",
        "id",
        District.id,
        "geometry",
        District.outline,
        "properties",
        sa.func.json_build_object("names", names(District), "source", District.source),
    )
    return sa.select(
        sa.literal("FeatureCollection").label("type"),
        _of_each_district(feature).label("features"),
    ).where(col(City.id) == CITY_ID)


def _of_each_district(said: sa.Function[object]) -> sa.ColumnElement[object]:
    """A JSON array in the order of the districts' ids; empty for a city without districts."""
    listed = sa.select(sa.func.json_agg(aggregate_order_by(said, col(District.id)))).where(
        col(District.city_id) == col(City.id)
    )
    return sa.func.coalesce(listed.correlate(City).scalar_subquery(), sa.text("'[]'::json"))


def names(of: type[City | District]) -> sa.Function[object]:
    return sa.func.json_build_object("kk", of.name_kk, "ru", of.name_ru, "en", of.name_en)
