"""Totals that offices declared. Each is kept; of those that declare the same days only the first is counted."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.clock import day_in, utc_now
from app.domain.errors import Fault, Invalid
from app.domain.metrics import Metric, Origin, Precision
from app.domain.records import Cells, Period, RecordsKind, Refusal, Refusals, RefusedCell
from app.models.ledger import DeclaredCount, LedgerEntry
from app.models.records import RecordsImport
from app.schemas.records import Figures
from app.services import cities
from app.services.records import staging
from app.services.records.reports import Delivery, Report
from app.services.records.table import Table, examined

MOST_ROWS = 10_000
MOST = 2_000_000_000
_REQUIRED = ("metric", "period_from", "period_to", "amount", "source", "published_on")
_OPTIONAL = ("precision", "url")
_METRICS: dict[str, str] = {metric.value: metric.value for metric in Metric}
_PRECISIONS: dict[str, str] = {precision.value: precision.value for precision in Precision}


@dataclass(frozen=True, slots=True)
class Declared:
    """That a source said: so many, on these days. `counted` if the ledger has it."""

    metric: Metric
    period: Period
    source: str
    amount: int
    precision: Precision
    published_on: date
    url: str | None
    counted: bool = False

    @classmethod
    def read(cls, cells: Cells, today: date) -> "Declared":
        """Raises RefusedCell."""
        amount, published_on = cells.whole("amount", MOST), cells.day("published_on")
        if amount is None:
            raise RefusedCell("amount", "missing")
        if published_on > today:
            raise RefusedCell("published_on", "in_future")
        return cls(
            metric=Metric(cells.choice("metric", _METRICS) or cells.required("metric", 1)),
            period=cells.period("period_from", "period_to"),
            source=cells.required("source", 200),
            amount=amount,
            precision=Precision(cells.choice("precision", _PRECISIONS) or Precision.EXACT),
            published_on=published_on,
            url=cells.text("url", 2048),
        )

    @classmethod
    def kept(cls, row: DeclaredCount) -> "Declared":
        period = Period(row.period_from, row.period_to)
        said = (row.metric, period, row.source, row.amount, row.precision, row.published_on, row.url)
        return cls(*said, counted=row.counted)


class Register:
    """All declared totals of a city, and what a further one means beside them."""

    def __init__(self, known: Iterable[Declared]) -> None:
        self.new: list[Declared] = []
        self.already_there = 0
        self._all = list(known)

    def declare(self, said: Declared) -> None:
        """Raises RefusedCell `declared_otherwise` if the same source said another number for the same days."""
        same_metric = [other for other in self._all if other.metric is said.metric]
        for other in same_metric:
            if (other.period, other.source) == (said.period, said.source):
                self._repeat(other, said)
                return
        taken = any(other.counted and other.period.overlaps(said.period) for other in same_metric)
        said = replace(said, counted=not taken)
        self.new.append(said)
        self._all.append(said)

    def _repeat(self, before: Declared, said: Declared) -> None:
        if (before.amount, before.precision) != (said.amount, said.precision):
            raise RefusedCell("amount", "declared_otherwise", amount=before.amount, precision=before.precision.value)
        self.already_there += 1


async def take_over_counts(session: AsyncSession, delivery: Delivery) -> Report:
    """Each good row once by (metric, period, source).

    Raises NotFound for the city, and Invalid for a file that is no table of totals: then nothing is written.
    """
    city = await cities.get(session, delivery.city_id)
    content = await asyncio.to_thread(examined, delivery.file)
    table = Table(delivery.file, content.encoding, (*_REQUIRED, *_OPTIONAL))
    await staging.take_turn(session, city.id)
    known = await session.exec(select(DeclaredCount).where(DeclaredCount.city_id == city.id))
    register = Register(Declared.kept(row) for row in known)
    report = _report(table, register, day_in(city.time_zone, utc_now()))
    if delivery.dry_run:
        return report
    run = report.run(RecordsKind.COUNTS, delivery, content.digest)
    session.add(run)
    await session.flush()
    for said in register.new:
        session.add_all(_written(run, said))
    return replace(report, id=run.id)


def _report(table: Table, register: Register, today: date) -> Report:
    places = {name: table.place(name) for name in (*_REQUIRED, *_OPTIONAL) if name in {*_REQUIRED, *table.header}}
    refusals, rows = Refusals(), 0
    for number, row in table.rows():
        rows += 1
        if rows > MOST_ROWS:
            raise Invalid(Fault("too_long", "/body", {"limit": MOST_ROWS}))
        try:
            register.declare(Declared.read(Cells(places, table.whole(row)), today))
        except RefusedCell as refused:
            refusals.add(Refusal(number, refused.fault))
    if not rows:
        raise Invalid(Fault("csv_empty", "/body"))
    figures = Figures(
        rows=rows,
        imported=len(register.new),
        already_there=register.already_there,
        without_point=0,
        left_out=0,
        refused=refusals.count,
    )
    return Report(figures, refused_rows=refusals.listed, uncounted=sum(not said.counted for said in register.new))


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
        counted=said.counted,
        import_id=run.id,
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
