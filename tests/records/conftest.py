import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest
from click.testing import Result
from fastapi import FastAPI
from typer.testing import CliRunner

from app.cli import commands
from app.cli.errors import CommandError
from app.core.config import Settings
from tests.city import TestCity, found_city

NARKOSTOP = Path(sys.executable).with_name("narkostop")
Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


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


@pytest.fixture
async def narkostop(settings: Settings, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a command on the test's database."""
    started: list[asyncio.subprocess.Process] = []
    environment = {"DATABASE_URL": str(settings.database_url), "NARKOSTOP_DATA_DIR": str(tmp_path), "COLUMNS": "200"}

    async def start(*words: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(NARKOSTOP, *words, env=environment, stdout=pipe, stderr=pipe)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
def invoked(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[Result]]:
    """The same command in this process, which is faster; in a thread, because it has an event loop of its own."""
    for name, value in (("DATABASE_URL", settings.database_url), ("NARKOSTOP_DATA_DIR", tmp_path), ("COLUMNS", "200")):
        monkeypatch.setenv(name, str(value))

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, commands(*words[:1]), words)

    return run


@pytest.fixture
def told(invoked: Callable[..., Awaitable[Result]]) -> Callable[..., Awaitable[str]]:
    """What a command printed; it must succeed."""

    async def run(*words: str) -> str:
        result = await invoked(*words)
        assert result.exit_code == 0, result.exception
        return result.stdout

    return run


@pytest.fixture
def refused(invoked: Callable[..., Awaitable[Result]]) -> Callable[..., Awaitable[str]]:
    """What a command could not do, in words for the person at the terminal."""

    async def run(*words: str) -> str:
        result = await invoked(*words)
        assert isinstance(result.exception, CommandError), result
        return str(result.exception)

    return run
