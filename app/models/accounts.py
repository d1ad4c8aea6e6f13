from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from app.core.clock import utc_now
from app.core.ids import new_id
from app.domain.permissions import AccountKind, Role
from app.models.base import TIMESTAMP, Table, text_enum


class Account(Table, table=True):
    """Who signs in. Belongs to one city, or to none (the republic's analysts and admins)."""

    __table_args__ = (
        sa.UniqueConstraint("login"),
        sa.UniqueConstraint("external_issuer", "external_subject"),
        sa.Index(None, "city_id", "id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    city_id: str | None = Field(default=None, foreign_key="city.id", max_length=32)
    login: str = Field(max_length=254)
    """An e-mail address in lower case, a phone number in E.164, or the client id of a service."""
    kind: AccountKind = Field(default=AccountKind.PERSON, sa_type=text_enum(AccountKind, "kind"))
    role: Role = Field(sa_type=text_enum(Role, "role"))
    is_active: bool = True
    authz_version: int = 1
    """Named in every access token; raised when role or standing changes, which ends the older tokens."""
    secret_hash: str | None = Field(default=None, max_length=200)
    invitation_hash: bytes | None = None
    invitation_expires_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    external_issuer: str | None = Field(default=None, max_length=200)
    external_subject: str | None = Field(default=None, max_length=200)
    created_at: datetime = Field(default_factory=utc_now, sa_type=TIMESTAMP)


class SignIn(Table, table=True):
    """One device signed in: a family of refresh tokens, each used once."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=TIMESTAMP)
    expires_at: datetime = Field(sa_type=TIMESTAMP, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class RefreshToken(Table, table=True):
    """Kept as a SHA-256 digest: the token itself is 256 random bits, so nothing slower is needed."""

    digest: bytes = Field(primary_key=True)
    sign_in_id: UUID = Field(foreign_key="sign_in.id", index=True, ondelete="CASCADE")
    expires_at: datetime = Field(sa_type=TIMESTAMP)
    used_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class SigningKey(Table, table=True):
    """A key pair of this issuer; the private half is encrypted with NARKOSTOP_SECRET_KEY."""

    kid: str = Field(primary_key=True, max_length=64)
    private_pem_encrypted: bytes
    created_at: datetime = Field(default_factory=utc_now, sa_type=TIMESTAMP)
