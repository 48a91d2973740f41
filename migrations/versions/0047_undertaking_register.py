"""An index for the register of undertakings."""

from alembic import op

revision = "0047_undertaking_register"
down_revision = "0046_leaving"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_index(
        "ix_undertaking_register",
        "undertaking",
        [
            "cooperation_id",
            "asked_at",
            "id",
            "state",
            "organisation_id",
            "user_id",
            "terms_revision_id",
        ],
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_undertaking_register", "undertaking")
