"""QR codes: three corners to find them by, room around them, and always the same for one text."""

import re
from xml.etree import ElementTree as ET

import pytest

from tracker.ui import qr_code

ADDRESS = "https://terms.example.org/verify?reference=C-2026-0001&digest=" + "0123456789abcdef" * 4
# A finder pattern of ISO/IEC 18004, section 6.3.3.
FINDER = ("#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######")


def rows(picture: str) -> list[str]:
    """Return the modules that a picture shows, a text for each row, # for black."""
    width = int(re.findall(r'viewBox="0 0 (\d+) \1"', picture)[0])
    path = re.findall(r'<path d="([^"]*)"', picture)[0]
    black = {(int(x), int(y)) for x, y in re.findall(r"M(\d+),(\d+)H", path)}
    return ["".join("#" if (x, y) in black else "." for x in range(width)) for y in range(width)]


def corner(found: list[str], x: int, y: int) -> tuple[str, ...]:
    return tuple(row[x : x + 7] for row in found[y : y + 7])


def test_a_code_has_its_finder_patterns_in_three_corners() -> None:
    found = rows(qr_code.svg(ADDRESS, quiet_zone=False))
    last = len(found) - 7
    assert corner(found, 0, 0) == corner(found, last, 0) == corner(found, 0, last) == FINDER
    assert corner(found, last, last) != FINDER


def test_four_modules_around_a_code_are_empty() -> None:
    found = rows(qr_code.svg(ADDRESS))
    inner = rows(qr_code.svg(ADDRESS, quiet_zone=False))
    assert [row[4:-4] for row in found[4:-4]] == inner
    assert sum(row.count("#") for row in found) == sum(row.count("#") for row in inner)


@pytest.mark.parametrize(("on_white", "rectangles"), [(True, 1), (False, 0)])
def test_a_code_for_a_dark_page_brings_its_own_white(*, on_white: bool, rectangles: int) -> None:
    picture = ET.fromstring(qr_code.svg("x", on_white=on_white))  # noqa: S314 -- ours
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    white = [one for one in picture if one.tag.endswith("rect")]
    assert [one.get("fill") for one in white] == ["white"] * rectangles


def test_one_text_gives_one_code_and_another_text_another() -> None:
    assert qr_code.svg(ADDRESS) == qr_code.svg(ADDRESS)
    assert qr_code.svg(ADDRESS) != qr_code.svg(ADDRESS.replace("0001", "0002"))


def test_a_text_can_not_put_anything_but_its_code_into_the_picture() -> None:
    assert "script" not in qr_code.svg("</svg><script>alert(1)</script>")
