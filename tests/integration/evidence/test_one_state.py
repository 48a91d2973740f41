"""Whoever reads sees one state: what others commit meanwhile makes no sound text disagree."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.factories.agreements import sign
from tests.factories.comments import comment
from tests.factories.cooperations import Country
from tests.factories.evidence import sent_terms
from tests.factories.evidence.sent_terms import Sent
from tracker.checklists.models import Checklist
from tracker.core import clock
from tracker.core.db import db
from tracker.evidence import disagreements
from tracker.evidence.certificates import issuing
from tracker.evidence.certificates import service as certificates
from tracker.evidence.certificates.service import CertificateError
from tracker.evidence.models import CertificateFailure
from tracker.worker import jobs
from tracker.worker.one_by_one import reading

AWAY = CertificateError("The timestamp service is away.")

pytestmark = pytest.mark.both_databases


@contextmanager
def meanwhile(app: Flask, act: Callable[[], object], before: str) -> Iterator[list[str]]:
    """Commit an act of somebody else before each statement of this thread that contains a word.

    Collects these statements.
    """
    reader, seen = threading.get_ident(), list[str]()

    def commit() -> None:
        with app.app_context():
            act()
            db.session.commit()

    def write(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if threading.get_ident() != reader or before not in statement:
            return
        seen.append(statement)
        other = threading.Thread(target=commit)
        other.start()
        other.join()

    event.listen(Engine, "before_cursor_execute", write)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", write)


def once(act: Callable[[], object]) -> Callable[[], object]:
    """Return an act that is done at the first call only."""
    waiting = [act]
    return lambda: waiting and waiting.pop()()


@pytest.fixture
def signing(stored: Sent) -> Callable[[], object]:
    """The partner's signature, which puts the terms into force."""

    def act() -> None:
        country = stored.country.load(db.session())
        sign(country, db.session.get_one(Checklist, stored.terms), "henrik")

    return once(act)


def is_in_force(stored: Sent) -> bool:
    db.session.rollback()
    revision_id = sa.select(Checklist.revision_in_force_id).where(Checklist.id == stored.terms)
    return db.session.scalar(revision_id) is not None


def with_certificate(country: Country) -> UUID:
    """Return the text of a certificate that was made."""
    revision_id = sent_terms.sign(country, sent_terms.sent(country)).id
    issuing.keep(issuing.make(revision_id))
    db.session.commit()
    return revision_id


def test_a_certificate_is_made_while_people_write(
    app: Flask, stored: Sent, country: Country, terms: Checklist
) -> None:
    revision_id = sent_terms.sign(country, terms).id

    def write() -> None:
        its_country = stored.country.load(db.session())
        comment(its_country.actor("samira"), db.session.get_one(Checklist, stored.terms))

    with meanwhile(app, write, "FROM ") as statements:
        assert issuing.make(revision_id)
    assert len(statements) > 5


def test_somebody_who_signs_while_the_worker_compares_makes_no_text_disagree(
    app: Flask, stored: Sent, signing: Callable[[], object]
) -> None:
    with meanwhile(app, signing, "event") as statements:
        jobs.compare_texts()
    assert statements
    assert not disagreements.is_any()
    assert is_in_force(stored)


def test_a_page_that_is_read_while_somebody_signs_shows_no_text_that_disagrees(
    app: Flask, stored: Sent, country: Country, signing: Callable[[], object]
) -> None:
    client, record = country.browser(app, "samira"), f"/checklists/{stored.terms}/record"
    with meanwhile(app, signing, "event") as statements:
        page = client.page(record)
    assert statements
    assert "match" not in page.text
    assert is_in_force(stored)


def test_a_transaction_that_only_reads_can_not_write_on_postgresql(country: Country) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one state for each transaction anyway.")
    with pytest.raises(sa.exc.InternalError, match="read-only"):
        reading(lambda: db.session.execute(sa.text("UPDATE organisation SET name = name")))


def test_a_failure_is_not_noted_once_another_worker_has_made_the_certificate(
    country: Country, terms: Checklist
) -> None:
    revision_id = sent_terms.sign(country, terms).id
    issuing.keep(issuing.make(revision_id))
    db.session.commit()
    certificates.note_failure(revision_id, AWAY)
    db.session.commit()
    assert not certificates.is_any_failing()


def test_a_failure_noted_beside_a_certificate_is_forgotten_once_a_day(
    country: Country, terms: Checklist
) -> None:
    """Earlier versions could note one after another worker had made the certificate."""
    revision_id = sent_terms.sign(country, terms).id
    certificates.note_failure(revision_id, AWAY)
    db.session.commit()
    now = clock.now()
    db.session.execute(
        sa.insert(CertificateFailure).values(
            revision_id=with_certificate(country), tries=1, error="", failed_at=now, next_try_at=now
        )
    )
    db.session.commit()
    assert certificates.failing_count() == 2
    jobs.make_certificates("")
    assert [failing.error for failing in certificates.failing()] == [str(AWAY)]
