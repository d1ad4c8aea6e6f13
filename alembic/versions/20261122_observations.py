"""What becomes of a resource after it was confirmed: acknowledged, measured, gone, back, given back."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

STATUSES = ("reported", "in_review", "confirmed", "rejected", "referred", "block_reported", "refused")
NEW_STATUSES = (
    "reported",
    "in_review",
    "confirmed",
    "rejected",
    "referred",
    "acknowledged",
    "refused",
    "block_reported",
    "block_verified",
    "removed",
    "offline",
    "reappeared",
    "restored",
)
STATES = ("up", "down", "blocked", "removed")
FIRST_CYCLE = """
UPDATE referral_item SET cycle = 1 FROM referral
WHERE referral.city_id = referral_item.city_id AND referral.id = referral_id AND referral.status <> 'draft'
"""
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON observation
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    _create_observation()
    for table in ("resource", "resource_event"):
        _allow(table, NEW_STATUSES)
    op.add_column("resource", sa.Column("cycle", sa.Integer(), server_default="1", nullable=False))
    op.alter_column("resource", "cycle", server_default=None)
    for moment in ("watched_since", "settled_at"):
        op.add_column("resource", sa.Column(moment, sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE resource SET watched_since = created_at, settled_at = created_at")
    for moment in ("watched_since", "settled_at"):
        op.alter_column("resource", moment, nullable=False)
    op.add_column("resource_event", sa.Column("observation_id", sa.Uuid(), nullable=True))
    op.create_unique_constraint(
        op.f("uq_resource_event_city_id_observation_id"), "resource_event", ["city_id", "observation_id"]
    )
    op.create_foreign_key(
        op.f("fk_resource_event_city_id_observation_id"),
        "resource_event",
        "observation",
        ["city_id", "observation_id"],
        ["city_id", "id"],
    )
    _widen_referral()


def downgrade() -> None:
    # Refused while a resource stands, or stood, as only this revision knows, and while there are observations: what was
    # recorded for ever is not forgotten.
    op.execute("ALTER TABLE observation ADD CHECK (false)")
    for table in ("resource", "resource_event"):
        _allow(table, STATUSES)
    for column in ("restored_reason", "restored_on", "cycle"):
        op.drop_column("referral_item", column)
    op.drop_column("referral", "acknowledged_on")
    op.drop_column("resource_event", "observation_id")
    for column in ("settled_at", "watched_since", "cycle"):
        op.drop_column("resource", column)
    op.drop_table("observation")


def _create_observation() -> None:
    op.create_table(
        "observation",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asn", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("control_reachable", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.Column("observed_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("asn BETWEEN 1 AND 4294967295", name=op.f("ck_observation_asn")),
        sa.CheckConstraint("state <> 'removed' OR note IS NOT NULL", name=op.f("ck_observation_removal_has_notice")),
        sa.ForeignKeyConstraint(
            ["city_id", "resource_id"],
            ["resource.city_id", "resource.id"],
            name=op.f("fk_observation_city_id_resource_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_observation_city_id")),
        sa.ForeignKeyConstraint(["observed_by"], ["account.id"], name=op.f("fk_observation_observed_by")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_observation")),
    )
    for column in ("id", "observed_at"):
        columns = ["city_id", "resource_id", column]
        op.create_index(op.f(f"ix_observation_city_id_resource_id_{column}"), "observation", columns)
    op.execute(APPEND_ONLY)


def _widen_referral() -> None:
    op.add_column("referral", sa.Column("acknowledged_on", sa.Date(), nullable=True))
    op.add_column("referral_item", sa.Column("cycle", sa.Integer(), nullable=True))
    op.execute(FIRST_CYCLE)
    op.add_column("referral_item", sa.Column("restored_on", sa.Date(), nullable=True))
    op.add_column("referral_item", sa.Column("restored_reason", sa.String(length=500), nullable=True))
    op.create_check_constraint(
        op.f("ck_referral_item_restored_after_block"),
        "referral_item",
        "restored_on IS NULL OR (restored_on >= answered_on AND answer = 'blocked')",
    )


def _allow(table: str, values: Sequence[str]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.drop_constraint(op.f(f"ck_{table}_status"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_status"), table, f"status IN ({listed})")
