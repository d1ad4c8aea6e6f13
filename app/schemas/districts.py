"""A GeoJSON file of outlines (RFC 7946), as somebody else's program wrote it: members we do not know are left alone."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

Coordinate = Annotated[float, Field(strict=True, allow_inf_nan=False)]


def _flat(position: list[float]) -> list[float]:
    return position[:2]


Position = Annotated[list[Coordinate], Field(min_length=2, max_length=3), AfterValidator(_flat)]
"""Longitude and latitude; an altitude is dropped."""
Ring = Annotated[list[Position], Field(min_length=4)]
Rings = Annotated[list[Ring], Field(min_length=1)]


class _Member(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class PolygonFile(_Member):
    type: Literal["Polygon"]
    coordinates: Rings


class MultiPolygonFile(_Member):
    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[Rings], Field(min_length=1)]


class FeatureFile(_Member):
    type: Literal["Feature"]
    id: str | int | None = None
    properties: dict[str, JsonValue] | None = None
    geometry: Annotated[PolygonFile | MultiPolygonFile, Field(discriminator="type")]


class OutlinesFile(_Member):
    type: Literal["FeatureCollection"]
    features: Annotated[list[FeatureFile], Field(min_length=1)]
