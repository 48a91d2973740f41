"""Shown words of signatures and requests, of who is misnamed, and of proofs that do not hold."""

from flask_babel import lazy_gettext as _l

from tracker.signoff.assertion import Flaw
from tracker.signoff.models import Method, RequestState
from tracker.signoff.signers import Misnaming, Order

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
    RequestState.EXPIRED: _l("Ran out before all had signed"),
}

MISNAMINGS = {
    Misnaming.NOBODY: _l("Choose who signs for each party."),
    Misnaming.TWICE: _l("A person signs for one party only. Name different persons."),
    Misnaming.TOO_MANY: _l("More signatures are asked for than persons are named."),
    Misnaming.ORDER_NEEDS_ALL: _l("Who signs one after the other all have to sign."),
}

ORDERS = {
    Order.TOGETHER: _l("All at the same time"),
    Order.PARTNERS_FIRST: _l("The partners first, then the NPM"),
    Order.NPM_FIRST: _l("The NPM first, then the partners"),
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
