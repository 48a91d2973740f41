"""Measures verifying an evidence bundle: make bench, or python -m tests.bench.evidence."""

import time
from statistics import median

import click

from tests.factories.evidence.bundles import large
from tracker.evidence.bundles import verify

EVENTS, ROUNDS = 10_000, 5


def line() -> str:
    """Verify a large bundle several times, and return a line with the time."""
    data = large(EVENTS)
    took = median(_seconds(data) for _ in range(ROUNDS))
    return (
        f"Check of a bundle of evidence with {EVENTS:,} events, {len(data) / 1024:,.0f} KB: "
        f"{took:.2f} s, the median of {ROUNDS}."
    )


def _seconds(data: bytes) -> float:
    begin = time.perf_counter()
    report = verify.verify(data)
    took = time.perf_counter() - begin
    assert report.is_sound
    return took


if __name__ == "__main__":
    click.echo(line())
