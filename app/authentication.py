"""From an access token to the actor it speaks for, and back."""

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from fastapi import Request
from sqlmodel import col, select

from app.core.clock import utc_now
from app.core.config import Settings
from app.core.database import Database, retried
from app.core.tokens import Claims, Issuer, SigningKey, TokenError, Verifier
from app.domain.errors import Unauthenticated
from app.domain.permissions import Actor, Role
from app.models.accounts import Account
from app.services.sign_in import SignedIn, access_claims

AUDIENCE = "narkostop"
# Many identity providers do not know RFC 9068 yet; their tokens are told apart by the audience pinned in the settings.
_OUTSIDE_TYPES = ("at+jwt", "JWT")
_CITY = re.compile(r"[a-z][a-z0-9-]{1,31}")


class Identity:
    """Signs our access tokens and believes them, and those of one outside issuer if the settings name one."""

    def __init__(self, settings: Settings, keys: list[SigningKey]) -> None:
        self._name = str(settings.public_url).rstrip("/")
        self.outside_name = settings.external_issuer
        self._outside_audience = settings.external_audience
        self._outside: Verifier | None = None
        self._verifier = Verifier([key.public_jwk() for key in keys], issuer=self._name, audience=AUDIENCE)
        self.use(keys)

    def use(self, keys: list[SigningKey]) -> None:
        """Sign with the first of these keys and believe them all."""
        self.jwks = [key.public_jwk() for key in keys]
        self._issuer = Issuer(keys[0], issuer=self._name, audience=AUDIENCE)
        self._verifier.replace_keys(self.jwks)

    def use_outside(self, jwks: list[Mapping[str, object]]) -> None:
        if self._outside:
            self._outside.replace_keys(jwks)
        elif self.outside_name and self._outside_audience:
            self._outside = Verifier(
                jwks, issuer=self.outside_name, audience=self._outside_audience, types=_OUTSIDE_TYPES
            )

    def access_token(self, signed_in: SignedIn) -> str:
        return self._issuer.issue(subject=str(signed_in.account.id), claims=access_claims(signed_in), now=utc_now())

    def claims(self, token: str) -> Claims:
        return self._verifier.verify(token, now=utc_now())

    def outside_claims(self, token: str) -> Claims:
        if self._outside is None:
            raise TokenError
        return self._outside.verify(token, now=utc_now())


async def actor_of(request: Request) -> Actor | None:
    """Who the bearer token speaks for; None without one. Raises Unauthenticated for a token not to be believed.

    Whether the token still stands is asked of the database with the read or write that follows.
    """
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    identity: Identity = request.app.state.identity
    try:
        actor = _ours(identity.claims(token))
    except TokenError:
        actor = await _outside(request, identity, token)
    return _in_city(request, actor)


def expiry_of(request: Request) -> datetime:
    """When the token that `actor_of` believed expires."""
    token = request.headers["authorization"].partition(" ")[2]
    identity: Identity = request.app.state.identity
    try:
        return identity.claims(token).exp
    except TokenError:
        return identity.outside_claims(token).exp


def _ours(claims: Claims) -> Actor:
    said = claims.extra
    city_id = str(said["city"] or "")
    return Actor(
        account_id=UUID(claims.sub),
        city_id=city_id,
        role=Role(str(said["role"])),
        authz_version=int(said["ver"] or 0),
        sign_in_id=UUID(str(said["sid"])),
        republic=not city_id,
    )


async def _outside(request: Request, identity: Identity, token: str) -> Actor:
    """An outside issuer says who it is; what they may do stands in our account."""
    try:
        claims = identity.outside_claims(token)
    except TokenError:
        raise Unauthenticated from None
    account = await _outside_account(request.app.state.database, identity, claims.sub)
    return Actor(
        account_id=account.id,
        city_id=account.city_id or "",
        role=account.role,
        authz_version=account.authz_version,
        sign_in_id=None,
        republic=account.city_id is None,
    )


async def _outside_account(database: Database, identity: Identity, subject: str) -> Account:
    query = select(Account).where(
        col(Account.external_issuer) == identity.outside_name,
        col(Account.external_subject) == subject,
        col(Account.is_active).is_(True),
    )

    async def found() -> Account | None:
        async with database.transaction() as session:
            return (await session.exec(query)).one_or_none()

    account = await retried(found)
    if account is None:
        raise Unauthenticated
    return account


def _in_city(request: Request, actor: Actor) -> Actor:
    """An account of no city names one with each request; a city's account cannot name another."""
    named = request.headers.get("x-city", "")
    if not actor.republic or not _CITY.fullmatch(named):
        return actor
    return Actor(actor.account_id, named, actor.role, actor.authz_version, actor.sign_in_id, republic=True)
