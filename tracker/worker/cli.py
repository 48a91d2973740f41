"""Commands that run the application: run, worker, check, recheck."""

import datetime as dt
import errno
import logging
import signal
import socket
import sys
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click
from flask import current_app
from flask.cli import with_appcontext

from tracker.accounts.factors import binding
from tracker.accounts.queries import has_people
from tracker.core.db import db, reading
from tracker.demo import cli as demonstration
from tracker.evidence import disagreements
from tracker.evidence.certificates import service as certificates
from tracker.key_changes import queries as key_changes
from tracker.mail import transport
from tracker.settings import LogFormat, Settings
from tracker.worker import (
    failures,
    health,
    jobs,
    prepare,
    supervisor,
)
from tracker.worker import (
    recheck as worker_recheck,
)

# Certificates are made within seconds; after this long something is wrong.
LATE = dt.timedelta(minutes=30)

logger = logging.getLogger(__name__)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _say(line: str, *, is_error: bool = False) -> None:
    """Print a line for whoever starts the application; or log it, if programs read the lines."""
    if _settings().log_format is LogFormat.JSON:
        logger.log(logging.ERROR if is_error else logging.INFO, "%s", line)
    else:
        click.echo(line, err=is_error)


@click.command("run")
@with_appcontext
def run() -> None:
    """Prepare the database, then run the server and one worker."""
    settings = _settings()
    require_free_address(settings.host, settings.port, "TRACKER_PORT")
    if settings.metrics_port:
        require_free_address(settings.metrics_host, settings.metrics_port, "TRACKER_METRICS_PORT")
    prepare_or_stop(settings)
    if settings.demo and prepare.is_first_start():
        _say("Loading the demonstration")
        demonstration.load_with_progress()
    demonstration.print_accounts()
    if not has_people():
        _say("Nobody has an account yet. In another terminal, invite the first administrator:")
        _say(f"  {_invite_command()}")
    _say(f"Common Terms is at {settings.base_url}  (Ctrl+C stops it)")
    db.session.remove()
    db.engine.dispose()
    supervisor.become()


def require_free_address(host: str, port: int, setting: str) -> None:
    """Exit with one line if the address can't be listened on; setting is the name of its port.

    The server's processes share its port, so a second server could start on it unnoticed, and
    requests would go to one or the other.
    """
    try:
        with socket.create_server((host, port), family=_family(host)):
            return
    except OSError as error:
        _stop_without(host, port, setting, error)


def _stop_without(host: str, port: int, setting: str, error: OSError) -> NoReturn:
    why = (
        f"something is already listening there. Stop it, or set {setting} to another port"
        if error.errno == errno.EADDRINUSE
        else (error.strerror or "").split(" (")[0]
    )
    _say(f"Can't start on {host}, port {port}: {why}.", is_error=True)
    sys.exit(1)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def prepare_or_stop(settings: Settings) -> None:
    """Prepare the database, or exit with one line that says what is wrong."""
    try:
        prepare.prepare(settings, _say)
    except prepare.PreparationError as error:
        _say(f"Can't start: {error}", is_error=True)
        sys.exit(1)


def bind_or_stop() -> None:
    """Bind the accounts of an earlier version, or exit with one line that says what is wrong."""
    try:
        prepare.bind_accounts(_say)
    except prepare.PreparationError as error:
        _say(f"Can't start: {error}", is_error=True)
        sys.exit(1)


