"""Keys of the evidence, the log of chain heads, checkpoints, and to whom they were mailed."""

import sqlalchemy as sa
from alembic import op

revision = "0020_log"
down_revision = "0019_passkeys"
branch_labels = None
depends_on = None

IMMUTABLE = ("log_leaf", "log_node", "checkpoint")
# Of keys all is fixed but their ends.
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


def _forbid_changes_of_keys() -> None:
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


def _forbid_changes(table: str) -> None:
    """Refuse UPDATE and DELETE on a table, in the database itself."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
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
    op.create_table(
        "log_leaf",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chain_id", sa.Uuid(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["chain_id"], ["chain.id"], name=op.f("fk_log_leaf_chain_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_leaf")),
        sa.UniqueConstraint("chain_id", "count", name=op.f("uq_log_leaf_chain_id_count")),
    )
    op.create_table(
        "log_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "place", name=op.f("pk_log_node")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("previous", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["evidence_key.id"], name=op.f("fk_checkpoint_key_id")),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
        sa.UniqueConstraint("previous", name=op.f("uq_checkpoint_previous")),
    )
    op.create_table(
        "anchor",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["checkpoint.size"], name=op.f("fk_anchor_size")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_anchor_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anchor")),
        sa.UniqueConstraint("user_id", "size", name=op.f("uq_anchor_user_id_size")),
    )
    with op.batch_alter_table("anchor", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_anchor_size"), ["size"], unique=False)
    for table in IMMUTABLE:
        _forbid_changes(table)
    _forbid_changes_of_keys()


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("anchor", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_anchor_size"))

    op.drop_table("anchor")
    op.drop_table("checkpoint")
    op.drop_table("log_node")
    op.drop_table("log_leaf")
    op.drop_table(TABLE)
