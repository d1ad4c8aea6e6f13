"""Signing in, staying signed in and signing out.

A sign-in is one device. Its refresh tokens form a family: each is used once and gives the next. A token that
comes a second time was copied by somebody, so the whole family ends (RFC 9700, section 4.14).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.domain.errors import Unauthenticated
from app.domain.permissions import AccountKind, Actor
from app.models.accounts import Account, RefreshToken, SignIn

SIGNED_IN_FOR = timedelta(days=30)
"""From the sign-in, however often it is refreshed."""
SERVICE_SIGNED_IN_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SignedIn:
    account: Account
    sign_in_id: UUID
    refresh_token: str | None
    """None for a service: it has its secret to come back with."""


async def begin(session: AsyncSession, account: Account) -> SignedIn:
    is_person = account.kind is AccountKind.PERSON
    expires_at = utc_now() + (SIGNED_IN_FOR if is_person else SERVICE_SIGNED_IN_FOR)
    sign_in = SignIn(account_id=account.id, expires_at=expires_at)
    session.add(sign_in)
    await session.flush()
    refresh_token = _next_token(session, sign_in) if is_person else None
    return SignedIn(account, sign_in.id, refresh_token)


async def refresh(session: AsyncSession, token: str) -> SignedIn | None:
    """The next pair of tokens, or None after a reuse, which has ended the family.

    None rather than an error, because the end of the family must be committed. Raises Unauthenticated
    for a token that was never ours or belongs to an ended family.
    """
    row = await _locked(session, token)
    if row is None:
        raise Unauthenticated("refresh_refused")
    used, sign_in, account = row
    if sign_in.ended_at or used.expires_at <= utc_now() or not account.is_active:
        raise Unauthenticated("refresh_refused")
    if used.used_at:
        sign_in.ended_at = utc_now()
        return None
    used.used_at = utc_now()
    return SignedIn(account, sign_in.id, _next_token(session, sign_in))


async def end(session: AsyncSession, actor: Actor) -> None:
    """Sign this device out; its access token is refused from the next request on."""
    sign_in = await session.get(SignIn, actor.sign_in_id) if actor.sign_in_id else None
    if sign_in is not None:
        sign_in.ended_at = utc_now()


async def forget_old(session: AsyncSession) -> None:
    """Drop families that nobody can use any more; their tokens go with them."""
    await session.exec(delete(SignIn).where(col(SignIn.expires_at) < utc_now() - timedelta(days=1)))


def _next_token(session: AsyncSession, sign_in: SignIn) -> str:
    token = secrets.token_urlsafe(32)
    session.add(RefreshToken(digest=_digest(token), sign_in_id=sign_in.id, expires_at=sign_in.expires_at))
    return token


async def _locked(session: AsyncSession, token: str) -> tuple[RefreshToken, SignIn, Account] | None:
    """The family is locked, so that two uses of one token at once are seen as the reuse that they are."""
    query = (
        select(RefreshToken, SignIn, Account)
        .join(SignIn, col(SignIn.id) == col(RefreshToken.sign_in_id))
        .join(Account, col(Account.id) == col(SignIn.account_id))
        .where(RefreshToken.digest == _digest(token))
        .with_for_update(of=[SignIn, RefreshToken])
    )
    return (await session.exec(query)).one_or_none()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def access_claims(signed_in: SignedIn) -> dict[str, str | int | None]:
    """What the access token says of the account; nothing of it is personal."""
    account = signed_in.account
    return {
        "role": account.role.value,
        "city": account.city_id,
        "ver": account.authz_version,
        "sid": str(signed_in.sign_in_id),
    }
