"""Queries for the register: agreements a manager or auditor may see, nothing of planning.

In one file: the register's filters and the columns of its lines are parts of one statement.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor, Role
from tracker.accounts import bound as account_bound
from tracker.accounts.models import User
from tracker.activity import witness
from tracker.agreements import evidence
from tracker.agreements.evidence import Compared
from tracker.agreements.service import SUBJECT
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import queries as checklists
from tracker.checklists.models import (
    Answer,
    Checklist,
    ChecklistParty,
    ChecklistState,
    Flag,
    Notice,
    NoticeKind,
    Renewal,
)
from tracker.checklists.rules.values import as_date
from tracker.cooperations.models import Cooperation, CooperationEntry, Party
from tracker.cooperations.queries import searched
from tracker.cooperations.scope import FOR_THE_ORGANISATION, has_not_left, visible
from tracker.core import clock
from tracker.core.db import Identifier, db, load_joined
from tracker.lifecycle import bound as lifecycle_bound
from tracker.organisations.models import Organisation
from tracker.oversight import policy
from tracker.oversight.facts import (
    AgreementState,
    Narrowing,
    Need,
    Override,
    Overview,
    Question,
    RegisterLine,
    TakenOver,
    VisitMark,
)
from tracker.oversight.models import EntryState, RegisterEntry
from tracker.reviews import bound as review_bound
from tracker.reviews import queries as reviews
from tracker.signoff.models import (
    RequestState,
    Revision,
    Signature,
    SignatureKind,
    SignatureParty,
    SignatureRequest,
)
from tracker.signoff.outcomes import Outcome, Validity, validity
from tracker.signoff.paper_models import PaperKind, PaperRecord
from tracker.visits import bound as visit_bound
from tracker.visits import queries as visit_queries
from tracker.visits.models import GateOverride, Visit, VisitStage

SOON = dt.timedelta(days=90)
MAX_LENGTH = 200
MAX_WORDS = 8
# How many rows of an export are in memory at a time.
AT_A_TIME = 100

Parties = tuple[tuple[UUID, str], ...]

# The newest revision of a text with its signature request; and the revision that the register
# shows: the one in force, else the newest.
_Newest, _NewestAsked = aliased(Revision), aliased(SignatureRequest)
_Shown, _ShownAsked = aliased(Revision), aliased(SignatureRequest)

_IS_IN_FORCE = Checklist.revision_in_force_id.is_not(None)
# Texts that a party suspended or ended; a draft beside one is shown like an amendment.
_IS_STOPPED = Checklist.stopped_by.is_not(None)
_IS_DECLINED = sa.and_(
    ~_IS_IN_FORCE,
    ~_IS_STOPPED,
    Checklist.state == ChecklistState.DRAFTING,
    _NewestAsked.state == RequestState.DECLINED,
)
# The outcomes that leave nothing in force.
_STOPPED = {Outcome.SUSPENDED: AgreementState.SUSPENDED, Outcome.ENDED: AgreementState.ENDED}
# The states that end with the last day.
_CAN_END = frozenset({EntryState.IN_FORCE, EntryState.SUSPENDED})
# The order within each group of Need: the newest cooperation first, then visits in order.
_PLACE = (
    RegisterEntry.newest_first,
    RegisterEntry.visit_number,
    RegisterEntry.kind_place,
    RegisterEntry.checklist_id,
)

# The events about texts, their visits, their cooperations and the reviews of these.
_EVENTS = witness.about_with_details(
    sa.or_(evidence.IS_ABOUT, review_bound.IS_ABOUT, lifecycle_bound.IS_ABOUT),
    {*visit_bound.VERBS_OF_TEXTS, *review_bound.VERBS, *lifecycle_bound.BINDING},
)

# The conditions over entries under which a person sees them.
Way = Callable[[type[RegisterEntry]], list[sa.ColumnElement[bool]]]


def lines(
    actor: Actor,
    question: Question,
    *,
    offset: int = 0,
    limit: int = 25,
    needs: Mapping[Need, int] | None = None,
) -> list[RegisterLine]:
    """Return one page of the agreements that match the filters, by need.

    Within each group the newest cooperation comes first. needs are those of overview(), so that
    only the groups on the page are read, each in the order of the index. Managers see agreements of
    their own organisation, auditors those of the NPM they audit; nobody else sees any. A constant
    number of queries, however many agreements there are.
    """
    if needs is None:
        needs = overview(actor, question).needs
    parts = [
        _in_order(sa.select(*_PLACE), actor, question, need).offset(first).limit(count)
        for need, first, count in _parts(needs, offset, limit)
    ]
    return _lines_of(actor, _one_after_the_other(parts))


def all_lines(actor: Actor, question: Question) -> Iterator[list[RegisterLine]]:
    """Yield all agreements that match the filters, in batches, in the order of lines()."""
    for need, count in overview(actor, question).needs.items():
        if count:
            yield from _all_of(actor, question, need)


def overview(actor: Actor, question: Question) -> Overview:
    """Return the number of agreements for each filter and each need, in one query."""
    columns = (
        RegisterEntry.state,
        RegisterEntry.is_sent,
        RegisterEntry.is_overridden,
        RegisterEntry.is_flagged,
        RegisterEntry.from_on,
        RegisterEntry.until_on,
        RegisterEntry.review_on,
        RegisterEntry.suspends_on,
        RegisterEntry.signed_until,
    )
    # First by the columns themselves: that is the order of an index, and needs no sorting.
    by_day = (
        _entries(
            sa.select(
                *columns,
                sa.func.count().label("count"),
                sa.func.min(RegisterEntry.sent_on).label("since"),
            ),
            actor,
            replace(question, narrowing=None),
        )
        .group_by(*columns)
        .subquery()
    )
    conditions = _conditions(by_day.c)
    kinds = (
        _need(conditions),
        *(sa.case((condition, 1), else_=0) for condition in conditions.values()),
    )
    rows: Iterable[Any] = db.session.execute(
        sa.select(sa.func.sum(by_day.c.count), sa.func.min(by_day.c.since), *kinds).group_by(*kinds)
    )
    counts = dict.fromkeys(["", *Narrowing], 0)
    needs = dict.fromkeys(Need, 0)
    days = []
    for count, since, need, *flags in rows:
        matching = ["", *(key for key, flag in zip(conditions, flags, strict=True) if flag)]
        for key in matching:
            counts[key] += int(count)
        if (question.narrowing or "") in matching:
            needs[Need(need)] += int(count)
        days += [since] if since and Narrowing.LACKS_SIGNATURES in matching else []
    return Overview(counts, needs, min(days, default=None))


def counts(actor: Actor, question: Question) -> Mapping[str, int]:
    """Return the number of agreements for each filter, in one query; "" is all of them."""
    return overview(actor, question).counts


def find(actor: Actor, checklist_id: UUID) -> RegisterLine | None:
    """Return one agreement of the register that the person may open, or None."""
    query = _entries(sa.select(RegisterEntry.checklist_id), actor, Question()).where(
        RegisterEntry.checklist_id == checklist_id
    )
    opened = sa.select(Checklist.id).where(
        Checklist.id == checklist_id, Checklist.id.in_(query), checklists.visible(actor)
    )
    lines = _lines_of(actor, list(db.session.scalars(opened)))
    return lines[0] if lines else None


def entries_of(cooperation_id: UUID) -> list[dict[str, Any]]:
    """Return the values of the entries of a cooperation's agreements, the same for all parties.

    Not scoped: for their upkeep.
    """
    rows = db.session.execute(_ENTRIES, {"cooperation_id": cooperation_id})
    places = list(ChecklistKind)
    read = [
        (
            {
                "checklist_id": row.Checklist.id,
                "newest_first": _newest_first(row.reference),
                "visit_number": row.visit_number,
                "kind_place": places.index(row.Checklist.kind),
                "state": _entry_state(row.Checklist, row.stage, is_declined=bool(row.is_declined)),
                "is_sent": _waits(row.Checklist, row.stage),
                "is_overridden": bool(row.is_overridden),
                "is_flagged": bool(row.is_flagged),
                "sent_on": _day(row.sent_at) if _waits(row.Checklist, row.stage) else None,
                "from_on": as_date(row.from_on)
                or (None if row.visit_number else _day(row.Checklist.in_force_at)),
                "until_on": _earlier(as_date(row.until_on), _before(row.ends_on)),
                "review_on": row.review_on,
                "suspends_on": row.notice_suspends_on,
                "signed_until": _earlier(row.expires_on, _before(row.notice_ends_on))
                if _waits(row.Checklist, row.stage)
                else None,
            },
            row.notice_ends_on,
        )
        for row in rows
    ]
    terms = _terms_in(read)
    return [_ended_with_terms(entry, terms) for entry, _notice_ends_on in read]


# An entry, and the first day without its text by a notice that hasn't been applied yet.
_Read = tuple[dict[str, Any], dt.date | None]


def _terms_in(read: Iterable[_Read]) -> _Read | None:
    """Return the entry of the agreed terms, if a revision of them was ever in force."""
    place = list(ChecklistKind).index(ChecklistKind.TERMS)
    known = {EntryState.IN_FORCE, EntryState.SUSPENDED, EntryState.ENDED}
    terms = (row for row in read if row[0]["kind_place"] == place)
    return next((row for row in terms if row[0]["state"] in known), None)


def _ended_with_terms(entry: dict[str, Any], with_notice: _Read | None) -> dict[str, Any]:
    """Return an entry as the agreed terms leave it: they end it, or it ends with their last day.

    The same rule as evidence.Compared.outcome(): a notice that ends them also ends the time to sign
    a text that waits, while their last day doesn't, in case they are renewed.
    """
    if with_notice is None:
        return entry
    terms, notice_ends_on = with_notice
    if entry is terms:
        return entry
    if entry["is_sent"]:
        until = _earlier(entry["signed_until"], _before(notice_ends_on))
        entry = {**entry, "signed_until": until}
    if entry["state"] not in {*_CAN_END, EntryState.ENDED}:
        return entry
    entry = {**entry, "until_on": _earlier(entry["until_on"], terms["until_on"])}
    if terms["state"] is EntryState.ENDED:
        return {**entry, "state": EntryState.ENDED}
    return entry


def _earlier(*days: dt.date | None) -> dt.date | None:
    return min((day for day in days if day), default=None)


def _before(day: dt.date | None) -> dt.date | None:
    return day - dt.timedelta(days=1) if day else None


def _waits(checklist: Checklist, visit_stage: VisitStage | None) -> bool:
    """Return whether a text waits for signatures; a visit's doesn't once the visit was stopped."""
    return checklist.state is ChecklistState.SENT and visit_stage is not VisitStage.STOPPED


def _day(moment: dt.datetime | None) -> dt.date | None:
    return moment.astimezone(clock.zone()).date() if moment else None


def _newest_first(reference: str) -> int:
    _letter, year, number = reference.split("-")
    return -(int(year) * 1_000_000 + int(number))


def _entry_state(
    checklist: Checklist, visit_stage: VisitStage | None, *, is_declined: bool
) -> EntryState:
    if checklist.stopped_by is not None:
        return (
            EntryState.ENDED if checklist.stopped_by is NoticeKind.ENDED else EntryState.SUSPENDED
        )
    if checklist.revision_in_force_id is not None:
        # A visit's texts stop when the visit does.
        is_stopped = visit_stage is VisitStage.STOPPED
        return EntryState.ENDED if is_stopped else EntryState.IN_FORCE
    if _waits(checklist, visit_stage):
        return EntryState.SENT
    return EntryState.DECLINED if is_declined else EntryState.DRAFTING


# Filters ------------------------------------------------------------------------------------------


def _joined(query: Any) -> sa.Select[Any]:
    """Join everything that the filters use to each checklist."""
    newest = (
        sa.select(sa.func.max(Revision.number))
        .where(Revision.subject_type == SUBJECT, Revision.subject_id == Checklist.id)
        .correlate(Checklist)
        .scalar_subquery()
    )
    joined: sa.Select[Any] = (
        query.select_from(Checklist)
        .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
        .outerjoin(Visit, Visit.id == Checklist.visit_id)
        .outerjoin(
            _Newest,
            sa.and_(
                _Newest.subject_type == SUBJECT,
                _Newest.subject_id == Checklist.id,
                _Newest.number == newest,
            ),
        )
        .outerjoin(_NewestAsked, _NewestAsked.revision_id == _Newest.id)
        .outerjoin(
            _Shown,
            _Shown.id
            == sa.func.coalesce(Checklist.revision_in_force_id, Checklist.stopped_id, _Newest.id),
        )
        .outerjoin(_ShownAsked, _ShownAsked.revision_id == _Shown.id)
    )
    return joined


def _entries(query: Any, actor: Actor, question: Question) -> sa.Select[Any]:
    """Select the visible entries that match the filters."""
    entries: sa.Select[Any] = query.select_from(RegisterEntry).where(_seen(actor))
    words = question.words[:MAX_LENGTH].split()[:MAX_WORDS]
    if words:
        # Searched once, not joined: a plan that begins with the words would read all entries of the
        # register for each of them.
        organisation_ids = {*actor.audited_ids, actor.organisation_id} - {None}
        matching = sa.select(CooperationEntry.cooperation_id).where(
            CooperationEntry.organisation_id.in_(organisation_ids)
        )
        entries = entries.where(RegisterEntry.cooperation_id.in_(searched(matching, words)))
    if question.mode is not None:
        entries = entries.join(Cooperation, Cooperation.id == RegisterEntry.cooperation_id)
        # Modes are codes in a JSON list; with its quotation marks a code matches only itself.
        code = f'"{question.mode.value}"'
        entries = entries.where(
            sa.cast(Cooperation.modes, sa.Text()).contains(code, autoescape=True)
        )
    if question.kind is not None:
        place = list(ChecklistKind).index(question.kind)
        entries = entries.where(RegisterEntry.kind_place == place)
    entries = entries.where(*_with_party(question.party), *_valid_between(question))
    if question.narrowing is not None:
        entries = entries.where(_conditions(RegisterEntry)[question.narrowing])
    return entries


def _with_party(party: str) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions that each word occurs in the name of one party of the cooperation."""
    words = party[:MAX_LENGTH].split()[:MAX_WORDS]
    if words:
        yield (
            sa.exists()
            .where(
                Party.cooperation_id == RegisterEntry.cooperation_id,
                Organisation.id == Party.organisation_id,
                *(Organisation.name.icontains(word, autoescape=True) for word in words),
            )
            .correlate(RegisterEntry)
        )


