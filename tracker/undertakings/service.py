"""Service functions for an undertaking: fill in, sign, decide, countersign, withdraw, ask again.

In one file: each verb begins where the previous one ends, on the same row.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access import page_tokens
from tracker.access.actor import Actor
from tracker.accounts.factors import mailed_codes
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.activity.verbs import Verb
from tracker.activity.witness import are_all_as_recorded, are_as_recorded
from tracker.agreements.document import Languages, languages_for
from tracker.checklist_templates import library
from tracker.checklists.loading import load
from tracker.cooperations import clearances, keys
from tracker.cooperations.models import Clearance, Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.localized import LocalizedStr
from tracker.signoff import messages as receipts
from tracker.signoff import service as signoff
from tracker.signoff import shown
from tracker.signoff.identity_proof import Identity, SigningPage
from tracker.signoff.labels import DIFFERS
from tracker.signoff.models import Method, Revision, Signature
from tracker.undertakings import (
    added_interests,
    adding,
    encryption,
    handlers,
    messages,
    people,
    policy,
    queries,
)
from tracker.undertakings.document import document
from tracker.undertakings.facts import Draft, Scope, Terms, missing
from tracker.undertakings.models import (
    SUBJECT,
    AddedInterest,
    InterestsDecision,
    Undertaking,
    UndertakingEnd,
    UndertakingState,
)
from tracker.undertakings.places import Places
from tracker.undertakings.queries import Loaded


@dataclass(frozen=True, slots=True)
class OpenedText:
    """An undertaking to countersign, with what its pages showed: the token of page 1, page 2."""

    undertaking_id: UUID
    opened: str
    page: SigningPage
    sentence: str


MAX_INTERESTS = 5000
MAX_REASON = adding.MAX_REASON
_OPENED = "undertaking-opened"
_DECISION = "interests-decision"


def save_draft(actor: Actor, undertaking_id: UUID, draft: Draft) -> Draft:
    """Store what a person has entered so far; private to them, without an event.

    Return the stored draft. Raise RefusedError for anybody else, and once it is signed or closed.
    """
    undertaking = queries.locked(undertaking_id)
    loaded = queries.load(undertaking)
    policy.can_fill_in(actor, loaded.standing, clock.today()).require()
    return keep_draft(undertaking, draft)


def keep_draft(undertaking: Undertaking, draft: Draft) -> Draft:
    """Store a draft and return it.

    The caller has asked the policy.
    """
    if len(draft.interests) > MAX_INTERESTS:
        raise RuleBrokenError(_l("Use at most %(num)s characters", num=MAX_INTERESTS), "interests")
    saved_draft = replace(draft, saved_at=clock.now())
    encryption.put_draft(undertaking, saved_draft)
    db.session.flush()
    return saved_draft


def sign(
    actor: Actor,
    undertaking_id: UUID,
    *,
    page: SigningPage | None,
    sentence: str,
    language: str,
    identity: Identity,
) -> Signature:
    """Freeze what a person entered and sign it in their own name; nobody signs for another (S11).

    page is the one it was read on, from page_to_sign(): raise NotShownError if another draft was
    saved since, or the page was opened too long ago. Raise RefusedError for anybody else, the
    second time and once new terms are in force; RuleBrokenError while something is missing.
    """
    undertaking = queries.locked(undertaking_id)
    loaded = queries.load(undertaking)
    policy.can_fill_in(actor, loaded.standing, clock.today()).require()
    if identity.method is Method.PASSWORD_MAILED_CODE:
        policy.can_sign_by_mailed_code(actor, loaded.standing).require()
    # In their own name, as a person of the organisation that named them.
    signer = replace(actor, organisation_id=undertaking.organisation_id)
    revision = freeze_shown(signer, loaded, page, LocalizedStr(sentence, language))
    signature = signoff.sign_as_person(
        signer, revision, sentence=sentence, language=language, identity=identity
    )
    note_signed(signer, loaded, revision, signature)
    receipts.receipt(signature, email=actor.email, reference=loaded.terms.reference)
    messages.waits_for_npm(undertaking, loaded.terms.reference)
    return signature


def freeze_shown(
    actor: Actor, loaded: Loaded, page: SigningPage | None, spoken: LocalizedStr
) -> Revision:
    """Freeze the draft of an undertaking as the page showed it, to be signed immediately.

    Raise NotShownError if it showed another or is too old, RuleBrokenError while something is
    missing. The caller has asked the policy.
    """
    undertaking = loaded.undertaking
    require_terms_as_frozen(undertaking)
    draft = encryption.draft_of(undertaking)
    read_on = page or SigningPage.begin(clock.now())
    shown.require_recent(page, digest_to_be(loaded, spoken, read_on))
    questions = queries.questions_of(loaded)
    if not draft.is_ready or list(missing(questions, draft, clock.today())):
        raise RuleBrokenError(_l("Something is missing. Go back and confirm each point."))
    revision = signoff.freeze_as_shown(
        actor,
        read_on,
        cooperation_id=undertaking.cooperation_id,
        subject_type=SUBJECT,
        subject_id=undertaking.id,
        document=frozen_document(undertaking, loaded, draft, spoken),
        key=keys.key_of(undertaking.cooperation_id),
    )
    record_event(
        verbs.UNDERTAKING_FROZEN,
        actor,
        undertaking,
        evidence=signoff.evidence_of_revision(revision),
        organisation=undertaking.organisation.name,
        document_digest=revision.digest,
    )
    return revision


def require_terms_as_frozen(undertaking: Undertaking) -> None:
    """Raise RefusedError unless the terms of an undertaking are the text that was frozen."""
    terms = db.session.get_one(Revision, undertaking.terms_revision_id)
    signoff.require_as_frozen(terms, None)


def note_signed(actor: Actor, loaded: Loaded, revision: Revision, signature: Signature) -> None:
    """Record that the frozen draft of an undertaking was signed."""
    undertaking = loaded.undertaking
    draft = encryption.draft_of(undertaking)
    undertaking.state = UndertakingState.SIGNED
    undertaking.revision_id = revision.id
    undertaking.signed_at = signature.signed_at
    undertaking.briefed_on = draft.briefed_on if draft.briefed else None
    undertaking.has_interests = bool(draft.has_interests)
    undertaking.party_has_interest = bool(people.ties_of(undertaking))
    encryption.put_draft(undertaking, None)
    db.session.flush()
    record_event(
        verbs.UNDERTAKING_SIGNED,
        actor,
        undertaking,
        evidence=signature.digest,
        organisation=undertaking.organisation.name,
        terms_revision=loaded.terms.revision,
        document_digest=revision.digest,
        method=signature.method.value,
        **signed_beside(loaded),
    )
    messages.was_signed(undertaking.id)


def signed_beside(loaded: Loaded) -> dict[str, Any]:
    """Return the event details about documents signed with it; empty if there are none."""
    named = [document.named for document in loaded.documents]
    return {"documents": named} if named else {}


def page_to_sign(loaded: Loaded, sentence: LocalizedStr) -> SigningPage:
    """Return a page opened now that shows what a person entered, to be signed on it."""
    page = SigningPage.begin(clock.now())
    return replace(page, digest=digest_to_be(loaded, sentence, page))


def page_to_countersign(undertaking: Undertaking) -> SigningPage:
    """Return a page opened now that shows what a person signed, if they did."""
    if undertaking.revision_id is None:
        return shown.page_with("")
    return shown.page_with(db.session.get_one(Revision, undertaking.revision_id).digest)


def page_1_token(actor: Actor, undertaking: Undertaking) -> str:
    """Return the token of page 1 of countersigning: of the signed text and the decisions."""
    return page_tokens.token_of(actor, _OPENED, _shown_on_page_1(actor, undertaking))


def page_1_token_without_interests(actor: Actor, undertaking: Undertaking) -> str:
    """Return the same for an undertaking to which its person added no interests."""
    return page_tokens.token_of(actor, _OPENED, _page_1_digest(undertaking, ()))


def require_opened(actor: Actor, undertaking: Undertaking, token: str) -> None:
    """Raise NotShownError unless the person's page 1 showed the text and the current decisions."""
    page_tokens.require_shown(
        actor,
        _OPENED,
        token,
        _shown_on_page_1(actor, undertaking),
        _l(
            "The text, or a decision on interests, changed after you opened it, so nothing was "
            "signed. Read it as it is now."
        ),
    )


