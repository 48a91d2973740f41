"""Guidance articles and where their passages are used."""

import sqlalchemy as sa
from alembic import op

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
        sa.Column("category", sa.String(length=60), nullable=False),
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
        sa.Column("position", sa.Integer(), nullable=False),
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


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("passage", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passage_key"))

    op.drop_table("passage")
    with op.batch_alter_table("passage_use", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passage_use_passage"))

    op.drop_table("passage_use")
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_article_slug"))

    op.drop_table("article")
