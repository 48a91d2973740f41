"""What the servers of tests have in common: they run in a with statement, as a process or here."""

import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers import stopping

PATIENCE = 20.0


class Server(ABC):
    """A server that is started and stopped by a with statement."""

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @abstractmethod
    def _start(self) -> None:
        """Start it, and wait until it responds."""

    @abstractmethod
    def stop(self) -> object:
        """Stop it, and wait until it has."""


class ProcessServer(Server):
    """A server that is a process of its own."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._folder = folder
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def _reach(self) -> None:
        """Ask it for something; raise OSError if it doesn't respond."""

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                self._reach()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise TimeoutError

    def ask_to_stop(self) -> None:
        """Ask it to stop, without waiting until it has."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> int | None:
        """Stop it, and wait until it has; return its exit status, None before a start."""
        return None if self._process is None else stopping.stop(self._process, PATIENCE)
