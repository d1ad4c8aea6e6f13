"""What the ledger adds up to: over any days, in any district, as of any moment, at the cost of a few sums.

One statement reads the tally, how far it has come and the entries that are not in it yet, all in one snapshot: the
answer is exact whenever it is asked, however long nobody has rolled up.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.core.build import build
from app.core.clock import utc_now
from app.core.database import Database
from app.domain.errors import Fault, Invalid
from app.domain.metrics import FEWEST_PEOPLE, Metric, Origin, too_few
from app.domain.permissions import Actor, Role
from app.domain.tallies import NO_DISTRICT, WHOLE_CITY, Count, Period
from app.models.cities import City, District
from app.models.ledger import DeclaredCount, DeclaredWithdrawal, LedgerEntry
from app.models.tallies import COUNTS, TALLY, TallyState
from app.schemas.metrics import CountQuery, DeclaredState, DeclaredTotal
from app.services import horizon, overlaps, reads
from app.services.cities import CITY_ID
from app.services.horizon import not_rolled_up, page_of
from app.services.reads import Query

_AREA = sa.bindparam("area", type_=sa.Text)
_AS_OF = sa.bindparam("as_of", type_=sa.DateTime(timezone=True))
_METRICS = sa.bindparam("metrics", [metric.value for metric in Metric], type_=ARRAY(sa.Text))
_NOTHING: sa.ColumnClause[Any] = sa.literal_column("'[]'::json")


@dataclass(frozen=True, slots=True)
class Question:
    """`district_id` narrows everything to one district; `by_district` asks for each as well as for the whole."""

    periods: Sequence[Period]
    district_id: str | None = None
    by_district: bool = False
    as_of: datetime | None = None
    with_changes: bool = False
    """Also when each metric's newest entry was recorded."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What every count of the city depends on; while it is the same, so are they."""

    revision: int
    """How many entries the city's ledger has: it rises with each, and never falls."""
    declared: int
    """How many totals were declared or withdrawn, also those that are in no sum."""
    today: date
    time_zone: str
    is_demo: bool

    @property
    def etag(self) -> str:
        # The next program may count the same and say it in another form.
        return f'"{build()}-{self.revision}-{self.declared}-{self.today:%Y%m%d}"'


class Sums:
    """The answer: a count for each metric, period and area."""

    def __init__(self, periods: Sequence[Period], answered: Mapping[str, Any]) -> None:
        self.standing = _standing(answered)
        changed_at: Mapping[str, str] = answered["changed_at"] or {}
        self.changed_at = {metric: datetime.fromisoformat(moment) for metric, moment in changed_at.items()}
        """When a metric's newest entry was recorded, if that was asked; a metric without entries is not there."""
        self.areas: list[str] = answered["areas"]
        self._counts: defaultdict[tuple[str, str, str], Count] = defaultdict(Count)
        self._minute_facts: int = answered["minute_facts"]
        for row in answered["rolled"]:
            self._add_rolled(row)
        self._add_late(periods, answered["late"])
        self.declared = [DeclaredState.model_validate(total) for total in answered["totals"]]
        """All that was declared, of any days."""
        self.overlaps = [total for total in self.declared if total.counted and total.overlaps_recorded]
        """Those of them that are summed and overlap with what was recorded."""
        for total in self.overlaps:
            self._flag(periods, total)

    def count(self, metric: Metric, period: str, area: str = WHOLE_CITY) -> Count:
        return self._counts[metric, period, area]

    def is_of_few(self, metric: Metric, period: str, area: str = WHOLE_CITY) -> bool:
        """Of a metric about people: whether it, or a part of it, is of too few to publish.

        Of minutes each fact is one person's, and their number says how many: who was there may have none.
        """
        count = self.count(metric, period, area)
        if metric is Metric.VOLUNTEER_MINUTES:
            return count.recorded != 0 and self._minute_facts < FEWEST_PEOPLE
        return too_few((count.recorded, count.declared, count.total))

    def overlapping(self, metric: Metric, first: date, last: date) -> list[DeclaredTotal]:
        days = Period("days", first, last)
        return [
            each for each in self.overlaps if each.metric is metric and days.touches(each.period_from, each.period_to)
        ]

    def _add_rolled(self, row: Mapping[str, Any]) -> None:
        for metric in Metric:
            recorded, declared = (row.get(COUNTS[metric, origin], 0) for origin in Origin)
            if recorded or declared:
                self._counts[metric, row["period"], row["area"]] += Count(recorded, declared)

    def _add_late(self, periods: Sequence[Period], late: Sequence[tuple[str, str, str, int, str | None]]) -> None:
        """Entries that the tally does not have yet, summed by day and, if each is asked for, by district."""
        days = {text: date.fromisoformat(text) for _, _, text, *_ in late}
        within = {text: [each.name for each in periods if each.first <= day <= each.last] for text, day in days.items()}
        amounts: defaultdict[tuple[str, str, str, str], int] = defaultdict(int)
        for metric, origin, day, amount, district in late:
            for area in self.areas if district is None else (WHOLE_CITY, district):
                for period in within[day]:
                    amounts[metric, period, area, origin] += amount
        for (metric, period, area, origin), amount in amounts.items():
            is_recorded = origin == Origin.RECORDED
            self._counts[metric, period, area] += Count(amount) if is_recorded else Count(declared=amount)

    def _flag(self, periods: Sequence[Period], declared: DeclaredState) -> None:
        """A declared total is of no district, and where nothing was counted nothing can be counted twice."""
        touched = [each.name for each in periods if each.touches(declared.period_from, declared.period_to)]
        for key in product([declared.metric], touched, [WHOLE_CITY, NO_DISTRICT]):
            if self.count(*key) != Count():
                self._counts[key] += Count(overlap=True)


