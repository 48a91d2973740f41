"""The in-memory folder for temporary files of a test run."""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108  # folders of their own are made in it
_ROOM = 4 * 1024**3  # bytes


def folder() -> Path | None:
    """Return a folder in memory with room for the databases of a run; None where there is none."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM:
        return _MEMORY
    return None


def use_for_temporary_files() -> None:
    """Have this process and those it starts make temporary files in memory.

    Nothing changes where TMPDIR is set already, or where there is no such folder. Databases are
    copied for each test, and a disk takes longer to copy and to delete them than the tests take.
    """
    memory = folder()
    if memory is not None and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = str(memory)
        tempfile.tempdir = None
