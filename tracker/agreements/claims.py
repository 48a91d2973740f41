"""What a checklist's rows claim about its texts, for comparison with the evidence. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from tracker.checklists.models import ChecklistState, NoticeKind
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
_STOPS = {Outcome.SUSPENDED: NoticeKind.SUSPENDED, Outcome.ENDED: NoticeKind.ENDED}


@dataclass(frozen=True, slots=True)
class Claims:
    """The values of the columns, with the requests by the revision they belong to."""

    state: ChecklistState
    in_force_id: UUID | None
    sent_id: UUID | None
    stopped_by: NoticeKind | None
    stopped_id: UUID | None
    in_force_at: dt.datetime | None
    requests: Mapping[UUID, RequestState] = field(default_factory=dict)
    # The open notices, and how many of them have taken effect.
    notices: int = 0
    in_effect: int = 0

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
            and (self.notices, self.in_effect) == (course.notices, course.in_effect)
            and self._began(since or course.in_force_at)
        )

    def _began(self, at: dt.datetime | None) -> bool:
        if at is None or self.in_force_at is None:
            return at is self.in_force_at
        return abs(at - self.in_force_at) <= AT_MOST


def state_of(outcome: Outcome) -> RequestState:
    """Return the state of the signature request of a text with this outcome."""
    return _REQUESTS.get(outcome, RequestState.COMPLETED)
