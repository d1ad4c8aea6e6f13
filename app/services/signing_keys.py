"""The issuer's key pairs: made, rotated and retired here; every process reads them anew each minute.

A new key is published before it signs, so that no verifier meets it unprepared, and stays published until
the last token it signed has expired.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.cipher import Cipher
from app.core.tokens import LIFETIME, SigningKey
from app.models import accounts

SIGNS_FOR = timedelta(days=30)
PUBLISHED_BEFORE = timedelta(minutes=15)
_LOCK = 0x6E61726B  # one process at a time makes a key


async def rotated(session: AsyncSession, cipher: Cipher, now: datetime) -> list[SigningKey]:
    """The keys to publish, the one that signs first; makes the next one when it is due and drops expired ones."""
    await session.exec(select(func.pg_advisory_xact_lock(_LOCK)))
    rows = await _stored(session)
    if not rows or rows[0].created_at <= now - SIGNS_FOR:
        session.add(_new(cipher, now))
        await session.flush()
    await _drop_expired(session, now)
    rows = await _stored(session)
    # The newest that all processes and verifiers have had time to read; the very first signs at once.
    ready = [row for row in rows if row.created_at <= now - PUBLISHED_BEFORE] or rows[-1:]
    others = [row for row in rows if row is not ready[0]]
    return [SigningKey(row.kid, cipher.decrypt(row.private_pem_encrypted)) for row in (ready[0], *others)]


async def _stored(session: AsyncSession) -> list[accounts.SigningKey]:
    newest_first = select(accounts.SigningKey).order_by(col(accounts.SigningKey.created_at).desc())
    return list(await session.exec(newest_first))


def _new(cipher: Cipher, now: datetime) -> accounts.SigningKey:
    key = SigningKey.generate()
    return accounts.SigningKey(kid=key.kid, private_pem_encrypted=cipher.encrypt(key.private_pem), created_at=now)


async def _drop_expired(session: AsyncSession, now: datetime) -> None:
    """A key signed last when its successor became ready, and the last token lived LIFETIME longer."""
    longest = SIGNS_FOR + PUBLISHED_BEFORE + LIFETIME + timedelta(days=1)
    newest = select(func.max(accounts.SigningKey.created_at)).scalar_subquery()
    await session.exec(
        delete(accounts.SigningKey).where(
            col(accounts.SigningKey.created_at) < now - longest,
            col(accounts.SigningKey.created_at) < newest,
        )
    )
