"""The decisive rows a session has changed since the last event, and the digests an event binds.

Every flush is observed, and every statement that changes many rows. record() puts what has been
collected for its chain into its event; the rest is bound just before the commit.

In one file: rows are collected, attributed and taken within one flush, in one order.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import (
    Mapper,
    ORMExecuteState,
    Session,
    SessionTransaction,
    UOWTransaction,
)
from sqlalchemy.sql.dml import Delete, Insert, Update

from tracker.activity import checked
from tracker.activity.checked import CHECKED, ON_THE_WAY, RESTRICTING
from tracker.core import keys
from tracker.core.db import Base
from tracker.core.services import Slot

# What an event binds: the digest of each row by table and id, None for a deleted row. The digest is
# empty if the key it needs has been destroyed.
State = dict[str, dict[str, str | None]]
WITHOUT_KEY = ""

# Returns the key for digests of a cooperation's restricted rows by its id; None if destroyed.
KeyReader = Callable[[UUID], bytes | None]

_PENDING, _SCOPES = "rows to bind", "scopes of rows"


# Supplies the cooperations' keys, which belong to a higher package.
KEY_READER: Slot[KeyReader | None] = Slot("key_reader", None)


@dataclass(frozen=True, slots=True)
class Scope:
    """The chain a row is bound in (None: the instance's), and whether it is of class K2 to K7."""

    cooperation_id: UUID | None = None
    is_restricted: bool = False


@dataclass(frozen=True, slots=True)
class BoundColumn:
    """A bound column, the name of its attribute, and the one value that is left out.

    Leaving it out keeps the digests of older rows unchanged when a column is added.
    """

    column: sa.Column[Any]
    attribute: str
    left_out: Any


@dataclass(frozen=True, slots=True)
class BoundTable:
    """A table whose rows are checked, and the columns that are bound."""

    name: str
    table: sa.Table
    spec: checked.Checked
    columns: tuple[BoundColumn, ...]
    # The attributes of the primary key.
    key: tuple[str, ...]
    # The attribute of each column that is bound or part of the key, by column name.
    attributes: Mapping[str, str]

    def row(self, values: Mapping[str, Any]) -> str:
        """Return the name of a row from its attributes."""
        return "/".join(str(checked.plain(values[name])) for name in self.key)

    def digest(self, key: bytes, values: Mapping[str, Any]) -> str:
        """Return the keyed digest of a row from its attributes."""
        bound: dict[str, Any] = {}
        for column in self.columns:
            value = checked.plain(values[column.attribute])
            if value != column.left_out or type(value) is not type(column.left_out):
                bound[column.column.name] = value
        return checked.row_digest(key, self.name, self.row(values), bound)

    def is_checked(self, values: Mapping[str, Any]) -> bool:
        """Return whether this row is one of those that are checked."""
        if self.spec.only is None:
            return True
        column, value = self.spec.only
        stored: object = checked.plain(values[self.attributes[column]])
        return stored == value


@cache
def mappers() -> dict[str, Mapper[Any]]:
    """Return the mapped class of each table."""
    return {
        mapper.local_table.name: mapper
        for mapper in Base.registry.mappers
        if isinstance(mapper.local_table, sa.Table)
    }


@cache
def bound_table(name: str) -> BoundTable | None:
    """Return what is bound of a table; None if its rows are not checked."""
    spec = CHECKED.get(name)
    if spec is None:
        return None
    mapper = mappers()[name]
    table = mapper.local_table
    if not isinstance(table, sa.Table):
        raise TypeError(name)
    attributes = {
        column.name: mapper.get_property_by_column(column).key
        for column in table.columns
        if column.name not in spec.without
    }
    return BoundTable(
        name=name,
        table=table,
        spec=spec,
        columns=tuple(
            BoundColumn(column, attributes[column.name], _left_out(column))
            for column in table.columns
            if not column.primary_key and column.name not in spec.without
        ),
        key=tuple(attributes[column.name] for column in table.primary_key),
        attributes=attributes,
    )


def _left_out(column: sa.Column[Any]) -> Any:
    """Return the value older rows have in a column added later: its default, or None."""
    default = column.default
    if not isinstance(default, sa.ColumnDefault):
        return None
    if default.is_scalar:
        return checked.plain(default.arg)
    empty = default.arg(None) if default.is_callable else None
    return empty if empty in ([], {}) else None


# What is collected ----------------------------------------------------------------------------


@dataclass(slots=True)
class _Row:
    """A changed row: its object, or the values that a statement returned.

    If it has neither, it has to be read again.
    """

    bound: BoundTable
    row: str
    scope: Scope | None = None
    # A strong reference, since the session's references are weak.
    instance: Any = None
    values: Mapping[str, Any] | None = None
    is_deleted: bool = False
    is_new: bool = False

    @property
    def is_there(self) -> bool:
        """Whether the row is in the database, as far as the session knows."""
        if self.values is not None:
            return not self.is_deleted
        return self.instance is not None and sa.inspect(self.instance).persistent

    @property
    def is_lost(self) -> bool:
        """Whether the session no longer knows the row."""
        if self.values is not None or self.is_deleted:
            return False
        return self.instance is None or sa.inspect(self.instance).detached

    def fields(self) -> Mapping[str, Any]:
        """Return its attributes."""
        return _Attributes(self.instance) if self.values is None else self.values


class _Attributes(Mapping[str, Any]):
    """The attributes of a mapped object as a mapping."""

    def __init__(self, row: Any) -> None:
        self._row = row

    def __getitem__(self, name: str) -> Any:
        return getattr(self._row, name)

    def __iter__(self) -> Any:
        return iter(sa.inspect(self._row).mapper.column_attrs.keys())

    def __len__(self) -> int:
        return len(sa.inspect(self._row).mapper.column_attrs)


_Pending = dict[tuple[str, str], _Row]


def _pending(session: Session) -> _Pending:
    pending: _Pending = session.info.setdefault(_PENDING, {})
    return pending


@event.listens_for(Session, "after_flush")
def _collect(session: Session, _context: UOWTransaction) -> None:
    for row in session.new:
        _note(session, row, is_new=True)
    for row in session.dirty:
        if _is_changed(row):
            _note(session, row)
    for row in session.deleted:
        _note(session, row, is_deleted=True)


def _table_of(row: object) -> BoundTable | None:
    table: sa.Table = sa.inspect(row).mapper.local_table
    return bound_table(table.name)


def _is_changed(row: object) -> bool:
    bound = _table_of(row)
    if bound is None:
        return False
    attrs = sa.inspect(row).attrs
    return any(attrs[column.attribute].history.has_changes() for column in bound.columns)


def _note(session: Session, row: object, *, is_new: bool = False, is_deleted: bool = False) -> None:
    bound = _table_of(row)
    if bound is None or not bound.is_checked(_Attributes(row)):
        return
    name = bound.row(_Attributes(row))
    pending = _pending(session)
    before = pending.get((bound.name, name))
    noted = _Row(bound, name, instance=row, is_deleted=is_deleted)
    noted.is_new = is_new or (before is not None and before.is_new)
    if is_deleted:  # its parent may be deleted soon
        noted.scope = _scope(session, bound, noted.fields())
    pending[bound.name, name] = noted


@event.listens_for(Session, "do_orm_execute")
def _collect_bulk(execution: ORMExecuteState) -> Any:
    """Bind what a statement changes or deletes in checked tables; the database returns the rows."""
    statement = execution.statement
    if not isinstance(statement, Insert | Update | Delete) or execution.bind_mapper is None:
        return None
    bound = bound_table(execution.bind_mapper.local_table.name)  # type: ignore[attr-defined]
    if bound is None or (isinstance(statement, Update) and not _touches(bound, statement)):
        return None
    if isinstance(statement, Insert) or statement.exported_columns:
        message = f"Rows of {bound.name} are bound by events: add them to the session."
        raise TypeError(message)
    given = [bound.table.c[name] for name in bound.attributes]
    result = execution.invoke_statement(statement=statement.returning(*given))
    rows = result.all()
    for row in rows:
        values = dict(zip(bound.attributes.values(), row, strict=True))
        if not bound.is_checked(values):
            continue
        name = bound.row(values)
        noted = _Row(bound, name, values=values, is_deleted=isinstance(statement, Delete))
        if noted.is_deleted:
            noted.scope = _scope(execution.session, bound, values)
        _pending(execution.session)[bound.name, name] = noted
    return _Counted(len(rows))


class _Counted(sa.IteratorResult[Any]):
    """The result of a statement that returns no rows, with the number it changed."""

    def __init__(self, rowcount: int) -> None:
        super().__init__(sa.engine.result.SimpleResultMetaData(()), iter(()))
        self.rowcount = rowcount


def _touches(bound: BoundTable, statement: Update) -> bool:
    """Return whether a statement changes a bound column."""
    changed = {
        str(getattr(name, "key", name))
        for name in statement._values or {}  # noqa: SLF001 -- SQLAlchemy has no other way to ask
    }
    return not changed.isdisjoint(column.attribute for column in bound.columns)


@event.listens_for(Session, "after_soft_rollback")
def _read_again(session: Session, previous: SessionTransaction) -> None:
    """Forget values that statements returned since a savepoint that was rolled back."""
    if previous.nested:
        for row in _pending(session).values():
            if row.values is not None:
                row.values, row.is_deleted = None, False


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_PENDING, None)


