"""Certificates of texts that were signed by all; whether the public check names who signed."""

import sqlalchemy as sa
from alembic import op

revision = "0021_certificates"
down_revision = "0020_log"
branch_labels = None
depends_on = None

TABLE = "certificate"


def _forbid_changes() -> None:
    """Refuse UPDATE and DELETE on the table, in the database itself."""
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


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        TABLE,
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("is_sealed", sa.Boolean(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("evidence_key_id", sa.Uuid(), nullable=False),
        sa.Column("has_timestamp", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_key_id"],
            ["evidence_key.id"],
            name=op.f("fk_certificate_evidence_key_id"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_certificate_revision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint(
            "revision_id", "language", name=op.f("uq_certificate_revision_id_language")
        ),
    )
    op.create_index(op.f("ix_certificate_sha256"), TABLE, ["sha256"], unique=False)
    _forbid_changes()
    op.add_column(
        "cooperation",
        sa.Column("shows_signers", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_column("cooperation", "shows_signers")
    op.drop_table(TABLE)
