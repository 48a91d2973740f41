"""Command of the trail: verify that nothing was altered."""

import sys

import click
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from tracker.core.keys import KeysError
from tracker.oversight import integrity, labels

NOT_CHECKED = 2

audit_group = AppGroup("audit", help="The trail of what happened.")


class NotCheckedError(click.ClickException):
    """The check could not be made; told apart from a broken trail by the exit code."""

    exit_code = NOT_CHECKED


@audit_group.command("verify")
def verify() -> None:
    """Check that nothing was altered in the trail, the frozen revisions and the signatures.

    Exit 0: nothing was altered. Exit 1: something was, and the first broken place is named. Exit 2:
    the check could not be made. Signature requests (who was asked to sign) are no evidence and are
    not checked.
    """
    with click.progressbar(
        length=1, label="Checking", file=sys.stderr, update_min_steps=200
    ) as bar:

        def report(total: int) -> None:
            bar.length = total
            bar.update(1)

        try:
            verdict = integrity.check_all(report)
        except integrity.NotCheckableError as error:
            raise NotCheckedError(str(error)) from error
        except (SQLAlchemyError, KeysError) as error:
            raise NotCheckedError(f"The database can't be read: {_first_line(error)}") from error
    counted = labels.count_words(verdict.counts)
    if verdict.finding is not None:
        raise click.ClickException(
            f"The trail is broken. {labels.finding_words(verdict.finding)} "
            f"Sound until there: {counted}."
        )
    click.echo(f"Nothing was altered: {counted}.")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
