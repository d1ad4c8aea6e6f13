"""Once a second, in every process: what is new in the ledger goes into the tally. One of them does it at a time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import structlog

from app.core.database import Database, retried
from app.services import tallies

EVERY_S = 1

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(database: Database) -> AsyncGenerator[None]:
    """Runs beside the requests until the block ends.

    The first time is before it: after a restore the tally is of another server, and no request may read that.
    """
    await once(database, in_turn=True)
    task = asyncio.create_task(_forever(database))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def once(database: Database, *, in_turn: bool = False, entries_a_page: int = tallies.ENTRIES_A_PAGE) -> int:
    async def work() -> int:
        async with database.transaction() as session:
            return await tallies.roll_up(session, in_turn=in_turn, entries_a_page=entries_a_page)

    return await retried(work)


async def _forever(database: Database) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await once(database)
        except Exception as error:  # noqa: BLE001 whatever it was, counts are exact without it, only slower
            log.warning("roll-up put off", cause=type(error).__name__)
