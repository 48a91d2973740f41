"""Answers copied from another checklist, who has read them, and an organisation's model answers."""

import sqlalchemy as sa
from alembic import op

revision = "0017_copies"
down_revision = "0016_limits"
branch_labels = None
depends_on = None

KINDS = ("terms", "confidentiality", "visit_roles", "urgent_plan")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "copied_answer",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("source_answer_id", sa.Uuid(), nullable=False),
        sa.Column("source_checklist_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answer.id"], name=op.f("fk_copied_answer_answer_id")
        ),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_copied_answer_checklist_id")
        ),
        sa.ForeignKeyConstraint(
            ["source_answer_id"], ["answer.id"], name=op.f("fk_copied_answer_source_answer_id")
        ),
        sa.ForeignKeyConstraint(
            ["source_checklist_id"],
            ["checklist.id"],
            name=op.f("fk_copied_answer_source_checklist_id"),
        ),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_copied_answer")),
    )
    op.create_index(op.f("ix_copied_answer_checklist_id"), "copied_answer", ["checklist_id"])
    op.create_table(
        "copy_reading",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("reader_id", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["copied_answer.answer_id"], name=op.f("fk_copy_reading_answer_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_copy_reading_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["reader_id"], ["user.id"], name=op.f("fk_copy_reading_reader_id")),
        sa.PrimaryKeyConstraint("answer_id", "organisation_id", name=op.f("pk_copy_reading")),
    )
    op.create_table(
        "model_answer",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="checklistkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("item", sa.String(length=10), nullable=False),
        sa.Column(
            "scope",
            sa.Enum("shared", "party", "person", name="answerscope", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind <> 'visit_roles' AND scope <> 'person'",
            name=op.f("ck_model_answer_of_class_k8"),
        ),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_model_answer_author_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_model_answer_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_answer")),
        sa.UniqueConstraint(
            "organisation_id", "kind", "item", "scope", "title", name="uq_model_answer_title"
        ),
    )
    op.add_column(
        "checklist_party",
        sa.Column("unread_count", sa.Integer(), nullable=False, server_default="0"),
    )


def downgrade() -> None:
    """Take it back; copied answers stay, as answers like any others."""
    op.drop_column("checklist_party", "unread_count")
    op.drop_table("model_answer")
    op.drop_table("copy_reading")
    op.drop_index(op.f("ix_copied_answer_checklist_id"), table_name="copied_answer")
    op.drop_table("copied_answer")