def _valid_between(question: Question) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions that a text was or is valid on one of the days.

    Not texts of visits, of which the register shows no days.
    """
    first, last = question.from_on, question.until_on
    if first is None and last is None:
        return
    yield RegisterEntry.visit_number == 0
    yield RegisterEntry.state.in_([*_CAN_END, EntryState.ENDED])
    if first is not None:
        yield sa.or_(RegisterEntry.until_on.is_(None), RegisterEntry.until_on >= first)
    if last is not None:
        yield sa.or_(RegisterEntry.from_on.is_(None), RegisterEntry.from_on <= last)


def _in_order(query: Any, actor: Actor, question: Question, need: Need) -> sa.Select[Any]:
    """Select the visible entries of one group of the order."""
    condition = _need(_conditions(RegisterEntry)) == need.value
    return _entries(query, actor, question).where(condition).order_by(*_PLACE)


def _parts(needs: Mapping[Need, int], offset: int, limit: int) -> Iterator[tuple[Need, int, int]]:
    """Yield which groups a page shows: from which of their entries on, and how many."""
    for need in Need:
        count = needs[need]
        if offset < count and limit > 0:
            shown = min(count - offset, limit)
            yield need, offset, shown
            limit -= shown
        offset = max(0, offset - count)


def _one_after_the_other(parts: Sequence[sa.Select[Any]]) -> list[UUID]:
    """Return the ids that the parts of a page select, in one query."""
    if not parts:
        return []
    numbered = []
    for number, part in enumerate(parts):
        columns = part.subquery().c
        numbered.append(sa.select(sa.literal(number).label("part"), *columns))
    order = ["part", *(column.name for column in _PLACE)]
    rows = db.session.execute(sa.union_all(*numbered).order_by(*map(sa.text, order)))
    return [row.checklist_id for row in rows]


def _all_of(actor: Actor, question: Question, need: Need) -> Iterator[list[RegisterLine]]:
    """Yield all agreements of one group, in batches."""
    query = _in_order(sa.select(*_PLACE), actor, question, need).limit(AT_A_TIME)
    following = query
    while places := db.session.execute(following).all():
        yield _lines_of(actor, [place.checklist_id for place in places])
        last = zip(_PLACE, places[-1], strict=True)
        following = query.where(
            RegisterEntry.newest_first >= places[-1].newest_first,
            sa.tuple_(*_PLACE)
            > sa.tuple_(*(sa.literal(value, column.type) for column, value in last)),
        )


def _seen(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over RegisterEntry that it is in the person's register.

    An agreement that a person sees for several organisations counts once.
    """
    if not policy.can_see_register(actor):
        return sa.false()
    ways: list[Way] = []
    if actor.organisation_id is not None:
        ways.append(_for_own(actor, actor.organisation_id))
    ways += [_for_npm(npm_id) for npm_id in sorted(actor.audited_ids)]
    conditions = []
    for place, way in enumerate(ways):
        other = aliased(RegisterEntry)
        before = [sa.and_(*earlier(other)) for earlier in ways[:place]]
        again = sa.exists().where(
            other.checklist_id == RegisterEntry.checklist_id, sa.or_(sa.false(), *before)
        )
        conditions.append(sa.and_(*way(RegisterEntry), *([~again] if before else [])))
    return sa.or_(*conditions) if conditions else sa.false()


