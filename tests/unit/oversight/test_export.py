"""Cells that a spreadsheet would read as formulas, and how they are made safe."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.core import canonical
from tracker.oversight.export import FORMULA_STARTS, CsvFile, safe


@pytest.mark.parametrize("start", FORMULA_STARTS)
@pytest.mark.parametrize("spaces", ["", " ", "   "])
def test_a_cell_that_begins_a_formula_becomes_text(start: str, spaces: str) -> None:
    assert safe(f"{spaces}{start}1") == f"'{spaces}{start}1"


@pytest.mark.parametrize("cell", ["", " ", "1", "2026-01-15", "A = B", "'=1", "a@b", "عربي"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert safe(cell) == cell


def to_csv(rows: list[list[object]]) -> bytes:
    file = CsvFile(rows[0])
    for row in rows[1:]:
        file.add([row])
    data = b"".join(file.sent())
    assert file.digest == canonical.digest(data)
    assert file.rows == len(rows) - 1
    return data


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.lists(TEXT, min_size=2), min_size=1))
def test_an_exported_cell_is_read_back_without_formulas(rows: list[list[str]]) -> None:
    data = to_csv([list[object](row) for row in rows])
    assert data.startswith(b"\xef\xbb\xbf")
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    read = list(csv.reader(text, strict=True))
    assert read == [[safe(cell) for cell in row] for row in rows]
    assert not any(cell.lstrip(" ").startswith(FORMULA_STARTS) for row in read for cell in row)


def test_numbers_and_nothing_are_written_as_words() -> None:
    assert to_csv([[1, "", -2]]) == b"\xef\xbb\xbf1,,'-2\r\n"
