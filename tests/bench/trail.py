"""Measures tracker audit verify on a long trail, compared with plain hashing."""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import sqlalchemy as sa

from tests.servers import postgres
from tests.servers.postgres import Postgres, PostgresError
from tracker import create_app
from tracker.activity import chain as arithmetic
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.models import Chain, Event, EventDetail
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.paths import ROOT
from tracker.settings import Settings
from tracker.worker import schema

DATABASE = "trail"
AT_A_TIME = 5000


@dataclass
class Hashing:
    """The time of plain hashing of the events' bytes."""

    size: int = 0
    seconds: float = 0.0

    def time(self, parts: list[bytes]) -> None:
        """Hash each part, and add the time."""
        begun = time.perf_counter()
        for part in parts:
            hashlib.sha256(part).hexdigest()
        self.seconds += time.perf_counter() - begun
        self.size += sum(map(len, parts))


@click.command()
@click.option("--events", default=1_000_000, show_default=True, help="How many events.")
def main(events: int) -> None:
    """Create a trail of this many events on each database, and measure its verification."""
    try:
        with tempfile.TemporaryDirectory(prefix="tracker-trail-") as folder:
            measure("SQLite", Path(folder, "sqlite"), None, events)
            with Postgres() as server:
                postgres.create_database(server.folder, DATABASE)
                measure("PostgreSQL", Path(folder, "pg"), server.url(DATABASE), events)
    except (PostgresError, subprocess.CalledProcessError) as error:
        raise click.ClickException(str(error)) from error


def measure(name: str, data_dir: Path, database_url: str | None, events: int) -> None:
    """Measure the verification of one database."""
    environment = {"TRACKER_DATA_DIR": str(data_dir)} | (
        {"TRACKER_DATABASE_URL": database_url} if database_url else {}
    )
    hashing = _make(environment, events)
    begun = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "tracker", "audit", "verify"],
        cwd=ROOT,
        env=os.environ | environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    seconds = time.monotonic() - begun
    click.echo(
        f"{name}: audit verify, {events:,} events in {seconds:.1f} s, {events / seconds:,.0f} a "
        f"second; hashlib alone over the same {hashing.size / 1e6:,.0f} MB "
        f"in {hashing.seconds:.1f} s, {events / hashing.seconds:,.0f} a second"
    )


def _make(environment: dict[str, str], events: int) -> Hashing:
    app = create_app(Settings.from_environment(environment))
    hashing = Hashing()
    with app.app_context():
        schema.upgrade()
        trail.record(
            verbs.INSTANCE_STARTED, actor=None, subject_type="instance", subject_id=uuid4()
        )
        chain = db.session.scalars(sa.select(Chain)).one()
        more = _rows(chain, events - 1, hashing)
        while rows := list(islice(more, AT_A_TIME)):
            db.session.execute(sa.insert(Event), [event for event, _detail in rows])
            db.session.execute(sa.insert(EventDetail), [detail for _event, detail in rows])
        chain.seal = arithmetic.seal_head(chain.kind, chain.id, None, chain.head, chain.count)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    return hashing


def _rows(chain: Chain, more: int, hashing: Hashing) -> Iterator[tuple[Any, Any]]:
    """Yield rows of events and of their details as they are written, keeping track of the chain."""
    for number in range(chain.count + 1, chain.count + more + 1):
        content = {"who": {"name": "Ilena Dorvath"}, "email": f"person{number}@example.org"}
        salt = f"{number:032x}"
        link = arithmetic.Link(
            event_id=uuid4(),
            chain_id=chain.id,
            number=number,
            verb=verbs.INVITATION_SENT_AGAIN.name,
            subject_type="invitation",
            subject_id=uuid4(),
            at=clock.now(),
            details_digest=arithmetic.details_digest(salt, content),
            evidence=None,
            previous=chain.head,
            state=arithmetic.state_digest({}),
        )
        digest = link.digest()
        hashing.time(
            [
                canonical.to_bytes({"salt": salt, "content": content}),
                canonical.to_bytes(link.content()),
            ]
        )
        yield (
            {
                "id": link.event_id,
                "chain_id": link.chain_id,
                "number": number,
                "verb": link.verb,
                "subject_type": link.subject_type,
                "subject_id": link.subject_id,
                "at": link.at,
                "details_digest": link.details_digest,
                "evidence": None,
                "state": {},
                "previous": link.previous,
                "digest": digest,
            },
            {"event_id": link.event_id, "salt": salt, "content": content},
        )
        chain.head, chain.count = digest, number


if __name__ == "__main__":
    main()
