"""What the tally lacks: entries of transactions at or above its horizon, and those on a past moment's page."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.domain.tallies import NO_DISTRICT
from app.models.ledger import LedgerEntry, TransactionId
from app.models.tallies import LedgerPage, TallyState
from app.services.reads import Query

FIRST_PAGE: sa.ColumnClause[Any] = sa.literal_column("timestamptz '-infinity'")
_COLUMNS: tuple[Any, ...] = (
    col(LedgerEntry.metric),
    col(LedgerEntry.origin),
    sa.func.coalesce(col(LedgerEntry.district_id), NO_DISTRICT).label("district"),
    col(LedgerEntry.occurred_on),
    col(LedgerEntry.amount),
)


def late(city_id: Any, as_of: Any = None, *, district_id: Any = None, by_district: bool = False) -> sa.CTE:
    """What the tally's sums lack, by metric, origin, day and, if asked, district; what they lack at `as_of`, if given.

    Of the whole city, or of one district. Once for a statement, however many of its parts need it.
    """
    recorded_at: Any = col(LedgerEntry.recorded_at)
    parts = [not_rolled_up(city_id, *_COLUMNS)]
    if as_of is not None:
        began = page_of(city_id, as_of)
        on_page = sa.select(*_COLUMNS).where(
            col(LedgerEntry.city_id) == city_id, recorded_at >= began, recorded_at <= as_of
        )
        parts = [parts[0].where(recorded_at < began), on_page.order_by(recorded_at)]
    each = sa.union_all(*parts).subquery("late_entry")
    names = ("metric", "origin", "occurred_on", *(["district"] if by_district else []))
    by: list[Any] = [each.c[name] for name in names]
    amount = sa.cast(sa.func.sum(each.c.amount), sa.BigInteger).label("amount")
    which = () if district_id is None else (each.c.district == district_id,)
    grouped = sa.select(*by, amount).where(*which).group_by(*by).cte("late")
    return grouped.prefix_with("MATERIALIZED")


def not_rolled_up(city_id: Any, *columns: Any) -> Query:
    """With an upper bound that is never reached: of half a range PostgreSQL expects a third of the ledger.

    In the order of the one index that is to be used: a plan from before the first entries would take any.
    """
    number = col(LedgerEntry.transaction_id)
    never = sa.cast(sa.text("'9223372036854775807'"), TransactionId())
    query = sa.select(*columns).where(col(LedgerEntry.city_id) == city_id, number >= _horizon(city_id), number < never)
    return query.order_by(number)


def _horizon(city_id: Any) -> Any:
    """From the beginning, if nothing was ever rolled up."""
    kept = sa.select(col(TallyState.horizon)).where(col(TallyState.city_id) == city_id).scalar_subquery()
    return sa.func.coalesce(kept, sa.cast(sa.text("'0'"), TransactionId()))


def page_of(city_id: Any, moment: Any) -> Any:
    """The page on which a moment lies, by its beginning: what was recorded on those before it is in the tally whole."""
    starts_at: Any = col(LedgerPage.starts_at)
    turned = sa.select(starts_at).where(col(LedgerPage.city_id) == city_id, starts_at <= moment)
    return sa.func.coalesce(turned.order_by(starts_at.desc()).limit(1).scalar_subquery(), FIRST_PAGE)
