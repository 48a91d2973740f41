"""The cost of each worker job: at two sizes with nothing due, and its longest transaction."""

import datetime as dt
import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import sqlalchemy as sa
from flask import Flask

from tests.bench.growth import SIZES, Taken, noted
from tests.bench.instance import Instance
from tests.factories.bulk.due import after_requests_ran_out, make_due
from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit
from tests.stopwatch import Longest, Stopwatch, watched
from tracker.core import clock
from tracker.core.db import db
from tracker.evidence.certificates import service as certificates
from tracker.evidence.models import CertificateFailure
from tracker.mail import sending
from tracker.mail.transport import from_url
from tracker.worker import health, jobs
from tracker.worker.one_by_one import Job, each, until_none_is_left

ROUNDS = 5
# How long a transaction may keep others from writing, in CPU milliseconds.
LONGEST = 100.0
# Exceeded by a party that leaves with more open notices than any party gives: they end with it.
BEYOND = {"end a party's part": 200.0}
# Jobs faster than this, in milliseconds, are not compared between sizes.
TELLS = 2.0
# In addition to the demonstration: many visits in one cooperation, and due rows of each kind.
VISITS, DUE = 75, 20


@dataclass(frozen=True, slots=True)
class TimedJob:
    """A job of the worker, and what it may cost when nothing is due.

    growth is how many times as expensive it may be at the last size as at the first.
    """

    name: str
    once: Callable[[], object]
    statements: int = 2
    growth: float = 1.5


def jobs_of(folder: Path) -> Iterator[TimedJob]:
    """Yield the jobs of a round, of a minute, of an hour and of a day; mails go to a folder."""
    transport = from_url(f"file://{folder}")
    since = clock.now() - jobs.LATELY
    yield TimedJob("send mail", lambda: sending.send_due(transport))
    # All texts here were signed within the days that it searches.
    yield TimedJob(
        "make certificates", lambda: jobs.make_certificates("", since=since), 4, growth=12.0
    )
    yield TimedJob("sign of life", _beat)
    for job in jobs.DATED:
        yield TimedJob(job.name, _doing(job))
    for job in jobs.RECOMPUTE:
        yield TimedJob(job.name, _doing(job))
    yield TimedJob("forget what is old", _forget, 4)
    yield TimedJob("compare some texts", jobs.compare_texts, 15, growth=2.0)
    yield TimedJob("check some accounts", jobs.check_accounts, 5)
    # These look at each chain, text or coordinator, but seldom and with nothing locked. No
    # coordinator here was mailed a checkpoint, so the last one takes a statement for every 200 of
    # them.
    yield TimedJob("look for checkpoint", jobs.make_checkpoints, 4, growth=12.0)
    yield TimedJob("mail checkpoint", jobs.mail_checkpoint, 20, growth=12.0)
    yield TimedJob("renew text", jobs.renew_texts, 4, growth=12.0)
    yield TimedJob("all certificates", lambda: jobs.make_certificates(""), 4, growth=12.0)


def _doing(job: Job) -> Callable[[], object]:
    return lambda: each(job, clock.today())


def _beat() -> None:
    health.beat()
    db.session.commit()


def _forget() -> None:
    for forget in jobs.FORGETTING:
        until_none_is_left(forget)


@dataclass(slots=True)
class Rounds:
    """The cost of the jobs at each size, and the longest transactions at the last size."""

    by_size: dict[str, list[Taken]] = field(default_factory=dict)
    longest_by_job: dict[str, Longest] = field(default_factory=dict)

    def measure(self, app: Flask, instance: Instance) -> None:
        """Measure at one size; sizes are measured in order."""
        for name, taken in measured(app).items():
            self.by_size.setdefault(name, []).append(taken)
        if len(self.by_size[name]) == len(SIZES):
            self.longest_by_job = longest(app, instance.demonstration)


