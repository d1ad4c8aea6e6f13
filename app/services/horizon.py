"""What the tally lacks: entries of transactions at or above its horizon, and those since a past moment's midnight."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col

from app.domain.metrics import Metric
from app.domain.tallies import NO_DISTRICT
from app.models.ledger import LedgerEntry, TransactionId
from app.models.tallies import TallyState
from app.services.reads import Query

METRICS = sa.bindparam("metrics", [metric.value for metric in Metric], type_=ARRAY(sa.Text))


def late(city_id: Any, as_of: Any = None) -> sa.CTE:
    """What the tally's sums lack, by metric, origin, district and day; at `as_of`, what those of the day before lack.

    Once for a statement, however many of its parts need it.
    """
    recorded_at: Any = col(LedgerEntry.recorded_at)
    parts = [_entries(city_id, not_rolled_up(city_id))]
    if as_of is not None:
        midnight = sa.func.timezone("UTC", sa.cast(utc_day(as_of), sa.DateTime))
        # The metrics are named so that the index on them and the moment can be used.
        of_that_day = (col(LedgerEntry.metric) == sa.any_(METRICS), recorded_at >= midnight, recorded_at <= as_of)
        parts = [
            _entries(city_id, not_rolled_up(city_id), recorded_at < midnight),
            _entries(city_id, *of_that_day),
        ]
    each = sa.union_all(*parts).subquery("late_entry")
    by: list[Any] = [each.c[name] for name in ("metric", "origin", "district", "occurred_on")]
    amount = sa.cast(sa.func.sum(each.c.amount), sa.BigInteger).label("amount")
    grouped = sa.select(*by, amount).group_by(*by).cte("late")
    return grouped.prefix_with("MATERIALIZED")


def _entries(city_id: Any, *which: Any) -> Query:
    columns: dict[str, Any] = {
        "metric": col(LedgerEntry.metric),
        "origin": col(LedgerEntry.origin),
        "district": sa.func.coalesce(col(LedgerEntry.district_id), NO_DISTRICT),
        "occurred_on": col(LedgerEntry.occurred_on),
        "amount": col(LedgerEntry.amount),
    }
    query = sa.select(*(column.label(name) for name, column in columns.items()))
    return query.where(col(LedgerEntry.city_id) == city_id, *which)


def not_rolled_up(city_id: Any) -> Any:
    """With an upper bound that is never reached: of half a range PostgreSQL expects a third of the ledger."""
    number = col(LedgerEntry.transaction_id)
    return sa.and_(number >= _horizon(city_id), number < sa.cast(sa.text("'9223372036854775807'"), TransactionId()))


def _horizon(city_id: Any) -> Any:
    """From the beginning, if nothing was ever rolled up."""
    kept = sa.select(col(TallyState.horizon)).where(col(TallyState.city_id) == city_id).scalar_subquery()
    return sa.func.coalesce(kept, sa.cast(sa.text("'0'"), TransactionId()))


def utc_day(moment: Any) -> Any:
    """A day of recording, as the tally has it: what is known of the days before it is there whole."""
    return sa.cast(sa.func.timezone("UTC", moment), sa.Date)
