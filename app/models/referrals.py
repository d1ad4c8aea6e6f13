from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.domain.referrals import Answer, ReferralStatus
from app.models.base import CityEntity, Versioned, of_city, text_enum


class Referral(Versioned, table=True):
    __table_args__ = (
        sa.UniqueConstraint("city_id", "outgoing_number"),
        sa.CheckConstraint("due_on >= sent_on", name="due_after_sent"),
        sa.CheckConstraint("answered BETWEEN 0 AND items", name="answered"),
        sa.CheckConstraint("(status = 'draft') = (sent_on IS NULL)", name="sent_has_day"),
    )

    authority: str = Field(max_length=200)
    status: ReferralStatus = Field(
        default=ReferralStatus.DRAFT,
        sa_type=text_enum(ReferralStatus, "status"),
    )
    items: int
    answered: int = 0
    outgoing_number: str | None = Field(default=None, max_length=64)
    sent_on: date | None = None
    due_on: date | None = None
    acknowledged_on: date | None = None


class ReferralItem(CityEntity, table=True):
    __table_args__ = (
        of_city("referral_id", "referral"),
        of_city("resource_id", "resource"),
        sa.UniqueConstraint("city_id", "referral_id", "resource_id"),
        sa.CheckConstraint(
            "restored_on IS NULL OR (restored_on >= answered_on AND answer = 'blocked')", name="restored_after_block"
        ),
        sa.Index(None, "city_id", "resource_id"),
    )

    referral_id: UUID
    resource_id: UUID
    cycle: int | None = None
    """The resource's when it was sent: what is said of an earlier one does not change how the resource stands."""
    answer: Answer | None = Field(default=None, sa_type=text_enum(Answer, "answer"))
    answered_on: date | None = None
    restored_on: date | None = None
    restored_reason: str | None = Field(default=None, max_length=500)
