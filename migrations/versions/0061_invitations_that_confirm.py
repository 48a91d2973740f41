"""Whether whoever sent an invitation could confirm the roles in it when they sent it."""

import sqlalchemy as sa
from alembic import op

revision = "0061_invitations_that_confirm"
down_revision = "0060_misnamed_items"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change. Roles of invitations that are open now are confirmed after acceptance."""
    op.add_column(
        "invitation",
        sa.Column("confirms", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("invitation", "confirms")
