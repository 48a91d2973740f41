"""Reads of the trail: a cooperation's history, and the instance's for administrators."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from tracker.activity.models import Chain, ChainKind, Event
from tracker.activity.verbs import Verb
from tracker.core.db import db


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One event as shown; who is None for the application itself, details {} once erased.

    is_veiled: somebody did it, and the name is not told here.
    """

    number: int
    verb: str
    at: dt.datetime
    who: str | None
    acting_for: str | None
    details: dict[str, Any]
    subject_type: str
    subject_id: UUID
    is_veiled: bool = False
    # The event's own place in the chain: what comes after it builds on this.
    digest: str = ""


# A person's own answer on these tells that they are in the team of a visit (class K2): the history,
# which auditors read too, does not name them. The pages of the visit do, to those who may know.
_TELL_THE_TEAM = frozenset({"visit_roles", "urgent_plan"})


def history(
    cooperation_id: UUID, *, offset: int = 0, limit: int = 100
) -> tuple[int, list[HistoryLine]]:
    """Return the number of a cooperation's events and one page of them, newest first.

    The caller has found the cooperation by a query scoped by the actor. Details hold nothing of
    class K2 to K7, so whoever sees the cooperation's record sees its history.
    """
    return _page(Chain.cooperation_id == cooperation_id, offset, limit)


def subject_history(
    cooperation_id: UUID,
    subject_ids: list[UUID],
    *,
    verbs: Iterable[Verb] | None = None,
    limit: int = 200,
) -> list[HistoryLine]:
    """Return the events of some things of a cooperation, newest first, all or of some verbs."""
    condition = sa.and_(Chain.cooperation_id == cooperation_id, Event.subject_id.in_(subject_ids))
    if verbs is not None:
        condition = sa.and_(condition, Event.verb.in_([verb.name for verb in verbs]))
    return _page(condition, 0, limit)[1]


def instance_history(*, offset: int = 0, limit: int = 100) -> tuple[int, list[HistoryLine]]:
    """Return the instance's events, newest first; for administrators."""
    return _page(Chain.kind == ChainKind.INSTANCE, offset, limit)


def is_veiled(details: Mapping[str, Any]) -> bool:
    """Tell whether the details of an event would tell by their name who is in a visit's team."""
    return details.get("scope") == "person" and details.get("kind") in _TELL_THE_TEAM


def _page(
    condition: sa.ColumnElement[bool], offset: int, limit: int
) -> tuple[int, list[HistoryLine]]:
    found = sa.select(Event).join(Event.chain).where(condition)
    total = db.session.scalar(sa.select(sa.func.count()).select_from(found.subquery())) or 0
    events = db.session.scalars(
        found.options(selectinload(Event.detail))
        .order_by(Event.number.desc())
        .offset(offset)
        .limit(limit)
    )
    return total, [_line(event) for event in events]


def _line(event: Event) -> HistoryLine:
    details = dict(event.detail.content) if event.detail else {}
    who = details.pop("who", None) or {}
    veiled = is_veiled(details)
    if veiled:
        who = {}
    return HistoryLine(
        number=event.number,
        verb=event.verb,
        at=event.at,
        who=who.get("name"),
        acting_for=who.get("for"),
        details=details,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        is_veiled=veiled,
        digest=event.digest,
    )
