"""Service functions for signing on paper: record a scan; confirm, refuse or withdraw one."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import Decision
from tracker.accounts import queries as accounts
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.verbs import Verb
from tracker.agreements import service as agreements
from tracker.agreements.paper import messages as paper_messages
from tracker.checklists import encryption, queries
from tracker.checklists.encryption import is_restricted
from tracker.checklists.loading import LoadedChecklist, load, lock
from tracker.checklists.models import Checklist
from tracker.checklists.service import own_organisation
from tracker.cooperations import keys
from tracker.core import clock
from tracker.core.errors import RuleBrokenError
from tracker.signoff import paper, paper_policy, shown, signers
from tracker.signoff import queries as requests
from tracker.signoff import service as signoff
from tracker.signoff.identity_proof import SigningPage
from tracker.signoff.models import Signature, SignatureRequest
from tracker.signoff.paper import Signer
from tracker.signoff.paper_models import (
    PaperDecision,
    PaperDecisionKind,
    PaperKind,
    PaperRecord,
)
from tracker.signoff.paper_policy import PaperFact

# Who is told that a scan waits, and who may answer for their party.
ANSWERING = (Role.COORDINATOR, Role.SIGNATORY)


def open_lines(actor: Actor, asked: SignatureRequest, document: Mapping[str, Any]) -> list[Signer]:
    """Return the lines of the own organisation that wait for a signature, as the text names them.

    None when enough have signed for it, or when it is the turn of other parties.
    """
    standing = requests.standing_of(asked)
    own = actor.organisation_id
    if own not in {party for party, _one in signers.whose_turn(standing.parties, standing.signed)}:
        return []
    slots = [
        slot
        for slot in asked.slots
        if signers.is_to_sign(standing.parties, standing.signed, own, slot.user_id)
        and requests.slot_of(asked, own, slot.user_id) is slot
    ]
    names = accounts.names(slot.user_id for slot in slots)
    said = {(one["organisation_id"], one["name"]): one for one in document.get("signatories", ())}
    found = []
    for slot in slots:
        name = names.get(slot.user_id, "")
        there = said.get((str(slot.organisation_id), name), {})
        found.append(
            Signer(
                organisation_id=slot.organisation_id,
                organisation_name=there.get("organisation", actor.organisation_name),
                name=name,
                office=there.get("office", ""),
                user_id=slot.user_id,
                power=there.get("power", ""),
                on_behalf_of=slot.on_behalf_of,
            )
        )
    return found


def facts_on(asked: SignatureRequest) -> list[PaperFact]:
    """Return what the rules look at in all scans recorded for a revision."""
    rows = paper.on_revisions([asked.revision_id]).get(asked.revision_id, [])
    return [fact_of(one, asked) for one in rows]


def fact_of(record: PaperRecord, asked: SignatureRequest) -> PaperFact:
    """Return what the rules look at in a scan."""
    signed = paper.rests_on(asked.revision.signatures)
    return paper.fact(record, paper.state_of(record, asked.state, signed))


def can_record(
    actor: Actor, filling: LoadedChecklist, asked: SignatureRequest, document: Mapping[str, Any]
) -> Decision:
    """Decide whether a person may record now that the own organisation signed on paper."""
    may = paper_policy.can_record(
        actor,
        is_party=filling.own_party(actor) is not None,
        state=asked.state,
        has_line=bool(open_lines(actor, asked, document)),
        papers=facts_on(asked),
    )
    return requests.standing_of(asked).is_waiting(clock.today()) if may else may


def can_decide(
    actor: Actor, filling: LoadedChecklist, made: PaperRecord, asked: SignatureRequest
) -> Decision:
    """Decide whether a person may confirm or refuse a scan now."""
    return paper_policy.can_decide(
        actor,
        fact_of(made, asked),
        is_party=filling.own_party(actor) is not None,
        state=asked.state,
    )


def can_withdraw(
    actor: Actor, filling: LoadedChecklist, made: PaperRecord, asked: SignatureRequest
) -> Decision:
    """Decide whether a person may withdraw a scan now."""
    return paper_policy.can_withdraw(
        actor,
        fact_of(made, asked),
        is_party=filling.own_party(actor) is not None,
        state=asked.state,
    )


def record(
    actor: Actor,
    checklist: Checklist,
    *,
    signed_on: dt.date,
    offices: Mapping[UUID, str],
    scan: bytes,
) -> PaperRecord:
    """Record that the own organisation signed the text on paper; another party confirms it.

    offices are those of the persons who signed, by their ids: persons whom the text names for the
    own party, so that whoever signs in place of the person named by M1 does so for the reason that
    the text or the passing on shows. Raise RuleBrokenError for a date or a file that can't be.
    """
    lock(checklist)
    asked = _asked(checklist)
    document = signoff.document_of(asked.revision, encryption.key_for(checklist))
    filling = load(checklist)
    can_record(actor, filling, asked, document).require()
    lines = {one.user_id: one for one in open_lines(actor, asked, document)}
    if not offices or not set(offices) <= set(lines):
        raise RuleBrokenError(
            _l("Choose who signed, among those whom the text names for your organisation."),
            "signed",
        )
    _require_turns(actor, asked, offices)
    frozen_on = asked.revision.frozen_at.astimezone(clock.zone()).date()
    dated = paper_policy.can_be_dated(signed_on, clock.today(), frozen_on)
    if not dated:
        raise RuleBrokenError(dated.reason, "signed_on")
    signed_by = [_with_office(lines[user_id], office) for user_id, office in offices.items()]
    made = paper.record(
        actor,
        asked.revision,
        kind=PaperKind.TEXT,
        signed_on=signed_on,
        signers=signed_by,
        scan=scan,
        key=keys.key_of(checklist.cooperation_id),
    )
    note_recorded(actor, filling, asked, made)
    return made


def _require_turns(actor: Actor, asked: SignatureRequest, user_ids: Iterable[UUID]) -> None:
    """Refuse persons who would sign before their turn, or beyond what their party has to give."""
    standing = requests.standing_of(asked)
    turns = {slot.user_id: slot.turn for slot in asked.slots}
    signed = set(standing.signed)
    for user_id in sorted(user_ids, key=lambda one: turns[one]):
        decision = signers.can_sign_now(standing.parties, signed, actor.organisation_id, user_id)
        if not decision:
            raise RuleBrokenError(
                _l("More signed than the text asks for, or before the turn of others."), "signed"
            )
        signed.add((own_organisation(actor), user_id))


def note_recorded(
    actor: Actor, filling: LoadedChecklist, asked: SignatureRequest, made: PaperRecord
) -> None:
    """Record that a scan was recorded, and write to those who may confirm it."""
    _record(
        verbs.PAPER_RECORDED,
        actor,
        filling.checklist,
        asked,
        evidence=made.digest,
        document_digest=asked.revision.digest,
        scan_digest=made.scan_digest,
    )
    paper_messages.waits_to_be_confirmed(
        filling.checklist.id, made.id, _who_answers(filling, made) - {actor.user_id}
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
    """Confirm for another party that a scan shows the text, signed by those it names.

    page is the one on which the scan was looked at: raise NotShownError when it showed another.
    The signatures of method *paper* are written, and with the last signature the text is in force,
    in one transaction. An agreement made before the product came waits for every other party.
    """
    lock(checklist)
    asked = _asked(checklist)
    made = _found(asked, record_id)
    can_decide(actor, load(checklist), made, asked).require()
    shown.require(page, made.digest)
    decision = paper.decide(actor, made, PaperDecisionKind.CONFIRMED)
    _record(
        verbs.PAPER_CONFIRMED,
        actor,
        checklist,
        asked,
        evidence=decision.digest,
        scan_digest=made.scan_digest,
    )
    if not _is_confirmed(made):
        return []
    document = signoff.document_of(asked.revision, encryption.key_for(checklist))
    signatures = paper.sign(
        asked, made, _answered_for(made, document), sentence=sentence, language=language
    )
    for one in signatures:
        trail.record(
            verbs.SIGNED_ON_PAPER,
            actor=actor,
            subject_type="signature",
            subject_id=one.id,
            cooperation_id=checklist.cooperation_id,
            evidence=one.digest,
            kind=checklist.kind.value,
            revision=asked.revision.number,
            document_digest=asked.revision.digest,
            organisation=one.organisation_name,
            signed_on=made.signed_on.isoformat(),
            scan_digest=made.scan_digest,
        )
    if paper.complete_if_signed(asked, signatures):
        agreements.finish(actor, checklist, asked, since=_in_force_since(made))
    else:
        paper_messages.was_confirmed(checklist.id, {made.user_id} - {actor.user_id})
    return signatures


def refuse(actor: Actor, checklist: Checklist, record_id: UUID, *, reason: str) -> None:
    """Refuse a scan for another party, with a reason; it stays in history and signs nothing.

    A text of this product goes on waiting for signatures. An agreement made before it came is
    declined, and its checklist is open again.
    """
    lock(checklist)
    asked = _asked(checklist)
    made = _found(asked, record_id)
    can_decide(actor, load(checklist), made, asked).require()
    key = encryption.key_for(checklist)
    decision = paper.decide(actor, made, PaperDecisionKind.REFUSED, reason=reason, key=key)
    said = "" if is_restricted(checklist) else decision.reason
    _record(verbs.PAPER_REFUSED, actor, checklist, asked, evidence=decision.digest, reason=said)
    if made.kind is PaperKind.FORMER:
        paper.decline(actor, asked, reason=reason, key=key)
        agreements.reopen(checklist, reason)
        _record(verbs.DECLINED, actor, checklist, asked, items=[], reason=said)
    paper_messages.was_refused(checklist.id, {made.user_id} - {actor.user_id})


def withdraw(actor: Actor, checklist: Checklist, record_id: UUID, *, reason: str) -> None:
    """Withdraw a scan that the own side recorded and nobody confirmed; it stays in history."""
    lock(checklist)
    asked = _asked(checklist)
    made = _found(asked, record_id)
    can_withdraw(actor, load(checklist), made, asked).require()
    key = encryption.key_for(checklist)
    decision = paper.decide(actor, made, PaperDecisionKind.WITHDRAWN, reason=reason, key=key)
    said = "" if is_restricted(checklist) else decision.reason
    _record(verbs.PAPER_WITHDRAWN, actor, checklist, asked, evidence=decision.digest, reason=said)
    if made.kind is PaperKind.FORMER:
        signoff.withdraw(actor, asked, reason=reason, key=key)
        agreements.reopen(checklist, reason)
        trail.record(
            verbs.SIGNATURE_REQUEST_WITHDRAWN,
            actor=actor,
            subject_type=agreements.SUBJECT,
            subject_id=checklist.id,
            cooperation_id=checklist.cooperation_id,
            kind=checklist.kind.value,
            revision=asked.revision.number,
            reason=said,
        )


def _is_confirmed(made: PaperRecord) -> bool:
    """Tell whether enough parties confirmed: one other, or of a former agreement every other."""
    if made.kind is PaperKind.TEXT:
        return True
    needed = {UUID(one["organisation_id"]) for one in made.signers} - {made.organisation_id}
    return needed <= {one.organisation_id for one in made.decisions}


def _answered_for(
    made: PaperRecord, document: Mapping[str, Any]
) -> list[tuple[Signer, PaperDecision]]:
    """Return each who signed on paper with what was confirmed: by their own party where it was."""
    powers = {
        (one["organisation_id"], one["name"]): one["power"]
        for one in document.get("signatories", ())
    }
    by_party = {one.organisation_id: one for one in made.decisions}
    last = made.decisions[-1]
    return [
        (one, by_party.get(one.organisation_id, last)) for one in paper.signers_of(made, powers)
    ]


def _in_force_since(made: PaperRecord) -> dt.datetime | None:
    if made.kind is PaperKind.TEXT:
        return None
    return dt.datetime.combine(made.signed_on, dt.time(), tzinfo=clock.zone())


def _who_answers(filling: LoadedChecklist, made: PaperRecord) -> set[UUID]:
    """Return who may confirm a scan for another party; on a visit's text, who may open it."""
    restricted = is_restricted(filling.checklist)
    may_open = queries.may_open_planning(filling.checklist) if restricted else {}
    found: set[UUID] = set()
    for party in filling.parties:
        if party.organisation_id == made.organisation_id:
            continue
        people = accounts.people_with_role(party.organisation_id, ANSWERING)
        able = {one.user_id for one in people}
        found |= able & may_open[party.side] if restricted else able
    return found


def _with_office(line: Signer, office: str) -> Signer:
    words = " ".join(office.split())
    return replace(line, office=words or line.office)


def _found(asked: SignatureRequest, record_id: UUID) -> PaperRecord:
    found = paper.find([asked.revision_id], record_id)
    if found is None:
        raise RuleBrokenError(_l("This scan no longer waits to be confirmed."))
    return found


def _asked(checklist: Checklist) -> SignatureRequest:
    if checklist.revision_sent_id is None:
        raise RuleBrokenError(_l("This text does not wait for signatures."))
    return signoff.locked_request(checklist.revision_sent_id)


def _record(
    verb: Verb,
    actor: Actor,
    checklist: Checklist,
    asked: SignatureRequest,
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
        revision=asked.revision.number,
        organisation=actor.organisation_name,
        **details,
    )
