"""Queries for cooperations, scoped to the actor.

In one file: which cooperations a person sees, and whether their terms go on, are conditions that
each list and page puts together.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from tracker.access.actor import Actor, Role
from tracker.access.conditions import built_for_all
from tracker.accounts.models import Invitation
from tracker.activity import verbs
from tracker.activity.models import Event, EventDetail
from tracker.cooperations import agreed_ways
from tracker.cooperations.agreed_ways import AgreedWays, TermsState, TermsStop
from tracker.cooperations.models import (
    FEW_LETTERS,
    Cooperation,
    CooperationEntry,
    ListState,
    Mode,
    Party,
    Stage,
)
from tracker.cooperations.people import parties
from tracker.cooperations.policy import CooperationFact, PartyFact
from tracker.cooperations.scope import listed, visible, visible_in_part
from tracker.core import clock
from tracker.core.db import db
from tracker.core.services import Slot
from tracker.signoff.models import RequestState, Revision, SignatureRequest
from tracker.signoff.outcomes import Validity

# Before any cooperation was opened.
_BEFORE_ALL = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MAX_WORDS = 8
# The stages that a notice on the agreed terms ends on its day.
_STOPPABLE = (Stage.ACTIVE, Stage.UNDER_REVIEW)
# Spelled out as in the indexes' conditions, since these don't match a parameter.
_FEW: sa.ColumnElement[int] = sa.literal_column(str(FEW_LETTERS))
REFERENCE = re.compile(r"C-[0-9]{4}-[0-9]{4,6}")
_WITH_PARTIES = joinedload(Cooperation.parties).joinedload(Party.organisation)
_WHOLE = sa.select(Cooperation).options(_WITH_PARTIES)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list of cooperations, and how many there are in total."""

    total: int
    cooperations: list[Cooperation]
    # Those whose stage and dates agree with signatures and events.
    agreeing: Collection[UUID] = ()
    # Those whose agreed terms a notice has stopped by today, before the worker has applied it.
    stopped: Mapping[UUID, TermsStop] = field(default_factory=dict)


AgreeingReader = Callable[[Collection[Cooperation]], Collection[UUID]]

# The reader that compares cooperations with their evidence: lifecycle is a higher package.
AGREEING_READER: Slot[AgreeingReader] = Slot(
    "agreeing_reader", lambda cooperations: [cooperation.id for cooperation in cooperations]
)

# The reader of whether events bind a cooperation's row, loaded parties and people, likewise.
AS_RECORDED_READER: Slot[Callable[[Cooperation], bool]] = Slot(
    "as_recorded_reader", lambda _cooperation: True
)

# The reader of what a cooperation's terms say about its ways of working, likewise.
TERMS_READER: Slot[Callable[[UUID], TermsState]] = Slot("terms_reader", lambda _id: TermsState())


StopReader = Callable[[Collection[UUID]], Mapping[UUID, TermsStop]]
# The reader of notices that are due, by cooperation: checklists is a higher package.
STOP_READER: Slot[StopReader] = Slot("stop_reader", lambda _ids: {})


def terms_state(cooperation_id: UUID) -> TermsState:
    """Return what the terms say about the ways of working, and whether they can be changed now."""
    return TERMS_READER.get()(cooperation_id)


def find(actor: Actor, reference: str) -> Cooperation | None:
    """Return a cooperation by its reference with its parties, if the person may see it."""
    if not REFERENCE.fullmatch(reference):
        return None
    return _first(_by_reference(actor), reference=reference)


def find_in_part(actor: Actor, reference: str) -> Cooperation | None:
    """Return what find() does, also for a cooperation that the person's party is joining.

    For its page, its people, and signing: everything else opens once the party has joined.
    """
    if not REFERENCE.fullmatch(reference):
        return None
    return _first(_in_part_by_reference(actor), reference=reference)


def find_by_id(actor: Actor, cooperation_id: UUID) -> Cooperation | None:
    """Return a cooperation by its id with its parties, if the person may see it."""
    return _first(_by_id(actor), cooperation_id=cooperation_id)


