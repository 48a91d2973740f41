"""Indexes that hold just what My work looks through and what a search reads."""

import sqlalchemy as sa
from alembic import op

revision = "0051_growth"
down_revision = "0050_list_of_active_cooperations"
branch_labels = None
depends_on = None

_SEARCHED = (
    "organisation_id",
    "opened_at",
    "reference",
    "cooperation_id",
    "stage",
    "left_on",
    "is_of_npm",
    "starts_on",
    "ends_on",
)
# Name, table, columns, and of which rows.
_PARTIAL = (
    (
        "ix_checklist_waiting",
        "checklist",
        (
            "cooperation_id",
            "state",
            "kind",
            "visit_id",
            "is_complete",
            "revision_sent_id",
            "started_at",
            "id",
        ),
        "state IN ('drafting', 'sent')",
    ),
    ("ix_checklist_party_waits", "checklist_party", ("checklist_id",), "waiting_count > 0"),
    ("ix_flag_open", "flag", ("checklist_id",), "closed_at IS NULL"),
    (
        "ix_draft_begun",
        "draft",
        ("user_id", "organisation_id", "kept_at"),
        "sealed IS NOT NULL",
    ),
    (
        "ix_cooperation_entry_words",
        "cooperation_entry",
        (*_SEARCHED, "words"),
        "length(words) <= 600",
    ),
    ("ix_cooperation_entry_long", "cooperation_entry", _SEARCHED, "length(words) > 600"),
)


def upgrade() -> None:
    """Make the change."""
    for name, table, columns, where in _PARTIAL:
        op.create_index(
            name,
            table,
            list(columns),
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
    op.create_index(
        "ix_audience_member_named",
        "audience_member",
        ["user_id", "subject_type", "from_on", "subject_id"],
    )
    op.drop_index("ix_audience_member_user_id", "audience_member")


def downgrade() -> None:
    """Take the change back."""
    op.create_index("ix_audience_member_user_id", "audience_member", ["user_id"])
    op.drop_index("ix_audience_member_named", "audience_member")
    for name, table, _columns, _where in reversed(_PARTIAL):
        op.drop_index(name, table)
