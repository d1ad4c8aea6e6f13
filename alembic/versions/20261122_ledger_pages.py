"""Sums are carried forward from page to page of the ledger, no longer from day to day."""

import sqlalchemy as sa

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INDEX = "ix_ledger_entry_city_id_recorded_at"
KEY = ["city_id", "area", "span", "starts_on"]


def upgrade() -> None:
    # Outside of the transaction, and so first: given up half way, it is begun again.
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, "ledger_entry", if_exists=True, postgresql_concurrently=True)
        op.create_index(INDEX, "ledger_entry", ["city_id", "recorded_at"], postgresql_concurrently=True)
    op.create_table(
        "ledger_page",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "starts_at", name=op.f("pk_ledger_page")),
    )
    _carry_by(sa.Column("page", sa.DateTime(timezone=True), nullable=False), "recorded_on")
    op.drop_constraint(op.f("fk_tally_city_id"), "tally")
    op.add_column("tally_state", sa.Column("newest_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE tally_state SET newest_at = '-infinity'")
    op.alter_column("tally_state", "newest_at", nullable=False)


def downgrade() -> None:
    op.drop_index(INDEX, "ledger_entry")
    op.drop_column("tally_state", "newest_at")
    _carry_by(sa.Column("recorded_on", sa.Date(), nullable=False), "page")
    op.create_foreign_key(op.f("fk_tally_city_id"), "tally", "city", ["city_id"], ["id"])
    op.drop_table("ledger_page")


def _carry_by(column: sa.Column, instead_of: str) -> None:
    """The program makes the sums anew where they are not known to be of this server; until then there are none."""
    op.execute("TRUNCATE tally")
    op.execute("UPDATE tally_state SET server = '', horizon = '0', entries = 0")
    op.drop_constraint(op.f("pk_tally"), "tally")
    op.drop_column("tally", instead_of)
    op.add_column("tally", column)
    op.create_primary_key(op.f("pk_tally"), "tally", [*KEY, column.name])
