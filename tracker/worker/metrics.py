"""Metrics for Prometheus, on a port of their own: figures without people and cooperations.

The worker serves them, from the database and the disk, and adds up what the web processes beside it
have counted: docs/adr/0090.
"""

import datetime as dt
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from flask import Flask
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from tracker.accounts.factors import refused_accounts
from tracker.core import clock, logs
from tracker.core.db import db, reading
from tracker.evidence import disagreements
from tracker.evidence.certificates import service as certificates
from tracker.mail import queries as mail
from tracker.mail.models import MessageState
from tracker.mail.queries import Backlog
from tracker.settings import COUNTED_IN, Settings
from tracker.worker import failures, health, request_metrics
from tracker.worker.health import BACKUP, WORKER

logger = logging.getLogger(__name__)


class Instance(Collector):
    """What the database and the disk of an instance say, read whenever somebody asks."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the figures; if the database can't be reached, those that need none."""
        settings: Settings = self._app.extensions["settings"]
        free = shutil.disk_usage(settings.data_dir).free
        figures = [_gauge("storage_free_bytes", "Free bytes where the data is", free)]
        with self._app.app_context(), reading():
            state = health.look(backup_days=settings.backup_days)
            figures += _health(state)
            try:
                if state.database == health.WELL:
                    figures += _from_database()
            except SQLAlchemyError as error:
                why = logs.fields(error=logs.kind_of(error))
                logger.warning("the metrics couldn't be read", extra=why)
            finally:
                db.session.remove()
        return figures


@contextmanager
def served(app: Flask) -> Iterator[None]:
    """Serve the metrics in the block, in a thread; raise OSError if the address can't be used."""
    settings: Settings = app.extensions["settings"]
    registry = CollectorRegistry()
    registry.register(Instance(app))
    if folder := os.environ.get(COUNTED_IN):
        request_metrics.add_sums(registry, folder)
    server, thread = start_http_server(settings.metrics_port, settings.metrics_host, registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _health(state: health.Health) -> Iterator[GaugeMetricFamily]:
    """Yield whether each part is well and a key is changed, except what couldn't be looked at."""
    parts = {
        part: float(words == health.WELL)
        for part, words in state.parts.items()
        if words != health.NOT_CHECKED
    }
    yield _gauges("health", "1 if the part is well, as in /healthz", "part", parts)
    if state.keys != health.NOT_CHECKED:
        is_changing = float(state.keys != health.WELL)
        yield _gauge("key_change", "1 while a key is being changed", is_changing)


def _from_database() -> list[GaugeMetricFamily]:
    failing = failures.summary()
    return [
        *_age("worker_round_age_seconds", "Since a worker finished a round", health.last(WORKER)),
        *_age("backup_age_seconds", "Since the last backup was made", health.last(BACKUP)),
        *_of_outbox(mail.backlog()),
        _gauges(
            "job_failures",
            "Objects on which a job of the worker fails now",
            "job",
            {summary.job: summary.objects for summary in failing},
        ),
        _gauges(
            "job_failure_attempts",
            "Most attempts at one of these objects",
            "job",
            {summary.job: summary.most_tries for summary in failing},
        ),
        _gauges(
            "job_failure_age_seconds",
            "Since the last attempt that failed",
            "job",
            {summary.job: _seconds_since(summary.last_at) for summary in failing},
        ),
        _gauge(
            "certificates_failing",
            "Texts whose certificate can't be made",
            certificates.failing_count(),
        ),
        _gauges(
            "disagreements",
            "Texts that contradict their signatures, and accounts that were changed from outside",
            "kind",
            {"texts": disagreements.count(), "accounts": refused_accounts.count()},
        ),
    ]


def _of_outbox(backlog: Backlog) -> Iterator[GaugeMetricFamily]:
    yield _gauges(
        "outbox_messages",
        "Mails that wait to be sent, and that have failed",
        "state",
        {MessageState.WAITING: backlog.waiting, MessageState.FAILED: backlog.failed},
    )
    yield from _age(
        "outbox_oldest_age_seconds", "Since the oldest waiting mail was written", backlog.oldest_at
    )


def _age(name: str, about: str, moment: dt.datetime | None) -> Iterator[GaugeMetricFamily]:
    """Yield how long ago something was; nothing if it never was."""
    if moment is not None:
        yield _gauge(name, about, _seconds_since(moment))


def _seconds_since(moment: dt.datetime) -> float:
    return (clock.now() - moment).total_seconds()


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tracker_{name}", about, value=value)


def _gauges(name: str, about: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tracker_{name}", about, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family
