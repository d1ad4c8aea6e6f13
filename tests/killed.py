"""Processes that are killed at their work."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def having_said(count: int, program: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """One that printed this count, and did not commit.

    Waited for without stopping this process, whose writers and jobs it may have to wait for.
    """
    command = [sys.executable, "-c", program, *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    assert int(await process.stdout.readline()) == count
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