def _shown_on_page_1(actor: Actor, undertaking: Undertaking) -> str:
    added = added_interests.of_person(actor, undertaking.cooperation_id, undertaking.user_id)
    return _page_1_digest(undertaking, added)


def _page_1_digest(undertaking: Undertaking, added: Iterable[AddedInterest]) -> str:
    return page_tokens.digest_of(
        str(undertaking.id),
        page_to_countersign(undertaking).digest,
        decision_mark(undertaking),
        *(f"{interest.id} {_moment(interest.decided_at)}" for interest in added),
    )


def digest_to_be(loaded: Loaded, sentence: LocalizedStr, page: SigningPage) -> str:
    """Return the digest of the text that sign() would freeze from the current draft, for a page."""
    undertaking = loaded.undertaking
    frozen = frozen_document(undertaking, loaded, encryption.draft_of(undertaking), sentence)
    return signoff.digest_to_be(SUBJECT, undertaking.id, frozen, page)


def text_to_sign(loaded: Loaded, sentence: LocalizedStr, page: SigningPage) -> dict[str, Any]:
    """Return the text that sign() would freeze from the current draft, to show beforehand."""
    undertaking = loaded.undertaking
    frozen = frozen_document(undertaking, loaded, encryption.draft_of(undertaking), sentence)
    return signoff.text_to_be(SUBJECT, undertaking.id, frozen, page)


