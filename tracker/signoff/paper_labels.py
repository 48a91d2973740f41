"""Labels for signing on paper or in somebody's presence."""

import datetime as dt

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.signoff.labels import METHODS
from tracker.signoff.models import Method, Signature
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
    """Return in words how somebody signed; without an account, also who vouches for it."""
    if signature.presence is not None:
        return _(
            "On the device of %(host)s, %(host_for)s, who was present (%(method)s). "
            "How they knew who signed: %(known_by)s",
            host=signature.presence["host_name"],
            host_for=signature.presence["host_for"],
            method=METHODS[Method(signature.presence["method"])],
            known_by=signature.presence["known_by"],
        )
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
