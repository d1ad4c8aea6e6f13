"""Totals that offices declared. Each is kept; of those that declare the same days only the first is counted."""

import asyncio
from dataclasses import replace
from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import day_in, utc_now
from app.domain.declared import MOST, Declared, Register, is_web_address
from app.domain.errors import Fault, Invalid
from app.domain.metrics import LEVELS, Metric, Origin, Precision
from app.domain.records import Cells, RecordsKind, Refusal, Refusals, RefusedCell
from app.models.ledger import DeclaredCount, LedgerEntry
from app.models.records import RecordsImport
from app.schemas.records import Figures
from app.services import cities, declared
from app.services.records import staging
from app.services.records.reports import Delivery, Report
from app.services.records.table import Table, examined

MOST_ROWS = 10_000
_REQUIRED = ("metric", "period_from", "period_to", "amount", "source", "published_on")
_OPTIONAL = ("precision", "url")
_METRICS: dict[str, str] = {metric.value: metric.value for metric in Metric}
_PRECISIONS: dict[str, str] = {precision.value: precision.value for precision in Precision}


class _Taken:
    """The good rows of a file, entered after what the city has already."""

    def __init__(self, register: Register) -> None:
        self.new: list[Declared] = []
        self.already_there = 0
        self._register = register

    def take(self, said: Declared) -> None:
        """What was withdrawn does not come back with the same file, but its source may say another number.

        Raises RefusedCell `declared_otherwise` for another number than one that stands.
        """
        before = self._register.latest(said)
        is_same = before is not None and (before.amount, before.precision) == (said.amount, said.precision)
        if before is None or (before.withdrawn and not is_same):
            self.new.append(self._register.declare(said))
            return
        if not is_same:
            raise RefusedCell("amount", "declared_otherwise", amount=before.amount, precision=before.precision.value)
        self.already_there += 1


def _read(cells: Cells, today: date) -> Declared:
    """Raises RefusedCell."""
    amount, published_on, url = cells.whole("amount", MOST), cells.day("published_on"), cells.text("url", 2048)
    if amount is None:
        raise RefusedCell("amount", "missing")
    metric = Metric(cells.choice("metric", _METRICS) or cells.required("metric", 1))
    period = cells.period("period_from", "period_to")
    _check(metric, {"published_on": published_on, "period_to": period.last}, today)
    if url and not is_web_address(url):
        raise RefusedCell("url", "wrong_pattern")
    return Declared(
        metric=metric,
        period=period,
        source=cells.required("source", 200),
        amount=amount,
        precision=Precision(cells.choice("precision", _PRECISIONS) or Precision.EXACT),
        published_on=published_on,
        url=url,
    )


def _check(metric: Metric, days: dict[str, date], today: date) -> None:
    """Raises RefusedCell, as `declared.declare` raises Invalid."""
    if metric in LEVELS:
        raise RefusedCell("metric", "level_of_days")
    for field, day in days.items():
        if day > today:
            raise RefusedCell(field, "in_future")


async def take_over_counts(session: AsyncSession, delivery: Delivery) -> Report:
    """Each good row once by (metric, period, source).

    Raises NotFound for the city, and Invalid for a file that is no table of totals: then nothing is written.
    """
    city = await cities.get(session, delivery.city_id)
    content = await asyncio.to_thread(examined, delivery.file)
    table = Table(delivery.file, content.encoding, (*_REQUIRED, *_OPTIONAL))
    await staging.take_turn(session, city.id)
    taken = _Taken(await declared.register(session, city.id))
    report = _report(table, taken, day_in(city.time_zone, utc_now()))
    if delivery.dry_run:
        return report
    run = report.run(RecordsKind.COUNTS, delivery, content.digest)
    session.add(run)
    await session.flush()
    for said in taken.new:
        session.add_all(_written(run, said))
    return replace(report, id=run.id)


def _report(table: Table, taken: _Taken, today: date) -> Report:
    places = {name: table.place(name) for name in (*_REQUIRED, *_OPTIONAL) if name in {*_REQUIRED, *table.header}}
    refusals, rows = Refusals(), 0
    for number, row in table.rows():
        rows += 1
        if rows > MOST_ROWS:
            raise Invalid(Fault("too_long", "/body", {"limit": MOST_ROWS}))
        try:
            taken.take(_read(Cells(places, table.whole(row)), today))
        except RefusedCell as refused:
            refusals.add(Refusal(number, refused.fault))
    if not rows:
        raise Invalid(Fault("csv_empty", "/body"))
    figures = Figures(
        rows=rows,
        imported=len(taken.new),
        already_there=taken.already_there,
        without_point=0,
        left_out=0,
        refused=refusals.count,
    )
    return Report(figures, refused_rows=refusals.listed, uncounted=sum(not said.counted for said in taken.new))


def _written(run: RecordsImport, said: Declared) -> list[DeclaredCount | LedgerEntry]:
    count = DeclaredCount(
        city_id=run.city_id,
        metric=said.metric,
        period_from=said.period.first,
        period_to=said.period.last,
        amount=said.amount,
        precision=said.precision,
        source=said.source,
        published_on=said.published_on,
        url=said.url,
        edition=said.edition,
        import_id=run.id,
        entered_by=run.imported_by,
    )
    if not said.counted:
        return [count]
    entry = LedgerEntry(
        city_id=run.city_id,
        metric=said.metric,
        origin=Origin.DECLARED,
        amount=said.amount,
        occurred_on=said.period.last,
        subject_id=count.id,
        recorded_by=run.imported_by,
    )
    return [count, entry]
