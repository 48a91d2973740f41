"""Beginning an empty checklist with the model text: what is in it, who may, who has read it.

In one file: the verb, the page and what follows, on one cooperation.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.checklists import shown_answers
from tests.factories.demonstration import Demonstration
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.visits import JointVisit, planned
from tests.pages import Page
from tracker.authoring.model_texts import faults
from tracker.authoring.model_texts import service as model_texts
from tracker.authoring.model_texts.service import Address
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.strict import with_parts
from tracker.checklists import obstacles, service
from tracker.checklists.loading import load
from tracker.checklists.model_texts import in_use, library
from tracker.checklists.models import Answer, ChecklistParty, CopiedAnswer, CopySource, Stance
from tracker.checklists.negotiation import positions
from tracker.checklists.reuse import beginning, copying
from tracker.checklists.reuse.beginning import Beginning
from tracker.checklists.rules.completeness import ItemStatus
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Mode
from tracker.cooperations.selection import service as selection
from tracker.cooperations.selection.models import SelectionWay
from tracker.cooperations.selection.policy import Selection
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.organisations import service as organisations
from tracker.organisations.models import Organisation
from tracker.organisations.service import Details

pytestmark = pytest.mark.some_on_postgresql(3)

Statements = Callable[[], AbstractContextManager[list[str]]]
NPM, DOOR, LANTERN = "npm", "door", "lantern"
# Two of them find out what the application knows, one what administrators wrote, and four whether
# checklist 2 is needed now (M9).
MOST = 23
WRITERS = {NPM: "ilena", DOOR: "samira", LANTERN: "joana"}


@pytest.fixture
def negotiation(session: Session) -> Negotiation:
    return set_out(session)


def text(negotiation: Negotiation, language: str = "en", first: str = "ilena") -> Beginning:
    (begun,) = beginning.beginnings(negotiation[first], negotiation.loaded(), [language])
    return begun


def begin(negotiation: Negotiation, language: str = "en", first: str = "ilena") -> tuple[str, ...]:
    begun = beginning.begin(
        negotiation[first], negotiation.checklist(), language, seen=text(negotiation, language).seen
    )
    negotiation.session.commit()
    return begun


@pytest.fixture
def begun(negotiation: Negotiation) -> Negotiation:
    """The same cooperation; its terms begin with the model text in English."""
    negotiation.go_on("begin", begin)
    return negotiation


def values(negotiation: Negotiation, item: str) -> dict[str, Any]:
    answer = negotiation.loaded().sheet.shared(item)
    assert answer is not None
    return dict(answer.values)


def unread(negotiation: Negotiation, item: str) -> set[str]:
    """Return the keys of the organisations that have not read an item."""
    return unread_of(negotiation, negotiation.standing(item))


def unread_of(negotiation: Negotiation, status: ItemStatus) -> set[str]:
    return {key for key in WRITERS if negotiation.country.id(key) in status.unread_by}


def read(negotiation: Negotiation, first: str, *items: str) -> None:
    loaded = negotiation.loaded()
    answers = [answer.answer_id for item in items if (answer := loaded.sheet.shared(item))]
    copying.say_read(
        negotiation[first],
        negotiation.checklist(),
        shown_answers(loaded, negotiation[first], answers),
    )
    negotiation.session.commit()


def address(negotiation: Negotiation, more: str = "/begin") -> str:
    return f"/checklists/{negotiation.checklist().id}{more}"


def decided(value: Any) -> Any:
    """Return a value with a text in each place of a text that is to decide."""
    match value:
        case str():
            return to_decide.filled(value, "Decided.")
        case list():
            return [decided(element) for element in value]
        case dict():
            return {key: decided(cell) for key, cell in value.items()}
        case _:
            return value


# What is stored


def test_each_answer_is_a_first_version_that_no_party_has_read(negotiation: Negotiation) -> None:
    begun = text(negotiation)
    items = begin(negotiation)
    assert items == tuple(item.code for item, _values in begun.answers)
    assert {"M1", "M2", "M6", "M19", "M20"} <= set(items)
    loaded = negotiation.loaded()
    for item, given in begun.answers:
        answer = loaded.sheet.shared(item.code)
        assert answer is not None
        assert (dict(answer.values), answer.version) == (given, 1)
        assert (answer.author_name, answer.source) == ("Ilena Dorvath", CopySource.PRODUCT)
        assert answer.copied_from is None
        assert loaded.standing().items[item.code].unread_by == tuple(
            party.organisation_id for party in loaded.parties
        )
        assert not loaded.standing().items[item.code].done
    assert loaded.positions == ()
    # Who begins with a text has written nothing (product.md, 6): they may be its second reader.
    assert loaded.sheet.authors == frozenset()


def test_a_checklist_begins_with_what_administrators_wrote_and_keeps_it(
    negotiation: Negotiation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "require_sound", lambda *_args: None)
    administrator = negotiation["root"]
    address, text = Address(ChecklistKind.TERMS, "en", "M2"), "Written in this instance."
    product = library.content_in(ChecklistKind.TERMS, "en").items["M2"]
    for number in (0, 1):
        stored = in_use.as_stored(product) | {"objectives": {"base": f"{text} {number}"}}
        model_texts.publish(
            administrator,
            address,
            in_use.item_from(stored),
            seen_number=number,
            reason="Ours",
        )
        negotiation.session.commit()
        if not number:
            begin(negotiation)
    assert values(negotiation, "M2")["objectives"] == f"{text} 0"
    now = in_use.contents(ChecklistKind.TERMS, ["en"])["en"].items["M2"]
    assert now["objectives"].base == f"{text} 1"
    assert negotiation.loaded().standing().items["M2"].unread_by


@pytest.mark.both_databases
def test_one_event_names_the_items_and_the_text(negotiation: Negotiation) -> None:
    items = begin(negotiation)
    (event,) = negotiation.events("model_text_used")
    assert {key: value for key, value in event.items() if key != "who"} == {
        "kind": "terms",
        "items": list(items),
        "language": "en",
        "text_version": text(negotiation).version,
        "organisation": "Office of the People's Advocate",
    }
    assert event["who"]["name"] == "Ilena Dorvath"
    assert negotiation.events("answer_saved") == []
    # Lists count what each party has to read.
    rows = negotiation.session.scalars(
        sa.select(ChecklistParty.unread_count).where(
            ChecklistParty.checklist_id == negotiation.checklist().id
        )
    ).all()
    assert rows == [len(items)] * 3
    # The marks say that the text came with the product.
    marks = negotiation.session.scalars(sa.select(CopiedAnswer)).all()
    assert {(mark.source, mark.source_answer_id, mark.is_rewritten) for mark in marks} == {
        (CopySource.PRODUCT, None, False)
    }
    # A checklist is begun once.
    with pytest.raises(RefusedError, match="already has answers"):
        begin(negotiation)
    assert len(negotiation.events("model_text_used")) == 1


def test_what_is_known_stands_in_the_place_of_what_is_to_decide(
    negotiation: Negotiation, app: Flask
) -> None:
    know(negotiation)
    begin(negotiation)
    parties = rows_of(negotiation)
    own, door = (parties[str(negotiation.country.id(key))] for key in (NPM, DOOR))
    assert own["mandate"] == "The Act of 2011."
    assert own["signatory"] == str(negotiation.country.users["tomas"].id)
    # Each party fills in its own row (product.md, 4.1).
    assert to_decide.is_mark(door["mandate"])
    chosen = {row["party"]: row for row in values(negotiation, "M1")["selection"]}
    assert chosen[str(negotiation.country.id(DOOR))]["criteria"] == "Ten years of work."
    assert to_decide.is_mark(chosen[str(negotiation.country.id(LANTERN))]["criteria"])
    days = values(negotiation, "M19")
    assert days["start"] == STARTS.isoformat()
    assert to_decide.is_mark(days["review"])
    assert values(negotiation, "M3")["in_scope"] == ["VISIT"]
    # A partner finds its details in its row where the text leaves them open.
    form = (
        negotiation.country.browser(app, "samira")
        .page(address(negotiation, "/items/M1/answer"))
        .form()
    )
    given = {value for answers in form.values.values() for value in answers}
    assert {"Stands by people in custody.", str(negotiation.country.users["henrik"].id)} <= given


def test_a_partner_that_saves_its_row_leaves_open_what_the_others_decide_in_theirs(
    begun: Negotiation, app: Flask
) -> None:
    before = rows_of(begun)
    browser, where = (
        begun.country.browser(app, "samira"),
        address(begun, "/items/M1/answer"),
    )
    assert browser.post(where, data=browser.page(where).form().filled_in()).status_code == 303
    after = rows_of(begun)
    door = str(begun.country.id(DOOR))
    assert after.pop(door) != before.pop(door)
    assert after == before
    assert unread(begun, "M1") == {NPM, LANTERN}


def rows_of(negotiation: Negotiation) -> dict[str, Any]:
    """Return the parties' rows of M1 by party."""
    return {row["party"]: row for row in values(negotiation, "M1")["parties"]}


