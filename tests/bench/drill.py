"""A timed drill: back an instance up while it is written to, restore it, change keys: make drill.

On SQLite and on PostgreSQL, each restored into the other kind. The audit at the end of each restore
shows that the backup contains one moment. Then the keys of the source are changed while it is
written to by a process that isn't restarted. The tests do the same with the demonstration alone.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import click
from pyrage import x25519

from tests.bench.instance import build
from tests.servers import postgres
from tests.servers.postgres import Postgres
from tracker import create_app
from tracker.accounts.models import SecurityKind, SecurityLogEntry
from tracker.accounts.origins import Origin
from tracker.accounts.security_log import entry_origins
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.core import clock
from tracker.core.db import db
from tracker.settings import Settings

Environment = dict[str, str]
_ENTRIES = 20_000


def main() -> None:
    """Run the drill in both directions and print the times."""
    with tempfile.TemporaryDirectory(prefix="tracker-drill-") as name, Postgres() as server:
        folder, key = Path(name), x25519.Identity.generate()
        (folder / "identity").write_text(str(key))
        for database in ("source", "target"):
            postgres.create_database(server.folder, database)
        urls = {
            "SQLite": (None, server.url("target")),
            "PostgreSQL": (server.url("source"), f"sqlite:///{folder / 'target.sqlite3'}"),
        }
        for kind, (url, target) in urls.items():
            source = build(folder / kind, url).environment
            file = folder / f"{kind}.age"
            with _written_to(source) as waits:
                took, _output = _timed(source, "backup", str(file), "--to", str(key.to_public()))
            click.echo(
                f"{kind}: backed up in {took:.1f} s, {file.stat().st_size / 1e6:.1f} MB; meanwhile "
                f"{len(waits)} changes were saved, the slowest in {max(waits):.2f} s."
            )
            environment = {
                "TRACKER_DATA_DIR": str(folder / f"restored-{kind}"),
                "TRACKER_DATABASE_URL": target.replace("+psycopg", ""),
            }
            words = ("restore", str(file), "--identity", str(folder / "identity"))
            took, output = _timed(environment, *words)
            click.echo(f"{kind}: restored into the other and audited in {took:.1f} s.\n{output}")
            _change_keys(kind, source)


def _change_keys(kind: str, environment: Environment) -> None:
    """Change each key while events are recorded, and audit; print how long saving took."""
    _log_entries(environment)
    for key in ("fields", "trail", "factors"):
        more = ("--drop-codes",) if key == "factors" else ()
        with _written_to(environment) as waits:
            took, _output = _timed(environment, "keys", "change", key, "--alone", *more)
        click.echo(
            f"{kind}: changed the key {key} in {took:.1f} s; meanwhile {len(waits)} changes were "
            f"saved, the slowest in {max(waits):.2f} s."
        )
    took, output = _timed(environment, "audit", "verify")
    click.echo(f"{kind}: audited in {took:.1f} s.\n{output}")


def _log_entries(environment: Environment) -> None:
    """Write as many entries of the security log as a year has, with their origins."""
    app = create_app(Settings.from_environment(environment))
    with app.app_context():
        for _number in range(_ENTRIES):
            entry = SecurityLogEntry(
                id=uuid4(), kind=SecurityKind.SIGNED_IN, at=clock.now(), left_out=0
            )
            entry_origins.seal(entry, Origin("A browser", "192.0.2.1"))
            db.session.add(entry)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


@contextmanager
def _written_to(environment: Environment) -> Iterator[list[float]]:
    """Record events on another thread, and collect how long each took to save."""
    app = create_app(Settings.from_environment(environment))
    waits: list[float] = []
    done = threading.Event()

    def write() -> None:
        with app.app_context():
            while not done.is_set():
                begun = time.monotonic()
                trail.record(
                    verbs.INSTANCE_STARTED, actor=None, subject_type="instance", subject_id=uuid4()
                )
                db.session.commit()
                waits.append(time.monotonic() - begun)
                done.wait(0.02)
            db.session.remove()
            db.engine.dispose()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield waits
    finally:
        done.set()
        thread.join()


def _timed(environment: Environment, *words: str) -> tuple[float, str]:
    """Run a command; return its seconds and its output."""
    inherited = {name: value for name, value in os.environ.items() if "TRACKER" not in name}
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tracker", *words],
        env=inherited | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return time.monotonic() - begun, done.stdout


if __name__ == "__main__":
    main()
