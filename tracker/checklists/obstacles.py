"""What keeps a checklist from being sent for signature."""

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext

from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.negotiation import hints
from tracker.ui.locale import with_commas, with_semicolons


def to_sending(loaded: LoadedChecklist) -> list[object]:
    """Return what keeps a text from being sent for signature, one sentence each (5.1).

    A suggestion that nobody has answered would be lost, also on an item that is agreed without the
    party that suggests. For the agreed terms gate G3 must be met too: the second reader has
    reviewed them, no flag is open, and every phrase that may limit the NPM is accepted. For other
    checklists the side that wrote such a phrase must have said that it doesn't (S6, S7).
    """
    standing = loaded.standing()
    obstacles: list[object] = []
    if standing.blocking:
        labels = [loaded.template.by_code[code].label for code in standing.blocking]
        obstacles.append(
            lazy_ngettext(
                "%(num)s item still to agree: %(items)s.",
                "%(num)s items still to agree: %(items)s.",
                len(labels),
                items=with_semicolons(labels),
            )
        )
    suggested = [
        code
        for code, item in loaded.template.by_code.items()
        if loaded.proposals_on.get(code)
        and code not in standing.blocking
        and loaded.is_open(item, standing.items.get(code))
    ]
    if suggested:
        obstacles.append(
            _l(
                "There's an open suggestion on %(items)s. Answer it or withdraw it.",
                items=item_names(loaded, suggested),
            )
        )
    flagged = [code for code in loaded.template.by_code if code in loaded.flagged]
    if flagged:
        obstacles.append(
            _l("There's an open flag on %(items)s.", items=item_names(loaded, flagged))
        )
    waiting = dict.fromkeys(hint.item for hint in hints.unanswered(loaded))
    if loaded.checklist.kind is not ChecklistKind.TERMS:
        if waiting:
            obstacles.append(
                _l(
                    "The party that wrote words on %(items)s hasn't said yet whether they limit "
                    "the NPM.",
                    items=item_names(loaded, waiting),
                )
            )
        return obstacles
    if waiting:
        obstacles.append(
            _l(
                "The second reader hasn't said yet whether words on %(items)s limit the NPM.",
                items=item_names(loaded, waiting),
            )
        )
    if loaded.review is None:
        obstacles.append(_l("The second reader hasn't confirmed independence and flexibility yet."))
    return obstacles


def item_names(loaded: LoadedChecklist, codes: Iterable[str]) -> str:
    """Return the names of items in quotation marks, with commas; of an unknown one its code."""
    items = ((code, loaded.template.by_code.get(code)) for code in codes)
    return with_commas(_("“%(item)s”", item=item.label if item else code) for code, item in items)
