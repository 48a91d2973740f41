"""Checklists of an instance: imported, compared, tried, published, retired.

In one file: one version, from its upload to its retirement.
"""

import io

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People
from tests.factories.authoring import TERMS, changed, rewritten, text_of, without
from tests.factories.guidance import uses_of
from tests.factories.templates import a_template, an_item, publish
from tests.integration.authoring.conftest import BrowserOf, events
from tests.pages import Page
from tests.writing import write_during
from tracker.activity.models import Event
from tracker.authoring import queries
from tracker.authoring.checklists import service
from tracker.authoring.models import TemplateDraft
from tracker.checklist_templates import library
from tracker.checklist_templates.models import (
    ChecklistKind,
    ChecklistTemplate,
    TemplateOrigin,
    TemplateState,
)
from tracker.checklist_templates.schema import Template
from tracker.checklists.models import Answer, Checklist
from tracker.core import canonical
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError

HOME = "/administration/checklists"
OLD, NEW = "Parties and mandates", "Parties, mandates and powers"
NOBODY = "00000000-0000-4000-8000-000000000000"


def a_draft(people: People, text: str | None = None) -> TemplateDraft:
    draft = service.take_in(people.actor("ada"), text or changed(OLD, NEW))
    people.session.commit()
    return draft


def publish_draft(people: People, text: str | None = None) -> ChecklistTemplate:
    draft = a_draft(people, text)
    row = service.publish(
        people.actor("ada"), draft.id, seen_version=1, reason="Asked for by partners"
    )
    people.session.commit()
    return row


def mistakes(people: People, text: str) -> list[str]:
    with pytest.raises(ContentError) as caught:
        service.take_in(people.actor("ada"), text)
    people.session.rollback()
    return [f"{mistake.line}: {mistake.message}" for mistake in caught.value.mistakes]


# Texts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(ChecklistKind))
def test_a_text_that_is_written_reads_back_equal(session: Session, kind: ChecklistKind) -> None:
    template = library.parsed(library.newest(kind))
    text = library.as_text(template)
    assert library.read_one(text, "checklist").template == template
    assert library.as_text(library.read_one(text, "checklist").template) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &b 1\nc: *b\n", "anchors (&) and aliases (*) are not read here"),
        ("kind: !!bool terms\n", "tags (!) are not read here"),
        ("? !!omap\n  - a: b\n: c\n", "tags (!) are not read here"),
        ("kind: terms\n<<: {version: 1}\n", "merges (<<) are not read here"),
        ("[[kind]]: terms\n", "a list or a mapping can't be a key"),
        ("[" * 50_000, "nested too deeply"),
        ('["]",' * 10_000, "nested too deeply"),
        ("- " * 25_000, "nested too deeply"),
        ("]" * 25_000 + "[" * 25_000, "not valid YAML"),
        ("just words", "this text must be lines with keys"),
        ("kind: terms\nkind: terms\n", "not valid YAML"),
        ("9" * 5000, "there is no such number or date"),
        ("kind: terms\nversion: 2026-13-45\n", "there is no such number or date"),
        ("", "this text must be lines with keys"),
    ],
)
def test_a_file_that_is_not_a_checklist_is_refused_with_a_message(text: str, words: str) -> None:
    with pytest.raises(ContentError) as caught:
        library.read_one(text, "checklist")
    assert words in str(caught.value)


def test_signs_and_numbers_that_can_not_be_kept_are_refused(session: Session) -> None:
    for old, new, words in (
        (OLD, '"Parties \\0"', "characters that can't be stored"),
        (OLD, '"Parties \\ud800"', "contains characters that can't be stored"),
        ("min: 2", f"min: {10**30}", "a number that is too large"),
    ):
        with pytest.raises(ContentError) as caught:
            library.read_one(changed(old, new), "checklist")
        assert words in str(caught.value)


# Taking in -------------------------------------------------------------------------------------


def test_a_changed_checklist_is_kept_as_a_draft_that_nobody_starts_on(
    people: People, session: Session
) -> None:
    before = library.newest(TERMS).id
    draft = a_draft(people)
    assert (draft.kind, draft.base_id) == (TERMS, before)
    assert library.newest(TERMS).id == before
    assert events(session, "template_drafted")[-1]["base"] == draft.content["version"]


def test_mistakes_are_named_by_line_and_item(people: People) -> None:
    text = changed("type: party", "type: partie")
    line = next(n for n, line in enumerate(text.splitlines(), 1) if "type: partie" in line)
    (mistake,) = [mistake for mistake in mistakes(people, text) if "'partie'" in mistake]
    assert mistake.startswith(f"{line}: item M1: ")


def test_an_item_on_a_must_can_not_be_removed(people: People) -> None:
    musts = queries.musts()
    template = library.parsed(library.newest(TERMS))
    bound = next(i for i in template.items if musts.intersection(i.rests_on.statements))
    messages = mistakes(people, without(bound.code))
    assert any(
        f"item {bound.code}: " in message and "can't be removed" in message for message in messages
    )


def test_everything_an_item_is_based_on_must_exist(people: People) -> None:
    messages = mistakes(people, changed("settling-terms/expectations", "settling-terms/nothing"))
    assert any("settling-terms/nothing, which doesn't exist" in message for message in messages)


def test_the_version_it_was_derived_from_must_be_there(people: People) -> None:
    number = library.newest(TERMS).version
    (message,) = mistakes(people, changed(f"version: {number}\n", "version: 77\n"))
    assert message.endswith("there is no version 77: leave the number of the one you changed")


def test_the_same_text_is_no_draft(people: People) -> None:
    with pytest.raises(RuleBrokenError, match="says the same as version"):
        service.take_in(people.actor("ada"), text_of())


@pytest.mark.usefixtures("short_terms")
def test_only_administrators_take_in_publish_and_retire(people: People) -> None:
    draft = a_draft(people)
    for key in ("ilena", "nadia", "samira"):
        actor = people.actor(key)
        for act in (
            lambda actor: service.take_in(actor, changed(OLD, NEW)),
            lambda actor: service.change(actor, draft.id, changed(OLD, NEW), seen_version=1),
            lambda actor: service.publish(actor, draft.id, seen_version=1, reason="So"),
            lambda actor: service.publish_shipped(actor, library.newest(TERMS).id, reason="So"),
            lambda actor: service.retire(actor, library.newest(TERMS).id, reason="So"),
            lambda actor: service.discard(actor, draft.id),
        ):
            with pytest.raises(RefusedError):
                act(actor)
            people.session.rollback()
        assert queries.versions(actor) == [], key
        assert queries.drafts(actor) == [], key
        assert queries.draft(actor, draft.id) is None, key
        assert queries.template(actor, library.newest(TERMS).id) is None, key


@pytest.mark.usefixtures("short_terms")
def test_two_people_who_change_a_draft_do_not_overwrite_each_other(people: People) -> None:
    draft = a_draft(people)
    service.change(people.actor("ada"), draft.id, changed(OLD, "Who takes part"), seen_version=1)
    people.session.commit()
    with pytest.raises(StaleError):
        service.change(people.actor("ada"), draft.id, changed(OLD, "Others"), seen_version=1)
    with pytest.raises(StaleError):
        service.publish(people.actor("ada"), draft.id, seen_version=1, reason="Seen before")


def test_a_draft_keeps_its_kind(people: People) -> None:
    draft = a_draft(people)
    text = text_of(ChecklistKind.CONFIDENTIALITY)
    with pytest.raises(ContentError, match="the kind is terms, and stays so"):
        service.change(people.actor("ada"), draft.id, text, seen_version=1)


# Publishing ------------------------------------------------------------------------------------


def test_a_published_draft_has_the_next_number_and_new_checklists_start_on_it(
    people: People, session: Session
) -> None:
    before = library.newest(TERMS)
    row = publish_draft(people)
    assert row.version == before.version + 1
    assert (row.origin, row.state) == (TemplateOrigin.DERIVED, TemplateState.PUBLISHED)
    assert library.newest(TERMS).id == row.id
    assert row.content["version"] == row.version
    assert row.digest == canonical.digest_of(row.content)
    assert session.scalars(sa.select(TemplateDraft)).all() == []
    assert NEW in {use.label for use in uses_of("settling-terms")["expectations"]}
    details = events(session, "template_published")[-1]
    assert (details["version"], details["base"], details["digest"], details["reason"]) == (
        row.version,
        before.version,
        row.digest,
        "Asked for by partners",
    )


@pytest.mark.usefixtures("short_terms")
def test_publishing_needs_a_reason(people: People) -> None:
    draft = a_draft(people)
    with pytest.raises(RuleBrokenError, match="Give the reason"):
        service.publish(people.actor("ada"), draft.id, seen_version=1, reason="  ")


