"""Ids that are known without asking."""

from datetime import UTC, datetime
from uuid import UUID

FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def row_id(number: int) -> UUID:
    """A UUIDv7 of its own millisecond."""
    milliseconds = int(FIRST.timestamp() * 1_000) + number
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | number)
