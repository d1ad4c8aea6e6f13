import socket
from contextlib import closing

import typer

from app.cli.errors import CommandError
from app.cli.settings import load_settings
from app.core.config import Settings

cli = typer.Typer()


@cli.command()
def serve() -> None:
    """Serve the API on a database that `narkostop migrate` has prepared."""
    settings = load_settings()
    if settings.database_url is None or settings.secret_key is None:
        raise CommandError("set DATABASE_URL and NARKOSTOP_SECRET_KEY, or use `narkostop run` on your own machine")
    from app.cli import session  # noqa: PLC0415 no refusal should wait for the imports that only the next step needs

    session.refuse_unprepared(settings.database_url)
    from app.cli import serving  # noqa: PLC0415 see above

    serving.serve(settings)


@cli.command()
def run() -> None:
    """All in one, for your own machine: database, migrations, demo city on the first start, server."""
    settings = load_settings()
    _refuse_busy_port(settings)
    from app.cli import serving  # noqa: PLC0415 see above

    serving.all_in_one(settings)


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
