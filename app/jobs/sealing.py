"""Every quarter of an hour, in every process: cities whose newest seal is an hour old get the next one.

One of the processes seals at a time. What is sealed was recorded before the quarter of an hour began: by its end those
who were writing then have ended, and nobody has waited for anybody.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import structlog

from app.core.clock import utc_now
from app.core.database import Database, retried
from app.domain.seals import EVERY
from app.services import moments, seals
from app.services.moments import Mark

EVERY_S = 900

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(database: Database) -> AsyncGenerator[None]:
    """Runs beside the requests until the block ends."""
    task = asyncio.create_task(_forever(database))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _forever(database: Database) -> None:
    while True:
        try:
            marked = await mark(database)
            await asyncio.sleep(EVERY_S)
            await once(database, marked)
        except Exception as error:  # noqa: BLE001 whatever it was, the entries are still there the next time
            log.warning("sealing put off", cause=type(error).__name__)
            await asyncio.sleep(1)


async def mark(database: Database) -> Mark:
    async with database.transaction() as session:
        return await moments.mark(session)


async def once(database: Database, marked: Mark) -> int:
    """Seal what is due. Returns how many seals that took."""
    async with database.transaction() as session:
        cities = await seals.due(session, utc_now() - EVERY)
    return sum([await of_city(database, city_id, marked) for city_id in cities])


async def of_city(database: Database, city_id: str, marked: Mark) -> int:
    """Each seal is a transaction of its own. Returns how many there were."""

    async def work() -> int:
        async with database.transaction() as session:
            return await seals.close(session, city_id, marked)

    made = 0
    while await retried(work):
        made += 1
    return made
