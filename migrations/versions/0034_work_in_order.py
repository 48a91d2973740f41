"""Indexes in the order of My work, and since when somebody is mentioned in a comment."""

import sqlalchemy as sa
from alembic import op

revision = "0034_work_in_order"
down_revision = "0033_worker"
branch_labels = None
depends_on = None

# Index, table, columns, and of which rows.
INDEXES = (
    (
        "ix_assignment_organisation",
        "assignment",
        ["organisation_id", "is_left", "due_on", "assigned_at", "id"],
        None,
    ),
    (
        "ix_assignment_assignee",
        "assignment",
        ["assignee_id", "is_left", "due_on", "assigned_at", "id"],
        None,
    ),
    (
        "ix_comment_mention_not_seen",
        "comment_mention",
        ["user_id", "mentioned_at", "comment_id"],
        "seen_at IS NULL",
    ),
    (
        "ix_comment_task_open_of_person",
        "comment_task",
        ["user_id", "due_on", "id"],
        "done_at IS NULL AND ended_at IS NULL",
    ),
    (
        "ix_comment_task_open_of_giver",
        "comment_task",
        ["made_by_id", "due_on", "id"],
        "done_at IS NULL AND ended_at IS NULL",
    ),
    ("ix_undertaking_asked", "undertaking", ["state", "asked_at", "id"], None),
    (
        "ix_undertaking_organisation",
        "undertaking",
        ["organisation_id", "state", "asked_at", "id"],
        None,
    ),
)


# What they replace.
REPLACED = (
    ("ix_assignment_organisation", "assignment", ["organisation_id", "is_left", "due_on"]),
    ("ix_assignment_assignee_id", "assignment", ["assignee_id"]),
    ("ix_comment_mention_user_id", "comment_mention", ["user_id"]),
    ("ix_comment_task_user_id", "comment_task", ["user_id"]),
    ("ix_comment_task_made_by_id", "comment_task", ["made_by_id"]),
)


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table("comment_mention") as batch:
        batch.add_column(sa.Column("mentioned_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE comment_mention SET mentioned_at = "
        "(SELECT made_at FROM comment WHERE comment.id = comment_mention.comment_id)"
    )
    with op.batch_alter_table("comment_mention") as batch:
        batch.alter_column("mentioned_at", nullable=False)
    for name, table, _columns in REPLACED:
        op.drop_index(name, table_name=table)
    for name, table, columns, rows in INDEXES:
        some = sa.text(rows) if rows else None
        op.create_index(name, table, columns, sqlite_where=some, postgresql_where=some)


def downgrade() -> None:
    """Take the change back."""
    for name, table, _columns, _rows in reversed(INDEXES):
        op.drop_index(name, table_name=table)
    with op.batch_alter_table("comment_mention") as batch:
        batch.drop_column("mentioned_at")
    for name, table, columns in REPLACED:
        op.create_index(name, table, columns)
