"""Whom a text names, and which of its items name somebody who can't act there any more."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l

from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import NAMING_BODIES
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import ChecklistState
from tracker.checklists.negotiation import safeguards
from tracker.checklists.rules.values import Problem, as_id, names_in

# What is said of an item while an amendment that names somebody else isn't signed yet.
MISNAMED: object = _l("Names somebody who can't act there any more.")
# The language in which a reason is compared, whoever reads it: that of the messages in the code.
_COMPARED_IN = "en"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item doesn't fit, and what tells this reason from each other reason of the item."""

    message: object
    mark: tuple[str, ...]


def reason_of(problem: Problem) -> Reason:
    """Return the reason that a problem is: where it is, whom it is about and what it says."""
    row = "" if problem.row is None else str(problem.row)
    with force_locale(_COMPARED_IN):
        words = str(problem.message)
    where = (problem.field, row, problem.column or "", str(problem.person or ""))
    return Reason(problem.message, (*where, words))


def people_named(
    loaded: LoadedChecklist, *, but: Collection[tuple[str, str]] = ()
) -> frozenset[UUID]:
    """Return everybody whom the shared answers of a checklist name, but in these fields."""
    return frozenset(
        person
        for item in loaded.template.items
        for field in item.fields_of(AnswerScope.SHARED)
        if (item.code, field.key) not in but
        for _row, part, name in names_in(field, loaded.sheet.value(item.code, field.key))
        if part.type not in NAMING_BODIES and (person := as_id(name)) is not None
    )


def misnamed(loaded: LoadedChecklist) -> dict[str, object]:
    """Return the items for which misnaming() has reasons, each with the first of them."""
    return {code: reasons[0].message for code, reasons in misnaming(loaded).items()}


def misnaming(loaded: LoadedChecklist) -> dict[str, list[Reason]]:
    """Return the items that name somebody who can't act there any more, in order, and all reasons.

    They are suspended, have left, or act for another side than the item asks for (U3, U9), among
    them people outside the NPM who would now decide for it, which nobody has explained (U7; S7).
    The signed text itself never changes: another revision names somebody else.
    """
    reasons = {
        code: [reason_of(problem) for problem in problems]
        for code, problems in loaded.standing().misnamed.items()
    }
    for finding in safeguards.unexplained(loaded):
        if finding.limit.outside_npm:
            reason = Reason(finding.limit.because, (finding.matched,))
            reasons.setdefault(finding.item, []).append(reason)
    return {item.code: reasons[item.code] for item in loaded.template.items if item.code in reasons}


def to_store(loaded: LoadedChecklist) -> str:
    """Return the codes of these items for a text in force of a cooperation; else an empty text.

    While an amendment is open, the answers are those of the new text, so what was stored before
    still counts. A visit's texts are judged with the visit.
    """
    checklist = loaded.checklist
    if checklist.visit_id is not None or checklist.revision_in_force_id is None:
        return ""
    codes = set(misnamed(loaded))
    if checklist.state is not ChecklistState.IN_FORCE:
        codes |= set(checklist.misnamed_items.split())
    return " ".join(item.code for item in loaded.template.items if item.code in codes)
