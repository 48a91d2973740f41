"""Bundles compared with a key or an anchor that somebody keeps."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.factories.evidence.bundles import (
    begun,
    endorsed_by,
    judged,
    key_note,
    print_of,
    private_key,
    signed,
)
from tests.second_verifier import Verifier
from tests.unit.evidence.verifying.changes import BUNDLE, HELD, HELD_HEAD, INSTANCE, NEWEST
from tracker.evidence import cli
from tracker.evidence.bundles import verify
from tracker.evidence.log import notes
from tracker.evidence.log.notes import KeyNote


def test_a_key_that_is_held_sealed_the_bundle_or_vouches_for_what_did() -> None:
    keys = [key_note(1), endorsed_by(2, 1), endorsed_by(3, 2)]
    data = begun(number=3, keys=keys).take_out()
    for number in (1, 2, 3):
        assert judged(data, keys=[print_of(private_key(number))]) == {}


def test_a_strangers_forged_bundle_does_not_match_the_known_key() -> None:
    """It is sound in itself: people with nothing to compare it with can't tell."""
    fingerprint, strange = print_of(private_key(1)), begun(number=7, keys=[key_note(7)]).take_out()
    assert judged(strange) == {}
    assert not verify.verify(strange).is_compared
    assert Verifier(strange).headline == "sound in itself, compared with nothing you hold"
    wrong = judged(strange, keys=[fingerprint])
    assert list(wrong) == [f"Key {fingerprint[:8]}"]
    assert "did not seal the bundle, and does not vouch for what did" in next(iter(wrong.values()))
    assert Verifier(strange, keys=[fingerprint]).headline == "no sound evidence"


def test_a_revoked_keys_endorsement_does_not_count() -> None:
    keys = [key_note(1, revoked=INSTANCE.at, reason="The server was stolen"), endorsed_by(2, 1)]
    data = begun(number=2, keys=keys).take_out()
    wrong = judged(data, keys=[print_of(private_key(1))])
    assert [words for words in wrong.values() if "was revoked: what it vouches for" in words]
    assert judged(data, keys=[print_of(private_key(2))]) == {}


def test_an_anchor_says_how_much_was_there_when_it_was_signed() -> None:
    assert judged(BUNDLE, HELD.text(), NEWEST.text()) == {}
    report = verify.verify(BUNDLE, [verify.Anchor("mail.eml", HELD)])
    assert report.verdicts[-1].link == "Anchor mail.eml"
    assert "the first 3 of 9 events were there then" in report.verdicts[-1].words


def test_the_keys_owner_can_forge_a_bundle_but_not_one_that_agrees_with_an_anchor() -> None:
    instance = begun()
    text = instance.text()
    instance.sign(text, signer_name="Somebody Else")
    checkpoint = instance.checkpoint()
    instance.sign(text, "passkey", signer_name="Tomas Beridan")
    data = instance.take_out([checkpoint])
    assert judged(data) == {}
    assert checkpoint.size == HELD.size
    flaws = judged(data, HELD.text())
    assert flaws == {
        "Anchor 0": "The bundle has another checkpoint of this size: the log was forked."
    }
    without = instance.take_out()
    assert "is not in the bundle" in judged(without, HELD.text())["Anchor 0"]
    grown = HELD.text() + "\n" + instance.consistency(4, 12).text()
    assert "was rewritten" in judged(without, grown)["Anchor 0"]


@pytest.mark.parametrize(
    ("number", "keys", "is_compared"),
    [
        (7, [key_note(1), replace(key_note(7), number=2)], False),
        (2, [key_note(1), endorsed_by(2, 1)], True),
        (2, [key_note(1, revoked=INSTANCE.at, reason="Stolen"), endorsed_by(2, 1)], False),
    ],
    ids=["a stranger's key", "the next key", "the next after a revoked one"],
)
def test_what_was_added_after_an_anchor_counts_only_with_a_key_that_the_anchors_key_vouches_for(
    number: int, keys: list[KeyNote], is_compared: bool, tmp_path: Path
) -> None:
    """Whoever has a bundle can continue from there, with a log and a key of their own."""
    instance = begun()
    text = instance.text()
    instance.sign(text)
    checkpoint = instance.checkpoint()
    instance.number, instance.keys = number, keys
    instance.sign_for_npm(text)
    instance.come_into_force(text)
    data = instance.take_out([checkpoint])
    assert judged(data, checkpoint.text()) == {}
    report = verify.verify(data, [verify.Anchor("mail.eml", checkpoint)])
    assert (report.is_compared, report.anchored, report.count) == (is_compared, 3, 6)
    headline = "sound" if is_compared else "sound in itself, compared only with what you hold of it"
    assert Verifier(data, [checkpoint.text()]).headline == headline
    bundle, anchor = tmp_path / "bundle.zip", tmp_path / "anchor.txt"
    bundle.write_bytes(data)
    anchor.write_text(checkpoint.text())
    done = CliRunner().invoke(cli.verify, [str(bundle), "--anchor", str(anchor)])
    assert done.exit_code == (0 if is_compared else 3)
    assert ("its first 3 of 6 events were compared" in done.output) is not is_compared


def test_an_earlier_checkpoint_does_not_cover_a_rewritten_chain() -> None:
    instance = begun()
    instance.sign(instance.text(), signer_name="Somebody Else")
    head, instance.head = instance.head, HELD_HEAD
    checkpoint = instance.checkpoint()
    instance.head = head
    flaws = judged(instance.take_out([checkpoint]))
    assert set(flaws) == {"Earlier checkpoints"}
    assert "Event 3 is not the one" in flaws["Earlier checkpoints"]


def test_an_anchor_that_is_not_in_the_bundle_needs_the_proof_that_leads_to_it() -> None:
    instance = begun()
    small = instance.checkpoint()
    instance.event("answer_saved")
    data = instance.take_out()
    newest = instance.newest
    instance.event("answer_saved")
    large = instance.checkpoint()
    for checkpoint in (small, large):
        assert "/checkpoints/" in judged(data, checkpoint.text())["Anchor 0"]
        first, second = sorted((checkpoint.size, newest.size))
        grown = instance.consistency(first, second)
        with_proof = f"{checkpoint.text()}\n{grown.text()}"
        flaws = judged(data, with_proof)
        if checkpoint is large:
            assert flaws == {}
        else:  # the bundle proves no leaf below it
            assert "proves nothing of this cooperation that is as old" in flaws["Anchor 0"]
        other = replace(grown, proof=(b"\0" * 32,) * len(grown.proof))
        wrong = f"{checkpoint.text()}\n{other.text()}"
        assert "was rewritten" in judged(data, wrong)["Anchor 0"]
        forged = signed(replace(checkpoint, key=key_note(2).fingerprint), private_key(2))
        assert "not among those" in judged(data, f"{forged.text()}\n{grown.text()}")["Anchor 0"]


def test_an_anchor_is_read_from_an_email_even_with_an_invalid_bundle() -> None:
    quoted = "".join(f"> {line}\n" for line in HELD.text().splitlines())
    mail = f"From: a@npm.example\nSubject: A checkpoint\n\nKeep it.\n\n{quoted}\n-- \n"
    anchor = verify.Anchor.read("mail.eml", mail.encode())
    assert anchor.checkpoint == HELD
    assert verify.verify(BUNDLE, [anchor]).is_sound
    assert [verdict.link for verdict in verify.verify(b"", [anchor]).verdicts] == ["File"]
    with pytest.raises(notes.NoteError):
        verify.Anchor.read("mail.eml", b"Nothing in it.")
