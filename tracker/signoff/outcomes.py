"""The status of a frozen text, derived from its content, signatures and events alone. Pure.

No status column is read here, and no detail of an event, since details may be erased. An event
binds its verb, its subject, its position in the chain and the digest of the row it is about. That
is enough to follow a text from its sending to its end. In one file: one replay of events, with the
rules it applies at each step.
"""

import datetime as dt
import enum
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tracker.activity import verbs
from tracker.activity.chain import Link
from tracker.signoff import vouching
from tracker.signoff.models import Method, Revision, Signature, SignatureKind

_NO_RULE = "The text does not say who signs it."
# The number of signatures that each organisation needs, according to the frozen text.
Rule = Mapping[UUID, int]


class Outcome(enum.StrEnum):
    """The outcome of a frozen text."""

    WAITING = "waiting"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    ENDED = "ended"
    SUPERSEDED = "superseded"

    @property
    def is_signed_by_all(self) -> bool:
        """Whether all have signed it, whatever happened to it then."""
        return self in _SIGNED_BY_ALL


_SIGNED_BY_ALL = frozenset({Outcome.IN_FORCE, Outcome.SUSPENDED, Outcome.ENDED, Outcome.SUPERSEDED})


class Validity(enum.StrEnum):
    """The status on one day of a text that is fully signed and neither suspended nor ended."""

    BEGINS_LATER = "begins_later"
    IN_FORCE = "in_force"
    RUN_OUT = "run_out"


def validity(first: dt.date | None, last: dt.date | None, day: dt.date) -> Validity:
    """Return the status on a day, from the first and the last day that the text names.

    The only place that decides it: lists, pages, certificates, exports and the public check use it
    (product.md, 5.9). Days are those of the NPM's time zone; the last one is included.
    """
    if last is not None and last < day:
        return Validity.RUN_OUT
    if first is not None and first > day:
        return Validity.BEGINS_LATER
    return Validity.IN_FORCE


class Phase(enum.StrEnum):
    """The status of the draft, beside any text in force."""

    DRAFTING = "drafting"
    SENT = "sent"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    ENDED = "ended"


# The verbs whose events bind a checklist's text as it was frozen.
FREEZING = (verbs.SENT_FOR_SIGNATURE, verbs.FORMER_AGREEMENT_RECORDED)
# The verbs that decide the outcome of a text, together with the signatures.
COURSE = (
    *FREEZING,
    verbs.DECLINED,
    verbs.SIGNATURE_REQUEST_WITHDRAWN,
    verbs.SIGNATURE_REQUEST_EXPIRED,
    verbs.CAME_INTO_FORCE,
    verbs.AMENDMENT_OPENED,
    verbs.AMENDMENT_CALLED_OFF,
    verbs.NOTICE_GIVEN,
    verbs.NOTICE_TAKEN_BACK,
    verbs.TEXT_SUSPENDED,
    verbs.SUSPENSION_LIFTED,
    verbs.TEXT_ENDED,
)
# A further term of a text in force: it changes no outcome, only the last day.
RENEWING = (verbs.TEXT_RENEWED,)
SIGNING = (verbs.SIGNED, verbs.SIGNED_ON_PAPER)
UNDERTAKING = (
    verbs.UNDERTAKING_ASKED,
    verbs.UNDERTAKING_FROZEN,
    verbs.UNDERTAKING_SIGNED,
    verbs.UNDERTAKING_COUNTERSIGNED,
    verbs.UNDERTAKING_CLOSED,
)


# Rules and signatures -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Given:
    """A signature bound by an event, with the number of that event."""

    organisation_id: UUID | None
    user_id: UUID
    event: int


