from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.models.base import TIMESTAMP, CityEntity, text_enum


class RecordsKind(StrEnum):
    GRAFFITI = "graffiti"
    COUNTS = "counts"


class RecordsImport(CityEntity, table=True):
    """One run of an import: what file it was and what became of its rows."""

    __table_args__ = (sa.Index(None, "city_id", "source"),)

    kind: RecordsKind = Field(sa_type=text_enum(RecordsKind, "kind"))
    source: str = Field(max_length=200)
    file_digest: bytes
    """SHA-256 of the file, to show later which file a count came from."""
    rows: int
    imported: int
    already_there: int
    without_point: int
    refused: int
    imported_by: UUID | None = Field(default=None, foreign_key="account.id")
    finished_at: datetime = Field(sa_type=TIMESTAMP)
