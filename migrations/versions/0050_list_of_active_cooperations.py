"""The days of the agreed terms in the entries of the list of cooperations.

Entries are worked out anew at the next start, as with each event.
"""

import sqlalchemy as sa
from alembic import op

revision = "0050_list_of_active_cooperations"
down_revision = "0049_outside_reading"
branch_labels = None
depends_on = None

ORDER = "ix_cooperation_entry_order"
_FORMER = [
    "organisation_id",
    "opened_at",
    "reference",
    "cooperation_id",
    "stage",
    "left_on",
    "is_of_npm",
]


def upgrade() -> None:
    """Make the change."""
    op.execute("DELETE FROM cooperation_entry")
    op.drop_index(ORDER, table_name="cooperation_entry")
    op.add_column("cooperation_entry", sa.Column("starts_on", sa.Date(), nullable=True))
    op.add_column("cooperation_entry", sa.Column("ends_on", sa.Date(), nullable=True))
    op.create_index(ORDER, "cooperation_entry", [*_FORMER, "starts_on", "ends_on"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index(ORDER, table_name="cooperation_entry")
    op.drop_column("cooperation_entry", "ends_on")
    op.drop_column("cooperation_entry", "starts_on")
    op.create_index(ORDER, "cooperation_entry", _FORMER)
