"""How many items a party only has to read and accept, of those that wait for it."""

import sqlalchemy as sa
from alembic import op

revision = "0081_items_to_accept"
down_revision = "0080_successors_of_later_bodies"
branch_labels = None
depends_on = None

TABLE, COLUMN = "checklist_party", "to_accept_count"


def upgrade() -> None:
    """Make the change; each number is worked out when its checklist next changes."""
    with op.batch_alter_table(TABLE, schema=None) as batch_op:
        batch_op.add_column(sa.Column(COLUMN, sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table(TABLE, schema=None) as batch_op:
        batch_op.alter_column(COLUMN, server_default=None)


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table(TABLE, schema=None) as batch_op:
        batch_op.drop_column(COLUMN)
