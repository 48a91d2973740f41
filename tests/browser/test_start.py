"""Starting from an empty data directory with the demonstration: all is well, sign-in is offered."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import grave_faults
from tests.browser.conftest import PHONE, WIDE, NewContext
from tests.browser.demonstration import DEMONSTRATION, Answer, FirstStart
from tests.browser.instances import StartingPoint


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[FirstStart]:
    """The demonstration, which the first start created."""
    return DEMONSTRATION


@pytest.fixture(scope="module")
def first_start(starting_point: StartingPoint[FirstStart]) -> FirstStart:
    """What could be seen of that start."""
    return starting_point.value


def test_the_first_start_makes_everything_and_all_is_well(
    starting_point: StartingPoint[FirstStart], first_start: FirstStart
) -> None:
    assert (starting_point.data_dir / "demonstration-password.txt").exists()
    parts = dict(line.split(": ") for line in first_start.checked.split("\n") if line)
    assert set(parts.values()) == {"well"}
    assert set(parts) == {
        "database",
        "content",
        "worker",
        "certificates",
        "accounts",
        "texts",
        "timestamps",
        "jobs",
        "storage",
        "backup",
        "keys",
    }
    assert first_start.home.status == 200
    assert re.match(r"/sign-in(\?|$)", first_start.home.url.removeprefix(first_start.url))


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("viewport", [WIDE, PHONE])
def test_a_visitor_is_shown_where_to_sign_in(
    new_context: NewContext, viewport: dict[str, int], *, scripts: bool
) -> None:
    page = new_context(viewport=viewport, java_script_enabled=scripts).new_page()
    page.goto("/")
    expect(page).to_have_url(re.compile(r"/sign-in(\?|$)"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    if scripts:
        assert grave_faults(page) == []
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) == 0


def test_the_worker_serves_metrics_of_all_processes_on_their_own_port(
    first_start: FirstStart,
) -> None:
    def counted(metrics: Answer) -> float:
        assert metrics.status == 200
        assert 'tracker_health{part="worker"} 1.0' in metrics.text
        number = re.search(
            r'^tracker_responses_total\{answer="4xx",kind="page"\} (\S+)',
            metrics.text,
            re.MULTILINE,
        )
        return float(number[1]) if number else 0.0

    before, after = first_start.metrics
    answers = first_start.refused
    assert {answer.status for answer in answers} == {404}
    # Whichever process responded.
    assert len(answers) > 1
    assert counted(after) == counted(before) + len(answers)
    lines = [json.loads(line) for line in first_start.log.splitlines() if line.startswith("{")]
    numbers = {line.get("request") for line in lines}
    assert all(answer.request in answer.text and answer.request in numbers for answer in answers)


def test_a_second_start_at_the_same_address_stops_and_says_why(first_start: FirstStart) -> None:
    assert re.search(r"already listening there.*TRACKER_PORT", first_start.second_start)


def test_what_the_invented_people_do_is_not_logged(first_start: FirstStart) -> None:
    lines = [json.loads(line) for line in first_start.log.splitlines() if line.startswith("{")]
    assert [line for line in lines if line["message"] == "security"] == []
