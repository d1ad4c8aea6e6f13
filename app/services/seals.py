"""Seals: the ledger is closed in batches that writers never wait for, and each entry can be proved to be in one."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.database import Database, copy_within
from app.core.ids import new_id
from app.domain import seals
from app.domain.errors import Conflict
from app.domain.ledger import Entry
from app.domain.permissions import Actor, Role
from app.domain.seals import MOST_ENTRIES, SealText
from app.models.cities import City
from app.models.ledger import LedgerEntry, TransactionId
from app.models.seals import Seal, SealedEntry
from app.schemas.ledger import InclusionProof
from app.schemas.seals import SealRead
from app.schemas.seals import SealText as SealTextRead
from app.services import entries, moments, reads
from app.services.moments import Mark
from app.services.reads import Query

_SEALER = 0x7365616C
# After a restore the whole ledger is gone through once.
_UNHURRIED = sa.text("SET LOCAL statement_timeout = '30min'")
_HASH_BYTES = 32
_ENTRY = TypeAdapter(Entry)
_SEALED = ("city_id", "number", "entries", "root", "previous", "complete_until", "sealed_at")


def visible_to(role: Role | None) -> SelectOfScalar[Seal]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    return select(Seal).where(col(Seal.city_id) == reads.CITY)


def _card(role: Role | None) -> Query:
    return visible_to(role).with_only_columns(*reads.fields(Seal, SealRead, **_in_hex()))


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _card(role).where(col(Seal.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    return reads.newest_first(_card(role), Seal.id, given)


def _in_hex() -> dict[str, Any]:
    return {name: sa.func.encode(getattr(Seal, name), "hex") for name in ("root", "previous", "digest")}


def proof_parts(role: Role | None, given: frozenset[str]) -> Query:
    """The entry and, if it is sealed, its seal with all leaves in their order."""
    leaf = aliased(SealedEntry)
    in_order: Any = aggregate_order_by(sa.literal(b"", sa.LargeBinary), col(leaf.position))
    leaves = (
        sa.select(sa.func.encode(sa.func.string_agg(col(leaf.leaf), in_order), "hex"))
        .where(col(leaf.city_id) == col(Seal.city_id), col(leaf.seal_id) == col(Seal.id))
        .correlate(Seal)
        .scalar_subquery()
    )
    sealed = sa.and_(col(SealedEntry.city_id) == col(LedgerEntry.city_id), col(SealedEntry.id) == col(LedgerEntry.id))
    seal = sa.and_(col(Seal.city_id) == col(SealedEntry.city_id), col(Seal.id) == col(SealedEntry.seal_id))
    said = {name: getattr(Seal, name) for name in _SEALED} | _in_hex()
    query: Query = entries.visible_to(role).with_only_columns(
        sa.func.json_build_array(*entries.COLUMNS).label("entry"),
        col(SealedEntry.position).label("position"),
        sa.func.json_build_object(*(part for pair in said.items() for part in pair)).label("seal"),
        leaves.label("leaves"),
    )
    return query.outerjoin(SealedEntry, sealed).outerjoin(Seal, seal).where(col(LedgerEntry.id) == reads.ID)


async def proof(database: Database, actor: Actor, entry_id: UUID) -> InclusionProof:
    """Raises NotFound for an entry that is not there, Conflict `not_sealed` for one that is too new."""
    found = json.loads(await reads.document(database, actor, proof_parts, "entry", id=entry_id))
    if found["position"] is None:
        raise Conflict("not_sealed")
    return await asyncio.to_thread(_proved, found)


def _proved(found: dict[str, Any]) -> InclusionProof:
    joined, seal = bytes.fromhex(found["leaves"]), found["seal"]
    leaves = [joined[start : start + _HASH_BYTES] for start in range(0, len(joined), _HASH_BYTES)]
    for name in ("complete_until", "sealed_at"):
        seal[name] = seal[name] and datetime.fromisoformat(seal[name])
    for name in ("root", "previous"):
        seal[name] = seal[name] and bytes.fromhex(seal[name])
    text = SealText(**{name: seal[name] for name in _SEALED})
    return InclusionProof(
        entry=_ENTRY.validate_python(found["entry"]).canonical().decode(),
        position=found["position"],
        path=[beside.hex() for beside in seals.path(leaves, found["position"])],
        seal=SealTextRead.model_validate({**text.members(), "digest": seal["digest"]}),
    )


async def due(session: AsyncSession, sealed_before: datetime) -> list[str]:
    """The cities whose newest seal is older, or that have none yet."""
    newer = sa.exists().where(col(Seal.city_id) == col(City.id), col(Seal.sealed_at) >= sealed_before)
    return list(await session.exec(select(City.id).where(~newer).order_by(City.id)))


async def close(session: AsyncSession, city_id: str, marked: Mark) -> int:
    """One seal over what was recorded up to the mark, at most MOST_ENTRIES. Returns how many entries are in it.

    0 when there is nothing new, while another process seals, or while somebody who began before the mark still
    writes. Seal and entries are one transaction: a process that is killed leaves neither.
    """
    database = await session.connection()
    await database.execute(_UNHURRIED)
    taken = await database.execute(sa.select(sa.func.pg_try_advisory_xact_lock(_SEALER)))
    if not taken.scalar_one() or not await moments.has_settled(session, city_id, marked):
        return 0
    last = await _newest(session, city_id)
    ids, leaves, transaction = list[UUID](), list[bytes](), 0
    async for batch in entries.batches(session, _unsealed(city_id, marked, last)):
        for *fields, transaction in batch:  # noqa: B007 the last one's is wanted
            entry = Entry(*fields)
            ids.append(entry.id)
            leaves.append(seals.leaf_hash(entry.canonical()))
    if ids:
        sealed_at = (await database.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
        text = await _sealed(marked, last, leaves, city_id, sealed_at)
        await _add(session, text, (ids, leaves), (transaction, marked.server))
    return len(ids)


async def _newest(session: AsyncSession, city_id: str) -> Seal | None:
    query = select(Seal).where(Seal.city_id == city_id).order_by(col(Seal.number).desc()).limit(1)
    return (await session.exec(query)).first()


def _unsealed(city_id: str, marked: Mark, last: Seal | None) -> Query:
    """In the order of their transactions, and within one of their ids.

    All of these transactions have ended, so the order is final: what comes before an entry that is sealed is, too.
    On another server the numbers begin anew, and what is sealed is looked up instead.
    """
    number = col(LedgerEntry.transaction_id)
    sealed = sa.exists().where(
        col(SealedEntry.city_id) == col(LedgerEntry.city_id), col(SealedEntry.id) == col(LedgerEntry.id)
    )
    query = sa.select(*entries.COLUMNS, number).where(
        col(LedgerEntry.city_id) == city_id,
        number < sa.bindparam(None, marked.transaction, TransactionId()),
        ~sealed,
    )
    if last is not None and last.server == marked.server:
        query = query.where(number >= sa.bindparam(None, last.last_transaction, TransactionId()))
    return query.order_by(number, col(LedgerEntry.id)).limit(MOST_ENTRIES)


async def _sealed(marked: Mark, last: Seal | None, leaves: list[bytes], city_id: str, sealed_at: datetime) -> SealText:
    # A full batch may leave some for the next one, and then knows no more than the seal before.
    is_complete = len(leaves) < MOST_ENTRIES
    return SealText(
        city_id=city_id,
        number=last.number + 1 if last else 1,
        entries=len(leaves),
        root=await asyncio.to_thread(seals.root, leaves),
        previous=last.digest if last else None,
        complete_until=marked.moment if is_complete else last and last.complete_until,
        sealed_at=sealed_at,
    )


async def _add(
    session: AsyncSession, text: SealText, sealed: tuple[list[UUID], list[bytes]], last: tuple[int, str]
) -> None:
    said = {name: getattr(text, name) for name in _SEALED}
    seal = Seal(**said, id=new_id(), digest=text.digest(), last_transaction=last[0], server=last[1])
    session.add(seal)
    await session.flush()

    async def rows() -> AsyncIterator[tuple[object, ...]]:
        for position, (entry_id, leaf) in enumerate(zip(*sealed, strict=True)):
            yield text.city_id, entry_id, seal.id, position, leaf

    await copy_within(session, "sealed_entry", ("city_id", "id", "seal_id", "position", "leaf"), rows())
