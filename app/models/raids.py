from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.domain.raids import MAX_CAPACITY, RaidStatus, StopOutcome
from app.models.base import TIMESTAMP, CityEntity, Versioned, of_city, text_enum


class Raid(Versioned, table=True):
    __table_args__ = (
        of_city("district_id", "district"),
        of_city("lead_id", "volunteer"),
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.CheckConstraint(f"capacity BETWEEN 1 AND {MAX_CAPACITY}", name="capacity"),
        # The last word against overbooking, whatever the code above it believes.
        sa.CheckConstraint("places_taken BETWEEN 0 AND capacity", name="places_taken"),
        sa.Index(None, "city_id", "status", "id"),
        sa.Index(None, "city_id", "district_id", "id"),
        sa.Index(None, "city_id", "lead_id"),
    )

    title: str = Field(max_length=120)
    status: RaidStatus = Field(default=RaidStatus.DRAFT, sa_type=text_enum(RaidStatus, "status"))
    starts_at: datetime = Field(sa_type=TIMESTAMP)
    ends_at: datetime = Field(sa_type=TIMESTAMP)
    meeting_point: str = Field(max_length=300)
    latitude: float | None = None
    longitude: float | None = None
    district_id: str | None = Field(default=None, max_length=32)
    supplies: str | None = Field(default=None, max_length=1000)
    lead_id: UUID | None = None
    capacity: int
    places_taken: int = 0
    """Accepted or offered, and of a raid that has started all that were accepted then."""
    line_length: int = 0
    """Numbers drawn so far by those who joined the waiting list."""
    cancel_reason: str | None = Field(default=None, max_length=500)
    planned_by: UUID | None = Field(default=None, foreign_key="account.id")


class RaidStop(CityEntity, table=True):
    """A spot that a raid is to go to; scheduled for it alone until it is painted or released."""

    __table_args__ = (
        of_city("raid_id", "raid"),
        of_city("spot_id", "spot"),
        sa.UniqueConstraint("city_id", "raid_id", "spot_id"),
        sa.Index(None, "city_id", "spot_id"),
        sa.CheckConstraint("position >= 1", name="position"),
    )

    raid_id: UUID
    spot_id: UUID
    position: int
    outcome: StopOutcome | None = Field(default=None, sa_type=text_enum(StopOutcome, "outcome"))
    note: str | None = Field(default=None, max_length=500)
    answered_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
