"""Signatures on paper: scans, what was said to them, and the signatures that rest on them."""

import sqlalchemy as sa
from alembic import op

revision = "0023_paper"
down_revision = "0018_languages"
branch_labels = None
depends_on = None


IMMUTABLE = (
    "paper_record",
    "paper_decision",
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
    # The column is added as it is, not by a copy of the table: its triggers have to stay.
    op.add_column("signature", sa.Column("paper", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "paper_record",
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("text", "former", name="paperkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_name", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("signers", sa.JSON(), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("scan_digest", sa.String(length=64), nullable=False),
        sa.Column("scan", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_paper_record_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_paper_record_revision_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_paper_record_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_record")),
    )
    op.create_index(op.f("ix_paper_record_revision_id"), "paper_record", ["revision_id"])
    op.create_table(
        "paper_decision",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "confirmed",
                "refused",
                "withdrawn",
                name="paperdecisionkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_name", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_paper_decision_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["record_id"], ["paper_record.id"], name=op.f("fk_paper_decision_record_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_paper_decision_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_decision")),
        sa.UniqueConstraint(
            "record_id",
            "organisation_id",
            name=op.f("uq_paper_decision_record_id_organisation_id"),
        ),
    )
    for table in IMMUTABLE:
        _forbid_changes(table)


def downgrade() -> None:
    """Take it back; signatures on paper stay, but can't be read by the older version."""
    op.drop_table("paper_decision")
    op.drop_index(op.f("ix_paper_record_revision_id"), table_name="paper_record")
    op.drop_table("paper_record")
    op.drop_column("signature", "paper")
