"""What a log line says, and what it never says."""

import errno
import logging
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa

from tests.log_lines import Lines
from tracker.core import logs

# What somebody might have typed, and what forges a line.
TYPED = "Joint visit to Quillfen\n2026-11-30T10:00:00.000Z INFO security [kind=signed_in]"
logger = logging.getLogger("tracker.tests")


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Put back what the test changes of Python's logging."""
    root, own = logging.getLogger(), logging.getLogger("tracker")
    before = root.handlers[:], root.level, own.level, warnings.showwarning
    yield
    root.handlers[:], root.level, own.level, warnings.showwarning = before


def refuse() -> None:
    raise ValueError(TYPED)


def fail() -> None:
    try:
        refuse()
    except ValueError as error:
        message = f"can't save {TYPED}"
        raise RuntimeError(message) from error


def as_text(record_of: dict[str, object]) -> str:
    return logs.TextLines().format(logging.makeLogRecord(record_of))


def test_a_line_has_time_level_words_process_and_values(log_lines: Lines) -> None:
    logger.warning("a job has failed", extra=logs.fields(job="mail", tries=2, day=None))
    (line,) = log_lines
    assert line["time"].endswith("Z")
    assert {name: line[name] for name in ("level", "message", "logger", "job", "tries")} == {
        "level": "warning",
        "message": "a job has failed",
        "logger": "tracker.tests",
        "job": "mail",
        "tries": 2,
    }
    assert isinstance(line["process"], int)
    assert "day" not in line


def test_lines_of_a_request_have_its_number_and_others_have_none(log_lines: Lines) -> None:
    with logs.numbered_request() as number:
        logger.warning("inside")
        with logs.numbered_request() as other:
            logger.warning("in another")
    logger.warning("outside")
    assert [line.get("request") for line in log_lines] == [number, other, None]
    assert number != other


def test_a_number_can_be_read_out() -> None:
    with logs.numbered_request() as number:
        assert len(number) == 11
        assert not set("0o1il") & set(number)


def test_an_error_is_logged_by_type_and_place_with_its_cause_and_without_its_message(
    log_lines: Lines,
) -> None:
    try:
        fail()
    except RuntimeError:
        logger.exception("a page has failed")
    (line,) = log_lines
    assert [fault["error"] for fault in line["errors"]] == ["RuntimeError", "ValueError"]
    (own, raising) = line["errors"][0]["stack"]
    assert own.startswith("tests/unit/core/test_logs.py:")
    assert raising.endswith(" fail")
    assert "Quillfen" not in str(line)


def test_lines_for_people_say_the_same_below_each_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    try:
        fail()
    except RuntimeError:
        logger.exception("a page has failed", extra=logs.fields(job=TYPED))
    head, *below = logs.TextLines().format(caplog.records[0]).splitlines()
    assert " ERROR a page has failed [" in head
    assert [line.strip() for line in below if line.startswith("  ") and line[2] != " "] == [
        "RuntimeError",
        "ValueError",
    ]
    assert sum("Quillfen" in line for line in below) == 0
    # A value can't begin a line of its own.
    assert not any(line.startswith("2026") for line in below)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file", "Quillfen"), "ENOENT"),
        (ValueError("Quillfen"), ""),
        (sa.exc.OperationalError("SELECT", {"name": "Quillfen"}, OSError()), ""),
    ],
)
def test_the_code_of_an_error_is_named_if_it_has_one(error: Exception, code: str) -> None:
    assert logs.kind_of(error).removeprefix("sqlalchemy.exc.").split(" ")[1:] == code.split()


def test_the_code_of_the_database_is_named(log_lines: Lines) -> None:
    database = closing(sqlite3.connect(":memory:"))
    with database as connection, pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("SELECT quillfen FROM nowhere")
    wrapped = sa.exc.OperationalError("SELECT", {}, caught.value)
    assert logs.kind_of(wrapped) == "sqlalchemy.exc.OperationalError SQLITE_ERROR"
    logger.error("a round has failed", exc_info=wrapped)
    assert log_lines[0]["errors"][0]["code"] == "SQLITE_ERROR"


def test_of_what_a_library_logs_only_the_place_is_shown(log_lines: Lines) -> None:
    logging.getLogger("waitress").error("Exception while serving /invitation/%s", TYPED)
    (line,) = log_lines
    assert line["message"] == "a library has logged something"
    assert line["logger"] == "waitress"
    assert line["place"].startswith("tests/unit/core/test_logs.py:")
    assert "Quillfen" not in str(line)


def test_of_what_the_server_logs_the_first_line_is_shown(log_lines: Lines) -> None:
    logging.getLogger("gunicorn.error").error("Worker (pid:%s) exited with code %s.", 17, 1)
    logging.getLogger("gunicorn.error").error("Exception during exit:\n%s", TYPED)
    assert [line["message"] for line in log_lines] == [
        "Worker (pid:17) exited with code 1.",
        "Exception during exit:",
    ]


def test_the_place_in_a_package_begins_with_its_name() -> None:
    file = "/srv/common-terms/.venv/lib/python3.13/site-packages/waitress/task.py"
    record = {"name": "waitress", "msg": "x", "pathname": file, "lineno": 4, "levelname": "ERROR"}
    assert "place=waitress/task.py:4]" in as_text(record)


@pytest.mark.usefixtures("own_logging")
def test_a_process_writes_each_line_once_to_standard_error_however_often_it_is_configured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for is_json in (False, True):
        logs.configure(as_json=is_json)
    logger.info("of ours")
    logging.getLogger("somebody").info("of somebody")
    warnings.showwarning("Quillfen", UserWarning, "/srv/tracker/mail/render.py", 7)
    output = capsys.readouterr()
    assert output.out == ""
    first, second = output.err.splitlines()
    assert first.startswith('{"time": ')
    assert '"warning": "UserWarning"' in second
    assert "Quillfen" not in output.err


@pytest.mark.parametrize(("sent", "logged"), [("POST", "POST"), ("QUILLFEN", "other")])
def test_a_method_that_a_client_makes_up_is_not_logged(sent: str, logged: str) -> None:
    assert logs.method_of(sent) == logged
