"""Preparation before serving: copy the database, migrate it, load content and demonstration."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from tracker.accounts.factors import adoption
from tracker.activity import chain as arithmetic
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.models import Chain, ChainKind
from tracker.checklists import service as checklists
from tracker.checklists.assignments import service as assignments
from tracker.checklists.model_texts import library
from tracker.cooperations import entries as cooperation_entries
from tracker.core import clock, paths
from tracker.core.db import db
from tracker.core.keys import KeysError
from tracker.core.mistakes import ContentError, report
from tracker.evidence.keys import signing_keys
from tracker.lifecycle import planned_ends
from tracker.oversight import adopting, entries
from tracker.settings import Settings
from tracker.worker import health, schema, statistics

Say = Callable[[str], None]

# The number of PostgreSQL's advisory lock; any that nothing else uses in this database.
PREPARING = 1_107_520_411


class PreparationError(Exception):
    """Raised when the application can't start; the message says why and how to go back."""


def prepare(settings: Settings, say: Say) -> None:
    """Migrate the database, adopt older rows and load the content, or raise PreparationError.

    Machines that start on one PostgreSQL database at the same time do this one after the other.
    """
    with _alone(say):
        _prepare(settings, say)


@contextmanager
def _alone(say: Say) -> Iterator[None]:
    """Keep other machines from preparing the same database in the block; wait if one does.

    If this process ends or its connection breaks, PostgreSQL releases the lock. SQLite is used on
    one machine.
    """
    if db.engine.dialect.name != "postgresql":
        yield
        return
    # In a transaction of its own it would keep old rows of all tables from being removed.
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(PREPARING))):
            say("Another machine is preparing the database; waiting until it is done")
            connection.execute(sa.select(sa.func.pg_advisory_lock(PREPARING)))
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(PREPARING)))


def _prepare(settings: Settings, say: Say) -> None:
    has_own_keys()
    migrate(settings, say)
    require_own_keys()
    adopt_rows(say)
    bind_accounts(say)
    fill_lists(say)
    fill_register(say)
    drop_planned_ends(say)
    assignments.work_out_missing()
    checklists.work_out_readiness()
    make_evidence_keys(say)
    for line in load_content():
        say(f"Loaded {line}")
    statistics.refresh()


def migrate(settings: Settings, say: Say) -> None:
    """Migrate the schema; a database that contains data is copied first."""
    present, wanted = health.schema_revision(), health.newest_revision()
    db.session.rollback()
    if present == wanted:
        return
    if present is not None and not schema.is_known(present):
        message = (
            f"The database is at {present}, which this version does not know: it was used with a "
            "newer version. Start that version, or restore a copy of the database."
        )
        raise PreparationError(message)
    copy = _copy(settings, present) if present is not None else None
    if copy:
        say(f"Copied the database to {copy}")
    try:
        schema.upgrade()
    except Exception as error:  # whatever went wrong, the start must stop and say how to go back
        db.session.rollback()
        back = (
            f" A copy was made before: {copy}. Restore it, or repair the database and start again."
            if copy
            else ""
        )
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        message = f"The migration failed: {words}.{back}"
        raise PreparationError(message) from error
    say(f"Migrated the database to {wanted}")


def _copy(settings: Settings, present: str) -> Path:
    folder = settings.data_dir / "copies"
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"{clock.now():%Y%m%d-%H%M%S}-before-{present}-upgrade"
    if db.engine.dialect.name == "sqlite":
        return _copy_sqlite(Path(str(db.engine.url.database)), folder / f"{name}.sqlite3")
    return _copy_postgresql(db.engine.url, folder / f"{name}.dump")


def _copy_sqlite(source: Path, target: Path) -> Path:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
    os.close(descriptor)
    before, after = sqlite3.connect(source), sqlite3.connect(target)
    try:
        before.backup(after)
    finally:
        after.close()
        before.close()
    return target


