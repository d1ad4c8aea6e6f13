import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlmodel.ext.asyncio.session import AsyncSession

from app.cli.errors import CommandError
from app.cli.session import in_transaction
from app.domain.errors import Fault, Invalid
from app.messages import fault
from app.schemas.records import ImportQuery, RemovalMapping
from app.services import records
from app.services.records import Delivery, Report

cli = typer.Typer(name="import", no_args_is_help=True, help="Records from before the system; see docs/import.md.")
File = Annotated[Path, typer.Argument(help="A CSV file.", exists=True, dir_okay=False, readable=True)]
City = Annotated[str, typer.Option(help="The city's short name.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check every row and write nothing.")]
Work = Callable[[AsyncSession, BinaryIO], Awaitable[Report]]


@cli.command()
def graffiti(
    file: File,
    city: City,
    source: Annotated[str, typer.Option(help="Whose records these are; with the external id it tells a removal.")],
    mapping: Annotated[str | None, typer.Option("--map", help="A TOML file, or the name of one we ship.")] = None,
    dry_run: DryRun = False,  # noqa: FBT002 typer reads flags so
) -> None:
    """Take over old removals: each once, however often and however many at a time run this."""
    columns = _mapping(mapping) if mapping else None
    try:
        asked = ImportQuery(source=source, dry_run=dry_run)
    except ValidationError as error:
        raise CommandError(f"--source: {error.errors()[0]['msg']}") from None

    async def work(session: AsyncSession, content: BinaryIO) -> Report:
        delivery = Delivery(city, asked.source, content, dry_run=dry_run)
        return await records.take_over_graffiti(session, delivery, columns)

    _tell(_import(file, work), dry_run=dry_run)


@cli.command()
def counts(file: File, city: City, dry_run: DryRun = False) -> None:  # noqa: FBT002 typer reads flags so
    """Take over totals that offices declared; of totals for the same days only the first is counted."""

    async def work(session: AsyncSession, content: BinaryIO) -> Report:
        return await records.take_over_counts(session, Delivery(city, file.name[:200], content, dry_run=dry_run))

    report = _import(file, work)
    _tell(report, dry_run=dry_run)
    if report.uncounted:
        Console().print(f"{report.uncounted} kept beside another total for the same days, and not counted.")


def _import(path: Path, work: Work) -> Report:
    """With a bar for how far the file has been read; it is read twice, and the writing comes after."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=Console(stderr=True)) as progress,
        progress.open(path, "rb", description=escape(path.name)) as content,
    ):

        async def unit(session: AsyncSession) -> Report:
            try:
                return await work(session, content)
            except Invalid as refused:
                raise CommandError(_in_words(refused.faults[0])) from None

        return in_transaction(unit)


def _tell(report: Report, *, dry_run: bool) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print("Nothing was written. This is what an import would do:" if dry_run else f"Import {report.id}:")
    for name, figure in report.figures.model_dump().items():
        console.print(f"{figure:>9,} {name.replace('_', ' ')}")
    for refusal in report.refused_rows:
        console.print(f"Row {refusal.row}: {refusal.fault.pointer} {_in_words(refusal.fault)}".replace("  ", " "))
    if (more := report.figures.refused - len(report.refused_rows)) > 0:
        console.print(f"and {more:,} more rows that were refused.")


def _in_words(refused: Fault) -> str:
    return escape(fault(refused.code, "en", refused.details))


def _mapping(named: str) -> RemovalMapping:
    if not Path(named).exists():
        try:
            return records.shipped_mapping(named)
        except Invalid:
            raise CommandError(f"there is no mapping {named}, neither a file nor one that we ship") from None
    try:
        return records.read_mapping(Path(named).read_bytes())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{named} is not TOML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise CommandError(f"{named} is not a mapping: {wrong}") from None
