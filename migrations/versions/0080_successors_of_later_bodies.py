"""When the body was invited whose place a party took, so that it reads no more than that one."""

import sqlalchemy as sa
from alembic import op

revision = "0080_successors_of_later_bodies"
down_revision = "0079_visits_in_charge"
branch_labels = None
depends_on = None

COLUMN = "predecessor_invited_at"


def upgrade() -> None:
    """Make the change."""
    op.add_column("party", sa.Column(COLUMN, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("party", COLUMN)
