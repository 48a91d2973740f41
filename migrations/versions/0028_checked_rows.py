"""What events say of rows, so that each row that decides something is checked.

Each event made since holds it and binds it. Taking this back makes them events that do not verify:
the way back is the copy that was made before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028_checked_rows"
down_revision = "0027_disagreements"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column("event", sa.Column("state", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("event", "state")
