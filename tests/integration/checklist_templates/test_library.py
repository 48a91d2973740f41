"""Publishing checklists: each version once and permanently, and where guidance is used."""

import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.guidance import uses_of
from tests.factories.templates import a_field, a_template, an_item, publish
from tracker.activity.models import Event, EventDetail
from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind, ChecklistTemplate
from tracker.core import canonical, paths
from tracker.core.mistakes import ContentError
from tracker.core.paths import CONTENT
from tracker.guidance import queries as guidance
from tracker.guidance.models import PassageUse

TERMS = ChecklistKind.TERMS
SHIPPED = next(
    file.template.version for file in library.read(CONTENT) if file.template.kind is TERMS
)
NEXT = SHIPPED + 1


def versions(session: Session) -> list[int]:
    return list(
        session.scalars(
            sa.select(ChecklistTemplate.version)
            .where(ChecklistTemplate.kind == TERMS)
            .order_by(ChecklistTemplate.version)
        )
    )


@pytest.mark.both_databases
def test_the_shipped_checklists_are_published_once(session: Session) -> None:
    files = library.read(CONTENT)
    assert library.load(files) == []
    assert versions(session) == [SHIPPED]
    assert library.load_content() == []
    for file in files:
        row = library.newest(file.template.kind)
        assert library.parsed(row) == file.template
        assert row.digest == canonical.digest_of(row.content)


def test_a_new_version_is_added_and_becomes_the_latest(session: Session) -> None:
    old = library.newest(TERMS)
    publish(a_template(an_item("M1"), version=NEXT))
    assert versions(session) == [SHIPPED, NEXT]
    assert library.newest(TERMS).version == NEXT
    assert session.get_one(ChecklistTemplate, old.id).content == old.content


@pytest.mark.both_databases
def test_a_published_version_is_never_changed(session: Session) -> None:
    publish(a_template(an_item("M1"), version=NEXT))
    with pytest.raises(
        ContentError, match=f"version {NEXT} is published already; raise the number"
    ):
        publish(a_template(an_item("M1", a_field("other")), version=NEXT))
    assert len(library.parsed(library.newest(TERMS)).items) == 1


def test_publishing_is_recorded_with_its_digest(session: Session) -> None:
    publish(a_template(an_item("M1"), version=NEXT))
    row = library.newest(TERMS)
    event, details = session.execute(
        sa.select(Event.evidence, EventDetail.content)
        .join(EventDetail, EventDetail.event_id == Event.id)
        .where(Event.subject_id == row.id)
    ).one()
    assert event == row.digest
    assert (details["kind"], details["name"], details["version"]) == ("checklist", "terms", NEXT)


def test_a_kind_that_is_not_loaded_says_what_to_do(session: Session) -> None:
    session.execute(
        sa.update(ChecklistTemplate)
        .where(ChecklistTemplate.kind == TERMS)
        .values(published_at=None)
    )
    with pytest.raises(LookupError, match="run tracker content load"):
        library.newest(TERMS)


def test_each_passage_shows_where_it_is_used(session: Session) -> None:
    passages = guidance.passages_for(["settling-terms/expectations"])
    assert list(passages) == ["settling-terms/expectations"]
    publish(a_template(an_item("M1", label="Only this one"), version=NEXT))
    session.flush()
    uses = used_in(session)
    assert ("M1", "Only this one") in uses
    assert not any(code.startswith("M") and code != "M1" for code, _label in uses)


@pytest.mark.both_databases
def test_the_latest_version_decides_where_guidance_is_used(session: Session) -> None:
    publish(a_template(an_item("M1", label="Only this one"), version=NEXT))
    before = used_in(session)
    assert library.load_content() == []
    assert used_in(session) == before


def test_a_passage_is_used_by_the_items_it_is_shown_beside(session: Session) -> None:
    library.load_content()
    uses = uses_of("settling-terms")
    assert [use.code for use in uses["urgent-consent"]] == ["U6", "U7"]
    assert [use.code for use in uses["urgent-action"]] == ["U1", "U18", "U19", "V20"]


def test_uses_of_a_passage_have_labels_in_the_readers_language(session: Session) -> None:
    library.load_content()
    for language in ("en", "ar"):
        (first, *_rest) = uses_of("settling-terms", language)["urgent-consent"]
        assert first.label == label_of("U6", language)


def label_of(code: str, language: str) -> str:
    item = library.localized(library.newest(ChecklistKind.URGENT_PLAN), language).item(code)
    assert item is not None
    return item.label


def used_in(session: Session) -> set[tuple[str, str]]:
    rows = session.execute(sa.select(PassageUse.code, PassageUse.label)).all()
    return {(code, label) for code, label in rows}


# The commands


def test_content_load_says_what_it_did_and_loads_nothing_twice(app: Flask) -> None:
    runner = app.test_cli_runner()
    done = runner.invoke(args=["content", "load"])
    assert (done.exit_code, done.output) == (0, "The content is up to date.\n")


def test_content_check_prints_what_the_content_covers(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["content", "check"])
    assert done.exit_code == 0
    assert "Statements covered by passages: 72 of 72" in done.output
    assert "Items: 80 of 80" in done.output


@pytest.fixture
def spoilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the content, which the commands read."""
    folder = tmp_path / "content"
    shutil.copytree(CONTENT, folder)
    monkeypatch.setattr(paths, "CONTENT", folder)
    return folder


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


def test_content_with_mistakes_is_not_loaded_and_each_is_named(app: Flask, spoilt: Path) -> None:
    change(spoilt, "checklists/terms.yaml", f"version: {SHIPPED}\n", "version: one\n")
    for command in ("load", "check"):
        done = app.test_cli_runner().invoke(args=["content", command])
        assert done.exit_code == 1
        assert done.stderr.startswith("checklists/terms.yaml:")
        assert "version must be a whole number" in done.stderr
        _named, line, place, advice = done.stderr.splitlines()
        assert line.endswith("| version: one")
        assert place.strip() == "^ character 10"
        assert advice.strip() == "Write digits only, such as 2."


def test_a_model_text_that_does_not_fit_its_checklist_stops_the_load(
    app: Flask, spoilt: Path
) -> None:
    """So pages read the model texts without reading the checklists again."""
    change(spoilt, "model_texts/terms.yaml", "  M1:\n", "  M99:\n")
    done = app.test_cli_runner().invoke(args=["content", "load"])
    assert done.exit_code == 1
    assert "model_texts/terms.yaml:" in done.stderr


def test_a_changed_text_under_an_old_number_is_refused(app: Flask, spoilt: Path) -> None:
    change(spoilt, "checklists/terms.yaml", "title: Agreed terms\n", "title: Other terms\n")
    done = app.test_cli_runner().invoke(args=["content", "load"])
    assert done.exit_code == 1
    assert f"version {SHIPPED} is published already; raise the number" in done.stderr


def test_content_check_fails_when_something_is_missing(app: Flask, spoilt: Path) -> None:
    change(spoilt, "checklists/terms.yaml", "statements: [S4]", "statements: [S90]")
    done = app.test_cli_runner().invoke(args=["content", "check"])
    assert done.exit_code == 1
    assert "M2 is based on S90, which doesn't exist" in done.output
    assert "| " + " " * 10 + "statements: [S90]" in done.output
    assert "Use the code of a statement of the source" in done.output
