"""Interests added after signing, and what they close; whether a signer's party has an interest."""

import sqlalchemy as sa
from alembic import op

revision = "0041_added_interests"
down_revision = "0040_outside_bodies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "added_interest",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.Column("decision", sa.String(length=40), nullable=True),
        sa.Column("sealed_decision", sa.LargeBinary(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cooperation_id"], ["cooperation.id"], name=op.f("fk_added_interest_cooperation_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_added_interest_user_id")),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_added_interest_decided_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_added_interest")),
    )
    op.create_index("ix_added_interest_cooperation_id", "added_interest", ["cooperation_id"])
    op.create_index(
        "ix_added_interest_person", "added_interest", ["user_id", "cooperation_id", "added_at"]
    )
    op.create_index(
        "ix_added_interest_waiting", "added_interest", ["decision", "cooperation_id", "user_id"]
    )
    op.create_table(
        "clearance_bar",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("interest_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["cooperation_id"], ["cooperation.id"], name=op.f("fk_clearance_bar_cooperation_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_clearance_bar_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearance_bar")),
    )
    op.create_index("ix_clearance_bar_cooperation_id", "clearance_bar", ["cooperation_id"])
    op.create_index(
        "ix_clearance_bar_user_cooperation", "clearance_bar", ["user_id", "cooperation_id"]
    )
    # Of undertakings signed before, nothing was asked: they stay as they are.
    op.add_column("undertaking", sa.Column("party_has_interest", sa.Boolean(), nullable=True))
    op.add_column("safeguard_review", sa.Column("alone_because", sa.Text(), nullable=True))
    op.add_column(
        "answer",
        sa.Column("taken_over", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("answer", "taken_over")
    op.drop_column("safeguard_review", "alone_because")
    op.drop_column("undertaking", "party_has_interest")
    op.drop_table("clearance_bar")
    op.drop_table("added_interest")
