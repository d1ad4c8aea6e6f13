"""Sums of the ledger, kept so that no read has to add it up. They hold nothing that the ledger does not say."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.domain.metrics import Metric, Origin
from app.models.base import TIMESTAMP, Table
from app.models.ledger import TransactionId

COUNTS = {(metric, origin): f"{metric}_{origin}" for metric in Metric for origin in Origin}
"""The column of each metric and origin; NULL there is a sum without entries."""

TALLY = sa.Table(
    "tally",
    SQLModel.metadata,
    sa.Column("city_id", sa.String(32), primary_key=True),
    sa.Column("area", sa.String(32), primary_key=True),
    sa.Column("span", sa.String(8), primary_key=True),
    sa.Column("starts_on", sa.Date, primary_key=True),
    sa.Column("page", TIMESTAMP, primary_key=True),
    *(sa.Column(name, sa.BigInteger) for name in COUNTS.values()),
)
"""Of an area and a span of days: what occurred then, carried forward to the end of a page of the ledger.

Without a foreign key, whose checks would lock the city's row beside all who write; its keys are copied from entries.
`area` is a district, or one of the two of app/domain/tallies.py. A row stands for each page on which something was
recorded for its span, so the newest is the sum of today, and the newest before a page is what was known as it began.
"""


class LedgerPage(Table, table=True):
    """A page holds what was recorded from its moment until the next one's; the first of a city has no beginning.

    Turned after every so many entries, so that few were recorded between any past moment and its page's beginning.
    """

    city_id: str = Field(primary_key=True, max_length=32)
    starts_at: datetime = Field(primary_key=True, sa_type=TIMESTAMP)


class TallyState(Table, table=True):
    """How far the tally has come; read together with it, in one snapshot, the rest of the ledger makes it exact."""

    city_id: str = Field(primary_key=True, foreign_key="city.id", max_length=32)
    horizon: int = Field(sa_type=TransactionId)
    """Entries of transactions below are in the tally, the others are not."""
    entries: int = Field(sa_type=sa.BigInteger)
    """How many are in it."""
    newest_at: datetime = Field(sa_type=TIMESTAMP)
    """No page may begin at or before the newest of them."""
    server: str = Field(max_length=64)
    """Whose transactions these are; on another server, such as after a restore, the tally is made anew."""