STARTS = dt.date(2031, 2, 1)


def know(negotiation: Negotiation) -> None:
    """Have the application know the parties' details, the first day and how a CSO was chosen."""
    for key, mandate in ((NPM, "The Act of 2011."), (DOOR, "Stands by people in custody.")):
        body = negotiation.session.get_one(Organisation, negotiation.country.id(key))
        details = Details(name=body.name, types=body.types, mandate=mandate)
        organisations.change(negotiation["root"], body.id, details, seen_version=body.version)
    head = negotiation.cooperation
    cooperations.change_head(
        negotiation["ilena"],
        head,
        version=head.version,
        title=head.title,
        purpose=head.purpose,
        starts_on=STARTS,
        ends_on=None,
        review_on=None,
    )
    day = clock.today()
    way = SelectionWay.APPLICATION
    record = Selection(way, day, day, "Ten years of work.", "Head", negotiation.country.id(NPM))
    selection.record(negotiation["ilena"], head, negotiation.country.id(DOOR), record, version=0)
    negotiation.session.commit()


def test_the_text_is_in_the_language_that_was_chosen(negotiation: Negotiation) -> None:
    english = {item.code: given for item, given in text(negotiation).answers}
    begin(negotiation, "ar")
    assert negotiation.events("model_text_used")[0]["language"] == "ar"
    assert values(negotiation, "M2").keys() == english["M2"].keys()
    assert values(negotiation, "M2") != english["M2"]
    assert "[للتحديد" in values(negotiation, "M19")["start"]


