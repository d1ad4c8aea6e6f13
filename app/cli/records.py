import tomllib
from collections.abc import Awaitable, Callable
from datetime import datetime
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
from app.domain.plans import PlanLanguage
from app.domain.records import Refusal
from app.messages import fault, metrics_by_name
from app.schemas.plans import PlanFile
from app.schemas.records import ImportQuery, RemovalMapping
from app.services import plans, records
from app.services.plans.workbook import MOST_BYTES
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


@cli.command()
def plan(  # noqa: PLR0913, PLR0917 one for each word of the command
    file: Annotated[Path, typer.Argument(help="A workbook (XLSX).", exists=True, dir_okay=False, readable=True)],
    city: City,
    title: Annotated[str, typer.Option(help="The plan's title; no other plan of the city has it.")],
    days: Annotated[tuple[datetime, datetime], typer.Option(help="Its first and its last day.", formats=["%Y-%m-%d"])],
    language: Annotated[PlanLanguage, typer.Option(help="In which its titles are written.")] = PlanLanguage.RU,
    dry_run: DryRun = False,  # noqa: FBT002 typer reads flags so
) -> None:
    """Read a programme plan into a new draft: good rows come in, bad rows are named with a reason."""
    words = {"title": title, "language": language, "starts_on": f"{days[0]:%Y-%m-%d}", "ends_on": f"{days[1]:%Y-%m-%d}"}
    try:
        asked = PlanFile.model_validate({**words, "dry_run": dry_run})
    except ValidationError as error:
        raise CommandError(f"--{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}") from None
    if file.stat().st_size > MOST_BYTES:
        raise CommandError(f"{file} is larger than {MOST_BYTES:,} bytes")
    delivery = plans.Delivery(city, asked, file.read_bytes(), metrics_by_name())
    _tell_plan(in_transaction(lambda session: _plan(session, delivery)), dry_run=dry_run)


async def _plan(session: AsyncSession, delivery: plans.Delivery) -> plans.Report:
    try:
        return await plans.take_over(session, delivery)
    except Invalid as refused:
        raise CommandError(_in_words(refused.faults[0])) from None


def _tell_plan(report: plans.Report, *, dry_run: bool) -> None:
    console = Console(soft_wrap=True, highlight=False)
    nothing = "Nothing was written. This is what an import would do:" if dry_run else "No row was good:"
    console.print(f"Plan {report.plan_id}:" if report.plan_id else nothing)
    for name in ("rows", "directions", "items", "refused"):
        console.print(f"{getattr(report, name):>9,} {name}")
    _tell_refusals(console, report.refused_rows, report.refused)


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
    _tell_refusals(console, report.refused_rows, report.figures.refused)


def _tell_refusals(console: Console, refusals: list[Refusal], refused: int) -> None:
    for refusal in refusals:
        console.print(f"Row {refusal.row}: {refusal.fault.pointer} {_in_words(refusal.fault)}".replace("  ", " "))
    if (more := refused - len(refusals)) > 0:
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
