"""Phrases that may limit the NPM (S6, S7): their side answers, the second reader accepts or flags.

In one file: the verbs and the pages of one question, tested from both sides.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import checklists
from tests.factories.demonstration import Demonstration
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import a_template, an_item, small_terms
from tests.factories.visits import JointVisit, planned
from tests.integration.checklists.test_pages import Users, acts, item, items
from tests.pages import Page
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import obstacles, service
from tracker.checklists.loading import load
from tracker.checklists.models import ChecklistParty, ChecklistState, HintAnswer
from tracker.checklists.negotiation import hints, positions, safeguards
from tracker.checklists.negotiation.hints import HintOnAnswer
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError

Statements = Callable[[], AbstractContextManager[list[str]]]
TOGETHER = "Visits take place jointly."
EXCLUSIVE = "We work with them exclusively."
QUESTION = "Does this limit the NPM?"
UNANSWERED = (
    "The party that wrote words on “First step on the spot” hasn't said yet whether they limit "
    "the NPM."
)


@pytest.fixture
def users(app: Flask, session: Session) -> Users:
    return Users(app, set_out(session, template=small_terms()))


@pytest.fixture
def negotiation(users: Users) -> Negotiation:
    return users.negotiation


def name_reader(negotiation: Negotiation, first: str = "oren", *, seen: int = 0) -> None:
    negotiation.save(
        "ilena", "M5", seen=seen, second_reader=str(negotiation.country.users[first].id)
    )


def on(negotiation: Negotiation, code: str = "M1") -> tuple[HintOnAnswer, ...]:
    loaded = negotiation.loaded()
    return hints.on_item(loaded, loaded.item(code))


def answer(
    negotiation: Negotiation,
    first: str,
    hint: HintOnAnswer,
    reason: str = "The NPM may also go alone.",
    *,
    limits: bool = False,
) -> HintAnswer:
    row = safeguards.answer_hint(
        negotiation[first],
        negotiation.checklist(),
        hint.item,
        hint.mark,
        limits=limits,
        reason=reason,
        as_reader=safeguards.is_second_reader(negotiation[first], negotiation.loaded()),
    )
    negotiation.session.commit()
    return row


def waiting(negotiation: Negotiation) -> list[str]:
    return [hint.item for hint in hints.waiting_for_reader(negotiation.loaded())]


# Their side


def test_the_side_that_wrote_the_words_says_why_they_limit_nothing(
    negotiation: Negotiation,
) -> None:
    negotiation.save("ilena", "M1", words=TOGETHER)
    (hint,) = on(negotiation)
    assert hint.waits_for_author
    answer(negotiation, "oren", hint, " The NPM may also go alone. ")
    (after,) = on(negotiation)
    assert after.harmless is not None
    assert (after.harmless.reason, after.harmless.author_id) == (
        "The NPM may also go alone.",
        negotiation.country.users["oren"].id,
    )
    assert not after.waits_for_author
    assert after.waits_for_reader
    (event,) = negotiation.events("hint_answered")
    assert (event["item"], event["how"]) == ("M1", "harmless")
    assert event["organisation"] == "Office of the People's Advocate"
    assert "reason" not in event


def test_a_partner_is_recognised_by_its_name(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1", words="Open Door Legal Aid must agree before it is published.")
    (hint,) = on(negotiation)
    assert hint.hint.words == ("Open Door Legal Aid must agree before",)


def test_yes_raises_a_flag_as_any_other(negotiation: Negotiation) -> None:
    negotiation.save("samira", "M1", words=TOGETHER)
    (hint,) = on(negotiation)
    row = answer(negotiation, "samira", hint, "The NPM can't go alone.", limits=True)
    (flag,) = negotiation.loaded().flags
    assert (flag.id, flag.reason, flag.closed_at) == (row.flag_id, "The NPM can't go alone.", None)
    assert flag.author_id == negotiation.country.users["samira"].id
    assert waiting(negotiation) == []
    assert [event["how"] for event in negotiation.events("hint_answered")] == ["flagged"]
    assert len(negotiation.events("flag_raised")) == 1
    safeguards.explain_flag(
        negotiation["nadia"], negotiation.checklist(), flag.id, "It can: see M6."
    )
    negotiation.session.commit()
    assert waiting(negotiation) == []


def test_a_partys_own_answer_is_asked_about_too(negotiation: Negotiation) -> None:
    for first, words in (("samira", TOGETHER), ("joana", EXCLUSIVE)):
        service.save_answer(
            negotiation[first],
            negotiation.checklist(),
            "M7",
            AnswerScope.PARTY,
            {"words": words},
            base_version=0,
        )
    negotiation.session.commit()
    door, lantern = on(negotiation, "M7")
    assert (door.organisation_id, lantern.organisation_id) == (
        negotiation.country.id("door"),
        negotiation.country.id("lantern"),
    )
    with pytest.raises(RefusedError, match="Only the party that wrote these words"):
        answer(negotiation, "joana", door)
    answer(negotiation, "joana", lantern)
    assert [hint.waits_for_author for hint in on(negotiation, "M7")] == [True, False]


def test_why_an_item_is_left_out_is_looked_through_too(negotiation: Negotiation) -> None:
    service.save_answer(
        negotiation["ilena"],
        negotiation.checklist(),
        "M6",
        AnswerScope.SHARED,
        {},
        base_version=0,
        not_applicable_because="The partner must agree before it is published.",
    )
    negotiation.session.commit()
    assert {hint.hint.phrase for hint in on(negotiation, "M6")} == {"approval"}


def test_only_the_side_that_wrote_the_words_answers_with_a_short_reason(
    negotiation: Negotiation,
) -> None:
    negotiation.save("ilena", "M1", words=TOGETHER)
    (hint,) = on(negotiation)
    others = dict.fromkeys(
        ("samira", "joana"), "Only the party that wrote these words can say whether"
    )
    no_party = dict.fromkeys(
        ("marek", "ada", "root", "vesna"), "Only people acting for one of the parties"
    )
    for first, words in (others | no_party).items():
        with pytest.raises(RefusedError, match=words):
            answer(negotiation, first, hint)
        assert negotiation.session.scalar(sa.select(sa.func.count(HintAnswer.id))) == 0, first
    for limits, reason, words in (
        (False, "  ", "Say briefly why it doesn't limit"),
        (False, "x" * 501, "at most 500 characters"),
        (True, "  ", "Say how the term limits the NPM"),
    ):
        with pytest.raises(RuleBrokenError, match=words):
            answer(negotiation, "ilena", hint, reason, limits=limits)
        negotiation.session.rollback()
        assert negotiation.loaded().flags == (), words
        assert negotiation.events("hint_answered") == [], words


def test_a_question_is_answered_once(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1", words=TOGETHER)
    (hint,) = on(negotiation)
    answer(negotiation, "ilena", hint)
    with pytest.raises(RuleBrokenError, match="answered already"):
        answer(negotiation, "oren", hint)
    negotiation.session.rollback()
    negotiation.save("ilena", "M6", words=TOGETHER)
    (other,) = on(negotiation, "M6")
    answer(negotiation, "ilena", other, limits=True)
    with pytest.raises(RuleBrokenError, match="already flagged"):
        answer(negotiation, "ilena", other)


# Hints follow the words


def test_words_that_are_gone_ask_nothing_any_more(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1", words=TOGETHER)
    (hint,) = on(negotiation)
    negotiation.save("ilena", "M1", seen=1, words="Each visits as it likes.")
    assert on(negotiation) == ()
    with pytest.raises(StaleError, match="changed in the meantime"):
        answer(negotiation, "ilena", hint)


def test_an_answer_holds_for_its_sentence_alone(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1", words=f"We meet on Monday. {TOGETHER}")
    answer(negotiation, "ilena", on(negotiation)[0])
    negotiation.save("ilena", "M1", seen=1, words=f"We meet on Friday. {TOGETHER}")
    (same,) = on(negotiation)
    assert same.harmless is not None
    negotiation.save("ilena", "M1", seen=2, words="All visits of the NPM take place jointly.")
    (changed,) = on(negotiation)
    assert changed.harmless is None
    assert changed.waits_for_author


def test_text_of_another_side_is_asked_about_again(negotiation: Negotiation) -> None:
    """An accepted proposal has the words of the party that proposed it."""
    saved = negotiation.save("ilena", "M1", words="As we like.")
    proposal = positions.propose(
        negotiation["samira"],
        negotiation.checklist(),
        "M1",
        {"words": TOGETHER},
        answer_id=saved.id,
        reason="Simpler.",
    )
    positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), proposal.id)
    negotiation.session.commit()
    (hint,) = on(negotiation)
    assert hint.organisation_id == negotiation.country.id("door")


def test_a_flag_that_closed_since_the_term_changed_elsewhere_is_no_answer(
    negotiation: Negotiation,
) -> None:
    negotiation.save("ilena", "M1", words=f"One. {TOGETHER}")
    answer(negotiation, "ilena", on(negotiation)[0], limits=True)
    negotiation.save("ilena", "M1", seen=1, words=f"Two. {TOGETHER}")
    (hint,) = on(negotiation)
    assert hint.flag is None
    assert hint.waits_for_author


# The second reader


def test_the_second_reader_accepts_an_explained_phrase_without_a_reason(
    negotiation: Negotiation,
) -> None:
    name_reader(negotiation)
    negotiation.save("ilena", "M1", words=TOGETHER)
    (hint,) = on(negotiation)
    with pytest.raises(RuleBrokenError, match="Say briefly"):
        answer(negotiation, "oren", hint, "")
    negotiation.session.rollback()
    answer(negotiation, "ilena", hint)
    answer(negotiation, "oren", hint, "")
    assert waiting(negotiation) == []
    assert [event["how"] for event in negotiation.events("hint_answered")] == [
        "harmless",
        "accepted",
    ]


def test_the_second_reader_accepts_or_flags_words_of_every_side(negotiation: Negotiation) -> None:
    name_reader(negotiation)
    negotiation.save("samira", "M1", words=TOGETHER)
    negotiation.save("ilena", "M6", words=EXCLUSIVE)
    answer(negotiation, "oren", on(negotiation)[0], "M6 keeps the NPM free to go alone.")
    assert waiting(negotiation) == ["M6"]
    answer(negotiation, "oren", on(negotiation, "M6")[0], "Others are shut out.", limits=True)
    assert waiting(negotiation) == []
    assert negotiation.loaded().flagged == {"M6"}


def test_another_second_reader_reads_the_words_again(negotiation: Negotiation) -> None:
    name_reader(negotiation)
    negotiation.save("ilena", "M1", words=TOGETHER)
    answer(negotiation, "oren", on(negotiation)[0], "It may go alone.")
    assert waiting(negotiation) == []
    name_reader(negotiation, "nadia", seen=1)
    assert waiting(negotiation) == ["M1"]


def test_who_wrote_an_answer_accepts_nothing_as_second_reader(negotiation: Negotiation) -> None:
    name_reader(negotiation)
    negotiation.save("oren", "M6")
    negotiation.save("samira", "M1", words=TOGETHER)
    with pytest.raises(RefusedError, match="Only the party that wrote these words can say whether"):
        answer(negotiation, "oren", on(negotiation)[0])


def test_the_review_is_not_confirmed_before_each_hint_is_answered(negotiation: Negotiation) -> None:
    """Gate G3."""
    negotiation.agree()
    change(negotiation, TOGETHER)
    with pytest.raises(
        RuleBrokenError, match="whether you accept the words that may limit the NPM: M1"
    ):
        checklists.read_second(negotiation["oren"], negotiation.checklist())
    negotiation.session.rollback()
    assert [str(words) for words in obstacles.to_sending(negotiation.loaded())] == [
        "The second reader hasn't said yet whether words on “Item M1” limit the NPM.",
        "The second reader hasn't confirmed independence and flexibility yet.",
    ]
    answer(negotiation, "oren", on(negotiation)[0], "It may go alone.")
    checklists.read_second(negotiation["oren"], negotiation.checklist())
    assert obstacles.to_sending(negotiation.loaded()) == []


def change(negotiation: Negotiation, words: str) -> None:
    """Have all agree on other words for M1."""
    current = negotiation.loaded().sheet.shared("M1")
    assert current is not None
    proposal = positions.propose(
        negotiation["samira"],
        negotiation.checklist(),
        "M1",
        {"words": words},
        answer_id=current.answer_id,
        reason="Simpler.",
    )
    positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), proposal.id)
    negotiation.accept("M1", "joana")


def test_words_on_which_a_flag_was_raised_need_no_second_answer(negotiation: Negotiation) -> None:
    negotiation.agree()
    change(negotiation, TOGETHER)
    answer(negotiation, "samira", on(negotiation)[0], "It can't go alone.", limits=True)
    checklists.read_second(negotiation["oren"], negotiation.checklist())
    assert [str(words) for words in obstacles.to_sending(negotiation.loaded())] == [
        "There's an open flag on “Item M1”."
    ]


def test_a_live_list_only_points_at_words(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M8", words=TOGETHER)
    (hint,) = on(negotiation, "M8")
    assert not hint.is_asked
    assert waiting(negotiation) == []
    with pytest.raises(StaleError):
        answer(negotiation, "ilena", hint)


def test_nothing_is_answered_while_the_text_can_not_be_changed(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1", words=TOGETHER)
    (hint,) = on(negotiation)
    for state in (ChecklistState.SENT, ChecklistState.IN_FORCE):
        negotiation.checklist().state = state
        negotiation.session.commit()
        with pytest.raises(RefusedError, match=r"can't be changed now|need an amendment"):
            answer(negotiation, "ilena", hint)


# Pages


def address(users: Users, code: str = "M1") -> str:
    (hint,) = on(users.negotiation, code)
    return f"/items/{code}/hints/{hint.mark}"


def test_who_saves_such_words_is_asked_beside_the_item(users: Users) -> None:
    page = users.submit("ilena", "/items/M1/answer", words=TOGETHER)
    assert "“Item M1” is saved. Some words may limit the NPM: answer the question" in page.text
    assert QUESTION in item(page, "M1")
    assert {"No, say why", "Yes, flag it"} <= acts(page, "M1")
    page = users.submit("ilena", f"{address(users)}?limits=no", reason="It may go alone.")
    assert QUESTION not in item(page, "M1")
    assert "Office of the People's Advocate says this doesn't limit the NPM:" in item(page, "M1")
    assert "It may go alone." in item(users.page("samira"), "M1")
    # The history says who answered.
    page = users.page("samira", "/items/M1/history")
    assert "said why words don't limit the NPM" in page.text
    assert "It may go alone." in page.text


def test_harmless_words_ask_nobody_anything(users: Users) -> None:
    page = users.submit("ilena", "/items/M1/answer", words="The NPM alone decides when it goes.")
    assert "“Item M1” is saved." in page.text
    assert QUESTION not in page.text


def test_others_read_the_words_and_are_not_asked(users: Users) -> None:
    users.negotiation.save("ilena", "M1", words=TOGETHER)
    place = address(users)
    for first in ("samira", "joana", "ada"):
        shown = item(users.page(first), "M1")
        assert "can limit the NPM" in shown, first
        assert "Nobody has said yet whether this limits the NPM." in shown, first
        assert QUESTION not in shown, first
        users.page(first, place, 403)
    # Who may not open the checklist finds no question.
    for first in ("marek", "vesna", "root"):
        users.page(first, place, 404)


def test_yes_on_the_page_flags_the_term_and_nothing_is_saved_without_a_reason(
    users: Users,
) -> None:
    users.negotiation.save("ilena", "M1", words=TOGETHER)
    place = address(users)
    users.page("ilena", "/items/M1/hints/0000", 404)
    users.page("ilena", place.replace("M1", "M2"), 404)
    form = users.page("ilena", place).form()
    for fields in ({"reason": "Why?"}, {"limits": "no"}, {"limits": "maybe", "reason": "Why?"}):
        sent = form.filled_in(**fields)
        answered = users.browser("ilena").post(f"{users.address}{place}", data=sent, csrf=False)
        assert "There is a problem" in Page.of(answered).text, fields
    assert users.negotiation.events("hint_answered") == []
    assert "Nobody has said yet" not in users.page("ilena", place).text
    page = users.submit("ilena", place, limits="yes", reason="It can't go alone.")
    assert "flagged this because it limits the NPM's independence." in item(page, "M1")
    assert QUESTION not in item(page, "M1")


def test_an_answer_stays_on_the_page_when_the_text_was_sent_for_signature_meanwhile(
    users: Users,
) -> None:
    """product.md, 4.7."""
    users.negotiation.save("ilena", "M1", words=TOGETHER)
    place = f"{users.address}{address(users)}"
    browser = users.browser("ilena")
    data = browser.page(place).form().filled_in(limits="no", reason="It may go alone.")
    users.negotiation.checklist().state = ChecklistState.SENT
    users.negotiation.session.commit()
    again = browser.open(place, method="POST", data=data, csrf=False)
    assert again.status_code == 403
    assert Page.of(again).form().values["reason"] == ["It may go alone."]
    assert users.negotiation.events("hint_answered") == []


def test_what_a_person_answered_for_their_side_is_not_taken_for_the_readers(users: Users) -> None:
    """Somebody who becomes the second reader with the page open is asked again as that."""
    negotiation = users.negotiation
    negotiation.save("ilena", "M1", words=TOGETHER)
    place = f"{users.address}{address(users)}"
    browser = users.browser("oren")
    form = browser.page(place).form()
    name_reader(negotiation)
    answered = form.filled_in(limits="no", reason="It may go alone.")
    page = Page.of(browser.post(place, data=answered, csrf=False))
    assert "Who is asked about these words changed after you opened the page" in page.text
    assert page.form().values["reason"] == ["It may go alone."]
    assert negotiation.events("hint_answered") == []
    browser.post(place, data=page.form().filled_in(), csrf=False)
    assert [event["how"] for event in negotiation.events("hint_answered")] == ["accepted"]


def test_words_that_changed_while_somebody_answered_are_shown_again(users: Users) -> None:
    negotiation = users.negotiation
    negotiation.save("ilena", "M1", words=TOGETHER)
    place = f"{users.address}{address(users)}"
    browser = users.browser("ilena")
    form = browser.page(place).form()
    negotiation.save("ilena", "M1", seen=1, words=EXCLUSIVE)
    response = browser.post(
        place, data=form.filled_in(limits="no", reason="Fine."), csrf=False, follow_redirects=True
    )
    page = Page.of(response)
    assert "These words were changed in the meantime." in page.text
    assert EXCLUSIVE in page.text
    assert page.form().values["reason"] == ["Fine."]
    assert negotiation.events("hint_answered") == []


def test_the_second_reader_answers_from_the_review(users: Users) -> None:
    negotiation = users.negotiation
    negotiation.agree()
    change(negotiation, TOGETHER)
    page = users.page("oren", "/review")
    assert "M1" in items(page)
    assert {"No, accept it", "Yes, flag it"} <= acts(page, "M1")
    assert "First say whether you accept the words that may limit the NPM: Item M1." in page.text
    page = users.submit("oren", f"{address(users)}?limits=no", reason="It may go alone.")
    assert "First say whether you accept the words" not in page.text
    page = users.submit("oren", "/review")
    assert "You confirmed the review" in page.text
    assert "Accepted by the second reader. It may go alone." in item(page, "M1")


def test_words_on_the_pages_of_a_visit_are_asked_about_too(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    """What is answered there is of class K2: in the database it is encrypted."""
    joint_visit = JointVisit(session, demonstration)
    plan = joint_visit.checklist(ChecklistKind.URGENT_PLAN, planned(joint_visit).number)
    pavo, pages = joint_visit.actor("pavo"), joint_visit.demonstration.browser(app, "pavo")
    values = checklists.whole(load(plan), "U2", first_step=TOGETHER)
    service.save_answer(pavo, plan, "U2", AnswerScope.SHARED, values, base_version=0)
    session.commit()
    assert QUESTION in item(pages.page(f"/checklists/{plan.id}"), "U2")
    assert UNANSWERED in map(str, obstacles.to_sending(load(plan)))
    (hint,) = hints.on_item(load(plan), load(plan).item("U2"))
    row = safeguards.answer_hint(
        pavo, plan, "U2", hint.mark, limits=False, reason="It is safe.", as_reader=False
    )
    session.commit()
    assert (row.phrase, row.reason) == ("", "")
    assert row.matched != hint.hint.matched
    # There is no second reader of a visit's text: it can be sent.
    assert UNANSWERED not in map(str, obstacles.to_sending(load(plan)))
    shown = item(pages.page(f"/checklists/{plan.id}"), "U2")
    assert QUESTION not in shown
    assert "It is safe." in shown
    (hint,) = hints.on_item(load(plan), load(plan).item("U2"))
    assert hint.harmless is row
    assert "It is safe." in pages.page(f"/checklists/{plan.id}/items/U2/history").text


def test_the_npm_is_asked_about_the_words_of_a_party_that_has_left(
    negotiation: Negotiation,
) -> None:
    negotiation.save("samira", "M1", words=TOGETHER)
    negotiation.session.execute(
        sa.delete(ChecklistParty).where(
            ChecklistParty.organisation_id == negotiation.country.id("door")
        )
    )
    negotiation.session.commit()
    (hint,) = on(negotiation)
    assert hint.waits_for_author
    answer(negotiation, "oren", hint)
    (after,) = on(negotiation)
    assert not after.waits_for_author


def test_answered_questions_add_one_statement_however_many(
    app: Flask, session: Session, statements: Statements
) -> None:
    codes = [f"M{number}" for number in range(1, 8)]
    users = Users(app, set_out(session, template=a_template(*(an_item(code) for code in codes))))
    negotiation = users.negotiation
    for code in codes:
        negotiation.save("ilena", code, words=TOGETHER)

    def count() -> int:
        users.page("samira")
        with statements() as sent:
            users.page("samira")
        return len(sent)

    before = count()
    answer(negotiation, "ilena", on(negotiation)[0])
    few = count()
    for code in codes[1:]:
        answer(negotiation, "ilena", on(negotiation, code)[0])
    assert (few, count()) == (before + 1, before + 1)