def mail_code(actor: Actor, undertaking_id: UUID) -> None:
    """Mail a person a code for signing their own undertaking, if the NPM allows it.

    Raise RefusedError if it does not, for anybody else and for people who must prove more;
    RuleBrokenError after too many requests.
    """
    undertaking = queries.locked(undertaking_id)
    loaded = queries.load(undertaking)
    policy.can_fill_in(actor, loaded.standing, clock.today()).require()
    policy.can_sign_by_mailed_code(actor, loaded.standing).require()
    mailed_codes.send(actor.user_id, undertaking_id, messages.signing_page(undertaking_id))


def allow_mailed_codes(
    actor: Actor, cooperation: Cooperation, *, allowed: bool, reason: str
) -> None:
    """Let people in a cooperation sign their undertaking with an emailed code, or no longer.

    What was signed that way stays signed. Raise RefusedError for anybody but an NPM's signatory or
    manager, RuleBrokenError without a reason or if it is already so.
    """
    db.session.refresh(cooperation, with_for_update=True)
    policy.can_allow_mailed_codes(actor, people.npm_ids(cooperation.id), clock.today()).require()
    reason = reason.strip()
    if not reason:
        raise RuleBrokenError(_l("Say why. It's kept in the history."), "reason")
    if cooperation.mailed_codes is allowed:
        raise RuleBrokenError(_l("Nothing to change: it's already set this way."))
    cooperation.mailed_codes = allowed
    db.session.flush()
    record(
        verbs.MAILED_CODES_ALLOWED if allowed else verbs.MAILED_CODES_STOPPED,
        actor=actor,
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        organisation=actor.organisation_name,
        reason=reason,
    )


def decide(
    actor: Actor,
    undertaking_id: UUID,
    decision: InterestsDecision,
    reason: str = "",
    places: Places | None = None,
    *,
    seen: str,
) -> None:
    """Decide on declared interests (C13): accept, close places to the person, or ask for another.

    The decision can be changed until it is countersigned. A limit holds until the NPM decides on a
    later undertaking of the person. seen is the decision_mark() of the
    decision that was read (decision_shown): raise StaleError if somebody has decided since. Raise
    RefusedError for anybody but an NPM's signatory or manager, on their own, and if nothing was
    declared.
    """
    undertaking = queries.locked(undertaking_id)
    policy.can_decide(actor, queries.load(undertaking).standing, clock.today()).require()
    if seen != decision_mark(undertaking):
        raise StaleError(
            _l("Somebody decided while you were writing. Compare that decision with yours.")
        )
    reason, limit = adding.checked_decision(decision, reason, places)
    undertaking.decision = decision
    encryption.put_decision(undertaking, reason, limit)
    undertaking.decided_at = clock.now()
    undertaking.decided_by_id = actor.user_id
    db.session.flush()
    record(
        verbs.INTERESTS_DECIDED,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=undertaking.id,
        cooperation_id=undertaking.cooperation_id,
    )
    messages.decided(undertaking)


