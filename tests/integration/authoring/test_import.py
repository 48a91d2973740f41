"""The command that imports a text as an organisation's own guidance."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session, selectinload

from tests.factories.accounts import People
from tests.integration.authoring.conftest import events
from tracker.authoring.models import OwnArticle
from tracker.authoring.own_guidance import queries as own_queries

MARKDOWN = """
# How do we write to families?

Before anything else.

## Ask first {M10 C3}

Ask *before* you write.

## Then write

In their language.
"""
PLAIN = """\
We write on the same day.

Leave out
=========
- names
- *exact* days & <hours>
"""


class Import:
    """A function that runs the command on a file written for the test."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.app = app
        self.folder = folder

    def __call__(self, text: str | bytes, *options: str, name: str = "text.md") -> Result:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self.run(str(path), *options)

    def run(self, *words: str, organisation: str = "open door legal aid") -> Result:
        place = ["--category", "engaging-with-others", "--topic", "finances"]
        args = ["guidance", "import", "--organisation", organisation, *place, *words]
        return self.app.test_cli_runner().invoke(args=args)


@pytest.fixture
def command(app: Flask, people: People, tmp_path: Path) -> Import:
    return Import(app, tmp_path)


def articles(session: Session) -> list[OwnArticle]:
    session.rollback()
    return list(session.scalars(sa.select(OwnArticle).options(selectinload(OwnArticle.passages))))


def test_markdown_is_imported_with_its_heading_as_the_question(
    command: Import, people: People, session: Session
) -> None:
    done = command(MARKDOWN, "--topic", "visit-reports", "--summary", "In short.")
    assert done.exit_code == 0, done.output
    assert done.output == (
        "Imported 'How do we write to families?' as guidance of Open Door Legal Aid, 2 passages.\n"
    )
    (row,) = articles(session)
    assert row.organisation_id == people.organisations["door"]
    assert (row.question, row.summary, row.lead) == (
        "How do we write to families?",
        "In short.",
        "Before anything else.",
    )
    assert (row.category, row.topics) == ("engaging-with-others", ["finances", "visit-reports"])
    assert (row.language, row.for_partners, row.author_id) == ("en", False, None)
    assert [(passage.key, passage.title, passage.items) for passage in row.passages] == [
        ("passage-1", "Ask first", ["M10", "C3"]),
        ("passage-2", "Then write", []),
    ]
    assert events(session, "own_article_added")[-1]["organisation"] == "Open Door Legal Aid"
    assert own_queries.find(people.actor("dora"), row.id) is not None
    assert own_queries.find(people.actor("joana"), row.id) is None


def test_a_plain_text_is_imported_unchanged(command: Import, session: Session) -> None:
    done = command(PLAIN, "--question", "How?", "--for-partners", "--language", "ar", name="a.txt")
    assert done.exit_code == 0, done.output
    (row,) = articles(session)
    assert (row.lead, row.for_partners, row.language) == (
        "We write on the same day.",
        True,
        "ar",
    )
    assert [passage.title for passage in row.passages] == ["Leave out"]
    assert row.passages[0].markdown == "- names\n- \\*exact\\* days \\& \\<hours\\>"


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
def test_a_text_without_passages_becomes_one_paired_with_the_items_given(
    command: Import, session: Session, name: str
) -> None:
    done = command(
        "Only words.", "--question", "What {now}?", "--item", "M10", "--item", "C3", name=name
    )
    assert done.exit_code == 0, done.output
    assert done.output.endswith("1 passage.\n")
    (row,) = articles(session)
    assert row.question == "What {now}?"
    assert [(passage.title, passage.items, passage.markdown) for passage in row.passages] == [
        ("What (now)?", ["M10", "C3"], "Only words.")
    ]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "Words.",
            (),
            "Error: --question is missing, and the file doesn't begin with a # heading.\n",
        ),
        (
            MARKDOWN,
            ("--item", "M1"),
            "Error: --item is for a text without passages; name items in their headings",
        ),
        ("Words.", ("--question", "x" * 301), "Error: Use at most 300 characters here.\n"),
        (MARKDOWN, ("--category", "x"), "Error: --category x is not one of activities, engaging"),
        (MARKDOWN, ("--topic", "x"), "Error: --topic x is not one of annual-reports, designation"),
        (MARKDOWN, ("--topic", "finances"), "Error: Choose each topic once.\n"),
        (MARKDOWN, ("--language", "fr"), "Error: --language must be one of en, ar\n"),
        (MARKDOWN, ("--organisation", "x"), "Error: There is no organisation named 'x'.\n"),
    ],
)
def test_an_error_is_reported_in_one_line(
    command: Import, session: Session, text: str, options: tuple[str, ...], message: str
) -> None:
    done = command(text, *options)
    assert done.exit_code == 1
    assert done.output.startswith(message)
    assert len(done.output.splitlines()) == 1
    assert articles(session) == []


def test_mistakes_are_reported_with_the_lines_of_the_file(
    command: Import, session: Session, tmp_path: Path
) -> None:
    done = command(MARKDOWN.replace("M10 C3", "M10 M99").replace("*before*", "<b>before</b>"))
    assert done.exit_code == 1
    file = tmp_path / "text.md"
    assert done.output.splitlines() == [
        f"Error: {file}:6: there is no item M99 in the checklists",
        "    6 | ## Ask first {M10 M99}",
        f"{file}:8: HTML isn't shown; write Markdown",
        "    8 | Ask <b>before</b> you write.",
    ]
    done = command("\nWords.\n\n<b>x</b>", "--question", "How?")
    assert done.output.startswith(f"Error: {file}:4: HTML isn't shown; write Markdown\n")
    done = command("One\n---\nTwo\n---\nWords.", "--question", "How?", name="a.txt")
    assert done.output.startswith(f"Error: {tmp_path / 'a.txt'}:1: the passage has no text\n")
    done = command("Words.", "--question", "How?", "--item", "M99", name="a.txt")
    (named, line) = done.output.splitlines()
    assert named == f"Error: {tmp_path / 'a.txt'}:1: there is no item M99 in the checklists"
    assert line == "    1 | Words."
    assert articles(session) == []


def test_an_unreadable_file_is_reported(command: Import, tmp_path: Path) -> None:
    missing = tmp_path / "missing.md"
    done = command.run(str(missing))
    assert (done.exit_code, done.output) == (
        1,
        f"Error: {missing}:1: the file can't be read: no such file or directory\n",
    )
    done = command(b"\xff\xfe\x00")
    assert (done.exit_code, done.output) == (
        1,
        f"Error: {tmp_path / 'text.md'}:1: the file isn't UTF-8 text\n    Save it as UTF-8.\n",
    )
    assert command.run(str(tmp_path)).exit_code == 1


def test_an_option_left_out_is_a_wrong_use(app: Flask, people: People) -> None:
    done = app.test_cli_runner().invoke(args=["guidance", "import", "x.md"])
    assert done.exit_code == 2
    assert "Missing option '--organisation'" in done.output


def test_the_same_article_is_not_imported_twice(command: Import, session: Session) -> None:
    assert command(MARKDOWN).exit_code == 0
    done = command(MARKDOWN)
    assert done.exit_code == 1
    assert "Open Door Legal Aid has an article with this question" in done.output
    assert command(MARKDOWN, "--question", "Another?").exit_code == 0
    assert len(articles(session)) == 2
