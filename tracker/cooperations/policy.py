"""Who may open a cooperation, change its head, and add parties and people. Pure."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.access.decision import YES, Decision, no
from tracker.cooperations.agreed_ways import TermsState, added
from tracker.cooperations.models import Mode, Stage

# A cooperation that has ended is history: nothing in it changes.
ENDED = frozenset({Stage.CLOSED})
# While its terms are suspended, nobody can be added either.
AT_REST = frozenset({Stage.SUSPENDED, Stage.CLOSED})


@dataclass(frozen=True, slots=True)
class PartyFact:
    """An organisation that is a party today."""

    organisation_id: UUID
    side: OrganisationKind
    # Whether it has given notice that it leaves.
    is_leaving: bool = False
    # Whether it was invited while terms were in force, and has not signed them (adr 70).
    is_joining: bool = False

    @property
    def is_of_npm(self) -> bool:
        """Whether it decides with the NPM: a body of the NPM that isn't joining (adr 78)."""
        return self.side is OrganisationKind.NPM and not self.is_joining


@dataclass(frozen=True, slots=True)
class CooperationFact:
    """A cooperation's plain values for the rules."""

    stage: Stage
    parties: tuple[PartyFact, ...]
    terms_in_force: bool = False

    def has_party(self, organisation_id: UUID | None) -> bool:
        """Return whether an organisation is a party, or is joining."""
        return any(party.organisation_id == organisation_id for party in self.parties)

    def is_of_npm(self, organisation_id: UUID | None) -> bool:
        """Return whether an organisation is a body of the NPM that decides here."""
        return any(
            party.is_of_npm for party in self.parties if party.organisation_id == organisation_id
        )

    def is_joining(self, organisation_id: UUID | None) -> bool:
        """Return whether an organisation has yet to sign the terms in force."""
        return any(
            party.is_joining for party in self.parties if party.organisation_id == organisation_id
        )


# The message to somebody who acts for no party of a cooperation or of one of its checklists.
NO_PARTY = _l(
    "Only people acting for one of the parties can do this. The top of the page says who you're "
    "acting for."
)
# The message to a party that is joining, where only parties act.
NOT_JOINED = _l("Your organisation hasn't joined yet. First it signs the terms in force.")


def can_open(actor: Actor) -> Decision:
    """Decide who may open a cooperation: coordinators of an NPM."""
    if not actor.acts_for_npm:
        return no(_l("Only an NPM can open a cooperation. Talk to your contact at the NPM."))
    if not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of the NPM can open a cooperation."))
    return YES


def gives_access(stage: Stage, *, has_run_out: bool, is_stopped: bool) -> Decision:
    """Decide whether the terms let anybody have access now (domain.md, P6 and P7).

    Not while the agreed terms are suspended, once they have ended, or after their last day
    (has_run_out); nor from the day of a notice on (is_stopped), also before the worker applies it.
    """
    if stage in ENDED:
        return no(_l("This cooperation is closed, so nobody gets access any more."))
    if stage in AT_REST:
        return no(
            _l("The agreed terms are suspended. Nobody gets access until the suspension is lifted.")
        )
    if has_run_out:
        return no(
            _l(
                "The last day of the agreed terms has passed. Nobody gets access until they are "
                "renewed."
            )
        )
    if is_stopped:
        return no(_l("A notice has suspended or ended the terms, so nobody gets access."))
    return YES


def can_change(actor: Actor, cooperation: CooperationFact) -> Decision:
    """Decide who may change title, purpose, dates, modes and parties: a coordinator of its NPM."""
    if cooperation.stage in ENDED:
        return no(_l("This cooperation is closed. Its record stays as it is."))
    if not cooperation.is_of_npm(actor.organisation_id):
        return no(_l("Only the cooperation's NPM can change its title, purpose and dates."))
    if not actor.has(Role.COORDINATOR):
        return no(
            _l(
                "Only a coordinator of the cooperation's NPM can change its title, purpose and "
                "dates."
            )
        )
    return YES


def can_change_verification(actor: Actor, cooperation: CooperationFact) -> Decision:
    """Decide who may change what the public check shows, even for a closed cooperation."""
    if not cooperation.is_of_npm(actor.organisation_id):
        return no(_l("Only the cooperation's NPM can decide what the public check shows."))
    if not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of the NPM can decide what the public check shows."))
    return YES


