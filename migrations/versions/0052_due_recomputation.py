"""Derived values that jobs of the worker made stale, until they are recomputed."""

import sqlalchemy as sa
from alembic import op

revision = "0052_due_recomputation"
down_revision = "0051_growth"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "due_recomputation",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_due_recomputation")),
    )
    op.create_index("ix_due_recomputation_object", "due_recomputation", ["object_id", "kind"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("due_recomputation")
