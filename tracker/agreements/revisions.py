"""The revisions and the draft of a checklist, and the differences between two of them, by item."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from tracker.agreements import evidence, frozen_text
from tracker.agreements.evidence import Compared
from tracker.agreements.service import SUBJECT
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item, Part
from tracker.checklists import encryption, localized_values
from tracker.checklists.loading import LoadedChecklist, load, said_in
from tracker.checklists.localized_values import Part_, PartDifference
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.rules import completeness
from tracker.checklists.rules.facts import Filled
from tracker.mail.render import in_language
from tracker.signoff import queries as signoff
from tracker.signoff import service as signoff_service
from tracker.signoff.models import Revision
from tracker.ui import locale
from tracker.ui.locale import with_commas

DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Version:
    """A state of the text that can be compared: a frozen revision, or the current draft."""

    key: str
    words: str
    state: object = ""
    at: dt.datetime | None = None
    author: str = ""
    reason: str = ""
    revision: Revision | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The difference in one item: kind is new, gone or changed; answers are by owner.

    Without a code it is a difference in what the text says apart from its items.
    """

    code: str
    label: str
    kind: str
    prompt: list[PartDifference]
    answers: list[tuple[str, list[PartDifference]]]


@dataclass(frozen=True, slots=True)
class _ItemText:
    label: str
    prompt: str
    # The owner ("" for a shared answer), and the answer's fields.
    answers: Mapping[str, list[Part_]]


def versions(loaded: LoadedChecklist, compared: Compared) -> list[Version]:
    """Return the draft, if there is one, and every frozen revision, the newest first.

    compared is the result of comparing the checklist's rows; it gives the status of each revision.
    """
    rows = signoff.revisions_of(SUBJECT, loaded.checklist.id)
    frozen_versions = [
        _frozen(loaded, revision, evidence.words_of(compared, revision.id)[0])
        for revision, _request in rows
    ]
    if loaded.checklist.state is ChecklistState.DRAFTING or not frozen_versions:
        frozen_versions.insert(0, Version(DRAFT, _("The draft as it is now")))
    return frozen_versions


def _frozen(loaded: LoadedChecklist, revision: Revision, state: object = "") -> Version:
    return Version(
        key=str(revision.number),
        words=_("Revision %(number)s", number=revision.number),
        state=state,
        at=revision.frozen_at,
        author=loaded.names.people.get(revision.frozen_by_id, ""),
        reason=revision.reason,
        revision=revision,
    )


def compared(loaded: LoadedChecklist, old: Version, new: Version, language: str) -> list[Change]:
    """Return the differences between two states of the text, in the order of the checklist.

    Two frozen texts are also compared apart from their items: the cooperation with its purpose, the
    parties, who signs by which rule, the languages. They are compared in a language they share, the
    requested one if possible.
    """
    shared = _shared_language(loaded, [old, new], language)
    before, after = (_texts(loaded, version, shared) for version in (old, new))
    changes = [
        _change(code, before.get(code), after.get(code))
        for code in dict.fromkeys([*loaded.template.by_code, *before, *after])
        if code in before or code in after
    ]
    shown_changes = [
        change for change in changes if change.prompt or change.answers or change.kind != "changed"
    ]
    beside = localized_values.differences(
        *(_beside(loaded, content, shared) for content in (old, new))
    )
    if beside and old.revision and new.revision:
        shown_changes.append(Change("", _("About this text"), "changed", [], [("", beside)]))
    return shown_changes


def _beside(loaded: LoadedChecklist, version: Version, language: str) -> list[Part_]:
    """Return what a frozen text says apart from its items; a draft has nothing there."""
    if version.revision is None:
        return []
    text = frozen_text.read(_document(loaded, version), language)
    return [
        (_("Cooperation"), text.cooperation),
        *text.about,
        (_("Languages"), with_commas(locale.name_of(code) for code in text.languages)),
        (_("Binding language"), locale.name_of(text.binding)),
    ]


