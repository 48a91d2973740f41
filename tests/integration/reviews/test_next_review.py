"""The day of the next review, after terms have renewed themselves or were amended (G5)."""

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import due, starting_points
from tests.factories import agreements
from tests.factories.negotiations import Negotiation, StoredNegotiation, begin
from tests.integration.agreements.conftest import DAY, DAYS, SIGNERS, sign_terms
from tests.integration.agreements.notices.test_notices import give
from tests.integration.agreements.test_signers import mailed
from tests.integration.reviews.conftest import (
    BOSSES,
    Clock,
    begin_review,
    confirm,
    cooperation,
    hold,
    save,
    written,
)
from tracker.agreements import notices
from tracker.agreements import service as agreements_service
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import NoticeKind
from tracker.cooperations.models import Mode, Stage
from tracker.core import clock
from tracker.core.db import db
from tracker.lifecycle import policy as lifecycle
from tracker.lifecycle import queries as lifecycle_queries
from tracker.oversight import integrity
from tracker.oversight import queries as register
from tracker.oversight.facts import Question
from tracker.reviews.models import Outcome
from tracker.ui.locale import as_date

# How many days before the review the terms have people reminded.
REMINDER = 30


def _bring_into_force() -> StoredNegotiation:
    negotiation = begin(db.session(), Mode.INFO_A)
    agreements.answer(
        negotiation.country, negotiation.checklist(), "M2", objectives="Fewer strip searches."
    )
    sign_terms(negotiation)
    negotiation.session.commit()
    return StoredNegotiation.of(negotiation)


@pytest.fixture
def renewing(app: Flask, session: Session) -> Negotiation:
    """Terms in force that renew themselves, with a review on the day before their last."""
    return starting_points.of(app).use("review_renewing", _bring_into_force).load(session)


def renew(negotiation: Negotiation, frozen_time: Clock) -> dt.date:
    """Let the terms renew themselves the day after their last; return the last of the next term."""
    last = cooperation(negotiation).ends_on
    assert last is not None
    go_to(frozen_time, last + DAY)
    assert due.renew_due(clock.today()) == 1
    negotiation.session.commit()
    last = cooperation(negotiation).ends_on
    assert last is not None
    return last


def go_to(frozen_time: Clock, day: dt.date) -> None:
    frozen_time(clock.now() + (day - clock.today()))


def amend(negotiation: Negotiation, item: str, **values: object) -> None:
    """Change an item of the terms in force, and have all parties sign it."""
    terms = negotiation.checklist()
    agreements_service.amend(negotiation["ilena"], terms, reason="It has changed.", items=[item])
    current = agreements.current(terms, item)
    agreements.change(negotiation.country, terms, item, current, **values)
    negotiation.accept(item, "joana")
    agreements.send(negotiation.country, terms, SIGNERS)
    agreements.sign(negotiation.country, terms, *SIGNERS.values())
    negotiation.session.commit()


def gate(negotiation: Negotiation) -> lifecycle.GateState:
    """Return the state of G5 today."""
    facts = lifecycle_queries.facts_of(cooperation(negotiation))
    (state,) = [gate.state for gate in lifecycle.gates(facts) if gate.code == "G5"]
    return state


def test_a_review_that_nobody_has_held_stays_overdue_when_the_terms_renew_themselves(
    renewing: Negotiation, frozen_time: Clock
) -> None:
    due_on = cooperation(renewing).review_on
    assert due_on == clock.today() + (DAYS - 1) * DAY
    renew(renewing, frozen_time)
    assert cooperation(renewing).review_on == due_on
    assert gate(renewing) is lifecycle.GateState.NOT_MET
    # An amendment repeats the day, and its further term is added with the last signature.
    amend(renewing, "M2", objectives="Other aims.")
    assert cooperation(renewing).review_on == due_on
    assert gate(renewing) is lifecycle.GateState.NOT_MET
    hold(renewing, next_on=clock.today() + 10 * DAY)
    assert gate(renewing) is lifecycle.GateState.MET
    renewing.session.rollback()
    assert integrity.check_all().finding is None


