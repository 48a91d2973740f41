"""The results as a table for the terminal, and what exceeds its limit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.bench.measuring import Measured

NAME = 30
# For each database: CPU milliseconds, how many times the bare view, statements.
COLUMNS = ("ms", "ratio", "statements")
WIDTHS = (8, 8, 12)


@dataclass(frozen=True, slots=True)
class Row:
    """The measurements of a page or action on each database, and its limits."""

    ratio: float
    statements: int
    by_database: dict[str, Measured]

    def beyond(self) -> Iterator[str]:
        """Yield a text for each measurement that exceeds its limit."""
        for database, measured in self.by_database.items():
            if measured.ratio > self.ratio:
                yield f"{measured.ratio:.1f} times the bare view on {database}, not {self.ratio:g}"
            if measured.statements > self.statements:
                yield f"{measured.statements} statements on {database}, not {self.statements}"


def lines(rows: Mapping[str, Row]) -> Iterator[str]:
    """Yield the lines of the table, by the names of pages and acts."""
    databases = list(dict.fromkeys(name for row in rows.values() for name in row.by_database))
    sizes = f"{'KB':>8}{'gzip':>8}"
    yield " " * (NAME + len(sizes)) + "".join(name.rjust(sum(WIDTHS)) for name in databases)
    heads = "".join(head.rjust(width) for head, width in zip(COLUMNS, WIDTHS, strict=True))
    yield "".ljust(NAME) + sizes + heads * len(databases) + "   at most"
    for name, row in rows.items():
        size = max(measured.size for measured in row.by_database.values()) / 1024
        packed = max(measured.compressed for measured in row.by_database.values()) / 1024
        yield (
            name.ljust(NAME)
            + (f"{size:8.1f}{packed:8.1f}" if size else " " * 16)
            + "".join(_cells(row.by_database.get(database)) for database in databases)
            + f"   {row.ratio:g}, {row.statements}"
        )


def _cells(measured: Measured | None) -> str:
    values = ("", "", "")
    if measured is not None:
        values = (f"{measured.milliseconds:.1f}", f"{measured.ratio:.1f}", str(measured.statements))
    return "".join(value.rjust(width) for value, width in zip(values, WIDTHS, strict=True))
