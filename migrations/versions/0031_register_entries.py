"""Entries of the register, by which its lines are found, ordered and counted.

They are worked out at the next start, as with each event.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031_register_entries"
down_revision = "0030_indexes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "register_entry",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("is_of_npm", sa.Boolean(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("newest_first", sa.BigInteger(), nullable=False),
        sa.Column("visit_number", sa.Integer(), nullable=False),
        sa.Column("kind_place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("is_sent", sa.Boolean(), nullable=False),
        sa.Column("is_overridden", sa.Boolean(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_register_entry_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_register_entry_checklist_id")
        ),
        sa.ForeignKeyConstraint(
            ["cooperation_id"], ["cooperation.id"], name=op.f("fk_register_entry_cooperation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "checklist_id", name=op.f("pk_register_entry")),
    )
    op.create_index("ix_register_entry_cooperation_id", "register_entry", ["cooperation_id"])
    op.create_index(
        "ix_register_entry_order",
        "register_entry",
        [
            "organisation_id",
            "newest_first",
            "visit_number",
            "kind_place",
            "checklist_id",
            "state",
            "is_sent",
            "is_overridden",
            "until_on",
            "review_on",
            "left_on",
            "is_of_npm",
        ],
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("register_entry")
