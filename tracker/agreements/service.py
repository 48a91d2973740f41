"""Service functions for signing a checklist: send, sign, decline, call back, amend.

In one file: the verbs take one signature request from its sending to its end, and share who signs
and who is told.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.accounts import queries as accounts
from tracker.accounts.queries import Signatory
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.agreements import frozen_text
from tracker.agreements.document import Languages, document, languages_for
from tracker.checklist_templates import library, translations
from tracker.checklist_templates.languages import lacking
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Part
from tracker.checklists import encryption, messages, obstacles, policy, queries
from tracker.checklists.encryption import is_restricted
from tracker.checklists.loading import (
    LoadedChecklist,
    load,
    load_for_update,
    lock,
)
from tracker.checklists.models import (
    Checklist,
    ChecklistState,
    Notice,
    Stance,
)
from tracker.checklists.rules.values import as_id
from tracker.checklists.service import count_again, put_position
from tracker.cooperations import keys
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.guidance import queries as guidance
from tracker.signoff import messages as receipts
from tracker.signoff import (
    outcomes,
    shown,
    signers,
)
from tracker.signoff import queries as requests
from tracker.signoff import service as signoff
from tracker.signoff import (
    settings as signing_settings,
)
from tracker.signoff.identity_proof import Identity, SigningPage
from tracker.signoff.models import (
    RequestState,
    Revision,
    Signature,
    SignatureKind,
    SignatureRequest,
)
from tracker.signoff.policy import RequestStatus
from tracker.signoff.signers import Named, Order, PartySigners

SUBJECT = "checklist"
# What of a text's history stands on its record and its certificate: how it was settled and signed,
# not each answer.
ON_THE_RECORD = (
    verbs.PROPOSAL_ACCEPTED,
    verbs.FLAG_RAISED,
    verbs.FLAG_CLOSED,
    verbs.SAFEGUARDS_REVIEWED,
    verbs.SENT_FOR_SIGNATURE,
    verbs.SIGNING_PASSED_ON,
    verbs.SIGNATORIES_REMINDED,
    verbs.SIGNED,
    verbs.FORMER_AGREEMENT_RECORDED,
    verbs.PAPER_RECORDED,
    verbs.PAPER_CONFIRMED,
    verbs.PAPER_REFUSED,
    verbs.PAPER_WITHDRAWN,
    verbs.SIGNED_ON_PAPER,
    verbs.DECLINED,
    verbs.SIGNATURE_REQUEST_WITHDRAWN,
    verbs.SIGNATURE_REQUEST_EXPIRED,
    verbs.CAME_INTO_FORCE,
    verbs.NOTICE_GIVEN,
    verbs.NOTICE_TAKEN_BACK,
    verbs.TEXT_SUSPENDED,
    verbs.SUSPENSION_LIFTED,
    verbs.TEXT_ENDED,
    verbs.TEXT_RENEWED,
    verbs.AMENDMENT_OPENED,
)
MOST_DAYS = 365
# How often those are reminded who still have to sign, in days; who is meant, beside people by ids.
RHYTHMS = (1, 3, 7, 14)
WHO_SIGNS = "signatories"


@dataclass(frozen=True, slots=True)
class Asking:
    """In which order the parties sign, until which day, and who is reminded how often.

    Without a day, as many days as the instance gives.
    """

    order: Order = Order.TOGETHER
    expires_on: dt.date | None = None
    remind_every: int | None = None
    remind_whom: tuple[str, ...] = (WHO_SIGNS,)
    # Why the person whom M1 names does not have to sign, by party.
    instead: Mapping[UUID, str] = field(default_factory=dict)


def languages(filling: LoadedChecklist) -> dict[str, tuple[str, ...]]:
    """Return the languages the text is frozen in, each with the items that have no words in it.

    They are the template's own, and those the current parties work in of which there are words.
    """
    own = library.parsed(filling.checklist.template)
    there = translations.current(filling.checklist.template_id)
    used = (code for party in filling.parties for code in party.languages if code in there)
    signed = {item.code for item in own.items if item.part is Part.TERMS}
    return {own.language: ()} | {
        code: tuple(
            item for item in lacking(translations.parsed(there[code]), own) if item in signed
        )
        for code in dict.fromkeys(used)
        if code != own.language
    }


def binding_by_default(filling: LoadedChecklist) -> str:
    """Return the language that counts unless another is chosen: the first of the NPM."""
    known = languages(filling)
    npm = filling.surroundings.parties_of(OrganisationKind.NPM)
    first = (code for party in npm for code in party.languages if code in known)
    return next(first, next(iter(known)))


def _languages(filling: LoadedChecklist, binding: str) -> Languages:
    known = list(languages(filling))
    chosen = binding or binding_by_default(filling)
    if chosen not in known:
        raise RuleBrokenError(_l("Choose the language that counts."), "binding")
    return languages_for(filling.checklist.template, known, chosen)


def send(
    actor: Actor,
    checklist: Checklist,
    named: Mapping[UUID, UUID | PartySigners],
    *,
    binding: str = "",
    asking: Asking | None = None,
) -> SignatureRequest:
    """Freeze the text and ask those who are named for each party to sign it.

    named are the one person who signs for a party, or who of several. binding is the language that
    counts where two differ; without it, the first of the NPM.
    """
    filling = load_for_update(checklist)
    own = filling.own_party(actor)
    policy.can_send(actor, own, checklist.state).require()
    for obstacle in obstacles.to_sending(filling):
        raise RuleBrokenError(obstacle)
    asking = _checked(filling, asking or Asking())
    parties = _parties(filling, named, asking.order)
    people = _named(filling, parties)
    require_four_eyes(filling, parties)
    others = _instead(filling, parties, asking.instead)
    revision = signoff.freeze(
        actor,
        cooperation_id=checklist.cooperation_id,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        kind=checklist.kind.value,
        document={
            **document(filling, people, guidance.current_revisions(), _languages(filling, binding)),
            "signing": _rules(parties, asking, others),
        },
        key=encryption.key_for(checklist),
        # Why it was open again. On a visit's checklist these words may speak of the visit.
        reason="" if is_restricted(checklist) else (checklist.reason or ""),
    )
    asked = signoff.request(
        actor,
        revision,
        parties,
        expires_on=asking.expires_on,
        remind_every=asking.remind_every,
        remind_whom=asking.remind_whom,
    )
    checklist.state = ChecklistState.SENT
    checklist.revision_sent_id = revision.id
    db.session.flush()
    trail.record(
        verbs.SENT_FOR_SIGNATURE,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        evidence=signoff.evidence_of_revision(revision),
        kind=checklist.kind.value,
        revision=revision.number,
        document_digest=revision.digest,
        signatories=[f"{one['name']}, {one['organisation']}" for one in people],
    )
    first = signers.whose_turn(parties, ())
    messages.waits_for_signature(checklist.id, [person for _party, person in first])
    return asked


def _checked(filling: LoadedChecklist, asking: Asking) -> Asking:
    """Return how it is asked, with the day it runs out; refuse days and people that can't be."""
    today = clock.today()
    last = asking.expires_on or today + dt.timedelta(days=signing_settings.current().days)
    if not today <= last <= today + dt.timedelta(days=MOST_DAYS):
        raise RuleBrokenError(_l("Choose a day from today on, within a year."), "expires_on")
    if asking.remind_every is not None and asking.remind_every not in RHYTHMS:
        raise RuleBrokenError(_l("Choose how often to remind."), "remind_every")
    known = {WHO_SIGNS, *(str(user_id) for user_id in who_else_is_reminded(filling))}
    whom = tuple(asking.remind_whom)
    if asking.remind_every is not None and not (whom and known.issuperset(whom)):
        raise RuleBrokenError(_l("Choose who is reminded."), "remind_whom")
    return replace(asking, expires_on=last, remind_whom=whom)


