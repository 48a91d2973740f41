"""The pages of reviews: begin, write, confirm, call off; who opens them, and what they show."""

import re
from typing import Any

import pytest
from flask import Flask

from tests.client import CheckedClient
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, DAYS
from tests.integration.agreements.notices.test_notices import give
from tests.integration.reviews.conftest import (
    BOSSES,
    LATE,
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
from tests.pages import Page
from tracker.checklists.models import ChecklistState, NoticeKind
from tracker.cooperations.models import Stage
from tracker.core import clock
from tracker.reviews.models import Outcome, Verdict

MOST_STATEMENTS = 15


def address(negotiation: Negotiation, rest: str = "") -> str:
    return f"/cooperations/{negotiation.cooperation.reference}/reviews{rest}"


def browser(app: Flask, negotiation: Negotiation, first: str) -> CheckedClient:
    negotiation.session.commit()
    return negotiation.country.browser(app, first)


def page(
    app: Flask, negotiation: Negotiation, first: str, rest: str = "", status: int = 200
) -> Page:
    return browser(app, negotiation, first).page(address(negotiation, rest), status)


def submit(app: Flask, negotiation: Negotiation, first: str, rest: str, **fields: Any) -> Page:
    return Page.of(browser(app, negotiation, first).submit(address(negotiation, rest), **fields))


def test_an_overdue_review_is_begun_from_the_page_of_the_cooperation(
    app: Flask, active: Negotiation, frozen_time: Clock
) -> None:
    frozen_time(clock.now() + LATE)
    client = browser(app, active, "samira")
    shown = client.page(f"/cooperations/{active.cooperation.reference}")
    assert shown.links()["Start the review"] == address(active)
    reason = "The review is overdue. No new visit can be planned before it."
    assert shown.links()[reason] == address(active)
    assert "Hold the review" in client.page("/").text
    listed = client.page(address(active)).text
    assert "Until it's held, no new visit can be planned." in listed
    assert "Next review" not in listed
    begun = Page.of(client.submit(address(active)))
    assert "The review has started." in begun.text
    assert "Fewer strip searches." in begun.text


def test_the_record_is_written_beside_what_was_promised_and_confirmed(
    app: Flask, active: Negotiation
) -> None:
    begin_review(active)
    people = [
        f"{active.country.users[first].id}:{active.country.id(key)}"
        for first, key in (("ilena", "npm"), ("samira", "door"), ("joana", "lantern"))
    ]
    shown = submit(
        app,
        active,
        "ilena",
        "/1/write",
        held_on=clock.today().isoformat(),
        people=people,
        verdict_M2="partly",
        words_M2="Only in two prisons.",
        outcome="go_on",
        next_on=(clock.today() + 50 * DAY).isoformat(),
    )
    assert "The record is saved." in shown.text
    assert "Partly kept" in shown.text
    assert "Only in two prisons." in shown.text
    assert saved(active).results["M2"].verdict is Verdict.PARTLY
    assert "Confirm this record" not in shown.text
    shown = page(app, active, "ilena", "/1")
    for first in BOSSES:
        shown = Page.of(browser(app, active, first).submit(address(active, "/1")))
        assert active.country.users[first].name in shown.text
    assert "All parties have confirmed the record." in shown.text
    assert not review_of(active).is_open
    history = browser(app, active, "ilena").page(
        f"/cooperations/{active.cooperation.reference}/history"
    )
    assert "Outcome: Continue unchanged." in history.text


def test_after_a_decision_to_renew_the_page_says_what_comes_next(
    app: Flask, active: Negotiation
) -> None:
    begin_review(active)
    save(
        active,
        "samira",
        written(
            active,
            outcome=Outcome.RENEW,
            reason="It goes well.",
            ends_on=clock.today() + 900 * DAY,
            next_on=clock.today() + 400 * DAY,
        ),
    )
    confirm(active, *BOSSES)
    shown = page(app, active, "samira", "/1")
    assert "Next, agree and sign the amendment of the terms." in shown.text
    assert "Until everyone has signed it, the terms stay as they are." in shown.text
    assert "Open the terms" in shown.links()
    # Once the amendment is settled, nothing is to be signed because of this review.
    active.checklist().state = ChecklistState.IN_FORCE
    active.session.commit()
    settled = page(app, active, "samira", "/1")
    assert "All parties have confirmed this record." in settled.text
    assert "Next, agree and sign" not in settled.text


def test_the_record_says_that_nobody_of_a_party_took_part(app: Flask, active: Negotiation) -> None:
    begin_review(active)
    save(active, "samira", written(active))
    lantern = active.country.organisations["lantern"]
    client = browser(app, active, "samira")
    form = client.page(address(active, "/1/write")).form()
    contradicting = form.filled_in(absent=[str(lantern.id)])
    shown = Page.of(client.post(address(active, "/1/write"), data=contradicting, csrf=False))
    assert f"You named people of {lantern.name}." in shown.text
    assert saved(active).absent == ()
    coming = [key for key in contradicting["people"] if not key.endswith(str(lantern.id))]
    shown = submit(app, active, "samira", "/1/write", people=coming, absent=[str(lantern.id)])
    assert f"Nobody of {lantern.name} took part" in shown.text
    assert "Confirm this record" in page(app, active, "otto", "/1").text
    assert saved(active).absent == (lantern.id,)


def test_the_record_says_what_is_missing(app: Flask, active: Negotiation) -> None:
    begin_review(active)
    shown = submit(app, active, "samira", "/1/write", other_points="It rained.")
    for words in (
        "Enter the day on which the review was held.",
        "Say how this went: Objectives.",
        "Choose how you'll go on.",
    ):
        assert words in shown.text


def test_a_record_asks_for_a_new_start_only_once_the_terms_have_run_out(
    app: Flask, active: Negotiation, frozen_time: Clock
) -> None:
    begin_review(active)
    assert "starts_on" not in page(app, active, "samira", "/1/write").form().filled_in()
    frozen_time(clock.now() + (DAYS + 1) * DAY)
    assert "starts_on" in page(app, active, "samira", "/1/write").form().filled_in()


def test_two_who_save_at_once_see_both(app: Flask, active: Negotiation) -> None:
    begin_review(active)
    late = browser(app, active, "ilena")
    form = late.page(address(active, "/1/write")).form()
    save(active, "samira", written(active, other_points="By Samira."))
    data = form.filled_in(other_points="By Ilena.")
    shown = Page.of(late.post(address(active, "/1/write"), data=data, csrf=False))
    assert "By Samira." in shown.text
    assert "By Ilena." in shown.text
    assert saved(active).other_points == "By Samira."
    Page.of(late.post(address(active, "/1/write"), data=shown.form().filled_in(), csrf=False))
    assert saved(active).other_points == "By Ilena."


def test_a_record_that_changed_on_the_way_is_shown_and_not_confirmed(
    app: Flask, active: Negotiation
) -> None:
    begin_review(active)
    save(active, "samira", written(active))
    client = browser(app, active, "tomas")
    form = client.page(address(active, "/1")).form()
    save(active, "ilena", written(active, other_points="One thing more."), version=1)
    shown = Page.of(client.post(address(active, "/1/confirm"), data=form.filled_in(), csrf=False))
    assert "The text changed after you opened it" in shown.text
    assert "One thing more." in shown.text
    assert review_of(active).confirmations == []


def test_the_page_of_another_person_confirms_nothing(app: Flask, active: Negotiation) -> None:
    begin_review(active)
    save(active, "samira", written(active))
    page_of_henrik = page(app, active, "henrik", "/1").form().filled_in()
    client = browser(app, active, "tomas")
    own = client.page(address(active, "/1")).form().filled_in()
    own["page"] = page_of_henrik["page"]
    client.post(address(active, "/1/confirm"), data=own, csrf=False)
    assert review_of(active).confirmations == []


def test_a_decision_to_end_leads_to_the_notice(app: Flask, active: Negotiation) -> None:
    hold(active, outcome=Outcome.END, reason="The project is over.", next_on=None)
    shown = page(app, active, "henrik", "/1")
    assert shown.links()["Give notice of the end"] == f"/checklists/{active.checklist().id}/end"


def test_until_notice_is_given_the_list_offers_it_to_signatories_only(
    app: Flask, active: Negotiation
) -> None:
    """The task to give notice leads there; another review is the exception then."""
    hold(active, outcome=Outcome.END, reason="The project is over.", next_on=None)
    notice = "Give notice of the end"
    shown = page(app, active, "henrik")
    assert shown.links()[notice] == f"/checklists/{active.checklist().id}/end"
    assert "Next review" not in shown.text
    assert "can start a review" not in shown.text
    for rest in ("", "/1"):
        assert notice not in page(app, active, "samira", rest).links()
    shown = page(app, active, "samira")
    assert "Waiting for a signatory to give notice of the end." in shown.text
    assert "Start the review" not in shown.text
    assert "Start another review" in shown.text
    begin_review(active)
    for rest in ("", "/1"):
        assert notice not in page(app, active, "henrik", rest).links()


def test_once_notice_is_given_no_page_of_reviews_asks_for_it(
    app: Flask, active: Negotiation
) -> None:
    hold(active, outcome=Outcome.END, reason="The project is over.", next_on=None)
    give(active, "henrik", NoticeKind.ENDED)
    for rest in ("", "/1"):
        assert "Give notice of the end" not in page(app, active, "henrik", rest).links()


def test_nobody_is_asked_for_a_notice_that_was_given_before_all_decided_to_end(
    app: Flask, active: Negotiation
) -> None:
    give(active, "henrik", NoticeKind.ENDED)
    hold(active, outcome=Outcome.END, reason="The project is over.", next_on=None)
    assert cooperation(active).stage is Stage.ACTIVE
    for rest in ("", "/1"):
        assert "Give notice of the end" not in page(app, active, "tomas", rest).links()
    assert "Give notice of the end" not in browser(app, active, "tomas").page("/").text


@pytest.mark.parametrize(("key", "is_mine"), [("henrik", True), ("tomas", True), ("ilena", False)])
def test_after_that_decision_each_signatory_has_the_task_to_give_notice(
    app: Flask, active: Negotiation, key: str, *, is_mine: bool
) -> None:
    hold(active, outcome=Outcome.END, reason="The project is over.", next_on=None)
    client = browser(app, active, key)
    mine, _, others = client.page("/").text.partition("Waiting for others")
    assert "Give notice of the end" in (mine if is_mine else others)
    own = client.page(f"/cooperations/{active.cooperation.reference}")
    state = "Waiting for you" if is_mine else "Waiting for a signatory"
    assert state in own.text.partition("Give notice of the end")[2]


def test_a_review_is_called_off_with_a_reason(app: Flask, active: Negotiation) -> None:
    begin_review(active)
    shown = submit(app, active, "samira", "/1/call-off", reason="Too early.")
    assert "The review is cancelled." in shown.text
    assert "Too early." in page(app, active, "ilena", "/1").text


OPENED = {
    "ilena": (200, 200, 403),
    "samira": (200, 200, 200),
    "joana": (200, 200, 403),
    "nadia": (200, 200, 403),
    "henrik": (200, 403, 403),
    "leyla": (200, 403, 403),
    "dora": (200, 403, 403),
    "petra": (200, 403, 403),
    "ada": (200, 403, 403),
    "marek": (404, 404, 404),
    "vesna": (404, 404, 404),
}


@pytest.mark.parametrize("first", OPENED)
def test_who_opens_record_form_and_calling_off(app: Flask, active: Negotiation, first: str) -> None:
    begin_review(active)
    save(active, "samira", written(active))
    client = browser(app, active, first)
    rests = ("/1", "/1/write", "/1/call-off")
    assert tuple(client.get(address(active, rest)).status_code for rest in rests) == OPENED[first]
    assert client.get(address(active)).status_code == OPENED[first][0]


@pytest.mark.parametrize(
    ("first", "status"), [("leyla", 403), ("ada", 403), ("samira", 403), ("marek", 404)]
)
def test_who_may_not_confirm_is_refused(
    app: Flask, active: Negotiation, first: str, status: int
) -> None:
    begin_review(active)
    save(active, "samira", written(active))
    client = browser(app, active, first)
    answer = client.post(address(active, "/1/confirm"), data={"page": "x"})
    assert answer.status_code == status
    assert review_of(active).confirmations == []


def test_a_review_that_is_not_there_is_not_found(app: Flask, active: Negotiation) -> None:
    page(app, active, "ilena", "/1", 404)
    begin_review(active)
    page(app, active, "ilena", "/2", 404)


@pytest.mark.parametrize("rest", ["", "/1", "/1/write"])
def test_pages_send_few_statements_however_many_versions_there_are(
    app: Flask, active: Negotiation, statements: object, rest: str
) -> None:
    hold(active)
    begin_review(active)
    rest = rest.replace("1", "2")
    for version in range(6):
        save(active, "samira", written(active, other_points=str(version)), version, 2)
    confirm(active, "tomas", "henrik", number=2)
    client = browser(app, active, "ilena")
    client.page(address(active, rest))
    with statements() as sent:  # type: ignore[operator]
        assert client.get(address(active, rest), read=False).status_code == 200
    assert len(sent) <= MOST_STATEMENTS, "\n".join(
        re.sub(r"\s+", " ", statement)[:150] for statement in sent
    )
