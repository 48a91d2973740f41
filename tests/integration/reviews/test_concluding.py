"""A review that the NPM concludes without a party that never confirms it (G6, S7)."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY
from tests.integration.agreements.test_signers import mailed
from tests.integration.reviews.conftest import (
    Clock,
    begin_review,
    confirm,
    cooperation,
    hold,
    review_of,
    save,
    saved,
    written,
)
from tests.integration.reviews.test_acting_for_two_parties import on_cooperation
from tests.integration.reviews.test_pages import address, browser, page
from tests.integration.reviews.test_service import change, g5_is_open, stage
from tests.pages import Page
from tests.services import put
from tracker.access.page_tokens import NotShownError
from tracker.agreements import joining
from tracker.cooperations.models import Stage
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.reviews import pages, policy, queries, records, service
from tracker.reviews.models import Outcome
from tracker.ui.tasks import OTHERS, YOURS

# Its day begins half a day before that of UTC.
EAST = ZoneInfo("Pacific/Auckland")
REASON = "They haven't answered since the summer."


@pytest.fixture
def silent(active: Negotiation, frozen_time: Clock) -> Negotiation:
    """An overdue review that the NPM and Open Door confirmed; Lantern neither came nor answered."""
    hold(active, next_on=clock.today() + DAY)
    frozen_time(clock.now() + 2 * DAY)
    begin_review(active)
    save(active, "samira", record(active), number=2)
    confirm(active, "tomas", "henrik", number=2)
    return active


def record(negotiation: Negotiation, **values: object) -> records.Record:
    whole = written(negotiation, next_on=clock.today() + 90 * DAY, **values)
    lantern = negotiation.country.id("lantern")
    came = tuple(person for person in whole.people if person.organisation_id != lantern)
    return replace(whole, people=came, absent=(lantern,))


def wait(frozen_time: Clock, time: dt.timedelta = policy.TIME_TO_CONFIRM) -> None:
    frozen_time(clock.now() + time)


def conclude(negotiation: Negotiation, first: str, reason: str = REASON, number: int = 2) -> None:
    shown = service.page_with(review_of(negotiation, number))
    service.conclude_without(
        negotiation[first], negotiation.cooperation, number, reason=reason, page=shown
    )
    negotiation.session.commit()


def my_task(negotiation: Negotiation, app: Flask, first: str) -> str:
    with app.test_request_context():
        (task,) = pages.my_tasks(negotiation[first])
        return f"{task.label}: {task.state}"


def test_a_party_that_says_nothing_holds_up_no_visits_for_good(
    app: Flask, silent: Negotiation, frozen_time: Clock
) -> None:
    lantern = silent.country.organisations["lantern"].name
    free_on = clock.today() + policy.TIME_TO_CONFIRM
    announced = page(app, silent, "otto", "/2")
    assert f"the NPM can conclude this review without {lantern}" in announced.text
    assert free_on.strftime("%-d %B %Y") in announced.text
    assert address(silent, "/2/conclude") not in announced.links().values()
    page(app, silent, "tomas", "/2/conclude", 403)
    assert not g5_is_open(silent)

    wait(frozen_time)
    assert "Conclude the review" not in page(app, silent, "otto", "/2").text
    client = browser(app, silent, "tomas")
    assert "Conclude the review" in client.page("/").text
    assert client.page(address(silent, "/2")).links()["Conclude the review"]
    question = client.page(address(silent, "/2/conclude"))
    assert f"{lantern}, asked on" in question.text
    empty = Page.of(client.submit(address(silent, "/2/conclude"), reason=""))
    assert review_of(silent, 2).is_open
    data = empty.form().filled_in(reason=REASON)
    client.post(address(silent, "/2/conclude"), data=data, csrf=False)
    concluded = client.page(address(silent, "/2"))
    assert f"Concluded without the confirmation of {lantern}: {REASON}" in concluded.text
    assert "All parties have confirmed" not in concluded.text
    assert "Did not confirm" in concluded.text

    again = client.post(address(silent, "/2/conclude"), data=data, csrf=False)
    assert again.status_code == 403
    assert "This review is over." in Page.of(again).text
    (event,) = silent.events("review_concluded_without")
    assert (event["parties"], event["reason"]) == ([lantern], REASON)
    assert len(silent.events("review_concluded")) == 2
    assert stage(silent) is Stage.ACTIVE
    assert g5_is_open(silent)
    history = client.page(f"/cooperations/{silent.cooperation.reference}/history").text
    assert f"concluded review 2 without the confirmation of {lantern}. Reason: {REASON}" in history
    assert "All parties confirmed" not in history
    assert {"joana", "otto", "samira", "henrik", "ilena"} <= set(mailed(silent, "review_concluded"))


def test_the_trail_holds_a_review_concluded_without_a_party(
    silent: Negotiation, frozen_time: Clock
) -> None:
    terms = silent.checklist().revision_in_force_id
    wait(frozen_time)
    conclude(silent, "tomas")
    assert cooperation(silent).review_on == saved(silent, 2).next_on
    assert silent.checklist().revision_in_force_id == terms
    assert integrity.check_all().finding is None
    begin_review(silent, "joana")
    assert stage(silent) is Stage.UNDER_REVIEW


def test_it_is_refused_a_day_early_and_without_a_reason(
    silent: Negotiation, frozen_time: Clock
) -> None:
    wait(frozen_time, policy.TIME_TO_CONFIRM - DAY)
    with pytest.raises(RefusedError, match="30 days"):
        conclude(silent, "tomas")
    silent.session.rollback()
    wait(frozen_time, DAY)
    with pytest.raises(RuleBrokenError, match="Give the reason"):
        conclude(silent, "tomas", "  ")
    silent.session.rollback()
    with pytest.raises(RuleBrokenError, match="at most"):
        conclude(silent, "tomas", "x" * (service.MAX_TEXT + 1))
    silent.session.rollback()
    with pytest.raises(RefusedError, match="of the NPM"):
        conclude(silent, "henrik")


def test_a_new_version_is_confirmed_and_waited_for_again(
    app: Flask, silent: Negotiation, frozen_time: Clock
) -> None:
    wait(frozen_time)
    client = browser(app, silent, "tomas")
    stale = client.page(address(silent, "/2/conclude")).form().filled_in(reason=REASON)
    shown = service.page_with(review_of(silent, 2))
    save(silent, "samira", record(silent, other_points="One thing more."), version=1, number=2)
    refused = client.post(address(silent, "/2/conclude"), data=stale, csrf=False)
    assert refused.status_code == 403
    assert "Your organisation has to confirm" in Page.of(refused).text
    assert REASON in Page.of(refused).form().filled_in()["reason"]
    confirm(silent, "tomas", number=2)
    with pytest.raises(RefusedError, match="30 days"):
        conclude(silent, "tomas")
    silent.session.rollback()
    wait(frozen_time)
    for unseen in (shown, None):
        with pytest.raises(NotShownError):
            service.conclude_without(
                silent["tomas"], silent.cooperation, 2, reason=REASON, page=unseen
            )
        silent.session.rollback()
    client = browser(app, silent, "tomas")
    fresh = client.page(address(silent, "/2/conclude")).form().filled_in(reason=REASON)
    data = fresh | {"page": stale["page"]}
    changed = Page.of(client.post(address(silent, "/2/conclude"), data=data, csrf=False))
    assert "The text changed after you opened it" in changed.text
    assert "One thing more." in changed.text
    assert review_of(silent, 2).is_open
    data = changed.form().filled_in()
    assert REASON in data["reason"]
    client.post(address(silent, "/2/conclude"), data=data, csrf=False)
    assert not review_of(silent, 2).is_open


def test_no_day_that_only_a_row_says_brings_the_conclusion_forward(silent: Negotiation) -> None:
    for row in review_of(silent, 2).confirmations:
        change(silent, row, confirmed_at=row.confirmed_at - policy.TIME_TO_CONFIRM)
    with pytest.raises(RuleBrokenError, match="differs from the signatures and the history"):
        conclude(silent, "tomas")
    silent.session.rollback()
    assert review_of(silent, 2).is_open


def test_a_record_that_no_longer_fits_is_changed_first(
    app: Flask, active: Negotiation, frozen_time: Clock
) -> None:
    begin_review(active)
    next_on = clock.today() + policy.TIME_TO_CONFIRM
    save(active, "samira", replace(record(active), next_on=next_on))
    confirm(active, "tomas", "henrik")
    assert "a later day for the next review" in page(app, active, "otto", "/1").text
    wait(frozen_time)
    assert "no longer fits" in page(app, active, "tomas", "/1/conclude").text
    with pytest.raises(RuleBrokenError, match="after today"):
        conclude(active, "tomas", number=1)


@pytest.mark.parametrize("outcome", [Outcome.RENEW, Outcome.AMEND, Outcome.END])
def test_what_changes_or_ends_the_terms_needs_everybody(
    active: Negotiation, frozen_time: Clock, outcome: Outcome
) -> None:
    begin_review(active)
    save(
        active,
        "samira",
        record(
            active,
            outcome=outcome,
            reason="It is time.",
            items=("M2",),
            ends_on=clock.today() + 300 * DAY,
        ),
    )
    confirm(active, "tomas", "henrik")
    wait(frozen_time)
    with pytest.raises(RefusedError, match="all parties have to confirm"):
        conclude(active, "tomas", number=1)


def test_the_days_are_those_of_the_npm_and_a_later_party_has_as_many(
    app: Flask, silent: Negotiation
) -> None:
    put(app, clock.ZONE.holding(EAST))
    head, review = cooperation(silent), review_of(silent, 2)
    evening = dt.datetime.combine(clock.today(), dt.time(20), dt.UTC)
    for row in review.confirmations:
        row.confirmed_at = evening
    assert queries.record_state(head, review).asked_on == evening.date() + DAY
    (party,) = [p for p in head.parties if p.organisation_id == silent.country.id("lantern")]
    party.joined_at = evening + 3 * DAY
    assert queries.record_state(head, review).asked_on == evening.date() + 4 * DAY
    silent.session.rollback()


def test_a_body_that_is_joining_neither_concludes_nor_is_waited_for(
    silent: Negotiation, frozen_time: Clock
) -> None:
    joining.add(
        silent["ilena"], cooperation(silent), silent.country.id("bridge"), reason="They asked."
    )
    silent.session.commit()
    wait(frozen_time)
    head = cooperation(silent)
    fact = queries.fact(head, silent.checklist(), review_of(silent, 2))
    assert fact.missing == (silent.country.organisations["lantern"].name,)
    with pytest.raises(RefusedError):
        conclude(silent, "marek")
    silent.session.rollback()
    conclude(silent, "tomas")


def test_only_who_may_conclude_it_has_the_task(
    app: Flask, silent: Negotiation, frozen_time: Clock
) -> None:
    assert my_task(silent, app, "tomas") == "Confirm the record of the review: Waiting for others"
    wait(frozen_time)
    assert my_task(silent, app, "tomas") == "Conclude the review: Waiting for you"
    assert my_task(silent, app, "henrik") == "Confirm the record of the review: Waiting for others"
    assert my_task(silent, app, "otto") == "Confirm the record of the review: Waiting for you"
    assert on_cooperation(silent, app, silent["tomas"]) == YOURS
    assert on_cooperation(silent, app, silent["henrik"]) == OTHERS


@pytest.mark.parametrize(
    ("first", "status"),
    [
        ("tomas", 200),
        ("ilena", 403),
        ("otto", 403),
        ("leyla", 403),
        ("petra", 403),
        ("ada", 403),
        ("marek", 404),
        ("vesna", 404),
    ],
)
def test_who_opens_the_page(
    app: Flask, silent: Negotiation, frozen_time: Clock, first: str, status: int
) -> None:
    wait(frozen_time)
    page(app, silent, first, "/2/conclude", status)
