"""Shown words of signatures and requests."""

from flask_babel import lazy_gettext as _l

from tracker.signoff.models import Method, RequestState
from tracker.signoff.signers import Flaw, Order

METHODS = {
    Method.PASSWORD_TOTP: _l("Password with code from an app"),
    Method.DEMONSTRATION: _l("Demonstration, without proof of identity"),
}

REQUEST_STATES = {
    RequestState.WAITING: _l("Waiting for signatures"),
    RequestState.COMPLETED: _l("Signed by all"),
    RequestState.DECLINED: _l("Declined"),
    RequestState.WITHDRAWN: _l("Called back"),
    RequestState.EXPIRED: _l("Ran out before all had signed"),
}

FLAWS = {
    Flaw.NOBODY: _l("Choose who signs for each party."),
    Flaw.TWICE: _l("A person signs for one party only. Name different persons."),
    Flaw.TOO_MANY: _l("More signatures are asked for than persons are named."),
    Flaw.ORDER_NEEDS_ALL: _l("Who signs one after the other all have to sign."),
}

ORDERS = {
    Order.TOGETHER: _l("All at the same time"),
    Order.PARTNERS_FIRST: _l("The partners first, then the NPM"),
    Order.NPM_FIRST: _l("The NPM first, then the partners"),
}
