"""The items to accept of checklists that already waited for somebody before they were counted."""

from alembic import op

revision = "0082_items_to_accept_counted"
down_revision = "0081_items_to_accept"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change. The worker counts again in checklists in which items wait for a party."""
    op.execute(
        "INSERT INTO due_recomputation (id, kind, object_id) "
        "SELECT id, 'CHECKLIST', id FROM checklist WHERE id IN "
        "(SELECT checklist_id FROM checklist_party WHERE waiting_count > 0) AND NOT EXISTS "
        "(SELECT 1 FROM due_recomputation WHERE kind = 'CHECKLIST' AND object_id = checklist.id)"
    )


def downgrade() -> None:
    """Take the change back. What was counted stays right."""
