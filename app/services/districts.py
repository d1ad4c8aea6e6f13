"""Full outlines for a city's districts, from a GeoJSON file: all that the file names, or none."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue, ValidationError
from pydantic_core import from_json
from shapely import box, from_geojson, is_valid_reason, make_valid, transform
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.errors import Fault, Invalid
from app.models.cities import City, District
from app.schemas.districts import FeatureFile, MultiPolygonFile, OutlinesFile, PolygonFile
from app.services import cities

MENDED_SHARE = 0.001
"""How much of its area an outline may gain or lose when a ring that crosses itself is mended."""
OVERLAP_SHARE = 0.5
"""How much of the smaller one a new outline shares with the present one: a district is redrawn, it does not move."""
_NAMED_BY = ("id", "slug", "name", "osm_name", "name:kk", "name:ru", "name:en")
_OSM_RELATION = re.compile(r"(?:relation/)?([0-9]{1,12})", re.ASCII)
_EARTH = box(-180, -90, 180, 90)
_FAULTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Redrawn:
    """Ids of the city's districts, in their order."""

    replaced: tuple[str, ...]
    kept: tuple[str, ...]
    """Not in the file: they have the outline that they had."""


async def redraw(session: AsyncSession, city_id: str, document: bytes, file_name: str) -> Redrawn:
    """Replace the outlines of the districts that the file names, by id, name or OpenStreetMap relation.

    Raises NotFound for the city, and Invalid with a fault for each feature that is unknown or has no sound outline.
    """
    file = _parsed(document)
    city = await cities.get(session, city_id)
    # Two imports at once would otherwise raise the version to the same number, and the later one go unnoticed.
    await session.refresh(city, with_for_update={"key_share": True})
    districts = (await session.exec(select(District).where(District.city_id == city.id).order_by(District.id))).all()
    outlines = _outlines(file, {key: row for row in districts for key in _keys_of_district(row)})
    _put(city, {row.id: row for row in districts}, outlines, file_name)
    return Redrawn(
        replaced=tuple(row.id for row in districts if row.id in outlines),
        kept=tuple(row.id for row in districts if row.id not in outlines),
    )


@dataclass(frozen=True, slots=True)
class _Outline:
    geometry: BaseGeometry
    osm_relation: int | None


def _put(city: City, districts: dict[str, District], outlines: dict[str, _Outline], file_name: str) -> None:
    # Spots and raids keep the district they were counted in: the ledger names it too and is never rewritten, so
    # that a border drawn anew would part a published count from its facts. New points get the new answer.
    for district_id, outline in outlines.items():
        row = districts[district_id]
        row.outline = mapping(outline.geometry)
        relation = outline.osm_relation
        row.source = cities.osm_source(relation) if relation else f"imported from {file_name}"[:200]
    city.districts_version += 1


def _parsed(document: bytes) -> OutlinesFile:
    try:
        return OutlinesFile.model_validate(from_json(document, allow_inf_nan=False))
    except ValidationError as error:
        shown = error.errors(include_url=False, include_input=False)[:_FAULTS_SHOWN]
        raise Invalid(
            *(Fault("not_geojson", _pointer(item["loc"]), {"reason": item["msg"]}) for item in shown)
        ) from None
    except ValueError as error:
        raise Invalid(Fault("not_geojson", "", {"reason": str(error)})) from None


def _pointer(location: tuple[str | int, ...]) -> str:
    return "".join(f"/{step}" for step in location)


def _outlines(file: OutlinesFile, known: dict[str, District]) -> dict[str, _Outline]:
    """By the district's id. Raises Invalid with the faults of all features."""
    outlines: dict[str, _Outline] = {}
    faults: list[Fault] = []
    for index, feature in enumerate(file.features):
        try:
            district = _district_of(feature, known)
            if district.id in outlines:
                raise _unfit("feature_twice", name=district.id)
            geometry = _sound(feature.geometry, district)
            outlines[district.id] = _Outline(geometry, _osm_relation(feature))
        except Invalid as refused:
            faults += (Fault(fault.code, f"/features/{index}", fault.details) for fault in refused.faults)
    if faults:
        raise Invalid(*faults)
    return outlines


def _unfit(code: str, **details: str | int) -> Invalid:
    return Invalid(Fault(code, details=details))


def _district_of(feature: FeatureFile, known: dict[str, District]) -> District:
    keys = tuple(_keys_of_feature(feature))
    found = next((known[key] for key in keys if key in known), None)
    if found is None:
        raise _unfit("feature_unknown", name=keys[0] if keys else "?")
    return found


def _keys_of_district(district: District) -> Iterator[str]:
    for key in (district.id, district.name_kk, district.name_ru, district.name_en, district.source):
        yield key.casefold()


def _keys_of_feature(feature: FeatureFile) -> Iterator[str]:
    properties = feature.properties or {}
    for value in (feature.id, *(properties.get(name) for name in _NAMED_BY)):
        # OpenStreetMap's search gives "Жетісу ауданы, Алматы, Қазақстан".
        if isinstance(value, str | int) and (name := str(value).partition(",")[0].strip()):
            yield name.casefold()
    if relation := _osm_relation(feature):
        yield cities.osm_source(relation).casefold()


def _osm_relation(feature: FeatureFile) -> int | None:
    """As search results (`osm_id`) or query exports (`@id`) of OpenStreetMap have it."""
    properties = feature.properties or {}
    value: JsonValue = properties.get("osm_id", properties.get("@id"))
    written = _OSM_RELATION.fullmatch(str(value))
    return int(written[1]) if written else None


def _sound(given: PolygonFile | MultiPolygonFile, district: District) -> BaseGeometry:
    """A valid outline in degrees, at the district's place. Raises Invalid with what is wrong with it."""
    geometry = shape(given.model_dump())
    if not _EARTH.covers(geometry):
        raise _unfit("outline_out_of_range", name=district.id)
    sound = _mended(geometry, district)
    _check_place(sound, district)
    return sound


def _mended(geometry: BaseGeometry, district: District) -> BaseGeometry:
    if geometry.is_valid:
        return geometry
    mended = make_valid(geometry, method="structure", keep_collapsed=False)
    # Even a mended outline can be invalid, where edges lie on one another.
    is_sound = mended.is_valid and mended.area > 0
    if not is_sound or abs(mended.area - geometry.area) > MENDED_SHARE * mended.area:
        raise _unfit("outline_unsound", name=district.id, reason=is_valid_reason(geometry))
    return mended


def _check_place(geometry: BaseGeometry, district: District) -> None:
    present = from_geojson(json.dumps(district.outline))
    if _shared(geometry, present) >= OVERLAP_SHARE:
        return
    swapped = transform(geometry, lambda positions: positions[:, ::-1])
    code = "outline_swapped" if _shared(swapped, present) >= OVERLAP_SHARE else "outline_elsewhere"
    raise _unfit(code, name=district.id)


def _shared(one: BaseGeometry, other: BaseGeometry) -> float:
    return one.intersection(other).area / min(one.area, other.area)
