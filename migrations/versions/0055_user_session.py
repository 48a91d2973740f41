"""Sessions in the database, so that signing out ends them."""

import sqlalchemy as sa
from alembic import op

revision = "0055_user_session"
down_revision = "0054_flags_on_visits"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change. Whoever is signed in then signs in again."""
    op.create_table(
        "user_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_origin", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_user_session_user_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
    )
    op.create_index("ix_user_session_user_id", "user_session", ["user_id"])
    op.create_index("ix_user_session_begun_at", "user_session", ["begun_at"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_user_session_begun_at", table_name="user_session")
    op.drop_index("ix_user_session_user_id", table_name="user_session")
    op.drop_table("user_session")
