from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.core.clock import utc_now
from app.domain.resources import RejectionReason, ResourceKind, ResourceStatus
from app.models.base import TIMESTAMP, CityEntity, Versioned, of_city, text_enum


class Resource(Versioned, table=True):
    __table_args__ = (
        sa.UniqueConstraint("city_id", "address_key"),
        sa.Index(None, "city_id", "status", "id"),
    )

    address: str = Field(max_length=2048)
    """As first typed, without what only hides it."""
    address_key: str = Field(max_length=2048)
    """The canonical form that makes two findings one resource."""
    kind: ResourceKind = Field(sa_type=text_enum(ResourceKind, "kind"))
    status: ResourceStatus = Field(
        default=ResourceStatus.REPORTED,
        sa_type=text_enum(ResourceStatus, "status"),
    )
    watched_since: datetime = Field(default_factory=utc_now, sa_type=TIMESTAMP)
    """When it was confirmed, or last came back: what was observed before says nothing of how it stands."""
    settled_at: datetime = Field(default_factory=utc_now, sa_type=TIMESTAMP)
    """When it was last confirmed or observed to change."""
    cycle: int = 1
    """Raised when it is referred again after it had come back."""
    findings: int = 0
    """How many people reported it."""
    reviewer_id: UUID | None = Field(default=None, foreign_key="account.id")
    review_until: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    rejection_reason: RejectionReason | None = Field(
        default=None,
        sa_type=text_enum(RejectionReason, "rejection_reason"),
    )


class ResourceEvent(CityEntity, table=True):
    """A status that a resource entered. The database refuses to change or delete it."""

    __table_args__ = (
        of_city("resource_id", "resource"),
        of_city("observation_id", "observation"),
        sa.UniqueConstraint("city_id", "observation_id"),
        sa.Index(None, "city_id", "status", "occurred_on"),
        sa.Index(None, "city_id", "resource_id"),
    )

    resource_id: UUID
    status: ResourceStatus = Field(sa_type=text_enum(ResourceStatus, "status"))
    occurred_on: date
    """The day in the city's time zone; of what an authority did, the day that its letter names."""
    observation_id: UUID | None = None
    """Which led to it, where it was observed."""


class Finding(CityEntity, table=True):
    __table_args__ = (
        of_city("resource_id", "resource"),
        sa.UniqueConstraint("city_id", "resource_id", "reported_by"),
        sa.Index(None, "city_id", "reported_by"),
    )

    resource_id: UUID
    reported_by: UUID = Field(foreign_key="account.id")
    address_typed: str = Field(max_length=2048)
    note: str | None = Field(default=None, max_length=1000)