def who_else_is_reminded(filling: LoadedChecklist) -> dict[UUID, str]:
    """Return who can be reminded beside those who sign: the coordinators of the parties, by name.

    On a visit's checklist nobody: others may not know that there is one.
    """
    if is_restricted(filling.checklist):
        return {}
    return {
        one.user_id: f"{one.name}, {party.name}"
        for party in filling.surroundings.parties
        for one in accounts.people_with_role(party.organisation_id, [Role.COORDINATOR])
    }


def _parties(
    filling: LoadedChecklist, named: Mapping[UUID, UUID | PartySigners], order: Order
) -> tuple[PartySigners, ...]:
    """Return who signs for each party of the text, in the order in which the sides sign."""
    found = []
    for party in filling.parties:
        one = named.get(party.organisation_id)
        if one is None:
            raise RuleBrokenError(
                _l("Choose who signs for %(party)s.", party=party.name),
                f"party_{party.organisation_id}",
            )
        alone = PartySigners(party.organisation_id, (Named(one),)) if isinstance(one, UUID) else one
        found.append(alone)
    is_npm = {
        party.organisation_id: party.side is OrganisationKind.NPM for party in filling.parties
    }
    return signers.in_order(found, order, is_npm)


def named_by_m1(filling: LoadedChecklist) -> dict[UUID, UUID]:
    """Return by party whom item M1 of the terms names to sign for it.

    The terms say it of themselves, amended and renewed by new dates too; of a cooperation's other
    texts, the terms that stand: none do before the first are in force. A body that took the place
    of a party is named by no M1 until the terms are amended. Where M1 names nobody for a party,
    there is nothing to differ from.
    """
    if filling.checklist.kind is ChecklistKind.TERMS:
        answer = filling.sheet.shared("M1")
        values = answer.values if answer else {}
    else:
        values = _m1_of_the_standing_terms(filling.checklist)
    found = {}
    for row in values.get("parties") or ():
        party, person = as_id(row.get("party")), as_id(row.get("signatory"))
        if party and person:
            found[party] = person
    return found


