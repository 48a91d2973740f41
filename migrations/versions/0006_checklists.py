"""Checklist templates, checklists, answers, positions and flags."""

import sqlalchemy as sa
from alembic import op

revision = "0006_checklists"
down_revision = "0005_signoff"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "checklist_template",
        sa.Column(
            "kind",
            sa.Enum(
                "terms",
                "confidentiality",
                "visit_roles",
                "urgent_plan",
                name="checklistkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist_template")),
        sa.UniqueConstraint("kind", "version", name=op.f("uq_checklist_template_kind_version")),
    )
    op.create_table(
        "checklist",
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "terms",
                "confidentiality",
                "visit_roles",
                "urgent_plan",
                name="checklistkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "drafting", "sent", "in_force", name="checkliststate", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("open_items", sa.JSON(), nullable=True),
        sa.Column("revision_in_force_id", sa.Uuid(), nullable=True),
        sa.Column("revision_sent_id", sa.Uuid(), nullable=True),
        sa.Column("in_force_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_count", sa.Integer(), nullable=False),
        sa.Column("total_count", sa.Integer(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperation_id"], ["cooperation.id"], name=op.f("fk_checklist_cooperation_id")
        ),
        sa.ForeignKeyConstraint(
            ["revision_in_force_id"],
            ["revision.id"],
            name=op.f("fk_checklist_revision_in_force_id"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_sent_id"], ["revision.id"], name=op.f("fk_checklist_revision_sent_id")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"], ["checklist_template.id"], name=op.f("fk_checklist_template_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist")),
        sa.UniqueConstraint("visit_id", "kind", name=op.f("uq_checklist_visit_id_kind")),
    )
    with op.batch_alter_table("checklist", schema=None) as batch_op:
        batch_op.create_index(
            "uq_checklist_cooperation_kind",
            ["cooperation_id", "kind"],
            unique=True,
            sqlite_where=sa.text("visit_id IS NULL"),
            postgresql_where=sa.text("visit_id IS NULL"),
        )

    op.create_table(
        "answer",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(length=10), nullable=False),
        sa.Column(
            "scope",
            sa.Enum("shared", "party", "person", name="answerscope", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("values", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("not_applicable", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_answer_author_id")),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_answer_checklist_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_answer_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sa.UniqueConstraint(
            "checklist_id",
            "item",
            "owner_id",
            "version",
            name=op.f("uq_answer_checklist_id_item_owner_id_version"),
        ),
    )
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.create_index(
            "ix_answer_checklist_current", ["checklist_id", "is_current"], unique=False
        )

    op.create_table(
        "checklist_party",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("waiting_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_checklist_party_checklist_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_checklist_party_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("checklist_id", "organisation_id", name=op.f("pk_checklist_party")),
    )
    op.create_table(
        "flag",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(length=10), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_flag_author_id")),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_flag_checklist_id")
        ),
        sa.ForeignKeyConstraint(["closed_by_id"], ["user.id"], name=op.f("fk_flag_closed_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_flag_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag")),
    )
    with op.batch_alter_table("flag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flag_checklist_id"), ["checklist_id"], unique=False)

    op.create_table(
        "safeguard_review",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("reader_id", sa.Uuid(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_safeguard_review_checklist_id")
        ),
        sa.ForeignKeyConstraint(
            ["reader_id"], ["user.id"], name=op.f("fk_safeguard_review_reader_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safeguard_review")),
    )
    with op.batch_alter_table("safeguard_review", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_safeguard_review_checklist_id"), ["checklist_id"], unique=False
        )

    op.create_table(
        "position",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(length=10), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=True),
        sa.Column(
            "stance",
            sa.Enum(
                "accepts", "wants_change", "wants_talk", name="stance", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=True),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_position_answer_id")),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_position_author_id")),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_position_checklist_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_position_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_position")),
    )
    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.create_index(
            "ix_position_checklist_current", ["checklist_id", "is_current"], unique=False
        )

    op.create_table(
        "proposal",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(length=10), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("values", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "accepted",
                "turned_down",
                "withdrawn",
                "outdated",
                name="proposalstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.Column("ended_for_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_proposal_answer_id")),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_proposal_author_id")),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_proposal_checklist_id")
        ),
        sa.ForeignKeyConstraint(["ended_by_id"], ["user.id"], name=op.f("fk_proposal_ended_by_id")),
        sa.ForeignKeyConstraint(
            ["ended_for_id"], ["organisation.id"], name=op.f("fk_proposal_ended_for_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_proposal_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.create_index(
            "ix_proposal_checklist_state", ["checklist_id", "state"], unique=False
        )


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.drop_index("ix_proposal_checklist_state")

    op.drop_table("proposal")
    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.drop_index("ix_position_checklist_current")

    op.drop_table("position")
    with op.batch_alter_table("safeguard_review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_safeguard_review_checklist_id"))

    op.drop_table("safeguard_review")
    with op.batch_alter_table("flag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flag_checklist_id"))

    op.drop_table("flag")
    op.drop_table("checklist_party")
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.drop_index("ix_answer_checklist_current")

    op.drop_table("answer")
    with op.batch_alter_table("checklist", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_checklist_cooperation_kind",
            sqlite_where=sa.text("visit_id IS NULL"),
            postgresql_where=sa.text("visit_id IS NULL"),
        )

    op.drop_table("checklist")
    op.drop_table("checklist_template")
