"""Certificates that could not be made: why, and when they are tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0024_certificate_failures"
down_revision = "0023_paper"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "certificate_failure",
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_certificate_failure_revision_id")
        ),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_certificate_failure")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("certificate_failure")
