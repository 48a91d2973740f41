"""Verification of randomly generated chains."""

import datetime as dt
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.services import alone
from tracker.activity import chain as arithmetic
from tracker.activity.chain import START, Link
from tracker.activity.verify import ChainFault, Details, Head, Walk
from tracker.core import keys
from tracker.core.keys import Keys

CHAIN = uuid4()
COOPERATION = uuid4()
START_OF_TIME = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
Entry = tuple[Link, str, Details | None]


@pytest.fixture(autouse=True)
def own_keys() -> Iterator[None]:
    with alone(keys.KEYS.holding(Keys(b"s" * 32, b"f" * 32, b"t" * 32, b"o" * 32))):
        yield


@dataclass
class Chain:
    entries: list[Entry]
    head: Head


def chain_of(count: int, evidence: str | None = None) -> Chain:
    entries: list[Entry] = []
    previous = START
    for number in range(1, count + 1):
        details = Details(secrets.token_hex(8), {"who": None, "item": f"M{number}"})
        link = Link(
            event_id=uuid4(),
            chain_id=CHAIN,
            number=number,
            verb="answer_saved",
            subject_type="checklist",
            subject_id=uuid4(),
            at=START_OF_TIME + dt.timedelta(seconds=number),
            details_digest=arithmetic.details_digest(details.salt, details.content),
            evidence=evidence,
            previous=previous,
        )
        previous = link.digest()
        entries.append((link, previous, details))
    return Chain(entries, sealed(previous, count))


def sealed(head: str, count: int) -> Head:
    seal = arithmetic.seal_head("cooperation", CHAIN, COOPERATION, head, count)
    return Head("cooperation", CHAIN, COOPERATION, head, count, seal)


def test_the_seal_of_a_visits_chain_holds_for_no_other_visit_and_no_other_kind() -> None:
    visit, other = uuid4(), uuid4()
    seal = arithmetic.seal_head("visit", CHAIN, None, START, 0, visit)
    assert Head("visit", CHAIN, None, START, 0, seal, visit).is_authentic()
    for head in (
        Head("visit", CHAIN, None, START, 0, seal, other),
        Head("visit", CHAIN, None, START, 0, seal),
        Head("visit", CHAIN, visit, START, 0, seal),
        Head("cooperation", CHAIN, visit, START, 0, seal),
        Head("instance", CHAIN, None, START, 0, seal),
    ):
        assert not head.is_authentic()


def test_a_cooperations_chain_that_names_a_visit_has_lost_its_seal() -> None:
    seal = arithmetic.seal_head("cooperation", CHAIN, COOPERATION, START, 0)
    assert Head("cooperation", CHAIN, COOPERATION, START, 0, seal).is_authentic()
    assert not Head("cooperation", CHAIN, COOPERATION, START, 0, seal, uuid4()).is_authentic()


def test_what_binds_a_visits_chain_differs_with_the_chain_and_with_the_visit() -> None:
    chain, visit, other = uuid4(), uuid4(), uuid4()
    digests = {
        arithmetic.visit_chain_digest(*ids)
        for ids in ((chain, visit), (chain, other), (other, visit))
    }
    assert len(digests) == 3


def fault_of(chain: Chain, erased_before: int = 0) -> tuple[ChainFault, int] | None:
    """Return what is wrong, and the number of the event at which it was noticed."""
    walk = Walk(erased_before)
    for link, digest, details in chain.entries:
        fault = walk.step(link, digest, details)
        if fault is not None:
            return fault, walk.number + 1
    fault = walk.end(chain.head)
    return (fault, walk.number) if fault is not None else None


def with_link(chain: Chain, place: int, link: Link) -> Chain:
    """Replace an event by another one with a matching digest."""
    _, _, details = chain.entries[place]
    chain.entries[place] = (link, link.digest(), details)
    return chain


@given(st.integers(0, 12))
def test_an_unchanged_chain_verifies(count: int) -> None:
    assert fault_of(chain_of(count)) is None


OTHER_VALUES: dict[str, Any] = {
    "event_id": uuid4(),
    "chain_id": uuid4(),
    "verb": "signed",
    "subject_type": "signature",
    "subject_id": uuid4(),
    "at": START_OF_TIME,
    "details_digest": "a" * 64,
    "evidence": "b" * 64,
    "state": "c" * 64,
}


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_each_value_of_an_event_is_bound_by_its_digest(name: str) -> None:
    chain = chain_of(5)
    link, digest, details = chain.entries[2]
    chain.entries[2] = (replace(link, **{name: OTHER_VALUES[name]}), digest, details)
    assert fault_of(chain) == (ChainFault.CHANGED, 3)


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_an_event_whose_digest_was_made_to_fit_leaves_the_next_one_hanging(name: str) -> None:
    chain = chain_of(5)
    link, _, details = chain.entries[2]
    other = replace(link, **{name: OTHER_VALUES[name]})
    if name == "details_digest":
        chain.entries[2] = (other, other.digest(), details)
        assert fault_of(chain) == (ChainFault.DETAILS_CHANGED, 3)
    else:
        assert fault_of(with_link(chain, 2, other)) == (ChainFault.DOES_NOT_FOLLOW, 4)


def test_all_values_of_an_event_are_tried() -> None:
    assert {field.name for field in fields(Link)} == {*OTHER_VALUES, "number", "previous"}


@given(st.integers(2, 10), st.data())
def test_a_deleted_event_is_noticed_at_its_number(count: int, data: st.DataObject) -> None:
    chain = chain_of(count)
    place = data.draw(st.integers(0, count - 2))
    del chain.entries[place]
    assert fault_of(chain) == (ChainFault.MISSING, place + 1)


