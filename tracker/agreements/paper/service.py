"""Service functions for signing on paper: record a scan; confirm, refuse or withdraw one.

In one file: each verb on a scan asks the same rules on who signs and what is in force.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.accounts import queries as accounts
from tracker.accounts.queries import SigningRole
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.verbs import Verb
from tracker.agreements import service as agreements
from tracker.agreements.paper import marks
from tracker.agreements.paper import messages as paper_messages
from tracker.checklists import encryption, queries
from tracker.checklists import service as checklists
from tracker.checklists.encryption import is_restricted
from tracker.checklists.heads import lock
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist
from tracker.checklists.rules.facts import PartyFact
from tracker.checklists.service import own_organisation
from tracker.cooperations import keys
from tracker.core import clock
from tracker.core.errors import RuleBrokenError
from tracker.signoff import outcomes, paper, paper_policy, shown, signers
from tracker.signoff import queries as requests
from tracker.signoff import service as signoff
from tracker.signoff.identity_proof import SigningPage
from tracker.signoff.models import Signature, SignatureRequest, SignatureSlot
from tracker.signoff.paper import Signer
from tracker.signoff.paper_models import (
    PaperDecision,
    PaperDecisionKind,
    PaperKind,
    PaperRecord,
)
from tracker.signoff.paper_policy import PaperFact
from tracker.signoff.policy import confirmation_of


def open_lines(
    actor: Actor, signature_request: SignatureRequest, document: Mapping[str, Any]
) -> list[Signer]:
    """Return the unsigned slots of the actor's organisation in the frozen text.

    None if enough people have signed for it, or if it is another party's turn.
    """
    standing = requests.standing_of(signature_request)
    own = actor.organisation_id
    if own not in {
        party for party, _person in signers.whose_turn(standing.parties, standing.signed)
    }:
        return []
    slots = [
        slot
        for slot in signature_request.slots
        if signers.is_to_sign(standing.parties, standing.signed, own, slot.user_id)
        and requests.slot_of(signature_request, own, slot.user_id) is slot
    ]
    return _lines_of(actor, slots, document)


def named_lines(
    actor: Actor, signature_request: SignatureRequest, document: Mapping[str, Any]
) -> list[Signer]:
    """Return all slots of the actor's organisation in a text, whether it is pending or not."""
    own = [
        slot for slot in signature_request.slots if slot.organisation_id == actor.organisation_id
    ]
    return _lines_of(actor, own, document)


def _lines_of(
    actor: Actor, slots: Sequence[SignatureSlot], document: Mapping[str, Any]
) -> list[Signer]:
    names = accounts.names(slot.user_id for slot in slots)
    roles = accounts.signing_roles(own_organisation(actor), names)
    # Names of organisations come from the text. People are looked up by id, since the text may not
    # name them, or may use another name.
    organisations = {
        signatory["organisation_id"]: signatory["organisation"]
        for signatory in document.get("signatories", ())
    }
    today = clock.today()
    lines = []
    for slot in slots:
        of_person = roles.get(slot.user_id, [])
        # The current role, or else the last one.
        role = next((role for role in reversed(of_person) if role.holds_on(today)), None)
        role = role or (of_person[-1] if of_person else None)
        lines.append(
            Signer(
                organisation_id=slot.organisation_id,
                organisation_name=organisations.get(
                    str(slot.organisation_id), actor.organisation_name
                ),
                name=names.get(slot.user_id, ""),
                office=role.office if role else "",
                user_id=slot.user_id,
                power=role.power if role else "",
                on_behalf_of=slot.on_behalf_of,
            )
        )
    return lines


def _with_powers(signers: Iterable[Signer], day: dt.date) -> list[Signer]:
    """Return the signers with the power that each had on the day of the paper.

    Raise RuleBrokenError for a signer who had none that day. The signers of a prior agreement have
    no account here, so their power is unknown.
    """
    signed_by = list(signers)
    roles = {
        party_id: accounts.signing_roles(
            party_id,
            [signer.user_id for signer in signed_by if signer.user_id],
        )
        for party_id in {signer.organisation_id for signer in signed_by if signer.user_id}
    }
    return [
        _with_power(signer, roles[signer.organisation_id].get(signer.user_id, []), day)
        if signer.user_id
        else signer
        for signer in signed_by
    ]


