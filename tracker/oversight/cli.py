"""The command that audits the database: whether anything was altered."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from tracker.core.db import db
from tracker.core.keys import KeysError
from tracker.evidence.log import notes
from tracker.evidence.log.notes import Checkpoint, NoteError
from tracker.oversight import integrity, labels, last_check

NOT_CHECKED = 2

audit_group = AppGroup("audit", help="Verify that nothing was altered.")


class NotCheckedError(click.ClickException):
    """Raised when the audit can't run; its exit code differs from that of a failed audit."""

    exit_code = NOT_CHECKED


@audit_group.command("verify")
@click.option(
    "--anchor",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint kept elsewhere: its text, or the mail it came in. Repeatable.",
)
def verify(files: tuple[Path, ...]) -> None:
    """Verify that nothing was altered: the trail, texts, signatures, and decisive rows.

    Each decisive row is compared with what the events say about it; docs/threat-model.md lists the
    rows that decide nothing. The stored status of each text is compared with its signatures and
    events. The log's checkpoints are compared with the chains, so a chain that was rewritten as a
    whole is found. With an anchor, so is a database restored from an older copy.

    Exit 0: nothing was altered. Exit 1: something was, and the first broken row is named. Exit 2:
    the audit could not run. What was erased by a recorded act is reported and is no fault. If
    nothing was altered, the trail records that it was checked, and registers show when.
    """
    audit([_anchor(file) for file in files])
    try:
        last_check.record_instance_intact()
        db.session.commit()
    except SQLAlchemyError as error:
        db.session.rollback()
        click.echo(f"The register can't show this check: {_first_line(error)}", err=True)


def audit(anchors: Sequence[Checkpoint]) -> None:
    """Run the audit and print its verdict; raise ClickException if something was altered.

    Raise NotCheckedError if it can't run.
    """
    with click.progressbar(
        length=1, label="Checking", file=sys.stderr, update_min_steps=200
    ) as bar:

        def report(total: int) -> None:
            bar.length = total
            bar.update(1)

        try:
            verdict = integrity.check_all(report, anchors)
        except integrity.NotCheckableError as error:
            raise NotCheckedError(str(error)) from error
        except (SQLAlchemyError, KeysError) as error:
            raise NotCheckedError(f"The database can't be read: {_first_line(error)}") from error
    counted = labels.count_words(verdict.counts)
    if verdict.finding is not None:
        raise click.ClickException(
            f"The trail is broken. {labels.finding_words(verdict.finding)} "
            f"Sound up to there: {counted}."
        )
    click.echo(f"Nothing was altered: {counted}.")
    for erasure in verdict.erased:
        click.echo(labels.erasure_words(erasure))
    if verdict.adopted_at is not None:
        click.echo(
            "Rows older than row binding have been checked since they were bound as they were, "
            f"on {verdict.adopted_at.date().isoformat()}."
        )
    if verdict.not_adopted:
        click.echo(
            f"Chains whose rows are not checked yet: {verdict.not_adopted}. "
            "Start the application once (tracker run) to bind them."
        )


def _anchor(file: Path) -> Checkpoint:
    try:
        return Checkpoint.read(notes.text_of(file.read_bytes()))
    except NoteError as error:
        raise NotCheckedError(f"{file} contains no checkpoint: {error}") from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
