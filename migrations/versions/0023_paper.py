"""Signatures on paper: scans, what was said to them, and the signatures that rest on them."""

import sqlalchemy as sa
from alembic import op

revision = "0023_paper"
down_revision = "0022_signers"
branch_labels = None
depends_on = None


IMMUTABLE = (
    "succession",
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
    _add_successions()
    for table in IMMUTABLE:
        _forbid_changes(table)


def _add_successions() -> None:
    op.create_table(
        "succession",
        sa.Column("former_id", sa.Uuid(), nullable=False),
        sa.Column("former_name", sa.Text(), nullable=False),
        sa.Column("successor_id", sa.Uuid(), nullable=False),
        sa.Column("successor_name", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["former_id"], ["organisation.id"], name=op.f("fk_succession_former_id")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user.id"], name=op.f("fk_succession_recorded_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["organisation.id"], name=op.f("fk_succession_successor_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_succession")),
        sa.UniqueConstraint("former_id", name=op.f("uq_succession_former_id")),
    )
    op.create_index(op.f("ix_succession_successor_id"), "succession", ["successor_id"])
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.add_column(sa.Column("replaced_by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("replaced_on", sa.Date(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_party_replaced_by_id"), "organisation", ["replaced_by_id"], ["id"]
        )


def downgrade() -> None:
    """Take it back; signatures on paper stay, but can't be read by the older version."""
    with op.batch_alter_table("party", schema=None) as batch_op:
        batch_op.drop_constraint("fk_party_replaced_by_id", type_="foreignkey")
        batch_op.drop_column("replaced_on")
        batch_op.drop_column("replaced_by_id")
    op.drop_index(op.f("ix_succession_successor_id"), table_name="succession")
    op.drop_table("succession")
    op.drop_table("paper_decision")
    op.drop_index(op.f("ix_paper_record_revision_id"), table_name="paper_record")
    op.drop_table("paper_record")
    op.drop_column("signature", "paper")
