"""Each event binds exactly the checked rows that have changed since the previous one.

In one file: every way to change a row, tested on the same cooperation.
"""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.cooperations import Country, copied_country, open_one
from tests.factories.evidence.tampering import Tampering, hands, table_of
from tracker.accounts.models import User
from tracker.activity import binding, checked, queries, service, verbs
from tracker.activity.models import Chain, Event
from tracker.cooperations.models import Cooperation, Party
from tracker.core import clock
from tracker.core.db import db, let_others_write
from tracker.guidance.models import PassageUse
from tracker.oversight import integrity
from tracker.oversight.facts import Fault

pytestmark = pytest.mark.both_databases


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def cooperation(country: Country) -> Cooperation:
    opened = open_one(country)
    country.session.commit()
    return opened


def record(cooperation: Cooperation) -> Event:
    return service.record(
        verbs.COOPERATION_CHANGED,
        actor=None,
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        changed=["title"],
    )


def tables(event: Event) -> dict[str, int]:
    return {table: len(rows) for table, rows in (event.state or {}).items()}


def after(event: Event) -> dict[str, dict[str, str | None]]:
    """Return the digests of the rows as an event left them."""
    return {
        table: {row: checked.after(entry) for row, entry in rows.items()}
        for table, rows in (event.state or {}).items()
    }


def last_of_the_instance(session: Session) -> Event:
    events = session.scalars(
        sa.select(Event)
        .join(Event.chain)
        .where(Chain.cooperation_id.is_(None))
        .order_by(Event.number.desc())
        .limit(1)
    )
    return events.one()


def is_sound(session: Session) -> bool:
    session.commit()
    return integrity.check_all().finding is None


