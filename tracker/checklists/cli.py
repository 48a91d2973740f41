"""Commands for content: load it, and check that it covers the source, and try its model texts."""

import sys

import click
from flask.cli import AppGroup

from tracker.checklist_templates import coverage, library, risky_phrases
from tracker.checklists.model_texts import library as model_texts
from tracker.checklists.model_texts import trials
from tracker.core import paths
from tracker.core.db import db
from tracker.core.mistakes import ContentError, report
from tracker.guidance import library as guidance_texts

content = AppGroup("content", help="Load guidance and checklists, and check them.")


@content.command("load")
def load() -> None:
    """Load guidance and checklists that are not loaded yet."""
    try:
        changes = model_texts.load_content()
    except ContentError as error:
        db.session.rollback()
        click.echo(report(error, paths.CONTENT), err=True)
        sys.exit(1)
    db.session.commit()
    for change in changes:
        click.echo(f"Loaded {change}")
    click.echo("The content is up to date.")


@content.command("check", with_appcontext=False)
def check() -> None:
    """Print what the content covers, and try the model text in each way of working.

    Exit 1 if anything is missing or a model text has faults. Needs no database.
    """
    try:
        files = library.read(paths.CONTENT)
        wordings = risky_phrases.read(paths.CONTENT)
        covered = coverage.look(guidance_texts.read(paths.CONTENT), files, wordings)
        texts = model_texts.read(paths.CONTENT, [file.template for file in files])
    except ContentError as error:
        click.echo(report(error, paths.CONTENT), err=True)
        sys.exit(1)
    trial = trials.try_files(
        texts, [file.template for file in files], [file.phrases for file in wordings]
    )
    for line in (*covered.lines(paths.CONTENT), *trial.lines()):
        click.echo(line)
    sys.exit(0 if covered.is_whole and trial.is_whole else 1)
