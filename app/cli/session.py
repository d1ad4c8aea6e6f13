"""What commands have in common: a database that is there, and one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlmodel.ext.asyncio.session import AsyncSession

from app.cli.errors import CommandError
from app.cli.settings import load_settings
from app.core.config import Settings
from app.core.database import Database, DatabaseOptions, DatabaseUnavailableError, retried
from app.core.embedded import EmbeddedPostgresError, running_postgres
from app.core.migrations import NewerDatabaseError, head, upgrade
from app.domain.errors import DomainError
from app.messages import problem

T = TypeVar("T")
OLDEST_POSTGRES = 150_000
URL_FORM = "postgresql://USER:PASSWORD@HOST:PORT/NAME"


@contextmanager
def ready(settings: Settings) -> Generator[Settings]:
    """The settings with a database that runs and is migrated.

    The bundled PostgreSQL is started unless DATABASE_URL names another, and stopped with the block.
    """
    if settings.database_url:
        yield _migrated(settings, settings.database_url)
        return
    try:
        with running_postgres(settings.data_dir.absolute() / "postgres") as url:
            yield _migrated(settings, url)
    except EmbeddedPostgresError as error:
        raise CommandError(str(error)) from error


def refuse_unprepared(url: str) -> None:
    """Raise CommandError unless the database can be reached and is at this version's migration."""
    if asyncio.run(_current_revision(url)) != head():
        raise CommandError("the database is not at this version's migration: use `narkostop migrate` first")


def _migrated(settings: Settings, url: str) -> Settings:
    current = asyncio.run(_current_revision(url))
    try:
        upgrade(url, current)
    except NewerDatabaseError as error:
        raise CommandError(
            f"the database was made by a newer version (migration {error}); install that version"
        ) from None
    except DBAPIError as error:
        raise CommandError(f"the migration was undone: {error.orig}") from error
    return settings.model_copy(update={"database_url": url})


async def _current_revision(url: str) -> str | None:
    """None for an empty database. Raises CommandError for one that cannot be reached or is too old."""
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except ValueError:
        # What cannot be read is not repeated: a password with an @ or / in it is a usual cause.
        raise CommandError(f"DATABASE_URL cannot be read; it is {URL_FORM}, the password percent-encoded") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        raise CommandError(f"cannot reach the database named by DATABASE_URL: {error or 'no answer in 10 s'}") from None
    try:
        if int(await connection.fetchval("SHOW server_version_num")) < OLDEST_POSTGRES:
            raise CommandError("PostgreSQL 15 or newer is needed")
        if not await connection.fetchval("SELECT lower('Ә') = 'ә'"):
            raise CommandError("the database's locale knows no Kazakh letters: create it with a UTF-8 one, as C.UTF-8")
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        return await connection.fetchval("SELECT version_num FROM alembic_version")
    finally:
        await connection.close()


def in_transaction(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """As `with_database`, for one unit of work."""
    return with_database(lambda database: unit(database, work))


async def unit(database: Database, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    """In one transaction, done again when PostgreSQL chose it as a deadlock's victim."""

    async def once() -> T:
        async with database.transaction() as session:
            return await work(session)

    return await retried(once)


def with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """Run on the ready database; a refusal of the domain becomes a CommandError."""

    async def run(settings: Settings) -> T:
        async with Database.opened(DatabaseOptions(settings.database_url or "")) as database:
            return await work(database)

    with ready(load_settings()) as settings:
        try:
            return asyncio.run(run(settings))
        except DomainError as error:
            raise CommandError(problem(error.code, "en", error.details)) from None
        except DatabaseUnavailableError:
            raise CommandError("the database is busy or was lost; look whether it was done, then try again") from None
