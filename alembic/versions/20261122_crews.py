"""Crews."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATUSES = ("accepted", "withdrawn")
NEW_STATUSES = (
    "offered",
    "waiting",
    "accepted",
    "declined",
    "lapsed",
    "withdrawn",
    "present",
    "absent",
    "attended",
)
METRICS = (
    "graffiti_painted",
    "raids_held",
    "activities_held",
    "volunteers_street",
    "volunteers_online",
    "resources_referred",
    "resources_blocked",
)
NEW_METRICS = ("graffiti_painted", "raids_held", "volunteer_minutes", *METRICS[2:])
FORGET_STATUSES = """
UPDATE assignment SET status = CASE
    WHEN status IN ('present', 'absent', 'attended') THEN 'accepted'
    WHEN status IN ('offered', 'waiting', 'declined', 'lapsed') THEN 'withdrawn' ELSE status END
"""
# An offer held a place; what it becomes does not.
FORGET_OFFERS = """
UPDATE raid SET places_taken = places_taken - offers.offers
FROM (SELECT city_id, raid_id, count(*) AS offers FROM assignment WHERE status = 'offered' GROUP BY 1, 2) AS offers
WHERE offers.city_id = raid.city_id AND offers.raid_id = raid.id
"""


def upgrade() -> None:
    op.add_column("city", sa.Column("checked_percent", sa.Integer(), server_default="10", nullable=False))
    op.alter_column("city", "checked_percent", server_default=None)
    op.create_check_constraint(op.f("ck_city_checked_percent"), "city", "checked_percent BETWEEN 0 AND 100")
    _widen_raid()
    _widen_assignment()
    _widen_removal()
    _create_raid_stop()
    _create_calendar_feed()
    for table in ("ledger_entry", "declared_count"):
        _allow(table, "metric", NEW_METRICS)


def downgrade() -> None:
    # Refused while minutes are counted: the ledger forgets nothing.
    for table in ("ledger_entry", "declared_count"):
        _allow(table, "metric", METRICS)
    op.drop_table("calendar_feed")
    op.drop_table("raid_stop")
    for column in ("checked_at", "checked_by", "verdict_reason", "verdict", "drawn_at", "minutes"):
        op.drop_column("removal", column)
    op.execute(FORGET_OFFERS)
    op.execute(FORGET_STATUSES)
    _allow("assignment", "status", STATUSES)
    for column in (
        "minutes",
        "checked_out_at",
        "checked_in_at",
        "withdrew_late",
        "offer_expires_at",
        "line_number",
    ):
        op.drop_column("assignment", column)
    for column in ("line_length", "lead_id", "supplies"):
        op.drop_column("raid", column)
    op.drop_column("city", "checked_percent")


def _widen_raid() -> None:
    op.add_column("raid", sa.Column("supplies", sa.String(length=1000), nullable=True))
    op.add_column("raid", sa.Column("lead_id", sa.Uuid(), nullable=True))
    op.add_column("raid", sa.Column("line_length", sa.Integer(), server_default="0", nullable=False))
    op.alter_column("raid", "line_length", server_default=None)
    op.create_index(op.f("ix_raid_city_id_lead_id"), "raid", ["city_id", "lead_id"])
    op.create_foreign_key(
        op.f("fk_raid_city_id_lead_id"), "raid", "volunteer", ["city_id", "lead_id"], ["city_id", "id"]
    )


def _widen_assignment() -> None:
    _allow("assignment", "status", NEW_STATUSES)
    op.add_column("assignment", sa.Column("line_number", sa.Integer(), nullable=True))
    op.add_column("assignment", sa.Column("offer_expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("assignment", sa.Column("withdrew_late", sa.Boolean(), server_default="false", nullable=False))
    op.alter_column("assignment", "withdrew_late", server_default=None)
    op.add_column("assignment", sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("assignment", sa.Column("checked_out_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("assignment", sa.Column("minutes", sa.Integer(), nullable=True))
    op.create_unique_constraint(
        op.f("uq_assignment_city_id_raid_id_line_number"), "assignment", ["city_id", "raid_id", "line_number"]
    )
    op.create_check_constraint(
        op.f("ck_assignment_offer_has_deadline"), "assignment", "status <> 'offered' OR offer_expires_at IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_assignment_waiting_in_line"), "assignment", "status <> 'waiting' OR line_number IS NOT NULL"
    )
    op.create_check_constraint(op.f("ck_assignment_minutes"), "assignment", "minutes >= 0")


def _widen_removal() -> None:
    op.add_column("removal", sa.Column("minutes", sa.Integer(), nullable=True))
    op.add_column("removal", sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("removal", sa.Column("verdict", sa.String(length=32), nullable=True))
    op.add_column("removal", sa.Column("verdict_reason", sa.String(length=500), nullable=True))
    op.add_column("removal", sa.Column("checked_by", sa.Uuid(), nullable=True))
    op.add_column("removal", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(op.f("fk_removal_checked_by"), "removal", "account", ["checked_by"], ["id"])
    op.create_check_constraint(op.f("ck_removal_verdict"), "removal", "verdict IN ('verified', 'disputed')")
    op.create_check_constraint(op.f("ck_removal_minutes"), "removal", "minutes BETWEEN 1 AND 720")
    op.create_check_constraint(op.f("ck_removal_checked"), "removal", "(verdict IS NULL) = (checked_by IS NULL)")


def _create_raid_stop() -> None:
    op.create_table(
        "raid_stop",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raid_id", sa.Uuid(), nullable=False),
        sa.Column("spot_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "painted",
                "not_found",
                "refused_by_owner",
                "not_reached",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("position >= 1", name=op.f("ck_raid_stop_position")),
        sa.ForeignKeyConstraint(
            ["city_id", "raid_id"], ["raid.city_id", "raid.id"], name=op.f("fk_raid_stop_city_id_raid_id")
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "spot_id"], ["spot.city_id", "spot.id"], name=op.f("fk_raid_stop_city_id_spot_id")
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_raid_stop_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_raid_stop")),
        sa.UniqueConstraint("city_id", "raid_id", "spot_id", name=op.f("uq_raid_stop_city_id_raid_id_spot_id")),
    )
    op.create_index(op.f("ix_raid_stop_city_id_spot_id"), "raid_stop", ["city_id", "spot_id"])


def _create_calendar_feed() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_calendar_feed_account_id")),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_calendar_feed_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("city_id", "account_id", name=op.f("uq_calendar_feed_city_id_account_id")),
        sa.UniqueConstraint("city_id", "token_digest", name=op.f("uq_calendar_feed_city_id_token_digest")),
    )


def _allow(table: str, column: str, values: Sequence[str]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.drop_constraint(op.f(f"ck_{table}_{column}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} IN ({listed})")