def _with_power(signer: Signer, roles: Sequence[SigningRole], day: dt.date) -> Signer:
    role = next((role for role in roles if role.holds_on(day)), None)
    if role is not None:
        return replace(
            signer,
            power=role.power,
            power_from=role.power_from,
            power_until=role.power_until,
            power_confirmed=confirmation_of(role),
            membership_id=role.membership_id,
        )
    if any(role.runs_on(day) for role in roles):
        message = _l("%(name)s had no power to sign on the day of the paper.", name=signer.name)
    else:
        message = _l(
            "%(name)s was no signatory of %(organisation)s on the day of the paper.",
            name=signer.name,
            organisation=signer.organisation_name,
        )
    raise RuleBrokenError(message, "signed")


def facts_on(
    signature_request: SignatureRequest, records: Iterable[PaperRecord] | None = None
) -> list[PaperFact]:
    """Return the plain values of all scans recorded for a revision, for the rules.

    records are these scans, if somebody has read them already.
    """
    if records is None:
        records = paper.on_revision(signature_request.revision_id)
    return [fact_of(row, signature_request) for row in records]


def fact_of(record: PaperRecord, signature_request: SignatureRequest) -> PaperFact:
    """Return a scan's plain values for the rules."""
    signed = paper.rests_on(signature_request.revision.signatures)
    return paper.fact(record, paper.state_of(record, signature_request.state, signed))


def can_record(
    actor: Actor,
    parties: Iterable[PartyFact],
    signature_request: SignatureRequest,
    document: Mapping[str, Any],
    records: Iterable[PaperRecord] | None = None,
) -> Decision:
    """Decide whether a person may record now that their organisation signed on paper.

    records are the scans recorded for the revision, if somebody has read them already.
    """
    may = paper_policy.can_record(
        actor,
        is_party=any(party.organisation_id == actor.organisation_id for party in parties),
        state=signature_request.state,
        has_line=bool(open_lines(actor, signature_request, document)),
        papers=facts_on(signature_request, records),
    )
    standing = requests.standing_of(signature_request)
    states_itself = replace(standing, expires_on=outcomes.last_day_of(document))
    return states_itself.is_waiting(clock.today()) if may else may


def can_decide(
    actor: Actor,
    loaded: LoadedChecklist,
    paper_record: PaperRecord,
    signature_request: SignatureRequest,
) -> Decision:
    """Decide whether a person may confirm or refuse a scan now."""
    may = paper_policy.can_decide(
        actor,
        fact_of(paper_record, signature_request),
        clock.today(),
        is_party=loaded.own_party(actor) is not None,
        state=signature_request.state,
    )
    return may and can_be_decided(loaded, signature_request)


def can_be_decided(loaded: LoadedChecklist, signature_request: SignatureRequest) -> Decision:
    """Decide whether anybody may still confirm a scan of a text, as if they signed it now.

    The last day is the one that the text states, whether or not the worker has ended the request.
    """
    waits = agreements.standing_of(signature_request).is_waiting(clock.today())
    return waits and loaded.goes_on()


def who_can_decide(loaded: LoadedChecklist, fact: PaperFact) -> dict[UUID, dict[UUID, str]]:
    """Return who may confirm or refuse a scan for each party that has yet to: names by id.

    The conditions are those of can_decide, in a constant number of queries; for a visit's text only
    people who may open it.
    """
    waiting = [
        party
        for party in loaded.parties
        if party.organisation_id not in fact.decided | {fact.organisation_id}
    ]
    people = accounts.names_by_organisation(
        (party.organisation_id for party in waiting), paper_policy.CONFIRMERS, can_act=True
    )
    restricted = is_restricted(loaded.checklist)
    may_open = queries.may_open_planning(loaded.checklist) if restricted else {}
    return {
        party.organisation_id: {
            user_id: name
            for user_id, name in people[party.organisation_id].items()
            if user_id not in fact.involved and (not restricted or user_id in may_open[party.side])
        }
        for party in waiting
    }


