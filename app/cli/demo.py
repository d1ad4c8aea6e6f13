import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sqlmodel.ext.asyncio.session import AsyncSession

from app.cli.errors import CommandError
from app.cli.ledger import sealed
from app.cli.session import unit, with_database
from app.core.config import Settings
from app.core.database import Database, DatabaseOptions
from app.core.passwords import Passwords
from app.services import demo as demos
from app.services.demo import Wish

cli = typer.Typer()


@cli.command()
def demo(
    seed: Annotated[int, typer.Option(help="The same seed and day give the same city.")] = 1,
    until: Annotated[
        datetime | None, typer.Option(help="The year ends on this day; today.", formats=["%Y-%m-%d"])
    ] = None,
) -> None:
    """Fill Almaty with a made-up year of the programme, to try things on. Never into a city with real data."""
    wish = Wish(seed, until.date() if until else None)

    if with_database(lambda database: _built(database, wish)):
        _announce()
    else:
        Console().print("The demonstration is there already; nothing was changed.")


def ensure(settings: Settings, wish: Wish) -> None:
    """For `narkostop run`: build the demonstration on the first start, and print its sign-ins on every start.

    `settings` are those of a database that is ready. A database with cities but no demonstration stays as it is.
    """

    async def is_there() -> bool:
        async with Database.opened(DatabaseOptions(settings.database_url or "")) as database:
            async with database.transaction() as session:
                known, is_first_start = await demos.is_there(session), await demos.is_empty(session)
            return known or (is_first_start and await _built(database, wish))

    if asyncio.run(is_there()):
        _announce()


async def _built(database: Database, wish: Wish) -> bool:
    """False, and nothing done, when it is there already."""
    is_new = await unit(database, lambda session: _build(session, wish))
    if is_new:
        await unit(database, _seal)
    return is_new


async def _build(session: AsyncSession, wish: Wish) -> bool:
    secret_hash = await Passwords().hash(demos.PASSWORD)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Making up a year of Almaty", total=demos.TABLES)

        def told(table: str) -> None:
            progress.update(task, advance=1, description=f"Stored: {table.replace('_', ' ')}")

        return await demos.build(session, wish, secret_hash, told)


async def _seal(session: AsyncSession) -> None:
    """So that there is something to prove at once; a service would only come to it after a quarter of an hour."""
    # Somebody who goes on writing keeps nobody from the demonstration.
    with suppress(CommandError):
        await sealed(session, [demos.CITY])


def _announce() -> None:
    console = Console(highlight=False)
    console.print(f"The city [bold]{demos.CITY}[/] is made up. Sign in with the password [bold]{demos.PASSWORD}[/]:")
    for sign_in in demos.SIGN_INS:
        console.print(f"  {sign_in.login:<28}{sign_in.role:<13}grant_type={sign_in.grant}")
