"""Programme plans, and declared totals that are entered by hand and withdrawn."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

METRICS = (
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
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""
FILL_COUNTED = """
UPDATE declared_count SET counted = EXISTS (
    SELECT FROM ledger_entry AS entry
    WHERE entry.city_id = declared_count.city_id AND entry.subject_id = declared_count.id
    AND entry.metric = declared_count.metric
)
"""
SAID = ("city_id", "metric", "period_from", "period_to", "source")


def upgrade() -> None:
    _widen_declared_count()
    _create_plan()
    _create_plan_item()
    for table in ("declared_withdrawal", "plan_item_change"):
        op.execute(APPEND_ONLY.format(table=table))


def downgrade() -> None:
    for table in ("plan_item_change", "plan_item", "plan_direction", "plan", "declared_withdrawal"):
        op.drop_table(table)
    # Refused while a total was entered by hand or twice: what was declared is not forgotten.
    op.drop_constraint(op.f("uq_declared_count_said"), "declared_count")
    op.create_unique_constraint(op.f(f"uq_declared_count_{'_'.join(SAID)}"), "declared_count", SAID)
    op.drop_constraint(op.f("ck_declared_count_edition"), "declared_count")
    op.drop_column("declared_count", "edition")
    op.drop_column("declared_count", "entered_by")
    op.alter_column("declared_count", "import_id", nullable=False)
    op.execute("ALTER TABLE declared_count DISABLE TRIGGER append_only")
    op.add_column("declared_count", sa.Column("counted", sa.Boolean(), server_default="false", nullable=False))
    op.alter_column("declared_count", "counted", server_default=None)
    op.execute(FILL_COUNTED)
    op.execute("ALTER TABLE declared_count ENABLE TRIGGER append_only")


def _widen_declared_count() -> None:
    # Whether it counts is what the ledger says: a column of a table that never changes could only be wrong.
    op.drop_column("declared_count", "counted")
    op.alter_column("declared_count", "import_id", nullable=True)
    op.add_column("declared_count", sa.Column("entered_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_declared_count_entered_by"), "declared_count", "account", ["entered_by"], ["id"])
    op.add_column("declared_count", sa.Column("edition", sa.Integer(), server_default="1", nullable=False))
    op.alter_column("declared_count", "edition", server_default=None)
    op.create_check_constraint(op.f("ck_declared_count_edition"), "declared_count", "edition >= 1")
    op.drop_constraint(op.f(f"uq_declared_count_{'_'.join(SAID)}"), "declared_count")
    op.create_unique_constraint(op.f("uq_declared_count_said"), "declared_count", [*SAID, "edition"])
    op.create_table(
        "declared_withdrawal",
        *_of_a_city(),
        sa.Column("declared_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=False),
        _key("declared_withdrawal", "declared_id", "declared_count"),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["account.id"], name=op.f("fk_declared_withdrawal_withdrawn_by")),
        sa.UniqueConstraint("city_id", "declared_id", name=op.f("uq_declared_withdrawal_city_id_declared_id")),
        *_keys("declared_withdrawal"),
    )


def _create_plan() -> None:
    op.create_table(
        "plan",
        *_of_a_city(),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("language", _enum("language", "kk", "ru", "en"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("status", _enum("status", "draft", "in_force", "closed"), nullable=False),
        sa.Column("adopted_on", sa.Date()),
        sa.Column("closed_on", sa.Date()),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drafted_by", sa.Uuid()),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_plan_ends_after_start")),
        sa.CheckConstraint("(status = 'draft') = (adopted_on IS NULL)", name=op.f("ck_plan_adopted")),
        sa.CheckConstraint("(status = 'closed') = (closed_on IS NOT NULL)", name=op.f("ck_plan_closed")),
        sa.ForeignKeyConstraint(["drafted_by"], ["account.id"], name=op.f("fk_plan_drafted_by")),
        sa.UniqueConstraint("city_id", "title", name=op.f("uq_plan_city_id_title")),
        *_keys("plan"),
    )
    op.create_table(
        "plan_direction",
        *_of_a_city(),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_plan_direction_number")),
        _key("plan_direction", "plan_id", "plan"),
        sa.UniqueConstraint("city_id", "plan_id", "number", name=op.f("uq_plan_direction_city_id_plan_id_number")),
        *_keys("plan_direction"),
    )


def _create_plan_item() -> None:
    op.create_table(
        "plan_item",
        *_of_a_city(),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("direction_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("owner", sa.String(length=200)),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("metric", _enum("metric", *METRICS)),
        sa.Column("amount", sa.BigInteger()),
        sa.Column("district_id", sa.String(length=32)),
        sa.Column("counted_from", sa.Date()),
        sa.Column("counted_to", sa.Date()),
        sa.Column("status", _enum("status", "not_started", "under_way", "done"), nullable=False),
        sa.CheckConstraint(
            "(metric IS NULL) = (amount IS NULL) AND amount > 0", name=op.f("ck_plan_item_whole_target")
        ),
        sa.CheckConstraint(
            "metric IS NOT NULL OR (district_id IS NULL AND counted_from IS NULL AND counted_to IS NULL)",
            name=op.f("ck_plan_item_filters_of_target"),
        ),
        sa.CheckConstraint("counted_to >= counted_from", name=op.f("ck_plan_item_counted")),
        _key("plan_item", "plan_id", "plan"),
        _key("plan_item", "direction_id", "plan_direction"),
        _key("plan_item", "district_id", "district"),
        sa.UniqueConstraint("city_id", "plan_id", "number", name=op.f("uq_plan_item_city_id_plan_id_number")),
        *_keys("plan_item"),
    )
    op.create_index(op.f("ix_plan_item_city_id_direction_id"), "plan_item", ["city_id", "direction_id"])
    op.create_table(
        "plan_item_change",
        *_of_a_city(),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("changes", JSONB(), nullable=False),
        _key("plan_item_change", "item_id", "plan_item"),
        sa.ForeignKeyConstraint(["changed_by"], ["account.id"], name=op.f("fk_plan_item_change_changed_by")),
        *_keys("plan_item_change"),
    )
    op.create_index(op.f("ix_plan_item_change_city_id_item_id"), "plan_item_change", ["city_id", "item_id"])


def _of_a_city() -> tuple[sa.Column, ...]:
    return (
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def _keys(table: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f(f"fk_{table}_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f(f"pk_{table}")),
    )


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["city_id", column], [f"{target}.city_id", f"{target}.id"], name=op.f(f"fk_{table}_city_id_{column}")
    )


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)