def can_add_body(actor: Actor, cooperation: CooperationFact) -> Decision:
    """Decide who may add an outside body: whoever writes for a party, since answers name it."""
    if cooperation.stage in ENDED:
        return no(_l("This cooperation is closed. Its record stays as it is."))
    if not cooperation.has_party(actor.organisation_id):
        return no(_l("Only the parties of a cooperation can list its outside bodies."))
    if cooperation.is_joining(actor.organisation_id):
        return no(NOT_JOINED)
    if not actor.has(Role.COORDINATOR, Role.MEMBER):
        return no(_l("Only a coordinator or member of a party can add outside bodies."))
    return YES


def can_remove_body(actor: Actor, cooperation: CooperationFact) -> Decision:
    """Decide who may remove an outside body, which others may have named: as for the head."""
    return can_change(actor, cooperation)


def can_change_dates(
    actor: Actor, cooperation: CooperationFact, *, terms_are_sent: bool
) -> Decision:
    """Decide who may change the dates: nobody once the terms are in force, since M19 sets them.

    Nor while they wait for signatures: whoever signs reads the dates in M19.
    """
    decision = can_change(actor, cooperation)
    if decision and cooperation.terms_in_force:
        return no(_l("The dates were agreed in the terms. To change them, amend the terms."))
    if decision and terms_are_sent:
        return no(
            _l(
                "The terms have been sent for signature with these dates. To change the dates, "
                "call the text back first."
            )
        )
    return decision


def can_set_modes(
    actor: Actor,
    cooperation: CooperationFact,
    chosen: Iterable[Mode],
    current: Iterable[Mode],
    terms: TermsState,
) -> Decision:
    """Decide who may set the ways of working: as for the head, but what all signed isn't widened.

    While terms are sent or in force, a way of working is added by an amendment alone. One can
    always be dropped, and chosen again if it is in the terms in force.
    """
    decision = can_change(actor, cooperation)
    if not decision or terms.can_take_more or not added(chosen, current, terms.agreed):
        return decision
    if terms.is_sent:
        return no(
            _l(
                "The terms have been sent for signature with these ways of working. To add one, "
                "call the text back first."
            )
        )
    return no(
        _l(
            "All parties signed the ways of working named in the terms. To add one, ask for an "
            "amendment of the terms first, then choose it here. It counts once all parties have "
            "signed."
        )
    )


def can_change_people(
    actor: Actor, cooperation: CooperationFact, organisation_id: UUID
) -> Decision:
    """Decide who may add or remove people of a party: its own coordinators."""
    if cooperation.stage in ENDED:
        return no(_l("This cooperation is closed. Its record stays as it is."))
    if not cooperation.has_party(organisation_id):
        return no(_l("The organisation isn't a party of this cooperation."))
    if actor.organisation_id != organisation_id:
        return no(_l("Each party can only add its own people."))
    if not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of their organisation can add people."))
    return YES


def can_join(
    cooperation: CooperationFact, organisation_id: UUID, kind: OrganisationKind
) -> Decision:
    """Decide whether an organisation can become a party."""
    decision = can_be_invited(cooperation, organisation_id, kind)
    if decision and cooperation.terms_in_force:
        return no(_l("The parties have signed the terms, so a newcomer joins by an amendment."))
    return decision


def can_add_party(actor: Actor, cooperation: CooperationFact) -> Decision:
    """Decide who may add a party, and remove it while it is joining: a coordinator of the NPM."""
    if cooperation.stage in ENDED:
        return no(_l("This cooperation is closed. Its record stays as it is."))
    if not cooperation.is_of_npm(actor.organisation_id):
        return no(_l("Only the cooperation's NPM can add a party."))
    if not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of the cooperation's NPM can add a party."))
    if cooperation.stage in AT_REST:
        return no(_l("The agreed terms are suspended. Add a party once the suspension is lifted."))
    return YES


def can_be_invited(
    cooperation: CooperationFact, organisation_id: UUID, kind: OrganisationKind
) -> Decision:
    """Decide whether an NPM body or a CSO can join while terms are in force: if it's no party."""
    if kind is OrganisationKind.OTHER:
        return no(_l("Only an NPM or a civil society organisation can be a party."))
    if cooperation.has_party(organisation_id):
        return no(_l("The organisation is already a party."))
    return YES


