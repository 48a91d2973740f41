"""Who of the NPM was put in charge of a visit, and whether a visit needs somebody in charge."""

import sqlalchemy as sa
from alembic import op

revision = "0079_visits_in_charge"
down_revision = "0078_days_in_the_register"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("in_charge_id", sa.Uuid(), nullable=True))
        batch_op.add_column(
            sa.Column("needs_lead", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_visit_in_charge_id"), "user", ["in_charge_id"], ["id"]
        )
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.alter_column("needs_lead", server_default=None)


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.drop_constraint("fk_visit_in_charge_id", type_="foreignkey")
        batch_op.drop_column("needs_lead")
        batch_op.drop_column("in_charge_id")
