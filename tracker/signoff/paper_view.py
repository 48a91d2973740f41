"""A recorded scan as pages show it, whatever text it is of."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.signoff import paper
from tracker.signoff.paper_models import PaperDecisionKind, PaperKind, PaperRecord, PaperState
from tracker.ui.locale import as_date, with_commas

NOT_CONFIRMED = (PaperDecisionKind.REFUSED, PaperDecisionKind.WITHDRAWN)
# The state of a scan in words, with its mark.
STATES: dict[PaperState, tuple[object, str]] = {
    PaperState.WAITING: (_l("Waiting to be confirmed"), "other"),
    PaperState.CONFIRMED: (_l("Confirmed"), "held"),
    PaperState.REFUSED: (_l("Refused"), "stop"),
    PaperState.WITHDRAWN: (_l("Withdrawn"), "off"),
    PaperState.OVERTAKEN: (_l("No longer needed"), "off"),
}


@dataclass(frozen=True, slots=True)
class PaperView:
    """A scan as pages show it."""

    id: UUID
    organisation: str
    signers: tuple[str, ...]
    signed_on: object
    state: object
    s: str
    # Who confirmed it, and why it was refused or withdrawn.
    confirmed_by: tuple[str, ...]
    reason: str
    record: PaperRecord


def view(record: PaperRecord, state: PaperState, key: bytes | None) -> PaperView:
    """Return a scan as pages show it; key as for paper.decide()."""
    words, s = STATES[state]
    no = next((decision for decision in record.decisions if decision.kind in NOT_CONFIRMED), None)
    return PaperView(
        id=record.id,
        organisation=record.organisation_name,
        signers=tuple(signers(record)),
        signed_on=as_date(record.signed_on),
        state=words,
        s=s,
        confirmed_by=tuple(
            with_commas((decision.user_name, decision.organisation_name))
            for decision in record.decisions
            if decision.kind is PaperDecisionKind.CONFIRMED
        ),
        reason=paper.reason_of(no, key) if no else "",
        record=record,
    )


def signers(record: PaperRecord) -> Iterable[str]:
    """Yield who signed, each with the office, and of a prior agreement with the organisation."""
    for signer in record.signers:
        named = with_commas(words for words in (signer["name"], signer["office"]) if words)
        if record.kind is PaperKind.FORMER:
            yield _(
                "%(signer)s, for %(organisation)s",
                signer=named,
                organisation=signer["organisation"],
            )
        else:
            yield named