def _for_own(actor: Actor, organisation_id: UUID) -> Way:
    def way(entry: type[RegisterEntry]) -> list[sa.ColumnElement[bool]]:
        return [
            entry.organisation_id == organisation_id,
            # All of the organisation's, except for people who are only members.
            *(
                [sa.or_(entry.left_on.is_(None), entry.left_on >= clock.today())]
                if actor.has(*FOR_THE_ORGANISATION)
                else [visible(_without_audits(actor), entry.cooperation_id)]
            ),
        ]

    return way


def _for_npm(npm_id: UUID) -> Way:
    def way(entry: type[RegisterEntry]) -> list[sa.ColumnElement[bool]]:
        return [entry.organisation_id == npm_id, entry.is_of_npm.is_(True)]

    return way


def _without_audits(actor: Actor) -> Actor:
    memberships = tuple(
        membership for membership in actor.memberships if membership.role is not Role.AUDITOR
    )
    return replace(actor, memberships=memberships)


def _conditions(entry: Any) -> dict[Narrowing, sa.ColumnElement[bool]]:
    """Return the condition of each filter over the columns of entries, or of groups of them."""
    today = clock.today()
    state, first, until = entry.state, entry.from_on, entry.until_on
    suspends_on, signed_until = entry.suspends_on, entry.signed_until
    # A notice counts from its day on, and the last day to sign until it has passed, whether or not
    # the worker has applied them: the same rules as agreements.claims.outcome_on, for many texts.
    is_suspended = sa.or_(
        state == EntryState.SUSPENDED,
        sa.and_(state == EntryState.IN_FORCE, suspends_on <= today),
    )
    is_in_force = sa.and_(
        state == EntryState.IN_FORCE, sa.or_(suspends_on.is_(None), suspends_on > today)
    )
    is_late = signed_until < today
    # The same rule as signoff.outcomes.validity.
    goes_on = sa.or_(until.is_(None), until >= today)
    is_valid = sa.and_(is_in_force, goes_on)
    runs = sa.and_(is_valid, sa.or_(first.is_(None), first <= today))
    is_over = sa.and_(state.in_(_CAN_END), until < today)
    return {
        Narrowing.BEGINS_LATER: sa.and_(is_valid, first > today),
        Narrowing.IN_FORCE: runs,
        Narrowing.ENDS_SOON: sa.and_(runs, until <= today + SOON),
        Narrowing.REVIEW_OVERDUE: sa.and_(runs, entry.review_on < today),
        Narrowing.LACKS_SIGNATURES: sa.and_(
            entry.is_sent.is_(True), sa.or_(signed_until.is_(None), signed_until >= today)
        ),
        Narrowing.DECLINED: state == EntryState.DECLINED,
        Narrowing.DRAFTING: sa.or_(
            state == EntryState.DRAFTING, sa.and_(state == EntryState.SENT, is_late)
        ),
        Narrowing.SUSPENDED: sa.and_(is_suspended, goes_on),
        Narrowing.ENDED: sa.or_(state == EntryState.ENDED, is_over),
        Narrowing.OVERRIDDEN: entry.is_overridden.is_(True),
        Narrowing.FLAGGED: entry.is_flagged.is_(True),
    }


