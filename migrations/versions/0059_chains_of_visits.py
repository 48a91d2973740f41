"""A chain of its own for each visit, for what the people of its team confirm."""

import sqlalchemy as sa
from alembic import op

revision = "0059_chains_of_visits"
down_revision = "0058_recorded_returns"
branch_labels = None
depends_on = None

OF_THE_INSTANCE = "uq_chain_instance"
OF_A_VISIT = "uq_chain_visit"


def upgrade() -> None:
    """Make the change. Visits planned before keep recording in their cooperation's chain."""
    op.add_column("chain", sa.Column("visit_id", sa.Uuid(), nullable=True))
    op.create_index(OF_A_VISIT, "chain", ["visit_id"], unique=True)
    _only_one("cooperation_id IS NULL AND visit_id IS NULL")


def downgrade() -> None:
    """Take the change back.

    The database refuses once two visits have chains, whose events can't be deleted: restore a
    backup from before the update instead.
    """
    _only_one("cooperation_id IS NULL")
    op.drop_index(OF_A_VISIT, table_name="chain")
    op.drop_column("chain", "visit_id")


def _only_one(condition: str) -> None:
    """Let one chain of a kind have no cooperation, under a condition: the instance's."""
    op.drop_index(OF_THE_INSTANCE, table_name="chain")
    op.create_index(
        OF_THE_INSTANCE,
        "chain",
        ["kind"],
        unique=True,
        sqlite_where=sa.text(condition),
        postgresql_where=sa.text(condition),
    )