@given(st.integers(1, 10), st.data())
def test_a_cut_end_is_noticed_by_the_head(count: int, data: st.DataObject) -> None:
    chain = chain_of(count)
    remaining = data.draw(st.integers(0, count - 1))
    del chain.entries[remaining:]
    assert fault_of(chain) == (ChainFault.CUT_OFF, remaining)


def test_a_truncated_chain_with_an_older_head_has_no_seal() -> None:
    chain = chain_of(6)
    del chain.entries[4:]
    chain.head = replace(chain.head, head=chain.entries[-1][1], count=4)
    assert fault_of(chain) == (ChainFault.UNSEALED, 4)


def test_an_event_given_twice_is_noticed() -> None:
    chain = chain_of(4)
    chain.entries.insert(2, chain.entries[1])
    assert fault_of(chain) == (ChainFault.TWICE, 3)


@given(st.integers(2, 9), st.data())
def test_events_that_changed_places_do_not_follow(count: int, data: st.DataObject) -> None:
    chain = chain_of(count)
    first = data.draw(st.integers(0, count - 2))
    second = data.draw(st.integers(first + 1, count - 1))
    first_entry, other = chain.entries[first], chain.entries[second]
    chain.entries[first] = (replace(other[0], number=first + 1), *other[1:])
    chain.entries[second] = (replace(first_entry[0], number=second + 1), *first_entry[1:])
    assert fault_of(chain) == (ChainFault.DOES_NOT_FOLLOW, first + 1)


def test_an_event_added_at_the_end_is_more_than_was_sealed() -> None:
    chain, longer = chain_of(3), chain_of(1)
    link = replace(longer.entries[0][0], number=4, previous=chain.entries[-1][1])
    chain.entries.append((link, link.digest(), longer.entries[0][2]))
    assert fault_of(chain) == (ChainFault.TOO_MANY, 4)


def test_a_chain_rewritten_as_a_whole_lacks_the_seal() -> None:
    chain, rewritten = chain_of(5), chain_of(5)
    rewritten.head = replace(chain.head, head=rewritten.head.head)
    assert fault_of(rewritten) == (ChainFault.UNSEALED, 5)


def test_a_chain_sealed_with_another_key_is_noticed() -> None:
    with alone(keys.KEYS.holding(Keys(b"s" * 32, b"f" * 32, b"x" * 32, b"o" * 32))):
        chain = chain_of(5)
    assert fault_of(chain) == (ChainFault.UNSEALED, 5)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "instance"},
        {"chain_id": UUID(int=1)},
        {"cooperation_id": None},
        {"cooperation_id": UUID(int=2)},
        {"head": "c" * 64},
        {"count": 4},
        {"seal": "d" * 64},
        {"seal": ""},
    ],
    ids=str,
)
def test_each_value_of_a_head_is_bound_by_the_seal(change: dict[str, Any]) -> None:
    chain = chain_of(5)
    chain.head = replace(chain.head, **change)
    assert fault_of(chain) == (ChainFault.UNSEALED, 5)


def test_a_sealed_head_of_other_events_is_noticed() -> None:
    chain = chain_of(5)
    chain.head = sealed("e" * 64, 5)
    assert fault_of(chain) == (ChainFault.OTHER_HEAD, 5)


@pytest.mark.parametrize(
    "other",
    [
        Details("0", {"who": None, "item": "M3"}),
        Details("\ud800", {"who": None, "item": "M3"}),
        Details("0", {"who": "\ud800"}),
        Details("0", {"number": 2**60}),
        Details("0", {"number": float("nan")}),
    ],
    ids=["another salt", "no UTF-8 salt", "no UTF-8", "too big", "no number"],
)
def test_details_that_were_changed_are_noticed(other: Details) -> None:
    chain = chain_of(5)
    link, digest, _ = chain.entries[2]
    chain.entries[2] = (link, digest, other)
    assert fault_of(chain) == (ChainFault.DETAILS_CHANGED, 3)


@pytest.mark.parametrize("nested", [{"a": 1.0}, {"a": [{"b": [1.0]}]}])
def test_a_fraction_that_has_the_same_canonical_form_is_noticed(nested: dict[str, object]) -> None:
    chain = chain_of(1)
    whole = {"a": 1} if nested == {"a": 1.0} else {"a": [{"b": [1]}]}
    link = replace(chain.entries[0][0], details_digest=arithmetic.details_digest("0", whole))
    chain.entries[0] = (link, link.digest(), Details("0", whole))
    chain.head = sealed(link.digest(), 1)
    assert fault_of(chain) is None
    chain.entries[0] = (link, link.digest(), Details("0", nested))
    assert fault_of(chain) == (ChainFault.DETAILS_CHANGED, 1)


@pytest.mark.parametrize(
    ("erased_before", "expected"),
    [(0, (ChainFault.DETAILS_GONE, 3)), (3, (ChainFault.DETAILS_GONE, 3)), (4, None), (5, None)],
)
def test_details_may_lack_only_before_an_event_that_says_so(
    erased_before: int, expected: tuple[ChainFault, int] | None
) -> None:
    chain = chain_of(5)
    link, digest, _ = chain.entries[2]
    chain.entries[2] = (link, digest, None)
    assert fault_of(chain, erased_before) == expected


def test_an_event_with_words_that_no_database_keeps_is_noticed() -> None:
    chain = chain_of(2)
    link, digest, details = chain.entries[0]
    chain.entries[0] = (replace(link, verb="\ud800"), digest, details)
    assert fault_of(chain) == (ChainFault.CHANGED, 1)
