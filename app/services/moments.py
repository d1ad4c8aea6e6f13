"""When is a moment over? Not when the clock has passed it: what was recorded before it may still be uncommitted."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.ledger import TransactionId

# A database that was restored or copied has other transactions, and none of those that were open.
_NOW = sa.text("""
    SELECT pg_snapshot_xmax(pg_current_snapshot()),
        system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
    FROM pg_control_system()
""")


@dataclass(frozen=True, slots=True)
class Mark:
    """Whatever is recorded up to the moment, is so by a transaction with a smaller number."""

    moment: datetime
    transaction: int
    server: str


async def mark(session: AsyncSession) -> Mark:
    """The present moment. Two statements, the clock first: in one the snapshot could be the older of the two."""
    database = await session.connection()
    moment = (await database.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    transaction, server = (await database.execute(_NOW)).one()
    return Mark(moment, transaction, server)


async def has_settled(session: AsyncSession, city_id: str, marked: Mark) -> bool:
    """Whether everything that was recorded up to the mark can be seen by now, and nothing can be added to it."""
    database = await session.connection()
    _, server = (await database.execute(_NOW)).one()
    if server != marked.server:
        return True
    below = sa.bindparam(None, marked.transaction, TransactionId())
    return (await database.execute(sa.select(sa.func.ledger_settled(city_id, below)))).scalar_one()
