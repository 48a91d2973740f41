"""Answers from a model text: marked like copied ones, also after somebody changed them."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0066_begun_from_model_texts"
down_revision = "0065_positions_on_rows"
branch_labels = None
depends_on = None

SOURCE = (
    "(source = 'checklist') = (source_checklist_id IS NOT NULL)"
    " AND (source_checklist_id IS NULL) = (source_answer_id IS NULL)"
)


@contextmanager
def _readings_aside() -> Iterator[None]:
    """Put the readings aside: SQLite makes the table that they refer to anew, and drops the old."""
    op.execute("CREATE TEMPORARY TABLE readings_aside AS SELECT * FROM copy_reading")
    op.execute("DELETE FROM copy_reading")
    yield
    op.execute("INSERT INTO copy_reading SELECT * FROM readings_aside")
    op.execute("DROP TABLE readings_aside")


def upgrade() -> None:
    """Make the change. All copied answers so far are from another checklist, and unchanged."""
    with _readings_aside(), op.batch_alter_table("copied_answer", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("source", sa.String(length=40), nullable=False, server_default="checklist")
        )
        batch_op.add_column(
            sa.Column("is_rewritten", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.alter_column("source_answer_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.alter_column("source_checklist_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.create_check_constraint(op.f("ck_copied_answer_source"), SOURCE)


def downgrade() -> None:
    """Take the change back; answers from a model text stay, as answers like any others."""
    op.execute(
        "DELETE FROM copy_reading WHERE answer_id IN ("
        "SELECT answer_id FROM copied_answer WHERE source <> 'checklist')"
    )
    op.execute("DELETE FROM copied_answer WHERE source <> 'checklist'")
    with _readings_aside(), op.batch_alter_table("copied_answer", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_copied_answer_source"), type_="check")
        batch_op.alter_column("source_checklist_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("source_answer_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.drop_column("is_rewritten")
        batch_op.drop_column("source")
