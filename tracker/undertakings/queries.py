"""Queries for undertakings, scoped by the actor or by a cooperation already found.

In one file: lists, tasks and readiness read the same rows by the same conditions.
"""

import datetime as dt
import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor, OrganisationKind
from tracker.accounts.models import Membership, User
from tracker.agreements.document import Languages
from tracker.checklist_templates import library
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import loading
from tracker.checklists.encryption import values_of
from tracker.checklists.loading import LoadedChecklist, retold
from tracker.checklists.loading import load as load_checklist
from tracker.checklists.models import Answer, Checklist
from tracker.checklists.policy import WRITERS
from tracker.checklists.rules.consistency import TIES
from tracker.checklists.rules.values import as_id
from tracker.cooperations import clearances, people
from tracker.cooperations.models import Clearance, Cooperation, CooperationPerson
from tracker.cooperations.policy import AT_REST
from tracker.cooperations.scope import is_of_npms
from tracker.core import clock
from tracker.core.db import db, load_joined
from tracker.core.services import Slot
from tracker.organisations.models import Organisation
from tracker.signoff import queries as signoff
from tracker.signoff import service as signing
from tracker.signoff.labels import SignedWhen, when_signed
from tracker.signoff.models import Revision
from tracker.undertakings import added_interests, bound, scope
from tracker.undertakings import people as around
from tracker.undertakings.added_interests import NOTHING_ADDED, Bearing, WaitingInterest
from tracker.undertakings.facts import (
    LIST,
    Listed,
    Questions,
    Terms,
    UndertakingStatus,
    listed_in,
    questions,
    read_terms,
    rows_of_list,
)
from tracker.undertakings.models import (
    InterestsDecision,
    Undertaking,
    UndertakingEnd,
    UndertakingState,
)
from tracker.undertakings.places import ANOTHER_KIND
from tracker.undertakings.policy import DECIDERS
from tracker.undertakings.signed_beside import TermsDocument

# How many undertakings of each kind My work looks through at a time.
MANY = 100
WITH_NAMES = (
    # The language of mails; by the address: signs here, or on paper; suspended: signs no more.
    load_joined(
        Undertaking.user,
        User.name,
        User.language,
        User.email,
        User.active,
        User.suspended_at,
    ),
    load_joined(Undertaking.organisation, Organisation.name),
)


# What a page of one undertaking needs ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loaded:
    """An undertaking with the terms it rests on and what the rules look at."""

    undertaking: Undertaking
    terms: Terms
    standing: UndertakingStatus
    # The checklist whose terms these are.
    checklist: Checklist

    @property
    def documents(self) -> tuple[TermsDocument, ...]:
        """What the person signs with the undertaking, as the terms it rests on say (C1)."""
        of_npm = self.undertaking.organisation_id in self.standing.npm_ids
        return self.terms.documents_for(of_npm=of_npm)


def find_own(actor: Actor, undertaking_id: UUID) -> Undertaking | None:
    """Return the person's own undertaking."""
    return _find_one(Undertaking.id == undertaking_id, scope.own(actor))


def own_signed(actor: Actor, cooperation_id: UUID) -> Undertaking | None:
    """Return the person's own undertaking in a cooperation, signed and not closed."""
    return _find_one(
        scope.own(actor),
        Undertaking.cooperation_id == cooperation_id,
        Undertaking.state.in_(added_interests.SIGNED),
    )


def find_for_npm(actor: Actor, undertaking_id: UUID) -> Undertaking | None:
    """Return an undertaking that the person may decide on or countersign, or their own not."""
    return _find_one(Undertaking.id == undertaking_id, scope.decided_by(actor))


def find_for_paper(actor: Actor, undertaking_id: UUID) -> Undertaking | None:
    """Return an undertaking whose scan the person may record or confirm for the NPM."""
    return _find_one(Undertaking.id == undertaking_id, scope.handles_paper(actor))


def load(undertaking: Undertaking) -> Loaded:
    """Return an undertaking with its terms and its standing; a scoped query has found it."""
    revision = db.session.get_one(Revision, undertaking.terms_revision_id)
    checklist = db.session.get_one(Checklist, revision.subject_id)
    terms = terms_of(revision)
    return Loaded(undertaking, terms, standing(undertaking, checklist, terms), checklist)


def terms_of(revision: Revision) -> Terms:
    """Return what a person must know of a frozen revision of the confidentiality terms (K8)."""
    return read_terms(signing.document_of(revision, None), revision.digest)


def standing(undertaking: Undertaking, checklist: Checklist, terms: Terms) -> UndertakingStatus:
    """Return what the rules look at; of a closed one also whether it can be asked for again."""
    is_closed = undertaking.state is UndertakingState.CLOSED
    bearing = added_interests.bearing_of(undertaking)
    taken = signoff.taken_by(undertaking.revision_id)
    parties = around.party_ids(undertaking.cooperation_id)
    return UndertakingStatus(
        user_id=undertaking.user_id,
        organisation_id=undertaking.organisation_id,
        state=undertaking.state,
        is_current=checklist.revision_in_force_id == undertaking.terms_revision_id,
        until=terms.until,
        npm_ids=parties.npm,
        has_interests=undertaking.has_interests,
        party_has_interest=bool(undertaking.party_has_interest),
        decision=undertaking.decision,
        is_listed=not is_closed
        or any(
            person.user_id == undertaking.user_id for person in listed(load_checklist(checklist))
        ),
        has_open=is_closed and _has_open(undertaking),
        withdrawn_by_person=undertaking.closed_reason == UndertakingEnd.WITHDRAWN,
        mailed_codes=db.session.get_one(Cooperation, undertaking.cooperation_id).mailed_codes,
        undecided_added=bearing.undecided,
        added_refused=bearing.is_refused,
        signs_in=undertaking.user.signs_in,
        has_role=around.has_role(undertaking.user_id, undertaking.organisation_id),
        recorded_by_id=taken.recorded_by,
        host_id=taken.host,
        is_joining=undertaking.organisation_id in parties.joining,
    )


def questions_of(loaded: Loaded, language: str = "") -> Questions:
    """Return what the template and the terms ask of a person now; for pages in a language."""
    return _questions(load_checklist(loaded.checklist, language), loaded.documents)


def questions_by_language(loaded: Loaded, languages: Languages) -> dict[str, Questions]:
    """Return what the template and the terms ask of a person now, in each of some languages."""
    checklist = load_checklist(loaded.checklist)
    return {
        code: _questions(retold(checklist, languages.words.get(code)), loaded.documents)
        for code in languages.codes
    }


def _questions(checklist: LoadedChecklist, documents: tuple[TermsDocument, ...]) -> Questions:
    return questions(checklist.template, checklist.sheet, checklist.surroundings, documents)


_PARTIES_OF_THE_TERMS = (
    sa.select(Answer)
    .join(Checklist, Checklist.id == Answer.checklist_id)
    .where(
        Checklist.cooperation_id == sa.bindparam("cooperation_id"),
        Checklist.kind == ChecklistKind.TERMS,
        Answer.item == "M1",
        Answer.scope == AnswerScope.SHARED,
        Answer.is_current.is_(True),
    )
)


_LISTS = sa.select(Answer).where(
    Answer.checklist_id == sa.bindparam("checklist_id"),
    Answer.item == LIST,
    Answer.scope == AnswerScope.PARTY,
    Answer.is_current.is_(True),
    ~Answer.not_applicable,
)


def ties_of(undertaking: Undertaking) -> frozenset[str]:
    """Return which interests a person's party has by what it does: keys of consistency.TIES.

    As the organisation says of itself, and as it says in the terms (M1; S66, S70).
    """
    said_by = [{key: getattr(undertaking.organisation, key) for key in TIES}]
    for answer in db.session.scalars(
        _PARTIES_OF_THE_TERMS, {"cooperation_id": undertaking.cooperation_id}
    ):
        rows = values_of(undertaking.cooperation_id, answer).get("parties") or ()
        said_by += [row for row in rows if as_id(row.get("party")) == undertaking.organisation_id]
    return frozenset(key for key in TIES if any(row.get(key) is True for row in said_by))


