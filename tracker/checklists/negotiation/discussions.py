"""Discussions that a party asked for: the open one, what came of it, and those that have ended."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.accounts.models import User
from tracker.checklists import encryption
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Position, Stance, TalkEnd
from tracker.checklists.parts import PositionFact
from tracker.core.db import db, load_joined
from tracker.core.errors import RuleBrokenError

OUTCOME_LENGTH = 300
# The field in which the outcome is typed.
OUTCOME = "outcome"
# How many discussions that ended are shown with an item; its history has all.
MOST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class EndedDiscussion:
    """A wish to discuss that has ended: whose, why, how, and what came of it."""

    party: str
    reason: str
    asked_by: str
    asked_at: dt.datetime
    ended_as: TalkEnd
    ended_at: dt.datetime | None
    ended_by: str
    outcome: str


def open_wishes(
    loaded: LoadedChecklist, code: str, organisation_id: UUID | None
) -> list[PositionFact]:
    """Return a party's wish to discuss an item, once for each part of the answer it is about."""
    return [
        row
        for row in loaded.all_positions_on.get(code, ())
        if row.organisation_id == organisation_id and row.stance is Stance.WANTS_TALK
    ]


def put_outcome(loaded: LoadedChecklist, wishes: list[PositionFact], outcome: str) -> None:
    """Store what came of a party's wish that is about to end; raise RuleBrokenError if empty.

    Where there is no wish to discuss, nothing is asked and nothing stored.
    """
    if not wishes:
        return
    tidied = " ".join(outcome.split())
    if not tidied:
        raise RuleBrokenError(_l("Say in a sentence what came of the discussion."), OUTCOME)
    if len(tidied) > OUTCOME_LENGTH:
        raise RuleBrokenError(
            _l("An outcome can have at most %(most)s characters.", most=OUTCOME_LENGTH), OUTCOME
        )
    ids = [wish.id for wish in wishes]
    for row in db.session.scalars(sa.select(Position).where(Position.id.in_(ids))):
        encryption.put_outcome(loaded.checklist, row, tidied)
    db.session.flush()


def ended(loaded: LoadedChecklist) -> Mapping[str, list[EndedDiscussion]]:
    """Return by item the discussions that ended last, the oldest first, in one query.

    One on some rows of an answer is stored for each row: it has ended once none of them is left.
    """
    rows = db.session.scalars(
        sa.select(Position)
        .where(Position.checklist_id == loaded.checklist.id, Position.ended_as.is_not(None))
        .options(load_joined(Position.author, User.name), load_joined(Position.ended_by, User.name))
        .order_by(Position.ended_at, Position.taken_at)
    )
    still_open = {(row.item, row.organisation_id, row.taken_at) for row in loaded.positions}
    last = {
        key: row
        for row in rows
        if (key := (row.item, row.organisation_id, row.taken_at)) not in still_open
    }
    by_item: dict[str, list[EndedDiscussion]] = {}
    for row in last.values():
        by_item.setdefault(row.item, []).append(_discussion(loaded, row))
    return {code: discussions[-MOST_SHOWN:] for code, discussions in by_item.items()}


def _discussion(loaded: LoadedChecklist, row: Position) -> EndedDiscussion:
    cooperation_id = loaded.checklist.cooperation_id
    return EndedDiscussion(
        party=loaded.names.parties.get(row.organisation_id, ""),
        reason=encryption.reason_of(cooperation_id, row),
        asked_by=row.author.name,
        asked_at=row.taken_at,
        ended_as=row.ended_as or TalkEnd.CHANGED,
        ended_at=row.ended_at,
        ended_by=row.ended_by.name if row.ended_by else "",
        outcome=encryption.outcome_of(cooperation_id, row),
    )
