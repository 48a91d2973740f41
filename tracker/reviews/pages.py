"""View models for the pages of reviews, and their tasks on My work and the cooperation page."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.activity import queries as trail
from tracker.activity import verbs
from tracker.agreements import frozen_text
from tracker.agreements.frozen_text import FrozenItem, FrozenText
from tracker.checklists.models import Checklist
from tracker.cooperations import people
from tracker.cooperations.models import Cooperation, Stage
from tracker.cooperations.pages import task_heading
from tracker.core import clock
from tracker.lifecycle.policy import Facts, Gate
from tracker.reviews import labels, policy, queries
from tracker.reviews.models import Outcome, Review
from tracker.reviews.policy import BEGINNERS, CONFIRMERS, ReviewFact
from tracker.reviews.queries import OpenReview
from tracker.reviews.records import PROMISES, Participant, Record, Result
from tracker.signoff import policy as signoff
from tracker.ui.locale import as_date, listed, with_commas, with_semicolons
from tracker.ui.tasks import OTHERS, YOURS, Task


@dataclass(frozen=True, slots=True)
class PromiseView:
    """A promise of the text in force, and what became of it."""

    code: str
    item: FrozenItem
    result: Result
    verdict: object
    s: str


@dataclass(frozen=True, slots=True)
class PartyLine:
    """A party, with who confirmed the last version and when; empty if nobody has."""

    name: str
    confirmed_by: str = ""
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class ConcludedWithout:
    """That the NPM concluded a review without some parties: their names, and the reason it gave.

    Both are empty once the details of the event are erased.
    """

    names: Sequence[str]
    reason: str

    @property
    def words(self) -> str:
        """Without whose confirmation, in words."""
        if not self.names:
            return str(_("Concluded without the confirmation of every party."))
        return str(_("Concluded without the confirmation of %(names)s:", names=listed(self.names)))


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """A review in the list: its state in words with a style mark."""

    review: Review
    state: object
    s: str


def text_of(terms: Checklist, language: str, review: Review) -> FrozenText:
    """Return the terms in force when a review began, rendered in a language."""
    return frozen_text.read(queries.text_of(terms, review), language)


def items(text: FrozenText) -> list[tuple[str, str]]:
    """Return the items of a text that can be amended: code and label."""
    return [(code, item.label) for code, item in text.by_code.items()]


def promises(text: FrozenText, record: Record) -> list[PromiseView]:
    """Return each promise as it was signed, beside what the record says about it."""
    by_code = text.by_code
    views = []
    for code in PROMISES:
        if queries.is_promised(by_code, code):
            result = record.results.get(code, Result())
            words = labels.VERDICTS[result.verdict] if result.verdict else _("Not answered")
            s = labels.VERDICT_STYLES[result.verdict] if result.verdict else "todo"
            views.append(PromiseView(code, by_code[code], result, words, s))
    return views


def party_lines(
    cooperation: Cooperation, review: Review, without: ConcludedWithout | None
) -> list[PartyLine]:
    """Return today's parties with their confirmations; for a past review, who did and didn't."""
    rows = {row.organisation_id: row for row in queries.standing_confirmations(review)}
    lines = [
        PartyLine(row.organisation.name, row.user.name, row.confirmed_at) for row in rows.values()
    ]
    if review.is_open:
        lines += [
            PartyLine(party.organisation.name)
            for party in people.joined_parties(cooperation)
            if party.organisation_id not in rows
        ]
    elif without is not None:
        lines += [PartyLine(name) for name in without.names]
    return lines


def concluded_without(review: Review) -> ConcludedWithout | None:
    """Return which parties a review was concluded without, and why, as the trail says; or None."""
    if review.concluded_at is None or review.outcome is not Outcome.GO_ON:
        return None
    of = [verbs.REVIEW_CONCLUDED_WITHOUT]
    for event in trail.subject_history(review.cooperation_id, [review.id], of=of):
        return ConcludedWithout(event.details.get("parties", []), event.details.get("reason", ""))
    return None


def absent(record: Record, cooperation: Cooperation) -> list[str]:
    """Return in words which parties nobody took part of, as a record says."""
    names = queries.names(cooperation)
    return [
        _("Nobody of %(party)s took part", party=names[party_id])
        for party_id in record.absent
        if party_id in names
    ]


def dates(record: Record, text: FrozenText) -> list[tuple[object, object]]:
    """Return the meeting and the outcome of a record, for a list of facts."""
    names = dict(items(text))
    amended = with_semicolons(names.get(code, code) for code in record.items)
    renews = record.outcome is Outcome.RENEW
    facts: list[tuple[object, object]] = [
        (_("Held on"), _date(record.held_on)),
        (_("Outcome"), labels.OUTCOMES[record.outcome] if record.outcome else ""),
        (_("Items to amend"), amended),
        (_("New start"), _date(record.starts_on) if renews else ""),
        (_("New end"), _date(record.ends_on) if renews else ""),
        (
            _("Next review"),
            _date(record.next_on) if record.outcome is not Outcome.END else "",
        ),
    ]
    return [(name, words) for name, words in facts if words]


def saved_values(
    record: Record, text: FrozenText, cooperation: Cooperation
) -> list[tuple[object, object]]:
    """Return everything in a saved record, for comparison with what somebody typed meanwhile."""
    names = dict(items(text))
    results = [
        (
            names.get(code, code),
            f"{labels.VERDICTS[result.verdict] if result.verdict else ''} {result.words}".strip(),
        )
        for code, result in record.results.items()
    ]
    facts = [
        *dates(record, text),
        (_("People who took part"), with_commas(person.name for person in record.people)),
        (_("Parties that didn't take part"), with_semicolons(absent(record, cooperation))),
        *results,
        (_("Other points"), record.other_points),
        (_("Reason"), record.reason if record.outcome is not Outcome.GO_ON else ""),
    ]
    return [(name, words) for name, words in facts if words]


def ahead(cooperation: Cooperation, today: dt.date) -> str:
    """Return what the page says of the next review, or of the end that was decided; or nothing.

    No new visit can be planned while a review is overdue (G5).
    """
    last_day = queries.end_decided(cooperation)
    if cooperation.stage is Stage.CLOSED:
        return ""
    if last_day is not None:
        return _words_before_the_end(last_day)
    if cooperation.review_on is None:
        return ""
    day = as_date(cooperation.review_on)
    if cooperation.review_on < today:
        return str(
            _(
                "The review was due on %(day)s. Until it's held, no new visit can be planned.",
                day=day,
            )
        )
    return str(_("Next review: %(day)s.", day=day))


def lines(reviews: Iterable[Review]) -> list[ReviewLine]:
    """Return reviews for the list."""
    return [ReviewLine(review, *_state(review)) for review in reviews]


# Tasks ------------------------------------------------------------------------------------------


def my_tasks(actor: Actor) -> list[Task]:
    """Return a person's tasks on reviews: write, confirm or conclude a record, give notice."""
    if actor.organisation_id is None or not actor.has(*BEGINNERS, *CONFIRMERS):
        return []
    return [_my_task(actor, review) for review in queries.open_for(actor)]


