"""The party or outside body that decided on a partner (P0), chosen from the list that M1 offers."""

import sqlalchemy as sa
from alembic import op

revision = "0057_deciding_on_partners"
down_revision = "0056_security_log"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change. What was recorded before says it in its own words only."""
    op.add_column("partner_selection", sa.Column("deciding_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("partner_selection", "deciding_id")