def decision_mark(undertaking: Undertaking) -> str:
    """Return a digest that distinguishes a decision from any other."""
    return page_tokens.digest_of(str(undertaking.id), _moment(undertaking.decided_at))


def decision_token(actor: Actor, mark: str) -> str:
    """Return the token of a page that shows a decision, or an added interest's (adding.mark)."""
    return page_tokens.token_of(actor, _DECISION, mark)


def decision_shown(actor: Actor, token: str | None) -> str:
    """Return the mark of the decision that the person's page showed; empty if it isn't known."""
    return page_tokens.digest_in(actor, _DECISION, token)


def _moment(at: dt.datetime | None) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds") if at else ""


def countersign(  # noqa: PLR0913 -- what two pages showed, and the proof
    actor: Actor,
    undertaking_id: UUID,
    *,
    until: dt.date,
    opened: str,
    page: SigningPage | None,
    sentence: str,
    language: str,
    identity: Identity,
    visit_id: UUID | None = None,
) -> Clearance:
    """Countersign a person's undertaking for the NPM and open its clearance (C1, S11).

    until is the last day, never later than the terms say; visit_id names the visit if the terms
    cover one. opened is the token of page 1, on which text and decisions were read, page the one
    with the proof: raise NotShownError if they showed anything else, or page is too old. Raise
    RefusedError for the wrong person or the wrong moment, RuleBrokenError with the field that is
    invalid.
    """
    undertaking = queries.locked(undertaking_id)
    loaded = queries.load(undertaking)
    policy.can_countersign(actor, loaded.standing, clock.today()).require()
    require_opened(actor, undertaking, opened)
    require_terms_as_frozen(undertaking)
    _require_decided_as_recorded(undertaking)
    _require_within(until, loaded.terms)
    _require_visit(undertaking, loaded.terms, visit_id)
    revision = db.session.get_one(Revision, undertaking.revision_id)
    signature = signoff.countersign(
        actor,
        revision,
        signer_id=undertaking.user_id,
        page=page,
        sentence=sentence,
        language=language,
        identity=identity,
        key=keys.key_of(undertaking.cooperation_id),
    )
    undertaking.state = UndertakingState.COUNTERSIGNED
    undertaking.countersigned_at = signature.signed_at
    db.session.flush()
    record_event(
        verbs.UNDERTAKING_COUNTERSIGNED,
        actor,
        undertaking,
        evidence=signature.digest,
        method=identity.method.value,
    )
    receipts.receipt(signature, email=actor.email, reference=loaded.terms.reference)
    clearance = clearances.open_clearance(
        actor,
        cooperation_id=undertaking.cooperation_id,
        user_id=undertaking.user_id,
        organisation_id=undertaking.organisation_id,
        undertaking_id=undertaking.id,
        from_on=clock.today(),
        until_on=until,
        visit_id=visit_id,
        for_project=loaded.terms.scope is Scope.ONE_PROJECT,
    )
    messages.countersigned(undertaking)
    return clearance


def countersign_several(
    actor: Actor,
    texts: Sequence[OpenedText],
    *,
    until: dt.date,
    visit_id: UUID | None,
    language: str,
    identity: Identity,
) -> None:
    """Countersign several undertakings with one proof of identity: all of them, or none.

    Each as countersign() does it, and refused as there. until and visit_id are the same for all.
    """
    # All rows before the first chain: two people who countersign at the same time don't wait for
    # each other.
    queries.lock(text.undertaking_id for text in texts)
    for text in texts:
        countersign(
            actor,
            text.undertaking_id,
            until=until,
            opened=text.opened,
            page=text.page,
            sentence=text.sentence,
            language=language,
            identity=identity,
            visit_id=visit_id,
        )


def withdraw(actor: Actor, undertaking_id: UUID) -> None:
    """Withdraw the actor's own undertaking: access is closed immediately, the duties remain."""
    undertaking = queries.locked(undertaking_id)
    policy.can_withdraw(actor, queries.load(undertaking).standing).require()
    handlers.close(actor, undertaking, UndertakingEnd.WITHDRAWN)