@pytest.mark.both_databases
def test_a_visits_roles_begin_with_a_row_for_each_person_on_the_team(
    session: Session, demonstration: Demonstration
) -> None:
    joint_visit = JointVisit(session, demonstration)
    team = ("leyla", "samira", "marek")
    planned(joint_visit, members=team, audience=team)
    joint_visit.session.commit()
    ilena, roles = joint_visit.actor("ilena"), joint_visit.checklist(ChecklistKind.VISIT_ROLES, 2)
    (begun,) = beginning.beginnings(ilena, load(roles), ["en"])
    items = beginning.begin(ilena, roles, "en", seen=begun.seen)
    joint_visit.session.commit()
    loaded = load(joint_visit.checklist(ChecklistKind.VISIT_ROLES, 2))
    # Who leads, is on the team and may know was chosen before, and is not in the text.
    assert {"V2", "V3", "V4"}.isdisjoint(items)
    kind, answer = (loaded.sheet.shared(code) for code in ("V1", "V5"))
    assert kind is not None
    assert answer is not None
    # What was said when it was planned is not overwritten.
    assert (kind.values["kind"], kind.values["place_type"], kind.version) == (
        "thematic",
        "police",
        2,
    )
    assert kind.values["aims"]
    people = [row["person"] for row in answer.values["roles"]]
    assert frozenset(map(UUID, people)) == loaded.surroundings.team
    stored = joint_visit.session.get_one(Answer, answer.answer_id)
    assert stored.values is None  # class K2: encrypted


