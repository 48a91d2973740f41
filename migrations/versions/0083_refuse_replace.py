"""On SQLite, rows that are never changed can't be replaced by inserting another one either."""

from alembic import op

revision = "0083_refuse_replace"
down_revision = "0082_items_to_accept_counted"
branch_labels = None
depends_on = None

# The tables whose rows the database refuses to delete, and the columns that are unique in each.
# INSERT OR REPLACE deletes a row that has the same values there, without any trigger for deleting.
UNIQUE = {
    "certificate": (("id",), ("revision_id", "language")),
    "checklist_words": (("id",), ("template_id", "language", "number")),
    "checkpoint": (("size",), ("previous",)),
    "event": (("id",), ("chain_id", "number")),
    "evidence_key": (("id",), ("use", "number"), ("fingerprint",)),
    "log_leaf": (("number",), ("chain_id", "count")),
    "log_node": (("level", "place"),),
    "notice": (("id",),),
    "paper_decision": (("id",), ("record_id", "organisation_id")),
    "paper_record": (("id",),),
    "renewal": (("id",), ("revision_id", "number")),
    "revision": (("id",), ("subject_type", "subject_id", "number")),
    "signature": (("id",), ("revision_id", "user_id", "organisation_id", "kind")),
    "succession": (("id",), ("former_id",)),
}
# Unique only where a column is empty.
UNIQUE_WITHOUT = {"signature": (("revision_id", "user_id", "kind"), "organisation_id")}


def upgrade() -> None:
    """Make the change."""
    if op.get_bind().dialect.name != "sqlite":  # PostgreSQL's upsert is an update, and refused
        return
    for table in UNIQUE:
        op.execute(
            f"CREATE TRIGGER {table}_refuse_replace BEFORE INSERT ON {table} "
            f"WHEN {_is_there(table)} "
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted'); END"
        )


def _is_there(table: str) -> str:
    """Return the condition that a row which would be replaced is there, each key by its index."""
    keys = [("rowid",), *UNIQUE[table]]
    conditions = [" AND ".join(f'"{name}" = NEW."{name}"' for name in key) for key in keys]
    if table in UNIQUE_WITHOUT:
        key, empty = UNIQUE_WITHOUT[table]
        same = " AND ".join(f'"{name}" = NEW."{name}"' for name in key)
        conditions.append(f'{same} AND "{empty}" IS NULL AND NEW."{empty}" IS NULL')
    return " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {same})" for same in conditions)  # noqa: S608 -- names of ours


def downgrade() -> None:
    """Take the change back."""
    if op.get_bind().dialect.name == "sqlite":
        for table in UNIQUE:
            op.execute(f"DROP TRIGGER {table}_refuse_replace")
