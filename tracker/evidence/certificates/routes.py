"""Downloads of certificates, for anyone who may open the record of the text."""

from uuid import UUID

from flask import Blueprint
from werkzeug.wrappers import Response

from tracker.access import reading
from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.activity import service as trail
from tracker.agreements.service import SUBJECT as CHECKLIST
from tracker.checklists import heads
from tracker.checklists.encryption import is_restricted
from tracker.cooperations.queries import find_by_id_in_part
from tracker.core import clock
from tracker.evidence.certificates import service as certificates
from tracker.evidence.models import Certificate
from tracker.signoff import queries as signoff
from tracker.signoff.models import Revision
from tracker.undertakings import policy, queries
from tracker.undertakings.models import SUBJECT as UNDERTAKING

blueprint = Blueprint("certificates", __name__)
MIME_TYPE = "application/pdf"
SHORT = 8


@blueprint.get("/checklists/<uuid:checklist_id>/record/<int:number>/certificate/<language>")
@signed_in
def of_checklist(checklist_id: UUID, number: int, language: str) -> Response:
    """Send the certificate of a revision of a checklist, and log the download, if there is one."""
    actor = current_actor()
    checklist = found_or_404(heads.find(actor, checklist_id))
    if is_restricted(checklist):
        reading.require_second_factor()
    revisions = (revision for revision, _request in signoff.revisions_of(CHECKLIST, checklist.id))
    revision = found_or_404(
        next((revision for revision in revisions if revision.number == number), None)
    )
    cooperation = found_or_404(find_by_id_in_part(actor, checklist.cooperation_id))
    row = found_or_404(certificates.find(revision.id, language))
    _note(actor, checklist.cooperation_id, CHECKLIST, checklist.id)
    return _file(revision, row, cooperation.reference)


@blueprint.get("/undertakings/<uuid:undertaking_id>/certificate/<language>")
@signed_in
def of_undertaking(undertaking_id: UUID, language: str) -> Response:
    """Send the certificate of an undertaking: to its person, and to people who decide on it.

    To read what somebody else declared, they need a second factor.
    """
    actor = current_actor()
    undertaking = found_or_404(
        queries.find_own(actor, undertaking_id) or queries.find_for_npm(actor, undertaking_id)
    )
    loaded = queries.load(undertaking)
    require(policy.can_see(actor, loaded.standing, clock.today()))
    if undertaking.user_id != actor.user_id:
        reading.require_second_factor()
    revision = found_or_404(signoff.revision(found_or_404(undertaking.revision_id)))
    row = found_or_404(certificates.find(revision.id, language))
    _note(actor, undertaking.cooperation_id, UNDERTAKING, undertaking.id)
    return _file(revision, row, loaded.terms.reference)


def _note(actor: Actor, cooperation_id: UUID, subject_type: str, subject_id: UUID) -> None:
    """Log who downloaded a certificate."""
    trail.log_read(
        actor,
        cooperation_id=cooperation_id,
        subject_type=subject_type,
        subject_id=subject_id,
        page="certificate",
    )


def _file(revision: Revision, row: Certificate, reference: str) -> Response:
    """Return a certificate as a download whose name reveals nothing of class K2 to K7."""
    name = f"{reference}-{revision.digest[:SHORT]}-{row.language}.pdf"
    response = Response(certificates.file_as_made(row, revision), mimetype=MIME_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
