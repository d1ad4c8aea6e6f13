"""Declared totals of days on which facts were recorded here too: both in one sum may count the same thing twice."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from app.domain.metrics import Metric, Origin
from app.domain.tallies import FIRST_DAY, LAST_DAY, WHOLE_CITY
from app.models.figures import Figure
from app.models.ledger import DeclaredCount, DeclaredWithdrawal, LedgerEntry
from app.models.tallies import COUNTS, TALLY
from app.schemas.metrics import DeclaredState, DeclaredTotal
from app.services import horizon, reads
from app.services.horizon import page_of
from app.services.reads import Query


def totals(city_id: Any, late: sa.CTE, as_of: Any = None) -> Query:
    """`DeclaredState` of each; at `as_of`, of what was declared by then."""
    columns = reads.fields(
        DeclaredCount,
        DeclaredState,
        counted=is_counted(as_of),
        withdrawn=is_withdrawn(as_of),
        overlaps_recorded=overlaps_recorded(city_id, late, as_of),
    )
    query = sa.select(*columns).where(col(DeclaredCount.city_id) == city_id).order_by(col(DeclaredCount.id))
    return query if as_of is None else query.where(col(DeclaredCount.created_at) <= as_of)


async def of_figure(session: AsyncSession, figure: Figure, as_of: datetime | None = None) -> list[DeclaredTotal]:
    """Those that are counted and overlap, of some of the figure's days, whatever its origin; none in a district."""
    if figure.district_id:
        return []
    late = horizon.late(figure.city_id, as_of)
    query = totals(figure.city_id, late, as_of).where(
        col(DeclaredCount.metric) == figure.metric,
        col(DeclaredCount.period_to) >= (figure.from_day or FIRST_DAY),
        col(DeclaredCount.period_from) <= (figure.to_day or LAST_DAY),
    )
    found = [DeclaredState.model_validate(row) for row in await (await session.connection()).execute(query)]
    return [total for total in found if total.counted and total.overlaps_recorded]


def is_counted(as_of: Any = None) -> Any:
    """Whether the ledger has the total, and has not taken it back; at `as_of`, if there is one."""
    entry, reversal = aliased(LedgerEntry), aliased(LedgerEntry)
    taken_back = sa.exists().where(
        col(reversal.city_id) == col(entry.city_id), col(reversal.reverses_id) == col(entry.id)
    )
    found = _entered(entry)
    if as_of is not None:
        taken_back = taken_back.where(col(reversal.recorded_at) <= as_of)
        found = found.where(col(entry.recorded_at) <= as_of)
    return found.where(~taken_back)


def was_ever_counted() -> Any:
    return _entered(aliased(LedgerEntry))


def _entered(entry: type[LedgerEntry]) -> Any:
    """By the index on facts: there is one of a total, or none."""
    return sa.exists().where(
        col(entry.city_id) == col(DeclaredCount.city_id),
        col(entry.metric) == col(DeclaredCount.metric),
        col(entry.subject_id) == col(DeclaredCount.id),
        col(entry.reverses_id).is_(None),
    )


def is_withdrawn(as_of: Any = None) -> Any:
    query = sa.exists().where(
        col(DeclaredWithdrawal.city_id) == col(DeclaredCount.city_id),
        col(DeclaredWithdrawal.declared_id) == col(DeclaredCount.id),
    )
    return query if as_of is None else query.where(col(DeclaredWithdrawal.created_at) <= as_of)


def overlaps_recorded(city_id: Any, late: sa.CTE, as_of: Any = None) -> Any:
    """A recorded and a declared number for the same days are summed, but never without saying so.

    What was taken back is not recorded; totals are declared of flows alone, so no two days make up for each other.
    """
    not_tallied = sa.select(late.c.amount).where(
        late.c.metric == col(DeclaredCount.metric),
        late.c.origin == Origin.RECORDED,
        late.c.occurred_on.between(col(DeclaredCount.period_from), col(DeclaredCount.period_to)),
    )
    amounts = sa.union_all(_tallied(city_id, as_of), not_tallied.correlate(DeclaredCount)).subquery("amount")
    total = sa.select(sa.func.sum(amounts.c.amount)).scalar_subquery()
    return sa.func.coalesce(total, 0) != 0


def _tallied(city_id: Any, as_of: Any) -> Query:
    """Of each span of the total's the newest sum, or the newest that was known when the moment's page began."""
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
        sums = sums.where(TALLY.c.page < page_of(city_id, as_of))
    newest = sums.order_by(TALLY.c.page.desc()).limit(1).correlate_except(TALLY).lateral("newest")
    return sa.select(newest.c.amount).select_from(span.join(newest, sa.true())).correlate(DeclaredCount)
