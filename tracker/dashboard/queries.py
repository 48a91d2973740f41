"""Queries across features for My work and the cooperation page, scoped to the actor.

In one file: they share their statements, which are built once.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from tracker.access.actor import Actor, OrganisationKind
from tracker.access.conditions import built_for_all
from tracker.agreements import notices
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import queries as checklists
from tracker.checklists.models import (
    Answer,
    Checklist,
    ChecklistParty,
    ChecklistState,
    Flag,
    OutsideReading,
    Proposal,
    ProposalState,
    SafeguardReview,
)
from tracker.checklists.rules.values import as_id
from tracker.cooperations.models import (
    Cooperation,
    CooperationEntry,
    CooperationPerson,
    Party,
    Stage,
)
from tracker.cooperations.scope import is_of_npms, listed, runs_on, visible, visible_in_part
from tracker.core import clock
from tracker.core.db import db
from tracker.lifecycle.stages import RUNNING
from tracker.organisations.models import Organisation
from tracker.reviews import queries as reviews
from tracker.signoff import queries as signoff
from tracker.signoff import signers
from tracker.signoff.models import RequestState, Revision, SignatureRequest, SignatureSlot
from tracker.signoff.policy import RequestStatus
from tracker.visits.models import Visit
from tracker.visits.queries import text_goes_on

# How many cooperations, and how many of their texts, My work reads.
MANY = 300
MANY_LINES = 300
# Spelled out as in the indexes' conditions, since these don't match a parameter.
_NOTHING: sa.ColumnElement[int] = sa.literal_column("0")
_WAITING: list[sa.ColumnElement[ChecklistState]] = [
    sa.literal_column(f"'{state.value}'")
    for state in (ChecklistState.DRAFTING, ChecklistState.SENT)
]


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
class Running:
    """An active cooperation, as My work needs it."""

    id: UUID
    reference: str
    title: str
    stage: Stage
    modes: list[str]
    questions: dict[str, str]
    starts_on: dt.date | None
    review_on: dt.date | None
    ends_on: dt.date | None
    # Whether its terms are neither being amended nor under notice of the end.
    goes_on: bool
    # How many of its texts may have to be amended, as texts_to_amend() says.
    to_amend: int
    # Whether the organisation the person acts for decides there for the NPM.
    is_of_npm: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A pending checklist in a running cooperation, with what is stored about whose turn it is."""

    id: UUID
    cooperation_id: UUID
    kind: ChecklistKind
    visit_id: UUID | None
    # Whether it waits for signatures; otherwise it is a draft.
    is_sent: bool
    is_complete: bool
    revision_sent_id: UUID | None
    open_flags: int
    # Suggestions that nobody has answered: what they are about can't be sent.
    suggestions: int
    is_reviewed: bool
    # The name of the outside second reader who is invited, if there is one.
    outside_reader: str | None
    # Whether anything waits for any party; and for the organisation the person acts for, how many
    # items, how many copied ones to read, and how many others that it only has to read and accept:
    # None if it isn't a party.
    waits: bool
    ours: int | None
    unread: int | None
    to_accept: int | None

    @property
    def is_party(self) -> bool:
        """Whether the organisation the person acts for is a party of it."""
        return self.ours is not None

    @property
    def is_to_be_reviewed(self) -> bool:
        """Whether the second reader has yet to review it."""
        return self.kind is ChecklistKind.TERMS and self.is_complete and not self.is_reviewed


@dataclass(frozen=True, slots=True)
class LineParty:
    """A party of a checklist, and whether something waits for it."""

    organisation_id: UUID
    name: str
    waits: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """A text sent for signature: whether it is the person's turn, and the last day to sign."""

    is_mine: bool
    until: dt.date | None


# What stays the same for every reader is built once.
_NEWEST = (
    sa.select(CooperationEntry.cooperation_id)
    .where(CooperationEntry.stage.in_(RUNNING))
    .order_by(CooperationEntry.opened_at.desc(), CooperationEntry.reference.desc())
)
_MAY_HAVE_TO_BE_AMENDED = sa.and_(
    Checklist.visit_id.is_(None),
    sa.or_(
        Checklist.state == ChecklistState.ENDED,
        sa.and_(Checklist.state == ChecklistState.IN_FORCE, Checklist.misnamed_items != ""),
    ),
)
_RUNNING = sa.select(
    Cooperation.id,
    Cooperation.reference,
    Cooperation.title,
    Cooperation.stage,
    Cooperation.modes,
    Cooperation.questions,
    Cooperation.starts_on,
    reviews.next_review(),
    Cooperation.ends_on,
    notices.no_end_is_announced(),
    sa.select(sa.func.count())
    .where(Checklist.cooperation_id == Cooperation.id, _MAY_HAVE_TO_BE_AMENDED)
    .correlate(Cooperation)
    .scalar_subquery(),
).order_by(Cooperation.opened_at.desc(), Cooperation.reference.desc())