def can_withdraw(
    actor: Actor,
    loaded: LoadedChecklist,
    paper_record: PaperRecord,
    signature_request: SignatureRequest,
) -> Decision:
    """Decide whether a person may withdraw a scan now."""
    return paper_policy.can_withdraw(
        actor,
        fact_of(paper_record, signature_request),
        is_party=loaded.own_party(actor) is not None,
        state=signature_request.state,
    )


def record(
    actor: Actor,
    checklist: Checklist,
    *,
    page: SigningPage | None,
    signed_on: dt.date,
    offices: Mapping[UUID, str],
    scan: bytes,
) -> PaperRecord:
    """Record that the actor's organisation signed the text on paper; another party confirms it.

    page is the one that named the text: raise NotShownError if it named another, since a paper can
    be signed for one revision only. offices are those of the people who signed, by id. The text
    names these people for the actor's party, so for anybody who signs instead of the person named
    in M1, the reason is in the text, or was given when it was passed on. Raise RuleBrokenError for
    an impossible date or an unacceptable file.
    """
    lock(checklist)
    queries.goes_on(checklist).require()
    signature_request = _waiting_request(checklist)
    signoff.require_as_frozen(signature_request.revision, encryption.key_for(checklist))
    document = signoff.document_of(signature_request.revision, encryption.key_for(checklist))
    loaded = load(checklist)
    can_record(actor, loaded.parties, signature_request, document).require()
    shown.require(page, signature_request.revision.digest)
    lines = {
        open_line.user_id: open_line for open_line in open_lines(actor, signature_request, document)
    }
    if not offices or not set(offices) <= set(lines):
        raise RuleBrokenError(
            _l("Choose who signed, among those whom the text names for your organisation."),
            "signed",
        )
    _require_turns(actor, signature_request, offices)
    frozen_on = signature_request.revision.frozen_at.astimezone(clock.zone()).date()
    dated = paper_policy.can_be_dated(signed_on, clock.today(), frozen_on)
    if not dated:
        raise RuleBrokenError(dated.reason, "signed_on")
    signed_by = _with_powers(
        [_with_office(lines[user_id], office) for user_id, office in offices.items()], signed_on
    )
    paper_record = paper.record(
        actor,
        signature_request.revision,
        kind=PaperKind.TEXT,
        signed_on=signed_on,
        signers=signed_by,
        scan=scan,
        key=keys.key_of(checklist.cooperation_id),
    )
    note_recorded(actor, loaded, signature_request, paper_record)
    return paper_record


def _require_turns(
    actor: Actor, signature_request: SignatureRequest, user_ids: Iterable[UUID]
) -> None:
    """Refuse people who would sign before their turn, or more people than the party needs."""
    standing = requests.standing_of(signature_request)
    turns = {slot.user_id: slot.turn for slot in signature_request.slots}
    signed = set(standing.signed)
    for user_id in sorted(user_ids, key=lambda person_id: turns[person_id]):
        decision = signers.can_sign_now(standing.parties, signed, actor.organisation_id, user_id)
        if not decision:
            raise RuleBrokenError(
                _l("Too many people signed, or somebody signed out of turn."),
                "signed",
            )
        signed.add((own_organisation(actor), user_id))


def note_recorded(
    actor: Actor,
    loaded: LoadedChecklist,
    signature_request: SignatureRequest,
    paper_record: PaperRecord,
) -> None:
    """Record the event that a scan was recorded, and mail people who may confirm it."""
    marks.refresh(loaded.checklist)
    _record(
        verbs.PAPER_RECORDED,
        actor,
        loaded.checklist,
        signature_request,
        evidence=paper_record.digest,
        document_digest=signature_request.revision.digest,
        scan_digest=paper_record.scan_digest,
    )
    able = who_can_decide(loaded, fact_of(paper_record, signature_request))
    paper_messages.waits_to_be_confirmed(
        loaded.checklist.id,
        paper_record.id,
        {user_id for people in able.values() for user_id in people},
    )


