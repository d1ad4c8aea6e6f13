"""What routes ask for: the session, the actor, a permission, the version to change.

All of it is async: FastAPI sends plain functions to a thread, which costs more than most of our queries.
"""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import OAuth2PasswordBearer
from sqlmodel.ext.asyncio.session import AsyncSession

from app.authentication import Identity, actor_of
from app.core.config import Settings
from app.core.database import Database
from app.core.passwords import Passwords
from app.core.throttle import Throttle
from app.domain.errors import Forbidden, PreconditionFailed, PreconditionRequired, Unauthenticated
from app.domain.permissions import Actor, Permission

_STRONG_TAG = re.compile(r'"([0-9]{1,9})"')
# For OpenAPI and its "Authorize" button; the token itself is read by authentication.actor_of.
oauth2 = OAuth2PasswordBearer("/v1/auth/token", refreshUrl="/v1/auth/token", auto_error=False)


async def get_database(request: Request) -> Database:
    return request.app.state.database


async def get_session(request: Request) -> AsyncSession:
    """The transaction that app.routing opened around this route."""
    return request.state.session


async def get_settings(request: Request) -> Settings:
    return request.app.state.settings


async def get_identity(request: Request) -> Identity:
    return request.app.state.identity


async def get_passwords(request: Request) -> Passwords:
    return request.app.state.passwords


async def get_throttle(request: Request) -> Throttle:
    return request.app.state.throttle


async def current_actor(request: Request, _: Annotated[str | None, Depends(oauth2)]) -> Actor:
    # A write's actor was found and confirmed when its transaction began.
    actor: Actor | None = getattr(request.state, "actor", None) or await actor_of(request)
    if actor is None:
        raise Unauthenticated
    return actor


async def client_address(request: Request) -> str:
    """As uvicorn gives it: of a trusted proxy, the address that it forwards for."""
    return request.client.host if request.client else "unknown"


Reads = Annotated[Database, Depends(get_database)]
Session = Annotated[AsyncSession, Depends(get_session)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
IdentityDep = Annotated[Identity, Depends(get_identity)]
PasswordsDep = Annotated[Passwords, Depends(get_passwords)]
ThrottleDep = Annotated[Throttle, Depends(get_throttle)]
SignedInActor = Annotated[Actor, Depends(current_actor)]
Address = Annotated[str, Depends(client_address)]


@dataclass(frozen=True, slots=True)
class Allow:
    """`Depends(Allow(X))`: the permission stays readable on the route."""

    permission: Permission

    async def __call__(self, actor: SignedInActor) -> Actor:
        if not actor.may(self.permission):
            raise Forbidden("forbidden")
        if not actor.city_id:
            raise Forbidden("city_needed")
        return actor


async def expected_version(
    if_match: Annotated[str | None, Header(description="The ETag that was read", examples=['"1"'])] = None,
) -> int:
    """The version named by If-Match. Raises PreconditionRequired without one; a weak or odd one never matches."""
    if if_match is None:
        raise PreconditionRequired
    if not (version := _STRONG_TAG.fullmatch(if_match.strip())):
        raise PreconditionFailed
    return int(version[1])


ExpectedVersion = Annotated[int, Depends(expected_version)]
