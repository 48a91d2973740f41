"""The people around an undertaking: who takes part, what their party does, who decides on it."""

import datetime as dt
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import OrganisationKind
from tracker.accounts.models import Membership, User
from tracker.accounts.queries import is_current_power
from tracker.accounts.queries import runs_on as held_on
from tracker.agreements import frozen_text
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists.encryption import values_of
from tracker.checklists.models import Answer, Checklist
from tracker.checklists.rules.consistency import TIES
from tracker.checklists.rules.values import as_id
from tracker.cooperations import people
from tracker.cooperations.models import CooperationPerson, Party
from tracker.cooperations.scope import has_not_left, reads_since, runs_on
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.models import Organisation
from tracker.signoff import service as signoff
from tracker.signoff.models import (
    RequestState,
    Revision,
    Signature,
    SignatureKind,
    SignatureRequest,
)
from tracker.signoff.paper_policy import RECORDERS
from tracker.undertakings.models import Undertaking
from tracker.undertakings.policy import DECIDERS


@dataclass(frozen=True, slots=True)
class PartyIds:
    """The parties of a cooperation today on which undertakings depend."""

    npm: frozenset[UUID]
    # Those that have yet to sign the terms in force (adr 70).
    joining: frozenset[UUID]


def party_ids(cooperation_id: UUID, terms_frozen_at: dt.datetime | None = None) -> PartyIds:
    """Return the NPM bodies that decide in a cooperation today, and the parties joining it.

    On an undertaking, only those that its terms, frozen at a time, name: a body that was invited
    later decides on what is signed on terms with it (adr 78), and so does its successor.
    """
    rows = db.session.execute(
        sa.select(
            Party.organisation_id,
            Party.side,
            Party.is_joining,
            reads_since().label("reads_since"),
        ).where(
            Party.cooperation_id == cooperation_id,
            has_not_left(clock.today()),
        )
    ).all()
    return PartyIds(
        npm=frozenset(
            row.organisation_id
            for row in rows
            if row.side is OrganisationKind.NPM
            and not row.is_joining
            and not (row.reads_since and terms_frozen_at and terms_frozen_at < row.reads_since)
        ),
        joining=frozenset(row.organisation_id for row in rows if row.is_joining),
    )


def has_role(user_id: UUID, organisation_id: UUID) -> bool:
    """Return whether a person has any role in an organisation today, and isn't suspended."""
    return bool(db.session.scalar(sa.select(has_role_in(user_id, organisation_id))))


def has_role_in(
    user_id: UUID | sa.SQLColumnExpression[UUID],
    organisation_id: UUID | sa.SQLColumnExpression[UUID],
) -> sa.ColumnElement[bool]:
    """Return has_role() as a condition over columns."""
    account = aliased(User)
    return sa.exists().where(
        Membership.user_id == user_id,
        Membership.organisation_id == organisation_id,
        held_on(clock.today()),
        account.id == Membership.user_id,
        account.active.is_(True),
        account.suspended_at.is_(None),
    )


def npm_ids(cooperation_id: UUID) -> frozenset[UUID]:
    """Return the NPM bodies that are parties of a cooperation today."""
    return party_ids(cooperation_id).npm


def homes(cooperation_id: UUID) -> dict[UUID, list[UUID]]:
    """Return for which organisations each person takes part today, among people who may sign in.

    Without parties that are joining: nobody signs an undertaking on terms that their party hasn't
    signed.
    """
    today = clock.today()
    rows = db.session.execute(
        sa.select(CooperationPerson.user_id, CooperationPerson.organisation_id)
        .join(CooperationPerson.user)
        .join(
            Party,
            sa.and_(
                Party.cooperation_id == CooperationPerson.cooperation_id,
                Party.organisation_id == CooperationPerson.organisation_id,
            ),
        )
        .where(
            CooperationPerson.cooperation_id == cooperation_id,
            runs_on(today),
            has_not_left(today),
            ~Party.is_joining,
            User.active.is_(True),
            User.suspended_at.is_(None),
        )
        .order_by(Party.position, CooperationPerson.id)
    )
    organisation_ids: dict[UUID, list[UUID]] = {}
    for row in rows:
        organisation_ids.setdefault(row.user_id, []).append(row.organisation_id)
    return organisation_ids


# What parties do ----------------------------------------------------------------------------------

_DRAFT_OF_M1 = (
    sa.select(Answer)
    .join(Checklist, Checklist.id == Answer.checklist_id)
    .where(
        Checklist.cooperation_id == sa.bindparam("cooperation_id"),
        Checklist.kind == ChecklistKind.TERMS,
        Answer.item == "M1",
        Answer.scope == AnswerScope.SHARED,
    )
    .order_by(Answer.version.desc())
    .limit(1)
)
_SIGNED_TERMS = (
    sa.select(Revision)
    .join(SignatureRequest, SignatureRequest.revision_id == Revision.id)
    .where(
        Revision.cooperation_id == sa.bindparam("cooperation_id"),
        Revision.kind == ChecklistKind.TERMS.value,
        SignatureRequest.state == RequestState.COMPLETED,
    )
    .order_by(Revision.number.desc())
    .limit(1)
)


