from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.domain.spots import SpotKind, SpotStatus
from app.models.base import TIMESTAMP, CityEntity, Versioned, of_city, text_enum


class Spot(Versioned, table=True):
    __table_args__ = (
        of_city("district_id", "district"),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="whole_point"),
        sa.CheckConstraint("latitude IS NOT NULL OR address IS NOT NULL", name="somewhere"),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="on_earth"),
        sa.Index(None, "city_id", "status", "id"),
        sa.Index(None, "city_id", "latitude", "longitude"),
    )

    status: SpotStatus = Field(default=SpotStatus.REPORTED, sa_type=text_enum(SpotStatus, "status"))
    kind: SpotKind | None = Field(default=None, sa_type=text_enum(SpotKind, "kind"))
    latitude: float | None = None
    longitude: float | None = None
    address: str | None = Field(default=None, max_length=300)
    surface: str | None = Field(default=None, max_length=120)
    district_id: str | None = Field(default=None, max_length=32)


class Sighting(CityEntity, table=True):
    __table_args__ = (of_city("spot_id", "spot"), sa.Index(None, "city_id", "spot_id"))

    spot_id: UUID
    reported_by: UUID = Field(foreign_key="account.id")
    seen_at: datetime = Field(sa_type=TIMESTAMP)
    note: str | None = Field(default=None, max_length=1000)


class Removal(CityEntity, table=True):
    """One painting-over of one spot: in a raid of ours, or taken over from older records."""

    __table_args__ = (
        of_city("spot_id", "spot"),
        of_city("raid_id", "raid"),
        of_city("import_id", "records_import"),
        sa.UniqueConstraint("city_id", "source", "external_id"),
        sa.UniqueConstraint("city_id", "raid_id", "spot_id"),
        sa.CheckConstraint("inscriptions BETWEEN 1 AND 1000", name="inscriptions"),
        sa.CheckConstraint("(raid_id IS NULL) <> (import_id IS NULL)", name="one_origin"),
        sa.CheckConstraint("(import_id IS NULL) = (external_id IS NULL)", name="imported_id"),
        sa.Index(None, "city_id", "spot_id"),
    )

    spot_id: UUID
    raid_id: UUID | None = None
    inscriptions: int
    removed_at: datetime = Field(sa_type=TIMESTAMP)
    recorded_by: UUID | None = Field(default=None, foreign_key="account.id")
    import_id: UUID | None = None
    source: str | None = Field(default=None, max_length=80)
    external_id: str | None = Field(default=None, max_length=120)
