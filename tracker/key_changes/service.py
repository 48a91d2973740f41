"""Changing a key of the instance while it runs: a new one, everything under it, the old one away.

Each step can be interrupted, and is continued where it stopped: what is left to do is read from the
values themselves (docs/adr/0088).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import NAMESPACE_OID, UUID, uuid5

import sqlalchemy as sa

from tracker.accounts.factors import key_changes as accounts
from tracker.accounts.factors.key_changes import Outcome
from tracker.accounts.models import User
from tracker.activity import queries as activity
from tracker.activity import seals as chains
from tracker.activity import service as trail
from tracker.activity.verbs import KEY_CHANGE_BEGUN, KEY_CHANGE_ENDED, Verb
from tracker.core import crypto, keys
from tracker.core.db import apart, db, reading
from tracker.core.keys import KeysError
from tracker.evidence.keys import signing_keys
from tracker.key_changes import queries
from tracker.key_changes.pace import Pace
from tracker.key_changes.queries import FIELDS, RECOVERY_CODES, Field, Part

SUBJECT = "instance_key"
# Where files of keys lie that nothing is under any more; nobody reads them there.
FORMER = "former"
# How long transactions are waited for that began before the new key was used.
WAIT_SECONDS = 60.0
_INTERVAL_SECONDS = 0.05

# Called after each batch with the number of its values.
Report = Callable[[int], None]


class ChangeError(Exception):
    """Raised when a key can't be changed, or not to its end; the message says why in one line."""


@dataclass(slots=True)
class Left:
    """What stays under the earlier key, since somebody changed it outside the application."""

    accounts: int = 0
    # Of these, the ones with recovery codes that were to be dropped.
    codes: int = 0
    chains: int = 0
    cooperation_keys: int = 0
    others: int = 0


def folder() -> Path:
    """Return the folder of keys; raise KeysError if the keys of this process are of none."""
    value = keys.KEYS.get()
    if not isinstance(value, keys.WatchedFolder):
        raise KeysError("The keys of this process are in no folder.")
    return value.directory


# Preparing and beginning --------------------------------------------------------------------------


def is_under_way(name: str) -> bool:
    """Return whether a new key is in use, and an earlier one still read."""
    own = keys.current()
    return min(own.of(name)) < own.number(name)


def prepared(name: str) -> Path | None:
    """Return the file of a key that is created and not used yet; None if there is none."""
    own = keys.current()
    number = max(own.of(name))
    if number == own.number(name):
        return None
    return folder() / keys.file_name(name, number, is_prepared=True)


def prepare(name: str) -> Path:
    """Create a new key, which is only read yet; return its file."""
    if name == "trail":
        _store_rows_key()
    number = keys.current().number(name) + 1
    path = folder() / keys.file_name(name, number, is_prepared=True)
    keys.write_new(path, crypto.new_key())
    return path


def _store_rows_key() -> None:
    """Give the key for digests of rows a file of its own, if it still comes from the trail's."""
    path = folder() / keys.file_name(keys.ROWS)
    if not path.exists():
        keys.write_new(path, keys.current().rows)


def begin(name: str) -> int:
    """Use the prepared key from now on, and record it; return its number."""
    path = prepared(name)
    if path is None:
        raise LookupError(name)
    try:
        with keys.changing(folder()):
            path.rename(path.with_suffix(".key"))
    except OSError as error:
        raise ChangeError(f"{path} can't be renamed: {error.strerror}.") from error
    return record_begun(name)


def record_begun(name: str) -> int:
    """Record that a key is used from now on, unless it is recorded; return its number."""
    number = keys.current().number(name)
    _record_once(KEY_CHANGE_BEGUN, name, number)
    return number


def _record_once(verb: Verb, name: str, number: int) -> None:
    subject_id = uuid5(NAMESPACE_OID, f"common-terms key {name} {number}")
    trail.lock_chain(None)
    if not activity.has_happened_to(verb, SUBJECT, subject_id):
        trail.record(
            verb,
            actor=None,
            subject_type=SUBJECT,
            subject_id=subject_id,
            name=name,
            number=number,
        )
    db.session.commit()


def wait_for_earlier_transactions() -> None:
    """Return once everything is committed that may have been written under the earlier key.

    Processes use a new key from their next use on. Raise ChangeError if a transaction that began
    before doesn't end in a minute.
    """
    if db.engine.dialect.name == "sqlite":
        with apart() as session:  # there is one writer at a time
            session.connection()
        return
    # Each statement in a transaction of its own: within one the server shows the same moment.
    alone = {"isolation_level": "AUTOCOMMIT"}
    with db.engine.connect().execution_options(**alone) as connection:
        since = connection.scalar(sa.text("SELECT clock_timestamp()"))
        give_up = time.monotonic() + WAIT_SECONDS
        while connection.scalar(_EARLIER, {"since": since}):
            if time.monotonic() > give_up:
                raise ChangeError(
                    "A transaction of another process has been open for a minute. Run the command "
                    "again."
                )
            time.sleep(_INTERVAL_SECONDS)


_EARLIER = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND xact_start < :since"
)


# Writing again ------------------------------------------------------------------------------------


def write_again(name: str, report: Report) -> Left:
    """Write everything under the key in use that is under an earlier one, in short transactions.

    Return what was left, since it isn't as the application wrote it.
    """
    number = keys.current().number(name)
    if name == "fields":
        return _encrypt_fields(number, report)
    if name == "trail":
        return _seal_again(number, report)
    return _encrypt_apps(number, report)