def terms_document(undertaking: Undertaking) -> tuple[Revision, Mapping[str, object]]:
    """Return the revision of the terms an undertaking rests on, and its text (class K8)."""
    revision = signoff.revision(undertaking.terms_revision_id)
    if revision is None:
        raise LookupError("The terms of an undertaking are gone.")
    return revision, signing.document_of(revision, None)


def kinds_of_place(language: str) -> list[tuple[str, str]]:
    """Return the types of place that visits' roles offer (V1), but for *another type*."""
    template = library.localized(library.newest(ChecklistKind.VISIT_ROLES), language)
    item = next(item for item in template.items if item.code == "V1")
    return [
        (option.value, option.label)
        for option in item.field("place_type").options
        if option.value != ANOTHER_KIND
    ]


# Who is asked ----------------------------------------------------------------------------------


def confidentiality(cooperation_id: UUID) -> Checklist | None:
    """Return the confidentiality checklist of a cooperation, or None."""
    return next(
        (
            checklist
            for checklist in loading.of_cooperation(cooperation_id)
            if checklist.kind is ChecklistKind.CONFIDENTIALITY
        ),
        None,
    )


def listed(loaded: LoadedChecklist) -> list[Listed]:
    """Return who must sign: listed by a party (C2), taking part today, free to sign in."""
    homes = around.homes(loaded.cooperation.id)
    return listed_in(loaded.sheet, loaded.surroundings, homes)


def open_ones(cooperation_id: UUID) -> list[Undertaking]:
    """Return the undertakings of a cooperation that are not closed, and lock them."""
    return list(
        db.session.scalars(
            sa.select(Undertaking)
            .where(
                Undertaking.cooperation_id == cooperation_id,
                Undertaking.state != UndertakingState.CLOSED,
            )
            .order_by(Undertaking.id)
            .options(*WITH_NAMES)
            .with_for_update(of=Undertaking)
            .execution_options(populate_existing=True)
        )
    )


def last_endings(terms_revision_id: UUID) -> dict[UUID, str]:
    """Return for each person why the last undertaking on these terms was closed."""
    rows = db.session.execute(
        sa.select(Undertaking.user_id, Undertaking.closed_reason)
        .where(
            Undertaking.terms_revision_id == terms_revision_id,
            Undertaking.state == UndertakingState.CLOSED,
        )
        .order_by(Undertaking.closed_at, Undertaking.id)
    )
    return {row.user_id: row.closed_reason for row in rows}


def waiting_for_npm_of(user_id: UUID) -> list[Undertaking]:
    """Return what waits for the NPMs in which a person has decided, to be confirmed or signed."""
    bodies = db.session.scalars(
        sa.select(Membership.organisation_id).where(
            Membership.user_id == user_id, Membership.role.in_(DECIDERS)
        )
    )
    return list(
        db.session.scalars(
            sa.select(Undertaking)
            .where(
                Undertaking.state.in_([UndertakingState.ON_PAPER, UndertakingState.SIGNED]),
                is_of_npms(
                    frozenset(body for body in bodies if body),
                    Undertaking.cooperation_id,
                    on=clock.today(),
                ),
            )
            .order_by(Undertaking.id)
            .options(*WITH_NAMES)
        )
    )


def cooperations_of(user_id: UUID) -> list[UUID]:
    """Return the cooperations in which a person takes part or was ever asked."""
    asked_in = sa.select(Undertaking.cooperation_id).where(Undertaking.user_id == user_id)
    part_in = sa.select(CooperationPerson.cooperation_id).where(
        CooperationPerson.user_id == user_id
    )
    return sorted(db.session.scalars(sa.union(asked_in, part_in)))


def locked(undertaking_id: UUID) -> Undertaking:
    """Return an undertaking as it is now and keep others from changing it until the end."""
    undertaking = locked_or_none(undertaking_id)
    if undertaking is None:
        raise LookupError("There is no such undertaking.")
    return undertaking


def locked_or_none(undertaking_id: UUID) -> Undertaking | None:
    """Return an undertaking as locked() does, None when there is none."""
    return db.session.scalar(
        sa.select(Undertaking)
        .where(Undertaking.id == undertaking_id)
        .options(*WITH_NAMES)
        .with_for_update(of=Undertaking)
        .execution_options(populate_existing=True)
    )


