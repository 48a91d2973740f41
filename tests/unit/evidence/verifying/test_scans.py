"""Bundles whose signatures on paper don't fit their scan, or whoever vouches for it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.factories.evidence.bundles import (
    CSO,
    HENRIK,
    TOMAS,
    Instance,
    judged,
)
from tests.unit.evidence.verifying.changes import (
    SAMIRA,
    on_paper,
)
from tests.unit.evidence.verifying.texts import (
    IN_FORCE,
    TOMAS_SIGNS,
    agreed_before,
    agreed_on_paper,
    an_undertaking,
    attested,
    by,
    countersigned,
    flaw_of,
    own,
    own_on_paper,
    signed_so,
)


@pytest.mark.parametrize("name", ["record", "recorded_by", "confirmed_by"])
@pytest.mark.parametrize(
    "value", [None, [], {}, 1, "", "somebody", str(SAMIRA).upper(), SAMIRA.hex, f"{{{SAMIRA}}}"]
)
def test_a_paper_whose_ids_are_not_written_as_the_instance_writes_them_is_named(
    name: str, value: object
) -> None:
    changed: dict[str, Any] = {name: value}
    for tell in (
        an_undertaking(own_on_paper(**changed), countersigned()),
        agreed_on_paper(HENRIK, **changed),
        agreed_before(TOMAS, "The NPM", **changed),
    ):
        assert "doesn't say who recorded and who confirmed a scan" in flaw_of(tell)


@pytest.mark.parametrize("paper", [None, [], "paper", {}, on_paper(confirmed_for=1)])
def test_a_signature_on_paper_that_does_not_describe_its_scan_is_named(paper: object) -> None:
    signs = by(HENRIK, CSO, verb="signed_on_paper", method="paper", paper=paper)
    for tell in (
        an_undertaking(own(method="paper", paper=paper), countersigned()),
        signed_so(signs, TOMAS_SIGNS, IN_FORCE),
    ):
        assert "doesn't say who recorded and who confirmed a scan" in flaw_of(tell)


def test_a_scan_belongs_to_a_signature_on_paper_and_to_no_other() -> None:
    for tell in (
        an_undertaking(own(method="paper"), countersigned()),
        an_undertaking(own(paper=on_paper()), countersigned()),
        signed_so(by(HENRIK, CSO, paper=on_paper()), TOMAS_SIGNS, IN_FORCE),
    ):
        assert "doesn't say who recorded and who confirmed a scan" in flaw_of(tell)


@pytest.mark.parametrize(
    "tell",
    [
        an_undertaking(own_on_paper(made="before"), countersigned()),
        agreed_on_paper(HENRIK, made="before"),
        agreed_on_paper(HENRIK, made="there"),
        agreed_before(TOMAS, "The NPM", verb="sent_for_signature"),
    ],
)
def test_a_paper_that_is_wrong_about_being_older_than_the_instance_is_named(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    assert "doesn't say who recorded and who confirmed a scan" in flaw_of(tell)


@pytest.mark.parametrize(
    "tell",
    [
        an_undertaking(own_on_paper(confirmed_by=str(SAMIRA)), countersigned()),
        agreed_on_paper(HENRIK, confirmed_by=str(SAMIRA)),
        agreed_before(TOMAS, "The NPM", recorded_by=str(TOMAS)),
    ],
)
def test_a_scan_that_whoever_recorded_it_confirmed_is_named(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    assert "is on a scan that whoever recorded it confirmed" in flaw_of(tell)


@pytest.mark.parametrize(
    "tell",
    [
        an_undertaking(own_on_paper(confirmed_by=str(HENRIK)), countersigned()),
        agreed_on_paper(TOMAS),
        # Only in a prior agreement does the person who confirmed for a party stand for its signers.
        agreed_before(TOMAS, "The NPM", made="here"),
        signed_so(
            by(str(TOMAS).upper(), CSO, verb="signed_on_paper", method="paper", paper=on_paper()),
            TOMAS_SIGNS,
            IN_FORCE,
        ),
    ],
)
def test_a_scan_that_somebody_confirmed_who_signed_on_it_is_named(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    assert "is on a scan that somebody confirmed who signed on it" in flaw_of(tell)


def test_a_scan_that_one_person_confirmed_for_two_parties_is_named() -> None:
    tell = agreed_before(HENRIK, "The NPM")
    assert "is on a scan that one person confirmed for two parties" in flaw_of(tell)


@pytest.mark.parametrize(
    "presence",
    [
        None,
        [],
        "host",
        {"host": []},
        {"host": {}},
        {"host": str(SAMIRA)},
        {"host": "somebody", "method": "password_totp"},
        {"host": str(SAMIRA).upper(), "method": "password_totp"},
        {"host": SAMIRA.hex, "method": "password_totp"},
    ],
)
def test_who_was_present_can_be_anything_without_an_error(presence: object) -> None:
    instance = attested(
        an_undertaking(own(method="in_presence", presence=presence), countersigned())
    )
    assert set(judged(instance)) == {"Passkeys"}
