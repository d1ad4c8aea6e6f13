from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from app.domain.permissions import AccountKind, Role
from app.schemas.base import In, Out, PageQuery, Text


def _lower(login: str) -> str:
    return login.lower()


_LOGIN = r"^[A-Za-z0-9+][A-Za-z0-9._%+@-]{2,}$"
Login = Annotated[
    str,
    Field(strict=True, min_length=3, max_length=254, pattern=_LOGIN, examples=["coordinator@example.kz"]),
    AfterValidator(_lower),
]


class TokenRead(Out):
    """RFC 6749, section 5.1."""

    access_token: Annotated[str, Field(examples=["eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9…"])]
    token_type: Annotated[str, Field(examples=["Bearer"])] = "Bearer"  # noqa: S105 a scheme, not a secret
    expires_in: Annotated[int, Field(description="Seconds")]
    refresh_token: Annotated[str | None, Field(description="Absent for services", examples=["4Zk9…"])] = None


class JwksRead(Out):
    keys: list[dict[str, str]]


class PasswordChoice(In):
    login: Annotated[Text, Field(max_length=254, examples=["+77011234567"])]
    code: Annotated[Text, Field(max_length=32, examples=["1f0a-93bc-77de-0412"])]
    password: Annotated[str, Field(strict=True, min_length=1, max_length=128, examples=["four words nobody guesses"])]


class AccountDraft(In):
    login: Login
    role: Role
    kind: AccountKind = AccountKind.PERSON
    external_subject: Annotated[
        Text | None, Field(max_length=200, description="Its `sub` at the outside identity provider, if one is set up")
    ] = None


class AccountChange(In):
    role: Role
    is_active: bool


class AccountRead(Out):
    id: UUID
    version: int
    login: str
    kind: AccountKind
    role: Role
    is_active: bool


class AccountPage(Out):
    items: list[AccountRead]
    next: UUID | None


class AccountQuery(PageQuery):
    role: Role | None = None


class ClientSecret(Out):
    """Shown once; a new one makes the earlier one void."""

    client_id: Annotated[str, Field(examples=["almaty-dashboards"])]
    client_secret: Annotated[str, Field(examples=["Vq3…"])]


class TokenRequest(In):
    """RFC 6749: each grant has its own pair of fields, and the others are left out."""

    grant_type: Literal["password", "client_credentials", "refresh_token"]
    username: Annotated[
        Text | None,
        Field(max_length=254, description="password: an e-mail address or phone", examples=["+77011234567"]),
    ] = None
    password: Annotated[str | None, Field(max_length=128, examples=["four words nobody guesses"])] = None
    client_id: Annotated[Text | None, Field(max_length=254)] = None
    client_secret: Annotated[str | None, Field(max_length=128)] = None
    refresh_token: Annotated[Text | None, Field(max_length=128)] = None
    scope: Annotated[str | None, Field(max_length=128, description="Accepted and not used")] = None

    @property
    def credentials(self) -> tuple[str, str]:
        """Login and secret of the grant; empty where they were left out, which never matches."""
        if self.grant_type == "password":
            return self.username or "", self.password or ""
        return self.client_id or "", self.client_secret or ""