def find_by_id_in_part(actor: Actor, cooperation_id: UUID) -> Cooperation | None:
    """Return what find_by_id() does, also for a cooperation that the person's party is joining."""
    return _first(_in_part_by_id(actor), cooperation_id=cooperation_id)


def find_all(actor: Actor, cooperation_ids: Iterable[UUID]) -> dict[UUID, Cooperation]:
    """Return those of some cooperations that the person may see, with their parties."""
    cooperations = db.session.scalars(
        sa.select(Cooperation)
        .where(Cooperation.id.in_(list(cooperation_ids)), visible(actor))
        .options(_WITH_PARTIES)
    ).unique()
    return {cooperation.id: cooperation for cooperation in cooperations}


def listing(
    actor: Actor,
    *,
    words: str = "",
    state: ListState | None = None,
    offset: int = 0,
    limit: int = 25,
    counts: Mapping[str, int] | None = None,
) -> Listing:
    """Return one page of the cooperations that the person may see or joins, the newest first.

    Every word must occur in the title, the reference or the name of a party. counts are those for
    the same words (state_counts), if they were already read.
    """
    counts = state_counts(actor, words) if counts is None else counts
    total = counts.get(state.value if state else "", 0)
    if not total:
        return Listing(0, [])
    # Pages are found through the entries' indexes, so only the rows of the page are read.
    entries = _entries(actor, words)
    ids = sa.select(entries.c.cooperation_id)
    if state is not None:
        ids = ids.where(*_in_state(entries, state, clock.today()))
    ids = ids.order_by(entries.c.opened_at.desc(), entries.c.reference.desc())
    shown = (
        sa.select(Cooperation)
        .where(Cooperation.id.in_(ids.offset(offset).limit(limit)), visible_in_part(actor))
        .order_by(Cooperation.opened_at.desc(), Cooperation.reference.desc())
        .options(_WITH_PARTIES)
    )
    cooperations = db.session.scalars(shown).unique().all()
    stopped = STOP_READER.get()([cooperation.id for cooperation in cooperations])
    return Listing(total, list(cooperations), AGREEING_READER.get()(cooperations), stopped)


def state_counts(actor: Actor, words: str = "") -> dict[str, int]:
    """Return how many of the visible cooperations are in each state today; "" is all."""
    entries, today = _entries(actor, words), clock.today()
    columns = (
        entries.c.stage,
        sa.case((entries.c.notice_ends_on <= today, 1), else_=0),
        sa.case((entries.c.notice_suspends_on <= today, 1), else_=0),
        sa.case((entries.c.ends_on < today, 1), else_=0),
        sa.case((entries.c.starts_on > today, 1), else_=0),
    )
    rows = db.session.execute(sa.select(*columns, sa.func.count()).group_by(*columns))
    counts: Counter[str] = Counter()
    for stage, *passed, count in rows:
        counts[_state_of(stage, *passed).value] += count
    return {**counts, "": counts.total()}


def _state_of(
    stage: Stage, is_ended: int, is_suspended: int, is_over: int, is_to_come: int
) -> ListState:
    """Return the state that labels.stage_words shows, from what the days of an entry say."""
    if stage in _STOPPABLE and is_ended:
        return Validity.RUN_OUT
    if stage in _STOPPABLE and is_suspended:
        return Stage.SUSPENDED
    if stage is Stage.ACTIVE and is_over:
        return Validity.RUN_OUT
    if stage is Stage.ACTIVE and is_to_come:
        return Validity.BEGINS_LATER
    return stage


