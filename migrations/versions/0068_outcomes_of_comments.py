"""What came of a settled comment, in a sentence."""

import sqlalchemy as sa
from alembic import op

revision = "0068_outcomes_of_comments"
down_revision = "0067_own_model_texts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change. Comments settled so far have no outcome."""
    op.add_column("comment", sa.Column("outcome", sa.Text()))
    op.add_column("comment", sa.Column("sealed_outcome", sa.LargeBinary()))


def downgrade() -> None:
    """Take the change back; outcomes are lost."""
    op.drop_column("comment", "sealed_outcome")
    op.drop_column("comment", "outcome")
