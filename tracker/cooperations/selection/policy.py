"""Who reads and records how partners were chosen, and what a record lacks. Pure.

Source: domain.md, sections 2.6 (M1) and 4.1 (P0).
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.access.decision import YES, Decision, no
from tracker.cooperations.policy import ENDED, CooperationFact
from tracker.cooperations.selection.models import SelectionWay

# If others could have been chosen, the day of the decision is part of the answer (M1).
_DECIDED = frozenset({SelectionWay.PUBLIC_CALL, SelectionWay.APPLICATION})


@dataclass(frozen=True, slots=True)
class Selection:
    """How one partner was chosen."""

    way: SelectionWay
    opened_on: dt.date | None = None
    decided_on: dt.date | None = None
    criteria: str = ""
    decided_by: str = ""
    # A party or an outside body of the cooperation.
    deciding_id: UUID | None = None


def readable(actor: Actor, cooperation: CooperationFact) -> tuple[UUID, ...]:
    """Return the partners for which a person may read how they were chosen, in order.

    People acting for an NPM of the cooperation see it for all CSOs, a CSO's people only for their
    own; auditors and administrators see none. The caller knows that the person may see the
    cooperation.
    """
    if not actor.takes_part:
        return ()
    is_npm = cooperation.is_of_npm(actor.organisation_id)
    return tuple(
        party.organisation_id
        for party in cooperation.parties
        if party.side is OrganisationKind.CSO
        and (is_npm or party.organisation_id == actor.organisation_id)
    )


def can_record(actor: Actor, cooperation: CooperationFact, *, is_asked_to_sign: bool) -> Decision:
    """Decide who may record how a partner was chosen: a coordinator of the NPM.

    is_asked_to_sign says that the terms wait for the partner's signature, or are fully signed. What
    they say about it can then change only by an amendment.
    """
    if cooperation.stage in ENDED:
        return no(_l("This cooperation is closed. Its record stays as it is."))
    if not cooperation.is_of_npm(actor.organisation_id):
        return no(_l("The NPM records how partners were chosen."))
    if not actor.has(Role.COORDINATOR):
        return no(_l("A coordinator of the NPM records how partners were chosen."))
    if is_asked_to_sign:
        return no(
            _l(
                "The terms were sent to this partner for signature. From then on, how it was "
                "chosen is changed in “Parties and mandates”, by an amendment."
            )
        )
    return YES


def problems(selection: Selection, today: dt.date) -> Iterator[tuple[str, object]]:
    """Yield each invalid field of a record, with the message shown beside it."""
    opened_on, decided_on = selection.opened_on, selection.decided_on
    if opened_on is not None and opened_on > today:
        yield "opened_on", _l("Enter today or an earlier day.")
    if decided_on is None and selection.way in _DECIDED:
        yield "decided_on", _l("Enter the date of the decision.")
    elif decided_on is not None and decided_on > today:
        yield "decided_on", _l("Record it once it is decided: enter today or an earlier day.")
    elif decided_on is not None and opened_on is not None and decided_on < opened_on:
        yield "decided_on", _l("The decision can't come before the call or first contact.")
    if not selection.criteria:
        is_law = selection.way is SelectionWay.LAW
        yield "criteria", _l("Name the law.") if is_law else _l("Write down the criteria.")
    if selection.deciding_id is None and selection.way is not SelectionWay.LAW:
        yield "deciding_id", _l("Choose one from the list")
    if not selection.decided_by and selection.way is not SelectionWay.LAW:
        yield "decided_by", _l("Say who decided.")