def cooperation_tasks(
    actor: Actor, cooperation: Cooperation, facts: Facts, _gates: Sequence[Gate]
) -> Mapping[str, Sequence[Task]]:
    """Return the task of a cooperation's review; sends no query unless it is under review."""
    url = url_for("reviews.listed", reference=cooperation.reference)
    if cooperation.stage is Stage.UNDER_REVIEW:
        return {"review": [_task_under_review(actor, cooperation, url)]}
    if cooperation.stage is Stage.CLOSED:
        return {}
    review_on, label = facts.next_review_on, _("Hold the review")
    parties = tuple((party.organisation_id, "") for party in people.joined_parties(cooperation))
    may_begin = policy.can_begin(
        actor, ReviewFact(cooperation.stage, parties, terms_in_force=facts.terms_in_force)
    )
    if facts.end_decided is not None:
        return {"review": [_task_before_the_end(facts.end_decided, url if may_begin else "")]}
    if review_on is None:
        return {}
    if review_on >= facts.today or cooperation.stage is not Stage.ACTIVE:
        why = _("Due on %(day)s.", day=as_date(review_on))
        return {"review": [Task(label, _("Not yet due"), "off", url if may_begin else "", why)]}
    why = _("It was due on %(day)s.", day=as_date(review_on))
    if may_begin:
        task = Task(label, _("Overdue"), YOURS, url, why, act=_("Start the review"))
    else:
        task = Task(label, _("Overdue"), "stop", url, why)
    return {"review": [task]}


def _task_before_the_end(last_day: dt.date, url: str) -> Task:
    """Return what is shown during the notice period after a review that decided to end."""
    why = _words_before_the_end(last_day)
    return Task(_("Hold the review"), _("Complete"), "done", url, why)


def _words_before_the_end(last_day: dt.date) -> str:
    day = as_date(last_day)
    return str(_("The parties decided to end the agreement. Its last day is %(day)s.", day=day))


