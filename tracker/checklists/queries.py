"""Queries for checklists, scoped by cooperation (K8), or by visit list and clearance (K2).

In one file: every query is scoped by the same two conditions, which come first.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from tracker.access.actor import Actor, OrganisationKind
from tracker.access.conditions import built_for_all, built_once
from tracker.access.decision import Decision
from tracker.accounts.models import User
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import encryption, policy
from tracker.checklists.beside import GOING_ON
from tracker.checklists.loaded import Part, of_this_transaction
from tracker.checklists.models import (
    Answer,
    Checklist,
    ChecklistParty,
    ChecklistState,
    Flag,
    ModelAnswer,
    Notice,
    NoticeKind,
    OwnModelText,
    Proposal,
    SafeguardReview,
)
from tracker.checklists.policy import WRITERS
from tracker.cooperations import audiences, clearances, scope
from tracker.cooperations.agreed_ways import TermsStop
from tracker.cooperations.entries import NoticeDays
from tracker.cooperations.models import AudienceMember, Clearance, Cooperation, Stage
from tracker.cooperations.people import Person, people_of
from tracker.cooperations.policy import ENDED as CLOSED
from tracker.core import clock
from tracker.core.db import db, load_joined

VISIT = "visit"
# The texts signed by a party that joins while they are in force.
SIGNED_BY_NEWCOMERS = (ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY)
# The texts without which nobody has access under an undertaking (domain.md, P6).
OPEN_ACCESS = (ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY)
# What a cooperation enters when its terms are stopped.
_ENTERED = {NoticeKind.SUSPENDED: Stage.SUSPENDED, NoticeKind.ENDED: Stage.CLOSED}
# How many words of a search are used.
MOST_WORDS = 8
# At the head of the module, since an alias takes longer to make than a query to run.
_MINE, _THEIRS = aliased(ChecklistParty), aliased(ChecklistParty)
_ITS_COOPERATION = aliased(Cooperation)
_NOTICE, _TEXT = aliased(Notice), aliased(Checklist)
_IN_OPEN_COOPERATION = sa.exists().where(
    _ITS_COOPERATION.id == Checklist.cooperation_id, _ITS_COOPERATION.stage.not_in(CLOSED)
)

_PARTIES = sa.select(ChecklistParty.checklist_id, ChecklistParty.organisation_id).where(
    ChecklistParty.checklist_id.in_(sa.bindparam("ids", expanding=True))
)


@built_once
def visible(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Checklist that the person may open it.

    Agreed terms, confidentiality terms and a standing urgent plan are class K8. Roles and a visit's
    plan are class K2: for people listed in V2 (the lead always is) and cleared if they need a
    clearance; never for somebody who only audits or administers. A party that is joining sees the
    texts it has to sign (adr 70).
    """
    is_own = Checklist.visit_id.is_(None)
    ordinary = sa.and_(is_own, Checklist.kind != ChecklistKind.VISIT_ROLES)
    opened = sa.or_(ordinary, planning_is_open(actor, Checklist.cooperation_id, Checklist.visit_id))
    return sa.and_(
        scope.visible_in_part(actor, Checklist.cooperation_id),
        sa.or_(
            sa.and_(is_own, Checklist.kind.in_(SIGNED_BY_NEWCOMERS)),
            sa.and_(scope.visible(actor, Checklist.cooperation_id), opened),
        ),
    )


@built_once
def planning_is_open(
    actor: Actor,
    cooperation_id: sa.SQLColumnExpression[UUID],
    visit_id: sa.SQLColumnExpression[Any],
) -> sa.ColumnElement[bool]:
    """Return the condition, over a visit's columns, that a person may see its planning (K2).

    The lead is listed from the first day, and is one of the NPM's own people. Somebody who led a
    visit and now acts for a CSO needs a clearance like everybody there.
    """
    if actor.organisation_id is None or not actor.takes_part:
        return sa.false()
    is_listed = audiences.listed(actor, VISIT, visit_id)
    if not actor.needs_clearance:
        return is_listed
    cleared = sa.exists().where(
        Clearance.user_id == actor.user_id,
        Clearance.cooperation_id == cooperation_id,
        clearances.covers(visit_id),
        clearances.is_open(clock.today()),
    )
    return sa.and_(is_listed, cleared)


