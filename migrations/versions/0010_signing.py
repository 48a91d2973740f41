"""Why a text is open again; reasons of class K2 encrypted; one signature in one's own name."""

import sqlalchemy as sa
from alembic import op

revision = "0010_signing"
down_revision = "0009_running"
branch_labels = None
depends_on = None

ONCE = "uq_signature_own_name"


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table("signature_request", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed_reason", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("checklist", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("sealed_reason", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("signature", schema=None) as batch_op:
        batch_op.create_index(
            ONCE,
            ["revision_id", "user_id", "kind"],
            unique=True,
            sqlite_where=sa.text("organisation_id IS NULL"),
            postgresql_where=sa.text("organisation_id IS NULL"),
        )


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("signature", schema=None) as batch_op:
        batch_op.drop_index(
            ONCE,
            sqlite_where=sa.text("organisation_id IS NULL"),
            postgresql_where=sa.text("organisation_id IS NULL"),
        )

    # Not by a copy of the table, as batches do it: other tables refer to these rows.
    op.drop_column("checklist", "sealed_reason")
    op.drop_column("checklist", "reason")
    op.drop_column("signature_request", "sealed_reason")
