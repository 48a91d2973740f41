"""The table of kinds, what a person can choose, and when digests are due."""

import ast
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.starting_points import noon_in
from tracker.core.paths import PACKAGE
from tracker.notifications import kinds
from tracker.notifications.kinds import Frequency, Group
from tracker.notifications.labels import EXAMPLES, FREQUENCIES, GROUPS

ZONE = ZoneInfo("America/Bogota")
# Modules whose mails aren't notifications: accounts and proofs, receipts, checkpoints, a test.
PLAIN = {"accounts", "signoff", "evidence", "getting_started", "notifications"}


def test_each_kind_that_messages_use_is_in_a_group() -> None:
    used = {kind for path in _modules() for kind in _kinds_in(path)}
    assert used
    assert used == kinds.LISTED


def test_a_kind_that_is_not_listed_is_mailed_like_news_of_a_cooperation() -> None:
    assert kinds.group_of("something_new") is Group.COOPERATIONS


def test_each_group_and_frequency_has_its_words() -> None:
    assert set(GROUPS) == set(EXAMPLES) == set(Group)
    assert set(FREQUENCIES) == set(Frequency)


def test_everything_is_mailed_immediately_unless_chosen_otherwise() -> None:
    assert set(kinds.parsed(None).values()) == {Frequency.IMMEDIATELY}
    assert kinds.choices_text(kinds.parsed("")) == ""


def test_choices_are_stored_and_read_alike() -> None:
    chosen = kinds.parsed("signing=daily comments=none reviews=weekly")
    assert chosen[Group.SIGNING] is Frequency.DAILY
    assert chosen[Group.COMMENTS] is Frequency.NONE
    assert kinds.choices_text(chosen) == "signing=daily comments=none reviews=weekly"


def test_nobody_does_without_emails_about_signing_undertakings_and_urgent_matters() -> None:
    for group in (Group.SIGNING, Group.UNDERTAKINGS, Group.URGENT):
        assert Frequency.NONE not in kinds.frequencies(group)
        # Nor by a row that somebody wrote by hand.
        assert kinds.parsed(f"{group.value}=none")[group] is Frequency.IMMEDIATELY
    assert Frequency.NONE in kinds.frequencies(Group.COMMENTS)


def test_what_is_not_valid_in_stored_choices_counts_for_nothing() -> None:
    assert kinds.parsed("comments=hourly nonsense=daily comments") == kinds.parsed("")


def test_a_daily_digest_is_due_at_seven_in_the_time_zone() -> None:
    day = noon_in(10).date()
    seven = dt.datetime.combine(day, dt.time(7), ZONE)
    before, after = seven - dt.timedelta(minutes=1), seven + dt.timedelta(hours=3)
    assert kinds.digests_due(after, ZONE)[Frequency.DAILY] == seven
    assert kinds.digests_due(before, ZONE)[Frequency.DAILY] == seven - dt.timedelta(days=1)


def test_a_weekly_digest_is_due_on_mondays() -> None:
    for days in range(7):
        moment = noon_in(10) + dt.timedelta(days=days)
        due = kinds.digests_due(moment, ZONE)[Frequency.WEEKLY].astimezone(ZONE)
        assert due.weekday() == 0
        assert due.hour == kinds.DIGEST_HOUR
        assert dt.timedelta(0) <= moment - due < dt.timedelta(days=7)


def _modules() -> list[Path]:
    paths = PACKAGE.rglob("messages.py")
    return [path for path in paths if path.relative_to(PACKAGE).parts[0] not in PLAIN]


def _kinds_in(path: Path) -> Iterator[str]:
    """Yield the kinds in a module: words in small letters, joined by _, given to its function."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        if name in {"_queue", "_tell", "tell"}:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value
