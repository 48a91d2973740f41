"""Recording events: in order, in the same transaction, and without forbidden content."""

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.cooperations import Country, copied_country, open_one
from tests.services import put
from tracker.activity import queries, service, verbs
from tracker.activity.models import Chain, ChainKind, Event, EventDetail, ReadLogEntry
from tracker.activity.service import DomainEvent, Handler
from tracker.activity.verbs import Verb
from tracker.cooperations.models import Cooperation
from tracker.core.db import db, will_write
from tracker.oversight import integrity

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(3)]


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def cooperation(country: Country) -> Cooperation:
    return open_one(country)


@pytest.fixture
def handlers(app: Flask) -> Callable[[Mapping[Verb, tuple[Handler, ...]]], None]:
    """A function that replaces the application's handlers."""
    return lambda table: put(app, service.HANDLERS.holding(table))


def change(cooperation: Cooperation, **more: Any) -> Event:
    return service.record(
        verbs.COOPERATION_CHANGED,
        actor=None,
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        **{"changed": ["title"], **more},
    )


def count(session: Session, model: type[Event] | type[EventDetail]) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_an_event_follows_the_one_before_it(session: Session, cooperation: Cooperation) -> None:
    first, other = change(cooperation), change(cooperation)
    assert other.number == first.number + 1
    assert other.previous == first.digest
    chain = session.scalars(sa.select(Chain).where(Chain.id == other.chain_id)).one()
    assert (chain.head, chain.count) == (other.digest, other.number)


def test_events_without_a_cooperation_go_into_the_instances_chain(
    session: Session, country: Country
) -> None:
    event = service.record(
        verbs.PASSWORD_CHANGED,
        actor=country.actor("ilena"),
        subject_type="user",
        subject_id=country.users["ilena"].id,
    )
    chain = session.get_one(Chain, event.chain_id)
    assert (chain.kind, chain.cooperation_id) == (ChainKind.INSTANCE, None)


def test_details_say_who_did_it_and_for_whom(country: Country, cooperation: Cooperation) -> None:
    service.record(
        verbs.COOPERATION_CHANGED,
        actor=country.actor("samira"),
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        changed=["title"],
    )
    line = queries.history(cooperation.id)[1][0]
    assert (line.who, line.acting_for) == ("Samira Okell", "Open Door Legal Aid")
    assert line.details == {"changed": ["title"]}


def test_the_application_itself_has_no_name(cooperation: Cooperation) -> None:
    change(cooperation)
    assert queries.history(cooperation.id)[1][0].who is None


def test_a_key_that_the_verb_does_not_keep_is_refused(
    session: Session, cooperation: Cooperation
) -> None:
    before = count(session, Event)
    with pytest.raises(ValueError, match="cooperation_changed keeps no place"):
        change(cooperation, place="The police station by the harbour")
    assert count(session, Event) == before


def test_a_cooperation_without_a_chain_is_refused(country: Country) -> None:
    with pytest.raises(LookupError, match="No chain was started"):
        service.record(
            verbs.COOPERATION_CHANGED,
            actor=None,
            subject_type="cooperation",
            subject_id=uuid4(),
            cooperation_id=uuid4(),
        )


def test_the_same_details_have_different_digests(cooperation: Cooperation) -> None:
    """Short details could be guessed from their digest if they weren't salted."""
    assert change(cooperation).details_digest != change(cooperation).details_digest


def test_a_rollback_leaves_no_event(session: Session, cooperation: Cooperation) -> None:
    session.commit()
    before = count(session, Event)
    change(cooperation)
    session.rollback()
    assert count(session, Event) == before
    session.rollback()
    assert integrity.check_all().finding is None


