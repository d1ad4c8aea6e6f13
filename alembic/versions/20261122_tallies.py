"""Tallies: sums of the ledger that are kept, and which transaction wrote an entry."""

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

METRICS = (
    "graffiti_painted",
    "raids_held",
    "volunteer_minutes",
    "activities_held",
    "volunteers_street",
    "volunteers_online",
    "resources_referred",
    "resources_blocked",
)
NEW_METRICS = (
    "sightings",
    "spots_reported",
    "graffiti_painted",
    "graffiti_verified",
    "removals_disputed",
    "raids_held",
    "participants",
    "volunteer_minutes",
    "activities_held",
    "volunteers_street",
    "volunteers_street_active",
    "volunteers_online",
    "volunteers_online_active",
    "findings",
    "resources_confirmed",
    "resources_referred",
    "resources_blocked",
    "resources_block_verified",
    "resources_removed",
    "resources_reappeared",
    "resources_restored",
    "cards_referred",
    "cards_frozen",
    "amount_suspended_kzt",
)
COUNTED = ("ledger_entry", "declared_count")
RECORDED_NOW = """
CREATE FUNCTION recorded_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_current_xact_id();
    RETURN clock_timestamp();
END $$
"""
THIS_TRANSACTION = """
CREATE FUNCTION this_transaction() RETURNS xid8 LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN pg_current_xact_id();
END $$
"""
# Behind a function, so that it can be asked on the node that holds a city's ledger, should there be several one day.
LEDGER_HORIZON = """
CREATE FUNCTION ledger_horizon(city text) RETURNS xid8 LANGUAGE sql STABLE AS $$
    SELECT pg_snapshot_xmin(pg_current_snapshot())
$$
"""


def upgrade() -> None:
    op.execute(RECORDED_NOW)
    op.execute(THIS_TRANSACTION)
    op.execute(LEDGER_HORIZON)
    for table in COUNTED:
        _allow(table, NEW_METRICS)
        op.alter_column(table, "amount", type_=sa.BigInteger())
    op.alter_column("ledger_entry", "recorded_at", server_default=sa.text("recorded_now()"))
    op.execute("ALTER TABLE ledger_entry ADD transaction_id xid8 GENERATED ALWAYS AS (this_transaction()) STORED")
    op.create_check_constraint(
        op.f("ck_ledger_entry_occurred_on"), "ledger_entry", "occurred_on BETWEEN '2000-01-01' AND '2099-12-31'"
    )
    for column in ("metric, recorded_at", "transaction_id"):
        columns = ["city_id", *column.split(", ")]
        op.create_index(op.f(f"ix_ledger_entry_{'_'.join(columns)}"), "ledger_entry", columns)
    op.create_table(
        "tally",
        sa.Column("city_id", sa.String(32), nullable=False),
        sa.Column("area", sa.String(32), nullable=False),
        sa.Column("span", sa.String(8), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        *(
            sa.Column(f"{metric}_{origin}", sa.BigInteger())
            for metric in NEW_METRICS
            for origin in ("recorded", "declared")
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_tally_city_id")),
        sa.PrimaryKeyConstraint("city_id", "area", "span", "starts_on", "recorded_on", name=op.f("pk_tally")),
    )
    op.create_table(
        "tally_state",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("horizon", XID8(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("server", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_tally_state_city_id")),
        sa.PrimaryKeyConstraint("city_id", name=op.f("pk_tally_state")),
    )


def downgrade() -> None:
    op.drop_table("tally_state")
    op.drop_table("tally")
    for columns in ("city_id_transaction_id", "city_id_metric_recorded_at"):
        op.drop_index(op.f(f"ix_ledger_entry_{columns}"), table_name="ledger_entry")
    op.drop_constraint(op.f("ck_ledger_entry_occurred_on"), "ledger_entry")
    op.drop_column("ledger_entry", "transaction_id")
    op.alter_column("ledger_entry", "recorded_at", server_default=sa.func.clock_timestamp())
    for table in COUNTED:
        op.alter_column(table, "amount", type_=sa.Integer())
        # Refused while one of the new metrics is counted: the ledger forgets nothing.
        _allow(table, METRICS)
    for function in ("ledger_horizon(text)", "this_transaction()", "recorded_now()"):
        op.execute(f"DROP FUNCTION {function}")


class XID8(sa.types.UserDefinedType[int]):
    def get_col_spec(self) -> str:
        return "XID8"


def _allow(table: str, metrics: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_metric")
    op.drop_constraint(name, table)
    op.create_check_constraint(name, table, sa.column("metric").in_(metrics))
