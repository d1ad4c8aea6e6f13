from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlmodel import Field

from app.core.ids import new_id
from app.domain.metrics import Metric, Origin, Precision
from app.models.base import TIMESTAMP, CityEntity, Table, of_city, text_enum

# The transaction takes its number before the clock is read: once every transaction up to a number has ended, no
# entry from before that moment can appear any more.
event.listen(
    Table.metadata,
    "before_create",
    sa.DDL("""
CREATE OR REPLACE FUNCTION recorded_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_current_xact_id();
    RETURN clock_timestamp();
END $$
"""),
)
# Called immutable so that a generated column may use it. It is computed anew where a dump is restored, which is what
# is wanted: the numbers of another server's transactions mean nothing there.
event.listen(
    Table.metadata,
    "before_create",
    sa.DDL("""
CREATE OR REPLACE FUNCTION this_transaction() RETURNS xid8 LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN pg_current_xact_id();
END $$
"""),
)


class TransactionId(sa.types.UserDefinedType[int]):
    """PostgreSQL's `xid8`: 64 bits, never reused."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "XID8"


class LedgerEntry(Table, table=True):
    """One counted fact. The database refuses to change or delete it."""

    __table_args__ = (
        of_city("district_id", "district"),
        of_city("reverses_id", "ledger_entry"),
        sa.CheckConstraint("amount <> 0", name="amount"),
        # The days that app/domain/tallies.py can put together.
        sa.CheckConstraint("occurred_on BETWEEN '2000-01-01' AND '2099-12-31'", name="occurred_on"),
        sa.Index(
            "uq_ledger_entry_fact",
            "city_id",
            "metric",
            "subject_id",
            unique=True,
            postgresql_where=sa.text("reverses_id IS NULL"),
        ),
        sa.UniqueConstraint("city_id", "reverses_id"),
        sa.Index(None, "city_id", "metric", "occurred_on"),
        sa.Index(None, "city_id", "metric", "recorded_at"),
        sa.Index(None, "city_id", "recorded_at"),
        sa.Index(None, "city_id", "transaction_id"),
    )

    city_id: str = Field(primary_key=True, foreign_key="city.id", max_length=32)
    id: UUID = Field(default_factory=new_id, primary_key=True)
    metric: Metric = Field(sa_type=text_enum(Metric, "metric"))
    origin: Origin = Field(sa_type=text_enum(Origin, "origin"))
    amount: int = Field(sa_type=sa.BigInteger)
    occurred_on: date
    """The day in the city's time zone; of a declared total, the last day of its period."""
    district_id: str | None = Field(default=None, max_length=32)
    subject_id: UUID
    """The removal, raid, volunteer, referral item, observation, payment card or declared total that is the fact."""
    reverses_id: UUID | None = None
    recorded_by: UUID | None = Field(default=None, foreign_key="account.id")
    recorded_at: datetime | None = Field(
        default=None, nullable=False, sa_type=TIMESTAMP, sa_column_kwargs={"server_default": sa.func.recorded_now()}
    )
    transaction_id: int | None = Field(
        default=None, sa_column=sa.Column(TransactionId(), sa.Computed("this_transaction()", persisted=True))
    )
    """Which transaction wrote it; entries below a horizon of these are all there, in any order of their ids."""


class DeclaredCount(CityEntity, table=True):
    """A total that an office published, kept with its source and never mixed with recorded facts."""

    __table_args__ = (
        of_city("import_id", "records_import"),
        sa.UniqueConstraint(
            "city_id", "metric", "period_from", "period_to", "source", "edition", name="uq_declared_count_said"
        ),
        sa.CheckConstraint("period_to >= period_from", name="period"),
        sa.CheckConstraint("amount > 0", name="amount"),
        sa.CheckConstraint("edition >= 1", name="edition"),
    )

    metric: Metric = Field(sa_type=text_enum(Metric, "metric"))
    period_from: date
    period_to: date
    amount: int = Field(sa_type=sa.BigInteger)
    precision: Precision = Field(default=Precision.EXACT, sa_type=text_enum(Precision, "precision"))
    source: str = Field(max_length=200)
    published_on: date
    url: str | None = Field(default=None, max_length=2048)
    edition: int = Field(default=1)
    """Of what this source said of these days: one more than were withdrawn before."""
    import_id: UUID | None = None
    """None for one that was entered by hand."""
    entered_by: UUID | None = Field(default=None, foreign_key="account.id")
    """None for one that came from a terminal."""


class DeclaredWithdrawal(CityEntity, table=True):
    """That a declared total was a mistake. The total stays; its count, if it had one, is reversed in the ledger."""

    __table_args__ = (of_city("declared_id", "declared_count"), sa.UniqueConstraint("city_id", "declared_id"))

    declared_id: UUID
    reason: str = Field(max_length=500)
    withdrawn_by: UUID = Field(foreign_key="account.id")
