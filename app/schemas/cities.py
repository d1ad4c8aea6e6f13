from typing import Annotated, Any

from pydantic import Field

from app.schemas.base import Out


class Names(Out):
    kk: str
    ru: str
    en: str


class DistrictName(Out):
    id: str
    names: Names


class CityRead(Out):
    id: str
    names: Names
    time_zone: str
    is_demo: bool
    districts: list[DistrictName]


class Geometry(Out):
    type: str
    coordinates: list[Any]


class DistrictProperties(Out):
    names: Names
    source: str


class DistrictFeature(Out):
    type: str
    id: str
    geometry: Geometry
    properties: DistrictProperties


class DistrictMap(Out):
    """A GeoJSON FeatureCollection (RFC 7946): longitude first."""

    type: Annotated[str, Field(examples=["FeatureCollection"])]
    features: list[DistrictFeature]
