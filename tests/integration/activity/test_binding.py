"""Each event binds exactly the checked rows that have changed since the previous one."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.cooperations import Country, copied_country, open_one
from tests.factories.evidence.tampering import table_of
from tracker.accounts.models import User
from tracker.activity import binding, queries, service, verbs
from tracker.activity.models import Chain, Event
from tracker.cooperations.models import Cooperation, Party
from tracker.core import clock
from tracker.core.db import db, let_others_write
from tracker.guidance.models import PassageUse
from tracker.oversight import integrity

pytestmark = pytest.mark.both_databases


@pytest.fixture
def land(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def cooperation(land: Country) -> Cooperation:
    opened = open_one(land)
    land.session.commit()
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
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    cooperation.title = "Visits to homes"
    land.users["ilena"].name = "Ilena Dorvath-Meer"
    assert tables(record(cooperation)) == {"cooperation": 1}
    assert tables(record(cooperation)) == {}
    session.commit()
    last = last_of_the_instance(session)
    assert (last.verb, tables(last)) == ("rows_noted", {"user": 1})
    assert is_sound(session)


def test_a_row_that_decides_nothing_is_not_bound(
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    before = last_of_the_instance(session).number
    land.users["ilena"].totp_last_step = 7
    session.commit()
    assert last_of_the_instance(session).number == before


def test_a_deleted_row_is_bound_as_gone(
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    party = session.scalars(sa.select(Party).order_by(Party.position.desc())).first()
    assert party is not None
    session.delete(party)
    event = record(cooperation)
    assert event.state == {"party": {str(party.id): None}}
    assert is_sound(session)


def test_rows_changed_by_one_statement_are_bound(
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    own = session.query(Party).filter_by(cooperation_id=cooperation.id)
    assert own.update({"position": 5}) == 2
    assert tables(record(cooperation)) == {"party": 2}
    assert is_sound(session)


def test_rows_deleted_by_one_statement_are_bound(
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    session.execute(sa.delete(Party).where(Party.cooperation_id == cooperation.id))
    state = record(cooperation).state or {}
    assert list(state["party"].values()) == [None, None]
    assert is_sound(session)


def test_a_row_changed_by_its_object_and_by_a_statement_is_bound_as_it_is(
    land: Country, session: Session, cooperation: Cooperation
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


def test_a_statement_that_puts_rows_in_is_refused(
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    values: dict[str, Any] = {"email": "a@example.org", "name": "A", "created_at": clock.now()}
    with pytest.raises(TypeError, match="user are bound"):
        session.execute(sa.insert(User).values(**values, fs_uniquifier="a"))


def test_a_statement_that_gives_rows_back_itself_is_refused_where_they_are_bound(
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    with pytest.raises(TypeError, match="user are bound"):
        session.execute(sa.update(User).values(name="Anybody").returning(User.id))
    session.execute(sa.update(User).values(totp_last_step=3).returning(User.id))


def test_statements_on_other_tables_are_left_alone(
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    session.execute(sa.delete(PassageUse))
    assert binding.chains(session) == []


def test_a_change_rolled_back_with_its_savepoint_is_not_bound(
    land: Country, session: Session, cooperation: Cooperation
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
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    savepoint = session.begin_nested()
    new = Party(
        cooperation_id=cooperation.id,
        organisation_id=land.id("lantern"),
        side=land.organisations["lantern"].kind,
        joined_on=clock.today(),
    )
    session.add(new)
    session.flush()
    savepoint.rollback()
    assert tables(record(cooperation)) == {}
    assert is_sound(session)


def test_a_row_deleted_and_inserted_again_is_bound_as_it_is(
    land: Country, session: Session, cooperation: Cooperation
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
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    with session.begin_nested():
        cooperation.title = "Another"
    assert tables(record(cooperation)) == {"cooperation": 1}


def test_a_rolled_back_transaction_leaves_nothing_to_bind(
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    cooperation.title = "Another"
    session.flush()
    session.rollback()
    assert binding.chains(session) == []
    assert is_sound(session)


def test_nobody_is_shown_that_rows_were_bound(
    land: Country, session: Session, cooperation: Cooperation
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
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    """SQLite has one writer at a time, so only PostgreSQL lets two change one row."""
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    title = cooperation.title  # loaded now
    cooperations = table_of(Cooperation)
    with Session(db.engine) as other:
        other.execute(
            sa.update(cooperations)
            .where(cooperations.c.id == cooperation.id)
            .values(purpose="Another purpose")
        )
        other.commit()
    cooperation.title = f"{title}, again"
    record(cooperation)
    assert is_sound(session)


def test_an_event_costs_no_statement_more(
    land: Country, session: Session, cooperation: Cooperation, statements: Any
) -> None:
    """What is bound is known already: by the flush, or by what a statement gave back."""
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


def test_changes_before_the_end_of_a_savepoint_are_kept(
    land: Country, session: Session, cooperation: Cooperation
) -> None:
    """Work that takes long ends the transaction, but only if nothing was written in it."""
    with session.begin_nested():
        cooperation.title = "Another"
    let_others_write()
    session.commit()
    assert session.get_one(Cooperation, cooperation.id).title == "Another"