def test_an_event_binds_what_was_changed_in_its_own_chain(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    cooperation.title = "Visits to homes"
    country.users["ilena"].name = "Ilena Dorvath-Meer"
    assert tables(record(cooperation)) == {"cooperation": 1}
    assert tables(record(cooperation)) == {}
    session.commit()
    last = last_of_the_instance(session)
    assert (last.verb, tables(last)) == ("rows_noted", {"user": 1})
    assert is_sound(session)


def test_a_row_that_decides_nothing_is_not_bound(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    before = last_of_the_instance(session).number
    country.users["ilena"].totp_last_step = 7
    session.commit()
    assert last_of_the_instance(session).number == before


def test_a_deleted_row_is_bound_as_gone(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    party = session.scalars(sa.select(Party).order_by(Party.position.desc())).first()
    assert party is not None
    session.delete(party)
    event = record(cooperation)
    assert after(event) == {"party": {str(party.id): None}}
    assert is_sound(session)


def test_rows_changed_by_one_statement_are_bound(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    own = session.query(Party).filter_by(cooperation_id=cooperation.id)
    assert own.update({"position": 5}) == 2
    assert tables(record(cooperation)) == {"party": 2}
    assert is_sound(session)


def test_rows_deleted_by_one_statement_are_bound(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    session.execute(sa.delete(Party).where(Party.cooperation_id == cooperation.id))
    assert list(after(record(cooperation))["party"].values()) == [None, None]
    assert is_sound(session)


def test_a_row_changed_by_its_object_and_by_a_statement_is_bound_as_it_is(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    party = session.scalars(sa.select(Party)).first()
    assert party is not None
    party.position = 3
    session.flush()
    session.execute(sa.update(Party).where(Party.id == party.id).values(position=4))
    record(cooperation)
    party.position = 6
    record(cooperation)
    assert is_sound(session)


def party_of(session: Session, cooperation: Cooperation) -> Party:
    own = sa.select(Party).where(Party.cooperation_id == cooperation.id)
    return session.scalars(own.order_by(Party.position.desc())).all()[0]


def by_hand(session: Session, act: Callable[[Tampering], None]) -> None:
    """Do something in the database, with no transaction of the application open."""
    session.commit()
    with hands() as connection:
        act(Tampering(connection, UUID(int=0)))


def change(_session: Session, party: Party) -> None:
    party.position = 7


def expire_and_change(session: Session, party: Party) -> None:
    session.expire(party)
    change(session, party)


NEXT_CHANGES: dict[str, Callable[[Session, Party], object]] = {
    "an object": change,
    "an object that is not loaded": expire_and_change,
    "a statement": lambda session, party: session.execute(
        sa.update(Party).where(Party.id == party.id).values(position=7)
    ),
    "a statement that says what it was": lambda session, party: session.execute(
        sa.update(Party)
        .where(Party.id == party.id, Party.leave_reason.is_(None))
        .values(leave_reason="Moved away")
    ),
    "a deleted object": lambda session, party: session.delete(party),
    "a deleting statement": lambda session, party: session.execute(
        sa.delete(Party).where(Party.id == party.id)
    ),
}


@pytest.mark.parametrize("by", NEXT_CHANGES)
def test_a_row_changed_by_hand_is_named_though_the_application_changed_it_next(
    country: Country, session: Session, cooperation: Cooperation, by: str
) -> None:
    party_id = party_of(session, cooperation).id
    day = dt.date(2020, 1, 1)
    by_hand(session, lambda own: own.update(table_of(Party), party_id, joined_on=day))
    NEXT_CHANGES[by](session, session.get_one(Party, party_id))
    session.flush()
    record(cooperation)
    session.commit()
    fault = integrity.check_all().finding
    assert fault is not None
    assert (fault.fault, fault.place.of) == (Fault.ROW_DIFFERED, "party")
    assert (fault.place.row, fault.place.event) == (str(party_id), 1)


def test_a_row_put_in_by_hand_is_named_though_the_application_changed_it_next(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    party_id, new = party_of(session, cooperation).id, UUID(int=7)
    other = country.id("lantern")
    by_hand(
        session,
        lambda own: own.copy(table_of(Party), party_id, id=new, organisation_id=other),
    )
    session.get_one(Party, new).position = 7
    session.commit()
    fault = integrity.check_all().finding
    assert fault is not None
    assert (fault.fault, fault.place.row) == (Fault.ROW_DIFFERED, str(new))
    assert fault.place.event is None


def test_a_row_deleted_by_hand_is_named_though_the_application_put_it_in_again(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    party = party_of(session, cooperation)
    values = {column.name: getattr(party, column.name) for column in table_of(Party).columns}
    by_hand(session, lambda own: own.delete(table_of(Party), values["id"]))
    session.expunge_all()
    session.add(Party(**values))
    session.commit()
    fault = integrity.check_all().finding
    assert fault is not None
    assert (fault.fault, fault.place.row) == (Fault.ROW_DIFFERED, str(values["id"]))


def test_changes_of_several_flushes_follow_each_other(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    """What a row was is what the last event left, whatever was rolled back in between."""
    party = party_of(session, cooperation)
    party.position = 3
    session.flush()
    party.position = 4
    record(cooperation)
    savepoint = session.begin_nested()
    party.position = 5
    session.flush()
    savepoint.rollback()
    assert tables(record(cooperation)) == {}
    party.position = 6
    session.execute(sa.update(Party).values(position=8))
    session.delete(party)
    record(cooperation)
    assert is_sound(session)


def test_a_statement_that_puts_rows_in_is_refused(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    values: dict[str, Any] = {"email": "a@example.org", "name": "A", "created_at": clock.now()}
    with pytest.raises(TypeError, match="user are bound"):
        session.execute(sa.insert(User).values(**values, fs_uniquifier="a"))


def test_a_statement_that_gives_rows_back_itself_is_refused_where_they_are_bound(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    with pytest.raises(TypeError, match="user are bound"):
        session.execute(sa.update(User).values(name="Anybody").returning(User.id))
    session.execute(sa.update(User).values(totp_last_step=3).returning(User.id))


def test_statements_on_other_tables_are_left_alone(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    session.execute(sa.delete(PassageUse))
    assert binding.chains(session) == []


def test_a_change_rolled_back_with_its_savepoint_is_not_bound(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    savepoint = session.begin_nested()
    session.execute(
        sa.update(Party).where(Party.cooperation_id == cooperation.id).values(position=5)
    )
    cooperation.title = "Another"
    savepoint.rollback()
    record(cooperation)
    assert is_sound(session)


def test_a_row_inserted_and_rolled_back_is_not_bound(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    savepoint = session.begin_nested()
    new = Party(
        cooperation_id=cooperation.id,
        organisation_id=country.id("lantern"),
        side=country.organisations["lantern"].kind,
        joined_on=clock.today(),
    )
    session.add(new)
    session.flush()
    savepoint.rollback()
    assert tables(record(cooperation)) == {}
    assert is_sound(session)


def test_a_row_deleted_and_inserted_again_is_bound_as_it_is(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    party = session.scalars(sa.select(Party)).first()
    assert party is not None
    savepoint = session.begin_nested()
    session.delete(party)
    session.flush()
    savepoint.rollback()
    record(cooperation)
    assert is_sound(session)


def test_a_change_in_a_released_savepoint_is_bound(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    with session.begin_nested():
        cooperation.title = "Another"
    assert tables(record(cooperation)) == {"cooperation": 1}


def test_a_rolled_back_transaction_leaves_nothing_to_bind(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    cooperation.title = "Another"
    session.flush()
    session.rollback()
    assert binding.chains(session) == []
    assert is_sound(session)


def test_nobody_is_shown_that_rows_were_bound(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    total, _lines = queries.history(cooperation.id)
    cooperation.title = "Another"
    session.commit()
    newest = session.scalars(
        sa.select(Event.verb)
        .join(Event.chain)
        .where(Chain.cooperation_id == cooperation.id)
        .order_by(Event.number.desc())
    ).first()
    assert newest == "rows_noted"
    now, lines = queries.history(cooperation.id)
    assert now == total
    assert "rows_noted" not in {line.verb for line in lines}


def test_a_row_that_another_transaction_changed_is_bound_as_it_is(
    app: Flask, country: Country, session: Session, cooperation: Cooperation
) -> None:
    """SQLite has one writer at a time, so only PostgreSQL lets two change one row."""
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    title = cooperation.title  # loaded now
    cooperation_id = cooperation.id

    def change_purpose() -> None:
        with app.app_context():
            db.session.get_one(Cooperation, cooperation_id).purpose = "Another purpose"
            db.session.commit()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(change_purpose).result()
    cooperation.title = f"{title}, again"
    record(cooperation)
    assert cooperation.purpose == "Another purpose"
    assert is_sound(session)


def test_an_event_costs_no_statement_more(
    country: Country, session: Session, cooperation: Cooperation, statements: Any
) -> None:
    """What is bound is already known: from the flush, or from what a statement returned."""
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads changed rows again")
    cooperation.shows_signers = True
    session.flush()
    with statements() as seen:
        event = service.record(
            verbs.VERIFICATION_CHANGED,
            actor=None,
            subject_type="cooperation",
            subject_id=cooperation.id,
            cooperation_id=cooperation.id,
            shows_signers=True,
        )
    assert tables(event) == {"cooperation": 1}
    # The chain with its lock, the event, its details, the chain's new end.
    assert len(seen) == 4, seen


@pytest.mark.parametrize("stored_before", [None, "Merged"])
def test_rows_are_read_only_where_the_condition_does_not_say_what_they_were(
    country: Country,
    session: Session,
    cooperation: Cooperation,
    statements: Any,
    stored_before: str | None,
) -> None:
    party = party_of(session, cooperation)
    party.leave_reason = stored_before
    record(cooperation)
    session.commit()
    is_known = Party.leave_reason.is_(None)
    condition = is_known if stored_before is None else sa.or_(is_known, Party.position > 0)
    with statements() as seen:
        session.execute(sa.update(Party).where(condition).values(leave_reason="Moved away"))
    assert [words.split()[0] for words in seen if " party" in words] == (
        ["UPDATE"] if stored_before is None else ["SELECT", "UPDATE"]
    )
    record(cooperation)
    session.commit()
    assert is_sound(session)


def test_changes_before_the_end_of_a_savepoint_are_kept(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    """Slow work ends the transaction, but only if nothing was written in it."""
    with session.begin_nested():
        cooperation.title = "Another"
    let_others_write()
    session.commit()
    assert session.get_one(Cooperation, cooperation.id).title == "Another"
