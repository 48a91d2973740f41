"""What was measured, as a table that is read in a terminal."""

from collections.abc import Iterator, Mapping

from tests.bench.measuring import Timed

PAGE = 30
# Of each database: milliseconds, those of the bare view, how many times that, queries.
COLUMNS = ("ms", "bare", "times", "queries")
WIDTHS = (8, 7, 7, 9)


def lines(found: Mapping[str, Mapping[str, Timed]]) -> Iterator[str]:
    """Yield the lines of the table; found are the times by page and by database."""
    databases = list(dict.fromkeys(name for row in found.values() for name in row))
    group = sum(WIDTHS)
    yield " " * (PAGE + 8) + "".join(name.rjust(group) for name in databases).rstrip()
    heads = "".join(head.rjust(width) for head, width in zip(COLUMNS, WIDTHS, strict=True))
    yield "page".ljust(PAGE) + "KB".rjust(8) + heads * len(databases)
    for page, row in found.items():
        sizes = [one.size for one in row.values()]
        yield (
            page.ljust(PAGE)
            + f"{max(sizes) / 1024:8.1f}"
            + "".join(_cells(row[name]) for name in databases)
        )


def _cells(one: Timed) -> str:
    values = (
        f"{one.milliseconds:.1f}",
        f"{one.bare:.1f}",
        f"{one.milliseconds / one.bare:.1f}",
        str(one.queries),
    )
    return "".join(value.rjust(width) for value, width in zip(values, WIDTHS, strict=True))
