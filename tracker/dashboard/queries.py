"""Queries across features for My work and the cooperation page, scoped by the actor."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from tracker.access.actor import Actor, OrganisationKind
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import queries as checklists
from tracker.checklists.models import (
    Answer,
    Checklist,
    ChecklistParty,
    ChecklistState,
    Flag,
    SafeguardReview,
)
from tracker.checklists.rules.values import as_id
from tracker.cooperations.models import Cooperation, CooperationPerson, Party, Stage
from tracker.cooperations.scope import runs_on, visible
from tracker.core import clock
from tracker.core.db import db
from tracker.lifecycle.stages import RUNNING
from tracker.organisations.models import Organisation
from tracker.signoff import queries as signoff
from tracker.signoff import signers
from tracker.signoff.models import RequestState, Revision, SignatureRequest, SignatureSlot
from tracker.signoff.policy import RequestStatus
from tracker.visits.models import Visit

MANY = 300


@dataclass(frozen=True, slots=True)
class WaitingRevision:
    """A revision with an open signature request: who signs for whom, who has, and until when."""

    revision_id: UUID
    standing: RequestStatus

    @property
    def waiting(self) -> list[UUID]:
        """The organisations that have yet to sign, in order."""
        return signers.waiting(self.standing.parties, self.standing.signed)

    @property
    def until(self) -> dt.date | None:
        """The last day to sign."""
        return self.standing.expires_on

    def waits_for(self, actor: Actor) -> bool:
        """Return whether it is this person's turn to sign for the organisation they act for."""
        turns = signers.whose_turn(self.standing.parties, self.standing.signed)
        return (actor.organisation_id, actor.user_id) in turns


@dataclass(frozen=True, slots=True)
class RunningParty:
    """A party of an active cooperation."""

    organisation_id: UUID
    name: str
    side: OrganisationKind


@dataclass(frozen=True, slots=True)
class Running:
    """An active cooperation, as My work needs it."""

    id: UUID
    reference: str
    title: str
    stage: Stage
    modes: list[str]
    starts_on: dt.date | None
    review_on: dt.date | None
    ends_on: dt.date | None
    parties: list[RunningParty]


@dataclass(frozen=True, slots=True)
class Line:
    """A checklist of an active cooperation, with the stored marks of whose turn it is."""

    id: UUID
    cooperation_id: UUID
    kind: ChecklistKind
    visit_id: UUID | None
    state: ChecklistState
    is_complete: bool
    revision_sent_id: UUID | None
    open_flags: int
    is_reviewed: bool
    # The parties that have something to do, in order; and those asked to sign.
    waited_for: tuple[UUID, ...]
    has_parties: bool
    # For the organisation the person acts for: whether it is a party, and how much it has to do.
    is_party: bool
    ours: int
    unread: int

    @property
    def is_sent(self) -> bool:
        """Whether it has been sent for signature."""
        return self.state is ChecklistState.SENT

    @property
    def is_to_be_reviewed(self) -> bool:
        """Whether the second reader has yet to review it."""
        return self.kind is ChecklistKind.TERMS and self.is_complete and not self.is_reviewed


@dataclass(frozen=True, slots=True)
class Turn:
    """A text sent for signature: whether it is the person's turn, and until when."""

    is_mine: bool
    until: dt.date | None


def running(actor: Actor) -> list[Running]:
    """Return the active cooperations that the person may see, the newest first."""
    cooperations = [
        Running(*row, parties=[])
        for row in db.session.execute(
            sa.select(
                Cooperation.id,
                Cooperation.reference,
                Cooperation.title,
                Cooperation.stage,
                Cooperation.modes,
                Cooperation.starts_on,
                Cooperation.review_on,
                Cooperation.ends_on,
            )
            .where(visible(actor), Cooperation.stage.in_(RUNNING))
            .order_by(Cooperation.opened_at.desc())
            .limit(MANY)
        )
    ]
    by_id = {cooperation.id: cooperation for cooperation in cooperations}
    rows = db.session.execute(
        sa.select(Party.cooperation_id, Organisation.id, Organisation.name, Party.side)
        .join(Organisation, Organisation.id == Party.organisation_id)
        .where(Party.cooperation_id.in_(by_id))
        .order_by(Party.position)
    )
    for cooperation_id, organisation_id, name, side in rows:
        by_id[cooperation_id].parties.append(RunningParty(organisation_id, name, side))
    return cooperations