def _m1_of_the_standing_terms(checklist: Checklist) -> Mapping[str, Any]:
    revision = db.session.scalar(
        sa.select(Revision)
        .join(
            Checklist,
            Revision.id == sa.func.coalesce(Checklist.revision_in_force_id, Checklist.stopped_id),
        )
        .where(
            Checklist.cooperation_id == checklist.cooperation_id,
            Checklist.kind == ChecklistKind.TERMS,
        )
    )
    return frozen_text.values_in(signoff.document_of(revision, None), "M1") if revision else {}


def _instead(
    filling: LoadedChecklist, parties: Iterable[PartySigners], reasons: Mapping[UUID, str]
) -> dict[UUID, dict[str, str]]:
    """Return of each party whose person named by M1 does not have to sign: who, and why."""
    named = named_by_m1(filling)
    names = accounts.names(named.values())
    found = {}
    for party in parties:
        own = party.organisation_id
        if own not in named or party.has_to_sign(named[own]):
            continue
        reason = " ".join(reasons.get(own, "").split())
        if not reason:
            raise RuleBrokenError(
                _l(
                    "Item M1 names %(name)s. Name the same person, or say why not.",
                    name=names.get(named[own], ""),
                ),
                f"instead_{own}",
            )
        found[own] = {"m1_names": names.get(named[own], ""), "instead_because": reason}
    return found


def _rules(
    parties: Iterable[PartySigners], asking: Asking, others: Mapping[UUID, Mapping[str, str]]
) -> dict[str, Any]:
    """Return by which rule and until when it is signed, as the text that is signed says."""
    return {
        "until": asking.expires_on.isoformat() if asking.expires_on else None,
        "order": asking.order.value,
        "parties": [
            {
                "organisation_id": str(party.organisation_id),
                "needed": party.required,
                "named": len(party.named),
                **others.get(party.organisation_id, {}),
            }
            for party in parties
        ],
    }


