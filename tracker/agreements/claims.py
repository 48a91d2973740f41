"""What a checklist's rows claim about its texts, and what its notices change. Pure."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import ChecklistState, Notice, NoticeKind
from tracker.core import canonical
from tracker.signoff.models import RequestState
from tracker.signoff.outcomes import Course, Outcome

# The longest time between what a row records and the event recorded right after it.
AT_MOST = dt.timedelta(minutes=1)

_REQUESTS = {
    Outcome.WAITING: RequestState.WAITING,
    Outcome.DECLINED: RequestState.DECLINED,
    Outcome.WITHDRAWN: RequestState.WITHDRAWN,
    Outcome.EXPIRED: RequestState.EXPIRED,
}
_CAN_STOP = frozenset({Outcome.IN_FORCE, Outcome.SUSPENDED})
_STOPS = {Outcome.SUSPENDED: NoticeKind.SUSPENDED, Outcome.ENDED: NoticeKind.ENDED}


@dataclass(frozen=True, slots=True)
class Claims:
    """The values of the columns, with the requests by the revision they belong to."""

    kind: ChecklistKind
    state: ChecklistState
    in_force_id: UUID | None
    sent_id: UUID | None
    stopped_by: NoticeKind | None
    stopped_id: UUID | None
    in_force_at: dt.datetime | None
    requests: Mapping[UUID, RequestState] = field(default_factory=dict)
    # The last day to sign each, by its request.
    last_days: Mapping[UUID, dt.date | None] = field(default_factory=dict)
    # All of them, closed ones too.
    notices: Collection[Notice] = ()

    def agree_with(self, course: Course, since: dt.datetime | None = None) -> bool:
        """Return whether the columns agree with the signatures and events.

        since is the time from which the revision has been in force, if its text says so: for a
        prior agreement.
        """
        stopped_by = _STOPS.get(course.standing) if course.standing else None
        return (
            course.is_sound
            and self.state.value == course.phase.value
            and self.sent_id == course.sent_id
            and self.stopped_by == stopped_by
            and (self.stopped_id, self.in_force_id)
            == ((course.standing_id, None) if stopped_by else (None, course.standing_id))
            and self.requests
            == {outcome: state_of(out) for outcome, out in course.outcomes.items()}
            and self._notices_agree_with(course)
            and self._began(since or course.in_force_at)
        )

    def _notices_agree_with(self, course: Course) -> bool:
        claimed = [notice for notice in self.notices if notice.closed_at is None]
        in_effect = [notice for notice in claimed if notice.taken_effect_at is not None]
        return (len(claimed), len(in_effect)) == (course.notices, course.in_effect) and set(
            map(_digest, claimed)
        ) <= set(course.given)

    def _began(self, at: dt.datetime | None) -> bool:
        if at is None or self.in_force_at is None:
            return at is self.in_force_at
        return abs(at - self.in_force_at) <= AT_MOST


def open_notices(notices: Iterable[Notice], course: Course) -> list[Notice] | None:
    """Return the open notices among all rows; None if one that an event binds is gone or changed.

    Rows say which are open only where some were withdrawn or lifted: no event says which.
    """
    by_digest = {_digest(notice): notice for notice in notices}
    given = [by_digest[digest] for digest in course.given if digest in by_digest]
    if len(given) != len(course.given):
        return None
    if len(given) == course.notices:
        return given
    return [notice for notice in given if notice.closed_at is None]


def outcome_on(
    day: dt.date,
    outcome: Outcome,
    notices: Iterable[Notice] = (),
    *,
    signed_until: dt.date | None = None,
    visit_is_stopped: bool = False,
    terms_have_ended: bool = False,
    last: dt.date | None = None,
) -> Outcome:
    """Return the outcome of a text on a day, given its open notices and what events recorded.

    A notice counts from its day on, and the last day to sign until it has passed, whether or not
    the worker has applied them. A visit's texts stop when the visit does, and all texts when the
    agreed terms have ended: those that wait for signatures too, which nobody can sign any more. A
    suspended text ends after its last day. That day ends a text in force too, which is for
    validity() to say.
    """
    stops = visit_is_stopped or terms_have_ended
    if outcome is Outcome.WAITING:
        if signed_until is not None and signed_until < day:
            return Outcome.EXPIRED
        return Outcome.WITHDRAWN if stops else outcome
    if outcome not in _CAN_STOP:
        return outcome
    if stops:
        return Outcome.ENDED
    due = {notice.kind for notice in notices if notice.from_on <= day}
    if NoticeKind.ENDED in due:
        return Outcome.ENDED
    if NoticeKind.SUSPENDED not in due:
        return outcome
    return Outcome.ENDED if last is not None and last < day else Outcome.SUSPENDED


def _digest(notice: Notice) -> str:
    return canonical.digest_of(notice.content())


def state_of(outcome: Outcome) -> RequestState:
    """Return the state of the signature request of a text with this outcome."""
    return _REQUESTS.get(outcome, RequestState.COMPLETED)
