"""Model texts that an NPM keeps from signed texts: kept in one step, begun with, retired.

In one file: one model text, from the record of a signed text to another cooperation.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.factories.negotiations import Negotiation, another, set_out
from tests.factories.visits import JointVisit, planned
from tests.pages import Page
from tracker.access.actor import Role
from tracker.activity.models import Chain, ChainKind, Event, EventDetail, ReadLogEntry
from tracker.agreements import keeping
from tracker.agreements import service as agreements
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import encryption, queries
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, CopySource, OwnModelText
from tracker.checklists.reuse import beginning, own_text_pages, own_texts, visit_tasks
from tracker.checklists.reuse.beginning import Beginning
from tracker.cooperations.models import CooperationKey
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.signoff import queries as signoff
from tracker.visits.encryption import plan_of

pytestmark = pytest.mark.some_on_postgresql(3)

Statements = Callable[[], AbstractContextManager[list[str]]]
NPM, DOOR = "npm", "door"
LIST = "/model-texts"


@pytest.fixture
def negotiation(session: Session) -> Negotiation:
    """Terms that an NPM and two CSOs have signed."""
    signed = set_out(session)
    signed.sign()
    return signed


def keep(negotiation: Negotiation, first: str = "ilena", language: str = "en") -> OwnModelText:
    checklist = negotiation.checklist()
    ((revision, _request),) = signoff.revisions_of(agreements.SUBJECT, checklist.id)
    row = keeping.keep(negotiation[first], checklist, revision, language)
    negotiation.session.commit()
    return row


def own(negotiation: Negotiation, first: str = "ilena") -> tuple[Beginning, ...]:
    texts, _product = beginning.all_beginnings(negotiation[first], negotiation.loaded(), ["en"])
    return texts


def begin(negotiation: Negotiation, row: OwnModelText, first: str = "ilena") -> tuple[str, ...]:
    seen = next(text.seen for text in own(negotiation) if text.own is not None)
    items = beginning.begin_with_own(negotiation[first], negotiation.checklist(), row.id, seen=seen)
    negotiation.session.commit()
    return items


def record(negotiation: Negotiation) -> str:
    return f"/checklists/{negotiation.checklist().id}/record"


def people_named(negotiation: Negotiation) -> set[str]:
    return {str(user.id) for user in negotiation.country.users.values()}


# What is kept


@pytest.mark.both_databases
def test_a_signed_text_is_kept_without_its_people_dates_and_partners(
    negotiation: Negotiation,
) -> None:
    row = keep(negotiation)
    text = encryption.model_text_of(row)
    assert {"M2", "M4", "M6", "M10", "M18", "M20"} <= text.keys()
    signed = negotiation.loaded().sheet.shared("M2")
    assert signed is not None
    assert text["M2"] == dict(signed.values)
    stored = str(text)
    partners = {str(negotiation.country.id(key)) for key in (DOOR, "lantern")}
    assert not {name for name in people_named(negotiation) | partners if name in stored}
    assert to_decide.is_mark(text["M5"]["second_reader"])
    assert not {"M2", "M6"} & {code for code in text if "start" in text[code]}
    assert (row.kind, row.item_count, row.is_of_visit) == (ChecklistKind.TERMS, len(text), False)


def test_names_of_partners_and_people_in_what_was_written_are_to_decide(session: Session) -> None:
    negotiation = set_out(session)
    negotiation.save(
        "ilena", "M2", objectives="Open Door Legal Aid and Samira Okell learn with us."
    )
    negotiation.accept("M2", "samira", "joana")
    negotiation.sign()
    text = encryption.model_text_of(keep(negotiation))["M2"]["objectives"]
    assert text == "[to decide: a name] and [to decide: a name] learn with us."


def test_no_event_says_which_text_was_kept_or_where_it_is_from(negotiation: Negotiation) -> None:
    row = keep(negotiation, language="ar")
    # What is to decide is marked in the language of the page.
    assert encryption.model_text_of(row)["M5"]["second_reader"].startswith("[للتحديد: ")
    own_texts.retire(negotiation["nadia"], row.id)
    negotiation.session.commit()
    details = negotiation.session.execute(
        sa.select(Event.verb, EventDetail.content)
        .join(EventDetail, EventDetail.event_id == Event.id)
        .join(Chain, Chain.id == Event.chain_id)
        .where(Event.verb.like("model_text_%"), Chain.kind == ChainKind.INSTANCE)
        .order_by(Event.number)
    ).all()
    assert [verb for verb, _content in details] == ["model_text_kept", "model_text_retired"]
    assert {frozenset(content) for _verb, content in details} == {frozenset({"who"})}
    assert negotiation.events("model_text_kept") == negotiation.events("model_text_retired") == []


def test_a_text_is_kept_once_and_only_so_many(
    negotiation: Negotiation, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = keep(negotiation)
    with pytest.raises(RuleBrokenError, match="keeps this text as a model text already"):
        keep(negotiation, "nadia")
    monkeypatch.setattr(own_texts, "MOST", 1)
    other = another(negotiation.country, DOOR, "lantern")
    other.sign()
    with pytest.raises(RuleBrokenError, match="Retire one first"):
        keep(other)
    own_texts.retire(negotiation["ilena"], row.id)
    assert keep(negotiation).id != row.id


# Who may


def test_nobody_but_a_coordinator_or_a_manager_of_the_npm_keeps_a_text(
    negotiation: Negotiation, app: Flask
) -> None:
    for first in ("samira", "joana", "tomas", "oren", "petra", "marek", "ada"):
        with pytest.raises(RefusedError):
            keep(negotiation, first)
        negotiation.session.rollback()
    # Nor by address.
    for first, status in (("oren", 403), ("tomas", 403), ("ada", 403), ("marek", 404)):
        browser = negotiation.country.browser(app, first)
        assert browser.post(f"{record(negotiation)}/1/keep").status_code == status, first
    ilena = negotiation.country.browser(app, "ilena")
    assert ilena.post(f"{record(negotiation)}/9/keep").status_code == 404
    assert negotiation.session.scalars(sa.select(OwnModelText)).all() == []
    for first in ("ilena", "nadia"):
        row = keep(negotiation, first)
        assert row.kept_by_id == negotiation[first].user_id
        own_texts.retire(negotiation[first], row.id)
        negotiation.session.commit()


def test_a_text_that_not_all_have_signed_is_not_kept(session: Session) -> None:
    negotiation = set_out(session)
    negotiation.send()
    with pytest.raises(RefusedError, match="that all parties have signed"):
        keep(negotiation)


def test_an_outside_expert_of_the_npm_sees_none_even_as_coordinator(
    negotiation: Negotiation,
) -> None:
    row = keep(negotiation)
    negotiation.country.person("Iver Moss", NPM, Role.COORDINATOR, outside_expert=True)
    negotiation.session.commit()
    assert queries.own_texts(negotiation["iver"]) == []
    assert queries.own_text(negotiation["iver"], row.id) is None


@pytest.mark.both_databases
def test_nobody_of_another_body_finds_a_kept_text(negotiation: Negotiation, app: Flask) -> None:
    row = keep(negotiation)
    for first, lists in (("samira", 403), ("vesna", 200), ("oren", 403), ("ada", 403)):
        browser = negotiation.country.browser(app, first)
        assert browser.get(LIST).status_code == lists, first
        assert browser.get(f"{LIST}/{row.id}").status_code == 404, first
        assert browser.get(f"{LIST}/{row.id}/retire").status_code == 404, first
        assert browser.post(f"{LIST}/{row.id}/retire").status_code == 404, first
    assert "There are none yet." in negotiation.country.browser(app, "vesna").page(LIST).text
    assert negotiation.country.browser(app, "root").get(LIST).status_code == 403


def test_who_may_not_see_the_agreement_is_not_told_which_it_was(
    negotiation: Negotiation, app: Flask
) -> None:
    row = keep(negotiation)
    # The NPM has left the cooperation since.
    negotiation.session.execute(
        sa.text("UPDATE party SET left_on = '2020-01-01' WHERE organisation_id = :npm"),
        {"npm": negotiation.country.id(NPM).hex},
    )
    negotiation.session.commit()
    page = negotiation.country.browser(app, "ilena").page(f"{LIST}/{row.id}")
    assert "From an agreement that you can't open" in page.text
    assert negotiation.cooperation.reference not in page.text


# Beginning with it


def test_another_cooperation_begins_with_it_and_nobody_has_read_it_yet(
    negotiation: Negotiation,
) -> None:
    row = keep(negotiation)
    other = another(negotiation.country, DOOR)
    # It is offered only for its own checklist.
    confidentiality = other.loaded(ChecklistKind.CONFIDENTIALITY)
    assert own_texts.for_checklist(negotiation["ilena"], confidentiality) == []
    assert len(own(other)) == 1
    # Only a coordinator of the NPM begins with it.
    for first in ("samira", "nadia", "oren", "vesna"):
        with pytest.raises(RefusedError):
            begin(other, row, first)
    assert other.loaded().sheet.answers == {}
    items = begin(other, row)
    assert {"M1", "M2", "M4", "M6"} <= set(items)
    loaded = other.loaded()
    for item in items:
        answer = loaded.sheet.shared(item)
        assert answer is not None
        assert (answer.source, answer.version) == (CopySource.OWN, 1)
        assert loaded.standing().items[item].unread_by == tuple(
            party.organisation_id for party in loaded.parties
        )
        assert not loaded.standing().items[item].done
    assert loaded.positions == ()
    # Who begins with a text has written nothing (product.md, 6): they may be its second reader.
    assert loaded.sheet.authors == frozenset()
    (event,) = other.events("own_model_text_used")
    assert {key: value for key, value in event.items() if key != "who"} == {
        "kind": "terms",
        "items": list(items),
        "organisation": "Office of the People's Advocate",
    }
    with pytest.raises(RefusedError, match="already has answers"):
        begin(other, row)


def test_a_partner_learns_nothing_of_the_npms_texts_and_an_outdated_page_begins_nothing(
    negotiation: Negotiation, app: Flask
) -> None:
    row = keep(negotiation)
    other = another(negotiation.country, DOOR)
    address = f"/checklists/{other.checklist().id}/begin"
    samira = other.country.browser(app, "samira")
    assert "Keep as our model text" not in samira.page(record(negotiation)).text
    assert samira.post(f"{record(negotiation)}/1/keep").status_code == 403
    page = samira.page(address)
    assert "A model text of the NPM" not in page.text
    assert negotiation.cooperation.reference not in page.text
    ilena = other.country.browser(app, "ilena")
    for fields in ({"own": str(row.id)}, {"own": "nonsense", "seen": "x"}):
        page = Page.of(ilena.post(address, data=fields, follow_redirects=True))
        assert "Something changed while you were choosing." in page.text
    assert other.loaded().sheet.answers == {}


def test_each_new_partner_finds_a_row_of_its_own_to_fill_in(negotiation: Negotiation) -> None:
    row = keep(negotiation)
    other = another(negotiation.country, "lantern", "bridge")
    begin(other, row)
    answer = other.loaded().sheet.shared("M4")
    assert answer is not None
    rows = {row["party"]: row for row in answer.values["expectations"]}
    assert set(rows) == {str(other.country.id(key)) for key in (NPM, "lantern", "bridge")}
    assert to_decide.is_mark(rows[str(other.country.id("bridge"))]["expects"])
    assert not to_decide.is_mark(rows[str(other.country.id(NPM))]["expects"])


def test_a_retired_text_has_no_content_and_is_offered_nowhere(negotiation: Negotiation) -> None:
    row = keep(negotiation)
    begun, other = another(negotiation.country, DOOR), another(negotiation.country, DOOR)
    begin(begun, row)
    ilena, checklist = other["ilena"], other.checklist()
    for seen in ("", "nonsense"):
        with pytest.raises(StaleError, match="Something changed while you were choosing"):
            beginning.begin_with_own(ilena, checklist, row.id, seen=seen)
    (text,) = own(other)
    own_texts.retire(negotiation["nadia"], row.id)
    negotiation.session.commit()
    with pytest.raises(StaleError, match="Something changed while you were choosing"):
        beginning.begin_with_own(ilena, other.checklist(), row.id, seen=text.seen)
    assert queries.own_texts(negotiation["ilena"]) == []
    assert (row.values, row.sealed, row.retired_by_id) == (None, None, negotiation["nadia"].user_id)
    # What was begun with it stays.
    assert begun.loaded().sheet.shared("M2") is not None
    with pytest.raises(StaleError, match="has been retired in the meantime"):
        own_texts.retire(negotiation["ilena"], row.id)


# Retiring


@pytest.mark.both_databases
def test_the_database_refuses_a_retired_text_that_still_says_something(
    negotiation: Negotiation,
) -> None:
    row = keep(negotiation)
    with pytest.raises(IntegrityError):
        negotiation.session.execute(
            sa.text(
                "UPDATE own_model_text SET retired_at = kept_at, retired_by_id = kept_by_id "
                "WHERE id = :id"
            ),
            {"id": row.id.hex},
        )
    negotiation.session.rollback()


# Pages


@pytest.mark.both_databases
def test_a_text_is_kept_read_begun_with_and_retired_on_its_pages(
    negotiation: Negotiation, app: Flask
) -> None:
    browser = negotiation.country.browser(app, "ilena")
    page = browser.page(record(negotiation))
    (form,) = page.forms(f"{record(negotiation)}/1/keep")
    done = Page.of(browser.post(form.action, data=form.values, csrf=False, follow_redirects=True))
    assert "Kept as a model text, with" in done.text
    assert done.h1 == "Our model text: Agreed terms"
    for words in (f"From {negotiation.cooperation.reference}, revision 1", "Kept by Ilena Dorvath"):
        assert words in done.text
    again = Page.of(browser.post(form.action, data=form.values, csrf=False, follow_redirects=True))
    assert "Your organisation keeps this text as a model text already." in again.text
    listed = browser.page(LIST)
    assert f"From {negotiation.cooperation.reference}, revision 1" in listed.text
    other = another(negotiation.country, DOOR)
    address = f"/checklists/{other.checklist().id}"
    page = browser.page(f"{address}/begin")
    assert page.text.index("A model text of the NPM") < page.text.index("that comes with the")
    own_form, *product = page.forms(f"{address}/begin")
    assert "own" in own_form.values
    assert all("seen_en" in form.values for form in product)
    browser.post(own_form.action, data=own_form.values, csrf=False)
    begun = browser.page(address)
    assert "From a model text that the NPM keeps. Not read yet for:" in begun.text
    history = browser.page(f"/cooperations/{other.cooperation.reference}/history").text
    assert "began with a model text of its own: " in history
    item = browser.page(f"{address}/items/M2/history").text
    assert "Office of the People's Advocate began with a model text of its own" in item
    (link,) = [to for words, to in listed.links().items() if words.startswith("From ")]
    # Retiring asks first.
    assert f"{link}/retire" in browser.page(link).addresses()
    retiring = browser.page(f"{link}/retire")
    assert retiring.h1 == "Retire a model text"
    assert "You can't get it back." in retiring.text
    assert browser.get(link).status_code == 200
    retired = Page.of(browser.submit(f"{link}/retire"))
    assert "The model text is retired." in retired.text
    assert browser.get(link).status_code == 404


def test_many_kept_texts_are_offered_in_as_many_statements_as_one(
    negotiation: Negotiation, statements: Statements
) -> None:
    keep(negotiation)
    third = another(negotiation.country, DOOR)
    counts = []
    for _times in range(2):
        ilena, loaded = third["ilena"], third.loaded()
        with statements() as sent:
            texts = own_texts.for_checklist(ilena, loaded)
            own_text_pages.views(ilena, [text.row for text in texts])
        counts.append((len(texts), len(sent)))
        if len(texts) == 1:
            signed = another(negotiation.country, DOOR, "lantern")
            signed.sign()
            keep(signed)
    assert counts == [(1, 2), (2, 2)]


# Of a visit (class K2)

ROLES, PLAN = ChecklistKind.VISIT_ROLES, ChecklistKind.URGENT_PLAN


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


def keep_of_visit(
    joint_visit: JointVisit, kind: ChecklistKind = ROLES, key: str = "ilena"
) -> OwnModelText:
    checklist = joint_visit.checklist(kind)
    revision, _request = signoff.revisions_of(agreements.SUBJECT, checklist.id)[0]
    row = keeping.keep(joint_visit.actor(key), checklist, revision, "en")
    joint_visit.session.commit()
    return row


def second(joint_visit: JointVisit) -> Checklist:
    planned(joint_visit, members=("leyla", "marek"), audience=("leyla", "marek"))
    joint_visit.session.commit()
    return joint_visit.checklist(ROLES, 2)


def test_of_a_visit_methods_stay_and_place_dates_and_people_go(joint_visit: JointVisit) -> None:
    row = keep_of_visit(joint_visit)
    assert (row.values, row.is_of_visit) == (None, True)
    assert row.sealed is not None
    text = encryption.model_text_of(row)
    assert {"V6", "V14", "V16"} <= text.keys()
    assert {"V2", "V3", "V4", "V13", "V20"}.isdisjoint(text)
    signed = load(joint_visit.checklist(ROLES)).sheet.shared("V6")
    assert signed is not None
    assert text["V6"]["method"] == signed.values["method"]
    stored = str(text)
    plan = plan_of(joint_visit.visit())
    facts = {plan.starts_on.isoformat(), plan.ends_on.isoformat(), plan.place}
    facts |= {str(user_id) for user_id in joint_visit.demonstration.users.values()}
    assert not {fact for fact in facts if fact in stored}


def test_another_visit_begins_with_it_encrypted_and_both_readings_are_logged(
    joint_visit: JointVisit, app: Flask
) -> None:
    row = keep_of_visit(joint_visit)
    roles = second(joint_visit)
    browser = joint_visit.demonstration.browser(app, "ilena")
    page = browser.page(f"/checklists/{roles.id}/begin")
    (form, *_product) = page.forms(f"/checklists/{roles.id}/begin")
    pages = joint_visit.session.execute(
        sa.select(ReadLogEntry.subject_id, ReadLogEntry.page).where(
            ReadLogEntry.page.in_(["begin", "model_text"])
        )
    ).all()
    assert {tuple(entry) for entry in pages} == {
        (roles.id, "begin"),
        (row.checklist_id, "model_text"),
    }
    done = browser.post(form.action, data=form.values, csrf=False)
    assert done.status_code == 303
    joint_visit.session.expire_all()
    sheet, plan = load(joint_visit.checklist(ROLES, 2)).sheet, plan_of(joint_visit.visit(2))
    answer = sheet.shared("V6")
    assert answer is not None
    assert answer.source is CopySource.OWN
    # It names lead and deputy and counts days as the product's does.
    pavo, ruth = (str(joint_visit.user(key)) for key in ("pavo", "ruth"))
    assert (sheet.value("V7", "speaker"), sheet.value("V7", "stand_in")) == (pavo, ruth)
    assert sheet.value("V18", "briefing") == (plan.starts_on - dt.timedelta(days=1)).isoformat()
    answer = sheet.shared("V7")
    assert answer is not None
    assert answer.read_by == frozenset()


def test_the_list_says_nothing_of_what_is_kept_from_a_visit(
    joint_visit: JointVisit, app: Flask
) -> None:
    row = keep_of_visit(joint_visit)
    text = encryption.model_text_of(row)
    browser = joint_visit.demonstration.browser(app, "ilena")
    for address in (LIST, f"{LIST}/{row.id}"):
        page = browser.page(address)
        assert text["V6"]["method"] not in page.text
        assert str(row.checklist_id) not in page.html


def test_nobody_is_named_who_kept_something_of_a_visit(joint_visit: JointVisit, app: Flask) -> None:
    """Whoever kept it could open the visit, so may know of it: managers outside it learn that."""
    milan = joint_visit.demonstration.browser(app, "milan")
    before = milan.page(LIST).text.count("Kept by")
    row = keep_of_visit(joint_visit)
    page = milan.page(LIST)
    assert page.text.count("Kept by") == before
    assert "Kept on" in page.text
    page = milan.page(f"{LIST}/{row.id}")
    assert "Kept on" in page.text
    assert "Ilena Dorvath" not in page.text


def test_nothing_of_a_visit_is_offered_where_there_is_no_visit(joint_visit: JointVisit) -> None:
    keep_of_visit(joint_visit, PLAN)
    standing = joint_visit.checklist(PLAN)
    loaded = load(standing)
    assert len(own_texts.for_checklist(joint_visit.actor("ilena"), loaded)) == 1
    loaded.checklist.visit_id = None
    with joint_visit.session.no_autoflush:
        assert own_texts.for_checklist(joint_visit.actor("ilena"), loaded) == []
    joint_visit.session.rollback()


def test_whoever_may_not_open_the_visit_keeps_nothing_of_it(
    joint_visit: JointVisit, app: Flask
) -> None:
    address = f"/checklists/{joint_visit.checklist(ROLES).id}/record/1/keep"
    assert joint_visit.demonstration.browser(app, "nadia").post(address).status_code == 404
    assert joint_visit.demonstration.browser(app, "samira").post(address).status_code == 403


def test_destroying_the_key_of_the_cooperation_erases_what_was_kept_of_its_visits(
    joint_visit: JointVisit,
) -> None:
    row = keep_of_visit(joint_visit)
    assert encryption.model_text_of(row)
    key = joint_visit.session.get_one(CooperationKey, row.cooperation_id)
    key.wrapped = None
    joint_visit.session.flush()
    assert encryption.model_text_of(row) == {}
    joint_visit.session.rollback()


def begin_of_visit(
    joint_visit: JointVisit, row: OwnModelText, kind: ChecklistKind, **chosen: str
) -> None:
    """Begin the text of the second visit with one that is kept, with people for its tasks."""
    ilena, checklist = joint_visit.actor("ilena"), joint_visit.checklist(kind, 2)
    texts, _product = beginning.all_beginnings(ilena, load(checklist), ["en"])
    [seen] = [text.seen for text in texts if text.own is row]
    people = {task: str(joint_visit.user(key)) for task, key in chosen.items()}
    beginning.begin_with_own(ilena, checklist, row.id, seen=seen, chosen=people)
    joint_visit.session.commit()


def test_people_are_chosen_once_for_the_tasks_of_a_kept_text(
    joint_visit: JointVisit, app: Flask
) -> None:
    row = keep_of_visit(joint_visit, PLAN)
    second(joint_visit)
    plan = joint_visit.checklist(PLAN, 2)
    (form, *_product) = (
        joint_visit.demonstration.browser(app, "ilena")
        .page(f"/checklists/{plan.id}/begin")
        .forms(f"/checklists/{plan.id}/begin")
    )
    assert "office" in form.values
    begin_of_visit(joint_visit, row, PLAN, office="ilena")
    senders = {body.get("sender") for body in load(plan).sheet.value("U11", "bodies")}
    assert senders == {str(joint_visit.user("ilena"))}
    with pytest.raises(RuleBrokenError, match="from the lists"):
        visit_tasks.read_choice(load(plan), {"office": str(joint_visit.user("leyla"))})


def test_without_a_choice_places_of_a_kept_text_stay_to_decide_in_its_own_words(
    joint_visit: JointVisit,
) -> None:
    row = keep_of_visit(joint_visit, PLAN)
    senders = {body["sender"] for body in encryption.model_text_of(row)["U11"]["bodies"]}
    second(joint_visit)
    begin_of_visit(joint_visit, row, PLAN)
    bodies = load(joint_visit.checklist(PLAN, 2)).sheet.value("U11", "bodies")
    assert {body["sender"] for body in bodies} == senders
    assert all(map(to_decide.is_mark, senders))
