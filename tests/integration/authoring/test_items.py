"""One item of a checklist, changed in a form: its texts, and whether it is required."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.accounts import People
from tests.factories.authoring import TERMS, changed, text_of, without, written
from tests.integration.authoring.conftest import BrowserOf, events
from tests.integration.authoring.test_checklists import HOME, NEW, NOBODY, OLD, a_draft
from tests.pages import Page
from tests.writing import write_during
from tracker.authoring import queries
from tracker.authoring.checklists import item_editing, service
from tracker.authoring.checklists.item_editing import ItemChange
from tracker.authoring.models import TemplateDraft
from tracker.checklist_templates import library
from tracker.checklist_templates.schema import Item, Required, Template
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError

pytestmark = pytest.mark.usefixtures("short_terms")

CHANGE = ItemChange("A name", "A question?", "Some help.", Required.ALWAYS)


def newest() -> Template:
    return library.parsed(library.newest(TERMS))


def item_now(draft: TemplateDraft, code: str) -> Item:
    return Template.model_validate(draft.content).by_code[code]


def place(code: str = "M1", draft: TemplateDraft | None = None) -> str:
    if draft is not None:
        return f"{HOME}/drafts/{draft.id}/items/{code}"
    return f"{HOME}/terms/{newest().version}/items/{code}"


def the_draft(session: Session) -> TemplateDraft:
    session.expire_all()
    return session.scalars(sa.select(TemplateDraft)).one()


# Saving ----------------------------------------------------------------------------------------


def test_an_item_changed_on_a_version_becomes_a_draft_like_an_uploaded_one(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    ada, before = browser_of("ada"), library.newest(TERMS).id
    version = ada.page(f"{HOME}/terms/{newest().version}")
    assert version.links()[OLD] == place()
    assert ada.page(place()).h1 == OLD
    page = Page.of(ada.submit(place(), label=NEW))
    assert page.h1 == "Agreed terms, draft"
    assert "Saved as a draft. It isn't published yet." in page.text
    assert "1 changed item" in page.text
    draft = the_draft(session)
    uploaded = Template.model_validate(
        library.content_of(library.read_one(changed(OLD, NEW), "checklist").template)
    )
    assert Template.model_validate(draft.content) == uploaded
    assert draft.base_id == before == library.newest(TERMS).id
    assert events(session, "template_drafted")[-1]["base"] == newest().version


def test_an_item_of_a_draft_is_changed_and_the_rest_of_its_text_stays(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    draft = a_draft(people, "# Ask the partners about M2.\n" + changed(OLD, NEW))
    ada = browser_of("ada")
    assert ada.page(f"{HOME}/drafts/{draft.id}").links()[NEW] == place(draft=draft)
    shown = ada.page(place(draft=draft))
    assert "Differences from version" in shown.text
    page = Page.of(
        ada.submit(place("M2", draft), prompt="What do we want?", help="Two sentences do.\n\nOr 3.")
    )
    assert "2 changed items" in page.text
    draft = the_draft(session)
    item = item_now(draft, "M2")
    assert (item.prompt, item.help) == ("What do we want?", "Two sentences do.\n\nOr 3.")
    assert item_now(draft, "M1").label == NEW
    assert draft.text.startswith("# Ask the partners about M2.\n")
    assert draft.version == 2
    assert len(events(session, "template_drafted")) == 2


def test_help_is_removed_by_emptying_it(people: People, session: Session) -> None:
    code = next(item.code for item in newest().items if item.help)
    before = item_editing.change_of(newest().by_code[code])
    change = ItemChange(before.label, before.prompt, "", before.required)
    draft = item_editing.begin_draft(people.actor("ada"), library.newest(TERMS).id, code, change)
    assert item_now(draft, code).help is None


def test_words_that_yaml_reads_otherwise_are_kept_as_typed(people: People) -> None:
    ada, base_id = people.actor("ada"), library.newest(TERMS).id
    draft = item_editing.begin_draft(ada, base_id, "M1", CHANGE)
    people.session.commit()
    for words in ("yes", "12: of # them", "- a\n- b", "'x", "{a}", "null", "&a"):
        change = ItemChange(words, words, words, Required.ALWAYS)
        begun = item_editing.begin_draft(ada, base_id, "M1", change)
        changed_draft = item_editing.change_draft(ada, draft.id, "M1", change, seen_version=1)
        for item in (item_now(begun, "M1"), item_now(changed_draft, "M1")):
            assert (item.label, item.prompt, item.help) == (words, words, words)
        people.session.rollback()


def test_two_items_cannot_have_the_same_name(people: People, browser_of: BrowserOf) -> None:
    ada, taken = browser_of("ada"), newest().by_code["M2"].label
    page = Page.of(ada.submit(place(), label=f" {taken.upper()}"))
    assert "Another item of this checklist has this name. Choose another." in page.text
    draft = a_draft(people, changed(OLD, NEW))
    page = Page.of(ada.submit(place("M1", draft), label=taken))
    assert "Another item of this checklist has this name. Choose another." in page.text
    with pytest.raises(ContentError) as error:
        a_draft(people, changed(OLD, taken))
    (mistake,) = error.value.mistakes
    assert "item M1: another item has the same name" in mistake.message


# Required --------------------------------------------------------------------------------------


def test_an_item_that_no_must_binds_can_become_recommended_and_required_again(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    code = free_code()
    ada = browser_of("ada")
    page = Page.of(ada.submit(place(code), required="recommended", prompt="Another?"))
    assert "Recommended" in page.text
    draft = the_draft(session)
    assert item_now(draft, code).required is Required.RECOMMENDED
    ada.submit(place(code, draft), required="optional")
    assert item_now(the_draft(session), code).required is Required.OPTIONAL


def free_code() -> str:
    musts = queries.musts()
    return next(
        item.code
        for item in newest().items
        if item.required is not Required.CONDITIONAL
        and item_editing.least_of(library.newest(TERMS), item.code, musts) is Required.OPTIONAL
    )


def bound_code() -> str:
    musts = queries.musts()
    return next(
        item.code
        for item in newest().items
        if item_editing.least_of(library.newest(TERMS), item.code, musts) is Required.ALWAYS
    )


def test_an_item_on_a_must_can_not_be_required_less(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    ada, code = browser_of("ada"), bound_code()
    assert "The source or the application needs more." in ada.page(place(code)).text
    page = Page.of(ada.submit(place(code), required="optional", label="Mine"))
    assert page.title.startswith("Problem: ")
    assert page.form().values["label"] == ["Mine"]
    assert session.scalars(sa.select(TemplateDraft)).all() == []


def test_the_condition_of_an_item_stays_and_can_be_restored(
    people: People, session: Session
) -> None:
    condition = {"modes": ["VISIT"]}
    text = written(
        newest(), items={free_code(): {"required": "conditional", "required_when": condition}}
    )
    ada, code = people.actor("ada"), free_code()
    base = service.publish(ada, service.take_in(ada, text).id, seen_version=1, reason="A condition")
    people.session.commit()
    item = library.parsed(base).by_code[code]
    before = item_editing.change_of(item)
    always = ItemChange(before.label, "Other?", before.help, Required.ALWAYS)
    draft = item_editing.begin_draft(ada, base.id, code, always)
    assert item_now(draft, code).required_when is None
    again = ItemChange(before.label, "Other?", before.help, Required.CONDITIONAL)
    draft = item_editing.change_draft(ada, draft.id, code, again, seen_version=1)
    assert item_now(draft, code).required_when == item.required_when


# Refused ---------------------------------------------------------------------------------------


def test_name_and_question_are_needed(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    ada = browser_of("ada")
    for field in ("label", "prompt"):
        typed: dict[str, Any] = {field: " ", "help": "Typed"}
        page = Page.of(ada.submit(place(), **typed))
        assert page.title.startswith("Problem: "), field
        assert page.form().values["help"] == ["Typed"], field
        assert session.scalars(sa.select(TemplateDraft)).all() == [], field


def test_saving_without_a_change_is_reported(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    assert "says the same as version" in Page.of(ada.submit(place())).text
    draft = a_draft(people)
    same = Page.of(ada.submit(place(draft=draft)))
    assert "Nothing is different from the draft." in same.text
    back = Page.of(ada.submit(place(draft=draft), label=OLD))
    assert "says the same as version" in back.text


def test_an_item_that_no_longer_fits_the_guidance_names_what_is_wrong(
    people: People, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "statement_codes", frozenset)
    page = Page.of(browser_of("ada").submit(place(), label=NEW))
    assert "M1 is based on S" in page.text
    assert page.form().values["label"] == [NEW]


# Two people ------------------------------------------------------------------------------------


def test_a_later_save_sees_both_texts_and_what_was_typed_is_kept(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    draft = a_draft(people)
    ada = browser_of("ada")
    fields = ada.page(place(draft=draft)).form().filled_in(label="Mine alone", help="My help")
    service.change(people.actor("ada"), draft.id, changed(OLD, "Theirs"), seen_version=1)
    people.session.commit()
    page = Page.of(ada.post(place(draft=draft), data=fields, csrf=False))
    assert "Two people changed this at the same time." in page.text
    assert "Theirs" in page.text
    form = page.form()
    assert (form.values["label"], form.values["help"]) == (["Mine alone"], ["My help"])
    assert form.values["version"] == ["2"]
    assert item_now(the_draft(session), "M1").label == "Theirs"
    ada.post(place(draft=draft), data=form.filled_in(), csrf=False)
    assert item_now(the_draft(session), "M1").label == "Mine alone"


def test_a_save_after_the_item_was_removed_keeps_what_was_typed(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    draft, code = a_draft(people), free_code()
    ada = browser_of("ada")
    fields = ada.page(place(code, draft)).form().filled_in(label="Mine alone")
    service.change(people.actor("ada"), draft.id, without(code), seen_version=1)
    people.session.commit()
    for _time in range(2):
        page = Page.of(ada.post(place(code, draft), data=fields, csrf=False))
        assert "removed from the draft in the meantime" in page.text
        assert page.form().values["label"] == ["Mine alone"]
        fields = page.form().filled_in()
    ada.page(place(code, draft), 404)


def test_a_version_with_a_draft_says_so(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    assert "This version has a draft already." not in ada.page(place()).text
    draft = a_draft(people)
    page = ada.page(place())
    assert "This version has a draft already." in page.text
    assert f"{HOME}/drafts/{draft.id}#item-M1" in page.addresses()


def test_while_an_item_is_read_others_can_write(
    people: People, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, calls = (
        browser_of("ada"),
        write_during(
            monkeypatch,
            (library, "as_text"),
            (library, "read_one"),
            (item_editing, "read_yaml"),
        ),
    )
    ada.submit(place(), label=NEW)
    draft = people.session.scalars(sa.select(TemplateDraft)).one()
    ada.submit(place(draft=draft), label="Who they are")
    assert len(calls) == 4
    assert item_now(the_draft(people.session), "M1").label == "Who they are"


# The wrong side --------------------------------------------------------------------------------


def test_only_administrators_see_and_change_items(people: People, browser_of: BrowserOf) -> None:
    draft = a_draft(people)
    for key in ("ilena", "nadia", "samira", "henrik", "dora"):
        other, actor = browser_of(key), people.actor(key)
        for address in (place(), place(draft=draft)):
            response = other.get(address)
            assert response.status_code == 403, key
            assert NEW not in response.text, key
            assert other.post(address).status_code == 403, key
        with pytest.raises(RefusedError):
            item_editing.begin_draft(actor, library.newest(TERMS).id, "M1", CHANGE)
        people.session.rollback()
        with pytest.raises(RefusedError):
            item_editing.change_draft(actor, draft.id, "M1", CHANGE, seen_version=1)
        people.session.rollback()


def test_there_are_forms_only_of_items_that_are_there(
    people: People, browser_of: BrowserOf
) -> None:
    draft, ada = a_draft(people), browser_of("ada")
    for address in (
        place("M99"),
        place("C1"),
        f"{HOME}/terms/77/items/M1",
        f"{HOME}/nothing/1/items/M1",
        place("M99", draft),
        f"{HOME}/drafts/{NOBODY}/items/M1",
    ):
        ada.page(address, 404)


def test_a_draft_that_is_gone_or_seen_wrongly_is_not_changed(people: People) -> None:
    draft, ada = a_draft(people), people.actor("ada")
    for seen in (None, 2):
        with pytest.raises(StaleError):
            item_editing.change_draft(ada, draft.id, "M1", CHANGE, seen_version=seen)
    service.discard(ada, draft.id)
    people.session.commit()
    with pytest.raises(StaleError):
        item_editing.change_draft(ada, draft.id, "M1", CHANGE, seen_version=1)
    with pytest.raises(RuleBrokenError, match="says the same"):
        item_editing.begin_draft(
            ada,
            library.newest(TERMS).id,
            "M1",
            item_editing.change_of(library.read_one(text_of(), "x").template.by_code["M1"]),
        )
