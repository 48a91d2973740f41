"""Many processes that act on the same agreements at the same time, each with a connection."""

import json
import multiprocessing
import random
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from flask import Flask

from tests.torture.acts import Agreement, Try, choose, perform
from tests.torture.instance import Instance
from tests.torture.record import Record

# What a process waits for after its last act.
PATIENCE = 120.0


class CrowdError(Exception):
    """A process failed, or did not end; the message says which and why."""


def let_loose(instance: Instance, folder: Path, processes: int, seconds: float) -> Record:
    """Let processes act for some seconds, and return the responses they got."""
    forking = multiprocessing.get_context("fork")
    # Built once: fifty processes would take longer to build it than they have to act.
    app = instance.app()
    until = time.monotonic() + seconds
    files = [folder / f"process-{number}.jsonl" for number in range(processes)]
    running = [
        forking.Process(target=_act, args=(app, instance.agreements, number, until, file))
        for number, file in enumerate(files)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join(seconds + PATIENCE)
    if any(process.exitcode != 0 for process in running):
        for process in running:
            process.kill()
        raise CrowdError("\n".join(_failures(files)) or "A process did not end.")
    record = Record()
    for file in files:
        for line in file.read_text().splitlines():
            record.add_line(json.loads(line))
    if not record.done:
        message = "Nobody did anything."
        raise CrowdError(message)
    return record


def _act(
    app: Flask, agreements: tuple[Agreement, ...], number: int, until: float, file: Path
) -> None:
    chance = random.Random(number)
    with file.open("w") as output:
        while time.monotonic() < until:
            tried: Try = choose(chance, agreements)
            try:
                outcome = perform(app, agreements, tried)
            except BaseException:
                output.write(json.dumps({"failed": traceback.format_exc()}) + "\n")
                raise
            output.write(
                json.dumps([tried.act, tried.agreement, outcome.done, outcome.answer]) + "\n"
            )


def _failures(files: list[Path]) -> Iterator[str]:
    for file in files:
        for line in file.read_text().splitlines():
            line_read = json.loads(line)
            if isinstance(line_read, dict):
                yield line_read["failed"]
