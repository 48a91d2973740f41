"""Access that ends with the agreed terms is found, shown and exported by that day."""

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit
from tests.starting_points import noon_in
from tracker.activity.stale import recompute
from tracker.agreements import notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import NoticeKind
from tracker.core import clock
from tracker.oversight.undertaking_register import pages, queries
from tracker.oversight.undertaking_register.facts import Access, Filters
from tracker.oversight.undertaking_register.queries import RegisteredUndertaking
from tracker.ui.locale import as_date
from tracker.undertakings import pages as undertakings

pytestmark = pytest.mark.both_databases

DAY = dt.timedelta(days=1)
NOTICE = 60


def lines(joint_visit: JointVisit, **filters: object) -> list[RegisteredUndertaking]:
    every = Filters(cooperation=joint_visit.reference, access=Access.OPEN, **filters)  # type: ignore[arg-type]  # by name
    milan = joint_visit.actor("milan")
    page = queries.page(milan, every, limit=100)
    assert len(page.lines) == queries.count(milan, every)
    return page.lines


def test_access_that_ends_earlier_with_the_agreed_terms_is_found_by_that_day(
    session: Session,
    demonstration: Demonstration,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    joint_visit = JointVisit(session, demonstration)
    frozen_time(noon_in(5))
    whole = {
        line.line.undertaking.id
        for line in lines(joint_visit)
        if not line.is_for_one_visit and line.until_on is not None
    }
    assert whole
    assert lines(joint_visit, ends_within=90) == []
    day = clock.today() + NOTICE * DAY
    notice = notices.give_notice(
        joint_visit.actor("tomas"),
        joint_visit.checklist(ChecklistKind.TERMS, None),
        NoticeKind.ENDED,
        reason="It is over.",
        from_on=day,
    )
    recompute()
    joint_visit.session.commit()
    ending = lines(joint_visit, ends_within=90)
    assert {line.line.undertaking.id for line in ending} == whole
    assert lines(joint_visit, ends_within=30) == []
    last = day - DAY
    assert {line.until_on for line in ending} == {last}
    assert {pages.export_row(line)[-1] for line in ending} == {last.isoformat()}
    (words,) = {str(undertakings.access(line.line, in_full=False)[0]) for line in ending}
    assert words == f"Cleared until {as_date(last)}"
    notices.close_notice(
        joint_visit.actor("tomas"),
        joint_visit.checklist(ChecklistKind.TERMS, None),
        notice.id,
        reason="It goes on.",
    )
    recompute()
    joint_visit.session.commit()
    assert lines(joint_visit, ends_within=90) == []
