from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from app.domain.spots import SAME_SPOT_METRES
from app.models.base import Table


class City(Table, table=True):
    __table_args__ = (
        sa.CheckConstraint("id ~ '^[a-z][a-z0-9-]{1,31}$'", name="slug"),
        sa.CheckConstraint("checked_percent BETWEEN 0 AND 100", name="checked_percent"),
        sa.CheckConstraint("same_spot_metres BETWEEN 1 AND 100", name="same_spot_metres"),
    )

    id: str = Field(primary_key=True, max_length=32)
    name_kk: str = Field(max_length=120)
    name_ru: str = Field(max_length=120)
    name_en: str = Field(max_length=120)
    time_zone: str = Field(max_length=64)
    version: int = Field(default=1)
    """Raised by each change of the settings below."""
    is_demo: bool = Field(default=False)
    checked_percent: int = Field(default=10)
    """Of the removals of a finished raid, how many are drawn for a check."""
    districts_version: int = Field(default=1)
    """Raised when outlines change, so that every process prepares them anew."""
    same_spot_metres: int = Field(default=SAME_SPOT_METRES)
    """A sighting within this many metres of a spot joins it (rule 10)."""


class District(Table, table=True):
    city_id: str = Field(primary_key=True, foreign_key="city.id", max_length=32)
    id: str = Field(primary_key=True, max_length=32)
    name_kk: str = Field(max_length=120)
    name_ru: str = Field(max_length=120)
    name_en: str = Field(max_length=120)
    outline: dict[str, Any] = Field(sa_type=JSONB)
    """A GeoJSON Polygon or MultiPolygon, longitude first (RFC 7946)."""
    source: str = Field(max_length=200)
