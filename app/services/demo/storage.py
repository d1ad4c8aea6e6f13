"""A made-up year into the database: COPY, a table at a time, in the session's transaction."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import asyncpg
import sqlalchemy as sa
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

Told = Callable[[str], None]
"""Called with the name of each table when it is stored."""


async def store(session: AsyncSession, tables: Sequence[Sequence[SQLModel]], told: Told) -> None:
    """Tables in an order in which every row finds those that it points to."""
    driver = await _driver(session)
    for rows in tables:
        told(await _copy(driver, rows))


async def _copy(driver: "asyncpg.Connection[Any]", rows: Sequence[SQLModel]) -> str:
    mapper = sa.inspect(type(rows[0]))
    table = mapper.local_table
    columns = [column.name for column in table.columns]
    await driver.copy_records_to_table(str(table), records=map(attrgetter(*columns), rows), columns=columns)
    return str(table)


async def _driver(session: AsyncSession) -> "asyncpg.Connection[Any]":
    raw = await (await session.connection()).get_raw_connection()
    connection = raw.driver_connection
    assert connection is not None
    return connection