def _need(conditions: Mapping[Narrowing, sa.ColumnElement[bool]]) -> sa.ColumnElement[int]:
    """Return the group of the order; the first that an entry belongs to counts."""
    groups = {need: Narrowing[need.name] for need in Need if need is not Need.NONE}
    return sa.case(
        *((conditions[narrowing], need.value) for need, narrowing in groups.items()),
        else_=Need.NONE.value,
    )


# The columns of a line ----------------------------------------------------------------------------


def _rows(actor: Actor | None) -> sa.Select[Any]:
    return _joined(
        sa.select(
            Checklist,
            Cooperation,
            Visit,
            sa.literal(0) if actor is None else sa.case((checklists.visible(actor), 1), else_=0),
            _IS_DECLINED,
            sa.case((_former(PaperRecord.id).is_not(None), 1), else_=0),
            _Shown.number,
            _signed(),
            _to_sign(),
            _answered({ChecklistKind.TERMS: ("M3", "form")}),
            _from(),
            _until(),
            _review(),
            _is_flagged(),
            _since(),
            sa.case((visit_queries.is_stopped_by_notice(clock.today()), 1), else_=0),
        )
    )


def _is_flagged() -> sa.ColumnElement[Any]:
    """Return whether a flag on the text is open; not for a visit's, whose answers are K2."""
    is_flagged = sa.exists().where(Flag.checklist_id == Checklist.id, Flag.closed_at.is_(None))
    return sa.case((sa.and_(Checklist.visit_id.is_(None), is_flagged), 1), else_=0)


