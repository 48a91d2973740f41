"""Before archive timestamps of certificates end, administrators get one mail; health says so."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.factories import agreements
from tests.factories.cooperations import Country, load_checklists, make_country, open_one
from tests.factories.evidence.certificates import by_revision, make_all
from tests.servers.timestamps import TimestampServer
from tests.starting_points import noon_in
from tracker.checklist_templates.models import ChecklistKind
from tracker.core import clock
from tracker.evidence.certificates import issuing, remote, timestamp_ends
from tracker.evidence.certificates import service as certificates
from tracker.evidence.keys import signing_keys
from tracker.evidence.models import Certificate
from tracker.mail.models import OutboxMessage
from tracker.worker import jobs, timestamps
from tracker.worker.one_by_one import each

PAIR = {"npm": "tomas", "door": "henrik"}
DAY = dt.timedelta(days=1)
KIND = "timestamps_end"

Freeze = Callable[[dt.datetime | None], None]


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer than an application does: a busy machine is no slow service."""
    monkeypatch.setattr(remote, "SECONDS", 120)


@pytest.fixture
def country(session: Session) -> Country:
    load_checklists()
    signing_keys.make_missing()
    return make_country(session)


@pytest.fixture
def service(frozen_time: Freeze) -> Iterator[TimestampServer]:
    """A service whose certificate ends after 300 days."""
    frozen_time(noon_in(0))
    with TimestampServer(lasts=300 * DAY) as server:
        yield server


def signed(country: Country) -> None:
    terms = agreements.checklist_of(open_one(country, "door"), ChecklistKind.TERMS)
    agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, *PAIR.values())
    country.session.commit()


def a_day() -> None:
    each(jobs.TIMESTAMPS, clock.today())


def state_of(client: FlaskClient) -> str:
    """Return what health says of timestamps."""
    answer = client.get("/healthz").get_json()
    return str(answer["timestamps"])


def mailed(session: Session) -> list[str]:
    query = sa.select(OutboxMessage.recipient).where(OutboxMessage.kind == KIND)
    recipients = sorted(session.scalars(query))
    session.rollback()
    return recipients


def test_administrators_get_one_mail_half_a_year_before_timestamps_end(
    app: Flask,
    client: FlaskClient,
    session: Session,
    country: Country,
    service: TimestampServer,
    frozen_time: Freeze,
) -> None:
    administrator = country.users["root"].email
    signed(country)
    make_all(service.url)
    (end,) = timestamp_ends.ends()
    assert end.date() == (noon_in(0) + 300 * DAY).date()
    frozen_time(noon_in(117))
    a_day()
    assert mailed(session) == []
    assert state_of(client) == "well"
    frozen_time(noon_in(118))
    a_day()
    # Administrators alone: nobody else can run the command.
    assert mailed(session) == [administrator]
    message = session.scalars(sa.select(OutboxMessage).filter_by(kind=KIND)).one()
    assert "tracker evidence renew" in (message.body or "")
    session.rollback()
    a_day()
    frozen_time(noon_in(200))
    a_day()
    assert mailed(session) == [administrator]
    words = f"some in certificates end on {end:%Y-%m-%d}"
    assert state_of(client) == words
    check = app.test_cli_runner().invoke(args=["check"])
    assert f"timestamps: {words}" in check.stdout
    session.rollback()
    # It is no fault, and is no longer said once everybody has renewed what they need, or can't.
    frozen_time(noon_in(500))
    assert state_of(client) == "well"


def test_timestamps_of_another_service_get_a_mail_of_their_own_and_two_workers_send_one(
    session: Session, country: Country, service: TimestampServer, frozen_time: Freeze
) -> None:
    signed(country)
    frozen_time(noon_in(40))
    signed(country)
    with TimestampServer("Others", lasts=300 * DAY) as other:
        for revision_id, url in zip(certificates.due(), (service.url, other.url), strict=True):
            issuing.keep(issuing.make(revision_id, url))
            session.commit()
    first, second = timestamp_ends.ends()
    assert first < second
    frozen_time(noon_in(120))
    assert timestamps.due(clock.today()) == [first]
    assert timestamps.remind(first, clock.today())
    assert not timestamps.remind(first, clock.today())
    session.commit()
    frozen_time(noon_in(160))
    assert timestamps.due(clock.today()) == [second]
    a_day()
    assert len(mailed(session)) == 2


def test_nobody_is_reminded_of_certificates_without_timestamps_or_that_somebody_broke(
    session: Session, country: Country, service: TimestampServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed(country)
    signed(country)
    for revision_id, url, number in zip(certificates.due(), ("", service.url), (0, 1), strict=True):
        issuing.keep(issuing.make(revision_id, url))
        session.commit()
        assert len(timestamp_ends.ends()) == number
    session.rollback()
    timestamp_ends._end_of.cache_clear()

    def broken(_row: Certificate, _revision: object) -> bytes:
        return b"%PDF-1.7 broken"

    monkeypatch.setattr(certificates, "file_of", broken)
    assert timestamp_ends.ends() == []
    assert len(by_revision()) == 2
