"""Accounts whose credentials are refused, as the worker found them."""

import sqlalchemy as sa
from alembic import op

revision = "0029_refused_accounts"
down_revision = "0028_checked_rows"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "refused_account",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_refused_account_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_refused_account")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("refused_account")