def confirm(
    actor: Actor,
    checklist: Checklist,
    record_id: UUID,
    *,
    page: SigningPage | None,
    sentence: str,
    language: str,
) -> list[Signature]:
    """Confirm for another party that a scan shows the text, signed by the people it names.

    page is the one that showed the scan and the sentence: raise NotShownError if it showed another
    scan or another sentence. Nobody confirms after the last day to sign that the text states. The
    signatures of method *paper* are written, and with the last one the text comes into force, in
    one transaction. A prior agreement needs the confirmation of every other party.
    """
    lock(checklist)
    queries.goes_on(checklist).require()
    signature_request = _waiting_request(checklist)
    paper_record = _record_of(signature_request, record_id)
    can_decide(actor, load(checklist), paper_record, signature_request).require()
    signoff.require_as_frozen(signature_request.revision, encryption.key_for(checklist))
    shown.require_sentence(page, paper_record.digest, sentence)
    decision = paper.decide(actor, paper_record, PaperDecisionKind.CONFIRMED)
    _record(
        verbs.PAPER_CONFIRMED,
        actor,
        checklist,
        signature_request,
        evidence=decision.digest,
        scan_digest=paper_record.scan_digest,
    )
    if not _is_confirmed(paper_record):
        paper_messages.no_longer_waits(paper_record.id, _people_of(actor))
        return []
    paper_messages.no_longer_waits(paper_record.id)
    before = agreements.standing_of(signature_request)
    signatures = paper.sign(
        signature_request.revision,
        paper_record,
        _answered_for(paper_record, signature_request),
        sentence=sentence,
        language=language,
    )
    for signature in signatures:
        trail.record(
            verbs.SIGNED_ON_PAPER,
            actor=actor,
            subject_type="signature",
            subject_id=signature.id,
            cooperation_id=checklist.cooperation_id,
            evidence=signature.digest,
            kind=checklist.kind.value,
            revision=signature_request.revision.number,
            document_digest=signature_request.revision.digest,
            organisation=signature.organisation_name,
            signed_on=paper_record.signed_on.isoformat(),
            scan_digest=paper_record.scan_digest,
        )
    marks.refresh(checklist)
    if paper_record.kind is PaperKind.FORMER and _is_confirmed(paper_record):
        checklists.note_transcription(checklist)
    if paper.complete_if_signed(signature_request, signatures):
        agreements.finish(actor, checklist, signature_request, since=_in_force_since(paper_record))
    else:
        agreements.ask_next(checklist, before, signatures)
        paper_messages.was_confirmed(checklist.id, {paper_record.user_id} - {actor.user_id})
    return signatures


def refuse(actor: Actor, checklist: Checklist, record_id: UUID, *, reason: str) -> None:
    """Refuse a scan for another party, with a reason; it stays in the history and signs nothing.

    A text made here stays pending. A prior agreement is declined, and its checklist can be edited
    again.
    """
    lock(checklist)
    queries.goes_on(checklist).require()
    signature_request = _waiting_request(checklist)
    paper_record = _record_of(signature_request, record_id)
    can_decide(actor, load(checklist), paper_record, signature_request).require()
    key = encryption.key_for(checklist)
    decision = paper.decide(actor, paper_record, PaperDecisionKind.REFUSED, reason=reason, key=key)
    paper_messages.no_longer_waits(paper_record.id)
    marks.refresh(checklist)
    told_reason = "" if is_restricted(checklist) else decision.reason
    _record(
        verbs.PAPER_REFUSED,
        actor,
        checklist,
        signature_request,
        evidence=decision.digest,
        reason=told_reason,
    )
    if paper_record.kind is PaperKind.FORMER:
        paper.decline(actor, signature_request, reason=reason, key=key)
        agreements.reopen(checklist, reason)
        _record(verbs.DECLINED, actor, checklist, signature_request, items=[], reason=told_reason)
    paper_messages.was_refused(checklist.id, {paper_record.user_id} - {actor.user_id})


