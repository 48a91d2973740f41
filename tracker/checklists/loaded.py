"""The checklists that a transaction has read, cached until one changes or the transaction ends."""

import datetime as dt
import enum
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, UOWTransaction

from tracker.activity.service import holds_chain
from tracker.core import clock
from tracker.core.db import db


class Part(enum.Enum):
    """Something that is read separately: of a checklist, or of its cooperation."""

    CHECKLIST = enum.auto()
    # A cooperation's own checklists, without those of its visits.
    OWN = enum.auto()
    COOPERATION = enum.auto()
    PEOPLE = enum.auto()
    ANSWERS = enum.auto()
    POSITIONS = enum.auto()
    PROPOSALS = enum.auto()
    FLAGS = enum.auto()
    HINT_ANSWERS = enum.auto()
    REVIEWS = enum.auto()
    # Which of proposals, flags and reviews a checklist has none of, as read with its own row.
    EMPTY = enum.auto()
    # The team and the first day of a checklist's visit, by the visit's id.
    VISIT = enum.auto()


# The tables on which each part depends. For tables whose rows are also changed by what is derived
# from a checklist, only these columns matter.
READ_BY: dict[str, tuple[Part, ...]] = {
    "answer": (Part.ANSWERS,),
    "copied_answer": (Part.ANSWERS,),
    "copy_reading": (Part.ANSWERS,),
    "checklist": (Part.CHECKLIST, Part.OWN),
    "checklist_party": (Part.CHECKLIST, Part.OWN),
    "checklist_template": (Part.CHECKLIST, Part.OWN),
    "cooperation": (Part.COOPERATION, Part.PEOPLE),
    "cooperation_person": (Part.PEOPLE,),
    "flag": (Part.FLAGS, Part.EMPTY),
    "hint_answer": (Part.HINT_ANSWERS,),
    "membership": (Part.PEOPLE,),
    "organisation": tuple(Part),
    "outside_reading": (Part.CHECKLIST, Part.OWN, Part.REVIEWS),
    "party": (Part.COOPERATION, Part.PEOPLE),
    "position": (Part.POSITIONS,),
    "proposal": (Part.PROPOSALS, Part.EMPTY),
    "safeguard_review": (Part.REVIEWS, Part.EMPTY),
    "team_member": (Part.VISIT,),
    "user": tuple(Part),
    "visit": (Part.VISIT,),
}
LOOKED_AT: dict[str, frozenset[str]] = {
    "checklist": frozenset({"template_id", "visit_id", "cooperation_id"}),
    "checklist_party": frozenset({"organisation_id", "position"}),
    "cooperation": frozenset({"modes", "questions", "outside_bodies"}),
    "user": frozenset({"name", "active"}),
    "visit": frozenset({"sealed_plan", "stage"}),
}
_KEY = "loaded_checklists"
Result = TypeVar("Result")


