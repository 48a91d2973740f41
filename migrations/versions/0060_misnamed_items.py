"""The items of a cooperation's texts in force that name somebody who can't act any more."""

import sqlalchemy as sa
from alembic import op

revision = "0060_misnamed_items"
down_revision = "0059_chains_of_visits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change. The worker counts the texts in force, which may name people who left."""
    op.add_column(
        "checklist",
        sa.Column("misnamed_items", sa.Text(), nullable=False, server_default=""),
    )
    op.add_column("team_member", sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "INSERT INTO due_recomputation (id, kind, object_id) "
        "SELECT id, 'CHECKLIST', id FROM checklist "
        "WHERE visit_id IS NULL AND revision_in_force_id IS NOT NULL"
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("team_member", "joined_at")
    op.drop_column("checklist", "misnamed_items")
