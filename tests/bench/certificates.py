"""Measures making a certificate: typeset, signed and checked, as the worker does it.

Run it with python -m tests.bench.certificates, or as part of make bench.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import click
import sqlalchemy as sa

from tests.bench.instance import Instance, build
from tracker import create_app
from tracker.checklist_templates.models import ChecklistKind
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.evidence.certificates import contents, issuing
from tracker.evidence.certificates.issuing import _Work
from tracker.signoff.models import Revision

ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Made:
    """The time of a text's certificate in one language: the first one, and the median after that.

    cpu is CPU time, which other work on the machine does not lengthen.
    """

    kind: str
    language: str
    items: int
    kilobytes: float
    first: float
    milliseconds: float
    cpu: float


def times(instance: Instance) -> list[Made]:
    """Make the certificates of the demonstration's largest texts several times."""
    app = create_app(instance.settings)
    with app.app_context():
        timings = [timing for kind in _KINDS for timing in _times(kind)]
        db.session.remove()
        db.engine.dispose()
    return timings


def lines(timings: list[Made]) -> Iterator[str]:
    """Yield the lines of the table."""
    numbers = f"{'items':>8}{'KB':>8}{'first, ms':>12}{'ms':>8}{'CPU':>8}"
    yield f"{'certificate':<18}{'language':>10}{numbers}"
    for timing in timings:
        yield (
            f"{timing.kind:<18}{timing.language:>10}{timing.items:>8}{timing.kilobytes:>8.0f}"
            f"{timing.first:>12.0f}{timing.milliseconds:>8.0f}{timing.cpu:>8.0f}"
        )


_KINDS = (ChecklistKind.TERMS, ChecklistKind.VISIT_ROLES)


def _times(kind: ChecklistKind) -> Iterator[Made]:
    revision_id = db.session.scalars(
        sa.select(Revision.id).where(Revision.kind == kind).order_by(Revision.frozen_at)
    ).first()
    assert revision_id is not None
    work = issuing._read(revision_id)
    items = sum(len(section["items"]) for section in work.source.document["sections"])
    for language in contents.languages(work.source):
        taken, worked, size = [], [], 0
        for number in range(ROUNDS + 1):
            other = _said_otherwise(work, number)
            begun, before = time.perf_counter(), time.process_time()
            size = len(issuing._make(other, language, "").pdf)
            taken.append((time.perf_counter() - begun) * 1000)
            worked.append((time.process_time() - before) * 1000)
        yield Made(
            kind.value, language, items, size / 1024, taken[0], median(taken[1:]), median(worked)
        )


def _said_otherwise(work: _Work, number: int) -> _Work:
    """Return a text with other answers, since the typesetter caches what it has set before."""
    plain = work.plain.replace(b'"text":"', f'"text":"{number} '.encode())
    document = canonical.from_bytes(plain)
    return replace(
        work, plain=plain, source=replace(work.source, document=document, made_at=clock.now())
    )


def main() -> None:
    """Build an instance, make its certificates several times, and print the times."""
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as folder:
        for line in lines(times(build(Path(folder)))):
            click.echo(line)


if __name__ == "__main__":
    main()
