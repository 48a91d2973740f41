"""Every package tests on both databases what can differ between them."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from tests.at_once import at_once
from tests.on_postgresql import DIFFERING, few, is_race
from tracker.core.paths import ROOT

INTEGRATION = Path(__file__).parent.parent / "integration"
PARTS = sorted(folder.name for folder in INTEGRATION.iterdir() if (folder / "__init__.py").exists())
MARK = "pytest.mark.both_databases"


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_tests_that_run_on_both_databases(part: str) -> None:
    marked = [
        file.name for file in (INTEGRATION / part).glob("test_*.py") if MARK in file.read_text()
    ]
    assert marked, f"Mark a test of tests/integration/{part}: @{MARK}"


def races() -> list[tuple[ModuleType, str]]:
    """Return the tests that do several things at the same moment."""
    files = [
        file
        for file in INTEGRATION.rglob("test_*.py")
        if "at_once" in (text := file.read_text()) or "Barrier" in text
    ]
    modules = [
        importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
        for file in files
    ]
    return [
        (module, name)
        for module in modules
        for name, function in vars(module).items()
        if name.startswith("test_") and is_race(function)
    ]


def test_every_race_runs_on_both_databases() -> None:
    assert len(races()) > 10
    without = [
        f"{module.__name__}.{name}"
        for module, name in races()
        if DIFFERING not in {*marks(module), *marks(getattr(module, name))}
    ]
    assert without == [], f"Mark them: @{MARK}"


def marks(of: object) -> list[str]:
    """Return the names of the marks of a module or a function."""
    marks = getattr(of, "pytestmark", [])
    return [mark.name for mark in (marks if isinstance(marks, list) else [marks])]


def test_make_test_tries_every_race_and_some_of_the_marked_tests(
    request: pytest.FixtureRequest,
) -> None:
    some, both = pytest.mark.some_on_postgresql(2), getattr(pytest.mark, DIFFERING)

    def case(name: str, *marks: pytest.MarkDecorator, act: object = lambda: None) -> pytest.Item:
        item = pytest.Function.from_parent(request.node.parent, name=name, callobj=act)
        for mark in marks:
            item.add_marker(mark)
        return item

    two = pytest.mark.few_on_postgresql(2)
    tried, passed_over = few(
        [
            case("a", some, both),
            case("b", some),
            case("c", some, both, act=lambda: at_once),
            case("d", some, both),
            case("d2", some, both, both),
            case("f", some, both),
            *(case(f"e[{number}]", both, two) for number in range(3)),
        ]
    )
    assert [item.name for item in tried] == ["a", "c", "d", "d2", "e[0]", "e[1]"]
    assert [item.name for item in passed_over] == ["f", "e[2]"]