def withdraw(actor: Actor, checklist: Checklist, record_id: UUID, *, reason: str) -> None:
    """Withdraw an unconfirmed scan that the actor's side recorded; it stays in the history."""
    lock(checklist)
    queries.goes_on(checklist).require()
    signature_request = _waiting_request(checklist)
    paper_record = _record_of(signature_request, record_id)
    can_withdraw(actor, load(checklist), paper_record, signature_request).require()
    key = encryption.key_for(checklist)
    decision = paper.decide(
        actor, paper_record, PaperDecisionKind.WITHDRAWN, reason=reason, key=key
    )
    paper_messages.no_longer_waits(paper_record.id)
    marks.refresh(checklist)
    told_reason = "" if is_restricted(checklist) else decision.reason
    _record(
        verbs.PAPER_WITHDRAWN,
        actor,
        checklist,
        signature_request,
        evidence=decision.digest,
        reason=told_reason,
    )
    if paper_record.kind is PaperKind.FORMER:
        signoff.withdraw(actor, signature_request, reason=reason, key=key)
        agreements.reopen(checklist, reason)
        trail.record(
            verbs.SIGNATURE_REQUEST_WITHDRAWN,
            actor=actor,
            subject_type=agreements.SUBJECT,
            subject_id=checklist.id,
            cooperation_id=checklist.cooperation_id,
            kind=checklist.kind.value,
            revision=signature_request.revision.number,
            reason=told_reason,
        )


def _people_of(actor: Actor) -> set[UUID]:
    """Return who might have confirmed a scan for the actor's party, the actor among them."""
    able = accounts.people_with_role([own_organisation(actor)], paper_policy.CONFIRMERS)
    return {actor.user_id, *able}


def _is_confirmed(paper_record: PaperRecord) -> bool:
    """Return whether enough parties have confirmed: another one, or all for a prior agreement."""
    if paper_record.kind is PaperKind.TEXT:
        return True
    needed = {UUID(signer["organisation_id"]) for signer in paper_record.signers} - {
        paper_record.organisation_id
    }
    return needed <= {decision.organisation_id for decision in paper_record.decisions}


def _answered_for(
    paper_record: PaperRecord, signature_request: SignatureRequest
) -> list[tuple[Signer, PaperDecision]]:
    """Return each signer with the confirmation that counts: their own party's, if there is one."""
    by_party = {decision.organisation_id: decision for decision in paper_record.decisions}
    last = paper_record.decisions[-1]
    signed_by = _with_powers(paper.signers_of(paper_record), paper_record.signed_on)
    return [
        (_in_place(signer, signature_request), by_party.get(signer.organisation_id, last))
        for signer in signed_by
    ]


def _in_place(signer: Signer, signature_request: SignatureRequest) -> Signer:
    """Return the signers, each with the person who passed the slot on to them, if anybody did.

    Raise RuleBrokenError for a signer who has passed it on since the scan was recorded.
    """
    if signer.user_id is None:
        return signer
    slot = requests.slot_of(signature_request, signer.organisation_id, signer.user_id)
    if slot is None:
        raise RuleBrokenError(_l("%(name)s no longer signs this text.", name=signer.name))
    former = requests.stood_for(signature_request, slot)
    signoff.require_slot_as_recorded(signature_request, slot, former)
    if former is None:
        return signer
    name = accounts.names([former.user_id])[former.user_id]
    return replace(signer, in_place_of=name, in_place_of_id=former.user_id)


def _in_force_since(paper_record: PaperRecord) -> dt.datetime | None:
    if paper_record.kind is PaperKind.TEXT:
        return None
    return dt.datetime.combine(paper_record.signed_on, dt.time(), tzinfo=clock.zone())


def _with_office(line: Signer, office: str) -> Signer:
    words = " ".join(office.split())
    return replace(line, office=words or line.office)


def _record_of(signature_request: SignatureRequest, record_id: UUID) -> PaperRecord:
    paper_record = paper.find([signature_request.revision_id], record_id)
    if paper_record is None:
        raise RuleBrokenError(_l("This scan is no longer waiting to be confirmed."))
    return paper_record


def _waiting_request(checklist: Checklist) -> SignatureRequest:
    if checklist.revision_sent_id is None:
        raise RuleBrokenError(_l("This text isn't waiting for signatures."))
    return signoff.locked_request(checklist.revision_sent_id)


def _record(
    verb: Verb,
    actor: Actor,
    checklist: Checklist,
    signature_request: SignatureRequest,
    *,
    evidence: str | None = None,
    **details: Any,
) -> None:
    trail.record(
        verb,
        actor=actor,
        subject_type=agreements.SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        evidence=evidence,
        kind=checklist.kind.value,
        revision=signature_request.revision.number,
        organisation=actor.organisation_name,
        **details,
    )
