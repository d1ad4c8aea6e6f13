"""District lists."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("raid", "spot")


def upgrade() -> None:
    # Not CONCURRENTLY, a second for a million rows: it would wait for whoever waits for their turn to migrate.
    for table in TABLES:
        op.create_index(op.f(f"ix_{table}_city_id_district_id_id"), table, ["city_id", "district_id", "id"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_index(op.f(f"ix_{table}_city_id_district_id_id"), table_name=table)
