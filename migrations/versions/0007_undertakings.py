"""Personal undertakings."""

import sqlalchemy as sa
from alembic import op

revision = "0007_undertakings"
down_revision = "0006_checklists"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "undertaking",
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("function", sa.Text(), nullable=False),
        sa.Column("terms_revision_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "asked",
                "signed",
                "countersigned",
                "closed",
                name="undertakingstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_draft", sa.LargeBinary(), nullable=True),
        sa.Column("revision_id", sa.Uuid(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("briefed_on", sa.Date(), nullable=True),
        sa.Column("has_interests", sa.Boolean(), nullable=True),
        sa.Column(
            "decision",
            sa.Enum(
                "accept", "limit", "replace", name="interestsdecision", native_enum=False, length=40
            ),
            nullable=True,
        ),
        sa.Column("sealed_decision_reason", sa.LargeBinary(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("countersigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=False),
        sa.Column("sealed_closing_reason", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperation_id"], ["cooperation.id"], name=op.f("fk_undertaking_cooperation_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["user.id"], name=op.f("fk_undertaking_decided_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_undertaking_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_undertaking_revision_id")
        ),
        sa.ForeignKeyConstraint(
            ["terms_revision_id"], ["revision.id"], name=op.f("fk_undertaking_terms_revision_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_undertaking_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undertaking")),
    )
    with op.batch_alter_table("undertaking", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_undertaking_cooperation_id"), ["cooperation_id"], unique=False
        )
        batch_op.create_index("ix_undertaking_user_state", ["user_id", "state"], unique=False)
        batch_op.create_index(
            "uq_undertaking_open",
            ["terms_revision_id", "user_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("undertaking", schema=None) as batch_op:
        batch_op.drop_index("uq_undertaking_open")
        batch_op.drop_index("ix_undertaking_user_state")
        batch_op.drop_index(batch_op.f("ix_undertaking_cooperation_id"))

    op.drop_table("undertaking")
