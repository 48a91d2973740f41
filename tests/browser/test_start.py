"""Starting from an empty data directory with the demonstration, and again: all is well."""

import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import grave_faults
from tests.browser.conftest import PHONE, WIDE, NewContext
from tests.browser.demonstration import DEMONSTRATION
from tests.servers.application import Application, ApplicationError
from tests.servers.ports import free_port

METRICS = free_port()


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """The application, started again by somebody who tries the demonstration."""
    folder = tmp_path_factory.mktemp("first") / "data"
    shutil.copytree(DEMONSTRATION.data_dir, folder)
    with Application(folder, demo="1", metrics_port=str(METRICS), log_format="json") as application:
        yield application


@pytest.fixture
def live(application: Application) -> Application:
    """The same instance: nobody changes anything."""
    return application


def test_the_first_start_makes_everything_and_all_is_well() -> None:
    first = DEMONSTRATION.value
    assert (DEMONSTRATION.data_dir / "demonstration-password.txt").exists()
    assert re.match(r"/sign-in(\?|$)", first.arrived_at)
    assert "<h1>Sign in</h1>" in first.page
    assert_all_is_well(first.checked)


def test_all_is_well_after_the_next_start(live: Application) -> None:
    assert_all_is_well(live.command("check"))


def assert_all_is_well(checked: str) -> None:
    """Check what the command check printed: each part is there, and well."""
    parts = dict(line.split(": ") for line in checked.split("\n") if line)
    assert set(parts.values()) == {"well"}
    assert set(parts) == {
        "database",
        "content",
        "worker",
        "certificates",
        "accounts",
        "texts",
        "jobs",
        "storage",
        "backup",
        "keys",
    }


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


def test_the_worker_serves_metrics_of_all_processes_on_their_own_port(live: Application) -> None:
    def page(url: str) -> tuple[int, str, str]:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 -- own address
                return answer.status, answer.headers["X-Request-Id"], answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["X-Request-Id"], error.read().decode()

    def refused() -> float:
        _status, _number, text = page(f"http://127.0.0.1:{METRICS}/metrics")
        assert 'tracker_health{part="worker"} 1.0' in text
        counted = re.search(
            r'^tracker_responses_total\{answer="4xx",kind="page"\} (\S+)', text, re.MULTILINE
        )
        return float(counted[1]) if counted else 0.0

    before = refused()
    answers = [page(f"{live.url}/metrics") for _ in range(8)]
    assert {status for status, _number, _text in answers} == {404}
    # Whichever process responded.
    assert refused() == before + len(answers)
    lines = [json.loads(line) for line in live.log().splitlines() if line.startswith("{")]
    numbers = {line.get("request") for line in lines}
    assert all(number in text and number in numbers for _status, number, text in answers)


def test_a_second_start_at_the_same_address_stops_and_says_why(live: Application) -> None:
    with pytest.raises(ApplicationError, match=r"already listening there.*TRACKER_PORT"):
        live.command("run")
