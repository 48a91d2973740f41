"""Documents agree with the code: settings, commands, roles, verbs, file names; links work."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from tracker import create_app
from tracker.access.actor import Role
from tracker.activity.verbs import VERBS
from tracker.commands import COMMANDS
from tracker.core.paths import ROOT
from tracker.settings import Settings

DOCS = ROOT / "docs"
# Commands of Flask-Migrate; operations.md names those an operator needs.
MACHINERY = "db"
# How a command is written in a text: alone in back quotes, or at the start of a line of a block.
COMMAND = re.compile(r"(?:`|^|\$ |/)tracker ((?:[a-z]+ ?)+)", re.MULTILINE)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The whole application; its database isn't used here."""
    return create_app(
        Settings.from_environment({"TRACKER_DATA_DIR": str(tmp_path_factory.mktemp("data"))})
    )


def documents() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def commands(group: click.Group, name: str = "") -> Iterator[str]:
    """Yield each command as it is written after "tracker"."""
    context = click.Context(group)
    for key in group.list_commands(context):
        command = group.get_command(context, key)
        if isinstance(command, click.Group):
            yield from commands(command, f"{name}{key} ")
        else:
            yield f"{name}{key}"


def rows(document: str) -> list[list[str]]:
    """Return the cells of every table of a document."""
    lines = (DOCS / document).read_text().splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("| ")
    ]


def test_operations_documents_every_command(app: Flask) -> None:
    text = (DOCS / "operations.md").read_text() + (ROOT / "README.md").read_text()
    known = list(commands(app.cli))
    assert len(known) > 8
    assert [name for name in known if f"tracker {name}" not in text] == []


def test_every_command_that_a_document_names_exists(app: Flask) -> None:
    known = set(commands(app.cli)) | {*COMMANDS, MACHINERY}
    strange = {
        f"{path.name}: tracker {named.strip()}"
        for path in documents()
        for named in COMMAND.findall(path.read_text())
        if not any(f"{named} ".startswith(f"{command} ") for command in known)
    }
    assert strange == set()


NAMED = r"(?:`|^|=\S )make ([a-z]+(?:-[a-z]+)*)"


def test_every_make_target_that_a_document_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        target
        for path in documents()
        for target in re.findall(NAMED, path.read_text(), re.MULTILINE)
    }
    assert len(named) > 3
    assert named - targets == set()


def test_the_glossary_lists_every_role() -> None:
    terms = {cells[0] for cells in rows("glossary.md")}
    assert {role.value for role in Role} - terms == set()


def test_the_trail_document_lists_exactly_the_verbs_with_their_keys() -> None:
    verbs = {
        cells[0].strip("`"): frozenset(re.findall(r"`(\w+)`", cells[2]))
        for cells in rows("trail.md")
        if cells[0].startswith("`")
    }
    assert verbs == {verb.name: verb.keys for verb in VERBS.values()}


def test_every_link_in_a_document_works() -> None:
    lost = []
    for path in documents():
        text = path.read_text()
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" in target or target.startswith("mailto:"):
                continue
            file, _, part = target.partition("#")
            linked = path.parent / file if file else path
            if not linked.exists() or (part and part not in anchors(linked)):
                lost.append(f"{path.name}: {target}")
    assert lost == []


# A file of the project in back quotes, with or without its suffix, perhaps with a placeholder.
CODE = re.compile(r"`((?:[a-z_*]+/)+[a-z_0-9*]+)(\.(?:html|js|md|py|typ|yaml))?(?:\.(\w+))?`")


def files_named(name: str, suffix: str) -> list[Path]:
    """Return the files that a document may mean by a path relative to one of the roots."""
    tracker = ROOT / "tracker"
    roots = (ROOT, tracker, tracker / "content", ROOT / "tests", ROOT / "templates", DOCS)
    endings = (suffix,) if suffix else ("", ".py", "_*.py")
    return [path for root in roots for end in endings for path in root.glob(f"{name}{end}")]


def test_every_file_that_a_document_names_exists_and_has_the_name_it_gives() -> None:
    lost, seen = [], 0
    for path in documents():
        for name, suffix, inside in CODE.findall(path.read_text()):
            seen += 1
            files = files_named(name, suffix)
            texts = [file.read_text() for file in files if file.is_file()]
            if not files or (inside and not any(inside in text for text in texts)):
                lost.append(f"{path.name}: {name}{suffix} {inside}")
    assert seen > 100
    assert lost == []


TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_test_that_a_document_names_exists() -> None:
    lost, seen = set(), 0
    for path in documents():
        for file, name in TEST.findall(path.read_text()):
            seen += 1
            tests = ROOT / file
            if not tests.exists() or f"def {name}(" not in tests.read_text():
                lost.add(f"{path.name}: {file}::{name}")
    assert seen > 100
    assert lost == set()


def test_the_rows_on_the_asvs_are_counted_rightly_and_none_says_anything_twice() -> None:
    table = rows("asvs.md")
    requirements = [cells for cells in table if cells[0][:1].isdigit()]
    numbers = [cells[0] for cells in requirements]
    assert len(numbers) == len(set(numbers))
    counted = Counter(cells[3] for cells in requirements)
    assert {cells[0]: int(cells[1]) for cells in table if cells[0] in counted} == counted


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as Markdown renderers create them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }
