"""Figures about requests, which web processes count in shared files and the worker adds up.

prometheus-client decides when it is imported whether it counts in files: its variable in the
environment (settings.COUNTED_IN) has to be set before.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

from tracker.core.request_log import KINDS, Count

# The kinds of answers: the first digits of their statuses.
_ANSWERS = ("2xx", "3xx", "4xx", "5xx")
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def counter() -> Count:
    """Return the function that counts a response; all series begin with zero."""
    registry = CollectorRegistry()
    responses = Counter(
        "tracker_responses",
        "Responses by what was asked for (page, file, health) and kind of answer",
        ["kind", "answer"],
        registry=registry,
    )
    seconds = Histogram(
        "tracker_response_seconds",
        "Seconds until the application had a response, once all of the request had arrived",
        ["kind"],
        registry=registry,
        buckets=_BUCKETS,
    )
    for kind in KINDS:
        seconds.labels(kind)
        for answer in _ANSWERS:
            responses.labels(kind, answer)

    def count(kind: str, status: int, duration: float) -> None:
        responses.labels(kind, f"{status // 100}xx").inc()
        seconds.labels(kind).observe(duration)

    return count


def add_sums(registry: CollectorRegistry, folder: str) -> None:
    """Have a registry return the sums of all web processes of a folder, past ones too."""
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