def running(actor: Actor) -> list[Running]:
    """Return the cooperations with work going on that the person may see, the newest first."""
    return [Running(*row) for row in db.session.execute(*_running(actor))]


@built_for_all
def _running(actor: Actor) -> sa.Select[Any]:
    newest = _NEWEST.where(listed(actor)).limit(MANY)
    own = frozenset[UUID]()
    if actor.organisation_id is not None:
        own = frozenset({actor.organisation_id})
    return _RUNNING.add_columns(is_of_npms(own, Cooperation.id, on=clock.today())).where(
        Cooperation.id.in_(newest), visible_in_part(actor)
    )


# Built once, since making an alias takes longer than running the query. They are not used in joined
# loads: two threads can't compile one with the same alias (adr 51).
_FLAGS = (
    sa.select(sa.func.count(Flag.id))
    .where(Flag.checklist_id == Checklist.id, Flag.closed_at.is_(None))
    .correlate(Checklist)
    .scalar_subquery()
)
_SUGGESTIONS = (
    sa.select(sa.func.count(Proposal.id))
    .where(Proposal.checklist_id == Checklist.id, Proposal.state == ProposalState.OPEN)
    .correlate(Checklist)
    .scalar_subquery()
)
_REVIEWED = (
    sa.exists()
    .where(SafeguardReview.checklist_id == Checklist.id, ~SafeguardReview.is_void)
    .correlate(Checklist)
)
_OUTSIDE_READER = (
    sa.select(OutsideReading.name)
    .where(OutsideReading.checklist_id == Checklist.id, OutsideReading.ended_at.is_(None))
    .correlate(Checklist)
    .scalar_subquery()
)
_OWN, _OTHER = aliased(ChecklistParty), aliased(ChecklistParty)
# Counted, since PostgreSQL may answer EXISTS by reading all parties for which anything waits.
_WAITS = (
    sa.select(sa.func.count())
    .where(_OTHER.checklist_id == Checklist.id, _OTHER.waiting_count > _NOTHING)
    .correlate(Checklist)
    .scalar_subquery()
) > 0
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_USER: sa.BindParameter[UUID] = sa.bindparam("user_id")
_ORGANISATION: sa.BindParameter[UUID] = sa.bindparam("organisation_id")
_IS_SENT = Checklist.state == ChecklistState.SENT
_IS_THEIRS = sa.or_(
    Checklist.is_complete, _OWN.waiting_count > 0, _OWN.unread_count > 0, _FLAGS > 0
)
_LINES = (
    sa.select(
        Checklist.started_at,
        Checklist.id,
        Checklist.cooperation_id,
        Checklist.kind,
        Checklist.visit_id,
        _IS_SENT,
        Checklist.is_complete,
        Checklist.revision_sent_id,
        _FLAGS,
        _SUGGESTIONS,
        _REVIEWED,
        _OUTSIDE_READER,
        _WAITS,
        _OWN.waiting_count,
        _OWN.unread_count,
        _OWN.to_accept_count,
    )
    .outerjoin(
        _OWN,
        sa.and_(_OWN.checklist_id == Checklist.id, _OWN.organisation_id == _ORGANISATION),
    )
    .where(
        Checklist.cooperation_id.in_(_IDS),
        Checklist.state.in_(_WAITING),
        # Nothing is left to do on the texts of a visit that was stopped.
        text_goes_on(),
    )
    .order_by(sa.case((_IS_SENT, 0), (_IS_THEIRS, 1), else_=2), Checklist.started_at, Checklist.id)
)


def lines(actor: Actor, cooperation_ids: Collection[UUID]) -> list[Line]:
    """Return the pending checklists of some cooperations that the person may open.

    Drafts on which something waits, and texts that wait for signatures; the oldest first. Beyond
    MANY_LINES, drafts are left out, starting with those that don't wait for the organisation the
    person acts for. Reads only what decides whose turn it is; the details of tasks are read for
    those shown.
    """
    query, reader = _lines(actor)
    rows = db.session.execute(
        query,
        {
            "ids": list(cooperation_ids),
            "organisation_id": actor.organisation_id,
            "most": MANY_LINES,
            **reader,
        },
    )
    return [Line(*row) for _started_at, *row in sorted(rows, key=_by_start)]


