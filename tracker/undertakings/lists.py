"""Queries for lists of undertakings: a person's own, and a cooperation's party by party.

In one file: who is missing from a party's list of people (C2) is read with the lists themselves.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from tracker.access.actor import Actor, OrganisationKind
from tracker.access.conditions import built_for_all
from tracker.access.decision import YES, Decision
from tracker.accounts.models import Membership, User
from tracker.accounts.queries import runs_on as held_on
from tracker.activity import verbs, witness
from tracker.activity.models import Chain, Event
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists.beside import text_on_page
from tracker.checklists.encryption import values_of
from tracker.checklists.models import Answer, Checklist, ChecklistState
from tracker.checklists.policy import WRITERS
from tracker.checklists.queries import access_is_stopped
from tracker.cooperations import clearances, people
from tracker.cooperations.models import (
    Clearance,
    Cooperation,
    CooperationEntry,
    CooperationPerson,
    Party,
)
from tracker.cooperations.policy import AT_REST
from tracker.cooperations.queries import have_terms_run_out
from tracker.cooperations.scope import listed as in_list
from tracker.cooperations.scope import runs_on
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff.labels import SignedWhen, when_signed
from tracker.signoff.models import Revision
from tracker.undertakings import added_interests, bound, policy, scope
from tracker.undertakings.added_interests import NOTHING_ADDED, Bearing
from tracker.undertakings.facts import (
    LIST,
    Scope,
    rows_of_list,
)
from tracker.undertakings.models import (
    SUBJECT,
    Undertaking,
    UndertakingState,
)
from tracker.undertakings.queries import WITH_NAMES, Loaded, confidentiality, terms_of
from tracker.undertakings.waiting import MANY

_LISTS = sa.select(Answer).where(
    Answer.checklist_id.in_(sa.bindparam("checklist_ids", expanding=True)),
    Answer.item == LIST,
    Answer.scope == AnswerScope.PARTY,
    Answer.is_current.is_(True),
    ~Answer.not_applicable,
)

_OF_COOPERATION: sa.BindParameter[Any] = sa.bindparam("cooperation_ids", expanding=True)
# Undertakings somebody was asked for, which the rows of the cooperation don't have.
_GONE = witness.about_with_details(
    sa.and_(
        Event.chain_id.in_(sa.select(Chain.id).where(Chain.cooperation_id.in_(_OF_COOPERATION))),
        Event.subject_type == SUBJECT,
        ~sa.exists().where(
            Undertaking.id == Event.subject_id, Undertaking.cooperation_id.in_(_OF_COOPERATION)
        ),
    ),
    [verbs.UNDERTAKING_ASKED],
)

# Those of the cooperations in which a person ever took part that no row has, here or elsewhere.
_OF_PERSON = sa.select(CooperationPerson.cooperation_id).where(
    CooperationPerson.user_id == sa.bindparam("user_id", type_=sa.Uuid())
)
_GONE_OF_PERSON = witness.about_with_details(
    sa.and_(
        Event.chain_id.in_(sa.select(Chain.id).where(Chain.cooperation_id.in_(_OF_PERSON))),
        Event.subject_type == SUBJECT,
        ~sa.exists().where(Undertaking.id == Event.subject_id),
    ),
    [verbs.UNDERTAKING_ASKED],
    _OF_PERSON,
)

# Somebody has to do something before it opens access.
_WAITING = (UndertakingState.ASKED, UndertakingState.ON_PAPER, UndertakingState.SIGNED)


@dataclass(frozen=True, slots=True)
class Line:
    """An undertaking in a list: how far it is, and what it opened."""

    undertaking: Undertaking
    clearance: Clearance | None
    is_own: bool
    # Whether its rows agree with its signatures and events.
    agrees: bool
    # The effect of interests that the person added.
    bearing: Bearing = NOTHING_ADDED
    # Whether the reader took its signature, and so leaves what follows to others.
    is_taken: bool = False
    # What the person's signature says about its scan, if it was given on paper.
    paper: Mapping[str, Any] | None = None
    # Whether the terms let nobody sign, or have access, now; and by a notice alone.
    terms_have_stopped: bool = False
    by_notice: bool = False
    # The last day on which its terms let anybody have access; None if they name none.
    terms_end_on: dt.date | None = None

    @property
    def until_on(self) -> dt.date | None:
        """The last day of what it opened: its own, or that of its terms if they end earlier."""
        days = (self.clearance.until_on if self.clearance else None, self.terms_end_on)
        return min((day for day in days if day), default=None) if self.clearance else None

    @property
    def signed(self) -> SignedWhen | None:
        """When the person signed; None before that, and if the rows disagree with the evidence."""
        signed_at = self.undertaking.signed_at
        return when_signed(signed_at, self.paper) if signed_at and self.agrees else None

    @property
    def waits_for_npm(self) -> bool:
        """Whether it waits for somebody who decides for the NPM."""
        return self.undertaking.state in {UndertakingState.ON_PAPER, UndertakingState.SIGNED}

    @property
    def may_be_together(self) -> bool:
        """Whether the reader may countersign it with others, as far as a list can tell."""
        row = self.undertaking
        return (
            row.state is UndertakingState.SIGNED
            and not (self.is_own or self.is_taken or self.paper)
            and row.has_interests is False
            and not row.party_has_interest
            and self.bearing == NOTHING_ADDED
        )

    @property
    def waits_for_terms(self) -> bool:
        """Whether nobody can go on with it, since the terms have run out or a notice stops them.

        Once the worker applies the notice, that closes the undertaking itself, with its reason.
        """
        return self.terms_have_stopped and self.undertaking.state in _WAITING

    @property
    def is_stopped_by_terms(self) -> bool:
        """Whether what it opened would be open today but for the terms, as waits_for_terms says."""
        return _is_open(self.clearance) and self.terms_have_stopped

    @property
    def is_cleared(self) -> bool:
        """Whether what it opened is open today, for all or some places."""
        is_open = _is_open(self.clearance) and not self.terms_have_stopped
        return is_open and not self.bearing.closes_all


# An undertaking, the effect of added interests, and whether the reader took its signature.
SeenUndertaking = tuple[Undertaking, Bearing, bool]


@dataclass(frozen=True, slots=True)
class PartyLines:
    """A party with the undertakings of its people that the reader may see, or their number."""

    organisation_id: UUID
    name: str
    mark: str
    is_npm: bool
    lines: list[Line]
    # For a party whose people the reader doesn't see: how many were asked, how many are cleared.
    people_asked: int
    cleared: int
    sees_people: bool
    # People who take part and need a clearance, but are on no list (C2).
    unlisted: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Overview:
    """The undertakings of a cooperation, party by party."""

    parties: list[PartyLines]
    # The revision of the terms in force, or of those that were suspended or ended; None if there is
    # none.
    revision: int | None
    until: dt.date | None
    checklist_id: UUID | None
    # Whether the rows of those terms agree with their signatures and events, and whether the terms
    # are in force today by these.
    agrees: bool
    is_in_force: bool
    # Whether those terms let anybody have access today, by their days and the agreed terms.
    access: Decision
    # Who was asked, as the history says, though no row of the cooperation does; for a reader who
    # sees everybody.
    missing: tuple[str, ...] = ()

    @property
    def opens(self) -> bool:
        """Whether people are asked, and get access, on those terms today."""
        return self.is_in_force and bool(self.access)


@dataclass(frozen=True, slots=True)
class OwnLines:
    """Some of the undertakings a person was ever asked for, and how many there are in all."""

    total: int
    lines: list[tuple[Line, Cooperation]]
    # Whether events say that somebody of the person's name was asked, and no row does.
    has_gone: bool


@dataclass(frozen=True, slots=True)
class GoneUndertaking:
    """An undertaking that somebody was asked for, by events, and that no row of its cooperation is.

    The name is empty if a recorded act erased the details.
    """

    id: UUID
    cooperation_id: UUID
    person: str


def mine(actor: Actor, *, offset: int = 0, limit: int = 25) -> OwnLines:
    """Return one page of what a person was ever asked for, open ones first, then the newest.

    Open ones are those that are waiting or in effect.
    """
    order = (Undertaking.closed_at.is_not(None), Undertaking.asked_at.desc(), Undertaking.id)
    # Found in the index alone, so that only the rows of the page are read.
    ids = sa.select(Undertaking.id).where(scope.own(actor)).order_by(*order)
    rows = db.session.execute(
        sa.select(Undertaking, Cooperation, *added_interests.bearing_columns())
        .join(Cooperation, Cooperation.id == Undertaking.cooperation_id)
        .where(Undertaking.id.in_(ids.offset(offset).limit(limit)))
        .order_by(*order)
        .options(*WITH_NAMES)
    ).all()
    # If all are on the first page, they are already counted.
    total: int | None = len(rows)
    if offset or len(rows) == limit:
        total = db.session.scalar(sa.select(sa.func.count(Undertaking.id)).where(scope.own(actor)))
    compared = bound.compare([row[0] for row in rows])
    return OwnLines(
        total or 0,
        [
            (
                Line(
                    undertaking,
                    compared[undertaking.id].clearance,
                    is_own=True,
                    agrees=compared[undertaking.id].agrees,
                    bearing=added_interests.bearing(undertaking.state, columns),
                    paper=compared[undertaking.id].paper,
                    terms_have_stopped=compared[undertaking.id].terms_have_stopped,
                    by_notice=compared[undertaking.id].by_notice,
                    terms_end_on=compared[undertaking.id].terms_end_on,
                ),
                where,
            )
            for undertaking, where, *columns in rows
        ],
        has_gone=any(
            details is not None and details["person"] == actor.name
            for _link, details in witness.of_subjects_with_details(
                _GONE_OF_PERSON, (), user_id=actor.user_id
            )
        ),
    )


def line_of(actor: Actor, loaded: Loaded) -> Line:
    """Return a loaded undertaking as a line, with what it opened."""
    undertaking = loaded.undertaking
    compared = bound.compare([undertaking])[undertaking.id]
    return Line(
        undertaking,
        compared.clearance,
        is_own=undertaking.user_id == actor.user_id,
        agrees=compared.agrees,
        bearing=added_interests.bearing_of(undertaking),
        is_taken=actor.user_id in loaded.standing.taken_by,
        paper=compared.paper,
        terms_have_stopped=compared.terms_have_stopped,
        by_notice=compared.by_notice,
        terms_end_on=compared.terms_end_on,
    )


def overview(actor: Actor, cooperation: Cooperation) -> Overview:
    """Return how far the people of a cooperation are, as much as the person may see.

    For another CSO's people only the numbers (product.md, section 2). Takes a constant number of
    queries.
    """
    checklist = confidentiality(cooperation.id)
    # Terms that were suspended or ended are those on which people were asked.
    terms_id = (checklist.revision_in_force_id or checklist.stopped_id) if checklist else None
    seen = _seen(actor, cooperation.id)
    compared = bound.compare([row for row, _bearing, _is_taken in seen])
    newest = _newest(seen, terms_id, compared)
    misnamed = bound.misnamed([row for row, _bearing, _is_taken in newest])
    lines = [
        Line(
            row,
            compared[row.id].clearance,
            row.user_id == actor.user_id,
            compared[row.id].agrees and row.id not in misnamed,
            bearing,
            is_taken,
            compared[row.id].paper,
            compared[row.id].terms_have_stopped,
            compared[row.id].by_notice,
            compared[row.id].terms_end_on,
        )
        for row, bearing, is_taken in newest
    ]
    counted = _counts(cooperation.id)
    need_clearance = [p for p in people.people(cooperation.id) if p.needs_clearance]
    by_party = unlisted(cooperation, checklist, need_clearance)
    overviews = []
    for party in people.parties(cooperation):
        sees = _sees_people(actor, cooperation, party.organisation_id)
        own = [line for line in lines if line.undertaking.organisation_id == party.organisation_id]
        asked_count, cleared = counted.get(party.organisation_id, (0, 0))
        overviews.append(
            PartyLines(
                organisation_id=party.organisation_id,
                name=party.organisation.name,
                mark=party.organisation.mark,
                is_npm=party.side is OrganisationKind.NPM,
                lines=own,
                people_asked=asked_count,
                # Beside a line that says that it doesn't agree, it isn't counted.
                cleared=cleared - sum(not line.agrees and _is_open(line.clearance) for line in own),
                sees_people=sees,
                unlisted=by_party.get(party.organisation_id, []) if sees else [],
            )
        )
    overviews += _elsewhere(lines, {party.organisation_id for party in overviews})
    revision = db.session.get(Revision, terms_id) if terms_id else None
    terms = terms_of(revision) if revision else None
    text = text_on_page(checklist) if checklist else None
    return Overview(
        parties=overviews,
        revision=terms.revision if terms else None,
        until=terms.until if terms else None,
        checklist_id=checklist.id if checklist else None,
        agrees=text is None or text.agrees,
        is_in_force=text is not None and text.is_in_force,
        access=policy.give_access(
            cooperation.stage,
            has_run_out=have_terms_run_out(cooperation),
            is_stopped=access_is_stopped(cooperation.id),
            until=terms.until,
            today=clock.today(),
        )
        if terms
        else YES,
        missing=_missing(cooperation.id)
        if overviews and all(each.sees_people for each in overviews)
        else (),
    )


def _missing(cooperation_id: UUID) -> tuple[str, ...]:
    """Return who was asked, by events, without an undertaking in the cooperation's rows."""
    return tuple(dict.fromkeys(each.person or "?" for each in gone([cooperation_id])))


