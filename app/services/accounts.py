"""Who can sign in: accounts, invitations, and the end of an account's older tokens."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.core.clock import utc_now
from app.core.database import Database
from app.core.phones import e164
from app.domain.errors import Conflict, Fault, Forbidden, Invalid, NotFound, Unauthenticated
from app.domain.permissions import ALLOWED, AccountKind, Actor, Permission, Role
from app.models.accounts import Account, SignIn
from app.schemas.accounts import AccountDraft, AccountRead
from app.services import reads
from app.services.reads import Query

INVITATION_LIFETIME = timedelta(days=7)
MIN_PASSWORD_CHARACTERS = 10


@dataclass(frozen=True, slots=True)
class Invitation:
    """Shown once, to the coordinator, who gives it to the person."""

    login: str
    code: str
    expires_at: datetime


def canonical(login: str) -> str:
    """The one form in which a login is kept, looked up and counted, however it was typed."""
    return e164(login) or login.strip().lower()


def visible_to(role: Role | None) -> SelectOfScalar[Account]:
    """Every query starts here, so what an actor may not see does not exist for them."""
    query = select(Account).where(col(Account.city_id) == reads.CITY)
    if role and Permission.ACCOUNT_MANAGE in ALLOWED[role]:
        return query
    return query.where(col(Account.id) == reads.ACCOUNT)


def _columns(query: SelectOfScalar[Account]) -> Query:
    return query.with_only_columns(*reads.fields(Account, AccountRead, version=col(Account.authz_version)))


def own_card(role: Role | None, given: frozenset[str]) -> Query:
    """Also for the republic's accounts, which belong to no city."""
    return _columns(select(Account).where(col(Account.id) == reads.ACCOUNT))


def card(role: Role | None, given: frozenset[str]) -> Query:
    return _columns(visible_to(role)).where(col(Account.id) == reads.ID)


def cards(role: Role | None, given: frozenset[str]) -> Query:
    query = _columns(visible_to(role))
    if "role" in given:
        query = query.where(col(Account.role) == sa.bindparam("role", type_=sa.Text))
    return reads.newest_first(query, Account.id, given)


async def create(
    session: AsyncSession, city_id: str | None, draft: AccountDraft, outside_issuer: str | None = None
) -> Account:
    """A new account that nobody can sign in to yet, but for the outside issuer's `sub` if the draft names one.

    Raises Conflict when the login is taken, and Invalid for a `sub` where no outside issuer is set up.
    """
    if draft.external_subject and not outside_issuer:
        raise Invalid(Fault("no_outside_issuer", "/body/external_subject"))
    account = Account(
        city_id=city_id,
        login=await _free(session, draft.login),
        role=draft.role,
        kind=draft.kind,
        external_issuer=outside_issuer if draft.external_subject else None,
        external_subject=draft.external_subject,
    )
    session.add(account)
    await session.flush()
    return account


async def change_login(session: AsyncSession, account: Account, login: str) -> None:
    """Password and devices stay. Raises Conflict when the login is taken."""
    account.login = await _free(session, login)
    await session.flush()


async def _free(session: AsyncSession, login: str) -> str:
    login = canonical(login)
    if (await session.exec(select(Account.id).where(Account.login == login))).first() is not None:
        raise Conflict("login_taken")
    return login


def invite(account: Account) -> Invitation:
    """Replaces an earlier invitation. 64 random bits, ten guesses a minute: nothing slower is needed."""
    code = "-".join(secrets.token_hex(2) for _ in range(4))
    account.invitation_hash = _digest(code)
    account.invitation_expires_at = utc_now() + INVITATION_LIFETIME
    return Invitation(account.login, code, account.invitation_expires_at)


async def invited(session: AsyncSession, login: str, code: str) -> Account:
    """The account that the code was made for, locked. Raises Unauthenticated; the reason is not told."""
    query = select(Account).where(Account.login == canonical(login)).with_for_update(key_share=True)
    account = (await session.exec(query)).one_or_none()
    expected = account.invitation_hash if account else None
    fits = hmac.compare_digest(expected or b"", _digest(code.strip().lower()))
    if account is None or not fits or not account.is_active or _is_over(account.invitation_expires_at):
        raise Unauthenticated("invitation_refused")
    return account


def set_secret(account: Account, secret_hash: str) -> None:
    account.secret_hash = secret_hash
    account.invitation_hash = account.invitation_expires_at = None


def check_password(login: str, password: str) -> None:
    """Length and nothing obvious (NIST SP 800-63B): rules of composition only make worse passwords."""
    if len(password) < MIN_PASSWORD_CHARACTERS or canonical(password) == canonical(login):
        raise Invalid(Fault("weak_password", "/body/password", {"limit": MIN_PASSWORD_CHARACTERS}))


async def secret_hash(database: Database, login: str, kind: AccountKind) -> str | None:
    """What the secret must match; None for an account that cannot sign in so. Holds no connection afterwards."""
    query = select(Account.secret_hash).where(
        Account.login == canonical(login), Account.kind == kind, col(Account.is_active).is_(True)
    )
    async with database.transaction() as session:
        return (await session.exec(query)).one_or_none()


async def by_secret(session: AsyncSession, login: str, matched: str | None) -> Account:
    """The account whose secret was matched, locked. Raises Unauthenticated if it has another by now, or is off."""
    query = select(Account).where(
        Account.login == canonical(login), Account.secret_hash == matched, col(Account.is_active).is_(True)
    )
    account = (await session.exec(query.with_for_update(key_share=True))).one_or_none()
    if account is None:
        raise Unauthenticated("wrong_credentials")
    return account


async def own(session: AsyncSession, actor: Actor) -> Account:
    query = select(Account).where(Account.id == actor.account_id).with_for_update(key_share=True)
    return (await session.exec(query)).one()


async def get(session: AsyncSession, actor: Actor, account_id: UUID | None, kind: AccountKind | None = None) -> Account:
    """An account of the actor's city, locked. The republic's accounts are nobody's to change over HTTP."""
    query = select(Account).where(col(Account.id) == account_id, Account.city_id == actor.city_id)
    if kind:
        query = query.where(Account.kind == kind)
    account = (await session.exec(query.with_for_update(key_share=True))).one_or_none()
    if account is None:
        raise NotFound("account")
    return account


async def change_access(session: AsyncSession, actor: Actor, account: Account, *, role: Role, is_active: bool) -> None:
    """Takes effect on the account's next request; switched off, its devices are signed out too.

    Raises Forbidden for the actor's own: an admin who changes another stays one, so a city never loses its last.
    """
    if account.id == actor.account_id:
        raise Forbidden("own_account")
    # Of two admins who switch each other off at once, one comes too late.
    await own(session, actor)
    await reads.confirm(session, actor)
    account.role, account.is_active = role, is_active
    account.authz_version += 1
    if not is_active:
        await sign_out_everywhere(session, account)


async def switch_off(session: AsyncSession, account: Account) -> None:
    """As `change_access`, where it is the owner who goes."""
    account.is_active = False
    await sign_out_everywhere(session, account)


async def sign_out_everywhere(session: AsyncSession, account: Account) -> None:
    account.authz_version += 1
    await session.exec(
        update(SignIn)
        .where(col(SignIn.account_id) == account.id, col(SignIn.ended_at).is_(None))
        .values(ended_at=utc_now())
    )


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _is_over(moment: datetime | None) -> bool:
    return moment is None or moment <= utc_now()
