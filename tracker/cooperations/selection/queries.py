"""Queries for how partners were chosen, and who was asked to sign the terms."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from tracker.accounts.models import User
from tracker.cooperations import outside_bodies, people
from tracker.cooperations.models import Cooperation
from tracker.cooperations.selection.models import PartnerSelection
from tracker.core.db import db, load_joined
from tracker.signoff.models import RequestState, Revision, SignatureParty, SignatureRequest


def recorded(cooperation_id: UUID, partner_ids: Iterable[UUID]) -> dict[UUID, PartnerSelection]:
    """Return what is recorded about some partners, by partner, with who recorded it.

    The caller has found the cooperation with a scoped query, and decided by policy.readable.
    """
    rows = db.session.scalars(
        sa.select(PartnerSelection)
        .where(
            PartnerSelection.cooperation_id == cooperation_id,
            PartnerSelection.organisation_id.in_(list(partner_ids)),
        )
        .options(load_joined(PartnerSelection.recorded_by, User.name))
    )
    return {row.organisation_id: row for row in rows}


def bodies(cooperation: Cooperation) -> list[tuple[UUID, str]]:
    """Return the parties and outside bodies that may have decided on a partner, as M1 offers."""
    parties = people.parties(cooperation)
    named = [(party.organisation_id, party.organisation.name) for party in parties]
    return [*named, *outside_bodies.offered(cooperation)]


def locked(cooperation_id: UUID, organisation_id: UUID) -> PartnerSelection | None:
    """Lock and return what is recorded about a partner."""
    return db.session.scalar(
        sa.select(PartnerSelection)
        .where(
            PartnerSelection.cooperation_id == cooperation_id,
            PartnerSelection.organisation_id == organisation_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def asked_to_sign(cooperation_id: UUID) -> dict[UUID, UUID]:
    """Return the parties whose signature pending terms need, and those of fully signed terms.

    Each with the checklist of these terms.
    """
    rows = db.session.execute(
        sa.select(SignatureParty.organisation_id, Revision.subject_id)
        .join(SignatureRequest, SignatureRequest.id == SignatureParty.request_id)
        .join(Revision, Revision.id == SignatureRequest.revision_id)
        .where(
            Revision.cooperation_id == cooperation_id,
            Revision.kind == "terms",
            SignatureRequest.state.in_([RequestState.WAITING, RequestState.COMPLETED]),
        )
    )
    return {row.organisation_id: row.subject_id for row in rows}
