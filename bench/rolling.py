"""`python -m bench.rolling URL SECONDS`: rolls up at that pace until it is ended, as another process of the service."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from app.core.database import Database, DatabaseOptions
from app.jobs import rolling_up


@asynccontextmanager
async def rolling(url: str, pace_s: float) -> AsyncIterator[None]:
    """That process, which has begun, until the block ends."""
    command = (sys.executable, "-m", "bench.rolling", url, str(pace_s))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    assert await process.stdout.readline()
    try:
        yield
        assert process.returncode is None
    finally:
        process.terminate()
        await process.wait()


async def _roll_up(url: str, pace_s: float) -> None:
    async with Database.opened(DatabaseOptions(url, statement_timeout_ms=600_000)) as database:
        await rolling_up.once(database)
        print("rolled up", flush=True)
        while True:
            await asyncio.sleep(pace_s)
            await rolling_up.once(database)


if __name__ == "__main__":
    uvloop.run(_roll_up(sys.argv[1], float(sys.argv[2])))