def test_a_renewal_does_not_move_the_review_that_a_record_names(
    app: Flask, renewing: Negotiation, frozen_time: Clock
) -> None:
    later = clock.today() + 2 * DAYS * DAY
    hold(renewing, next_on=later)
    renew(renewing, frozen_time)
    assert cooperation(renewing).review_on == later
    assert gate(renewing) is lifecycle.GateState.MET
    go_to(frozen_time, later - REMINDER * DAY)
    assert mailed(renewing, "review_near") == []
    due.remind_of_dates(clock.today())
    renewing.session.commit()
    assert "samira" in mailed(renewing, "review_near")
    go_to(frozen_time, later)
    assert gate(renewing) is lifecycle.GateState.MET
    go_to(frozen_time, later + DAY)
    assert gate(renewing) is lifecycle.GateState.NOT_MET
    page = renewing.country.browser(app, "nadia").page("/register?state=review_overdue")
    assert "Review overdue 1" in page.text
    renewing.session.rollback()
    assert integrity.check_all().finding is None


def test_a_review_held_after_a_renewal_does_not_come_back_until_all_sign_another_day(
    renewing: Negotiation, frozen_time: Clock
) -> None:
    renew(renewing, frozen_time)
    agreed = clock.today() + 200 * DAY
    hold(renewing, next_on=agreed)
    go_to(frozen_time, clock.today() + 5 * DAY)
    amend(renewing, "M2", objectives="Other aims.")
    assert cooperation(renewing).review_on == agreed
    assert gate(renewing) is lifecycle.GateState.MET
    last = clock.today() + 300 * DAY
    first = cooperation(renewing).starts_on
    assert first is not None
    days = agreements.term(first, last, last - 20 * DAY)
    amend(renewing, "M19", **days | {"renewal": "automatic"})
    assert cooperation(renewing).review_on == last - 20 * DAY
    assert gate(renewing) is lifecycle.GateState.MET
    # No record has named a day since.
    renew(renewing, frozen_time)
    assert cooperation(renewing).review_on == last - 20 * DAY
    assert gate(renewing) is lifecycle.GateState.NOT_MET
    renewing.session.rollback()
    assert integrity.check_all().finding is None


def test_a_review_held_before_the_terms_renewed_themselves_is_confirmed_afterwards(
    renewing: Negotiation, frozen_time: Clock
) -> None:
    begin_review(renewing)
    save(renewing, "samira", written(renewing, next_on=clock.today() + 2 * DAYS * DAY))
    held_on = clock.today()
    renew(renewing, frozen_time)
    confirm(renewing, *BOSSES)
    assert cooperation(renewing).reviewed_on == held_on
    lines = register.lines(renewing.country.actor("nadia"), Question())
    assert [line.reviewed_on for line in lines if line.kind is ChecklistKind.TERMS] == [held_on]
    assert gate(renewing) is lifecycle.GateState.MET


def test_a_review_that_decides_to_end_leaves_the_day_as_it_is(
    renewing: Negotiation, frozen_time: Clock
) -> None:
    before = cooperation(renewing).review_on
    hold(renewing, outcome=Outcome.END, reason="The project is over.", next_on=None)
    assert cooperation(renewing).review_on == before
    assert cooperation(renewing).reviewed_on == clock.today()
    renew(renewing, frozen_time)
    assert cooperation(renewing).review_on == before


