"""Faults of an edited model text, as `tracker content check` finds them, in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from tracker.checklist_templates import risky_phrases
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Template
from tracker.checklists.model_texts import trials
from tracker.checklists.model_texts.schema import ModelTextContent
from tracker.checklists.model_texts.trials import Fault
from tracker.cooperations.models import Mode
from tracker.cooperations.modes import MODE_LABELS
from tracker.core import paths
from tracker.core.mistakes import ContentError, Mistake
from tracker.ui import locale

# The name of a model text in mistakes.
TEXT = "text"


@dataclass(frozen=True, slots=True)
class ShownFault:
    """A fault: what is wrong, with which ways of working, and where."""

    words: str
    # The field of the edited item, if it has one value; otherwise words say where.
    field: str
    in_full: str


class FaultsError(ContentError):
    """Raised for a model text that has faults."""

    def __init__(self, faults: Sequence[ShownFault]) -> None:
        super().__init__([Mistake(TEXT, 1, fault.in_full) for fault in faults])
        self.faults = tuple(faults)


def require_sound(
    edited: ModelTextContent, in_use: ModelTextContent, template: Template, code: str
) -> None:
    """Raise FaultsError if a model text with one edited item has faults in any way of working.

    Faults of other items count only if they aren't in the text in use. This takes seconds.
    """
    phrases = [file.phrases for file in risky_phrases.read(paths.CONTENT)]
    faults = trials.try_all([(edited, template)], phrases)
    if any(fault.item != code for fault in faults):
        known = set(trials.try_all([(in_use, template)], phrases))
        faults = tuple(fault for fault in faults if fault.item == code or fault not in known)
    if faults:
        raise FaultsError(list(_shown(faults, template, code)))


def _shown(faults: Iterable[Fault], template: Template, code: str) -> Iterable[ShownFault]:
    for fault in faults:
        item = template.by_code[fault.item]
        finding = fault.finding
        field = next(
            (own for own in item.fields_of(AnswerScope.SHARED) if own.key == finding.field), None
        )
        is_single = fault.item == code and field is not None and not field.columns
        modes = " · ".join(str(MODE_LABELS[Mode(name)]) for name in fault.modes.split(", "))
        problem = f"{finding.words[:1].upper()}{finding.words[1:]}"
        words = _("%(problem)s (for example with: %(modes)s)", problem=problem, modes=modes)
        where = [] if fault.item == code else [f"{item.code} {item.label}"]
        if field is not None:
            where.append(field.label)
        if finding.row is not None:
            where.append(_("row %(number)s", number=finding.row))
        if field is not None and finding.column is not None:
            where.append(field.column(finding.column).label)
        full = f"{locale.with_commas(where)}: {words}" if where else words
        yield ShownFault(words, finding.field if is_single else "", full)
