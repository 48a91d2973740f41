"""Names, statements and labels of the guidance in other languages; items that a passage names.

The words come with the next loading of the content.
"""

import sqlalchemy as sa
from alembic import op

revision = "0036_guidance_languages"
down_revision = "0035_worker_indexes"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("taxonomy_term", "names", "{}"),
    ("statement", "texts", "{}"),
    ("passage", "items", "[]"),
    ("passage_use", "labels", "{}"),
)


def upgrade() -> None:
    """Make the change."""
    for table, name, empty in _COLUMNS:
        op.add_column(table, sa.Column(name, sa.JSON(), nullable=False, server_default=empty))


def downgrade() -> None:
    """Take the change back."""
    for table, name, _empty in reversed(_COLUMNS):
        op.drop_column(table, name)
