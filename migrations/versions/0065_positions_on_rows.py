"""On which part of an answer a position is, and which parts a proposal changes."""

import sqlalchemy as sa
from alembic import op

revision = "0065_positions_on_rows"
down_revision = "0064_renewals_by_checklist"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change. Positions and proposals so far are on whole answers."""
    op.add_column("position", sa.Column("part_id", sa.Uuid()))
    op.add_column("proposal", sa.Column("part_ids", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    """Take the change back. Positions on parts aren't on whole answers, so they end."""
    op.execute("UPDATE position SET is_current = false WHERE part_id IS NOT NULL")
    op.execute(
        "UPDATE proposal SET state = 'outdated' WHERE part_ids IS NOT NULL AND state = 'open'"
    )
    op.drop_column("position", "part_id")
    op.drop_column("proposal", "part_ids")
