"""A passphrase opens what was encrypted for it, and no other does."""

import io
import re
from pathlib import Path

import pyrage
import pytest
from flask import Flask
from pyrage import passphrase, x25519

from tests.integration.backup.conftest import back_up
from tracker.backup import encrypted_files
from tracker.backup.encrypted_files import Lock, Secrets
from tracker.backup.errors import BackupError
from tracker.core import crypto

PASSPHRASE = "seven lanterns by the harbour"


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file for the passphrase, at a cost that lets tests be quick."""
    monkeypatch.setitem(crypto.SCRYPT, "n", 2**4)
    file = tmp_path / "sealed"
    with file.open("wb") as target:
        encrypted_files.seal(target, [b"What is", b"", b" written."], Lock(PASSPHRASE))
    return file


def test_the_passphrase_opens_the_file(sealed: Path) -> None:
    opened = io.BytesIO()
    encrypted_files.unseal(
        sealed, encrypted_files.private_keys(sealed, Secrets(lambda: PASSPHRASE)), opened
    )
    assert opened.getvalue() == b"What is written."


def test_another_passphrase_does_not(sealed: Path) -> None:
    with pytest.raises(BackupError, match=r"The passphrase of .* is another one"):
        encrypted_files.private_keys(sealed, Secrets(lambda: "six lanterns"))


def test_a_guess_costs_the_same_whichever_machine_made_the_backup_and_however_busy() -> None:
    """256 MB of memory; the file says so, since no other cost opens it."""
    cost = crypto.SCRYPT
    assert 128 * cost["n"] * cost["r"] * cost["p"] == 256 * 2**20
    line = b"common-terms, scrypt %d %d %d\n" % (cost["n"].bit_length() - 1, cost["r"], cost["p"])
    assert line == encrypted_files.BEGINNING


def test_a_file_cut_off_in_its_beginning_is_refused(sealed: Path) -> None:
    for length in (len(encrypted_files.BEGINNING) + 1, len(encrypted_files.BEGINNING) + 20):
        sealed.write_bytes(sealed.read_bytes()[:length])
        with pytest.raises(BackupError, match="damaged"):
            encrypted_files.private_keys(sealed, Secrets(lambda: PASSPHRASE))


def test_a_file_from_before_the_cost_was_fixed_can_be_opened(tmp_path: Path) -> None:
    own = x25519.Identity.generate()
    key = passphrase.encrypt(str(own).encode(), PASSPHRASE)

    def open_at(work: bytes | None, typed: str) -> bytes:
        at_this = re.sub(rb"(-> scrypt \S+) \d+", rb"\1 " + work, key) if work else key
        file, opened = tmp_path / "earlier", io.BytesIO()
        file.write_bytes(
            b"common-terms, for a passphrase\n"
            + len(at_this).to_bytes(2)
            + at_this
            + pyrage.encrypt(b"What is written.", [own.to_public()])
        )
        keys = encrypted_files.private_keys(file, Secrets(lambda: typed))
        encrypted_files.unseal(file, keys, opened)
        return opened.getvalue()

    assert open_at(None, PASSPHRASE) == b"What is written."
    with pytest.raises(BackupError, match="is another one"):
        open_at(b"1", "six lanterns")
    with pytest.raises(BackupError, match="made by a faster machine, or this one is busy"):
        open_at(b"30", PASSPHRASE)


def test_the_passphrase_is_asked_for_twice_and_may_not_be_empty(app: Flask, tmp_path: Path) -> None:
    file, empty = tmp_path / "backup.age", tmp_path / "empty"
    empty.touch()
    typed = f"{PASSPHRASE}\nsomething else\n"
    result = app.test_cli_runner().invoke(args=["backup", str(file)], input=typed)
    assert "do not match" in result.output
    assert PASSPHRASE not in result.output
    result = back_up(app, file, "--passphrase-file", str(empty))
    assert "The passphrase is empty. No backup was made." in result.stderr
    assert not file.exists()
