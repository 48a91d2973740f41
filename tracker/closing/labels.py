"""Labels for what became of material, and how far each request is."""

from flask_babel import lazy_gettext as _l

from tracker.closing.models import Disposal, RecordedHow, ReturnState

DISPOSALS: dict[Disposal, object] = {
    Disposal.RETURNED: _l("I returned all copies to the NPM"),
    Disposal.DESTROYED: _l("I destroyed all copies"),
    Disposal.BOTH: _l("I returned some copies and destroyed the others"),
    Disposal.NONE: _l("I had no copies"),
}
# The same, as shown to others.
DISPOSED: dict[Disposal, object] = {
    Disposal.RETURNED: _l("All copies returned"),
    Disposal.DESTROYED: _l("All copies destroyed"),
    Disposal.BOTH: _l("Copies returned or destroyed"),
    Disposal.NONE: _l("Had no copies"),
}
# The same, as the NPM records it for somebody without an account.
DISPOSALS_OF_ANOTHER: dict[Disposal, object] = {
    Disposal.RETURNED: _l("They returned all copies to the NPM"),
    Disposal.DESTROYED: _l("They destroyed all copies"),
    Disposal.BOTH: _l("They returned some copies and destroyed the others"),
    Disposal.NONE: _l("They had no copies"),
}
# How the NPM heard it, as a choice.
HOW: dict[RecordedHow, object] = {
    RecordedHow.IN_PERSON: _l("They told me in person"),
    RecordedHow.ON_PAPER: _l("They signed a paper that says so"),
}
# Each with the style mark of components/status.html.
STATES: dict[ReturnState, tuple[object, str]] = {
    ReturnState.REQUESTED: (_l("Not confirmed yet"), "other"),
    ReturnState.CONFIRMED: (_l("Confirmed"), "done"),
    ReturnState.EXCEPTED: (_l("Exception recorded"), "off"),
    ReturnState.CANCELLED: (_l("No longer needed"), "off"),
}
