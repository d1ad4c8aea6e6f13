"""What routes ask for: the session, the actor, a permission, the version to change.

All of it is async: FastAPI sends plain functions to a thread, which costs more than most of our queries.
"""

import re
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import OAuth2PasswordBearer
from fastapi.security.base import SecurityBase
from sqlmodel.ext.asyncio.session import AsyncSession

from app.authentication import Identity, actor_of
from app.core.config import Settings
from app.core.database import Database
from app.core.passwords import Passwords
from app.core.throttle import Throttle
from app.domain.errors import Fault, Forbidden, Invalid, PreconditionFailed, PreconditionRequired, Unauthenticated
from app.domain.permissions import Actor, Permission
from app.services import reads
from app.services.documents import Documents
from app.services.figure_checks import FigureChecks
from app.services.revisions import Revisions

_STRONG_TAG = re.compile(r'"([0-9]{1,9})"')
# For OpenAPI and its "Authorize" button; the token itself is read by authentication.actor_of.
_OAUTH2 = OAuth2PasswordBearer("/v1/auth/token", refreshUrl="/v1/auth/token", auto_error=False)


def database_of(request: Request) -> Database:
    """Called, and not asked for: a dependency that only hands something on costs each read 13 µs."""
    return request.app.state.database


async def get_session(request: Request) -> AsyncSession:
    """The transaction that app.routing opened around this route."""
    return request.state.session


async def get_settings(request: Request) -> Settings:
    return request.app.state.settings


async def get_raid_key(request: Request) -> bytes:
    """What raids' codes and draws are made with, so that they cannot be foretold."""
    return request.app.state.raid_key


async def get_card_key(request: Request) -> bytes:
    """What numbers of payment cards are compared with, so that a copy of the database does not tell them."""
    return request.app.state.card_key


async def get_identity(request: Request) -> Identity:
    return request.app.state.identity


async def get_passwords(request: Request) -> Passwords:
    return request.app.state.passwords


async def get_throttle(request: Request) -> Throttle:
    return request.app.state.throttle


class SignedIn(SecurityBase):
    """Whoever is signed in. One dependency and not three, because each costs every request (bench/PROFILE.md)."""

    def __init__(self) -> None:
        self.model, self.scheme_name = _OAUTH2.model, _OAUTH2.scheme_name

    async def __call__(self, request: Request) -> Actor:
        # A write's actor was found and confirmed when its transaction began.
        actor: Actor | None = getattr(request.state, "actor", None) or await actor_of(request)
        if actor is None:
            raise Unauthenticated
        return actor


class Allow(SignedIn):
    """`Depends(Allow(X))`: the permission stays readable on the route."""

    def __init__(self, permission: Permission) -> None:
        super().__init__()
        self.permission = permission

    async def __call__(self, request: Request) -> Actor:
        actor = await super().__call__(request)
        if not actor.may(self.permission):
            # The token may name a role of yesterday: then it is to be refreshed, not refused.
            await reads.check_stands(database_of(request), actor)
            raise Forbidden("forbidden")
        if actor.republic:
            await _check_city(request, actor)
        return actor


async def _check_city(request: Request, actor: Actor) -> None:
    """A list of a city that is not there would be empty, as if nothing had happened in it."""
    if not actor.city_id:
        if request.headers.get("x-city"):
            raise Invalid(Fault("not_a_slug", "/header/X-City"))
        raise Forbidden("city_needed")
    await reads.check_city(database_of(request), actor)


async def client_address(request: Request) -> str:
    """As uvicorn gives it: of a trusted proxy, the address that it forwards for."""
    return request.client.host if request.client else "unknown"


async def get_revisions(request: Request) -> Revisions:
    return request.app.state.revisions


async def get_documents(request: Request) -> Documents:
    return request.app.state.documents


async def get_figure_checks(request: Request) -> FigureChecks:
    return request.app.state.figure_checks


Session = Annotated[AsyncSession, Depends(get_session)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
RaidKey = Annotated[bytes, Depends(get_raid_key)]
CardKey = Annotated[bytes, Depends(get_card_key)]
IdentityDep = Annotated[Identity, Depends(get_identity)]
PasswordsDep = Annotated[Passwords, Depends(get_passwords)]
RevisionsDep = Annotated[Revisions, Depends(get_revisions)]
DocumentsDep = Annotated[Documents, Depends(get_documents)]
FigureChecksDep = Annotated[FigureChecks, Depends(get_figure_checks)]
ThrottleDep = Annotated[Throttle, Depends(get_throttle)]
SignedInActor = Annotated[Actor, Depends(SignedIn())]
Address = Annotated[str, Depends(client_address)]


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
