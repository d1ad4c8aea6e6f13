"""Old removals: what is new in a file becomes spots, removals and ledger entries."""

import asyncio
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import utc_now
from app.domain.errors import Fault, Invalid
from app.domain.records import DateForm, RecordsKind, Refusals
from app.schemas.records import Figures, RemovalMapping
from app.services import cities
from app.services.records import mappings, staging
from app.services.records.removals import Layout, Removals
from app.services.records.reports import Delivery, Report
from app.services.records.table import Table, examined

MANY = 5_000
ISO_DAY = "%Y-%m-%d"


async def take_over_graffiti(session: AsyncSession, delivery: Delivery, mapping: RemovalMapping | None) -> Report:
    """Each good row once by (source, external id), whatever the others are like.

    Raises NotFound for the city, and Invalid for a file that is no table of removals: then nothing is written.
    """
    content = await asyncio.to_thread(examined, delivery.file)
    table = Table(delivery.file, content.encoding, mappings.expected(mapping))
    refusals = Refusals()
    removals = await _removals(session, delivery, mapping, table, refusals)
    await staging.stage(session, removals)
    if not removals.rows:
        raise Invalid(Fault("csv_empty", "/body"))
    await staging.take_turn(session, delivery.city_id)
    report = await _report(session, delivery, removals, refusals)
    if delivery.dry_run:
        return report
    run = report.run(RecordsKind.GRAFFITI, delivery, content.digest)
    session.add(run)
    await session.flush()
    await staging.take_over(session, run)
    if run.imported >= MANY:
        await staging.tell_planner(session)
    return replace(report, id=run.id)


async def _removals(
    session: AsyncSession, delivery: Delivery, mapping: RemovalMapping | None, table: Table, refusals: Refusals
) -> Removals:
    city = await cities.get(session, delivery.city_id)
    written = DateForm(mapping.date_format if mapping else ISO_DAY, ZoneInfo(city.time_zone), utc_now())
    layout = Layout.of(mapping, mappings.places(mapping, table), written)
    return Removals(table, layout, await cities.districts(session, city), refusals)


async def _report(session: AsyncSession, delivery: Delivery, removals: Removals, refusals: Refusals) -> Report:
    found = await staging.sort_out(session, delivery.city_id, delivery.source)
    refusals.add(*found.repeated, more=found.repeated_in_all - len(found.repeated))
    figures = Figures(
        rows=removals.rows,
        imported=found.imported,
        already_there=found.already_there,
        without_point=found.without_point,
        left_out=removals.left_out,
        refused=refusals.count,
    )
    return Report(figures, refused_rows=refusals.listed)
