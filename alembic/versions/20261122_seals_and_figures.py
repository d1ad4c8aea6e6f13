"""Seals of the ledger, and figures that are published from it."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0008"
down_revision = "0007"
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
NEVER_DELETED = """
CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON figure
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""
# What was signed stays; of a signed figure only its withdrawal is still open, and of a withdrawn one nothing is.
FROZEN = """
CREATE TRIGGER frozen BEFORE UPDATE ON figure FOR EACH ROW WHEN (
    OLD.withdrawn_at IS NOT NULL
    OR OLD.signed_at IS NOT NULL AND
        to_jsonb(OLD) - '{status,version,withdrawn_by,withdrawn_at,withdrawal_reason}'::text[]
        <> to_jsonb(NEW) - '{status,version,withdrawn_by,withdrawn_at,withdrawal_reason}'::text[]
) EXECUTE FUNCTION refuse_change()
"""
# Whether every transaction below has ended, but for the one that asks: a snapshot does not list its own.
LEDGER_SETTLED = """
CREATE FUNCTION ledger_settled(city text, below xid8) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT pg_snapshot_xmax(pg_current_snapshot()) >= below
        AND NOT EXISTS (SELECT FROM pg_snapshot_xip(pg_current_snapshot()) AS writing WHERE writing < below)
$$
"""


class XID8(sa.types.UserDefinedType[int]):
    def get_col_spec(self) -> str:
        return "XID8"


def upgrade() -> None:
    op.execute(LEDGER_SETTLED)
    op.create_table(
        "seal",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=True),
        sa.Column("complete_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("last_transaction", XID8(), nullable=False),
        sa.Column("server", sa.String(length=64), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_seal_number")),
        sa.CheckConstraint("entries BETWEEN 1 AND 10000", name=op.f("ck_seal_entries")),
        sa.CheckConstraint("(number = 1) = (previous IS NULL)", name=op.f("ck_seal_previous")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_seal_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_seal")),
        sa.UniqueConstraint("city_id", "number", name=op.f("uq_seal_city_id_number")),
    )
    op.create_table(
        "sealed_entry",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seal_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("position BETWEEN 0 AND 9999", name=op.f("ck_sealed_entry_position")),
        sa.ForeignKeyConstraint(
            ["city_id", "id"], ["ledger_entry.city_id", "ledger_entry.id"], name=op.f("fk_sealed_entry_city_id_id")
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "seal_id"], ["seal.city_id", "seal.id"], name=op.f("fk_sealed_entry_city_id_seal_id")
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_sealed_entry_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_sealed_entry")),
        sa.UniqueConstraint("city_id", "seal_id", "position", name=op.f("uq_sealed_entry_city_id_seal_id_position")),
    )
    for table in ("seal", "sealed_entry"):
        op.execute(APPEND_ONLY.format(table=table))
    op.create_table("figure", *_columns(), *_constraints())
    op.create_index(op.f("ix_figure_city_id_status_id"), "figure", ["city_id", "status", "id"])
    op.execute(NEVER_DELETED)
    op.execute(FROZEN)


def _columns() -> list[sa.Column]:
    moment = sa.DateTime(timezone=True)
    return [
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(length=32), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=True),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.Column("district_id", sa.String(length=32), nullable=True),
        sa.Column("origin", sa.String(length=32), nullable=True),
        sa.Column("as_of", moment, nullable=False),
        sa.Column("settles_at", XID8(), nullable=False),
        sa.Column("server", sa.String(length=64), nullable=False),
        *(sa.Column(f"title_{language}", sa.String(length=200), nullable=False) for language in ("kk", "ru", "en")),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("drafted_by", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("value", "recorded", "declared", "entries")),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("words", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("signed_by", sa.Uuid(), nullable=True),
        sa.Column("signed_at", moment, nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", moment, nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
    ]


def _constraints() -> list[sa.Constraint]:
    whole = " AND ".join(
        f"(signed_at IS NULL) = ({column} IS NULL)" for column in ("value", "signed_by", "digest", "words")
    )
    checks = {
        "metric": sa.column("metric").in_(METRICS),
        "origin": sa.column("origin").in_(("recorded", "declared")),
        "status": sa.column("status").in_(("draft", "signed", "withdrawn")),
        "days": "to_day >= from_day",
        "second_person": "signed_by <> drafted_by",
        "signed_whole": whole,
        "parts": "value = recorded + declared",
        "draft_unsigned": "(status = 'draft') <= (signed_at IS NULL)",
        "signed_has_moment": "(status = 'signed') <= (signed_at IS NOT NULL)",
        "withdrawn_has_moment": "(status = 'withdrawn') = (withdrawn_at IS NOT NULL)",
    }
    return [
        *(sa.CheckConstraint(check, name=op.f(f"ck_figure_{name}")) for name, check in checks.items()),
        *(
            sa.ForeignKeyConstraint([column], ["account.id"], name=op.f(f"fk_figure_{column}"))
            for column in ("drafted_by", "signed_by", "withdrawn_by")
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "district_id"],
            ["district.city_id", "district.id"],
            name=op.f("fk_figure_city_id_district_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_figure_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_figure")),
    ]


def downgrade() -> None:
    op.drop_table("figure")
    op.drop_table("sealed_entry")
    op.drop_table("seal")
    op.execute("DROP FUNCTION ledger_settled(text, xid8)")
