import re
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from app.core.points import EARTH, Box, box_around
from app.domain.spots import SpotAction, SpotKind, SpotStatus
from app.schemas.base import DIGITS, DistrictId, In, Moment, NewId, Out, PageQuery, Text

_NUMBER = r"-?[0-9]{1,3}(?:\.[0-9]{1,15})?"
_JSON_NUMBER = r"-?[0-9]{1,3}(?:\.[0-9]{1,20})?(?:[Ee][+-]?[0-9]{1,3})?"
_BBOX = rf"^{_NUMBER}(?:,{_NUMBER}){{3}}$"
Reason = Annotated[Text, Field(max_length=500, examples=["A shop's own sign"])]


def _decimal(value: object) -> object:
    """As JSON has it, `1e-7` too, for so clients write small ones; Pydantic reads "1_0" and " 1" as well."""
    if not isinstance(value, float) and not re.fullmatch(_JSON_NUMBER, str(value), re.ASCII):
        raise PydanticCustomError("wrong_type", "a number is needed, as JSON writes it")
    return value


def _bbox(text: str) -> str:
    west, south, east, north = _sides(text)
    if not (EARTH.west <= west < east <= EARTH.east and EARTH.south <= south < north <= EARTH.north):
        raise PydanticCustomError("not_a_bbox", "west,south,east,north in degrees")
    return text


def _sides(text: str) -> Box:
    return Box(*map(float, text.split(",")))


class SpotLine(Out):
    id: UUID
    version: int
    status: SpotStatus
    kind: SpotKind | None
    latitude: float | None
    longitude: float | None
    address: str | None
    surface: str | None
    district_id: str | None
    cycle: int
    sightings: int
    last_seen_at: Moment | None
    created_at: Moment


class CycleRead(Out):
    cycle: int
    opened_at: Moment
    painted_at: Moment | None


class SpotRead(SpotLine):
    dismiss_reason: str | None
    merged_into_id: Annotated[UUID | None, Field(description="Where its sightings and removals are now")]
    cycles: list[CycleRead]


class SpotPage(Out):
    items: list[SpotLine]
    next: UUID | None


class SpotFilter(In):
    """`bbox`, or a point with a radius, not both."""

    status: SpotStatus | None = None
    kind: SpotKind | None = None
    district: DistrictId | None = None
    bbox: (
        Annotated[
            str,
            Field(pattern=_BBOX, description="west,south,east,north in degrees", examples=["76.9,43.2,77.0,43.3"]),
            AfterValidator(_bbox),
        ]
        | None
    ) = None
    latitude: Annotated[float, Field(ge=-85, le=85), BeforeValidator(_decimal)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180), BeforeValidator(_decimal)] | None = None
    radius: Annotated[int, Field(ge=1, le=5_000, description="Metres around the point"), DIGITS] | None = None
    seen_since: Annotated[Moment | None, Field(description="Seen then or later")] = None
    seen_before: Annotated[Moment | None, Field(description="Not seen since then")] = None
    text: Annotated[Text | None, Field(max_length=100, description="Part of the address or the surface")] = None

    @model_validator(mode="after")
    def _one_area(self) -> Self:
        circle = {self.latitude is None, self.longitude is None, self.radius is None}
        if len(circle) == 2 or (self.bbox and False in circle):  # noqa: PLR2004 some are given and some are not
            raise PydanticCustomError("area_unclear", "bbox, or latitude, longitude and radius")
        return self

    def values(self) -> dict[str, Any]:
        """What the reads are asked with: the area as a box, and the circle within it."""
        return self.model_dump(exclude={"bbox"}) | (self._box() or {})

    def _box(self) -> dict[str, float] | None:
        if self.bbox:
            return _sides(self.bbox)._asdict()
        if self.latitude is None or self.longitude is None or self.radius is None:
            return None
        return box_around(self.latitude, self.longitude, self.radius)._asdict()


class SpotQuery(SpotFilter, PageQuery):
    pass


class HeatQuery(SpotFilter):
    resolution: Annotated[int, Field(ge=8, le=10, description="Of the H3 hexagons"), DIGITS] = 9


class SpotPoint(Out):
    type: Annotated[str, Field(examples=["Point"])]
    coordinates: Annotated[list[float], Field(description="Longitude, latitude")]


class SpotProperties(Out):
    status: SpotStatus
    kind: SpotKind | None
    address: str | None
    surface: str | None
    district_id: str | None
    cycle: int
    sightings: int
    last_seen_at: Moment | None


class SpotFeature(Out):
    type: Annotated[str, Field(examples=["Feature"])]
    id: UUID
    geometry: Annotated[SpotPoint | None, Field(description="null where only an address is known")]
    properties: SpotProperties


class SpotMap(Out):
    """A page of a GeoJSON FeatureCollection (RFC 7946); `next` is a foreign member."""

    type: Annotated[str, Field(examples=["FeatureCollection"])]
    features: list[SpotFeature]
    next: UUID | None


class CellPolygon(Out):
    type: Annotated[str, Field(examples=["Polygon"])]
    coordinates: list[list[tuple[float, float]]]


class CellCounts(Out):
    spots: int
    sightings: int


class HeatCell(Out):
    type: Annotated[str, Field(examples=["Feature"])]
    id: Annotated[str, Field(description="The H3 cell", examples=["892c9a5b4d3ffff"])]
    geometry: CellPolygon
    properties: CellCounts


class HeatMap(Out):
    """A GeoJSON FeatureCollection (RFC 7946) of H3 hexagons with something in them."""

    type: Annotated[str, Field(examples=["FeatureCollection"])]
    features: list[HeatCell]


class Reappearance(Out):
    surface: str | None
    kind: SpotKind | None
    painted: Annotated[int, Field(description="Cycles that ended by painting over")]
    reappeared: Annotated[int, Field(description="Of those, after which it was seen again")]
    median_days: Annotated[
        float | None,
        Field(description="Of those that reappeared; the ones still clean are counted, but have no number of days yet"),
    ]


class Reappearances(Out):
    groups: list[Reappearance]


class Dismissal(In):
    reason: Reason


class Merger(In):
    spot_id: Annotated[
        UUID,
        Field(description="The spot to be taken in", examples=["0197a3b4-8f0e-7c51-9d2e-5a1f6b7c8d9e"]),
    ]
    reason: Annotated[Reason | None, Field(examples=["One long wall"])] = None


class Split(NewId):
    sighting_ids: Annotated[
        list[UUID],
        Field(
            min_length=1,
            max_length=200,
            description="Those that are of another wall",
            examples=[["0197a3b4-8f0e-7c51-9d2e-5a1f6b7c8d9e"]],
        ),
    ]
    removal_ids: Annotated[list[UUID], Field(max_length=200, description="Those that painted the other wall over")] = []
    reason: Annotated[Reason | None, Field(examples=["Round the corner"])] = None


class SpotEventRead(Out):
    id: UUID
    spot_id: Annotated[UUID, Field(description="Which took the other one in, or gave it up")]
    action: SpotAction
    created_at: Moment
    decided_by: UUID
    reason: str | None
    other_spot_id: UUID | None
    sightings: Annotated[int | None, Field(description="How many moved")]
    removals: int | None


class SpotHistory(Out):
    items: list[SpotEventRead]
    next: UUID | None
