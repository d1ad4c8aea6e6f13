from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from app.domain.figures import FigureStatus
from app.domain.metrics import Metric, Origin
from app.models.base import TIMESTAMP, Versioned, of_city, text_enum
from app.models.ledger import TransactionId

# None is no value here, not the JSON null.
_WORDS: Any = JSONB(none_as_null=True)


class Figure(Versioned, table=True):
    """A published number. Once it is signed the database lets nobody change it, but for its withdrawal."""

    __table_args__ = (
        of_city("district_id", "district"),
        sa.Index(None, "city_id", "status", "id"),
        sa.CheckConstraint("to_day >= from_day", name="days"),
        sa.CheckConstraint("signed_by <> drafted_by", name="second_person"),
        sa.CheckConstraint(
            "(signed_at IS NULL) = (value IS NULL) AND (signed_at IS NULL) = (signed_by IS NULL)"
            " AND (signed_at IS NULL) = (digest IS NULL) AND (signed_at IS NULL) = (words IS NULL)"
            " AND (signed_at IS NULL) = (overlap IS NULL)",
            name="signed_whole",
        ),
        sa.CheckConstraint("value = recorded + declared", name="parts"),
        sa.CheckConstraint("(status = 'draft') <= (signed_at IS NULL)", name="draft_unsigned"),
        sa.CheckConstraint("(status = 'signed') <= (signed_at IS NOT NULL)", name="signed_has_moment"),
        sa.CheckConstraint("(status = 'withdrawn') = (withdrawn_at IS NOT NULL)", name="withdrawn_has_moment"),
    )

    metric: Metric = Field(sa_type=text_enum(Metric, "metric"))
    from_day: date | None = None
    to_day: date | None = None
    district_id: str | None = Field(default=None, max_length=32)
    origin: Origin | None = Field(default=None, sa_type=text_enum(Origin, "origin"))
    as_of: datetime = Field(sa_type=TIMESTAMP)
    settles_at: int = Field(sa_type=TransactionId)
    """Once all transactions below have ended, nothing more can be recorded with a moment up to `as_of`."""
    server: str = Field(max_length=64)
    """Whose transactions these are."""
    title_kk: str = Field(max_length=200)
    title_ru: str = Field(max_length=200)
    title_en: str = Field(max_length=200)
    status: FigureStatus = Field(default=FigureStatus.DRAFT, sa_type=text_enum(FigureStatus, "status"))
    drafted_by: UUID = Field(foreign_key="account.id")

    value: int | None = Field(default=None, sa_type=sa.BigInteger)
    recorded: int | None = Field(default=None, sa_type=sa.BigInteger)
    declared: int | None = Field(default=None, sa_type=sa.BigInteger)
    entries: int | None = Field(default=None, sa_type=sa.BigInteger)
    overlap: bool | None = None
    """Whether a declared total is of some of its days, and facts were recorded on the total's; as of its moment."""
    digest: bytes | None = None
    """SHA-256 over the lines of the entries, in the order of their day and id."""
    words: dict[str, Any] | None = Field(default=None, sa_type=_WORDS)
    """The metric's name, definition and unit in each language, as they were when it was signed."""
    signed_by: UUID | None = Field(default=None, foreign_key="account.id")
    signed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    withdrawn_by: UUID | None = Field(default=None, foreign_key="account.id")
    withdrawn_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    withdrawal_reason: str | None = Field(default=None, max_length=500)
