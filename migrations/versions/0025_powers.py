"""Roles of signatory and manager that wait until they are confirmed; who confirmed them."""

import sqlalchemy as sa
from alembic import op

revision = "0025_powers"
down_revision = "0024_certificate_failures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change.

    What is there has begun, and nobody is said to have confirmed it. An administrator's role of
    signatory or manager waits from now on: nobody may hold both.
    """
    hows = sa.Enum(
        "colleague",
        "administrator",
        "before",
        name="confirmation",
        native_enum=False,
        length=40,
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.add_column(sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("confirmed_how", hows, nullable=True))
        batch_op.add_column(sa.Column("confirmed_by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("confirmed_by", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_membership_confirmed_by_id"), "user", ["confirmed_by_id"], ["id"]
        )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.alter_column("confirmed_by", server_default=None)
    # Not by a copy of the table: a signature is never rewritten.
    op.add_column("signature", sa.Column("power_confirmed", sa.JSON(), nullable=True))
    _fill()


def _fill() -> None:
    """Say of what is there that it has begun."""
    membership = sa.table(
        "membership",
        sa.column("user_id", sa.Uuid()),
        sa.column("role", sa.String()),
        sa.column("created_at", sa.DateTime(timezone=True)),
        sa.column("ended_at", sa.DateTime(timezone=True)),
        sa.column("begun_at", sa.DateTime(timezone=True)),
        sa.column("confirmed_how", sa.String()),
    )
    is_power = membership.c.role.in_(["signatory", "manager"])
    administrator = membership.alias()
    administers = sa.select(administrator.c.user_id).where(
        administrator.c.role == "administrator", administrator.c.ended_at.is_(None)
    )
    connection = op.get_bind()
    connection.execute(
        membership.update()
        .where(~is_power | membership.c.user_id.not_in(administers))
        .values(begun_at=membership.c.created_at)
    )
    connection.execute(
        membership.update()
        .where(is_power, membership.c.begun_at.is_not(None))
        .values(confirmed_how="before")
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("signature", "power_confirmed")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_membership_confirmed_by_id"), type_="foreignkey")
        for name in ("confirmed_at", "confirmed_by", "confirmed_by_id", "confirmed_how"):
            batch_op.drop_column(name)
        batch_op.drop_column("begun_at")