def gone(cooperation_ids: Collection[UUID]) -> list[GoneUndertaking]:
    """Return the undertakings of cooperations that were deleted from the database.

    In one statement, one more if there are any.
    """
    events = witness.of_subjects_with_details(_GONE, cooperation_ids)
    if not events:
        return []
    chain_ids = {link.chain_id for link, _details in events}
    own = sa.select(Chain.id, Chain.cooperation_id).where(Chain.id.in_(chain_ids))
    cooperations = {row.id: row.cooperation_id for row in db.session.execute(own)}
    return [
        GoneUndertaking(
            link.subject_id,
            cooperations[link.chain_id],
            details["person"] if details else "",
        )
        for link, details in events
    ]


class ToClear(Protocol):
    """Somebody who takes part and needs a clearance."""

    @property
    def user_id(self) -> UUID:
        """The person's id."""

    @property
    def organisation_id(self) -> UUID:
        """The party they take part for."""

    @property
    def name(self) -> str:
        """Their name."""


def unlisted(
    cooperation: Cooperation, checklist: Checklist | None, need_clearance: Iterable[ToClear]
) -> dict[UUID, list[str]]:
    """Return, by party, the names of those who need a clearance and are on no list (C2)."""
    lists = _lists_of([checklist.id] if checklist else [])
    return _not_named(cooperation, lists, need_clearance)


