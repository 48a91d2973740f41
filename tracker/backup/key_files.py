"""The files of the key folder, as lines of a backup."""

import base64
import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from tracker.backup.errors import BackupError
from tracker.backup.lines import Line

# The key that seals the trail, which belongs to one instance, as long as no key was changed.
_TRAIL = "trail.key"
_FIRST = {"secret.key", "fields.key", _TRAIL, "totp.key"}
_OF_THE_INSTANCE = re.compile(r"(fields|trail|totp|rows)(-[0-9]+)?\.(key|new)")
_NAME = re.compile(r"(evidence/)?[a-z0-9][a-z0-9._-]*")


def read(folder: Path) -> dict[str, bytes]:
    """Return the files of the folder; raise BackupError if one can't be read."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    # Others are files that were being written when the application was stopped.
    own = sorted(filter(_NAME.fullmatch, names))
    try:
        return {name: (folder / name).read_bytes() for name in own}
    except OSError as error:
        raise BackupError(f"{error.filename} can't be read: {error.strerror}.") from error


def fingerprint(files: Mapping[str, bytes]) -> str:
    """Return what says whether keys belong to a backup, and nothing about them otherwise."""
    own = {name: data.strip() for name, data in files.items() if _OF_THE_INSTANCE.fullmatch(name)}
    if own.keys() <= _FIRST:
        trail = own.get(_TRAIL, b"")
        return hashlib.sha256(b"common-terms backup " + trail).hexdigest()
    # After a change of a key, those from before it don't open the backup any more.
    text = "".join(f"{name} {data.hex()}\n" for name, data in sorted(own.items()))
    return hashlib.sha256(b"common-terms backup\n" + text.encode()).hexdigest()


def lines(files: Mapping[str, bytes]) -> Iterator[Line]:
    """Yield a line for each file."""
    for name, data in files.items():
        yield {"key": name, "content": base64.b64encode(data).decode()}


def content(name: str, text: str) -> bytes:
    """Return the content of a line; raise BackupError for the name of a file elsewhere."""
    if not _NAME.fullmatch(name):
        raise BackupError(f"The backup contains a key with the name {name[:100]!r}.")
    return base64.b64decode(text)


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files into a new folder, readable by their owner alone."""
    try:
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=False)
            path.write_bytes(data)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise BackupError(f"The keys can't be written to {folder}: {error.strerror}.") from error
