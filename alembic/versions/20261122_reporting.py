"""Reporting: on which day a resource entered each of its statuses."""

import sqlalchemy as sa

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATUSES = ("reported", "in_review", "confirmed", "rejected", "referred", "block_reported", "refused")
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON resource_event
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""
# When an older resource was reported, sent and answered is known. When it was judged is not: of one in a referral it
# was by the day on which that was drafted, of the others by today. All of it became known only now.
KNOWN = """
WITH item AS (
    SELECT referral_item.city_id, referral_item.resource_id, referral_item.answer, referral_item.answered_on,
        referral_item.created_at, referral.sent_on
    FROM referral_item JOIN referral
        ON referral.city_id = referral_item.city_id AND referral.id = referral_item.referral_id
), drafted AS (
    SELECT city_id, resource_id, min(created_at) AS at FROM item GROUP BY city_id, resource_id
), entered AS (
    SELECT city_id, id AS resource_id, 'reported' AS status, created_at AS at, NULL::date AS day FROM resource
    UNION ALL
    SELECT city_id, resource_id, 'confirmed', at, NULL FROM drafted
    UNION ALL
    SELECT resource.city_id, resource.id, resource.status, now(), NULL FROM resource
    LEFT JOIN drafted ON drafted.city_id = resource.city_id AND drafted.resource_id = resource.id
    WHERE drafted.at IS NULL AND resource.status IN ('in_review', 'confirmed', 'rejected')
    UNION ALL
    SELECT city_id, resource_id, 'referred', NULL, sent_on FROM item WHERE sent_on IS NOT NULL
    UNION ALL
    SELECT city_id, resource_id, CASE answer WHEN 'blocked' THEN 'block_reported' ELSE 'refused' END, NULL, answered_on
    FROM item WHERE answered_on IS NOT NULL
)
INSERT INTO resource_event (city_id, id, created_at, resource_id, status, occurred_on)
SELECT entered.city_id, gen_random_uuid(), now(), entered.resource_id, entered.status,
    coalesce(entered.day, timezone(city.time_zone, entered.at)::date)
FROM entered JOIN city ON city.id = entered.city_id
"""


def upgrade() -> None:
    op.create_table(
        "resource_event",
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(*STATUSES, name="status", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "resource_id"],
            ["resource.city_id", "resource.id"],
            name=op.f("fk_resource_event_city_id_resource_id"),
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_resource_event_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_resource_event")),
    )
    for columns in (["city_id", "status", "occurred_on"], ["city_id", "resource_id"]):
        op.create_index(op.f(f"ix_resource_event_{'_'.join(columns)}"), "resource_event", columns)
    op.execute(KNOWN)
    op.execute(APPEND_ONLY)


def downgrade() -> None:
    op.drop_table("resource_event")