def withdraw_clearance(actor: Actor, undertaking_id: UUID, reason: str) -> None:
    """Close the access that a person's undertaking gave, for the NPM and with a reason."""
    undertaking = queries.locked(undertaking_id)
    policy.can_withdraw_clearance(
        actor, queries.load(undertaking).standing, clock.today()
    ).require()
    reason = reason.strip()
    if not reason:
        raise RuleBrokenError(_l("Give the reason. The person can read it."), "reason")
    if len(reason) > MAX_REASON:
        raise RuleBrokenError(_l("Use at most %(num)s characters", num=MAX_REASON), "reason")
    encryption.put_closing_reason(undertaking, reason)
    handlers.close(actor, undertaking, UndertakingEnd.WITHDRAWN_BY_NPM)
    messages.withdrawn_by_npm(undertaking)


def ask_again(actor: Actor, undertaking_id: UUID) -> Undertaking:
    """Ask a person again whose undertaking on the terms in force was closed; return the new one."""
    undertaking = queries.locked(undertaking_id)
    loaded = queries.load(undertaking)
    policy.can_ask_again(actor, loaded.standing, clock.today()).require()
    revision = db.session.get_one(Revision, undertaking.terms_revision_id)
    person = next(
        listed_person
        for listed_person in queries.listed(load(loaded.checklist))
        if listed_person.user_id == undertaking.user_id
    )
    return handlers.ask(actor, revision, person)


def languages_of(loaded: Loaded, language: str) -> Languages:
    """Return the languages an undertaking is frozen in: the person's, and the binding one.

    The binding language is that of the terms, if the sentences to confirm are available in it.
    """
    binding = loaded.terms.binding
    return languages_for(library.by_id(loaded.checklist.template_id), [binding, language], binding)


def frozen_document(
    undertaking: Undertaking, loaded: Loaded, draft: Draft, sentence: LocalizedStr
) -> dict[str, Any]:
    """Return the document to freeze from what a person entered, here or on paper."""
    languages = languages_of(loaded, sentence.language)
    return document(
        undertaking,
        loaded.terms,
        queries.questions_by_language(loaded, languages),
        draft,
        people.ties_of(undertaking),
        sentence=sentence,
        template=library.by_id(loaded.checklist.template_id),
        languages=languages,
    )


def _require_decided_as_recorded(undertaking: Undertaking) -> None:
    """Refuse to countersign on a decision about interests that only the rows say.

    Nor if an interest that somebody added in this cooperation is gone.
    """
    cooperation_id, table = undertaking.cooperation_id, AddedInterest.__tablename__
    added = added_interests.all_of_cooperation(cooperation_id)
    # A limit on what was declared in an earlier one may hold.
    own = queries.all_of_person(cooperation_id, undertaking.user_id)
    if not (
        are_as_recorded(cooperation_id, own) and are_all_as_recorded(cooperation_id, table, added)
    ):
        raise RuleBrokenError(DIFFERS)


def _require_within(until: dt.date, terms: Terms) -> None:
    if until > terms.until:
        raise RuleBrokenError(_l("The last day can't be later than the terms say."), "until")
    if until < clock.today():
        raise RuleBrokenError(_l("The last day has already passed."), "until")


def _require_visit(undertaking: Undertaking, terms: Terms, visit_id: UUID | None) -> None:
    offered = {visit.id for visit in queries.visits(undertaking.cooperation_id)}
    if terms.scope is Scope.ONE_VISIT:
        if not offered:
            raise RuleBrokenError(
                _l("The terms cover one visit, but no visit is planned yet."), "visit_id"
            )
        if visit_id not in offered:
            raise RuleBrokenError(_l("Choose which visit this is for."), "visit_id")
    elif visit_id is not None:
        raise RuleBrokenError(_l("These terms aren't limited to one visit."), "visit_id")


def record_event(
    verb: Verb, actor: Actor, undertaking: Undertaking, *, evidence: str, **details: Any
) -> None:
    """Record an event about a person's undertaking that binds a row, by the row's digest."""
    record(
        verb,
        actor=actor,
        subject_type=SUBJECT,
        subject_id=undertaking.id,
        cooperation_id=undertaking.cooperation_id,
        evidence=evidence,
        person=undertaking.user.name,
        **details,
    )
