"""The access that interests close: to all work, or to visits to the places concerned.

Interests added later, until the NPM decides, and the NPM's limits on these and on what was first
declared. Recomputed when an interest is added or decided, and when a visit's place or kind changes.
A visit is closed if its place might be one of them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.activity.service import DomainEvent
from tracker.activity.stale import Stale, mark
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import encryption as answers
from tracker.checklists.models import Answer, Checklist
from tracker.checklists.rules.consistency import KIND_OF_PLACE, is_of_former_place
from tracker.cooperations.models import ClearanceBar
from tracker.core.db import db
from tracker.undertakings import added_interests
from tracker.undertakings.added_interests import Closed
from tracker.undertakings.models import Reach
from tracker.visits.encryption import Plan, is_damaged, plan_unless_erased
from tracker.visits.models import Visit
from tracker.visits.stages import PREPARED

_Key = tuple[UUID, UUID | None]


def follow(event: DomainEvent) -> None:
    """Recompute the bars of a cooperation.

    Handler of INTEREST_ADDED, INTERESTS_DECIDED, VISIT_PLANNED and VISIT_CHANGED.
    """
    if event.cooperation_id is not None:
        mark(Stale.BARS, [event.cooperation_id], event.actor)


def follow_answer(event: DomainEvent) -> None:
    """Recompute the bars when a visit's type of place may have changed.

    Handler of the verbs that change an answer of the roles.
    """
    if event.details.get("kind") == ChecklistKind.VISIT_ROLES.value and (
        event.details.get("item") in {None, KIND_OF_PLACE}
    ):
        follow(event)


def work_out(cooperation_id: UUID, _actor: Actor | None = None) -> None:
    """Recompute the bars of a cooperation from its interests and visits.

    In a constant number of statements. Visits whose bars change are evaluated again.
    """
    closed = list(added_interests.closed_in(cooperation_id))
    bars: dict[_Key, ClearanceBar] = {
        (bar.interest_id, bar.visit_id): bar
        for bar in db.session.scalars(
            sa.select(ClearanceBar).where(ClearanceBar.cooperation_id == cooperation_id)
        )
    }
    if not closed and not bars:
        return
    visits = db.session.scalars(
        sa.select(Visit).where(Visit.cooperation_id == cooperation_id)
    ).all()
    wanted = _wanted(cooperation_id, closed, visits)
    if bars.keys() == wanted.keys():
        return
    for key in bars.keys() - wanted.keys():
        db.session.delete(bars[key])
    for interest_id, visit_id in wanted.keys() - bars.keys():
        db.session.add(
            ClearanceBar(
                cooperation_id=cooperation_id,
                user_id=wanted[interest_id, visit_id],
                interest_id=interest_id,
                visit_id=visit_id,
            )
        )
    db.session.flush()
    mark(Stale.VISIT, [visit.id for visit in visits if visit.stage in PREPARED])


def closed_to(visit: Visit, user_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return to whom of some people a visit is closed by an interest, without reading bars.

    In two statements, and one more if interests close a place to any of them; none for nobody.
    """
    closed = list(added_interests.closed_in(visit.cooperation_id, user_ids)) if user_ids else []
    return frozenset(_wanted(visit.cooperation_id, closed, [visit]).values() if closed else ())


def _wanted(
    cooperation_id: UUID, all_closed: Iterable[Closed], visits: Sequence[Visit]
) -> dict[_Key, UUID]:
    """Return what interests currently close, for whom: interest and visit, or None for all work.

    A visit whose place can't be read might be to one of theirs.
    """
    damaged = {visit.id for visit in visits if is_damaged(visit)}
    read = ((visit.id, plan_unless_erased(visit)) for visit in visits if visit.id not in damaged)
    plans = {visit_id: plan for visit_id, plan in read if plan is not None}
    kinds = _kinds(cooperation_id, plans)
    wanted: dict[_Key, UUID] = {}
    for closed in all_closed:
        if closed.places.reach is Reach.ALL:
            wanted[closed.id, None] = closed.user_id
            continue
        for visit_id, plan in plans.items():
            if closed.places.concern(kinds.get(visit_id), plan.place):
                wanted[closed.id, visit_id] = closed.user_id
        wanted |= dict.fromkeys(((closed.id, visit_id) for visit_id in damaged), closed.user_id)
    return wanted


def _kinds(cooperation_id: UUID, plans: Mapping[UUID, Plan]) -> dict[UUID, str]:
    """Return the type of place of each visit of a cooperation, if its roles say it (V1).

    Not if they said it of the place before.
    """
    rows = db.session.execute(
        sa.select(Checklist.visit_id, Answer)
        .join(Checklist, Checklist.id == Answer.checklist_id)
        .where(
            Checklist.cooperation_id == cooperation_id,
            Checklist.kind == ChecklistKind.VISIT_ROLES,
            Checklist.visit_id.in_(plans),
            Answer.item == KIND_OF_PLACE,
            Answer.scope == AnswerScope.SHARED,
            Answer.is_current.is_(True),
        )
    )
    return {
        visit_id: str(answers.values_of(cooperation_id, answer).get("place_type") or "")
        for visit_id, answer in rows
        if visit_id is not None
        and not is_of_former_place(answer.saved_at, plans[visit_id].kind_asked_at)
    }
