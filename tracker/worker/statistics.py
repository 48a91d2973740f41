"""Statistics by which SQLite chooses an index; PostgreSQL keeps its own up to date."""

import sqlalchemy as sa

from tracker.core.db import db

# How many rows of an index are looked at. In the order of an index, so that more tell little more.
SAMPLE = 1_000


def refresh() -> None:
    """Look again at how each table of an SQLite database is filled, one after the other; commit.

    Each in a transaction of its own, so that nobody who writes has to wait for all of them. A
    connection that is open already goes on with what it has read.
    """
    if db.engine.dialect.name != "sqlite":
        return
    db.session.commit()
    preparer = db.engine.dialect.identifier_preparer
    for table in sorted(sa.inspect(db.engine).get_table_names()):
        db.session.execute(sa.text(f"PRAGMA analysis_limit={SAMPLE}"))
        db.session.execute(sa.text(f"ANALYZE {preparer.quote(table)}"))
        db.session.commit()
    db.session.remove()
