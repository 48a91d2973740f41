"""The server in each web process: a thread takes a request only once all of it has arrived.

gunicorn starts, watches and replaces the processes; waitress, inside each, reads requests and sends
responses without a thread. It closes connections that are silent, but not those that send a byte
now and then; the limits here do: docs/adr/0080.
"""

import logging
import os
import socket
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask

from tracker.core import logs, request_log
from tracker.core.security import NO_STORE, headers_of
from tracker.settings import LogFormat, Settings
from tracker.ui.uploads import largest_request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# A request has the seconds of the setting, and one more for so many bytes of it that arrived.
SLOWEST = 4096
# Connections of a process. For each further one, the one that has waited longest is closed.
CONNECTIONS = 400
# What requests and unread responses of a process may take in temporary files and memory, in bytes;
# beyond that, the largest connection is closed whose request a thread isn't answering just now.
STORED = 256 * 1024 * 1024
HEAD_BYTES = 64 * 1024
# How long an answered connection stays open for another request. Longer than nginx keeps one open
# (60), since a request that meets a closing connection is lost.
KEPT_ALIVE_SECONDS = 75
# How often overdue connections are looked for, and how long the server sleeps at most.
INTERVAL_SECONDS = 1
_SLEEP_SECONDS = 0.5


class _Refusal(ErrorTask):
    """The response to a request that waitress refuses, since it is malformed or too large."""

    def execute(self) -> None:
        """Respond, with the headers of all responses."""
        with logs.numbered_request() as number:
            headers = {**self.channel.server.headers, logs.HEADER: number}
            self.response_headers.extend(headers.items())
            status = int(self.request.error.code)
            request_log.note_refusal(status)
            self.channel.server.count(request_log.PAGE, status, 0.0)
            super().execute()


class Connection(HTTPChannel):
    """A connection that knows since when it has been waiting for a request, and for its rest."""

    error_task_class = _Refusal

    def __init__(self, *args: Any, **more: Any) -> None:
        self.idle_since = time.monotonic()
        self.was_answered = False
        # When the next request began to arrive. Blank lines begin one, and don't end it.
        self.begun: float | None = None
        super().__init__(*args, **more)

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a request or for its rest: nothing is being done or sent."""
        return not self.requests and not self.total_outbufs_len

    @property
    def since(self) -> float:
        """Since when it has been waiting."""
        return self.idle_since if self.begun is None else self.begun

    @property
    def arrived(self) -> int:
        """The bytes of the unfinished request that have arrived."""
        request = self.request
        if request is None:
            return 0
        return int(request.header_bytes_received + request.body_bytes_received)

    @property
    def stored(self) -> int:
        """The bytes of all its requests, and of responses that its reader hasn't taken."""
        whole = sum(int(request.body_bytes_received) for request in list(self.requests))
        return int(self.arrived + whole + self.total_outbufs_len)

    def received(self, data: bytes) -> bool:
        """Receive what arrived, and note when a request begins."""
        if self.begun is None:
            self.begun = time.monotonic()
        return bool(super().received(data))

    def service(self) -> None:
        """Respond to a request, in a thread."""
        # The next request may begin to arrive before this returns.
        self.idle_since, self.begun, self.was_answered = time.monotonic(), None, True
        super().service()
        self.idle_since = time.monotonic()

    def is_overdue(self, seconds: int) -> bool:
        """Return whether the rest of the request, or its reader, took too long."""
        if self.total_outbufs_len:  # last_activity is by waitress's clock
            return bool(self.last_activity < time.time() - seconds)
        if not self.is_waiting:
            return False
        if self.begun is None and self.was_answered:
            seconds = KEPT_ALIVE_SECONDS
        return self.since + seconds + self.arrived / SLOWEST < time.monotonic()


