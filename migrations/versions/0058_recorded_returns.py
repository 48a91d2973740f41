"""How the NPM heard what became of the copies of a person without an account (C17)."""

import sqlalchemy as sa
from alembic import op

revision = "0058_recorded_returns"
down_revision = "0057_deciding_on_partners"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change. What was recorded before was an exception, and stays one."""
    op.add_column("material_return", sa.Column("recorded_how", sa.String(length=40), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("material_return", "recorded_how")
