"""Shown words of the register and of the check that nothing was altered."""

from flask_babel import lazy_gettext as _l

from tracker.activity.verify import ChainFault
from tracker.oversight.facts import (
    AgreementState,
    Counts,
    Fault,
    Finding,
    Narrowing,
    Place,
    Table,
)

STATES: dict[AgreementState, tuple[object, str]] = {
    AgreementState.DRAFTING: (_l("Being filled in"), "half"),
    AgreementState.WAITING: (_l("Waiting for signatures"), "other"),
    AgreementState.DECLINED: (_l("Declined"), "half"),
    AgreementState.BEGINS_LATER: (_l("Signed by all, begins later"), "held"),
    AgreementState.IN_FORCE: (_l("In force"), "held"),
    AgreementState.ENDS_SOON: (_l("In force, ends soon"), "wait"),
    AgreementState.REVIEW_OVERDUE: (_l("Review overdue"), "stop"),
    AgreementState.ENDED: (_l("Ended"), "off"),
}

FORMS: dict[str, object] = {
    "mou": _l("Memorandum of understanding"),
    "contract": _l("Contract"),
    "letters": _l("Exchange of letters"),
    "order": _l("Order of the NPM with a declaration"),
    "terms_of_reference": _l("Terms of reference"),
    "other": _l("Another form"),
}

NARROWINGS: dict[Narrowing, object] = {
    Narrowing.IN_FORCE: _l("In force"),
    Narrowing.ENDS_SOON: _l("Ends within 60 days"),
    Narrowing.LACKS_SIGNATURES: _l("Lacks signatures"),
    Narrowing.DECLINED: _l("Declined"),
    Narrowing.DRAFTING: _l("Being filled in"),
    Narrowing.ENDED: _l("Ended"),
    Narrowing.REVIEW_OVERDUE: _l("Review overdue"),
    Narrowing.OVERRIDDEN: _l("Overridden"),
}

FAULTS: dict[Fault | ChainFault, object] = {
    ChainFault.MISSING: _l("An event was taken out here."),
    ChainFault.TWICE: _l("An event was put in here: its number was given before."),
    ChainFault.DOES_NOT_FOLLOW: _l(
        "The event does not follow the one before it: an event was put in, taken out or moved."
    ),
    ChainFault.CHANGED: _l("The event was changed."),
    ChainFault.DETAILS_CHANGED: _l("The details of the event were changed."),
    ChainFault.DETAILS_GONE: _l("The details of the event were taken out without leave."),
    ChainFault.UNSEALED: _l(
        "The end of the chain does not bear this instance's seal: the chain was rewritten as a "
        "whole, its row was changed, or the key of the trail is another instance's."
    ),
    ChainFault.CUT_OFF: _l("The events after this one were cut off."),
    ChainFault.TOO_MANY: _l("Events were added at the end."),
    ChainFault.OTHER_HEAD: _l("The last event is not the one that was sealed."),
    Fault.DAMAGED: _l("A value in this row is nothing that the application writes."),
    Fault.NO_INSTANCE_CHAIN: _l("The chain of the instance was taken out."),
    Fault.NO_CHAIN: _l("The cooperation has no chain: it was taken out."),
    Fault.NOT_REGISTERED: _l("The chain of the instance knows nothing of this cooperation."),
    Fault.REGISTERED_TWICE: _l("The event registers a cooperation a second time."),
    Fault.NO_COOPERATION: _l("The cooperation it speaks of was taken out."),
    Fault.BELONGS_NOWHERE: _l("The row belongs to nothing: it was put in, or its place was."),
    Fault.KEY_GONE: _l("The cooperation's key was taken out, and no event says so."),
    Fault.KEY_UNREADABLE: _l("The cooperation's key was changed, or is another instance's."),
    Fault.NOT_BOUND: _l("No event bears witness to this row: it was put in or changed."),
    Fault.BOUND_TWICE: _l("The event bears witness to what an earlier one did already."),
    Fault.DOCUMENT_CHANGED: _l("The frozen text was changed: it does not give its digest."),
    Fault.DOCUMENT_UNREADABLE: _l("The frozen text was changed: it can't be decrypted."),
    Fault.CHANGED: _l("The row was changed: it does not give its digest."),
    Fault.OTHER_TEXT: _l("The signature stands under another text."),
    Fault.NO_PAPER: _l("The signature on paper rests on no scan that was confirmed like this."),
    Fault.SCAN_CHANGED: _l(
        "The scan was changed: it can't be decrypted or does not give its digest."
    ),
    Fault.ROW_GONE: _l("The revision or signature that this event bears witness to is gone."),
}


PLACES: dict[Table, object] = {
    Table.CHAIN: _l("Chain of %(chain)s, after event %(event)s"),
    Table.EVENT: _l("Chain of %(chain)s, event %(event)s"),
    Table.DETAILS: _l("Chain of %(chain)s, details of event %(event)s"),
    Table.REVISION: _l("%(chain)s, frozen revision %(row)s"),
    Table.SIGNATURE: _l("%(chain)s, signature of %(row)s"),
    Table.PAPER: _l("%(chain)s, scan recorded by %(row)s"),
    Table.SUCCESSION: _l("Chain of %(chain)s, replacement of %(row)s"),
    Table.PAPER_DECISION: _l("%(chain)s, answer of %(row)s to a scan"),
    Table.COOPERATION: _l("Cooperation %(chain)s"),
    Table.KEY: _l("Key of %(chain)s"),
}


def place_words(place: Place) -> object:
    """Return in words where a broken place lies."""
    chain = place.reference or _l("the instance")
    if place.row and not place.reference:  # it belongs to no chain that is known
        return _l("Row %(row)s of the table %(table)s", row=place.row, table=place.table.value)
    if place.table is Table.CHAIN and place.event is None:
        return _l("Chain of %(chain)s", chain=chain)
    return str(PLACES[place.table]) % {"chain": chain, "event": place.event, "row": place.row}


def finding_words(finding: Finding) -> object:
    """Return in one sentence or two where the first broken place is and what is wrong there."""
    return _l("%(place)s: %(fault)s", place=place_words(finding.place), fault=FAULTS[finding.fault])


def count_words(counts: Counts) -> object:
    """Return in words how much was checked."""
    return _l(
        "chains %(chains)s, events %(events)s, details %(details)s, frozen revisions "
        "%(revisions)s, signatures %(signatures)s",
        chains=counts.chains,
        events=counts.events,
        details=counts.details,
        revisions=counts.revisions,
        signatures=counts.signatures,
    )
