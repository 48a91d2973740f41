"""Who may read the comments on a checklist, for mentioning and for giving a task."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from tracker.checklists.models import Checklist, ChecklistParty
from tracker.checklists.policy import WRITERS
from tracker.checklists.queries import VISIT
from tracker.checklists.sealing import is_restricted
from tracker.comments.models import CommentAudience
from tracker.cooperations import audiences, clearances
from tracker.cooperations.people import Person, people
from tracker.core import clock
from tracker.core.db import db


def readers(checklist: Checklist) -> list[Person]:
    """Return who takes part today for a party of a checklist and may open it, party by party.

    The caller found the checklist by a query scoped by the actor.
    """
    parties = frozenset(
        db.session.scalars(
            sa.select(ChecklistParty.organisation_id).where(
                ChecklistParty.checklist_id == checklist.id
            )
        )
    )
    writers = [
        person
        for person in people(checklist.cooperation_id)
        if person.organisation_id in parties and not person.roles.isdisjoint(WRITERS)
    ]
    return _those_cleared(checklist, writers) if is_restricted(checklist) else writers


def of_audience(
    found: Iterable[Person], audience: CommentAudience, organisation_id: UUID
) -> list[Person]:
    """Return those of some readers who read a comment of an organisation to this audience."""
    if audience is CommentAudience.ALL:
        return list(found)
    return [person for person in found if person.organisation_id == organisation_id]


def _those_cleared(checklist: Checklist, writers: Iterable[Person]) -> list[Person]:
    """Return who may see the planning of a visit (class K2): listed and cleared; the lead."""
    visit_id = checklist.visit_id
    if visit_id is None:
        return []
    today = clock.today()
    rows = audiences.audience(VISIT, visit_id)
    leads = {row.user_id for row in rows if row.leads}
    listed = {row.user_id for row in rows if row.from_on <= today}
    cleared = clearances.cleared_user_ids(checklist.cooperation_id, visit_id)
    return [
        person
        for person in writers
        if person.user_id in leads
        or (person.user_id in listed and (not person.needs_clearance or person.user_id in cleared))
    ]
