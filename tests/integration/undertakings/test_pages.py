"""Pages of undertakings: a person's steps to the end, the NPM's side, other sides, bad input.

In one file: the sections follow one undertaking from the first page to its end, with the same
steps.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask, template_rendered
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories import undertakings
from tests.factories.cooperations import signed_in
from tests.factories.evidence.leaves import shown_on, unseen
from tests.factories.undertakings import DAYS, HARBOUR, PASSWORD, TOLD, Clearing
from tests.integration.dashboard.test_pages import states
from tests.integration.undertakings.conftest import Clock
from tests.pages import Page
from tests.services import put
from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.accounts.models import User
from tracker.accounts.people import invitations
from tracker.accounts.people import service as accounts
from tracker.activity.models import ReadLogEntry
from tracker.cooperations import keys
from tracker.cooperations.models import Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.demo.people import DemoPeople
from tracker.mail.models import OutboxMessage
from tracker.organisations import service as organisations
from tracker.signoff import service as signing
from tracker.signoff.models import Revision, Signature
from tracker.undertakings import encryption, queries, service
from tracker.undertakings.models import InterestsDecision, Undertaking, UndertakingState
from tracker.undertakings.queries import VISIT_READER, VisitChoice

Browser = Callable[[str], CheckedClient]
POINTS = ["c6", "c7", "c8", "c10", "c14", "c15", "c17"]
ALL_OTHERS = [
    "dina",
    "otto",
    "joana",
    "samira",
    "tomas",
    "milan",
    "ilena",
    "greta",
    "iris",
    "celia",
]
NOT_DECIDERS = ["leyla", "otto", "joana", "henrik", "samira", "ilena", "nadia", "marek", "greta"]
OUTSIDE = ["celia", "anton", "iris"]
COMPLETE_LIST = "Complete the list of people who must sign"


@pytest.fixture
def browser(app: Flask, clearing: Clearing) -> Browser:
    return lambda key: clearing.browser(app, key)


def path_of(clearing: Clearing, key: str) -> str:
    return f"/undertakings/{clearing.undertaking(key).id}"


def test_a_session_that_ended_shows_what_was_declared_and_leads_back_to_the_form(
    clearing: Clearing, app: Flask
) -> None:
    """Before, it showed boxes as "Text 1: y", and led to My work."""
    path = path_of(clearing, "leyla")
    sent = {
        "c6_confirmed": "y",
        "briefed": "y",
        "briefed_on": "2026-11-20",
        "has_interests": "declared",
        "interests": TOLD,
        "csrf_token": "of a session that ended",
    }
    headers = {"Origin": "http://localhost", "Referer": f"http://localhost{path}"}
    answer = CheckedClient(app).post(path, data=sent, headers=headers)
    page = Page.of(answer)
    assert page.h1 == "Your session ended before this was sent"
    assert f"What you declare {TOLD}" in page.text
    assert "Date of the briefing 2026-11-20" in page.text
    assert "Text 1" not in page.text
    assert "declared" not in page.text
    signing_in = f"/sign-in?next={path.replace('/', '%2F')}"
    assert signing_in in page.addresses()


def page_of(clearing: Clearing) -> str:
    return f"/cooperations/{clearing.cooperation.reference}"


def test_whoever_waits_for_the_npm_reads_that_on_the_page_of_the_cooperation(
    clearing: Clearing, browser: Browser
) -> None:
    """Before, the page named nothing of theirs: it could say that there was nothing to do."""
    own = "Your undertaking of confidentiality"
    waiting = f"{own}Signed, waiting for the NPM"
    assert own not in browser("leyla").page(page_of(clearing)).text
    clearing.sign("leyla", TOLD)
    db.session.commit()
    page = browser("leyla").page(page_of(clearing))
    assert waiting in page.text
    assert page.links()[own] == path_of(clearing, "leyla")
    for key in ("samira", "joana", "tomas"):
        assert own not in browser(key).page(page_of(clearing)).text, key
    clearing.decide("leyla")
    db.session.commit()
    assert waiting in browser("leyla").page(page_of(clearing)).text
    clearing.countersign("leyla")
    db.session.commit()
    assert own not in browser("leyla").page(page_of(clearing)).text


def test_nobody_waits_for_the_npm_once_it_has_asked_for_somebody_else(
    clearing: Clearing, browser: Browser
) -> None:
    clearing.sign("leyla", TOLD)
    clearing.decide("leyla", InterestsDecision.REPLACE, "Too close.", None)
    db.session.commit()
    text = browser("leyla").page(page_of(clearing)).text
    assert "Your undertaking of confidentialitySomebody else will replace them" not in text
    assert "Signed, waiting for the NPM" not in text


def list_of(clearing: Clearing) -> str:
    return f"/cooperations/{clearing.cooperation.reference}/undertakings"


def check_of(clearing: Clearing, key: str) -> str:
    return f"{list_of(clearing)}/{clearing.undertaking(key).id}"


def filled_in(interests: str = "", **changed: object) -> dict[str, Any]:
    return {
        "briefed": "y",
        "briefed_on": clock.today().isoformat(),
        "has_interests": "declared" if interests else "none",
        "interests": interests,
        **{f"{code}_confirmed": "y" for code in POINTS},
        "c6_rights_first": "y",
        **changed,
    }


def go_on(client: CheckedClient, path: str, interests: str = "", **changed: object) -> TestResponse:
    return client.submit(path, **filled_in(interests, **changed), later=None, go="on")


def prove_and_sign(
    client: CheckedClient, clearing: Clearing, path: str, key: str = "leyla"
) -> TestResponse:
    code = clearing.code(key)
    return client.submit(f"{path}/sign", password=PASSWORD, code=code)


def text(response: TestResponse) -> str:
    return Page.of(response).text


def next_code(frozen_time: Clock) -> None:
    """Let half a minute pass, so that the app shows a new code."""
    frozen_time(clock.now() + dt.timedelta(seconds=31))


# The person's path -----------------------------------------------------------------------------


def test_a_person_reads_why_declares_confirms_and_signs_only_what_the_page_says(
    browser: Browser, clearing: Clearing
) -> None:
    path = path_of(clearing, "leyla")
    client = browser("leyla")
    page = client.page(path)
    for words in ("Why you are asked", "What it covers", "All work until", "Tell Ilena Dorvath"):
        assert words in page.text
    assert "10 years after the cooperation ends" in page.text
    assert "within 2 hours" in page.text
    assert "What the NPM has to guard" in page.text or "Explain what the NPM" in page.text
    response = go_on(client, path, TOLD)
    assert response.request.path == f"{path}/sign"
    confirm = Page.of(response)
    assert "I, Leyla Marchetti, have read revision 1" in confirm.text
    assert TOLD in confirm.text
    done = prove_and_sign(client, clearing, path)
    assert "You have signed" in text(done)
    assert TOLD in text(done)
    undertaking = clearing.undertaking("leyla")
    assert undertaking.state is UndertakingState.SIGNED
    signature = db.session.scalars(
        sa.select(Signature).where(Signature.revision_id == undertaking.revision_id)
    ).one()
    assert signature.sentence in confirm.text
    assert unseen_before_signing(clearing, confirm) == []


def unseen_before_signing(clearing: Clearing, confirm: Page) -> list[str]:
    """Return what Leyla signed without having seen it on the page."""
    revision = db.session.get_one(Revision, clearing.undertaking("leyla").revision_id)
    document = signing.document_of(revision, keys.key_of(revision.cooperation_id))
    # The time of signing isn't known in advance.
    del document["frozen_at"]
    return unseen(document, shown_on(confirm), "en", "en")


def test_nothing_declared_is_signed_too(browser: Browser, clearing: Clearing) -> None:
    path = path_of(clearing, "leyla")
    client = browser("leyla")
    confirm = Page.of(go_on(client, path))
    done = text(prove_and_sign(client, clearing, path))
    assert "You have signed" in done
    assert "Nothing declared" in done
    assert clearing.undertaking("leyla").has_interests is False
    assert unseen_before_signing(clearing, confirm) == []


def test_a_missing_value_shows_an_error_and_the_input_is_kept(
    browser: Browser, clearing: Clearing
) -> None:
    path = path_of(clearing, "leyla")
    response = go_on(
        browser("leyla"), path, TOLD, c7_confirmed=None, c15_confirmed=None, briefed_on=""
    )
    assert response.status_code == 200
    page = Page.of(response)
    assert page.title.startswith("Problem")
    for words in (
        "Confirm “Silence, even within my own organisation”",
        "Confirm “Media and public statements”",
        "Enter the date of the briefing",
    ):
        assert words in page.text
    assert "Confirm “Permitted purpose" not in page.text
    assert "Confirm point" not in page.text
    values = page.form().values
    assert values["interests"] == [TOLD]
    assert values["has_interests"] == ["declared"]
    assert values["c6_confirmed"] == ["y"]
    assert "c7_confirmed" not in values
    # Nothing is half saved.
    assert clearing.undertaking("leyla").sealed_draft is None


def test_each_wrong_answer_gets_its_message(browser: Browser, clearing: Clearing) -> None:
    client, path = browser("leyla"), path_of(clearing, "leyla")
    form = client.page(path).form()
    tomorrow = (clock.today() + dt.timedelta(days=1)).isoformat()
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"briefed": None}, "Confirm that you had the briefing"),
        ({"briefed_on": "2999-01-01"}, "Enter a year"),
        ({"briefed_on": "31 February"}, "Enter a date"),
        ({"briefed_on": tomorrow}, "is in the future"),
        ({"has_interests": None}, "Say whether you have anything to declare"),
        ({"has_interests": "perhaps"}, "Choose one of the answers offered"),
        ({"has_interests": "declared", "interests": ""}, "Write what you declare"),
        ({"has_interests": "none", "interests": "A cousin."}, "You chose that there is nothing"),
        ({"has_interests": "declared", "interests": "x" * 5001}, "at most 5000 characters"),
    )
    for changed, words in cases:
        sent = form.filled_in(**filled_in(**changed), later=None, go="on")
        response = client.open(path, method="POST", data=sent, csrf=False, follow_redirects=True)
        assert response.request.path == path, words
        assert words in text(response)
        assert clearing.undertaking("leyla").sealed_draft is None, words


def test_a_person_who_comes_back_later_finds_their_draft(
    browser: Browser, clearing: Clearing
) -> None:
    path = path_of(clearing, "leyla")
    client = browser("leyla")
    response = client.submit(
        path, has_interests="declared", interests=TOLD, c8_confirmed="y", go=None, later="yes"
    )
    assert response.request.path == "/undertakings"
    assert "Your draft is kept" in text(response)
    values = client.page(path).form().values
    assert values["interests"] == [TOLD]
    assert values["c8_confirmed"] == ["y"]
    assert "c6_confirmed" not in values
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED


def test_a_draft_too_long_is_not_kept_and_not_lost(browser: Browser, clearing: Clearing) -> None:
    response = browser("leyla").submit(
        path_of(clearing, "leyla"), interests="x" * 5001, go=None, later="yes"
    )
    page = Page.of(response)
    assert "at most 5000 characters" in page.text
    assert page.form().values["interests"] == ["x" * 5001]
    assert clearing.undertaking("leyla").sealed_draft is None


def test_hostile_text_is_shown_as_text(browser: Browser, clearing: Clearing) -> None:
    path = path_of(clearing, "leyla")
    client = browser("leyla")
    hostile = "<script>alert(1)</script> {{ 7 * 7 }} \u202eabc"
    response = go_on(client, path, hostile)
    assert "<script>alert(1)" not in response.text.replace("&lt;", "<x")
    assert "{{ 7 * 7 }}" in text(response)
    done = prove_and_sign(client, clearing, path)
    assert "{{ 7 * 7 }}" in text(done)


def test_the_signing_page_opens_once_everything_is_filled_in(
    browser: Browser, clearing: Clearing
) -> None:
    path = path_of(clearing, "leyla")
    client = browser("leyla")
    for response in (
        client.get(f"{path}/sign", follow_redirects=True),
        client.post(
            f"{path}/sign",
            data={"password": PASSWORD, "code": clearing.code("leyla")},
            follow_redirects=True,
        ),
    ):
        assert response.request.path == path
        assert "Fill in and confirm each point first" in text(response)
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED


def test_a_recommended_briefing_may_be_left_out(app: Flask, demo_people: DemoPeople) -> None:
    other = undertakings.clearing(
        demo_people, modes=(Mode.INFO_F,), questions={"personal_data": "no"}
    )
    path = path_of(other, "leyla")
    client = other.browser(app, "leyla")
    assert "recommended here, but not required" in client.page(path).text
    values = filled_in(briefed=None, briefed_on="")
    values.pop("c14_confirmed")
    response = client.submit(path, **values, go="on", later=None)
    assert response.request.path == f"{path}/sign"
    assert "No briefing was held" in text(response)


# Proof of identity -----------------------------------------------------------------------------


def test_without_the_right_password_and_code_nothing_is_signed(
    browser: Browser, clearing: Clearing
) -> None:
    path = path_of(clearing, "leyla")
    client = browser("leyla")
    go_on(client, path, TOLD)
    form = client.page(f"{path}/sign").form()

    def refused(**proof: str) -> tuple[Page, str]:
        sent = form.filled_in(**proof)
        response = client.open(f"{path}/sign", method="POST", data=sent, csrf=False)
        assert clearing.undertaking("leyla").state is UndertakingState.ASKED, proof
        return Page.of(response), response.text

    page, html = refused(password="not the one", code=clearing.code("leyla"))
    assert "That isn't your password" in page.text
    assert "I, Leyla Marchetti, have read revision 1" in page.text
    assert TOLD in page.text
    assert "not the one" not in html
    for code in ("000000", "12", "abcdef", "9" * 500):
        page, _html = refused(password=PASSWORD, code=code)
        assert page.title.startswith("Problem"), code
    page, _html = refused()
    assert "Enter your password" in page.text
    assert "Enter the six-digit code" in page.text
    # What was entered is still there, and can be signed with the right password.
    assert "You have signed" in text(prove_and_sign(client, clearing, path))


def test_a_code_signs_only_once(browser: Browser, clearing: Clearing, frozen_time: Clock) -> None:
    frozen_time(clock.now())
    clearing.list_people("npm", "marek", "tomas")
    for key in ("leyla", "otto"):
        clearing.sign(key)
    client = browser("tomas")
    code = clearing.code("tomas")
    first = client.submit(clearing.countersigning("leyla"), password=PASSWORD, code=code)
    assert "You have countersigned" in text(first)
    second = client.submit(clearing.countersigning("otto"), password=PASSWORD, code=code)
    assert "already been used" in text(second)
    assert clearing.undertaking("otto").state is UndertakingState.SIGNED
    next_code(frozen_time)
    third = client.submit(
        clearing.countersigning("otto"),
        password=PASSWORD,
        code=clearing.code("tomas"),
    )
    assert "You have countersigned" in text(third)


def test_after_too_many_attempts_one_has_to_wait(browser: Browser, clearing: Clearing) -> None:
    path = path_of(clearing, "leyla")
    client = browser("leyla")
    go_on(client, path)
    sent = client.page(f"{path}/sign").form().filled_in(password="not the one", code="000000")
    for _attempt in range(10):
        client.open(f"{path}/sign", method="POST", data=sent, csrf=False, read=False)
    assert "Too many attempts" in text(prove_and_sign(client, clearing, path))
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED


def test_without_the_token_of_the_form_nothing_is_signed(
    browser: Browser, clearing: Clearing
) -> None:
    path = path_of(clearing, "leyla")
    client = browser("leyla")
    go_on(client, path)
    data = {"password": PASSWORD, "code": clearing.code("leyla")}
    assert client.post(f"{path}/sign", data=data, csrf=False).status_code == 400
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED


# Repeated and stale ----------------------------------------------------------------------------


def test_signing_twice_leaves_one_signature_and_says_so(
    browser: Browser, clearing: Clearing, frozen_time: Clock
) -> None:
    frozen_time(clock.now())
    path = path_of(clearing, "leyla")
    client = browser("leyla")
    go_on(client, path)
    seen = client.page(f"{path}/sign").form().values["page_token"][0]
    data = {"password": PASSWORD, "code": clearing.code("leyla"), "page_token": seen}
    client.post(f"{path}/sign", data=data)
    again = client.post(f"{path}/sign", data=data, follow_redirects=True)
    assert "You have already signed this undertaking" in text(again)
    signed = db.session.scalars(
        sa.select(Signature).where(Signature.user_id == clearing.id("leyla"))
    )
    assert len(signed.all()) == 1
    # The page itself now leads to the record; what is sent again is shown only to its writer.
    assert client.page(path).h1 == "Undertaking of confidentiality"
    again = client.post(path, data={"interests": "More."})
    assert again.status_code == 403
    assert "You have already signed this undertaking" in text(again)
    assert Page.of(again).form().values["interests"] == ["More."]
    assert clearing.undertaking("leyla").sealed_draft is None


def test_a_draft_changed_on_another_page_is_not_signed_unread(
    browser: Browser, clearing: Clearing
) -> None:
    path = path_of(clearing, "leyla")
    first, other = browser("leyla"), browser("leyla")
    go_on(first, path, "A cousin at Lower Harbour.")
    seen = first.page(f"{path}/sign").form().values["page_token"][0]
    go_on(other, path)
    data = {"password": PASSWORD, "code": clearing.code("leyla"), "page_token": seen}
    response = first.post(f"{path}/sign", data=data)
    page = Page.of(response)
    assert "The text changed after you opened it" in page.text
    assert "Nothing" in page.text
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED
    assert "You have signed" in text(prove_and_sign(first, clearing, path))


def test_a_decision_that_changed_after_page_1_is_read_before_countersigning(
    browser: Browser, clearing: Clearing
) -> None:
    clearing.sign("leyla", TOLD)
    clearing.decide("leyla")
    db.session.commit()
    client, page_2 = browser("tomas"), clearing.countersigning("leyla")
    sent = client.page(page_2).form().filled_in(password=PASSWORD, code=clearing.code("tomas"))
    clearing.decide("leyla", InterestsDecision.LIMIT, "Not at Lower Harbour.", by="milan")
    db.session.commit()
    for response in (
        client.post(page_2, data=sent, csrf=False, follow_redirects=True),
        client.get(page_2, follow_redirects=True),
    ):
        page = Page.of(response)
        assert "The text, or a decision on interests, changed after you opened it" in page.text
        assert "Not at Lower Harbour." in page.text
        assert page.where == check_of(clearing, "leyla")
        assert not clearing.is_cleared("leyla")


def test_nobody_countersigns_a_text_that_they_did_not_open(
    browser: Browser, clearing: Clearing
) -> None:
    clearing.sign("leyla")
    db.session.commit()
    client = browser("tomas")
    for page_2 in (
        clearing.countersigning("leyla").partition("&opened")[0],
        clearing.countersigning("leyla", by="milan"),
    ):
        page = Page.of(client.get(page_2, follow_redirects=True))
        assert "We don't know which text you read." in page.text
        assert page.where == check_of(clearing, "leyla")


def test_new_terms_meanwhile_stop_the_signature_and_lead_on(
    browser: Browser, clearing: Clearing, session: Session
) -> None:
    path = path_of(clearing, "leyla")
    client = browser("leyla")
    go_on(client, path, TOLD)
    seen = client.page(f"{path}/sign").form().values["page_token"][0]
    clearing.amend()
    session.commit()
    data = {"password": PASSWORD, "code": clearing.code("leyla"), "page_token": seen}
    response = client.post(f"{path}/sign", data=data, follow_redirects=True)
    assert "new confidentiality terms are in force" in text(response)
    assert (
        db.session.scalars(
            sa.select(Signature).where(Signature.user_id == clearing.id("leyla"))
        ).all()
        == []
    )
    # The new one is pending, with what was declared and nothing confirmed.
    fresh = client.page(path_of(clearing, "leyla"))
    assert fresh.form().values["interests"] == [TOLD]
    assert "c6_confirmed" not in fresh.form().values
    assert path_of(clearing, "leyla") in client.page("/undertakings").addresses()


def test_terms_that_ran_out_are_not_signed(
    browser: Browser, clearing: Clearing, frozen_time: Clock, app: Flask
) -> None:
    path = path_of(clearing, "leyla")
    frozen_time(clock.now() + dt.timedelta(days=DAYS + 1))
    client = browser("leyla")
    page = client.page(path)
    assert "has passed" in page.text
    refused = client.post(path, data=filled_in())
    assert refused.status_code == 403
    assert "has passed" in refused.text
    assert clearing.undertaking("leyla").sealed_draft is None


# The wrong sides -------------------------------------------------------------------------------

OWN_PAGES = ["", "/sign", "/withdraw"]
NPM_PAGES = ["", "/countersign", "/withdraw"]


def test_another_persons_undertaking_does_not_exist(browser: Browser, clearing: Clearing) -> None:
    own = path_of(clearing, "leyla")
    for key in ALL_OTHERS:
        client = browser(key)
        for address in (f"{own}{page}" for page in OWN_PAGES):
            assert client.get(address).status_code == 404, (key, address)
            # The same page again.
            sent = client.post(address, data=filled_in(), read=False)
            assert sent.status_code == 404, (key, address)
        assert clearing.undertaking("leyla").sealed_draft is None, key
        # Those who decide read the terms behind it.
        if key not in {"tomas", "milan"}:
            assert client.get(f"{own}/terms", read=False).status_code == 404, key


def test_a_signed_undertaking_does_not_exist_for_people_who_do_not_decide(
    browser: Browser, clearing: Clearing
) -> None:
    clearing.sign("leyla", TOLD)
    check = check_of(clearing, "leyla")
    data = {"decision": "accept", "reason": "Because.", "password": PASSWORD, "code": "1"}
    for key in (*NOT_DECIDERS, *OUTSIDE):
        client = browser(key)
        for address in (f"{check}{page}" for page in NPM_PAGES):
            assert client.get(address).status_code == 404, (key, address)
            # The same page again.
            assert client.post(address, data=data, read=False).status_code == 404, (key, address)
        assert client.post(f"{check}/again", read=False).status_code == 404, key
        assert clearing.undertaking("leyla").state is UndertakingState.SIGNED, key
        assert clearing.undertaking("leyla").decision is None, key


def test_person_and_deciders_read_the_whole_terms(browser: Browser, clearing: Clearing) -> None:
    for key in ("leyla", "tomas", "milan"):
        page = browser(key).page(f"{path_of(clearing, 'leyla')}/terms")
        assert page.h1 == "Confidentiality"
        assert "revision 1" in page.text
        assert "C16" in page.text


def test_a_stranger_is_sent_to_the_sign_in(client: CheckedClient, clearing: Clearing) -> None:
    db.session.commit()
    for address in ("/undertakings", path_of(clearing, "leyla"), list_of(clearing)):
        response = client.get(address)
        assert response.status_code == 302
        assert "/sign-in" in response.headers["Location"]


def test_unknown_ids_do_not_exist(browser: Browser, clearing: Clearing) -> None:
    for key in ("leyla", "tomas"):
        client = browser(key)
        for wrong in (str(uuid4()), "1", "..", "x" * 300, "%00"):
            assert client.get(f"/undertakings/{wrong}").status_code == 404, wrong
            assert client.get(f"/undertakings/{wrong}/sign").status_code == 404, wrong
            assert client.get(f"{list_of(clearing)}/{wrong}").status_code == 404, wrong
        assert client.get("/cooperations/C-2026-9999/undertakings").status_code == 404, key


def test_an_undertaking_of_another_cooperation_does_not_exist_here(
    app: Flask, clearing: Clearing, demo_people: DemoPeople
) -> None:
    other = undertakings.clearing(demo_people)
    address = f"/cooperations/{clearing.cooperation.reference}/undertakings/"
    address += str(other.undertaking("leyla").id)
    client = clearing.browser(app, "tomas")
    assert client.get(address).status_code == 404
    assert client.get(check_of(other, "leyla")).status_code == 200


def test_another_npm_sees_nothing(app: Flask, clearing: Clearing, session: Session) -> None:
    council = organisations.add(
        None, OrganisationKind.NPM, organisations.Details(name="Prevention Council of Tressia")
    )
    invited = invitations.invite(
        None,
        invitations.NewInvitation(
            email="vesna@tressia.example",
            name="Vesna Hale",
            roles=(Role.SIGNATORY, Role.MANAGER, Role.COORDINATOR),
            organisation_id=council.id,
            power="Act 7",
            office="Head",
        ),
    )
    vesna = invitations.accept(invited.token, name="Vesna Hale", password=PASSWORD, language="en")
    clearing.sign("leyla", TOLD)
    session.commit()
    client = signed_in(app, vesna)
    assert client.get(list_of(clearing)).status_code == 404
    assert client.get(check_of(clearing, "leyla")).status_code == 404
    assert client.get(path_of(clearing, "leyla")).status_code == 404


def test_nobody_decides_on_or_countersigns_their_own(browser: Browser, clearing: Clearing) -> None:
    clearing.list_people("npm", "marek", "tomas")
    clearing.sign("tomas", TOLD)
    client = browser("tomas")
    page = client.page(check_of(clearing, "tomas"))
    assert "Record the decision" not in page.text
    assert "Continue to countersign" not in page.text
    refused = client.post(check_of(clearing, "tomas"), data={"decision": "accept"})
    assert refused.status_code == 403
    assert "your own interests" in text(refused)
    clearing.decide("tomas", by="milan")
    db.session.commit()
    refused = client.get(f"{check_of(clearing, 'tomas')}/countersign")
    assert refused.status_code == 403
    assert "your own" in text(refused)


# Who sees whom on the list ---------------------------------------------------------------------


def names_on(page: Page, clearing: Clearing) -> set[str]:
    return {user.name for user in clearing.demo_people.users.values() if user.name in page.text}


EVERYBODY_ASKED = {
    "Marek Tull",
    "Dina Faro",
    "Henrik Asante",
    "Samira Okell",
    "Joana Pires",
    "Leyla Marchetti",
    "Otto Brandis",
}
LANTERN = {"Joana Pires", "Leyla Marchetti", "Otto Brandis"}


def test_the_npm_and_its_auditor_see_everybody_a_cso_its_own_people_and_others_themselves(
    browser: Browser, clearing: Clearing
) -> None:
    url = list_of(clearing)
    for key in ("ilena", "tomas", "milan", "nadia", "greta"):
        assert names_on(browser(key).page(url), clearing) >= EVERYBODY_ASKED, key
    for key in ("joana", "otto"):
        page = browser(key).page(url)
        assert names_on(page, clearing) == LANTERN, key
        # Of others, the numbers.
        assert "3 people were asked, nobody is cleared." in page.text
        assert "1 person was asked, nobody is cleared." in page.text
    for key, name in (("leyla", "Leyla Marchetti"), ("marek", "Marek Tull")):
        assert names_on(browser(key).page(url), clearing) == {name}
    for key in OUTSIDE:
        assert browser(key).get(url).status_code == 404, key


def test_unlisted_participants_are_named_only_to_their_own_side(
    browser: Browser, clearing: Clearing
) -> None:
    clearing.list_people("lh", "leyla")
    page = browser("joana").page(list_of(clearing))
    assert "Not on the list of people who must sign" in page.text
    assert "Otto Brandis" in page.text
    assert page.links()["See the list of people who must sign"].endswith("?open=C2#c2")
    assert "Not on the list" not in browser("samira").page(list_of(clearing)).text
    assert "Not on the list" in browser("ilena").page(list_of(clearing)).text


def test_an_expert_missing_from_the_list_is_the_task_of_those_who_write_it(
    browser: Browser, clearing: Clearing
) -> None:
    page_url = f"/cooperations/{clearing.cooperation.reference}"
    assert COMPLETE_LIST not in states(browser("ilena").page(page_url))
    clearing.list_people("npm")
    for key in ("leyla", "dina", "samira", "henrik", "joana", "otto"):
        clearing.clear(key)
    page = browser("ilena").page(page_url)
    assert states(page)[COMPLETE_LIST] == "Waiting for you"
    assert "so they get no access: Marek Tull" in page.text
    assert states(page)["Undertaking of each person"] == "In progress"
    assert "Waiting for" in states(browser("greta").page(page_url))[COMPLETE_LIST]
    for outside in ("samira", "marek"):
        seen = states(browser(outside).page(page_url))
        assert COMPLETE_LIST not in seen
        assert seen["Undertaking of each person"] == "In progress"


def test_a_list_that_people_are_missing_from_stands_in_my_work_of_those_who_write_it(
    browser: Browser, clearing: Clearing
) -> None:
    writers = ("ilena", "joana")
    assert not [key for key in writers if COMPLETE_LIST in browser(key).page("/").text]
    clearing.list_people("npm")
    clearing.list_people("lh", "leyla")
    for key, name in zip(writers, ("Marek Tull", "Otto Brandis"), strict=True):
        page = browser(key).page("/")
        assert states(page)[COMPLETE_LIST] == "Waiting for you"
        assert name in page.text.partition("so they get no access: ")[2]
        assert clearing.cooperation.reference in page.text
    # Whoever gets people cleared for the NPM sees that a partner's list is incomplete.
    for key in ("ilena", "milan"):
        waiting = browser(key).page("/").text.partition("Waiting for others")[2]
        assert "Otto Brandis" in waiting
        assert "Waiting for Lantern Health Network" in waiting.partition(COMPLETE_LIST)[2]
    assert "Otto Brandis" not in browser("nadia").page("/").text
    for outside in ("samira", "marek", "leyla", "greta"):
        assert COMPLETE_LIST not in browser(outside).page("/").text, outside


def test_before_the_terms_are_in_force_the_list_says_when_people_are_asked(
    app: Flask, demo_people: DemoPeople
) -> None:
    drafted = undertakings.clearing(demo_people, in_force=False)
    page = drafted.browser(app, "ilena").page(list_of(drafted))
    assert "as soon as all parties have signed" in page.text


def test_the_list_takes_as_many_queries_for_many_as_for_few(
    browser: Browser,
    clearing: Clearing,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    clearing.clear("leyla")
    clearing.list_people("od", "dina")
    clearing.list_people("lh", "leyla")
    client = browser("tomas")
    address = list_of(clearing)

    def count() -> int:
        with statements() as seen:
            client.page(address)
        return len(seen)

    few = count()
    clearing.list_people("od", "dina", "samira", "henrik")
    clearing.list_people("lh", "leyla", "otto", "joana")
    for key in ("dina", "samira", "otto"):
        clearing.clear(key, TOLD)
    db.session.commit()
    assert count() == few


def test_my_undertakings_take_as_many_queries_for_many_as_for_one(
    app: Flask,
    clearing: Clearing,
    demo_people: DemoPeople,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    client = clearing.browser(app, "leyla")

    def count() -> int:
        with statements() as seen:
            client.page("/undertakings")
        return len(seen)

    count_of_one = count()
    undertakings.clearing(demo_people).clear("leyla")
    undertakings.clearing(demo_people).sign("leyla", TOLD)
    db.session.commit()
    assert count() == count_of_one


@pytest.mark.both_databases
def test_my_undertakings_are_shown_25_at_a_time_the_open_one_first(
    browser: Browser, clearing: Clearing
) -> None:
    undertaking = clearing.undertaking("leyla")
    for number in range(30):
        moment = undertaking.asked_at - dt.timedelta(days=number + 1)
        db.session.add(
            Undertaking(
                id=uuid4(),
                cooperation_id=undertaking.cooperation_id,
                user_id=undertaking.user_id,
                organisation_id=undertaking.organisation_id,
                terms_revision_id=undertaking.terms_revision_id,
                state=UndertakingState.CLOSED,
                asked_at=moment,
                closed_at=moment,
                closed_reason="unlisted",
            )
        )
    db.session.commit()
    client = browser("leyla")
    first, last = client.page("/undertakings"), client.page("/undertakings?page=2")
    assert "1 to 25 of 31" in first.text
    assert "26 to 31 of 31" in last.text
    shown = [
        [address for address in page.addresses() if "undertakings/" in address]
        for page in (first, last)
    ]
    assert [len(some) for some in shown] == [25, 6]
    assert shown[0][0] == path_of(clearing, "leyla")
    assert "This list doesn't have that page." in client.page("/undertakings?page=3").text


# The NPM's side --------------------------------------------------------------------------------


def test_the_npm_decides_countersigns_and_opens(browser: Browser, clearing: Clearing) -> None:
    clearing.sign("leyla", TOLD)
    client = browser("tomas")
    check = check_of(clearing, "leyla")
    page = client.page(check)
    assert TOLD in page.text
    assert "Continue to countersign" not in page.text
    # What the page showed has to come from the page.
    mark = service.decision_mark(clearing.undertaking("leyla"))
    limit: dict[str, Any] = {
        "decision": "limit",
        "reach": "named",
        "place": "The Harbour",
        "kind": "",
    }
    made_up = client.submit(check, action="", **limit, reason="No.", seen=mark)
    assert "Somebody decided while you were writing." in text(made_up)
    done = client.submit(check, action="", **limit, reason="Not at Lower Harbour.")
    assert "The decision is recorded" in text(done)
    assert "Not at Lower Harbour." in text(done)
    page_2 = client.page(check).form(f"{check}/countersign")
    until, token = page_2.values["until"][0], page_2.values["opened"][0]
    address = f"{check}/countersign?until={until}&opened={token}"
    confirm = client.page(address)
    assert "I, Tomas Beridan, People's Advocate, countersign for Office of the" in confirm.text
    assert "It opens all work of this cooperation until" in confirm.text
    assert "Places that are closed to this person stay closed." in confirm.text
    opened = client.submit(address, password=PASSWORD, code=clearing.code("tomas"))
    assert "You have countersigned" in text(opened)
    assert clearing.is_cleared("leyla")
    record = browser("leyla").page(path_of(clearing, "leyla"))
    assert "Accepted with a limit" in record.text
    assert "Not at Lower Harbour." in record.text
    assert "Barred from" in record.text
    assert "The Harbour" in record.text
    assert "Cleared until" in record.text
    assert "with a limit" in record.text


def test_a_decision_stays_on_the_page_when_the_person_withdrew_meanwhile(
    browser: Browser, clearing: Clearing
) -> None:
    """product.md, 4.7."""
    clearing.sign("leyla", TOLD)
    client, check = browser("tomas"), check_of(clearing, "leyla")
    chosen = {"decision": "limit", "reason": "Not at Lower Harbour."}
    data = client.page(check).form().filled_in(**chosen)
    service.withdraw(clearing.actor("leyla"), clearing.undertaking("leyla").id)
    db.session.commit()
    reads = sa.select(sa.func.count(ReadLogEntry.id))
    before = db.session.scalar(reads) or 0
    again = client.open(check, method="POST", data=data, csrf=False)
    assert again.status_code == 403
    assert "isn't waiting for the NPM" in text(again)
    assert Page.of(again).form("").values["reason"] == ["Not at Lower Harbour."]
    # The page that shows what was declared is in the read log, whether the form was refused or not.
    assert db.session.scalar(reads) == before + 1


def test_what_a_person_declares_stays_on_the_page_when_new_terms_came_meanwhile(
    browser: Browser, clearing: Clearing
) -> None:
    client, path = browser("leyla"), path_of(clearing, "leyla")
    data = client.page(path).form().filled_in(has_interests="declared", interests=TOLD)
    clearing.amend()
    db.session.commit()
    again = client.open(path, method="POST", data=data, csrf=False)
    assert again.status_code == 403
    assert Page.of(again).form().values["interests"] == [TOLD]


def test_a_wrong_decision_gets_its_message_and_keeps_what_was_chosen(
    browser: Browser, clearing: Clearing
) -> None:
    clearing.sign("leyla", TOLD)
    client, check = browser("tomas"), check_of(clearing, "leyla")
    page = Page.of(client.submit(check, decision="replace", reason=""))
    assert "Say what you decide, and why" in page.text
    assert page.form().values["decision"] == ["replace"]
    cases: tuple[tuple[dict[str, str], str], ...] = (
        ({}, "Choose one answer"),
        ({"decision": "perhaps"}, "Choose one of the answers offered"),
        ({"decision": "limit", "reason": "x" * 2001}, "at most 2000 characters"),
    )
    for data, words in cases:
        response = client.post(check, data=data)
        assert response.status_code == 200
        assert words in text(response)
        assert TOLD in text(response), words
    assert clearing.undertaking("leyla").decision is None


def test_a_wrong_last_day_is_asked_for_again(browser: Browser, clearing: Clearing) -> None:
    clearing.sign("leyla")
    address = f"{check_of(clearing, 'leyla')}/countersign"
    token = service.page_1_token(clearing.actor("tomas"), clearing.undertaking("leyla"))
    client = browser("tomas")
    data = {"password": PASSWORD, "code": clearing.code("tomas"), "opened": token}
    for until, words in (
        ("", "Enter a date"),
        ("soon", "Enter a date"),
        ("2099-01-01", "can't be later than the terms say"),
        ("2020-01-01", "This day has passed"),
    ):
        assert words in client.page(f"{address}?until={until}&opened={token}").text
        assert words in text(client.post(address, data=data | {"until": until}))
        assert clearing.undertaking("leyla").state is UndertakingState.SIGNED, until
    assert "Enter a date" in client.page(f"{address}?opened={token}").text


def test_countersigning_twice_opens_one_clearance_and_says_so(
    browser: Browser, clearing: Clearing, frozen_time: Clock
) -> None:
    frozen_time(clock.now())
    clearing.sign("leyla")
    client = browser("tomas")
    address = f"{check_of(clearing, 'leyla')}/countersign"
    data = (
        client.page(clearing.countersigning("leyla"))
        .form()
        .filled_in(password=PASSWORD, code=clearing.code("tomas"))
    )
    client.post(address, data=data)
    again = client.post(address, data=data, follow_redirects=True)
    assert "already been countersigned" in text(again)
    rows = db.session.scalars(sa.select(Signature).where(Signature.user_id == clearing.id("tomas")))
    assert len([row for row in rows if row.kind == "countersignature"]) == 1


def test_new_terms_meanwhile_stop_the_countersignature(
    browser: Browser, clearing: Clearing
) -> None:
    clearing.sign("leyla")
    until = queries.load(clearing.undertaking("leyla")).terms.until
    old = check_of(clearing, "leyla")
    client = browser("tomas")
    client.page(clearing.countersigning("leyla"))
    clearing.amend()
    db.session.commit()
    data = {"password": PASSWORD, "code": clearing.code("tomas"), "until": until.isoformat()}
    refused = client.post(f"{old}/countersign", data=data)
    assert refused.status_code == 403
    assert "was closed" in text(refused)
    assert not clearing.is_cleared("leyla")


def test_the_npm_chooses_the_one_visit_on_the_page_and_few_see_the_last_day(
    app: Flask, demo_people: DemoPeople
) -> None:
    visits: list[VisitChoice] = []
    put(app, VISIT_READER.holding(lambda _cooperation_id: visits))
    until = clock.today() + dt.timedelta(days=90)
    covers = {"scope": "one_visit", "which": "The first", "until": until.isoformat()}
    other = undertakings.clearing(demo_people, covers=covers)
    other.sign("leyla")
    client = other.browser(app, "tomas")
    check = check_of(other, "leyla")
    assert "no visit is planned yet" in client.page(check).text
    address = other.countersigning("leyla", until=until)
    assert "no visit is planned yet" in client.page(address).text
    visits += [VisitChoice(uuid4(), 1), VisitChoice(uuid4(), 2)]
    assert "Joint visit 2" in client.page(check).text
    assert "Choose which visit" in client.page(address).text
    assert client.get(f"{address}&visit={uuid4()}").status_code == 200
    assert "Choose one of the answers" in client.page(f"{address}&visit=nonsense").text
    chosen = f"{address}&visit={visits[1].id}"
    confirm = client.page(chosen)
    assert "It opens joint visit 2." in confirm.text
    done = client.submit(chosen, password=PASSWORD, code=other.code("tomas"))
    assert "You have countersigned" in text(done)
    assert other.is_cleared("leyla", visits[1].id)
    assert not other.is_cleared("leyla", visits[0].id)
    for key in ("joana", "ilena", "greta"):
        assert "Cleared for one visit" in other.browser(app, key).page(list_of(other)).text, key
    for key in ("tomas", "leyla"):
        assert "Cleared until" in other.browser(app, key).page(list_of(other)).text, key


def test_only_the_person_sees_what_they_entered_before_signing(
    browser: Browser, clearing: Clearing
) -> None:
    clearing.put_in("leyla", TOLD)
    page = browser("tomas").page(check_of(clearing, "leyla"))
    assert "The person hasn't signed" in page.text
    assert TOLD not in page.text


def test_reading_a_declaration_is_logged(browser: Browser, clearing: Clearing) -> None:
    clearing.sign("leyla", TOLD)
    browser("milan").page(check_of(clearing, "leyla"))
    browser("leyla").page(path_of(clearing, "leyla"))
    entry = db.session.scalars(sa.select(ReadLogEntry)).one()
    assert entry.user_id == clearing.id("milan")
    assert entry.subject_id == clearing.undertaking("leyla").id


# Withdrawing -----------------------------------------------------------------------------------


def test_a_person_withdraws_and_starts_again(browser: Browser, clearing: Clearing) -> None:
    clearing.clear("leyla", TOLD)
    path = path_of(clearing, "leyla")
    client = browser("leyla")
    assert "keep what you have learned confidential" in client.page(f"{path}/withdraw").text
    done = client.submit(f"{path}/withdraw")
    assert "You have withdrawn your undertaking" in text(done)
    assert not clearing.is_cleared("leyla")
    again = client.post(f"{path}/withdraw", follow_redirects=True)
    assert "already been closed" in text(again)
    fresh = client.post(f"{path}/again", follow_redirects=True)
    assert Page.of(fresh).h1 == "Your undertaking of confidentiality"
    assert fresh.request.path != path
    twice = client.post(f"{path}/again")
    assert twice.status_code == 403


def test_an_undertaking_that_is_not_signed_has_nothing_to_withdraw(
    browser: Browser, clearing: Clearing
) -> None:
    response = browser("leyla").get(f"{path_of(clearing, 'leyla')}/withdraw")
    assert response.status_code == 403
    assert "nothing to withdraw" in text(response)


def test_the_npm_closes_with_a_reason_and_asks_again(browser: Browser, clearing: Clearing) -> None:
    clearing.clear("leyla")
    check = check_of(clearing, "leyla")
    client = browser("milan")
    response = client.submit(f"{check}/withdraw", reason="")
    assert "Enter an answer" in text(response)
    assert clearing.is_cleared("leyla")
    done = client.submit(f"{check}/withdraw", reason="Spoke to the press.")
    assert "Spoke to the press." in text(done)
    assert not clearing.is_cleared("leyla")
    late = client.post(f"{check}/withdraw", data={"reason": "Left the team."})
    assert "This undertaking has already been closed." in text(late)
    assert Page.of(late).form().values["reason"] == ["Left the team."]
    record = browser("leyla").page(path_of(clearing, "leyla"))
    assert "Spoke to the press." in record.text
    assert "Start a new undertaking" not in record.text
    page = client.post(f"{check}/again", follow_redirects=True)
    assert "Leyla Marchetti is asked again" in text(page)
    assert client.post(f"{check}/again").status_code == 403


# Running sessions ------------------------------------------------------------------------------


@pytest.fixture
def seen_actors(app: Flask) -> Iterator[list[Actor]]:
    """The current user of each page that was rendered."""
    seen: list[Actor] = []

    def note(_sender: Flask, context: dict[str, Any], **_more: Any) -> None:
        if context.get("actor") is not None:
            seen.append(context["actor"])

    with template_rendered.connected_to(note, app):
        yield seen


def new_terms(clearing: Clearing, _frozen_time: Clock) -> None:
    clearing.amend()


def from_the_list(clearing: Clearing, _frozen_time: Clock) -> None:
    clearing.list_people("lh", "otto")


def by_the_person(clearing: Clearing, _frozen_time: Clock) -> None:
    service.withdraw(clearing.actor("leyla"), clearing.undertaking("leyla").id)


def by_the_npm(clearing: Clearing, _frozen_time: Clock) -> None:
    service.withdraw_clearance(
        clearing.actor("tomas"), clearing.undertaking("leyla").id, "Because."
    )


def by_time(clearing: Clearing, frozen_time: Clock) -> None:
    frozen_time(clock.now() + dt.timedelta(days=1))


@pytest.mark.parametrize("close", [new_terms, from_the_list, by_the_person, by_the_npm, by_time])
def test_a_running_session_loses_the_clearance_at_its_next_request(
    app: Flask,
    clearing: Clearing,
    seen_actors: list[Actor],
    frozen_time: Clock,
    close: Callable[[Clearing, Clock], None],
) -> None:
    late = dt.datetime.combine(clock.today(), dt.time(23, 50), clock.zone())
    frozen_time(late.astimezone(dt.UTC))
    clearing.sign("leyla")
    clearing.countersign("leyla", until=clock.today())
    client = clearing.browser(app, "leyla")
    client.page("/undertakings")
    assert [clearance.cooperation_id for clearance in seen_actors[-1].clearances] == [
        clearing.cooperation.id
    ]
    if close is by_time:
        # The session itself is still valid: it is a quarter of an hour later, on the next day.
        frozen_time(late.astimezone(dt.UTC) + dt.timedelta(minutes=15))
    else:
        close(clearing, frozen_time)
        db.session.commit()
    client.page("/undertakings")
    assert seen_actors[-1].clearances == ()


def test_a_suspended_person_loses_the_session_with_the_clearance(
    app: Flask, clearing: Clearing
) -> None:
    clearing.clear("leyla")
    client = clearing.browser(app, "leyla")
    client.page("/undertakings")
    accounts.suspend(clearing.actor("iris"), clearing.id("leyla"), reason="Asked by the CSO.")
    db.session.commit()
    response = client.get("/undertakings")
    assert response.status_code == 302
    assert "/sign-in" in response.headers["Location"]
    assert not clearing.is_cleared("leyla")


# Secrecy ---------------------------------------------------------------------------------------

SECRETS = {
    "declared": TOLD,
    "decision": "Not beside the harbour, since it is a cousin.",
    "limit": HARBOUR.name,
    "closing": "A word too many to the harbour radio.",
    "draft": "I once taught the guards of the north gate.",
}


def with_secrets(clearing: Clearing) -> None:
    """Store each kind of secret text in the database."""
    clearing.sign("leyla", SECRETS["declared"])
    clearing.decide("leyla", InterestsDecision.LIMIT, SECRETS["decision"])
    clearing.countersign("leyla")
    service.withdraw_clearance(
        clearing.actor("tomas"), clearing.undertaking("leyla").id, SECRETS["closing"]
    )
    clearing.put_in("otto", SECRETS["draft"])
    db.session.commit()


def stored(session: Session) -> bytes:
    """Return every stored value of every table."""
    values: list[bytes] = []
    reflected = sa.MetaData()
    reflected.reflect(session.connection())
    for table in reflected.tables.values():
        for row in session.execute(sa.select(table)):
            values += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\n".join(values)


def test_no_secret_is_stored_unencrypted_or_in_a_mail(clearing: Clearing, session: Session) -> None:
    with_secrets(clearing)
    values = stored(session)
    assert b"Leyla Marchetti" in values
    for words in SECRETS.values():
        assert words.encode() not in values
        assert words.encode("utf-16-le") not in values
        assert words[:25].encode() not in values
    undertaking = clearing.undertaking("leyla")
    assert encryption.decision_reason_of(undertaking) == SECRETS["decision"]
    assert encryption.draft_of(clearing.undertaking("otto")).interests == SECRETS["draft"]
    messages = session.scalars(sa.select(OutboxMessage)).all()
    assert messages
    for message in messages:
        for words in (*SECRETS.values(), "Leyla", "police", "Lantern"):
            if words != "Leyla" or message.recipient != clearing.demo_people.users["leyla"].email:
                assert words not in message.body
            assert words not in message.subject
    address = session.get_bind().engine.url
    if address.get_backend_name() != "sqlite":
        assert address.get_backend_name() == "postgresql"
        return
    session.rollback()
    raw = b"".join(path.read_bytes() for path in sorted(files_of(str(address.database))))
    assert b"Leyla Marchetti" in raw
    for words in SECRETS.values():
        assert words.encode() not in raw
        assert words[:25].encode() not in raw


def files_of(database: str) -> list[Path]:
    """Return the database's file and those beside it."""
    path = Path(database)
    return [file for file in path.parent.iterdir() if file.name.startswith(path.name)]


