import typer
from rich.console import Console

from app.cli.session import load_settings, ready

cli = typer.Typer()


@cli.command()
def migrate() -> None:
    """Bring the database to this version and exit."""
    with ready(load_settings()):
        Console().print("The database is up to date.")