# Lists -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """An undertaking among others: how far it is, and what it opened."""

    undertaking: Undertaking
    clearance: Clearance | None
    is_own: bool
    # Whether its rows say what its signatures and events bear witness to.
    agrees: bool
    # How interests that the person added bear on it.
    bearing: Bearing = NOTHING_ADDED
    # Whether the reader took its signature, and so leaves what follows to others.
    is_taken: bool = False
    # What the person's signature says of its scan, if it was given on paper.
    paper: Mapping[str, Any] | None = None

    @property
    def signed(self) -> SignedWhen | None:
        """When the person signed; None before, and where the rows disagree with the evidence."""
        signed_at = self.undertaking.signed_at
        return when_signed(signed_at, self.paper) if signed_at and self.agrees else None

    @property
    def is_cleared(self) -> bool:
        """Whether what it opened is open today, to all or some places."""
        return _is_open(self.clearance) and not self.bearing.closes_all


@dataclass(frozen=True, slots=True)
class PartyLines:
    """A party with the undertakings of its people that the reader may see, or their number."""

    organisation_id: UUID
    name: str
    mark: str
    is_npm: bool
    lines: list[Line]
    # Of a party whose people the reader does not see: how many were asked, how many are cleared.
    people_asked: int
    cleared: int
    sees_people: bool
    # People who need a clearance, take part and stand in no list (C2).
    unlisted: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Overview:
    """The undertakings of a cooperation, party by party."""

    parties: list[PartyLines]
    # The revision of the terms in force, None before.
    revision: int | None
    until: dt.date | None
    checklist_id: UUID | None


@dataclass(frozen=True, slots=True)
class OwnLines:
    """Some of the undertakings a person was ever asked for, and how many there are in all."""

    total: int
    lines: list[tuple[Line, Cooperation]]


def mine(actor: Actor, *, offset: int = 0, limit: int = 25) -> OwnLines:
    """Return one page of what the person was ever asked for, what is open first, then the newest.

    What is open are those that wait and those that hold.
    """
    order = (Undertaking.closed_at.is_not(None), Undertaking.asked_at.desc(), Undertaking.id)
    # Found in an index alone, so that only those of the page are read.
    ids = sa.select(Undertaking.id).where(scope.own(actor)).order_by(*order)
    rows = db.session.execute(
        sa.select(Undertaking, Cooperation, *added_interests.bearing_columns())
        .join(Cooperation, Cooperation.id == Undertaking.cooperation_id)
        .where(Undertaking.id.in_(ids.offset(offset).limit(limit)))
        .order_by(*order)
        .options(*WITH_NAMES)
    ).all()
    # Where all are on the first page they are counted already.
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
                ),
                where,
            )
            for undertaking, where, *columns in rows
        ],
    )


def line_of(actor: Actor, loaded: Loaded) -> Line:
    """Return an undertaking that was loaded, with what it opened, as a line."""
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
    )


def overview(actor: Actor, cooperation: Cooperation) -> Overview:
    """Return how far the people of a cooperation are, as far as the person may see it.

    Of another CSO's people only the numbers (product.md, section 2). The number of queries does
    not grow with the people.
    """
    checklist = confidentiality(cooperation.id)
    terms_id = checklist.revision_in_force_id if checklist else None
    newest = _newest(actor, cooperation.id, terms_id)
    rows = [row for row, _bearing, _is_taken in newest]
    compared = bound.compare(rows)
    lines = [
        Line(
            row,
            compared[row.id].clearance,
            row.user_id == actor.user_id,
            compared[row.id].agrees,
            bearing,
            is_taken,
            compared[row.id].paper,
        )
        for row, bearing, is_taken in newest
    ]
    counted = _counts(cooperation.id)
    need_clearance = [p for p in people.people(cooperation.id) if p.needs_clearance]
    by_party = unlisted(cooperation, checklist, need_clearance)
    overviews = []
    for party in people.parties(cooperation):
        sees = _sees_people(actor, cooperation, party.organisation_id)
        overviews.append(
            PartyLines(
                organisation_id=party.organisation_id,
                name=party.organisation.name,
                mark=party.organisation.mark,
                is_npm=party.side is OrganisationKind.NPM,
                lines=[
                    line
                    for line in lines
                    if line.undertaking.organisation_id == party.organisation_id
                ],
                people_asked=counted.get(party.organisation_id, (0, 0))[0],
                cleared=counted.get(party.organisation_id, (0, 0))[1],
                sees_people=sees,
                unlisted=by_party.get(party.organisation_id, []) if sees else [],
            )
        )
    revision = db.session.get(Revision, terms_id) if terms_id else None
    terms = terms_of(revision) if revision else None
    return Overview(
        parties=overviews,
        revision=terms.revision if terms else None,
        until=terms.until if terms else None,
        checklist_id=checklist.id if checklist else None,
    )


