"""A server under load that is killed at random moments and restarted."""

import http.client
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from tests.torture.acts import Outcome, Try, choose, to_json
from tests.torture.instance import Instance
from tests.torture.record import Record
from tests.torture.serving import ADDRESS, AGREEMENTS
from tracker.core.paths import ROOT
from tracker.worker import supervisor

CALLERS = 8
# After this many kills, the whole server is killed instead of one of its processes.
WHOLE = 10
# How long the server works before the next kill, at most, in seconds.
LONGEST = 0.6
_PATIENCE = 240.0


class KillingError(Exception):
    """The server did not start, or failed; the message says how."""


def kill_under_load(instance: Instance, kills: int, report: Callable[[int], None]) -> Record:
    """Kill the server this many times under load; return the responses that the callers got."""
    chance = random.Random(kills)
    server = Server(instance)
    server.start()
    callers = [Caller(instance, number) for number in range(CALLERS)]
    try:
        for caller in callers:
            caller.start()
        for number in range(kills):
            time.sleep(chance.uniform(0, LONGEST))
            if number % WHOLE == WHOLE - 1:
                server.kill()
                server.start()
            else:
                server.kill_a_process(chance)
            report(1)
    finally:
        for caller in callers:
            caller.stop()
        server.kill()
    record = Record()
    for caller in callers:
        if caller.failure:
            raise KillingError(caller.failure)
        record.merge(caller.record)
    return record


class Server:
    """The production server, as "tracker run" starts it, loaded once for all its processes."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it responds."""
        *command, _app = supervisor.server_command(self._instance.settings)
        environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self._process = subprocess.Popen(
            [*command, "tests.torture.serving:make_app()"],
            cwd=ROOT,
            env=environment
            | self._instance.environment
            | {AGREEMENTS: to_json(self._instance.agreements)},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            if self._answers():
                return
            time.sleep(0.05)
        self.kill()
        message = "The server did not start."
        raise KillingError(message)

    def kill(self) -> None:
        """Kill all its processes."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_PATIENCE)
            self._process = None

    def kill_a_process(self, chance: random.Random) -> None:
        """Kill one of the processes that respond; the server starts another."""
        if self._process is None:
            raise LookupError
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            children = _children(self._process.pid)
            if children:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(children), signal.SIGKILL)
                    return
            time.sleep(0.01)
        message = "The server has no processes left."
        raise KillingError(message)

    def _answers(self) -> bool:
        settings = self._instance.settings
        connection = http.client.HTTPConnection(settings.host, settings.port, timeout=_PATIENCE)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()
        return True


def _children(pid: int) -> list[int]:
    return [int(part) for part in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Caller(threading.Thread):
    """A caller who requests one act after the other, and records the responses."""

    def __init__(self, instance: Instance, number: int) -> None:
        super().__init__(daemon=True)
        self.record = Record()
        self.failure = ""
        self._instance = instance
        self._chance = random.Random(number)
        self._goes_on = True

    def run(self) -> None:
        """Send requests until told to stop."""
        while self._goes_on and not self.failure:
            tried = choose(self._chance, self._instance.agreements)
            try:
                status, answer = self._ask(tried)
            except (OSError, http.client.HTTPException):
                self.record.lost += 1  # killed meanwhile, or not started yet
                time.sleep(0.02)
                continue
            if status != http.client.OK:
                self.failure = f"{tried}: the server answered {status}: {answer.decode()[:500]}"
                return
            reply = json.loads(answer)
            self.record.add(tried, Outcome(done=reply["done"], answer=reply["answer"]))

    def stop(self) -> None:
        """Send no more requests, and wait for the last response."""
        self._goes_on = False
        self.join(_PATIENCE)

    def _ask(self, tried: Try) -> tuple[int, bytes]:
        settings = self._instance.settings
        connection = http.client.HTTPConnection(settings.host, settings.port, timeout=_PATIENCE)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", ADDRESS, json.dumps(asdict(tried)), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
