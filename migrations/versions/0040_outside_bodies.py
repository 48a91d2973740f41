"""Outside bodies of a cooperation, which answers can name."""

import sqlalchemy as sa
from alembic import op

revision = "0040_outside_bodies"
down_revision = "0039_hint_answers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column("cooperation", sa.Column("outside_bodies", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("cooperation", "outside_bodies")
