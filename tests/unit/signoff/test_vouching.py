"""Who took a signature, and whether two others vouch for one on paper: each rule by itself."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tracker.signoff import vouching
from tracker.signoff.vouching import Flaw

SIGNER, RECORDER, CONFIRMER, RECORD = (uuid4() for _ in range(4))
PAPER: dict[str, Any] = {
    "record": str(RECORD),
    "recorded_by": str(RECORDER),
    "confirmed_by": str(CONFIRMER),
    "confirmed_for": "Open Door",
    "made": "here",
}
# Letters in it, so that it can be written in another way.
LETTERS = UUID("abcdefab-cdef-4bcd-8fab-cdefabcdefab")


def on_paper(user: UUID = SIGNER, **changed: Any) -> dict[str, Any]:
    return {"method": "paper", "user": str(user), "paper": PAPER | changed}


def test_a_signature_on_paper_counts_that_somebody_else_confirmed() -> None:
    assert vouching.flaws([on_paper()]) == [None]


def test_a_signature_that_has_nothing_to_do_with_paper_has_no_flaw() -> None:
    assert vouching.flaws([{"method": "passkey", "user": str(SIGNER)}]) == [None]


@pytest.mark.parametrize("paper", [None, [], "paper", {}, 1])
def test_a_signature_on_paper_that_does_not_describe_its_scan_is_named(paper: object) -> None:
    row = {"method": "paper", "user": str(SIGNER)}
    assert vouching.flaws([row]) == [Flaw.NO_PAPER]
    assert vouching.flaws([row | {"paper": paper}]) == [Flaw.NO_PAPER]


def test_a_signature_by_another_method_that_names_a_scan_is_named() -> None:
    assert vouching.flaws([on_paper() | {"method": "passkey"}]) == [Flaw.NO_PAPER]


@pytest.mark.parametrize("name", ["record", "recorded_by", "confirmed_by"])
@pytest.mark.parametrize(
    "value", [None, [], {}, 1, "", "somebody", str(LETTERS).upper(), LETTERS.hex, f"{{{LETTERS}}}"]
)
def test_an_id_that_the_application_would_not_write_so_is_named(name: str, value: object) -> None:
    changed: dict[str, Any] = {name: value}
    assert vouching.flaws([on_paper(**changed)]) == [Flaw.NO_PAPER]


@pytest.mark.parametrize("changed", [{"confirmed_for": None}, {"made": None}, {"made": "there"}])
def test_a_scan_without_the_party_that_confirmed_it_or_when_it_was_signed_is_named(
    changed: dict[str, Any],
) -> None:
    assert vouching.flaws([on_paper(**changed)]) == [Flaw.NO_PAPER]


@pytest.mark.parametrize("when", ["here", "before"])
def test_whoever_recorded_a_scan_does_not_confirm_it(when: str) -> None:
    row = on_paper(confirmed_by=str(RECORDER), made=when)
    assert vouching.flaws([row]) == [Flaw.OWN_SCAN]


def test_whoever_signed_on_a_scan_does_not_confirm_it() -> None:
    assert vouching.flaws([on_paper(CONFIRMER)]) == [Flaw.SIGNED_SCAN]


def test_an_agreement_from_before_has_the_account_of_whoever_confirmed_it() -> None:
    assert vouching.flaws([on_paper(CONFIRMER, made="before")]) == [None]


def test_one_person_does_not_confirm_a_scan_for_two_parties() -> None:
    rows = [on_paper(made="before"), on_paper(made="before", confirmed_for="Lantern")]
    assert vouching.flaws(rows) == [Flaw.CONFIRMED_TWICE] * 2
    other_scan = on_paper(made="before", confirmed_for="Lantern", record=str(uuid4()))
    assert vouching.flaws([rows[0], other_scan]) == [None, None]
    other_person = on_paper(made="before", confirmed_for="Lantern", confirmed_by=str(uuid4()))
    assert vouching.flaws([rows[0], other_person]) == [None, None]


def test_whoever_took_a_signature_is_known_however_the_id_is_written() -> None:
    written = [str(LETTERS), str(LETTERS).upper(), LETTERS.hex, f"urn:uuid:{LETTERS}"]
    rows: list[dict[str, Any]] = [{"paper": {"recorded_by": text}} for text in written]
    rows += [{"presence": {"host": text}} for text in written]
    assert list(vouching.takers(rows)) == [LETTERS] * 8


@pytest.mark.parametrize("about", [None, [], "text", {}, {"host": None}, {"host": "somebody"}])
def test_a_signature_that_names_no_host_or_recorder_has_no_taker(about: Any) -> None:
    assert vouching.host_of(about) is None
    assert list(vouching.takers([{"presence": about, "paper": about}])) == []
