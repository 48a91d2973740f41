"""Labels for signing on paper."""

import datetime as dt

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.signoff.labels import METHODS
from tracker.signoff.models import Signature
from tracker.signoff.paper_models import PaperState
from tracker.ui.locale import as_date

# In words, with the mark of the state.
STATES: dict[PaperState, tuple[object, str]] = {
    PaperState.WAITING: (_l("Waiting to be confirmed"), "other"),
    PaperState.CONFIRMED: (_l("Confirmed"), "held"),
    PaperState.REFUSED: (_l("Refused"), "stop"),
    PaperState.WITHDRAWN: (_l("Withdrawn"), "off"),
    PaperState.OVERTAKEN: (_l("No longer needed"), "off"),
}


def how_signed(signature: Signature) -> object:
    """Return in words how somebody signed; on paper, also when and who vouches for the scan."""
    if signature.paper is None:
        return METHODS[signature.method]
    paper = dict(signature.paper)
    words = {
        "day": as_date(dt.date.fromisoformat(paper["signed_on"])),
        "recorder": paper["recorded_by_name"],
        "recorded_for": paper["recorded_for"],
        "confirmer": paper["confirmed_by_name"],
        "confirmed_for": paper["confirmed_for"],
    }
    if paper["made"] == "before":
        return _(
            "On paper on %(day)s, before this tool was in use; not signed electronically. "
            "Recorded by %(recorder)s, %(recorded_for)s, confirmed by %(confirmer)s, "
            "%(confirmed_for)s",
            **words,
        )
    return _(
        "On paper on %(day)s. Scan recorded by %(recorder)s, %(recorded_for)s, confirmed by "
        "%(confirmer)s, %(confirmed_for)s",
        **words,
    )
