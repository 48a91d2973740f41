"""Who signs for each party, by which rule and in which order, as tables of cases."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.access.decision import Decision
from tracker.signoff import signers
from tracker.signoff.models import RequestState
from tracker.signoff.signers import Misnaming, Named, Order, PartySigners

NPM, DOOR, LANTERN = (UUID(int=n) for n in range(1, 4))
A, B, C, D, E = (UUID(int=n) for n in range(11, 16))
Pair = tuple[UUID, UUID]


def party(body: UUID, *persons: UUID, needed: int = 0, turn: int = 0) -> PartySigners:
    return PartySigners(body, tuple(map(Named, persons)), needed, turn)


def one_after_the_other(body: UUID, *persons: UUID) -> PartySigners:
    return PartySigners(body, tuple(Named(person, n) for n, person in enumerate(persons, 1)))


def says(decision: Decision, words: str) -> None:
    assert bool(decision) is not bool(words)
    assert words in str(decision.reason)


# The list


@pytest.mark.parametrize(
    ("parties", "expected"),
    [
        ((party(NPM, A), party(DOOR, B)), None),
        ((party(NPM, A, B, C), party(DOOR, D)), None),
        ((party(NPM, A, B, C, needed=2),), None),
        ((party(NPM, A, B, needed=2),), None),
        ((one_after_the_other(NPM, A, B), party(DOOR, C)), None),
        ((party(NPM, A), party(DOOR)), (Misnaming.NOBODY, DOOR)),
        ((party(NPM, A), party(DOOR, A)), (Misnaming.TWICE, DOOR)),
        ((party(NPM, A, B), party(DOOR, C, B)), (Misnaming.TWICE, DOOR)),
        ((party(NPM, A, A),), (Misnaming.TWICE, NPM)),
        ((party(NPM, A, B, needed=3),), (Misnaming.TOO_MANY, NPM)),
        ((party(NPM, A, B, needed=-1),), (Misnaming.TOO_MANY, NPM)),
        ((replace(one_after_the_other(NPM, A, B), needed=1),), (Misnaming.ORDER_NEEDS_ALL, NPM)),
        ((replace(one_after_the_other(NPM, A, B), needed=2),), None),
    ],
)
def test_a_list_of_signatories_is_valid_or_not(
    parties: tuple[PartySigners, ...], expected: tuple[Misnaming, UUID] | None
) -> None:
    """product.md, 5.2: a person never signs for two parties."""
    assert signers.flaw(parties) == expected


# One, all of, any n of


@pytest.mark.parametrize(
    ("needed", "signed_by", "done"),
    [
        (0, (), False),
        (0, (A, B), False),
        (0, (A, B, C), True),
        (1, (), False),
        (1, (C,), True),
        (2, (A,), False),
        (2, (A, C), True),
        (3, (A, B), False),
    ],
)
def test_a_party_is_done_by_its_rule(needed: int, signed_by: tuple[UUID, ...], done: bool) -> None:
    own = party(NPM, A, B, C, needed=needed)
    signed = {(NPM, user_id) for user_id in signed_by}
    assert own.is_done(signed) is done
    assert signers.is_complete([own], signed) is done
    assert signers.waiting([own], signed) == ([] if done else [NPM])


def test_a_signature_for_another_party_does_not_count() -> None:
    assert not party(NPM, A).is_done({(DOOR, A)})


def test_only_the_last_signature_completes() -> None:
    parties = (party(NPM, A, B, needed=1), party(DOOR, C))
    state = RequestState.WAITING
    assert signers.state_after(state, parties, {(NPM, B)}) is state
    both = {(NPM, B), (DOOR, C)}
    assert signers.state_after(state, parties, both) is RequestState.COMPLETED


@pytest.mark.parametrize(
    "state", [state for state in RequestState if state is not RequestState.WAITING]
)
def test_a_signature_does_not_complete_a_request_that_has_ended(state: RequestState) -> None:
    assert signers.state_after(state, (party(NPM, A),), {(NPM, A)}) is state


# Whose turn it is


ENOUGH = "Your organisation has already signed this revision."
NOT_YET = "It isn't your turn yet: others in your organisation sign first."
OTHERS = "It isn't your turn yet: other parties sign first."


@pytest.mark.parametrize(
    ("parties", "signed", "whose", "words"),
    [
        ((party(NPM, A, B, needed=1),), (), (NPM, A), ""),
        ((party(NPM, A, B, needed=1),), ((NPM, B),), (NPM, A), ENOUGH),
        ((party(NPM, A, B),), ((NPM, B),), (NPM, A), ""),
        ((party(NPM, A, B),), ((NPM, A),), (NPM, A), "You have already signed this revision."),
        ((party(NPM, A, B),), (), (NPM, C), "Somebody else is named"),
        ((party(NPM, A), party(DOOR, B)), (), (DOOR, A), "Somebody else is named"),
        ((party(NPM, A),), (), (None, A), "Somebody else is named"),
        ((one_after_the_other(NPM, A, B, C),), (), (NPM, A), ""),
        ((one_after_the_other(NPM, A, B, C),), (), (NPM, B), NOT_YET),
        ((one_after_the_other(NPM, A, B, C),), ((NPM, A),), (NPM, B), ""),
        ((one_after_the_other(NPM, A, B, C),), ((NPM, A),), (NPM, C), NOT_YET),
        ((one_after_the_other(NPM, A, B, C),), ((NPM, B),), (NPM, C), NOT_YET),
        ((party(NPM, A, turn=1), party(DOOR, B)), (), (NPM, A), OTHERS),
        ((party(NPM, A, turn=1), party(DOOR, B)), (), (DOOR, B), ""),
        ((party(NPM, A, turn=1), party(DOOR, B)), ((DOOR, B),), (NPM, A), ""),
        (
            (party(NPM, A, turn=1), party(DOOR, B), party(LANTERN, C)),
            ((DOOR, B),),
            (NPM, A),
            OTHERS,
        ),
    ],
)
def test_whose_turn_it_is(
    parties: tuple[PartySigners, ...],
    signed: tuple[Pair, ...],
    whose: tuple[UUID | None, UUID],
    words: str,
) -> None:
    """An order can't be skipped (product.md, 5.2)."""
    says(signers.can_sign_now(parties, set(signed), *whose), words)
    assert (whose in signers.whose_turn(parties, set(signed))) is not bool(words)


