"""`narkostop …`: what is done from a terminal."""

import gc
import sys
from importlib import import_module
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from app.cli.errors import CommandError

_MODULES = {
    "run": "server",
    "serve": "server",
    "migrate": "migrate",
    "demo": "demo",
    "account": "accounts",
    "city": "cities",
    "import": "records",
    "ledger": "ledger",
}


def commands(asked: str | None = None) -> typer.Typer:
    """All of them, or the one that is asked for: to import only what it needs is most of a short command's time."""
    cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
    modules = {asked: _MODULES[asked]} if asked in _MODULES else _MODULES
    for module in dict.fromkeys(modules.values()):
        cli.add_typer(import_module(f"app.cli.{module}").cli)
    # Alone, it would take no name.
    cli.callback()(lambda: None)
    return cli


def main() -> NoReturn:
    """A failure that we know is one line on standard error and exit status 1."""
    # Nothing that is imported is garbage, and little else: to look for some all the while took a fifth of the start.
    gc.set_threshold(50_000, 50, 100)
    cli = commands(next(iter(sys.argv[1:]), None))
    try:
        cli(standalone_mode=True)
    except CommandError as error:
        line = Text.assemble(("narkostop: ", "red"), str(error))
        Console(stderr=True, highlight=False, soft_wrap=True).print(line)
        sys.exit(1)
    sys.exit(0)
