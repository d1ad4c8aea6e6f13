"""Spots."""

import h3
import sqlalchemy as sa

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATUSES = ("reported", "confirmed", "dismissed", "painted")
NEW_STATUSES = ("reported", "confirmed", "dismissed", "scheduled", "painted", "verified", "disputed", "merged")
KINDS = ("stencil", "tag", "sticker", "qr")
ACTIONS = (
    "confirm",
    "dismiss",
    "schedule",
    "release",
    "paint",
    "verify",
    "dispute",
    "reappear",
    "merge",
    "split",
)
# Seen after it was painted over is what the next sighting will find out; here every spot is in its first cycle.
FIRST_CYCLES = """
INSERT INTO spot_cycle (city_id, id, created_at, spot_id, cycle, opened_at, painted_at)
SELECT spot.city_id, gen_random_uuid(), now(), spot.id, 1,
    least(coalesce(first_seen_at, created_at), coalesce(painted_at, created_at)),
    CASE WHEN status = 'painted' THEN coalesce(painted_at, created_at) END
FROM spot
LEFT JOIN (SELECT city_id, spot_id, min(seen_at) AS first_seen_at FROM sighting GROUP BY 1, 2) AS seen
    ON seen.city_id = spot.city_id AND seen.spot_id = spot.id
LEFT JOIN (SELECT city_id, spot_id, max(removed_at) AS painted_at FROM removal GROUP BY 1, 2) AS removed
    ON removed.city_id = spot.city_id AND removed.spot_id = spot.id
"""
COUNT_SIGHTINGS = """
UPDATE spot SET sightings = seen.sightings, last_seen_at = seen.last_seen_at
FROM (SELECT city_id, spot_id, count(*) AS sightings, max(seen_at) AS last_seen_at FROM sighting GROUP BY 1, 2) AS seen
WHERE seen.city_id = spot.city_id AND seen.spot_id = spot.id
"""
# A spot was made by its sighting, with all that the report said.
FILL_SIGHTINGS = """
UPDATE sighting SET kind = coalesce(spot.kind, 'tag'), latitude = spot.latitude, longitude = spot.longitude,
    address = spot.address, surface = spot.surface
FROM spot WHERE spot.city_id = sighting.city_id AND spot.id = sighting.spot_id
"""
FORGET_STATUSES = """
UPDATE spot SET status = CASE status
    WHEN 'scheduled' THEN 'confirmed' WHEN 'disputed' THEN 'confirmed'
    WHEN 'verified' THEN 'painted' WHEN 'merged' THEN 'dismissed' ELSE status END
"""


def upgrade() -> None:
    op.add_column("city", sa.Column("same_spot_metres", sa.Integer(), server_default="15", nullable=False))
    op.alter_column("city", "same_spot_metres", server_default=None)
    op.create_check_constraint(op.f("ck_city_same_spot_metres"), "city", "same_spot_metres BETWEEN 1 AND 100")
    widen_spots()
    create_cycles()
    create_events()
    widen_sightings()
    op.execute(FIRST_CYCLES)


