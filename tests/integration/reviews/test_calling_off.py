"""A review that is called off: by who began it, or whoever can in their place."""

import pytest
from flask import Flask

from tests import due
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, NOTICE
from tests.integration.agreements.notices.test_notices import give
from tests.integration.agreements.parties.test_succession import replace
from tests.integration.reviews.conftest import Clock, begin_review, cooperation, hold, review_of
from tests.integration.reviews.test_pages import page
from tests.integration.reviews.test_service import stage
from tracker.agreements import departures, notices
from tracker.checklists.models import NoticeKind
from tracker.cooperations.models import Stage
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.reviews import service
from tracker.reviews.models import Outcome


def test_a_review_is_called_off_by_who_began_it(active: Negotiation) -> None:
    begin_review(active)
    for first in ("ilena", "henrik", "leyla"):
        with pytest.raises(RefusedError):
            service.call_off(active[first], active.cooperation, 1, reason="No.")
    with pytest.raises(RuleBrokenError):
        service.call_off(active["samira"], active.cooperation, 1, reason=" ")
    service.call_off(active["samira"], active.cooperation, 1, reason="Too early.")
    assert stage(active) is Stage.ACTIVE
    assert active.events("review_called_off")[0]["reason"] == "Too early."
    begin_review(active)
    assert review_of(active, 2).number == 2


def test_the_npm_calls_off_a_review_begun_by_a_party_that_has_left(
    active: Negotiation, frozen_time: Clock
) -> None:
    """Nobody else could any more."""
    departures.give_notice(active["otto"], cooperation(active), reason="Other plans.")
    active.session.commit()
    begin_review(active, "joana")
    with pytest.raises(RefusedError, match="Only the party that started"):
        service.call_off(active["ilena"], cooperation(active), 1, reason="No.")
    frozen_time(clock.now() + NOTICE * DAY)
    due.leave_due(clock.today())
    with pytest.raises(RefusedError, match="has left"):
        service.call_off(active["samira"], cooperation(active), 1, reason="No.")
    service.call_off(
        active["ilena"], cooperation(active), 1, reason="Begin again among those left."
    )
    assert stage(active) is Stage.ACTIVE


def test_a_successor_calls_off_a_review_that_its_predecessor_began(active: Negotiation) -> None:
    """It takes the place of the body that it replaced (N13)."""
    begin_review(active, "samira")
    replace(active, "door", "bridge")
    with pytest.raises(RefusedError, match="Only the party that started"):
        service.call_off(active["ilena"], cooperation(active), 1, reason="No.")
    service.call_off(active["marek"], cooperation(active), 1, reason="We begin again.")
    assert stage(active) is Stage.ACTIVE


def test_calling_off_a_later_review_leaves_the_decision_to_end_the_agreement(
    app: Flask, active: Negotiation
) -> None:
    """Only another decision changes it, or the notice that carries it out."""
    hold(active, outcome=Outcome.END, reason="The project is over.", next_on=None)
    begin_review(active)
    service.call_off(active["samira"], active.cooperation, 2, reason="Too early.")
    assert stage(active) is Stage.UNDER_REVIEW
    active.session.commit()
    notice = "Give notice of the end"
    assert notice in page(app, active, "henrik").links()
    begin_review(active)
    give(active, "henrik", NoticeKind.ENDED)
    service.call_off(active["samira"], cooperation(active), 3, reason="Notice was given.")
    assert stage(active) is Stage.ACTIVE
    active.session.commit()
    assert notice not in page(app, active, "henrik").links()


def test_calling_off_a_later_review_asks_for_no_notice_that_was_given_and_withdrawn(
    active: Negotiation, frozen_time: Clock
) -> None:
    hold(active, outcome=Outcome.END, reason="The project is over.", next_on=None)
    notice = give(active, "henrik", NoticeKind.ENDED)
    frozen_time(clock.now() + DAY)
    reason = "We found other funds."
    notices.close_notice(active["henrik"], active.checklist(), notice.id, reason=reason)
    begin_review(active)
    service.call_off(active["samira"], active.cooperation, 2, reason="Too early.")
    assert stage(active) is Stage.ACTIVE
