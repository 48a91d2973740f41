"""Notifications, and how often each person wants emails about them."""

import sqlalchemy as sa
from alembic import op

revision = "0070_notifications"
down_revision = "0069_overview_and_milestones"
branch_labels = None
depends_on = None

UNREAD = "read_at IS NULL"
READ = "read_at IS NOT NULL"
WAITING = "delivery = 'daily' OR delivery = 'weekly'"


def upgrade() -> None:
    """Make the change. Nobody has notifications of what was mailed before."""
    op.create_table(
        "notification",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("sealed_words", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "delivery",
            sa.Enum(
                "mailed",
                "daily",
                "weekly",
                "not_mailed",
                name="delivery",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_notification_user_id_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_index("ix_notification_person", "notification", ["user_id", "created_at", "id"])
    op.create_index("ix_notification_created", "notification", ["created_at"])
    for name, columns, where in (
        ("ix_notification_unread", ["user_id"], UNREAD),
        ("ix_notification_about", ["about_id"], UNREAD),
        ("ix_notification_digest", ["delivery", "created_at", "user_id"], WAITING),
        ("ix_notification_read", ["read_at"], READ),
    ):
        some = sa.text(where)
        op.create_index(name, "notification", columns, sqlite_where=some, postgresql_where=some)
    op.create_table(
        "notification_choices",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_notification_choices_user_id_user")
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notification_choices")),
    )


def downgrade() -> None:
    """Take the change back; notifications and choices are lost."""
    op.drop_table("notification_choices")
    op.drop_table("notification")
