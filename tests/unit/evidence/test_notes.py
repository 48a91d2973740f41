"""Notes: written in exactly one form, and found however people keep and forward them."""

import base64
import datetime as dt
from email.message import EmailMessage

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from tests import second_verifier
from tests.stopwatch import measured
from tracker.evidence.log import notes
from tracker.evidence.log.notes import (
    Checkpoint,
    Consistency,
    KeyNote,
    NoteError,
)

AT = dt.datetime(2026, 11, 25, 10, 30, 5, tzinfo=dt.UTC)
PRIVATE = ed25519.Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = PRIVATE.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
KEY = KeyNote("checkpoint", 1, "a" * 64, PUBLIC, AT)
PLAIN = Checkpoint("https://terms.npm.example", 128, 97, "b" * 64, AT, KEY.fingerprint)
SIGNED = Checkpoint(
    PLAIN.origin,
    PLAIN.size,
    PLAIN.previous,
    PLAIN.root,
    PLAIN.at,
    PLAIN.key,
    PRIVATE.sign(PLAIN.signed()),
)


def test_a_checkpoint_is_written_as_the_document_says() -> None:
    signature = base64.b64encode(SIGNED.signature).decode()
    assert SIGNED.text() == (
        "common-terms/checkpoint/1\n"
        "origin: https://terms.npm.example\n"
        "size: 128\n"
        "previous: 97\n"
        f"root: {'b' * 64}\n"
        "at: 2026-11-25T10:30:05Z\n"
        f"key: {'a' * 64}\n"
        f"signature: {signature[:64]}\n"
        f" {signature[64:]}\n"
    )
    assert SIGNED.text().startswith(SIGNED.signed().decode())
    assert SIGNED.signed() == PLAIN.signed()


def test_its_lines_are_short_enough_for_every_mail() -> None:
    assert max(map(len, SIGNED.text().splitlines())) < 78


def test_it_is_read_again_and_its_signature_verifies() -> None:
    checkpoint = Checkpoint.read(SIGNED.text())
    assert checkpoint == SIGNED
    assert KEY.signed(checkpoint.signed(), checkpoint.signature)


@pytest.mark.parametrize(
    "changed",
    [
        Checkpoint("https://other.example", 128, 97, "b" * 64, AT, "a" * 64),
        Checkpoint(PLAIN.origin, 129, 97, "b" * 64, AT, "a" * 64),
        Checkpoint(PLAIN.origin, 128, 96, "b" * 64, AT, "a" * 64),
        Checkpoint(PLAIN.origin, 128, 97, "c" * 64, AT, "a" * 64),
        Checkpoint(PLAIN.origin, 128, 97, "b" * 64, AT + dt.timedelta(seconds=1), "a" * 64),
        Checkpoint(PLAIN.origin, 128, 97, "b" * 64, AT, "d" * 64),
    ],
)
def test_the_signature_is_over_each_of_its_values(changed: Checkpoint) -> None:
    assert not KEY.signed(changed.signed(), SIGNED.signature)


def test_a_key_of_another_kind_signed_nothing() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = other.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for public in (der, b"no key"):
        key = KeyNote("checkpoint", 1, "a" * 64, public, AT)
        assert not key.signed(SIGNED.signed(), SIGNED.signature)


def as_sent_on(text: str) -> str:
    return "See below.\r\n\r\n" + "".join(f"> {line}\r\n" for line in text.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        SIGNED.text(),
        SIGNED.text().replace("\n", "\r\n"),
        as_sent_on(SIGNED.text()),
        as_sent_on(as_sent_on(SIGNED.text())),
        f"Dear Samira,\n\nkeep this.\n\n{SIGNED.text()}\nhttps://terms.npm.example/\n\nAnswers",
        "\n".join(line.strip() for line in SIGNED.text().splitlines()),
        "\n".join(f"\N{NO-BREAK SPACE} {line}  " for line in SIGNED.text().splitlines()),
        as_sent_on("no checkpoint here") + SIGNED.text(),
    ],
)
def test_it_is_found_however_it_was_kept(text: str) -> None:
    assert Checkpoint.read(text) == SIGNED


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
def test_it_is_found_in_a_mail_saved_as_it_came(encoding: str) -> None:
    mail = EmailMessage()
    mail["Subject"] = "نقطة مرجعية"
    mail["To"] = "samira@example.org"
    words = "Keep it." if encoding == "7bit" else "احتفظ بها."
    mail.set_content(f"{words}\n\n{SIGNED.text()}", cte=encoding)
    for data in (mail.as_bytes(), mail.as_bytes().replace(b"\n", b"\r\n")):
        assert Checkpoint.read(notes.text_of(data)) == SIGNED


