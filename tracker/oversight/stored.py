"""Rows as stored, read in one consistent snapshot, so that a damaged row can be named.

In one file: one short function for each table, and the checks of columns they share.
"""

import datetime as dt
import enum
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from uuid import UUID

import sqlalchemy as sa
from rfc8785 import CanonicalizationError
from sqlalchemy.engine import Connection, Engine

from tracker.activity.binding import State
from tracker.activity.chain import Link, state_digest
from tracker.activity.checked import Entry
from tracker.activity.models import ChainKind
from tracker.activity.verify import Details, Head
from tracker.checklists.models import Notice, NoticeKind, Renewal
from tracker.core.db import Base, db, will_write
from tracker.evidence.models import (
    Certificate,
    EvidenceKey,
    KeyOrigin,
    KeyUse,
    LogLeaf,
    LogNode,
    SignedCheckpoint,
)
from tracker.organisations.models import Succession
from tracker.signoff.models import Method, Revision, Signature, SignatureKind
from tracker.signoff.paper_models import (
    PaperDecision,
    PaperDecisionKind,
    PaperKind,
    PaperRecord,
)

if TYPE_CHECKING:
    from psycopg.abc import Buffer, Loader

Kind = TypeVar("Kind", bound=enum.StrEnum)
Stored = Mapping[str, Any]


class DamagedError(Exception):
    """Raised for a stored value that the application never writes into its column."""


class _AsStored(sa.types.UserDefinedType[Any]):
    """Returns a value as the database has it, without converting it to a date, an id or an enum."""

    cache_ok = True


_AS_STORED = _AsStored()


def as_stored(column: sa.ColumnElement[Any] | Any) -> sa.Label[Any]:
    """Return a column with unconverted values, under the same name."""
    return sa.type_coerce(column, _AS_STORED).label(column.key)


@cache
def columns(model: type[Base]) -> tuple[sa.Label[Any], ...]:
    """Return all columns of a table, with unconverted values."""
    return tuple(as_stored(column) for column in model.__table__.columns)


@contextmanager
def view(engine: Engine | None = None) -> Iterator[Connection]:
    """Open a snapshot of the whole database that stays the same while others write.

    engine is another database than the application's.
    """
    token = will_write.set(False)
    try:
        with (engine or db.engine).connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
                with _any_time_as_text(connection):
                    yield connection
            else:
                with _any_bytes_as_text(connection):
                    yield connection
    finally:
        will_write.reset(token)


@contextmanager
def _any_bytes_as_text(connection: Connection) -> Iterator[None]:
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):  # an unsupported database
        raise TypeError(f"{connection.dialect.name} is not supported.")
    driver.text_factory = any_bytes
    try:
        yield
    finally:
        driver.text_factory = str


@contextmanager
def _any_time_as_text(connection: Connection) -> Iterator[None]:
    """Read times that Python has no value for, such as the year 10000, as text.

    The driver would refuse the whole batch, and nobody would learn which row it is.
    """
    # Only instances with PostgreSQL load the driver.
    from psycopg import Connection as Driver  # noqa: PLC0415
    from psycopg.pq import Format  # noqa: PLC0415

    driver = connection.connection.driver_connection
    if not isinstance(driver, Driver):
        raise TypeError(f"{connection.dialect.name} is not supported.")
    loaders = driver.adapters
    usual = {}
    for name, loader in _loaders_of_any_time().items():
        oid = loaders.types[name].oid
        usual[oid] = loaders.get_loader(oid, Format.TEXT)
        loaders.register_loader(oid, loader)
    try:
        yield
    finally:
        for oid, before in usual.items():
            if before is not None:
                loaders.register_loader(oid, before)


def _loaders_of_any_time() -> "dict[str, type[Loader]]":
    from psycopg import DataError  # noqa: PLC0415
    from psycopg.adapt import Loader as Usual  # noqa: PLC0415
    from psycopg.types.datetime import DateLoader, TimestamptzLoader  # noqa: PLC0415

    class AnyTime(Usual):
        def load(self, data: "Buffer") -> Any:
            try:
                return super().load(data)  # type: ignore[safe-super]  # mixed into usual ones
            except DataError:
                return bytes(data).decode()

    class AnyDay(AnyTime, DateLoader): ...

    class AnyMoment(AnyTime, TimestamptzLoader): ...

    return {"date": AnyDay, "timestamptz": AnyMoment}


