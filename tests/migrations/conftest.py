import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from tests.conftest import TEMPLATE, copy_of, database_url, execute


@pytest.fixture
def empty(server: str) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    with made(server, "template0") as url:
        yield url


@pytest.fixture
def migrated(server: str) -> Iterator[str]:
    """The URL of a database of this version."""
    with made(server, TEMPLATE) as url:
        yield url


@pytest.fixture(scope="module")
def unchanged(server: str) -> Iterator[str]:
    """As `migrated`, for tests after which it is as it was."""
    with made(server, TEMPLATE) as url:
        yield url


@contextmanager
def made(server: str, template: str) -> Iterator[str]:
    name = f"migration_{uuid4().hex}"
    asyncio.run(execute(server, copy_of(template, name)))
    try:
        yield database_url(server, name)
    finally:
        asyncio.run(execute(server, f"DROP DATABASE {name} WITH (FORCE)"))
