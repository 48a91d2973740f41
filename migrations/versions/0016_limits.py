"""Flags raised by a rule of the template: the rule, the powers it guards, the passage, the term."""

import sqlalchemy as sa
from alembic import op

revision = "0016_limits"
down_revision = "0015_assignments"
branch_labels = None
depends_on = None

WHO = "who_raised_it"


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table("flag", schema=None) as batch_op:
        batch_op.alter_column("organisation_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.alter_column("author_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.add_column(sa.Column("rule", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("powers", sa.JSON(none_as_null=True), nullable=True))
        batch_op.add_column(sa.Column("passage", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("matched", sa.String(length=64), nullable=True))
        batch_op.create_check_constraint(
            WHO,
            "(rule IS NULL) = (author_id IS NOT NULL AND organisation_id IS NOT NULL)",
        )


def downgrade() -> None:
    """Take it back; flags raised by a rule have no author and go."""
    op.execute(sa.text("DELETE FROM flag WHERE rule IS NOT NULL"))
    with op.batch_alter_table("flag", schema=None) as batch_op:
        batch_op.drop_constraint(WHO, type_="check")
        batch_op.drop_column("matched")
        batch_op.drop_column("passage")
        batch_op.drop_column("powers")
        batch_op.drop_column("rule")
        batch_op.alter_column("author_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("organisation_id", existing_type=sa.Uuid(), nullable=False)