@built_for_all
def _lines(actor: Actor) -> sa.Select[Any]:
    return _LINES.where(checklists.visible(actor)).limit(sa.bindparam("most", type_=sa.Integer()))


def _by_start(row: Any) -> tuple[dt.datetime, UUID]:
    return row.started_at, row.id


_PARTIES = (
    sa.select(
        ChecklistParty.checklist_id,
        Organisation.id,
        Organisation.name,
        ChecklistParty.waiting_count > 0,
    )
    .join(Organisation, Organisation.id == ChecklistParty.organisation_id)
    .where(ChecklistParty.checklist_id.in_(_IDS))
    .order_by(ChecklistParty.position)
)
_SIDES = sa.select(Party.cooperation_id, Party.side).where(
    Party.cooperation_id.in_(_IDS), Party.organisation_id == _ORGANISATION, ~Party.is_joining
)
_HAS_SLOT = sa.exists().where(
    SignatureSlot.request_id == SignatureRequest.id,
    SignatureSlot.user_id == _USER,
    SignatureSlot.organisation_id == _ORGANISATION,
)
_IS_WAITING = sa.and_(
    SignatureRequest.revision_id.in_(_IDS), SignatureRequest.state == RequestState.WAITING
)
_TURNS = sa.select(
    SignatureRequest.revision_id,
    SignatureRequest.expires_on,
    sa.case((_HAS_SLOT, 1), else_=0),
).where(_IS_WAITING)
_TAKES_PART = sa.select(CooperationPerson.cooperation_id).where(
    CooperationPerson.cooperation_id.in_(_IDS),
    CooperationPerson.user_id == _USER,
    CooperationPerson.organisation_id == _ORGANISATION,
    runs_on(sa.bindparam("day", type_=sa.Date())),
)
_REQUESTS = (
    sa.select(SignatureRequest)
    .where(_IS_WAITING)
    .options(
        selectinload(SignatureRequest.slots),
        joinedload(SignatureRequest.parties),
        joinedload(SignatureRequest.revision).selectinload(Revision.signatures),
    )
)
_ANSWERS_OF_TERMS = (
    sa.select(Checklist.cooperation_id, Answer.item, Answer.values)
    .join(Checklist, Checklist.id == Answer.checklist_id)
    .where(
        Checklist.cooperation_id.in_(_IDS),
        Checklist.kind == ChecklistKind.TERMS,
        Answer.item.in_(["M5", "M9"]),
        Answer.scope == AnswerScope.SHARED,
        Answer.is_current,
    )
)


def parties_of(checklist_ids: Collection[UUID]) -> dict[UUID, list[LineParty]]:
    """Return the parties of some checklists, in order; a scoped query found them."""
    parties: dict[UUID, list[LineParty]] = {checklist_id: [] for checklist_id in checklist_ids}
    rows = db.session.execute(_PARTIES, {"ids": list(parties)})
    for checklist_id, organisation_id, name, waits in rows:
        parties[checklist_id].append(LineParty(organisation_id, name, waits))
    return parties


def own_sides(actor: Actor, cooperation_ids: Collection[UUID]) -> dict[UUID, OrganisationKind]:
    """Return on which side the person's organisation is a party of cooperations it has joined."""
    if actor.organisation_id is None or not cooperation_ids:
        return {}
    rows = db.session.execute(
        _SIDES, {"ids": list(cooperation_ids), "organisation_id": actor.organisation_id}
    )
    return {row.cooperation_id: row.side for row in rows}


def turns(actor: Actor, revision_ids: Collection[UUID | None]) -> dict[UUID, Turn]:
    """Return for texts that can still be signed today whether it is the person's turn."""
    wanted = [revision_id for revision_id in revision_ids if revision_id is not None]
    rows = db.session.execute(_TURNS, {"ids": wanted, **_of(actor)}).all()
    named = waiting_revisions(revision_id for revision_id, _until, has_place in rows if has_place)
    return {
        revision_id: Turn(
            is_mine=revision_id in named and named[revision_id].waits_for(actor), until=until
        )
        for revision_id, until, _has_place in rows
        if until is None or until >= clock.today()
    }