def require_four_eyes(
    filling: LoadedChecklist, parties: Iterable[PartySigners], field: str = ""
) -> None:
    """Refuse who drafted alone as the only signer of the NPM side, where the instance asks (5.2).

    Drafted alone: all that the NPM side wrote in the text as it stands is by one person.
    """
    if not signing_settings.current().four_eyes:
        return
    npm = {party.organisation_id for party in filling.surroundings.parties_of(OrganisationKind.NPM)}
    authors = {
        one.author_id: one.author_name
        for one in filling.sheet.answers.values()
        if one.organisation_id in npm
    }
    of_npm = [party for party in parties if party.organisation_id in npm]
    for author_id, name in authors.items():
        if len(authors) == 1 and signers.could_sign_alone(of_npm, author_id):
            raise RuleBrokenError(
                _l(
                    "%(name)s wrote this text alone and can't be the only one who signs for the "
                    "NPM. Name somebody else, or two.",
                    name=name,
                ),
                field or f"party_{of_npm[0].organisation_id}",
            )


def signatories(filling: LoadedChecklist) -> dict[UUID, tuple[Signatory, ...]]:
    """Return who could sign for each party: its signatories, who can open the text.

    The planning of a visit (class K2) is opened by those listed in V2 and cleared alone.
    """
    today = clock.today()
    able = {
        party.organisation_id: accounts.signatories_of(party.organisation_id, today)
        for party in filling.parties
    }
    if not is_restricted(filling.checklist):
        return able
    may_open = queries.may_open_planning(filling.checklist)
    return {
        party.organisation_id: tuple(
            one for one in able[party.organisation_id] if one.user_id in may_open[party.side]
        )
        for party in filling.parties
    }


def _named(filling: LoadedChecklist, parties: Iterable[PartySigners]) -> list[dict[str, Any]]:
    """Return all who are named with the power to sign; refuse who has none today."""
    found: list[dict[str, Any]] = []
    possible = signatories(filling)
    names = {party.organisation_id: party.name for party in filling.parties}
    for party in parties:
        able = {one.user_id: one for one in possible[party.organisation_id]}
        found += [
            {
                "organisation": names[party.organisation_id],
                "organisation_id": str(party.organisation_id),
                **_person(able.get(one.user_id), party, names[party.organisation_id]),
                **({"turn": one.turn} if one.turn else {}),
                **({"on_behalf_of": one.on_behalf_of} if one.on_behalf_of else {}),
            }
            for one in party.named
        ]
    return found


def _person(chosen: Signatory | None, party: PartySigners, party_name: str) -> dict[str, str]:
    field = f"party_{party.organisation_id}"
    if chosen is None:
        raise RuleBrokenError(_l("Choose who signs for %(party)s.", party=party_name), field)
    if not chosen.power:
        raise RuleBrokenError(
            _l("The power of %(name)s to sign is not recorded.", name=chosen.name), field
        )
    if not chosen.holds_on(clock.today()):
        raise RuleBrokenError(
            _l("The power of %(name)s to sign does not run today.", name=chosen.name), field
        )
    days = {
        key: day.isoformat()
        for key, day in (("power_from", chosen.power_from), ("power_until", chosen.power_until))
        if day
    }
    return {"name": chosen.name, "office": chosen.office, "power": chosen.power, **days}


def sign(
    actor: Actor,
    checklist: Checklist,
    *,
    page: SigningPage | None,
    sentence: str,
    language: str,
    identity: Identity,
) -> Signature:
    """Sign the text that was sent; with the last signature it is in force, in one transaction.

    Raise NotShownError when the person's page showed another text, or was opened too long ago.
    """
    lock(checklist)
    asked = waiting_request(checklist)
    before = requests.standing_of(asked)
    signature = signoff.sign(
        actor, asked, page=page, sentence=sentence, language=language, identity=identity
    )
    trail.record(
        verbs.SIGNED,
        actor=actor,
        subject_type="signature",
        subject_id=signature.id,
        cooperation_id=checklist.cooperation_id,
        evidence=signature.digest,
        kind=checklist.kind.value,
        revision=asked.revision.number,
        document_digest=asked.revision.digest,
        organisation=actor.organisation_name,
        method=identity.method.value,
    )
    cooperation = db.session.get_one(Cooperation, checklist.cooperation_id)
    receipts.receipt(signature, email=actor.email, reference=cooperation.reference)
    if asked.state is RequestState.COMPLETED:
        _come_into_force(actor, checklist, asked.revision)
        told = concerned(load(checklist), asked)
        messages.came_into_force(checklist.id, told - {actor.user_id})
    else:
        _tell_whose_turn_came(checklist, before, signature)
    return signature


