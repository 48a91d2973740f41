"""Guidance articles, taxonomy and statements, where passages are used, and the full text."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003_guidance"
down_revision = "0002_trail_and_mail"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "article",
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("source_title", sa.Text(), nullable=False),
        sa.Column("source_url", sa.Text(), nullable=False),
        sa.Column("revised_on", sa.Date(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint(
            "slug", "language", "revision", name=op.f("uq_article_slug_language_revision")
        ),
    )
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_slug"), ["slug"], unique=False)

    op.create_table(
        "passage_use",
        sa.Column("passage", sa.String(length=130), nullable=False),
        sa.Column("used_by", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passage_use")),
        sa.UniqueConstraint(
            "passage", "used_by", "code", name=op.f("uq_passage_use_passage_used_by_code")
        ),
    )
    with op.batch_alter_table("passage_use", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passage_use_passage"), ["passage"], unique=False)

    op.create_table(
        "passage",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("markdown", sa.Text(), nullable=False),
        sa.Column("statements", sa.JSON(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_passage_article_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passage")),
        sa.UniqueConstraint("article_id", "key", name=op.f("uq_passage_article_id_key")),
    )
    with op.batch_alter_table("passage", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passage_key"), ["key"], unique=False)

    op.create_table(
        "taxonomy_term",
        sa.Column(
            "kind",
            sa.Enum("category", "topic", name="taxonomykind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomy_term")),
        sa.UniqueConstraint("kind", "slug", name=op.f("uq_taxonomy_term_kind_slug")),
    )
    op.create_table(
        "statement",
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("article", sa.String(length=60), nullable=False),
        sa.Column(
            "force",
            sa.Enum(
                "must", "should", "may", "fact", "warn", name="force", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=40), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("code", name=op.f("uq_statement_code")),
    )
    create_full_text()


def downgrade() -> None:
    """Take it back."""
    op.drop_table("search_words")
    op.drop_table("search_document")
    op.drop_table("statement")
    op.drop_table("taxonomy_term")
    with op.batch_alter_table("passage", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passage_key"))

    op.drop_table("passage")
    with op.batch_alter_table("passage_use", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passage_use_passage"))

    op.drop_table("passage_use")
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_article_slug"))

    op.drop_table("article")


def create_full_text() -> None:
    """Make the documents, and their words in the way of each database (tracker/search)."""
    op.create_table(
        "search_document",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=130), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_document")),
        sa.UniqueConstraint(
            "kind", "key", "language", name=op.f("uq_search_document_kind_key_language")
        ),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE search_words"
            " USING fts5(title, text, tokenize = 'ascii', prefix = '3 5')"
        )
        return
    op.create_table(
        "search_words",
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["search_document.id"],
            name=op.f("fk_search_words_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_search_words")),
    )
    op.create_index(
        op.f("ix_search_words_words"), "search_words", ["words"], postgresql_using="gin"
    )
