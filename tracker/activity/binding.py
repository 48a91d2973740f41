"""The decisive rows a session has changed since the last event, and the digests an event binds.

Every flush is observed, and every statement that changes many rows. record() puts what has been
collected for its chain into its event; the rest is bound just before the commit. The values of each
row before its first change are collected too, so that a change made directly in the database in
between is noticed. In one file: rows are collected, attributed and taken within one flush, in one
order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import (
    MANYTOONE,
    InstanceState,
    Mapper,
    ORMExecuteState,
    Session,
    SessionTransaction,
    UOWTransaction,
    object_session,
)
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql import operators
from sqlalchemy.sql.dml import Delete, Insert, Update

from tracker.activity import checked
from tracker.activity.checked import (
    CHECKED,
    OF_ITS_TEAM,
    ON_THE_WAY,
    RESTRICTING,
    WITHOUT_KEY,
    Entry,
)
from tracker.activity.models import Chain
from tracker.core import keys
from tracker.core.db import Base
from tracker.core.services import Slot

# What an event binds of each row, by table and id.
State = dict[str, dict[str, Entry]]

# Returns the key for digests of a cooperation's restricted rows by its id; None if destroyed.
KeyReader = Callable[[UUID], bytes | None]

_PENDING, _SCOPES = "rows to bind", "scopes of rows"
_BEFORE, _OWN = "rows before the flush", "rows that nobody else can change"
_VISITS, _REBOUND = "visits with a chain", "rows bound again"


# Supplies the cooperations' keys, which belong to a higher package.
KEY_READER: Slot[KeyReader | None] = Slot("key_reader", None)


class ChainKey(NamedTuple):
    """Which chain: a cooperation's, that of one of its visits, or the instance's (both None)."""

    cooperation_id: UUID | None = None
    visit_id: UUID | None = None

    @property
    def order(self) -> tuple[bool, str, bool, str]:
        """The order in which chains are locked: the instance's, a cooperation's, its visits'."""
        return (
            self.cooperation_id is not None,
            str(self.cooperation_id),
            self.visit_id is not None,
            str(self.visit_id),
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """The cooperation of a row (None: the instance), and whether it is of class K2 to K7.

    visit_id is the visit in whose own chain it is bound; of a parent, the visit it belongs to.
    """

    cooperation_id: UUID | None = None
    is_restricted: bool = False
    visit_id: UUID | None = None

    @property
    def chain(self) -> ChainKey:
        """The chain a row is bound in."""
        return ChainKey(self.cooperation_id, self.visit_id)


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
    # Its values before the first of the changes that the next event binds; None if it didn't exist.
    before: Mapping[str, Any] | None = None
    knows_before: bool = False
    # The innermost savepoint in which it was changed first, if any.
    savepoint: SessionTransaction | None = None

    @property
    def is_there(self) -> bool:
        """Whether the row is in the database, as far as the session knows."""
        if self.values is not None:
            return not self.is_deleted
        return self.instance is not None and sa.inspect(self.instance).persistent

    @property
    def place(self) -> tuple[str, str]:
        """The row's table and name."""
        return self.bound.name, self.row

    def know(self, before: Mapping[str, Any] | None) -> None:
        """Set the values before the change, if known; None if the row wasn't checked then."""
        if before is not None:
            self.before = before if self.bound.is_checked(before) else None
            self.knows_before = True

    @property
    def is_lost(self) -> bool:
        """Whether the session no longer has the row."""
        if self.values is not None or self.is_deleted:
            return False
        return self.instance is None or sa.inspect(self.instance).detached

    def fields(self) -> Mapping[str, Any]:
        """Return the row's attributes."""
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


_Before = dict[tuple[str, str], Mapping[str, Any]]


def _own(session: Session) -> set[tuple[str, str]]:
    """Return the rows whose objects are as stored: inserted here, or locked and then read.

    Only PostgreSQL needs it; SQLite has one writer at a time.
    """
    own: set[tuple[str, str]] = session.info.setdefault(_OWN, set())
    return own


@event.listens_for(Session, "before_flush")
def _know_before(session: Session, _context: UOWTransaction, _objects: object) -> None:
    """Collect the values of the rows that this flush changes, as they are in the database.

    SQLite has one writer at a time, so they are what was loaded. On PostgreSQL another transaction
    may have changed them since, so they are read and locked, in one query per table.
    """
    before: _Before = {}
    session.info[_BEFORE] = before
    to_read: dict[str, dict[str, object]] = {}
    for row in (*filter(_will_change, session.dirty), *session.deleted):
        bound = _table_of(row)
        if bound is None:
            continue
        name = _name_of(bound, row)
        if (bound.name, name) in _pending(session):
            continue
        values = _as_loaded(session, bound, row)
        if values is None:
            to_read.setdefault(bound.name, {})[name] = row
        else:
            before[bound.name, name] = values
    for table in CHECKED:  # parents first, as they are written
        bound = bound_table(table) if table in to_read else None
        if bound is None:
            continue
        for name, values in _stored(session, bound, _is_in(bound, to_read[table])):
            before[table, name] = values
            _refresh(bound, to_read[table][name], values)
            _own(session).add((table, name))


def _will_change(row: object) -> bool:
    """Return whether a flush will change a bound column, directly or through a relationship."""
    state: InstanceState[Any] = sa.inspect(row)
    return _is_changed(row) or any(
        state.attrs[relation.key].history.has_changes()
        for relation in state.mapper.relationships
        if relation.direction is MANYTOONE
    )


def _name_of(bound: BoundTable, row: object) -> str:
    """Return the name of a stored row, without loading anything."""
    state: InstanceState[Any] = sa.inspect(row)
    keys_and_values = zip(state.mapper.primary_key, state.identity or (), strict=True)
    return bound.row({bound.attributes[column.name]: value for column, value in keys_and_values})


def _as_loaded(session: Session, bound: BoundTable, row: object) -> Mapping[str, Any] | None:
    """Return what a changed row was loaded with; None if some is unknown, or may be outdated."""
    if _may_differ(session, (bound.name, _name_of(bound, row))):
        return None
    attrs = sa.inspect(row).attrs
    values = {}
    for attribute in bound.attributes.values():
        history = attrs[attribute].history
        loaded = history.deleted if history.has_changes() else history.unchanged
        if not loaded:
            return None
        values[attribute] = loaded[0]
    return values


def _may_differ(session: Session, place: tuple[str, str]) -> bool:
    """Return whether another transaction may have changed a row since this one loaded it."""
    return place not in _own(session) and session.get_bind().dialect.name != "sqlite"


def _refresh(bound: BoundTable, row: object, values: Mapping[str, Any]) -> None:
    """Give an object what was read, except in the attributes that were changed."""
    attrs = sa.inspect(row).attrs
    for attribute in bound.attributes.values():
        if not attrs[attribute].history.has_changes():
            set_committed_value(row, attribute, values[attribute])


def _is_in(bound: BoundTable, names: Iterable[str]) -> sa.ColumnElement[bool]:
    key = sa.tuple_(*bound.table.primary_key)
    return key.in_([tuple(UUID(part) for part in name.split("/")) for name in names])


def _stored(
    session: Session,
    bound: BoundTable,
    condition: sa.ColumnElement[bool] | None,
    parameters: Mapping[str, Any] | None = None,
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Read and lock rows; yield the name and the attributes of each."""
    query = sa.select(*(bound.table.c[name] for name in bound.attributes))
    if condition is not None:
        query = query.where(condition)
    # The lock that an update takes, which lets others refer to the row.
    query = query.order_by(*bound.table.primary_key).with_for_update(key_share=True, of=bound.table)
    for row in session.execute(query, parameters):
        values = dict(zip(bound.attributes.values(), row, strict=True))
        yield bound.row(values), values


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
    noted = _Row(bound, bound.row(_Attributes(row)), instance=row)
    noted.is_deleted = is_deleted
    if is_new:
        noted.knows_before = True
        _own(session).add(noted.place)
    elif (before := session.info[_BEFORE].get(noted.place)) is not None:
        noted.know(before)
    else:  # changed by the flush itself, through a relationship
        noted.know(_as_loaded(session, bound, row))
    _add(session, noted)


def _add(session: Session, noted: _Row) -> None:
    """Add a row to those to bind; what it was before its first change stays."""
    pending = _pending(session)
    earlier = pending.get(noted.place)
    if earlier is None:
        noted.savepoint = session.get_nested_transaction()
    else:
        noted.before, noted.knows_before = earlier.before, earlier.knows_before
        noted.savepoint = earlier.savepoint
    if noted.is_deleted:  # its parent may be deleted soon
        noted.scope = _scope(session, noted.bound, noted.fields())
    pending[noted.place] = noted


@event.listens_for(Session, "do_orm_execute")
def _collect_bulk(execution: ORMExecuteState) -> Any:
    """Bind what a statement changes or deletes in checked tables; the database returns the rows.

    On PostgreSQL a row may start to match between the query for the rows before and the statement;
    what it was before is then not known.
    """
    statement = execution.statement
    if not isinstance(statement, Insert | Update | Delete) or execution.bind_mapper is None:
        return None
    bound = bound_table(execution.bind_mapper.local_table.name)  # type: ignore[attr-defined]
    if bound is None or (isinstance(statement, Update) and not _touches(bound, statement)):
        return None
    if isinstance(statement, Insert) or statement.exported_columns:
        message = f"Rows of {bound.name} are bound by events: add them to the session."
        raise TypeError(message)
    session = execution.session
    parameters = execution.parameters if isinstance(execution.parameters, Mapping) else None
    replaced = _replaced(bound, statement)
    before = (
        dict(_stored(session, bound, statement.whereclause, parameters)) if replaced is None else {}
    )
    given = [bound.table.c[name] for name in bound.attributes]
    result = execution.invoke_statement(statement=statement.returning(*given))
    rows = result.all()
    for row in rows:
        values = dict(zip(bound.attributes.values(), row, strict=True))
        if not bound.is_checked(values):
            continue
        noted = _Row(bound, bound.row(values), values=values)
        noted.is_deleted = isinstance(statement, Delete)
        noted.know(before.get(noted.row) if replaced is None else {**values, **replaced})
        _add(session, noted)
    return _Counted(len(rows))


class _Counted(sa.IteratorResult[Any]):
    """The result of a statement that returns no rows, with the number it changed."""

    def __init__(self, rowcount: int) -> None:
        super().__init__(sa.engine.result.SimpleResultMetaData(()), iter(()))
        self.rowcount = rowcount


def _touches(bound: BoundTable, statement: Update) -> bool:
    """Return whether a statement changes a bound column."""
    return not _set_by(statement).isdisjoint(column.attribute for column in bound.columns)


def _set_by(statement: Update) -> set[str]:
    """Return the attributes that a statement sets."""
    return {
        str(getattr(name, "key", name))
        for name in statement._values or {}  # noqa: SLF001 -- SQLAlchemy has no other way to ask
    }


def _replaced(bound: BoundTable, statement: Insert | Update | Delete) -> Mapping[str, Any] | None:
    """Return what the values that a statement sets were before, where its condition says it.

    Return None where it doesn't: then rows have to be read first.
    """
    if not isinstance(statement, Update):
        return None
    required = dict(_required_by(statement.whereclause))
    replaced = {
        attribute: required.get(name, _UNKNOWN)
        for name, attribute in bound.attributes.items()
        if attribute in _set_by(statement)
    }
    return None if _UNKNOWN in replaced.values() else replaced


_UNKNOWN = object()


def _required_by(condition: sa.ColumnElement[bool] | None) -> Iterator[tuple[str, Any]]:
    """Yield the columns, by name, of which a condition requires one value, and that value."""
    clauses = condition.clauses if isinstance(condition, sa.BooleanClauseList) else (condition,)
    if isinstance(condition, sa.BooleanClauseList) and condition.operator is not operators.and_:
        return
    for clause in clauses:
        if isinstance(clause, sa.UnaryExpression) and isinstance(clause.element, sa.Column):
            if clause.operator is operators.is_true:
                yield clause.element.name, True
        elif isinstance(clause, sa.BinaryExpression) and isinstance(clause.left, sa.Column):
            if clause.operator is operators.eq and isinstance(clause.right, sa.BindParameter):
                yield clause.left.name, clause.right.value
            elif clause.operator is operators.is_ and isinstance(clause.right, sa.Null):
                yield clause.left.name, None


@event.listens_for(Session, "after_soft_rollback")
def _undo(session: Session, previous: SessionTransaction) -> None:
    """Forget what was changed since a savepoint that was rolled back, and what it left to read."""
    if not previous.nested:
        return
    _own(session).clear()
    pending = _pending(session)
    for place, row in list(pending.items()):
        if _is_within(row.savepoint, previous):
            del pending[place]
            continue
        if row.values is not None:
            row.values, row.is_deleted = None, False


def _is_within(savepoint: SessionTransaction | None, outer: SessionTransaction) -> bool:
    while savepoint is not None and savepoint is not outer:
        savepoint = savepoint.parent
    return savepoint is outer


@event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        for name in (_PENDING, _OWN, _REBOUND):
            session.info.pop(name, None)


# Whose a row is -------------------------------------------------------------------------------


def _scope(session: Session, bound: BoundTable, values: Mapping[str, Any]) -> Scope:
    if not bound.spec.parent:
        return Scope()
    columns = {
        column: values[bound.attributes[column]] for column in RESTRICTING.get(bound.name, ())
    }
    restricted = bound.spec.is_restricted or checked.is_restricted(bound.name, columns)
    parent_id = values[bound.attributes[bound.spec.column]]
    scope = _below(session, bound.spec.parent, parent_id, is_restricted=restricted)
    if scope.visit_id is None or (
        is_of_its_team(bound, values) and has_chain(session, scope.visit_id)
    ):
        return scope
    return replace(scope, visit_id=None)


def is_of_its_team(bound: BoundTable, values: Mapping[str, Any]) -> bool:
    """Return whether a row of a visit's checklist is what somebody on its team confirms."""
    column, value = OF_ITS_TEAM.get(bound.name, ("", ""))
    stored: object = checked.plain(values[bound.attributes[column]]) if column else None
    return bool(column) and stored == value


def has_chain(session: Session, visit_id: UUID) -> bool:
    """Return whether a visit has a chain of its own; cached, since it is started with the visit."""
    known = _visits(session)
    if visit_id not in known:
        query = sa.select(Chain.id).where(Chain.visit_id == visit_id)
        known[visit_id] = session.scalar(query) is not None
    return known[visit_id]


def know_chain(session: Session, visit_id: UUID) -> None:
    """Cache for has_chain() that a visit has a chain of its own."""
    _visits(session)[visit_id] = True


def _visits(session: Session) -> dict[UUID, bool]:
    visits: dict[UUID, bool] = session.info.setdefault(_VISITS, {})
    return visits


def _below(session: Session, parent: str, parent_id: UUID, *, is_restricted: bool) -> Scope:
    """Return the scope of a row's children; the paths are cached, since they never change."""
    if parent == checked.COOPERATION:
        return Scope(parent_id, is_restricted)
    known: dict[tuple[str, UUID], Scope] = session.info.setdefault(_SCOPES, {})
    scope = known.get((parent, parent_id))
    if scope is None:
        scope = known[parent, parent_id] = _of_parent(session, parent, parent_id)
    return replace(scope, is_restricted=is_restricted or scope.is_restricted)


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
    scope = _below(session, spec.parent, values[spec.column], is_restricted=restricted)
    return replace(scope, visit_id=values["visit_id"]) if parent == checked.CHECKLIST else scope


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


def chains(session: Session) -> list[ChainKey]:
    """Return the chains that still have to bind something, in the order they are locked in."""
    keys_of_chains = {scope.chain for scope in _scopes(session).values()}
    return sorted(keys_of_chains, key=lambda chain: chain.order)


def subjects_to_bind(session: Session) -> list[tuple[str, UUID] | None]:
    """Return about what the instance's chain still has to bind something; None: about no subject.

    So a row's events are found by what they are about, however many there are about others.
    """
    pending = _pending(session)
    return list(
        dict.fromkeys(
            _subject_of(pending[place])
            for place, scope in _scopes(session).items()
            if scope.chain == ChainKey()
        )
    )


def _subject_of(row: _Row) -> tuple[str, UUID] | None:
    """Return what an event that only binds a row of the instance is about."""
    kinds = _SUBJECTS.get(row.bound.name)
    return (kinds[0][0], row.fields()[kinds[0][1]]) if kinds else None


def take(session: Session, chain: ChainKey, about: tuple[str, UUID] | None = None) -> State:
    """Return what the next event of a chain binds, and stop tracking it.

    about leaves what subjects_to_bind() says of other subjects. The caller has flushed before.
    """
    pending = _pending(session)
    taken = {
        place: scope
        for place, scope in _scopes(session).items()
        if scope.chain == chain and (about is None or _subject_of(pending[place]) == about)
    }
    rows = [pending.pop(place) for place in taken]
    _read_from_database(session, rows)
    row_keys = _RowKeys(chain.cooperation_id)
    state: State = {}
    for row in rows:
        if row.is_there or row.is_deleted:
            entry = row_keys.entry(row)
            state.setdefault(row.bound.name, {})[row.row] = entry
            _bind_again(session, chain, row, entry)
    return state


# What events about a row of the instance are about: type, and the attribute with its id.
_SUBJECTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "user": (("user", "id"),),
    "membership": (("user", "user_id"), ("organisation", "organisation_id")),
    "organisation": (("organisation", "id"),),
    "invitation": (("invitation", "id"),),
}


@dataclass(slots=True)
class Rebound:
    """A row that this transaction's events have bound, which earlier events may have bound too.

    before is the digest of the row before the transaction; None if it is unknown, or there was no
    row. subjects are what the events about a row of the instance are about.
    """

    before: str | None
    subjects: tuple[tuple[str, UUID], ...]
    is_deleted: bool = False


def rebound(session: Session) -> dict[tuple[ChainKey, str, str], Rebound]:
    """Return what the transaction's events have bound, by chain, table and row."""
    rows: dict[tuple[ChainKey, str, str], Rebound] = session.info.setdefault(_REBOUND, {})
    return rows


def _bind_again(session: Session, chain: ChainKey, row: _Row, entry: Entry) -> None:
    before = entry[0] if isinstance(entry, list) else None
    subjects: tuple[tuple[str, UUID], ...] = ()
    if chain == ChainKey():
        fields = row.before or {}
        subjects = tuple(
            (kind, fields[attribute])
            for kind, attribute in _SUBJECTS.get(row.bound.name, ())
            if fields.get(attribute) is not None
        )
    known = rebound(session).setdefault((chain, *row.place), Rebound(before, subjects))
    known.is_deleted = row.is_deleted


def loaded(session: Session, tables: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the rows of some tables that the session has loaded, without loading anything."""
    names = set(tables)
    for instance in session.identity_map.values():
        bound = _table_of(instance)
        if bound is not None and bound.name in names:
            yield bound.name, _name_of(bound, instance)


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
    by_table: dict[str, list[_Row]] = {}
    for row in rows:
        is_older = row.values is None and row.is_there and _may_differ(session, row.place)
        if row.is_lost or is_older:
            by_table.setdefault(row.bound.name, []).append(row)
    for changed in by_table.values():
        bound = changed[0].bound
        wanted = {row.row: row for row in changed}
        for name, values in _stored(session, bound, _is_in(bound, wanted)):
            wanted[name].values, wanted[name].is_deleted = values, False


def place_of(row: object) -> tuple[str, str]:
    """Return table and name of a row, by which events bind it; raise TypeError if none does."""
    bound = _table_of(row)
    if bound is None:
        message = f"No event binds {type(row).__name__}."
        raise TypeError(message)
    return bound.name, bound.row(_Attributes(row))


def digest_of(row: object) -> str:
    """Return the digest of a row from the session's values; raise TypeError if no event binds it.

    The class of a row, and so its key, may depend on its parents, which are loaded if necessary.
    """
    bound, values = _table_of(row), _Attributes(row)
    session = object_session(row)
    if bound is None or session is None:
        message = f"No event binds {type(row).__name__}, or no session has it."
        raise TypeError(message)
    scope = _scope(session, bound, values)
    key = _RowKeys(scope.cooperation_id).of(scope)
    return WITHOUT_KEY if key is None else bound.digest(key, values)


class _RowKeys:
    """The keys for digests of a chain's rows, each derived once."""

    def __init__(self, cooperation_id: UUID | None) -> None:
        self._cooperation_id = cooperation_id
        self._plain = keys.current().rows
        self._restricted: list[bytes | None] = []

    def entry(self, row: _Row) -> Entry:
        """Return what an event says about a row, under the key that the row's class requires."""
        key = self.of(row.scope or Scope())

        def digest(values: Mapping[str, Any] | None) -> str | None:
            if values is None:
                return None
            return WITHOUT_KEY if key is None else row.bound.digest(key, values)

        after = digest(row.fields() if row.is_there else None)
        return [digest(row.before), after] if row.knows_before else after

    def of(self, scope: Scope) -> bytes | None:
        """Return the key for a row with a scope; None if it was destroyed."""
        if not scope.is_restricted or self._cooperation_id is None:
            return self._plain
        if not self._restricted:
            read = KEY_READER.get()
            if read is None:
                message = "No reader of keys was set; build the application first."
                raise LookupError(message)
            self._restricted.append(read(self._cooperation_id))
        return self._restricted[0]