def _sent_at() -> sa.ColumnElement[Any]:
    """Return when the newest revision was sent; not for a visit's text."""
    return sa.case((Checklist.visit_id.is_(None), _NewestAsked.sent_at), else_=sa.null())


def _since() -> sa.ColumnElement[Any]:
    """Return when the newest revision was declined, or else sent; not for a visit's text."""
    is_declined = sa.and_(Checklist.visit_id.is_(None), _IS_DECLINED)
    return sa.case((is_declined, _NewestAsked.ended_at), else_=_sent_at())


def _answered(fields: dict[ChecklistKind, tuple[str, str]]) -> sa.ColumnElement[Any]:
    """Return a field's value in the shown revision; nothing for a visit's texts.

    The answer is the last one saved before that revision was frozen.
    """
    return sa.case(
        *(
            (
                sa.and_(Checklist.kind == kind, Checklist.visit_id.is_(None)),
                sa.select(Answer.values[key].as_string())
                .where(
                    Answer.checklist_id == Checklist.id,
                    Answer.item == item,
                    Answer.scope == AnswerScope.SHARED,
                    Answer.saved_at <= _Shown.frozen_at,
                )
                .order_by(Answer.version.desc())
                .limit(1)
                .correlate(Checklist, _Shown)
                .scalar_subquery(),
            )
            for kind, (item, key) in fields.items()
        ),
        else_=sa.null(),
    )


def _from() -> sa.ColumnElement[Any]:
    return _answered({ChecklistKind.TERMS: ("M19", "start")})


def _until() -> sa.ColumnElement[Any]:
    """Return the last day as ISO 8601 text; a renewal moves the signed one."""
    renewed = (
        sa.select(sa.func.max(Renewal.until_on))
        .where(Renewal.revision_id == _Shown.id)
        .correlate(_Shown)
        .scalar_subquery()
    )
    signed = _answered(
        {ChecklistKind.TERMS: ("M19", "end"), ChecklistKind.CONFIDENTIALITY: ("C1", "until")}
    )
    return sa.func.coalesce(
        sa.cast(renewed, sa.Text()), sa.cast(_former(PaperRecord.ends_on), sa.Text()), signed
    )


def _former(column: Any) -> sa.ScalarSelect[Any]:
    """Return a value of a prior agreement's scan, if the shown revision is one."""
    return (
        sa.select(column)
        .where(PaperRecord.revision_id == _Shown.id, PaperRecord.kind == PaperKind.FORMER)
        .correlate(_Shown)
        .scalar_subquery()
    )


def _review() -> sa.ColumnElement[Any]:
    """Return the next review, which the cooperation stores once terms are in force."""
    return sa.case(
        (sa.and_(Checklist.kind == ChecklistKind.TERMS, _IS_IN_FORCE), reviews.next_review()),
        else_=sa.null(),
    )


def _signed() -> sa.ColumnElement[Any]:
    return (
        sa.select(sa.func.count(Signature.id))
        .where(Signature.revision_id == _Shown.id, Signature.kind == SignatureKind.SIGNATURE)
        .correlate(_Shown)
        .scalar_subquery()
    )


def _to_sign() -> sa.ColumnElement[Any]:
    return (
        sa.select(sa.func.coalesce(sa.func.sum(SignatureParty.needed), 0))
        .where(SignatureParty.request_id == _ShownAsked.id)
        .correlate(_ShownAsked)
        .scalar_subquery()
    )


# Lines --------------------------------------------------------------------------------------------


def _lines_of(actor: Actor, checklist_ids: list[UUID]) -> list[RegisterLine]:
    """Return the agreements that _entries() found, in order."""
    if not checklist_ids:
        return []
    rows = db.session.execute(_rows(actor).where(Checklist.id.in_(checklist_ids)))
    by_id = {line.checklist_id: line for line in _lines(rows)}
    return [by_id[checklist_id] for checklist_id in checklist_ids if checklist_id in by_id]


