from typing import Annotated

from fastapi import Form, Request, Response
from starlette.responses import JSONResponse

from app import problems as refusals
from app.authentication import Identity
from app.core.tokens import LIFETIME
from app.deps import Address, IdentityDep, PasswordsDep, Session, SignedInActor, ThrottleDep, database_of
from app.domain.errors import Forbidden, TooManyRequests, Unauthenticated
from app.domain.permissions import AccountKind
from app.problems import problems
from app.routing import PUBLIC, STATELESS, Router, SecretRoute
from app.schemas.accounts import JwksRead, PasswordChoice, TokenRead, TokenRequest
from app.services import accounts, sign_in
from app.services.sign_in import SignedIn

router = Router("/v1/auth", "auth", PUBLIC, SecretRoute)
well_known = Router("", "auth", STATELESS, SecretRoute)
_KINDS = {"password": AccountKind.PERSON, "client_credentials": AccountKind.SERVICE}


@router.post("/token", response_model=TokenRead, responses=problems(Unauthenticated, TooManyRequests))
async def get_token(
    asked: Annotated[TokenRequest, Form()],
    request: Request,
    session: Session,
    identity: IdentityDep,
    passwords: PasswordsDep,
    throttle: ThrottleDep,
    address: Address,
) -> Response:
    """Sign in (password), sign a service in (client_credentials) or stay signed in (refresh_token).

    A refresh token is used once. Used again, it ends the sign-in, because somebody has copied it.
    """
    if asked.grant_type == "refresh_token":
        refreshed = await sign_in.refresh(session, asked.refresh_token or "")
        if refreshed is None:
            # Not raised: that the family has ended must be committed.
            return refusals.answer(request, Unauthenticated("refresh_refused"))
        return _tokens(identity, refreshed)
    login, secret = asked.credentials
    throttle.sign_in(accounts.canonical(login), address)
    known = await accounts.secret_hash(database_of(request), login, _KINDS[asked.grant_type])
    if not await passwords.matches(secret, known):
        raise Unauthenticated("wrong_credentials")
    account = await accounts.by_secret(session, login, known)
    throttle.signed_in(account.login, address)
    return _tokens(identity, await sign_in.begin(session, account))


@router.post("/logout", status_code=204, responses=problems(Unauthenticated, Forbidden))
async def log_out(actor: SignedInActor, session: Session) -> None:
    """Sign this device out: its tokens are refused from now on."""
    await sign_in.end(session, actor)


@router.post("/logout-everywhere", status_code=204, responses=problems(Unauthenticated, Forbidden))
async def log_out_everywhere(actor: SignedInActor, session: Session) -> None:
    """Sign all devices of the account out."""
    await accounts.sign_out_everywhere(session, await accounts.own(session, actor))


@router.post("/password", status_code=204, responses=problems(Unauthenticated, TooManyRequests))
async def choose_password(
    choice: PasswordChoice, session: Session, passwords: PasswordsDep, throttle: ThrottleDep, address: Address
) -> None:
    """Set a password with the invitation code that the coordinator gave; all devices are signed out."""
    throttle.sign_in(accounts.canonical(choice.login), address)
    accounts.check_password(choice.login, choice.password)
    hashed = await passwords.hash(choice.password)  # before the account is locked and a connection held
    account = await accounts.invited(session, choice.login, choice.code)
    accounts.set_secret(account, hashed)
    await accounts.sign_out_everywhere(session, account)


@well_known.get("/.well-known/jwks.json", response_model=JwksRead)
async def get_jwks(identity: IdentityDep) -> Response:
    """The public keys of this issuer (RFC 7517)."""
    return JSONResponse({"keys": identity.jwks}, headers={"Cache-Control": "public, max-age=300"})


def _tokens(identity: Identity, signed_in: SignedIn) -> Response:
    body: dict[str, object] = {
        "access_token": identity.access_token(signed_in),
        "token_type": "Bearer",
        "expires_in": int(LIFETIME.total_seconds()),
    }
    if signed_in.refresh_token:
        body["refresh_token"] = signed_in.refresh_token
    return JSONResponse(body, headers={"Cache-Control": "no-store"})
