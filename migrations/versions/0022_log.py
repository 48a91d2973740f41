"""The log of chain heads with its tree, signed checkpoints, and to whom they were mailed."""

import sqlalchemy as sa
from alembic import op

revision = "0022_log"
down_revision = "0017_evidence_keys"
branch_labels = None
depends_on = None

IMMUTABLE = ("log_leaf", "log_node", "checkpoint")


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
        sa.ForeignKeyConstraint(
            ["key_id"], ["evidence_key.id"], name=op.f("fk_checkpoint_key_id")
        ),
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


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("anchor", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_anchor_size"))

    op.drop_table("anchor")
    op.drop_table("checkpoint")
    op.drop_table("log_node")
    op.drop_table("log_leaf")
