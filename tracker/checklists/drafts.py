"""Drafts of what a person has typed and not saved: store, find, finish, expire."""

import datetime as dt
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from tracker.access.actor import Actor
from tracker.access.conditions import built_for_all
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import encryption
from tracker.checklists.beside import VISIT_NUMBER
from tracker.checklists.models import Checklist, Draft, DraftKind
from tracker.checklists.queries import is_going_on, visible
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db, delete_batch
from tracker.core.errors import RuleBrokenError

KEPT_FOR = dt.timedelta(days=90)
MOST_LETTERS = 200_000
MOST_FIELDS = 2_000
# The largest whole number that JavaScript represents exactly; no page ever reaches it.
LAST_NUMBER = 10**12
# The largest version that fits into the column.
LAST_VERSION = 2**31 - 1
# In place of an item: the draft of the page with what is left to decide of all items (adr 121).
LEFT_TO_DECIDE = "decide"
# How many drafts My work reads.
MANY = 100

DraftValues = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class DraftKey:
    """The owner of a draft: a person, acting for an organisation, on an item, and its kind.

    The item is LEFT_TO_DECIDE for the page on which places of all items are filled in.
    """

    user_id: UUID
    organisation_id: UUID
    item: str
    kind: DraftKind


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """A draft as stored.

    typed is None if it was saved or discarded, or never begun.
    """

    number: int = 0
    base_version: int = 0
    typed: DraftValues | None = None
    kept_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A draft as listed: where it is and when it was begun, but not its content."""

    checklist_id: UUID
    checklist_kind: ChecklistKind
    template_id: UUID
    item: str
    kind: DraftKind
    cooperation: str
    # The number of the visit, if the checklist belongs to one.
    visit: int | None
    kept_at: dt.datetime


def find(checklist: Checklist, whose: DraftKey) -> SavedDraft:
    """Return a person's draft on a checklist that a query scoped to them has found."""
    row = _row(checklist, whose)
    return SavedDraft() if row is None else _saved(checklist, row)


def keep(
    checklist: Checklist,
    whose: DraftKey,
    typed: DraftValues,
    *,
    base_version: int,
    number: int,
    known: Container[int] = (),
) -> SavedDraft | None:
    """Store a draft and return it; None if this page may not overwrite the stored one.

    Pages send growing numbers, so a text that arrives late or twice changes nothing. known are the
    numbers of the texts it is based on: the one the page was opened with, and its own. A text from
    another window is never overwritten unseen. It leaves no event: only saving does (product.md,
    4.7). Raise RuleBrokenError if it is more than a form can hold. The checklist was found by a
    query scoped to the draft's owner.
    """
    _require_size(typed)
    row = _row(checklist, whose, to_change=True)
    if row is None:
        row = _new(checklist, whose)
        number = max(number, 1)
    elif number <= row.number or _is_of_another_window(row, known):
        saved = _saved(checklist, row)
        return saved if (saved.number, saved.typed) == (number, dict(typed)) else None
    row.number = min(number, LAST_NUMBER)
    row.base_version = min(max(base_version, 0), LAST_VERSION)
    row.kept_at = clock.now()
    encryption.put_typed(checklist.cooperation_id, row, typed)
    db.session.flush()
    return _saved(checklist, row)


def keep_aside(
    checklist: Checklist, whose: DraftKey, typed: DraftValues, *, base_version: int
) -> SavedDraft:
    """Store the text of somebody whose answer could not be saved, replacing any earlier draft."""
    last = find(checklist, whose).number
    saved = keep(checklist, whose, typed, base_version=base_version, number=last + 1, known={last})
    if saved is None:
        raise RuleBrokenError(
            _l("You were writing on this item in another window at the same moment.")
        )
    return saved


