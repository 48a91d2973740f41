"""Reviews with their versions and confirmations, and reminders of review and end.

Of cooperations whose terms are in force, the worker reads in the signed text, on its first round,
how long before each date people are reminded.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0042_reviews"
down_revision = "0041_added_interests"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("concluded_at IS NULL AND called_off_at IS NULL")
_COLUMNS: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("reviewed_on", sa.Date()),
    ("reviewed_for", sa.Date()),
    ("reminder_days", sa.Integer()),
    ("remind_of_review_on", sa.Date()),
    ("remind_of_end_on", sa.Date()),
)


def upgrade() -> None:
    """Make the change."""
    for name, kind in _COLUMNS:
        op.add_column("cooperation", sa.Column(name, kind, nullable=True))
    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cooperation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_by_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("called_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("called_off_by_id", sa.Uuid(), nullable=True),
        sa.Column("called_off_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint(
            "cooperation_id", "number", name=op.f("uq_review_cooperation_id_number")
        ),
        *_refer("review", cooperation_id="cooperation", revision_id="revision"),
        *_refer("review", begun_by_id="user", called_off_by_id="user"),
        *_refer("review", organisation_id="organisation"),
    )
    op.create_index(
        "ix_review_open",
        "review",
        ["cooperation_id"],
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    )
    op.create_table(
        "review_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_version")),
        sa.UniqueConstraint("review_id", "number", name=op.f("uq_review_version_review_id_number")),
        *_refer("review_version", review_id="review", saved_by_id="user"),
        *_refer("review_version", organisation_id="organisation"),
    )
    op.create_table(
        "review_confirmation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_confirmation")),
        sa.UniqueConstraint(
            "review_id",
            "version",
            "organisation_id",
            name=op.f("uq_review_confirmation_review_id_version_organisation_id"),
        ),
        *_refer("review_confirmation", review_id="review", organisation_id="organisation"),
        *_refer("review_confirmation", user_id="user"),
    )
    for column in ("remind_of_review_on", "remind_of_end_on"):
        is_due = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_cooperation_{column}",
            "cooperation",
            [column],
            sqlite_where=is_due,
            postgresql_where=is_due,
        )
    _plan_reminders()


def _refer(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, target in columns.items()
    ]


def _plan_reminders() -> None:
    """Let the worker look once at each date of terms in force; it then finds the real day."""
    cooperation = sa.table(
        "cooperation",
        sa.column("id", sa.Uuid()),
        sa.column("review_on", sa.Date()),
        sa.column("ends_on", sa.Date()),
        sa.column("remind_of_review_on", sa.Date()),
        sa.column("remind_of_end_on", sa.Date()),
    )
    checklist = sa.table(
        "checklist",
        sa.column("cooperation_id", sa.Uuid()),
        sa.column("kind", sa.String()),
        sa.column("revision_in_force_id", sa.Uuid()),
    )
    in_force = sa.exists().where(
        checklist.c.cooperation_id == cooperation.c.id,
        checklist.c.kind == "terms",
        checklist.c.revision_in_force_id.is_not(None),
    )
    long_ago = dt.date(2000, 1, 1)
    for day, remind in (
        (cooperation.c.review_on, cooperation.c.remind_of_review_on),
        (cooperation.c.ends_on, cooperation.c.remind_of_end_on),
    ):
        op.execute(
            sa.update(cooperation).where(day.is_not(None), in_force).values({remind: long_ago})
        )


def downgrade() -> None:
    """Take the change back."""
    for table in ("review_confirmation", "review_version", "review"):
        op.drop_table(table)
    for column in ("remind_of_review_on", "remind_of_end_on"):
        op.drop_index(f"ix_cooperation_{column}", table_name="cooperation")
    for name, _type in _COLUMNS:
        op.drop_column("cooperation", name)
