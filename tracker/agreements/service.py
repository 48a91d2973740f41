"""Service functions for signing a checklist: send, sign, decline, call back, amend.

In one file: the verbs follow one signature request from sending to its end, and share who signs and
who is notified.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
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
from tracker.activity.witness import NotSoundError
from tracker.agreements import evidence, frozen_text, text_facts
from tracker.agreements.document import Languages, document, languages_for
from tracker.agreements.paper import marks
from tracker.agreements.paper import messages as paper_messages
from tracker.checklist_templates import library, translations
from tracker.checklist_templates.languages import lacking
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Part
from tracker.checklists import encryption, messages, obstacles, policy, queries
from tracker.checklists.encryption import is_restricted
from tracker.checklists.heads import latest_start, lock
from tracker.checklists.loading import LoadedChecklist, load, load_for_update
from tracker.checklists.models import (
    Checklist,
    ChecklistState,
    Notice,
    NoticeKind,
    Stance,
)
from tracker.checklists.negotiation import text_digest
from tracker.checklists.negotiation.stored_positions import put_position
from tracker.checklists.rules.completeness import not_accepting
from tracker.checklists.rules.consistency import starts_too_late
from tracker.checklists.rules.values import as_id
from tracker.checklists.service import count_again
from tracker.cooperations import departures, keys
from tracker.cooperations.models import Cooperation, Party
from tracker.core import clock
from tracker.core.db import db, load_joined
from tracker.core.errors import RuleBrokenError
from tracker.guidance import queries as guidance
from tracker.organisations.models import Organisation
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
    SignatureParty,
    SignatureRequest,
)
from tracker.signoff.policy import RequestStatus
from tracker.signoff.signers import Named, Order, PartySigners
from tracker.ui.locale import with_commas

SUBJECT = "checklist"
# The events shown on a text's record and certificate: how it was settled and signed, not each
# answer.
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
    verbs.AMENDMENT_CALLED_OFF,
)
MOST_DAYS = 365
# How often to remind people who still have to sign, in days; people to remind besides, by id.
RHYTHMS = (1, 3, 7, 14)
WHO_SIGNS = "signatories"


@dataclass(frozen=True, slots=True)
class Asking:
    """In which order the parties sign, the deadline, and who is reminded how often.

    Without a day, the instance's default number of days applies.
    """

    order: Order = Order.TOGETHER
    expires_on: dt.date | None = None
    remind_every: int | None = None
    remind_whom: tuple[str, ...] = (WHO_SIGNS,)
    # Why the person named in M1 doesn't have to sign, by party.
    instead: Mapping[UUID, str] = field(default_factory=dict)


def languages(loaded: LoadedChecklist) -> dict[str, tuple[str, ...]]:
    """Return the languages a text is frozen in, each with the items not translated into it.

    They are the template's own, and those the current parties work in that it is translated into.
    """
    own = library.parsed(loaded.checklist.template)
    words = translations.current(loaded.checklist.template_id)
    used = (code for party in loaded.parties for code in party.languages if code in words)
    signed = {item.code for item in own.items if item.part is Part.TERMS}
    return {own.language: ()} | {
        code: tuple(
            item for item in lacking(translations.parsed(words[code]), own) if item in signed
        )
        for code in dict.fromkeys(used)
        if code != own.language
    }


def binding_by_default(loaded: LoadedChecklist) -> str:
    """Return the binding language unless another is chosen: the NPM's first one."""
    known = languages(loaded)
    npm = loaded.surroundings.parties_of(OrganisationKind.NPM)
    first = (code for party in npm for code in party.languages if code in known)
    return next(first, next(iter(known)))


def _languages(loaded: LoadedChecklist, binding: str) -> Languages:
    known = list(languages(loaded))
    chosen = binding or binding_by_default(loaded)
    if chosen not in known:
        raise RuleBrokenError(_l("Choose the binding language."), "binding")
    return languages_for(loaded.checklist.template, known, chosen)