class Server(TcpWSGIServer):
    """waitress's server, which closes connections that are overdue, too many or too large."""

    channel_class = Connection

    def __init__(
        self,
        app: "WSGIApplication",
        listener: socket.socket,
        settings: Settings,
        *,
        threads: int,
        largest: int,
    ) -> None:
        self._seconds = settings.request_seconds
        # Takes the responses that the application doesn't see; the process sets it.
        self.count: request_log.Count = request_log.count_nothing
        hsts = settings.hsts if settings.secure else None
        self.headers = {**headers_of(hsts), "Cache-Control": NO_STORE}
        self.next_look = time.monotonic()
        # All that waits for something to read or send: connections, the listener.
        self.dispatchers: dict[int, wasyncore.dispatcher] = {}
        adjustments = Adjustments(
            threads=threads,
            # Forwarding headers are the business of the application (TRUSTED_PROXIES).
            clear_untrusted_proxy_headers=False,
            url_scheme="https" if settings.secure else "http",
            ident=None,
            # Leaves room for a few that are being answered when all others are.
            connection_limit=CONNECTIONS + 20,
            # Responses may contain confidential texts, so none is written to a file.
            outbuf_overflow=sys.maxsize,
            # Above this a thread waits for the reader, who is closed for it in the next second.
            outbuf_high_watermark=STORED,
            max_request_header_size=HEAD_BYTES,
            # The application refuses what is too large, with a page that says so.
            max_request_body_size=2 * largest,
            log_socket_errors=False,
        )
        address = (listener.family, listener.type, listener.proto, listener.getsockname())
        super().__init__(
            app,
            self.dispatchers,
            _sock=listener,
            adj=adjustments,
            bind_socket=False,
            sockinfo=address,
        )

    def handle_accept(self) -> None:
        """Accept a connection; if there are too many, close the one that has waited longest."""
        super().handle_accept()
        if len(self.active_channels) > CONNECTIONS:
            waiting = [channel for channel in self._channels() if channel.is_waiting]
            if waiting:
                min(waiting, key=lambda channel: channel.since).handle_close()

    def maintenance(self, now: float) -> None:
        """Close nothing: waitress calls this while it lists what to wait for.

        The system would give the number of a connection closed then to the next one, which waitress
        would take for the closed one.
        """

    def close_overdue(self) -> None:
        """Close what is overdue, and the largest if all take too much."""
        for channel in self._channels():
            if channel.is_overdue(self._seconds):
                # waitress's own way waits until something can be sent.
                channel.handle_close()
            elif channel.total_outbufs_len:
                channel.idle_since = time.monotonic()
        sizes = {channel: channel.stored for channel in self._channels()}
        total = sum(sizes.values())
        for channel in sorted(sizes, key=sizes.__getitem__, reverse=True):
            if total <= STORED or not sizes[channel]:
                break
            is_left = channel.is_waiting or self._is_taken_back(channel)
            if is_left or channel.total_outbufs_len:
                total -= sizes[channel]
                channel.handle_close()

    def go_on(self) -> None:
        """Wait for something to read or send, and do it; then close what is overdue."""
        wasyncore.loop(_SLEEP_SECONDS, use_poll=True, map=self.dispatchers, count=1)
        if time.monotonic() >= self.next_look:
            self.next_look = time.monotonic() + INTERVAL_SECONDS
            self.close_overdue()

    def stop_listening(self) -> None:
        """Accept no more connections."""
        self.accepting = False
        self.del_channel()
        self.socket.close()

    @property
    def is_busy(self) -> bool:
        """Whether the body of a request is arriving, or one is being answered."""
        return any(
            not channel.is_waiting
            or (channel.request is not None and channel.request.headers_finished)
            for channel in self._channels()
        )

    def _is_taken_back(self, channel: Connection) -> bool:
        """Take requests that wait for a thread out of the queue; return whether they were in it.

        If not, one of them is being answered.
        """
        with self.task_dispatcher.lock:
            if channel not in self.task_dispatcher.queue:
                return False
            self.task_dispatcher.queue.remove(channel)
        for request in channel.requests:
            request.close()  # its temporary file
        return True

    def _channels(self) -> list[Connection]:
        return list(self.active_channels.values())


class ServerLog(Logger):
    """What gunicorn itself logs, in lines like all others."""

    def setup(self, cfg: Any) -> None:
        """Leave its messages to the log of the process, which is configured here."""
        super().setup(cfg)
        is_json = Settings.from_environment().log_format is LogFormat.JSON
        logs.configure(as_json=is_json)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class WebWorker(Worker):
    """A web process of gunicorn that reads requests by waitress."""

    def run(self) -> None:
        """Serve until asked to stop or left alone; then finish what has begun."""
        # It says so for each request that waits for a thread.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        [listener] = self.sockets
        settings = Settings.from_environment()
        server = Server(
            self.wsgi,
            listener.sock,
            settings,
            threads=self.cfg.threads,
            largest=largest_request(self.wsgi),
        )
        if settings.metrics_port:
            # Imported only if somebody asks for it (docs/adr/0051).
            count = import_module("tracker.worker.request_metrics").counter()
            server.count = count
            self.wsgi.extensions[request_log.EXTENSION].count = count
        while self.alive and server.accepting and self.ppid == os.getppid():
            self.notify()
            server.go_on()
        server.stop_listening()
        until = time.monotonic() + self.cfg.graceful_timeout
        while server.is_busy and time.monotonic() < until:
            self.notify()
            server.go_on()
        server.task_dispatcher.shutdown(timeout=1)
        wasyncore.close_all(server.dispatchers)
