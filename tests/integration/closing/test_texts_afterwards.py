"""What pages say of texts that ended with the agreed terms."""

import datetime as dt
import re
from collections.abc import Callable

from flask import Flask

from tests.factories.visits import JointVisit
from tests.starting_points import noon_in
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind

Clock = Callable[[dt.datetime | None], None]
TEXTS = ("Roles for a joint visit", "Urgent-action plan")


def states_of_texts(app: Flask, joint_visit: JointVisit) -> list[str]:
    """Return the state of each text that the visit's page names."""
    url = f"/cooperations/{joint_visit.reference}/visits/1"
    text = joint_visit.demonstration.browser(app, "ilena").page(url).text
    states = [
        re.search(rf"{name}\d+ of \d+ items agreed\.(In force|Ended|Draft)", text) for name in TEXTS
    ]
    assert all(states), text
    return [state[1] for state in states if state]


def undertakings(app: Flask, joint_visit: JointVisit) -> str:
    url = f"/cooperations/{joint_visit.reference}/undertakings"
    return joint_visit.demonstration.browser(app, "ilena").page(url).text


def after_the_last_day(joint_visit: JointVisit, frozen_time: Clock) -> None:
    last = joint_visit.cooperation.ends_on
    assert last is not None
    frozen_time(dt.datetime.combine(last + dt.timedelta(days=1), dt.time(12), dt.UTC))


def test_a_visits_page_says_that_its_texts_ended_with_the_cooperation(
    app: Flask, ended: JointVisit
) -> None:
    assert states_of_texts(app, ended) == ["Ended", "Ended"]


def test_a_visits_page_says_that_its_texts_ended_when_the_terms_ran_out(
    app: Flask, joint_visit: JointVisit, frozen_time: Clock
) -> None:
    joint_visit.withdraw_notice()
    joint_visit.session.commit()
    last = joint_visit.cooperation.ends_on
    assert last is not None
    frozen_time(dt.datetime.combine(last, dt.time(12), dt.UTC))
    assert states_of_texts(app, joint_visit) == ["In force", "In force"]
    after_the_last_day(joint_visit, frozen_time)
    assert states_of_texts(app, joint_visit) == ["Ended", "Ended"]


def test_a_visits_page_says_that_a_text_in_force_is_being_amended(
    app: Flask, joint_visit: JointVisit, frozen_time: Clock
) -> None:
    frozen_time(noon_in(5))
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    agreements.amend(joint_visit.actor("ilena"), roles, reason="Another lead.", items=["V6"])
    joint_visit.session.commit()
    assert states_of_texts(app, joint_visit) == ["Draft", "In force"]


def test_the_page_of_undertakings_says_why_they_give_no_access_any_more(
    app: Flask, ended: JointVisit
) -> None:
    page = undertakings(app, ended)
    assert "in force until" not in page
    assert "on revision 1 of the confidentiality terms. This cooperation is closed" in page


def test_the_page_of_undertakings_says_that_the_agreed_terms_have_run_out(
    app: Flask, joint_visit: JointVisit, frozen_time: Clock
) -> None:
    frozen_time(noon_in(5))
    assert "on revision 1 of the confidentiality terms, in force until" in undertakings(
        app, joint_visit
    )
    after_the_last_day(joint_visit, frozen_time)
    page = undertakings(app, joint_visit)
    assert "in force until" not in page
    assert "The last day of the agreed terms has passed" in page