# Whose a row is -------------------------------------------------------------------------------


def _scope(session: Session, bound: BoundTable, values: Mapping[str, Any]) -> Scope:
    if not bound.spec.parent:
        return Scope()
    columns = {
        column: values[bound.attributes[column]] for column in RESTRICTING.get(bound.name, ())
    }
    restricted = bound.spec.is_restricted or checked.is_restricted(bound.name, columns)
    parent_id = values[bound.attributes[bound.spec.column]]
    return _below(session, bound.spec.parent, parent_id, is_restricted=restricted)


def _below(session: Session, parent: str, parent_id: UUID, *, is_restricted: bool) -> Scope:
    """Return the scope of a row's children; the paths are cached, since they never change."""
    if parent == checked.COOPERATION:
        return Scope(parent_id, is_restricted)
    known: dict[tuple[str, UUID], Scope] = session.info.setdefault(_SCOPES, {})
    scope = known.get((parent, parent_id))
    if scope is None:
        scope = known[parent, parent_id] = _of_parent(session, parent, parent_id)
    return Scope(scope.cooperation_id, is_restricted or scope.is_restricted)


def _of_parent(session: Session, parent: str, parent_id: UUID) -> Scope:
    spec = CHECKED.get(parent) or ON_THE_WAY[parent]
    names = (spec.column, *RESTRICTING.get(parent, ()))
    mapper = mappers()[parent]
    loaded = session.identity_map.get(mapper.identity_key_from_primary_key((parent_id,)))
    if loaded is not None:
        values = {name: getattr(loaded, name) for name in names}
    else:
        table = mapper.local_table
        query = sa.select(*(table.c[name] for name in names)).where(
            next(iter(mapper.primary_key)) == parent_id
        )
        values = dict(session.execute(query).mappings().one())
    return _of_said(session, parent, values)