def send(
    actor: Actor,
    checklist: Checklist,
    named: Mapping[UUID, UUID | PartySigners],
    *,
    binding: str = "",
    asking: Asking | None = None,
) -> SignatureRequest:
    """Freeze the text and ask the people named for each party to sign it.

    named are the people who sign for each party: one, or several with a rule. binding is the
    language that prevails where two differ; by default the NPM's first one.
    """
    return _send(actor, load_for_update(checklist), named, binding, asking)


def send_as_shown(
    actor: Actor,
    checklist: Checklist,
    named: Mapping[UUID, UUID | PartySigners],
    *,
    token: str,
    binding: str = "",
    asking: Asking | None = None,
) -> SignatureRequest:
    """Send a text like send(), if it is as it was on the page with that token (sending_token).

    Raise NotShownError if an answer, or what the text is frozen in, has changed since.
    """
    loaded = load_for_update(checklist)
    policy.can_send(
        actor, loaded.own_party(actor), checklist.state, goes_on=loaded.goes_on()
    ).require()
    text_digest.require_sending_shown(loaded, actor, languages(loaded), token)
    return _send(actor, loaded, named, binding, asking)


def sending_token(actor: Actor, loaded: LoadedChecklist) -> str:
    """Return the token of a page on which the actor sends the text as it is now."""
    return text_digest.sending_token(loaded, actor, languages(loaded))


def _send(
    actor: Actor,
    loaded: LoadedChecklist,
    named: Mapping[UUID, UUID | PartySigners],
    binding: str,
    asking: Asking | None,
) -> SignatureRequest:
    checklist = loaded.checklist
    policy.can_send(
        actor, loaded.own_party(actor), checklist.state, goes_on=loaded.goes_on()
    ).require()
    for obstacle in obstacles.to_sending(loaded):
        raise RuleBrokenError(obstacle.words)
    asking = _checked(loaded, asking or Asking())
    parties = _parties(loaded, named, asking.order)
    people = _named(loaded, parties)
    require_four_eyes(loaded, parties)
    others = _instead(loaded, parties, asking.instead)
    revision = signoff.freeze(
        actor,
        cooperation_id=checklist.cooperation_id,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        kind=checklist.kind.value,
        document={
            **document(loaded, people, guidance.current_revisions(), _languages(loaded, binding)),
            "signing": _rules(parties, asking, others),
        },
        key=encryption.key_for(checklist),
        # Why it was open again. On a visit's checklist this reason may mention the visit.
        reason="" if is_restricted(checklist) else (checklist.reason or ""),
    )
    signature_request = signoff.request(
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
        signatories=[f"{person['name']}, {person['organisation']}" for person in people],
    )
    messages.no_longer_ready_to_send(checklist.id)
    first = signers.whose_turn(parties, ())
    messages.waits_for_signature(checklist.id, [person for _party, person in first])
    return signature_request


def _checked(loaded: LoadedChecklist, asking: Asking) -> Asking:
    """Return the request's options with its last day; raise RuleBrokenError for invalid ones."""
    today = clock.today()
    last = asking.expires_on or today + dt.timedelta(days=signing_settings.current().days)
    if not today <= last <= today + dt.timedelta(days=MOST_DAYS):
        raise RuleBrokenError(_l("Choose a day from today on, within a year."), "expires_on")
    if asking.remind_every is not None and asking.remind_every not in RHYTHMS:
        raise RuleBrokenError(_l("Choose how often to remind."), "remind_every")
    known = {WHO_SIGNS, *(str(user_id) for user_id in who_else_is_reminded(loaded))}
    whom = tuple(asking.remind_whom)
    if asking.remind_every is not None and not (whom and known.issuperset(whom)):
        raise RuleBrokenError(_l("Choose who is reminded."), "remind_whom")
    return replace(asking, expires_on=last, remind_whom=whom)


def who_else_is_reminded(loaded: LoadedChecklist) -> dict[UUID, str]:
    """Return who can be reminded besides the signatories: the parties' coordinators, by name.

    Nobody for a visit's checklist, since others may not know that the visit exists.
    """
    if is_restricted(loaded.checklist):
        return {}
    names = accounts.names_by_organisation(
        [party.organisation_id for party in loaded.parties], [Role.COORDINATOR]
    )
    return {
        user_id: with_commas((name, party.name))
        for party in loaded.parties
        for user_id, name in names[party.organisation_id].items()
    }


