"""Entries of the list of cooperations, which find, order and count; an index of own undertakings.

The entries are created at the next start, as with each event.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037_cooperation_entries"
down_revision = "0036_guidance_languages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "cooperation_entry",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("is_of_npm", sa.Boolean(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reference", sa.String(length=20), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_cooperation_entry_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperation_id"], ["cooperation.id"], name=op.f("fk_cooperation_entry_cooperation_id")
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id", "cooperation_id", name=op.f("pk_cooperation_entry")
        ),
    )
    op.create_index("ix_cooperation_entry_cooperation_id", "cooperation_entry", ["cooperation_id"])
    op.create_index(
        "ix_cooperation_entry_order",
        "cooperation_entry",
        [
            "organisation_id",
            "opened_at",
            "reference",
            "cooperation_id",
            "stage",
            "left_on",
            "is_of_npm",
        ],
    )
    op.create_index("ix_undertaking_own", "undertaking", ["user_id", "closed_at", "asked_at", "id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_undertaking_own", table_name="undertaking")
    op.drop_table("cooperation_entry")
