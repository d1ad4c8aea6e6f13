import asyncio
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


class NoTurnError(Exception):
    """The turn did not come in time; nothing was done."""


@dataclass(slots=True)
class _Queue:
    free: asyncio.Semaphore
    inside: int = field(default=0)
    """In the queue or past it; the last one out takes the queue away."""


class Turns:
    """Queues in this process, first come, first served: `at_once` at a time for each key, the others wait `wait_s`.

    Those who would wait for one row's lock wait here instead, without a connection that others could use.
    """

    def __init__(self, at_once: int, wait_s: float) -> None:
        self._at_once, self._wait_s = at_once, wait_s
        self._queues: dict[Hashable, _Queue] = {}

    def __len__(self) -> int:
        return len(self._queues)

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncGenerator[None]:
        """Raises NoTurnError."""
        queue = self._queues.setdefault(key, _Queue(asyncio.Semaphore(self._at_once)))
        queue.inside += 1
        try:
            await self._wait(queue)
            try:
                yield
            finally:
                queue.free.release()
        finally:
            queue.inside -= 1
            if not queue.inside:
                del self._queues[key]

    async def _wait(self, queue: _Queue) -> None:
        try:
            async with asyncio.timeout(self._wait_s):
                await queue.free.acquire()
        except TimeoutError:
            raise NoTurnError from None
