"""Shown words of the register: states with their marks, forms, ways to narrow it."""

from flask_babel import lazy_gettext as _l

from tracker.oversight.queries import AgreementState, Narrowing

STATES = {
    AgreementState.DRAFTING: (_l("Being filled in"), "half"),
    AgreementState.WAITING: (_l("Waiting for signatures"), "other"),
    AgreementState.DECLINED: (_l("Declined"), "stop"),
    AgreementState.IN_FORCE: (_l("In force"), "held"),
    AgreementState.AMENDING: (_l("In force, amendment in draft"), "held"),
    AgreementState.ENDED: (_l("Ended"), "off"),
}

FORMS = {
    "mou": _l("Memorandum of understanding"),
    "contract": _l("Contract"),
    "letters": _l("Exchange of letters"),
    "order": _l("Order with declaration"),
    "terms_of_reference": _l("Terms of reference"),
    "other": _l("Another form"),
}

NARROWINGS = {
    Narrowing.IN_FORCE: _l("In force"),
    Narrowing.ENDS_SOON: _l("Ends within 60 days"),
    Narrowing.LACKS_SIGNATURES: _l("Lacks signatures"),
    Narrowing.DECLINED: _l("Declined"),
    Narrowing.DRAFTING: _l("Being filled in"),
    Narrowing.REVIEW_OVERDUE: _l("Review overdue"),
}
