"""The database: the base class of models, portable column types, transactions."""

import datetime as dt
import enum
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import (
    DeclarativeBase,
    InstrumentedAttribute,
    Mapped,
    ORMExecuteState,
    Session,
    SessionTransaction,
    aliased,
    joinedload,
    mapped_column,
    registry,
)
from sqlalchemy.orm.strategy_options import _AbstractLoad
from sqlalchemy.pool import ConnectionPoolEntry

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(sa.TypeDecorator[dt.datetime]):
    """A datetime column that is always aware and in UTC; naive values are refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Convert to UTC; SQLite stores no zone, so it is removed there."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "A moment without a time zone can't be stored."
            raise ValueError(message)
        moment = value.astimezone(dt.UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return value.replace(tzinfo=dt.UTC)
        return value.astimezone(dt.UTC)


# A page reads the same few ids many times, and parsing them takes 3 % of its time on SQLite.
@lru_cache(maxsize=8192)
def _parsed_id(value: str | None) -> UUID | None:
    return None if value is None else UUID(value)


class Identifier(sa.Uuid[UUID]):
    """An id column; where the database stores text, parsed ids are cached."""

    cache_ok = True

    def result_processor(
        self,
        dialect: Dialect,
        coltype: object,  # noqa: ARG002 -- as the library calls it
    ) -> Callable[[str | None], UUID | None] | None:
        """Return the function that parses ids; None where the driver returns UUIDs."""
        if dialect.supports_native_uuid:
            return None
        return _parsed_id


def _values(kind: type[enum.Enum]) -> list[str]:
    return [member.value for member in kind]


class Base(DeclarativeBase):
    """Base class of every model: constraint names, and enums stored by value."""

    registry = registry(
        metadata=sa.MetaData(naming_convention=NAMES),
        type_annotation_map={
            dt.datetime: UtcDateTime(),
            UUID: Identifier(),
            str: sa.Text(),
            enum.Enum: sa.Enum(enum.Enum, native_enum=False, length=40, values_callable=_values),
            dict[str, Any]: sa.JSON(),
            dict[str, str]: sa.JSON(),
            list[str]: sa.JSON(),
            list[dict[str, Any]]: sa.JSON(),
        },
    )


class Identified:
    """Base class of models with a random id, which doesn't reveal how many rows there are."""

    id: Mapped[UUID] = mapped_column(Identifier(), primary_key=True, default=uuid4)


db = SQLAlchemy(model_class=Base)

Found = TypeVar("Found", bound=Base)

# Whether the next transaction will write. If so, SQLite takes its write lock at the beginning, so
# that two writers wait for each other instead of failing half-way. Requests that only read set it
# to False, and see one state of the database: rows, signatures and events are compared with each
# other, and what others commit in between would make sound ones disagree.
will_write: ContextVar[bool] = ContextVar("will_write", default=True)


# The file that a connection to SQLite opened, in its info.
FILE = "file"


def identity_of(file: Path) -> tuple[int, int] | None:
    """Return what distinguishes a file from one that takes its place; None if there is none."""
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


@event.listens_for(Engine, "do_connect")
def _prepare_fewer_statements(
    dialect: Dialect, _record: object, _arguments: list[Any], options: dict[str, Any]
) -> None:
    """Let a connection of SQLite keep 32 prepared statements, not 128: 1 MB less each (adr 51)."""
    if dialect.name == "sqlite":
        options.setdefault("cached_statements", 32)


@event.listens_for(Engine, "connect")
def _set_sqlite_pragmas(connection: object, record: ConnectionPoolEntry) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    _number, _name, file = connection.execute("PRAGMA database_list").fetchone()
    if file:
        record.info[FILE] = identity_of(Path(file))
    connection.isolation_level = None
    for pragma in (
        "foreign_keys=ON",
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=20000",
        "secure_delete=ON",
        # In KiB. The operating system caches what is read often, for all processes together.
        "cache_size=-500",
    ):
        connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if will_write.get() else "BEGIN")
    else:
        _set_isolation(connection.connection.driver_connection, reads=not will_write.get())


def _set_isolation(driver: object, *, reads: bool) -> None:
    """Let the next transaction see one state of the database if it only reads.

    Nothing is sent: the driver puts it into its BEGIN.
    """
    # Only where PostgreSQL is used: importing it takes a fifth of a second.
    from psycopg import Connection as Driver  # noqa: PLC0415
    from psycopg import IsolationLevel  # noqa: PLC0415

    level = IsolationLevel.REPEATABLE_READ if reads else None
    if isinstance(driver, Driver) and not driver.autocommit and driver.isolation_level != level:
        driver.isolation_level = level
        driver.read_only = reads or None


_WRITTEN = "written_in_this_transaction"


@event.listens_for(Session, "after_flush")
def _note_flush(session: Session, _context: object) -> None:
    session.info[_WRITTEN] = True


@event.listens_for(Session, "do_orm_execute")
def _note_execution(state: ORMExecuteState) -> None:
    if not state.is_select:
        state.session.info[_WRITTEN] = True


