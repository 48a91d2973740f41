"""Flags and days of sending in the register's entries, and an index of events by verb.

All entries are computed again at the next start, as with each event.
"""

import sqlalchemy as sa
from alembic import op

revision = "0069_overview_and_milestones"
down_revision = "0068_outcomes_of_comments"
branch_labels = None
depends_on = None

ORDER = "ix_register_entry_order"
COUNTS = "ix_register_entry_counts"
_PLACE = ["organisation_id", "newest_first", "visit_number", "kind_place", "checklist_id"]
_STATE = ["state", "is_sent", "is_overridden"]
_REST = ["from_on", "until_on", "review_on", "left_on", "is_of_npm", "cooperation_id"]


def upgrade() -> None:
    """Make the change."""
    op.execute("DELETE FROM register_entry")
    # SQLite adds such a column only with a default, and the table is empty.
    op.add_column(
        "register_entry",
        sa.Column("is_flagged", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("register_entry", sa.Column("sent_on", sa.Date(), nullable=True))
    _index([*_STATE, "is_flagged", *_REST], ["sent_on"])
    op.create_index("ix_event_verb", "event", ["chain_id", "verb", "number"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_event_verb", table_name="event")
    _index([*_STATE, *_REST], [])
    op.drop_column("register_entry", "sent_on")
    op.drop_column("register_entry", "is_flagged")


def _index(counted: list[str], also_read: list[str]) -> None:
    """Create both indexes again; counted is what they end with."""
    op.drop_index(COUNTS, table_name="register_entry")
    op.drop_index(ORDER, table_name="register_entry")
    op.create_index(ORDER, "register_entry", [*_PLACE, *counted])
    op.create_index(COUNTS, "register_entry", ["organisation_id", *counted, *also_read])