def test_handlers_run_in_the_same_transaction(
    session: Session, cooperation: Cooperation, handlers: Callable[..., None]
) -> None:
    notified: list[DomainEvent] = []

    def fail(event: DomainEvent) -> None:
        notified.append(event)
        raise RuntimeError("a handler that fails")

    session.commit()
    before = count(session, Event)
    handlers({verbs.COOPERATION_CHANGED: (notified.append, fail)})
    with pytest.raises(RuntimeError, match="a handler that fails"):
        change(cooperation)
    session.rollback()
    assert count(session, Event) == before
    assert [event.verb for event in notified] == [verbs.COOPERATION_CHANGED] * 2
    assert notified[0].cooperation_id == notified[0].subject_id
    assert notified[0].details == {"changed": ["title"]}


def test_simultaneous_events_get_consecutive_numbers(
    app: Flask, session: Session, cooperation: Cooperation
) -> None:
    cooperation_id = cooperation.id
    session.commit()
    before = queries.history(cooperation_id)[0]
    session.rollback()
    start = threading.Barrier(4)
    failed: list[Exception] = []

    def write() -> None:
        with app.app_context():
            start.wait()
            try:
                for _ in range(5):
                    own = db.session.get_one(Cooperation, cooperation_id)
                    change(own)
                    db.session.commit()
            except Exception as error:  # noqa: BLE001 -- reported to the test below
                failed.append(error)
                db.session.rollback()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    total, lines = queries.history(cooperation_id, limit=200)
    assert total == before + 20
    assert [line.number for line in lines] == list(range(total, 0, -1))
    session.rollback()
    assert integrity.check_all().finding is None


def test_history_is_read_a_page_at_a_time_newest_first(cooperation: Cooperation) -> None:
    events = [change(cooperation) for _ in range(6)]
    total, lines = queries.history(cooperation.id, offset=2, limit=3)
    assert total == events[-1].number
    assert [line.number for line in lines] == [event.number for event in events[3:0:-1]]


def test_the_history_of_a_subject_contains_nothing_else(
    country: Country, cooperation: Cooperation
) -> None:
    other = open_one(country, "lantern", title="Another")
    mine, theirs = change(cooperation), change(other)
    lines = queries.subject_history(cooperation.id, [cooperation.id, other.id])
    assert mine.number in [line.number for line in lines if line.verb == mine.verb]
    assert {line.subject_id for line in lines} == {cooperation.id}
    assert theirs.chain_id != mine.chain_id


def test_erased_details_leave_the_event_and_its_time(
    session: Session, cooperation: Cooperation
) -> None:
    event = change(cooperation)
    session.execute(sa.delete(EventDetail).where(EventDetail.event_id == event.id))
    session.expire_all()
    line = queries.history(cooperation.id)[1][0]
    assert (line.verb, line.who, line.details) == ("cooperation_changed", None, {})
    assert line.at == event.at


def test_a_read_is_logged_with_reader_and_page(
    session: Session, country: Country, cooperation: Cooperation
) -> None:
    actor, visit_id = country.actor("samira"), uuid4()
    service.log_read(
        actor,
        cooperation_id=cooperation.id,
        subject_type="visit",
        subject_id=visit_id,
        page="visit",
    )
    session.flush()
    entry = session.scalars(sa.select(ReadLogEntry)).one()
    assert (entry.user_id, entry.organisation_id) == (actor.user_id, actor.organisation_id)
    assert (entry.subject_type, entry.subject_id, entry.page) == ("visit", visit_id, "visit")
    assert entry.at.tzinfo is dt.UTC


def test_a_read_in_a_read_only_request_is_logged_immediately(
    session: Session, country: Country, cooperation: Cooperation
) -> None:
    """A page that only reads ends without a commit; its log entry must not be lost."""
    actor, cooperation_id = country.actor("samira"), cooperation.id
    session.commit()
    token = will_write.set(False)
    try:
        service.log_read(
            actor,
            cooperation_id=cooperation_id,
            subject_type="visit",
            subject_id=uuid4(),
            page="visit",
        )
    finally:
        will_write.reset(token)
    session.rollback()
    assert session.scalars(sa.select(ReadLogEntry)).one().cooperation_id == cooperation_id
