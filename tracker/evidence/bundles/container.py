"""The bundle's ZIP file, which has exactly one byte form, so any change shows. Pure.

Entries are stored uncompressed in the order of their names, without dates, comments or anything
else that could be written in two ways. Any ZIP program can open it.
"""

import re
import struct
import zlib
from collections.abc import Mapping

LOCAL = struct.Struct("<IHHHHHIIIHH")
CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
END = struct.Struct("<IHHHHIIH")
LOCAL_MARK, CENTRAL_MARK, END_MARK = 0x04034B50, 0x02014B50, 0x06054B50
VERSION, MADE_BY = 20, 0x0314  # 2.0, on Unix
DATE = 0x0021  # 1 January 1980, the earliest date in a ZIP file
MODE = 0o100600 << 16  # a regular file, readable by its owner
# Other characters are read differently by different programs: some end a name at a zero byte.
NAME = re.compile(rb"[!-~]+")
MOST_BYTES, MOST_FILES = 0xFFFFFFFF, 0xFFFF


class ContainerError(Exception):
    """Raised when a file is not a bundle, or a byte of it was changed."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return a ZIP with these files; raise ContainerError if there are too many."""
    pieces: list[bytes] = []
    directory: list[bytes] = []
    offset = 0
    for name in sorted(files):
        data = files[name]
        if offset + len(data) > MOST_BYTES:
            raise ContainerError("The bundle would be larger than 4 gigabytes.")
        head = _head(name, data)
        pieces += [LOCAL.pack(LOCAL_MARK, *head, 0), name.encode("ascii"), data]
        directory += [
            CENTRAL.pack(CENTRAL_MARK, MADE_BY, *head, 0, 0, 0, 0, MODE, offset),
            name.encode("ascii"),
        ]
        offset += LOCAL.size + len(name) + len(data)
    if len(files) > MOST_FILES:
        raise ContainerError("The bundle would hold more than 65,535 files.")
    listed = b"".join(directory)
    end = END.pack(END_MARK, 0, 0, len(files), len(files), len(listed), offset, 0)
    return b"".join([*pieces, listed, end])


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the files in a ZIP; raise ContainerError unless it is exactly as pack() writes it."""
    files: dict[str, bytes] = {}
    offset = 0
    while data[offset : offset + 4] == LOCAL_MARK.to_bytes(4, "little"):
        if len(data) < offset + LOCAL.size:
            break
        *_, size, _same, name_length, _extra = LOCAL.unpack_from(data, offset)
        begin = offset + LOCAL.size + name_length
        name = data[offset + LOCAL.size : begin]
        if not NAME.fullmatch(name) or begin + size > len(data):
            break
        files[name.decode("ascii")] = data[begin : begin + size]
        offset = begin + size
    if not files:
        raise ContainerError("It isn't an evidence bundle: it doesn't begin like one.")
    _require_same(data, pack(files))
    return files


def _require_same(data: bytes, remade: bytes) -> None:
    if data == remade:
        return
    first = next(
        (place for place, pair in enumerate(zip(data, remade, strict=False)) if pair[0] != pair[1]),
        min(len(data), len(remade)),
    )
    raise ContainerError(
        f"The file is not as it was made: byte {first} was changed, added or taken out."
    )


def _head(name: str, data: bytes) -> tuple[int, ...]:
    """Return the fields that both headers of an entry have."""
    size = len(data)
    return (VERSION, 0, 0, 0, DATE, zlib.crc32(data), size, size, len(name))
