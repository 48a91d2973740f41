"""Shown words of signatures and requests."""

from flask_babel import lazy_gettext as _l

from tracker.signoff.models import Method, RequestState

METHODS = {
    Method.PASSWORD_TOTP: _l("Password with code from an app"),
    Method.PAPER: _l("On paper"),
    Method.DEMONSTRATION: _l("Demonstration, without proof of identity"),
}

REQUEST_STATES = {
    RequestState.WAITING: _l("Waiting for signatures"),
    RequestState.COMPLETED: _l("Signed by all"),
    RequestState.DECLINED: _l("Declined"),
    RequestState.WITHDRAWN: _l("Called back"),
}