def disagreeing(checklist_ids: Collection[UUID]) -> set[UUID]:
    """Return the agreements that the register shows as not agreeing with their signatures.

    Not scoped: for whoever runs the instance.
    """
    rows = db.session.execute(_rows(None).where(Checklist.id.in_(checklist_ids)))
    return {line.checklist_id for line in _lines(rows) if line.state is AgreementState.DISAGREES}


def _lines(rows: Iterable[Any]) -> list[RegisterLine]:
    all_rows = list(rows)
    if not all_rows:
        return []
    texts = [row[0] for row in all_rows]
    names = _names(texts)
    overrides = _overrides(row[0].visit_id for row in all_rows if row[0].visit_id)
    recorded = witness.recorded(
        _EVENTS, {text.cooperation_id for text in texts}, **evidence.wanted(texts)
    )
    events = [(event.link, event.details) for event in recorded]
    compared = evidence.compare(texts, events)
    # The lines of agreed terms also say what the row of their cooperation does.
    cooperations = {row[1].id: row[1] for row in all_rows if row[0].kind is ChecklistKind.TERMS}
    altered = lifecycle_bound.with_other_row(cooperations.values(), recorded)
    # Every line names parties, or was sent to them.
    other_parties = lifecycle_bound.with_other_parties(
        {text.cooperation_id for text in texts}, recorded
    )
    visits = {row[2].id: row[2] for row in all_rows if row[2] is not None}
    agreeing = visit_bound.agreeing(visits.values(), overrides, recorded)
    stopped = {row[2].id: row[2] for row in all_rows if row[2] is not None and row[-1]}
    not_ready = visit_queries.not_ready_today(stopped.values())
    given: dict[UUID, list[Override]] = {}
    for override in overrides:
        named = Override(override.user.name, override.reason)
        given.setdefault(override.visit_id, []).append(named)
    lines = [
        _line(
            row,
            # The parties that take part in a visit belong to its planning, so all of the
            # cooperation's are named.
            names.organisations.get(row[0].id if row[2] is None else row[0].cooperation_id, ()),
            names.missing(row[0].revision_sent_id) if row[0].visit_id is None else (),
            tuple(given.get(row[0].visit_id, ())),
            names.replaced.get(row[0].cooperation_id, ()),
            not_ready,
        )
        for row in all_rows
    ]
    chains = {link.subject_id: link.chain_id for link, _details in events}
    held_on = review_bound.held_on(events)
    misnamed = _misnamed(all_rows, lines, names, overrides)
    return [
        _as_of_today(_as_reviewed(line, chains, held_on), compared[line.checklist_id])
        if _is_borne_out(line, compared[line.checklist_id])
        and line.checklist_id not in misnamed
        and (row[0].visit_id is None or row[0].visit_id in agreeing)
        and (row[0].kind is not ChecklistKind.TERMS or row[0].cooperation_id not in altered)
        and row[0].cooperation_id not in other_parties
        else _disagreeing(line)
        for row, line in zip(all_rows, lines, strict=True)
    ]


def _as_reviewed(
    line: RegisterLine, chains: Mapping[UUID, UUID], held_on: Mapping[UUID, dt.date | None]
) -> RegisterLine:
    """Return a row with the last review by the events; by the cooperation's row if erased."""
    if line.kind is not ChecklistKind.TERMS:
        return line
    chain_id = chains.get(line.checklist_id)
    if chain_id is None or chain_id not in held_on:
        return replace(line, reviewed_on=None)
    return replace(line, reviewed_on=held_on[chain_id] or line.reviewed_on)


def _is_borne_out(line: RegisterLine, compared: Compared) -> bool:
    """Return whether signatures, events and text agree with a row of the register."""
    course = compared.course
    shown = course.standing_id or course.sent_id
    words = compared.text_facts.get(shown) if shown else None
    if not compared.agrees or words is None or shown is None or line.visit is not None:
        return compared.agrees
    if line.kind is ChecklistKind.TERMS and line.from_on != compared.first(shown):
        return False
    if line.until_on != compared.last(shown):
        return False
    return line.made_before or line.to_sign == sum(words.rule.values())


def _as_of_today(line: RegisterLine, compared: Compared) -> RegisterLine:
    """Return a row as of today's day, before the worker acts.

    Suspended or ended once its notice's day has come, ended with its visit or with the agreed
    terms, and a draft again once the last day to sign it has passed. A text ends soon if they do.
    """
    standing_id, sent_id = compared.course.standing_id, compared.course.sent_id
    if sent_id and compared.outcome(sent_id) is not Outcome.WAITING:
        again = line.state is AgreementState.WAITING
        state = AgreementState.DRAFTING if again else line.state
        line = replace(line, state=state, waiting_for=())
    if standing_id is None:
        return line
    ends_on = compared.ends_on(standing_id)
    if line.visit is None:
        line = replace(line, until_on=ends_on)
    outcome = compared.outcome(standing_id)
    stopped = _STOPPED.get(outcome) if outcome else None
    if stopped:
        return replace(line, state=stopped, review_on=None)
    ends_soon = ends_on is not None and ends_on <= clock.today() + SOON
    if ends_soon and line.state is AgreementState.IN_FORCE:
        return replace(line, state=AgreementState.ENDS_SOON)
    return line


def _disagreeing(line: RegisterLine) -> RegisterLine:
    """Return a row of the register without the values that the evidence contradicts."""
    return replace(
        line,
        visit=replace(line.visit, overrides=()) if line.visit else None,
        state=AgreementState.DISAGREES,
        is_amended=False,
        waiting_for=(),
        since=None,
        signed=None,
        to_sign=None,
        from_on=None,
        until_on=None,
        review_on=None,
        reviewed_on=None,
    )