def _lists_of(checklist_ids: Collection[UUID]) -> Sequence[Answer]:
    return (
        db.session.scalars(_LISTS, {"checklist_ids": checklist_ids}).all() if checklist_ids else ()
    )


def _not_named(
    cooperation: Cooperation, lists: Iterable[Answer], need_clearance: Iterable[ToClear]
) -> dict[UUID, list[str]]:
    party_ids = {party.organisation_id for party in people.parties(cooperation)}
    named = {
        user_id
        for answer in lists
        if answer.owner_id in party_ids
        for user_id, _row in rows_of_list(values_of(cooperation.id, answer))
    }
    by_party: dict[UUID, list[str]] = {}
    for person in need_clearance:
        if person.user_id not in named:
            by_party.setdefault(person.organisation_id, []).append(person.name)
    return by_party


@dataclass(frozen=True, slots=True)
class IncompleteList:
    """A party's list of who must sign (C2) from which people are missing."""

    checklist_id: UUID
    reference: str
    title: str
    organisation_name: str
    names: list[str]
    # Whether the reader edits that list.
    is_own: bool


def incomplete_lists(
    actor: Actor, cooperation: Cooperation, checklist: Checklist, uncleared: Sequence[ToClear]
) -> list[IncompleteList]:
    """Return the lists from which uncleared people are missing, of parties that the person sees.

    Only while the cooperation is running. Whoever sees a party's people sees its list.
    """
    if not uncleared or cooperation.stage in AT_REST:
        return []
    by_party = unlisted(cooperation, checklist, uncleared)
    return _incomplete(actor, cooperation, checklist.id, by_party)


