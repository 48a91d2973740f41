"""On whose device, and in whose presence, somebody without an account signed."""

import sqlalchemy as sa
from alembic import op

revision = "0053_in_presence"
down_revision = "0052_due_recomputation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column("signature", sa.Column("presence", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("signature", "presence")
