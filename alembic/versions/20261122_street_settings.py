"""Street settings."""

import sqlalchemy as sa

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("city", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.alter_column("city", "version", server_default=None)
    op.add_column("spot_event", sa.Column("removals", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("spot_event", "removals")
    op.drop_column("city", "version")
