"""Since when a scan waits to be confirmed, for My work; indexes for the register's counts."""

import sqlalchemy as sa
from alembic import op

revision = "0038_waiting_scans"
down_revision = "0037_cooperation_entries"
branch_labels = None
depends_on = None

INDEX = "ix_checklist_party_scan_waits"
ORDER = "ix_register_entry_order"
COUNTS = "ix_register_entry_counts"
# What both indexes of the register's entries end with.
_COUNTED = ["state", "is_sent", "is_overridden", "until_on", "review_on", "left_on", "is_of_npm"]
_IN_ORDER = ["organisation_id", "newest_first", "visit_number", "kind_place", "checklist_id"]

# The scans of a text that was sent, neither refused nor withdrawn, on which no signature rests.
_FILL = """
    UPDATE checklist_party SET scan_waits_since = (
        SELECT min(paper_record.recorded_at) FROM paper_record
        JOIN checklist ON checklist.revision_sent_id = paper_record.revision_id
        WHERE checklist.id = checklist_party.checklist_id
        AND NOT EXISTS (
            SELECT 1 FROM paper_decision
            WHERE paper_decision.record_id = paper_record.id
            AND paper_decision.kind <> 'confirmed'
        )
        AND NOT EXISTS (
            SELECT 1 FROM signature
            WHERE signature.revision_id = paper_record.revision_id
            AND signature.organisation_id = paper_record.organisation_id
        )
    )
    WHERE EXISTS (
        SELECT 1 FROM checklist JOIN paper_record
        ON paper_record.revision_id = checklist.revision_sent_id
        WHERE checklist.id = checklist_party.checklist_id
    )
"""


def upgrade() -> None:
    """Make the change."""
    op.add_column(
        "checklist_party",
        sa.Column("scan_waits_since", sa.DateTime(timezone=True), nullable=True),
    )
    op.execute(_FILL)
    some = sa.text("scan_waits_since IS NOT NULL")
    op.create_index(
        INDEX,
        "checklist_party",
        ["organisation_id", "scan_waits_since", "checklist_id"],
        sqlite_where=some,
        postgresql_where=some,
    )
    op.drop_index(ORDER, table_name="register_entry")
    op.create_index(ORDER, "register_entry", [*_IN_ORDER, *_COUNTED, "cooperation_id"])
    op.create_index(COUNTS, "register_entry", ["organisation_id", *_COUNTED, "cooperation_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index(COUNTS, table_name="register_entry")
    op.drop_index(ORDER, table_name="register_entry")
    op.create_index(ORDER, "register_entry", [*_IN_ORDER, *_COUNTED])
    op.drop_index(INDEX, table_name="checklist_party")
    with op.batch_alter_table("checklist_party") as batch:
        batch.drop_column("scan_waits_since")
