"""From the day of a notice on nothing counts as in force, also before the worker applies it."""

import pytest

from tests.factories import agreements
from tests.factories.tables import Table
from tests.integration.agreements.conftest import DAY, NOTICE, SIGNERS, Clock
from tests.integration.agreements.notices.test_notices import give, send_amended
from tracker.agreements import notices
from tracker.checklists.models import NoticeKind
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError


def test_a_notice_of_the_end_is_not_taken_back_from_its_day_on(
    in_force: Table, frozen_time: Clock
) -> None:
    """From that day everybody reads that the text has ended, so it stays ended."""
    day = clock.today() + NOTICE * DAY
    notice = give(in_force, "henrik", NoticeKind.ENDED, from_on=day)
    frozen_time(clock.now() + NOTICE * DAY)
    with pytest.raises(RefusedError, match="agreed and signed again"):
        notices.close_notice(
            in_force["henrik"], in_force.checklist(), notice.id, reason="We go on."
        )


def test_the_last_signature_after_the_day_of_a_notice_brings_nothing_into_force(
    in_force: Table, frozen_time: Clock
) -> None:
    """The party that gave it signed the amendment afterwards, so its notice would be replaced."""
    send_amended(in_force)
    give(in_force, "henrik", NoticeKind.ENDED, from_on=clock.today() + NOTICE * DAY)
    *first, last = SIGNERS.values()
    agreements.sign(in_force.land, in_force.checklist(), *first)
    in_force.session.commit()
    before = len(in_force.events("came_into_force"))
    frozen_time(clock.now() + NOTICE * DAY)
    with pytest.raises(RuleBrokenError, match="ended by notice"):
        agreements.sign(in_force.land, in_force.checklist(), last)
    in_force.session.rollback()
    assert len(in_force.events("came_into_force")) == before
