"""Every count of a city in one document."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate

from app.core.clock import day_in
from app.core.database import Database
from app.domain.metrics import ABOUT_PEOPLE, LEVELS, Metric, kind_of, too_few
from app.domain.permissions import Actor, Permission
from app.domain.tallies import FIRST_DAY, LAST_DAY, NO_DISTRICT, WHOLE_CITY, Count, Period
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
from app.services import sums
from app.services.sums import Question, Standing, Sums

_WHOLE = MetricsQuery()
_WITHIN, _UNTIL, _BEFORE_DAYS, _TODAY = "within", "until", "before days", "today"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted, for whom: of people the public and volunteers learn totals only."""

    city_id: str
    query: MetricsQuery
    is_public: bool
    sees_people: bool = False

    @classmethod
    def by(cls, actor: Actor | None, city_id: str, query: MetricsQuery = _WHOLE) -> "Asked":
        """By somebody, or by anybody; without a query the document that is polled."""
        sees_people = actor is not None and actor.may(Permission.LEDGER_READ)
        return cls(city_id, query, is_public=actor is None, sees_people=sees_people)

    @property
    def area(self) -> str:
        return self.query.district or WHOLE_CITY

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
    question = Question([*periods.all()], query.district, query.by_district, query.as_of, with_changes=True)
    found = await sums.of_city(database, None, asked.city_id, question)
    read = MetricsRead(
        city_id=asked.city_id,
        is_demo=standing.is_demo,
        time_zone=standing.time_zone,
        today=today,
        as_of=query.as_of,
        revision=found.standing.revision,
        metrics=[*_metrics(asked, periods, found)],
        declared=[*_declared(asked, found)],
    )
    # Counted for the day that was asked about, however late it was when it was its turn.
    counted_from = replace(found.standing, today=standing.today)
    return counted_from, Document(tag(asked, counted_from), read.model_dump_json().encode())


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
        of_few = _is_closed(asked, metric) and found.is_of_few(metric, _period_of(metric), asked.area)
        if metric not in asked.hidden and not of_few:
            yield _metric(asked, periods, found, metric)


def _period_of(metric: Metric) -> str:
    """Of a level what it has come to, whenever that began."""
    return _UNTIL if metric in LEVELS else _WITHIN


def _metric(asked: Asked, periods: Periods, found: Sums, metric: Metric) -> MetricRead:
    area = asked.area
    count = found.count(metric, _period_of(metric), area)
    is_closed = _is_closed(asked, metric)
    return MetricRead(
        metric=metric,
        kind=kind_of(metric),
        today=None if is_closed else _today(found, metric, area),
        last_7_days=None if is_closed else _trend(found, metric, 7, area),
        last_30_days=None if is_closed else _trend(found, metric, 30, area),
        changed_at=None if is_closed else found.changed_at.get(metric),
        districts=[] if is_closed else [*_districts(found, metric, _period_of(metric))],
        days=[] if is_closed else [*_days(periods, found, metric, area)],
        **(_coarse(count) if is_closed else count).parts(),
    )


def _is_closed(asked: Asked, metric: Metric) -> bool:
    """Neither days nor districts nor what is new."""
    return metric in ABOUT_PEOPLE and not asked.sees_people


def _coarse(count: Count) -> Count:
    """Of its overlaps it does not say on which days people were counted."""
    return replace(count, overlap=count.recorded != 0 and count.declared != 0)


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


def _declared(asked: Asked, found: Sums) -> Iterator[DeclaredRead]:
    """For some of these days; a total counts on the last day of its period, and in no district."""
    days = Period(_WITHIN, asked.query.from_ or FIRST_DAY, asked.query.to or LAST_DAY)
    for total in found.declared:
        is_asked = not asked.query.district and days.touches(total.period_from, total.period_to)
        of_few = _is_closed(asked, total.metric) and too_few([total.amount])
        if is_asked and total.metric not in asked.hidden and not of_few:
            read = DeclaredRead(**dict(total), ends_within=total.period_to <= days.last)
            yield read.model_copy(update={"overlaps_recorded": None}) if _is_closed(asked, total.metric) else read
