"""The database of a test worker, and the copies it can be reset to."""

import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import ConnectionPoolEntry

# Imported before the listener below is registered, so that the setting below wins.
import tracker.core.db  # noqa: F401
from tests.servers import postgres


@dataclass(frozen=True)
class SqliteDatabase:
    """A worker's file.

    Copies are files in a folder shared by all workers of the run.
    """

    file: Path
    copies: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    def keep(self, name: str) -> None:
        """Store a copy of the database, which nobody is connected to, under a name."""
        shutil.copyfile(self.file, self.copies / f"{name}.sqlite3")

    def reset(self, name: str) -> None:
        """Replace the database, which nobody is connected to, by a stored copy."""
        for suffix in ("-wal", "-shm"):
            self.file.with_name(self.file.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self.copies / f"{name}.sqlite3", self.file)


@dataclass(frozen=True)
class PostgresDatabase:
    """A worker's database.

    Copies are databases on the same server, shared by the run's workers.
    """

    server: str
    worker: str

    def __post_init__(self) -> None:
        postgres.create_database(self.server, self._name)

    @property
    def url(self) -> str:
        return postgres.database_url(self.server, self._name)

    @property
    def _name(self) -> str:
        return f"test_{self.worker}"

    def keep(self, name: str) -> None:
        """Store a copy of the database, which nobody is connected to, under a name."""
        postgres.create_database(self.server, f"kept_{name}", self._name)

    def reset(self, name: str) -> None:
        """Replace the database by a stored copy."""
        postgres.create_database(self.server, self._name, f"kept_{name}")


Database = SqliteDatabase | PostgresDatabase


@event.listens_for(Engine, "connect")
def _without_waiting_for_the_disk(connection: object, _record: ConnectionPoolEntry) -> None:
    """Let SQLite skip waiting for the disk: nothing that tests write has to survive a crash."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")
