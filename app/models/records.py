from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.domain.records import RecordsKind
from app.models.base import TIMESTAMP, CityEntity, text_enum


class RecordsImport(CityEntity, table=True):
    """One run of an import: what file it was and what became of its rows."""

    __table_args__ = (sa.Index(None, "city_id", "source"),)

    kind: RecordsKind = Field(sa_type=text_enum(RecordsKind, "kind"))
    source: str = Field(max_length=200)
    file_digest: bytes
    """SHA-256 of the file, to show later which file a count came from."""
    rows: int
    """Each is exactly one of imported, already there, refused or left out."""
    imported: int
    already_there: int
    without_point: int
    """How many of the imported have an address and no point."""
    refused: int
    left_out: int
    """By the mapping's own wish, such as rows that were never completed."""
    imported_by: UUID | None = Field(default=None, foreign_key="account.id")
    finished_at: datetime = Field(sa_type=TIMESTAMP)
