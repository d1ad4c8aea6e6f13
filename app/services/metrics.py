"""Every count of a city in one document."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

import sqlalchemy as sa
from pydantic import BaseModel
from sqlmodel import col

from app.core.clock import day_in
from app.core.database import Database
from app.domain.metrics import ABOUT_PEOPLE, LEVELS, Metric, kind_of, too_few
from app.domain.permissions import Role
from app.domain.tallies import FIRST_DAY, LAST_DAY, NO_DISTRICT, WHOLE_CITY, Count, Period
from app.models.ledger import DeclaredCount
from app.schemas.metrics import (
    DayParts,
    DeclaredRead,
    DistrictParts,
    Format,
    MetricRead,
    MetricsQuery,
    MetricsRead,
    Today,
    Trend,
)
from app.services import reads, sums
from app.services.cities import CITY_ID
from app.services.declared import is_withdrawn
from app.services.overlaps import is_counted, overlaps_recorded
from app.services.reads import Query
from app.services.sums import Question, Standing, Sums

_FROM = sa.bindparam("from", type_=sa.Date)
_TO = sa.bindparam("to", type_=sa.Date)
_AS_OF = sa.bindparam("as_of", type_=sa.DateTime(timezone=True))
_WITHIN, _UNTIL, _BEFORE_DAYS, _TODAY = "within", "until", "before days", "today"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted, for whom: of people the public and volunteers learn totals only."""

    city_id: str
    query: MetricsQuery
    is_public: bool
    sees_people: bool = False

    @property
    def hidden(self) -> frozenset[Metric]:
        # Asked for a day, even a total would be that of one new volunteer.
        query = self.query
        is_narrowed = query.from_ or query.to or query.district or query.as_of
        return ABOUT_PEOPLE if is_narrowed and not self.sees_people else frozenset()


@dataclass(frozen=True, slots=True)
class Document:
    etag: str
    json: bytes


def as_json(query: MetricsQuery) -> MetricsQuery:
    """The question behind a table: its document is counted once for all the forms in which it is sent."""
    return query.model_copy(update={"format": Format.JSON})


def tag(asked: Asked, standing: Standing) -> str:
    """Volunteers are told less than staff at the same address: neither may take the other's document for their own."""
    is_less = not asked.is_public and not asked.sees_people
    return f'{standing.etag[:-1]}-volunteer"' if is_less else standing.etag


async def document(database: Database, asked: Asked, standing: Standing) -> tuple[Standing, Document]:
    """The JSON of `MetricsRead`, with the standing that it was counted from.

    Raises NotFound for a city, Invalid for a district.
    """
    query = asked.query
    today = day_in(standing.time_zone, query.as_of) if query.as_of else standing.today
    periods = Periods(query, today)
    question = Question([*periods.all()], query.district, query.by_district, query.as_of)
    found = await sums.of_city(database, None, asked.city_id, question)
    read = MetricsRead(
        city_id=asked.city_id,
        is_demo=standing.is_demo,
        time_zone=standing.time_zone,
        today=today,
        as_of=query.as_of,
        revision=found.standing.revision,
        metrics=[*_metrics(asked, periods, found)],
        declared=await _declared(database, asked),
    )
    return found.standing, Document(tag(asked, found.standing), read.model_dump_json().encode())


class Periods:
    """The days that the document is about; `within` is what was asked for."""

    def __init__(self, query: MetricsQuery, today: date) -> None:
        self.first, self.last = query.from_ or FIRST_DAY, query.to or LAST_DAY
        self.today = today
        newest = min(self.last, today)
        self.days = [newest - timedelta(days=back) for back in range(query.days)]

    def all(self) -> Iterator[Period]:
        yield Period(_WITHIN, self.first, self.last)
        yield Period(_UNTIL, FIRST_DAY, self.last)
        yield Period(_TODAY, self.today, self.today)
        for days in (7, 30):
            yield Period(f"last {days}", self.today - timedelta(days=days - 1), self.today)
            yield Period(f"before {days}", *self._before(days))
        if self.days:
            yield Period(_BEFORE_DAYS, FIRST_DAY, self.days[-1] - timedelta(days=1))
        yield from (Period(f"{day}", day, day) for day in self.days)

    def _before(self, days: int) -> tuple[date, date]:
        return self.today - timedelta(days=2 * days - 1), self.today - timedelta(days=days)