def any_bytes(data: bytes) -> str:
    """Decode bytes that may not be UTF-8, so that their row can be named."""
    return data.decode("utf-8", "surrogateescape")


def text(value: object) -> str:
    """Return text; UTF-8 only."""
    if not isinstance(value, str) or not _is_utf8(value):
        _refuse("text")
    return value


def text_or_none(value: object) -> str | None:
    """Return text, or None if the column is NULL."""
    return None if value is None else text(value)


def number(value: object) -> int:
    """Return a whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        _refuse("a whole number")
    return value


def number_or_none(value: object) -> int | None:
    """Return a whole number, or None if the column is NULL."""
    return None if value is None else number(value)


def flag(value: object) -> bool:
    """Return a boolean; SQLite stores 1 and 0."""
    if isinstance(value, bool):
        return value
    if number(value) not in {0, 1}:
        _refuse("yes or no")
    return bool(value)


def data(value: object) -> bytes:
    """Return bytes."""
    if not isinstance(value, bytes | memoryview):
        _refuse("bytes")
    return bytes(value)


def identity(value: object) -> UUID:
    """Return an id; SQLite stores 32 lower-case hexadecimal digits, and finds it only by these."""
    if isinstance(value, UUID):
        return value
    try:
        parsed = UUID(hex=text(value))
    except ValueError:
        _refuse("an id")
    return parsed if parsed.hex == value else _refuse("an id")


def identity_or_none(value: object) -> UUID | None:
    """Return an id, or None if the column is NULL."""
    return None if value is None else identity(value)


def moment(value: object) -> dt.datetime:
    """Return a time in UTC; SQLite stores it as text without a zone."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC)
    try:
        parsed = dt.datetime.fromisoformat(text(value))
    except ValueError:
        _refuse("a moment")
    if parsed.tzinfo or parsed.isoformat(sep=" ", timespec="microseconds") != value:
        _refuse("a moment")
    return parsed.replace(tzinfo=dt.UTC)


def moment_or_none(value: object) -> dt.datetime | None:
    """Return a time in UTC, or None if the column is NULL."""
    return None if value is None else moment(value)


def choice(kinds: type[Kind], value: object) -> Kind:
    """Return one of a fixed set of values."""
    try:
        return kinds(text(value))
    except ValueError:
        _refuse("one of the words known")


def day(value: object) -> dt.date:
    """Return a day; SQLite stores it in ISO form."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    try:
        parsed = dt.date.fromisoformat(text(value))
    except ValueError:
        _refuse("a day")
    return parsed if parsed.isoformat() == value else _refuse("a day")


def day_or_none(value: object) -> dt.date | None:
    """Return a day, or None if the column is NULL."""
    return None if value is None else day(value)


def mapping(value: object) -> dict[str, Any]:
    """Return a JSON object, which SQLite stores as text."""
    data = json_value(value)
    if not isinstance(data, dict):
        _refuse("an object of JSON")
    return data


def texts_or_none(value: object) -> dict[str, str] | None:
    """Return a JSON object with only strings as values, or None if the column is NULL."""
    if value is None:
        return None
    return {text(name): text(words) for name, words in mapping(value).items()}


def texts_in_rows(value: object) -> list[dict[str, Any]]:
    """Return a JSON list of objects with only strings as values."""
    rows = json_value(value)
    if not isinstance(rows, list):
        _refuse("a list of JSON")
    return [{text(name): text(words) for name, words in mapping(row).items()} for row in rows]


def json_value(value: object) -> object:
    """Return a JSON value, which SQLite stores as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        _refuse("JSON")


def head(row: Stored) -> Head:
    """Return the end of a chain according to its row."""
    return Head(
        kind=choice(ChainKind, row["kind"]).value,
        chain_id=identity(row["id"]),
        cooperation_id=identity_or_none(row["cooperation_id"]),
        head=text(row["head"]),
        count=number(row["count"]),
        seal=text(row["seal"]),
        visit_id=identity_or_none(row["visit_id"]),
    )


