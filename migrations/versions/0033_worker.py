"""Indexes by which the worker finds what is due, and what it could not do."""

import sqlalchemy as sa
from alembic import op

revision = "0033_worker"
down_revision = "0032_assignments_left"
branch_labels = None
depends_on = None

# Index, table, columns, and of which rows.
INDEXES = (
    ("ix_membership_running", "membership", ["ends_on"], "ended_at IS NULL"),
    ("ix_clearance_open", "clearance", ["until_on"], "closed_at IS NULL"),
    (
        "ix_notice_announced",
        "notice",
        ["from_on"],
        "taken_effect_at IS NULL AND closed_at IS NULL",
    ),
    ("ix_assignment_not_reminded", "assignment", ["due_on"], "reminded_on IS NULL"),
    (
        "ix_comment_task_not_reminded",
        "comment_task",
        ["due_on"],
        "done_at IS NULL AND ended_at IS NULL AND reminded_at IS NULL",
    ),
    ("ix_signature_request_expiring", "signature_request", ["state", "expires_on"], None),
    ("ix_signature_request_ended", "signature_request", ["state", "ended_at"], None),
    ("ix_signature_signed", "signature", ["kind", "signed_at"], None),
    ("ix_certificate_failure_next_try_at", "certificate_failure", ["next_try_at"], None),
    ("ix_cooperation_ends_on", "cooperation", ["ends_on"], None),
    ("ix_attempt_at", "attempt", ["at"], None),
    ("ix_mailed_code_made_at", "mailed_code", ["made_at"], None),
)


def upgrade() -> None:
    """Make the change."""
    for name, table, columns, rows in INDEXES:
        some = sa.text(rows) if rows else None
        op.create_index(name, table, columns, sqlite_where=some, postgresql_where=some)
    op.create_table(
        "job_failure",
        sa.Column("job", sa.String(40), nullable=False),
        sa.Column("object", sa.String(80), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(200), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job", "object", name=op.f("pk_job_failure")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("job_failure")
    for name, table, _columns, _rows in reversed(INDEXES):
        op.drop_index(name, table_name=table)
