"""Days of suspensions to come and last days to sign in the register's entries.

All entries are computed again at the next start, as with each event.
"""

import sqlalchemy as sa
from alembic import op

revision = "0078_days_in_the_register"
down_revision = "0077_found_chains_of_visits"
branch_labels = None
depends_on = None

TABLE = "register_entry"
ORDER = "ix_register_entry_order"
COUNTS = "ix_register_entry_counts"
_PLACE = ["organisation_id", "newest_first", "visit_number", "kind_place", "checklist_id"]
_STATE = ["state", "is_sent", "is_overridden", "is_flagged", "from_on", "until_on", "review_on"]
_DAYS = ["suspends_on", "signed_until"]
_REST = ["left_on", "is_of_npm", "cooperation_id"]


def upgrade() -> None:
    """Make the change."""
    op.execute("DELETE FROM register_entry")
    for name in _DAYS:
        op.add_column(TABLE, sa.Column(name, sa.Date(), nullable=True))
    _index([*_STATE, *_DAYS, *_REST])


def downgrade() -> None:
    """Take the change back."""
    _index([*_STATE, *_REST])
    for name in reversed(_DAYS):
        op.drop_column(TABLE, name)


def _index(counted: list[str]) -> None:
    """Create both indexes again; counted is what they end with."""
    op.drop_index(COUNTS, table_name=TABLE)
    op.drop_index(ORDER, table_name=TABLE)
    op.create_index(ORDER, TABLE, [*_PLACE, *counted])
    op.create_index(COUNTS, TABLE, ["organisation_id", *counted, "sent_on"])