def _tell_whose_turn_came(checklist: Checklist, before: RequestStatus, given: Signature) -> None:
    """Write to those who could not sign before a signature and can now."""
    there = [(given.organisation_id, given.user_id)] if given.organisation_id else []
    signed = before.signed.union(there)
    could = set(signers.whose_turn(before.parties, before.signed))
    can = set(signers.whose_turn(before.parties, signed))
    messages.waits_for_signature(checklist.id, [person for _party, person in can - could])


def _require_signed_by_all(revision: Revision) -> None:
    """Refuse to bring a text into force that lacks a signature by the rule that it states itself.

    Who was asked to sign stands in rows; what binds is the frozen text (5.9).
    """
    key = keys.key_of(revision.cooperation_id) if revision.is_sealed else None
    document = signoff.document_of(revision, key)
    given = [
        outcomes.Given(one.organisation_id, one.user_id, event=0)
        for one in requests.signatures_on([revision.id]).get(revision.id, [])
        if one.kind is SignatureKind.SIGNATURE
    ]
    if not outcomes.is_signed_by_all(outcomes.rule_of(document), given):
        raise RuleBrokenError(
            _l(
                "Who was asked to sign is not whom the text names. Nothing was signed. Ask an "
                "administrator to run the check that nothing was altered."
            )
        )


def _come_into_force(
    actor: Actor, checklist: Checklist, revision: Revision, since: dt.datetime | None = None
) -> None:
    _require_signed_by_all(revision)
    checklist.state = ChecklistState.IN_FORCE
    checklist.revision_in_force_id = revision.id
    checklist.revision_sent_id = None
    checklist.stopped_by = None
    checklist.stopped_id = None
    checklist.in_force_at = since or clock.now()
    # What all have signed takes the place of what a party gave notice of before.
    db.session.execute(
        sa.update(Notice)
        .where(Notice.checklist_id == checklist.id, Notice.closed_at.is_(None))
        .values(closed_at=clock.now())
    )
    checklist.open_items = None
    encryption.put_reason(checklist, checklist, "")
    db.session.flush()
    trail.record(
        verbs.CAME_INTO_FORCE,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        revision=revision.number,
        document_digest=revision.digest,
    )


def decline(
    actor: Actor,
    checklist: Checklist,
    *,
    page: SigningPage | None,
    reason: str,
    items: Iterable[str],
) -> None:
    """Decline with a reason: back to drafting with only the named items open (5.4).

    Raise NotShownError when the person's page showed another text.
    """
    lock(checklist)
    asked = waiting_request(checklist)
    filling = load(checklist)
    codes = _named_items(filling, items)
    signoff.decline(
        actor, asked, page=page, reason=reason, items=codes, key=encryption.key_for(checklist)
    )
    _ask_for_changes(actor, filling, codes, reason)
    back_to_drafting(checklist, codes, reason)
    trail.record(
        verbs.DECLINED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        revision=asked.revision.number,
        organisation=actor.organisation_name,
        items=codes,
        reason="" if is_restricted(checklist) else reason,
    )
    messages.was_declined(checklist.id, concerned(filling, asked) - {actor.user_id})


def call_back(actor: Actor, checklist: Checklist, *, reason: str) -> None:
    """Call a text back from signature with a reason; what was open before it was sent is again."""
    lock(checklist)
    asked = waiting_request(checklist)
    filling = load(checklist)
    own = filling.own_party(actor)
    policy.can_withdraw_request(actor, own).require()
    signoff.withdraw(actor, asked, reason=reason, key=encryption.key_for(checklist))
    back_to_drafting(checklist, checklist.open_items, reason)
    trail.record(
        verbs.SIGNATURE_REQUEST_WITHDRAWN,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        revision=asked.revision.number,
        reason="" if is_restricted(checklist) else reason,
    )


