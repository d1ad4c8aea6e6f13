import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.cli.errors import CommandError
from app.cli.session import in_transaction
from app.models.cities import City as CityRow
from app.services import cities, moments, reconciling, seal_checks, seals
from app.services.moments import Mark
from app.services.reconciling import Difference
from app.services.seal_checks import Verdict

cli = typer.Typer(
    name="ledger", no_args_is_help=True, help="The ledger and its seals; docs/seals.md says what they prove."
)
_PATIENCE_S = 30
City = Annotated[str | None, typer.Option(help="One city's short name; all of them without it.")]


@cli.command()
def verify(city: City = None) -> None:
    """Make every seal again from the ledger; exit status 1, and the first entry or seal that does not fit, if any."""

    async def work(session: AsyncSession) -> dict[str, Verdict]:
        return {city_id: await seal_checks.verify(session, city_id) for city_id in await _named(session, city)}

    verdicts = in_transaction(work)
    console = Console(soft_wrap=True, highlight=False)
    for city_id, verdict in verdicts.items():
        if verdict.misfit is None:
            console.print(f"{city_id}: {verdict.seals:,} seals over {verdict.entries:,} entries fit.{_last(verdict)}")
    misfits = [f"{city_id}: {_words(verdict)}" for city_id, verdict in verdicts.items() if verdict.misfit]
    if misfits:
        raise CommandError("; ".join(misfits))


@cli.command()
def seal(city: City = None) -> None:
    """Seal what was recorded up to now, rather than wait for the service to do it."""

    async def work(session: AsyncSession) -> int:
        return await sealed(session, await _named(session, city))

    Console(highlight=False).print(f"{in_transaction(work):,} seals made.")


@cli.command()
def reconcile(city: City = None) -> None:
    """Count the whole ledger again; exit status 1, and each sum that is not what its entries say, if any."""

    async def work(session: AsyncSession) -> dict[str, list[Difference]]:
        return {city_id: await reconciling.differences(session, city_id) for city_id in await _named(session, city)}

    found = in_transaction(work)
    console = Console(soft_wrap=True, highlight=False)
    for city_id, differences in found.items():
        console.print(f"{city_id}: {len(differences):,} differences")
        for one in differences:
            page = f"page of {one.page}" if one.page != reconciling.FIRST_PAGE else "first page"
            where = f"{one.area or 'no district'}, {one.span} {one.starts_on}, {page}"
            console.print(f"  {where}: {one.count} is {one.kept}, the entries say {one.counted}")
    if any(found.values()):
        raise CommandError("the tally does not fit the ledger; what is published from it should wait")


async def sealed(session: AsyncSession, city_ids: Sequence[str]) -> int:
    """Seals what other transactions have committed by now. Returns how many seals that took.

    Raises CommandError when somebody goes on writing.
    """
    marked, made = await moments.mark(session), 0
    for city_id in city_ids:
        await _settled(session, city_id, marked)
        while await seals.close(session, city_id, marked):
            made += 1
    return made


async def _settled(session: AsyncSession, city_id: str, marked: Mark) -> None:
    for _ in range(_PATIENCE_S * 10):
        if await moments.has_settled(session, city_id, marked):
            return
        await asyncio.sleep(0.1)
    raise CommandError(f"somebody has been writing for more than {_PATIENCE_S} s; try again when they have finished")


async def _named(session: AsyncSession, city: str | None) -> list[str]:
    if city is not None:
        return [(await cities.get(session, city)).id]
    return list(await session.exec(select(CityRow.id).order_by(CityRow.id)))


def _last(verdict: Verdict) -> str:
    return f" The last one's digest is {verdict.digest.hex()}." if verdict.digest else ""


def _words(verdict: Verdict) -> str:
    where = [f"seal {verdict.number}"] if verdict.number else []
    where += [f"entry {verdict.entry_id}"] if verdict.entry_id else []
    return f"{', '.join(where)}: {verdict.misfit}"
