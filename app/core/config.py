from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.core.cipher import MIN_CHARACTERS


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _separated(value: object) -> object:
    return _listed(value) if isinstance(value, str) else value


def _long(secret: SecretStr | None) -> SecretStr | None:
    """Judged before anything is migrated or made up with it; app.core.cipher would refuse it later."""
    if secret and len(secret) < MIN_CHARACTERS:
        raise PydanticCustomError("too_short", "at least {least} characters are needed", {"least": MIN_CHARACTERS})
    return secret


def _addresses(value: str) -> str:
    """Uvicorn takes what it cannot read for the name of a socket, and believes nobody."""
    for part in _listed(value):
        ip_network(part)
    return value


class Settings(BaseSettings):
    """Everything that differs between deployments; read once, at start, and never changed.

    Each field is the environment variable `NARKOSTOP_<FIELD>`, but for DATABASE_URL. The table in the
    README is checked against this class by a test.
    """

    model_config = SettingsConfigDict(env_prefix="NARKOSTOP_", frozen=True, extra="ignore")

    database_url: Annotated[str | None, Field(validation_alias="DATABASE_URL")] = None
    """PostgreSQL 15 or newer. Unset: the bundled one is started on `data_dir`."""
    data_dir: Path = Path(".data")
    """Where the bundled PostgreSQL and the secret of a development machine live."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    """The port to listen on."""
    public_url: HttpUrl = HttpUrl("http://127.0.0.1:8000")
    """Where clients reach the service; the issuer named in access tokens."""
    secret_key: Annotated[SecretStr | None, AfterValidator(_long)] = None
    """Encrypts the private signing keys in the database, and hides card numbers in it; at least 32 characters."""
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_separated)] = ()
    """Web frontends that may call from a browser, separated by commas."""
    trusted_proxies: Annotated[str, AfterValidator(_addresses)] = "127.0.0.1"
    """Addresses or networks whose X-Forwarded-For is believed, separated by commas."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 262_144
    """The largest request body."""
    max_import_bytes: Annotated[int, Field(ge=1024)] = 33_554_432
    """The largest body of POST /v1/imports."""
    read_connections: Annotated[int, Field(ge=1, le=100)] = 10
    """Connections of one process to PostgreSQL for reads."""
    write_connections: Annotated[int, Field(ge=1, le=100)] = 10
    """Connections of one process to PostgreSQL for writes."""
    statement_cache_size: Annotated[int, Field(ge=0)] = 256
    """Prepared statements kept by a connection; 0 behind pgbouncer in transaction mode."""
    statement_timeout_ms: Annotated[int, Field(ge=100)] = 10_000
    """A statement that runs longer is ended and answered with 503."""
    sign_ins_per_minute: Annotated[int, Field(ge=1)] = 10
    """Failed sign-ins from one address for one account; ten times as many from the address, twenty for the account."""
    applications_per_hour: Annotated[int, Field(ge=1)] = 30
    """Volunteer applications accepted from one address."""
    stream_seconds: Annotated[int, Field(ge=1, le=3_600)] = 900
    """A stream of revisions ends after so long; its reader begins another."""
    max_requests_at_once: Annotated[int, Field(ge=1)] = 500
    """More are answered with 503 at once, before they wait for a connection."""
    external_issuer: str | None = None
    """`iss` of an outside identity provider whose tokens are accepted too; the next two belong to it."""
    external_jwks_url: HttpUrl | None = None
    """Where its public keys are."""
    external_audience: str | None = None
    """The `aud` that its tokens for this service carry."""
    metrics_token: SecretStr | None = None
    """Bearer token that Prometheus must send to /metrics and /metrics/programme; unset: no token is asked for."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """DEBUG, INFO, WARNING, ERROR or CRITICAL; INFO has a line for each write, refusal and slow read."""

    @model_validator(mode="after")
    def _names_the_outside_issuer_whole(self) -> Self:
        named = {self.external_issuer is None, self.external_jwks_url is None, self.external_audience is None}
        if len(named) > 1:
            raise ValueError("external_issuer, external_jwks_url and external_audience belong together")
        return self
