"""The index of renewals by their checklist, which most pages with signed texts look into."""

from alembic import op

revision = "0064_renewals_by_checklist"
down_revision = "0063_texts_that_end_with_terms"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_index("ix_renewal_checklist_id", "renewal", ["checklist_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_renewal_checklist_id", table_name="renewal")