def test_a_person_without_a_turn_waits_for_nobody_and_nobody_for_them() -> None:
    own = PartySigners(NPM, (Named(A, 1), Named(B, 2), Named(C)))
    assert signers.whose_turn((own,), set()) == [(NPM, A), (NPM, C)]
    assert signers.whose_turn((own,), {(NPM, A)}) == [(NPM, B), (NPM, C)]


def test_two_at_the_same_turn_sign_in_any_order_and_the_third_after_both() -> None:
    own = PartySigners(NPM, (Named(A, 1), Named(B, 1), Named(C, 2)))
    assert signers.whose_turn((own,), set()) == [(NPM, A), (NPM, B)]
    assert signers.whose_turn((own,), {(NPM, B)}) == [(NPM, A)]
    assert signers.whose_turn((own,), {(NPM, B), (NPM, A)}) == [(NPM, C)]


@st.composite
def lists(draw: st.DrawFn) -> tuple[PartySigners, ...]:
    """Any valid list of signatories."""
    people = iter([UUID(int=n) for n in range(100, 120)])
    parties = []
    for body in (NPM, DOOR, LANTERN)[: draw(st.integers(1, 3))]:
        count = draw(st.integers(1, 4))
        ordered = draw(st.booleans())
        named = tuple(
            Named(next(people), draw(st.integers(0, 3)) if ordered else 0) for _ in range(count)
        )
        needed = 0 if ordered else draw(st.integers(0, count))
        parties.append(PartySigners(body, named, needed, draw(st.integers(0, 2))))
    return tuple(parties)


@given(parties=lists(), data=st.data())
def test_a_list_never_gets_stuck(parties: tuple[PartySigners, ...], data: st.DataObject) -> None:
    """Until all have signed it is always somebody's turn; then it is nobody's (issue 4, 4)."""
    assert signers.flaw(parties) is None
    signed: set[Pair] = set()
    for _ in range(sum(party.required for party in parties)):
        turns = signers.whose_turn(parties, signed)
        assert turns
        assert not signers.is_complete(parties, signed)
        signed.add(data.draw(st.sampled_from(turns)))
    assert signers.is_complete(parties, signed)
    assert signers.whose_turn(parties, signed) == []


@pytest.mark.parametrize(
    ("order", "turns"),
    [
        (Order.TOGETHER, {NPM: 0, DOOR: 0, LANTERN: 0}),
        (Order.PARTNERS_FIRST, {NPM: 1, DOOR: 0, LANTERN: 0}),
        (Order.NPM_FIRST, {NPM: 0, DOOR: 1, LANTERN: 1}),
    ],
)
def test_the_sides_sign_in_the_order_chosen(order: Order, turns: dict[UUID, int]) -> None:
    parties = (party(NPM, A), party(DOOR, B), party(LANTERN, C))
    is_npm = {NPM: True, DOOR: False, LANTERN: False}
    ordered = signers.in_order(parties, order, is_npm)
    assert {signer.organisation_id: signer.turn for signer in ordered} == turns


# Pass on


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (A, D, ""),
        (B, D, "There's nothing left"),  # has signed
        (C, D, "There's nothing left"),  # of another party
        (E, D, "There's nothing left"),
        (A, A, "already named on this text"),
        (A, B, "already named on this text"),
        (A, C, "already named on this text"),  # of another party
        (A, E, "already named on this text"),  # passed it on before
    ],
)
def test_an_open_slot_is_passed_on_to_somebody_new(before: UUID, after: UUID, words: str) -> None:
    """product.md, 5.5 and 5.2."""
    parties = (party(NPM, A, B), party(DOOR, C))
    says(
        signers.can_pass_on(parties, {(NPM, B)}, NPM, before, after, former={E}),
        words,
    )


def test_the_person_who_takes_over_has_the_same_turn() -> None:
    parties = (one_after_the_other(NPM, A, B), party(DOOR, C))
    after = signers.passed_on(parties, NPM, B, D)
    assert after == (one_after_the_other(NPM, A, D), party(DOOR, C))


# Four eyes


@pytest.mark.parametrize(
    ("npm", "alone"),
    [
        ((party(NPM, A),), True),
        ((party(NPM, B),), False),
        ((party(NPM, A, B),), False),
        ((party(NPM, A, B, needed=1),), True),
        ((party(NPM, A, B, C, needed=2),), False),
        ((party(NPM, A), party(LANTERN, B)), False),
        ((), False),
    ],
)
def test_somebody_who_could_be_the_npms_only_signer_is_found(
    npm: tuple[PartySigners, ...], alone: bool
) -> None:
    assert signers.could_sign_alone(npm, A) is alone
