"""Reads of the trail: a cooperation's history, and the instance's for administrators."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from tracker.activity import verbs
from tracker.activity.models import Chain, ChainKind, Event, EventDetail
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


# Who works on these may know of a visit, and may be in its team (class K2): the history, which
# auditors read too, does not name them but for what they signed. The pages of the visit do, to
# those who may know.
_OF_A_VISIT = frozenset({"visit_roles", "urgent_plan"})
# Its lead may do this, whom nobody else knows.
_BY_THE_LEAD = frozenset({verbs.VISIT_CHANGED.name, verbs.VISIT_STOPPED.name})
# What the application works out of what somebody did. Whose act it was is not told: it may have
# been the last one missing, of a person of the team.
_WORKED_OUT = frozenset(
    verb.name
    for verb in (
        verbs.STAGE_CHANGED,
        verbs.VISIT_STAGE_CHANGED,
        verbs.VISIT_BECAME_READY,
        verbs.VISIT_LOST_READINESS,
        verbs.TEAM_CHANGED,
        verbs.AUDIENCE_CHANGED,
    )
)


def history(
    cooperation_id: UUID, *, offset: int = 0, limit: int = 100
) -> tuple[int, list[HistoryLine]]:
    """Return the number of a cooperation's events and one page of them, newest first.

    The caller has found the cooperation by a query scoped by the actor. Details hold nothing of
    class K2 to K7, so whoever sees the cooperation's record sees its history. What each person of
    a visit's team confirms is in neither, whoever asks; the page says so (leaves_out_the_team).
    """
    return _page(Chain.cooperation_id == cooperation_id, offset, limit)


def subject_history(
    cooperation_id: UUID,
    subject_ids: list[UUID],
    *,
    of: Iterable[Verb] | None = None,
    limit: int = 200,
) -> list[HistoryLine]:
    """Return the events of some things of a cooperation, newest first, all or of some verbs."""
    condition = sa.and_(Chain.cooperation_id == cooperation_id, Event.subject_id.in_(subject_ids))
    if of is not None:
        condition = sa.and_(condition, Event.verb.in_([verb.name for verb in of]))
    return _page(condition, 0, limit)[1]


def leaves_out_the_team(cooperation_id: UUID) -> bool:
    """Tell whether a visit was planned, so that its history must say what it leaves out.

    Not whether something is left out: that would tell whether anyone is in the team.
    """
    return bool(
        db.session.scalar(
            sa.select(
                sa.exists().where(
                    Event.chain_id == Chain.id,
                    Chain.cooperation_id == cooperation_id,
                    Event.verb == verbs.VISIT_PLANNED.name,
                )
            )
        )
    )


def instance_history(*, offset: int = 0, limit: int = 100) -> tuple[int, list[HistoryLine]]:
    """Return the instance's events, newest first; for administrators."""
    return _page(Chain.kind == ChainKind.INSTANCE, offset, limit)


def is_veiled(verb: str, details: Mapping[str, Any]) -> bool:
    """Tell whether who did it would tell who may know of a visit, or who is in its team.

    What is about a frozen text names its revision: who signs and sends is no secret.
    """
    of_a_visit = details.get("kind") in _OF_A_VISIT and "revision" not in details
    return of_a_visit or verb in _BY_THE_LEAD


def tells_the_team(verb: str, details: Mapping[str, Any]) -> bool:
    """Tell whether the details of an event as they are kept would tell it, or the team's size."""
    of_somebody = verb in _WORKED_OUT and (details.get("who") is not None or "count" in details)
    return of_somebody or is_veiled(verb, details)


def _is_a_persons_own() -> sa.ColumnElement[bool]:
    """Ask for what each person of a team confirms: how often it was, tells how many they are."""
    return sa.and_(
        Event.verb == verbs.ANSWER_SAVED.name,
        sa.exists().where(
            EventDetail.event_id == Event.id,
            EventDetail.content["scope"].as_string() == "person",
            EventDetail.content["kind"].as_string().in_(sorted(_OF_A_VISIT)),
        ),
    )


def _page(
    condition: sa.ColumnElement[bool], offset: int, limit: int
) -> tuple[int, list[HistoryLine]]:
    found = sa.select(Event).join(Event.chain).where(condition, ~_is_a_persons_own())
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
    veiled = is_veiled(event.verb, details)
    if event.verb in _WORKED_OUT:
        who = {}
        details.pop("count", None)
    return HistoryLine(
        number=event.number,
        verb=event.verb,
        at=event.at,
        who=None if veiled else who.get("name"),
        acting_for=who.get("for"),
        details=details,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        is_veiled=veiled,
        digest=event.digest,
    )