# Who may, and when


def test_only_a_coordinator_of_the_npm_begins_with_the_model_text(
    negotiation: Negotiation,
) -> None:
    for first in ("samira", "joana", "nadia", "tomas", "oren", "marek", "ada"):
        with pytest.raises(RefusedError):
            begin(negotiation, first=first)
        negotiation.session.rollback()
        assert negotiation.loaded().sheet.answers == {}, first
    # Nor does anybody begin a checklist with an answer.
    negotiation.save("samira", "M2", objectives="Fewer people at risk.")
    with pytest.raises(RefusedError, match="already has answers"):
        begin(negotiation)
    negotiation.session.rollback()
    assert values(negotiation, "M2") == {"objectives": "Fewer people at risk."}


def test_a_text_in_force_is_not_begun(negotiation: Negotiation) -> None:
    negotiation.sign()
    with pytest.raises(RefusedError, match="while the text is a draft"):
        begin(negotiation)


def test_a_text_that_changed_since_it_was_shown_is_shown_again(negotiation: Negotiation) -> None:
    seen = text(negotiation).seen
    head = negotiation.cooperation
    cooperations.set_modes(
        negotiation["ilena"],
        head,
        version=head.version,
        modes=[Mode.VISIT, Mode.ADV],
        questions=head.questions,
    )
    negotiation.session.commit()
    for other in (seen, "", "nonsense"):
        with pytest.raises(StaleError, match="Something changed while you were choosing"):
            beginning.begin(negotiation["ilena"], negotiation.checklist(), "en", seen=other)


# Nothing is agreed unread


def test_what_needs_no_acceptance_is_done_once_each_party_has_read_it(
    begun: Negotiation,
) -> None:
    read(begun, "ilena", "M6")
    begun.save("ilena", "M6", seen=1, **{**values(begun, "M6"), "stop_term": "At any time."})
    assert unread(begun, "M6") == {DOOR, LANTERN}
    read(begun, "samira", "M6")
    assert not begun.standing("M6").done
    read(begun, "joana", "M6")
    assert begun.standing("M6").done


def test_a_section_of_the_draft_is_read_and_accepted_at_once(
    app: Flask, begun: Negotiation
) -> None:
    """Also what needs no acceptance: it counts as agreed once each party has read it."""
    loaded = begun.loaded()
    section = next(
        part for part in loaded.template.sections if "M6" in [item.code for item in part.items]
    )
    for first in ("ilena", "samira", "joana"):
        browser = begun.country.browser(app, first)
        page = browser.page(address(begun, "/read"))
        assert "You confirm that you have read: Flexibility of the NPM." in page.text
        (form,) = [
            form
            for form in page.forms(address(begun, "/read/accept"))
            if form.values["section"] == [section.key]
        ]
        assert "M6" in form.values["item"]
        after = Page.of(
            browser.post(form.action, data=form.values, csrf=False, follow_redirects=True)
        )
        assert "Read: “Flexibility of the NPM”." in after.text
        assert "You confirm that you have read: Flexibility of the NPM." not in after.text
    begun.session.expire_all()
    assert begun.standing("M6").unread_by == ()
    assert [event["items"] for event in begun.events("copies_read")] == [["M6"]] * 3


def test_whoever_fills_in_what_is_to_decide_has_read_it_and_the_others_have_not(
    begun: Negotiation,
) -> None:
    read(begun, "samira", "M19")
    days = {"start": "2031-02-01", "review": "2032-02-01", "end": "2033-01-31"}
    with pytest.raises(RuleBrokenError, match="isn't complete yet"):
        begun.accept("M19", "samira")
    begun.save("ilena", "M19", seen=1, **{**values(begun, "M19"), **days})
    assert unread(begun, "M19") == {LANTERN}
    # Read is not agreed: the words are new.
    assert begun.waiting("M19") == {DOOR, LANTERN}
    assert begun.loaded().sheet.authors == {begun["ilena"].user_id}
    begun.accept("M19", "samira", "joana")
    assert unread(begun, "M19") == set()
    assert begun.standing("M19").done


