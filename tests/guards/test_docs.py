"""The documents say what the code has: settings, commands, roles, verbs; their links lead on."""

import re
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
# Commands of Flask-Migrate; operations.md names those that an operator needs.
MACHINERY = "db"
# How a command stands in a text: alone in back quotes, or at the start of a line of a block.
COMMAND = re.compile(r"(?:`|^|\$ |/)tracker ((?:[a-z]+ ?)+)", re.MULTILINE)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The whole application; nothing here asks its database."""
    return create_app(
        Settings.from_environment({"TRACKER_DATA_DIR": str(tmp_path_factory.mktemp("data"))})
    )


def documents() -> list[Path]:
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def commands(group: click.Group, name: str = "") -> Iterator[str]:
    """Yield each command as it is typed after "tracker"."""
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


def test_every_command_stands_in_the_operations(app: Flask) -> None:
    text = (DOCS / "operations.md").read_text() + (ROOT / "README.md").read_text()
    known = list(commands(app.cli))
    assert len(known) > 8
    assert [name for name in known if f"tracker {name}" not in text] == []


def test_every_command_that_a_document_names_is_there(app: Flask) -> None:
    known = set(commands(app.cli)) | {*COMMANDS, MACHINERY}
    strange = {
        f"{path.name}: tracker {named.strip()}"
        for path in documents()
        for named in COMMAND.findall(path.read_text())
        if not any(f"{named} ".startswith(f"{one} ") for one in known)
    }
    assert strange == set()


NAMED = r"(?:`|^|=\S )make ([a-z]+(?:-[a-z]+)*)"


def test_every_make_target_that_a_document_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        target
        for path in documents()
        for target in re.findall(NAMED, path.read_text(), re.MULTILINE)
    }
    assert len(named) > 3
    assert named - targets == set()


def test_every_role_stands_in_the_glossary() -> None:
    told = {cells[0] for cells in rows("glossary.md")}
    assert {role.value for role in Role} - told == set()


def test_every_verb_stands_in_the_trail_with_its_keys_and_no_other() -> None:
    told = {
        cells[0].strip("`"): frozenset(re.findall(r"`(\w+)`", cells[2]))
        for cells in rows("trail.md")
        if cells[0].startswith("`")
    }
    assert told == {verb.name: verb.keys for verb in VERBS.values()}


def test_every_link_of_a_document_leads_somewhere() -> None:
    lost = []
    for path in documents():
        text = path.read_text()
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" in target or target.startswith("mailto:"):
                continue
            file, _, part = target.partition("#")
            there = path.parent / file if file else path
            if not there.exists() or (part and part not in anchors(there)):
                lost.append(f"{path.name}: {target}")
    assert lost == []


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as readers of Markdown make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }
