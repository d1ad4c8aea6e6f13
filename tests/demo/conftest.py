import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.core.passwords import Passwords
from app.main import create_app
from app.services import demo
from app.services.demo import Wish
from tests.almaty_year import copy_of_the_year
from tests.conftest import SECRET_KEY, TEMPLATE, copy_of, database_url, execute


@pytest.fixture(scope="session")
def new_database(server: str) -> Iterator[Callable[[], str]]:
    """Gives the address of another migrated database without a city."""
    names: list[str] = []

    def made() -> str:
        names.append(f"demo_{uuid4().hex}")
        asyncio.run(execute(server, copy_of(TEMPLATE, names[-1])))
        return database_url(server, names[-1])

    yield made
    for name in names:
        asyncio.run(execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def build(url: str, wish: Wish) -> bool:
    secret_hash = await Passwords().hash(demo.PASSWORD)
    async with Database.opened(DatabaseOptions(url)) as database, database.transaction() as session:
        return await demo.build(session, wish, secret_hash, told=list[str]().append)


@pytest.fixture(scope="session")
def demo_url(server: str) -> Iterator[str]:
    """A database with the demonstration in it; the tests only look at it."""
    name = f"demo_{uuid4().hex}"
    yield asyncio.run(copy_of_the_year(server, name))
    asyncio.run(execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def connection(demo_url: str) -> "AsyncIterator[asyncpg.Connection[Any]]":
    """To the demonstration."""
    connection = await asyncpg.connect(demo_url)
    yield connection
    await connection.close()


@pytest.fixture
async def asked(connection: "asyncpg.Connection[Any]") -> Callable:
    """Runs a SELECT; the rows as tuples."""

    async def ask(sql: str) -> list[tuple]:
        return [tuple(row) for row in await connection.fetch(sql)]

    return ask


@pytest.fixture(scope="session")
async def demo_app(demo_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(Settings(DATABASE_URL=demo_url, secret_key=SECRET_KEY, log_level="CRITICAL"))
    async with app.router.lifespan_context(app):
        yield app
