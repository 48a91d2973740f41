"""How wishes to discuss ended and what came of them; when people were told of a clearance's end."""

import sqlalchemy as sa
from alembic import op

revision = "0074_ends_of_discussions"
down_revision = "0073_invitation_requests"
branch_labels = None
depends_on = None

ENDED = sa.text("ended_as IS NOT NULL")
NOT_REMINDED = sa.text("closed_at IS NULL AND reminded_on IS NULL")


def upgrade() -> None:
    """Make the change. Of what ended so far, only the history of its item says so."""
    with op.batch_alter_table("position") as table:
        table.add_column(
            sa.Column(
                "ended_as",
                sa.Enum(
                    "settled",
                    "suggested",
                    "changed",
                    name="talkend",
                    native_enum=False,
                    length=40,
                ),
            )
        )
        table.add_column(sa.Column("ended_at", sa.DateTime(timezone=True)))
        table.add_column(sa.Column("ended_by_id", sa.Uuid()))
        table.add_column(sa.Column("outcome", sa.Text()))
        table.add_column(sa.Column("sealed_outcome", sa.LargeBinary()))
        table.create_foreign_key(op.f("fk_position_ended_by_id"), "user", ["ended_by_id"], ["id"])
    op.create_index(
        "ix_position_talk_ended",
        "position",
        ["checklist_id"],
        sqlite_where=ENDED,
        postgresql_where=ENDED,
    )
    op.add_column("clearance", sa.Column("reminded_on", sa.Date()))
    op.create_index(
        "ix_clearance_not_reminded",
        "clearance",
        ["until_on"],
        sqlite_where=NOT_REMINDED,
        postgresql_where=NOT_REMINDED,
    )


def downgrade() -> None:
    """Take the change back; outcomes are lost."""
    op.drop_index("ix_clearance_not_reminded", table_name="clearance")
    op.drop_column("clearance", "reminded_on")
    op.drop_index("ix_position_talk_ended", table_name="position")
    with op.batch_alter_table("position") as table:
        table.drop_constraint(op.f("fk_position_ended_by_id"), type_="foreignkey")
        for column in ("sealed_outcome", "outcome", "ended_by_id", "ended_at", "ended_as"):
            table.drop_column(column)