def _metrics(asked: Asked, periods: Periods, found: Sums) -> Iterator[MetricRead]:
    for metric in Metric:
        read = _metric(asked, periods, found, metric)
        is_few = too_few(metric, read.recorded, read.declared, read.total)
        if metric not in asked.hidden and (asked.sees_people or not is_few):
            yield read


def _metric(asked: Asked, periods: Periods, found: Sums, metric: Metric) -> MetricRead:
    area = asked.query.district or WHOLE_CITY
    whole = _UNTIL if metric in LEVELS else _WITHIN
    # Neither days nor districts nor what is new.
    is_closed = metric in ABOUT_PEOPLE and not asked.sees_people
    return MetricRead(
        metric=metric,
        kind=kind_of(metric),
        today=None if is_closed else _today(found, metric, area),
        last_7_days=None if is_closed else _trend(found, metric, 7, area),
        last_30_days=None if is_closed else _trend(found, metric, 30, area),
        changed_at=None if is_closed else found.changed_at.get(metric),
        districts=[] if is_closed else [*_districts(found, metric, whole)],
        days=[] if is_closed else [*_days(periods, found, metric, area)],
        **found.count(metric, whole, area).parts(),
    )


def _today(found: Sums, metric: Metric, area: str) -> Today:
    count = found.count(metric, _TODAY, area)
    return Today(total=count.total, overlap=count.overlap)


def _trend(found: Sums, metric: Metric, days: int, area: str) -> Trend:
    last, before = (found.count(metric, f"{name} {days}", area) for name in ("last", "before"))
    return Trend(total=last.total, before=before.total, overlap=last.overlap or before.overlap)


def _districts(found: Sums, metric: Metric, period: str) -> Iterator[DistrictParts]:
    """Those that have facts, so that they add up to the total."""
    for area in sorted({*found.areas} - {WHOLE_CITY}):
        count = found.count(metric, period, area)
        if count != Count():
            yield DistrictParts(district_id=None if area == NO_DISTRICT else area, **count.parts())


def _days(periods: Periods, found: Sums, metric: Metric, area: str) -> Iterator[DayParts]:
    """The newest first."""
    counts = [found.count(metric, f"{day}", area) for day in reversed(periods.days)]
    if metric in LEVELS and counts:
        start = found.count(metric, _BEFORE_DAYS, area)
        counts = list(accumulate(counts, initial=start))[1:]
    for day, count in zip(periods.days, reversed(counts), strict=True):
        yield DayParts(day=day, **count.parts())


async def _declared(database: Database, asked: Asked) -> list[DeclaredRead]:
    query = asked.query
    if query.district:
        return []
    values = {"from": query.from_, "to": query.to, "as_of": query.as_of, "city_id": asked.city_id}
    return _Listed.model_validate_json(await reads.document(database, None, declared, "city", **values)).declared


class _Listed(BaseModel):
    declared: list[DeclaredRead]


def declared(role: Role | None, given: frozenset[str]) -> Query:
    """What was declared for some of these days; a total counts on the last day of its period, and in no district."""
    as_of = _AS_OF if "as_of" in given else None
    columns = reads.fields(
        DeclaredCount,
        DeclaredRead,
        counted=is_counted(as_of),
        withdrawn=is_withdrawn(as_of),
        overlaps_recorded=overlaps_recorded(as_of),
        ends_within=col(DeclaredCount.period_to) <= _TO if "to" in given else sa.true(),
    )
    query = sa.select(*columns).where(col(DeclaredCount.city_id) == CITY_ID)
    if "from" in given:
        query = query.where(col(DeclaredCount.period_to) >= _FROM)
    if "to" in given:
        query = query.where(col(DeclaredCount.period_from) <= _TO)
    if "as_of" in given:
        query = query.where(col(DeclaredCount.created_at) <= _AS_OF)
    rows = query.order_by(col(DeclaredCount.id)).subquery("declared_row")
    listed = sa.select(sa.func.json_agg(rows.table_valued())).scalar_subquery()
    return sa.select(sa.func.coalesce(listed, sa.text("'[]'::json")).label("declared"))