def event(row: Stored) -> tuple[Link, str, State]:
    """Return what an event's digest binds, the digest stored with it, and what it says of rows."""
    rows = state(row)
    link = Link(
        event_id=identity(row["id"]),
        chain_id=identity(row["chain_id"]),
        number=number(row["number"]),
        verb=text(row["verb"]),
        subject_type=text(row["subject_type"]),
        subject_id=identity(row["subject_id"]),
        at=moment(row["at"]),
        details_digest=text(row["details_digest"]),
        evidence=text_or_none(row["evidence"]),
        previous=text(row["previous"]),
        state=None if row["state"] is None else _state_digest(rows),
    )
    return link, text(row["digest"]), rows


def state(row: Stored) -> State:
    """Return what an event says about rows; nothing for one older than row binding."""
    if row["state"] is None:
        return {}
    return {
        text(table): {text(name): _entry(entry) for name, entry in mapping(rows).items()}
        for table, rows in mapping(row["state"]).items()
    }


def _entry(value: object) -> Entry:
    if not isinstance(value, list):
        return text_or_none(value)
    if len(value) != len(("before", "after")):
        _refuse("what an event says of a row")
    return [text_or_none(digest) for digest in value]


def _state_digest(rows: State) -> str:
    try:
        return state_digest(rows)
    except (ValueError, CanonicalizationError):
        _refuse("what an event says of rows")


def details(row: Stored) -> Details | None:
    """Return the details of an event, or None if there are none."""
    if row["event_id"] is None:
        return None
    return Details(text(row["salt"]), mapping(row["content"]))


def revision(row: Stored) -> Revision:
    """Return a frozen revision as a transient object, outside any session."""
    return Revision(
        id=identity(row["id"]),
        cooperation_id=identity(row["cooperation_id"]),
        subject_type=text(row["subject_type"]),
        subject_id=identity(row["subject_id"]),
        kind=text(row["kind"]),
        number=number(row["number"]),
        document=data(row["document"]),
        is_sealed=flag(row["is_sealed"]),
        digest=text(row["digest"]),
        frozen_at=moment(row["frozen_at"]),
        frozen_by_id=identity(row["frozen_by_id"]),
        reason=text(row["reason"]),
    )


def signature(row: Stored) -> Signature:
    """Return a signature as a transient object, outside any session."""
    return Signature(
        id=identity(row["id"]),
        revision_id=identity(row["revision_id"]),
        kind=choice(SignatureKind, row["kind"]),
        user_id=identity(row["user_id"]),
        organisation_id=identity_or_none(row["organisation_id"]),
        signer_name=text(row["signer_name"]),
        organisation_name=text(row["organisation_name"]),
        office=text(row["office"]),
        power=text(row["power"]),
        power_from=day_or_none(row["power_from"]),
        power_until=day_or_none(row["power_until"]),
        power_confirmed=texts_or_none(row["power_confirmed"]),
        on_behalf_of=text_or_none(row["on_behalf_of"]),
        in_place_of=text_or_none(row["in_place_of"]),
        in_place_of_id=identity_or_none(row["in_place_of_id"]),
        sentence=text(row["sentence"]),
        language=text(row["language"]),
        document_digest=text(row["document_digest"]),
        method=choice(Method, row["method"]),
        signed_at=moment(row["signed_at"]),
        proof=texts_or_none(row["proof"]),
        paper=texts_or_none(row["paper"]),
        presence=texts_or_none(row["presence"]),
        digest=text(row["digest"]),
    )


def succession(row: Stored) -> Succession:
    """Return the replacement of a body as a transient object, outside any session."""
    return Succession(
        id=identity(row["id"]),
        former_id=identity(row["former_id"]),
        former_name=text(row["former_name"]),
        successor_id=identity(row["successor_id"]),
        successor_name=text(row["successor_name"]),
        since=day(row["since"]),
        source=text(row["source"]),
        recorded_at=moment(row["recorded_at"]),
        recorded_by_id=identity(row["recorded_by_id"]),
        digest=text(row["digest"]),
    )


def paper_record(row: Stored) -> PaperRecord:
    """Return a recorded scan with its encrypted bytes, outside any session."""
    return PaperRecord(
        id=identity(row["id"]),
        revision_id=identity(row["revision_id"]),
        kind=choice(PaperKind, row["kind"]),
        organisation_id=identity(row["organisation_id"]),
        organisation_name=text(row["organisation_name"]),
        user_id=identity(row["user_id"]),
        user_name=text(row["user_name"]),
        recorded_at=moment(row["recorded_at"]),
        signed_on=day(row["signed_on"]),
        ends_on=None if row["ends_on"] is None else day(row["ends_on"]),
        signers=texts_in_rows(row["signers"]),
        media_type=text(row["media_type"]),
        size=number(row["size"]),
        scan_digest=text(row["scan_digest"]),
        scan=data(row["scan"]),
        digest=text(row["digest"]),
    )


