"""`narkostop …`: what is done from a terminal."""

import sys
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from app.cli import accounts, cities, demo, ledger, records, server
from app.cli.session import CommandError

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
cli.command()(server.run)
cli.command()(server.serve)
cli.command()(server.migrate)
cli.command()(demo.demo)
cli.add_typer(accounts.cli, name="account")
cli.add_typer(cities.cli, name="city")
cli.add_typer(records.cli, name="import")
cli.add_typer(ledger.cli, name="ledger")


def main() -> NoReturn:
    """A failure that we know is one line on standard error and exit status 1."""
    try:
        cli(standalone_mode=True)
    except CommandError as error:
        line = Text.assemble(("narkostop: ", "red"), str(error))
        Console(stderr=True, highlight=False, soft_wrap=True).print(line)
        sys.exit(1)
    sys.exit(0)
