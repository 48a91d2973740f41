"""Texts end with the agreed terms: on pages, in the register and in the public check alike."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import due
from tests.factories import agreements
from tests.factories import cooperations as factories
from tests.factories.cooperations import Country
from tests.factories.evidence.tampering import NOTICES, REVISIONS, hands, table_of
from tracker.activity.stale import recompute
from tracker.agreements import evidence, notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, ChecklistState, NoticeKind
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.evidence import bound
from tracker.oversight import integrity, queries
from tracker.oversight.facts import AgreementState, Narrowing, Question
from tracker.signoff.models import Revision
from tracker.signoff.outcomes import Outcome

Clock = Callable[[dt.datetime | None], None]
DAY = dt.timedelta(days=1)
SIGNERS = {"npm": "tomas", "door": "henrik"}
LONG = 400


class Texts:
    """A cooperation with agreed terms, and terms on confidentiality that run longer."""

    def __init__(self, session: Session, days: int) -> None:
        factories.load_checklists()
        self.country: Country = factories.make_country(session)
        self.cooperation: Cooperation = factories.open_one(self.country, "door")
        today = clock.today()
        self.terms = agreements.checklist_of(self.cooperation, ChecklistKind.TERMS)
        term = agreements.term(today - 10 * DAY, today + days * DAY)
        agreements.answer(self.country, self.terms, "M19", **term)
        self.agree(self.terms)
        self.text = agreements.checklist_of(self.cooperation, ChecklistKind.CONFIDENTIALITY)
        until = (today + 2 * LONG * DAY).isoformat()
        agreements.answer(self.country, self.text, "C1", scope="all_until", until=until)
        self.agree(self.text)
        recompute()

    def agree(self, checklist: Checklist) -> None:
        agreements.send(self.country, checklist, SIGNERS)
        agreements.sign(self.country, checklist, "tomas", "henrik")

    def states(self) -> set[tuple[object, object, object]]:
        """Return what the record, the register and the public check say of the text."""
        recompute()
        revision_id = notices.standing_revision_id(self.text)
        assert revision_id is not None
        words, _mark = evidence.words_of(evidence.look(self.text), revision_id)
        (on_page,) = {str(text.words) for text in evidence.on_pages([self.text]).values()}
        assert on_page == str(words)
        (state,) = [
            line.state
            for line in queries.lines(self.country.actor("nadia"), Question(), limit=50)
            if line.checklist_id == self.text.id
        ]
        outcome = bound.standing_of(db.session.get_one(Revision, revision_id)).outcome
        return {(str(words), state, outcome)}

    def last_days(self) -> set[dt.date | None]:
        """Return the last days that the register shows of both texts."""
        lines = queries.lines(self.country.actor("nadia"), Question(), limit=50)
        return {line.until_on for line in lines if line.kind in BOTH}

    def valid_from(self, day: dt.date) -> set[ChecklistKind]:
        """Return which texts the register finds that are or were in force on a day or later."""
        lines = queries.lines(self.country.actor("nadia"), Question(from_on=day), limit=50)
        return {line.kind for line in lines}

    def narrowed(self, narrowing: Narrowing) -> set[ChecklistKind]:
        """Return which texts the register finds by a filter, which has to count as many."""
        nadia = self.country.actor("nadia")
        lines = queries.lines(nadia, Question(narrowing=narrowing), limit=50)
        assert queries.counts(nadia, Question())[narrowing] == len(lines)
        return {line.kind for line in lines}


def at_noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


BOTH = {ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY}


@pytest.mark.parametrize("by_worker", [False, True])
def test_a_text_ends_with_the_notice_that_ends_the_agreed_terms(
    app: Flask, session: Session, frozen_time: Clock, by_worker: bool
) -> None:
    texts = Texts(session, LONG)
    tomas = texts.country.actor("tomas")
    day = clock.today() + 30 * DAY
    notices.give_notice(tomas, texts.terms, NoticeKind.ENDED, reason="The law.", from_on=day)
    assert texts.states() == {("In force", AgreementState.ENDS_SOON, Outcome.IN_FORCE)}
    assert texts.narrowed(Narrowing.ENDS_SOON) == BOTH
    assert texts.last_days() == {day - DAY}
    frozen_time(at_noon(day))
    if by_worker:
        due.carry_out_due(day)
    assert texts.states() == {("Ended", AgreementState.ENDED, Outcome.ENDED)}
    assert texts.last_days() == {day - DAY}
    assert texts.valid_from(day - DAY) == BOTH
    assert texts.valid_from(day) == set()
    assert texts.narrowed(Narrowing.ENDED) == BOTH
    assert texts.narrowed(Narrowing.IN_FORCE) == set()


def test_a_text_ends_with_the_last_day_of_the_agreed_terms(
    app: Flask, session: Session, frozen_time: Clock
) -> None:
    texts = Texts(session, 90)
    last = texts.cooperation.ends_on
    assert last is not None
    frozen_time(at_noon(last))
    assert texts.states() == {("In force", AgreementState.ENDS_SOON, Outcome.IN_FORCE)}
    assert texts.narrowed(Narrowing.ENDS_SOON) == BOTH
    assert texts.last_days() == {last}
    frozen_time(at_noon(last + DAY))
    assert texts.states() == {("Ended", AgreementState.ENDED, Outcome.ENDED)}
    assert texts.narrowed(Narrowing.ENDED) == BOTH
    assert texts.narrowed(Narrowing.IN_FORCE) == set()


def test_a_suspended_text_ends_on_its_last_day(
    app: Flask, session: Session, frozen_time: Clock
) -> None:
    texts = Texts(session, 90)
    tomas, last = texts.country.actor("tomas"), texts.cooperation.ends_on
    assert last is not None
    notices.give_notice(tomas, texts.terms, NoticeKind.SUSPENDED, reason="Not safe.")
    recompute()
    texts.text = texts.terms
    assert texts.narrowed(Narrowing.SUSPENDED) == {ChecklistKind.TERMS}
    frozen_time(at_noon(last + DAY))
    assert texts.states() == {("Ended", AgreementState.ENDED, Outcome.ENDED)}
    assert texts.narrowed(Narrowing.SUSPENDED) == set()
    assert texts.narrowed(Narrowing.ENDED) == BOTH


@pytest.mark.parametrize("is_suspended", [False, True])
def test_a_text_that_waits_is_withdrawn_once_the_agreed_terms_were_ended(
    app: Flask, session: Session, frozen_time: Clock, is_suspended: bool
) -> None:
    """Not once their last day has passed: it can still be signed, in case they are renewed."""
    texts = Texts(session, 90)
    last = texts.cooperation.ends_on
    assert last is not None
    plan = agreements.checklist_of(texts.cooperation, ChecklistKind.CONFIDENTIALITY)
    revision = agreements.send(texts.country, plan, SIGNERS)
    assert bound.standing_of(revision).outcome is Outcome.WAITING
    tomas, day = texts.country.actor("tomas"), last + 5 * DAY
    if is_suspended:
        notices.give_notice(tomas, texts.terms, NoticeKind.SUSPENDED, reason="Not safe.")
    frozen_time(at_noon(last + DAY))
    assert bound.standing_of(revision).outcome is Outcome.WAITING
    notices.give_notice(tomas, texts.terms, NoticeKind.ENDED, reason="The law.", from_on=day)
    frozen_time(at_noon(day))
    assert bound.standing_of(revision).outcome is Outcome.WITHDRAWN


def test_the_history_calls_no_text_in_force_that_is_signed_after_the_agreed_terms_ended(
    app: Flask, session: Session, frozen_time: Clock
) -> None:
    texts = Texts(session, 90)
    last = texts.cooperation.ends_on
    assert last is not None
    agreements.send(texts.country, texts.text, SIGNERS)
    frozen_time(at_noon(last + DAY))
    agreements.sign(texts.country, texts.text, "tomas", "henrik")
    session.commit()
    address = f"/cooperations/{texts.cooperation.reference}/history"
    history = factories.signed_in(app, texts.country.users["ilena"]).page(address).text
    words = f"revision 2: all have signed. It isn't in force: the agreed terms ended on {last.day} "
    assert words in history


COOPERATIONS = table_of(Cooperation)
ISNT_IN_FORCE = "It isn't in force: the agreed terms ended on"


def set_by_sql(session: Session, cooperation: Cooperation, **values: object) -> None:
    row = sa.update(COOPERATIONS).where(COOPERATIONS.c.id == cooperation.id).values(values)
    session.commit()
    with hands() as connection:
        connection.execute(row)
    session.expire_all()


@pytest.mark.parametrize("has_ended", [False, True])
def test_changing_the_last_day_of_a_cooperation_changes_no_event_of_a_text_signed_then(
    app: Flask, session: Session, frozen_time: Clock, has_ended: bool
) -> None:
    """The day is the one that all have signed. Nothing tells once the row is as it was again."""
    texts = Texts(session, 90)
    last = texts.cooperation.ends_on
    assert last is not None
    agreements.send(texts.country, texts.text, SIGNERS)
    if has_ended:
        frozen_time(at_noon(last + DAY))
    changed = last + LONG * DAY if has_ended else clock.today() - DAY
    set_by_sql(session, texts.cooperation, ends_on=changed)
    agreements.sign(texts.country, texts.text, "tomas", "henrik")
    set_by_sql(session, texts.cooperation, ends_on=last)
    assert integrity.check_all().finding is None
    address = f"/cooperations/{texts.cooperation.reference}/history"
    history = factories.signed_in(app, texts.country.users["ilena"]).page(address).text
    assert "revision 2: all have signed." in history
    assert (ISNT_IN_FORCE in history) is has_ended


def test_nobody_completes_a_text_beside_agreed_terms_that_disagree_with_their_events(
    app: Flask, session: Session, frozen_time: Clock
) -> None:
    texts = Texts(session, LONG)
    agreements.send(texts.country, texts.text, SIGNERS)
    agreements.sign(texts.country, texts.text, "tomas")
    of_terms = REVISIONS.c.id == texts.terms.revision_in_force_id
    session.commit()
    with hands() as connection:
        connection.execute(sa.update(REVISIONS).where(of_terms).values(digest="0" * 64))
    session.expire_all()
    with pytest.raises(RuleBrokenError, match="agreed terms don't match their signatures"):
        agreements.sign(texts.country, texts.text, "henrik")


def end(texts: Texts, frozen_time: Clock) -> None:
    """End the agreed terms by a notice that the worker has carried out."""
    tomas, day = texts.country.actor("tomas"), clock.today() + 30 * DAY
    notices.give_notice(tomas, texts.terms, NoticeKind.ENDED, reason="The law.", from_on=day)
    frozen_time(at_noon(day))
    due.carry_out_due(day)
    db.session.commit()


@pytest.mark.parametrize(
    "values",
    [
        {"stopped_id": None, "stopped_by": None},
        {"stopped_id": None, "stopped_by": None, "state": ChecklistState.DRAFTING},
        {"kind": ChecklistKind.URGENT_PLAN},
    ],
)
def test_changing_the_row_of_the_agreed_terms_does_not_put_a_text_in_force_again(
    app: Flask, session: Session, frozen_time: Clock, values: dict[str, object]
) -> None:
    texts = Texts(session, LONG)
    end(texts, frozen_time)
    session.execute(sa.update(Checklist).where(Checklist.id == texts.terms.id).values(values))
    session.commit()
    assert texts.states() == {("Ended", AgreementState.ENDED, Outcome.ENDED)}


def test_no_text_is_in_force_beside_terms_whose_notice_was_changed(
    app: Flask, session: Session, frozen_time: Clock
) -> None:
    texts = Texts(session, LONG)
    end(texts, frozen_time)
    of_terms = NOTICES.c.checklist_id == texts.terms.id
    session.commit()
    with hands() as connection:
        connection.execute(sa.update(NOTICES).where(of_terms).values(reason="Another law."))
    session.expire_all()
    unknown = "Doesn't match its signatures"
    assert texts.states() == {(unknown, AgreementState.DISAGREES, None)}