def rule_of(document: Mapping[str, Any]) -> Rule:
    """Return how many signatures each organisation needs for a text to be fully signed.

    From the rule in the text; one frozen before there were rules needs everybody it names. If
    nobody is named, each party signs once. Raise ValueError if it is not such a text, or if its
    rule leaves a party out, names it twice or asks none of its people to sign.
    """
    try:
        signing = document.get("signing")
        if signing is not None:
            parties = signing["parties"]
            rule = {UUID(party["organisation_id"]): _number(party["needed"]) for party in parties}
            if rule:
                everybody = {UUID(party["id"]) for party in document.get("parties") or ()}
                is_whole = everybody <= rule.keys() and len(rule) == len(parties)
                if not is_whole or min(rule.values()) < 1:
                    raise ValueError(_NO_RULE)
                return rule
        named = [
            UUID(signatory["organisation_id"]) for signatory in document.get("signatories") or ()
        ]
        if named:
            return dict(Counter(named))
        return {UUID(party["id"]): 1 for party in document["parties"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(_NO_RULE) from error


def _number(stored: object) -> int:
    """Return a number as written in a text; true isn't one."""
    if type(stored) is not int:
        raise ValueError(_NO_RULE)
    return stored


def last_day_of(document: Mapping[str, Any]) -> dt.date | None:
    """Return the last day on which a text can be signed, inclusive, as it states itself (5.9)."""
    until = (document.get("signing") or {}).get("until")
    return dt.date.fromisoformat(until) if until else None


def is_signed_by_all(rule: Rule, given: Iterable[Given]) -> bool:
    """Return whether enough people have signed for each organisation, according to the text."""
    counts = Counter(
        party
        for party, _user in {(signature.organisation_id, signature.user_id) for signature in given}
    )
    return bool(rule) and all(counts[party] >= needed for party, needed in rule.items())


def witnessed(
    revision: Revision, signatures: Iterable[Signature], links: Iterable[Link]
) -> tuple[Given, ...]:
    """Return the signatures on a revision that match their digest and are bound by events.

    links are events of SIGNING, whose subject is a signature. One on paper counts if two others
    vouch for its scan (vouching.flaws).
    """
    rows = list(signatures)
    known = {(link.subject_id, link.evidence): link.number for link in links}
    flawed = {signature.id for signature in _flawed(rows)}
    return tuple(
        Given(signature.organisation_id, signature.user_id, known[signature.id, signature.digest])
        for signature in rows
        if signature.kind is SignatureKind.SIGNATURE
        and (signature.id, signature.digest) in known
        and is_on(signature, revision)
        and signature.id not in flawed
    )


def _flawed(signatures: Iterable[Signature]) -> list[Signature]:
    """Return the signatures on paper whose scan isn't vouched for by two others."""
    on_paper = [
        signature
        for signature in signatures
        if signature.method is Method.PAPER or signature.paper is not None
    ]
    flaws = vouching.flaws([signature.content() for signature in on_paper])
    return [signature for signature, flaw in zip(on_paper, flaws, strict=True) if flaw]


def is_on(signature: Signature, revision: Revision) -> bool:
    """Return whether a signature matches its digest and belongs to this text."""
    return (
        signature.revision_id == revision.id
        and signature.document_digest == revision.digest
        and signature.has_its_digest()
    )


# Replay of a text's events ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """A frozen revision for the replay; without its rule if it was not read."""

    revision_id: UUID
    # The digest bound by the event of its freezing.
    evidence: str
    given: tuple[Given, ...] = ()
    rule: Rule | None = None
    # Whether it has a signature that no event binds.
    has_stray: bool = False


@dataclass(slots=True)
class Course:
    """The result of the replay: the outcome of each revision, and the current status."""

    outcomes: dict[UUID, Outcome] = field(default_factory=dict)
    phase: Phase = Phase.DRAFTING
    sent_id: UUID | None = None
    # The revision in force, or the one that was in force until it was suspended or ended.
    standing_id: UUID | None = None
    in_force_at: dt.datetime | None = None
    # The open notices, and how many of them have taken effect.
    notices: int = 0
    in_effect: int = 0
    # The digests of all notices on the standing revision. Events don't say which of them are open.
    given: list[str | None] = field(default_factory=list)
    # Whether the events are possible in this order.
    is_sound: bool = True

    @property
    def standing(self) -> Outcome | None:
        """The outcome of the revision that is or was last in force; None without one."""
        return self.outcomes.get(self.standing_id) if self.standing_id else None


def course(links: Iterable[Link], texts: Iterable[Text]) -> Course:
    """Replay the events of COURSE about one checklist in order; texts are its revisions.

    A text came into force only if its signatures existed by then: if its rule is given, a text that
    lacks one is not fully signed, whatever an event says.
    """
    replay = _Replay({text.evidence: text for text in texts})
    for link in sorted(links, key=lambda link: link.number):
        replay.follow(link)
    return replay.end()


class _Replay:
    """Replays the events of a text one by one."""

    def __init__(self, texts: dict[str, Text]) -> None:
        self._by_evidence = texts
        self._by_id = {text.revision_id: text for text in texts.values()}
        self._now = Course()

    def follow(self, link: Link) -> None:
        """Apply the next event."""
        _STEPS[link.verb](self, link)

    def end(self) -> Course:
        """Return the result after the last event."""
        now = self._now
        if self._by_id.keys() != now.outcomes.keys():
            now.is_sound = False  # a revision that nobody sent
        if any(course.has_stray for course in self._by_id.values()):
            now.is_sound = False
        text = self._by_id.get(now.sent_id) if now.sent_id else None
        if text is not None and text.rule is not None and is_signed_by_all(text.rule, text.given):
            now.is_sound = False  # nothing is pending once all have signed (5.7)
        return now

    def send(self, link: Link) -> None:
        """Apply: it was frozen and sent, or recorded as a prior agreement."""
        text = self._by_evidence.get(link.evidence or "")
        if text is None or self._now.sent_id is not None:
            self._now.is_sound = False
            return
        self._now.sent_id = text.revision_id
        self._now.outcomes[text.revision_id] = Outcome.WAITING
        self._now.phase = Phase.SENT

    def come_into_force(self, link: Link) -> None:
        """Apply: everybody has signed."""
        now, text = self._now, self._by_id.get(self._now.sent_id) if self._now.sent_id else None
        before = (
            [signature for signature in text.given if signature.event < link.number] if text else []
        )
        if text is None or (text.rule is not None and not is_signed_by_all(text.rule, before)):
            now.is_sound = False
            return
        if now.standing_id is not None:
            now.outcomes[now.standing_id] = Outcome.SUPERSEDED
        now.outcomes[text.revision_id] = Outcome.IN_FORCE
        now.standing_id, now.sent_id = text.revision_id, None
        now.phase, now.in_force_at = Phase.IN_FORCE, link.at
        now.notices = now.in_effect = 0  # the newly signed text replaces them
        now.given.clear()

    def _stop_waiting(self, outcome: Outcome) -> None:
        if self._now.sent_id is None:
            self._now.is_sound = False
            return
        self._now.outcomes[self._now.sent_id] = outcome
        self._now.sent_id = None
        self._now.phase = Phase.DRAFTING

    def decline(self, _link: Link) -> None:
        """Apply: a party declined it."""
        self._stop_waiting(Outcome.DECLINED)

    def withdraw(self, _link: Link) -> None:
        """Apply: it was called back."""
        self._stop_waiting(Outcome.WITHDRAWN)

    def expire(self, _link: Link) -> None:
        """Apply: not everybody had signed by its last day."""
        self._stop_waiting(Outcome.EXPIRED)

    def amend(self, _link: Link) -> None:
        """Apply: a new text is being drafted."""
        self._now.phase = Phase.DRAFTING

    def call_amendment_off(self, _link: Link) -> None:
        """Apply: the amendment was called off, and the text in force continues."""
        now = self._now
        if now.phase is not Phase.DRAFTING or now.standing is not Outcome.IN_FORCE:
            now.is_sound = False
            return
        now.phase = Phase.IN_FORCE

    def give_notice(self, link: Link) -> None:
        """Apply: a party gave notice."""
        self._now.notices += 1
        self._now.given.append(link.evidence)

    def take_back(self, _link: Link) -> None:
        """Apply: a party withdrew its notice before its day."""
        self._now.notices -= 1

    def _stop(self, outcome: Outcome) -> bool:
        if self._now.standing_id is None or self._now.standing is Outcome.ENDED:
            self._now.is_sound = False
            return False
        self._now.outcomes[self._now.standing_id] = outcome
        return True

    def _need_notice(self) -> None:
        """Require a notice that isn't in effect yet."""
        if self._now.notices <= self._now.in_effect:
            self._now.is_sound = False

    def suspend(self, _link: Link) -> None:
        """Apply: a party's suspension began."""
        self._need_notice()
        if self._stop(Outcome.SUSPENDED):
            self._now.in_effect += 1
            if self._now.phase is Phase.IN_FORCE:
                self._now.phase = Phase.SUSPENDED

    def lift(self, _link: Link) -> None:
        """Apply: a party lifted its suspension."""
        now = self._now
        if now.standing is not Outcome.SUSPENDED or now.standing_id is None:
            now.is_sound = False
            return
        now.notices -= 1
        now.in_effect -= 1
        if now.in_effect:  # another party's suspension is still in effect
            return
        now.outcomes[now.standing_id] = Outcome.IN_FORCE
        if now.phase is Phase.SUSPENDED:
            now.phase = Phase.IN_FORCE

    def finish(self, _link: Link) -> None:
        """Apply: a party ended it."""
        self._need_notice()
        if self._stop(Outcome.ENDED):
            self._now.phase = Phase.ENDED
            self._now.notices = self._now.in_effect = 1


_STEPS: dict[str, Callable[[_Replay, Link], None]] = {
    **{verb.name: _Replay.send for verb in FREEZING},
    verbs.DECLINED.name: _Replay.decline,
    verbs.SIGNATURE_REQUEST_WITHDRAWN.name: _Replay.withdraw,
    verbs.SIGNATURE_REQUEST_EXPIRED.name: _Replay.expire,
    verbs.CAME_INTO_FORCE.name: _Replay.come_into_force,
    verbs.AMENDMENT_OPENED.name: _Replay.amend,
    verbs.AMENDMENT_CALLED_OFF.name: _Replay.call_amendment_off,
    verbs.NOTICE_GIVEN.name: _Replay.give_notice,
    verbs.NOTICE_TAKEN_BACK.name: _Replay.take_back,
    verbs.TEXT_SUSPENDED.name: _Replay.suspend,
    verbs.SUSPENSION_LIFTED.name: _Replay.lift,
    verbs.TEXT_ENDED.name: _Replay.finish,
}


# Replay of an undertaking's events ----------------------------------------------------------------


class UndertakingPhase(enum.StrEnum):
    """The status of a person's undertaking."""

    ASKED = "asked"
    ON_PAPER = "on_paper"
    SIGNED = "signed"
    COUNTERSIGNED = "countersigned"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class UndertakingCourse:
    """The result of replaying one undertaking."""

    phase: UndertakingPhase = UndertakingPhase.ASKED
    # Whether the person signed it, here or on a paper whose scan was confirmed.
    is_signed: bool = False
    is_signed_by_all: bool = False
    # The event of the person's signature, and the one that closed it.
    signed_by: UUID | None = None
    closed_by: UUID | None = None
    is_sound: bool = True


def undertaking_course(
    links: Iterable[Link],
    person_id: UUID,
    revision: Revision | None,
    evidence: str,
    signatures: Iterable[Signature],
) -> UndertakingCourse:
    """Replay the events of one undertaking; evidence is the digest bound by its freezing.

    It is fully signed once its person has signed the frozen text and somebody else has
    countersigned it.
    """
    ordered = sorted(links, key=lambda link: link.number)
    bound = {(link.verb, link.evidence): link.number for link in ordered}
    closed = next((link for link in ordered if link.verb == verbs.UNDERTAKING_CLOSED.name), None)
    given = list(signatures)
    under = [
        signature for signature in given if revision is not None and is_on(signature, revision)
    ]
    frozen = bound.get((verbs.UNDERTAKING_FROZEN.name, evidence)) if revision else None
    own = _first(under, bound, verbs.UNDERTAKING_SIGNED.name, person_id, is_own=True)
    other = _first(under, bound, verbs.UNDERTAKING_COUNTERSIGNED.name, person_id, is_own=False)
    steps = [frozen, own, other]
    numbers = [
        next((link.number for link in ordered if link.verb == verb), None)
        for verb in (
            verbs.UNDERTAKING_FROZEN.name,
            verbs.UNDERTAKING_SIGNED.name,
            verbs.UNDERTAKING_COUNTERSIGNED.name,
        )
    ]
    phase = (
        UndertakingPhase.COUNTERSIGNED
        if other
        else UndertakingPhase.SIGNED
        if own
        # Whoever signs here freezes and signs in one step; a scan is confirmed later.
        else UndertakingPhase.ON_PAPER
        if frozen
        else UndertakingPhase.ASKED
    )
    return UndertakingCourse(
        UndertakingPhase.CLOSED if closed else phase,
        is_signed=own is not None,
        is_signed_by_all=all(steps),
        signed_by=next((link.event_id for link in ordered if link.number == own), None),
        closed_by=closed.event_id if closed else None,
        # Each event has its row and each row its event; each comes after what it depends on.
        is_sound=steps == numbers
        and _in_order(steps)
        and (revision is None) == (frozen is None)
        and len(given) == sum(step is not None for step in steps[1:])
        and not _is_vouched_for_twice(under)
        and not _flawed(under),
    )


def _is_vouched_for_twice(signatures: Iterable[Signature]) -> bool:
    """Return whether one person took the signature and countersigned it too.

    Whoever recorded it from paper, or had it signed on their own device, took it.
    """
    rows = list(signatures)
    takers = set(vouching.takers({"presence": row.presence, "paper": row.paper} for row in rows))
    return any(row.kind is SignatureKind.COUNTERSIGNATURE and row.user_id in takers for row in rows)


def _first(
    signatures: Iterable[Signature],
    bound: Mapping[tuple[str, str | None], int],
    verb: str,
    person_id: UUID,
    *,
    is_own: bool,
) -> int | None:
    """Return the number of the event that binds the person's, or somebody else's, signature."""
    kind = SignatureKind.SIGNATURE if is_own else SignatureKind.COUNTERSIGNATURE
    return next(
        (
            bound[verb, signature.digest]
            for signature in signatures
            if signature.kind is kind
            and (signature.user_id == person_id) is is_own
            and (verb, signature.digest) in bound
        ),
        None,
    )


def _in_order(steps: Iterable[int | None]) -> bool:
    is_done = [step is not None for step in steps]
    return is_done == sorted(is_done, reverse=True)