def paper_decision(row: Stored) -> PaperDecision:
    """Return a response to a scan as a transient object, outside any session."""
    sealed = row["sealed_reason"]
    return PaperDecision(
        id=identity(row["id"]),
        record_id=identity(row["record_id"]),
        kind=choice(PaperDecisionKind, row["kind"]),
        organisation_id=identity(row["organisation_id"]),
        organisation_name=text(row["organisation_name"]),
        user_id=identity(row["user_id"]),
        user_name=text(row["user_name"]),
        decided_at=moment(row["decided_at"]),
        reason=text(row["reason"]),
        sealed_reason=None if sealed is None else data(sealed),
        digest=text(row["digest"]),
    )


def evidence_key(row: Stored) -> EvidenceKey:
    """Return a public evidence key as a transient object, outside any session."""
    endorsement = row["endorsement"]
    return EvidenceKey(
        id=identity(row["id"]),
        use=choice(KeyUse, row["use"]),
        number=number(row["number"]),
        origin=choice(KeyOrigin, row["origin"]),
        public_key=data(row["public_key"]),
        certificates=text(row["certificates"]),
        fingerprint=text(row["fingerprint"]),
        endorsement=None if endorsement is None else data(endorsement),
        endorsed_by=number_or_none(row["endorsed_by"]),
        made_at=moment(row["made_at"]),
        retired_at=moment_or_none(row["retired_at"]),
        revoked_at=moment_or_none(row["revoked_at"]),
        reason=text(row["reason"]),
    )


def leaf(row: Stored) -> LogLeaf:
    """Return a leaf of the log as a transient object, outside any session."""
    return LogLeaf(
        number=number(row["number"]),
        chain_id=identity(row["chain_id"]),
        count=number(row["count"]),
        head=text(row["head"]),
    )


def node(row: Stored) -> LogNode:
    """Return a node of the log as a transient object, outside any session."""
    return LogNode(level=number(row["level"]), place=number(row["place"]), hash=data(row["hash"]))


def checkpoint(row: Stored) -> SignedCheckpoint:
    """Return a checkpoint as a transient object, outside any session."""
    return SignedCheckpoint(
        size=number(row["size"]),
        previous=number(row["previous"]),
        root=text(row["root"]),
        at=moment(row["at"]),
        origin=text(row["origin"]),
        key_id=identity(row["key_id"]),
        signature=data(row["signature"]),
    )


def certificate(row: Stored) -> Certificate:
    """Return a certificate as a transient object, outside any session."""
    return Certificate(
        id=identity(row["id"]),
        revision_id=identity(row["revision_id"]),
        language=text(row["language"]),
        document=data(row["document"]),
        is_sealed=flag(row["is_sealed"]),
        sha256=text(row["sha256"]),
        evidence_key_id=identity(row["evidence_key_id"]),
        has_timestamp=flag(row["has_timestamp"]),
        made_at=moment(row["made_at"]),
    )


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(wanted: str) -> NoReturn:
    raise DamagedError(f"not {wanted}")


def notice(row: Stored) -> Notice:
    """Return a party's notice; its status follows from events, and is not read here."""
    return Notice(
        id=identity(row["id"]),
        checklist_id=identity(row["checklist_id"]),
        revision_id=identity(row["revision_id"]),
        kind=choice(NoticeKind, row["kind"]),
        organisation_id=identity(row["organisation_id"]),
        given_by_id=identity(row["given_by_id"]),
        given_at=moment(row["given_at"]),
        from_on=day(row["from_on"]),
        notice_days=number(row["notice_days"]),
        reason=text(row["reason"]),
    )


def renewal(row: Stored) -> Renewal:
    """Return a renewal of a text in force."""
    return Renewal(
        id=identity(row["id"]),
        checklist_id=identity(row["checklist_id"]),
        revision_id=identity(row["revision_id"]),
        number=number(row["number"]),
        from_on=day(row["from_on"]),
        until_on=day(row["until_on"]),
        review_on=day_or_none(row["review_on"]),
        renewed_at=moment(row["renewed_at"]),
    )