def _parties(
    loaded: LoadedChecklist, named: Mapping[UUID, UUID | PartySigners], order: Order
) -> tuple[PartySigners, ...]:
    """Return who signs for each party of the text, in the order in which the sides sign."""
    parties_signing = []
    for party in loaded.parties:
        party_signers = named.get(party.organisation_id)
        if party_signers is None:
            raise RuleBrokenError(
                _l("Choose who signs for %(party)s.", party=party.name),
                f"party_{party.organisation_id}",
            )
        alone = (
            PartySigners(party.organisation_id, (Named(party_signers),))
            if isinstance(party_signers, UUID)
            else party_signers
        )
        parties_signing.append(alone)
    is_npm = {party.organisation_id: party.side is OrganisationKind.NPM for party in loaded.parties}
    return signers.in_order(parties_signing, order, is_npm)


def named_by_m1(loaded: LoadedChecklist) -> dict[UUID, UUID]:
    """Return the person whom item M1 of the terms names to sign for each party.

    The terms use their own M1, also when they are amended or renewed; a cooperation's other texts
    use the M1 that its terms agreed on (_m1_agreed_beside). M1 names nobody for a party's successor
    until the terms are amended. If M1 names nobody for a party, anybody with the power may be
    named.
    """
    if loaded.checklist.kind is ChecklistKind.TERMS:
        values = _values_of_m1(loaded)
    else:
        values = _m1_agreed_beside(loaded.checklist)
    signers = {}
    for row in values.get("parties") or ():
        party, person = as_id(row.get("party")), as_id(row.get("signatory"))
        if party and person:
            signers[party] = person
    return signers


def _values_of_m1(loaded: LoadedChecklist) -> Mapping[str, Any]:
    answer = loaded.sheet.shared("M1")
    return answer.values if answer else {}


def _m1_agreed_beside(checklist: Checklist) -> Mapping[str, Any]:
    """Return the M1 that counts for a cooperation's other texts; empty if none is agreed.

    Of the terms that are in force or stopped, whatever an amendment says; before any were, of those
    that are sent for signature; before that, of the draft if all parties accept the item as it is.
    """
    terms = db.session.scalar(
        sa.select(Checklist).where(
            Checklist.cooperation_id == checklist.cooperation_id,
            Checklist.kind == ChecklistKind.TERMS,
        )
    )
    if terms is None:
        return {}
    revision_id = terms.revision_in_force_id or terms.stopped_id or terms.revision_sent_id
    if revision_id is not None:
        revision = db.session.get_one(Revision, revision_id)
        return frozen_text.values_in(signoff.document_of(revision, None), "M1")
    draft = load(terms)
    item = draft.template.item("M1")
    if item is None or not_accepting(item, draft.sheet, draft.surroundings):
        return {}
    return _values_of_m1(draft)


def _instead(
    loaded: LoadedChecklist, parties: Iterable[PartySigners], reasons: Mapping[UUID, str]
) -> dict[UUID, dict[str, str]]:
    """Return for each party whose person named in M1 doesn't have to sign: who that is, and why."""
    named = named_by_m1(loaded)
    names = accounts.names(named.values())
    signers = {}
    for party in parties:
        own = party.organisation_id
        if own not in named or party.has_to_sign(named[own]):
            continue
        reason = " ".join(reasons.get(own, "").split())
        if not reason:
            raise RuleBrokenError(
                _l(
                    "“Parties and mandates” names %(name)s. Choose the same person, or say why "
                    "not.",
                    name=names.get(named[own], ""),
                ),
                f"instead_{own}",
            )
        signers[own] = {"m1_names": names.get(named[own], ""), "instead_because": reason}
    return signers


