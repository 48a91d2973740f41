"""The notice by which a party leaves a cooperation alone."""

import sqlalchemy as sa
from alembic import op

revision = "0046_leaving"
down_revision = "0045_partner_selection"
branch_labels = None
depends_on = None

_IS_LEAVING = sa.text("leave_given_at IS NOT NULL AND leave_done_at IS NULL")


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.add_column(sa.Column("leave_given_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("leave_given_by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("leave_reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("leave_done_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_party_leave_given_by_id"), "user", ["leave_given_by_id"], ["id"]
        )
    op.create_index(
        "ix_party_leaving",
        "party",
        ["left_on"],
        sqlite_where=_IS_LEAVING,
        postgresql_where=_IS_LEAVING,
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_party_leaving", table_name="party")
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.drop_constraint("fk_party_leave_given_by_id", type_="foreignkey")
        batch_op.drop_column("leave_done_at")
        batch_op.drop_column("leave_reason")
        batch_op.drop_column("leave_given_by_id")
        batch_op.drop_column("leave_given_at")
