"""What a person is typing and has not saved yet."""

import sqlalchemy as sa
from alembic import op

revision = "0013_drafts"
down_revision = "0012_comments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "draft",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(length=10), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("shared", "party", "left_out", name="draftkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_draft_checklist_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_draft_user_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_draft_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
        sa.UniqueConstraint(
            "user_id", "checklist_id", "item", "kind", "organisation_id", name="uq_draft_whose"
        ),
    )
    op.create_index("ix_draft_kept_at", "draft", ["kept_at"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_draft_kept_at", table_name="draft")
    op.drop_table("draft")
