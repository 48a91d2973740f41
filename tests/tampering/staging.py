"""Rows that the demonstration lacks, so that every checked table has some to change."""

from uuid import uuid4

import sqlalchemy as sa

from tests.factories import powers
from tests.factories.demonstration import Demonstration
from tracker.access.actor import OrganisationKind
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklists.models import Checklist, Renewal
from tracker.cooperations.invitation_requests.models import InvitationRequest
from tracker.cooperations.succession import service as succession
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.organisations import service as organisations
from tracker.organisations.service import Details
from tracker.visits.models import GateOverride, Visit


def fill_the_rest(demonstration: Demonstration) -> None:
    """Add a renewal, an override, a replaced body and a request, with their events."""
    _renew(demonstration)
    _override(demonstration)
    _replace(demonstration)
    _request_invitation(demonstration)
    db.session.flush()


def _renew(demonstration: Demonstration) -> None:
    checklist = db.session.get_one(Checklist, demonstration.checklists["complete", "terms"])
    assert checklist.revision_in_force_id is not None
    today = clock.today()
    renewal = Renewal(
        id=uuid4(),
        checklist_id=checklist.id,
        revision_id=checklist.revision_in_force_id,
        number=1,
        from_on=today,
        until_on=today.replace(year=today.year + 1, day=1),
        review_on=None,
        renewed_at=clock.now(),
    )
    db.session.add(renewal)
    trail.record(
        verbs.TEXT_RENEWED,
        actor=None,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        evidence=canonical.digest_of(renewal.content()),
        kind=checklist.kind.value,
    )


def _override(demonstration: Demonstration) -> None:
    visit = db.session.scalars(sa.select(Visit)).one()
    override = GateOverride(
        visit_id=visit.id,
        user_id=demonstration.users["ilena"],
        reason="A call that can't wait.",
        at=clock.now(),
        excused=["briefed"],
    )
    db.session.add(override)
    trail.record(
        verbs.GATE_OVERRIDDEN,
        actor=None,
        subject_type="visit",
        subject_id=visit.id,
        cooperation_id=visit.cooperation_id,
        number=visit.number,
        gate="J3",
        reason=override.reason,
    )


def _request_invitation(demonstration: Demonstration) -> None:
    request = InvitationRequest(
        id=uuid4(),
        cooperation_id=demonstration.cooperations["complete"],
        organisation_id=demonstration.organisations["od"],
        partner_id=demonstration.organisations["npm"],
        requested_by_id=demonstration.users["ilena"],
        requested_at=clock.now(),
        name="Runa Holt",
        email="runa.holt@example.org",
        language="en",
    )
    db.session.add(request)
    trail.record(
        verbs.INVITATION_REQUESTED,
        actor=None,
        subject_type="invitation_request",
        subject_id=request.id,
        cooperation_id=request.cooperation_id,
        organisation="Open Door Legal Aid",
    )


def _replace(demonstration: Demonstration) -> None:
    former, successor = (
        organisations.add(None, OrganisationKind.CSO, Details(name=name, types=["human_rights"]))
        for name in ("Bridge Families", "Bridge Families Union")
    )
    iris = powers.acting(demonstration.users["iris"], None)
    succession.replace(
        iris, former.id, successor.id, since=clock.today(), source="Decision of its members"
    )
