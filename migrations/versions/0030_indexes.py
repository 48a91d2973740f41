"""Indexes by which lists find their rows, however many the instance has."""

from alembic import op

revision = "0030_indexes"
down_revision = "0029_refused_accounts"
branch_labels = None
depends_on = None

# Index, table and columns.
INDEXES = (
    ("ix_user_active_name", "user", ["active", "name", "id"]),
    ("ix_cooperation_opened", "cooperation", ["opened_at", "reference"]),
    ("ix_party_organisation", "party", ["organisation_id", "left_on", "cooperation_id"]),
    ("ix_clearance_cooperation_id", "clearance", ["cooperation_id"]),
    ("ix_checklist_in_force", "checklist", ["revision_in_force_id"]),
    ("ix_checklist_sent", "checklist", ["revision_sent_id"]),
    ("ix_assignment_organisation", "assignment", ["organisation_id", "assignee_id"]),
    ("ix_undertaking_state", "undertaking", ["state", "cooperation_id"]),
    ("ix_visit_stage", "visit", ["stage", "cooperation_id"]),
    ("ix_signature_request_state", "signature_request", ["state"]),
)


def upgrade() -> None:
    """Make the change."""
    op.drop_index("ix_party_organisation_id", table_name="party")
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Take the change back."""
    for name, table, _columns in reversed(INDEXES):
        op.drop_index(name, table_name=table)
    op.create_index("ix_party_organisation_id", "party", ["organisation_id"])
