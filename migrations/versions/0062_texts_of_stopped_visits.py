"""The register's entries of texts that ended because their visit was stopped."""

from alembic import op

revision = "0062_texts_of_stopped_visits"
down_revision = "0061_invitations_that_confirm"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change. The worker computes the entries of cooperations with such visits again."""
    op.execute(
        "INSERT INTO due_recomputation (id, kind, object_id) "
        "SELECT id, 'REGISTER', id FROM cooperation WHERE EXISTS "
        "(SELECT 1 FROM visit WHERE visit.cooperation_id = cooperation.id AND visit.stage = 'JX') "
        "AND NOT EXISTS (SELECT 1 FROM due_recomputation "
        "WHERE kind = 'REGISTER' AND object_id = cooperation.id)"
    )


def downgrade() -> None:
    """Take the change back. Entries follow the next event of their cooperation."""
