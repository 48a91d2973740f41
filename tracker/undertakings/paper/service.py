"""Service functions for undertakings signed on paper: record a scan; confirm, refuse, withdraw."""

import datetime as dt
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.verbs import Verb
from tracker.cooperations import keys
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.localized import LocalizedStr
from tracker.signoff import paper, shown
from tracker.signoff import service as signoff
from tracker.signoff.identity_proof import SigningPage
from tracker.signoff.models import Method, Revision, Signature
from tracker.signoff.paper import Signer
from tracker.signoff.paper_models import PaperDecisionKind, PaperKind, PaperRecord
from tracker.undertakings import encryption, handlers, messages, people, queries, service
from tracker.undertakings import policy as undertaking_policy
from tracker.undertakings.facts import Draft, missing
from tracker.undertakings.models import SUBJECT, Undertaking, UndertakingEnd, UndertakingState
from tracker.undertakings.paper import policy


def record(
    actor: Actor,
    undertaking_id: UUID,
    *,
    draft: Draft,
    signed_on: dt.date,
    scan: bytes,
    sentence: LocalizedStr,
) -> PaperRecord:
    """Record the scan of an undertaking that a person without an account signed on paper.

    draft is what the person filled in; it is frozen as the text that the scan is compared with. It
    gives no access before another person at the NPM confirms it and it is countersigned. Raise
    RefusedError for anybody but a coordinator of the NPM, and for a person who signs in;
    RuleBrokenError for what is missing, an impossible date or an unacceptable file.
    """
    undertaking = queries.locked(undertaking_id)
    loaded = queries.load(undertaking)
    undertaking_policy.can_take_signature(actor, loaded.standing, clock.today()).require()
    service.require_terms_as_frozen(undertaking)
    dated = policy.can_be_dated(signed_on, _asked_on(undertaking), clock.today())
    if not dated:
        raise RuleBrokenError(dated.reason, "signed_on")
    if len(draft.interests) > service.MAX_INTERESTS:
        raise RuleBrokenError(
            _l("Use at most %(num)s characters", num=service.MAX_INTERESTS), "interests"
        )
    if draft.briefed and draft.briefed_on is not None and draft.briefed_on > signed_on:
        raise RuleBrokenError(_l("The briefing has to come before signing"), "briefed_on")
    if list(missing(queries.questions_of(loaded), draft, signed_on)):
        raise RuleBrokenError(
            _l(
                "Something is missing from the paper. Have the person complete it "
                "and sign it again."
            )
        )
    key = keys.key_of(undertaking.cooperation_id)
    revision = signoff.freeze(
        actor,
        cooperation_id=undertaking.cooperation_id,
        subject_type=SUBJECT,
        subject_id=undertaking.id,
        kind=SUBJECT,
        document=service.frozen_document(undertaking, loaded, draft, sentence),
        key=key,
    )
    paper_record = paper.record(
        actor,
        revision,
        kind=PaperKind.UNDERTAKING,
        signed_on=signed_on,
        signers=[_signer(undertaking)],
        scan=scan,
        key=key,
    )
    undertaking.state = UndertakingState.ON_PAPER
    undertaking.revision_id = revision.id
    encryption.put_draft(undertaking, None)
    db.session.flush()
    service.record_event(
        verbs.UNDERTAKING_FROZEN,
        actor,
        undertaking,
        evidence=signoff.evidence_of_revision(revision),
        organisation=undertaking.organisation.name,
        document_digest=revision.digest,
    )
    service.record_event(
        verbs.UNDERTAKING_SCAN_RECORDED,
        actor,
        undertaking,
        evidence=paper_record.digest,
        document_digest=revision.digest,
        scan_digest=paper_record.scan_digest,
    )
    messages.scan_waits(undertaking, loaded.terms.reference, {actor.user_id})
    return paper_record


