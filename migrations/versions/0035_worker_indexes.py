"""Indexes of the worker: texts that came into force lately, coordinators; one that is redundant."""

import sqlalchemy as sa
from alembic import op

revision = "0035_worker_indexes"
down_revision = "0034_work_in_order"
branch_labels = None
depends_on = None

RUNNING = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Make the change."""
    # Those on state and day, and on state and end, begin with the same column.
    op.drop_index("ix_signature_request_state", table_name="signature_request")
    op.create_index("ix_checklist_in_force_at", "checklist", ["in_force_at"])
    op.create_index(
        "ix_membership_role",
        "membership",
        ["role", "user_id"],
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_membership_role", table_name="membership")
    op.drop_index("ix_checklist_in_force_at", table_name="checklist")
    op.create_index("ix_signature_request_state", "signature_request", ["state"])