@event.listens_for(Session, "after_transaction_end")
def _forget_writing(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:  # the transaction goes on after a savepoint
        session.info.pop(_WRITTEN, None)


class Unavailable(enum.StrEnum):
    """Why the database can't do what it otherwise could."""

    BUSY = "busy"
    FULL = "full"


# SQLite's codes: busy, locked, interrupted, input or output failed, can't open, locking protocol.
_BUSY_CODES = {5, 6, 9, 10, 14, 15}
_FULL_CODE = 13
# PostgreSQL's classes of SQLSTATE: connection, rollback, resources, object state, operator, system.
_BUSY_CLASSES = {"08", "40", "53", "55", "57", "58"}
_FULL_STATE = "53100"


def why_unavailable(error: sa.exc.SQLAlchemyError) -> Unavailable | None:
    """Return why the database can't be used just now; None for a fault of the application."""
    if isinstance(error, sa.exc.TimeoutError):  # no connection became free
        return Unavailable.BUSY
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # without the extension
        if code == _FULL_CODE:
            return Unavailable.FULL
        return Unavailable.BUSY if code in _BUSY_CODES else None
    if not isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return None
    state = getattr(cause, "sqlstate", None)
    if state == _FULL_STATE:
        return Unavailable.FULL
    # Without a state it is the connection that failed.
    return Unavailable.BUSY if state is None or state[:2] in _BUSY_CLASSES else None


def may_be_saved(error: sa.exc.SQLAlchemyError) -> bool:
    """Return whether the connection broke during a COMMIT, so that nobody knows what became of it.

    SQLAlchemy names no statement then. If no connection was made, none is invalidated.
    """
    return (
        isinstance(error, sa.exc.DBAPIError)
        and not isinstance(error.orig, sqlite3.Error)
        and error.statement is None
        and error.connection_invalidated
    )


# PostgreSQL's states of a server that stops, has crashed, or doesn't accept connections yet.
_ENDING_STATES = {"57P01", "57P02", "57P03"}


def is_away(error: Exception) -> bool:
    """Return whether the database server can't be reached, whatever was asked of it."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if not isinstance(error, sa.exc.OperationalError) or isinstance(error.orig, sqlite3.Error):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state[:2] == "08" or state in _ENDING_STATES


def let_others_write() -> None:
    """End the transaction before slow work, unless something was written in it.

    On SQLite a request that will write has the write lock from its first query on. Anything checked
    before that could have changed in the meantime must be checked again afterwards.
    """
    session = db.session()
    waits = session.new or session.dirty or session.deleted
    if not waits and not session.info.get(_WRITTEN):
        session.rollback()


@contextmanager
def writing() -> Iterator[None]:
    """Let transactions begun in the block write, though the caller only reads elsewhere."""
    token = will_write.set(True)
    try:
        yield
    finally:
        will_write.reset(token)


@contextmanager
def apart() -> Iterator[Session]:
    """Write in a transaction of its own, which stays whatever becomes of the caller's.

    On SQLite, which has one writer, the caller's transaction must not have the write lock.
    """
    with writing(), Session(db.engine) as session, session.begin():
        yield session


@contextmanager
def after_rollback() -> Iterator[Session]:
    """Roll the caller's transaction back, then write in one of its own (apart).

    What the caller read before can still be shown, but not changed.
    """
    db.session.expunge_all()
    db.session.rollback()
    with apart() as session:
        yield session


def load_joined(
    relation: InstrumentedAttribute[Any], *columns: InstrumentedAttribute[Any]
) -> _AbstractLoad:
    """Return the option that loads some columns of a related row by a join, such as a name.

    Others, such as password hashes, are not read. What is joined selects only these columns: each
    statement that SQLAlchemy caches has its own copy of every column of what it joins (adr 51).
    """
    mapper = relation.property.mapper
    narrow = aliased(mapper, sa.select(*mapper.primary_key, *columns).subquery())
    loaded = [getattr(narrow, column.key) for column in columns]
    return joinedload(relation.of_type(narrow)).load_only(*loaded)


def get_or_add(session: Session, row: Found) -> Found:
    """Return the stored row with the primary key of a new one, locked; add the new one if none is.

    If another transaction adds one at the same moment, wait for it and return that one.
    """
    kind = type(row)
    key = sa.inspect(kind).primary_key_from_instance(row)
    options: dict[str, Any] = {"populate_existing": True, "with_for_update": True}
    stored = session.get(kind, key, **options)
    if stored is not None:
        return stored
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return session.get_one(kind, key, **options)
    return row


# Few enough for a short transaction, even though SQLite overwrites deleted rows (secure_delete).
BATCH = 200


def delete_batch(key: InstrumentedAttribute[Any], condition: sa.ColumnElement[bool]) -> int:
    """Delete at most BATCH rows that meet a condition; return how many.

    key is the model's primary key. Runs in the caller's transaction, which commits before the next
    batch, so that nobody who writes has to wait for all of them.
    """
    some = sa.select(key).where(condition).limit(BATCH).with_for_update(skip_locked=True)
    removed = db.session.execute(
        sa.delete(key.class_)
        .where(key.in_(some))
        .returning(key)
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())


@contextmanager
def reading() -> Iterator[None]:
    """Read within the block without blocking writers, in a request that writes later.

    Has no effect if something was already written in the transaction.
    """
    let_others_write()
    token = will_write.set(False)
    try:
        yield
    finally:
        will_write.reset(token)
        let_others_write()
