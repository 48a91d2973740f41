"""The application as people run it: the real command, its own data directory, a free port."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from tests.servers import stopping
from tests.servers.ports import free_port

_PATIENCE = 60.0
_CONNECTIONS = Path("/proc/net/tcp")
# Established, being established, closed only by the browser.
_OPEN = {"01", "03", "08"}


class ApplicationError(Exception):
    """The application did not start, or a command failed; the message contains its output."""


class Application:
    """Web server and worker started by "tracker run"; use it in a with statement.

    With an empty data directory it creates the database, as at a first start. more is what its
    processes have in their environment besides the settings.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        patience: float = _PATIENCE,
        more: Mapping[str, str] = MappingProxyType({}),
        **settings: str,
    ) -> None:
        port = free_port()
        self.url = f"http://localhost:{port}"
        self.data_dir = data_dir
        self._patience = patience
        self.port = port
        self._log = data_dir.with_name(f"{data_dir.name}.log")
        self._process: subprocess.Popen[bytes] | None = None
        # What the health page last said was wrong.
        self._state = "it was never asked"
        environment = {
            name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "TZ"}
        }
        self._environment = {
            **environment,
            "HOME": str(data_dir),
            "TRACKER_DATA_DIR": str(data_dir),
            "TRACKER_BASE_URL": self.url,
            "TRACKER_PORT": str(port),
            "TRACKER_DEMO": "0",
            # wait_until_idle waits for connections that a browser opened in advance.
            "TRACKER_REQUEST_SECONDS": "6",
            **{f"TRACKER_{name.upper()}": value for name, value in settings.items()},
            **more,
        }

    def __enter__(self) -> Self:
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def command(self, *arguments: str) -> str:
        """Run a tracker command on the same instance; return its output."""
        done = subprocess.run(
            [_tracker(), *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=self._patience,
            check=False,
        )
        if done.returncode != 0:
            message = f"tracker {' '.join(arguments)}: {done.stdout}{done.stderr}"
            raise ApplicationError(message)
        return done.stdout

    def log(self) -> str:
        """Return the output of the server and the worker."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def memory(self) -> list[float]:
        """Return the private memory of each process that serves requests, in megabytes.

        It excludes what a process shares with others: library files, and what the web server loaded
        before it started its processes. Empty on systems other than Linux.
        """
        own = self._process.pid if self._process is not None else 0
        servers = [child for child in _children(own) if b"gunicorn" in _words_of(child)]
        return [_memory(child, "Private_") for server in servers for child in _children(server)]

    def memory_of_all(self) -> float:
        """Return the memory of all its processes together, in megabytes.

        What some of them share counts once; library files don't count.
        """
        own = self._process.pid if self._process is not None else 0
        return sum(_memory(process, "Pss_Anon") for process in (own, *_descendants(own)))

    def ask_to_stop(self) -> None:
        """Ask the server to stop, without waiting until it has."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ask the server to stop, and wait until it has."""
        if self._process is not None:
            stopping.stop(self._process, _PATIENCE)
            self._process = None

    def kill(self) -> None:
        """Kill all its processes at the same moment, so that none can finish anything."""
        if self._process is None:
            return
        for process in (self._process.pid, *_descendants(self._process.pid)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait(_PATIENCE)
        self._process = None

    def start(self) -> None:
        """Start it again after it was stopped or killed, and wait until all is well."""
        self._start()

    def is_running(self) -> bool:
        """Return whether the processes that were started are still there."""
        return self._process is not None and self._process.poll() is None

    def wait_until_idle(self) -> None:
        """Wait until nobody is connected, so that every request has been answered."""
        until = time.monotonic() + self._patience
        while _is_connected(self.port):
            if time.monotonic() > until:
                message = f"A browser stays connected to {self.url}."
                raise ApplicationError(message)
            time.sleep(0.01)

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [_tracker(), "run"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + self._patience
        while time.monotonic() < until and self._process.poll() is None:
            # As long as there is time: on a busy machine requests that were given up would queue.
            if self._is_well(max(1, until - time.monotonic())):
                return
            time.sleep(0.1)
        # What the asking itself logged says less than what it was told.
        lines = [line for line in self.log().splitlines() if "page=running.healthz" not in line]
        message = f"The application did not start: {self._state}\n" + "\n".join(lines)[-4000:]
        raise ApplicationError(message)

    def _is_well(self, seconds: float) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=seconds) as answer:  # noqa: S310 -- own address
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            with error:
                self._state = error.read().decode(errors="replace")
            return False
        except OSError as error:
            self._state = str(error)
            return False


def _is_connected(port: int) -> bool:
    """Return whether a connection to a port of this machine is open, or not yet read to its end.

    False on systems other than Linux.
    """
    if not _CONNECTIONS.exists():
        return False
    for line in _CONNECTIONS.read_text().splitlines()[1:]:
        _number, local, _remote, state = line.split()[:4]
        if state in _OPEN and int(local.rpartition(":")[2], 16) == port:
            return True
    return False


def _children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children")
    return [int(part) for part in listed.read_text().split()] if listed.exists() else []


def _descendants(process: int) -> list[int]:
    below = _children(process)
    return [*below, *(lower for child in below for lower in _descendants(child))]


def _words_of(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()


def _memory(process: int, kind: str) -> float:
    """Return the megabytes of some kinds of memory, by how their names in smaps_rollup begin."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    kilobytes = (line.split()[1] for line in lines if line.startswith(kind))
    return sum(map(int, kilobytes)) / 1024


def _tracker() -> str:
    """Return the command installed beside the Python that runs the tests."""
    beside = Path(sys.executable).with_name("tracker")
    program = str(beside) if beside.exists() else shutil.which("tracker")
    if program is None:
        message = "The command tracker is not installed. Type: make setup"
        raise ApplicationError(message)
    return program
