"""An index over the chains of visits alone, so that statistics don't count all the others.

Most chains belong to no visit. In an index of all, SQLite takes each lookup for one of many rows,
and reads the whole table instead.
"""

import sqlalchemy as sa
from alembic import op

revision = "0077_found_chains_of_visits"
down_revision = "0076_notice_days_in_the_list"
branch_labels = None
depends_on = None

NAME = "uq_chain_visit"
OF_VISITS = "visit_id IS NOT NULL"


def upgrade() -> None:
    op.drop_index(NAME, "chain")
    op.create_index(
        NAME,
        "chain",
        ["visit_id"],
        unique=True,
        sqlite_where=sa.text(OF_VISITS),
        postgresql_where=sa.text(OF_VISITS),
    )


def downgrade() -> None:
    op.drop_index(NAME, "chain")
    op.create_index(NAME, "chain", ["visit_id"], unique=True)
