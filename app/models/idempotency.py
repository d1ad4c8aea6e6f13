from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.core.clock import utc_now
from app.models.base import TIMESTAMP


class IdempotentAnswer(SQLModel, table=True):
    """The answer to a POST, kept for a day so that a retry gets the same one."""

    __tablename__ = "idempotent_answer"

    account_id: UUID = Field(primary_key=True)
    """The nil UUID where nobody was signed in."""
    key: str = Field(primary_key=True, max_length=128)
    request_digest: bytes
    status: int | None = None
    headers: str | None = None
    """A JSON array of [name, value] pairs."""
    body: bytes | None = None
    created_at: datetime = Field(default_factory=utc_now, sa_type=TIMESTAMP, index=True)
