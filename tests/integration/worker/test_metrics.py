"""The metrics of an instance: what they say, and that they name nobody and nothing."""

import datetime as dt
import http.client
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.servers.ports import free_port
from tracker.accounts.models import User
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.evidence.models import Disagreement
from tracker.mail import outbox
from tracker.mail.models import MessageState, OutboxMessage
from tracker.settings import COUNTED_IN, Settings
from tracker.worker import failures, health, metrics

pytestmark = pytest.mark.both_databases

Figures = dict[tuple[str, str], float]
HOUR = dt.timedelta(hours=1)


def figures(app: Flask) -> Figures:
    """Return the figures by name and label."""
    return {
        (sample.name.removeprefix("tracker_"), " ".join(sample.labels.values())): sample.value
        for family in metrics.Instance(app).collect()
        for sample in family.samples
    }


def test_a_well_instance_says_so_and_what_never_was_has_no_age(
    app: Flask, session: Session
) -> None:
    health.beat()
    session.commit()
    shown = figures(app)
    parts = {label: value for (name, label), value in shown.items() if name == "health"}
    assert len(parts) == 9
    assert set(parts.values()) == {1}
    assert shown["key_change", ""] == 0
    assert shown["storage_free_bytes", ""] > 0
    assert shown["outbox_messages", "waiting"] == 0
    assert ("backup_age_seconds", "") not in shown
    assert ("outbox_oldest_age_seconds", "") not in shown


def test_ages_are_in_seconds_since_then(
    app: Flask, session: Session, frozen_time: Callable[[dt.datetime], None]
) -> None:
    begun = clock.now()
    frozen_time(begun)
    health.beat()
    health.note_backup()
    outbox.queue("samira@example.org", "en", "text_sent", "A text is waiting", "Read it.\n")
    session.commit()
    frozen_time(begun + HOUR)
    outbox.queue("leyla@example.org", "en", "text_sent", "A text is waiting", "Read it.\n")
    session.commit()
    shown = figures(app)
    for name in ("worker_round_age_seconds", "backup_age_seconds", "outbox_oldest_age_seconds"):
        assert shown[name, ""] == HOUR.total_seconds()
    assert shown["outbox_messages", "waiting"] == 2
    assert shown["health", "worker"] == 0


def test_what_fails_and_what_disagrees_is_counted_without_saying_what_it_is(
    app: Flask, session: Session, frozen_time: Callable[[dt.datetime], None]
) -> None:
    frozen_time(clock.now())
    texts = [str(uuid4()) for _ in range(2)]
    for text in (*texts, texts[0]):
        failures.note("renew text", text, "ValueError in renewal.py, line 7")
    outbox.queue("samira@example.org", "en", "text_sent", "A text is waiting", "Read it.\n")
    session.execute(sa.update(OutboxMessage).values(state=MessageState.FAILED))
    session.commit()
    frozen_time(clock.now() + HOUR)
    shown = figures(app)
    assert shown["job_failures", "renew text"] == 2
    assert shown["job_failure_attempts", "renew text"] == 2
    assert shown["job_failure_age_seconds", "renew text"] == HOUR.total_seconds()
    assert shown["outbox_messages", "failed"] == 1
    assert shown["health", "jobs"] == 0
    assert all(text not in label for text in texts for _name, label in shown)


def test_texts_that_disagree_are_counted(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    before = figures(app)["disagreements", "texts"]
    cooperation_id = session.scalars(sa.select(Cooperation.id).limit(1)).one()
    session.execute(
        sa.insert(Disagreement).values(
            subject_id=uuid4(),
            subject_type="checklist",
            cooperation_id=cooperation_id,
            noticed_at=clock.now(),
        )
    )
    session.commit()
    assert figures(app)["disagreements", "texts"] == before + 1


def test_without_the_database_there_is_what_needs_none(empty: Flask) -> None:
    shown = figures(empty)
    assert set(shown) == {("storage_free_bytes", ""), ("health", "database")}
    assert shown["health", "database"] == 0


def test_they_are_served_on_their_own_port_while_the_worker_runs_and_nowhere_else(
    app: Flask,
    session: Session,
    demonstration: Demonstration,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    own = replace(settings, metrics_port=port)
    monkeypatch.setitem(app.extensions, "settings", own)
    monkeypatch.delenv(COUNTED_IN, raising=False)
    with metrics.served(app):
        with closing(http.client.HTTPConnection(own.metrics_host, port, timeout=30)) as connection:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            text = answer.read().decode()
        assert answer.status == 200
        assert (answer.getheader("Content-Type") or "").startswith("text/plain; version=")
        with pytest.raises(OSError, match="in use"), metrics.served(app):
            pass
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(own.metrics_host, port, timeout=30).connect()
    assert 'tracker_health{part="database"} 1.0' in text
    # Nobody's name, and no cooperation's.
    names = session.scalars(sa.select(User.name)).all()
    references = session.scalars(sa.select(Cooperation.reference)).all()
    assert names
    assert references
    assert [word for word in (*names, *references) if word in text] == []
    assert app.test_client().get("/metrics").status_code == 404