def _in_state(
    entries: sa.Subquery, state: ListState, today: dt.date
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions over entries that labels.stage_words shows a state on a day.

    A notice counts from its day on, also before the worker has applied it and changed the stage.
    """
    starts_on, ends_on = entries.c.starts_on, entries.c.ends_on
    by_end, by_suspension = entries.c.notice_ends_on, entries.c.notice_suspends_on
    is_active = entries.c.stage == Stage.ACTIVE
    is_not_over = sa.or_(ends_on.is_(None), ends_on >= today)
    is_not_ended = sa.or_(by_end.is_(None), by_end > today)
    is_not_suspended = sa.or_(by_suspension.is_(None), by_suspension > today)
    goes_on = sa.and_(is_not_ended, is_not_suspended)
    may_stop = entries.c.stage.in_(_STOPPABLE)
    match state:
        case Validity.RUN_OUT:
            by_notice = sa.and_(may_stop, by_end <= today)
            return [sa.or_(by_notice, sa.and_(is_active, goes_on, ends_on < today))]
        case Stage.SUSPENDED:
            by_notice = sa.and_(may_stop, is_not_ended, by_suspension <= today)
            return [sa.or_(entries.c.stage == state, by_notice)]
        case Validity.BEGINS_LATER:
            return [is_active, goes_on, is_not_over, starts_on > today]
        case Stage.ACTIVE:
            is_begun = sa.or_(starts_on.is_(None), starts_on <= today)
            return [is_active, goes_on, is_not_over, is_begun]
        case Stage.UNDER_REVIEW:
            return [entries.c.stage == state, goes_on]
    return [entries.c.stage == state]


def fact(cooperation: Cooperation) -> CooperationFact:
    """Return the rules' plain values for a cooperation whose parties are loaded."""
    return CooperationFact(
        stage=cooperation.stage,
        parties=tuple(
            PartyFact(party.organisation_id, party.side, party.is_leaving, party.is_joining)
            for party in parties(cooperation)
        ),
        terms_in_force=terms_in_force(cooperation.id),
    )


def modes(cooperation: Cooperation) -> list[Mode]:
    """Return the modes of a cooperation in the order of the table."""
    return [mode for mode in Mode if mode.value in cooperation.modes]


def with_paper(
    agreed: AgreedWays | None, cooperation: Cooperation, terms_id: UUID
) -> AgreedWays | None:
    """Return what the terms in force say about the ways of working, also on paper without M3.

    There, the ways of working and answers count that the cooperation had when the agreement was
    recorded, since all parties confirmed it then: by its events, whatever one side changed later.
    """
    if agreed is None or agreed.modes is not None:
        return agreed
    recorded = (
        sa.select(sa.func.max(Event.number))
        .where(
            Event.subject_type == "checklist",
            Event.subject_id == terms_id,
            Event.verb == verbs.FORMER_AGREEMENT_RECORDED.name,
        )
        .scalar_subquery()
    )
    changed = db.session.scalar(
        sa.select(EventDetail.content)
        .join(Event, Event.id == EventDetail.event_id)
        .where(
            Event.subject_type == "cooperation",
            Event.subject_id == cooperation.id,
            Event.verb == verbs.MODES_CHANGED.name,
            Event.number > recorded,
        )
        .order_by(Event.number)
        .limit(1)
    )
    if changed is None:
        return agreed_ways.of_paper(agreed, modes(cooperation), cooperation.questions)
    before = [mode for mode in Mode if mode.value in changed["modes_before"]]
    return agreed_ways.of_paper(agreed, before, changed["questions_before"])


_SIGNED_TERMS = (
    SignatureRequest.revision_id == Revision.id,
    SignatureRequest.state == RequestState.COMPLETED,
    Revision.kind == "terms",
)
_HAS_SIGNED_TERMS = sa.select(
    sa.exists().where(*_SIGNED_TERMS, Revision.cooperation_id == sa.bindparam("id"))
)


def terms_in_force(cooperation_id: UUID) -> bool:
    """Return whether a fully signed revision of the terms exists."""
    return bool(db.session.scalar(_HAS_SIGNED_TERMS, {"id": cooperation_id}))


def terms_have_run_out(day: dt.date | sa.BindParameter[dt.date]) -> sa.ColumnElement[bool]:
    """Return the condition over Cooperation that the last day of its agreed terms has passed.

    Its last day is the one of the terms once they are signed (M19); before that it is a plan.
    """
    return sa.and_(Cooperation.ends_on < day, _terms_are_signed())


def agreed_end(cooperation_id: sa.SQLColumnExpression[UUID]) -> sa.ScalarSelect[dt.date | None]:
    """Return the last day of a cooperation's agreed terms, as terms_have_run_out() counts it."""
    return (
        sa.select(Cooperation.ends_on)
        .where(Cooperation.id == cooperation_id, _terms_are_signed())
        .correlate_except(Cooperation)
        .scalar_subquery()
    )


def _terms_are_signed() -> sa.ColumnElement[bool]:
    # Counted, since PostgreSQL may answer EXISTS by reading all revisions.
    signed = (
        sa.select(sa.func.count())
        .where(*_SIGNED_TERMS, Revision.cooperation_id == Cooperation.id)
        .correlate(Cooperation)
        .scalar_subquery()
    )
    return signed > 0


def have_terms_run_out(cooperation: Cooperation) -> bool:
    """Return whether the last day of the agreed terms has passed, as terms_have_run_out() says."""
    last = cooperation.ends_on
    return last is not None and last < clock.today() and terms_in_force(cooperation.id)


def open_invitations(actor: Actor, cooperation_id: UUID) -> list[Invitation]:
    """Return the open invitations to a cooperation by the actor's organisation.

    For its coordinators; an address is nobody else's business.
    """
    if not actor.has(Role.COORDINATOR):
        return []
    return list(
        db.session.scalars(
            sa.select(Invitation)
            .where(
                Invitation.cooperation_id == cooperation_id,
                Invitation.organisation_id == actor.organisation_id,
                Invitation.accepted_at.is_(None),
                Invitation.revoked_at.is_(None),
            )
            .order_by(Invitation.created_at)
        )
    )


def _first(
    built: tuple[sa.Select[Cooperation], Mapping[str, UUID | None]], **wanted: UUID | str
) -> Cooperation | None:
    query, reader = built
    return db.session.scalars(query, {**wanted, **reader}).unique().one_or_none()


_HAS_REFERENCE = Cooperation.reference == sa.bindparam("reference")
_HAS_ID = Cooperation.id == sa.bindparam("cooperation_id", type_=sa.Uuid())


@built_for_all
def _by_reference(actor: Actor) -> sa.Select[Cooperation]:
    return _WHOLE.where(_HAS_REFERENCE, visible(actor))


@built_for_all
def _in_part_by_reference(actor: Actor) -> sa.Select[Cooperation]:
    return _WHOLE.where(_HAS_REFERENCE, visible_in_part(actor))


@built_for_all
def _by_id(actor: Actor) -> sa.Select[Cooperation]:
    return _WHOLE.where(_HAS_ID, visible(actor))


@built_for_all
def _in_part_by_id(actor: Actor) -> sa.Select[Cooperation]:
    return _WHOLE.where(_HAS_ID, visible_in_part(actor))


def with_words(words: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    """Return the conditions over CooperationEntry that it contains each word, in any case.

    If there are any words, they also include the opening day, so that SQLite reads the entries in
    the order of the list, which is that of the rows: any other order takes four times as long.
    """
    conditions: list[sa.ColumnElement[bool]] = [
        CooperationEntry.words.contains(word.casefold(), autoescape=True) for word in words
    ]
    return [CooperationEntry.opened_at > _BEFORE_ALL, *conditions] if conditions else []


def searched(
    query: sa.Select[*tuple[Any, ...]], words: Iterable[str]
) -> sa.CompoundSelect[*tuple[Any, ...]]:
    """Return a query over CooperationEntry for those that contain each word, in any case.

    In two parts, so that each is answered by an index: most entries by one that contains their
    words.
    """
    query = query.where(*with_words(words))
    length = sa.func.length(CooperationEntry.words)
    return sa.union_all(query.where(length <= _FEW), query.where(length > _FEW))


def _entries(actor: Actor, words: str) -> sa.Subquery:
    query = sa.select(
        CooperationEntry.cooperation_id,
        CooperationEntry.stage,
        CooperationEntry.opened_at,
        CooperationEntry.reference,
        CooperationEntry.starts_on,
        CooperationEntry.ends_on,
        CooperationEntry.notice_suspends_on,
        CooperationEntry.notice_ends_on,
    ).where(listed(actor))
    wanted = words.split()[:MAX_WORDS]
    return searched(query, wanted).subquery() if wanted else query.subquery()
