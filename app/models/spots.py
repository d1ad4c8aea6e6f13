from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlmodel import Field

from app.core.points import cell_at
from app.domain.checks import Verdict
from app.domain.spots import SpotAction, SpotKind, SpotStatus
from app.models.base import TIMESTAMP, CityEntity, Versioned, of_city, text_enum


def _cell(context: DefaultExecutionContext) -> str | None:
    row = context.get_current_parameters()
    return None if row["latitude"] is None else cell_at(row["latitude"], row["longitude"])


class Spot(Versioned, table=True):
    __table_args__ = (
        of_city("district_id", "district"),
        of_city("merged_into_id", "spot"),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="whole_point"),
        sa.CheckConstraint("(latitude IS NULL) = (h3 IS NULL)", name="cell"),
        sa.CheckConstraint("latitude IS NOT NULL OR address IS NOT NULL", name="somewhere"),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180", name="on_earth"),
        sa.CheckConstraint("(status = 'merged') = (merged_into_id IS NOT NULL)", name="merged"),
        sa.CheckConstraint("cycle >= 1 AND sightings >= 0", name="counts"),
        sa.Index(None, "city_id", "status", "id"),
        sa.Index(None, "city_id", "district_id", "id"),
        sa.Index(None, "city_id", "latitude", "longitude"),
    )

    status: SpotStatus = Field(default=SpotStatus.REPORTED, sa_type=text_enum(SpotStatus, "status"))
    kind: SpotKind | None = Field(default=None, sa_type=text_enum(SpotKind, "kind"))
    latitude: float | None = None
    longitude: float | None = None
    h3: str | None = Field(default=None, max_length=15, sa_column_kwargs={"default": _cell})
    """The cell of resolution 10 that the point is in."""
    address: str | None = Field(default=None, max_length=300)
    surface: str | None = Field(default=None, max_length=120)
    district_id: str | None = Field(default=None, max_length=32)
    cycle: int = Field(default=1)
    """1 until it has been painted over and come back."""
    sightings: int = Field(default=0)
    last_seen_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    dismiss_reason: str | None = Field(default=None, max_length=500)
    merged_into_id: UUID | None = None


class SpotCycle(CityEntity, table=True):
    """From when it was there to when it was painted over. The last one of a spot is the one it is in."""

    __table_args__ = (of_city("spot_id", "spot"), sa.UniqueConstraint("city_id", "spot_id", "cycle"))

    spot_id: UUID
    cycle: int
    opened_at: datetime = Field(sa_type=TIMESTAMP)
    """When somebody saw it; of one that no sighting began, when it was painted over."""
    painted_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    """None again where a check found it not painted over."""


class SpotEvent(CityEntity, table=True):
    """What a coordinator decided about a spot."""

    __table_args__ = (
        of_city("spot_id", "spot"),
        of_city("other_spot_id", "spot"),
        sa.Index(None, "city_id", "spot_id"),
    )

    spot_id: UUID
    action: SpotAction = Field(sa_type=text_enum(SpotAction, "action"))
    decided_by: UUID = Field(foreign_key="account.id")
    reason: str | None = Field(default=None, max_length=500)
    other_spot_id: UUID | None = None
    """The spot that was merged into this one, or split from it."""
    sightings: int | None = None
    """How many moved."""
    removals: int | None = None


class Sighting(CityEntity, table=True):
    """As it was reported; what the spot says of itself comes from the first."""

    __table_args__ = (
        of_city("spot_id", "spot"),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="whole_point"),
        sa.CheckConstraint("latitude IS NOT NULL OR address IS NOT NULL", name="somewhere"),
        sa.Index(None, "city_id", "spot_id", "id"),
    )

    spot_id: UUID
    reported_by: UUID = Field(foreign_key="account.id")
    seen_at: datetime = Field(sa_type=TIMESTAMP)
    kind: SpotKind = Field(sa_type=text_enum(SpotKind, "kind"))
    latitude: float | None = None
    longitude: float | None = None
    address: str | None = Field(default=None, max_length=300)
    surface: str | None = Field(default=None, max_length=120)
    advertised: str | None = Field(default=None, max_length=2048)
    """The address that it advertises, as it was read off the wall."""
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
        sa.CheckConstraint("minutes BETWEEN 1 AND 720", name="minutes"),
        sa.CheckConstraint("(verdict IS NULL) = (checked_by IS NULL)", name="checked"),
        sa.CheckConstraint("(raid_id IS NULL) <> (import_id IS NULL)", name="one_origin"),
        sa.CheckConstraint("(import_id IS NULL) = (external_id IS NULL)", name="imported_id"),
        sa.Index(None, "city_id", "spot_id"),
    )

    spot_id: UUID
    raid_id: UUID | None = None
    inscriptions: int
    minutes: int | None = None
    removed_at: datetime = Field(sa_type=TIMESTAMP)
    recorded_by: UUID | None = Field(default=None, foreign_key="account.id")
    drawn_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    """When the raid finished and this removal was drawn for a check; others may be checked too."""
    verdict: Verdict | None = Field(default=None, sa_type=text_enum(Verdict, "verdict"))
    verdict_reason: str | None = Field(default=None, max_length=500)
    checked_by: UUID | None = Field(default=None, foreign_key="account.id")
    checked_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    import_id: UUID | None = None
    source: str | None = Field(default=None, max_length=80)
    external_id: str | None = Field(default=None, max_length=120)
