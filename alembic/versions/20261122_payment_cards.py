"""Payment cards of sellers; of a number only a keyed digest and the digits that may be shown are kept."""

import sqlalchemy as sa

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATUSES = ("reported", "referred", "frozen", "refused")


def upgrade() -> None:
    op.create_table(
        "payment_card",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number_digest", sa.LargeBinary(), nullable=False),
        sa.Column("first_six", sa.String(length=6), nullable=False),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("bank", sa.String(length=200)),
        sa.Column("resource_id", sa.Uuid()),
        sa.Column("reported_by", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(*STATUSES, name="status", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("authority", sa.String(length=200)),
        sa.Column("outgoing_number", sa.String(length=64)),
        sa.Column("referred_on", sa.Date()),
        sa.Column("frozen_on", sa.Date()),
        sa.Column("amount_kzt", sa.BigInteger()),
        sa.Column("refused_on", sa.Date()),
        *_checks(),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_payment_card_city_id")),
        sa.ForeignKeyConstraint(
            ["city_id", "resource_id"],
            ["resource.city_id", "resource.id"],
            name=op.f("fk_payment_card_city_id_resource_id"),
        ),
        sa.ForeignKeyConstraint(["reported_by"], ["account.id"], name=op.f("fk_payment_card_reported_by")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_payment_card")),
        sa.UniqueConstraint("city_id", "number_digest", name=op.f("uq_payment_card_city_id_number_digest")),
    )
    op.create_index(op.f("ix_payment_card_city_id_status_id"), "payment_card", ["city_id", "status", "id"])


def downgrade() -> None:
    # Refused while there are cards: the ledger counts them, and a number reported again would be counted again.
    op.execute("ALTER TABLE payment_card ADD CHECK (false)")
    op.drop_table("payment_card")


def _checks() -> list[sa.CheckConstraint]:
    checks = {
        "number": "octet_length(number_digest) = 32 AND first_six ~ '^[0-9]{6}$' AND last_four ~ '^[0-9]{4}$'",
        "referred_whole": "(status = 'reported') = (referred_on IS NULL)"
        " AND (referred_on IS NULL) = (authority IS NULL) AND (referred_on IS NULL) = (outgoing_number IS NULL)",
        "frozen_has_day": "(status = 'frozen') = (frozen_on IS NOT NULL)",
        "refused_has_day": "(status = 'refused') = (refused_on IS NOT NULL)",
        "answered_after_referred": "frozen_on >= referred_on AND refused_on >= referred_on",
        "amount_kzt": "amount_kzt IS NULL OR amount_kzt > 0 AND status = 'frozen'",
    }
    return [sa.CheckConstraint(check, name=op.f(f"ck_payment_card_{name}")) for name, check in checks.items()]
