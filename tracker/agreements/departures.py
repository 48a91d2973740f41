"""A party leaving a cooperation: its notice, its last day, and which texts still name it."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import Decision, no
from tracker.activity.service import DomainEvent
from tracker.agreements import frozen_text, notices, party_changes
from tracker.agreements.notices import Duties
from tracker.checklists import encryption, heads
from tracker.checklists.models import Checklist, NoticeKind
from tracker.cooperations import departures as rows
from tracker.cooperations import messages, people, policy, queries
from tracker.cooperations.models import Cooperation, Party
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import policy as signoff_policy
from tracker.signoff import service as signoff
from tracker.signoff.models import (
    RequestState,
    Revision,
    Signature,
    SignatureKind,
    SignatureRequest,
)


def can_leave(
    actor: Actor, cooperation: Cooperation, fact: policy.CooperationFact | None = None
) -> Decision:
    """Decide whether a person may give notice that their party leaves while the others continue.

    The cooperation's parties must be loaded; fact is read unless it is given. A party that has
    given notice to end the agreement for everybody has to withdraw that notice first.
    """
    may = policy.can_leave(actor, fact or queries.fact(cooperation))
    if not may:
        return may
    terms = party_changes.terms_of(cooperation.id)
    if terms is not None and any(
        notice.kind is NoticeKind.ENDED and notice.organisation_id == actor.organisation_id
        for notice in notices.open_notices(terms)
    ):
        return no(
            _l(
                "Your organisation has given notice that the agreement ends. "
                "Withdraw the notice first."
            )
        )
    return signoff_policy.has_power(signoff_policy.signing_membership(actor), clock.today())


def can_stay(actor: Actor, cooperation: Cooperation) -> Decision:
    """Decide whether a person may withdraw their party's notice."""
    may = policy.can_stay(actor, queries.fact(cooperation))
    if not may:
        return may
    return signoff_policy.has_power(signoff_policy.signing_membership(actor), clock.today())


def agreed_notice(cooperation: Cooperation) -> int:
    """Return the days of notice that the terms require for ending the agreement (M20), or 0."""
    terms = party_changes.terms_of(cooperation.id)
    return notices.agreed_notice(terms) if terms is not None else 0


def earliest(cooperation: Cooperation) -> dt.date:
    """Return the first day on which a party can leave: as for an ending, after the agreed notice.

    It is today if no notice is agreed, for example before the terms are in force.
    """
    return clock.today() + dt.timedelta(days=agreed_notice(cooperation))


def give_notice(
    actor: Actor, cooperation: Cooperation, *, reason: str, from_on: dt.date | None = None
) -> Party:
    """Give notice that the actor's party leaves from a day on, while the others continue.

    The party leaves immediately if that day is today; otherwise the worker removes it on that day.
    Raise RefusedError if the person may not, RuleBrokenError with the field that is invalid.
    """
    party_changes.lock_cooperation(cooperation)
    parties = rows.locked_parties(cooperation.id)
    can_leave(actor, cooperation).require()
    words = party_changes.tidy(reason)
    first = earliest(cooperation)
    day = from_on or first
    if not first <= day <= clock.today() + dt.timedelta(days=notices.MOST_DAYS):
        raise notices.out_of_range(first)
    party = next(party for party in parties if party.organisation_id == actor.organisation_id)
    rows.announce(actor, party, since=day, reason=words)
    if day <= clock.today():
        _leave(actor, cooperation, party)
    else:
        messages.party_is_leaving(
            cooperation.reference, party_changes.people_of(parties) - {actor.user_id}
        )
    return party


def take_back(actor: Actor, cooperation: Cooperation, *, reason: str) -> Party:
    """Withdraw the notice of the actor's party before its day; it stays a party."""
    party_changes.lock_cooperation(cooperation)
    parties = rows.locked_parties(cooperation.id)
    can_stay(actor, cooperation).require()
    words = party_changes.tidy(reason)
    party = next(party for party in parties if party.organisation_id == actor.organisation_id)
    rows.take_back(actor, party, reason=words)
    messages.party_is_leaving(
        cooperation.reference, party_changes.people_of(parties) - {actor.user_id}
    )
    return party


def carry_out(party_id: UUID, day: dt.date) -> bool:
    """Remove a party whose last day has passed; return False if that has already been done.

    A job.
    """
    cooperation = db.session.scalars(
        sa.select(Cooperation)
        .join(Party, Party.cooperation_id == Cooperation.id)
        .where(Party.id == party_id)
    ).one()
    party_changes.lock_cooperation(cooperation)
    if db.session.scalar(sa.select(Party.id).where(Party.id == party_id, rows.is_due(day))) is None:
        return False
    parties = rows.locked_parties(cooperation.id)
    _leave(None, cooperation, next(party for party in parties if party.id == party_id))
    return True