def _copy_postgresql(url: sa.URL, target: Path) -> Path:
    program = shutil.which("pg_dump")
    if program is None:
        message = (
            "pg_dump is not installed, so the database can't be copied before it is migrated. "
            "Install PostgreSQL's client, or copy the database yourself and run tracker db upgrade."
        )
        raise PreparationError(message)
    # Anybody on the machine can read the arguments of a program, and only its owner the rest.
    password = url.query.get("password") or url.password
    address = url.set(drivername="postgresql").difference_update_query(["password"])
    shown = address._replace(password=None).render_as_string()
    secrets = {"PGPASSWORD": str(password)} if password else {}
    done = subprocess.run(  # noqa: S603 -- the program was found, the address is the operator's own
        [program, "--format=custom", f"--file={target}", f"--dbname={shown}"],
        env={**os.environ, **secrets},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"pg_dump failed, so nothing was migrated: {done.stderr.strip()}"
        raise PreparationError(message)
    target.chmod(0o600)
    return target


def require_own_keys() -> None:
    """Raise PreparationError if other keys sealed this database; begin the trail of a new one."""
    if not has_own_keys():
        _begin_instance()


def has_own_keys() -> bool:
    """Return whether these keys sealed this database, or False if it has no trail yet.

    Raise PreparationError if other keys did. Works before the schema is migrated, so that the
    database of another instance stays as it is.
    """
    first = None
    if sa.inspect(db.session.connection()).has_table(Chain.__tablename__):
        # Only columns that every schema has; the chain of a visit is of another kind.
        columns = (Chain.kind, Chain.id, Chain.cooperation_id, Chain.head, Chain.count, Chain.seal)
        query = sa.select(*columns).where(Chain.kind == ChainKind.INSTANCE)
        first = db.session.execute(query).first()
    if first is not None and not arithmetic.head_is_authentic(first.kind.value, *first[1:]):
        message = (
            "The keys in the data directory don't belong to this database, or its trail was "
            "altered. Restore the keys; run tracker audit verify for details."
        )
        raise PreparationError(message)
    db.session.rollback()
    return first is not None


def bind_accounts(say: Say) -> None:
    """Bind the accounts of a version that did not bind credentials yet; happens once."""
    try:
        adopted = adoption.adopt()
    except adoption.AlteredTrailError as error:
        db.session.rollback()
        message = (
            f"The instance's trail was altered ({error}), so credentials can't be bound to "
            "accounts. Run tracker audit verify for details."
        )
        raise PreparationError(message) from error
    db.session.commit()
    if adopted is not None and adopted.accounts:
        say(f"Bound credentials: accounts {adopted.accounts}, passkeys {adopted.passkeys}")


def adopt_rows(say: Say) -> None:
    """Bind the rows of an instance older than row binding, as they are; happens once."""
    count = adopting.adopt_rows()
    if count:
        say(f"Bound the decisive rows, which are checked from now on; chains: {count}")


def fill_lists(say: Say) -> None:
    """Create the entries of cooperations older than those; happens once."""
    count = cooperation_entries.fill_missing()
    if count:
        say(f"Created the entries of the list of cooperations: {count}")


def fill_register(say: Say) -> None:
    """Create the register's entries of cooperations older than those; happens once."""
    count = entries.fill_missing()
    if count:
        say(f"Created the register's entries; cooperations: {count}")


def drop_planned_ends(say: Say) -> None:
    """Drop planned last days that an agreement on paper doesn't name; happens once."""
    count = planned_ends.drop()
    if count:
        say(f"Dropped planned last days that no agreement on paper names; cooperations: {count}")


def make_evidence_keys(say: Say) -> None:
    """Create the keys that sign checkpoints and documents, if there are none yet.

    A lost key does not stop the start: people can work, and only new checkpoints and
    certificates have to wait for it.
    """
    try:
        missing = signing_keys.make_missing()
    except KeysError as error:
        db.session.rollback()
        raise PreparationError(str(error)) from error
    db.session.commit()
    for key in missing:
        say(f"Created the {key.use.value} key {key.number}, SHA-256 {key.fingerprint}")
    for line in signing_keys.trouble():
        say(f"Problem with the evidence keys: {line}")
    db.session.rollback()


def _begin_instance() -> None:
    started = trail.start_chain(None)
    trail.record(verbs.INSTANCE_STARTED, actor=None, subject_type="instance", subject_id=started.id)
    db.session.commit()


def load_content() -> list[str]:
    """Load guidance and checklists; return a line for each one that is new."""
    try:
        done = library.load_content()
    except ContentError as error:
        db.session.rollback()
        raise PreparationError(report(error, paths.CONTENT)) from error
    db.session.commit()
    return done


def is_first_start() -> bool:
    """Return whether nobody has used this instance yet: it has no organisation."""
    count = db.session.scalar(sa.select(sa.func.count()).select_from(sa.text("organisation")))
    db.session.rollback()
    return not count