def test_a_plain_text_is_not_read_as_an_email() -> None:
    assert notes.text_of(SIGNED.text().encode()) == SIGNED.text()
    assert notes.text_of(b"\xff: no mail\n") == "\N{REPLACEMENT CHARACTER}: no mail\n"


def test_a_note_of_many_lines_is_read_quickly() -> None:
    line = "b" * 59
    text = "\n".join([notes.BUNDLE, "key: a", *[line] * 80_000])
    with measured() as taken:
        (fields,) = notes.find(text, notes.BUNDLE)
    assert fields["key"] == "a" + line * 80_000
    assert taken.seconds < 1


def test_an_invalid_email_is_reported_as_soon_as_it_is_read() -> None:
    lines = "A: b\r\n" * 24
    with measured() as taken:
        assert notes.text_of(f"{lines}c".encode()) == f"{lines}c"
    assert taken.seconds < 1


def test_a_mail_without_text_contains_no_note() -> None:
    mail = EmailMessage()
    mail["Subject"] = "A picture"
    mail["To"] = "samira@example.org"
    mail.set_content(b"png", "image", "png")
    with pytest.raises(NoteError):
        Checkpoint.read(notes.text_of(mail.as_bytes()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size: 128\n", ""),
        ("size: 128", "size: 0128"),
        ("size: 128", "size: 12 8"),
        ("size: 128", "size: -1"),
        ("b" * 64, "B" * 64),
        ("b" * 64, "b" * 63),
        ("2026-11-25T10:30:05Z", "2026-11-25 10:30:05"),
        ("2026-11-25T10:30:05Z", "2026-13-25T10:30:05Z"),
        ("2026-11-25T10:30:05Z", "2026-11-25T1:30:05Z"),
        ("signature: ", "signature: !"),
        ("common-terms/checkpoint/1", "common-terms/checkpoint/2"),
    ],
)
def test_a_note_in_another_form_is_refused(old: str, new: str) -> None:
    assert old in SIGNED.text()
    with pytest.raises(NoteError):
        Checkpoint.read(SIGNED.text().replace(old, new))


def test_base64_has_one_form() -> None:
    """The last characters of base64 may have unused bits: they must be zero."""
    key = KEY.text().replace(base64.b64encode(PUBLIC).decode(), "AB==")
    with pytest.raises(NoteError, match="not base64"):
        KeyNote.read_all(key)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=30), st.integers(1, 10**9))
def test_a_proof_is_read_as_it_was_written(proof: list[bytes], after: int) -> None:
    note = Consistency("https://terms.npm.example", 1, after, tuple(proof))
    assert Consistency.read(note.text()) == note
    assert Consistency.read(as_sent_on(note.text())) == note


def test_keys_are_read_as_they_were_written() -> None:
    keys = [
        KEY,
        KeyNote(
            "checkpoint",
            2,
            "c" * 64,
            PUBLIC,
            AT,
            retired=AT,
            revoked=AT,
            reason="The server was stolen: it stood in a room that many people could enter.",
            endorsed_by=1,
            endorsement=PRIVATE.sign(notes.endorsed("c" * 64)),
        ),
    ]
    text = "\n".join(key.text() for key in keys)
    assert KeyNote.read_all(text) == keys
    assert "\nreason: The server was stolen: it stood in a room that many people" in text
    assert keys[0].signed(notes.endorsed("c" * 64), keys[1].endorsement)
    assert "retired" not in KEY.text()


def test_a_text_without_keys_has_none() -> None:
    assert KeyNote.read_all("nothing") == []


@pytest.mark.parametrize("white", ["\N{NO-BREAK SPACE}", "\t", "\N{IDEOGRAPHIC SPACE}", "\x1f"])
@pytest.mark.parametrize("at", [62, 63, 64, 65, 126, 127, 128, 129])
def test_white_space_inside_a_value_is_read_as_it_was_written(at: int, white: str) -> None:
    """Also where the value would be cut into lines; the second verifier writes the same."""
    value = "x" * at + white + "y" * 80
    text = notes.write(notes.CHECKPOINT, [("origin", value)])
    assert notes.find(text, notes.CHECKPOINT) == [{"origin": value}]
    assert second_verifier.note_text(notes.CHECKPOINT, {"origin": value}) == text
