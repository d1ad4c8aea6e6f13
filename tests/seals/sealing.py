"""Facts in a test's city, sealed."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import FastAPI

from app.jobs import sealing
from app.services import moments, seal_checks
from app.services.seal_checks import Verdict
from tests.city import TestCity
from tests.metrics.facts import entry


async def fact(city: TestCity, amount: int = 1, **changes: Any) -> UUID:
    made = entry(city, amount, **changes)
    await city.add(made)
    return made.id


async def sealed(city: TestCity) -> int:
    """What was recorded up to now; other tests may be writing to the same server. Returns the number of seals."""
    return await sealing.of_city(city.database, city.id, await settled_mark(city))


async def settled_mark(city: TestCity) -> moments.Mark:
    marked = await sealing.mark(city.database)
    for _ in range(1_000):
        if await settled(city, marked):
            break
        await asyncio.sleep(0.01)
    return marked


async def settled(city: TestCity, marked: moments.Mark) -> bool:
    async with city.database.transaction() as session:
        return await moments.has_settled(session, city.id, marked)


async def verified(city: TestCity) -> Verdict:
    async with city.database.transaction() as session:
        return await seal_checks.verify(session, city.id)


async def tamper(app: FastAPI, statement: str, *arguments: object) -> None:
    """As somebody who owns the server can: no trigger, no foreign key."""
    connection = await asyncpg.connect(app.state.settings.database_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        assert await connection.execute(statement, *arguments) not in {"UPDATE 0", "DELETE 0", "INSERT 0 0"}
    finally:
        await connection.close()
