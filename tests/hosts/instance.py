"""An instance on two hosts: each with its data directory, web server and worker, one PostgreSQL."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from tests.factories.accounts import PASSWORD
from tests.factories.agreements import checklist_of, send, sign
from tests.factories.cooperations import Country, make_country, open_one
from tests.hosts.visitor import Visitor
from tests.servers import postgres
from tests.servers.application import Application
from tests.servers.postgres import Postgres
from tests.servers.smtp import SmtpServer
from tracker import create_app
from tracker.accounts.factors import binding, passwords
from tracker.accounts.factors.binding import Change
from tracker.checklist_templates.models import ChecklistKind
from tracker.core.db import db
from tracker.mail.models import MessageState, OutboxMessage
from tracker.settings import Settings
from tracker.worker import prepare

DATABASE = "hosts"
TEXTS = 3
PATIENCE = 120.0
SIGNERS = {"npm": "tomas", "door": "henrik"}


class InstanceError(Exception):
    """The hosts did not come to rest; the message says what is left to do."""


@dataclass(frozen=True)
class Instance:
    """Two hosts on one database, the mails that they send, and an application in this process."""

    first: Application
    second: Application
    server: Postgres
    mails: SmtpServer
    app: Flask
    emails: dict[str, str]
    # The organisation that people are invited to, and what is written on and what was signed.
    organisation_id: UUID
    open_text: UUID
    signed_texts: tuple[UUID, ...]
    # What each host had logged once all was well.
    first_logs: tuple[str, ...]

    @property
    def hosts(self) -> tuple[Application, Application]:
        return self.first, self.second

    def visitor(self, key: str, host: Application | None = None) -> Visitor:
        """Return somebody who has signed in, on the first host unless another is given."""
        visitor = Visitor(self.first.url)
        answer = visitor.submit(
            host or self.first, "/sign-in", email=self.emails[key], password=PASSWORD
        )
        assert answer.status == 302, answer
        return visitor

    def read(self, query: sa.Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Return the rows of a query, as they are now."""
        with self.app.app_context():
            rows = [tuple(row) for row in db.session.execute(query)]
            db.session.remove()
            return rows

    def restart_database(self) -> None:
        """Restart PostgreSQL, whatever anybody is doing."""
        self.server.restart()
        with self.app.app_context():
            db.engine.dispose()

    def claimed(self) -> set[UUID]:
        """Return the mails that a worker is sending, or was when it was stopped."""
        return self._waiting(OutboxMessage.attempts > 0)

    def settle(self, left: Collection[UUID] = ()) -> None:
        """Wait until the workers have sent all mails but those that are left to others."""
        wait_until(lambda: self._waiting(sa.true()) <= set(left), "mails are waiting")

    def times_delivered(self) -> Counter[UUID]:
        """Return how often each mail of the outbox has arrived."""
        names = [str(delivery.message["Message-ID"]) for delivery in self.mails.deliveries]
        return Counter(UUID(name.strip("<>").partition("@")[0]) for name in names)

    def sent(self) -> set[UUID]:
        """Return the mails of which the outbox says that they were sent."""
        query = sa.select(OutboxMessage.id).where(OutboxMessage.state == MessageState.SENT)
        return {row[0] for row in self.read(query)}

    def _waiting(self, condition: sa.ColumnElement[bool]) -> set[UUID]:
        query = sa.select(OutboxMessage.id)
        waiting = query.where(OutboxMessage.state == MessageState.WAITING, condition)
        return {row[0] for row in self.read(waiting)}


def wait_until(is_so: Callable[[], bool], otherwise: str) -> None:
    """Wait until something is so; raise InstanceError if it takes too long."""
    until = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > until:
            raise InstanceError(otherwise)
        time.sleep(0.1)


@contextmanager
def running(folder: Path) -> Iterator[Instance]:
    """Prepare an instance with signed texts and waiting mails, and start both hosts together.

    So both workers find the same texts, mails and checkpoint to do in their first round.
    """
    with Postgres() as server, SmtpServer() as mails:
        postgres.create_database(server.folder, DATABASE)
        settings = {
            "database_url": server.url(DATABASE),
            "mail_url": mails.url,
            "second_factor_roles": "none",
            "workers": "1",
        }
        first = Application(folder / "first", patience=PATIENCE, more={}, **settings)
        second = Application(
            folder / "second", patience=PATIENCE, more={}, base_url=first.url, **settings
        )
        environment = {
            "TRACKER_DATA_DIR": str(first.data_dir),
            "TRACKER_BASE_URL": first.url,
            **{f"TRACKER_{name.upper()}": value for name, value in settings.items()},
        }
        app = create_app(Settings.from_environment(environment))
        with app.app_context():
            prepare.prepare(app.extensions["settings"], lambda _line: None)
            emails, organisation_id, open_text, signed_texts = _fill()
            db.session.remove()
        # What docs/operations.md tells an operator to copy.
        shutil.copytree(first.data_dir / "keys", second.data_dir / "keys")
        with ThreadPoolExecutor(2) as starting:
            started = [starting.submit(host.__enter__) for host in (first, second)]
        try:
            for start in started:
                start.result()
            yield Instance(
                first,
                second,
                server,
                mails,
                app,
                emails,
                organisation_id,
                open_text,
                signed_texts,
                (first.log(), second.log()),
            )
        finally:
            for host in (first, second):
                host.stop()
            with app.app_context():
                db.engine.dispose()


def _fill() -> tuple[dict[str, str], UUID, UUID, tuple[UUID, ...]]:
    """Fill the database: people with passwords, a text that is written, and texts just signed."""
    country = make_country(db.session())
    _give_passwords(country)
    written = checklist_of(open_one(country, "door"), ChecklistKind.TERMS)
    signed = [_signed_text(country) for _number in range(TEXTS)]
    db.session.commit()
    emails = {first: user.email for first, user in country.users.items()}
    return emails, country.id("door"), written.id, tuple(signed)


def _give_passwords(country: Country) -> None:
    password = passwords.hashed(PASSWORD)
    for user in country.users.values():
        with binding.keeping(None, user, Change.PASSWORD):
            user.password = password


def _signed_text(country: Country) -> UUID:
    checklist = checklist_of(open_one(country, "door"), ChecklistKind.TERMS)
    send(country, checklist, SIGNERS)
    sign(country, checklist, *SIGNERS.values())
    return checklist.id
