"""The command that imports a text as an organisation's own guidance."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, Unpack

import click
from flask import current_app
from flask.cli import AppGroup

from tracker.authoring.facts import ArticleWords
from tracker.authoring.own_guidance import service as own_guidance
from tracker.core.content import read_text
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.mistakes import ContentError, Mistake, in_full
from tracker.guidance import markdown
from tracker.guidance.queries import taxonomy
from tracker.organisations import queries as organisations
from tracker.organisations.models import Organisation
from tracker.ui.words import tidy_line, tidy_text

guidance = AppGroup("guidance", help="Import an organisation's own guidance.")
# Files with these suffixes are Markdown; all others are plain text.
MARKDOWN = {".md", ".markdown"}


class Given(TypedDict):
    """The options of the command."""

    organisation: str
    category: str
    topics: tuple[str, ...]
    question: str
    summary: str
    language: str
    items: tuple[str, ...]
    for_partners: bool


@dataclass(frozen=True, slots=True)
class FileText:
    """A file's text as Markdown: its first heading, its body, and the lines before the body."""

    heading: str
    body: str
    lines_before: int


@guidance.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--organisation", required=True, help="The organisation's name.")
@click.option("--category", required=True, help="A category, such as engaging-with-others.")
@click.option("--topic", "topics", multiple=True, required=True, help="Repeatable.")
@click.option("--question", default="", help="Default: the first line, if it is a # heading.")
@click.option("--summary", default="", help="One or two sentences.")
@click.option("--language", default="", help="Default: the instance's first language.")
@click.option(
    "--item",
    "items",
    multiple=True,
    help="For a text without passages: an item to pair it with, such as M10.",
)
@click.option("--for-partners", is_flag=True, help="Let partner organisations read it too.")
def import_file(file: Path, **given: Unpack[Given]) -> None:
    """Import FILE, Markdown or plain text in UTF-8, as an organisation's own guidance.

    In Markdown a passage begins with ## Title {M10 C3}; in plain text with a line that is
    underlined with === or ---. If there are mistakes, prints a line for each, imports nothing
    and exits 1.
    """
    offered: tuple[str, ...] = current_app.extensions["settings"].languages
    language = given["language"] or offered[0]
    if language not in offered:
        raise click.ClickException(f"--language must be one of {', '.join(offered)}")
    _require_place(given)
    organisation = _organisation(given["organisation"])
    text = _read(file)
    words, added = _words(text, given)
    try:
        row = own_guidance.import_article(
            organisation, words, language=language, for_partners=given["for_partners"]
        )
        count = len(own_guidance.check(words).passages)
        db.session.commit()
    except ContentError as error:
        db.session.rollback()
        moved = text.lines_before - added
        raise _wrong(file, error, moved) from error
    except RuleBrokenError as error:
        db.session.rollback()
        raise click.ClickException(str(error)) from error
    passages = "1 passage" if count == 1 else f"{count} passages"
    click.echo(f"Imported {row.question!r} as guidance of {organisation.name}, {passages}.")


def _require_place(given: Given) -> None:
    """Raise ClickException with the list of known slugs if one is unknown."""
    known = taxonomy()
    for option, slugs, names in (
        ("--category", (given["category"],), known.categories),
        ("--topic", given["topics"], known.topics),
    ):
        for slug in slugs:
            if slug not in names:
                raise click.ClickException(f"{option} {slug} is not one of {', '.join(names)}")


def _organisation(name: str) -> Organisation:
    organisation = organisations.find_by_name(name)
    if organisation is None:
        raise click.ClickException(f"There is no organisation named {name!r}.")
    return organisation


def _read(file: Path) -> FileText:
    mistakes: list[Mistake] = []
    raw = read_text(file.parent, file, mistakes)
    if raw is None:
        raise _wrong(file, ContentError(mistakes))
    text = tidy_text(raw)
    before = raw[: len(raw) - len(raw.lstrip())].count("\n")
    if file.suffix.lower() not in MARKDOWN:
        return FileText("", markdown.from_plain(text), before)
    first, _end, rest = text.partition("\n")
    if not first.startswith("# "):
        return FileText("", text, before)
    body = rest.strip()
    return FileText(first[2:], body, before + 1 + rest[: rest.find(body)].count("\n"))


def _words(text: FileText, given: Given) -> tuple[ArticleWords, int]:
    """Return the article, and the number of lines put before the text of the file.

    A text without passages becomes one passage, titled with the question and paired with the
    given items.
    """
    question = tidy_line(given["question"] or text.heading)
    if not question:
        raise click.ClickException(
            "--question is missing, and the file doesn't begin with a # heading."
        )
    before = ""
    headings = markdown.headings(text.body)
    if not any(heading.rank == markdown.PASSAGE_RANK for heading in headings):
        codes = f" {{{' '.join(given['items'])}}}" if given["items"] else ""
        before = f"## {markdown.as_title(question)}{codes}\n\n"
    elif given["items"]:
        raise click.ClickException(
            "--item is for a text without passages; name items in their headings: ## Title {M10}"
        )
    words = ArticleWords(
        question=question,
        summary=tidy_text(given["summary"]),
        category=given["category"],
        topics=given["topics"],
        body=before + text.body,
    )
    return words, before.count("\n")


def _wrong(file: Path, error: ContentError, moved: int = 0) -> click.ClickException:
    lines = _lines(file)
    mistakes = (
        replace(mistake, file=str(file), line=max(1, mistake.line + moved))
        for mistake in error.mistakes
    )
    return click.ClickException(
        "\n".join(line for mistake in mistakes for line in in_full(mistake, lines))
    )


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
