"""Queries across features for My work and the cooperation page, scoped by the actor."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from tracker.access.actor import Actor
from tracker.checklists.models import Answer, AnswerScope
from tracker.checklists.values import as_id
from tracker.cooperations.models import Cooperation, CooperationPerson, Party
from tracker.cooperations.scope import runs_on, visible
from tracker.core import clock
from tracker.core.db import db
from tracker.lifecycle.stages import RUNNING
from tracker.signoff import queries as signoff
from tracker.signoff import signers
from tracker.signoff.models import RequestState, Revision, SignatureRequest
from tracker.signoff.policy import Standing
from tracker.visits.models import Visit

MANY = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """A revision that waits for signatures: who signs for whom, who has, and until when."""

    revision_id: UUID
    standing: Standing

    @property
    def waiting(self) -> list[UUID]:
        """The organisations of which a signature is missing, in their order."""
        return signers.waiting(self.standing.parties, self.standing.signed)

    @property
    def until(self) -> dt.date | None:
        """The last day on which it can be signed."""
        return self.standing.expires_on

    def waits_for(self, actor: Actor) -> bool:
        """Tell whether it is this person's turn to sign for the organisation they act for."""
        turns = signers.whose_turn(self.standing.parties, self.standing.signed)
        return (actor.organisation_id, actor.user_id) in turns


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
    if not wanted:
        return {}
    rows = db.session.scalars(
        sa.select(SignatureRequest)
        .where(
            SignatureRequest.revision_id.in_(wanted),
            SignatureRequest.state == RequestState.WAITING,
        )
        .options(
            selectinload(SignatureRequest.places),
            selectinload(SignatureRequest.parties),
            joinedload(SignatureRequest.revision).selectinload(Revision.signatures),
        )
    )
    return {row.revision_id: Asked(row.revision_id, signoff.standing_of(row)) for row in rows}


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
            Visit.id.in_(wanted), visible(actor, Visit.cooperation_id)
        )
    )
    return {row.id: row.number for row in rows}
