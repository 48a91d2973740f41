"""Returns of material, and the closing of a cooperation (C17, G7).

A cooperation that had ended before has no closing: its people were never asked in the application.
"""

import sqlalchemy as sa
from alembic import op

revision = "0043_closing"
down_revision = "0042_reviews"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "closing",
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lessons", sa.Text(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_by_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperation_id"], ["cooperation.id"], name=op.f("fk_closing_cooperation_id")
        ),
        sa.ForeignKeyConstraint(
            ["completed_by_id"], ["user.id"], name=op.f("fk_closing_completed_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing")),
        sa.UniqueConstraint("cooperation_id", name=op.f("uq_closing_cooperation_id")),
    )
    op.create_index("ix_closing_completed", "closing", ["completed_at", "begun_at"])
    op.create_table(
        "material_return",
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("undertaking_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("disposal", sa.String(length=40), nullable=True),
        sa.Column("sealed_words", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_material_return_{column}")
            )
            for column, table in (
                ("cooperation_id", "cooperation"),
                ("user_id", "user"),
                ("organisation_id", "organisation"),
                ("undertaking_id", "undertaking"),
                ("answered_by_id", "user"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_material_return")),
    )
    op.create_index("ix_material_return_cooperation_id", "material_return", ["cooperation_id"])
    op.create_index(
        "ix_material_return_own", "material_return", ["user_id", "state", "requested_at", "id"]
    )
    op.create_index("ix_material_return_due", "material_return", ["state", "reminded_on", "due_on"])
    op.create_index(
        "uq_material_return_open",
        "material_return",
        ["cooperation_id", "user_id"],
        unique=True,
        sqlite_where=sa.text("state = 'requested'"),
        postgresql_where=sa.text("state = 'requested'"),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("material_return")
    op.drop_table("closing")
