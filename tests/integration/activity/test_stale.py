"""Stale values are recomputed once, in a fixed order, just before the commit."""

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.cooperations import Country, copied_country, open_one
from tests.services import put
from tracker.access.actor import Actor
from tracker.activity.stale import (
    RECOMPUTATIONS,
    Recomputation,
    Stale,
    mark,
    put_off,
    recompute,
    recompute_stored,
    stored,
)
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Mode, Stage

Done = list[tuple[Stale, UUID]]


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def done(app: Flask) -> Done:
    """What is recomputed while a test runs, in order, instead of the real functions."""
    handled: Done = []

    def note(kind: Stale) -> Recomputation:
        return lambda subject_id, _actor: handled.append((kind, subject_id))

    put(app, RECOMPUTATIONS.holding({kind: note(kind) for kind in Stale}))
    return handled


def test_stale_values_are_recomputed_once_before_the_commit_in_order(
    session: Session, done: Done
) -> None:
    first, second = uuid4(), uuid4()
    for kind in (Stale.COOPERATION, Stale.CHECKLIST, Stale.VISIT, Stale.CHECKLIST):
        mark(kind, [first])
    mark(Stale.CLEARANCES, [second, first])
    assert done == []
    session.commit()
    assert [kind for kind, _subject_id in done] == [
        Stale.CHECKLIST,
        Stale.CLEARANCES,
        Stale.CLEARANCES,
        Stale.VISIT,
        Stale.COOPERATION,
    ]
    session.commit()
    assert len(done) == 5


def test_values_made_stale_by_recomputing_are_recomputed_too(
    app: Flask, session: Session, done: Done
) -> None:
    """A stage that changed may make a visit ready, which comes before it in the order."""
    subject_id = uuid4()

    def moves_on(cooperation_id: UUID, actor: Actor | None) -> None:
        done.append((Stale.COOPERATION, cooperation_id))
        if len(done) < 3:
            mark(Stale.VISIT, [subject_id], actor)

    others: dict[Stale, Recomputation] = {
        Stale.VISIT: lambda visit_id, _actor: done.append((Stale.VISIT, visit_id)),
        Stale.COOPERATION: moves_on,
    }
    put(app, RECOMPUTATIONS.holding(others))
    mark(Stale.COOPERATION, [subject_id])
    session.commit()
    assert done == [(Stale.COOPERATION, subject_id), (Stale.VISIT, subject_id)]


def test_values_made_stale_in_a_rolled_back_transaction_are_not_recomputed(
    session: Session, done: Done
) -> None:
    session.execute(sa.select(1))
    mark(Stale.VISIT, [uuid4()])
    session.rollback()
    session.commit()
    assert done == []


def test_recorded_events_name_the_actor(app: Flask, country: Country, session: Session) -> None:
    """The one whose act came first, if several made the same value stale."""
    actors: list[Actor | None] = []
    subject_id = uuid4()
    put(
        app,
        RECOMPUTATIONS.holding({Stale.CHECKLIST: lambda _subject_id, actor: actors.append(actor)}),
    )
    mark(Stale.CHECKLIST, [subject_id], country.actor("ilena"))
    mark(Stale.CHECKLIST, [subject_id], country.actor("samira"))
    recompute()
    assert [actor.name for actor in actors if actor] == [country.actor("ilena").name]


def test_a_stage_follows_two_changes_of_one_transaction_once(
    country: Country, session: Session
) -> None:
    cooperation = open_one(country)
    session.commit()
    ilena = country.actor("ilena")
    cooperations.set_modes(ilena, cooperation, version=1, modes=[], questions={})
    cooperations.set_modes(ilena, cooperation, version=2, modes=[Mode.VISIT], questions={})
    session.commit()
    assert cooperation.stage is Stage.DRAFT


def test_what_the_worker_puts_off_is_stored_and_the_rest_is_recomputed_by_the_commit(
    session: Session, done: Done
) -> None:
    ids = sorted(uuid4() for _ in range(4))
    mark(Stale.VISIT, ids[:2])
    mark(Stale.CLEARANCES, [ids[2]])
    mark(Stale.BARS, [ids[2]])
    mark(Stale.CHECKLIST, [ids[3]])
    put_off()
    session.commit()
    assert done == [(Stale.CLEARANCES, ids[2]), (Stale.BARS, ids[2])]
    assert stored(Stale.VISIT) == [("VISIT", ids[0]), ("VISIT", ids[1])]
    assert stored() == [("CHECKLIST", ids[3]), *stored(Stale.VISIT)]


def test_what_is_rolled_back_is_not_stored(session: Session, done: Done) -> None:
    mark(Stale.VISIT, [uuid4()])
    put_off()
    session.rollback()
    assert (stored(), done) == ([], [])


def test_a_stored_value_is_recomputed_once_however_often_it_was_stored(
    session: Session, done: Done
) -> None:
    visit_id = uuid4()
    for _ in range(2):
        mark(Stale.VISIT, [visit_id])
        put_off()
        session.commit()
    assert stored() == [("VISIT", visit_id)]
    assert recompute_stored("VISIT", visit_id)
    assert not recompute_stored("VISIT", visit_id)
    session.commit()
    assert done == [(Stale.VISIT, visit_id)]
    assert stored() == []


def test_what_is_stored_while_it_is_recomputed_stays(app: Flask, session: Session) -> None:
    """It may have come too late to be considered."""
    visit_id = uuid4()

    def is_marked_again(subject_id: UUID, actor: Actor | None) -> None:
        mark(Stale.VISIT, [subject_id], actor)

    put(app, RECOMPUTATIONS.holding({Stale.VISIT: is_marked_again}))
    mark(Stale.VISIT, [visit_id])
    put_off()
    session.commit()
    assert recompute_stored("VISIT", visit_id)
    put_off()
    session.commit()
    assert stored() == [("VISIT", visit_id)]
