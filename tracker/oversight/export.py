"""The register as a CSV file that no spreadsheet will read as formulas, written as it is read."""

import csv
import hashlib
import io
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

# Spreadsheets read a cell that begins with these as a formula; some accept full-width forms too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Anything larger is kept on disk until it is sent.
_IN_MEMORY = 256 * 1024
_PIECE = 64 * 1024


class CsvFile:
    """UTF-8 with a byte order mark (RFC 4180), each cell safe against formulas.

    It takes constant memory however many rows are added, and knows its digest before it is sent.
    """

    def __init__(self, heads: Iterable[object]) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # sent
        self._sha256 = hashlib.sha256()
        self.rows = 0
        self._write(_BYTE_ORDER_MARK)
        self._add([heads])

    @property
    def digest(self) -> str:
        """The SHA-256 of the content, as 64 hexadecimal digits."""
        return self._sha256.hexdigest()

    def add(self, rows: Iterable[Iterable[object]]) -> None:
        """Append rows."""
        self.rows += self._add(rows)

    def sent(self) -> Iterator[bytes]:
        """Yield the file in pieces, and delete it."""
        with self._file as file:
            file.seek(0)
            while piece := file.read(_PIECE):
                yield piece

    def _add(self, rows: Iterable[Iterable[object]]) -> int:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\r\n")
        count = 0
        for count, row in enumerate(rows, start=1):  # noqa: B007  # how many there were
            writer.writerow([safe(str(cell)) for cell in row])
        self._write(text.getvalue().encode())
        return count

    def _write(self, data: bytes) -> None:
        self._sha256.update(data)
        self._file.write(data)


def safe(cell: str) -> str:
    """Put an apostrophe before what would be read as a formula, leading spaces or not."""
    return f"'{cell}" if cell.lstrip(" ").startswith(FORMULA_STARTS) else cell
