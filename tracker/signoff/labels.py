"""Labels for signatures and requests, invalid signatories, and proofs that fail."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from tracker.access.actor import Confirmation
from tracker.signoff.assertion import Flaw
from tracker.signoff.models import Method, RequestState, Signature, SignatureKind, SignatureRequest
from tracker.signoff.outcomes import Validity
from tracker.signoff.signers import Misnaming, Order
from tracker.ui.locale import Length, as_date, as_datetime, with_commas

METHODS = {
    Method.PASSWORD_TOTP: _l("Password with code from an app"),
    Method.PASSKEY: _l("Passkey"),
    Method.PASSWORD_MAILED_CODE: _l("Password with code by email"),
    Method.PAPER: _l("On paper"),
    Method.IN_PRESENCE: _l("In the presence of a person of the NPM, on that person's device"),
    Method.DEMONSTRATION: _l("Demonstration, without proof of identity"),
}

REQUEST_STATES = {
    RequestState.WAITING: _l("Waiting for signatures"),
    RequestState.COMPLETED: _l("Signed by all"),
    RequestState.DECLINED: _l("Declined"),
    RequestState.WITHDRAWN: _l("Called back"),
    RequestState.EXPIRED: _l("Ran out before everyone had signed"),
}

# Why nothing was done with a text that somebody had opened while it could be signed.
_NO_LONGER_WAITING = _l("This text is no longer waiting for signatures, so nothing was done.")
_TOO_LATE = {
    RequestState.COMPLETED: _l("Everyone had signed this text already, so nothing was done."),
    RequestState.DECLINED: _l(
        "Somebody declined to sign this text after you opened it, so nothing was done. If it's "
        "sent again, the people who sign find it in “My work”."
    ),
    RequestState.WITHDRAWN: _l(
        "This text was called back after you opened it, so nothing was done. If it's sent again, "
        "the people who sign find it in “My work”."
    ),
    RequestState.EXPIRED: _l(
        "The time to sign this text ran out, so nothing was done. If it's sent again, the people "
        "who sign find it in “My work”."
    ),
}

# The row does not agree with the signatures and events about its text.
DISAGREES = (_l("Doesn't match its signatures"), "stop")
DIFFERS = _l(
    "What the database says differs from the signatures and the history. "
    "Don't rely on it until somebody has found out why."
)

MISNAMINGS = {
    Misnaming.NOBODY: _l("Choose who signs for each party."),
    Misnaming.TWICE: _l("A person can only sign for one party. Name different people."),
    Misnaming.TOO_MANY: _l("You're asking for more signatures than there are people named."),
    Misnaming.ORDER_NEEDS_ALL: _l("If people sign one after the other, all of them have to sign."),
}

ORDERS = {
    Order.TOGETHER: _l("All at the same time"),
    Order.PARTNERS_FIRST: _l("The partners first, then the NPM"),
    Order.NPM_FIRST: _l("The NPM first, then the partners"),
}

FLAWS = {
    Flaw.INCOMPLETE: _l("The passkey's answer is incomplete or can't be read."),
    Flaw.OTHER_TEXT: _l("The passkey confirmed another text or another sentence."),
    Flaw.OTHER_ACT: _l("The passkey was used for something other than signing."),
    Flaw.OTHER_PLACE: _l("The passkey was used at another place."),
    Flaw.NOT_VERIFIED: _l("The passkey's device didn't verify who was using it."),
    Flaw.NOT_SIGNED: _l("The passkey's key didn't sign this."),
}


@dataclass(frozen=True, slots=True)
class SignedWhen:
    """When somebody signed, and when that counted here."""

    # A time for what was signed here; a date without one for what was signed on paper; None if the
    # row was changed to have none.
    on: dt.datetime | dt.date | None
    # When it was signed here, or when the scan of the paper was confirmed.
    at: dt.datetime
    is_on_paper: bool = False
    # Whether it is a prior agreement, for which every other party had to confirm the scan.
    is_prior_agreement: bool = False


def too_late_words(signature_request: SignatureRequest | None) -> object:
    """Return why nothing was done with a text that is no longer waiting for signatures."""
    if signature_request is None:
        return _NO_LONGER_WAITING
    return _TOO_LATE.get(signature_request.state, _NO_LONGER_WAITING)


def when_signed(signed_at: dt.datetime, paper: Mapping[str, Any] | None) -> SignedWhen:
    """Return when somebody signed, from what their signature says (Signature.paper)."""
    if paper is None:
        return SignedWhen(signed_at, signed_at)
    details = _texts(paper)
    return SignedWhen(
        _day(details["signed_on"]),
        signed_at,
        is_on_paper=True,
        is_prior_agreement=details["made"] == "before",
    )


def signed_words(when: SignedWhen, length: Length = "long") -> str:
    """Return in words when somebody signed: a date without a time if it was on paper."""
    if when.is_on_paper:
        return str(_("Signed on paper on %(day)s", day=as_date(when.on, length)))
    return as_datetime(when.at, length)


def scan_words(when: SignedWhen, length: Length = "long", *, with_time: bool = True) -> str:
    """Return when the scan of a paper was confirmed; empty if it wasn't signed on paper."""
    if not when.is_on_paper:
        return ""
    moment = as_datetime(when.at, length) if with_time else as_date(when.at, length)
    if when.is_prior_agreement:
        return str(_("All other parties had confirmed the scan by %(when)s", when=moment))
    return str(_("Scan confirmed on %(when)s", when=moment))