def _invite_command() -> str:
    """Return the command that invites the first administrator, as it can be copied."""
    program = Path(sys.executable).with_name("tracker")
    here = Path.cwd()
    shown = program.relative_to(here) if program.is_relative_to(here) else program
    return f"{shown} invite ADDRESS"


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Run a worker: mail, certificates, expiry, reminders, readiness of visits.

    Several can run at the same time.
    """
    goes_on = True

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal goes_on
        goes_on = False

    for number in supervisor.STOP_SIGNALS:
        signal.signal(number, stop)
    settings = _settings()
    bind_or_stop()
    with ExitStack() as stack:
        if settings.metrics_port:
            # Imported only if somebody asks for it (docs/adr/0051).
            metrics = import_module("tracker.worker.metrics")
            app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 -- werkzeug's way
            try:
                stack.enter_context(metrics.served(app))
            except OSError as error:
                host, port = settings.metrics_host, settings.metrics_port
                _stop_without(host, port, "TRACKER_METRICS_PORT", error)
        jobs.run_for_ever(
            transport.from_url(settings.mail_url),
            timestamp_url=settings.timestamp_url,
            goes_on=lambda: goes_on,
        )


@click.command("recheck")
@click.option("--all", "every", is_flag=True, help="Recheck all cooperations.")
@click.argument("references", nargs=-1)
@with_appcontext
def recheck(references: tuple[str, ...], *, every: bool) -> None:
    """Recompute the counts, stages and readiness of cooperations, and print what differed.

    Nothing should differ, since all of it is recomputed before each commit. What differs is
    corrected.
    """
    if every == bool(references):
        message = "Give the references of cooperations, or --all."
        raise click.UsageError(message)
    cooperations = worker_recheck.named(None if every else references)
    if missing := set(references) - {reference for _id, reference in cooperations}:
        message = f"There is no cooperation {', '.join(sorted(missing))}."
        raise click.ClickException(message)
    differed = 0
    for cooperation_id, reference in cooperations:
        for difference in worker_recheck.recheck(cooperation_id):
            values = f"{_shown(difference.before)} became {_shown(difference.after)}"
            click.echo(f"{reference}, {difference.kind} {difference.id}: {values}")
            differed += 1
        db.session.commit()
    click.echo(f"Cooperations: {len(cooperations)}. Values that differed: {differed}.")


def _shown(values: tuple[object, ...]) -> str:
    return ", ".join(map(str, values)) or "nothing"


@click.command("check")
@with_appcontext
def check() -> None:
    """Check database, content, worker, certificates, accounts, texts, jobs, storage, backup.

    Prints what is wrong, and exits 1 if anything is. Also says which keys are being changed, and
    when timestamps in certificates end.
    """
    with reading():
        _report()


def _tell_key_changes(state: health.Health) -> None:
    """Print a line for what is written under each key that is being changed."""
    for changing in key_changes.states() if state.database == "well" else ():
        for part in changing.parts:
            click.echo(f"  {changing.word}, {part.name}: {part.left} of {part.total} left")


def _report() -> None:
    state = health.look(backup_days=_settings().backup_days, tries_to_write=True)
    known = state.database == "well"
    refused = binding.refused() if known else []
    if known:
        state = replace(state, accounts=health.SOME_REFUSED if refused else "well")
    click.echo(f"database: {state.database}")
    click.echo(f"content: {state.content}")
    click.echo(f"worker: {state.worker}")
    click.echo(f"certificates: {state.certificates}")
    for failing in certificates.failing() if known else ():
        click.echo(
            f"  {failing.reference}, {failing.kind}, revision {failing.number}: {failing.error}"
            f" ({failing.tries} attempts; next at {failing.next_try_at:%Y-%m-%d %H:%M} UTC)"
        )
    click.echo(f"accounts: {state.accounts}")
    for email, fault in refused:
        click.echo(f"  {email}: {fault.value}")
    click.echo(f"texts: {state.texts}")
    for text in disagreements.known() if known else ():
        click.echo(f"  {text.reference}, {text.kind or text.subject_type}")
    click.echo(f"jobs: {state.jobs}")
    for failure in failures.known() if known else ():
        click.echo(
            f"  {failure.job} {failure.object}: {failure.error}"
            f" ({failure.tries} attempts; next after {failure.next_try_at:%Y-%m-%d %H:%M} UTC)"
        )
    click.echo(f"storage: {state.storage}")
    click.echo(f"backup: {state.backup}")
    click.echo(f"keys: {state.keys}")
    _tell_key_changes(state)
    click.echo(f"timestamps: {state.timestamps}")
    late = certificates.overdue(LATE) if known else 0
    if late:
        click.echo(f"certificates: {late} late")
    if late or not state.is_well:
        sys.exit(1)