@built_once
def is_worked_on(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Checklist that the person may open it and writes for a party of it.

    Checklists that somebody sees only as auditor or administrator don't count.
    """
    writer = replace(actor, memberships=tuple(m for m in actor.memberships if m.role in WRITERS))
    if writer.organisation_id is None or not writer.has(*WRITERS):
        return sa.false()
    is_party = sa.exists().where(
        ChecklistParty.checklist_id == Checklist.id,
        ChecklistParty.organisation_id == writer.organisation_id,
    )
    return sa.and_(visible(writer), is_party)


def works_on(actor: Actor, checklist_id: UUID) -> bool:
    """Return whether a person may open a checklist and writes for a party of it."""
    query, reader = _worked_on(actor)
    return db.session.scalar(query, {"checklist_id": checklist_id, **reader}) is not None


@built_for_all
def _worked_on(actor: Actor) -> sa.Select[UUID]:
    is_it = Checklist.id == sa.bindparam("checklist_id")
    return sa.select(Checklist.id).where(is_it, is_worked_on(actor))


def is_going_on() -> sa.ColumnElement[bool]:
    """Return the condition over Checklist that something can be left to do on it.

    As policy.goes_on() says: a text ends with its cooperation (P7), and a visit's texts when the
    visit is stopped. Nobody is asked for anything there any more.
    """
    return sa.and_(GOING_ON.get()(), _IN_OPEN_COOPERATION)


def goes_on(checklist: Checklist) -> Decision:
    """Decide whether a text can still be acted on, for who hasn't loaded the whole checklist.

    By what the database says now; nothing is cached, since signing may change the cooperation.
    """
    query = (
        sa.select(Cooperation.stage, is_going_on().label("goes_on"))
        .join_from(Checklist, Cooperation, Cooperation.id == Checklist.cooperation_id)
        .where(Checklist.id == checklist.id)
    )
    now = db.session.execute(query).one()
    # In a cooperation that isn't closed, what doesn't go on belongs to a stopped visit.
    return policy.goes_on(now.stage, visit_is_stopped=not now.goes_on)


@dataclass(frozen=True, slots=True)
class StoppedToday:
    """A text that a notice stops, from its day on."""

    checklist_id: UUID
    text: ChecklistKind
    # Whether it belongs to the cooperation, so to none of its visits.
    is_own: bool
    kind: NoticeKind
    from_on: dt.date

    @property
    def is_terms(self) -> bool:
        """Whether it is the agreed terms of the cooperation."""
        return self.is_own and self.text is ChecklistKind.TERMS

    @property
    def opens_access(self) -> bool:
        """Whether nobody has access while it is stopped (P6)."""
        return self.is_own and self.text in OPEN_ACCESS


def stopped_today(cooperation_id: UUID) -> list[StoppedToday]:
    """Return the texts of a cooperation that notices have stopped by today.

    Only by notices that the worker hasn't applied yet, so rows still say that a text is in force.
    Cached until something is written.
    """
    loaded = of_this_transaction([cooperation_id])
    return loaded.once(
        ("stopped_today", cooperation_id), lambda: _read_stopped_today(cooperation_id)
    )


def _read_stopped_today(cooperation_id: UUID) -> list[StoppedToday]:
    rows = db.session.execute(
        sa.select(
            Checklist.id,
            Checklist.kind,
            Checklist.visit_id.is_(None),
            Notice.kind,
            Notice.from_on,
        )
        .join(Checklist, Checklist.id == Notice.checklist_id)
        .where(
            Checklist.cooperation_id == cooperation_id,
            Notice.from_on <= clock.today(),
            Notice.taken_effect_at.is_(None),
            Notice.closed_at.is_(None),
        )
    )
    return [StoppedToday(*row) for row in rows]


# Over a notice and its text: it isn't applied yet, and the text opens access.
_STOPPING = (
    _NOTICE.taken_effect_at.is_(None),
    _NOTICE.closed_at.is_(None),
    _TEXT.visit_id.is_(None),
    _TEXT.kind.in_(OPEN_ACCESS),
)


def notices_stop(
    cooperation_id: sa.SQLColumnExpression[UUID], day: clearances.Day
) -> sa.ColumnElement[bool]:
    """Return the condition that a notice has stopped a text that opens access, by a day.

    For clearances.NOTICES_STOP. Once the worker has applied it, what the text opened is closed.
    """
    return (
        sa.exists()
        .where(
            *_STOPPING,
            _NOTICE.from_on <= day,
            _TEXT.id == _NOTICE.checklist_id,
            _TEXT.cooperation_id == cooperation_id,
        )
        .correlate_except(_NOTICE, _TEXT)
    )


def stopped_by(day: clearances.Day) -> sa.Select[UUID]:
    """Return the query for the cooperations in which notices_stop() is true on a day."""
    return (
        sa.select(_TEXT.cooperation_id)
        .join(_NOTICE, _TEXT.id == _NOTICE.checklist_id)
        .where(*_STOPPING, _NOTICE.from_on <= day)
    )


def first_stop(
    cooperation_id: sa.SQLColumnExpression[UUID],
) -> sa.SQLColumnExpression[dt.date | None]:
    """Return the day on which the first notice stops a text that opens access; null without one.

    For clearances.FIRST_STOP. As notices_stop(), also before that day has come.
    """
    return (
        sa.select(sa.func.min(_NOTICE.from_on))
        .join(_TEXT, _TEXT.id == _NOTICE.checklist_id)
        .where(*_STOPPING, _TEXT.cooperation_id == cooperation_id)
        .correlate_except(_NOTICE, _TEXT)
        .scalar_subquery()
    )


def access_is_stopped(cooperation_id: UUID) -> bool:
    """Return whether a notice stops all access in a cooperation today, as notices_stop() says."""
    return any(text.opens_access for text in stopped_today(cooperation_id))


def terms_stop(cooperation_id: UUID) -> TermsStop | None:
    """Return what terms_stopped() does for one cooperation, from stopped_today()."""
    stops = [text for text in stopped_today(cooperation_id) if text.is_terms]
    # An ending first, then the earliest.
    stops.sort(key=lambda text: (text.kind is not NoticeKind.ENDED, text.from_on))
    return TermsStop(_ENTERED[stops[0].kind], stops[0].from_on) if stops else None


def terms_stopped(cooperation_ids: Collection[UUID]) -> dict[UUID, TermsStop]:
    """Return which cooperations' agreed terms notices have stopped by today, an ending first.

    For cooperations.queries.STOP_READER: only notices that the worker hasn't applied yet.
    """
    rows = db.session.execute(
        sa.select(Checklist.cooperation_id, Notice.kind, Notice.from_on)
        .join(Checklist, Checklist.id == Notice.checklist_id)
        .where(
            Checklist.cooperation_id.in_(list(cooperation_ids)),
            Checklist.kind == ChecklistKind.TERMS,
            Checklist.visit_id.is_(None),
            Notice.from_on <= clock.today(),
            Notice.taken_effect_at.is_(None),
            Notice.closed_at.is_(None),
        )
        # Endings last, since the last of several counts.
        .order_by(Notice.kind == NoticeKind.ENDED, Notice.from_on.desc())
    )
    return {
        cooperation_id: TermsStop(_ENTERED[kind], from_on) for cooperation_id, kind, from_on in rows
    }


def notice_days(cooperation_id: UUID) -> NoticeDays:
    """Return the days from which notices not yet applied stop a cooperation's agreed terms.

    For cooperations.entries.NOTICE_DAYS_READER: the same notices as terms_stopped(), of any day.
    """
    rows = db.session.execute(
        sa.select(Notice.kind, sa.func.min(Notice.from_on))
        .join(Checklist, Checklist.id == Notice.checklist_id)
        .where(
            Checklist.cooperation_id == cooperation_id,
            Checklist.kind == ChecklistKind.TERMS,
            Checklist.visit_id.is_(None),
            Notice.taken_effect_at.is_(None),
            Notice.closed_at.is_(None),
        )
        .group_by(Notice.kind)
    )
    days = dict(rows.all())
    return NoticeDays(days.get(NoticeKind.SUSPENDED), days.get(NoticeKind.ENDED))


def writers(checklist: Checklist) -> list[Person]:
    """Return who takes part today for a party of a checklist, writes, and may open it.

    Party by party, then by name. The caller has found the checklist with a query scoped to the
    actor.
    """
    return writers_of([checklist])[checklist.id]


def writers_of(checklists: Collection[Checklist]) -> dict[UUID, list[Person]]:
    """Return the writers() of each of some checklists, in a constant number of queries."""
    parties = _party_ids(checklists)
    people = people_of({checklist.cooperation_id for checklist in checklists})
    planning = _planning_of(
        [checklist for checklist in checklists if encryption.is_restricted(checklist)]
    )
    return {
        checklist.id: [
            person
            for person in people.get(checklist.cooperation_id, [])
            if person.organisation_id in parties[checklist.id]
            and not person.roles.isdisjoint(WRITERS)
            and (checklist.id not in planning or planning[checklist.id].is_open_to(person))
        ]
        for checklist in checklists
    }


def _party_ids(checklists: Collection[Checklist]) -> dict[UUID, set[UUID]]:
    """Return the parties of some checklists; in one query, none for those read with their parties.

    Not from rows whose parties may have changed since.
    """
    loaded = of_this_transaction([checklist.cooperation_id for checklist in checklists])
    loaded.forget_unless_whole(Part.CHECKLIST, ("parties",))
    known: dict[UUID, Checklist | None] = {
        checklist.id: loaded.get(Part.CHECKLIST, checklist.id) for checklist in checklists
    }
    party_ids = {
        checklist_id: {party.organisation_id for party in row.parties} if row else set()
        for checklist_id, row in known.items()
    }
    missing = [checklist_id for checklist_id, row in known.items() if row is None]
    if missing:
        for checklist_id, organisation_id in db.session.execute(_PARTIES, {"ids": missing}):
            party_ids[checklist_id].add(organisation_id)
    return party_ids


@dataclass(frozen=True, slots=True)
class _Planning:
    """Who is listed for a visit, including as its lead, and who is cleared for it."""

    listed: frozenset[UUID] = frozenset()
    cleared: frozenset[UUID] = frozenset()

    def is_open_to(self, person: Person) -> bool:
        """Return whether a person may see the planning of the visit (class K2)."""
        is_cleared = not person.needs_clearance or person.user_id in self.cleared
        return person.user_id in self.listed and is_cleared and not person.is_joining


def _planning_of(checklists: Collection[Checklist]) -> dict[UUID, _Planning]:
    """Return who may see the planning in some checklists of visits."""
    visit_ids = {checklist.visit_id for checklist in checklists if checklist.visit_id}
    if not visit_ids:
        return {checklist.id: _Planning() for checklist in checklists}
    members = db.session.scalars(
        sa.select(AudienceMember).where(
            AudienceMember.subject_type == VISIT, AudienceMember.subject_id.in_(visit_ids)
        )
    ).all()
    # Each with the visit it opens: one for the whole cooperation opens each visit that isn't
    # barred.
    cleared = db.session.execute(
        sa.select(Clearance.user_id, Checklist.visit_id)
        .join(Checklist, Checklist.cooperation_id == Clearance.cooperation_id)
        .where(
            Checklist.visit_id.in_(visit_ids),
            clearances.covers(Checklist.visit_id),
            clearances.is_open(clock.today()),
        )
        .distinct()
    ).all()
    return {
        checklist.id: _Planning(
            listed=frozenset(
                m.user_id
                for m in members
                if m.subject_id == checklist.visit_id and (m.leads or m.from_on <= clock.today())
            ),
            cleared=frozenset(
                user_id for user_id, visit_id in cleared if visit_id == checklist.visit_id
            ),
        )
        for checklist in checklists
    }


def may_open_planning(checklist: Checklist) -> dict[OrganisationKind, set[UUID]]:
    """Return who may open a visit's checklists today, by side."""
    today, visit_id = clock.today(), checklist.visit_id
    rows = audiences.audience(VISIT, visit_id) if visit_id else []
    listed = {row.user_id for row in rows if row.leads or row.from_on <= today}
    cleared = clearances.cleared_user_ids(checklist.cooperation_id, visit_id)
    others = listed & cleared
    return {kind: listed if kind is OrganisationKind.NPM else others for kind in OrganisationKind}


def find(actor: Actor, checklist_id: UUID) -> Checklist | None:
    """Return a checklist the person may open, or None."""
    return db.session.scalar(
        sa.select(Checklist)
        .where(Checklist.id == checklist_id, visible(actor))
        .options(joinedload(Checklist.template))
    )


def by_page(checklist_id: UUID) -> Checklist | None:
    """Return a checklist without checking permission.

    Only for storing what was sent from a page whose session has ended: a signed token proves that
    the page was opened by a person for whom find() had found it.
    """
    return db.session.get(Checklist, checklist_id)


@dataclass(frozen=True, slots=True)
class EarlierChecklist:
    """A checklist that answers can be copied from, as listed."""

    checklist: Checklist
    reference: str
    title: str


def earlier_checklists(
    actor: Actor, checklist: Checklist, words: str = "", *, limit: int = 10
) -> tuple[list[EarlierChecklist], bool]:
    """Return the checklists a person may copy from, the newest first, and whether there are more.

    Those with answers, of this kind and these parties, with every search word in title or
    reference, and only those they may open. Nothing is copied from a visit's checklist (K2) into
    one that isn't a visit's.
    """
    rows = db.session.execute(
        sa.select(Checklist, Cooperation.reference, Cooperation.title)
        .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
        .join(ChecklistParty, ChecklistParty.checklist_id == Checklist.id)
        .where(
            # Found by the last party of the list: a CSO, which has fewer than an NPM.
            ChecklistParty.organisation_id == _last_party(checklist),
            _can_be_copied_into(actor, checklist),
            *map(_is_called, words.split()[:MOST_WORDS]),
        )
        .order_by(Checklist.started_at.desc(), Checklist.id)
        .limit(limit + 1)
    ).all()
    lines = [EarlierChecklist(row, reference, title) for row, reference, title in rows[:limit]]
    return lines, len(rows) > limit


def _last_party(checklist: Checklist) -> sa.ScalarSelect[UUID]:
    return (
        sa.select(_MINE.organisation_id)
        .where(_MINE.checklist_id == checklist.id)
        .order_by(_MINE.position.desc())
        .limit(1)
        .scalar_subquery()
    )


def _is_called(word: str) -> sa.ColumnElement[bool]:
    return sa.or_(
        Cooperation.title.icontains(word, autoescape=True),
        Cooperation.reference.icontains(word, autoescape=True),
    )


def earlier_checklist(actor: Actor, checklist: Checklist, former_id: UUID) -> Checklist | None:
    """Return a checklist from which the person may copy answers into this one, or None."""
    return db.session.scalar(
        sa.select(Checklist)
        .where(Checklist.id == former_id, _can_be_copied_into(actor, checklist))
        .options(joinedload(Checklist.template))
    )


def _can_be_copied_into(actor: Actor, checklist: Checklist) -> sa.ColumnElement[bool]:
    """Return the condition over Checklist that its answers may be copied into this one."""
    of_mine, of_theirs = _MINE.checklist_id == checklist.id, _THEIRS.checklist_id == Checklist.id
    same = _MINE.organisation_id == _THEIRS.organisation_id
    answered = sa.exists().where(
        Answer.checklist_id == Checklist.id,
        Answer.is_current,
        Answer.scope != AnswerScope.PERSON,
    )
    # Written so that the index of visits isn't used, in which all checklists without one are
    # together.
    is_of_none = sa.case((Checklist.visit_id.is_(None), 1), else_=0) == 1
    return sa.and_(
        Checklist.kind == checklist.kind,
        Checklist.id != checklist.id,
        visible(actor),
        sa.true() if encryption.is_restricted(checklist) else is_of_none,
        ~sa.exists().where(
            of_mine, ~sa.exists().where(of_theirs, same).correlate(Checklist, _MINE)
        ),
        ~sa.exists().where(of_theirs, ~sa.exists().where(of_mine, same).correlate(_THEIRS)),
        answered,
    )


def seen_of(actor: Actor, checklist_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the cooperation references of those of the given checklists that may be opened."""
    rows = db.session.execute(
        sa.select(Checklist.id, Cooperation.reference)
        .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
        .where(Checklist.id.in_(list(checklist_ids)), visible(actor))
    )
    return {row.id: row.reference for row in rows}


def proposal_of(checklist: Checklist, proposal_id: UUID) -> Proposal | None:
    """Return a proposal on a checklist that was found in scope, open or not, or None."""
    return db.session.scalar(
        sa.select(Proposal).where(Proposal.id == proposal_id, Proposal.checklist_id == checklist.id)
    )


def of_visit(actor: Actor, visit_id: UUID) -> dict[ChecklistKind, Checklist]:
    """Return a visit's checklists that the person may open."""
    rows = db.session.scalars(
        sa.select(Checklist).where(Checklist.visit_id == visit_id, visible(actor))
    )
    return {row.kind: row for row in rows}


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """A checklist as lists and gates show it; counts come from its row, not from the answers."""

    id: UUID
    cooperation_id: UUID
    kind: ChecklistKind
    visit_id: UUID | None
    state: ChecklistState
    done_count: int
    total_count: int
    is_complete: bool
    # Parties with how many items wait for each.
    waiting: dict[UUID, int]
    # Parties with the number of items with copied answers that they have not read.
    unread: dict[UUID, int]
    open_flags: int
    is_reviewed: bool
    revision_in_force_id: UUID | None
    revision_sent_id: UUID | None
    in_force_at: dt.datetime | None


def overview(actor: Actor, cooperation_ids: Iterable[UUID]) -> list[ChecklistLine]:
    """Return the lines of all checklists of some cooperations that the person may open."""
    return _lines(sa.and_(Checklist.cooperation_id.in_(list(cooperation_ids)), visible(actor)))


def standing_lines(cooperation_id: UUID) -> list[ChecklistLine]:
    """Return the lines of a cooperation's own checklists, not those of visits, for its gates."""
    return _lines(sa.and_(Checklist.cooperation_id == cooperation_id, Checklist.visit_id.is_(None)))


def _lines(condition: sa.ColumnElement[bool]) -> list[ChecklistLine]:
    flags = (
        sa.select(sa.func.count(Flag.id))
        .where(Flag.checklist_id == Checklist.id, Flag.closed_at.is_(None))
        .correlate(Checklist)
        .scalar_subquery()
    )
    reviewed = (
        sa.select(SafeguardReview.id)
        .where(SafeguardReview.checklist_id == Checklist.id, ~SafeguardReview.is_void)
        .correlate(Checklist)
        .exists()
    )
    rows = db.session.execute(
        sa.select(Checklist, flags, reviewed)
        .where(condition)
        .options(selectinload(Checklist.parties).joinedload(ChecklistParty.organisation))
        .order_by(Checklist.started_at)
    )
    return [
        ChecklistLine(
            id=row.id,
            cooperation_id=row.cooperation_id,
            kind=row.kind,
            visit_id=row.visit_id,
            state=row.state,
            done_count=row.done_count,
            total_count=row.total_count,
            is_complete=row.is_complete,
            waiting={party.organisation_id: party.waiting_count for party in row.parties},
            unread={party.organisation_id: party.unread_count for party in row.parties},
            open_flags=open_flags or 0,
            is_reviewed=bool(is_reviewed),
            revision_in_force_id=row.revision_in_force_id,
            revision_sent_id=row.revision_sent_id,
            in_force_at=row.in_force_at,
        )
        for row, open_flags, is_reviewed in rows
    ]


def value(checklist_id: UUID, item: str, key: str) -> Any:
    """Return a field's current shared value, or None.

    For rules of higher packages that depend on an answer; the caller has asked its own policy.
    """
    row = db.session.execute(
        sa.select(Answer, Checklist.cooperation_id)
        .join(Checklist, Checklist.id == Answer.checklist_id)
        .where(
            Answer.checklist_id == checklist_id,
            Answer.item == item,
            Answer.scope == AnswerScope.SHARED,
            Answer.is_current,
        )
    ).one_or_none()
    if row is None or row[0].not_applicable:
        return None
    return encryption.values_of(row[1], row[0]).get(key)


def cooperation_of(checklist: Checklist) -> Cooperation:
    """Return the cooperation of a checklist that a scoped query found."""
    return db.session.get_one(Cooperation, checklist.cooperation_id)


def own_models(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over ModelAnswer that it belongs to the organisation acted for.

    No others are ever read: not by partners, auditors or administrators.
    """
    if not policy.can_use_models(actor):
        return sa.false()
    return ModelAnswer.organisation_id == actor.organisation_id


def model_answers(actor: Actor) -> list[ModelAnswer]:
    """Return the model answers of the person's organisation, in the order of the checklists."""
    rows = db.session.scalars(
        sa.select(ModelAnswer)
        .where(own_models(actor))
        .options(load_joined(ModelAnswer.author, User.name))
        .order_by(ModelAnswer.title)
    )
    kinds = list(ChecklistKind)
    return sorted(rows, key=lambda row: (kinds.index(row.kind), int(row.item[1:]), row.scope))


def models_for(
    actor: Actor, kind: ChecklistKind, item: str, scope: AnswerScope
) -> list[ModelAnswer]:
    """Return the model answers of the person's organisation with which an item can be started."""
    rows = db.session.scalars(
        sa.select(ModelAnswer)
        .where(
            own_models(actor),
            ModelAnswer.kind == kind,
            ModelAnswer.item == item,
            ModelAnswer.scope == scope,
        )
        .order_by(ModelAnswer.title)
    )
    return list(rows)


def model_answer(actor: Actor, model_id: UUID, *, to_change: bool = False) -> ModelAnswer | None:
    """Return a model answer of the person's organisation, or None."""
    wanted = (
        sa.select(ModelAnswer)
        .where(ModelAnswer.id == model_id, own_models(actor))
        .options(load_joined(ModelAnswer.author, User.name))
    )
    if to_change:
        wanted = wanted.with_for_update(of=ModelAnswer).execution_options(populate_existing=True)
    return db.session.scalar(wanted)


def _own_texts(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over OwnModelText that the body acted for keeps it.

    No others are ever read: not by partners, other bodies, auditors or administrators.
    """
    if not policy.can_use_own_texts(actor):
        return sa.false()
    return sa.and_(
        OwnModelText.organisation_id == actor.organisation_id, OwnModelText.retired_at.is_(None)
    )


def own_texts(actor: Actor, kind: ChecklistKind | None = None) -> list[OwnModelText]:
    """Return the model texts that the person's body of the NPM keeps, the newest first."""
    of_kind = sa.true() if kind is None else OwnModelText.kind == kind
    rows = db.session.scalars(
        sa.select(OwnModelText)
        .where(_own_texts(actor), of_kind)
        .options(load_joined(OwnModelText.kept_by, User.name))
        .order_by(OwnModelText.kept_at.desc(), OwnModelText.id)
    )
    return list(rows)


def own_text(actor: Actor, text_id: UUID, *, to_change: bool = False) -> OwnModelText | None:
    """Return a model text that the person's body of the NPM keeps, or None."""
    wanted = (
        sa.select(OwnModelText)
        .where(OwnModelText.id == text_id, _own_texts(actor))
        .options(load_joined(OwnModelText.kept_by, User.name))
    )
    if to_change:
        wanted = wanted.with_for_update(of=OwnModelText).execution_options(populate_existing=True)
    return db.session.scalar(wanted)


def references_of(actor: Actor, cooperation_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the references of cooperations, of those that the person may see."""
    rows = db.session.execute(
        sa.select(Cooperation.id, Cooperation.reference).where(
            Cooperation.id.in_(set(cooperation_ids)), scope.visible(actor)
        )
    )
    return {row.id: row.reference for row in rows}
