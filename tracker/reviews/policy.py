"""Who may begin, write, confirm, conclude or call off a review; what a record needs (G6). Pure.

Source: domain.md, section 4.1 (P5): the heads of all parties decide; product.md, section 6.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES, Decision, no
from tracker.checklists.rules.consistency import starts_too_late
from tracker.cooperations.models import Stage
from tracker.cooperations.policy import NO_PARTY
from tracker.lifecycle.stages import REVIEWABLE
from tracker.reviews.models import Outcome, Verdict
from tracker.reviews.records import Record
from tracker.signoff import policy as signoff

BEGINNERS = (Role.COORDINATOR, Role.MANAGER)
CONFIRMERS = (Role.MANAGER, Role.SIGNATORY)
TERM = "M19"
# After the last confirmation; then the NPM can go on without those who were asked and said nothing.
TIME_TO_CONFIRM = dt.timedelta(days=30)

Problem = tuple[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConclusionFact:
    """What the rule on concluding a review without a missing party asks, for one party."""

    is_open: bool
    is_complete: bool
    # The outcome that the last version names.
    outcome: Outcome | None
    # Whether the party is a body of the NPM, and whether it has confirmed the last version.
    is_of_npm: bool
    has_confirmed: bool
    # Whether another party has yet to, and since when it has known that.
    has_missing: bool
    asked_on: dt.date | None


@dataclass(frozen=True, slots=True)
class ReviewFact:
    """A cooperation's plain values for the rules on its review."""

    # By its events, so that a changed row holds up no review.
    stage: Stage
    # Today's parties, by id and name.
    parties: tuple[tuple[UUID, str], ...]
    terms_in_force: bool
    # The terms are neither amended nor waiting for signatures.
    terms_are_settled: bool = True
    is_open: bool = False
    begun_by: UUID | None = None
    # The party for which it was begun, or which took that party's place (N13); None once it left.
    begun_for: UUID | None = None
    is_taken_over: bool = False
    # Whether the last version of the record is complete; who has confirmed it, by organisation, for
    # today's parties: what somebody confirmed for a party that has left keeps them from nothing.
    is_complete: bool = False
    confirmed: tuple[tuple[UUID, UUID], ...] = ()
    # The outcome that the last version names.
    outcome: Outcome | None = None
    # Those of today's parties that are bodies of the NPM.
    npm_bodies: frozenset[UUID] = frozenset()
    # Since when each party that hasn't confirmed has known that it has to: the day of the last
    # confirmation, or a later one on which a party joined. None before the first confirmation.
    asked_on: dt.date | None = None

    def has_party(self, organisation_id: UUID | None) -> bool:
        """Return whether an organisation is a party today."""
        return any(party_id == organisation_id for party_id, _name in self.parties)

    @property
    def missing(self) -> tuple[str, ...]:
        """The parties that have yet to confirm the last version, by name."""
        confirmed = {organisation_id for organisation_id, _user_id in self.confirmed}
        return tuple(name for party_id, name in self.parties if party_id not in confirmed)

    def for_conclusion(self, organisation_id: UUID | None) -> ConclusionFact:
        """Return what the rule on concluding it without a missing party asks, for one party."""
        return ConclusionFact(
            is_open=self.is_open,
            is_complete=self.is_complete,
            outcome=self.outcome,
            is_of_npm=organisation_id in self.npm_bodies,
            has_confirmed=any(party_id == organisation_id for party_id, _user in self.confirmed),
            has_missing=bool(self.missing),
            asked_on=self.asked_on,
        )

    @property
    def awaits_notice(self) -> bool:
        """Whether the parties have decided to end the cooperation, and nobody has given notice."""
        return self.stage is Stage.UNDER_REVIEW and not self.is_open

    @property
    def ends_waiting_on(self) -> dt.date | None:
        """The first day on which the NPM can conclude the review without the missing parties.

        None if it never can as things are: only going on with the signed terms needs no consent of
        everybody, and a body of the NPM has to have confirmed (S7).
        """
        confirmed = {organisation_id for organisation_id, _user_id in self.confirmed}
        if not self.is_open or not self.is_complete or self.outcome is not Outcome.GO_ON:
            return None
        if not self.missing or self.asked_on is None or not confirmed & self.npm_bodies:
            return None
        return _ends_waiting_on(self.asked_on)


def _ends_waiting_on(asked_on: dt.date) -> dt.date:
    return asked_on + TIME_TO_CONFIRM


@dataclass(frozen=True, slots=True)
class RecordFact:
    """What a record is compared with: the promises and dates of the text in force."""

    today: dt.date
    # The label of each promise by its item.
    promises: Mapping[str, str]
    parties: tuple[tuple[UUID, str], ...]
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    review_on: dt.date | None = None
    # The last day on which renewed terms may start, if the terms run today: these keep their start.
    latest_start: dt.date | None = None
    renews_itself: bool = False


