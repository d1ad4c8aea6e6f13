"""The same POST sent twice is done once: its answer is kept for a day, in the transaction that did it."""

import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.core.database import fetch_within
from app.domain.errors import Conflict
from app.models.idempotency import IdempotentAnswer

NOBODY = UUID(int=0)
KEPT_FOR = timedelta(days=1)
_CLAIM = """
    INSERT INTO idempotent_answer (account_id, key, request_digest, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING RETURNING key
"""
_KEPT = "SELECT request_digest, status, headers, body FROM idempotent_answer WHERE account_id = $1 AND key = $2"
_KEEP = "UPDATE idempotent_answer SET status = $3, headers = $4, body = $5 WHERE account_id = $1 AND key = $2"


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
    def of(cls, account_id: UUID | None, key: str, request: tuple[str, bytes], secret: bytes) -> "Slot":
        """`secret` keeps a copy of the database from being searched for bodies that can be guessed, such as those with
        a card or phone number.
        """
        target, body = request
        digest = hmac.digest(secret, target.encode() + b"\0" + body, "sha256")
        return cls(account_id or NOBODY, key, digest)


async def claim(session: AsyncSession, slot: Slot) -> Kept | None:
    """Take the key for this transaction, or give the answer it led to before.

    A second request with a key whose first is still running waits here for its end. Raises Conflict
    `key_reused` when the key came with another request.
    """
    if await fetch_within(session, _CLAIM, slot.account_id, slot.key, slot.digest, utc_now()):
        return None
    (kept,) = await fetch_within(session, _KEPT, slot.account_id, slot.key)
    if kept["request_digest"] != slot.digest:
        raise Conflict("key_reused")
    return Kept(kept["status"] or 0, json.loads(kept["headers"] or "[]"), kept["body"] or b"")


async def keep(session: AsyncSession, slot: Slot, kept: Kept) -> None:
    headers = json.dumps(kept.headers)
    await fetch_within(session, _KEEP, slot.account_id, slot.key, kept.status, headers, kept.body)


async def forget_old(session: AsyncSession) -> None:
    await session.exec(delete(IdempotentAnswer).where(col(IdempotentAnswer.created_at) < utc_now() - KEPT_FOR))
