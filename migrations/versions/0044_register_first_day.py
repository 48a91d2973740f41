"""The first day of an agreement in the register's entries, by which those to come are told apart.

All entries are worked out anew at the next start, as with each event.
"""

import sqlalchemy as sa
from alembic import op

revision = "0044_register_first_day"
down_revision = "0043_closing"
branch_labels = None
depends_on = None

ORDER = "ix_register_entry_order"
COUNTS = "ix_register_entry_counts"
_PLACE = ["organisation_id", "newest_first", "visit_number", "kind_place", "checklist_id"]
_STATE = ["state", "is_sent", "is_overridden"]
_REST = ["until_on", "review_on", "left_on", "is_of_npm", "cooperation_id"]


def upgrade() -> None:
    """Make the change."""
    op.execute("DELETE FROM register_entry")
    op.add_column("register_entry", sa.Column("from_on", sa.Date(), nullable=True))
    _index([*_STATE, "from_on", *_REST])


def downgrade() -> None:
    """Take the change back."""
    _index([*_STATE, *_REST])
    op.drop_column("register_entry", "from_on")


def _index(counted: list[str]) -> None:
    """Make both indexes anew; counted is what they end with."""
    op.drop_index(COUNTS, table_name="register_entry")
    op.drop_index(ORDER, table_name="register_entry")
    op.create_index(ORDER, "register_entry", [*_PLACE, *counted])
    op.create_index(COUNTS, "register_entry", ["organisation_id", *counted])
