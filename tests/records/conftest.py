import asyncio
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest
from fastapi import FastAPI

from app.core.config import Settings
from tests.city import TestCity, found_city


@pytest.fixture
async def other_city(app: FastAPI) -> AsyncIterator[TestCity]:
    async with found_city(app) as city:
        yield city


@pytest.fixture
async def holder(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own, to hold with what an import needs next."""
    connection = await asyncpg.connect(settings.database_url)
    yield connection
    await connection.close()


class Watcher:
    """Sees what other connections do."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def blocked(self, number: int) -> list[int]:
        """The backends that wait for a lock; there must soon be so many of them."""
        query = """
            SELECT pid FROM pg_stat_activity
            WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
        """
        return await self._until(lambda pids: len(pids) == number, query)

    async def gone(self, pid: int) -> None:
        await self._until(lambda pids: not pids, "SELECT pid FROM pg_stat_activity WHERE pid = $1", pid)

    async def _until(self, is_so: Callable[[list[int]], bool], query: str, *values: object) -> list[int]:
        for _ in range(1_000):
            pids = [record["pid"] for record in await self._connection.fetch(query, *values)]
            if is_so(pids):
                return pids
            await asyncio.sleep(0.02)
        raise AssertionError(f"never came about: {query}")


@pytest.fixture
async def watcher(settings: Settings) -> AsyncIterator[Watcher]:
    connection = await asyncpg.connect(settings.database_url)
    yield Watcher(connection)
    await connection.close()