class Loaded:
    """The parts that one transaction has read, by the id of the checklist or cooperation."""

    def __init__(self) -> None:
        self._parts: dict[Part, dict[UUID, Any]] = {part: {} for part in Part}
        # What was made from the parts, by checklist and by what else it depends on.
        self._derived: dict[UUID, tuple[object, Any]] = {}
        # Results of other queries, until anything is written.
        self._answers: dict[Hashable, Any] = {}
        self._chains: set[UUID] = set()
        self._day: dt.date | None = None

    def parts(
        self,
        part: Part,
        ids: Iterable[UUID],
        read: Callable[[list[UUID]], Mapping[UUID, Any]],
        *,
        nothing: Callable[[], Any] = tuple,
    ) -> dict[UUID, Any]:
        """Return a part by id, reading what is missing; nothing() is used for ids without one."""
        loaded_parts = self._parts[part]
        missing = [wanted_id for wanted_id in dict.fromkeys(ids) if wanted_id not in loaded_parts]
        if missing:
            values_read = read(missing)
            loaded_parts.update(
                {missing_id: values_read.get(missing_id, nothing()) for missing_id in missing}
            )
        return loaded_parts

    def get(self, part: Part, object_id: UUID) -> Any:
        """Return a part that was read and has not changed since, else None."""
        return self._parts[part].get(object_id)

    def put(self, part: Part, object_id: UUID, value: Any) -> None:
        """Store a part as it is after this transaction wrote to it."""
        self._parts[part][object_id] = value

    def unless_empty(self, part: Part, ids: Iterable[UUID]) -> list[UUID]:
        """Return those of some checklists that may have rows of a part."""
        empty = self._parts[Part.EMPTY]
        return [object_id for object_id in ids if part not in empty.get(object_id, ())]

    def get_or_make(self, checklist_id: UUID, of: object, make: Callable[[], Any]) -> Any:
        """Return what was made from a checklist's parts and something else, or make it."""
        before = self._derived.get(checklist_id)
        if before is not None and before[0] == of:
            return before[1]
        value = make()
        self._derived[checklist_id] = (of, value)
        return value

    def once(self, question: Hashable, ask: Callable[[], Result]) -> Result:
        """Return the cached result of a query, running it only if something was written since."""
        if question not in self._answers:
            self._answers[question] = ask()
        return cast("Result", self._answers[question])

    def forget_answers(self) -> None:
        """Forget the results of queries, since something was written."""
        self._answers.clear()

    def begin(self, cooperation_ids: Iterable[UUID]) -> None:
        """Forget everything read before this transaction locked the cooperations, or today.

        Others may have written since, so it has to be read again.
        """
        locked_ids = {
            cooperation_id for cooperation_id in cooperation_ids if holds_chain(cooperation_id)
        }
        if not locked_ids <= self._chains or self._day != clock.today():
            self.forget(Part)
            self._chains |= locked_ids
            self._day = clock.today()

    def forget_unless_whole(self, part: Part, relations: Collection[str]) -> None:
        """Forget everything if the rows of a part are not loaded as before, with these relations.

        Somebody has expired them, or read them again without the relations.
        """
        values = self._parts[part].values()
        rows = (row for entry in values for row in (entry if isinstance(entry, list) else [entry]))
        states = [sa.inspect(row, raiseerr=True) for row in rows]
        if any(
            state.expired or not state.persistent or state.unloaded.intersection(relations)
            for state in states
        ):
            self.forget(Part)

    def forget(self, parts: Iterable[Part]) -> None:
        """Forget some parts, and everything made from them."""
        for part in parts:
            self._parts[part].clear()
        self._derived.clear()
        self._answers.clear()


def of_this_transaction(cooperation_ids: Collection[UUID]) -> Loaded:
    """Return the parts this transaction has read and that are valid, after flushing."""
    db.session.flush()
    loaded: Loaded = db.session.info.setdefault(_KEY, Loaded())
    loaded.begin(cooperation_ids)
    return loaded


@event.listens_for(Session, "after_flush")
def _forget_changed_rows(session: Session, _context: UOWTransaction) -> None:
    loaded: Loaded | None = session.info.get(_KEY)
    if loaded is None:
        return
    loaded.forget_answers()
    parts: set[Part] = set()
    for row in (*session.new, *session.deleted):
        parts.update(READ_BY.get(_table(row), ()))
    for row in session.dirty:
        table = _table(row)
        if table in READ_BY and _is_changed(row, LOOKED_AT.get(table)):
            parts.update(READ_BY[table])
    if parts:
        loaded.forget(parts)


@event.listens_for(Session, "do_orm_execute")
def _forget_changed_tables(state: ORMExecuteState) -> None:
    loaded: Loaded | None = state.session.info.get(_KEY)
    if loaded is None or not (state.is_insert or state.is_update or state.is_delete):
        return
    loaded.forget_answers()
    statement = cast("sa.sql.dml.UpdateBase", state.statement)
    loaded.forget(READ_BY.get(str(statement.table), ()))


@event.listens_for(Session, "after_transaction_end")
def _forget_all(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_KEY, None)


@event.listens_for(Session, "after_soft_rollback")
def _forget_what_was_rolled_back(session: Session, _before: SessionTransaction) -> None:
    session.info.pop(_KEY, None)


def _table(row: object) -> str:
    return str(sa.inspect(row, raiseerr=True).mapper.local_table)


def _is_changed(row: object, columns: Collection[str] | None) -> bool:
    state = sa.inspect(row, raiseerr=True)
    names = state.mapper.column_attrs.keys() if columns is None else columns
    return any(state.attrs[name].history.has_changes() for name in names)
