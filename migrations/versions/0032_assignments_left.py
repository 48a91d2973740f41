"""Whether something is left to do of what is assigned; indexes of checklists by whose they are.

It is worked out at the next start, as with each change.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032_assignments_left"
down_revision = "0031_register_entries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column(
        "checklist",
        sa.Column("has_assigned", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.add_column("assignment", sa.Column("is_left", sa.Boolean(), nullable=True))
    op.drop_index("ix_assignment_organisation", table_name="assignment")
    op.create_index(
        "ix_assignment_organisation", "assignment", ["organisation_id", "is_left", "due_on"]
    )
    op.create_index("ix_checklist_cooperation_id", "checklist", ["cooperation_id"])
    op.create_index(
        "ix_checklist_party_organisation", "checklist_party", ["organisation_id", "checklist_id"]
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_checklist_party_organisation", table_name="checklist_party")
    op.drop_index("ix_checklist_cooperation_id", table_name="checklist")
    op.drop_index("ix_assignment_organisation", table_name="assignment")
    op.create_index("ix_assignment_organisation", "assignment", ["organisation_id", "assignee_id"])
    op.drop_column("assignment", "is_left")
    op.drop_column("checklist", "has_assigned")