def test_a_draft_is_checked_again_when_it_is_published(people: People, session: Session) -> None:
    draft = a_draft(people)
    draft.text = without("M19")
    session.commit()
    with pytest.raises(ContentError, match="item M19: "):
        service.publish(people.actor("ada"), draft.id, seen_version=1, reason="So")


def test_the_last_published_version_can_not_be_retired(people: People, session: Session) -> None:
    ada = people.actor("ada")
    first = library.newest(TERMS)
    with pytest.raises(RefusedError, match="only published version"):
        service.retire(ada, first.id, reason="Old")
    session.rollback()
    second = publish_draft(people)
    service.retire(ada, second.id, reason="A mistake in it")
    session.commit()
    assert library.newest(TERMS).id == first.id
    assert library.parsed(library.newest(TERMS)).item("M1") is not None
    assert events(session, "template_retired")[-1]["reason"] == "A mistake in it"
    with pytest.raises(RefusedError, match="only published version"):
        service.retire(ada, first.id, reason="Old")
    session.rollback()
    with pytest.raises(RefusedError, match="You can only retire a published version"):
        service.retire(ada, second.id, reason="Again")


# Shipped versions beside derived ones (adr 20) -------------------------------------------------


def shipped(version: int, prompt: str = "Shipped anew?") -> Template:
    template = library.parsed(library.versions(TERMS)[-1])
    changed_template = rewritten(template, items={"M1": {"prompt": prompt}})
    return changed_template.model_copy(update={"version": version})


def test_a_shipped_version_is_used_immediately_if_nothing_is_derived(
    session: Session,
) -> None:
    publish(shipped(90))
    newest = library.newest(TERMS)
    assert (newest.version, newest.shipped_version, newest.state) == (
        90,
        90,
        TemplateState.PUBLISHED,
    )


def test_a_shipped_version_over_a_derived_one_waits_under_a_free_number(
    people: People, session: Session
) -> None:
    derived = publish_draft(people)
    publish(shipped(derived.version))
    session.commit()
    waiting = library.versions(TERMS)[0]
    assert (waiting.version, waiting.shipped_version) == (derived.version + 1, derived.version)
    assert (waiting.origin, waiting.state) == (TemplateOrigin.SHIPPED, TemplateState.WAITING)
    assert library.newest(TERMS).id == derived.id
    # Loading again changes nothing.
    publish(shipped(derived.version))
    assert library.versions(TERMS)[0].id == waiting.id
    service.publish_shipped(people.actor("ada"), waiting.id, reason="Read and wanted")
    session.commit()
    assert library.newest(TERMS).id == waiting.id
    with pytest.raises(RefusedError):
        service.publish_shipped(people.actor("ada"), waiting.id, reason="Again")


def test_another_text_under_a_shipped_number_is_refused_whatever_its_own_number(
    people: People, session: Session
) -> None:
    derived = publish_draft(people)
    publish(shipped(derived.version))
    with pytest.raises(ContentError, match="is published already; raise the number"):
        publish(shipped(derived.version, "Other words?"))


def test_an_older_shipped_version_is_passed_by(session: Session) -> None:
    publish(shipped(90))
    publish(shipped(89))
    assert library.versions(TERMS)[0].version == 90
    assert 89 not in [row.version for row in library.versions(TERMS)]


def test_the_shipped_content_loads_beside_derived_versions(people: People) -> None:
    publish_draft(people)
    assert library.load_content() == []


def test_an_item_on_a_must_of_the_newest_shipped_version_stays_too(
    people: People, session: Session
) -> None:
    first = library.newest(TERMS)
    publish(shipped(90))
    session.commit()
    # Derived from the first, it must not fall behind what was shipped since.
    text = library.as_text(library.parsed(first)).replace(OLD, NEW, 1)
    assert service.checked(service.read(text)).id == first.id


# Pages -----------------------------------------------------------------------------------------


def test_an_administrator_sees_every_version_and_downloads_it(
    people: People, browser_of: BrowserOf
) -> None:
    row = publish_draft(people)
    ada = browser_of("ada")
    page = ada.page(HOME)
    assert page.h1 == "Checklists"
    links = page.links()
    assert links[f"Version {row.version}, Agreed terms"] == f"{HOME}/terms/{row.version}"
    page = ada.page(f"{HOME}/terms/{row.version}")
    assert "1 changed item" in page.text
    assert row.digest[:8] in page.text
    response = ada.get(f"{HOME}/terms/{row.version}/file")
    assert response.mimetype == "application/yaml"
    assert f"terms-{row.version}.yaml" in response.headers["Content-Disposition"]
    assert library.read_one(response.text, "x").template == library.parsed(row)


