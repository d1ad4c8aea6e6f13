"""The house."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# Rules 4 and 11: what was counted or consented to is never changed or deleted, whoever tries.
REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: correct it by a further row', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    op.create_table(
        "city",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name_kk", sa.String(length=120), nullable=False),
        sa.Column("name_ru", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("districts_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("id ~ '^[a-z][a-z0-9-]{1,31}$'", name=op.f("ck_city_slug")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_city")),
    )
    op.create_table(
        "idempotent_answer",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.String(length=None), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_idempotent_answer")),
    )
    op.create_index(
        op.f("ix_idempotent_answer_created_at"),
        "idempotent_answer",
        ["created_at"],
        unique=False,
    )
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("private_pem_encrypted", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_key")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("city_id", sa.String(length=32), nullable=True),
        sa.Column("login", sa.String(length=254), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "person",
                "service",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "role",
            sa.Enum(
                "volunteer",
                "coordinator",
                "moderator",
                "analyst",
                "admin",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("authz_version", sa.Integer(), nullable=False),
        sa.Column("secret_hash", sa.String(length=200), nullable=True),
        sa.Column("invitation_hash", sa.LargeBinary(), nullable=True),
        sa.Column("invitation_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("external_issuer", sa.String(length=200), nullable=True),
        sa.Column("external_subject", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_account_city_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint(
            "external_issuer",
            "external_subject",
            name=op.f("uq_account_external_issuer_external_subject"),
        ),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
    )
    op.create_index(op.f("ix_account_city_id_id"), "account", ["city_id", "id"], unique=False)
    op.create_table(
        "district",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name_kk", sa.String(length=120), nullable=False),
        sa.Column("name_ru", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("outline", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_district_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_district")),
    )
    op.create_table(
        "referral",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("authority", sa.String(length=200), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "sent",
                "answered",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("outgoing_number", sa.String(length=64), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(status = 'draft') = (sent_on IS NULL)",
            name=op.f("ck_referral_sent_has_day"),
        ),
        sa.CheckConstraint("answered BETWEEN 0 AND items", name=op.f("ck_referral_answered")),
        sa.CheckConstraint("due_on >= sent_on", name=op.f("ck_referral_due_after_sent")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_referral_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_referral")),
        sa.UniqueConstraint(
            "city_id",
            "outgoing_number",
            name=op.f("uq_referral_city_id_outgoing_number"),
        ),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "metric",
            sa.Enum(
                "graffiti_painted",
                "raids_held",
                "activities_held",
                "volunteers_street",
                "volunteers_online",
                "resources_referred",
                "resources_blocked",
                name="metric",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "origin",
            sa.Enum(
                "recorded",
                "declared",
                name="origin",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("district_id", sa.String(length=32), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_entry_amount")),
        sa.ForeignKeyConstraint(
            ["city_id", "district_id"],
            ["district.city_id", "district.id"],
            name=op.f("fk_ledger_entry_city_id_district_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "reverses_id"],
            ["ledger_entry.city_id", "ledger_entry.id"],
            name=op.f("fk_ledger_entry_city_id_reverses_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_ledger_entry_city_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["account.id"], name=op.f("fk_ledger_entry_recorded_by")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("city_id", "reverses_id", name=op.f("uq_ledger_entry_city_id_reverses_id")),
    )
    op.create_index(
        op.f("ix_ledger_entry_city_id_metric_occurred_on"),
        "ledger_entry",
        ["city_id", "metric", "occurred_on"],
        unique=False,
    )
    op.create_index(
        "uq_ledger_entry_fact",
        "ledger_entry",
        ["city_id", "metric", "subject_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id IS NULL"),
    )
    op.create_table(
        "raid",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "open",
                "under_way",
                "done",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("meeting_point", sa.String(length=300), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("district_id", sa.String(length=32), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("places_taken", sa.Integer(), nullable=False),
        sa.Column("cancel_reason", sa.String(length=500), nullable=True),
        sa.Column("planned_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("capacity BETWEEN 1 AND 500", name=op.f("ck_raid_capacity")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_raid_ends_after_start")),
        sa.CheckConstraint("places_taken BETWEEN 0 AND capacity", name=op.f("ck_raid_places_taken")),
        sa.ForeignKeyConstraint(
            ["city_id", "district_id"],
            ["district.city_id", "district.id"],
            name=op.f("fk_raid_city_id_district_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_raid_city_id")),
        sa.ForeignKeyConstraint(["planned_by"], ["account.id"], name=op.f("fk_raid_planned_by")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_raid")),
    )
    op.create_index(
        op.f("ix_raid_city_id_status_id"),
        "raid",
        ["city_id", "status", "id"],
        unique=False,
    )
    op.create_table(
        "records_import",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "graffiti",
                "counts",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("file_digest", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("already_there", sa.Integer(), nullable=False),
        sa.Column("without_point", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_records_import_city_id")),
        sa.ForeignKeyConstraint(["imported_by"], ["account.id"], name=op.f("fk_records_import_imported_by")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_records_import")),
    )
    op.create_index(
        op.f("ix_records_import_city_id_source"),
        "records_import",
        ["city_id", "source"],
        unique=False,
    )
    op.create_table(
        "resource",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=2048), nullable=False),
        sa.Column("address_key", sa.String(length=2048), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "site",
                "channel",
                "account",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "reported",
                "in_review",
                "confirmed",
                "rejected",
                "referred",
                "block_reported",
                "refused",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("findings", sa.Integer(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=True),
        sa.Column("review_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "rejection_reason",
            sa.Enum(
                "not_drugs",
                "already_gone",
                "unreachable",
                "not_enough",
                name="rejection_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_resource_city_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["account.id"], name=op.f("fk_resource_reviewer_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_resource")),
        sa.UniqueConstraint("city_id", "address_key", name=op.f("uq_resource_city_id_address_key")),
    )
    op.create_index(
        op.f("ix_resource_city_id_status_id"),
        "resource",
        ["city_id", "status", "id"],
        unique=False,
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_sign_in_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
    )
    op.create_index(op.f("ix_sign_in_account_id"), "sign_in", ["account_id"], unique=False)
    op.create_index(op.f("ix_sign_in_expires_at"), "sign_in", ["expires_at"], unique=False)
    op.create_table(
        "spot",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "reported",
                "confirmed",
                "dismissed",
                "painted",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "stencil",
                "tag",
                "sticker",
                "qr",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("address", sa.String(length=300), nullable=True),
        sa.Column("surface", sa.String(length=120), nullable=True),
        sa.Column("district_id", sa.String(length=32), nullable=True),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_spot_whole_point")),
        sa.CheckConstraint(
            "latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180",
            name=op.f("ck_spot_on_earth"),
        ),
        sa.CheckConstraint(
            "latitude IS NOT NULL OR address IS NOT NULL",
            name=op.f("ck_spot_somewhere"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "district_id"],
            ["district.city_id", "district.id"],
            name=op.f("fk_spot_city_id_district_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_spot_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_spot")),
    )
    op.create_index(
        op.f("ix_spot_city_id_latitude_longitude"),
        "spot",
        ["city_id", "latitude", "longitude"],
        unique=False,
    )
    op.create_index(
        op.f("ix_spot_city_id_status_id"),
        "spot",
        ["city_id", "status", "id"],
        unique=False,
    )
    op.create_table(
        "volunteer",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "applied",
                "active",
                "rejected",
                "suspended",
                "left",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("given_name", sa.String(length=80), nullable=False),
        sa.Column("family_name", sa.String(length=80), nullable=False),
        sa.Column("birth_on", sa.Date(), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=False),
        sa.Column(
            "language",
            sa.Enum(
                "kk",
                "ru",
                "en",
                name="language",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("programmes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("districts", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("guardian_name", sa.String(length=160), nullable=True),
        sa.Column("guardian_phone", sa.String(length=16), nullable=True),
        sa.Column("rejection_reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_volunteer_account_id")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_volunteer_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_volunteer")),
        sa.UniqueConstraint("city_id", "account_id", name=op.f("uq_volunteer_city_id_account_id")),
        sa.UniqueConstraint("city_id", "phone", name=op.f("uq_volunteer_city_id_phone")),
    )
    op.create_index(
        op.f("ix_volunteer_city_id_status_id"),
        "volunteer",
        ["city_id", "status", "id"],
        unique=False,
    )
    op.create_table(
        "assignment",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("raid_id", sa.Uuid(), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "accepted",
                "withdrawn",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "raid_id"],
            ["raid.city_id", "raid.id"],
            name=op.f("fk_assignment_city_id_raid_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "volunteer_id"],
            ["volunteer.city_id", "volunteer.id"],
            name=op.f("fk_assignment_city_id_volunteer_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_assignment_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_assignment")),
        sa.UniqueConstraint(
            "city_id",
            "raid_id",
            "volunteer_id",
            name=op.f("uq_assignment_city_id_raid_id_volunteer_id"),
        ),
    )
    op.create_index(
        op.f("ix_assignment_city_id_volunteer_id"),
        "assignment",
        ["city_id", "volunteer_id"],
        unique=False,
    )
    op.create_table(
        "consent",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "personal_data",
                "participation",
                "photos",
                name="purpose",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("text_version", sa.String(length=32), nullable=False),
        sa.Column(
            "language",
            sa.Enum(
                "kk",
                "ru",
                "en",
                name="language",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "given_by",
            sa.Enum(
                "self",
                "guardian",
                name="given_by",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_given", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "volunteer_id"],
            ["volunteer.city_id", "volunteer.id"],
            name=op.f("fk_consent_city_id_volunteer_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_consent_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_consent")),
    )
    op.create_index(
        op.f("ix_consent_city_id_volunteer_id"),
        "consent",
        ["city_id", "volunteer_id"],
        unique=False,
    )
    op.create_table(
        "declared_count",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "metric",
            sa.Enum(
                "graffiti_painted",
                "raids_held",
                "activities_held",
                "volunteers_street",
                "volunteers_online",
                "resources_referred",
                "resources_blocked",
                name="metric",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column(
            "precision",
            sa.Enum(
                "exact",
                "at_least",
                "about",
                name="precision",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("url", sa.String(length=2048), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_declared_count_amount")),
        sa.CheckConstraint("period_to >= period_from", name=op.f("ck_declared_count_period")),
        sa.ForeignKeyConstraint(
            ["city_id", "import_id"],
            ["records_import.city_id", "records_import.id"],
            name=op.f("fk_declared_count_city_id_import_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_declared_count_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_declared_count")),
        sa.UniqueConstraint(
            "city_id",
            "metric",
            "period_from",
            "period_to",
            "source",
            name=op.f("uq_declared_count_city_id_metric_period_from_period_to_source"),
        ),
    )
    op.create_table(
        "finding",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("reported_by", sa.Uuid(), nullable=False),
        sa.Column("address_typed", sa.String(length=2048), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "resource_id"],
            ["resource.city_id", "resource.id"],
            name=op.f("fk_finding_city_id_resource_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_finding_city_id")),
        sa.ForeignKeyConstraint(["reported_by"], ["account.id"], name=op.f("fk_finding_reported_by")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_finding")),
        sa.UniqueConstraint(
            "city_id",
            "resource_id",
            "reported_by",
            name=op.f("uq_finding_city_id_resource_id_reported_by"),
        ),
    )
    op.create_index(
        op.f("ix_finding_city_id_reported_by"),
        "finding",
        ["city_id", "reported_by"],
        unique=False,
    )
    op.create_table(
        "referral_item",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column(
            "answer",
            sa.Enum(
                "blocked",
                "refused",
                name="answer",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("answered_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "referral_id"],
            ["referral.city_id", "referral.id"],
            name=op.f("fk_referral_item_city_id_referral_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "resource_id"],
            ["resource.city_id", "resource.id"],
            name=op.f("fk_referral_item_city_id_resource_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_referral_item_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_referral_item")),
        sa.UniqueConstraint(
            "city_id",
            "referral_id",
            "resource_id",
            name=op.f("uq_referral_item_city_id_referral_id_resource_id"),
        ),
    )
    op.create_index(
        op.f("ix_referral_item_city_id_resource_id"),
        "referral_item",
        ["city_id", "resource_id"],
        unique=False,
    )
    op.create_table(
        "refresh_token",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["sign_in_id"],
            ["sign_in.id"],
            name=op.f("fk_refresh_token_sign_in_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_refresh_token")),
    )
    op.create_index(
        op.f("ix_refresh_token_sign_in_id"),
        "refresh_token",
        ["sign_in_id"],
        unique=False,
    )
    op.create_table(
        "removal",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spot_id", sa.Uuid(), nullable=False),
        sa.Column("raid_id", sa.Uuid(), nullable=True),
        sa.Column("inscriptions", sa.Integer(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.CheckConstraint(
            "(import_id IS NULL) = (external_id IS NULL)",
            name=op.f("ck_removal_imported_id"),
        ),
        sa.CheckConstraint(
            "(raid_id IS NULL) <> (import_id IS NULL)",
            name=op.f("ck_removal_one_origin"),
        ),
        sa.CheckConstraint("inscriptions BETWEEN 1 AND 1000", name=op.f("ck_removal_inscriptions")),
        sa.ForeignKeyConstraint(
            ["city_id", "import_id"],
            ["records_import.city_id", "records_import.id"],
            name=op.f("fk_removal_city_id_import_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "raid_id"],
            ["raid.city_id", "raid.id"],
            name=op.f("fk_removal_city_id_raid_id"),
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "spot_id"],
            ["spot.city_id", "spot.id"],
            name=op.f("fk_removal_city_id_spot_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_removal_city_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["account.id"], name=op.f("fk_removal_recorded_by")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_removal")),
        sa.UniqueConstraint(
            "city_id",
            "raid_id",
            "spot_id",
            name=op.f("uq_removal_city_id_raid_id_spot_id"),
        ),
        sa.UniqueConstraint(
            "city_id",
            "source",
            "external_id",
            name=op.f("uq_removal_city_id_source_external_id"),
        ),
    )
    op.create_index(
        op.f("ix_removal_city_id_spot_id"),
        "removal",
        ["city_id", "spot_id"],
        unique=False,
    )
    op.create_table(
        "sighting",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spot_id", sa.Uuid(), nullable=False),
        sa.Column("reported_by", sa.Uuid(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "spot_id"],
            ["spot.city_id", "spot.id"],
            name=op.f("fk_sighting_city_id_spot_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_sighting_city_id")),
        sa.ForeignKeyConstraint(["reported_by"], ["account.id"], name=op.f("fk_sighting_reported_by")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_sighting")),
    )
    op.create_index(
        op.f("ix_sighting_city_id_spot_id"),
        "sighting",
        ["city_id", "spot_id"],
        unique=False,
    )
    op.execute(REFUSE_CHANGE)
    for table in ("ledger_entry", "consent", "declared_count"):
        op.execute(APPEND_ONLY.format(table=table))


def downgrade() -> None:
    op.execute("DROP FUNCTION refuse_change CASCADE")
    op.drop_index(op.f("ix_sighting_city_id_spot_id"), table_name="sighting")
    op.drop_table("sighting")
    op.drop_index(op.f("ix_removal_city_id_spot_id"), table_name="removal")
    op.drop_table("removal")
    op.drop_index(op.f("ix_refresh_token_sign_in_id"), table_name="refresh_token")
    op.drop_table("refresh_token")
    op.drop_index(op.f("ix_referral_item_city_id_resource_id"), table_name="referral_item")
    op.drop_table("referral_item")
    op.drop_index(op.f("ix_finding_city_id_reported_by"), table_name="finding")
    op.drop_table("finding")
    op.drop_table("declared_count")
    op.drop_index(op.f("ix_consent_city_id_volunteer_id"), table_name="consent")
    op.drop_table("consent")
    op.drop_index(op.f("ix_assignment_city_id_volunteer_id"), table_name="assignment")
    op.drop_table("assignment")
    op.drop_index(op.f("ix_volunteer_city_id_status_id"), table_name="volunteer")
    op.drop_table("volunteer")
    op.drop_index(op.f("ix_spot_city_id_status_id"), table_name="spot")
    op.drop_index(op.f("ix_spot_city_id_latitude_longitude"), table_name="spot")
    op.drop_table("spot")
    op.drop_index(op.f("ix_sign_in_expires_at"), table_name="sign_in")
    op.drop_index(op.f("ix_sign_in_account_id"), table_name="sign_in")
    op.drop_table("sign_in")
    op.drop_index(op.f("ix_resource_city_id_status_id"), table_name="resource")
    op.drop_table("resource")
    op.drop_index(op.f("ix_records_import_city_id_source"), table_name="records_import")
    op.drop_table("records_import")
    op.drop_index(op.f("ix_raid_city_id_status_id"), table_name="raid")
    op.drop_table("raid")
    op.drop_index(
        "uq_ledger_entry_fact",
        table_name="ledger_entry",
        postgresql_where=sa.text("reverses_id IS NULL"),
    )
    op.drop_index(op.f("ix_ledger_entry_city_id_metric_occurred_on"), table_name="ledger_entry")
    op.drop_table("ledger_entry")
    op.drop_table("referral")
    op.drop_table("district")
    op.drop_index(op.f("ix_account_city_id_id"), table_name="account")
    op.drop_table("account")
    op.drop_table("signing_key")
    op.drop_index(op.f("ix_idempotent_answer_created_at"), table_name="idempotent_answer")
    op.drop_table("idempotent_answer")
    op.drop_table("city")
