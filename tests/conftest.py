"""One PostgreSQL for the whole run, one database for each worker, one city of its own for each test.

Tests commit for real, through the same code as production; that they do not see each other is the work of the
city in every key, which is thereby tested all the time. See docs/adr/0005-a-city-for-each-test.md.
"""

import asyncio
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest

from app.core.embedded import running_postgres
from app.core.migrations import upgrade

SECRET_KEY = "only for tests, and 32 characters long"
SERVER = pytest.StashKey[ExitStack]()
TEMPLATE, DEMONSTRATION = "narkostop_template", "narkostop_demonstration"


def pytest_configure(config: pytest.Config) -> None:
    """In the process that starts the workers: PostgreSQL and the migrated template that databases are copied from."""
    # Whoever only starts workers need not import the application, which takes 1.7 s before the first of them begins.
    if not getattr(config.option, "numprocesses", None):
        config.pluginmanager.import_plugin("tests.fixtures")
    if hasattr(config, "workerinput"):
        return
    stack = config.stash[SERVER] = ExitStack()
    url = os.environ.get("TEST_DATABASE_URL")
    if url is None:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="narkostop-tests-"))
        url = stack.enter_context(running_postgres(Path(folder), durable=False))
    os.environ["NARKOSTOP_TEST_SERVER"] = url
    left = (TEMPLATE, DEMONSTRATION, f"{DEMONSTRATION}_unfinished")
    asyncio.run(execute(url, *(f"DROP DATABASE IF EXISTS {name}" for name in left), f"CREATE DATABASE {TEMPLATE}"))
    upgrade(database_url(url, TEMPLATE), current=None)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SERVER in config.stash:
        config.stash[SERVER].close()


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def copy_of(template: str, name: str) -> str:
    """A third of the work of PostgreSQL's own way, which writes each page to its log."""
    return f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"


def database_url(server: str, name: str) -> str:
    head, question, query = server.partition("?")
    return f"{head.rpartition('/')[0]}/{name}{question}{query}"
