"""The process that starts the web server and the worker, and stops the other once one exits.

"tracker run" becomes this process when it has prepared the database. It imports almost nothing, so
that what preparing took is free again.
"""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType

from tracker.settings import COUNTED_IN, LogFormat, Settings

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# These wait while the process that prepared becomes this one.
_WAITING = (*STOP_SIGNALS, signal.SIGHUP)
GRACE_SECONDS = 15
# Settings of the C library's allocator: one heap for all threads, so that each can reuse what
# another has freed. Freed memory above this many bytes goes back to the system, even after
# something larger was freed, which would otherwise raise the limit.
_ALLOCATION = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
# Python stores no columns for tracebacks, only lines: 1 MB less for each process.
_COMPACT_CODE = {"PYTHONNODEBUGRANGES": "1"}
_OWN_MODULE = "tracker.worker.supervisor"

logger = logging.getLogger(_OWN_MODULE)


def become() -> None:
    """Replace the calling process with this one; its id, files and settings stay."""
    sys.stdout.flush()
    sys.stderr.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, _WAITING)
    os.execv(sys.executable, [sys.executable, "-m", _OWN_MODULE])  # noqa: S606 -- our own program


def main() -> int:
    """Run the server and the worker until one exits or a signal arrives; return the exit code."""
    asked_to_stop: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        asked_to_stop.append(number)

    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    # The terminal was closed; nohup has it ignored.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITING)
    if asked_to_stop:
        return 0
    settings = Settings.from_environment()
    with _counted_requests(settings) as where:
        environment = {**_ALLOCATION, **_COMPACT_CODE, **os.environ, **where}
        # Each in its own process group: Ctrl+C reaches only this process, which stops each of them.
        programs = [
            subprocess.Popen(command, process_group=0, env=environment)  # noqa: S603 -- our own programs, by full path
            for command in (server_command(settings), worker_command())
        ]
        while not asked_to_stop and all(program.poll() is None for program in programs):
            time.sleep(0.2)
        failed = not asked_to_stop
        if failed:
            _tell_of_exit(settings)
        _end(programs)
    return 1 if failed else 0


def server_command(settings: Settings) -> list[str]:
    """Return the command that starts the web server; its last word says what it serves."""
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:tracker.worker.gunicorn_config",
        "--bind",
        f"{settings.host}:{settings.port}",
        "--workers",
        str(settings.workers),
        "--no-control-socket",
        "--worker-tmp-dir",
        _memory(settings),
        "--log-level",
        "warning",
        "tracker.worker.preloading:load()",
    ]


def worker_command() -> list[str]:
    """Return the command that starts the worker."""
    return [sys.executable, "-m", "tracker", "worker"]


def _tell_of_exit(settings: Settings) -> None:
    """Tell whoever started the application; or log it, if programs read the lines."""
    if settings.log_format is LogFormat.JSON:
        # Imported only now, since it takes more memory than all the rest (docs/adr/0118).
        import_module("tracker.core.logs").configure(as_json=True)
        logger.error("The server or the worker exited; stopping the other.")
    else:
        sys.stderr.write("The server or the worker exited; stopping the other.\n")


@contextmanager
def _counted_requests(settings: Settings) -> Iterator[dict[str, str]]:
    """Yield the variable that names the folder in which web processes count, for metrics."""
    if not settings.metrics_port:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="common-terms-", dir=_memory(settings)) as folder:
        yield {COUNTED_IN: folder}


def _memory(settings: Settings) -> str:
    """Return a folder for small files that are written all the time, in memory if there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else str(settings.data_dir)  # noqa: S108 -- memory


def _end(programs: list[subprocess.Popen[bytes]]) -> None:
    """Terminate each program, and kill it if it doesn't exit in time."""
    for program in programs:
        if program.poll() is None:
            program.terminate()
    for program in programs:
        try:
            program.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


if __name__ == "__main__":
    sys.exit(main())