def test_other_peoples_pages_show_no_secret(browser: Browser, clearing: Clearing) -> None:
    with_secrets(clearing)
    reference = clearing.cooperation.reference
    pages = (
        "/",
        "/undertakings",
        list_of(clearing),
        f"/cooperations/{reference}",
        f"/cooperations/{reference}/history",
        f"/cooperations/{reference}/people",
        f"/checklists/{clearing.checklist.id}",
        f"/checklists/{clearing.checklist.id}/record",
        path_of(clearing, "leyla"),
        check_of(clearing, "leyla"),
    )
    for key in ("joana", "otto", "samira", "dina", "ilena", "nadia", "marek", "greta", "iris"):
        client = browser(key)
        seen = 0
        for address in pages:
            # Other tests check these pages.
            response = client.get(address, follow_redirects=True, read=False)
            seen += response.status_code == 200
            for kind, words in SECRETS.items():
                if (key, kind) != ("otto", "draft"):
                    assert words not in response.text, (key, address)
            assert "Accepted with a limit" not in response.text, (key, address)
        assert seen, key


def test_all_mail_leads_to_pages_that_are_there(app: Flask, clearing: Clearing) -> None:
    with_secrets(clearing)
    kinds = set()
    for message in db.session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind.startswith("undertaking"))
    ).all():
        link = next(word for word in message.body.split() if "/undertakings/" in word)
        reader = db.session.scalars(sa.select(User).where(User.email == message.recipient)).one()
        kinds.add(message.kind)
        db.session.commit()
        client = signed_in(app, reader)
        assert client.get("/" + link.split("/", 3)[3]).status_code == 200
    assert kinds == {
        "undertaking_asked",
        "undertaking_signed",
        "undertaking_decided",
        "undertaking_countersigned",
        "undertaking_withdrawn",
    }
