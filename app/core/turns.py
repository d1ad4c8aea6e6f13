import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


class NoTurnError(Exception):
    """The turn did not come in time; nothing was done."""


class Line:
    """First come, first served: `at_once` at a time go in, the others wait `wait_s`.

    As a semaphore within `asyncio.timeout`, which takes more than twice as long for each who waits.
    """

    def __init__(self, at_once: int, wait_s: float) -> None:
        self._free, self._wait_s = at_once, wait_s
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Raises NoTurnError. Whoever has entered must leave."""
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        patience = loop.call_later(self._wait_s, _give_up, turn)
        try:
            await turn
        except asyncio.CancelledError:
            # The turn may have come at the same moment.
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave()
            raise
        finally:
            patience.cancel()

    def leave(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


def _give_up(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(NoTurnError())


@dataclass(slots=True)
class _Queue:
    line: Line
    inside: int = field(default=0)
    """In the queue or past it; the last one out takes the queue away."""


class Turns:
    """Lines in this process, one for each key.

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
        queue = self._queues.setdefault(key, _Queue(Line(self._at_once, self._wait_s)))
        queue.inside += 1
        try:
            await queue.line.enter()
            try:
                yield
            finally:
                queue.line.leave()
        finally:
            queue.inside -= 1
            if not queue.inside:
                del self._queues[key]
