"""Statistics by which SQLite chooses an index; PostgreSQL keeps its own up to date."""

import sqlalchemy as sa

from tracker.core.db import db

# How many rows of an index are looked at. They are in the order of the index, so more of them would
# add little.
SAMPLE = 1_000


def refresh() -> None:
    """Update SQLite's statistics of each table, one after the other; commit.

    Each in its own transaction, so that nobody who writes has to wait for all of them. Connections
    that are already open keep using the old ones.
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
