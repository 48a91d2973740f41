"""Tests connect only to this machine."""

import socket

import pytest
from pytest_socket import SocketConnectBlockedError

from tests.servers.ports import free_port

# Reserved for documentation: nothing responds there.
ELSEWHERE = "192.0.2.1"


def test_no_test_reaches_another_machine() -> None:
    warning = pytest.warns(UserWarning, match="A test tried")
    with socket.socket() as way_out, warning, pytest.raises(SocketConnectBlockedError):
        way_out.connect((ELSEWHERE, 80))


def test_tests_reach_this_machine() -> None:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", free_port()))
        server.listen()
        client.connect(server.getsockname())
