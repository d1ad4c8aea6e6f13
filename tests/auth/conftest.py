import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.main import create_app
from tests.conftest import TEMPLATE, copy_of, database_url, execute


@pytest.fixture
def own_settings(server: str, settings: Settings) -> Iterator[Settings]:
    """Of a database of the test's own: its signing keys are made, rotated and dropped."""
    name = f"test_{uuid4().hex}"
    asyncio.run(execute(server, copy_of(TEMPLATE, name)))
    yield settings.model_copy(update={"database_url": database_url(server, name)})
    asyncio.run(execute(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def own_app(own_settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(own_settings)
    async with app.router.lifespan_context(app):
        yield app