def can_take_joining_back(
    actor: Actor, cooperation: CooperationFact, organisation_id: UUID
) -> Decision:
    """Decide who may withdraw an invitation: as for adding a party, until it has joined."""
    if cooperation.stage in ENDED:
        return no(_l("This cooperation is closed. Its record stays as it is."))
    if not cooperation.is_of_npm(actor.organisation_id):
        return no(_l("Only the cooperation's NPM can revoke an invitation."))
    if not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of the cooperation's NPM can revoke an invitation."))
    if not cooperation.is_joining(organisation_id):
        return no(_l("This organisation isn't joining. A party that has joined leaves by itself."))
    return YES


def can_leave(actor: Actor, cooperation: CooperationFact) -> Decision:
    """Decide who may give notice that their party leaves while the others continue (5.8).

    A signatory of the party; whether their power to sign is current is checked separately. An NPM
    body and a CSO have to remain: parties that are leaving or joining don't count.
    """
    if cooperation.stage in ENDED:
        return no(_l("This cooperation is closed. Its record stays as it is."))
    if not cooperation.has_party(actor.organisation_id):
        return no(_l("Your organisation isn't a party of this cooperation."))
    if cooperation.is_joining(actor.organisation_id):
        return no(
            _l(
                "Your organisation hasn't joined yet, so it has nothing to leave."
                " Decline to sign, or ask the NPM to revoke the invitation."
            )
        )
    if not actor.has(Role.SIGNATORY):
        return no(_l("Only a signatory can give notice that their party is leaving."))
    own = actor.organisation_id
    if any(party.is_leaving for party in cooperation.parties if party.organisation_id == own):
        return no(_l("Your organisation has already given this notice."))
    staying = {
        party.side
        for party in cooperation.parties
        if party.organisation_id != own and not party.is_leaving and not party.is_joining
    }
    if not {OrganisationKind.NPM, OrganisationKind.CSO} <= staying:
        return no(
            _l(
                "A cooperation needs an NPM and a civil society organisation. Without yours, end "
                "the agreement instead."
            )
        )
    return YES


def can_stay(actor: Actor, cooperation: CooperationFact) -> Decision:
    """Decide who may withdraw such a notice before its day: a signatory of the same party.

    Not once the cooperation has ended: then nobody continues it.
    """
    if cooperation.stage in ENDED:
        return no(_l("This cooperation is closed. Its record stays as it is."))
    if not cooperation.has_party(actor.organisation_id) or not actor.has(Role.SIGNATORY):
        return no(_l("Only a signatory of the party that is leaving can withdraw the notice."))
    own = actor.organisation_id
    if not any(party.is_leaving for party in cooperation.parties if party.organisation_id == own):
        return no(_l("Your organisation hasn't given this notice."))
    return YES


def dates_problem(
    starts_on: dt.date | None, review_on: dt.date | None, ends_on: dt.date | None
) -> tuple[str, object] | None:
    """Return field and message if the dates are out of order (M19), else None.

    The review comes after the start and not after the end.
    """
    if starts_on and ends_on and ends_on <= starts_on:
        return "ends_on", _l("The end must come after the start.")
    if starts_on and review_on and review_on <= starts_on:
        return "review_on", _l("The review must come after the start.")
    if ends_on and review_on and review_on > ends_on:
        return "review_on", _l("The review can't come after the end.")
    return None


def is_review_agreed(reviewed_for: dt.date | None, signed: dt.date | None) -> bool:
    """Return whether the last review's record names the day of the next one, not the terms (G5).

    It does until another review is held or all sign another day in M19, however often the terms
    renew themselves or other items are amended. reviewed_for is the day in the text that was in
    force at that review, None if no record has named a day since another was signed; signed is the
    one in the text in force now.
    """
    return reviewed_for is not None and signed in {None, reviewed_for}


def fit_together(own_id: UUID, parties: Iterable[PartyFact]) -> Decision:
    """Decide whether organisations can be the parties of a new cooperation with the actor's."""
    chosen = list(parties)
    if any(party.side is OrganisationKind.OTHER for party in chosen):
        return no(_l("Only an NPM or a civil society organisation can be a party."))
    if any(party.organisation_id == own_id for party in chosen):
        return no(_l("Your own organisation takes part anyway. Choose the partners."))
    if not any(party.side is OrganisationKind.CSO for party in chosen):
        return no(_l("Choose at least one civil society organisation."))
    return YES
