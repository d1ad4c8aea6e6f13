from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlmodel.ext.asyncio.session import AsyncSession

from app.cli.errors import CommandError
from app.cli.session import in_transaction
from app.domain.errors import Invalid
from app.messages import fault
from app.models.cities import City
from app.schemas.cities import NamesGiven, NewCity
from app.services import cities, districts
from app.services.districts import Redrawn

cli = typer.Typer(name="city", no_args_is_help=True, help="Cities and their districts.")
_FAULTS_SHOWN = 10


@cli.command()
def create(
    slug: Annotated[str, typer.Argument(help="Its short name in addresses, such as almaty.")],
    name_kk: Annotated[str | None, typer.Option(help="Its name in Kazakh.")] = None,
    name_ru: Annotated[str | None, typer.Option(help="Its name in Russian.")] = None,
    name_en: Annotated[str | None, typer.Option(help="Its name in English.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="An IANA name such as America/Chicago.")] = None,
) -> None:
    """Create a city; Almaty comes with its names, time zone and districts (© OpenStreetMap contributors, ODbL)."""
    new = _new_city(slug, {"kk": name_kk, "ru": name_ru, "en": name_en}, time_zone)

    async def work(session: AsyncSession) -> City:
        try:
            return await cities.found(session, new)
        except Invalid as refused:
            raise _said(refused) from None

    city = in_transaction(work)
    Console().print(f"City [bold]{city.id}[/] created: {city.time_zone}, {len(new.districts)} districts.")


@cli.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A GeoJSON FeatureCollection.", exists=True, dir_okay=False)],
    city: Annotated[str, typer.Option(help="The city's short name.")],
) -> None:
    """Replace the outlines of districts by those of a file; servers that run use them from the next request on."""
    document = file.read_bytes()

    async def work(session: AsyncSession) -> Redrawn:
        try:
            return await districts.redraw(session, city, document, file.name)
        except Invalid as refused:
            raise _said(refused) from None

    redrawn = in_transaction(work)
    Console().print(f"Outlines replaced: {_listed(redrawn.replaced)}.\nAs they were: {_listed(redrawn.kept)}.")


def _new_city(slug: str, names: dict[str, str | None], time_zone: str | None) -> NewCity:
    options = {f"--name-{language}": name for language, name in names.items()} | {"--time-zone": time_zone}
    bundled = cities.bundled(slug)
    if bundled and any(options.values()):
        raise CommandError(f"{slug} comes with its names and time zone: leave the options out")
    if missing := [option for option, value in options.items() if not value and not bundled]:
        raise CommandError(f"{slug} does not come with the service: name it with {', '.join(missing)}")
    try:
        return bundled or NewCity(id=slug, names=NamesGiven.model_validate(names), time_zone=time_zone or "")
    except ValidationError as error:
        wrong = error.errors()[0]
        raise CommandError(f"--name-{wrong['loc'][0]}: {wrong['msg']}") from None


def _said(refused: Invalid) -> CommandError:
    """Each fault on a line; a file with a thousand of them has one cause."""
    lines = [f"{item.pointer} {fault(item.code, 'en', item.details)}".strip() for item in refused.faults]
    more = len(lines) - _FAULTS_SHOWN
    return CommandError("\n  ".join([*lines[:_FAULTS_SHOWN], *([f"and {more} more"] if more > 0 else [])]))


def _listed(ids: Iterable[str]) -> str:
    return ", ".join(ids) or "none"
