"""A file that somebody else encrypted for the public key is no backup, and is said to be none.

Whoever has the public key can make a file that decrypts. It takes no memory without end, and ends
with one line.
"""

import resource
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519

from tracker.backup import encrypted_files, lines, restoring
from tracker.backup.encrypted_files import Lock, Secrets
from tracker.backup.errors import BackupError
from tracker.backup.lines import FORMAT, NUMBER

KEY = x25519.Identity.generate()
HEADER = {
    "format": FORMAT,
    "number": NUMBER,
    "revision": None,
    "rows": {},
    "keys": "",
    "application": "0.1.0",
    "at": "2026-01-01",
}
END = {"end": True}


def ask() -> str:
    raise AssertionError("no passphrase is needed")


def sealed(folder: Path, pieces: Iterable[bytes]) -> Path:
    """Return a file with these bytes, encrypted for the public key."""
    file = folder / "hostile.age"
    with file.open("wb") as target:
        encrypted_files.seal(target, pieces, Lock(public_keys=(str(KEY.to_public()),)))
    return file


def check(file: Path) -> restoring.Backup:
    return restoring.check(file, Secrets(ask, (str(KEY),)))


def compressed(data: Iterable[bytes]) -> Iterable[bytes]:
    compressor = zlib.compressobj(9, wbits=16 + zlib.MAX_WBITS)
    for piece in data:
        yield compressor.compress(piece)
    yield compressor.flush()


@pytest.mark.parametrize(
    "first",
    [
        {**HEADER, "rows": []},
        {**HEADER, "rows": {"user": "many"}},
        {**HEADER, "rows": None},
        {**HEADER, "number": None},
        {**HEADER, "number": "2"},
        {**HEADER, "revision": []},
        {**HEADER, "revision": 7},
        {**HEADER, "keys": 7},
        {name: value for name, value in HEADER.items() if name != "rows"},
        [],
    ],
)
def test_a_file_whose_header_is_not_one_of_ours_is_refused(tmp_path: Path, first: Any) -> None:
    with pytest.raises(BackupError):
        check(sealed(tmp_path, lines.pieces([first, END])))


@pytest.mark.parametrize(
    "name", ["../secret.key", "/etc/passwd", "evidence/../../x", "a/b", "", ".x", "x\n", 7, None]
)
def test_a_key_with_the_name_of_a_file_elsewhere_is_refused(tmp_path: Path, name: Any) -> None:
    key = {"key": name, "content": "AAAA"}
    with pytest.raises(BackupError):
        check(sealed(tmp_path, lines.pieces([HEADER, key, END])))


@pytest.mark.parametrize("content", [7, None, "no base64 é", []])
def test_a_key_without_content_is_refused(tmp_path: Path, content: Any) -> None:
    key = {"key": "trail.key", "content": content}
    with pytest.raises(BackupError):
        check(sealed(tmp_path, lines.pieces([HEADER, key, END])))


def test_the_file_of_keys_is_not_taken_for_the_backup(tmp_path: Path) -> None:
    header = {"format": FORMAT, "number": NUMBER, "rows": {}}
    key = {"key": "trail.key", "content": "AAAA"}
    backup = check(sealed(tmp_path, lines.pieces([header, key, END])))
    with pytest.raises(BackupError, match="contains only keys"):
        restoring.check_keys(backup, backup.keys)


def test_a_backup_without_the_key_of_the_trail_is_refused(tmp_path: Path) -> None:
    key = {"key": "fields.key", "content": "AAAA"}
    backup = check(sealed(tmp_path, lines.pieces([HEADER, key, END])))
    with pytest.raises(BackupError):
        restoring.check_keys(backup, backup.keys)


@pytest.mark.parametrize("size", [0, 1, lines._STEP - 1, lines._STEP, 3 * lines._STEP])
def test_lines_of_any_length_are_read_as_they_were_written(tmp_path: Path, size: int) -> None:
    read: list[Any] = []
    written = [["x" * size, n] for n in range(3)]
    lines.read(sealed(tmp_path, lines.pieces(written)), [KEY], read.append)
    assert read == written


def test_values_nested_without_end_are_refused(tmp_path: Path) -> None:
    file = sealed(tmp_path, compressed([b"[" * 1_000_000, b"\n"]))
    with pytest.raises(BackupError):
        check(file)


def test_a_line_without_end_takes_no_memory_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1_000_000)
    megabyte = b" " * 1_000_000
    file = sealed(tmp_path, compressed(megabyte for _ in range(400)))
    assert file.stat().st_size < len(megabyte)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BackupError):
        check(file)
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # in KiB
    assert taken < 50_000


@pytest.mark.parametrize("number", [1_001, 2])
def test_keys_without_end_are_refused(tmp_path: Path, number: int) -> None:
    content = "AAAA" * (1 if number > 1_000 else 200_000)
    keys = ({"key": f"evidence/{place}.key", "content": content} for place in range(number))
    with pytest.raises(BackupError, match="more keys"):
        check(sealed(tmp_path, lines.pieces([HEADER, *keys, END])))


@pytest.mark.parametrize("values", ["0,", "[],", "{},"])
def test_a_line_with_too_many_values_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: str
) -> None:
    monkeypatch.setattr(lines, "MOST_VALUES", 1_000)
    file = sealed(tmp_path, compressed([f"[{values * 1_001}0]\n".encode()]))
    read: list[Any] = []
    with pytest.raises(BackupError):
        lines.read(file, [KEY], read.append)
    assert read == []


def test_more_rows_than_the_header_says_are_refused_at_once(tmp_path: Path) -> None:
    header = {**HEADER, "rows": {"user": 1}}
    with pytest.raises(BackupError, match="more rows"):
        check(sealed(tmp_path, lines.pieces([header, [1], [2], END])))
    for rows_ in ({"user": -1}, {"user": 3, "role": -2}):
        with pytest.raises(BackupError, match="contains no backup"):
            check(sealed(tmp_path, lines.pieces([{**HEADER, "rows": rows_}, [1], END])))


@pytest.mark.parametrize("name", ["application", "at", "revision"])
@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "x" * 101])
def test_a_header_with_signs_that_control_a_terminal_is_refused(
    tmp_path: Path, name: str, text: str
) -> None:
    for number in (NUMBER, NUMBER + 1):
        with pytest.raises(BackupError) as refused:
            check(sealed(tmp_path, lines.pieces([{**HEADER, "number": number, name: text}, END])))
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) < 1_000
