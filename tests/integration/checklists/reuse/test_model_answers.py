"""An organisation's model answers: saved, used, renamed, and seen by nobody else.

In one file: one model answer, from keeping to use, tested from the same sides.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.demonstration import Demonstration
from tests.factories.negotiations import Negotiation, another, set_out
from tests.factories.templates import a_column, a_field, a_table, a_template, an_item, publish
from tests.factories.visits import JointVisit
from tests.pages import Page
from tracker.activity.models import Chain, ChainKind, Event, EventDetail
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import queries, service
from tracker.checklists.models import Answer, ModelAnswer
from tracker.checklists.reuse import model_answers
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError

Statements = Callable[[], AbstractContextManager[list[str]]]
SHARED, PARTY, PERSON = AnswerScope.SHARED, AnswerScope.PARTY, AnswerScope.PERSON


def keep(
    negotiation: Negotiation,
    first: str = "ilena",
    item: str = "M1",
    scope: AnswerScope = SHARED,
    title: str = "Plain words",
    note: str = "",
) -> ModelAnswer:
    answer = model_answers.to_keep(
        negotiation[first], negotiation.loaded(), negotiation.loaded().item(item), scope
    )
    assert answer is not None
    row = model_answers.keep(
        negotiation[first],
        negotiation.checklist(),
        item,
        scope,
        answer_id=answer.answer_id,
        title=title,
        note=note,
    )
    negotiation.session.commit()
    return row


def titles(negotiation: Negotiation, first: str) -> list[str]:
    return [row.title for row in queries.model_answers(negotiation[first])]


@pytest.fixture
def with_models(negotiation: Negotiation) -> Negotiation:
    """Terms on which M1 is answered and kept by the NPM and by Open Door, each for itself."""
    negotiation.go_on("with_models", _keep_both)
    return negotiation


def _keep_both(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    keep(negotiation, "ilena", title="The NPM's words", note="With new partners.")
    keep(negotiation, "samira", title="Words that bind us")


# Whose they are


def test_an_organisation_keeps_answers_for_itself_alone(with_models: Negotiation) -> None:
    assert titles(with_models, "ilena") == titles(with_models, "oren") == ["The NPM's words"]
    assert titles(with_models, "samira") == titles(with_models, "dora") == ["Words that bind us"]
    # Petra acts for the NPM but isn't one of its own people.
    for first in ("joana", "marek", "vesna", "petra", "ada", "root"):
        assert titles(with_models, first) == []
        assert queries.models_for(with_models[first], ChecklistKind.TERMS, "M1", SHARED) == []


def test_no_other_organisation_finds_a_model_answer_by_its_address(
    with_models: Negotiation, app: Flask
) -> None:
    row = queries.model_answers(with_models["samira"])[0]
    terms = f"/checklists/{with_models.checklist().id}/items/M1/answer?for=shared&model={row.id}"
    for first in ("ilena", "joana", "marek", "ada", "root"):
        browser = with_models.country.browser(app, first)
        for address in (f"/model-answers/{row.id}/rename", f"/model-answers/{row.id}/delete"):
            assert browser.get(address).status_code == 404, first
            assert browser.post(address).status_code == 404, first
        shown = browser.get(terms)
        # People who didn't write the answer are redirected, to suggest a change.
        led_on = shown.status_code == 303 and shown.location.endswith("/propose")
        assert led_on or shown.status_code in {403, 404}, first
    own = queries.model_answers(with_models["ilena"])[0]
    terms = terms.replace(str(row.id), str(own.id))
    assert with_models.country.browser(app, "ilena").get(terms).status_code == 200


def test_a_model_answer_is_on_no_page_of_another_organisation(
    with_models: Negotiation, app: Flask
) -> None:
    places = (
        f"/checklists/{with_models.checklist().id}",
        f"/checklists/{with_models.checklist().id}/items/M1/answer",
        f"/checklists/{with_models.checklist().id}/items/M1/history",
        f"/cooperations/{with_models.cooperation.reference}/history",
        "/model-answers",
        "/",
    )
    for first in ("ilena", "joana", "ada"):
        browser = with_models.country.browser(app, first)
        for address in places:
            html = browser.get(address, follow_redirects=True).get_data(as_text=True)
            assert "Words that bind us" not in html, (first, address)


def test_the_trail_names_neither_the_model_answer_nor_its_item(with_models: Negotiation) -> None:
    row = queries.model_answers(with_models["samira"])[0]
    model_answers.rename(with_models["samira"], row.id, title="Other", note="", seen_version=1)
    model_answers.delete(with_models["samira"], row.id)
    with_models.session.commit()
    details = with_models.session.execute(
        sa.select(Event.verb, EventDetail.content)
        .join(EventDetail, EventDetail.event_id == Event.id)
        .join(Chain, Chain.id == Event.chain_id)
        .where(Event.verb.like("model_answer%"), Chain.kind == ChainKind.INSTANCE)
        .order_by(Event.number)
    ).all()
    assert [verb for verb, _content in details] == [
        "model_answer_kept",
        "model_answer_kept",
        "model_answer_renamed",
        "model_answer_deleted",
    ]
    assert {frozenset(content) for _verb, content in details} == {frozenset({"who"})}
    assert with_models.events("model_answer_kept") == []


# Keeping


def test_a_model_answer_keeps_no_persons_or_parties(session: Session) -> None:
    template = a_template(
        an_item(
            "M1",
            a_field(),
            a_field("contact", "person", required=False),
            a_table("rows", a_column("what"), a_column("party", "party"), required=False),
        ),
        an_item("M2", a_field("contact", "person")),
    )
    negotiation = set_out(session, template=template)
    oren, door = str(negotiation.country.users["oren"].id), str(negotiation.country.id("door"))
    negotiation.save(
        "ilena", "M1", words="Words", contact=oren, rows=[{"what": "Reads", "party": door}]
    )
    negotiation.save("ilena", "M2", contact=oren)
    row = keep(negotiation)
    assert row.values == {"words": "Words", "rows": [{"what": "Reads"}]}
    loaded = negotiation.loaded()
    answer = loaded.sheet.shared("M1")
    assert answer is not None
    without = model_answers.without_names(loaded.item("M1").fields, answer.values)
    assert without.left_out == (("contact", None), ("rows", "party"))
    with pytest.raises(RuleBrokenError, match="It only names people and parties"):
        keep(negotiation, item="M2")


def test_a_person_keeps_only_their_own_partys_answer_as_a_model(negotiation: Negotiation) -> None:
    for first in ("ilena", "samira"):
        service.save_answer(
            negotiation[first],
            negotiation.checklist(),
            "M7",
            PARTY,
            {"words": first},
            base_version=0,
        )
    negotiation.session.commit()
    assert keep(negotiation, "samira", "M7", PARTY).values == {"words": "samira"}
    loaded = negotiation.loaded()
    item = loaded.item("M7")
    assert model_answers.to_keep(negotiation["joana"], loaded, item, PARTY) is None
    assert model_answers.to_keep(negotiation["samira"], loaded, item, SHARED) is None
    assert model_answers.to_keep(negotiation["samira"], loaded, item, PERSON) is None


def test_an_answer_that_does_not_apply_is_not_kept_as_a_model(negotiation: Negotiation) -> None:
    service.save_answer(
        negotiation["ilena"],
        negotiation.checklist(),
        "M6",
        SHARED,
        {},
        base_version=0,
        not_applicable_because="Not here.",
    )
    loaded = negotiation.loaded()
    assert model_answers.to_keep(negotiation["ilena"], loaded, loaded.item("M6"), SHARED) is None


def test_coordinators_and_managers_keep_answers(negotiation: Negotiation) -> None:
    answer = negotiation.save("ilena", "M1")
    keep(negotiation, "nadia")
    refused = "Only coordinators and managers can change their organisation's"
    for first, words in (
        ("oren", refused),
        ("tomas", refused),
        ("ada", "Only people acting for one of the parties"),
        ("marek", "Only people acting for one of the parties"),
    ):
        with pytest.raises(RefusedError, match=words):
            model_answers.keep(
                negotiation[first],
                negotiation.checklist(),
                "M1",
                SHARED,
                answer_id=answer.id,
                title="Mine",
            )


def test_an_answer_that_changed_meanwhile_has_to_be_reviewed_first(
    negotiation: Negotiation,
) -> None:
    old = negotiation.save("ilena", "M1")
    negotiation.save("ilena", "M1", seen=1, words="Other.")
    with pytest.raises(StaleError, match="The answer changed while you were writing"):
        model_answers.keep(
            negotiation["ilena"],
            negotiation.checklist(),
            "M1",
            SHARED,
            answer_id=old.id,
            title="Old",
        )


def test_a_title_is_given_and_is_the_only_one(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    keep(negotiation)
    for title, note, field, words in (
        ("  ", "", "title", "Give it a title"),
        ("x" * 201, "", "title", "at most 200"),
        ("Fine", "x" * 2001, "note", "at most 2000"),
        (" Plain words ", "", "title", "has a model answer with this title"),
    ):
        with pytest.raises(RuleBrokenError, match=words) as error:
            keep(negotiation, title=title, note=note)
        assert error.value.field == field
        negotiation.session.rollback()
    # Elsewhere the same name is allowed: on another item, in another organisation.
    keep(negotiation, "samira")
    negotiation.save("ilena", "M3")
    keep(negotiation, item="M3")


# Managing them


def test_coordinators_and_managers_rename_and_delete_model_answers(
    with_models: Negotiation,
) -> None:
    row = queries.model_answers(with_models["ilena"])[0]
    model_answers.rename(
        with_models["nadia"], row.id, title=" New title ", note=" New note ", seen_version=1
    )
    with_models.session.commit()
    assert (row.title, row.note, row.version) == ("New title", "New note", 2)
    assert row.author_id == with_models.country.users["nadia"].id
    for first in ("oren", "tomas"):
        with pytest.raises(RefusedError):
            model_answers.delete(with_models[first], row.id)
        with pytest.raises(RefusedError):
            model_answers.rename(with_models[first], row.id, title="Mine", note="", seen_version=2)
    model_answers.delete(with_models["ilena"], row.id)
    with_models.session.commit()
    assert titles(with_models, "ilena") == []
    assert titles(with_models, "samira") == ["Words that bind us"]


def test_a_later_rename_does_not_overwrite_another_unseen(with_models: Negotiation) -> None:
    row = queries.model_answers(with_models["ilena"])[0]
    model_answers.rename(with_models["nadia"], row.id, title="Hers", note="", seen_version=1)
    with pytest.raises(StaleError, match="Somebody else changed it"):
        model_answers.rename(with_models["ilena"], row.id, title="Mine", note="", seen_version=1)
    model_answers.delete(with_models["nadia"], row.id)
    with pytest.raises(StaleError, match="deleted in the meantime"):
        model_answers.delete(with_models["ilena"], row.id)
    with pytest.raises(StaleError, match="deleted in the meantime"):
        model_answers.rename(with_models["ilena"], row.id, title="M", note="", seen_version=2)


def test_a_partner_neither_renames_nor_deletes_anothers_model_answers(
    with_models: Negotiation,
) -> None:
    row = queries.model_answers(with_models["ilena"])[0]
    for first in ("samira", "joana"):
        with pytest.raises(StaleError):
            model_answers.delete(with_models[first], row.id)
        with pytest.raises(StaleError):
            model_answers.rename(with_models[first], row.id, title="Mine", note="", seen_version=1)
    assert titles(with_models, "ilena") == ["The NPM's words"]


# Class K2


def test_no_answer_about_a_visit_becomes_a_model_answer(
    session: Session, demonstration: Demonstration, app: Flask
) -> None:
    joint_visit = JointVisit(session, demonstration)
    for kind, code in ((ChecklistKind.VISIT_ROLES, "V6"), (ChecklistKind.URGENT_PLAN, "U1")):
        checklist = joint_visit.checklist(kind)
        with pytest.raises(RefusedError, match="You can't keep anything from a visit's pages"):
            model_answers.keep(
                joint_visit.actor("ilena"),
                checklist,
                code,
                SHARED,
                answer_id=checklist.id,
                title="Place",
            )
        session.rollback()
        browser = demonstration.browser(app, "ilena")
        address = f"/checklists/{joint_visit.checklist(kind).id}"
        page = browser.page(address)
        assert "Keep as a model answer" not in page.text
        assert "Our model answers" not in page.text
        assert browser.get(f"{address}/items/{code}/keep-as-model").status_code == 403


def test_the_database_refuses_model_answers_about_visits_and_people(
    with_models: Negotiation,
) -> None:
    for column, value in (("kind", "visit_roles"), ("scope", "person")):
        with pytest.raises(sa.exc.IntegrityError):
            with_models.session.execute(
                sa.text(f"UPDATE model_answer SET {column} = :value"), {"value": value}
            )
        with_models.session.rollback()


# Pages


def form_address(negotiation: Negotiation, more: str = "") -> str:
    return f"/checklists/{negotiation.checklist().id}/items/M1/answer{more}"


def test_an_answer_is_kept_from_its_item(negotiation: Negotiation, app: Flask) -> None:
    negotiation.save("ilena", "M1", words="Kept for us.")
    browser = negotiation.country.browser(app, "samira")
    page = browser.page(f"/checklists/{negotiation.checklist().id}")
    address = f"/checklists/{negotiation.checklist().id}/items/M1/keep-as-model"
    assert page.links()["Keep as a model answer: Item M1"] == f"{address}?for=shared"
    page = browser.page(address)
    assert page.h1 == "Keep “Item M1” as a model answer"
    assert page.form().values["title"] == ["Item M1"]
    done = Page.of(browser.submit(address, title="Our words", note="Where they fit."))
    assert "The answer is kept as a model answer of your organisation." in done.text
    listed = browser.page("/model-answers")
    for words in ("Our words", "Where they fit.", "Kept for us.", "Agreed terms", "M1"):
        assert words in listed.text
    again = Page.of(browser.submit(address, title="Our words"))
    assert "Your organisation already has a model answer with this title" in again.text


def test_members_see_the_list_and_change_nothing(with_models: Negotiation, app: Flask) -> None:
    row = queries.model_answers(with_models["samira"])[0]
    browser = with_models.country.browser(app, "dora")
    page = browser.page("/model-answers")
    assert "Words that bind us" in page.text
    assert "Rename" not in page.text
    assert browser.get(f"/model-answers/{row.id}/rename").status_code == 403
    assert browser.post(f"/model-answers/{row.id}/delete").status_code == 403
    address = f"/checklists/{with_models.checklist().id}"
    assert "Keep as a model answer" not in browser.page(address).text
    assert browser.get(f"{address}/items/M1/keep-as-model").status_code == 403
    for first in ("ada", "root"):
        assert with_models.country.browser(app, first).get("/model-answers").status_code == 403
    empty = with_models.country.browser(app, "joana").page("/model-answers")
    assert "There are none yet." in empty.text


def test_a_coordinator_renames_and_deletes_a_model_answer_on_its_page(
    with_models: Negotiation, app: Flask
) -> None:
    row = queries.model_answers(with_models["samira"])[0]
    browser = with_models.country.browser(app, "samira")
    address = f"/model-answers/{row.id}/rename"
    page = Page.of(browser.submit(address, title="New title", note="New note"))
    assert page.h1 == "Our model answers"
    assert "New title" in page.text
    stale = Page.of(browser.submit(address, title="Again", base_version=1))
    assert "Somebody else changed it while you were writing" in stale.text
    page = Page.of(browser.submit(f"/model-answers/{row.id}/delete"))
    assert "The model answer is deleted." in page.text
    assert browser.get(address).status_code == 404


def answers(negotiation: Negotiation) -> int:
    return negotiation.session.scalar(sa.select(sa.func.count(Answer.id))) or 0


def test_a_model_fills_the_form_and_nothing_is_saved_until_it_is(
    with_models: Negotiation, app: Flask
) -> None:
    other = another(with_models.country, "door", "lantern")
    browser = with_models.country.browser(app, "dora")
    page = browser.page(form_address(other))
    link = page.links()["Words that bind us"]
    before = answers(with_models)
    page = browser.page(link)
    assert "Filled from the model answer “Words that bind us”." in page.text
    assert page.form().values["words"] == ["As ilena writes it."]
    assert answers(with_models) == before
    done = Page.of(browser.submit(link, words="As ilena writes it. And more."))
    assert "“Item M1” is saved." in done.text
    saved = other.loaded().sheet.shared("M1")
    assert saved is not None
    assert dict(saved.values) == {"words": "As ilena writes it. And more."}
    # Whoever saved it has read it: an answer like any other, accepted by its author.
    assert saved.copied_from is None
    assert other.waiting("M1") == {"npm", "lantern"}


def test_the_form_leaves_out_and_names_values_that_no_longer_fit(
    session: Session, app: Flask
) -> None:
    negotiation = set_out(
        session, template=a_template(an_item("M1", a_field(), a_field("day", "date")))
    )
    negotiation.save("ilena", "M1", words="Words", day="2026-05-01")
    row = keep(negotiation)
    publish(a_template(an_item("M1", a_field(), a_field("day", "number")), version=91))
    session.commit()
    other = another(negotiation.country, "door")
    browser = negotiation.country.browser(app, "ilena")
    page = browser.page(form_address(other, f"?for=shared&model={row.id}"))
    assert "Left out, since it no longer fits: Day." in page.text
    assert page.form().values["words"] == ["Words"]
    assert page.form().values["day"] == [""]


def test_a_draft_takes_precedence_over_a_model_answer(with_models: Negotiation, app: Flask) -> None:
    other = another(with_models.country, "door", "lantern")
    browser = with_models.country.browser(app, "samira")
    address = form_address(other)
    page = browser.page(address)
    link = page.links()["Words that bind us"]
    begun = page.form().filled_in(words="Mine, begun.")
    browser.post(f"/checklists/{other.checklist().id}/items/M1/draft", data=begun)
    for place in (address, link):
        page = browser.page(place)
        assert page.form().values["words"] == ["Mine, begun."]
        assert "You have a draft here. Save or discard it first" in page.text
        assert "Words that bind us" not in page.links()


def test_a_model_of_another_item_fills_no_form(with_models: Negotiation, app: Flask) -> None:
    with_models.save("ilena", "M3")
    row = keep(with_models, item="M3", title="For M3")
    browser: CheckedClient = with_models.country.browser(app, "ilena")
    assert "For M3" not in browser.page(form_address(with_models)).text
    assert browser.get(form_address(with_models, f"?model={row.id}")).status_code == 404
    assert browser.get(form_address(with_models, "?model=nonsense")).status_code == 404


def test_a_model_whose_item_is_gone_stays_in_the_list(session: Session, app: Flask) -> None:
    negotiation = set_out(session, template=a_template(an_item("M1"), an_item("M2")))
    negotiation.save("ilena", "M2")
    keep(negotiation, item="M2")
    publish(a_template(an_item("M1"), version=91))
    session.commit()
    page = negotiation.country.browser(app, "ilena").page("/model-answers")
    assert "Not asked in the newest version." in page.text


def test_many_rows_take_as_many_queries_as_few(
    negotiation: Negotiation, app: Flask, statements: Statements
) -> None:
    negotiation.save("ilena", "M1")
    browser = negotiation.country.browser(app, "ilena")
    counts = []
    for numbers in (range(1, 3), range(3, 12)):
        for number in numbers:
            keep(negotiation, title=f"Title {number}")
        seen = []
        for place in ("/model-answers", form_address(negotiation)):
            browser.page(place)
            with statements() as sent:
                browser.page(place)
            seen.append(len(sent))
        counts.append(seen)
    assert counts[0] == counts[1]
