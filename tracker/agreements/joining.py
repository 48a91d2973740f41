"""A party joining a cooperation with terms in force: it signs an amendment that names it (adr 70).

Until it has signed, it is joining; that is derived from its signatures (Party.is_joining).
"""

from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import selectinload

from tracker.access.actor import Actor, OrganisationKind
from tracker.access.decision import Decision
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.service import DomainEvent
from tracker.agreements import departures, party_changes
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Part
from tracker.checklists import heads, service
from tracker.checklists.loading import LoadedChecklist, load_for_update
from tracker.checklists.models import Checklist, ChecklistState, NoticeKind
from tracker.checklists.queries import SIGNED_BY_NEWCOMERS
from tracker.cooperations import joining as rows
from tracker.cooperations import messages, people, policy, queries
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation, Party, Stage
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.organisations import queries as organisations
from tracker.organisations.models import Organisation

# The checks of items in which a new party has a row, which has to be added.
_ROW_EACH = {
    OrganisationKind.NPM: frozenset({"row_per_party"}),
    OrganisationKind.CSO: frozenset({"row_per_party", "row_per_cso"}),
}


def can_add(actor: Actor, cooperation: Cooperation) -> Decision:
    """Decide whether a person may add a party now; the cooperation's parties must be loaded."""
    return policy.can_add_party(actor, queries.fact(cooperation))


def can_take_back(actor: Actor, cooperation: Cooperation, organisation_id: UUID) -> Decision:
    """Decide whether a person may withdraw the invitation of a party that is joining."""
    return policy.can_take_joining_back(actor, queries.fact(cooperation), organisation_id)


def add(
    actor: Actor, cooperation: Cooperation, organisation_id: UUID, *, reason: str = ""
) -> Party:
    """Add a party: immediately before terms are in force, otherwise as joining.

    In the second case an amendment that names it is opened for each text in force, with the reason.
    Raise RefusedError if the person may not, RuleBrokenError with the field that is invalid.
    """
    _lock(cooperation)
    fact = queries.fact(cooperation)
    policy.can_add_party(actor, fact).require()
    organisation = db.session.get(Organisation, organisation_id)
    if organisation is None or organisations.replaced_by(organisation_id) is not None:
        raise RuleBrokenError(_l("Choose an organisation from the list."), "organisation_id")
    _let_leave(cooperation, organisation_id)
    texts = _texts(cooperation.id)
    _require_settled(texts)
    if fact.terms_in_force:
        decision = policy.can_be_invited(fact, organisation.id, organisation.kind)
        if not decision:
            raise RuleBrokenError(decision.reason, "organisation_id")
        party = _invite(actor, cooperation, organisation, texts, party_changes.tidy(reason))
    else:
        party = cooperations.join_party(actor, cooperation, organisation.id)
    recipients = party_changes.people_of(people.current(cooperation.id))
    own = party_changes.people_of([party])
    messages.party_was_added(cooperation.reference, recipients - own - {actor.user_id})
    messages.you_were_added(cooperation.reference, own, is_joining=fact.terms_in_force)
    return party


def take_back(
    actor: Actor, cooperation: Cooperation, organisation_id: UUID, *, reason: str
) -> Party:
    """Withdraw the invitation of a party that is joining, with a reason; it is removed."""
    _lock(cooperation)
    can_take_back(actor, cooperation, organisation_id).require()
    words = party_changes.tidy(reason)
    party = next(party for party in cooperation.parties if party.organisation_id == organisation_id)
    recipients = party_changes.people_of(people.current(cooperation.id))
    own = party_changes.people_of([party])
    rows.take_back(actor, party, reason=words)
    messages.joining_was_taken_back(cooperation.reference, recipients - own - {actor.user_id})
    messages.your_joining_was_taken_back(own)
    return party


def _let_leave(cooperation: Cooperation, organisation_id: UUID) -> None:
    """End the membership of a party whose last day has passed, as the worker would have done.

    An invitation clears the last day, so nothing else would end it.
    """
    for party in cooperation.parties:
        if party.organisation_id == organisation_id and party.is_leaving:
            departures.carry_out(party.id, clock.today())


def _invite(
    actor: Actor,
    cooperation: Cooperation,
    organisation: Organisation,
    texts: list[Checklist],
    reason: str,
) -> Party:
    in_force = {checklist.kind for checklist in texts if checklist.revision_in_force_id is not None}
    party = rows.invite(
        actor,
        cooperation.id,
        organisation,
        reason=reason,
        with_confidentiality=ChecklistKind.CONFIDENTIALITY in in_force,
    )
    for checklist in texts:
        if checklist.state is ChecklistState.IN_FORCE:
            _open_amendment(actor, checklist, organisation, reason)
        elif checklist.state is ChecklistState.DRAFTING:
            _widen_draft(checklist, organisation)
    return party


