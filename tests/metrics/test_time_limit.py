"""A count that takes too long is cut by the database and answered as a problem; nobody else waits for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.core.database import Database, DatabaseOptions, DatabaseUnavailableError
from app.domain.permissions import Role
from app.main import create_app
from app.services.documents import Documents
from tests.city import TestCity, found_city

TIME_LIMIT_MS = 250
COUNTED = "ledger_entry, resource_event, district"


@pytest.fixture
async def hasty(app: FastAPI, settings: Settings) -> AsyncIterator[TestCity]:
    """A city behind a database of its own connections, whose statements may take a quarter of a second."""
    assert settings.database_url
    options = DatabaseOptions(url=settings.database_url, statement_timeout_ms=TIME_LIMIT_MS)
    async with Database.opened(options) as database:
        impatient = create_app(settings)
        impatient.state.identity = app.state.identity
        impatient.state.database = database
        impatient.state.documents = Documents(database)
        async with found_city(impatient) as city:
            yield city


@asynccontextmanager
async def stuck(settings: Settings) -> AsyncIterator[None]:
    """As long as this lasts, whoever reads what counts are made from gets no further."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {COUNTED} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def test_a_statement_that_runs_away_is_cut(hasty: TestCity):
    with pytest.raises(DatabaseUnavailableError):
        await hasty.database.fetch("SELECT count(*) FROM generate_series(1, 1000000000000)")
    assert (await hasty.database.fetch("SELECT 1 AS one"))[0]["one"] == 1


async def test_a_count_that_takes_too_long_is_refused_and_the_next_one_answered(hasty: TestCity, settings: Settings):
    analyst, public = await hasty.as_(Role.ANALYST), f"/public/{hasty.id}/metrics"
    asked = [
        *((analyst, path) for path in ("/metrics", "/metrics/findings/series", "/metrics/map")),
        *((analyst, path) for path in ("/metrics/leaderboard", "/metrics/funnel")),
        *((hasty.anonymous, f"{public}{path}") for path in ("", "/map", "/leaderboard", "/findings/series")),
        (hasty.anonymous, "http://test/metrics/programme"),
    ]
    async with stuck(settings):
        answers = await asyncio.gather(*(client.get(path) for client, path in asked))
        for (_, path), refused in zip(asked, answers, strict=True):
            assert (refused.status_code, refused.json()["code"], path) == (503, "unavailable", path)
            assert refused.headers["Retry-After"] == "1"
    hasty.app.state.documents = Documents(hasty.database)
    for client, path in asked:
        answer = await client.get(path)
        assert answer.status_code == 200, path


async def test_a_refused_programme_leaves_no_count_under_way(hasty: TestCity, settings: Settings):
    async with found_city(hasty.app), found_city(hasty.app), stuck(settings):
        others = asyncio.all_tasks()
        refused = await hasty.anonymous.get("http://test/metrics/programme")
        assert refused.status_code == 503
        left = [task for task in asyncio.all_tasks() - others if "programme" in str(task.get_coro())]
        assert left == []