def lines(actor: Actor, cooperation_ids: Collection[UUID]) -> list[Line]:
    """Return the open checklists of some cooperations that the person may open.

    Drafts, and texts sent for signature; the oldest first.
    """
    flags = (
        sa.select(sa.func.count(Flag.id))
        .where(Flag.checklist_id == Checklist.id, Flag.closed_at.is_(None))
        .correlate(Checklist)
        .scalar_subquery()
    )
    reviewed = (
        sa.exists()
        .where(SafeguardReview.checklist_id == Checklist.id, ~SafeguardReview.is_void)
        .correlate(Checklist)
    )
    wanted = sa.and_(
        Checklist.cooperation_id.in_(cooperation_ids),
        Checklist.state.in_([ChecklistState.DRAFTING, ChecklistState.SENT]),
        checklists.visible(actor),
    )
    rows = db.session.execute(
        sa.select(
            Checklist.id,
            Checklist.cooperation_id,
            Checklist.kind,
            Checklist.visit_id,
            Checklist.state,
            Checklist.is_complete,
            Checklist.revision_sent_id,
            flags.label("open_flags"),
            sa.case((reviewed, 1), else_=0).label("is_reviewed"),
        )
        .where(wanted)
        .order_by(Checklist.started_at)
    ).all()
    parties: dict[UUID, list[tuple[UUID, int, int]]] = {}
    for checklist_id, organisation_id, waiting, unread in db.session.execute(
        sa.select(
            ChecklistParty.checklist_id,
            ChecklistParty.organisation_id,
            ChecklistParty.waiting_count,
            ChecklistParty.unread_count,
        )
        .where(ChecklistParty.checklist_id.in_([row.id for row in rows]))
        .order_by(ChecklistParty.position)
    ):
        parties.setdefault(checklist_id, []).append((organisation_id, waiting, unread))
    return [_line(row, parties.get(row.id, []), actor.organisation_id) for row in rows]


def _line(row: Any, parties: list[tuple[UUID, int, int]], own: UUID | None) -> Line:
    ours = next((party for party in parties if party[0] == own), None)
    return Line(
        id=row.id,
        cooperation_id=row.cooperation_id,
        kind=row.kind,
        visit_id=row.visit_id,
        state=row.state,
        is_complete=row.is_complete,
        revision_sent_id=row.revision_sent_id,
        open_flags=row.open_flags or 0,
        is_reviewed=bool(row.is_reviewed),
        waited_for=tuple(party for party, waiting, _unread in parties if waiting),
        has_parties=bool(parties),
        is_party=ours is not None,
        ours=ours[1] if ours else 0,
        unread=ours[2] if ours else 0,
    )


def turns(actor: Actor, revision_ids: Collection[UUID | None]) -> dict[UUID, Turn]:
    """Return for texts sent for signature whether it is the person's turn."""
    wanted = [revision_id for revision_id in revision_ids if revision_id is not None]
    place = sa.exists().where(
        SignatureSlot.request_id == SignatureRequest.id,
        SignatureSlot.user_id == actor.user_id,
        SignatureSlot.organisation_id == actor.organisation_id,
    )
    rows = db.session.execute(
        sa.select(
            SignatureRequest.revision_id,
            SignatureRequest.expires_on,
            sa.case((place, 1), else_=0),
        ).where(
            SignatureRequest.revision_id.in_(wanted),
            SignatureRequest.state == RequestState.WAITING,
        )
    ).all()
    named = asked(revision_id for revision_id, _until, has_place in rows if has_place)
    return {
        revision_id: Turn(
            is_mine=revision_id in named and named[revision_id].waits_for(actor), until=until
        )
        for revision_id, until, _has_place in rows
    }


def takes_part_in(actor: Actor) -> frozenset[UUID]:
    """Return the cooperations in which the person takes part today for their organisation."""
    return frozenset(
        db.session.scalars(
            sa.select(CooperationPerson.cooperation_id).where(
                CooperationPerson.user_id == actor.user_id,
                CooperationPerson.organisation_id == actor.organisation_id,
                runs_on(clock.today()),
            )
        )
    )


def asked(revision_ids: Iterable[UUID | None]) -> dict[UUID, WaitingRevision]:
    """Return who is to sign some pending revisions; their checklists were found in scope."""
    wanted = [revision_id for revision_id in revision_ids if revision_id is not None]
    if not wanted:
        return {}
    rows = db.session.scalars(
        sa.select(SignatureRequest)
        .where(
            SignatureRequest.revision_id.in_(wanted),
            SignatureRequest.state == RequestState.WAITING,
        )
        .options(
            selectinload(SignatureRequest.slots),
            selectinload(SignatureRequest.parties),
            joinedload(SignatureRequest.revision).selectinload(Revision.signatures),
        )
    )
    return {
        row.revision_id: WaitingRevision(row.revision_id, signoff.standing_of(row)) for row in rows
    }


def second_readers(checklist_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Return the second reader named in M5 of some terms; class K8, found in scope."""
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
    wanted = [visit_id for visit_id in visit_ids if visit_id is not None]
    if not wanted:
        return {}
    rows = db.session.execute(
        sa.select(Visit.id, Visit.number).where(
            Visit.id.in_(wanted), visible(actor, Visit.cooperation_id)
        )
    )
    return {row.id: row.number for row in rows}
