from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, HttpUrl, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _by_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    """Everything that differs between deployments; read once, at start, and never changed.

    Each field is the environment variable `NARKOSTOP_<FIELD>`, but for DATABASE_URL. The table in the
    README is checked against this class by a test.
    """

    model_config = SettingsConfigDict(env_prefix="NARKOSTOP_", frozen=True, extra="ignore")

    database_url: Annotated[str | None, Field(validation_alias="DATABASE_URL")] = None
    """PostgreSQL 15 or newer. Unset: the bundled one is started on `data_dir`."""
    data_dir: Path = Path(".data")
    """Where the bundled PostgreSQL and the development secret live."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    public_url: HttpUrl = HttpUrl("http://127.0.0.1:8000")
    """The issuer named in access tokens; clients see it."""
    secret_key: SecretStr | None = None
    """Encrypts the private signing keys in the database; at least 32 characters."""
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_by_commas)] = ()
    """Web frontends that may call from a browser, separated by commas."""
    trusted_proxies: str = "127.0.0.1"
    """Addresses whose X-Forwarded-For is believed, separated by commas."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 262_144
    max_import_bytes: Annotated[int, Field(ge=1024)] = 33_554_432
    read_connections: Annotated[int, Field(ge=1, le=100)] = 10
    write_connections: Annotated[int, Field(ge=1, le=100)] = 10
    statement_cache_size: Annotated[int, Field(ge=0)] = 256
    """Prepared statements kept by a connection; 0 behind pgbouncer in transaction mode."""
    statement_timeout_ms: Annotated[int, Field(ge=100)] = 10_000
    sign_ins_per_minute: Annotated[int, Field(ge=1)] = 10
    """Failed sign-ins allowed for one account, and ten times as many for one address."""
    applications_per_hour: Annotated[int, Field(ge=1)] = 30
    """Volunteer applications accepted from one address."""
    max_requests_at_once: Annotated[int, Field(ge=1)] = 500
    external_issuer: str | None = None
    """`iss` of an outside identity provider whose tokens are accepted too."""
    external_jwks_url: HttpUrl | None = None
    external_audience: str | None = None
    metrics_token: SecretStr | None = None
    """Bearer token that Prometheus must send to /metrics; unset: no token is asked for."""
    log_level: str = "INFO"
