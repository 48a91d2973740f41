"""The invitation by which a CSO joins a cooperation whose terms are in force."""

import sqlalchemy as sa
from alembic import op

revision = "0048_joining"
down_revision = "0047_undertaking_register"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.add_column(sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("invited_by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("invite_reason", sa.Text(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "joins_confidentiality", sa.Boolean(), nullable=False, server_default=sa.false()
            )
        )
        batch_op.add_column(sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_party_invited_by_id"), "user", ["invited_by_id"], ["id"]
        )
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.alter_column("joins_confidentiality", server_default=None)


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.drop_constraint("fk_party_invited_by_id", type_="foreignkey")
        batch_op.drop_column("joined_at")
        batch_op.drop_column("joins_confidentiality")
        batch_op.drop_column("invite_reason")
        batch_op.drop_column("invited_by_id")
        batch_op.drop_column("invited_at")
