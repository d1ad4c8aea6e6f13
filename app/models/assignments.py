from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.domain.assignments import AssignmentStatus
from app.models.base import TIMESTAMP, Versioned, of_city, text_enum


class Assignment(Versioned, table=True):
    """Written under the lock of its raid; who comes by it to be on the way, under that of the volunteer as well."""

    __table_args__ = (
        of_city("raid_id", "raid"),
        of_city("volunteer_id", "volunteer"),
        sa.UniqueConstraint("city_id", "raid_id", "volunteer_id"),
        sa.UniqueConstraint("city_id", "raid_id", "line_number"),
        sa.Index(None, "city_id", "volunteer_id"),
        sa.CheckConstraint("status <> 'offered' OR offer_expires_at IS NOT NULL", name="offer_has_deadline"),
        sa.CheckConstraint("status <> 'waiting' OR line_number IS NOT NULL", name="waiting_in_line"),
        sa.CheckConstraint("minutes >= 0", name="minutes"),
    )

    raid_id: UUID
    volunteer_id: UUID
    status: AssignmentStatus = Field(
        default=AssignmentStatus.ACCEPTED,
        sa_type=text_enum(AssignmentStatus, "status"),
    )
    line_number: int | None = None
    """Drawn from the raid when joining the line; the lowest is first."""
    offer_expires_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    withdrew_late: bool = False
    checked_in_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    checked_out_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    minutes: int | None = None
    """Between the two, whole; counted when the raid finishes."""
