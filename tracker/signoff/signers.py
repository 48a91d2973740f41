"""Who signs for each party, by which rule, in which order, and whose turn it is. Pure."""

import enum
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.decision import YES, Decision, no
from tracker.signoff.models import RequestState

# Who signed for whom: (organisation, person).
Signed = Collection[tuple[UUID, UUID]]


@dataclass(frozen=True, slots=True)
class Named:
    """A person named to sign for a party."""

    user_id: UUID
    # 0: at any time. Else after everybody in the party with a lower number except 0.
    turn: int = 0
    # The person on whose behalf they sign, if not themselves.
    on_behalf_of: str = ""


@dataclass(frozen=True, slots=True)
class PartySigners:
    """The people named to sign for a party, and how many of them have to."""

    organisation_id: UUID
    named: tuple[Named, ...]
    # 0: all of them.
    needed: int = 0
    # After all parties with a lower number.
    turn: int = 0

    @property
    def required(self) -> int:
        """The number of signatures that the party gives."""
        return self.needed or len(self.named)

    @property
    def user_ids(self) -> frozenset[UUID]:
        """The ids of the people named."""
        return frozenset(person.user_id for person in self.named)

    def has_to_sign(self, user_id: UUID) -> bool:
        """Return whether the party can't be complete without this person's signature."""
        return user_id in self.user_ids and self.required == len(self.named)

    def who_signed(self, signed: Signed) -> frozenset[UUID]:
        """Return the people who have signed for the party."""
        return frozenset(user for party, user in signed if party == self.organisation_id)

    def is_done(self, signed: Signed) -> bool:
        """Return whether the party has given all its signatures."""
        return len(self.who_signed(signed)) >= self.required

    def is_turn_of(self, person: Named, signed: Signed) -> bool:
        """Return whether everybody in the party who has to sign before this person has signed."""
        signer_ids = self.who_signed(signed)
        before = {other.user_id for other in self.named if 0 < other.turn < person.turn}
        return before <= signer_ids


class Order(enum.StrEnum):
    """The order in which the parties sign."""

    TOGETHER = "together"
    PARTNERS_FIRST = "partners_first"
    NPM_FIRST = "npm_first"


class Misnaming(enum.StrEnum):
    """Why a list of signatories is invalid."""

    NOBODY = "nobody"
    TWICE = "twice"
    TOO_MANY = "too_many"
    ORDER_NEEDS_ALL = "order_needs_all"


def flaw(parties: Iterable[PartySigners]) -> tuple[Misnaming, UUID] | None:
    """Return what is wrong with a list of signatories, and for which party; None if it is valid.

    A person never signs for two parties (product.md, 5.2).
    """
    seen: set[UUID] = set()
    for party in parties:
        persons = [person.user_id for person in party.named]
        if not persons:
            return Misnaming.NOBODY, party.organisation_id
        if len(set(persons)) < len(persons) or not seen.isdisjoint(persons):
            return Misnaming.TWICE, party.organisation_id
        if not 0 <= party.needed <= len(persons):
            return Misnaming.TOO_MANY, party.organisation_id
        if any(person.turn for person in party.named) and party.required < len(persons):
            return Misnaming.ORDER_NEEDS_ALL, party.organisation_id
        seen.update(persons)
    return None


def is_complete(parties: Iterable[PartySigners], signed: Signed) -> bool:
    """Return whether every signature was given."""
    return all(party.is_done(signed) for party in parties)


def state_after(
    state: RequestState, parties: Iterable[PartySigners], signed: Signed
) -> RequestState:
    """Return the status of a request after a signature: completed with the last one."""
    if state is RequestState.WAITING and is_complete(parties, signed):
        return RequestState.COMPLETED
    return state


def waiting(parties: Iterable[PartySigners], signed: Signed) -> list[UUID]:
    """Return the parties whose signatures are incomplete."""
    return [party.organisation_id for party in parties if not party.is_done(signed)]


def whose_turn(parties: Collection[PartySigners], signed: Signed) -> list[tuple[UUID, UUID]]:
    """Return who can sign now, as (organisation, person)."""
    return [
        (party.organisation_id, person.user_id)
        for party in parties
        for person in party.named
        if can_sign_now(parties, signed, party.organisation_id, person.user_id)
    ]


def can_sign_now(
    parties: Collection[PartySigners], signed: Signed, organisation_id: UUID | None, user_id: UUID
) -> Decision:
    """Decide whether a person may sign for a party now: named, not done yet, and their turn."""
    party = next((party for party in parties if party.organisation_id == organisation_id), None)
    person = (
        next((signatory for signatory in party.named if signatory.user_id == user_id), None)
        if party
        else None
    )
    if party is None or person is None:
        return no(_l("Somebody else is named to sign for your organisation."))
    if user_id in party.who_signed(signed):
        return no(_l("You have already signed this revision."))
    if party.is_done(signed):
        return no(_l("Your organisation has already signed this revision."))
    earlier = [other for other in parties if other.turn < party.turn]
    if not is_complete(earlier, signed):
        return no(_l("It isn't your turn yet: other parties sign first."))
    if not party.is_turn_of(person, signed):
        return no(_l("It isn't your turn yet: others in your organisation sign first."))
    return YES


def is_to_sign(
    parties: Iterable[PartySigners], signed: Signed, organisation_id: UUID | None, user_id: UUID
) -> bool:
    """Return whether a person's signature may still be needed, now or in their turn."""
    return any(
        party.organisation_id == organisation_id
        and user_id in party.user_ids
        and user_id not in party.who_signed(signed)
        and not party.is_done(signed)
        for party in parties
    )


def can_pass_on(
    parties: Collection[PartySigners],
    signed: Signed,
    organisation_id: UUID | None,
    before: UUID,
    after: UUID,
    *,
    former: Collection[UUID] = (),
) -> Decision:
    """Decide whether what one person is to sign can be passed on to somebody else.

    former are people who were named before and passed it on.
    """
    if not is_to_sign(parties, signed, organisation_id, before):
        return no(_l("There's nothing left for this person to sign."))
    if after == before or after in former or any(after in party.user_ids for party in parties):
        return no(_l("This person is already named on this text."))
    return YES


def passed_on(
    parties: Iterable[PartySigners], organisation_id: UUID, before: UUID, after: UUID
) -> tuple[PartySigners, ...]:
    """Return the list with one person replaced by another, at the same turn."""
    return tuple(
        replace(
            party,
            named=tuple(
                replace(person, user_id=after) if person.user_id == before else person
                for person in party.named
            ),
        )
        if party.organisation_id == organisation_id
        else party
        for party in parties
    )


def could_sign_alone(npm: Collection[PartySigners], user_id: UUID) -> bool:
    """Return whether one person's signature could be the NPM side's only one (four eyes)."""
    return sum(party.required for party in npm) == 1 and any(
        user_id in party.user_ids for party in npm
    )


def in_order(
    parties: Iterable[PartySigners], order: Order, is_npm: Mapping[UUID, bool]
) -> tuple[PartySigners, ...]:
    """Return the list with each party's turn set according to an order of the sides."""
    late = {Order.PARTNERS_FIRST: True, Order.NPM_FIRST: False}.get(order)
    return tuple(
        replace(party, turn=int(late is not None and is_npm[party.organisation_id] is late))
        for party in parties
    )