def _line(
    row: Any,
    parties: Parties,
    missing: tuple[str, ...],
    overrides: tuple[Override, ...],
    replaced: tuple[TakenOver, ...],
    not_ready: Collection[UUID],
) -> RegisterLine:
    (
        checklist,
        cooperation,
        visit,
        is_open,
        is_declined,
        made_before,
        revision,
        signed,
        to_sign,
        form,
        *days,
        is_flagged,
        since,
        _is_stopped,
    ) = row
    of_visit = visit is not None
    from_on, until_on = as_date(days[0]), as_date(days[1])
    tells_itself = checklist.kind is ChecklistKind.TERMS and not (made_before and from_on is None)
    if not tells_itself and not of_visit and checklist.in_force_at:
        from_on = _day(checklist.in_force_at)
    return RegisterLine(
        checklist_id=checklist.id,
        cooperation_id=cooperation.id,
        reference=cooperation.reference,
        title=cooperation.title,
        kind=checklist.kind,
        visit=VisitMark(
            visit.number,
            visit.stage,
            visit.is_ready and visit.id not in not_ready,
            overrides if checklist.kind is ChecklistKind.VISIT_ROLES else (),
        )
        if visit
        else None,
        is_open=bool(is_open),
        parties=parties,
        modes=tuple(cooperation.modes),
        form=form or "",
        state=_state(checklist, from_on, until_on, days[2], is_declined=bool(is_declined)),
        is_amended=(checklist.revision_in_force_id or checklist.stopped_by) is not None
        and checklist.state in {ChecklistState.DRAFTING, ChecklistState.SENT},
        waiting_for=missing,
        since=_day(since) if since else None,
        revision=revision,
        signed=None if of_visit or revision is None else signed,
        to_sign=None if of_visit or revision is None or made_before else to_sign,
        from_on=from_on,
        until_on=until_on,
        review_on=days[2],
        reviewed_on=cooperation.reviewed_on if checklist.kind is ChecklistKind.TERMS else None,
        made_before=bool(made_before),
        is_flagged=bool(is_flagged),
        taken_over=() if of_visit or revision is None else replaced,
    )


def _state(
    checklist: Checklist,
    from_on: dt.date | None,
    until_on: dt.date | None,
    review_on: dt.date | None,
    *,
    is_declined: bool,
) -> AgreementState:
    if checklist.stopped_by is not None:
        ended = checklist.stopped_by is NoticeKind.ENDED
        return AgreementState.ENDED if ended else AgreementState.SUSPENDED
    if checklist.revision_in_force_id is None:
        if checklist.state is ChecklistState.SENT:
            return AgreementState.WAITING
        return AgreementState.DECLINED if is_declined else AgreementState.DRAFTING
    today = clock.today()
    match validity(from_on, until_on, today):
        case Validity.RUN_OUT:
            return AgreementState.ENDED
        case Validity.BEGINS_LATER:
            return AgreementState.BEGINS_LATER
    if review_on and review_on < today:
        return AgreementState.REVIEW_OVERDUE
    if until_on and until_on <= today + SOON:
        return AgreementState.ENDS_SOON
    return AgreementState.IN_FORCE


_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_Successor = aliased(Organisation)
_NO_SUCCESSOR = (
    sa.cast(sa.null(), Identifier()),
    sa.cast(sa.null(), sa.String()),
    sa.cast(sa.null(), sa.Date()),
)
_GIVEN = (
    sa.select(sa.func.count(Signature.id))
    .where(
        Signature.revision_id == SignatureRequest.revision_id,
        Signature.organisation_id == SignatureParty.organisation_id,
        Signature.kind == SignatureKind.SIGNATURE,
    )
    .correlate(SignatureRequest, SignatureParty)
    .scalar_subquery()
)
# The names beside lines, in one statement: the parties of each cooperation, whether they are so
# today (they have not left and are not joining, adr 70), and who replaced them; the parties of each
# agreement; and who has yet to sign each revision that was sent. of_id names which of these.
_NAMES: sa.CompoundSelect[*tuple[Any, ...]] = sa.union_all(
    sa.select(
        Party.cooperation_id.label("of_id"),
        Organisation.id.label("organisation_id"),
        Organisation.name,
        Party.position,
        sa.and_(has_not_left(sa.bindparam("day", type_=sa.Date())), ~Party.is_joining).label(
            "is_today"
        ),
        _Successor.id.label("successor_id"),
        _Successor.name.label("successor"),
        Party.replaced_on,
    )
    .join(Organisation, Organisation.id == Party.organisation_id)
    .outerjoin(_Successor, _Successor.id == Party.replaced_by_id)
    .where(Party.cooperation_id.in_(sa.bindparam("cooperation_ids", expanding=True))),
    sa.select(
        ChecklistParty.checklist_id,
        Organisation.id,
        Organisation.name,
        ChecklistParty.position,
        sa.true(),
        *_NO_SUCCESSOR,
    )
    .join(Organisation, Organisation.id == ChecklistParty.organisation_id)
    .where(ChecklistParty.checklist_id.in_(sa.bindparam("checklist_ids", expanding=True))),
    sa.select(
        SignatureRequest.revision_id,
        Organisation.id,
        Organisation.name,
        SignatureParty.position,
        sa.true(),
        *_NO_SUCCESSOR,
    )
    .join(SignatureParty, SignatureParty.request_id == SignatureRequest.id)
    .join(Organisation, Organisation.id == SignatureParty.organisation_id)
    .where(
        SignatureRequest.revision_id.in_(sa.bindparam("revision_ids", expanding=True)),
        SignatureParty.needed > _GIVEN,
    ),
).order_by("position")
_OVERRIDES = (
    sa.select(GateOverride)
    .where(GateOverride.visit_id.in_(_IDS))
    .order_by(GateOverride.at)
    .options(load_joined(GateOverride.user, User.name))
)


