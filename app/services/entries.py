"""Entries of the ledger, read: page by page for people, in batches for digests."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.domain.ledger import SUBJECTS, Entry, Subject
from app.domain.metrics import Origin
from app.domain.permissions import Role
from app.models.ledger import LedgerEntry
from app.models.seals import SealedEntry
from app.schemas.ledger import LedgerEntryRead
from app.services import reads
from app.services.reads import Query

COLUMNS: list[Any] = [getattr(LedgerEntry, name) for name in Entry._fields]
"""What `Entry` is made of."""
# Hashing so many takes less than 5 ms, which is as long as the event loop may be held.
_BATCH = 500

_SUBJECT_KIND = sa.case(
    (col(LedgerEntry.origin) == Origin.DECLARED, Subject.DECLARED_COUNT.value),
    *((col(LedgerEntry.metric) == metric, subject.value) for metric, subject in SUBJECTS.items()),
)
_FILTERS: dict[str, sa.ColumnElement[bool]] = {
    "metric": col(LedgerEntry.metric) == sa.bindparam("metric", type_=sa.Text),
    "origin": col(LedgerEntry.origin) == sa.bindparam("origin", type_=sa.Text),
    "from_day": col(LedgerEntry.occurred_on) >= sa.bindparam("from_day", type_=sa.Date),
    "to_day": col(LedgerEntry.occurred_on) <= sa.bindparam("to_day", type_=sa.Date),
    "district": col(LedgerEntry.district_id) == sa.bindparam("district", type_=sa.Text),
    "has_district": col(LedgerEntry.district_id).is_not(None) == sa.bindparam("has_district", type_=sa.Boolean),
    "subject_id": col(LedgerEntry.subject_id) == sa.bindparam("subject_id", type_=sa.Uuid),
    "as_of": col(LedgerEntry.recorded_at) <= sa.bindparam("as_of", type_=sa.DateTime(timezone=True)),
}


def visible_to(role: Role | None) -> SelectOfScalar[LedgerEntry]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    return select(LedgerEntry).where(col(LedgerEntry.city_id) == reads.CITY)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    sealed = sa.and_(col(SealedEntry.city_id) == col(LedgerEntry.city_id), col(SealedEntry.id) == col(LedgerEntry.id))
    columns = reads.fields(LedgerEntry, LedgerEntryRead, subject_kind=_SUBJECT_KIND, seal_id=col(SealedEntry.seal_id))
    query: Query = visible_to(role).with_only_columns(*columns).outerjoin(SealedEntry, sealed)
    query = query.where(*(condition for name, condition in _FILTERS.items() if name in given))
    return reads.newest_first(query, LedgerEntry.id, given)


async def batches(session: AsyncSession, query: Query) -> AsyncGenerator[Sequence[Any]]:
    """The rows of a query through a cursor: never all in memory, and the event loop is free in between."""
    database = await session.connection()
    async with database.stream(query, execution_options={"yield_per": _BATCH}) as rows:
        async for batch in rows.partitions():
            yield batch


async def exists(session: AsyncSession, city_id: str, entry_id: UUID) -> bool:
    query = select(LedgerEntry.id).where(LedgerEntry.city_id == city_id, LedgerEntry.id == entry_id)
    return (await session.exec(query)).first() is not None
