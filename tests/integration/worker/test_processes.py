"""The processes of "tracker run": how they start, are replaced and stop."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import stopping
from tests.servers.plain import PlainServer
from tracker.core.paths import ROOT
from tracker.worker import preloading

PATIENCE = 60.0
# The process that starts the server and the worker, with programs in place of these two.
SUPERVISOR = """
import sys
from tracker.worker import supervisor
server, worker = sys.argv[1:]
supervisor.server_command = lambda settings: ["sh", "-c", server]
supervisor.worker_command = lambda: ["sh", "-c", worker]
sys.exit(supervisor.main())
"""
# Somebody presses Ctrl+C just before the process that prepared becomes it.
STOPPED_EARLY = """
import os, signal, sys
from tracker.worker import supervisor
become = os.execv
def interrupted(*program):
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    become(*program)
os.execv = interrupted
supervisor.become()
"""
# A library that says that the command is being loaded, and never ends loading.
LOADING = "import signal; print('loading', flush=True); signal.pause()"
GOES_ON = "echo began >&2; exec sleep 120"


def test_processes_share_no_random_numbers_and_one_that_is_killed_is_replaced(
    tmp_path: Path,
) -> None:
    with PlainServer(tmp_path, workers="2") as server:
        numbers: dict[int, list[str]] = {}

        def ask_until(is_enough: Callable[[], bool]) -> None:
            until = time.monotonic() + PATIENCE
            while not is_enough():
                assert time.monotonic() < until, numbers
                try:
                    answer = json.loads(server.get("/numbers"))
                except ConnectionError:  # of a process that was killed
                    continue
                numbers.setdefault(answer["process"], []).extend(answer["numbers"])

        ask_until(lambda: len(numbers) == 2)
        os.kill(min(numbers), signal.SIGKILL)
        ask_until(lambda: len(numbers) == 3)
    drawn = [number for of_process in numbers.values() for number in of_process]
    assert len(set(drawn)) == len(drawn)


def test_a_server_that_cannot_load_the_application_says_why_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "secret.key").write_text("00" * 32)
    monkeypatch.setenv("TRACKER_DATA_DIR", str(tmp_path))
    with pytest.raises(SystemExit) as stopped:
        preloading.load()
    missing = "fields.key, trail.key, totp.key missing"
    # Python prints it, and exits with 1.
    assert stopped.value.code == (
        f"tracker: {missing} in {keys}: restore the keys of this instance there."
    )


def start(folder: Path, server: str, worker: str, *, as_json: bool) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, server, worker],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "TRACKER_DATA_DIR": str(folder),
            "TRACKER_LOG_FORMAT": "json" if as_json else "text",
        },
        stderr=subprocess.PIPE,
    )


def test_when_the_server_or_the_worker_exits_the_other_is_stopped_and_a_line_says_so(
    tmp_path: Path,
) -> None:
    line = "The server or the worker exited; stopping the other."
    for programs, as_json in (((GOES_ON, "exit 0"), False), (("exit 2", GOES_ON), True)):
        with start(tmp_path, *programs, as_json=as_json) as process:
            _out, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1
        shown = errors.decode().splitlines()[-1]
        assert (json.loads(shown)["message"] if as_json else shown) == line


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_server_and_the_worker_are_stopped_with_the_process_that_started_them(
    tmp_path: Path, how: signal.Signals
) -> None:
    with start(tmp_path, GOES_ON, GOES_ON, as_json=False) as process:
        assert process.stderr is not None
        assert [process.stderr.readline(), process.stderr.readline()] == [b"began\n"] * 2
        assert stopping.stop(process, PATIENCE, how) == 0
        # Both have closed it.
        assert process.stderr.read() == b""


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_whoever_stops_it_before_anything_is_started_sees_no_traceback(
    tmp_path: Path, how: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_EARLY, how],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "TRACKER_DATA_DIR": str(tmp_path), "TRACKER_PORT": "1"},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_whoever_stops_a_command_while_it_is_loaded_sees_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text(LOADING)
    with subprocess.Popen(
        [sys.executable, "-m", "tracker", "run"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"loading\n"
        process.send_signal(signal.SIGINT)
        _out, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (-signal.SIGINT, b"")
