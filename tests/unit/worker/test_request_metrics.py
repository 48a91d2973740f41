"""What web processes count is added up, also of processes that have ended."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from tracker.core.paths import ROOT
from tracker.settings import COUNTED_IN
from tracker.worker.request_metrics import add_sums

# A web process that responds to some requests and ends.
_PROCESS = """
import sys
from tracker.worker.request_metrics import counter
count = counter()
for _ in range(int(sys.argv[1])):
    count("page", 200, 0.02)
count("file", 404, 0.001)
"""


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> CollectorRegistry:
    """The sums of two processes, which had two and three pages."""
    folder: Path = tmp_path_factory.mktemp("counted")
    for pages in ("2", "3"):
        subprocess.run(
            [sys.executable, "-c", _PROCESS, pages],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], COUNTED_IN: str(folder)},
            check=True,
        )
    registry = CollectorRegistry()
    add_sums(registry, str(folder))
    return registry


@pytest.mark.parametrize(
    ("kind", "answer", "number"),
    [("page", "2xx", 5), ("file", "4xx", 2), ("page", "5xx", 0), ("health", "2xx", 0)],
)
def test_responses_of_all_processes_are_added_up_and_series_begin_with_zero(
    figures: CollectorRegistry, kind: str, answer: str, number: int
) -> None:
    labels = {"kind": kind, "answer": answer}
    assert figures.get_sample_value("tracker_responses_total", labels) == number


def test_seconds_are_added_up_by_how_long_responses_took(figures: CollectorRegistry) -> None:
    def bucket(limit: str) -> float | None:
        labels = {"kind": "page", "le": limit}
        return figures.get_sample_value("tracker_response_seconds_bucket", labels)

    assert (bucket("0.01"), bucket("0.025"), bucket("+Inf")) == (0, 5, 5)
    total = figures.get_sample_value("tracker_response_seconds_sum", {"kind": "page"})
    assert total == pytest.approx(0.1)
