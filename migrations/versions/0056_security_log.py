"""The security log: sign-ins, failures, refusals, changes of factors and roles."""

import sqlalchemy as sa
from alembic import op

revision = "0056_security_log"
down_revision = "0055_user_session"
branch_labels = None
depends_on = None

TABLE = "security_log_entry"
INDEXES = {
    "order": ["at", "id"],
    "kind": ["kind", "at", "id"],
    "person": ["user_id", "at", "id"],
    "person_kind": ["user_id", "kind", "at", "id"],
}


def upgrade() -> None:
    """Make the change. The log begins empty."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("detail", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_origin", sa.LargeBinary(), nullable=True),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_log_entry")),
    )
    for name, columns in INDEXES.items():
        op.create_index(f"ix_{TABLE}_{name}", TABLE, columns)


def downgrade() -> None:
    """Take the change back."""
    for name in reversed(INDEXES):
        op.drop_index(f"ix_{TABLE}_{name}", table_name=TABLE)
    op.drop_table(TABLE)
