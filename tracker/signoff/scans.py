"""Accepted formats of scans (PDF, JPEG, PNG) and their limits, recognised by their bytes. Pure."""

import enum
import zlib

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from tracker.core.errors import RuleBrokenError
from tracker.ui.locale import file_size

# Enough for a scan of many pages; a photograph of one page is smaller.
MAX_BYTES = 10 * 1024 * 1024
# The size of the rest of the request, and how far a file may exceed the limit and still get a
# message.
MAX_REQUEST_BYTES = MAX_BYTES * 2
# A small file can hold a picture that fills the memory of whoever opens it. A page of A3 at 600
# dots per inch has 70 million pixels.
MOST_PIXELS = 100_000_000
FIELD = "scan"

_PDF, _PDF_END, _PDF_TABLE = b"%PDF-", b"%%EOF", b"startxref"
_JPEG, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
# Of a JPEG's segments: those that hold its size (C4, C8 and CC don't), the one before the picture,
# and what fills up.
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_PICTURE, _JPEG_FILL = 0xDA, 0xFF
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_FIRST, _PNG_LAST = b"IHDR", b"IEND"
# Length and name of a PNG chunk; and the checksum after its content.
_PNG_HEAD, _PNG_SUM = 8, 4
# Where the width and height are in the whole file, and the length of their chunk.
_PNG_SIZE, _PNG_FIRST_LENGTH = slice(16, 24), 13
# Programs write a few thousand at most; adding up a million tiny ones takes seconds.
MOST_CHUNKS = 20_000
# How far from the end a PDF names the offset of its cross-reference table.
_PDF_TAIL = 1024


class ScanType(enum.StrEnum):
    """The accepted file types."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"


ENDINGS = {ScanType.PDF: "pdf", ScanType.JPEG: "jpg", ScanType.PNG: "png"}


def type_of(data: bytes) -> ScanType | None:
    """Return the type of a file, or None if it isn't accepted.

    It must be of that type from its first byte to its last: a file that continues as something else
    after its end, or begins with something else, is neither.
    """
    if data.startswith(_PDF):
        return ScanType.PDF if _is_pdf(data) else None
    if data.startswith(_JPEG):
        return ScanType.JPEG if data.endswith(_JPEG_END) and _jpeg_pixels(data) else None
    if data.startswith(_PNG):
        return ScanType.PNG if _is_png(data) else None
    return None


def checked(data: bytes) -> ScanType:
    """Return the type of a file; raise RuleBrokenError with the reason if it isn't accepted."""
    if not data:
        raise RuleBrokenError(_l("Choose the file of the scan. The one you sent is empty."), FIELD)
    if len(data) > MAX_BYTES:
        raise RuleBrokenError(
            _l(
                "The file is too large. Scan in black and white or at a lower resolution: at "
                "most %(size)s.",
                size=LazyString(file_size, MAX_BYTES),
            ),
            FIELD,
        )
    scan_type = type_of(data)
    if scan_type is None:
        raise RuleBrokenError(
            _l(
                "The file isn't a complete PDF, JPEG or PNG, whatever its name says. Scan it again."
            ),
            FIELD,
        )
    if _pixels(data, scan_type) > MOST_PIXELS:
        raise RuleBrokenError(
            _l(
                "The picture has too many pixels. Scan at a lower resolution, such as 300 dots per "
                "inch: at most %(most)s million pixels.",
                most=MOST_PIXELS // 1_000_000,
            ),
            FIELD,
        )
    return scan_type


def _pixels(data: bytes, scan_type: ScanType) -> int:
    """Return how many pixels a picture says it has; none for a PDF, which is not read."""
    if scan_type is ScanType.JPEG:
        return _jpeg_pixels(data)
    if scan_type is ScanType.PNG:
        size = data[_PNG_SIZE]
        return int.from_bytes(size[:4]) * int.from_bytes(size[4:])
    return 0


def _jpeg_pixels(data: bytes) -> int:
    """Walk the segments of a JPEG up to its picture; return its pixels, or 0 if it isn't one."""
    at, pixels = 2, 0
    for _ in range(MOST_CHUNKS):
        head = data[at : at + 9]  # mark, kind, length (2), precision, height (2), width (2)
        if len(head) < 2 or head[0] != _JPEG_FILL:  # noqa: PLR2004 -- mark and kind
            return 0
        if head[1] == _JPEG_PICTURE:
            return pixels
        if head[1] in _JPEG_SIZES:
            pixels = max(pixels, int.from_bytes(head[5:7]) * int.from_bytes(head[7:9]))
        at += 1 if head[1] == _JPEG_FILL else 2 + int.from_bytes(head[2:4])
    return 0


def _is_pdf(data: bytes) -> bool:
    tail = data[-_PDF_TAIL:]
    ending = tail.rfind(_PDF_END)
    return ending > tail.find(_PDF_TABLE) >= 0 and not tail[ending + len(_PDF_END) :].strip(
        b"\r\n\t \0"
    )


def _is_png(data: bytes) -> bool:
    """Walk the chunks of a PNG: each with its checksum, the last one at the end of the file."""
    at = len(_PNG)
    if int.from_bytes(data[at : at + 4]) != _PNG_FIRST_LENGTH:
        return False
    for _ in range(MOST_CHUNKS):
        if at + _PNG_HEAD + _PNG_SUM > len(data):
            break
        end = at + _PNG_HEAD + int.from_bytes(data[at : at + 4])
        name = data[at + 4 : at + _PNG_HEAD]
        is_first = at == len(_PNG)
        if (
            is_first != (name == _PNG_FIRST)
            or _sum(data[at + 4 : end]) != data[end : end + _PNG_SUM]
        ):
            return False
        at = end + _PNG_SUM
        if name == _PNG_LAST:
            return at == len(data)
    return False


def _sum(part: bytes) -> bytes:
    return zlib.crc32(part).to_bytes(_PNG_SUM)
