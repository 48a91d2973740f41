"""Each response has the number of its request; refusals and faults have a line with it."""

import pytest

from tests.factories.ui import PageFrame, person
from tests.log_lines import Lines
from tests.pages import Page
from tracker.core.request_log import EXTENSION, init_request_log

HEADER = "X-Request-Id"


@pytest.fixture
def frame(frame: PageFrame) -> PageFrame:
    """The page frame, whose requests are noted."""
    init_request_log(frame.app)
    frame.actor = person()
    return frame


@pytest.mark.parametrize(
    ("url", "status"),
    [("/refused", 403), ("/nothing", 404), ("/language", 405), ("/broken", 409), ("/fault", 500)],
)
def test_an_error_page_and_its_header_give_the_number_that_the_line_has(
    frame: PageFrame, log_lines: Lines, url: str, status: int
) -> None:
    answer = frame.client.get(url)
    assert answer.status_code == status
    number = answer.headers[HEADER]
    assert f"give them the number {number}." in Page.of(answer).text
    assert {line["request"] for line in log_lines} == {number}
    assert log_lines[-1]["status"] == status


def test_two_requests_have_two_numbers_and_what_goes_well_has_no_line(
    frame: PageFrame, log_lines: Lines
) -> None:
    first, second = (frame.client.get("/").headers[HEADER] for _ in range(2))
    assert first != second
    assert log_lines == []


def test_a_line_names_the_page_and_neither_address_nor_query_nor_person(
    frame: PageFrame, log_lines: Lines
) -> None:
    frame.client.get("/fault?words=quillfen", headers={"User-Agent": "quillfen"})
    frame.client.open("/nothing/quillfen", method="QUILLFEN")
    fault, failed, refused = log_lines
    assert (fault["message"], fault["page"]) == ("a page has failed", "fault")
    assert fault["errors"][0]["error"] == "ZeroDivisionError"
    assert (failed["message"], failed["level"]) == ("a request failed", "warning")
    assert (failed["page"], failed["method"]) == ("fault", "GET")
    assert (refused["message"], refused["level"]) == ("a request was refused", "info")
    assert refused["method"] == "other"
    assert "page" not in refused
    for line in log_lines:
        assert "quillfen" not in str(line).lower()
        assert "Samira" not in str(line)


def test_a_line_about_a_page_that_is_closed_to_somebody_does_not_name_it(
    frame: PageFrame, log_lines: Lines
) -> None:
    """Where others get a 404, a 403 tells who is on a visit's list."""
    frame.client.get("/refused")
    (line,) = log_lines
    assert line["status"] == 403
    assert "page" not in line


def test_responses_are_counted_by_what_was_asked_for_and_status(frame: PageFrame) -> None:
    counted = []
    frame.app.extensions[EXTENSION].count = lambda kind, status, seconds: counted.append(
        (kind, status, seconds >= 0)
    )
    for url in ("/", "/nothing", "/fault", "/static/css/base.css"):
        frame.client.get(url)
    assert counted == [
        ("page", 200, True),
        ("page", 404, True),
        ("page", 500, True),
        ("file", 200, True),
    ]


def test_a_page_that_is_not_numbered_says_nothing_of_a_number(frame: PageFrame) -> None:
    assert "number" not in frame.page("/").text