def _encrypt_fields(number: int, report: Report) -> Left:
    with reading():
        signing_keys.encrypt_files_again(number)
    left = Left()
    pace = Pace()
    for field in FIELDS:
        unreadable = sum(_encrypt_rows(field, number, pace, report))
        if field is FIELDS[0]:
            left.cooperation_keys = unreadable
        else:
            left.others += unreadable
    return left


def _encrypt_rows(field: Field, number: int, pace: Pace, report: Report) -> Iterator[int]:
    """Encrypt the rows of a column again; yield how many of each batch can't be read.

    The rows are read and encrypted before the write begins. A row that changed in between stays as
    it is: whoever changed it used the new key.
    """
    key = field.columns[0]
    table = cast("sa.Table", field.column.class_.__table__)
    query = sa.select(*field.columns, field.column).where(field.is_of_another_key(number))
    update = (
        sa.update(table)
        .where(
            table.c[key.key] == sa.bindparam("row"),
            table.c[field.column.key] == sa.bindparam("before"),
        )
        .values({field.column.key: sa.bindparam("encrypted")})
    )
    after = None
    while True:
        wanted = query.order_by(key).limit(pace.size)
        with reading():
            rows = db.session.execute(wanted if after is None else wanted.where(key > after)).all()
        if not rows:
            return
        after = rows[-1][0]
        changes = []
        for *columns, before in rows:
            context = field.context(*columns)
            try:
                encrypted = crypto.seal_field(crypto.unseal_field(before, context), context)
            except crypto.SealBrokenError:
                continue
            changes.append({"row": columns[0], "before": before, "encrypted": encrypted})
        if changes:
            with pace.writing() as session:
                session.connection().execute(update, changes)
        report(len(rows))
        yield len(rows) - len(changes)


def _seal_again(number: int, report: Report) -> Left:
    left = Left()
    pace = Pace()
    done = True
    while done:  # again, for chains that somebody was writing to
        done, left.chains = False, 0
        for batch in _seal_chains(number, pace):
            done = done or batch.done > 0
            left.chains += batch.altered
            report(batch.done)
    left.accounts = _each_account(accounts.has_other_seal(number), accounts.seal_again, report)
    return left


def _seal_chains(number: int, pace: Pace) -> Iterator[chains.Batch]:
    """Seal all chains once that are under an earlier key; they are sought without any lock."""
    after = None
    while True:
        with reading():
            chain_ids = chains.to_seal(number, after, pace.size)
        if not chain_ids:
            return
        after = chain_ids[-1]
        with pace.writing() as session:
            batch = chains.seal_again(session, number, chain_ids)
        yield batch


def _encrypt_apps(number: int, report: Report) -> Left:
    wanted = accounts.has_other_secret(number)
    return Left(accounts=_each_account(wanted, accounts.encrypt_again, report))


def drop_codes(number: int, report: Report) -> int:
    """Delete recovery codes that are under an earlier key; return of how many accounts not."""

    def drop(user_id: UUID) -> Outcome:
        return accounts.drop_codes(user_id, number)

    return _each_account(accounts.has_other_codes(number), drop, report)


def _each_account(
    wanted: sa.ColumnElement[bool], act: Callable[[UUID], Outcome], report: Report
) -> int:
    """Do something to each account in a transaction of its own; return how many are refused."""
    refused = 0
    with reading():
        waiting = list(db.session.scalars(sa.select(User.id).where(wanted).order_by(User.id)))
    pace = Pace()
    for user_id in waiting:
        begun = time.monotonic()
        outcome = act(user_id)
        db.session.commit()
        pace.note(time.monotonic() - begun)
        refused += outcome is Outcome.REFUSED
        report(1)
    return refused


# Ending -------------------------------------------------------------------------------------------


def end(name: str, left: Left) -> list[Path]:
    """Put the earlier key away and record it, if nothing is under it; return where its files are.

    Raise ChangeError if something is. What can't be read under it, and decides nothing, doesn't
    count; nor do accounts that are refused.
    """
    number = keys.current().number(name)
    with reading():
        parts = queries.parts(name, number)
    _require_nothing_under_it(parts, left)
    _record_once(KEY_CHANGE_ENDED, name, number)
    if name == "trail":  # on another machine, where nobody copied it
        _store_rows_key()
    put_away = []
    former = folder() / FORMER
    try:
        former.mkdir(mode=0o700, exist_ok=True)
        with keys.changing(folder()):
            for (of, earlier), path in keys.files(folder()).items():
                if of == name and earlier < number:
                    put_away.append(path.rename(former / path.name))
    except OSError as error:
        raise ChangeError(f"{error.filename} can't be moved: {error.strerror}.") from error
    return put_away


def _require_nothing_under_it(parts: tuple[Part, ...], left: Left) -> None:
    if left.chains or left.cooperation_keys:
        raise ChangeError(
            "Something was changed outside the application and can't be read under the earlier "
            "key, which stays in use for reading. Run tracker audit verify."
        )
    for part in parts:
        ignored = {
            FIELDS[0].name: 0,
            queries.SEALED_ACCOUNTS: left.accounts,
            queries.APPS: left.accounts,
            RECOVERY_CODES: left.codes,
            queries.EVIDENCE_KEYS: part.left,
        }.get(part.name, left.others)
        if part.name == RECOVERY_CODES and part.left > ignored:
            raise ChangeError(
                f"People with recovery codes under the earlier key: {part.left}. They can use "
                "them, and create new ones on the page of their account. Run the command again "
                "when they have, or with --drop-codes, which deletes those codes."
            )
        if part.left > ignored:
            raise ChangeError(
                f"Of {part.total} {part.name}, {part.left} are under the earlier key: somebody "
                "changed them meanwhile, or a machine doesn't have the new key. Run the command "
                "again."
            )
