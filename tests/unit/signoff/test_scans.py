"""The type of a scan is recognised by its bytes, from the first to the last."""

import zlib

import pytest

from tests.factories.paper import jpeg, pdf, png
from tracker.core.errors import RuleBrokenError
from tracker.signoff import scans
from tracker.signoff.scans import ScanType

HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (pdf(), ScanType.PDF),
        (pdf().rstrip(), ScanType.PDF),
        (jpeg(), ScanType.JPEG),
        (png(), ScanType.PNG),
    ],
    ids=["pdf", "pdf without a last line end", "jpeg", "png"],
)
def test_a_whole_file_is_known_by_its_bytes(data: bytes, expected: ScanType) -> None:
    assert scans.type_of(data) is expected
    assert scans.checked(data) is expected


@pytest.mark.parametrize(
    "data",
    [
        HTML,
        b"GIF89a;",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"PK\x03\x04",
        b"%PDF-1.7\n" + HTML,
        HTML + pdf(),
        pdf() + HTML,
        pdf() + b"PK\x03\x04",
        b" " + pdf(),
        pdf()[:-8],
        b"%PDF-1.4\n%%EOF startxref",
        jpeg()[:-1],
        jpeg() + HTML,
        b"\xff\xd8\xff\xe0Signed by hand\xff\xd9",
        b"\xff\xd8" + b"\xff" * 40_000 + b"\xff\xd9",
        jpeg(height=0),
        jpeg().replace(b"\xff\xc0", b"\xff\xc4"),
        png() + HTML,
        png()[:-1],
        png().replace(b"Signed", b"signed"),
        png().replace(b"IHDR", b"IDAT"),
        png()[:33] + png()[8:],
        png()[:8] + bytes(4) + b"IHDR" + zlib.crc32(b"IHDR").to_bytes(4) + png()[33:],
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + b"\xff" * 40,
        b"\x00",
    ],
)
def test_a_file_that_is_not_of_its_type_from_first_to_last_byte_is_refused(data: bytes) -> None:
    assert scans.type_of(data) is None
    with pytest.raises(RuleBrokenError, match="isn't a complete PDF, JPEG or PNG") as refused:
        scans.checked(data)
    assert refused.value.field == scans.FIELD


def test_a_png_of_more_pieces_than_any_program_writes_is_refused_before_they_are_summed() -> None:
    """Each of a million empty chunks has a checksum, and computing them all takes seconds."""
    empty = bytes(4) + b"IDAT" + zlib.crc32(b"IDAT").to_bytes(4)

    def of_pieces(count: int) -> bytes:
        return png().replace(bytes(4) + b"IEND", empty * count + bytes(4) + b"IEND")

    assert scans.type_of(of_pieces(scans.MOST_CHUNKS - 3)) is ScanType.PNG
    assert scans.type_of(of_pieces(scans.MOST_CHUNKS - 2)) is None


@pytest.mark.parametrize(
    ("fits", "too_large"),
    [
        (png(width=10_000, height=10_000), png(width=10_000, height=10_001)),
        (jpeg(width=10_000, height=10_000), jpeg(width=10_001, height=10_000)),
        (jpeg(width=7_016, height=9_921), png(width=2**31 - 1, height=2**31 - 1)),
        (jpeg(), jpeg(width=65_535, height=65_535)),
    ],
)
def test_a_picture_with_too_many_pixels_is_refused_however_small_its_file(
    fits: bytes, too_large: bytes
) -> None:
    """The program of whoever opens it would take all the memory there is."""
    scans.checked(fits)
    with pytest.raises(RuleBrokenError, match="at most 100 million pixels") as refused:
        scans.checked(too_large)
    assert refused.value.field == scans.FIELD


def test_the_size_of_a_jpeg_is_read_behind_its_preview_and_its_tables() -> None:
    preview = b"\xff\xe1" + (2 + len(jpeg())).to_bytes(2) + jpeg()
    filled = b"\xff\xff" + jpeg(width=65_535, height=65_535)[2:]
    with pytest.raises(RuleBrokenError, match="too many pixels"):
        scans.checked(b"\xff\xd8" + preview + filled)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(RuleBrokenError, match="is empty"):
        scans.checked(b"")


def test_a_file_that_is_too_large_is_refused_with_the_limit() -> None:
    fits = pdf("x" * (scans.MAX_BYTES - len(pdf(""))))
    assert len(fits) == scans.MAX_BYTES
    assert scans.checked(fits) is ScanType.PDF
    with pytest.raises(RuleBrokenError, match="at most 10\u00a0MB"):
        scans.checked(pdf("x" * (scans.MAX_BYTES - len(pdf("")) + 1)))
