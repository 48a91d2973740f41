"""A web process imports nothing that only the worker, a command or the demonstration needs."""

import gc
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import get_overloads

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from tracker.commands import COMMANDS
from tracker.core.paths import MIGRATIONS, ROOT
from tracker.worker import gunicorn_config, health

# Libraries, then packages and modules of our own, with everything below them.
_NOT_FOR_PAGES = (
    "aiohttp",
    "alembic",
    "flask_migrate",
    "lxml",
    "mako",
    "prometheus_client",
    "pyhanko",
    "pyhanko_certvalidator",
    "qrcode",
    "smtplib",
    "typst",
    "tracker.__main__",
    "tracker.cli",
    "tracker.demo",
    "tracker.evidence.certificates.contents",
    "tracker.evidence.certificates.issuing",
    "tracker.evidence.certificates.pades",
    "tracker.evidence.certificates.typesetting",
    "tracker.mail.sending",
    "tracker.mail.transport",
    "tracker.worker.cli",
    "tracker.worker.metrics",
    "tracker.worker.prepare",
    "tracker.worker.recheck",
    "tracker.worker.request_metrics",
    "tracker.worker.jobs",
    "tracker.worker.schema",
    *{place.partition(":")[0] for place in COMMANDS.values()},
)
# What the web server does: load the application, start its processes, and respond in each.
_PROCESS = """
import os, sys, warnings
open_files = os.listdir("/dev/fd")
from tracker.worker import preloading
app = preloading.load()
assert os.listdir("/dev/fd") == open_files
with app.app_context():
    assert app.extensions["sqlalchemy"].engine.pool.checkedin() == 0
warnings.simplefilter("error")  # Python warns if threads run here, also those of libraries
process = os.fork()
if process:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
client = app.test_client()
assert client.get("/healthz").status_code == 503  # nobody has prepared the database
assert client.get("/new-password").status_code == 200
print("\\n".join(sys.modules))
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules of a web process that has responded; it began with no threads or open files."""
    folder: Path = tmp_path_factory.mktemp("web")
    done = subprocess.run(
        [sys.executable, "-c", _PROCESS],
        cwd=ROOT,
        env={"TRACKER_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_a_web_process_imports_no_worker_commands_or_demonstration(
    imported: set[str],
) -> None:
    assert "tracker.dashboard.routes" in imported
    strange = {
        module
        for module in imported
        if any(module == name or module.startswith(f"{name}.") for name in _NOT_FOR_PAGES)
    }
    assert strange == set()


def tracker(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tracker", *words],
        cwd=ROOT,
        env={"TRACKER_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_command_offers_the_table_and_the_migrations(tmp_path: Path) -> None:
    offered = {line.split()[0] for line in tracker(tmp_path, "--help").splitlines() if line.strip()}
    assert {*COMMANDS, "db"} <= offered
    heads = ScriptDirectory(str(MIGRATIONS)).get_heads()
    assert [health.newest_revision()] == heads


def test_every_command_is_found_where_the_table_says() -> None:
    for name, place in COMMANDS.items():
        module, _colon, attribute = place.partition(":")
        path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
        assert path.exists(), name
        assert attribute in path.read_text(), name


def test_what_a_web_process_must_not_import_is_there_by_that_name() -> None:
    """A misspelt name would check nothing."""
    assert [name for name in _NOT_FOR_PAGES if find_spec(name) is None] == []


def test_what_a_server_imported_is_left_out_of_garbage_collection() -> None:
    imported_before = [len]
    assert get_overloads(sa.select)
    gunicorn_config.when_ready(None)
    assert not any(tracked is imported_before for tracked in gc.get_objects())
    # These are for type checkers.
    assert not get_overloads(sa.select)