def measured(app: Flask) -> dict[str, Taken]:
    """Do everything that is due, then measure each job with nothing to do."""
    taken_by_size: dict[str, Taken] = {}
    with tempfile.TemporaryDirectory() as folder, app.app_context():
        _put_certificates_off()
        for job in jobs_of(Path(folder)):
            job.once()
            samples = []
            for _round in range(ROUNDS):
                taken = Taken()
                with noted(taken):
                    begun = time.process_time()
                    job.once()
                    taken.milliseconds = (time.process_time() - begun) * 1000
                db.session.remove()
                samples.append(taken)
            samples[-1].milliseconds = median(sample.milliseconds for sample in samples)
            taken_by_size[job.name] = samples[-1]
    return taken_by_size


def _put_certificates_off() -> None:
    """Exclude copied texts from certificates: they are only rows, so they can't get one.

    For longer than the clock is moved to make requests run out.
    """
    now = clock.now()
    failed = {
        "tries": 1,
        "error": "",
        "failed_at": now,
        "next_try_at": now + dt.timedelta(days=365),
    }
    due = [{"revision_id": revision_id, **failed} for revision_id in certificates.due()]
    if due:
        db.session.execute(sa.insert(CertificateFailure), due)
    db.session.commit()


def longest(app: Flask, demonstration: Demonstration) -> dict[str, Longest]:
    """Make much due at the same time, and watch the worker process a day of it."""
    with tempfile.TemporaryDirectory() as folder, app.app_context():
        make_due(JointVisit(db.session(), demonstration), VISITS, DUE)
        # What the harness has in memory is excluded, since no worker has that much.
        gc.collect()
        gc.freeze()
        with watched() as watch:
            _a_day(watch, Path(folder))
            with after_requests_ran_out():
                _a_day(watch, Path(folder))
        gc.unfreeze()
        db.session.remove()
    return watch.longest()


def _a_day(watch: Stopwatch, folder: Path) -> None:
    for job in (*jobs_of(folder), TimedJob("judge visits", jobs.judge_visits)):
        watch.job = job.name
        job.once()
    db.session.remove()


# What make bench prints ---------------------------------------------------------------------------


def lines(
    by_size: Mapping[str, Sequence[Taken]], longest_by_job: Mapping[str, Longest]
) -> Iterator[str]:
    """Yield the lines of the two tables."""
    limits = {job.name: job for job in jobs_of(Path("/"))}
    heads = "".join(f"{f'at {size:,}':>12}" for size in SIZES)
    yield f"{'':<28}{'statements':>11}{heads}{'times':>8}   at most"
    for name, taken in by_size.items():
        cells = "".join(f"{sample.milliseconds:12.2f}" for sample in taken)
        most = limits[name]
        yield (
            f"{name:<28}{len(taken[-1].statements):>11}{cells}{_times(taken):>8.1f}"
            f"   {most.statements}, {most.growth:g}"
        )
    yield ""
    yield f"{'longest transaction':<28}{'how many':>11}{'statements':>12}{'ms':>8}{'CPU ms':>8}"
    for name, longest in longest_by_job.items():
        yield (
            f"{name:<28}{longest.count:>11}{longest.statements:>12}"
            f"{longest.seconds * 1000:>8.0f}{longest.work * 1000:>8.0f}"
        )


def beyond(
    by_size: Mapping[str, Sequence[Taken]], longest_by_job: Mapping[str, Longest]
) -> Iterator[str]:
    """Yield a text for each cost beyond its limit."""
    for job in jobs_of(Path("/")):
        taken = by_size[job.name]
        statements = len(taken[-1].statements)
        if statements > job.statements:
            yield f"{job.name}: {statements} statements with nothing to do, not {job.statements}"
        if _times(taken) > job.growth and taken[-1].milliseconds > TELLS:
            yield f"{job.name}: {_times(taken):.1f} times at {SIZES[-1]:,}, not {job.growth:g}"
    for name, longest in longest_by_job.items():
        most = BEYOND.get(name, LONGEST)
        if longest.work * 1000 > most:
            yield f"{name}: nobody could write for {longest.work * 1000:.0f} ms, not {most:g}"


def _times(taken: Sequence[Taken]) -> float:
    return taken[-1].milliseconds / taken[0].milliseconds
