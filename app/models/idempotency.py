from datetime import datetime
from uuid import UUID

from sqlmodel import Field

from app.core.clock import utc_now
from app.models.base import TIMESTAMP, Table


class IdempotentAnswer(Table, table=True):
    """The answer to a POST, kept for a day so that a retry gets the same one."""

    account_id: UUID = Field(primary_key=True)
    """The nil UUID where nobody was signed in."""
    key: str = Field(primary_key=True, max_length=128)
    request_digest: bytes
    status: int | None = None
    headers: str | None = None
    """A JSON array of [name, value] pairs."""
    body: bytes | None = None
    created_at: datetime = Field(default_factory=utc_now, sa_type=TIMESTAMP, index=True)