def takes_part_in(actor: Actor, cooperation_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return in which of some cooperations the person takes part today for their organisation."""
    wanted = {"ids": list(cooperation_ids), "day": clock.today(), **_of(actor)}
    return frozenset(db.session.scalars(_TAKES_PART, wanted))


def _of(actor: Actor) -> dict[str, UUID | None]:
    return {"user_id": actor.user_id, "organisation_id": actor.organisation_id}


def waiting_revisions(revision_ids: Iterable[UUID | None]) -> dict[UUID, WaitingRevision]:
    """Return who is to sign the revisions that can still be signed today; found in scope."""
    wanted = [revision_id for revision_id in revision_ids if revision_id is not None]
    if not wanted:
        return {}
    rows = db.session.scalars(_REQUESTS, {"ids": wanted}).unique()
    standings = {row.revision_id: signoff.standing_of(row) for row in rows}
    today = clock.today()
    return {
        revision_id: WaitingRevision(revision_id, standing)
        for revision_id, standing in standings.items()
        if standing.is_waiting(today)
    }


@dataclass(frozen=True, slots=True)
class TermsAnswers:
    """What the agreed terms of a cooperation say that other tasks depend on."""

    # Named in M5.
    second_reader: UUID | None = None
    # Whether a partner comes near sensitive information (M9).
    access: str | None = None


def answers_of_terms(cooperation_ids: Iterable[UUID]) -> dict[UUID, TermsAnswers]:
    """Return what the terms of some cooperations say; class K8, found in scope."""
    rows = db.session.execute(_ANSWERS_OF_TERMS, {"ids": list(set(cooperation_ids))})
    values_by_item: dict[UUID, dict[str, Mapping[str, Any]]] = {}
    for cooperation_id, item, values in rows:
        values_by_item.setdefault(cooperation_id, {})[item] = values or {}
    return {
        cooperation_id: TermsAnswers(
            as_id(values.get("M5", {}).get("second_reader")), values.get("M9", {}).get("access")
        )
        for cooperation_id, values in values_by_item.items()
    }


class TextToAmend(NamedTuple):
    """A cooperation's text that has ended, or that names somebody who can't act any more."""

    cooperation_id: UUID
    checklist_id: UUID
    kind: ChecklistKind
    state: ChecklistState
    # The items that name them.
    misnamed_items: str


_TO_AMEND = (
    sa.select(
        Checklist.cooperation_id,
        Checklist.id,
        Checklist.kind,
        Checklist.state,
        Checklist.misnamed_items,
    )
    .join(
        _OWN,
        sa.and_(_OWN.checklist_id == Checklist.id, _OWN.organisation_id == _ORGANISATION),
    )
    .where(Checklist.cooperation_id.in_(_IDS), _MAY_HAVE_TO_BE_AMENDED)
    .order_by(Checklist.started_at, Checklist.id)
)


def texts_to_amend(actor: Actor, cooperation_ids: Collection[UUID]) -> list[TextToAmend]:
    """Return a party's texts that have ended, or are in force and name people who can't act.

    Of visits none: they follow the team, and end with the visit.
    """
    rows = db.session.execute(
        _TO_AMEND, {"ids": list(cooperation_ids), "organisation_id": actor.organisation_id}
    )
    return [TextToAmend(*row) for row in rows]


def has_suggestions(checklist: Checklist) -> bool:
    """Return whether a suggestion is open on a checklist; a scoped query found it."""
    return bool(db.session.scalar(sa.select(_SUGGESTIONS).where(Checklist.id == checklist.id)))


def open_flags(checklist_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return how many flags are open on some checklists; a scoped query found them."""
    if not checklist_ids:
        return {}
    rows = db.session.execute(
        sa.select(Flag.checklist_id, sa.func.count())
        .where(Flag.checklist_id.in_(checklist_ids), Flag.closed_at.is_(None))
        .group_by(Flag.checklist_id)
    )
    return {row[0]: row[1] for row in rows}


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


# The history --------------------------------------------------------------------------------------


def readable_answers(actor: Actor, checklist_ids: Collection[UUID]) -> set[UUID]:
    """Return which of some checklists a person may open, without those of visits.

    Opening one of a visit is recorded, so the history shows nothing of it.
    """
    if not checklist_ids:
        return set()
    return set(
        db.session.scalars(
            sa.select(Checklist.id).where(
                Checklist.id.in_(list(checklist_ids)),
                Checklist.visit_id.is_(None),
                checklists.visible(actor),
            )
        )
    )
