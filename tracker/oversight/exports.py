"""The register as a CSV file that no spreadsheet takes for formulas."""

import csv
import io
from collections.abc import Callable, Iterable

from flask_babel import gettext as _

from tracker.oversight.queries import RegisterLine

# A cell that begins so is read as a formula by spreadsheets.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(lines: Iterable[RegisterLine], in_words: Callable[[RegisterLine], list[str]]) -> bytes:
    """Return UTF-8 with a byte order mark (RFC 4180), each cell safe against formula injection."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([safe(head) for head in heads()])
    for line in lines:
        writer.writerow([safe(cell) for cell in in_words(line)])
    return text.getvalue().encode("utf-8-sig")


def heads() -> list[str]:
    """Return the names of the columns."""
    return [
        _("Reference"),
        _("Title"),
        _("Agreement"),
        _("Parties"),
        _("Form"),
        _("Ways of working"),
        _("State"),
        _("Revision"),
        _("Signed"),
        _("To sign"),
        _("From"),
        _("Until"),
        _("Review"),
    ]


def safe(cell: str) -> str:
    """Put an apostrophe before what would be read as a formula, leading spaces or not."""
    if cell.lstrip(" ").startswith(FORMULA_STARTS) or cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell
