"""A passphrase opens what was encrypted for it, and no other does."""

import io
import re
from pathlib import Path

import pytest
from flask import Flask

from tests.integration.backup.conftest import back_up
from tracker.backup import encrypted_files
from tracker.backup.encrypted_files import Lock, Secrets
from tracker.backup.errors import BackupError

PASSPHRASE = "seven lanterns by the harbour"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sealed") / "file"
    with file.open("wb") as target:
        encrypted_files.seal(target, [b"What is", b"", b" written."], Lock(PASSPHRASE))
    return file


def test_the_passphrase_opens_the_file(sealed: Path) -> None:
    opened = io.BytesIO()
    encrypted_files.unseal(
        sealed, encrypted_files.private_keys(sealed, Secrets(lambda: PASSPHRASE)), opened
    )
    assert opened.getvalue() == b"What is written."


def test_another_passphrase_does_not(sealed: Path, tmp_path: Path) -> None:
    # With less work than the library chooses, which takes a second.
    copy = tmp_path / "file"
    copy.write_bytes(re.sub(rb"(-> scrypt \S+) \d+", rb"\1 1", sealed.read_bytes()))
    with pytest.raises(BackupError, match=r"The passphrase of .* is another one"):
        encrypted_files.private_keys(copy, Secrets(lambda: "six lanterns"))


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
