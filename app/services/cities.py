"""Cities and their districts: what a day is there, and which district a point is in."""

import json
from collections.abc import Sequence

import sqlalchemy as sa
from shapely import STRtree, from_geojson, points, prepare
from shapely.geometry.base import BaseGeometry
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.errors import NotFound
from app.domain.permissions import Role
from app.models.cities import City, District
from app.services.reads import Query

CITY_ID = sa.bindparam("city_id", type_=sa.Text)


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


_prepared: dict[str, tuple[int, Districts]] = {}


async def get(session: AsyncSession, city_id: str) -> City:
    city = await session.get(City, city_id)
    if city is None:
        raise NotFound("city")
    return city


async def districts(session: AsyncSession, city: City) -> Districts:
    """Prepared once for each version of the outlines, in each process."""
    known = _prepared.get(city.id)
    if known is None or known[0] != city.districts_version:
        rows = (await session.exec(select(District).where(District.city_id == city.id).order_by(District.id))).all()
        outlines = [from_geojson(json.dumps(row.outline)) for row in rows]
        known = _prepared[city.id] = (city.districts_version, Districts([row.id for row in rows], outlines))
    return known[1]


async def has_district(session: AsyncSession, city_id: str, district_id: str) -> bool:
    query = select(District.id).where(District.city_id == city_id, District.id == district_id)
    return (await session.exec(query)).first() is not None


def public_city(role: Role | None, given: frozenset[str]) -> Query:
    districts = (
        sa.select(
            sa.func.json_agg(
                sa.func.json_build_object("id", District.id, "names", names(District)),
            )
        )
        .where(col(District.city_id) == col(City.id))
        .scalar_subquery()
    )
    return sa.select(
        City.id,
        names(City).label("names"),
        City.time_zone,
        City.is_demo,
        sa.func.coalesce(districts, sa.text("'[]'::json")).label("districts"),
        sa.literal(1).label("version"),
    ).where(col(City.id) == CITY_ID)


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
    features = sa.select(sa.func.json_agg(feature)).where(col(District.city_id) == CITY_ID).scalar_subquery()
    return sa.select(
        sa.literal("FeatureCollection").label("type"),
        sa.func.coalesce(features, sa.text("'[]'::json")).label("features"),
    )


def names(of: type[City | District]) -> sa.Function[object]:
    return sa.func.json_build_object("kk", of.name_kk, "ru", of.name_ru, "en", of.name_en)
