from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import asyncpg

from app.core.turns import Line

Connection: TypeAlias = "asyncpg.Connection[Any]"


class ReadPool:
    """Connections for single SELECTs, used in turn.

    asyncpg's own pool arms a timeout and shields a task at every acquire and release, which took 90-100 µs of the
    300 that a read took in all. A read needs neither a transaction nor a reset, so taking from a list will do.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], size: int, patience_s: float) -> None:
        self._connect = connect
        self._line = Line(size, patience_s)
        # The last one used is taken first: few connections stay warm instead of all lukewarm.
        self._idle: list[Connection] = []
        self._busy = 0
        self._is_closed = False

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Raises NoTurnError when no connection is free for `patience_s` seconds."""
        await self._line.enter()
        try:
            self._busy += 1
            return await self._fetch(self._idle.pop() if self._idle else await self._connect(), sql, arguments)
        finally:
            self._busy -= 1
            self._line.leave()

    async def _fetch(self, connection: Connection, sql: str, arguments: tuple[object, ...]) -> list[asyncpg.Record]:
        is_whole = False
        try:
            rows = await connection.fetch(sql, *arguments)
            is_whole = True
        except asyncpg.PostgresError:
            is_whole = not connection.is_closed()
            raise
        finally:
            # After a cancellation an answer may still be under way that would be taken for that of the next question.
            if is_whole and not self._is_closed:
                self._idle.append(connection)
            else:
                connection.terminate()
        return rows

    def forget_idle(self) -> None:
        """After one connection turned out to be dead: the others were probably killed with it."""
        while self._idle:
            self._idle.pop().terminate()

    async def close(self) -> None:
        """Those that are being used end with what they were asked."""
        self._is_closed = True
        while self._idle:
            await self._idle.pop().close()

    def open_count(self) -> int:
        return self._busy + len(self._idle)

    def idle_count(self) -> int:
        return len(self._idle)
