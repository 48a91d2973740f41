"""Shown words of signatures and requests, and of proofs that do not hold."""

from flask_babel import lazy_gettext as _l

from tracker.signoff.assertion import Flaw
from tracker.signoff.models import Method, RequestState

METHODS = {
    Method.PASSWORD_TOTP: _l("Password with code from an app"),
    Method.PASSKEY: _l("Passkey"),
    Method.PASSWORD_MAILED_CODE: _l("Password with code by mail"),
    Method.DEMONSTRATION: _l("Demonstration, without proof of identity"),
}

REQUEST_STATES = {
    RequestState.WAITING: _l("Waiting for signatures"),
    RequestState.COMPLETED: _l("Signed by all"),
    RequestState.DECLINED: _l("Declined"),
    RequestState.WITHDRAWN: _l("Called back"),
}

FLAWS = {
    Flaw.INCOMPLETE: _l("The answer of the passkey is not whole, or can't be read."),
    Flaw.OTHER_TEXT: _l("The passkey confirmed another text or another sentence."),
    Flaw.OTHER_ACT: _l("The passkey was used for something else than signing."),
    Flaw.OTHER_PLACE: _l("The passkey was used at another place."),
    Flaw.NOT_VERIFIED: _l("The passkey's device did not verify its person."),
    Flaw.NOT_SIGNED: _l("The passkey's key did not sign this."),
}


def method_words(value: str) -> object:
    """Return the words of a stored method; of one that is not known, the method itself."""
    return next((words for method, words in METHODS.items() if method == value), value)
