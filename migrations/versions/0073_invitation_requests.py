"""Requests to invite a partner's first coordinator, and an index of open invitations."""

import sqlalchemy as sa
from alembic import op

revision = "0073_invitation_requests"
down_revision = "0072_pending_mail"
branch_labels = None
depends_on = None

OPEN = sa.text("answered_at IS NULL")
UNUSED = sa.text("accepted_at IS NULL AND revoked_at IS NULL")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "invitation_request",
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "confirmed",
                "declined",
                "lapsed",
                name="requestoutcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_invitation_request_{column}")
            )
            for column, table in (
                ("cooperation_id", "cooperation"),
                ("organisation_id", "organisation"),
                ("partner_id", "organisation"),
                ("requested_by_id", "user"),
                ("answered_by_id", "user"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation_request")),
    )
    for column in ("cooperation_id", "organisation_id"):
        op.create_index(op.f(f"ix_invitation_request_{column}"), "invitation_request", [column])
    op.create_index(
        "uq_invitation_request_open",
        "invitation_request",
        ["cooperation_id", "organisation_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index(
        "ix_invitation_request_waiting",
        "invitation_request",
        ["requested_at"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index(
        "ix_invitation_unused",
        "invitation",
        ["organisation_id"],
        sqlite_where=UNUSED,
        postgresql_where=UNUSED,
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_invitation_unused", table_name="invitation")
    op.drop_table("invitation_request")
