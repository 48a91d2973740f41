"""Who signs by which rule and order, until when, by what power; texts halted and renewed."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0022_signers"
down_revision = "0021_certificates"
branch_labels = None
depends_on = None

# Columns that stand empty for all that is there, by table. A signature is never rewritten.
NEW = {
    "membership": ((sa.Date, "power_from"), (sa.Date, "power_until")),
    "invitation": ((sa.Date, "power_from"), (sa.Date, "power_until")),
    "signature_request": (
        (sa.Date, "expires_on"),
        (sa.Integer, "remind_every"),
        (sa.JSON, "remind_whom"),
        (sa.Date, "reminded_on"),
    ),
    "signature": (
        (sa.Date, "power_from"),
        (sa.Date, "power_until"),
        (sa.Text, "on_behalf_of"),
        (sa.Text, "in_place_of"),
        (sa.Uuid, "in_place_of_id"),
    ),
}


def upgrade() -> None:
    """Make the change."""
    for table, columns in NEW.items():
        for kind, name in columns:
            op.add_column(table, sa.Column(name, kind(), nullable=True))
    _add_parties()
    _add_to_places()
    _add_halts()
    _add_notices()
    _add_renewals()
    _fill_parties()
    for table, columns in NEVER_CHANGED.items():
        _forbid_changes(table, columns)


def downgrade() -> None:
    """Take it back."""
    op.drop_table("renewal")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_checklist_id"))
    op.drop_table("notice")
    # Not by a copy of the table, as batches do it: other tables refer to these rows.
    op.drop_column("checklist", "halted_id")
    op.drop_column("checklist", "halt")
    with op.batch_alter_table("signature_place", schema=None) as batch_op:
        batch_op.drop_constraint("fk_signature_place_stands_for_id", type_="foreignkey")
        batch_op.drop_constraint("fk_signature_place_passed_on_by_id", type_="foreignkey")
        for name in PLACE:
            batch_op.drop_column(name)
    op.drop_table("signature_party")
    for table, columns in reversed(NEW.items()):
        for _kind, name in reversed(columns):
            op.drop_column(table, name)


PLACE = (
    "passed_on_at",
    "passed_on_by_id",
    "sealed_reason",
    "reason",
    "stands_for_id",
    "on_behalf_of",
    "turn",
)

# What is never changed in a row of which no other change is refused; of none named, everything.
NEVER_CHANGED = {
    "notice": (
        "id",
        "checklist_id",
        "revision_id",
        "kind",
        "organisation_id",
        "given_by_id",
        "given_at",
        "from_on",
        "notice_days",
        "reason",
    ),
    "renewal": (),
}


def _forbid_changes(table: str, columns: tuple[str, ...]) -> None:
    """Refuse DELETE on a table, and UPDATE of some of its columns or of any, in the database."""
    update = f"UPDATE OF {', '.join(columns)}" if columns else "UPDATE"
    if op.get_bind().dialect.name == "sqlite":
        for act, what in (("update", update), ("delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{act} BEFORE {what} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_refuse_change BEFORE {update} OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _add_parties() -> None:
    op.create_table(
        "signature_party",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_signature_party_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["signature_request.id"], name=op.f("fk_signature_party_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature_party")),
        sa.UniqueConstraint(
            "request_id",
            "organisation_id",
            name=op.f("uq_signature_party_request_id_organisation_id"),
        ),
    )


def _add_to_places() -> None:
    with op.batch_alter_table("signature_place", schema=None) as batch_op:
        batch_op.add_column(sa.Column("turn", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("on_behalf_of", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("stands_for_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("sealed_reason", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("passed_on_by_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("passed_on_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_signature_place_stands_for_id"),
            "signature_place",
            ["stands_for_id"],
            ["id"],
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_signature_place_passed_on_by_id"), "user", ["passed_on_by_id"], ["id"]
        )


def _add_halts() -> None:
    kinds = sa.Enum("suspended", "ended", name="halt", native_enum=False, length=40)
    op.add_column("checklist", sa.Column("halt", kinds, nullable=True))
    op.add_column("checklist", sa.Column("halted_id", sa.Uuid(), nullable=True))


def _add_notices() -> None:
    op.create_table(
        "notice",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("suspended", "ended", name="halt", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("given_by_id", sa.Uuid(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("notice_days", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("taken_effect_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_notice_checklist_id")
        ),
        sa.ForeignKeyConstraint(["closed_by_id"], ["user.id"], name=op.f("fk_notice_closed_by_id")),
        sa.ForeignKeyConstraint(["given_by_id"], ["user.id"], name=op.f("fk_notice_given_by_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_notice_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_notice_revision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_checklist_id"), ["checklist_id"], unique=False)


def _add_renewals() -> None:
    op.create_table(
        "renewal",
        sa.Column("checklist_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=True),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checklist_id"], ["checklist.id"], name=op.f("fk_renewal_checklist_id")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revision.id"], name=op.f("fk_renewal_revision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewal")),
        sa.UniqueConstraint("revision_id", "number", name=op.f("uq_renewal_revision_id_number")),
    )


def _fill_parties() -> None:
    """Until now one person of each party was asked, all at once."""
    connection = op.get_bind()
    place = sa.table(
        "signature_place",
        sa.column("request_id", sa.Uuid()),
        sa.column("organisation_id", sa.Uuid()),
        sa.column("position", sa.Integer()),
    )
    party = sa.table(
        "signature_party",
        sa.column("id", sa.Uuid()),
        sa.column("request_id", sa.Uuid()),
        sa.column("organisation_id", sa.Uuid()),
        sa.column("position", sa.Integer()),
        sa.column("needed", sa.Integer()),
        sa.column("turn", sa.Integer()),
    )
    rows = connection.execute(
        sa.select(
            place.c.request_id,
            place.c.organisation_id,
            sa.func.min(place.c.position).label("at"),
        ).group_by(place.c.request_id, place.c.organisation_id)
    ).all()
    if rows:
        connection.execute(
            party.insert(),
            [
                {
                    "id": uuid4(),
                    "request_id": row.request_id,
                    "organisation_id": row.organisation_id,
                    "position": row.at,
                    "needed": 1,
                    "turn": 0,
                }
                for row in rows
            ],
        )
