"""The last check that found nothing altered: recorded in the trail, and found for a register."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor, Role
from tracker.activity import queries as trail
from tracker.activity import verbs
from tracker.activity.queries import HistoryLine
from tracker.activity.service import record
from tracker.core.db import db
from tracker.evidence.public_check.facts import REGISTER
from tracker.organisations.models import Organisation
from tracker.oversight import policy

# The subject of a check of the whole instance, which counts for every register.
WHOLE_INSTANCE = UUID(int=0)


def record_intact(actor: Actor) -> None:
    """Record for each register of a person that a check found nothing altered.

    A check that found something isn't recorded: an event would be added to a chain that may be the
    one that was altered, and its end sealed again.
    """
    policy.can_see_register(actor).require()
    rows = db.session.execute(
        sa.select(Organisation.id, Organisation.name)
        .where(Organisation.id.in_(_registers(actor)))
        .order_by(Organisation.id)
    )
    for organisation_id, name in rows.all():
        record(
            verbs.INTEGRITY_CHECKED,
            actor=actor,
            subject_type=REGISTER,
            subject_id=organisation_id,
            organisation=name,
        )


def record_instance_intact() -> None:
    """Record that the command checked the whole instance and found nothing altered."""
    record(
        verbs.INTEGRITY_CHECKED,
        actor=None,
        subject_type=REGISTER,
        subject_id=WHOLE_INSTANCE,
    )


def last_check(actor: Actor) -> HistoryLine | None:
    """Return the last check of a person's registers or of the whole instance, in one query."""
    return trail.last_of(verbs.INTEGRITY_CHECKED, REGISTER, [*_registers(actor), WHOLE_INSTANCE])


def _registers(actor: Actor) -> Collection[UUID]:
    """Return the organisations whose whole registers a person sees."""
    ids = set(actor.audited_ids)
    if actor.organisation_id is not None and actor.has(Role.MANAGER):
        ids.add(actor.organisation_id)
    return sorted(ids)