def _incomplete(
    actor: Actor,
    cooperation: Cooperation,
    checklist_id: UUID,
    by_party: Mapping[UUID, list[str]],
) -> list[IncompleteList]:
    return [
        IncompleteList(
            checklist_id,
            cooperation.reference,
            cooperation.title,
            party.organisation.name,
            by_party[party.organisation_id],
            party.organisation_id == actor.organisation_id and actor.has(*WRITERS),
        )
        for party in people.parties(cooperation)
        if party.organisation_id in by_party
        and _sees_people(actor, cooperation, party.organisation_id)
    ]


def all_incomplete_lists(actor: Actor) -> list[IncompleteList]:
    """Return incomplete lists that a person edits or, for the NPM, waits for others to complete.

    Reads the newest MANY of their cooperations with terms in force: in one statement if everybody
    who needs a clearance has an undertaking, else in at most five.
    """
    if actor.organisation_id is None or not actor.has(*WRITERS):
        return []
    query, reader = _with_people_left_out(actor)
    found_ids: dict[UUID, UUID] = dict(db.session.execute(query, reader).all())
    if not found_ids:
        return []
    looks_after = scope.looks_after_all(actor)
    to_clear = {
        cooperation_id: [
            person
            for person in taking_part
            if person.needs_clearance
            and not person.is_joining
            and (looks_after or person.organisation_id == actor.organisation_id)
        ]
        for cooperation_id, taking_part in people.people_of(found_ids).items()
    }
    with_people = [cooperation_id for cooperation_id, need in to_clear.items() if need]
    lists = _lists_of([found_ids[cooperation_id] for cooperation_id in with_people])
    cooperations = db.session.scalars(
        sa.select(Cooperation)
        .where(Cooperation.id.in_(with_people))
        .order_by(Cooperation.opened_at, Cooperation.reference)
        .options(selectinload(Cooperation.parties).joinedload(Party.organisation))
    )
    return [
        incomplete
        for cooperation in (cooperations if with_people else ())
        for incomplete in _incomplete(
            actor,
            cooperation,
            found_ids[cooperation.id],
            _not_named(
                cooperation,
                (row for row in lists if row.checklist_id == found_ids[cooperation.id]),
                to_clear[cooperation.id],
            ),
        )
    ]


