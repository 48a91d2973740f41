"""Outside second readers: whom the NPM asked to read the terms, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0049_outside_reading"
down_revision = "0048_joining"
branch_labels = None
depends_on = None

OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "outside_reading",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("function", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reader_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end", sa.String(length=40), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_outside_reading_{column}")
            )
            for column, table in (
                ("checklist_id", "checklist"),
                ("organisation_id", "organisation"),
                ("asked_by_id", "user"),
                ("reader_id", "user"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_reading")),
    )
    for name, columns, unique in (
        ("uq_outside_reading_open", ["checklist_id"], True),
        ("ix_outside_reading_email", ["email"], False),
        ("ix_outside_reading_until", ["until_on"], False),
    ):
        op.create_index(
            name,
            "outside_reading",
            columns,
            unique=unique,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        )
    op.add_column(
        "flag", sa.Column("is_outside", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_index("ix_outside_reading_reader", "outside_reading", ["reader_id"])
    with op.batch_alter_table("safeguard_review") as review:
        review.add_column(sa.Column("reading_id", sa.Uuid(), nullable=True))
        review.create_foreign_key(
            op.f("fk_safeguard_review_reading_id"), "outside_reading", ["reading_id"], ["id"]
        )


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("safeguard_review") as review:
        review.drop_constraint(op.f("fk_safeguard_review_reading_id"), type_="foreignkey")
        review.drop_column("reading_id")
    op.drop_column("flag", "is_outside")
    op.drop_table("outside_reading")
