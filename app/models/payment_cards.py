from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.domain.payment_cards import CardStatus
from app.models.base import Versioned, of_city, text_enum


class PaymentCard(Versioned, table=True):
    """Its number is not here, only what shows that two numbers are the same; see docs/adr/0021-payment-cards.md."""

    __table_args__ = (
        of_city("resource_id", "resource"),
        sa.UniqueConstraint("city_id", "number_digest"),
        sa.Index(None, "city_id", "status", "id"),
        sa.CheckConstraint(
            "octet_length(number_digest) = 32 AND first_six ~ '^[0-9]{6}$' AND last_four ~ '^[0-9]{4}$'", name="number"
        ),
        sa.CheckConstraint(
            "(status = 'reported') = (referred_on IS NULL)"
            " AND (referred_on IS NULL) = (authority IS NULL) AND (referred_on IS NULL) = (outgoing_number IS NULL)",
            name="referred_whole",
        ),
        sa.CheckConstraint("(status = 'frozen') = (frozen_on IS NOT NULL)", name="frozen_has_day"),
        sa.CheckConstraint("(status = 'refused') = (refused_on IS NOT NULL)", name="refused_has_day"),
        sa.CheckConstraint("frozen_on >= referred_on AND refused_on >= referred_on", name="answered_after_referred"),
        sa.CheckConstraint("amount_kzt IS NULL OR amount_kzt > 0 AND status = 'frozen'", name="amount_kzt"),
    )

    number_digest: bytes
    """Made with the city and a key that is not in the database."""
    first_six: str = Field(max_length=6)
    last_four: str = Field(max_length=4)
    bank: str | None = Field(default=None, max_length=200)
    resource_id: UUID | None = None
    """Where it was seen."""
    reported_by: UUID = Field(foreign_key="account.id")
    status: CardStatus = Field(default=CardStatus.REPORTED, sa_type=text_enum(CardStatus, "status"))
    authority: str | None = Field(default=None, max_length=200)
    outgoing_number: str | None = Field(default=None, max_length=64)
    referred_on: date | None = None
    frozen_on: date | None = None
    amount_kzt: int | None = Field(default=None, sa_type=sa.BigInteger)
    """Whole tenge; None where the bank did not say."""
    refused_on: date | None = None
