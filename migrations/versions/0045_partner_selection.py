"""How the partners of a cooperation were chosen, recorded before the terms are sent (P0, M1)."""

import sqlalchemy as sa
from alembic import op

revision = "0045_partner_selection"
down_revision = "0044_register_first_day"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "partner_selection",
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.String(length=40), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("criteria", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_partner_selection_{column}")
            )
            for column, table in (
                ("cooperation_id", "cooperation"),
                ("organisation_id", "organisation"),
                ("recorded_by_id", "user"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_selection")),
        sa.UniqueConstraint(
            "cooperation_id",
            "organisation_id",
            name=op.f("uq_partner_selection_cooperation_id_organisation_id"),
        ),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("partner_selection")