def confirm(
    actor: Actor,
    undertaking_id: UUID,
    *,
    page: SigningPage | None,
    sentence: str,
    language: str,
) -> Signature:
    """Confirm as a second person that a scan shows the frozen text, signed by its person.

    The signature of method *paper* is written; the NPM countersigns it like any other. page is the
    one that showed the scan and the sentence: raise NotShownError if it showed another scan or
    another sentence, or is too old. Raise RefusedError for the person who recorded it, for its
    signer, and for anybody who doesn't decide.
    """
    undertaking = queries.locked(undertaking_id)
    loaded = queries.load(undertaking)
    policy.can_decide(actor, loaded.standing, clock.today()).require()
    service.require_terms_as_frozen(undertaking)
    revision, paper_record = _recorded(undertaking)
    signoff.require_as_frozen(revision, keys.key_of(undertaking.cooperation_id))
    shown.require_to_sign(page, paper_record.digest, sentence)
    decision = paper.decide(actor, paper_record, PaperDecisionKind.CONFIRMED)
    service.record_event(
        verbs.UNDERTAKING_SCAN_CONFIRMED,
        actor,
        undertaking,
        evidence=decision.digest,
        scan_digest=paper_record.scan_digest,
    )
    (signature,) = paper.sign(
        revision,
        paper_record,
        [(signer, decision) for signer in paper.signers_of(paper_record)],
        sentence=sentence,
        language=language,
    )
    text = signoff.document_of(revision, keys.key_of(undertaking.cooperation_id))
    briefed_on = text["briefing"]["on"]
    undertaking.state = UndertakingState.SIGNED
    undertaking.signed_at = signature.signed_at
    undertaking.briefed_on = dt.date.fromisoformat(briefed_on) if briefed_on else None
    undertaking.has_interests = bool(text["interests"]["declared"])
    # By the text, or since the scan was recorded.
    because = text["interests"].get("because") or people.ties_of(undertaking)
    undertaking.party_has_interest = bool(because)
    db.session.flush()
    service.record_event(
        verbs.UNDERTAKING_SIGNED,
        actor,
        undertaking,
        evidence=signature.digest,
        organisation=undertaking.organisation.name,
        terms_revision=loaded.terms.revision,
        document_digest=revision.digest,
        method=Method.PAPER.value,
        **service.signed_beside(loaded),
    )
    messages.waits_for_npm(undertaking, loaded.terms.reference, loaded.standing.taken_by)
    return signature


def refuse(actor: Actor, undertaking_id: UUID, *, reason: str) -> None:
    """Refuse a scan as a second person, with a reason; the person is asked again.

    Raise RefusedError as confirm() does, RuleBrokenError without a reason.
    """
    undertaking = queries.locked(undertaking_id)
    loaded = queries.load(undertaking)
    policy.can_decide(actor, loaded.standing, clock.today()).require()
    _end(
        actor,
        undertaking,
        PaperDecisionKind.REFUSED,
        verbs.UNDERTAKING_SCAN_REFUSED,
        UndertakingEnd.PAPER_REFUSED,
        reason,
    )


def withdraw(actor: Actor, undertaking_id: UUID, *, reason: str) -> None:
    """Withdraw a scan that was not confirmed yet, with a reason; the person is asked again.

    Raise RefusedError for anybody but a coordinator of the NPM, RuleBrokenError without a reason.
    """
    undertaking = queries.locked(undertaking_id)
    policy.can_withdraw(actor, queries.load(undertaking).standing).require()
    _end(
        actor,
        undertaking,
        PaperDecisionKind.WITHDRAWN,
        verbs.UNDERTAKING_SCAN_WITHDRAWN,
        UndertakingEnd.PAPER_WITHDRAWN,
        reason,
    )


def _end(
    actor: Actor,
    undertaking: Undertaking,
    kind: PaperDecisionKind,
    verb: Verb,
    end: UndertakingEnd,
    reason: str,
) -> None:
    """Close an undertaking with its scan, and ask the person again: a text is frozen once."""
    if len(reason) > service.MAX_REASON:
        raise RuleBrokenError(
            _l("Use at most %(num)s characters", num=service.MAX_REASON), "reason"
        )
    _revision, paper_record = _recorded(undertaking)
    key = keys.key_of(undertaking.cooperation_id)
    decision = paper.decide(actor, paper_record, kind, reason=reason, key=key)
    service.record_event(
        verb,
        actor,
        undertaking,
        evidence=decision.digest,
        scan_digest=paper_record.scan_digest,
    )
    handlers.close(actor, undertaking, end)
    standing = queries.load(undertaking).standing
    if undertaking_policy.can_ask_again(actor, standing, clock.today()):
        service.ask_again(actor, undertaking.id)


def _recorded(undertaking: Undertaking) -> tuple[Revision, PaperRecord]:
    """Return the text of an undertaking on paper, and its scan."""
    revision = db.session.get_one(Revision, undertaking.revision_id)
    return revision, paper.on_revisions([revision.id])[revision.id][0]


def _signer(undertaking: Undertaking) -> Signer:
    return Signer(
        organisation_id=undertaking.organisation_id,
        organisation_name=undertaking.organisation.name,
        name=undertaking.user.name,
        office="",
        user_id=undertaking.user_id,
    )


def _asked_on(undertaking: Undertaking) -> dt.date:
    return undertaking.asked_at.astimezone(clock.zone()).date()
