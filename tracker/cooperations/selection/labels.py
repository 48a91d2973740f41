"""Labels for the ways in which partners are chosen."""

from flask_babel import lazy_gettext as _l

from tracker.cooperations.selection.models import SelectionWay

WAYS: dict[SelectionWay, object] = {
    SelectionWay.PUBLIC_CALL: _l("Public call"),
    SelectionWay.APPLICATION: _l("Application with a project"),
    SelectionWay.DIRECT: _l("Direct contact"),
    SelectionWay.LAW: _l("By law"),
    SelectionWay.OTHER: _l("Another way"),
}

HINTS: dict[SelectionWay, object] = {
    SelectionWay.PUBLIC_CALL: _l("You published a call, and organisations applied."),
    SelectionWay.APPLICATION: _l("The organisation applied with a project of its own."),
    SelectionWay.DIRECT: _l("One of you approached the other."),
    SelectionWay.LAW: _l("A law or decree names the organisation."),
    SelectionWay.OTHER: "",
}
