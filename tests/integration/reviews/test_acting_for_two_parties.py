"""People who act for two parties confirm a record once, unless the first party has left since."""

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import due
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, NOTICE
from tests.integration.agreements.test_signers import mailed
from tests.integration.agreements.test_who_vouches_for_a_scan import acting, add_to
from tests.integration.reviews.conftest import (
    Clock,
    begin_review,
    confirm,
    cooperation,
    review_of,
    save,
    written,
)
from tracker.access.actor import Actor, Role
from tracker.accounts.models import Membership
from tracker.agreements import departures
from tracker.core import clock
from tracker.core.errors import RefusedError
from tracker.lifecycle import queries as gates
from tracker.mail.models import OutboxMessage
from tracker.oversight import integrity
from tracker.reviews import pages, service
from tracker.ui.tasks import OTHERS, YOURS


@pytest.fixture
def under_review(active: Negotiation) -> Negotiation:
    """A complete record; henrik is signatory of Open Door and manager of Lantern."""
    add_to(active, "henrik", "lantern", Role.MANAGER)
    begin_review(active)
    save(active, "samira", written(active))
    return active


def only_henrik_decides(negotiation: Negotiation) -> None:
    """Let Lantern's other signatory's role be that of a member."""
    negotiation.session.execute(
        sa.update(Membership)
        .where(
            Membership.user_id == negotiation["otto"].user_id,
            Membership.organisation_id == negotiation.country.id("lantern"),
        )
        .values(role=Role.MEMBER, power="")
    )
    negotiation.session.commit()


def is_task(negotiation: Negotiation, app: Flask, actor: Actor) -> bool:
    with app.test_request_context():
        (task,) = pages.my_tasks(actor)
    return str(task.state) == "Waiting for you"


def on_cooperation(negotiation: Negotiation, app: Flask, actor: Actor) -> str:
    """Return for whom the review is a task on the page of the cooperation."""
    under_way = cooperation(negotiation)
    with app.test_request_context():
        tasks = pages.cooperation_tasks(actor, under_way, gates.facts_of(under_way), ())
    (task,) = tasks["review"]
    return task.s


def test_whoever_confirmed_for_one_party_has_no_task_for_the_other(
    under_review: Negotiation, app: Flask
) -> None:
    henrik = acting(under_review, "henrik", "lantern")
    assert is_task(under_review, app, henrik)
    confirm(under_review, "henrik")
    assert not is_task(under_review, app, henrik)
    assert is_task(under_review, app, under_review["otto"])
    page = service.page_with(review_of(under_review))
    with pytest.raises(RefusedError, match="for another party"):
        service.confirm(henrik, under_review.cooperation, 1, page=page)


def test_the_page_of_the_cooperation_gives_them_no_task_either(
    under_review: Negotiation, app: Flask
) -> None:
    henrik = acting(under_review, "henrik", "lantern")
    assert on_cooperation(under_review, app, henrik) == YOURS
    confirm(under_review, "henrik")
    assert on_cooperation(under_review, app, henrik) == OTHERS
    assert on_cooperation(under_review, app, under_review["otto"]) == YOURS


def test_whoever_confirmed_for_one_party_gets_no_mail_for_the_other(
    under_review: Negotiation,
) -> None:
    confirm(under_review, "henrik")
    under_review.session.execute(sa.delete(OutboxMessage))
    confirm(under_review, "tomas")
    assert mailed(under_review, "review_confirmed") == ["otto"]


def test_whoever_confirmed_for_a_party_that_has_left_confirms_for_the_one_that_stays(
    active: Negotiation, app: Flask, frozen_time: Clock
) -> None:
    """Otherwise nobody could: henrik is the only one who decides for Lantern."""
    add_to(active, "henrik", "lantern", Role.MANAGER)
    departures.give_notice(active["henrik"], cooperation(active), reason="Other plans.")
    only_henrik_decides(active)
    begin_review(active, "joana")
    save(active, "joana", written(active, next_on=clock.today() + 90 * DAY))
    confirm(active, "henrik", "tomas")
    henrik = acting(active, "henrik", "lantern")
    assert not is_task(active, app, henrik)
    frozen_time(clock.now() + NOTICE * DAY)
    due.leave_due(clock.today())
    active.session.commit()
    assert review_of(active).is_open
    henrik = acting(active, "henrik", "lantern")
    assert is_task(active, app, henrik)
    assert on_cooperation(active, app, henrik) == YOURS
    page = service.page_with(review_of(active))
    service.confirm(henrik, cooperation(active), 1, page=page)
    active.session.commit()
    assert not review_of(active).is_open
    assert integrity.check_all().finding is None


def test_once_all_who_stay_have_confirmed_it_is_a_task_of_each_to_continue(
    active: Negotiation, app: Flask, frozen_time: Clock
) -> None:
    departures.give_notice(active["otto"], cooperation(active), reason="Other plans.")
    begin_review(active, "samira")
    save(active, "samira", written(active, next_on=clock.today() + 90 * DAY))
    confirm(active, "henrik", "tomas")
    assert not is_task(active, app, active["henrik"])
    frozen_time(clock.now() + NOTICE * DAY)
    due.leave_due(clock.today())
    active.session.commit()
    henrik = acting(active, "henrik", "door")
    assert is_task(active, app, henrik)
    assert on_cooperation(active, app, henrik) == YOURS