def widen_spots() -> None:
    allow(NEW_STATUSES)
    op.add_column("spot", sa.Column("h3", sa.String(length=15), nullable=True))
    op.add_column("spot", sa.Column("cycle", sa.Integer(), server_default="1", nullable=False))
    op.add_column("spot", sa.Column("sightings", sa.Integer(), server_default="0", nullable=False))
    op.add_column("spot", sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("spot", sa.Column("dismiss_reason", sa.String(length=500), nullable=True))
    op.add_column("spot", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    for column in ("cycle", "sightings"):
        op.alter_column("spot", column, server_default=None)
    op.execute(COUNT_SIGHTINGS)
    place_in_cells()
    op.create_foreign_key(
        op.f("fk_spot_city_id_merged_into_id"), "spot", "spot", ["city_id", "merged_into_id"], ["city_id", "id"]
    )
    op.create_check_constraint(op.f("ck_spot_cell"), "spot", "(latitude IS NULL) = (h3 IS NULL)")
    op.create_check_constraint(op.f("ck_spot_counts"), "spot", "cycle >= 1 AND sightings >= 0")
    op.create_check_constraint(op.f("ck_spot_merged"), "spot", "(status = 'merged') = (merged_into_id IS NOT NULL)")


def allow(statuses: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_spot_status"), "spot", type_="check")
    listed = ", ".join(f"'{status}'" for status in statuses)
    op.create_check_constraint(op.f("ck_spot_status"), "spot", f"status IN ({listed})")


def place_in_cells() -> None:
    connection = op.get_bind()
    points = connection.execute(sa.text("SELECT city_id, id, latitude, longitude FROM spot WHERE latitude IS NOT NULL"))
    cells = [
        {"city": city_id, "spot": spot_id, "cell": h3.latlng_to_cell(latitude, longitude, 10)}
        for city_id, spot_id, latitude, longitude in points
    ]
    if cells:
        connection.execute(sa.text("UPDATE spot SET h3 = :cell WHERE city_id = :city AND id = :spot"), cells)


def create_cycles() -> None:
    op.create_table(
        "spot_cycle",
        *keys(),
        sa.Column("spot_id", sa.Uuid(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("painted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "spot_id"], ["spot.city_id", "spot.id"], name=op.f("fk_spot_cycle_city_id_spot_id")
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_spot_cycle_city_id")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_spot_cycle")),
        sa.UniqueConstraint("city_id", "spot_id", "cycle", name=op.f("uq_spot_cycle_city_id_spot_id_cycle")),
    )


def create_events() -> None:
    op.create_table(
        "spot_event",
        *keys(),
        sa.Column("spot_id", sa.Uuid(), nullable=False),
        sa.Column("action", enum(ACTIONS, "action"), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("other_spot_id", sa.Uuid(), nullable=True),
        sa.Column("sightings", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "other_spot_id"], ["spot.city_id", "spot.id"], name=op.f("fk_spot_event_city_id_other_spot_id")
        ),
        sa.ForeignKeyConstraint(
            ["city_id", "spot_id"], ["spot.city_id", "spot.id"], name=op.f("fk_spot_event_city_id_spot_id")
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.id"], name=op.f("fk_spot_event_city_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_spot_event_decided_by")),
        sa.PrimaryKeyConstraint("city_id", "id", name=op.f("pk_spot_event")),
    )
    op.create_index(op.f("ix_spot_event_city_id_spot_id"), "spot_event", ["city_id", "spot_id"], unique=False)


def keys() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("city_id", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def enum(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def widen_sightings() -> None:
    op.add_column("sighting", sa.Column("kind", sa.String(length=32), nullable=True))
    op.add_column("sighting", sa.Column("latitude", sa.Float(), nullable=True))
    op.add_column("sighting", sa.Column("longitude", sa.Float(), nullable=True))
    op.add_column("sighting", sa.Column("address", sa.String(length=300), nullable=True))
    op.add_column("sighting", sa.Column("surface", sa.String(length=120), nullable=True))
    op.add_column("sighting", sa.Column("advertised", sa.String(length=2048), nullable=True))
    op.execute(FILL_SIGHTINGS)
    op.alter_column("sighting", "kind", nullable=False)
    listed = ", ".join(f"'{kind}'" for kind in KINDS)
    op.create_check_constraint(op.f("ck_sighting_kind"), "sighting", f"kind IN ({listed})")
    op.create_check_constraint(op.f("ck_sighting_whole_point"), "sighting", "(latitude IS NULL) = (longitude IS NULL)")
    op.create_check_constraint(op.f("ck_sighting_somewhere"), "sighting", "latitude IS NOT NULL OR address IS NOT NULL")
    op.drop_index(op.f("ix_sighting_city_id_spot_id"), table_name="sighting")
    op.create_index(op.f("ix_sighting_city_id_spot_id_id"), "sighting", ["city_id", "spot_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_sighting_city_id_spot_id_id"), table_name="sighting")
    op.create_index(op.f("ix_sighting_city_id_spot_id"), "sighting", ["city_id", "spot_id"], unique=False)
    for column in ("advertised", "surface", "address", "longitude", "latitude", "kind"):
        op.drop_column("sighting", column)
    op.drop_table("spot_event")
    op.drop_table("spot_cycle")
    op.drop_constraint(op.f("ck_spot_merged"), "spot", type_="check")
    op.execute(FORGET_STATUSES)
    allow(STATUSES)
    op.drop_constraint(op.f("ck_spot_cell"), "spot", type_="check")
    op.drop_constraint(op.f("ck_spot_counts"), "spot", type_="check")
    op.drop_constraint(op.f("fk_spot_city_id_merged_into_id"), "spot", type_="foreignkey")
    for column in ("merged_into_id", "dismiss_reason", "last_seen_at", "sightings", "cycle", "h3"):
        op.drop_column("spot", column)
    op.drop_constraint(op.f("ck_city_same_spot_metres"), "city", type_="check")
    op.drop_column("city", "same_spot_metres")
