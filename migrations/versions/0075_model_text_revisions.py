"""Model texts that administrators changed, item by item."""

import sqlalchemy as sa
from alembic import op

revision = "0075_model_text_revisions"
down_revision = "0074_ends_of_discussions"
branch_labels = None
depends_on = None

TABLE = "model_text_revision"
CURRENT = sa.text("is_current")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        TABLE,
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
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("item", sa.String(length=10), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("product_digest", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_text_revision")),
        sa.UniqueConstraint(
            "kind",
            "language",
            "item",
            "number",
            name=op.f("uq_model_text_revision_kind_language_item_number"),
        ),
    )
    op.create_index(
        "uq_model_text_revision_current",
        TABLE,
        ["kind", "language", "item"],
        unique=True,
        sqlite_where=CURRENT,
        postgresql_where=CURRENT,
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table(TABLE)
