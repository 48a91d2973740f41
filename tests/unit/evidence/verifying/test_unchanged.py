"""What both verifiers say about a bundle that nobody altered."""

import pytest

from tests.factories.evidence.bundles import (
    begun,
    endorsed_by,
    judged,
    key_note,
)
from tests.unit.evidence.verifying.changes import BUNDLE, INSTANCE, on_paper
from tracker.evidence.bundles import verify


def test_every_link_of_an_unchanged_bundle_is_valid() -> None:
    assert judged(BUNDLE) == {}
    report = verify.verify(BUNDLE)
    assert [verdict.link for verdict in report.verdicts] == [
        "File",
        "List",
        "Keys",
        "Seal",
        "Chain",
        "Texts",
        "Signatures",
        "Passkeys",
        "Certificates",
        "Log",
        "Earlier checkpoints",
    ]
    assert report.reference == "C-2026-0001"
    assert report.key == key_note().fingerprint


def test_it_says_what_was_signed_by_whom_and_how() -> None:
    first, second = verify.verify(BUNDLE).signed
    assert first.startswith("terms, revision 1: Henrik Asante for Open Door, 2026-01-15 09:00 UTC")
    assert first.endswith(", password with a code from an app")
    assert second.startswith("terms, revision 1: Tomas Beridan for Open Door, ")
    assert second.endswith(", passkey")


@pytest.mark.parametrize("paper", [{"signed_on": "2025-11-03"}, {"signed_on": 3}, {}])
def test_it_gives_the_date_of_a_paper_and_when_its_scan_was_confirmed(
    paper: dict[str, object],
) -> None:
    instance = begun()
    about = on_paper(**paper)
    instance.sign(instance.text("terms"), "paper", verb="signed_on_paper", paper=about)
    (line,) = verify.verify(instance.take_out()).signed
    confirmed = "2026-01-15 09:00 UTC"
    days = (
        f"2025-11-03 (scan confirmed {confirmed})"
        if paper.get("signed_on") == "2025-11-03"
        else confirmed
    )
    assert line == f"terms, revision 1: Henrik Asante for Open Door, {days}, on paper"


def test_a_minimal_bundle_is_valid() -> None:
    assert judged(begun().take_out()) == {}


def test_a_bundle_is_valid_whatever_leaves_the_log_had_before() -> None:
    for others in range(9):
        instance = begun()
        checkpoints = [instance.checkpoint(others=others) for _ in range(others)]
        for _ in range(others):
            instance.event("answer_saved")
        data = instance.take_out(checkpoints)
        assert judged(data, *(checkpoint.text() for checkpoint in checkpoints)) == {}


def test_keys_that_were_rotated_vouch_for_each_other() -> None:
    instance = begun(number=3, keys=[key_note(1), endorsed_by(2, 1), endorsed_by(3, 2)])
    data = instance.take_out()
    assert judged(data) == {}
    words = {verdict.link: verdict.words for verdict in verify.verify(data).verdicts}
    assert "From checkpoint key 1 to 3 each vouches for the next." in words["Keys"]


def test_a_key_that_was_revoked_later_vouches_for_nothing_and_the_report_says_so() -> None:
    keys = [key_note(1, revoked=INSTANCE.at, reason="The server was stolen"), endorsed_by(2, 1)]
    data = begun(number=2, keys=keys).take_out()
    assert judged(data) == {}
    words = {verdict.link: verdict.words for verdict in verify.verify(data).verdicts}
    assert "Key 1, which vouches for those after it, was revoked" in words["Keys"]


def test_a_text_whose_key_was_destroyed_may_be_missing_once_that_is_recorded() -> None:
    instance = begun()
    instance.text(readable=False)
    assert "no event says that it was erased" in judged(instance.take_out())["Texts"]
    instance = begun()
    instance.text(readable=False)
    instance.event("details_erased")
    assert judged(instance.take_out()) == {}
