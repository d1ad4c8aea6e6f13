"""One metric in time: days, weeks, months or quarters, each there also without a fact."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from app.core.clock import day_in
from app.core.database import Database
from app.domain import reports
from app.domain.errors import Fault, Invalid
from app.domain.metrics import LEVELS, Metric, kind_of
from app.domain.tallies import FIRST_DAY, NO_DISTRICT, WHOLE_CITY, Count, Period
from app.schemas.reports import Bucket, DistrictSeries, SeriesQuery, SeriesRead
from app.services import sums
from app.services.reports.questions import Asked
from app.services.sums import Question, Standing

_WHOLE, _BEFORE = "whole", "before"
CountOf = Callable[[str], Count]


async def series(
    database: Database, asked: Asked[SeriesQuery], metric: Metric, standing: Standing
) -> tuple[str, SeriesRead]:
    """With the ETag of what was counted. Raises NotFound for a city, Invalid for a district or too many buckets."""
    query = asked.query
    days = _days(query, standing)
    question = Question(days.periods(), query.district, query.by_district, query.as_of)
    found = await sums.of_city(database, asked.actor, asked.city_id, question)

    def count_in(area: str) -> CountOf:
        return lambda period: found.count(metric, period, area)

    areas = sorted({*found.areas} - {WHOLE_CITY}) if query.by_district else []
    whole = count_in(query.district or WHOLE_CITY)
    heading = asked.heading(found.standing) | {"from_": days.first, "to": days.last}
    read = SeriesRead(
        **heading,
        metric=metric,
        kind=kind_of(metric),
        by=query.by,
        overlaps=[] if query.district else found.overlapping(metric, days.first, days.last),
        buckets=[*_buckets(metric, days.buckets, whole)],
        districts=[*_districts(metric, days.buckets, {area: count_in(area) for area in areas})],
        **_total(metric, whole).parts(),
    )
    return found.standing.etag, read


@dataclass(frozen=True, slots=True)
class _Days:
    first: date
    last: date
    buckets: Sequence[Period]

    def periods(self) -> list[Period]:
        before = Period(_BEFORE, FIRST_DAY, self.first - timedelta(days=1))
        return [Period(_WHOLE, self.first, self.last), before, *self.buckets]


def _days(query: SeriesQuery, standing: Standing) -> _Days:
    today = day_in(standing.time_zone, query.as_of) if query.as_of else standing.today
    last = query.to or today
    first = query.from_ or reports.start_of_series(query.by, last)
    if last < first:
        raise Invalid(Fault("ends_before_start", "/query/from"))
    return _Days(first, last, reports.buckets(query.by, first, last))


def _buckets(metric: Metric, periods: Sequence[Period], count: CountOf) -> Iterator[Bucket]:
    counts = [count(period.name) for period in periods]
    if metric in LEVELS:
        counts = list(accumulate(counts, initial=count(_BEFORE)))[1:]
    for period, each in zip(periods, counts, strict=True):
        yield Bucket(name=period.name, first=period.first, last=period.last, **each.parts())


def _total(metric: Metric, count: CountOf) -> Count:
    return count(_BEFORE) + count(_WHOLE) if metric in LEVELS else count(_WHOLE)


def _districts(metric: Metric, periods: Sequence[Period], counts: dict[str, CountOf]) -> Iterator[DistrictSeries]:
    for area, count in counts.items():
        buckets = [*_buckets(metric, periods, count)]
        if any(bucket.recorded or bucket.declared for bucket in buckets):
            district_id = None if area == NO_DISTRICT else area
            yield DistrictSeries(district_id=district_id, buckets=buckets, **_total(metric, count).parts())