def test_a_party_that_writes_its_row_leaves_the_rest_unread_for_the_others(
    begun: Negotiation,
) -> None:
    now = values(begun, "M4")
    for row in now["expectations"]:
        if row["party"] == str(begun.country.id(DOOR)):
            row |= {column: "Ours." for column in row if column != "party"}
    service.save_answer(
        begun["samira"],
        begun.checklist(),
        "M4",
        AnswerScope.SHARED,
        now,
        base_version=1,
    )
    begun.session.commit()
    assert unread(begun, "M4") == {NPM, LANTERN}
    # It accepts what it wrote.
    assert begun.waiting("M4") == {NPM, DOOR, LANTERN}


ITEMS = ("M2", "M4", "M6", "M19", "M20")


@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_agreed_that_a_party_has_not_had_on_its_page(
    begun: Negotiation, seed: int
) -> None:
    """In any order of reading, accepting and changing; a party acts on what its page shows."""
    rng, acted = Random(seed), {item: set[str]() for item in ITEMS}
    agreed = set()
    for _turn in range(45):
        item, party = rng.choice(ITEMS), rng.choice(sorted(WRITERS))
        if act(begun, rng, item, WRITERS[party]):
            acted[item].add(party)
        standing = begun.loaded().standing().items
        for code in ITEMS:
            if standing[code].done:
                agreed.add(code)
                assert acted[code] == set(WRITERS), code
            assert unread_of(begun, standing[code]).isdisjoint(acted[code])
    assert agreed


def act(negotiation: Negotiation, rng: Random, item: str, first: str) -> bool:
    """Read, accept or change an item for a party; return whether it was possible."""
    answer = negotiation.loaded().sheet.shared(item)
    assert answer is not None
    try:
        match rng.choice(("read", "accept", "accept", "change")):
            case "read":
                read(negotiation, first, item)
            case "accept":
                positions.take_position(
                    negotiation[first],
                    negotiation.checklist(),
                    item,
                    Stance.ACCEPTS,
                    answer_id=answer.answer_id,
                )
            case _:
                dates = {"start": "2031-02-01", "review": "2032-02-01", "end": "2033-01-31"}
                given = decided(dict(answer.values)) | (dates if item == "M19" else {})
                negotiation.save(first, item, seen=answer.version, **given)
    except (RuleBrokenError, RefusedError):
        negotiation.session.rollback()
        return False
    negotiation.session.commit()
    return True


def test_nothing_is_sent_while_a_model_text_is_unread(begun: Negotiation) -> None:
    read(begun, "ilena", *begun.loaded().template.by_code.keys() & set(ITEMS))
    obstacle, *_more = obstacles.to_sending(begun.loaded())
    assert begun.loaded().template.by_code["M6"].label in str(obstacle)


# Pages