def amend(actor: Actor, checklist: Checklist, *, reason: str, items: Iterable[str]) -> None:
    """Open named items of a text in force; the old revision stays in force meanwhile (5.7)."""
    filling = load_for_update(checklist)
    own = filling.own_party(actor)
    policy.can_amend(actor, own, checklist.state).require()
    codes = _named_items(filling, items)
    if not reason.strip():
        raise RuleBrokenError(_l("Give the reason for the amendment."), "reason")
    _ask_for_changes(actor, filling, codes, reason)
    back_to_drafting(checklist, codes, reason)
    trail.record(
        verbs.AMENDMENT_OPENED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        items=codes,
        reason="" if is_restricted(checklist) else reason,
    )


def concerned(filling: LoadedChecklist, asked: SignatureRequest) -> set[UUID]:
    """Return who is told how a request ended: its signatories, who sent it, and the coordinators.

    Of a text of class K2 only those named on it: others may not know that there is one.
    """
    told = {slot.user_id for slot in asked.slots} | {asked.sent_by_id}
    if is_restricted(filling.checklist):
        return told
    return told | _people_with(filling, Role.COORDINATOR)


def everyone(filling: LoadedChecklist) -> set[UUID]:
    """Return who is told of what happens to a text in force: coordinators and signatories."""
    return _people_with(filling, Role.COORDINATOR, Role.SIGNATORY)


def _people_with(filling: LoadedChecklist, *roles: Role) -> set[UUID]:
    return {
        one.user_id
        for party in filling.surroundings.parties
        for one in accounts.people_with_role(party.organisation_id, roles)
    }


def _ask_for_changes(
    actor: Actor, filling: LoadedChecklist, codes: Iterable[str], reason: str
) -> None:
    """Let the own party want a change of the named items: they are not agreed any more (4.10)."""
    if actor.organisation_id is None:
        return
    for code in codes:
        current = filling.sheet.shared(code)
        if current is not None:
            put_position(
                filling,
                filling.template.by_code[code],
                current.answer_id,
                (actor.user_id, actor.organisation_id),
                Stance.WANTS_CHANGE,
                reason.strip(),
            )


def _named_items(filling: LoadedChecklist, items: Iterable[str]) -> list[str]:
    """Return the items that are to change, in the order of the checklist (4.10)."""
    named = set(items)
    codes = [
        item.code
        for item in filling.template.items
        if item.code in named and item.part is Part.TERMS
    ]
    if not codes or len(codes) < len(named):
        raise RuleBrokenError(_l("Name at least one item that has to change."), "items")
    return codes


def back_to_drafting(checklist: Checklist, open_items: list[str] | None, reason: str) -> None:
    """Open some items, or all, of a text again, with the reason."""
    checklist.state = ChecklistState.DRAFTING
    checklist.revision_sent_id = None
    checklist.open_items = open_items
    encryption.put_reason(checklist, checklist, reason.strip())
    db.session.flush()
    count_again(checklist)


def page_with(checklist: Checklist) -> SigningPage:
    """Return a page that is opened now and shows the text that waits for signatures, if any."""
    if checklist.revision_sent_id is None:
        return shown.page_with("")
    return shown.page_with(db.session.get_one(Revision, checklist.revision_sent_id).digest)


def waiting_request(checklist: Checklist) -> SignatureRequest:
    """Return the request a text waits on, locked; raise RuleBrokenError when it waits on none."""
    if checklist.revision_sent_id is None:
        raise RuleBrokenError(_l("This text does not wait for signatures."))
    return signoff.locked_request(checklist.revision_sent_id)


def finish(
    actor: Actor,
    checklist: Checklist,
    asked: SignatureRequest,
    *,
    since: dt.datetime | None = None,
) -> None:
    """Bring a text into force whose last signature came on paper, and tell those concerned.

    since is from when on, where that is not now: of an agreement made before the product came.
    """
    _come_into_force(actor, checklist, asked.revision, since)
    told = concerned(load(checklist), asked)
    messages.came_into_force(checklist.id, told - {actor.user_id})


def reopen(checklist: Checklist, reason: str) -> None:
    """Let a text be changed again that waits for signatures no more, as before it was sent."""
    back_to_drafting(checklist, checklist.open_items, reason)
