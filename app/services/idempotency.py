"""The same POST sent twice is done once: its answer is kept for a day, in the transaction that did it."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.domain.errors import Conflict
from app.models.idempotency import IdempotentAnswer

NOBODY = UUID(int=0)
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kept:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Slot:
    """A key of one account, with the digest of the request that it was sent with."""

    account_id: UUID
    key: str
    digest: bytes

    @classmethod
    def of(cls, account_id: UUID | None, key: str, request: tuple[str, bytes]) -> "Slot":
        target, body = request
        digest = hashlib.sha256(target.encode() + b"\0" + body).digest()
        return cls(account_id or NOBODY, key, digest)


async def claim(session: AsyncSession, slot: Slot) -> Kept | None:
    """Take the key for this transaction, or give the answer it led to before.

    A second request with a key whose first is still running waits here for its end. Raises Conflict
    `key_reused` when the key came with another request.
    """
    taken = await session.exec(
        insert(IdempotentAnswer)
        .values(account_id=slot.account_id, key=slot.key, request_digest=slot.digest, created_at=utc_now())
        .on_conflict_do_nothing()
        .returning(col(IdempotentAnswer.key))
    )
    if taken.first() is not None:
        return None
    kept = (await session.exec(select(IdempotentAnswer).where(*_this(slot)))).one()
    if kept.request_digest != slot.digest:
        raise Conflict("key_reused")
    return Kept(kept.status or 0, json.loads(kept.headers or "[]"), kept.body or b"")


async def keep(session: AsyncSession, slot: Slot, kept: Kept) -> None:
    headers = json.dumps(kept.headers)
    values = {"status": kept.status, "headers": headers, "body": kept.body}
    await session.exec(update(IdempotentAnswer).where(*_this(slot)).values(**values))


async def forget_old(session: AsyncSession) -> None:
    await session.exec(delete(IdempotentAnswer).where(col(IdempotentAnswer.created_at) < utc_now() - KEPT_FOR))


def _this(slot: Slot) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(IdempotentAnswer.account_id) == slot.account_id, col(IdempotentAnswer.key) == slot.key
