"""Entries of the security log are lines of the log too, once they are stored."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import PASSWORD, People, sign_in
from tests.integration.accounts.test_sessions import PHONE
from tests.log_lines import Lines
from tracker.accounts.models import SecurityKind, SecurityLogEntry
from tracker.accounts.security_log import service as security_log

Browsers = Callable[[], CheckedClient]

pytestmark = pytest.mark.both_databases


@pytest.fixture
def people(people: People, session: Session) -> People:
    """The same people, with nothing in the log about how they were created."""
    session.execute(sa.delete(SecurityLogEntry))
    session.commit()
    return people


def test_each_entry_is_also_a_line_of_the_log_without_browser_and_address(
    people: People, browsers: Browsers, session: Session, log_lines: Lines
) -> None:
    phone = browsers()
    phone.environ_base = {"HTTP_USER_AGENT": PHONE, "REMOTE_ADDR": "192.0.2.17"}
    sign_in(phone, "samira", "not the one at all")
    sign_in(phone, "samira", PASSWORD)
    lines = [line for line in log_lines if line["message"] == "security"]
    assert [(line["kind"], line["detail"]) for line in lines] == [
        ("sign_in_failed", "password"),
        ("signed_in", "password"),
    ]
    assert {line["account"] for line in lines} == {str(people.people["samira"])}
    assert len({line["request"] for line in lines}) == 2
    stored = session.scalars(sa.select(SecurityLogEntry.id)).all()
    assert {line["entry"] for line in lines} == set(map(str, stored))
    for hidden in ("192.0.2.17", "Android", "samira@", "Samira"):
        assert hidden not in str(log_lines)


def test_an_entry_that_is_not_stored_is_no_line(
    people: People, session: Session, log_lines: Lines
) -> None:
    security_log.record(SecurityKind.SIGNED_IN, people.people["samira"])
    session.flush()
    session.rollback()
    security_log.record(SecurityKind.SIGNED_OUT, people.people["samira"])
    session.commit()
    assert [line["kind"] for line in log_lines] == ["signed_out"]
