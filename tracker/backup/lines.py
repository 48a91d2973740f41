"""The lines of a backup, before encryption: a header, keys, tables with their rows, an end.

Each is JSON, and all are compressed together. An object is a header, a key, the beginning of a
table or the end; a list is a row of the table that began last. docs/operations.md shows them.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tracker.backup import encrypted_files
from tracker.backup.errors import NOT_OURS, BackupError

FORMAT = "common-terms-backup"
NUMBER = 1
_GZIP = 16 + zlib.MAX_WBITS
# Small rows are compressed together.
_PIECE = 1 << 16
# What is decompressed at a time, and the longest line: more than a row with the largest upload that
# a setting allows. Whoever has the public key can make a file that would fill the memory.
_STEP = 1 << 20
LONGEST = 256 * 1024 * 1024
# How many values a line may have, commas in texts counted too: each takes memory as an object.
MOST_VALUES = 1_000_000
# The longest text of a line that may be printed.
_MOST_PRINTED = 100

Line = dict[str, Any] | list[Any]
Take = Callable[[Line], None]


def is_printable(text: object) -> bool:
    """Return whether something in a line may be printed: a short text that controls no terminal."""
    return isinstance(text, str) and len(text) <= _MOST_PRINTED and text.isprintable()


def pieces(lines: Iterable[Line]) -> Iterator[bytes]:
    """Yield lines as compressed bytes."""
    compressor = zlib.compressobj(wbits=_GZIP)
    waiting = bytearray()
    for line in lines:
        waiting += _encoded(line)
        if len(waiting) >= _PIECE:
            yield compressor.compress(waiting)
            waiting.clear()
    yield compressor.compress(waiting) + compressor.flush()


def _encoded(line: Line) -> bytes:
    try:
        return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    except UnicodeEncodeError as error:
        raise BackupError(NOT_OURS) from error


def read(file: Path, keys: list[Any], take: Take) -> None:
    """Decrypt a file and pass each line on; raise BackupError if it is damaged or incomplete."""
    reader = _Reader(file, take)
    encrypted_files.unseal(file, keys, reader)
    reader.end()


class _Reader:
    """Decompresses what it is given, and passes on each complete line."""

    def __init__(self, file: Path, take: Take) -> None:
        self._file = file
        self._take = take
        self._decompressor = zlib.decompressobj(wbits=_GZIP)
        self._rest = bytearray()

    def write(self, data: bytes) -> int:
        """Take the next bytes and return how many."""
        waiting, plain = bytes(data), b""
        # The decompressor may have taken all of it, and still have something to give.
        while (waiting or len(plain) == _STEP) and not self._decompressor.eof:
            try:
                plain = self._decompressor.decompress(waiting, _STEP)
            except zlib.error as error:
                raise self._error() from error
            self._split(plain)
            waiting = self._decompressor.unconsumed_tail
        return len(data)

    def _split(self, plain: bytes) -> None:
        *lines, rest = plain.split(b"\n")
        for line in lines:
            self._rest += line
            self._line(self._rest)
            self._rest.clear()
        self._rest += rest
        if len(self._rest) > LONGEST:
            raise self._error()

    def flush(self) -> None:
        """Do nothing: lines are passed on once they are complete."""

    def end(self) -> None:
        """Raise BackupError if something is missing at the end."""
        if self._rest or not self._decompressor.eof:
            raise self._error()

    def _line(self, encoded: bytearray) -> None:
        if sum(map(encoded.count, (b",", b"[", b"{"))) > MOST_VALUES:
            raise self._error()
        try:
            line = json.loads(encoded)
        except (ValueError, RecursionError) as error:
            raise self._error() from error
        if not isinstance(line, dict | list):
            raise self._error()
        self._take(line)

    def _error(self) -> BackupError:
        return BackupError(f"{self._file} contains no backup.")
