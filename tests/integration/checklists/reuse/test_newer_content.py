"""Checklists on an older shipped version, and the effects of upgrading them."""

import datetime as dt
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.factories import checklists
from tests.factories.negotiations import Negotiation
from tracker.checklist_templates import library
from tracker.checklist_templates.field_content import ROW
from tracker.checklist_templates.models import AnswerScope, ChecklistKind, ChecklistTemplate
from tracker.checklist_templates.schema import FieldType, Template, TemplateField
from tracker.checklists import service
from tracker.checklists.reuse import template_upgrade
from tracker.core import canonical

PUBLISHED = Path(__file__).parents[3] / "factories" / "published"
OLDER = {
    ChecklistKind.TERMS: "terms-1.yaml",
    ChecklistKind.CONFIDENTIALITY: "confidentiality-2.yaml",
}
KINDS = pytest.mark.parametrize("kind", OLDER)

Values = dict[tuple[str, AnswerScope, Any], dict[str, Any]]


def older(kind: ChecklistKind) -> Template:
    name = OLDER[kind]
    return library.read_one((PUBLISHED / name).read_text(), name).template


def put_on_older(negotiation: Negotiation, kind: ChecklistKind) -> None:
    """Have the cooperation's checklist run on the version that was shipped before."""
    template = older(kind)
    content = library.content_of(template)
    newest = library.newest(kind)
    assert newest.published_at is not None
    before = newest.published_at - dt.timedelta(days=30)
    row = ChecklistTemplate(
        id=uuid4(),
        kind=kind,
        version=template.version,
        content=content,
        digest=canonical.digest_of(content),
        shipped_version=template.version,
        loaded_at=before,
        published_at=before,
    )
    negotiation.session.add(row)
    negotiation.session.flush()
    negotiation.checklist(kind).template_id = row.id
    negotiation.session.commit()


def answers(negotiation: Negotiation, kind: ChecklistKind) -> Values:
    return {
        place: dict(filled.values)
        for place, filled in negotiation.loaded(kind).sheet.answers.items()
        if not filled.is_empty
    }


def move(negotiation: Negotiation, kind: ChecklistKind) -> template_upgrade.Move:
    newest = library.newest(kind)
    done = template_upgrade.move(negotiation["ilena"], negotiation.checklist(kind), newest.id)
    negotiation.session.commit()
    return done


@pytest.fixture
def running(shipped_negotiation: Negotiation, kind: ChecklistKind) -> Negotiation:
    """A checklist that is complete and agreed on the older version."""

    def agree(negotiation: Negotiation) -> None:
        put_on_older(negotiation, kind)
        negotiation.agree(kind)

    shipped_negotiation.go_on(f"agree_older_{kind}", agree)
    shipped_negotiation.session.commit()
    assert shipped_negotiation.loaded(kind).standing().is_complete
    return shipped_negotiation


@KINDS
def test_a_running_checklist_stays_on_its_version_and_may_move(
    running: Negotiation, kind: ChecklistKind
) -> None:
    assert running.loaded(kind).template.version == older(kind).version
    newer = template_upgrade.newer(running.checklist(kind))
    assert newer is not None
    assert newer.version == library.newest(kind).version > older(kind).version


@KINDS
def test_moving_keeps_every_answer(running: Negotiation, kind: ChecklistKind) -> None:
    before = answers(running, kind)
    done = move(running, kind)
    assert (done.cut, done.gone_answered, done.difference.gone) == ((), (), ())
    assert answers(running, kind) == before
    assert set(before) >= {
        (item.code, AnswerScope.SHARED, running.checklist(kind).id)
        for item in older(kind).items
        if item.required.value == "always" and AnswerScope.SHARED in item.scopes
    }


@KINDS
def test_an_upgrade_keeps_agreement_on_unchanged_items(
    running: Negotiation, kind: ChecklistKind
) -> None:
    done = move(running, kind)
    loaded = running.loaded(kind)
    changed = {change.code for change in done.difference.changed if change.asks_again}
    unchanged = [
        loaded.standing().items[item.code]
        for item in loaded.template.items
        if loaded.has_answer(item) and item.code not in changed
    ]
    assert unchanged
    assert all(status.done for status in unchanged if status.counts)
    assert done.difference.new == loaded.template.items[-1:]


NAMED = {
    ChecklistKind.TERMS: {
        "M1": {"How each partner was chosen: add rows, at least 1."},
        "M3": {"Fill in: What exactly is in scope"},
        "M4": {
            (
                "Confirm: The rights and safety of persons deprived of liberty come before any "
                "interest of a party."
            ),
        },
        "M7": {
            "Choose: Is there an advisory body or council?",
            "Choose: Who else has to agree before the NPM decides",
        },
        "M10": {
            "Fill in: If a statement turns out to be wrong",
            "Fill in: Before a partner shares information about an individual",
            "Choose: What is published about a single visit",
            "Choose: Does anybody outside the NPM ever receive raw notes?",
        },
        "M12": {
            "Fill in the row “Lost earnings”.",
            "Fill in: Several payments to the same person",
        },
        "M13": {"Fill in the row “Claims of people on the team”."},
        "M20": {
            "Choose: Can a body that isn't a party declare a pause?",
            "Fill in: Conditions for resuming after a pause",
        },
    },
    ChecklistKind.CONFIDENTIALITY: {
        "C4": {"Choose: Who decides on its release"},
        "C12": {
            "Fill in the row “What the NPM's own reports, recommendations and opinions need”.",
            (
                "Confirm: Everyone may contact the SPT and the other OPCAT bodies at any time. "
                "Nobody needs permission for this, and nobody may restrict or punish it."
            ),
        },
    },
}


@KINDS
def test_what_the_newer_version_requires_in_addition_is_named(
    running: Negotiation, kind: ChecklistKind
) -> None:
    move(running, kind)
    status = running.loaded(kind).standing()
    for code, messages in NAMED[kind].items():
        assert {str(problem.message) for problem in status.items[code].problems} >= messages
        assert code in status.blocking


def joined(template_field: TemplateField, earlier: Any, whole: Any) -> Any:
    """Return an earlier value with the rows and cells of a table that are new."""
    if template_field.type is not FieldType.TABLE or not whole:
        return earlier
    by_row = {row.get(ROW): row for row in whole}
    rows = [{**by_row.get(row.get(ROW), whole[0]), **row} for row in earlier]
    known = {row.get(ROW) for row in earlier}
    return [*rows, *(row for key, row in by_row.items() if key is not None and key not in known)]


@KINDS
def test_a_moved_checklist_is_completed_and_signed_with_the_earlier_answers(
    running: Negotiation, kind: ChecklistKind
) -> None:
    before = answers(running, kind)
    move(running, kind)
    loaded = running.loaded(kind)
    for code in loaded.standing().blocking:
        item = loaded.template.by_code[code]
        current = loaded.sheet.shared(code)
        assert current is not None
        whole = checklists.whole(loaded, code)
        values = whole | {
            key: joined(item.field(key), value, whole.get(key))
            for key, value in current.values.items()
        }
        if loaded.standing().items[code].problems:
            service.save_answer(
                running["ilena"],
                running.checklist(kind),
                code,
                AnswerScope.SHARED,
                values,
                base_version=current.version,
            )
        checklists.accept(running.checklist(kind), code, running.writers)
        running.session.commit()
    assert running.loaded(kind).standing().blocking == ()
    after = answers(running, kind)
    for place, values in before.items():
        assert after[place].keys() >= values.keys()