@dataclass(frozen=True, slots=True)
class Since:
    """How the current revision, with its number, differs from the one on a person's page."""

    number: int
    now: int
    changes: list[Change]


def since(checklist: Checklist, digest: str, revision: Revision) -> Since | None:
    """Return how a revision differs from the one with a digest, which somebody had opened.

    None if it is the same one, or isn't a revision of this checklist.
    """
    if not digest or digest == revision.digest:
        return None
    rows = signoff.revisions_of(SUBJECT, checklist.id)
    loaded = load(checklist, locale.language())
    known = {revision.digest: _frozen(loaded, revision) for revision, _request in rows}
    old = known.get(digest)
    if old is None or old.revision is None:
        return None
    changes = compared(loaded, old, known[revision.digest], locale.language())
    return Since(old.revision.number, revision.number, changes)


def _shared_language(loaded: LoadedChecklist, versions: list[Version], language: str) -> str:
    """Return the requested language, or the first one that all frozen versions have."""
    known = [
        frozen_text.languages_of(_document(loaded, version))
        for version in versions
        if version.revision
    ]
    shared = [code for code in known[0] if all(code in codes for codes in known)] if known else []
    return language if language in shared or not shared else shared[0]


def _document(loaded: LoadedChecklist, version: Version) -> Mapping[str, Any]:
    if version.revision is None:
        raise LookupError("The draft is not frozen.")
    return signoff_service.document_of(version.revision, encryption.key_for(loaded.checklist))


def _texts(loaded: LoadedChecklist, version: Version, language: str) -> dict[str, _ItemText]:
    if version.revision is None:
        with in_language(language):
            return _draft(said_in(loaded, language))
    text = frozen_text.read(_document(loaded, version), language)
    return {
        code: _ItemText(
            item.label, item.prompt, {answer.by: answer.parts for answer in item.answers}
        )
        for code, item in text.by_code.items()
    }


def _draft(loaded: LoadedChecklist) -> dict[str, _ItemText]:
    """Return the contents of the draft, agreed or not: the shown items of the signed part."""
    return {
        item.code: _ItemText(item.label, item.prompt, answers)
        for item in loaded.template.items
        if item.part is Part.TERMS
        and completeness.is_shown(item, loaded.sheet, loaded.surroundings) is Truth.TRUE
        and (answers := _draft_answers(loaded, item))
    }


def _draft_answers(loaded: LoadedChecklist, item: Item) -> dict[str, list[Part_]]:
    parts: dict[str, list[Part_]] = {}
    shared = loaded.sheet.shared(item.code)
    if shared is not None and not shared.is_empty:
        parts[""] = _draft_parts(loaded, item, AnswerScope.SHARED, shared)
    for party in loaded.parties:
        own = loaded.sheet.of_party(item.code, party.organisation_id)
        if own is not None and not own.is_empty:
            parts[party.name] = _draft_parts(loaded, item, AnswerScope.PARTY, own)
    return parts


def _draft_parts(
    loaded: LoadedChecklist, item: Item, scope: AnswerScope, filled: Filled
) -> list[Part_]:
    if filled.not_applicable:
        return localized_values.left_out(filled.values.get("reason", ""))
    return localized_values.parts(item.fields_of(scope), filled.values, loaded.names)


def _change(code: str, before: _ItemText | None, after: _ItemText | None) -> Change:
    either = after or before
    old, new = (version.answers if version else {} for version in (before, after))
    answers = [
        (by, different)
        for by in dict.fromkeys([*new, *old])
        if (different := localized_values.differences(old.get(by, []), new.get(by, [])))
    ]
    prompt = (
        localized_values.differences([("", before.prompt)], [("", after.prompt)])
        if before and after
        else []
    )
    kind = "changed" if before and after else "new" if after else "gone"
    return Change(code, either.label if either else "", kind, prompt, answers)
