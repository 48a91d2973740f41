"""Labels for the state of a recorded scan."""

from flask_babel import lazy_gettext as _l

from tracker.signoff.paper_models import PaperState

# In words, with the mark of the state.
STATES: dict[PaperState, tuple[object, str]] = {
    PaperState.WAITING: (_l("Waiting to be confirmed"), "other"),
    PaperState.CONFIRMED: (_l("Confirmed"), "held"),
    PaperState.REFUSED: (_l("Refused"), "stop"),
    PaperState.WITHDRAWN: (_l("Withdrawn"), "off"),
    PaperState.OVERTAKEN: (_l("No longer needed"), "off"),
}