def check(query: CountQuery) -> None:
    """Raises Invalid for a range that ends before it begins, or a moment that is yet to come."""
    if query.from_ and query.to and query.to < query.from_:
        raise Invalid(Fault("ends_before_start", "/query/to"))
    if query.as_of and query.as_of > utc_now():
        raise Invalid(Fault("in_future", "/query/as_of"))


async def of_city(database: Database, actor: Actor | None, city_id: str, question: Question) -> Sums:
    """Raises NotFound for a city, Invalid for a district that is not there."""
    spans = [(period.name, *span) for period in question.periods for span in period.spans()]
    names, kinds, starts = zip(*spans, strict=True) if spans else ((), (), ())
    values: dict[str, object] = {
        "city_id": city_id,
        "area": question.district_id or WHOLE_CITY,
        "periods": names,
        "spans": kinds,
        "starts": starts,
        "as_of": question.as_of,
        # Of one district each district is that one.
        "by_district": (question.by_district and question.district_id is None) or None,
        "of_district": question.district_id,
        "changes": question.with_changes or None,
    }
    answered = json.loads(await reads.document(database, actor, sums, "city", **values))
    if question.district_id and not answered["district_exists"]:
        raise Invalid(Fault("no_such_district", "/query/district"))
    return Sums(question.periods, answered)


async def standing_of(database: Database, actor: Actor | None, city_id: str) -> Standing:
    """For a fraction of what a count costs. Raises NotFound."""
    return _standing(json.loads(await reads.document(database, actor, standing, "city", city_id=city_id)))


def _standing(answered: Mapping[str, Any]) -> Standing:
    today = date.fromisoformat(answered["today"])
    names = ("revision", "declared", "time_zone", "is_demo")
    return Standing(today=today, **{name: answered[name] for name in names})


def sums(role: Role | None, given: frozenset[str]) -> Query:
    areas = _areas(given).cte("areas")
    rolled = _rolled(areas, given).subquery("rolled_row")
    as_of = _AS_OF if "as_of" in given else None
    district_id = _AREA if "of_district" in given else None
    late = horizon.late(CITY_ID, as_of, district_id=district_id, by_district="by_district" in given)
    declared = overlaps.totals(CITY_ID, late, as_of).subquery("declared_row")
    district = sa.exists().where(col(District.city_id) == CITY_ID, col(District.id) == _AREA)
    columns: dict[str, Any] = {
        **_stands(),
        "changed_at": _changed(given) if "changes" in given else sa.null(),
        "areas": sa.select(sa.func.json_agg(areas.c.area)).scalar_subquery(),
        "rolled": _listed(sa.func.json_strip_nulls(sa.func.row_to_json(rolled.table_valued())), rolled),
        "minute_facts": _minute_facts(),
        "late": _listed(_late_row(late), late),
        # In no district.
        "totals": _NOTHING if "of_district" in given else _listed(declared.table_valued(), declared),
        "district_exists": district,
    }
    return sa.select(*(column.label(name) for name, column in columns.items())).where(col(City.id) == CITY_ID)


def standing(role: Role | None, given: frozenset[str]) -> Query:
    return sa.select(*(column.label(name) for name, column in _stands().items())).where(col(City.id) == CITY_ID)


