import asyncio
import secrets
import signal
import socket
from contextlib import closing
from pathlib import Path

import typer
import uvicorn
from pydantic import SecretStr
from rich.console import Console

from app.cli import demo
from app.cli.errors import CommandError
from app.cli.session import load_settings, ready, refuse_unprepared
from app.core.cipher import Cipher, WrongSecretError
from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.jobs import housekeeping
from app.services.demo import Wish
from app.telemetry import configure_logging

cli = typer.Typer()


@cli.command()
def serve() -> None:
    """Serve the API on a database that `narkostop migrate` has prepared."""
    settings = load_settings()
    if settings.database_url is None or settings.secret_key is None:
        raise CommandError("set DATABASE_URL and NARKOSTOP_SECRET_KEY, or use `narkostop run` on your own machine")
    refuse_unprepared(settings.database_url)
    _serve(settings)


@cli.command()
def run() -> None:
    """All in one, for your own machine: database, migrations, demo city on the first start, server."""
    settings = load_settings()
    _refuse_busy_port(settings)
    secret = settings.secret_key or SecretStr(_local_secret(settings.data_dir))
    with ready(settings) as prepared:
        demo.ensure(prepared, Wish())
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        Console().print(f"Address:  http://{host}:{settings.port}", markup=False)
        Console().print(f"API docs: http://{host}:{settings.port}/docs", markup=False)
        _serve(prepared.model_copy(update={"secret_key": secret}))


def _local_secret(data_dir: Path) -> str:
    """Made once for a machine that has none set; whoever can read the file can already read the database."""
    file = data_dir / "secret_key"
    if not file.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(48))
    return file.read_text().strip()


def _serve(settings: Settings) -> None:
    from app.main import create_app  # noqa: PLC0415 half of the start, for which a refusal should not wait

    configure_logging(settings.log_level)
    # uvicorn ends in order and then sends itself the signal again; as an interrupt it lets `with` blocks end too.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    _check_secret(settings)
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


def _refuse_busy_port(settings: Settings) -> None:
    """Before a database is started for nothing."""
    try:
        family, kind, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(
            f"cannot listen on {settings.host}, port {settings.port} ({error.strerror}); "
            "stop what uses it or set NARKOSTOP_PORT"
        ) from None