def _of_said(session: Session, parent: str, values: Mapping[str, Any]) -> Scope:
    """Return the scope of a row's children from the columns that decide it."""
    spec = CHECKED.get(parent) or ON_THE_WAY[parent]
    restricted = spec.is_restricted or checked.is_restricted(parent, values)
    return _below(session, spec.parent, values[spec.column], is_restricted=restricted)


def _know_parents(session: Session) -> None:
    """Load the parents of many pending rows that the session lacks, one query per table."""
    known: dict[tuple[str, UUID], Scope] = session.info.setdefault(_SCOPES, {})
    wanted: dict[str, set[UUID]] = {}
    for row in _pending(session).values():
        parent = row.bound.spec.parent
        if row.scope is not None or not row.is_there or parent in {"", checked.COOPERATION}:
            continue
        parent_id = row.fields()[row.bound.attributes[row.bound.spec.column]]
        identity = mappers()[parent].identity_key_from_primary_key((parent_id,))
        if (parent, parent_id) not in known and identity not in session.identity_map:
            wanted.setdefault(parent, set()).add(parent_id)
    for parent, ids in wanted.items():
        spec = CHECKED.get(parent) or ON_THE_WAY[parent]
        table, (key,) = mappers()[parent].local_table, mappers()[parent].primary_key
        names = (spec.column, *RESTRICTING.get(parent, ()))
        query = sa.select(key.label("own_id"), *(table.c[name] for name in names))
        for columns in session.execute(query.where(key.in_(ids))).mappings():
            known[parent, columns["own_id"]] = _of_said(session, parent, dict(columns))


