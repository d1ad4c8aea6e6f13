"""Declared totals of days on which facts were recorded here too: both in one sum may count the same thing twice."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.metrics import Metric, Origin
from app.domain.tallies import FIRST_DAY, LAST_DAY, WHOLE_CITY
from app.models.figures import Figure
from app.models.ledger import DeclaredCount, LedgerEntry
from app.models.tallies import COUNTS, TALLY
from app.schemas.metrics import DeclaredTotal
from app.services import reads
from app.services.horizon import midnight_before, not_rolled_up, utc_day
from app.services.reads import Query


def totals(city_id: Any, as_of: Any = None) -> Query:
    """`DeclaredTotal`s that are in the ledger and overlap with what was recorded; at `as_of`, if there is one."""
    query = sa.select(*reads.fields(DeclaredCount, DeclaredTotal)).order_by(col(DeclaredCount.id))
    return query.where(col(DeclaredCount.city_id) == city_id, is_counted(as_of), overlaps_recorded(as_of))


async def of_figure(session: AsyncSession, figure: Figure, as_of: datetime | None = None) -> list[DeclaredTotal]:
    """Of some of the figure's days, whatever its origin; at `as_of`, if there is one."""
    query = _of_days_of(Figure, as_of).where(col(Figure.city_id) == figure.city_id, col(Figure.id) == figure.id)
    return [DeclaredTotal.model_validate(row) for row in await (await session.connection()).execute(query)]


def of_figures() -> Any:
    """In a SELECT from figures: whether there are such totals, as of the figure's moment."""
    # Its row once more: what is nested deeper sees this SELECT, and none further out.
    same = aliased(Figure)
    query = _of_days_of(same, col(same.as_of)).where(
        col(same.city_id) == col(Figure.city_id), col(same.id) == col(Figure.id)
    )
    return sa.exists(query.order_by(None))


def _of_days_of(figure: type[Figure], as_of: Any) -> Query:
    """A declared total is of no district."""
    return totals(col(figure.city_id), as_of).where(
        col(DeclaredCount.metric) == col(figure.metric),
        col(DeclaredCount.period_to) >= sa.func.coalesce(col(figure.from_day), FIRST_DAY),
        col(DeclaredCount.period_from) <= sa.func.coalesce(col(figure.to_day), LAST_DAY),
        col(figure.district_id).is_(None),
    )


def is_counted(as_of: Any = None) -> Any:
    """Whether the ledger has the total, and has not taken it back; at `as_of`, if there is one."""
    found = entries_of_total()
    if as_of is not None:
        found = found.where(col(LedgerEntry.recorded_at) <= as_of)
    return sa.func.coalesce(found.with_only_columns(sa.func.sum(col(LedgerEntry.amount))).scalar_subquery(), 0) > 0


def overlaps_recorded(as_of: Any = None) -> Any:
    """A recorded and a declared number for the same days are summed, but never without saying so.

    What was taken back is not recorded; totals are declared of flows alone, so no two days make up for each other.
    """
    amounts = sa.union_all(*_recorded(as_of)).subquery("amount")
    total = sa.select(sa.func.sum(amounts.c.amount)).scalar_subquery()
    return sa.func.coalesce(total, 0) != 0


def _recorded(as_of: Any) -> Iterator[Query]:
    """What was recorded on the days of a total: the tally, and the entries that it does not have."""
    yield _tallied(as_of)
    recorded_at: Any = col(LedgerEntry.recorded_at)
    late = [not_rolled_up(col(DeclaredCount.city_id))]
    if as_of is None:
        yield _entries(*late)
        return
    midnight = midnight_before(as_of)
    yield _entries(*late, recorded_at < midnight)
    of_metric = col(LedgerEntry.metric) == col(DeclaredCount.metric)
    yield _entries(of_metric, recorded_at >= midnight, recorded_at <= as_of)


def _tallied(as_of: Any) -> Query:
    """Of each span of the total's the newest sum, or the newest that was known when the moment's day began."""
    days = (col(DeclaredCount.period_from), col(DeclaredCount.period_to))
    span = sa.func.spans_of(*days).table_valued("span", "starts_on", name="span").lateral()
    columns = {metric.value: TALLY.c[COUNTS[metric, Origin.RECORDED]] for metric in Metric}
    sums = sa.select(sa.case(columns, value=col(DeclaredCount.metric)).label("amount")).where(
        TALLY.c.city_id == col(DeclaredCount.city_id),
        TALLY.c.area == WHOLE_CITY,
        TALLY.c.span == span.c.span,
        TALLY.c.starts_on == span.c.starts_on,
    )
    if as_of is not None:
        sums = sums.where(TALLY.c.recorded_on < utc_day(as_of))
    newest = sums.order_by(TALLY.c.recorded_on.desc()).limit(1).correlate_except(TALLY).lateral("newest")
    return sa.select(newest.c.amount).select_from(span.join(newest, sa.true())).correlate(DeclaredCount)


def _entries(*which: Any) -> Query:
    """Few, and found by an index that `which` leads to: the offset keeps PostgreSQL from going by the days first."""
    names = ("metric", "origin", "occurred_on", "amount")
    query = sa.select(*(getattr(LedgerEntry, name) for name in names))
    few = query.where(col(LedgerEntry.city_id) == col(DeclaredCount.city_id), *which).offset(0)
    each = few.correlate_except(LedgerEntry).subquery("few").c
    same = (each.metric == col(DeclaredCount.metric), each.origin == Origin.RECORDED, _of_its_days(each.occurred_on))
    return sa.select(each.amount).where(*same).correlate(DeclaredCount)


def _of_its_days(day: Any) -> Any:
    return day.between(col(DeclaredCount.period_from), col(DeclaredCount.period_to))


def entries_of_total() -> Any:
    """None, one, or one and its reversal. By the metric first, as the index has it."""
    return sa.select(col(LedgerEntry.id)).where(
        col(LedgerEntry.city_id) == col(DeclaredCount.city_id),
        col(LedgerEntry.metric) == col(DeclaredCount.metric),
        col(LedgerEntry.subject_id) == col(DeclaredCount.id),
        col(LedgerEntry.occurred_on) == col(DeclaredCount.period_to),
    )
