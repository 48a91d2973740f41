"""A time limit for everything that one exchange with another machine takes.

The libraries' own time limits begin anew with each address of a host and each byte of an answer.
"""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

_T = TypeVar("_T")


class Deadline:
    """A moment, some seconds after it was made, at which an exchange ends."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self._until

    def left(self) -> float:
        """Return how many seconds are left; raise TimeoutError if none are."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise self._too_late()
        return left

    def connect(self, host: str, port: int) -> socket.socket:
        """Return a connection to the first address of a host that accepts one in time."""
        addresses = self.call(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        problem = OSError(f"{host} has no address.")
        for number, (family, kind, protocol, _name, address) in enumerate(addresses):
            connection = socket.socket(family, kind, protocol)
            try:
                # One address that never answers leaves time for the others.
                connection.settimeout(self.left() / (len(addresses) - number))
                connection.connect(address)
                connection.settimeout(self.left())
            except OSError as error:
                connection.close()
                problem = error
            else:
                return connection
        raise problem

    def cut(self, connection: socket.socket) -> threading.Timer:
        """Have a connection cut when the time is over; until then, nothing waits longer.

        If that can't be done, such as when no time is left, close it.
        """
        with ExitStack() as stack:
            stack.callback(connection.close)
            left = self.left()
            connection.settimeout(left)
            cutting = threading.Timer(left, _cut, [connection])
            cutting.daemon = True
            cutting.start()
            stack.pop_all()
        return cutting

    def call(self, look_up: Callable[[], _T]) -> _T:
        """Return what the system looks up; raise TimeoutError if that takes too long.

        Nothing can interrupt the system's lookup, so it has a thread of its own, which is left
        behind.
        """
        answers: SimpleQueue[tuple[_T | None, Exception | None]] = SimpleQueue()

        def answer() -> None:
            try:
                answers.put((look_up(), None))
            except (OSError, ValueError) as error:
                answers.put((None, error))

        threading.Thread(target=answer, daemon=True).start()
        try:
            value, problem = answers.get(timeout=self.left())
        except Empty:
            raise self._too_late() from None
        if problem is not None:
            raise problem
        return value  # type: ignore[return-value]  # there is one, since there's no problem

    def _too_late(self) -> TimeoutError:
        return TimeoutError(f"The answer took longer than {self._seconds} seconds.")


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):  # it has ended
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
