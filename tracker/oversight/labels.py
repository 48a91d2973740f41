"""Labels for the register and the audit."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.activity.verify import ChainFault
from tracker.oversight.facts import (
    AgreementState,
    Counts,
    Erasure,
    Fault,
    Finding,
    Narrowing,
    RegisterLine,
    RowLocation,
    Table,
)
from tracker.signoff.labels import DISAGREES, validity_words
from tracker.signoff.outcomes import Validity
from tracker.ui.locale import with_commas

STATES: dict[AgreementState, tuple[object, str]] = {
    AgreementState.DRAFTING: (_l("Draft"), "half"),
    AgreementState.WAITING: (_l("Waiting for signatures"), "other"),
    AgreementState.DECLINED: (_l("Declined"), "half"),
    AgreementState.IN_FORCE: (_l("In force"), "held"),
    AgreementState.ENDS_SOON: (_l("In force, ends soon"), "wait"),
    AgreementState.REVIEW_OVERDUE: (_l("Review overdue"), "stop"),
    AgreementState.SUSPENDED: (_l("Suspended"), "stop"),
    AgreementState.ENDED: (_l("Ended"), "off"),
    AgreementState.DISAGREES: DISAGREES,
}


def state_words(line: RegisterLine) -> tuple[object, str]:
    """Return the status of an agreement with the day it begins, and its mark."""
    if line.state is AgreementState.BEGINS_LATER:
        return validity_words(Validity.BEGINS_LATER, line.from_on)
    return STATES[line.state]


FORMS: dict[str, object] = {
    "mou": _l("Memorandum of understanding"),
    "contract": _l("Contract"),
    "letters": _l("Exchange of letters"),
    "order": _l("Order of the NPM with a declaration"),
    "terms_of_reference": _l("Terms of reference"),
    "other": _l("Another form"),
}

NARROWINGS: dict[Narrowing, object] = {
    Narrowing.BEGINS_LATER: _l("Begins later"),
    Narrowing.IN_FORCE: _l("In force"),
    Narrowing.ENDS_SOON: _l("Ends within 90 days"),
    Narrowing.LACKS_SIGNATURES: _l("Waiting for signatures"),
    Narrowing.DECLINED: _l("Declined"),
    Narrowing.DRAFTING: _l("Draft"),
    Narrowing.SUSPENDED: _l("Suspended"),
    Narrowing.ENDED: _l("Ended"),
    Narrowing.REVIEW_OVERDUE: _l("Review overdue"),
    Narrowing.OVERRIDDEN: _l("With an override"),
    Narrowing.FLAGGED: _l("Open flags"),
}

FAULTS: dict[Fault | ChainFault, object] = {
    ChainFault.MISSING: _l("An event was removed here."),
    ChainFault.TWICE: _l("An event was inserted here: its number was already taken."),
    ChainFault.DOES_NOT_FOLLOW: _l(
        "The event doesn't follow the one before it: an event was added, removed or moved."
    ),
    ChainFault.CHANGED: _l("The event was changed."),
    ChainFault.DETAILS_CHANGED: _l("The details of the event were changed."),
    ChainFault.DETAILS_GONE: _l("The details of the event were removed without permission."),
    ChainFault.UNSEALED: _l(
        "The end of the chain does not bear this instance's seal: the chain was rewritten as a "
        "whole, its row was changed, or the key of the trail is another instance's."
    ),
    ChainFault.CUT_OFF: _l("The events after this one were cut off."),
    ChainFault.TOO_MANY: _l("Events were added at the end."),
    ChainFault.OTHER_HEAD: _l("The last event is not the one that was sealed."),
    Fault.DAMAGED: _l("A value in this row isn't one that the application writes."),
    Fault.NO_INSTANCE_CHAIN: _l("The chain of the instance was removed."),
    Fault.NO_CHAIN: _l("The cooperation has no chain: it was removed."),
    Fault.NO_VISIT_CHAIN: _l("The visit has no chain: it was removed."),
    Fault.END_REPLACED: _l(
        "The visit became ready when the chain ended with another event: since then its end was "
        "cut off or replaced."
    ),
    Fault.NOT_REGISTERED: _l("The instance's chain has no record of this cooperation."),
    Fault.REGISTERED_TWICE: _l("The event registers a cooperation a second time."),
    Fault.NO_COOPERATION: _l("The cooperation it names was removed."),
    Fault.BELONGS_NOWHERE: _l(
        "The row belongs to nothing: it, or what it belonged to, was inserted or removed."
    ),
    Fault.KEY_GONE: _l("The cooperation's key was removed, and no event records it."),
    Fault.KEY_UNREADABLE: _l("The cooperation's key was changed, or is another instance's."),
    Fault.NOT_BOUND: _l("No event vouches for this row: it was inserted or changed."),
    Fault.BOUND_TWICE: _l("The event vouches for something that an earlier event already did."),
    Fault.DOCUMENT_CHANGED: _l("The frozen text was changed: it doesn't match its digest."),
    Fault.DOCUMENT_UNREADABLE: _l("The frozen text was changed: it can't be decrypted."),
    Fault.FILE_CHANGED: _l("The file was changed: it doesn't match its digest."),
    Fault.FILE_UNREADABLE: _l("The file was changed: it can't be decrypted."),
    Fault.CHANGED: _l("The row was changed: it doesn't match its digest."),
    Fault.OTHER_TEXT: _l("The signature belongs to another text."),
    Fault.NOT_PROVEN: _l("The passkey of this signature did not sign this text and sentence."),
    Fault.OTHER_PASSKEY: _l("The passkey of this signature was never set up for its signer."),
    Fault.OTHER_ADDRESS: _l("The address isn't the one that the account was created for."),
    Fault.OTHER_CREDENTIALS: _l(
        "What the person signs in with (password, second factor, passkeys, sessions, an account "
        "that is open) was not set by this application: it was changed, or copied from another "
        "person's row."
    ),
    Fault.FORMER_CREDENTIALS: _l(
        "The details the person signs in with don't match the last event: an older row was put "
        "back."
    ),
    Fault.PASSKEY_NOT_SET_UP: _l("The passkey was never set up for this person."),
    Fault.ROW_GONE: _l("The row that this event vouches for is gone."),
    Fault.END_CHANGED: _l(
        "What the row says about the key's end differs from the instance's chain."
    ),
    Fault.NOT_NUMBERED: _l("A leaf of the log was removed or added before this one."),
    Fault.OTHER_HASH: _l("The log was changed: a leaf doesn't match its stored hash."),
    Fault.OTHER_ROOT: _l("The log was changed: it doesn't match the signed root."),
    Fault.NOT_SIGNED: _l("The checkpoint was changed: it isn't signed with its key."),
    Fault.CHECKPOINT_GONE: _l("The checkpoint before this one was removed."),
    Fault.REWRITTEN: _l(
        "The event is not the one that was there when the checkpoint was signed: the chain was "
        "rewritten as a whole, with the key of the trail."
    ),
    Fault.SHORTENED: _l(
        "There were more events when the checkpoint was signed: the end of the chain was cut off, "
        "with the key of the trail."
    ),
    Fault.ROW_UNKNOWN: _l("No event mentions this row: it was inserted."),
    Fault.ROW_DIFFERS: _l("The row was changed, and no event says so."),
    Fault.ROW_DIFFERED: _l(
        "The row was changed, inserted or deleted without an event, and the application has "
        "changed it since."
    ),
    Fault.ROW_DELETED: _l("The row was deleted, and no event says so."),
    Fault.EMPTIED: _l("The table was emptied, and no event says so. This was one of its rows."),
    Fault.ANCHOR_UNKNOWN: _l(
        "This checkpoint doesn't exist here: the database was restored from an "
        "earlier day, or the anchor belongs to another instance."
    ),
    Fault.ANCHOR_OTHER: _l("The checkpoint stored here is a different one: the log was recreated."),
    Fault.NO_PAPER: _l("No scan confirmed like this supports the signature on paper."),
    Fault.OWN_SCAN: _l("Whoever recorded this scan also confirmed or refused it."),
    Fault.SIGNED_SCAN: _l("Somebody who signed on this scan also confirmed or refused it."),
    Fault.ANSWERED_TWICE: _l("The same person answered this scan for two parties."),
    Fault.TAKER_DECIDED: _l(
        "Whoever took the person's signature, from paper or on their own device, also decided on "
        "the interests the person declared."
    ),
    Fault.DISAGREES: _l(
        "What is stored here about the state of a text differs from its signatures and events."
    ),
    Fault.SCAN_CHANGED: _l(
        "The scan was changed: it can't be decrypted or doesn't match its digest."
    ),
}


PLACES: dict[Table, object] = {
    Table.CHAIN: _l("Chain of %(chain)s, after event %(event)s"),
    Table.EVENT: _l("Chain of %(chain)s, event %(event)s"),
    Table.DETAILS: _l("Chain of %(chain)s, details of event %(event)s"),
    Table.REVISION: _l("%(chain)s, frozen revision %(row)s"),
    Table.SIGNATURE: _l("%(chain)s, signature of %(row)s"),
    Table.CERTIFICATE: _l("%(chain)s, certificate %(row)s"),
    Table.NOTICE: _l("%(chain)s, notice of %(row)s"),
    Table.RENEWAL: _l("%(chain)s, renewal until %(row)s"),
    Table.PAPER: _l("%(chain)s, scan recorded by %(row)s"),
    Table.SUCCESSION: _l("Chain of %(chain)s, replacement of %(row)s"),
    Table.PAPER_DECISION: _l("%(chain)s, answer of %(row)s to a scan"),
    Table.CHECKLIST: _l("%(chain)s, checklist %(row)s"),
    Table.REQUEST: _l("%(chain)s, request to sign revision %(row)s"),
    Table.UNDERTAKING: _l("%(chain)s, undertaking of %(row)s"),
    Table.COOPERATION: _l("Cooperation %(chain)s"),
    Table.KEY: _l("Key of %(chain)s"),
}

# For rows of the instance as a whole.
OWN_PLACES: dict[Table, object] = {
    Table.EVIDENCE_KEY: _l("The key %(row)s"),
    Table.LEAF: _l("The log, leaf %(row)s"),
    Table.NODE: _l("The log, node %(row)s"),
    Table.CHECKPOINT: _l("The checkpoint of size %(row)s"),
    Table.ACCOUNT: _l("The account of %(row)s"),
    Table.PASSKEY: _l("The passkey %(row)s"),
}


def _chain_words(reference: str, *, of_visit: bool) -> object:
    """Return the name of a chain: whose it is."""
    if of_visit:
        return _l("a visit of %(reference)s", reference=reference)
    return reference or _l("the instance")


def place_words(place: RowLocation) -> object:
    """Return a text saying where a broken row is."""
    chain = _chain_words(place.reference, of_visit=place.of_visit)
    if place.table is Table.CHECKED:
        return _checked_words(place, chain)
    if place.checkpoint is not None:
        return _l(
            "Chain of %(chain)s, event %(event)s, beside the checkpoint of size %(size)s",
            chain=chain,
            event=place.event,
            size=place.checkpoint,
        )
    if place.table in OWN_PLACES:
        return str(OWN_PLACES[place.table]) % {"row": place.row}
    if place.row and not place.reference:  # it belongs to no known chain
        return _l("Row %(row)s of the table %(table)s", row=place.row, table=place.table.value)
    if place.table is Table.CHAIN and place.event is None:
        return _l("Chain of %(chain)s", chain=chain)
    return str(PLACES[place.table]) % {"chain": chain, "event": place.event, "row": place.row}


def _checked_words(place: RowLocation, chain: object) -> object:
    if place.event is None:
        return _l(
            "%(chain)s, row %(row)s of the table %(table)s",
            chain=chain,
            row=place.row,
            table=place.of,
        )
    return _l(
        "%(chain)s, row %(row)s of the table %(table)s, as event %(event)s left it",
        chain=chain,
        row=place.row,
        table=place.of,
        event=place.event,
    )


def erasure_words(erasure: Erasure) -> object:
    """Return a sentence saying what was erased, when and by whom."""
    words = {
        "chain": _chain_words(erasure.reference, of_visit=erasure.of_visit),
        "day": erasure.at.date().isoformat(),
        "who": erasure.by or _l("the application"),
    }
    if erasure.of_key:
        return _l("%(chain)s: key erased on %(day)s by %(who)s.", **words)
    return _l("%(chain)s: details of events erased on %(day)s by %(who)s.", **words)


def finding_words(finding: Finding) -> object:
    """Return a sentence or two saying where the first broken row is and what is wrong."""
    return _l("%(place)s: %(fault)s", place=place_words(finding.place), fault=FAULTS[finding.fault])


COUNTED = {
    "chains": _l("chains"),
    "visit_chains": _l("chains of visits"),
    "events": _l("events"),
    "details": _l("details"),
    "revisions": _l("frozen revisions"),
    "signatures": _l("signatures"),
    "certificates": _l("certificates"),
    "notices": _l("notices"),
    "renewals": _l("renewals"),
    "scans": _l("scans"),
    "decisions": _l("answers to scans"),
    "successions": _l("replacements of bodies"),
    "accounts": _l("accounts"),
    "keys": _l("keys of the evidence"),
    "leaves": _l("leaves of the log"),
    "checkpoints": _l("checkpoints"),
    "anchors": _l("anchors"),
    "rows": _l("rows compared with events"),
}


def count_words(counts: Counts) -> str:
    """Return a text saying how much was checked, without zeros."""
    words_and_counts = ((words, getattr(counts, name)) for name, words in COUNTED.items())
    return with_commas(f"{words} {number}" for words, number in words_and_counts if number) or _(
        "nothing"
    )
