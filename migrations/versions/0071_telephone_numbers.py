"""A telephone number for a person, encrypted, in a table of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0071_telephone_numbers"
down_revision = "0070_notifications"
branch_labels = None
depends_on = None

TABLE = "telephone_number"


def upgrade() -> None:
    """Make the change. Nobody has a number yet."""
    op.create_table(
        TABLE,
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_number", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name=op.f("fk_telephone_number_user_id_user"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_telephone_number")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table(TABLE)
