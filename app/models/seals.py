"""Seals of the ledger. Both tables are append-only, and neither is needed to count."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.domain.seals import MOST_ENTRIES
from app.models.base import TIMESTAMP, CityEntity, Table, of_city
from app.models.ledger import TransactionId


class Seal(CityEntity, table=True):
    """One closed batch. Its digest covers SealText of app/domain/seals.py; the last two columns say how far it came."""

    __table_args__ = (
        sa.UniqueConstraint("city_id", "number"),
        sa.CheckConstraint("number >= 1", name="number"),
        sa.CheckConstraint(f"entries BETWEEN 1 AND {MOST_ENTRIES}", name="entries"),
        sa.CheckConstraint("(number = 1) = (previous IS NULL)", name="previous"),
    )

    number: int
    entries: int
    root: bytes
    previous: bytes | None = None
    complete_until: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    sealed_at: datetime = Field(sa_type=TIMESTAMP)
    digest: bytes
    last_transaction: int = Field(sa_type=TransactionId)
    """Of the last entry, on the server below."""
    server: str = Field(max_length=64)


class SealedEntry(Table, table=True):
    """Which entry is where in which seal, and what it was then."""

    __table_args__ = (
        of_city("id", "ledger_entry"),
        of_city("seal_id", "seal"),
        sa.UniqueConstraint("city_id", "seal_id", "position"),
        sa.CheckConstraint(f"position BETWEEN 0 AND {MOST_ENTRIES - 1}", name="position"),
    )

    city_id: str = Field(primary_key=True, foreign_key="city.id", max_length=32)
    id: UUID = Field(primary_key=True)
    """The entry's own id: it is in one seal."""
    seal_id: UUID
    position: int
    leaf: bytes
    """The entry's hash in the tree, by which a changed entry is told from a changed seal."""