def finish(
    checklist: Checklist, whose: DraftKey, *, number: int = 0, known: Container[int] = ()
) -> bool:
    """Erase a draft because it was saved or discarded; return whether none is left.

    number is the page's: anything it sent before that arrives late is ignored. A text from another
    window, which is not among the known ones, is kept, since it was not what was saved.
    """
    row = _row(checklist, whose, to_change=True)
    if row is None:
        if number <= 1:  # a page that has sent nothing yet
            return True
        row = _new(checklist, whose)
    if _is_of_another_window(row, known):
        return False
    row.number = min(max(row.number + 1, number), LAST_NUMBER)
    row.sealed = None
    row.kept_at = clock.now()
    db.session.flush()
    return True


_BEGUN = (
    sa.select(Draft, Checklist.kind, Checklist.template_id, Cooperation.title)
    .join(Checklist, Checklist.id == Draft.checklist_id)
    .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
    .where(Draft.sealed.is_not(None))
    # Not in the order of the index for old drafts: PostgreSQL would read all drafts by it.
    .order_by(Draft.kept_at.desc().nulls_last())
)


def begun(actor: Actor) -> list[Begun]:
    """Return the person's drafts on checklists they may still open, the newest MANY."""
    query, reader = _begun(actor)
    return [
        Begun(row.checklist_id, kind, template_id, row.item, row.kind, title, visit, row.kept_at)
        for row, kind, template_id, title, visit in db.session.execute(
            query, {"most": MANY, **reader}
        )
    ]


@built_for_all
def _begun(actor: Actor) -> sa.Select[*tuple[Any, ...]]:
    return (
        _BEGUN.add_columns(VISIT_NUMBER.get()())
        .where(
            Draft.user_id == actor.user_id,
            Draft.organisation_id == actor.organisation_id,
            visible(actor),
            # On the text of a stopped visit nothing can be saved any more.
            is_going_on(),
        )
        .limit(sa.bindparam("most", type_=sa.Integer()))
    )


def forget_old() -> int:
    """Delete a batch of drafts untouched for 90 days (db.delete_batch); for the worker."""
    return delete_batch(Draft.id, Draft.kept_at < clock.now() - KEPT_FOR)


def _is_of_another_window(row: Draft, known: Container[int]) -> bool:
    return row.sealed is not None and row.number not in known


_DRAFT = sa.select(Draft).where(
    *(
        column == sa.bindparam(column.key)
        for column in (
            Draft.checklist_id,
            Draft.item,
            Draft.kind,
            Draft.user_id,
            Draft.organisation_id,
        )
    )
)
_DRAFT_TO_CHANGE = _DRAFT.with_for_update().execution_options(populate_existing=True)


def _row(checklist: Checklist, whose: DraftKey, *, to_change: bool = False) -> Draft | None:
    wanted = {
        "checklist_id": checklist.id,
        "item": whose.item,
        "kind": whose.kind,
        "user_id": whose.user_id,
        "organisation_id": whose.organisation_id,
    }
    return db.session.scalar(_DRAFT_TO_CHANGE if to_change else _DRAFT, wanted)


def _new(checklist: Checklist, whose: DraftKey) -> Draft:
    """Create a draft; if another window of the person did so just now, return that one."""
    row = Draft(
        id=uuid4(),
        checklist_id=checklist.id,
        item=whose.item,
        kind=whose.kind,
        user_id=whose.user_id,
        organisation_id=whose.organisation_id,
        base_version=0,
        number=0,
        kept_at=clock.now(),
    )
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        existing = _row(checklist, whose, to_change=True)
        if existing is None:
            raise
        return existing
    return row


def _saved(checklist: Checklist, row: Draft) -> SavedDraft:
    typed = encryption.typed_of(checklist.cooperation_id, row)
    return SavedDraft(row.number, row.base_version, typed, row.kept_at)


def _require_size(typed: DraftValues) -> None:
    letters = sum(len(name) + sum(map(len, values)) for name, values in typed.items())
    fields = sum(map(len, typed.values()))
    if letters > MOST_LETTERS or fields > MOST_FIELDS:
        raise RuleBrokenError(_l("This is too long for a draft."))
