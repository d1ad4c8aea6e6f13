"""What a process has that runs tests: an application on a database of its own, and a city for each test."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.core.config import Settings
from app.main import create_app
from tests.city import TestCity, found_city
from tests.commands import Narkostop, Terminal
from tests.conftest import SECRET_KEY, TEMPLATE, copy_of, database_url, execute

RECOMMENDED = PasswordHash.recommended

# For each request httpx tries to import it, for those who run on trio, and nobody keeps that it is not there.
sys.modules["sniffio"] = None
# A failed test shows its log; colours and columns took a twentieth of the time of those that write.
structlog.configure(processors=[structlog.processors.KeyValueRenderer()])


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


@pytest.fixture(scope="session")
async def sparse(server: str, settings: Settings) -> AsyncIterator[FastAPI]:
    """Another application, whose database has few cities: to name the thousand of the first one takes half a second."""
    name = f"test_{uuid4().hex}"
    await execute(server, copy_of(TEMPLATE, name))
    app = create_app(settings.model_copy(update={"database_url": database_url(server, name)}))
    async with app.router.lifespan_context(app):
        yield app
    await execute(server, f"DROP DATABASE {name} WITH (FORCE)")


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