def _rules(
    parties: Iterable[PartySigners], asking: Asking, others: Mapping[UUID, Mapping[str, str]]
) -> dict[str, Any]:
    """Return the rules and the deadline for signing, as the frozen text states them."""
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
    loaded: LoadedChecklist, parties: Iterable[PartySigners], field: str = ""
) -> None:
    """Refuse a sole signatory of the NPM side who drafted alone, if the instance requires it (5.2).

    Drafted alone means that everything the NPM side wrote in the current text is by one person.
    Whoever only copied or loaded an answer didn't write it (product.md, 6), unless nobody wrote
    anything. What a person confirms for themselves is no part of it, nor what doesn't apply.
    """
    if not signing_settings.current().four_eyes:
        return
    npm = {party.organisation_id for party in loaded.surroundings.parties_of(OrganisationKind.NPM)}
    current = [
        answer
        for (item, scope, _owner), answer in loaded.sheet.answers.items()
        if answer.organisation_id in npm
        and scope is not AnswerScope.PERSON
        and item not in loaded.sheet.hidden
    ]
    written = [answer for answer in current if answer.was_written]
    authors = {answer.author_id: answer.author_name for answer in written or current}
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


def signatories(loaded: LoadedChecklist) -> dict[UUID, tuple[Signatory, ...]]:
    """Return who could sign for each party: its signatories who can open the text.

    The planning of a visit (class K2) is open only to people who are listed in V2 and cleared.
    """
    today = clock.today()
    able = {
        party.organisation_id: accounts.signatories_of(party.organisation_id, today)
        for party in loaded.parties
    }
    if not is_restricted(loaded.checklist):
        return able
    may_open = queries.may_open_planning(loaded.checklist)
    return {
        party.organisation_id: tuple(
            signatory
            for signatory in able[party.organisation_id]
            if signatory.user_id in may_open[party.side]
        )
        for party in loaded.parties
    }


def _named(loaded: LoadedChecklist, parties: Iterable[PartySigners]) -> list[dict[str, Any]]:
    """Return everybody named, with their power to sign; refuse people without a current one."""
    named_people: list[dict[str, Any]] = []
    possible = signatories(loaded)
    names = {party.organisation_id: party.name for party in loaded.parties}
    for party in parties:
        able = {signatory.user_id: signatory for signatory in possible[party.organisation_id]}
        named_people += [
            {
                "organisation": names[party.organisation_id],
                "organisation_id": str(party.organisation_id),
                **_person(able.get(person.user_id), party, names[party.organisation_id]),
                **({"turn": person.turn} if person.turn else {}),
                **({"on_behalf_of": person.on_behalf_of} if person.on_behalf_of else {}),
            }
            for person in party.named
        ]
    return named_people


def _person(chosen: Signatory | None, party: PartySigners, party_name: str) -> dict[str, str]:
    field = f"party_{party.organisation_id}"
    if chosen is None:
        raise RuleBrokenError(_l("Choose who signs for %(party)s.", party=party_name), field)
    if not chosen.power:
        raise RuleBrokenError(
            _l("The power of %(name)s to sign isn't recorded.", name=chosen.name), field
        )
    if not chosen.holds_on(clock.today()):
        raise RuleBrokenError(_l("%(name)s has no power to sign today.", name=chosen.name), field)
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
    """Sign the pending text; the last signature brings it into force, in one transaction.

    Raise NotShownError if the person's page showed another text, or was opened too long ago.
    """
    lock(checklist)
    queries.goes_on(checklist).require()
    signature_request = waiting_request(checklist)
    _require_not_ended_today(checklist)
    _require_nobody_left_today(checklist, signature_request)
    before = standing_of(signature_request)
    before.is_waiting(clock.today()).require()
    signature = signoff.sign(
        actor,
        signature_request,
        page=page,
        sentence=sentence,
        language=language,
        identity=identity,
        key=_key_of(signature_request.revision),
    )
    trail.record(
        verbs.SIGNED,
        actor=actor,
        subject_type="signature",
        subject_id=signature.id,
        cooperation_id=checklist.cooperation_id,
        evidence=signature.digest,
        kind=checklist.kind.value,
        revision=signature_request.revision.number,
        document_digest=signature_request.revision.digest,
        organisation=actor.organisation_name,
        method=identity.method.value,
    )
    cooperation = db.session.get_one(Cooperation, checklist.cooperation_id)
    receipts.receipt(signature, email=actor.email, reference=cooperation.reference)
    if signature_request.state is RequestState.COMPLETED:
        _come_into_force(actor, checklist, signature_request)
    else:
        ask_next(checklist, before, [signature])
    refresh_scans(checklist)
    return signature