def _leave(actor: Actor | None, cooperation: Cooperation, party: Party) -> None:
    rows.leave(actor, party)
    others = people.current(cooperation.id)
    messages.party_has_left(
        cooperation.reference, party.organisation_id, party_changes.people_of(others)
    )
    messages.you_have_left(
        cooperation.reference, party.organisation_id, party_changes.people_of([party])
    )


def follow_departure(event: DomainEvent) -> None:
    """Remove a party that has left from the checklists.

    Handler of PARTY_LEFT.
    """
    if event.cooperation_id is None:
        return
    reason = _(
        "%(organisation)s, which this text names, has left the cooperation.",
        organisation=event.details["organisation"],
    )
    party_changes.take_out(
        event.actor,
        event.cooperation_id,
        UUID(str(event.details["organisation_id"])),
        str(reason),
    )


# What the texts in force say about it -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NamingItem:
    """An item of a text in force that still names a party that has left, or its people."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class NamingText:
    """A text in force with the items that need to change."""

    checklist: Checklist
    items: tuple[NamingItem, ...]


def still_naming(cooperation: Cooperation, party: Party, language: str) -> list[NamingText]:
    """Return the texts in force that still name a party that has left, with the items.

    They are found by the ids of the party and of the people who took part only for it, and by its
    name in free text; so are those that name a body whose place it took (N13). Only the
    cooperation's own texts are searched: a visit's checklists are checked with the visit.
    """
    bodies = people.bodies(cooperation, party.organisation_id)
    people_ids = (party_changes.people_only_of(cooperation.id, body) for body in bodies)
    wanted = {*map(str, bodies), *map(str, chain.from_iterable(people_ids))}
    names = {
        row.organisation.name.casefold()
        for row in cooperation.parties
        if row.organisation_id in bodies
    }
    texts = []
    for checklist in heads.of_cooperation(cooperation.id):
        document = notices.standing_document(checklist)
        if document is None:
            continue
        by_code = frozen_text.read(document, language).by_code
        items = tuple(
            NamingItem(code, by_code[code].label) for code in _naming(document, wanted, names)
        )
        if items:
            texts.append(NamingText(checklist, items))
    return texts


def _naming(
    document: Mapping[str, Any], wanted: Collection[str], names: Collection[str]
) -> Iterator[str]:
    for section in document["sections"]:
        for item in section["items"]:
            answers = item["answers"]
            if any(
                answer.get("by") in wanted
                or any(
                    text in wanted or any(name in text.casefold() for name in names)
                    for text in _texts(answer.get("values", {}))
                )
                for answer in answers
            ):
                yield item["code"]


def _texts(value: Any) -> Iterator[str]:
    """Yield every text within a value: ids, choices and free text."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def duties_of(cooperation: Cooperation, party: Party, language: str) -> list[Duties]:
    """Return the continuing duties of a party that has left, according to the texts it signed.

    The last version that it, or a body whose place it took (N13), signed counts: what the others
    agree afterwards doesn't concern it.
    """
    bodies = people.bodies(cooperation, party.organisation_id)
    survivals = []
    for checklist in heads.of_cooperation(cooperation.id):
        if checklist.kind not in notices.SURVIVING:
            continue
        revision = _last_signed(checklist.id, bodies)
        if revision is None:
            continue
        document = signoff.document_of(revision, encryption.key_for(checklist))
        survivals.append(notices.duties_in(document, checklist.kind, language))
    return [duties for duties in survivals if duties.parts]


def _last_signed(checklist_id: UUID, organisation_ids: Collection[UUID]) -> Revision | None:
    """Return the last revision that one of some bodies signed and that was in force."""
    has_signed = sa.exists().where(
        Signature.revision_id == Revision.id,
        Signature.organisation_id.in_(organisation_ids),
        Signature.kind == SignatureKind.SIGNATURE,
    )
    return db.session.scalar(
        sa.select(Revision)
        .join(SignatureRequest, SignatureRequest.revision_id == Revision.id)
        .where(
            Revision.subject_id == checklist_id,
            SignatureRequest.state == RequestState.COMPLETED,
            has_signed,
        )
        .order_by(Revision.number.desc())
        .limit(1)
    )
