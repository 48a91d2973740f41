"""Templates and guidance that are written, published and retired here, and own articles."""

import sqlalchemy as sa
from alembic import op

revision = "0014_authoring"
down_revision = "0013_drafts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    _add_to_templates()
    _add_to_articles()
    op.create_table(
        "template_draft",
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
        sa.Column("base_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["user.id"], name=op.f("fk_template_draft_author_id")
        ),
        sa.ForeignKeyConstraint(
            ["base_id"], ["checklist_template.id"], name=op.f("fk_template_draft_base_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_draft")),
    )
    op.create_table(
        "own_article",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("for_partners", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name=op.f("fk_own_article_author_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_own_article_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_article")),
    )
    op.create_index(
        op.f("ix_own_article_organisation_id"), "own_article", ["organisation_id"], unique=False
    )
    op.create_table(
        "own_passage",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["own_article.id"], name=op.f("fk_own_passage_article_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_passage")),
        sa.UniqueConstraint("article_id", "key", name=op.f("uq_own_passage_article_id_key")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("own_passage")
    op.drop_index(op.f("ix_own_article_organisation_id"), table_name="own_article")
    op.drop_table("own_article")
    op.drop_table("template_draft")
    # Not by a copy of the table, as batches do it: other tables refer to these rows.
    for column in ("author", "reason", "waits", "shipped_revision", "origin"):
        op.drop_column("article", column)
    for column in ("retired_at", "published_at", "shipped_version", "origin"):
        op.drop_column("checklist_template", column)


def _origin(*values: str, name: str) -> sa.Column[str]:
    return sa.Column(
        "origin",
        sa.Enum(*values, name=name, native_enum=False, length=40),
        nullable=False,
        server_default="shipped",
    )


def _add_to_templates() -> None:
    """Say where each version comes from; all there are were shipped, and published when loaded."""
    op.add_column("checklist_template", _origin("shipped", "derived", name="templateorigin"))
    op.add_column("checklist_template", sa.Column("shipped_version", sa.Integer(), nullable=True))
    for column in ("published_at", "retired_at"):
        op.add_column(
            "checklist_template", sa.Column(column, sa.DateTime(timezone=True), nullable=True)
        )
    op.execute("UPDATE checklist_template SET shipped_version = version, published_at = loaded_at")


def _add_to_articles() -> None:
    """Say where each revision comes from; all there are were shipped."""
    op.add_column("article", _origin("shipped", "edited", name="articleorigin"))
    op.add_column("article", sa.Column("shipped_revision", sa.Integer(), nullable=True))
    op.add_column(
        "article", sa.Column("waits", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for column in ("reason", "author"):
        op.add_column("article", sa.Column(column, sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE article SET shipped_revision = revision")
