import asyncio
import sys
from typing import Literal

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import app.models  # noqa: F401 the tables must be known before they are compared
from alembic import context
from app.core.config import Settings
from app.core.migrations import LOCK_TIMEOUT_MS, ONE_AT_A_TIME
from app.models.ledger import TransactionId

# SQLAlchemy has no name for it, and what it cannot name it cannot compare.
ischema_names["xid8"] = TransactionId
ASK_AGAIN_S = 0.1


def plain_string(kind: str, item: object, _: object) -> str | Literal[False]:
    """SQLModel's own string type is a plain one in the database; migrations must not depend on SQLModel."""
    return f"sa.String(length={item.length})" if kind == "type" and isinstance(item, AutoString) else False


def migrate(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_item=plain_string,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    url = context.config.attributes.get("url") or Settings().database_url
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(url, server_settings={"lock_timeout": str(LOCK_TIMEOUT_MS)}),
        poolclass=NullPool,
    )
    async with engine.connect() as connection:
        await take_turn(connection)
        await connection.run_sync(migrate)
    await engine.dispose()


async def take_turn(connection: AsyncConnection) -> None:
    """Of processes that migrate at once, the later ones find nothing left to do.

    Whoever waited within a statement would be waited for by CREATE INDEX CONCURRENTLY, and give up as on any lock.
    """
    is_told = False
    while True:
        is_mine = await connection.scalar(sa.select(sa.func.pg_try_advisory_lock(ONE_AT_A_TIME)))
        await connection.commit()
        if is_mine:
            return
        if not is_told:
            is_told = True
            print("Another process is migrating this database; waiting for it.", file=sys.stderr)  # noqa: T201 to whoever wonders
        await asyncio.sleep(ASK_AGAIN_S)


asyncio.run(main())
