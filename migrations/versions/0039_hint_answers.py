"""Answers to hints: what people say of phrases that may limit the NPM."""

import sqlalchemy as sa
from alembic import op

revision = "0039_hint_answers"
down_revision = "0038_waiting_scans"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.add_column(
        "checklist",
        sa.Column("has_hint_answers", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "hint_answer",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(length=10), nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("phrase", sa.String(length=40), nullable=False),
        sa.Column("matched", sa.String(length=64), nullable=False),
        sa.Column("limits", sa.Boolean(), nullable=False),
        sa.Column("flag_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("as_reader", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "limits = (flag_id IS NOT NULL)", name=op.f("ck_hint_answer_flagged_if_it_limits")
        ),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_hint_answer_checklist_id")
        ),
        sa.ForeignKeyConstraint(["flag_id"], ["flag.id"], name=op.f("fk_hint_answer_flag_id")),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_hint_answer_author_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_hint_answer_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hint_answer")),
    )
    op.create_index(op.f("ix_hint_answer_checklist_id"), "hint_answer", ["checklist_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index(op.f("ix_hint_answer_checklist_id"), table_name="hint_answer")
    op.drop_table("hint_answer")
    op.drop_column("checklist", "has_hint_answers")
