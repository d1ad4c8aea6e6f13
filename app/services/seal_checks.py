"""All seals of a city made again from the ledger: the first thing that does not fit is named."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain import seals
from app.domain.ledger import Entry
from app.domain.seals import SealText
from app.models.ledger import LedgerEntry
from app.models.seals import Seal, SealedEntry
from app.services import entries
from app.services.reads import Query

_SEALED_ID = cast("Any", col(SealedEntry.id).label("sealed_id"))
_UNHURRIED = sa.text("SET LOCAL statement_timeout = '30min'")


class Misfit(StrEnum):
    SEAL_MISSING = "a seal before this one is missing"
    SEAL_CHANGED = "the seal itself was changed"
    CHAIN_BROKEN = "it does not follow the seal before"
    ENTRY_DELETED = "the entry was deleted"
    ENTRY_CHANGED = "the entry was changed"
    ENTRIES_MOVED = "the seal does not have the entries that it was made of"
    ENTRY_ADDED = "the entry was put in after the ledger was sealed"
    SEAL_DELETED = "the seal of this entry was deleted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was gone through, the last seal's digest, and what did not fit: None if all did."""

    seals: int
    entries: int
    digest: bytes | None = None
    misfit: Misfit | None = None
    number: int | None = None
    """Of the seal that the misfit is in."""
    entry_id: UUID | None = None


class _Found(Exception):
    def __init__(self, misfit: Misfit, number: int | None = None, entry_id: UUID | None = None) -> None:
        super().__init__(misfit)
        self.misfit, self.number, self.entry_id = misfit, number, entry_id


async def verify(session: AsyncSession, city_id: str) -> Verdict:
    """From the first seal on, entry by entry; ends at the first misfit."""
    await (await session.connection()).execute(_UNHURRIED)
    last: Seal | None = None
    gone_through = 0
    try:
        async for seal in _seals(session, city_id):
            _follow(last, seal)
            await _compare(session, seal)
            last, gone_through = seal, gone_through + seal.entries
        await _look_for_others(session, city_id, last)
    except _Found as found:
        number = last.number if last else 0
        return Verdict(number, gone_through, last and last.digest, found.misfit, found.number, found.entry_id)
    return Verdict(last.number if last else 0, gone_through, last and last.digest)


async def _seals(session: AsyncSession, city_id: str) -> AsyncIterator[Seal]:
    for seal in await session.exec(select(Seal).where(Seal.city_id == city_id).order_by(col(Seal.number))):
        yield seal


def _follow(last: Seal | None, seal: Seal) -> None:
    text = SealText(
        seal.city_id, seal.number, seal.entries, seal.root, seal.previous, seal.complete_until, seal.sealed_at
    )
    if seal.number != (last.number if last else 0) + 1:
        raise _Found(Misfit.SEAL_MISSING, seal.number)
    if text.digest() != seal.digest:
        raise _Found(Misfit.SEAL_CHANGED, seal.number)
    if seal.previous != (last.digest if last else None):
        raise _Found(Misfit.CHAIN_BROKEN, seal.number)


async def _compare(session: AsyncSession, seal: Seal) -> None:
    leaves = list[bytes]()
    async for batch in entries.batches(session, _sealed(seal)):
        for row in batch:
            _compare_entry(seal, len(leaves), row)
            leaves.append(row.leaf)
    if len(leaves) != seal.entries or seals.root(leaves) != seal.root:
        raise _Found(Misfit.ENTRIES_MOVED, seal.number)


def _compare_entry(seal: Seal, position: int, row: Any) -> None:
    if row.position != position:
        raise _Found(Misfit.ENTRIES_MOVED, seal.number)
    if row.id is None:
        raise _Found(Misfit.ENTRY_DELETED, seal.number, row.sealed_id)
    entry = Entry(*(getattr(row, name) for name in Entry._fields))
    if seals.leaf_hash(entry.canonical()) != row.leaf:
        raise _Found(Misfit.ENTRY_CHANGED, seal.number, row.sealed_id)


def _sealed(seal: Seal) -> Query:
    same = sa.and_(col(LedgerEntry.city_id) == col(SealedEntry.city_id), col(LedgerEntry.id) == col(SealedEntry.id))
    return (
        sa.select(col(SealedEntry.position), col(SealedEntry.leaf), _SEALED_ID, *entries.COLUMNS)
        .select_from(SealedEntry)
        .outerjoin(LedgerEntry, same)
        .where(col(SealedEntry.city_id) == seal.city_id, col(SealedEntry.seal_id) == seal.id)
        .order_by(col(SealedEntry.position))
    )


async def _look_for_others(session: AsyncSession, city_id: str, last: Seal | None) -> None:
    """Entries that claim to be from before the last seal and are in none, or in one that is gone."""
    orphan = select(SealedEntry.id).where(
        SealedEntry.city_id == city_id,
        ~sa.exists().where(col(Seal.city_id) == col(SealedEntry.city_id), col(Seal.id) == col(SealedEntry.seal_id)),
    )
    if entry_id := (await session.exec(orphan.limit(1))).first():
        raise _Found(Misfit.SEAL_DELETED, None, entry_id)
    if last is None or last.complete_until is None:
        return
    sealed = sa.exists().where(
        col(SealedEntry.city_id) == col(LedgerEntry.city_id), col(SealedEntry.id) == col(LedgerEntry.id)
    )
    late = select(LedgerEntry.id).where(
        LedgerEntry.city_id == city_id, col(LedgerEntry.recorded_at) <= last.complete_until, ~sealed
    )
    if entry_id := (await session.exec(late.order_by(col(LedgerEntry.recorded_at)).limit(1))).first():
        raise _Found(Misfit.ENTRY_ADDED, None, entry_id)