def sign_several(
    actor: Actor,
    texts: Sequence[tuple[Checklist, SigningPage, str]],
    *,
    language: str,
    identity: Identity,
) -> None:
    """Sign several pending texts, each with its page and sentence, with one proof of identity.

    All are signed or none: whatever sign() refuses for one of them, it refuses for all.
    """
    lock(*(checklist for checklist, _page, _sentence in texts))
    for checklist, page, sentence in texts:
        sign(
            actor,
            checklist,
            page=page,
            sentence=sentence,
            language=language,
            identity=identity,
        )


def ask_next(checklist: Checklist, before: RequestStatus, given: Collection[Signature]) -> None:
    """Mail people whose turn to sign has come with some signatures; ask their signers no longer."""
    messages.no_longer_waits_for_signature(checklist.id, [signature.user_id for signature in given])
    done = [
        (signature.organisation_id, signature.user_id)
        for signature in given
        if signature.organisation_id
    ]
    signed = before.signed.union(done)
    could = set(signers.whose_turn(before.parties, before.signed))
    can = set(signers.whose_turn(before.parties, signed))
    messages.waits_for_signature(checklist.id, [person for _party, person in can - could])


def standing_of(signature_request: SignatureRequest) -> RequestStatus:
    """Return a request's plain values for the rules; its last day is the one its text states."""
    return signoff.standing_of(signature_request, _key_of(signature_request.revision))


def _key_of(revision: Revision) -> bytes | None:
    return keys.key_of(revision.cooperation_id) if revision.is_sealed else None


def _text_of(revision: Revision) -> Mapping[str, Any]:
    text: Mapping[str, Any] = signoff.document_of(revision, _key_of(revision))
    return text


def _require_signed_by_all(
    revision: Revision, signatures: Iterable[Signature]
) -> Mapping[str, Any]:
    """Return a text; refuse one that lacks a signature by the rule it states itself.

    The rows say who was asked to sign, but the frozen text is what binds (5.9).
    """
    text = _text_of(revision)
    given = [
        outcomes.Given(signature.organisation_id, signature.user_id, event=0)
        for signature in signatures
    ]
    if not outcomes.is_signed_by_all(outcomes.rule_of(text), given):
        raise RuleBrokenError(
            _l(
                "The people asked to sign aren't those the text names. Nothing was signed. Ask "
                "an administrator to check that nothing was altered."
            )
        )
    return text


def _come_into_force(
    actor: Actor,
    checklist: Checklist,
    signature_request: SignatureRequest,
    since: dt.datetime | None = None,
) -> None:
    revision = signature_request.revision
    signatures = [
        signature
        for signature in requests.signatures_on([revision.id]).get(revision.id, [])
        if signature.kind is SignatureKind.SIGNATURE
    ]
    first = text_facts.first_day(revision.kind, _require_signed_by_all(revision, signatures))
    _require_no_gap(checklist, first)
    details: dict[str, Any] = {**_close_replaced_notices(checklist, signatures)}
    is_notice_replaced = bool(details.keys() & {"suspensions_replaced", "ends_replaced"})
    begins_later = outcomes.validity(first, None, clock.today()) is outcomes.Validity.BEGINS_LATER
    if first and begins_later:
        details["begins_on"] = first.isoformat()
    terms_ended_on = _terms_ended_on(checklist)
    if terms_ended_on is not None:
        details["ran_out_on"] = terms_ended_on.isoformat()
    checklist.state = ChecklistState.IN_FORCE
    checklist.revision_in_force_id = revision.id
    checklist.revision_sent_id = None
    checklist.stopped_by = None
    checklist.stopped_id = None
    checklist.in_force_at = since or clock.now()
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
        **details,
    )
    loaded = load(checklist)
    people = concerned(loaded, signature_request)
    if is_notice_replaced:
        messages.came_into_force_without_notice(
            checklist.id, (people | everyone(loaded)) - {actor.user_id}
        )
    else:
        messages.came_into_force(checklist.id, people - {actor.user_id})


