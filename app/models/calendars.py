from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.models.base import CityEntity


class CalendarFeed(CityEntity, table=True):
    """The secret address of one account's calendar in a city, as a SHA-256 digest of 256 random bits."""

    __table_args__ = (
        sa.UniqueConstraint("city_id", "account_id"),
        sa.UniqueConstraint("city_id", "token_digest"),
    )

    account_id: UUID = Field(foreign_key="account.id")
    token_digest: bytes
