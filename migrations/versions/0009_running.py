"""The worker's sign of life."""

import sqlalchemy as sa
from alembic import op

revision = "0009_running"
down_revision = "0008_visits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("heartbeat")