def _terms_ended_on(checklist: Checklist) -> dt.date | None:
    """Return the last day of the agreed terms beside a text if it has passed.

    By what all have signed, not by the cooperation's row: the event says it for good. Raise
    RuleBrokenError if the terms disagree with their signatures and events, since nobody can tell
    then whether the text would be in force.
    """
    if checklist.kind is ChecklistKind.TERMS:
        return None
    try:
        last = evidence.last_day_of_terms(checklist.cooperation_id)
    except NotSoundError as error:
        raise RuleBrokenError(
            _l(
                "The agreed terms don't match their signatures. Nothing was signed. Ask an "
                "administrator to check that nothing was altered."
            )
        ) from error
    return (
        last if outcomes.validity(None, last, clock.today()) is outcomes.Validity.RUN_OUT else None
    )


# What the event calls a replaced notice, by kind and whether it had taken effect. A text that ended
# is agreed anew, and its end remains.
_REPLACED = {
    (NoticeKind.SUSPENDED, True): "suspended_by",
    (NoticeKind.SUSPENDED, False): "suspensions_replaced",
    (NoticeKind.ENDED, False): "ends_replaced",
}


def _require_no_gap(checklist: Checklist, first: dt.date | None) -> None:
    """Raise RuleBrokenError if terms in force would stop before their new text starts.

    Sending has refused such a start (M19), unless the terms in force began to run since.
    """
    cooperation = db.session.get_one(Cooperation, checklist.cooperation_id)
    if starts_too_late(first, latest_start(checklist, cooperation)):
        raise RuleBrokenError(
            _l(
                "This text starts later than today, and would replace the terms in force now. "
                "Nothing was signed. A coordinator can call the text back and choose an earlier "
                "start."
            )
        )


def _close_replaced_notices(
    checklist: Checklist, signatures: Collection[Signature]
) -> dict[str, list[str]]:
    """Close the open notices that are superseded because their parties have signed since.

    Return the names of their organisations for the event, the oldest first: suspended_by if the
    suspension was in effect, otherwise suspensions_replaced or ends_replaced. Raise
    RuleBrokenError for a notice that a party gave after it signed. Other parties' signatures don't
    close such a notice: they may not have seen it, and its party hasn't signed since (5.3, 5.8).
    """
    replaced: dict[str, list[str]] = {}
    for notice in db.session.scalars(
        sa.select(Notice)
        .where(Notice.checklist_id == checklist.id, Notice.closed_at.is_(None))
        .order_by(Notice.given_at, Notice.id)
        .options(load_joined(Notice.organisation, Organisation.name))
    ):
        own = [
            signature
            for signature in signatures
            if signature.organisation_id == notice.organisation_id
        ]
        if own and all(_is_before(signature, notice) for signature in own):
            raise RuleBrokenError(
                _l(
                    "%(organisation)s gave notice after it signed, so nothing was done. It can "
                    "withdraw the notice, or a coordinator can call the text back.",
                    organisation=own[0].organisation_name,
                )
            )
        notice.closed_at = clock.now()
        named = _REPLACED.get((notice.kind, notice.taken_effect_at is not None))
        if named is not None:
            replaced.setdefault(named, []).append(notice.organisation.name)
    return replaced


def _is_before(signature: Signature, notice: Notice) -> bool:
    """Return whether a signature precedes a notice; one on paper also if it is of the same day."""
    if signature.paper is not None:
        signed_on = dt.date.fromisoformat(signature.paper["signed_on"])
        return signed_on <= notice.given_at.astimezone(clock.zone()).date()
    return signature.signed_at <= notice.given_at