def can_begin(actor: Actor, fact: ReviewFact) -> Decision:
    """Decide who may begin a review: a coordinator or manager of a party, at any time (P4, P5)."""
    if not fact.has_party(actor.organisation_id) or not actor.has(*BEGINNERS):
        return no(_l("Only a coordinator or manager of one of the parties can start a review."))
    if not fact.terms_in_force:
        return no(_l("You can only hold a review while the agreed terms are in force."))
    if fact.stage not in REVIEWABLE:
        return no(_l("You can only hold a review once the cooperation is active."))
    if fact.is_open:
        return no(_l("A review is already being held."))
    return YES


def can_write(actor: Actor, fact: ReviewFact) -> Decision:
    """Decide who may write the record: coordinators and managers of every party."""
    if not fact.is_open:
        return no(_l("This review is over. Its record stays as it is."))
    if not fact.has_party(actor.organisation_id) or not actor.has(*BEGINNERS):
        return no(_l("Only coordinators and managers of the parties can write the record."))
    return YES


def can_confirm(actor: Actor, fact: ReviewFact, today: dt.date) -> Decision:
    """Decide who may confirm the record: a signatory or manager of each party, once (P5).

    If all of today's parties have confirmed because the last missing one left, any of them can make
    it take effect.
    """
    if not fact.is_open:
        return no(_l("This review is over. Its record stays as it is."))
    if not fact.has_party(actor.organisation_id) or not actor.has(*CONFIRMERS):
        return no(_l("Only a signatory or manager of a party can confirm the record for it."))
    if not fact.is_complete:
        return no(_l("The record is not complete yet."))
    for organisation_id, user_id in fact.confirmed if fact.missing else ():
        if organisation_id == actor.organisation_id:
            return no(_l("Your organisation has confirmed this record."))
        if user_id == actor.user_id:
            return no(_l("You have confirmed this record for another party."))
    return signoff.decides(actor, today)


def can_conclude_without(actor: Actor, fact: ConclusionFact, today: dt.date) -> Decision:
    """Decide who may conclude a review without the parties that haven't confirmed its record.

    A signatory or manager of a body of the NPM that has confirmed it, 30 days after the last
    confirmation, if the parties go on unchanged: a party that says nothing holds up no visits of
    the NPM (S7). What renews, amends or ends the terms needs all who signed them.
    """
    if not fact.is_open:
        return no(_l("This review is over. Its record stays as it is."))
    if not fact.is_of_npm or not actor.has(*CONFIRMERS):
        return no(
            _l(
                "Only a signatory or manager of the NPM can conclude a review that a party hasn't "
                "confirmed."
            )
        )
    if not fact.is_complete:
        return no(_l("The record is not complete yet."))
    if not fact.has_missing:
        return no(_l("All parties have confirmed this record."))
    if fact.outcome is not Outcome.GO_ON:
        return no(
            _l(
                "To renew, amend or end the terms, all parties have to confirm. You can only "
                "conclude a review without some of them if you continue unchanged."
            )
        )
    if not fact.has_confirmed:
        return no(_l("Your organisation has to confirm the record first."))
    if fact.asked_on is None or today < _ends_waiting_on(fact.asked_on):
        return no(
            _l(
                "The other parties have %(days)s days to confirm, counted from the last "
                "confirmation.",
                days=TIME_TO_CONFIRM.days,
            )
        )
    return signoff.decides(actor, today)


def can_call_off(actor: Actor, fact: ReviewFact) -> Decision:
    """Decide who may call a review off: who began it, or a manager of the same organisation.

    If their party was replaced (N13), its successor decides; if it has left, the NPM. So that
    somebody always can, a coordinator is enough then, as for beginning a review.
    """
    if not fact.is_open:
        return no(_l("This review is over. Its record stays as it is."))
    if fact.begun_for is None:
        if actor.organisation_id in fact.npm_bodies and actor.has(*BEGINNERS):
            return YES
        return no(
            _l(
                "The party that started the review has left. Only a coordinator or manager of the "
                "NPM can cancel it."
            )
        )
    if not fact.has_party(actor.organisation_id) or actor.organisation_id != fact.begun_for:
        return no(_l("Only the party that started the review can cancel it."))
    if (fact.is_taken_over or actor.user_id == fact.begun_by) and actor.has(*BEGINNERS):
        return YES
    if actor.has(Role.MANAGER):
        return YES
    return no(_l("Only the person who started the review, or your manager, can cancel it."))


def can_give_notice(actor: Actor, fact: ReviewFact, today: dt.date) -> Decision:
    """Decide who is asked for the notice that a review decided on: signatories of all parties."""
    if not fact.awaits_notice or not fact.terms_in_force:
        return no(_l("No notice of the end is due."))
    if not fact.has_party(actor.organisation_id):
        return no(NO_PARTY)
    return signoff.has_power(signoff.signing_membership(actor), today)