def test_the_whole_way_from_download_to_published(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    number = library.newest(TERMS).version
    ada = browser_of("ada")
    text = ada.get(f"{HOME}/terms/{number}/file").text.replace(OLD, NEW, 1)
    page = ada.page(f"{HOME}/upload")
    sent = page.form().filled_in()
    response = ada.post(
        f"{HOME}/upload",
        data={"csrf_token": sent["csrf_token"][0], "file": (io.BytesIO(text.encode()), "x.yaml")},
        content_type="multipart/form-data",
        csrf=False,
        follow_redirects=True,
    )
    page = Page.of(response)
    assert page.h1 == "Agreed terms, draft"
    assert "1 changed item" in page.text
    draft = response.request.path
    assert ada.get(f"{draft}/file").text.strip() == text.strip()
    done = Page.of(ada.submit(f"{draft}/publish", reason="Partners asked for it"))
    assert done.h1 == f"Agreed terms, version {number + 1}"
    assert library.parsed(library.newest(TERMS)).by_code["M1"].label == NEW
    assert ada.get(draft).status_code == 404


def test_a_text_with_mistakes_comes_back_with_each_beside_it(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    ada = browser_of("ada")
    text = changed("type: party", "type: partie").replace("part: terms", "part: term")
    response = ada.submit(f"{HOME}/upload", text=text)
    page = Page.of(response)
    assert "mistakes in the text" in page.text
    assert "item M1: " in page.text
    assert page.form().values["text"][0].strip() == text.strip()
    assert session.scalars(sa.select(TemplateDraft)).all() == []


@pytest.mark.usefixtures("short_terms")
def test_while_a_text_is_read_others_can_write(
    people: People, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, calls = browser_of("ada"), write_during(monkeypatch, (library, "read_one"))
    ada.submit(f"{HOME}/upload", text=changed(OLD, NEW))
    draft = people.session.scalars(sa.select(TemplateDraft)).one()
    place = f"{HOME}/drafts/{draft.id}"
    ada.submit(f"{place}/change", text=changed(OLD, "Who they are"))
    ada.submit(f"{place}/publish", reason="Asked for by partners")
    assert len(calls) == 3
    assert library.parsed(library.newest(TERMS)).items[0].label == "Who they are"


def test_what_was_written_before_a_text_is_read_is_kept(people: People) -> None:
    first = service.take_in(people.actor("ada"), changed(OLD, NEW))
    service.take_in(people.actor("ada"), changed(OLD, "Who they are"))
    people.session.commit()
    assert people.session.get(TemplateDraft, first.id) is not None


def test_an_empty_upload_or_one_that_is_not_text_is_reported(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    assert "Choose a file, or paste the text." in Page.of(ada.submit(f"{HOME}/upload")).text
    page = ada.page(f"{HOME}/upload")
    response = ada.post(
        f"{HOME}/upload",
        data={
            "csrf_token": page.form().values["csrf_token"][0],
            "file": (io.BytesIO(b"\xff\xfe\x00"), "x.yaml"),
        },
        content_type="multipart/form-data",
        csrf=False,
    )
    assert "This file isn't UTF-8 text" in Page.of(response).text


@pytest.mark.usefixtures("short_terms")
def test_a_later_save_of_a_draft_sees_both_texts(people: People, browser_of: BrowserOf) -> None:
    draft = a_draft(people)
    ada = browser_of("ada")
    address = f"{HOME}/drafts/{draft.id}/change"
    fields = ada.page(address).form().filled_in(text=changed(OLD, "Mine"))
    service.change(people.actor("ada"), draft.id, changed(OLD, "Theirs"), seen_version=1)
    people.session.commit()
    page = Page.of(ada.post(address, data=fields, csrf=False))
    assert "Two people changed this at the same time." in page.text
    assert "Theirs" in page.text
    assert "Mine" in page.form().values["text"][0]
    assert page.form().values["version"] == ["2"]


@pytest.mark.usefixtures("short_terms")
def test_a_draft_is_discarded(people: People, browser_of: BrowserOf, session: Session) -> None:
    draft = a_draft(people)
    ada = browser_of("ada")
    response = ada.post(f"{HOME}/drafts/{draft.id}/discard", follow_redirects=True)
    assert "The draft is discarded." in Page.of(response).text
    assert events(session, "template_discarded")
    assert session.scalars(sa.select(TemplateDraft)).all() == []


def test_a_version_is_retired_on_its_page(people: People, browser_of: BrowserOf) -> None:
    row = publish_draft(people)
    ada = browser_of("ada")
    page = Page.of(ada.submit(f"{HOME}/terms/{row.version}/retire", reason="A mistake"))
    assert "Retired" in page.text
    response = ada.get(f"{HOME}/terms/{row.version - 1}/retire", follow_redirects=True)
    assert response.status_code == 403 or "only published version" in response.text


# The test area ---------------------------------------------------------------------------------


def counts() -> dict[str, int]:
    tables = (Checklist, Answer, Event, ChecklistTemplate, TemplateDraft)
    return {
        table.__tablename__: db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for table in tables
    }


def test_the_test_area_shows_every_item_and_keeps_nothing(
    people: People, browser_of: BrowserOf
) -> None:
    draft = a_draft(people)
    ada = browser_of("ada")
    before = counts()
    page = ada.page(f"{HOME}/test/{draft.id}")
    assert "This is the test area." in page.text
    assert NEW in page.text
    items = Template.model_validate(draft.content).items
    for item in items:
        assert f"Try the fields of “{item.label}”" in page.links()
    for code in [item.code for item in items[:3]]:
        shown = ada.page(f"{HOME}/test/{draft.id}/{code}")
        assert "This is the test area." in shown.text
        ada.submit(f"{HOME}/test/{draft.id}/{code}")
    assert counts() == before


def test_every_item_of_every_shipped_checklist_can_be_tried(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    for kind in ChecklistKind:
        row = library.newest(kind)
        assert ada.page(f"{HOME}/test/{row.id}?mode=VISIT").h1
        for item in library.parsed(row).items:
            for scope in item.scopes:
                address = f"{HOME}/test/{row.id}/{item.code}?for={scope.value}"
                assert ada.post(address).status_code == 200, address


def test_fields_are_tried_with_the_real_done_tests(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    dates = {"check": "dates_in_order", "fields": ["start", "end"]}
    day = {"type": "date", "sets": "both", "accepts": "all"}
    publish(
        a_template(
            an_item(
                "M1",
                {"key": "start", "label": "Start", **day},
                {"key": "end", "label": "End", **day},
                done={"checks": [dates]},
            )
        )
    )
    people.session.commit()
    address = f"{HOME}/test/{library.newest(TERMS).id}/M1"
    wrong = Page.of(ada.submit(address, start="2026-05-02", end="2026-05-01"))
    assert "End must be later than Start." in wrong.text
    right = Page.of(ada.submit(address, start="2026-05-01", end="2026-05-02"))
    assert "This answer would be complete." in right.text


# The wrong side --------------------------------------------------------------------------------


@pytest.mark.usefixtures("short_terms")
def test_nobody_else_comes_near(people: People, browser_of: BrowserOf) -> None:
    draft = a_draft(people)
    row = publish_draft(people, changed(OLD, "Who takes part"))
    for key in ("ilena", "nadia", "samira", "henrik", "dora"):
        other = browser_of(key)
        for address in addresses(draft, row):
            response = other.get(address)
            assert response.status_code == 403, address
            assert NEW not in response.text, key
            assert other.post(address).status_code in {403, 405}, address
        assert HOME not in other.page("/").addresses(), key


def addresses(draft: TemplateDraft, row: ChecklistTemplate) -> list[str]:
    version, work, area = (
        f"{HOME}/terms/{row.version}",
        f"{HOME}/drafts/{draft.id}",
        f"{HOME}/test/{draft.id}",
    )
    return [
        HOME,
        version,
        f"{version}/file",
        f"{version}/retire",
        f"{version}/publish",
        f"{HOME}/upload",
        work,
        f"{work}/file",
        f"{work}/change",
        f"{work}/publish",
        area,
        f"{area}/M1",
    ]


def test_a_missing_page_is_404(people: People, browser_of: BrowserOf) -> None:
    ada: CheckedClient = browser_of("ada")
    draft = a_draft(people)
    for address in (
        f"{HOME}/nothing/1",
        f"{HOME}/terms/77",
        f"{HOME}/terms/77/file",
        f"{HOME}/drafts/{NOBODY}",
        f"{HOME}/drafts/{NOBODY}/publish",
        f"{HOME}/test/{NOBODY}",
        f"{HOME}/test/{draft.id}/M99",
        f"{HOME}/test/{draft.id}/M1?for=nobody",
        f"{HOME}/test/{draft.id}?mode=nothing",
    ):
        assert ada.get(address).status_code == 404, address
