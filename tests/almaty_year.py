"""The demonstration, made once for all workers: it takes seconds, and most tests only look at it."""

import asyncio
from contextlib import suppress
from datetime import date

import asyncpg

from app.services import demo
from app.services.demo import Wish
from tests.commands import started
from tests.conftest import DEMONSTRATION, SECRET_KEY, TEMPLATE, copy_of, database_url, execute

UNTIL = date(2026, 6, 15)
WISH = Wish(seed=7, until=UNTIL)
COMMAND = ("demo", "--seed", str(WISH.seed), "--until", UNTIL.isoformat())
_ONE_AT_A_TIME = 1


async def copy_of_the_year(server: str, name: str) -> str:
    """The address of a database of the caller's own with the demonstration in it."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"SELECT pg_advisory_lock({_ONE_AT_A_TIME})")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DEMONSTRATION):
            await _make(server)
        await connection.execute(copy_of(DEMONSTRATION, name))
    finally:
        await connection.close()
    return database_url(server, name)


async def _make(server: str) -> None:
    """At the second attempt: the first is killed in its middle, and leaves nothing."""
    unfinished = f"{DEMONSTRATION}_unfinished"
    await execute(server, copy_of(TEMPLATE, unfinished))
    url = database_url(server, unfinished)
    killed = await _narkostop_demo(url)
    try:
        await _until_it_copies(url, killed)
    finally:
        with suppress(ProcessLookupError):
            killed.kill()
        await killed.communicate()
    assert await counts(url) == {}

    said, error = await (await _narkostop_demo(url)).communicate()
    assert demo.PASSWORD in said.decode(), error.decode()
    assert all(sign_in.login in said.decode() for sign_in in demo.SIGN_INS)
    await execute(server, f"ALTER DATABASE {unfinished} RENAME TO {DEMONSTRATION}")


async def _narkostop_demo(url: str) -> asyncio.subprocess.Process:
    environment = {"DATABASE_URL": url, "NARKOSTOP_SECRET_KEY": SECRET_KEY}
    return await started(environment, *COMMAND)


async def _until_it_copies(url: str, process: asyncio.subprocess.Process) -> None:
    copying = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'copy%consent%'"
    connection = await asyncpg.connect(url)
    try:
        while await connection.fetchval(copying) is None:
            assert process.returncode is None, "it was over before it could be killed"
            await asyncio.sleep(0.01)
    finally:
        # A connection left open would keep the event loop from closing.
        await connection.close()


async def counts(url: str) -> dict[str, int]:
    """Rows of each table that has any."""
    connection = await asyncpg.connect(url)
    tables = [row[0] for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    rows = {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in tables}
    await connection.close()
    return {name: count for name, count in rows.items() if count and name != "alembic_version"}
