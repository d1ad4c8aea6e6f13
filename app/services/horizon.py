"""What the tally has, and what it does not have yet: entries of transactions at or above its horizon."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.models.ledger import LedgerEntry, TransactionId
from app.models.tallies import TallyState


def not_rolled_up(city_id: Any) -> Any:
    """With an upper bound that is never reached: of half a range PostgreSQL expects a third of the ledger."""
    number = col(LedgerEntry.transaction_id)
    return sa.and_(number >= _horizon(city_id), number < sa.cast(sa.text("'9223372036854775807'"), TransactionId()))


def _horizon(city_id: Any) -> Any:
    """From the beginning, if nothing was ever rolled up."""
    # The city may be that of a row further out.
    kept = sa.select(col(TallyState.horizon)).where(col(TallyState.city_id) == city_id).correlate_except(TallyState)
    return sa.func.coalesce(kept.scalar_subquery(), sa.cast(sa.text("'0'"), TransactionId()))


def utc_day(moment: Any) -> Any:
    """A day of recording, as the tally has it: what is known of the days before it is there whole."""
    return sa.cast(sa.func.timezone("UTC", moment), sa.Date)


def midnight_before(moment: Any) -> Any:
    """The moment at which its UTC day began."""
    return sa.func.timezone("UTC", sa.cast(utc_day(moment), sa.DateTime))