def _task_under_review(actor: Actor, cooperation: Cooperation, url: str) -> Task:
    review = queries.open_review(cooperation.id)
    label = _("Hold the review")
    is_party = any(
        party.organisation_id == actor.organisation_id
        for party in people.joined_parties(cooperation)
    )
    if review is None:
        why = _("All parties have confirmed that the cooperation ends.")
        state = queries.record_state(cooperation, None)
        is_mine = bool(policy.can_give_notice(actor, state, clock.today()))
        return _notice_task(url, why, is_mine=is_mine)
    version = queries.last_version(review)
    url = record_url(cooperation.reference, review.number)
    state = queries.record_state(cooperation, review)
    confirmed = {organisation_id for organisation_id, _user_id in state.confirmed}
    if policy.can_conclude_without(
        actor, state.for_conclusion(actor.organisation_id), clock.today()
    ):
        return _conclude_task(cooperation.reference, review.number, "")
    if version is not None and version.is_complete:
        missing = [
            party.organisation.name
            for party in people.joined_parties(cooperation)
            if party.organisation_id not in confirmed
        ]
        label = _("Confirm the record of the review")
        # If the only missing party has left, all others have confirmed: any of them can continue.
        is_confirmed = actor.organisation_id in confirmed or any(
            user_id == actor.user_id for _organisation_id, user_id in state.confirmed
        )
        is_ours = bool(signoff.decides(actor, clock.today())) and not (missing and is_confirmed)
        words = (
            _("Waiting for %(names)s", names=with_commas(missing))
            if missing
            else _("Confirmed by all who stay")
        )
    else:
        is_ours = actor.has(*BEGINNERS)
        words = _("Under review")
    return Task(label, words, YOURS if is_ours and is_party else OTHERS, url)


def _signs(actor: Actor) -> bool:
    return bool(signoff.has_power(signoff.signing_membership(actor), clock.today()))


def _notice_task(url: str, why: str, *, is_mine: bool) -> Task:
    label = _("Give notice of the end")
    if is_mine:
        return Task(label, _("Waiting for you"), YOURS, url, why, act=label)
    return Task(label, _("Waiting for a signatory"), OTHERS, url, why)


def _my_task(actor: Actor, review: OpenReview) -> Task:
    if review.number is None:
        url = url_for("reviews.listed", reference=review.reference)
        task = _notice_task(url, review.title, is_mine=_signs(actor))
        return _grouped(task, review) if task.s == YOURS else task
    if policy.can_conclude_without(actor, review.for_conclusion, clock.today()):
        return _grouped(_conclude_task(review.reference, review.number, ""), review)
    url = record_url(review.reference, review.number)
    if review.is_complete:
        # If the only missing party has left, any of the others can continue.
        waits_for_others = review.has_missing and review.is_confirmed
        is_mine = bool(signoff.decides(actor, clock.today())) and not waits_for_others
        label = _("Confirm the record of the review")
    else:
        is_mine = actor.has(*BEGINNERS)
        label = _("Write the record of the review")
    if is_mine:
        return _grouped(Task(label, _("Waiting for you"), YOURS, url), review)
    return Task(label, _("Waiting for others"), OTHERS, url, review.title)


def _grouped(task: Task, review: OpenReview) -> Task:
    """Return a task under the heading of its cooperation, which then says where it is."""
    return replace(task, why="", under=task_heading(review.reference, review.title))


def _conclude_task(reference: str, number: int, why: str) -> Task:
    url = url_for("reviews.conclude", reference=reference, number=number)
    label = _("Conclude the review")
    return Task(label, _("Waiting for you"), YOURS, url, why)


def record_url(reference: str, number: int) -> str:
    """Return the URL of a review's record."""
    return str(url_for("reviews.show", reference=reference, number=number))


def _state(review: Review) -> tuple[object, str]:
    if review.called_off_at is not None:
        return _("Cancelled"), "off"
    if review.outcome is not None:
        return labels.OUTCOMES[review.outcome], "done"
    return _("Under review"), "half"


def _date(day: dt.date | None) -> str:
    return as_date(day) if day else ""


def parties(record: Record, cooperation: Cooperation) -> list[tuple[UUID, str]]:
    """Return which parties can be named as absent: today's, and those already named."""
    today = {party.organisation_id for party in people.joined_parties(cooperation)}
    names = queries.names(cooperation)
    return [
        (party_id, name)
        for party_id, name in names.items()
        if party_id in today or party_id in record.absent
    ]


def participants(record: Record, cooperation_id: UUID) -> list[Participant]:
    """Return who can be named as having taken part: people of today, and those already named.

    A person who takes part for two parties is named for each.
    """
    offered = {
        (person.user_id, person.organisation_id): Participant(
            person.user_id, person.name, person.organisation_id, person.organisation_name
        )
        for person in people.people(cooperation_id)
    }
    for named in record.people:
        offered.setdefault((named.user_id, named.organisation_id), named)
    return list(offered.values())