def decline(
    actor: Actor,
    checklist: Checklist,
    *,
    page: SigningPage | None,
    reason: str,
    items: Iterable[str],
) -> None:
    """Decline with a reason: back to drafting, with only the named items open (5.4).

    Raise NotShownError if the person's page showed another text.
    """
    lock(checklist)
    queries.goes_on(checklist).require()
    signature_request = waiting_request(checklist)
    loaded = load(checklist)
    codes = _named_items(loaded, items)
    signoff.decline(
        actor,
        signature_request,
        page=page,
        reason=reason,
        items=codes,
        key=encryption.key_for(checklist),
    )
    _ask_for_changes(actor, loaded, codes, reason)
    back_to_drafting(checklist, codes, reason)
    trail.record(
        verbs.DECLINED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        revision=signature_request.revision.number,
        organisation=actor.organisation_name,
        items=codes,
        reason="" if is_restricted(checklist) else reason,
    )
    messages.was_declined(checklist.id, concerned(loaded, signature_request) - {actor.user_id})


def call_back(actor: Actor, checklist: Checklist, *, reason: str) -> None:
    """Call back a pending text with a reason; the items that were open before are open again."""
    lock(checklist)
    loaded = load(checklist)
    own = loaded.own_party(actor)
    policy.can_withdraw_request(actor, own).require()
    _withdraw_request(actor, checklist, reason)


def withdraw_request(actor: Actor | None, checklist: Checklist, reason: str) -> None:
    """Withdraw the request for a pending text because its parties, visit or cooperation changed.

    The caller has locked it. Signatures already given stay in the history. Nobody is named for it
    on a visit's text (class K2): the act was another one, and whoever stops a visit may know of it.
    """
    _withdraw_request(None if is_restricted(checklist) else actor, checklist, reason)


def _withdraw_request(actor: Actor | None, checklist: Checklist, reason: str) -> None:
    signature_request = waiting_request(checklist)
    signoff.withdraw(actor, signature_request, reason=reason, key=encryption.key_for(checklist))
    reopen(checklist, reason)
    trail.record(
        verbs.SIGNATURE_REQUEST_WITHDRAWN,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        revision=signature_request.revision.number,
        reason="" if is_restricted(checklist) else reason,
    )
    messages.no_longer_waits_for_signature(checklist.id)


def amend(actor: Actor, checklist: Checklist, *, reason: str, items: Iterable[str]) -> None:
    """Open some items of a text in force; the old revision stays in force meanwhile (5.7)."""
    loaded = load_for_update(checklist)
    policy.can_amend(
        actor, loaded.own_party(actor), checklist.state, goes_on=loaded.goes_on()
    ).require()
    open_amendment(actor, checklist, reason=reason, items=items)


def open_amendment(
    actor: Actor, checklist: Checklist, *, reason: str, items: Iterable[str]
) -> None:
    """Open some items of a text in force, for a coordinator or because all parties decided so (G6).

    The caller has asked whether the actor may. Raise RuleBrokenError (items, reason).
    """
    loaded = load_for_update(checklist)
    policy.is_amendable(checklist.state, goes_on=loaded.goes_on()).require()
    codes = _named_items(loaded, items)
    if not reason.strip():
        raise RuleBrokenError(_l("Give the reason for the amendment."), "reason")
    _ask_for_changes(actor, loaded, codes, reason)
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


def concerned(loaded: LoadedChecklist, signature_request: SignatureRequest) -> set[UUID]:
    """Return who is notified when a request ends: its signatories, its sender, the coordinators.

    For a text of class K2 only the people named in it: others may not know that it exists.
    """
    user_ids = {slot.user_id for slot in signature_request.slots} | {signature_request.sent_by_id}
    if is_restricted(loaded.checklist):
        return user_ids
    return user_ids | _people_with(loaded, Role.COORDINATOR)


def everyone(loaded: LoadedChecklist) -> set[UUID]:
    """Return who is notified about a text in force: coordinators and signatories."""
    return _people_with(loaded, Role.COORDINATOR, Role.SIGNATORY)


def _people_with(loaded: LoadedChecklist, *roles: Role) -> set[UUID]:
    return accounts.people_with_role([party.organisation_id for party in loaded.parties], roles)


