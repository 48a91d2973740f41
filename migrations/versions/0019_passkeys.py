"""Passkeys and what they have answered; codes by mail, and where the NPM allows them."""

import sqlalchemy as sa
from alembic import op

revision = "0019_passkeys"
down_revision = "0018_languages"
branch_labels = None
depends_on = None

HANDLE = "ix_user_fs_webauthn_user_handle"


def upgrade() -> None:
    """Make the change."""
    # Columns are added as they are, not by a copy of the table: its triggers have to stay.
    op.add_column("signature", sa.Column("proof", sa.JSON(none_as_null=True), nullable=True))
    op.add_column(
        "cooperation",
        sa.Column("mailed_codes", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("user", sa.Column("fs_webauthn_user_handle", sa.String(length=64), nullable=True))
    op.create_index(HANDLE, "user", ["fs_webauthn_user_handle"], unique=True)
    op.create_table(
        "passkey",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("backup_state", sa.Boolean(), nullable=False),
        sa.Column("device_type", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lastuse_datetime", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_passkey_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index(op.f("ix_passkey_user_id"), "passkey", ["user_id"])
    op.create_table(
        "used_challenge",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_used_challenge")),
    )
    op.create_index(op.f("ix_used_challenge_at"), "used_challenge", ["at"])
    op.create_table(
        "mailed_code",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_mailed_code_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailed_code")),
        sa.UniqueConstraint(
            "user_id", "subject_id", name=op.f("uq_mailed_code_user_id_subject_id")
        ),
    )


def downgrade() -> None:
    """Take it back; signatures made with a passkey stay, but can't be read by the older version."""
    op.drop_table("mailed_code")
    op.drop_index(op.f("ix_used_challenge_at"), table_name="used_challenge")
    op.drop_table("used_challenge")
    op.drop_index(op.f("ix_passkey_user_id"), table_name="passkey")
    op.drop_table("passkey")
    op.drop_index(HANDLE, table_name="user")
    op.drop_column("user", "fs_webauthn_user_handle")
    op.drop_column("cooperation", "mailed_codes")
    op.drop_column("signature", "proof")
