"""A made-up year into the database: COPY, a table at a time, in the session's transaction."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from operator import attrgetter
from typing import cast

import sqlalchemy as sa
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.database import copy_within, fetch_within

Told = Callable[[str], None]
"""Called with the name of each table when it is stored."""


async def store(session: AsyncSession, tables: Iterable[Sequence[SQLModel]], told: Told) -> None:
    """Tables in an order in which every row finds those that it points to; none of them empty."""
    for rows in tables:
        table = sa.inspect(type(rows[0])).local_table
        columns = [column.name for column in table.columns if column.computed is None]
        await copy_within(session, str(table), columns, _values(rows, columns))
        told(str(table))
        # The planner would take it for empty until autovacuum comes by.
        await fetch_within(session, f"ANALYZE {table}")


async def _values(rows: Sequence[SQLModel], columns: Sequence[str]) -> AsyncIterator[tuple[object, ...]]:
    for row in map(attrgetter(*columns), rows):
        yield tuple(map(_value, row))


def _value(value: object) -> object:
    """JSON goes in as text; a list of texts is an array."""
    each = cast("list[object]", value) if isinstance(value, list) else []
    return json.dumps(each) if any(isinstance(part, dict) for part in each) else cast("object", value)