def _ask_for_changes(
    actor: Actor, loaded: LoadedChecklist, codes: Iterable[str], reason: str
) -> None:
    """Mark some items as needing a change for the actor's party: no longer agreed (4.10)."""
    if actor.organisation_id is None:
        return
    for code in codes:
        current = loaded.sheet.shared(code)
        if current is not None:
            put_position(
                loaded,
                loaded.template.by_code[code],
                current.answer_id,
                (actor.user_id, actor.organisation_id),
                Stance.WANTS_CHANGE,
                reason.strip(),
            )


def _named_items(loaded: LoadedChecklist, items: Iterable[str]) -> list[str]:
    """Return the items that are to change, in the order of the checklist (4.10)."""
    named = set(items)
    codes = [
        item.code
        for item in loaded.template.items
        if item.code in named and item.part is Part.TERMS
    ]
    if not codes or len(codes) < len(named):
        raise RuleBrokenError(_l("Name at least one item that has to change."), "items")
    return codes


def back_to_drafting(checklist: Checklist, open_items: list[str] | None, reason: str) -> None:
    """Reopen some items of a text, or all, with the reason."""
    checklist.state = ChecklistState.DRAFTING
    checklist.revision_sent_id = None
    checklist.open_items = open_items
    encryption.put_reason(checklist, checklist, reason.strip())
    db.session.flush()
    refresh_scans(checklist)
    count_again(checklist)


def refresh_scans(checklist: Checklist) -> None:
    """Update since when scans have been waiting; ask nobody to confirm one that no longer is."""
    for record_id in marks.refresh_marked(checklist):
        paper_messages.no_longer_waits(record_id)


def page_with(checklist: Checklist) -> SigningPage:
    """Return a page opened now that shows the pending text, if there is one."""
    if checklist.revision_sent_id is None:
        return shown.page_with("")
    return shown.page_with(db.session.get_one(Revision, checklist.revision_sent_id).digest)


def waiting_request(checklist: Checklist) -> SignatureRequest:
    """Return a text's pending request, locked; raise RuleBrokenError if there is none."""
    if checklist.revision_sent_id is None:
        raise RuleBrokenError(_l("This text isn't waiting for signatures."))
    return signoff.locked_request(checklist.revision_sent_id)


def _require_not_ended_today(checklist: Checklist) -> None:
    """Raise RuleBrokenError if a notice that the worker hasn't applied yet has ended a text.

    Or the agreed terms of its cooperation: no event says that a text is in force after that day.
    """
    stopped = queries.stopped_today(checklist.cooperation_id)
    if any(
        text.kind is NoticeKind.ENDED and (text.checklist_id == checklist.id or text.is_terms)
        for text in stopped
    ):
        raise RuleBrokenError(_l("This was ended by notice, so nothing was signed."))


def _require_nobody_left_today(checklist: Checklist, signature_request: SignatureRequest) -> None:
    """Raise RuleBrokenError if a party that a text names has left, by a notice not yet applied.

    The worker calls the text back, and the others sign one without it.
    """
    name = db.session.scalar(
        sa.select(Organisation.name)
        .join(Party, Party.organisation_id == Organisation.id)
        .join(SignatureParty, SignatureParty.organisation_id == Party.organisation_id)
        .where(
            Party.cooperation_id == checklist.cooperation_id,
            SignatureParty.request_id == signature_request.id,
            departures.is_due(clock.today()),
        )
        .order_by(Party.position)
        .limit(1)
    )
    if name is not None:
        raise RuleBrokenError(
            _l(
                "%(organisation)s, which this text names, has left the cooperation, so nothing was "
                "signed. The text will be called back.",
                organisation=name,
            )
        )


def finish(
    actor: Actor,
    checklist: Checklist,
    signature_request: SignatureRequest,
    *,
    since: dt.datetime | None = None,
) -> None:
    """Bring a text into force whose last signature came on paper, and notify people concerned.

    since is the time from which it is in force, if that isn't now: for a prior agreement.
    """
    _require_not_ended_today(checklist)
    _require_nobody_left_today(checklist, signature_request)
    _come_into_force(actor, checklist, signature_request, since)
    refresh_scans(checklist)


def reopen(checklist: Checklist, reason: str) -> None:
    """Let a text be edited again that is no longer pending, as before it was sent."""
    back_to_drafting(checklist, checklist.open_items, reason)
