"""The server, once it is known that nothing is in its way."""

import asyncio
import secrets
import signal
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from rich.console import Console

from app.cli import demo
from app.cli.errors import CommandError
from app.cli.session import ready
from app.core.cipher import Cipher, WrongSecretError
from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.jobs import housekeeping
from app.services.demo import Wish
from app.telemetry import configure_logging


def all_in_one(settings: Settings) -> None:
    secret = settings.secret_key or SecretStr(_local_secret(settings.data_dir))
    with ready(settings) as prepared:
        demo.ensure(prepared, Wish())
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        Console().print(f"Address:  http://{host}:{settings.port}", markup=False)
        Console().print(f"API docs: http://{host}:{settings.port}/docs", markup=False)
        serve(prepared.model_copy(update={"secret_key": secret}))


def _local_secret(data_dir: Path) -> str:
    """Made once for a machine that has none set; whoever can read the file can already read the database."""
    file = data_dir / "secret_key"
    if not file.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(48))
    return file.read_text().strip()


def serve(settings: Settings) -> None:
    configure_logging(settings.log_level)
    # uvicorn ends in order and then sends itself the signal again; as an interrupt it lets `with` blocks end too.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    _check_secret(settings)
    from app.main import create_app  # noqa: PLC0415 half of the start, for which a refusal should not wait

    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        # app/main.py sees to it, for those answers that depend on who asks.
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )


def _check_secret(settings: Settings) -> None:
    """Before the server starts: there it would be the last line of a long traceback."""

    async def check(url: str, secret: str) -> None:
        async with Database.opened(DatabaseOptions(url)) as database:
            await housekeeping.signing_keys(database, Cipher(secret))

    assert settings.database_url
    assert settings.secret_key
    try:
        asyncio.run(check(settings.database_url, settings.secret_key.get_secret_value()))
    except (WrongSecretError, ValueError) as error:
        raise CommandError(f"NARKOSTOP_SECRET_KEY is not right: {error}") from None
