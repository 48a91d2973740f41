"""A draft is read like a document, and a section of it accepted at once, each item as shown."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.effort import tries
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import a_field, a_template, an_item
from tests.pages import Page
from tracker.agreements import accepting
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service
from tracker.checklists.models import ChecklistState
from tracker.checklists.negotiation import positions, safeguards, undoing
from tracker.checklists.negotiation.text_digest import item_digest, item_token
from tracker.checklists.rules.completeness import WorkState
from tracker.comments import service as comments
from tracker.comments.models import CommentAudience
from tracker.core import clock
from tracker.core.errors import RefusedError, StaleError

CODES = ("M1", "M2", "M3", "M4", "M5")


@pytest.fixture
def draft(session: Session) -> Negotiation:
    """Return terms of five items, of which the NPM has written all."""
    items = [an_item(code) for code in CODES[:4]]
    negotiation = set_out(
        session, template=a_template(*items, an_item("M5", a_field(), a_field("more")))
    )
    for code in CODES:
        negotiation.save("ilena", code)
    return negotiation


def seen(negotiation: Negotiation, first: str, *codes: str) -> dict[str, str]:
    loaded = negotiation.loaded()
    return {code: item_token(loaded, negotiation[first], loaded.item(code)) for code in codes}


def page_of(negotiation: Negotiation, client: CheckedClient) -> Page:
    return client.page(f"/checklists/{negotiation.checklist().id}/read")


def accept_section(negotiation: Negotiation, client: CheckedClient, page: Page) -> str:
    """Press the button of the only section, and return what the next page says."""
    form = page.form(f"/checklists/{negotiation.checklist().id}/read/accept")
    return Page.of(
        client.post(form.action, data=form.values, csrf=False, follow_redirects=True)
    ).text


@pytest.mark.both_databases
def test_a_partner_accepts_a_whole_section_as_it_reads(app: Flask, draft: Negotiation) -> None:
    samira = draft.country.browser(app, "samira")
    page = page_of(draft, samira)
    assert "As ilena writes it." in page.text
    names = "Item M1; Item M2; Item M3; Item M4"
    assert f"You accept these items as they are shown above: {names}." in page.text
    # M5 lacks a part.
    assert "Left out: Item M5." in page.text
    text = accept_section(draft, samira, page)
    assert "You accepted 4 items for Open Door Legal Aid." in text
    draft.accept("M1", "joana")
    assert draft.standing("M1").state is WorkState.AGREED
    assert draft.standing("M2").waiting_for == (draft.country.id("lantern"),)
    [event] = draft.events("items_accepted")
    assert event["items"] == ["M1", "M2", "M3", "M4"]
    assert event["versions"] == [1, 1, 1, 1]
    assert event["organisation"] == "Open Door Legal Aid"
    assert "Accept all of this section" not in page_of(draft, samira).text


def test_what_has_to_be_looked_at_by_itself_is_left_out(app: Flask, draft: Negotiation) -> None:
    loaded = draft.loaded()
    safeguards.raise_flag(
        draft["oren"],
        draft.checklist(),
        "M1",
        "Limits us.",
        seen=item_digest(loaded, loaded.item("M1")),
    )
    answer = loaded.sheet.shared("M2")
    assert answer is not None
    positions.propose(
        draft["joana"],
        draft.checklist(),
        "M2",
        {"words": "Shorter."},
        answer_id=answer.answer_id,
        reason="Shorter.",
    )
    draft.session.commit()
    reading = accepting.reading_of(draft.loaded(), draft["samira"])
    assert reading.acceptable == {"M3", "M4"}
    assert {code: str(why) for code, why in reading.left_out.items()} == {
        "M1": "flagged",
        "M2": "a change is suggested",
        "M5": "not complete yet (Fill in: More)",
    }
    page = page_of(draft, draft.country.browser(app, "samira")).text
    assert "Look at this one separately: flagged." in page
    for code in ("M1", "M2", "M5"):
        with pytest.raises(StaleError):
            accepting.accept_items(draft["samira"], draft.checklist(), seen(draft, "samira", code))


@pytest.mark.both_databases
def test_items_that_changed_meanwhile_are_named_and_the_rest_is_accepted(
    app: Flask, draft: Negotiation
) -> None:
    samira = draft.country.browser(app, "samira")
    page = page_of(draft, samira)
    draft.save("ilena", "M2", seen=1, words="Every second month.")
    text = accept_section(draft, samira, page)
    assert "You accepted 3 items for Open Door Legal Aid." in text
    assert "Not accepted, since they changed after you opened the page: “Item M2”." in text
    assert draft.country.id("door") in draft.standing("M2").waiting_for
    assert draft.country.id("door") not in draft.standing("M1").waiting_for


def test_a_page_says_what_changed_since_the_party_accepted_it(
    app: Flask, draft: Negotiation
) -> None:
    draft.accept("M1", "samira")
    answer = draft.loaded().sheet.shared("M1")
    assert answer is not None
    proposal = positions.propose(
        draft["joana"],
        draft.checklist(),
        "M1",
        {"words": "As ilena writes it, each month."},
        answer_id=answer.answer_id,
        reason="Clearer.",
    )
    draft.session.commit()
    positions.accept_proposal(draft["ilena"], draft.checklist(), proposal.id)
    draft.session.commit()
    text = page_of(draft, draft.country.browser(app, "samira")).text
    assert "What changed since you accepted it" in text
    assert "What changed since you accepted it" not in (
        page_of(draft, draft.country.browser(app, "otto")).text
    )


def test_nobody_accepts_for_a_party_they_do_not_act_for(app: Flask, draft: Negotiation) -> None:
    with pytest.raises(RefusedError):
        accepting.accept_items(draft["marek"], draft.checklist(), seen(draft, "marek", "M1"))
    # The token of another person's page says nothing.
    with pytest.raises(StaleError):
        accepting.accept_items(draft["samira"], draft.checklist(), seen(draft, "ilena", "M1"))
    marek = draft.country.browser(app, "marek")
    assert marek.get(f"/checklists/{draft.checklist().id}/read").status_code == 404


def test_a_comment_addressed_to_ones_own_side_is_answered_first(draft: Negotiation) -> None:
    samira = draft.country.users["samira"].id
    comments.write(
        draft["ilena"],
        draft.checklist(),
        "M3",
        text="Could you look at this?",
        audience=CommentAudience.ALL,
        mentions=[samira],
    )
    draft.session.commit()
    left_out = accepting.reading_of(draft.loaded(), draft["samira"]).left_out
    assert str(left_out["M3"]) == "somebody wrote to you about it"
    assert "M3" not in accepting.reading_of(draft.loaded(), draft["joana"]).left_out


@given(edited=st.sets(st.sampled_from(CODES[:4])))
@settings(
    max_examples=tries(8, 16),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_changes_meanwhile_only_what_the_page_showed_is_accepted(
    draft: Negotiation, edited: set[str]
) -> None:
    shown = [code for code in CODES[:4] if code not in edited]
    with draft.session.begin_nested() as everything:
        tokens = seen(draft, "samira", *CODES)
        for code in sorted(edited):
            service.save_answer(
                draft["ilena"],
                draft.checklist(),
                code,
                AnswerScope.SHARED,
                {"words": "Other words."},
                base_version=1,
            )
        if shown:
            accepted = accepting.accept_items(draft["samira"], draft.checklist(), tokens)
            assert accepted.items == tuple(shown)
            assert set(accepted.changed) == {*edited, "M5"}
        else:
            with pytest.raises(StaleError):
                accepting.accept_items(draft["samira"], draft.checklist(), tokens)
        door = draft.country.id("door")
        for code in CODES[:4]:
            assert (door in draft.standing(code).waiting_for) == (code in edited)
        everything.rollback()
    draft.session.expire_all()


# Undo and go on


def test_whoever_accepted_by_mistake_undoes_it_within_a_minute(
    app: Flask, draft: Negotiation
) -> None:
    samira = draft.country.browser(app, "samira")
    accept_section(draft, samira, page_of(draft, samira))
    page = samira.page(f"/checklists/{draft.checklist().id}")
    assert "Undo accepting these items: “Item M1”, “Item M2”, “Item M3”, “Item M4”" in page.text
    form = page.form(f"/checklists/{draft.checklist().id}/undo")
    text = Page.of(
        samira.post(form.action, data=form.values, csrf=False, follow_redirects=True)
    ).text
    names = "“Item M1”, “Item M2”, “Item M3”, “Item M4”"
    assert f"No longer accepted for Open Door Legal Aid: {names}." in text
    assert draft.country.id("door") in draft.standing("M1").waiting_for
    [event] = draft.events("acceptance_undone")
    assert event["items"] == ["M1", "M2", "M3", "M4"]


def test_nothing_is_undone_after_a_minute_or_once_another_party_acted(
    draft: Negotiation, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    draft.accept("M1", "samira")
    draft.accept("M2", "samira")
    draft.accept("M1", "joana")
    # Not by somebody else of the same party either.
    for first, codes in (("samira", ["M1"]), ("dora", ["M2"]), ("joana", ["M2"])):
        with pytest.raises(StaleError, match="It's too late to undo this"):
            undoing.undo_accepting(draft[first], draft.checklist(), codes)
    frozen_time(clock.now() + dt.timedelta(seconds=61))
    with pytest.raises(StaleError, match="It's too late to undo this"):
        undoing.undo_accepting(draft["samira"], draft.checklist(), ["M2"])
    assert draft.country.id("door") not in draft.standing("M2").waiting_for


def test_a_person_saves_and_goes_on_to_the_next_item_of_theirs(
    app: Flask, session: Session
) -> None:
    negotiation = set_out(session, template=a_template(*(an_item(code) for code in CODES)))
    negotiation.settle("M2")
    ilena = negotiation.country.browser(app, "ilena")
    address = f"/checklists/{negotiation.checklist().id}/items"
    page = ilena.page(f"{address}/M1/answer?filter=us")
    assert "Item 1 of 5" in page.text
    sent = page.form().filled_in(words="Each month.") | {"then": ["next"]}
    answer = ilena.post(f"{address}/M1/answer?filter=us", data=sent, csrf=False)
    assert answer.location == f"{address}/M3/answer?for=shared&filter=us"
    last = ilena.page(f"{address}/M5/answer?filter=us").form()
    sent = last.filled_in(words="Each month.") | {"then": ["next"]}
    answer = ilena.post(f"{address}/M5/answer?filter=us", data=sent, csrf=False)
    assert answer.location.endswith("?filter=us&open=M5#m5")


def test_a_coordinator_whose_acceptance_completes_a_text_goes_on_to_sending_it(
    app: Flask, session: Session
) -> None:
    kind = ChecklistKind.CONFIDENTIALITY
    items = (an_item("C1"), an_item("C2"))
    negotiation = set_out(session, template=a_template(*items, kind=kind.value))
    text = negotiation.checklist(kind)
    for code in ("C1", "C2"):
        words = {"words": "As the law has it."}
        service.save_answer(
            negotiation["ilena"], text, code, AnswerScope.SHARED, words, base_version=0
        )
    session.commit()

    def accept_whole(first: str, *, undo: bool = False) -> str:
        """Accept the whole draft as somebody, and return where that leads."""
        client = negotiation.country.browser(app, first)
        form = client.page(f"/checklists/{text.id}/read").form(f"/checklists/{text.id}/read/accept")
        data = form.values | {"section": [""]}
        location = client.post(form.action, data=data, csrf=False).location
        if undo:
            undoing.undo_accepting(negotiation[first], negotiation.checklist(kind), ["C1", "C2"])
            session.commit()
        return location.removeprefix(f"/checklists/{text.id}")

    # Another party has still to accept it.
    assert accept_whole("joana") == "/read"
    # Nobody has said yet who signs for the other parties.
    assert accept_whole("samira", undo=True) == "/read"
    negotiation.agree()
    session.commit()
    # A member can accept the text for their party, but not send it.
    assert accept_whole("dora", undo=True) == "/read"
    assert accept_whole("samira") == "/send"
    form = negotiation.country.browser(app, "samira").page(f"/checklists/{text.id}/send").form()
    for body, signatory in negotiation.signatories.items():
        assert form.values[f"party_{body}"] == [str(signatory.user_id)]
    assert negotiation.checklist(kind).state is ChecklistState.DRAFTING