def how_signed(signature: Signature) -> object:
    """Return in words how somebody signed; without an account, also who vouches for it."""
    if signature.presence is not None:
        presence = _texts(signature.presence)
        return _(
            "On the device of %(host)s, %(host_for)s, who was present (%(method)s). "
            "How they knew who signed: %(known_by)s",
            host=presence["host_name"],
            host_for=presence["host_for"],
            method=method_words(presence["method"]),
            known_by=presence["known_by"],
        )
    if signature.paper is None:
        return METHODS[signature.method]
    paper = _texts(signature.paper)
    words = {
        "recorder": paper["recorded_by_name"],
        "recorded_for": paper["recorded_for"],
        "confirmer": paper["confirmed_by_name"],
        "confirmed_for": paper["confirmed_for"],
    }
    if paper["made"] == "before":
        return _(
            "Made before this tool was in use, not signed electronically. Recorded by "
            "%(recorder)s, %(recorded_for)s, confirmed by %(confirmer)s, %(confirmed_for)s",
            **words,
        )
    return _(
        "Scan recorded by %(recorder)s, %(recorded_for)s, confirmed by %(confirmer)s, "
        "%(confirmed_for)s",
        **words,
    )


def _texts(about: object) -> Mapping[str, str]:
    """Return the detailed texts of a signature; empty for what is missing or malformed.

    Somebody with the database's password can write anything there. The audit reports it, and so
    does the page; it must not fail.
    """
    values = about if isinstance(about, Mapping) else {}
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    return defaultdict(str, texts)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def validity_words(state: Validity, first: dt.date | None) -> tuple[object, str]:
    """Return the status of a text that all have signed, with the day it begins, and its mark."""
    match state:
        case Validity.BEGINS_LATER:
            return _("Signed by all, begins on %(day)s", day=as_date(first)), "held"
        case Validity.RUN_OUT:
            return _("Ended"), "off"
    return _("In force"), "held"


def method_words(value: str) -> object:
    """Return the label of a stored method; an unknown one is its own label."""
    return next((words for method, words in METHODS.items() if method == value), value)


def power_words(power: str, first: dt.date | None, last: dt.date | None) -> str:
    """Return the power somebody signs by, with the days on which it begins and ends."""
    if first and last:
        days = _("from %(first)s until %(last)s", first=as_date(first), last=as_date(last))
    elif last:
        days = _("until %(last)s", last=as_date(last))
    elif first:
        days = _("from %(first)s", first=as_date(first))
    else:
        return power
    return str(_("%(power)s (%(days)s)", power=power, days=days))


def confirmed_words(confirmed: Mapping[str, str] | None) -> str:
    """Return who confirmed a power, as a signature records it; nothing if it doesn't."""
    if confirmed is None:
        return ""
    how, by = confirmed["how"], confirmed["by"]
    on = as_date(dt.date.fromisoformat(confirmed["on"])) if confirmed["on"] else ""
    if how == Confirmation.COLLEAGUE:
        return str(_("Confirmed by %(name)s of the same organisation, %(day)s", name=by, day=on))
    if how != Confirmation.ADMINISTRATOR:
        return str(_("Recorded before such powers had to be confirmed by another person"))
    if not by:
        return str(
            _(
                "Confirmed by an administrator on the command line, %(day)s: there was no other "
                "signatory or manager. Accepted with a proof of identity",
                day=on,
            )
        )
    return str(
        _(
            "Confirmed by the administrator %(name)s, %(day)s: there was no other signatory or "
            "manager. Accepted with a proof of identity",
            name=by,
            day=on,
        )
    )


def rule_words(party: str, needed: int, named: int, *, one_by_one: bool) -> str:
    """Return a sentence with the rule by which a party with several signatories signs."""
    if needed < named:
        any_of: str = ngettext(
            "%(party)s: any one of %(count)s.",
            "%(party)s: any %(num)s of %(count)s.",
            needed,
            party=party,
            count=named,
        )
        return any_of
    if one_by_one:
        return str(_("%(party)s: all, one after the other.", party=party))
    return str(_("%(party)s: all of them, in any order.", party=party))


def passed_on_words(before: str, after: str, reason: str) -> str:
    """Return a sentence about a signature that was passed on: from whom to whom, and why."""
    return str(
        _(
            "%(after)s was asked in place of %(before)s: %(reason)s",
            after=after,
            before=before,
            reason=reason,
        )
    )


def capacity_words(signature: Signature) -> str:
    """Return in what capacity somebody signed: the office, for whom and in whose place.

    Without an office, whoever signs for an organisation is its signatory; whoever countersigns may
    be its manager, so nothing is said there.
    """
    return with_commas([_capacity(signature), *_beside(signature)])


def _capacity(signature: Signature) -> str:
    words = {"office": signature.office, "organisation": signature.organisation_name}
    if signature.organisation_id is None:
        return str(_("in their own name"))
    if signature.kind is not SignatureKind.COUNTERSIGNATURE:
        return office_words(**words)
    if not signature.office:
        return str(_("countersigned for %(organisation)s", **words))
    return str(_("%(office)s, countersigned for %(organisation)s", **words))


def office_words(office: str, organisation: str) -> str:
    """Return in which office somebody signs for an organisation."""
    return str(
        _(
            "%(office)s, for %(organisation)s",
            office=office or _("Signatory"),
            organisation=organisation,
        )
    )


def _beside(signature: Signature) -> list[str]:
    """Return on whose behalf and in whose place somebody signed, if anybody's."""
    words = []
    if signature.on_behalf_of:
        words.append(_("on behalf of %(person)s", person=signature.on_behalf_of))
    if signature.in_place_of:
        words.append(_("in place of %(person)s", person=signature.in_place_of))
    return words
