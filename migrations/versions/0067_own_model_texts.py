"""Texts that a body of the NPM keeps from signed ones, to begin others with."""

import sqlalchemy as sa
from alembic import op

revision = "0067_own_model_texts"
down_revision = "0066_begun_from_model_texts"
branch_labels = None
depends_on = None

KINDS = ("terms", "confidentiality", "visit_roles", "urgent_plan")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "own_model_text",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="checklistkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("revision_number", sa.Integer(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("item_count", sa.Integer(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("is_of_visit", sa.Boolean(), nullable=False),
        sa.Column("kept_by_id", sa.Uuid(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_by_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            '"values" IS NULL OR sealed IS NULL', name=op.f("ck_own_model_text_in_one_form")
        ),
        sa.CheckConstraint(
            'retired_at IS NULL OR ("values" IS NULL AND sealed IS NULL)',
            name=op.f("ck_own_model_text_retired_is_empty"),
        ),
        sa.CheckConstraint(
            "(retired_at IS NULL) = (retired_by_id IS NULL)",
            name=op.f("ck_own_model_text_retired_by_somebody"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_own_model_text_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["cooperation_id"], ["cooperation.id"], name=op.f("fk_own_model_text_cooperation_id")
        ),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_own_model_text_checklist_id")
        ),
        sa.ForeignKeyConstraint(
            ["kept_by_id"], ["user.id"], name=op.f("fk_own_model_text_kept_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["retired_by_id"], ["user.id"], name=op.f("fk_own_model_text_retired_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_model_text")),
    )
    op.create_index(
        "ix_own_model_text_organisation", "own_model_text", ["organisation_id", "kind", "kept_at"]
    )


def downgrade() -> None:
    """Take the change back; answers begun with such a text stay unread by who hasn't read them."""
    op.execute("UPDATE copied_answer SET source = 'product' WHERE source = 'own'")
    op.drop_index("ix_own_model_text_organisation", table_name="own_model_text")
    op.drop_table("own_model_text")
