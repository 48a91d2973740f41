"""The days of notices that haven't been applied yet in the entries of the list of cooperations.

Entries are worked out anew at the next start, as with each event.
"""

import sqlalchemy as sa
from alembic import op

revision = "0076_notice_days_in_the_list"
down_revision = "0075_model_text_revisions"
branch_labels = None
depends_on = None

TABLE = "cooperation_entry"
FEW = "length(words) <= 600"
MANY = "length(words) > 600"
_FORMER = [
    "organisation_id",
    "opened_at",
    "reference",
    "cooperation_id",
    "stage",
    "left_on",
    "is_of_npm",
    "starts_on",
    "ends_on",
]
_DAYS = ["notice_suspends_on", "notice_ends_on"]


def _drop_indexes() -> None:
    for name in ("order", "words", "long"):
        op.drop_index(f"ix_{TABLE}_{name}", table_name=TABLE)


def _create_indexes(columns: list[str]) -> None:
    op.create_index(f"ix_{TABLE}_order", TABLE, columns)
    for name, its_columns, where in (
        ("words", [*columns, "words"], sa.text(FEW)),
        ("long", columns, sa.text(MANY)),
    ):
        op.create_index(
            f"ix_{TABLE}_{name}", TABLE, its_columns, sqlite_where=where, postgresql_where=where
        )


def upgrade() -> None:
    """Make the change."""
    op.execute(f"DELETE FROM {TABLE}")  # noqa: S608 (a fixed name)
    _drop_indexes()
    for name in _DAYS:
        op.add_column(TABLE, sa.Column(name, sa.Date(), nullable=True))
    _create_indexes([*_FORMER, *_DAYS])


def downgrade() -> None:
    """Take the change back."""
    _drop_indexes()
    for name in reversed(_DAYS):
        op.drop_column(TABLE, name)
    _create_indexes(_FORMER)
