"""Why a proposal was turned down is kept with the proposal."""

import sqlalchemy as sa
from alembic import op

revision = "0011_turned_down"
down_revision = "0010_signing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ended_reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("sealed_ended_reason", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("proposal", "sealed_ended_reason")
    op.drop_column("proposal", "ended_reason")