def can_take_effect(outcome: Outcome, *, terms_are_settled: bool) -> Decision:
    """Decide whether an outcome can take effect: an amendment under way has to end first."""
    if outcome in {Outcome.RENEW, Outcome.AMEND} and not terms_are_settled:
        return no(
            _l(
                "The terms are being amended already. Finish or call off that amendment, then "
                "confirm this record."
            )
        )
    return YES


def problems(record: Record, fact: RecordFact) -> tuple[Problem, ...]:
    """Return what a record still lacks before it can be confirmed: field and message."""
    return (
        *_about_the_meeting(record, fact),
        *_about_promises(record, fact),
        *_about_the_outcome(record, fact),
    )


def _about_the_meeting(record: Record, fact: RecordFact) -> Iterator[Problem]:
    if record.held_on is None:
        yield "held_on", _l("Enter the day on which the review was held.")
    elif record.held_on > fact.today:
        yield "held_on", _l("The review must have been held today or earlier.")
    elif fact.starts_on and record.held_on < fact.starts_on:
        yield "held_on", _l("The review must be held after the terms start.")
    represented = {person.organisation_id for person in record.people}
    for party_id, name in fact.parties:
        if party_id not in represented and party_id not in record.absent:
            yield (
                "people",
                _l(
                    "Name at least one person of %(party)s, or tick that nobody took part.",
                    party=name,
                ),
            )
    if not record.people and fact.parties:
        yield "people", _l("Name at least one person who took part.")
    yield from contradictions(record, fact.parties)


def contradictions(record: Record, parties: Iterable[tuple[UUID, str]]) -> Iterator[Problem]:
    """Yield what no version may say: that nobody of a party took part, and who of it did."""
    represented = {person.organisation_id for person in record.people}
    for party_id, name in parties:
        if party_id in represented and party_id in record.absent:
            yield (
                "absent",
                _l(
                    "You named people of %(party)s. Remove them, or untick that nobody of it took "
                    "part.",
                    party=name,
                ),
            )


def _about_promises(record: Record, fact: RecordFact) -> Iterator[Problem]:
    for code, label in fact.promises.items():
        result = record.results.get(code)
        if result is None or result.verdict is None:
            yield f"verdict_{code}", _l("Say how this went: %(item)s.", item=label)
        elif result.verdict is not Verdict.KEPT and not result.words:
            yield (
                f"words_{code}",
                _l("This wasn't kept in full. Say more about it: %(item)s.", item=label),
            )


def _about_the_outcome(record: Record, fact: RecordFact) -> Iterator[Problem]:
    if record.outcome is None:
        yield "outcome", _l("Choose how you'll go on.")
        return
    if record.outcome is not Outcome.GO_ON and not record.reason:
        yield "reason", _l("Give the reason for this outcome.")
    if record.outcome is Outcome.AMEND and not record.items:
        yield "items", _l("Choose at least one item to amend.")
    if record.outcome is Outcome.RENEW:
        yield from _about_new_dates(record, fact)
    if record.outcome is not Outcome.END:
        yield from _about_the_next_review(record, fact)


def _about_new_dates(record: Record, fact: RecordFact) -> Iterator[Problem]:
    too_late = starts_too_late(record.starts_on, fact.latest_start)
    if too_late:
        yield "starts_on", too_late
    elif record.starts_on is None and fact.latest_start is None:
        yield "starts_on", _l("Enter the new start.")
    if record.ends_on is None:
        yield "ends_on", _l("Enter the new end.")
    elif record.starts_on and record.ends_on <= record.starts_on:
        yield "ends_on", _l("The new end must come after the new start.")
    elif record.next_on and record.starts_on and record.next_on <= record.starts_on:
        yield "next_on", _l("The next review must come after the new start.")
    elif (record.starts_on or fact.starts_on, record.next_on, record.ends_on) == (
        fact.starts_on,
        fact.review_on,
        fact.ends_on,
    ):
        yield "ends_on", _l("These dates are already agreed.")


def _about_the_next_review(record: Record, fact: RecordFact) -> Iterator[Problem]:
    """Check that the next review comes after today and not after the end (M19), if it changes."""
    if record.next_on is None:
        yield "next_on", _l("Enter the day of the next review.")
        return
    if record.next_on <= fact.today:
        yield "next_on", _l("The next review must be after today.")
        return
    last = record.ends_on if record.outcome is Outcome.RENEW else fact.ends_on
    is_open_ended = record.outcome is not Outcome.RENEW and (
        fact.renews_itself or (record.outcome is Outcome.AMEND and TERM in record.items)
    )
    if last is not None and not is_open_ended and record.next_on > last:
        yield (
            "next_on",
            _l("The next review can't come after the terms end. Renew them with new dates."),
        )
