import asyncio
from typing import Annotated

import typer
from rich.console import Console

from app.cli.errors import CommandError
from app.cli.session import ready
from app.cli.settings import load_settings
from app.core.grants import grant

cli = typer.Typer()


@cli.command()
def migrate(
    grant_to: Annotated[
        str | None, typer.Option(help="The role that `narkostop serve` connects as; it gets what it needs, no more.")
    ] = None,
) -> None:
    """Bring the database to this version and exit."""
    with ready(load_settings()) as prepared:
        if grant_to:
            try:
                asyncio.run(grant(prepared.database_url or "", grant_to))
            except LookupError:
                raise CommandError(f"--grant-to: there is no role {grant_to} but the one that migrates") from None
        Console().print("The database is up to date.")
