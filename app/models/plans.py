from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from app.core.clock import utc_now
from app.domain.metrics import Metric
from app.domain.plans import ItemStatus, PlanLanguage, PlanStatus
from app.models.base import TIMESTAMP, CityEntity, Versioned, of_city, text_enum


class Plan(Versioned, table=True):
    __table_args__ = (
        sa.UniqueConstraint("city_id", "title"),
        sa.CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        sa.CheckConstraint("(status = 'draft') = (adopted_on IS NULL)", name="adopted"),
        sa.CheckConstraint("(status = 'closed') = (closed_on IS NOT NULL)", name="closed"),
    )

    title: str = Field(max_length=300)
    language: PlanLanguage = Field(sa_type=text_enum(PlanLanguage, "language"))
    starts_on: date
    ends_on: date
    status: PlanStatus = Field(default=PlanStatus.DRAFT, sa_type=text_enum(PlanStatus, "status"))
    adopted_on: date | None = None
    closed_on: date | None = None
    changed_at: datetime = Field(default_factory=utc_now, sa_type=TIMESTAMP)
    """Of the plan or anything in it: its version rises with each change of a direction or an item too."""
    drafted_by: UUID | None = Field(default=None, foreign_key="account.id")


class PlanDirection(Versioned, table=True):
    __table_args__ = (
        of_city("plan_id", "plan"),
        sa.UniqueConstraint("city_id", "plan_id", "number"),
        sa.CheckConstraint("number >= 1", name="number"),
    )

    plan_id: UUID
    number: int
    title: str = Field(max_length=300)


class PlanItem(Versioned, table=True):
    __table_args__ = (
        of_city("plan_id", "plan"),
        of_city("direction_id", "plan_direction"),
        of_city("district_id", "district"),
        sa.UniqueConstraint("city_id", "plan_id", "number"),
        sa.CheckConstraint("(metric IS NULL) = (amount IS NULL) AND amount > 0", name="whole_target"),
        sa.CheckConstraint(
            "metric IS NOT NULL OR (district_id IS NULL AND counted_from IS NULL AND counted_to IS NULL)",
            name="filters_of_target",
        ),
        sa.CheckConstraint("counted_to >= counted_from", name="counted"),
        sa.Index(None, "city_id", "direction_id"),
    )

    plan_id: UUID
    direction_id: UUID
    number: str = Field(max_length=16)
    title: str = Field(max_length=500)
    owner: str | None = Field(default=None, max_length=200)
    """An office; never how to reach somebody."""
    due_on: date
    metric: Metric | None = Field(default=None, sa_type=text_enum(Metric, "metric"))
    """With the amount and the filters it is the target; NULL where nothing can be counted."""
    amount: int | None = Field(default=None, sa_type=sa.BigInteger)
    district_id: str | None = Field(default=None, max_length=32)
    counted_from: date | None = None
    """NULL: from the plan's first day."""
    counted_to: date | None = None
    """NULL: to the due day."""
    status: ItemStatus = Field(default=ItemStatus.NOT_STARTED, sa_type=text_enum(ItemStatus, "status"))
    """Means nothing beside a target: progress is then what the ledger says."""


class PlanItemChange(CityEntity, table=True):
    """What was changed of an item of a plan in force, by whom and why. Append-only."""

    __table_args__ = (of_city("item_id", "plan_item"), sa.Index(None, "city_id", "item_id"))

    item_id: UUID
    changed_by: UUID = Field(foreign_key="account.id")
    reason: str = Field(max_length=500)
    changes: list[dict[str, Any]] = Field(sa_type=JSONB)
    """Field, what it was and what it became, as texts."""
