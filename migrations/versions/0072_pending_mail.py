"""What happened on a checklist of which people are yet to be mailed, and whether it can be sent."""

import sqlalchemy as sa
from alembic import op

revision = "0072_pending_mail"
down_revision = "0071_telephone_numbers"
branch_labels = None
depends_on = None

REASONS = (
    "flag_raised",
    "flag_answered",
    "suggestion_made",
    "suggestion_answered",
    "discussion_wished",
    "item_reopened",
    "ready_to_send",
)


def upgrade() -> None:
    """Make the change."""
    op.add_column("checklist", sa.Column("is_ready_to_send", sa.Boolean(), nullable=True))
    op.create_table(
        "pending_mail",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(*REASONS, name="mailreason", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("item", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_pending_mail_checklist_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_pending_mail_organisation_id")
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_pending_mail_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_mail")),
    )
    op.create_index("ix_pending_mail_at", "pending_mail", ["at", "checklist_id", "organisation_id"])
    op.create_index(
        "ix_pending_mail_checklist", "pending_mail", ["checklist_id", "organisation_id"]
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_pending_mail_checklist", table_name="pending_mail")
    op.drop_index("ix_pending_mail_at", table_name="pending_mail")
    op.drop_table("pending_mail")
    op.drop_column("checklist", "is_ready_to_send")