def acts_for(organisation_id: UUID | sa.SQLColumnExpression[UUID]) -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that its person takes part today for an organisation.

    Also for one that is joining, and always for the one that named them.
    """
    today = clock.today()
    takes_part = (
        sa.exists()
        .where(
            CooperationPerson.cooperation_id == Undertaking.cooperation_id,
            CooperationPerson.user_id == Undertaking.user_id,
            CooperationPerson.organisation_id == organisation_id,
            runs_on(today),
            Party.cooperation_id == CooperationPerson.cooperation_id,
            Party.organisation_id == CooperationPerson.organisation_id,
            has_not_left(today),
        )
        .correlate(Undertaking, Organisation)
    )
    return sa.or_(Undertaking.organisation_id == organisation_id, takes_part)


def ties_of(undertaking: Undertaking) -> dict[Organisation, frozenset[str]]:
    """Return what a person's parties do that is an interest, by party: keys of consistency.TIES.

    Of each party that they take part for, the one that named them first; without those that do
    nothing of this kind. According to the party's own details, and to the terms (M1; S66, S70).
    """
    parties = db.session.scalars(
        sa.select(Organisation)
        .join(Party, Party.organisation_id == Organisation.id)
        .join(Undertaking, Undertaking.cooperation_id == Party.cooperation_id)
        .where(Undertaking.id == undertaking.id, acts_for(Organisation.id))
        .order_by(Organisation.id != Undertaking.organisation_id, Party.position)
    ).all()
    in_terms = ties_in_terms(undertaking.cooperation_id)
    ties = {party: ties_of_itself(party) | in_terms.get(party.id, frozenset()) for party in parties}
    return {party: keys for party, keys in ties.items() if keys}


def ties_of_itself(party: Organisation) -> frozenset[str]:
    """Return which of these a party does according to its own details."""
    return frozenset(key for key in TIES if getattr(party, key))


def ties_in_terms(
    cooperation_id: UUID, at: dt.datetime | None = None
) -> dict[UUID, frozenset[str]]:
    """Return which of these the terms name, by party that does any (M1), now or at a moment.

    By the terms that all have signed, and by their draft: a draft doesn't end what was signed.
    """
    draft, signed = _DRAFT_OF_M1, _SIGNED_TERMS
    if at is not None:
        draft = draft.where(Answer.saved_at <= at)
        signed = signed.where(
            ~sa.exists().where(
                Signature.revision_id == Revision.id,
                Signature.kind == SignatureKind.SIGNATURE,
                Signature.signed_at > at,
            )
        )
    values = {"cooperation_id": cooperation_id}
    answer, revision = db.session.scalar(draft, values), db.session.scalar(signed, values)
    rows: list[Mapping[str, Any]] = []
    if answer is not None:
        rows += values_of(cooperation_id, answer).get("parties") or ()
    if revision is not None:
        text = signoff.document_of(revision, None)
        rows += frozen_text.values_in(text, "M1").get("parties") or ()
    ties: dict[UUID, frozenset[str]] = {}
    for row in rows:
        party_id = as_id(row.get("party"))
        keys = frozenset(key for key in TIES if row.get(key) is True)
        if party_id is not None and keys:
            ties[party_id] = ties.get(party_id, frozenset()) | keys
    return ties


# Who decides --------------------------------------------------------------------------------------


def deciders(cooperation_id: UUID, *, besides: AbstractSet[UUID] = frozenset()) -> list[User]:
    """Return who is asked to decide for the NPM, without some people.

    Those with that power who take part; if there are none, all that the NPM has.
    """
    with_power = all_deciders(cooperation_id, besides=besides)
    taking_part = {
        person.user_id
        for person in people.people(cooperation_id)
        if person.is_npm_staff and not person.roles.isdisjoint(DECIDERS)
    }
    return [user for user in with_power if user.id in taking_part] or with_power


def all_deciders(cooperation_id: UUID, *, besides: AbstractSet[UUID]) -> list[User]:
    """Return who decides for the NPM today without some people, by name; see policy.is_decider."""
    holds_power = sa.exists().where(
        Membership.user_id == User.id,
        Membership.organisation_id.in_(npm_ids(cooperation_id)),
        is_current_power(clock.today()),
        Membership.outside_expert.is_(False),
        people.membership_counts(),
    )
    return list(
        db.session.scalars(
            sa.select(User).where(holds_power, User.id.not_in(besides)).order_by(User.name, User.id)
        )
    )


def has_another_coordinator(cooperation_id: UUID, *, besides: AbstractSet[UUID]) -> bool:
    """Return whether the NPM has somebody else who can take a signature, apart from some people."""
    coordinates = sa.exists().where(
        Membership.user_id == User.id,
        Membership.organisation_id.in_(npm_ids(cooperation_id)),
        Membership.role.in_(RECORDERS),
        Membership.outside_expert.is_(False),
        people.membership_counts(),
        User.id.not_in(besides),
    )
    return bool(db.session.scalar(sa.select(coordinates)))


def name_of(user_id: UUID | None) -> str:
    """Return a person's name, empty for nobody."""
    return "" if user_id is None else db.session.get_one(User, user_id).name
