"""What a flag or an answer to a hint says on a visit's checklist, encrypted (class K2)."""

import sqlalchemy as sa
from alembic import op

revision = "0054_flags_on_visits"
down_revision = "0053_in_presence"
branch_labels = None
depends_on = None

ADDED = (
    ("flag", "sealed_reason"),
    ("flag", "sealed_explanation"),
    ("hint_answer", "sealed_reason"),
)


def upgrade() -> None:
    """Make the change."""
    for table, name in ADDED:
        op.add_column(table, sa.Column(name, sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    for table, name in reversed(ADDED):
        op.drop_column(table, name)
