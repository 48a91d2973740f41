"""The server that "tracker run" starts, with a small application in place of the real one."""

import http.client
import os
import socket
from contextlib import closing
from pathlib import Path

from tests.servers.ports import free_port
from tests.servers.server import PATIENCE, ProcessServer
from tracker.core.paths import ROOT
from tracker.settings import Settings
from tracker.worker import supervisor


class PlainServer(ProcessServer):
    """The server with its processes; use it in a with statement."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.port = free_port()
        environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "TRACKER_DATA_DIR": str(folder),
            "TRACKER_PORT": str(self.port),
            **{f"TRACKER_{name.upper()}": value for name, value in settings.items()},
        }
        *command, _app = supervisor.server_command(Settings.from_environment(environment))
        super().__init__([*command, "tests.servers.plain_pages:make_app()"], ROOT, environment)

    def _reach(self) -> None:
        self.get_page()

    def connect(self) -> socket.socket:
        """Open a connection that waits a while for what it reads."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def get_page(self) -> None:
        """Ask for the short page; raise OSError if it doesn't come."""
        if self.get("/") != b"A page":
            message = "Another server responded."
            raise OSError(message)

    def get(self, path: str) -> bytes:
        """Ask for a page on a new connection; raise OSError if it doesn't come."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            if response.getheader("Server"):
                message = "Another server responded."
                raise OSError(message)
            return response.read()