def _stands() -> dict[str, Any]:
    declared = sa.select(sa.func.count()).where(col(DeclaredCount.city_id) == CITY_ID).scalar_subquery()
    withdrawn = sa.select(sa.func.count()).where(col(DeclaredWithdrawal.city_id) == CITY_ID).scalar_subquery()
    return {
        "revision": _revision(),
        "declared": declared + withdrawn,
        "today": sa.cast(sa.func.timezone(col(City.time_zone), sa.func.statement_timestamp()), sa.Date),
        "time_zone": col(City.time_zone),
        "is_demo": col(City.is_demo),
    }


def _areas(given: frozenset[str]) -> Any:
    asked = sa.select(_AREA.label("area"))
    if "by_district" not in given:
        return asked
    each = sa.select(col(District.id)).where(col(District.city_id) == CITY_ID)
    return sa.union_all(asked, each, sa.select(sa.literal_column(f"'{NO_DISTRICT}'")))


def _rolled(areas: sa.CTE, given: frozenset[str]) -> Query:
    """For each period and area the sum of its spans; of a span the newest row, or the newest that was known then."""
    spans = (
        sa.func.unnest(*(sa.bindparam(name, type_=kind) for name, kind in _SPAN_ARRAYS.items()))
        .table_valued("period", "span", sa.column("starts_on", sa.Date), name="asked")
        .render_derived()
    )
    newest = sa.select(*(TALLY.c[name] for name in COUNTS.values())).where(
        TALLY.c.city_id == CITY_ID,
        TALLY.c.area == areas.c.area,
        TALLY.c.span == spans.c.span,
        TALLY.c.starts_on == spans.c.starts_on,
    )
    if "as_of" in given:
        newest = newest.where(TALLY.c.page < page_of(CITY_ID, _AS_OF))
    known = newest.order_by(TALLY.c.page.desc()).limit(1).lateral("known")
    by: tuple[Any, ...] = (spans.c.period, areas.c.area)
    total = (sa.func.sum(known.c[name]).label(name) for name in COUNTS.values())
    return sa.select(*by, *total).select_from(spans.join(areas, sa.true()).join(known, sa.true())).group_by(*by)


_SPAN_ARRAYS = {"periods": ARRAY(sa.Text), "spans": ARRAY(sa.Text), "starts": ARRAY(sa.Date)}


def _minute_facts() -> Any:
    """How many minutes facts stand, up to as many as can be published."""
    fact, reversal = aliased(LedgerEntry), aliased(LedgerEntry)
    taken_back = sa.exists().where(
        col(reversal.city_id) == col(fact.city_id),
        col(reversal.reverses_id) == col(fact.id),
        col(reversal.reverses_id).is_not(None),
    )
    standing = sa.select(col(fact.id)).where(
        col(fact.city_id) == CITY_ID,
        col(fact.metric) == Metric.VOLUNTEER_MINUTES,
        col(fact.origin) == Origin.RECORDED,
        col(fact.reverses_id).is_(None),
        ~taken_back,
    )
    # In the order of the index that is to be used: for any five the ledger would be read from its beginning.
    few = standing.order_by(col(fact.occurred_on)).limit(FEWEST_PEOPLE).subquery()
    return sa.select(sa.func.count()).select_from(few).scalar_subquery()


def _changed(given: frozenset[str]) -> Any:
    metrics = sa.func.unnest(_METRICS).table_valued("metric", name="known_metric").render_derived()
    recorded_at: Any = col(LedgerEntry.recorded_at)
    newest = sa.select(recorded_at.label("at")).where(
        col(LedgerEntry.city_id) == CITY_ID, col(LedgerEntry.metric) == metrics.c.metric
    )
    if "as_of" in given:
        newest = newest.where(recorded_at <= _AS_OF)
    newest_of = newest.order_by(recorded_at.desc()).limit(1).lateral("newest")
    each = sa.func.json_object_agg(metrics.c.metric, newest_of.c.at)
    return sa.select(each).select_from(metrics.join(newest_of, sa.true())).scalar_subquery()


def _revision() -> Any:
    """Entries are never taken away: their number tells every state of the ledger from every other."""
    rolled = sa.select(col(TallyState.entries)).where(col(TallyState.city_id) == CITY_ID).scalar_subquery()
    late = sa.select(sa.func.count()).select_from(not_rolled_up(CITY_ID, col(LedgerEntry.id)).subquery())
    return sa.func.coalesce(rolled, 0) + late.scalar_subquery()


def _late_row(late: sa.CTE) -> Any:
    district = late.c.get("district", sa.null())
    return sa.func.json_build_array(late.c.metric, late.c.origin, late.c.occurred_on, late.c.amount, district)


def _listed(each: Any, rows: sa.FromClause) -> Any:
    listed = sa.select(sa.func.json_agg(each)).select_from(rows).scalar_subquery()
    return sa.func.coalesce(listed, _NOTHING)
