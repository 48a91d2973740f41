"""Labels for what became of a promise, and for the outcome of a review."""

from flask_babel import lazy_gettext as _l

from tracker.reviews.models import Outcome, Verdict

VERDICTS: dict[Verdict, object] = {
    Verdict.KEPT: _l("Kept in full"),
    Verdict.PARTLY: _l("Partly kept"),
    Verdict.NOT_KEPT: _l("Not kept"),
    Verdict.NO_LONGER_NEEDED: _l("No longer needed"),
}
VERDICT_STYLES: dict[Verdict, str] = {
    Verdict.KEPT: "done",
    Verdict.PARTLY: "half",
    Verdict.NOT_KEPT: "stop",
    Verdict.NO_LONGER_NEEDED: "off",
}
OUTCOMES: dict[Outcome, object] = {
    Outcome.GO_ON: _l("Continue unchanged"),
    Outcome.RENEW: _l("Renew with new dates"),
    Outcome.AMEND: _l("Amend some items"),
    Outcome.END: _l("End the cooperation"),
}
OUTCOME_HINTS: dict[Outcome, object] = {
    Outcome.GO_ON: _l("Only the date of the next review changes."),
    Outcome.RENEW: _l(
        "Opens the dates in the terms as an amendment. They count once all parties have signed."
    ),
    Outcome.AMEND: _l(
        "Opens the items you choose. The signed terms stay in force until everyone has signed "
        "the new ones."
    ),
    Outcome.END: _l("A signatory then gives notice, with the notice period you agreed."),
}
