"""One PostgreSQL for the whole run, one database for each worker, one city of its own for each test.

Tests commit for real, through the same code as production; that they do not see each other is the work of the
city in every key, which is thereby tested all the time. See docs/adr/0005-a-city-for-each-test.md.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import structlog
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.core.config import Settings
from app.core.embedded import running_postgres
from app.core.migrations import upgrade
from app.main import create_app
from tests.city import TestCity, found_city
from tests.commands import Narkostop, Terminal

SECRET_KEY = "only for tests, and 32 characters long"
RECOMMENDED = PasswordHash.recommended
SERVER = pytest.StashKey[ExitStack]()
TEMPLATE, DEMONSTRATION = "narkostop_template", "narkostop_demonstration"

# For each request httpx tries to import it, for those who run on trio, and nobody keeps that it is not there.
sys.modules["sniffio"] = None
# A failed test shows its log; colours and columns took a twentieth of the time of those that write.
structlog.configure(processors=[structlog.processors.KeyValueRenderer()])


def pytest_configure(config: pytest.Config) -> None:
    """In the process that starts the workers: PostgreSQL and the migrated template that databases are copied from."""
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


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """argon2id with the least work. That it takes 0.13 s otherwise, on purpose, is for tests/auth/test_sign_in.py."""
    quick = PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PasswordHash, "recommended", lambda: quick)
        yield


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def server() -> str:
    return os.environ["NARKOSTOP_TEST_SERVER"]


@pytest.fixture(scope="session")
def settings(server: str) -> Iterator[Settings]:
    """Of a fresh, migrated database of this worker's own."""
    name = f"test_{uuid4().hex}"
    asyncio.run(execute(server, copy_of(TEMPLATE, name)))
    yield Settings(
        DATABASE_URL=database_url(server, name),
        secret_key=SECRET_KEY,
        sign_ins_per_minute=1_000_000,
        applications_per_hour=1_000_000,
        stream_seconds=1,
        log_level="CRITICAL",
    )
    asyncio.run(execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def environment(settings: Settings, tmp_path: Path) -> dict[str, str]:
    """Of a command that works on the tests' database."""
    assert settings.database_url
    return {
        "DATABASE_URL": settings.database_url,
        "NARKOSTOP_SECRET_KEY": SECRET_KEY,
        "NARKOSTOP_DATA_DIR": str(tmp_path),
        "COLUMNS": "200",
    }


@pytest.fixture
def narkostop(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Narkostop:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Terminal(monkeypatch, capsys).narkostop


@pytest.fixture
def told(narkostop: Narkostop) -> Callable[..., Awaitable[str]]:
    """What a command printed; it must succeed."""

    async def run(*words: str) -> str:
        said = await narkostop(*words)
        assert said.status == 0, said.error
        return said.out

    return run


@pytest.fixture
def refused(narkostop: Narkostop) -> Callable[..., Awaitable[str]]:
    """What a command could not do, in words for the person at the terminal."""

    async def run(*words: str) -> str:
        said = await narkostop(*words)
        assert said.status == 1, said
        return said.error

    return run


@pytest.fixture
async def city(app: FastAPI) -> AsyncIterator[TestCity]:
    """A city with two districts, and a signed-in client for each role."""
    async with found_city(app) as city:
        yield city
    # The loop stands still until a test needs it again, and would hold a job's transaction open that long.
    while app.state.database.engine.pool.checkedout():  # noqa: ASYNC110 nothing tells when
        await asyncio.sleep(0.001)