@pytest.mark.both_databases
def test_an_empty_checklist_offers_four_ways_to_begin(negotiation: Negotiation, app: Flask) -> None:
    browser = negotiation.country.browser(app, "ilena")
    page = browser.page(address(negotiation, ""))
    # What there is to do comes before what is missing for signing.
    first, after = "Nothing is written yet.", "Before you can send this for signature:"
    assert 0 < page.text.index(first) < page.text.index(after)
    page = browser.page(page.links()["Choose how to begin"])
    assert page.h1 == "Choose how to begin"
    for words in (
        "The model text that comes with the product",
        "It's made for your ways of working: Joint monitoring visit.",
        "The NPM doesn't keep a model text of its own for this checklist.",
        "There is no other checklist of this kind and of the same parties",
    ):
        assert words in page.text, words
    assert page.links()["Begin with an empty checklist"] == address(negotiation, "")
    (form,) = page.forms(address(negotiation))
    assert {"seen_en", "seen_ar"} <= form.values.keys()
    chosen = form.filled_in() | {"language": "en"}
    done = Page.of(browser.post(address(negotiation), data=chosen, follow_redirects=True))
    assert "items have the model text now. They don't count as agreed until" in done.text
    assert done.h1 == "What is left to decide"
    assert "Is a person missing from a list? First add them to the people of" in done.text
    assert f"/cooperations/{negotiation.cooperation.reference}/people" in done.addresses()
    page = browser.page(address(negotiation, ""))
    assert 0 < page.text.index("places are left to decide") < page.text.index(after)
    prepared = browser.page(address(negotiation, "?filter=copied")).text
    assert "From the model text that comes with the product. Not read yet for:" in prepared
    assert "Choose how to begin" not in browser.page(address(negotiation, "")).text
    history = browser.page(f"/cooperations/{negotiation.cooperation.reference}/history").text
    assert (
        "began with the model text that comes with the product: “Parties and mandates”, "
        "“Objectives”" in history
    )
    item = browser.page(address(negotiation, "/items/M2/history")).text
    assert "Office of the People's Advocate began with the model text that comes" in item
    page = browser.page(address(negotiation), status=403)
    assert "This checklist already has answers." in page.text


def test_a_page_that_is_no_longer_right_begins_nothing(
    negotiation: Negotiation, app: Flask
) -> None:
    browser = negotiation.country.browser(app, "ilena")
    for fields in (
        {},
        {"language": "en", "seen_en": "x"},
        {"language": "xx", "seen_xx": ""},
        {"language": "xx", "read": "later"},
    ):
        page = Page.of(browser.post(address(negotiation), data=fields, follow_redirects=True))
        assert "Something changed while you were choosing." in page.text
        assert page.h1 == "Choose how to begin"
    assert negotiation.loaded().sheet.answers == {}


@pytest.mark.both_databases
def test_other_sides_are_refused_with_the_reason_or_find_nothing(
    negotiation: Negotiation, app: Flask
) -> None:
    seen = {"language": "en", "seen_en": text(negotiation).seen}
    page = negotiation.country.browser(app, "samira").page(address(negotiation))
    assert "Only a coordinator of the NPM can begin a checklist with a model text." in page.text
    assert page.forms(address(negotiation)) == []
    people = (("samira", 200, 403), ("nadia", 403, 403), ("henrik", 403, 403), ("ada", 403, 403))
    outside = (("marek", 404, 404), ("vesna", 404, 404), ("root", 404, 404))
    for first, reads, sends in (*people, *outside):
        browser = negotiation.country.browser(app, first)
        assert browser.get(address(negotiation)).status_code == reads, first
        assert browser.post(address(negotiation), data=seen).status_code == sends, first
    assert negotiation.loaded().sheet.answers == {}
    assert (
        "Choose how to begin"
        not in negotiation.country.browser(app, "ada").page(address(negotiation, "")).text
    )


# Statements


@pytest.mark.both_databases
def test_many_items_begin_in_as_many_statements_as_few(
    session: Session, statements: Statements, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    whole = library.content_in(ChecklistKind.TERMS, "en")
    few = {code: whole.items[code] for code in ("M1", "M3", "M9")}
    for items in (few, whole.items):
        given = with_parts(whole, items=items)
        monkeypatch.setattr(library, "content_in", lambda *_which, given=given: given)
        negotiation = set_out(session)
        seen, checklist, ilena = (
            text(negotiation).seen,
            negotiation.checklist(),
            negotiation["ilena"],
        )
        session.expire_all()
        with statements() as sent:
            begun = beginning.begin(ilena, checklist, "en", seen=seen)
        session.commit()
        counts.append((len(begun) > len(few), len(sent)))
    assert counts == [(False, MOST), (True, MOST)]