def _open_amendment(
    actor: Actor, checklist: Checklist, organisation: Organisation, reason: str
) -> None:
    """Open an amendment that names the new party; a handler makes it a party of the text.

    Only items in which each party has a row are opened. Everything else stays agreed among the
    others: the new party accepts it, or suggests a change.
    """
    codes = _items_with_a_row(load_for_update(checklist), organisation)
    agreements.back_to_drafting(checklist, codes, reason)
    trail.record(
        verbs.AMENDMENT_OPENED,
        actor=actor,
        subject_type=agreements.SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        items=codes,
        reason=reason,
        organisation=organisation.name,
    )


def _widen_draft(checklist: Checklist, organisation: Organisation) -> None:
    """Make the new party a party of a draft, or of an amendment that is already open."""
    loaded = load_for_update(checklist)
    if checklist.open_items is not None:
        codes = {*checklist.open_items, *_items_with_a_row(loaded, organisation)}
        checklist.open_items = [item.code for item in loaded.template.items if item.code in codes]
    service.set_parties(
        checklist,
        (party.organisation_id for party in people.current(checklist.cooperation_id)),
    )


def _items_with_a_row(loaded: LoadedChecklist, organisation: Organisation) -> list[str]:
    return [
        item.code
        for item in loaded.template.items
        if item.part is Part.TERMS
        and any(check.check in _ROW_EACH[organisation.kind] for check in item.done.checks)
    ]


def _texts(cooperation_id: UUID) -> list[Checklist]:
    return [
        checklist
        for checklist in heads.of_cooperation(cooperation_id)
        if checklist.kind in SIGNED_BY_NEWCOMERS
    ]


def _require_settled(texts: list[Checklist]) -> None:
    """Refuse a new party while a text that doesn't name it is pending, or a text is suspended."""
    for checklist in texts:
        if checklist.state is ChecklistState.SENT:
            raise RuleBrokenError(
                _l(
                    "A text is waiting for signatures. Add a party once it's signed, or call it "
                    "back first."
                ),
                "organisation_id",
            )
        if checklist.stopped_by is NoticeKind.SUSPENDED:
            raise RuleBrokenError(
                _l(
                    "The confidentiality terms are suspended. Add a party once the suspension is "
                    "lifted."
                ),
                "organisation_id",
            )


def _lock(cooperation: Cooperation) -> None:
    """Lock the cooperation until the transaction ends, and read it with its parties."""
    party_changes.lock_cooperation(cooperation)
    db.session.execute(
        sa.select(Cooperation)
        .where(Cooperation.id == cooperation.id)
        .options(selectinload(Cooperation.parties).joinedload(Party.organisation))
        .execution_options(populate_existing=True)
    ).all()


# Handlers -----------------------------------------------------------------------------------------


def follow_force(event: DomainEvent) -> None:
    """Record which parties joined with the last signature.

    Handler of CAME_INTO_FORCE, runs first.
    """
    if event.details.get("kind") in SIGNED_BY_NEWCOMERS and event.cooperation_id is not None:
        _note_joined(event)


def follow_end(event: DomainEvent) -> None:
    """Stop asking joining parties to sign confidentiality terms that ended.

    Handler of TEXT_ENDED.
    """
    if event.details.get("kind") != ChecklistKind.CONFIDENTIALITY or event.cooperation_id is None:
        return
    db.session.execute(
        sa.update(Party)
        .where(Party.cooperation_id == event.cooperation_id, Party.joins_confidentiality)
        .values(joins_confidentiality=False)
    )
    _note_joined(event)


def _note_joined(event: DomainEvent) -> None:
    if event.cooperation_id is None:
        return
    joined = rows.note_joined(event.actor, event.cooperation_id)
    if joined:
        cooperation = db.session.get_one(Cooperation, event.cooperation_id)
        messages.party_has_joined(
            cooperation.reference, party_changes.people_of(people.current(cooperation.id))
        )


def follow_taking_back(event: DomainEvent) -> None:
    """Remove a party from the checklists that isn't joining after all.

    Handler of JOINING_TAKEN_BACK.
    """
    if event.cooperation_id is None:
        return
    reason = _(
        "%(organisation)s, which this text names, is not joining the cooperation.",
        organisation=event.details["organisation"],
    )
    party_changes.take_out(
        event.actor,
        event.cooperation_id,
        UUID(str(event.details["organisation_id"])),
        str(reason),
    )


def follow_stage(event: DomainEvent) -> None:
    """End the joining of parties once the whole cooperation has ended.

    Handler of STAGE_CHANGED.
    """
    if event.details.get("after") != Stage.CLOSED.value or event.cooperation_id is None:
        return
    for party in people.current(event.cooperation_id):
        if party.is_joining:
            rows.take_back(None, party, reason="")
            messages.your_joining_was_taken_back(party_changes.people_of([party]))
