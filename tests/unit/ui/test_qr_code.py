"""QR codes: three corners, a margin, and always the same for one text."""

import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from tracker.ui import qr_code

ADDRESS = "https://terms.example.org/verify?reference=C-2026-0001&digest=" + "0123456789abcdef" * 4
# A finder pattern of ISO/IEC 18004, section 6.3.3.
FINDER = ("#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######")
START = "data:image/svg+xml;charset=utf-8,"


def rows(picture: str) -> list[str]:
    """Return the modules that a picture shows, a text for each row, # for black."""
    stroke = re.findall(r"""stroke=["']#000["'] d=["']([^"']*)""", picture)[0]
    black, x, y = set[tuple[int, int]](), 0, 0
    for move, dx, dy, width in re.findall(r"([Mm])(-?\d+) ?(-?[\d.]+)h(\d+)", stroke):
        x, y = (int(dx), int(float(dy))) if move == "M" else (x + int(dx), y + int(float(dy)))
        black |= {(place, y) for place in range(x, x + int(width))}
        x += int(width)
    left, right = min(x for x, _y in black), max(x for x, _y in black) + 1
    return [
        "".join("#" if (x, y) in black else "." for x in range(left, right))
        for y in range(left, right)
    ]


def corner(lines: list[str], x: int, y: int) -> tuple[str, ...]:
    return tuple(row[x : x + 7] for row in lines[y : y + 7])


def test_a_code_has_its_finder_patterns_in_three_corners() -> None:
    lines = rows(qr_code.svg(ADDRESS))
    last = len(lines) - 7
    assert corner(lines, 0, 0) == corner(lines, last, 0) == corner(lines, 0, last) == FINDER
    assert corner(lines, last, last) != FINDER


def test_a_page_shows_the_same_code_with_four_white_modules_around_it() -> None:
    address = qr_code.data_uri(ADDRESS)
    assert address.startswith(START)
    picture = unquote(address.removeprefix(START))
    image = ET.fromstring(picture)  # noqa: S314 -- ours
    assert image.tag == "{http://www.w3.org/2000/svg}svg"
    modules = rows(qr_code.svg(ADDRESS))
    assert rows(picture) == modules
    assert image.get("width") == image.get("height") == str((len(modules) + 8) * 4)
    assert "fill='#fff'" in picture


def test_one_text_gives_one_code_and_another_text_another() -> None:
    assert qr_code.svg(ADDRESS) == qr_code.svg(ADDRESS)
    assert qr_code.svg(ADDRESS) != qr_code.svg(ADDRESS.replace("0001", "0002"))


def test_a_text_can_not_put_anything_but_its_code_into_the_picture() -> None:
    strange = "</svg><script>alert(1)</script>"
    assert "script" not in qr_code.svg(strange) + qr_code.data_uri(strange)
