"""The in-memory folder for temporary files of a test run."""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108  # separate folders are created in it
_ROOM = 4 * 1024**3  # bytes


def folder() -> Path | None:
    """Return a folder in memory with room for the databases of a run, or None."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM:
        return _MEMORY
    return None


def use_for_temporary_files() -> None:
    """Have this process and those it starts create temporary files in memory.

    Does nothing if TMPDIR is already set, or if there is no such folder. Databases are copied for
    each test, and on a disk copying and deleting them takes longer than the tests.
    """
    memory = folder()
    if memory is not None and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None
