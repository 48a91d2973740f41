"""Texts whose rows do not agree with their signatures and events, as the worker found them."""

import sqlalchemy as sa
from alembic import op

revision = "0027_disagreements"
down_revision = "0026_bound_credentials"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "disagreement",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("subject_type", sa.String(length=20), nullable=False),
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperation_id"], ["cooperation.id"], name=op.f("fk_disagreement_cooperation_id")
        ),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_disagreement")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("disagreement")
