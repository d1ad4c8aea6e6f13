import secrets
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app import answers
from app.deps import Allow, PasswordsDep, Session, SettingsDep, SignedInActor, database_of
from app.domain.errors import Conflict, NotFound
from app.domain.permissions import AccountKind, Actor, Permission
from app.problems import problems
from app.routing import SIGNED_IN, Router, SecretRoute
from app.schemas.accounts import (
    AccountChange,
    AccountDraft,
    AccountPage,
    AccountQuery,
    AccountRead,
    ClientSecret,
)
from app.schemas.volunteers import InvitationRead
from app.services import accounts, reads

router = Router("/v1/accounts", "accounts", SIGNED_IN)
secret_router = Router("/v1/accounts", "accounts", SIGNED_IN, SecretRoute)
Manager = Annotated[Actor, Depends(Allow(Permission.ACCOUNT_MANAGE))]


@router.get("", response_model=AccountPage)
async def list_accounts(query: Annotated[AccountQuery, Query()], actor: Manager, request: Request) -> Response:
    """The city's accounts, the newest first."""
    return answers.page(await reads.page(database_of(request), actor, accounts.cards, **query.model_dump()), request)


@router.post("", response_model=AccountRead, status_code=201, responses=problems(Conflict))
async def create_account(draft: AccountDraft, actor: Manager, session: Session, settings: SettingsDep) -> Response:
    """For a coordinator, moderator, analyst or service. Volunteers get theirs when they are approved."""
    account = await accounts.create(session, actor.city_id, draft, settings.external_issuer)
    return answers.item(await reads.written(session, actor, accounts.card, "account", id=account.id), status=201)


@router.get("/me", response_model=AccountRead, responses=answers.ITEM)
async def get_own_account(actor: SignedInActor, request: Request) -> Response:
    """Who you are signed in as."""
    return answers.item(await reads.one(database_of(request), actor, accounts.own_card, "account"), request)


@router.get("/{account_id}", response_model=AccountRead, responses=answers.ITEM)
async def get_account(account_id: UUID, actor: Manager, request: Request) -> Response:
    return answers.item(await reads.one(database_of(request), actor, accounts.card, "account", id=account_id), request)


@router.put("/{account_id}/access", response_model=AccountRead, responses=problems(NotFound))
async def change_access(account_id: UUID, changed: AccountChange, actor: Manager, session: Session) -> Response:
    """Role and standing; takes effect on the account's next request."""
    account = await accounts.get(session, actor, account_id)
    await accounts.change_access(session, actor, account, role=changed.role, is_active=changed.is_active)
    return answers.item(await reads.written(session, actor, accounts.card, "account", id=account_id))


@secret_router.post(
    "/{account_id}/invite", response_model=InvitationRead, status_code=201, responses=problems(NotFound)
)
async def invite_account(account_id: UUID, actor: Manager, session: Session) -> accounts.Invitation:
    """A code for setting a password, valid for seven days, shown once. The earlier one is void."""
    account = await accounts.get(session, actor, account_id, AccountKind.PERSON)
    return accounts.invite(account)


@secret_router.post("/{account_id}/secret", response_model=ClientSecret, status_code=201, responses=problems(NotFound))
async def make_client_secret(
    account_id: UUID, actor: Manager, session: Session, passwords: PasswordsDep
) -> ClientSecret:
    """A secret for a service to sign in with, shown once. The earlier one is void."""
    account = await accounts.get(session, actor, account_id, AccountKind.SERVICE)
    secret = secrets.token_urlsafe(32)
    accounts.set_secret(account, await passwords.hash(secret))
    await accounts.sign_out_everywhere(session, account)
    return ClientSecret(client_id=account.login, client_secret=secret)
