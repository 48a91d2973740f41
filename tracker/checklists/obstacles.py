"""What keeps a checklist from being sent for signature, or an answer from being complete."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext

from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Item
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.negotiation import hints
from tracker.checklists.rules.values import Problem
from tracker.ui.locale import with_commas, with_semicolons


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A sentence that says what keeps a text from being sent, and the items it names."""

    words: object
    names: str = ""  # the items as they stand in the sentence
    items: tuple[tuple[str, str], ...] = ()  # the code and the label of each

    def __str__(self) -> str:
        """Return the sentence."""
        return str(self.words)


def to_sending(loaded: LoadedChecklist) -> list[Obstacle]:
    """Return what keeps a text from being sent for signature, one sentence each (5.1).

    A suggestion that nobody has answered would be lost, also on an item that is agreed without the
    party that suggests. For the agreed terms gate G3 must be met too: the second reader has
    reviewed them, no flag is open, and every phrase that may limit the NPM is accepted. For other
    checklists the side that wrote such a phrase must have said that it doesn't (S6, S7).
    """
    standing = loaded.standing()
    obstacles: list[Obstacle] = []
    if standing.blocking:
        labels = [loaded.template.by_code[code].label for code in standing.blocking]
        names = with_semicolons(labels)
        words = lazy_ngettext(
            "%(num)s item still to agree: %(items)s.",
            "%(num)s items still to agree: %(items)s.",
            len(labels),
            items=names,
        )
        obstacles.append(_on(loaded, words, standing.blocking, names))
    suggested = [
        code
        for code, item in loaded.template.by_code.items()
        if loaded.proposals_on.get(code)
        and code not in standing.blocking
        and loaded.is_open(item, standing.items.get(code))
    ]
    if suggested:
        names = item_names(loaded, suggested)
        obstacles.append(
            _on(
                loaded,
                _l(
                    "There's an open suggestion on %(items)s. Answer it or withdraw it.",
                    items=names,
                ),
                suggested,
                names,
            )
        )
    flagged = [code for code in loaded.template.by_code if code in loaded.flagged]
    if flagged:
        names = item_names(loaded, flagged)
        obstacles.append(
            _on(loaded, _l("There's an open flag on %(items)s.", items=names), flagged, names)
        )
    waiting = dict.fromkeys(hint.item for hint in hints.unanswered(loaded))
    if loaded.checklist.kind is not ChecklistKind.TERMS:
        if waiting:
            names = item_names(loaded, waiting)
            obstacles.append(
                _on(
                    loaded,
                    _l(
                        "The party that wrote words on %(items)s hasn't said yet whether they "
                        "limit the NPM.",
                        items=names,
                    ),
                    waiting,
                    names,
                )
            )
        return obstacles
    if waiting:
        names = item_names(loaded, waiting)
        obstacles.append(
            _on(
                loaded,
                _l(
                    "The second reader hasn't said yet whether words on %(items)s limit the NPM.",
                    items=names,
                ),
                waiting,
                names,
            )
        )
    if loaded.review is None:
        obstacles.append(
            Obstacle(_l("The second reader hasn't confirmed independence and flexibility yet."))
        )
    return obstacles


def _on(loaded: LoadedChecklist, words: object, codes: Iterable[str], names: str) -> Obstacle:
    items = tuple((code, str(loaded.template.by_code[code].label)) for code in codes)
    return Obstacle(words, names, items)


def first_problem(item: Item, problems: Iterable[Problem]) -> str:
    """Return the first problem of an answer, naming the field where it is; "" if there is none."""
    problem = next(iter(problems), None)
    if problem is None:
        return ""
    fields = [field for scope in AnswerScope for field in item.fields_of(scope)]
    field = next((field for field in fields if field.key == problem.field), None)
    words = str(problem.message)
    if field is None:
        return words
    part = next((part for part in field.columns or () if part.key == problem.column), field)
    if str(part.label) in words:
        return words
    return str(_("%(field)s: %(problem)s", field=part.label, problem=words))


def item_names(loaded: LoadedChecklist, codes: Iterable[str]) -> str:
    """Return the names of items in quotation marks, with commas; of an unknown one its code."""
    items = ((code, loaded.template.by_code.get(code)) for code in codes)
    return with_commas(_("“%(item)s”", item=item.label if item else code) for code, item in items)
