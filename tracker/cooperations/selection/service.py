"""The service function that records how a partner was chosen (P0)."""

from dataclasses import replace
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, OrganisationKind
from tracker.activity import verbs
from tracker.activity.service import lock_chain
from tracker.activity.service import record as record_event
from tracker.cooperations import people
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation
from tracker.cooperations.selection import policy, queries
from tracker.cooperations.selection.models import PartnerSelection
from tracker.cooperations.selection.policy import Selection
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError

# What fits into the answer to M1.
MAX_CRITERIA = 5000
MAX_DECIDED_BY = 200


def record(
    actor: Actor,
    cooperation: Cooperation,
    organisation_id: UUID,
    selection: Selection,
    *,
    version: int,
) -> bool:
    """Record how a partner was chosen, or change it; return False if nothing differs.

    version is the one the person saw, 0 if there was none: raise StaleError if somebody else saved
    in the meantime. Raise RefusedError for people who may not, RuleBrokenError with the field that
    is invalid. Records PARTNER_SELECTION_RECORDED, which names the partner and nothing else.
    """
    lock_chain(cooperation.id)
    policy.can_record(
        actor,
        cooperations.fact(cooperation),
        is_asked_to_sign=organisation_id in queries.asked_to_sign(cooperation.id),
    ).require()
    name = _partner_name(cooperation, organisation_id)
    tidy = _tidy(selection)
    offered = {body_id for body_id, _name in queries.bodies(cooperation)}
    if tidy.deciding_id is not None and tidy.deciding_id not in offered:
        raise RuleBrokenError(_l("Choose one of the answers offered"), "deciding_id")
    row = queries.locked(cooperation.id, organisation_id)
    if row is not None and _content(row) == tidy:
        return False
    if (row.version if row else 0) != version:
        raise StaleError(
            _l("Somebody else changed this in the meantime. Compare both and save again.")
        )
    if row is None:
        row = PartnerSelection(
            id=uuid4(), cooperation_id=cooperation.id, organisation_id=organisation_id, version=0
        )
        db.session.add(row)
    row.way, row.opened_on, row.decided_on = tidy.way, tidy.opened_on, tidy.decided_on
    row.criteria, row.decided_by = tidy.criteria, tidy.decided_by
    row.deciding_id = tidy.deciding_id
    row.recorded_at, row.recorded_by_id = clock.now(), actor.user_id
    row.version += 1
    db.session.flush()
    record_event(
        verbs.PARTNER_SELECTION_RECORDED,
        actor=actor,
        subject_type="partner_selection",
        subject_id=row.id,
        cooperation_id=cooperation.id,
        organisation=name,
    )
    return True


def _partner_name(cooperation: Cooperation, organisation_id: UUID) -> str:
    for party in people.parties(cooperation):
        if party.organisation_id == organisation_id and party.side is OrganisationKind.CSO:
            return party.organisation.name
    raise RuleBrokenError(_l("This organisation isn't a partner in this cooperation."))


def _tidy(selection: Selection) -> Selection:
    tidy = replace(
        selection,
        criteria=selection.criteria.strip(),
        decided_by=" ".join(selection.decided_by.split()),
    )
    for field, message in policy.problems(tidy, clock.today()):
        raise RuleBrokenError(message, field)
    for field, words, most in (
        ("criteria", tidy.criteria, MAX_CRITERIA),
        ("decided_by", tidy.decided_by, MAX_DECIDED_BY),
    ):
        if len(words) > most:
            raise RuleBrokenError(_l("Write at most %(most)s characters.", most=most), field)
    return tidy


def _content(row: PartnerSelection) -> Selection:
    return Selection(
        row.way, row.opened_on, row.decided_on, row.criteria, row.decided_by, row.deciding_id
    )
