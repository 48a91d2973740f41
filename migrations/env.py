"""The Alembic environment: runs migrations on the application's own database connection."""

from logging import getLogger
from typing import Any

import sqlalchemy as sa
from alembic import context
from flask import current_app
from flask_security import AsaList

from tracker.core.db import UtcDateTime

log = getLogger("alembic.env")
database = current_app.extensions["migrate"].db


def render_item(kind: str, item: object, _autogen_context: Any) -> str | bool:
    """Write our types in migrations as plain ones, so that a migration needs none of our code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AsaList):
        return "sa.UnicodeText()"
    return False


def include_object(
    _item: object,
    name: str | None,
    kind: str,
    _reflected: bool,  # noqa: FBT001 -- Alembic's own signature
    _compare_to: object,
) -> bool:
    """Leave the full-text tables alone: each database has its own, made by hand."""
    return not (kind == "table" and (name or "").startswith("search_"))


def compare_references(connection: sa.Connection, *, compares: bool) -> None:
    """Have SQLite compare references between rows, or not.

    Batch mode rebuilds tables; with foreign keys on, dropping the old one would fail. It goes past
    SQLAlchemy, which would begin a transaction: within one, SQLite ignores this.
    """
    if connection.dialect.name == "sqlite":
        state = "ON" if compares else "OFF"
        connection.connection.cursor().execute(f"PRAGMA foreign_keys={state}")


def run() -> None:
    """Run the migrations online, each in its own transaction.

    Raise RuntimeError if a row refers to one that isn't there; nothing is undone.
    """
    with database.engine.connect() as connection:
        compare_references(connection, compares=False)
        context.configure(
            connection=connection,
            target_metadata=database.metadatas[None],
            render_as_batch=True,
            render_item=render_item,
            include_object=include_object,
            transaction_per_migration=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        if connection.dialect.name == "sqlite":
            lost = connection.execute(sa.text("PRAGMA foreign_key_check")).all()
            connection.commit()
            if lost:
                message = f"a row of {lost[0][0]} refers to a row of {lost[0][2]} that isn't there"
                raise RuntimeError(message)
        compare_references(connection, compares=True)


run()
