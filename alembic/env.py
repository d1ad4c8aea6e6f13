import asyncio
from typing import Literal

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import app.models  # noqa: F401 the tables must be known before they are compared
from alembic import context
from app.core.config import Settings
from app.core.migrations import LOCK_TIMEOUT_MS
from app.models.ledger import TransactionId

# SQLAlchemy has no name for it, and what it cannot name it cannot compare.
ischema_names["xid8"] = TransactionId
ONE_AT_A_TIME = 0x6E61726C


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
        # Of processes that migrate at once, the later ones find nothing left to do.
        await connection.execute(sa.select(sa.func.pg_advisory_lock(ONE_AT_A_TIME)))
        await connection.commit()
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(main())
