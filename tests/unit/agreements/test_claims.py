"""What notices change about a text: which are open by the events, and from which day they count."""

import datetime as dt
from uuid import uuid4

import pytest

from tracker.agreements.claims import open_notices, outcome_on
from tracker.checklists.models import Notice, NoticeKind
from tracker.core import canonical
from tracker.signoff.outcomes import Course, Outcome

NOON = dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
TODAY, DAY = NOON.date(), dt.timedelta(days=1)


def notice(
    kind: NoticeKind = NoticeKind.ENDED, days: int = 0, *, is_closed: bool = False
) -> Notice:
    return Notice(
        id=uuid4(),
        checklist_id=uuid4(),
        revision_id=uuid4(),
        kind=kind,
        organisation_id=uuid4(),
        given_by_id=uuid4(),
        given_at=NOON,
        from_on=TODAY + days * DAY,
        notice_days=0,
        reason="It isn't safe.",
        closed_at=NOON if is_closed else None,
    )


def course(*given: Notice, still_open: int) -> Course:
    digests: list[str | None] = [canonical.digest_of(row.content()) for row in given]
    return Course(notices=still_open, given=digests)


def test_a_notice_that_no_event_closes_is_open_whatever_its_row_says() -> None:
    closed = notice(is_closed=True)
    assert open_notices([closed], course(closed, still_open=1)) == [closed]


def test_where_events_close_one_of_two_notices_the_rows_say_which() -> None:
    lifted, ending = notice(NoticeKind.SUSPENDED, is_closed=True), notice()
    assert open_notices([lifted, ending], course(lifted, ending, still_open=1)) == [ending]


def test_a_notice_that_no_event_binds_is_not_open() -> None:
    assert open_notices([notice()], course(still_open=0)) == []


def test_nothing_is_known_of_the_notices_if_a_bound_one_was_changed_or_is_gone() -> None:
    changed = notice()
    bound = course(changed, still_open=1)
    changed.from_on += DAY
    assert open_notices([changed], bound) is None
    assert open_notices([], bound) is None


@pytest.mark.parametrize(
    ("recorded", "notices", "wanted"),
    [
        (Outcome.IN_FORCE, [], Outcome.IN_FORCE),
        (Outcome.IN_FORCE, [notice(days=1)], Outcome.IN_FORCE),
        (Outcome.IN_FORCE, [notice(days=0)], Outcome.ENDED),
        (Outcome.IN_FORCE, [notice(NoticeKind.SUSPENDED, -1)], Outcome.SUSPENDED),
        (Outcome.IN_FORCE, [notice(NoticeKind.SUSPENDED), notice()], Outcome.ENDED),
        (Outcome.SUSPENDED, [], Outcome.SUSPENDED),
        (Outcome.SUSPENDED, [notice()], Outcome.ENDED),
        (Outcome.ENDED, [notice(NoticeKind.SUSPENDED)], Outcome.ENDED),
        (Outcome.WAITING, [notice()], Outcome.WAITING),
        (Outcome.SUPERSEDED, [notice()], Outcome.SUPERSEDED),
    ],
)
def test_a_notice_counts_from_its_day_on(
    recorded: Outcome, notices: list[Notice], wanted: Outcome
) -> None:
    assert outcome_on(TODAY, recorded, notices) is wanted


@pytest.mark.parametrize(
    ("days", "wanted"),
    [(1, Outcome.WAITING), (0, Outcome.WAITING), (-1, Outcome.EXPIRED)],
)
def test_a_text_waits_for_signatures_up_to_its_last_day_to_sign(days: int, wanted: Outcome) -> None:
    last = TODAY + dt.timedelta(days=days)
    assert outcome_on(TODAY, Outcome.WAITING, signed_until=last) is wanted
    assert outcome_on(TODAY, Outcome.IN_FORCE, signed_until=last) is Outcome.IN_FORCE


@pytest.mark.parametrize(
    ("recorded", "wanted"),
    [
        (Outcome.WAITING, Outcome.WITHDRAWN),
        (Outcome.IN_FORCE, Outcome.ENDED),
        (Outcome.SUSPENDED, Outcome.ENDED),
        (Outcome.ENDED, Outcome.ENDED),
        (Outcome.SUPERSEDED, Outcome.SUPERSEDED),
        (Outcome.DECLINED, Outcome.DECLINED),
    ],
)
def test_a_text_stops_with_its_visit(recorded: Outcome, wanted: Outcome) -> None:
    assert outcome_on(TODAY, recorded, visit_is_stopped=True) is wanted