@built_for_all
def _with_people_left_out(actor: Actor) -> sa.Select[UUID, UUID]:
    newest = (
        sa.select(CooperationEntry.cooperation_id)
        .where(in_list(actor), CooperationEntry.stage.not_in(AT_REST))
        .order_by(CooperationEntry.opened_at.desc(), CooperationEntry.reference.desc())
        .limit(MANY)
    )
    without = sa.exists().where(
        CooperationPerson.cooperation_id == Checklist.cooperation_id,
        runs_on(clock.today()),
        _is_looked_after(actor),
        ~sa.exists().where(
            Undertaking.cooperation_id == CooperationPerson.cooperation_id,
            Undertaking.user_id == CooperationPerson.user_id,
            Undertaking.state != UndertakingState.CLOSED,
        ),
    )
    return sa.select(Checklist.cooperation_id, Checklist.id).where(
        Checklist.cooperation_id.in_(newest),
        Checklist.kind == ChecklistKind.CONFIDENTIALITY,
        Checklist.visit_id.is_(None),
        Checklist.revision_in_force_id.is_not(None),
        without,
    )


def _is_looked_after(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over CooperationPerson that the reader may have to get them listed.

    Of an NPM's people, only outside experts need a clearance.
    """
    is_expert = sa.exists().where(
        Membership.user_id == CooperationPerson.user_id,
        Membership.organisation_id == CooperationPerson.organisation_id,
        Membership.outside_expert.is_(True),
        held_on(clock.today()),
    )
    is_own = CooperationPerson.organisation_id == actor.organisation_id
    if not actor.acts_for_npm:
        return is_own
    if not scope.looks_after_all(actor):
        return sa.and_(is_own, is_expert)
    is_partners = sa.exists().where(
        Party.cooperation_id == CooperationPerson.cooperation_id,
        Party.organisation_id == CooperationPerson.organisation_id,
        Party.side != OrganisationKind.NPM,
    )
    return sa.or_(is_partners, is_expert)


def passed_last_day(
    cooperation: Cooperation, checklist: Checklist, uncleared: Sequence[ToClear]
) -> dt.date | None:
    """Return the last day of the terms on confidentiality if that has passed while work goes on.

    None if everybody has access, if these terms cover one visit or project or are being amended, or
    if the agreed terms have expired too: those are renewed first, or ended.
    """
    if not uncleared or cooperation.stage in AT_REST:
        return None
    today, ends_on = clock.today(), cooperation.ends_on
    if checklist.state is not ChecklistState.IN_FORCE or (ends_on is not None and ends_on < today):
        return None
    terms = terms_of(db.session.get_one(Revision, checklist.revision_in_force_id))
    return terms.until if terms.scope is Scope.ALL_UNTIL and terms.is_over(today) else None


def progress(cooperation_id: UUID) -> tuple[int, int]:
    """Return how many people of a cooperation have an open undertaking, and are cleared."""
    counted = _counts(cooperation_id).values()
    return sum(asked_count for asked_count, _cleared in counted), sum(
        cleared for _asked_count, cleared in counted
    )


def _elsewhere(lines: Iterable[Line], party_ids: Collection[UUID]) -> list[PartyLines]:
    """Return lines whose organisation is no party, as their altered rows say: nobody vanishes."""
    others: dict[UUID, list[Line]] = {}
    for line in lines:
        if line.undertaking.organisation_id not in party_ids:
            others.setdefault(line.undertaking.organisation_id, []).append(line)
    return [
        PartyLines(
            organisation_id=organisation_id,
            name=own[0].undertaking.organisation_name,
            mark="?",
            is_npm=False,
            lines=own,
            people_asked=0,
            cleared=0,
            sees_people=True,
        )
        for organisation_id, own in others.items()
    ]


def _newest(
    seen: Iterable[SeenUndertaking], terms_id: UUID | None, compared: Mapping[UUID, bound.Compared]
) -> list[SeenUndertaking]:
    """Return each person's newest undertaking on some terms, in order, and all altered ones.

    An altered row may name other terms, or somebody else than it did: it hides no other one.
    """
    chosen = [
        each
        for each in seen
        if each[0].terms_revision_id == terms_id or not compared[each[0].id].agrees
    ]
    last = {each[0].user_id: each[0].id for each in chosen}
    return [
        each
        for each in chosen
        if last[each[0].user_id] == each[0].id or not compared[each[0].id].agrees
    ]


def _seen(actor: Actor, cooperation_id: UUID) -> list[SeenUndertaking]:
    """Return the undertakings of a cooperation that the reader sees, by name, the oldest first."""
    rows = db.session.execute(
        sa.select(Undertaking, scope.taken_by(actor), *added_interests.bearing_columns())
        .outerjoin(Undertaking.user)
        .where(Undertaking.cooperation_id == cooperation_id, scope.states_seen(actor))
        .order_by(User.name, Undertaking.asked_at, Undertaking.closed_at.is_(None), Undertaking.id)
        .options(*WITH_NAMES)
    )
    return [
        (row, added_interests.bearing(row.state, columns), bool(is_taken))
        for row, is_taken, *columns in rows
    ]


@cache
def _counting() -> sa.Select[UUID, int, int]:
    is_cleared = (
        sa.exists()
        .where(
            Clearance.undertaking_id == Undertaking.id,
            clearances.is_open(sa.bindparam("day", type_=sa.Date())),
        )
        .correlate(Undertaking)
    )
    return (
        sa.select(
            Undertaking.organisation_id,
            sa.func.count(Undertaking.id),
            sa.func.count(sa.case((is_cleared, 1))),
        )
        .where(
            Undertaking.cooperation_id == sa.bindparam("cooperation_id"),
            Undertaking.state != UndertakingState.CLOSED,
        )
        .group_by(Undertaking.organisation_id)
    )


def _counts(cooperation_id: UUID) -> dict[UUID, tuple[int, int]]:
    """Return, by party, how many people have an open undertaking, and how many are cleared."""
    rows = db.session.execute(_counting(), {"cooperation_id": cooperation_id, "day": clock.today()})
    return {row[0]: (row[1], row[2]) for row in rows}


def _sees_people(actor: Actor, cooperation: Cooperation, organisation_id: UUID) -> bool:
    """Return whether a person sees a party's people by name; the same rule as scope.states_seen."""
    npms = {party.organisation_id for party in people.parties(cooperation) if party.is_of_npm}
    if not npms.isdisjoint(actor.audited_ids):
        return True
    if actor.organisation_id in npms:
        return not actor.outside_expert
    return actor.organisation_id == organisation_id and actor.has(*scope.FOR_OWN_PEOPLE)


def _is_open(clearance: Clearance | None) -> bool:
    today = clock.today()
    return (
        clearance is not None
        and clearance.closed_at is None
        and clearance.from_on <= today <= clearance.until_on
    )
