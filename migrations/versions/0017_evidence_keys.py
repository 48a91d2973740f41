"""Public keys of the evidence: never deleted, never changed but for their ends, once."""

import sqlalchemy as sa
from alembic import op

revision = "0017_evidence_keys"
down_revision = "0018_languages"
branch_labels = None
depends_on = None

TABLE = "evidence_key"
FIXED = (
    "id",
    "use",
    "number",
    "origin",
    "public_key",
    "certificates",
    "fingerprint",
    "endorsement",
    "endorsed_by",
    "made_at",
)
# Set once, and then fixed too; the reason comes with the second.
ENDS = ("retired_at", "revoked_at")


def _forbid_changes() -> None:
    """Refuse to delete a key, to change what it is, and to take an end back, in the database."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    same = "IS" if sqlite else "IS NOT DISTINCT FROM"
    kept = [f"NEW.{column} {same} OLD.{column}" for column in FIXED]
    kept += [f"(OLD.{end} IS NULL OR NEW.{end} {same} OLD.{end})" for end in ENDS]
    kept.append("(NEW.reason = OLD.reason OR OLD.revoked_at IS NULL AND OLD.reason = '')")
    condition = f"NOT ({' AND '.join(kept)})"
    if sqlite:
        refused = f"SELECT RAISE(ABORT, 'rows of {TABLE} are never changed or deleted')"
        op.execute(
            f"CREATE TRIGGER {TABLE}_refuse_update BEFORE UPDATE ON {TABLE} "
            f"WHEN {condition} BEGIN {refused}; END"
        )
        op.execute(
            f"CREATE TRIGGER {TABLE}_refuse_delete BEFORE DELETE ON {TABLE} BEGIN {refused}; END"
        )
        return
    op.execute(
        f"CREATE TRIGGER {TABLE}_refuse_update BEFORE UPDATE ON {TABLE} FOR EACH ROW "
        f"WHEN ({condition}) EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {TABLE}_refuse_delete BEFORE DELETE ON {TABLE} "
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
        sa.Column(
            "use",
            sa.Enum("checkpoint", "document", name="keyuse", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "origin",
            sa.Enum("made", "imported", name="keyorigin", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("certificates", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("endorsement", sa.LargeBinary(), nullable=True),
        sa.Column("endorsed_by", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_key")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_evidence_key_fingerprint")),
        sa.UniqueConstraint("use", "number", name=op.f("uq_evidence_key_use_number")),
    )
    _forbid_changes()


def downgrade() -> None:
    """Take it back."""
    op.drop_table(TABLE)
