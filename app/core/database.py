"""The two ways to PostgreSQL: `transaction` for writes, `fetch` for reads. The only commit is here."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeVar

import asyncpg
from sqlalchemy import RowMapping
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, async_sessionmaker, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.read_pool import ReadPool
from app.core.turns import NoTurnError

T = TypeVar("T")
Row = asyncpg.Record | RowMapping

ACQUIRE_TIMEOUT_S = 3
ATTEMPTS = 4
_SERIALIZATION_FAILURE, _DEADLOCK = "40001", "40P01"
_STATEMENT_CANCELLED = "57014"
# asyncpg raises its internal error when the server is killed in the middle of an answer.
_LOST = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_LATE = (NoTurnError, TimeoutError, asyncpg.QueryCanceledError, asyncpg.TooManyConnectionsError)


class DatabaseUnavailableError(Exception):
    """No connection could be had, or the statement ran too long; nothing was written."""


class OutcomeUnknownError(DatabaseUnavailableError):
    """The connection was lost during COMMIT: it may have been written, or not."""


class _PassingError(DatabaseUnavailableError):
    """The same work may well succeed in a moment."""


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """Sizes are connections of this process; PostgreSQL must allow their sum over all processes."""

    url: str
    read_connections: int = 10
    write_connections: int = 10
    statement_cache_size: int = 256
    statement_timeout_ms: int = 10_000


class Database:
    """Both pools of one process. Opened and closed with the application."""

    def __init__(self, engine: AsyncEngine, reads: ReadPool) -> None:
        self.engine = engine
        self.reads = reads
        # Without autoflush a half-made change is never sent: a flow sets status and date, then one UPDATE goes out.
        self._sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False, autoflush=False)

    @classmethod
    @asynccontextmanager
    async def opened(cls, options: DatabaseOptions) -> AsyncGenerator[Self]:
        """Connects at once, so that a wrong address is found at start and not by the first volunteer."""
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=lambda: _connect(options, read_only=False),
            pool_size=options.write_connections,
            max_overflow=0,
            pool_timeout=ACQUIRE_TIMEOUT_S,
            pool_use_lifo=True,
            query_cache_size=2_000,
            connect_args={"prepared_statement_cache_size": options.statement_cache_size},
        )
        reads = ReadPool(partial(_connect, options, read_only=True), options.read_connections, ACQUIRE_TIMEOUT_S)
        try:
            await reads.fetch("SELECT 1")
            yield cls(engine, reads)
        finally:
            await reads.close()
            await engine.dispose()

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncSession]:
        """One unit of work: committed when the block ends, rolled back when it raises."""
        async with self._sessions() as session:
            yield session
            await session.commit()

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one SELECT outside any transaction; asked again once if the connection turns out to be dead."""
        try:
            try:
                return await self.reads.fetch(sql, *arguments)
            except _LOST:
                self.reads.forget_idle()
                return await self.reads.fetch(sql, *arguments)
        except (*_LOST, *_LATE) as error:
            raise DatabaseUnavailableError from error


async def fetch_within(session: AsyncSession, sql: str, *arguments: object) -> Sequence[Row]:
    """As `Database.fetch`, but in the session's own transaction: the same connection, without SQLAlchemy's share."""
    connection = await session.connection()
    if not _driver(connection).is_in_transaction():
        # SQLAlchemy begins one with the first statement of its own; beneath it, this would be none.
        begun = await connection.exec_driver_sql(sql, arguments)
        return begun.mappings().all() if begun.returns_rows else ()
    async with _beneath(connection) as driver:
        return await driver.fetch(sql, *arguments)


async def copy_within(
    session: AsyncSession,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]] | AsyncIterable[Sequence[object]],
) -> None:
    """COPY rows into a table in the session's own transaction, as fast as they come and never all in memory."""
    connection = await session.connection()
    if not _driver(connection).is_in_transaction():
        await connection.exec_driver_sql("SELECT")
    async with _beneath(connection) as driver:
        await driver.copy_records_to_table(table, columns=columns, records=rows)


def _driver(connection: AsyncConnection) -> "asyncpg.Connection[Any]":
    # Not by get_raw_connection(), which starts a greenlet for it each time.
    assert connection.sync_connection
    driver = connection.sync_connection.connection.driver_connection
    assert driver is not None
    return driver


@asynccontextmanager
async def _beneath(connection: AsyncConnection) -> AsyncGenerator["asyncpg.Connection[Any]"]:
    driver = _driver(connection)
    try:
        yield driver
    except _LOST:
        # SQLAlchemy did not see it fail and would hand it to the next request.
        await connection.invalidate()
        raise


async def retried(work: Callable[[], Awaitable[T]]) -> T:
    """Run a whole unit of work again when PostgreSQL chose it as a victim or its connection was dead.

    Nothing was committed in either case, so the work can be done once more from its beginning.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return await _translated(work)
        except _PassingError:
            await asyncio.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311 jitter, not a secret
    return await _translated(work)


async def _translated(work: Callable[[], Awaitable[T]]) -> T:
    try:
        return await work()
    except PoolTimeoutError as error:
        raise DatabaseUnavailableError from error
    except _LOST as error:
        raise _PassingError from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise (OutcomeUnknownError if error.statement is None else _PassingError) from error
        raise _meaning(error, getattr(error.orig, "sqlstate", None)) from error
    except asyncpg.PostgresError as error:
        # Of what was asked beneath SQLAlchemy.
        raise _meaning(error, error.sqlstate) from error


def _meaning(error: Exception, state: str | None) -> Exception:
    if state in {_SERIALIZATION_FAILURE, _DEADLOCK}:
        return _PassingError()
    return DatabaseUnavailableError() if state == _STATEMENT_CANCELLED else error


async def _connect(options: DatabaseOptions, *, read_only: bool) -> "asyncpg.Connection[Any]":
    return await asyncpg.connect(
        options.url,
        statement_cache_size=options.statement_cache_size,
        # However long a statement is: to parse the roll-up's 39 kB each time takes longer than to run it.
        max_cacheable_statement_size=0,
        server_settings={
            "application_name": "narkostop",
            "timezone": "UTC",
            "jit": "off",
            # Starting a worker takes 10 ms, which is more than any read of ours may.
            "max_parallel_workers_per_gather": "0",
            # A read is composed for the filters that are given: to plan it for their values too takes longer than
            # to run it. A write may join any number of rows, and is planned for what it meets.
            "plan_cache_mode": "force_generic_plan" if read_only else "auto",
            "statement_timeout": str(options.statement_timeout_ms),
            "default_transaction_read_only": "on" if read_only else "off",
        },
    )