class ToClear(Protocol):
    """Somebody who takes part and needs a clearance."""

    @property
    def user_id(self) -> UUID:
        """Who it is."""

    @property
    def organisation_id(self) -> UUID:
        """The party they take part for."""

    @property
    def name(self) -> str:
        """Their name."""


def unlisted(
    cooperation: Cooperation, checklist: Checklist | None, need_clearance: Iterable[ToClear]
) -> dict[UUID, list[str]]:
    """Return for each party which of some people, who need a clearance, stand in no list (C2)."""
    answers = db.session.scalars(_LISTS, {"checklist_id": checklist.id}) if checklist else ()
    party_ids = {party.organisation_id for party in people.parties(cooperation)}
    named = {
        user_id
        for answer in answers
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
    """A list of who must sign (C2) that people of its party are missing from."""

    checklist_id: UUID
    organisation_name: str
    names: list[str]
    # Whether the reader writes that list.
    is_own: bool


def incomplete_lists(
    actor: Actor, cooperation: Cooperation, checklist: Checklist, uncleared: Sequence[ToClear]
) -> list[IncompleteList]:
    """Return the lists that some uncleared people are missing from, as far as one sees them.

    While the cooperation runs. The list of a party is seen by who sees its people.
    """
    if not uncleared or cooperation.stage in AT_REST:
        return []
    by_party = unlisted(cooperation, checklist, uncleared)
    return [
        IncompleteList(
            checklist.id,
            party.organisation.name,
            by_party[party.organisation_id],
            party.organisation_id == actor.organisation_id and actor.has(*WRITERS),
        )
        for party in people.parties(cooperation)
        if party.organisation_id in by_party
        and _sees_people(actor, cooperation, party.organisation_id)
    ]


def progress(cooperation_id: UUID) -> tuple[int, int]:
    """Return how many people of a cooperation have an open undertaking, and are cleared."""
    counted = _counts(cooperation_id).values()
    return sum(asked_count for asked_count, _cleared in counted), sum(
        cleared for _asked, cleared in counted
    )


# What waits ------------------------------------------------------------------------------------


class TaskKind(enum.StrEnum):
    """What there is to do, or what is waited for."""

    SIGN = "sign"
    DECIDE = "decide"
    DECIDE_ADDED = "decide_added"
    COUNTERSIGN = "countersign"
    CONFIRM_PAPER = "confirm_paper"
    WAITS_FOR_NPM = "waits_for_npm"
    WAITS_FOR_ANOTHER = "waits_for_another"
    WAITS_FOR_PEOPLE = "waits_for_people"


@dataclass(frozen=True, slots=True)
class Task:
    """One line of *My work*; its page is url_for(page, **values)."""

    kind: TaskKind
    reference: str
    title: str
    since: dt.datetime
    page: str
    values: Mapping[str, str]
    # Whose undertaking it is, where it is another's.
    person: str = ""
    # How many people are waited for.
    count: int = 1


@dataclass(frozen=True, slots=True)
class Tasks:
    """What waits for the person, and what waits for others.

    is_cut: there is more than is looked through at a time.
    """

    mine: list[Task]
    others: list[Task]
    is_cut: bool = False


def tasks(actor: Actor, cooperation_id: UUID | None = None) -> Tasks:
    """Return what waits for a person and what they wait for, the oldest first.

    In all their cooperations, or in one; the first MANY of each, in the order of an index.
    """
    conditions = [] if cooperation_id is None else [Undertaking.cooperation_id == cooperation_id]
    own = _waiting(
        *conditions,
        scope.own(actor),
        sa.or_(
            Undertaking.state.in_([UndertakingState.ASKED, UndertakingState.SIGNED]),
            sa.and_(
                Undertaking.state == UndertakingState.COUNTERSIGNED,
                added_interests.undecided() > 0,
            ),
        ),
    )
    of_npm = _waiting(
        *conditions,
        scope.decided_by(actor),
        ~scope.own(actor),
        Undertaking.state.in_([UndertakingState.ON_PAPER, UndertakingState.SIGNED]),
        sa.or_(Undertaking.decision.is_(None), Undertaking.decision != InterestsDecision.REPLACE),
        is_taken=scope.taken_by(actor),
    )
    of_people = _waiting(
        *conditions,
        scope.waits_for_own_people(actor),
        ~scope.own(actor),
        Undertaking.state == UndertakingState.ASKED,
    )
    mine_ = [_own_task(undertaking) for undertaking in own if undertaking.is_asked]
    # Whoever took a signature leaves the rest to others (policy.can_vouch).
    mine_ += [_npm_task(undertaking) for undertaking in of_npm if not undertaking.is_taken]
    others = [_own_task(undertaking) for undertaking in own if not undertaking.is_asked]
    others += [_left_to_others(_npm_task(taken)) for taken in of_npm if taken.is_taken]
    others += _tasks_of_people(of_people)
    added = added_interests.waiting(actor, cooperation_id, MANY)
    mine_ += [_added_task(interest) for interest in added if not interest.is_taken]
    others += [_left_to_others(_added_task(taken)) for taken in added if taken.is_taken]
    return Tasks(
        mine=sorted(mine_, key=lambda task: task.since),
        others=sorted(others, key=lambda task: task.since),
        is_cut=MANY in {len(own), len(of_npm), len(of_people), len(added)},
    )


# For the readiness of visits -------------------------------------------------------------------


class Interests(enum.StrEnum):
    """The state of a person's declaration of interests (C13), without its content."""

    NONE = "none"
    UNDECIDED = "undecided"
    ACCEPT = "accept"
    LIMIT = "limit"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class ClearingState:
    """A person's progress towards a clearance under the terms in force."""

    briefed_on: dt.date | None = None
    interests: Interests = Interests.UNDECIDED
    signed: bool = False
    countersigned: bool = False
    cleared: bool = False
    until: dt.date | None = None


def clearing_states(
    cooperation_id: UUID, user_ids: Iterable[UUID], visit_id: UUID | None = None
) -> dict[UUID, ClearingState]:
    """Return how far each of some people is, in a fixed number of queries.

    cleared tells whether a clearance is open today for all of the cooperation, or for the visit
    named. The caller found the cooperation by a query scoped by the actor.
    """
    wanted = list(user_ids)
    rows = db.session.execute(
        sa.select(Undertaking, *added_interests.bearing_columns())
        .join(Checklist, Checklist.revision_in_force_id == Undertaking.terms_revision_id)
        .where(
            Undertaking.cooperation_id == cooperation_id,
            Undertaking.user_id.in_(wanted),
            Undertaking.state != UndertakingState.CLOSED,
        )
    ).all()
    opened = _open_for(cooperation_id, wanted, visit_id)
    states = {user_id: ClearingState() for user_id in wanted}
    for row, *columns in rows:
        until = opened.get(row.user_id)
        states[row.user_id] = ClearingState(
            briefed_on=row.briefed_on,
            interests=_interests(row, added_interests.bearing(row.state, columns)),
            signed=row.state in added_interests.SIGNED,
            countersigned=row.state is UndertakingState.COUNTERSIGNED,
            cleared=until is not None,
            until=until,
        )
    return states


@dataclass(frozen=True, slots=True)
class VisitChoice:
    """A visit that an undertaking may be for: its number tells neither place nor date."""

    id: UUID
    number: int


VisitReader = Callable[[UUID], list[VisitChoice]]


# How the visits of a cooperation that are still to come are found: visits stands above this part.
VISIT_READER: Slot[VisitReader] = Slot("visits_to_come", lambda _cooperation_id: [])


def visits(cooperation_id: UUID) -> list[VisitChoice]:
    """Return the visits of a cooperation that an undertaking may be for, by number."""
    return VISIT_READER.get()(cooperation_id)


# ------------------------------------------------------------------------------------------------


def _find_one(*conditions: sa.ColumnElement[bool]) -> Undertaking | None:
    return db.session.scalar(sa.select(Undertaking).where(*conditions).options(*WITH_NAMES))


def _has_open(undertaking: Undertaking) -> bool:
    return bool(
        db.session.scalar(
            sa.select(
                sa.exists().where(
                    Undertaking.cooperation_id == undertaking.cooperation_id,
                    Undertaking.user_id == undertaking.user_id,
                    Undertaking.state != UndertakingState.CLOSED,
                )
            )
        )
    )


def _newest(
    actor: Actor, cooperation_id: UUID, terms_id: UUID | None
) -> list[tuple[Undertaking, Bearing, bool]]:
    """Return each person's newest undertaking on the terms in force, by name.

    With how added interests bear on it, and whether the reader took its signature.
    """
    rows = db.session.execute(
        sa.select(Undertaking, scope.taken_by(actor), *added_interests.bearing_columns())
        .join(Undertaking.user)
        .where(
            Undertaking.cooperation_id == cooperation_id,
            Undertaking.terms_revision_id == terms_id,
            scope.states_seen(actor),
        )
        .order_by(User.name, Undertaking.asked_at, Undertaking.closed_at.is_(None), Undertaking.id)
        .options(*WITH_NAMES)
    )
    newest = {
        row.user_id: (row, added_interests.bearing(row.state, columns), bool(is_taken))
        for row, is_taken, *columns in rows
    }
    return list(newest.values())


def _counts(cooperation_id: UUID) -> dict[UUID, tuple[int, int]]:
    """Return for each party how many people have an open undertaking, and how many are cleared."""
    is_cleared = (
        sa.exists()
        .where(
            Clearance.undertaking_id == Undertaking.id,
            clearances.is_open(clock.today()),
        )
        .correlate(Undertaking)
    )
    rows = db.session.execute(
        sa.select(
            Undertaking.organisation_id,
            sa.func.count(Undertaking.id),
            sa.func.count(sa.case((is_cleared, 1))),
        )
        .where(
            Undertaking.cooperation_id == cooperation_id,
            Undertaking.state != UndertakingState.CLOSED,
        )
        .group_by(Undertaking.organisation_id)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _sees_people(actor: Actor, cooperation: Cooperation, organisation_id: UUID) -> bool:
    """Tell whether a person sees the people of a party by name; as scope.states_seen has it."""
    npms = {
        party.organisation_id
        for party in people.parties(cooperation)
        if party.side is OrganisationKind.NPM
    }
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


class _Waiting(NamedTuple):
    """An undertaking that waits for somebody, and where."""

    id: UUID
    state: UndertakingState
    asked_at: dt.datetime
    signed_at: dt.datetime | None
    has_interests: bool | None
    party_has_interest: bool | None
    decision: InterestsDecision | None
    person: str
    reference: str
    title: str
    # Whether the reader took its signature.
    is_taken: bool

    @property
    def is_asked(self) -> bool:
        """Whether the person has not signed yet."""
        return self.state is UndertakingState.ASKED

    @property
    def since(self) -> dt.datetime:
        """Since when it waits."""
        return self.signed_at or self.asked_at


def _waiting(
    *conditions: sa.ColumnElement[bool], is_taken: sa.ColumnElement[bool] | None = None
) -> list[_Waiting]:
    if any(isinstance(condition, sa.False_) for condition in conditions):
        return []
    rows = db.session.execute(
        sa.select(
            Undertaking.id,
            Undertaking.state,
            Undertaking.asked_at,
            Undertaking.signed_at,
            Undertaking.has_interests,
            Undertaking.party_has_interest,
            Undertaking.decision,
            User.name,
            Cooperation.reference,
            Cooperation.title,
            sa.false() if is_taken is None else is_taken,
        )
        .join(Cooperation, Cooperation.id == Undertaking.cooperation_id)
        .join(Undertaking.user)
        .where(*conditions)
        .order_by(Undertaking.asked_at, Undertaking.id)
        .limit(MANY)
    )
    return [_Waiting._make(row) for row in rows]


def _own_task(waiting: _Waiting) -> Task:
    return Task(
        kind=TaskKind.SIGN if waiting.is_asked else TaskKind.WAITS_FOR_NPM,
        reference=waiting.reference,
        title=waiting.title,
        since=waiting.since,
        page="undertakings.show",
        values={"undertaking_id": str(waiting.id)},
    )


def _npm_task(waiting: _Waiting) -> Task:
    if waiting.state is UndertakingState.ON_PAPER:
        return Task(
            kind=TaskKind.CONFIRM_PAPER,
            reference=waiting.reference,
            title=waiting.title,
            since=waiting.since,
            page="undertaking_paper.show",
            values={"reference": waiting.reference, "undertaking_id": str(waiting.id)},
            person=waiting.person,
        )
    needs_decision = waiting.has_interests or waiting.party_has_interest
    is_undecided = needs_decision and waiting.decision is None
    return Task(
        kind=TaskKind.DECIDE if is_undecided else TaskKind.COUNTERSIGN,
        reference=waiting.reference,
        title=waiting.title,
        since=waiting.since,
        page="undertakings.check",
        values={"reference": waiting.reference, "undertaking_id": str(waiting.id)},
        person=waiting.person,
    )


def _left_to_others(task: Task) -> Task:
    """Return a task of the NPM as it is shown to whoever took the signature."""
    return replace(task, kind=TaskKind.WAITS_FOR_ANOTHER)


def _added_task(interest: WaitingInterest) -> Task:
    return Task(
        kind=TaskKind.DECIDE_ADDED,
        reference=interest.reference,
        title=interest.title,
        since=interest.added_at,
        page="undertakings.added_interest",
        values={
            "reference": interest.reference,
            "undertaking_id": str(interest.undertaking_id),
            "interest_id": str(interest.id),
        },
        person=interest.person,
    )


def _tasks_of_people(waiting: Iterable[_Waiting]) -> list[Task]:
    """Return a task for each cooperation in which people are waited for, the oldest first."""
    by_cooperation: dict[str, list[_Waiting]] = {}
    for undertaking in waiting:
        by_cooperation.setdefault(undertaking.reference, []).append(undertaking)
    return [
        Task(
            kind=TaskKind.WAITS_FOR_PEOPLE,
            reference=reference,
            title=people[0].title,
            since=people[0].since,
            page="undertakings.listed",
            values={"reference": reference},
            count=len(people),
        )
        for reference, people in by_cooperation.items()
    ]


def _interests(undertaking: Undertaking, bearing: Bearing) -> Interests:
    """Return the state of all that a person declared: what still has to be decided comes first."""
    if bearing.undecided:
        return Interests.UNDECIDED
    if bearing.is_limited and undertaking.decision is not InterestsDecision.REPLACE:
        return Interests.LIMIT
    if undertaking.decision is not None:
        return Interests(undertaking.decision.value)
    if undertaking.has_interests is False and not undertaking.party_has_interest:
        return Interests.NONE
    return Interests.UNDECIDED


def _open_for(
    cooperation_id: UUID, user_ids: list[UUID], visit_id: UUID | None
) -> dict[UUID, dt.date]:
    """Return until when each person is cleared today, for all of it or for the visit."""
    rows = db.session.execute(
        sa.select(Clearance.user_id, sa.func.max(Clearance.until_on))
        .where(
            Clearance.cooperation_id == cooperation_id,
            Clearance.user_id.in_(user_ids),
            clearances.covers(sa.literal(visit_id, sa.Uuid())),
            clearances.is_open(clock.today()),
        )
        .group_by(Clearance.user_id)
    )
    return {row[0]: row[1] for row in rows}
