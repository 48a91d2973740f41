"""The map of modules in docs/architecture.md, made from the first lines of their docstrings."""

import re
import tomllib
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

import pytest

from tests.guards.sources import outline_of
from tracker.core.paths import PACKAGE, ROOT

DOCUMENT = ROOT / "docs" / "architecture.md"
BEGIN = "<!-- Written by `make map` from the modules' docstrings. -->\n"
END = "<!-- End of what `make map` writes. -->\n"


def summaries(folder: Path = PACKAGE) -> dict[Path, str]:
    """Return the first line of each module's docstring, by its path; empty files are left out."""
    modules = sorted(path for path in folder.rglob("*.py") if path.stat().st_size)
    return {
        path.relative_to(folder): outline_of(path).docstring.partition("\n")[0].replace("|", "\\|")
        for path in modules
    }


def tables(modules: Mapping[Path, str]) -> str:
    """Return the map: a table for each package, a row for each module, the top level first."""
    in_order = sorted(modules, key=lambda path: (len(path.parts) > 1, path.parent, path))
    lines = []
    for part, members in groupby(in_order, key=lambda path: path.parent.as_posix()):
        heading = "tracker" if part == "." else part
        lines += [f"\n### {heading}\n", "| module | holds |", "|---|---|"]
        lines += [f"| `{path.as_posix()}` | {modules[path]} |" for path in members]
    return "\n".join(lines).lstrip("\n") + "\n"


def with_map(document: str, tables_of_modules: str) -> str:
    """Return a document with another map between its markers; raise ValueError without them."""
    before, begin, rest = document.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("The document has no marks to write the map between.")
    return f"{before}{begin}\n{tables_of_modules}\n{end}{after}"


def test_the_architecture_lists_each_module_as_its_docstring_says(
    request: pytest.FixtureRequest,
) -> None:
    first_sentences = summaries()
    assert len(first_sentences) > 100
    written = DOCUMENT.read_text()
    due = with_map(written, tables(first_sentences))
    if request.config.getoption("write_map"):
        DOCUMENT.write_text(due)
        return
    assert written.splitlines() == due.splitlines(), "run `make map` and read the difference"


def test_the_architecture_shows_the_packages_in_the_order_of_their_contract() -> None:
    """Packages on one line don't import each other, so their order there says nothing."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [stack] = [row for row in contracts["contracts"] if row["id"] == "stack"]
    due = [set(re.findall(r"\w+", layer)) for layer in stack["layers"]]
    diagram = DOCUMENT.read_text().split("```\n")[1]
    # A description that goes on in the next line is indented.
    lines = re.findall(r"^(\w+(?: \| \w+)*) {2,}", diagram, re.MULTILINE)
    assert [set(line.split(" | ")) for line in lines] == due


def test_each_part_has_a_table_and_each_module_a_row() -> None:
    modules = {
        Path("visits/team.py"): "The team.",
        Path("app.py"): "The application.",
        Path("visits/pages.py"): "View models.",
        Path("visits/paper/scans.py"): "Scans.",
    }
    assert tables(modules) == (
        "### tracker\n\n| module | holds |\n|---|---|\n| `app.py` | The application. |\n\n"
        "### visits\n\n| module | holds |\n|---|---|\n"
        "| `visits/pages.py` | View models. |\n| `visits/team.py` | The team. |\n\n"
        "### visits/paper\n\n| module | holds |\n|---|---|\n| `visits/paper/scans.py` | Scans. |\n"
    )


def test_only_the_first_line_of_a_docstring_is_taken(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").touch()
    (tmp_path / "team.py").write_text('"""The team: one | two.\n\nMore of it.\n"""\n')
    assert summaries(tmp_path) == {Path("team.py"): "The team: one \\| two."}


def test_the_text_around_the_map_is_kept() -> None:
    document = f"Before\n{BEGIN}Old\n{END}After\n"
    assert with_map(document, "New\n") == f"Before\n{BEGIN}\nNew\n\n{END}After\n"


@pytest.mark.parametrize("document", ["", BEGIN, END, f"{END}{BEGIN}"])
def test_a_document_without_both_marks_in_order_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="no marks"):
        with_map(document, "New\n")
