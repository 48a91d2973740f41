"""Nobody who saves something waits long while a key is changed, however much is under it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.accounts import make_people
from tests.integration.key_changes.conftest import Tracker, use_copy
from tests.stopwatch import piece_of_work, watched
from tracker.accounts.models import SecurityKind, SecurityLogEntry
from tracker.accounts.security_log import entry_origins
from tracker.activity import chain as arithmetic
from tracker.activity.models import Chain, ChainKind
from tracker.core import clock, crypto
from tracker.key_changes import pace, queries
from tracker.settings import Settings

MANY = 1_000
# How much work a transaction may be, in pieces of 1 to 4 ms, depending on the machine's load: a
# quarter of what a transaction of the worker may be.
MOST = 50
# The most statements that a transaction sends: it binds an account, and appends to a chain.
# PostgreSQL is also asked for locks.
STATEMENTS = 16

Watch = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture(autouse=True)
def _many(
    app: Flask,
    session: Session,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fill a table of encrypted values and that of chains."""
    dora = make_people(session).people["dora"]
    monkeypatch.setitem(app.extensions, "settings", settings)
    use_copy(app, settings, tmp_path / "instance")
    session.execute(sa.insert(SecurityLogEntry), [an_entry(dora) for _ in range(MANY)])
    session.execute(sa.insert(Chain), [a_chain() for _ in range(MANY)])
    session.commit()


def an_entry(user_id: UUID) -> dict[str, object]:
    entry_id = uuid4()
    sealed = crypto.seal_field(b"x" * 100, entry_origins.context_of(entry_id, user_id))
    kind = SecurityKind.SIGNED_IN
    return {
        "id": entry_id,
        "user_id": user_id,
        "kind": kind,
        "at": clock.now(),
        "sealed_origin": sealed,
    }


def a_chain() -> dict[str, object]:
    chain_id, cooperation_id, head = uuid4(), uuid4(), uuid4().hex * 2
    kind = ChainKind.COOPERATION
    seal = arithmetic.seal_head(kind.value, chain_id, cooperation_id, head, 3, None)
    return {
        "id": chain_id,
        "kind": kind,
        "cooperation_id": cooperation_id,
        "head": head,
        "count": 3,
        "seal": seal,
    }


@pytest.mark.parametrize("word", ["fields", "trail"])
def test_no_transaction_of_a_change_makes_others_wait(tracker: Tracker, word: str) -> None:
    with watched() as watch:
        result = tracker("keys", "change", word, "--alone")
    assert result.exit_code == 0, result.output
    assert queries.states() == []
    # It begins small, and what it looks for it looks for without the lock.
    assert MANY / pace.MOST < len(watch.holds) < MANY
    assert max(hold.statements for hold in watch.holds) <= STATEMENTS
    most = max(hold.work for hold in watch.holds) / piece_of_work()
    assert most < MOST


def test_what_is_left_is_counted_and_sought_without_the_write_lock(
    tracker: Tracker, session: Session
) -> None:
    """On SQLite, whose lock keeps all others from writing."""
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("PostgreSQL locks rows")
    counting = []
    with watched() as watch:

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if watch._began is not None and not statement.startswith("BEGIN"):
                counting.append(statement)

        sa.event.listen(sa.engine.Engine, "before_cursor_execute", note)
        try:
            result = tracker("keys", "change", "trail", "--alone")
        finally:
            sa.event.remove(sa.engine.Engine, "before_cursor_execute", note)
    assert result.exit_code == 0, result.output
    selects = [words for words in counting if words.startswith("SELECT")]
    assert selects
    assert [words for words in selects if "count(" in words] == []
    sought = [words for words in selects if "FROM chain" in words and "LIKE" in words.upper()]
    assert all("chain.id IN" in words for words in sought), sought[0]


def test_on_a_slow_machine_each_transaction_writes_less(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    monkeypatch.setattr("tracker.key_changes.pace.time.sleep", paused.append)
    steps = pace.Pace()
    # Ten milliseconds for each value, then a thousandth of that.
    for _ in range(10):
        steps.note(steps.size * 0.01)
    assert steps.size <= pace.AIM / 0.01
    assert max(paused) <= pace.LONGEST_PAUSE
    for _ in range(10):
        steps.note(steps.size * 0.00001)
    assert steps.size == pace.MOST
    # Even one value takes too long: it is one at a time.
    for _ in range(10):
        steps.note(1.0)
    assert steps.size == 1
