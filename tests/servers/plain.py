"""The server that "tracker run" starts, with a small application in place of the real one."""

import http.client
import os
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers import stopping
from tests.servers.ports import free_port
from tracker.core.paths import ROOT
from tracker.settings import Settings
from tracker.worker import cli

_PATIENCE = 20.0


class PlainServer:
    """The server with its processes; use it in a with statement."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "TRACKER_DATA_DIR": str(folder),
            "TRACKER_PORT": str(self.port),
            **{f"TRACKER_{name.upper()}": value for name, value in settings.items()},
        }
        *command, _app = cli._server_command(Settings.from_environment(self._environment))
        self._command = [*command, "tests.servers.plain_pages:make_app()"]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL
        )
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                self.get_page()
            except OSError:
                time.sleep(0.05)
            else:
                return self
        self.stop()
        raise TimeoutError

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def ask_to_stop(self) -> None:
        """Ask the server to stop, without waiting until it has."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> int | None:
        """Stop the server, and wait until it has; return its exit status, None before a start."""
        return None if self._process is None else stopping.stop(self._process, _PATIENCE)

    def connect(self) -> socket.socket:
        """Open a connection that waits a while for what it reads."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE)

    def get_page(self) -> None:
        """Ask for the short page; raise OSError if it doesn't come."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        with closing(connection):
            connection.request("GET", "/")
            response = connection.getresponse()
            if response.read() != b"A page" or response.getheader("Server"):
                message = "Another server responded."
                raise OSError(message)
