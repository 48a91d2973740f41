"""The results as a table for the terminal, and what is beyond its limit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.bench.measuring import Measured

NAME = 30
# Of each database: milliseconds of the processor, how many times the bare view, statements.
COLUMNS = ("ms", "ratio", "statements")
WIDTHS = (8, 8, 12)


@dataclass(frozen=True, slots=True)
class Row:
    """What is measured of one page or act on each database, and what it may take at most."""

    ratio: float
    statements: int
    by_database: dict[str, Measured]

    def beyond(self) -> Iterator[str]:
        """Yield in words what takes more than it may."""
        for database, one in self.by_database.items():
            if one.ratio > self.ratio:
                yield f"{one.ratio:.1f} times the bare view on {database}, not {self.ratio:g}"
            if one.statements > self.statements:
                yield f"{one.statements} statements on {database}, not {self.statements}"


def lines(found: Mapping[str, Row]) -> Iterator[str]:
    """Yield the lines of the table, by the names of pages and acts."""
    databases = list(dict.fromkeys(name for row in found.values() for name in row.by_database))
    sizes = f"{'KB':>8}{'gzip':>8}"
    yield " " * (NAME + len(sizes)) + "".join(name.rjust(sum(WIDTHS)) for name in databases)
    heads = "".join(head.rjust(width) for head, width in zip(COLUMNS, WIDTHS, strict=True))
    yield "".ljust(NAME) + sizes + heads * len(databases) + "   at most"
    for name, row in found.items():
        size = max(one.size for one in row.by_database.values()) / 1024
        packed = max(one.compressed for one in row.by_database.values()) / 1024
        yield (
            name.ljust(NAME)
            + (f"{size:8.1f}{packed:8.1f}" if size else " " * 16)
            + "".join(_cells(row.by_database.get(one)) for one in databases)
            + f"   {row.ratio:g}, {row.statements}"
        )


def _cells(one: Measured | None) -> str:
    values = ("", "", "")
    if one is not None:
        values = (f"{one.milliseconds:.1f}", f"{one.ratio:.1f}", str(one.statements))
    return "".join(value.rjust(width) for value, width in zip(values, WIDTHS, strict=True))
