"""What is worked out from texts that ended with the agreed terms, or with their visit."""

from alembic import op

revision = "0063_texts_that_end_with_terms"
down_revision = "0062_texts_of_stopped_visits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change.

    The worker computes again the register's entries of cooperations with signed terms, and how many
    items of a stopped visit's texts wait: none.
    """
    op.execute(
        "INSERT INTO due_recomputation (id, kind, object_id) "
        "SELECT id, 'REGISTER', id FROM cooperation WHERE EXISTS "
        "(SELECT 1 FROM checklist WHERE checklist.cooperation_id = cooperation.id "
        "AND checklist.kind = 'terms' AND checklist.visit_id IS NULL "
        "AND (checklist.revision_in_force_id IS NOT NULL OR checklist.halted_id IS NOT NULL)) "
        "AND NOT EXISTS (SELECT 1 FROM due_recomputation "
        "WHERE kind = 'REGISTER' AND object_id = cooperation.id)"
    )
    op.execute(
        "INSERT INTO due_recomputation (id, kind, object_id) "
        "SELECT id, 'CHECKLIST', id FROM checklist WHERE visit_id IN "
        "(SELECT id FROM visit WHERE stage = 'JX') AND NOT EXISTS "
        "(SELECT 1 FROM due_recomputation WHERE kind = 'CHECKLIST' AND object_id = checklist.id)"
    )


def downgrade() -> None:
    """Take the change back. Entries follow the next event of their cooperation."""
