"""A made-up year into the database: COPY, a table at a time, in the session's transaction."""

import json
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter

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
        columns = [column for column in table.columns if column.computed is None]
        await copy_within(session, str(table), [column.name for column in columns], _values(rows, columns))
        told(str(table))
        # The planner would take it for empty until autovacuum comes by.
        await fetch_within(session, f"ANALYZE {table}")


def _values(rows: Sequence[SQLModel], columns: "Sequence[sa.ColumnElement[object]]") -> Iterable[tuple[object, ...]]:
    """JSON goes in as text."""
    values = map(itemgetter(*(column.name for column in columns)), map(vars, rows))
    documents = {place for place, column in enumerate(columns) if isinstance(column.type, sa.JSON)}
    if not documents:
        return values
    return (
        tuple(json.dumps(value) if place in documents else value for place, value in enumerate(row)) for row in values
    )
