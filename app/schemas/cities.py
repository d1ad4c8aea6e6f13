from typing import Annotated, Any

from pydantic import Field

from app.schemas.base import Count, In, Out, Text

Name = Annotated[Text, Field(max_length=120)]


class Names(Out):
    kk: Annotated[str, Field(examples=["Алмалы"])]
    ru: Annotated[str, Field(examples=["Алмалинский"])]
    en: Annotated[str, Field(examples=["Almaly"])]


class DistrictName(Out):
    id: Annotated[str, Field(examples=["almaly"])]
    names: Names


class CityRead(Out):
    id: Annotated[str, Field(examples=["almaty"])]
    names: Names
    time_zone: Annotated[str, Field(examples=["Asia/Almaty"])]
    is_demo: bool
    districts: list[DistrictName]
    version: Annotated[int, Field(description="Rises when outlines change: the map has to be read again")]


class SettingsRead(Out):
    version: int
    same_spot_metres: Annotated[int, Field(description="A sighting so near to a spot joins it")]
    checked_percent: Annotated[
        int, Field(description="Of a raid's removals, drawn for a check; of a new lead's at least half")
    ]


class SettingsChange(In):
    same_spot_metres: Annotated[Count, Field(ge=1, le=100, examples=[15])] | None = None
    checked_percent: Annotated[Count, Field(ge=0, le=100, examples=[20])] | None = None


class Geometry(Out):
    type: Annotated[str, Field(examples=["Polygon"])]
    coordinates: Annotated[list[Any], Field(examples=[[[[76.9, 43.2], [76.95, 43.2], [76.95, 43.25], [76.9, 43.2]]]])]


class DistrictProperties(Out):
    names: Names
    source: Annotated[str, Field(examples=["© OpenStreetMap contributors, ODbL"])]


class DistrictFeature(Out):
    type: Annotated[str, Field(examples=["Feature"])]
    id: Annotated[str, Field(examples=["almaly"])]
    geometry: Geometry
    properties: DistrictProperties


class DistrictMap(Out):
    """A GeoJSON FeatureCollection (RFC 7946): longitude first."""

    type: Annotated[str, Field(examples=["FeatureCollection"])]
    features: list[DistrictFeature]


class NamesGiven(In):
    kk: Name
    ru: Name
    en: Name


class DistrictGiven(In):
    id: str
    names: NamesGiven
    osm_relation: int
    """The OpenStreetMap relation that the outline was made from."""
    outline: dict[str, Any]
    """A GeoJSON Polygon or MultiPolygon."""


class NewCity(In):
    """A city to be founded; `app/data` has some with their districts."""

    id: str
    names: NamesGiven
    time_zone: str
    """An IANA name such as `Asia/Almaty`."""
    districts: tuple[DistrictGiven, ...] = ()
    attribution: str = ""
    note: str = ""
