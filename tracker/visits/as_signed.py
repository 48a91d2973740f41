"""Whether the answers of a checklist in force are still those that its parties signed."""

from collections.abc import Iterator, Mapping
from typing import Any

from tracker.agreements.evidence import Compared
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import ChecklistState
from tracker.checklists.rules.facts import Filled
from tracker.cooperations import keys
from tracker.core.errors import KeyDestroyedError, UnreadableError
from tracker.signoff import service as signoff


def says_what_was_signed(loaded: LoadedChecklist, compared: Compared) -> bool:
    """Return whether the shared answers of a text in force are those of the text that was signed.

    Gates read the answers, and an answer is a row that somebody with the database can exchange for
    an earlier version. The text itself is bound by its signatures. What wasn't shown when it was
    signed isn't in it, and what isn't shown now is read by nobody: neither is compared. True if
    nothing is in force or the text wasn't read.
    """
    checklist = loaded.checklist
    in_force_id = checklist.revision_in_force_id
    if checklist.state is not ChecklistState.IN_FORCE or in_force_id is None:
        return True
    revision = compared.whole.get(in_force_id)
    if revision is None:
        return True
    try:
        key = keys.key_of(revision.cooperation_id) if revision.is_sealed else None
        document = signoff.document_of(revision, key)
    except (KeyDestroyedError, UnreadableError):
        return True  # compared already: the text itself doesn't agree, or was erased
    return all(
        _is_as_signed(answer, _answer_now(loaded, code))
        for code, answer in _shared_answers(document)
        if code not in loaded.sheet.hidden
    )


def _answer_now(loaded: LoadedChecklist, code: str) -> Filled | None:
    return loaded.sheet.answers.get((code, AnswerScope.SHARED, loaded.checklist.id))


def _shared_answers(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for section in document["sections"]:
        for item in section["items"]:
            for answer in item["answers"]:
                if answer.get("by", "") is None:
                    yield item["code"], answer


def _is_as_signed(signed: Mapping[str, Any], now: Filled | None) -> bool:
    if "not_applicable_because" in signed:
        return now is None or now.not_applicable
    if "values" not in signed:  # an early format, which has only words
        return True
    return (
        now is not None
        and not now.not_applicable
        and all(_contains(now.values.get(key), value) for key, value in signed["values"].items())
    )


def _contains(now: Any, signed: Any) -> bool:
    """Return whether a value has all of a signed one; rows may have cells that weren't shown."""
    if isinstance(signed, list) and isinstance(now, list):
        return len(now) == len(signed) and all(map(_contains, now, signed))
    if isinstance(signed, dict) and isinstance(now, dict):
        return all(_contains(now.get(key), value) for key, value in signed.items())
    return bool(now == signed)