# What an event takes --------------------------------------------------------------------------


def chains(session: Session) -> list[UUID | None]:
    """Return the chains that still have to bind something, the instance's first."""
    cooperation_ids = {scope.cooperation_id for scope in _scopes(session).values()}
    return sorted(cooperation_ids, key=lambda chain: (chain is not None, str(chain)))


def take(session: Session, cooperation_id: UUID | None) -> State:
    """Return what the next event of a chain binds, and stop tracking it.

    The caller has flushed before.
    """
    pending = _pending(session)
    taken = {
        place: scope
        for place, scope in _scopes(session).items()
        if scope.cooperation_id == cooperation_id
    }
    rows = [pending.pop(place) for place in taken]
    _read_from_database(session, rows)
    row_keys = _RowKeys(cooperation_id)
    state: State = {}
    for row in rows:
        if row.is_there or row.is_deleted:
            digest = row_keys.digest(row) if row.is_there else None
            state.setdefault(row.bound.name, {})[row.row] = digest
    return state


def _scopes(session: Session) -> dict[tuple[str, str], Scope]:
    scopes: dict[tuple[str, str], Scope] = {}
    _know_parents(session)
    for place, row in list(_pending(session).items()):
        if row.scope is None:
            if row.is_lost:
                _read_from_database(session, [row])
            if not row.is_there:  # inserted and deleted again
                del _pending(session)[place]
                continue
            row.scope = _scope(session, row.bound, row.fields())
        scopes[place] = row.scope
    return scopes


def _read_from_database(session: Session, rows: Iterable[_Row]) -> None:
    """Read rows that may differ from what the session has.

    On PostgreSQL another transaction may have changed other columns since a row was loaded; our own
    change has locked it now, so it stays as it is read.
    """
    may_differ = session.get_bind().dialect.name != "sqlite"
    by_table: dict[str, list[_Row]] = {}
    for row in rows:
        is_older = row.values is None and row.is_there and not row.is_new
        if row.is_lost or (may_differ and is_older):
            by_table.setdefault(row.bound.name, []).append(row)
    for changed in by_table.values():
        bound = changed[0].bound
        columns = [bound.table.c[name] for name in bound.attributes]
        wanted = {row.row: row for row in changed}
        key = sa.tuple_(*bound.table.primary_key)
        stored_rows = session.execute(
            sa.select(*columns).where(key.in_([_key_of(name) for name in wanted]))
        )
        for stored in stored_rows:
            values = dict(zip(bound.attributes.values(), stored, strict=True))
            row = wanted[bound.row(values)]
            row.values, row.is_deleted = values, False


def _key_of(row: str) -> tuple[UUID, ...]:
    return tuple(UUID(part) for part in row.split("/"))


def digest_of(row: object) -> str:
    """Return the digest of a row of the instance, or of a cooperation, from the session's values.

    Raise TypeError for other rows: their class, and so their key, depends on their parents.
    """
    bound = _table_of(row)
    if bound is None or (bound.spec.parent and bound.name != checked.COOPERATION):
        message = f"The class of {type(row).__name__} is not known from its row alone."
        raise TypeError(message)
    return bound.digest(checked.row_key(keys.current().trail), _Attributes(row))


class _RowKeys:
    """The keys for digests of a chain's rows, each derived once."""

    def __init__(self, cooperation_id: UUID | None) -> None:
        self._cooperation_id = cooperation_id
        self._plain = checked.row_key(keys.current().trail)
        self._restricted: list[bytes | None] = []

    def digest(self, row: _Row) -> str:
        """Return the digest of a row under the key that its class requires."""
        key = self._of(row.scope or Scope())
        return WITHOUT_KEY if key is None else row.bound.digest(key, row.fields())

    def _of(self, scope: Scope) -> bytes | None:
        if not scope.is_restricted or self._cooperation_id is None:
            return self._plain
        if not self._restricted:
            read = KEY_READER.get()
            if read is None:
                message = "No reader of keys was set; build the application first."
                raise LookupError(message)
            self._restricted.append(read(self._cooperation_id))
        return self._restricted[0]