@dataclass(slots=True)
class _Names:
    """The organisations beside lines, by the id of what they belong to (see _NAMES)."""

    organisations: dict[UUID, Parties] = field(default_factory=dict)
    replaced: dict[UUID, tuple[TakenOver, ...]] = field(default_factory=dict)
    # The ids of those replaced and of those in their place.
    in_place: dict[UUID, set[UUID]] = field(default_factory=dict)

    def missing(self, revision_id: UUID | None) -> tuple[str, ...]:
        """Return the organisations that have yet to sign a revision that was sent."""
        parties = self.organisations.get(revision_id, ()) if revision_id else ()
        return tuple(name for _id, name in parties)


def _names(texts: Collection[Checklist]) -> _Names:
    names = _Names()
    # Of a visit's texts the register doesn't show who has yet to sign.
    sent = [row.revision_sent_id for row in texts if row.visit_id is None]
    values = {
        "cooperation_ids": list({row.cooperation_id for row in texts}),
        "checklist_ids": [row.id for row in texts],
        "revision_ids": [revision_id for revision_id in sent if revision_id],
        "day": clock.today(),
    }
    for row in db.session.execute(_NAMES, values):
        if row.is_today:
            party = (row.organisation_id, row.name)
            names.organisations[row.of_id] = (*names.organisations.get(row.of_id, ()), party)
        if row.successor is not None:
            replacement = TakenOver(row.name, row.successor, row.replaced_on)
            names.replaced[row.of_id] = (*names.replaced.get(row.of_id, ()), replacement)
            ids = {row.organisation_id, row.successor_id}
            names.in_place[row.of_id] = names.in_place.get(row.of_id, set()) | ids
    return names


def _misnamed(
    rows: Collection[Any],
    lines: Collection[RegisterLine],
    names: _Names,
    overrides: Collection[GateOverride],
) -> frozenset[UUID]:
    """Return the agreements beside which a name is shown that no event binds."""
    overriders: dict[UUID, set[UUID]] = {}
    for override in overrides:
        overriders.setdefault(override.visit_id, set()).add(override.user_id)
    organisations: dict[UUID, set[UUID]] = {}
    for row, line in zip(rows, lines, strict=True):
        named = (*line.parties, *names.organisations.get(row[0].revision_sent_id, ()))
        organisations[line.checklist_id] = {organisation_id for organisation_id, _name in named}
        if line.taken_over:
            organisations[line.checklist_id] |= names.in_place[row[0].cooperation_id]
    altered = account_bound.differing(
        set().union(*overriders.values()), set().union(*organisations.values())
    )
    return frozenset(
        row[0].id
        for row in rows
        if not altered.isdisjoint(organisations[row[0].id])
        or not altered.isdisjoint(overriders.get(row[0].visit_id, ()))
    )


def _overrides(visit_ids: Iterable[UUID]) -> Sequence[GateOverride]:
    return db.session.scalars(_OVERRIDES, {"ids": list(visit_ids)}).all()


# Built once, since it is sent after every signature and building takes longer than sending.
_IS_OVERRIDDEN = sa.and_(
    Checklist.kind == ChecklistKind.VISIT_ROLES,
    sa.exists().where(GateOverride.visit_id == Checklist.visit_id),
)

# Of a notice: the worker hasn't applied it yet.
_IS_TO_COME = Notice.taken_effect_at.is_(None)


def _notice_on(kind: NoticeKind, *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
    """Return the earliest day of a text's open notices of a kind."""
    return (
        sa.select(sa.func.min(Notice.from_on))
        .where(
            Notice.checklist_id == Checklist.id,
            Notice.kind == kind,
            Notice.closed_at.is_(None),
            *conditions,
        )
        .correlate(Checklist)
        .scalar_subquery()
    )


_ENTRIES = _joined(
    sa.select(
        Checklist,
        Cooperation.reference,
        sa.func.coalesce(Visit.number, 0).label("visit_number"),
        Visit.stage,
        sa.case((_IS_DECLINED, 1), else_=0).label("is_declined"),
        sa.case((_IS_OVERRIDDEN, 1), else_=0).label("is_overridden"),
        _is_flagged().label("is_flagged"),
        _sent_at().label("sent_at"),
        _NewestAsked.expires_on,
        _from().label("from_on"),
        _until().label("until_on"),
        _review().label("review_on"),
        _notice_on(NoticeKind.SUSPENDED, _IS_TO_COME).label("notice_suspends_on"),
        _notice_on(NoticeKind.ENDED, _IS_TO_COME).label("notice_ends_on"),
        _notice_on(NoticeKind.ENDED).label("ends_on"),
    )
).where(Checklist.cooperation_id == sa.bindparam("cooperation_id"))
