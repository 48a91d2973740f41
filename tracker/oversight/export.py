"""The register as a CSV file that no spreadsheet will read as formulas."""

import csv
import io
from collections.abc import Iterable

# A cell that begins so is read as a formula by spreadsheets; some take the wide forms as well.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def to_csv(rows: Iterable[Iterable[object]]) -> bytes:
    """Return rows as UTF-8 with a byte order mark (RFC 4180), each cell safe against formulas."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow([safe(str(cell)) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def safe(cell: str) -> str:
    """Put an apostrophe before what would be read as a formula, leading spaces or not."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA_STARTS) else cell
