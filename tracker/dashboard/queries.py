"""Reads across features for my work and the cooperation's page; each scoped by the person."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from tracker.access.actor import Actor
from tracker.checklists.models import Answer, AnswerScope
from tracker.checklists.values import as_id
from tracker.cooperations.models import Cooperation, CooperationPerson, Party
from tracker.cooperations.scope import runs_on, visible, visible_ids
from tracker.core import clock
from tracker.core.db import db
from tracker.lifecycle.stages import RUNNING
from tracker.signoff.models import RequestState, Revision, SignatureRequest
from tracker.visits.models import Visit

MANY = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """A revision that waits for signatures: who is named for whom, and who has signed."""

    revision_id: UUID
    # organisation -> the persons named to sign for it
    named: dict[UUID, set[UUID]]
    signed: frozenset[UUID]

    @property
    def waiting(self) -> list[UUID]:
        """The organisations that have not signed yet, in their order."""
        return [one for one in self.named if one not in self.signed]

    def waits_for(self, actor: Actor) -> bool:
        """Tell whether this person is named to sign for the organisation they act for."""
        own = actor.organisation_id
        return own in self.waiting and actor.user_id in self.named.get(own, set())


def running(actor: Actor) -> list[Cooperation]:
    """Return the cooperations with work going on that the person may see, the newest first."""
    return list(
        db.session.scalars(
            sa.select(Cooperation)
            .where(visible(actor), Cooperation.stage.in_(RUNNING))
            .order_by(Cooperation.opened_at.desc())
            .limit(MANY)
            .options(selectinload(Cooperation.parties).joinedload(Party.organisation))
        )
    )


def takes_part_in(actor: Actor) -> frozenset[UUID]:
    """Return the cooperations in which the person takes part today for whom they act for."""
    return frozenset(
        db.session.scalars(
            sa.select(CooperationPerson.cooperation_id).where(
                CooperationPerson.user_id == actor.user_id,
                CooperationPerson.organisation_id == actor.organisation_id,
                runs_on(clock.today()),
            )
        )
    )


def asked(revision_ids: Iterable[UUID | None]) -> dict[UUID, Asked]:
    """Return who is to sign some revisions that wait; their checklists were found scoped."""
    wanted = [one for one in revision_ids if one is not None]
    rows = db.session.scalars(
        sa.select(SignatureRequest)
        .where(
            SignatureRequest.revision_id.in_(wanted),
            SignatureRequest.state == RequestState.WAITING,
        )
        .options(
            selectinload(SignatureRequest.places),
            joinedload(SignatureRequest.revision).selectinload(Revision.signatures),
        )
    )
    found: dict[UUID, Asked] = {}
    for row in rows:
        named: dict[UUID, set[UUID]] = {}
        for place in row.places:
            named.setdefault(place.organisation_id, set()).add(place.user_id)
        signed = {one.organisation_id for one in row.revision.signatures if one.organisation_id}
        found[row.revision_id] = Asked(row.revision_id, named, frozenset(signed))
    return found


def second_readers(checklist_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the second reader named in M5 of some terms; class K8, found scoped."""
    rows = db.session.execute(
        sa.select(Answer.checklist_id, Answer.values).where(
            Answer.checklist_id.in_(list(checklist_ids)),
            Answer.item == "M5",
            Answer.scope == AnswerScope.SHARED,
            Answer.is_current,
        )
    )
    named = {
        checklist_id: as_id((values or {}).get("second_reader")) for checklist_id, values in rows
    }
    return {checklist_id: reader for checklist_id, reader in named.items() if reader is not None}


def visit_numbers(actor: Actor, visit_ids: Iterable[UUID | None]) -> dict[UUID, int]:
    """Return the numbers of some visits of cooperations the person may see."""
    wanted = [one for one in visit_ids if one is not None]
    rows = db.session.execute(
        sa.select(Visit.id, Visit.number).where(
            Visit.id.in_(wanted), Visit.cooperation_id.in_(visible_ids(actor))
        )
    )
    return {row.id: row.number for row in rows}
