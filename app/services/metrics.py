"""The counts, summed from the ledger at the moment they are asked for."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlmodel import col

from app.domain.errors import Fault, Invalid
from app.domain.metrics import Metric, Origin
from app.domain.permissions import Role
from app.models.cities import City
from app.models.ledger import DeclaredCount, LedgerEntry
from app.schemas.metrics import DeclaredRead, MetricsQuery
from app.services import reads
from app.services.cities import CITY_ID
from app.services.reads import Query

# Of people the public learns totals only: a day or a district with one new volunteer would point at somebody.
ABOUT_PEOPLE = (Metric.VOLUNTEERS_STREET, Metric.VOLUNTEERS_ONLINE)
_FROM = sa.bindparam("from", type_=sa.Date)
_TO = sa.bindparam("to", type_=sa.Date)
_DISTRICT = sa.bindparam("district", type_=sa.Text)
_DAYS = sa.bindparam("days", type_=sa.Integer)
_METRIC = sa.column("metric", sa.Text)
_PARTS = ("total", "recorded", "declared")
_EMPTY: sa.TextClause = sa.text("'[]'::json")

Part = sa.ColumnElement[Any]


def checked(query: MetricsQuery) -> dict[str, object]:
    """The values of the read. Raises Invalid for a range that ends before it begins."""
    if query.from_ and query.to and query.to < query.from_:
        raise Invalid(Fault("ends_before_start", "/query/to"))
    return {"from": query.from_, "to": query.to, "district": query.district, "days": query.days}


def totals(role: Role | None, given: frozenset[str]) -> Query:
    return _document(reads.CITY, given, hide_people=False)


def public_totals(role: Role | None, given: frozenset[str]) -> Query:
    return _document(CITY_ID, given, hide_people=True)


def _document(city_id: sa.BindParameter[str], given: frozenset[str], *, hide_people: bool) -> Query:
    """One row, `MetricsRead`; none for a city that does not exist."""
    # Asked for a day, even a total would be that of one new volunteer.
    hidden = ABOUT_PEOPLE if hide_people and given & {"from", "to", "district"} else ()
    metrics = [(metric.value,) for metric in Metric if metric not in hidden]
    known = sa.values(_METRIC, name="known").data(metrics)
    summed = _summed(city_id, given).subquery("summed")
    districts = _by_district(city_id, given, hide_people=hide_people)
    days = _by_day(city_id, given, hide_people=hide_people)
    each = (
        sa.select(
            known.c.metric,
            *(sa.func.coalesce(summed.c[part], 0).label(part) for part in _PARTS),
            sa.func.coalesce(districts.c.listed, _EMPTY).label("districts"),
            sa.func.coalesce(days.c.listed, _EMPTY).label("days"),
        )
        .select_from(
            known.outerjoin(summed, summed.c.metric == known.c.metric)
            .outerjoin(districts, districts.c.metric == known.c.metric)
            .outerjoin(days, days.c.metric == known.c.metric)
        )
        .subquery("each")
    )
    columns: list[Part] = [
        col(City.id).label("city_id"),
        col(City.is_demo).label("is_demo"),
        col(City.time_zone).label("time_zone"),
        sa.func.statement_timestamp().label("as_of"),
        sa.select(sa.func.json_agg(each.table_valued())).scalar_subquery().label("metrics"),
        _declared(city_id, given).label("declared"),
    ]
    return sa.select(*columns).where(col(City.id) == city_id)


def _summed(city_id: sa.BindParameter[str], given: frozenset[str], *by: Part) -> Query:
    """Sums of the ledger by metric and the further columns; reversals are negative and cancel out."""
    columns: list[Part] = [
        col(LedgerEntry.metric).label("metric"),
        *by,
        sa.func.sum(col(LedgerEntry.amount)).label("total"),
        _sum_of(Origin.RECORDED).label("recorded"),
        _sum_of(Origin.DECLARED).label("declared"),
    ]
    query = sa.select(*columns).where(col(LedgerEntry.city_id) == city_id)
    if "from" in given:
        query = query.where(col(LedgerEntry.occurred_on) >= _FROM)
    if "to" in given:
        query = query.where(col(LedgerEntry.occurred_on) <= _TO)
    if "district" in given:
        query = query.where(col(LedgerEntry.district_id) == _DISTRICT)
    return query.group_by(col(LedgerEntry.metric), *by)


def _sum_of(origin: Origin) -> Part:
    return sa.func.coalesce(sa.func.sum(col(LedgerEntry.amount)).filter(col(LedgerEntry.origin) == origin), 0)


def _by_district(city_id: sa.BindParameter[str], given: frozenset[str], *, hide_people: bool) -> sa.Subquery:
    query = _summed(city_id, given, col(LedgerEntry.district_id).label("district_id"))
    rows = _without_people(query, hide_people=hide_people).subquery("by_district")
    return _listed(rows, "district_id", rows.c.district_id.asc().nulls_last())


def _by_day(city_id: sa.BindParameter[str], given: frozenset[str], *, hide_people: bool) -> sa.Subquery:
    """The newest days that have a fact, so many for each metric."""
    query = _summed(city_id, given, col(LedgerEntry.occurred_on).label("day"))
    newness = sa.func.row_number().over(
        partition_by=col(LedgerEntry.metric), order_by=col(LedgerEntry.occurred_on).desc()
    )
    rows = _without_people(query, hide_people=hide_people).add_columns(newness.label("newness")).subquery("by_day")
    return _listed(rows, "day", rows.c.newness, where=rows.c.newness <= _DAYS)


def _without_people(query: Query, *, hide_people: bool) -> Query:
    return query.where(*(col(LedgerEntry.metric) != metric for metric in ABOUT_PEOPLE)) if hide_people else query


def _listed(rows: sa.Subquery, name: str, order: Part, *, where: Part | None = None) -> sa.Subquery:
    """For each metric its rows as one JSON array of `{name, total, recorded, declared}`."""
    fields: list[Part] = []
    for key in (name, *_PARTS):
        fields += [sa.literal_column(f"'{key}'"), rows.c[key]]
    listed = sa.func.json_agg(aggregate_order_by(sa.func.json_build_object(*fields), order))
    query = sa.select(rows.c.metric, listed.label("listed")).group_by(rows.c.metric)
    return (query if where is None else query.where(where)).subquery(f"{name}_listed")


def _declared(city_id: sa.BindParameter[str], given: frozenset[str]) -> Part:
    columns = reads.fields(DeclaredCount, DeclaredRead, overlaps_recorded=_recorded_on_the_same_days())
    query = sa.select(*columns).where(col(DeclaredCount.city_id) == city_id)
    # A declared total counts on the last day of its period, and in no district.
    if "from" in given:
        query = query.where(col(DeclaredCount.period_to) >= _FROM)
    if "to" in given:
        query = query.where(col(DeclaredCount.period_to) <= _TO)
    if "district" in given:
        query = query.where(sa.false())
    rows = query.order_by(col(DeclaredCount.id)).subquery("declared_row")
    listed = sa.select(sa.func.json_agg(rows.table_valued())).scalar_subquery()
    return sa.func.coalesce(listed, _EMPTY)


def _recorded_on_the_same_days() -> Part:
    """A recorded and a declared number for the same days are summed, but never without saying so."""
    return sa.exists().where(
        col(LedgerEntry.city_id) == col(DeclaredCount.city_id),
        col(LedgerEntry.metric) == col(DeclaredCount.metric),
        col(LedgerEntry.origin) == Origin.RECORDED,
        col(LedgerEntry.occurred_on).between(col(DeclaredCount.period_from), col(DeclaredCount.period_to)),
    )
