"""Which of the tests that are marked for both databases make test tries on PostgreSQL."""

from collections import Counter
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType

import pytest

# Marks tests of what can differ between the databases.
DIFFERING = "both_databases"
# What lets a test do several things at the same moment.
_AT_ONCE = frozenset({"Barrier", "at_once", "before_commit", "wait_until_waited_for"})


def few(items: Iterable[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Return what is tried, and what is passed over since other cases send the same queries.

    Tests without the mark are in neither. Races are tried whatever some_on_postgresql says, and so
    are tests that have the mark themselves though their file has it.
    """
    marked = [item for item in items if item.get_closest_marker(DIFFERING)]
    places = _places_in_file(marked)
    tried: list[pytest.Item] = []
    passed_over: list[pytest.Item] = []
    cases: Counter[str] = Counter()
    for item in marked:
        number = item.get_closest_marker("few_on_postgresql")
        some = item.get_closest_marker("some_on_postgresql")
        family = item.nodeid.partition("[")[0]
        is_tried = number is None or cases[family] < number.args[0]
        cases[family] += 1
        if some is not None and not _is_race(item) and not _is_marked_itself(item):
            is_tried &= places[item.nodeid] % some.args[0] == 0
        (tried if is_tried else passed_over).append(item)
    return tried, passed_over


def _places_in_file(items: Iterable[pytest.Item]) -> dict[str, int]:
    """Return each test's place among those of its file, so that each run picks the same ones."""
    places: dict[str, int] = {}
    tests: Counter[str] = Counter()
    for nodeid in sorted(item.nodeid for item in items):
        file = nodeid.partition("::")[0]
        places[nodeid] = tests[file]
        tests[file] += 1
    return places


def _is_marked_itself(item: pytest.Item) -> bool:
    return len(list(item.iter_markers(DIFFERING))) > 1


def _is_race(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and is_race(item.function)


def is_race(test: object) -> bool:
    """Return whether a test does several things at the same moment, itself or by a function."""
    waiting, seen = [test], set[object]()
    while waiting:
        function = waiting.pop()
        if not isinstance(function, FunctionType) or function in seen:
            continue
        seen.add(function)
        for name in _names(function.__code__):
            if name in _AT_ONCE:
                return True
            waiting.append(function.__globals__.get(name))
    return False


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names that code uses, and those of the functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
