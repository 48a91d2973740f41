"""Labels for gates and their states, and for items that are not done."""

from flask_babel import lazy_gettext as _l

from tracker.checklists.rules.completeness import WorkState
from tracker.lifecycle.policy import GateState

GATES: dict[str, object] = {
    "G1": _l("To begin"),
    "G2": _l("Terms agreed"),
    "G3": _l("Safeguards reviewed"),
    "G4": _l("People cleared"),
    "G5": _l("In time"),
    "G7": _l("Copies returned or destroyed"),
}

# Terms that begin later say on which day (validity_words).
GATE_STATES: dict[GateState, object] = {
    GateState.MET: _l("Met"),
    GateState.NOT_MET: _l("Not met"),
    GateState.OVERRIDDEN: _l("Overridden"),
    GateState.NOBODY: _l("Nobody to clear yet"),
    GateState.NOTHING: _l("No terms in force"),
    GateState.NO_COPIES: _l("Nobody had access"),
}

# What it says about one that became required after all had signed.
NEEDS_AMENDMENT = _l("not in the terms that all parties signed, so it needs an amendment")

# What a gate says about a required item that is not done.
ITEM_STATES: dict[WorkState, object] = {
    WorkState.NOT_STARTED: _l("not answered yet"),
    WorkState.IN_PROGRESS: _l("the answer is not complete"),
    WorkState.WAITING: _l("not agreed by everyone yet"),
}