def test_no_review_is_due_while_the_parties_end_the_agreement_as_the_last_one_decided(
    app: Flask, renewing: Negotiation, frozen_time: Clock
) -> None:
    """It was held, so nobody is asked to hold it again; unless the notice is withdrawn."""
    renew(renewing, frozen_time)
    hold(renewing, outcome=Outcome.END, reason="The project is over.", next_on=None)
    assert gate(renewing) is lifecycle.GateState.NOT_MET
    notice = give(renewing, "henrik", NoticeKind.ENDED)
    assert gate(renewing) is lifecycle.GateState.MET
    samira, nadia = (renewing.country.browser(app, first) for first in ("samira", "nadia"))
    page = samira.page(f"/cooperations/{renewing.cooperation.reference}")
    last_day = as_date(notice.from_on - DAY)
    assert f"The agreement ends on {last_day}. Nothing to do." in page.text
    assert "Start the review" not in page.links()
    assert "Hold the review" not in samira.page("/").links()
    assert "Review overdue 1" not in nadia.page("/register").text
    reason = "We found other funds."
    notices.close_notice(renewing["henrik"], renewing.checklist(), notice.id, reason=reason)
    renewing.session.commit()
    assert gate(renewing) is lifecycle.GateState.NOT_MET
    page = samira.page(f"/cooperations/{renewing.cooperation.reference}")
    assert "Start the review" in page.links()
    assert "Hold the review" in samira.page("/").links()
    assert "Review overdue 1" in nadia.page("/register").text
    assert integrity.check_all().finding is None


def test_nobody_is_reminded_of_another_review_after_an_early_one_decided_to_end(
    app: Flask, renewing: Negotiation, frozen_time: Clock
) -> None:
    """Before the review day as after it; unless the notice is withdrawn."""
    review_on = cooperation(renewing).review_on
    assert review_on is not None
    go_to(frozen_time, review_on - (REMINDER + 3) * DAY)
    hold(renewing, outcome=Outcome.END, reason="The project is over.", next_on=None)
    notice = give(renewing, "henrik", NoticeKind.ENDED)
    go_to(frozen_time, review_on - REMINDER * DAY)
    due.remind_of_dates(clock.today())
    assert mailed(renewing, "review_near") == []
    samira = renewing.country.browser(app, "samira")
    ends, reviewed = as_date(notice.from_on - DAY), as_date(review_on)
    page = samira.page(f"/cooperations/{renewing.cooperation.reference}")
    assert f"The agreement ends on {ends}. Nothing to do." in page.text
    assert reviewed not in page.text
    listed = samira.page(f"/cooperations/{renewing.cooperation.reference}/reviews")
    assert f"The parties decided to end the agreement. Its last day is {ends}." in listed.text
    assert reviewed not in listed.text
    reason = "We found other funds."
    notices.close_notice(renewing["henrik"], renewing.checklist(), notice.id, reason=reason)
    due.remind_of_dates(clock.today())
    renewing.session.commit()
    assert "samira" in mailed(renewing, "review_near")
    page = samira.page(f"/cooperations/{renewing.cooperation.reference}")
    assert f"Due on {reviewed}." in page.text


def test_a_closed_cooperation_has_no_review_ahead(
    app: Flask, renewing: Negotiation, frozen_time: Clock
) -> None:
    review_on = cooperation(renewing).review_on
    assert review_on is not None
    notice = give(renewing, "henrik", NoticeKind.ENDED)
    go_to(frozen_time, notice.from_on)
    due.carry_out_due(clock.today())
    assert cooperation(renewing).stage is Stage.CLOSED
    assert review_on > clock.today()
    samira = renewing.country.browser(app, "samira")
    for path in ("", "/reviews"):
        page = samira.page(f"/cooperations/{renewing.cooperation.reference}{path}")
        assert as_date(review_on) not in page.text


def test_a_review_is_due_under_notice_unless_the_last_one_decided_to_end_these_terms(
    renewing: Negotiation, frozen_time: Clock
) -> None:
    renew(renewing, frozen_time)
    notice = give(renewing, "henrik", NoticeKind.ENDED)
    assert gate(renewing) is lifecycle.GateState.NOT_MET
    hold(renewing, outcome=Outcome.END, reason="The project is over.", next_on=None)
    assert gate(renewing) is lifecycle.GateState.MET
    reason = "We found other funds."
    notices.close_notice(renewing["henrik"], renewing.checklist(), notice.id, reason=reason)
    frozen_time(clock.now() + DAY)
    amend(renewing, "M2", objectives="Other aims.")
    give(renewing, "henrik", NoticeKind.ENDED)
    assert gate(renewing) is lifecycle.GateState.NOT_MET
