from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.domain.raids import MAX_CAPACITY, AssignmentStatus, RaidStatus
from app.models.base import TIMESTAMP, Versioned, of_city, text_enum


class Raid(Versioned, table=True):
    __table_args__ = (
        of_city("district_id", "district"),
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.CheckConstraint(f"capacity BETWEEN 1 AND {MAX_CAPACITY}", name="capacity"),
        # The last word against overbooking, whatever the code above it believes.
        sa.CheckConstraint("places_taken BETWEEN 0 AND capacity", name="places_taken"),
        sa.Index(None, "city_id", "status", "id"),
    )

    title: str = Field(max_length=120)
    status: RaidStatus = Field(default=RaidStatus.DRAFT, sa_type=text_enum(RaidStatus, "status"))
    starts_at: datetime = Field(sa_type=TIMESTAMP)
    ends_at: datetime = Field(sa_type=TIMESTAMP)
    meeting_point: str = Field(max_length=300)
    latitude: float | None = None
    longitude: float | None = None
    district_id: str | None = Field(default=None, max_length=32)
    capacity: int
    places_taken: int = 0
    cancel_reason: str | None = Field(default=None, max_length=500)
    planned_by: UUID | None = Field(default=None, foreign_key="account.id")


class Assignment(Versioned, table=True):
    __table_args__ = (
        of_city("raid_id", "raid"),
        of_city("volunteer_id", "volunteer"),
        sa.UniqueConstraint("city_id", "raid_id", "volunteer_id"),
        sa.Index(None, "city_id", "volunteer_id"),
    )

    raid_id: UUID
    volunteer_id: UUID
    status: AssignmentStatus = Field(
        default=AssignmentStatus.ACCEPTED,
        sa_type=text_enum(AssignmentStatus, "status"),
    )
