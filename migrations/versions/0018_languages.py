"""The words of checklists in other languages, kept apart from their structure and never changed."""

import sqlalchemy as sa
from alembic import op

revision = "0018_languages"
down_revision = "0017_copies"
branch_labels = None
depends_on = None

TABLE = "checklist_words"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        TABLE,
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "origin",
            sa.Enum("shipped", "carried", "own", name="wordsorigin", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["checklist_template.id"],
            name=op.f("fk_checklist_words_template_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist_words")),
        sa.UniqueConstraint(
            "template_id",
            "language",
            "number",
            name=op.f("uq_checklist_words_template_id_language_number"),
        ),
    )
    _forbid_changes()


def downgrade() -> None:
    """Take it back."""
    op.drop_table(TABLE)


def _forbid_changes() -> None:
    """Let the database refuse to change or delete words: texts that were signed name them."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {TABLE}_refuse_{act.lower()} BEFORE {act} ON {TABLE} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {TABLE} are never changed or deleted'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {TABLE}_refuse_change BEFORE UPDATE OR DELETE ON {TABLE} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {TABLE}_refuse_truncate BEFORE TRUNCATE ON {TABLE} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
