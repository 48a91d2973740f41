"""Frozen revisions and signatures."""

import sqlalchemy as sa
from alembic import op

revision = "0005_signoff"
down_revision = "0004_cooperations"
branch_labels = None
depends_on = None


IMMUTABLE = (
    "revision",
    "signature",
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
        "revision",
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("subject_type", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("is_sealed", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_by_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cooperation_id"], ["cooperation.id"], name=op.f("fk_revision_cooperation_id")
        ),
        sa.ForeignKeyConstraint(
            ["frozen_by_id"], ["user.id"], name=op.f("fk_revision_frozen_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint(
            "subject_type",
            "subject_id",
            "number",
            name=op.f("uq_revision_subject_type_subject_id_number"),
        ),
    )
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_revision_cooperation_id"), ["cooperation_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_revision_digest"), ["digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_revision_subject_id"), ["subject_id"], unique=False)

    op.create_table(
        "signature",
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "signature", "countersignature", name="signaturekind", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("signer_name", sa.Text(), nullable=False),
        sa.Column("organisation_name", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("power", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("document_digest", sa.String(length=64), nullable=False),
        sa.Column(
            "method",
            sa.Enum("password_totp", name="method", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_signature_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_signature_revision_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_signature_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature")),
        sa.UniqueConstraint(
            "revision_id",
            "user_id",
            "organisation_id",
            "kind",
            name=op.f("uq_signature_revision_id_user_id_organisation_id_kind"),
        ),
    )
    with op.batch_alter_table("signature", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signature_user_id"), ["user_id"], unique=False)

    op.create_table(
        "signature_request",
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "completed",
                "declined",
                "withdrawn",
                name="requeststate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_by_id", sa.Uuid(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.Column("ended_for_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ended_by_id"], ["user.id"], name=op.f("fk_signature_request_ended_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["ended_for_id"], ["organisation.id"], name=op.f("fk_signature_request_ended_for_id")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_signature_request_revision_id")
        ),
        sa.ForeignKeyConstraint(
            ["sent_by_id"], ["user.id"], name=op.f("fk_signature_request_sent_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature_request")),
        sa.UniqueConstraint("revision_id", name=op.f("uq_signature_request_revision_id")),
    )
    op.create_table(
        "signature_place",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_signature_place_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["signature_request.id"], name=op.f("fk_signature_place_request_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_signature_place_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature_place")),
        sa.UniqueConstraint(
            "request_id",
            "organisation_id",
            "user_id",
            name=op.f("uq_signature_place_request_id_organisation_id_user_id"),
        ),
    )
    with op.batch_alter_table("signature_place", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signature_place_user_id"), ["user_id"], unique=False)
    for table in IMMUTABLE:
        _forbid_changes(table)


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("signature_place", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signature_place_user_id"))

    op.drop_table("signature_place")
    op.drop_table("signature_request")
    with op.batch_alter_table("signature", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signature_user_id"))

    op.drop_table("signature")
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_revision_subject_id"))
        batch_op.drop_index(batch_op.f("ix_revision_digest"))
        batch_op.drop_index(batch_op.f("ix_revision_cooperation_id"))

    op.drop_table("revision")
