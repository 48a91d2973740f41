"""A clock that is moved while the application runs, for its server, worker and commands."""

import datetime as dt
from pathlib import Path

from tests.other_days import find_library, preloading
from tracker.core import clock


class MovedClock:
    """The time that an application sees, and this process with it; the clock keeps running.

    Both follow the system's clock at the same offset, which is in a file.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that make an application's processes see this time."""
        # The one of the two libraries that is for programs with threads.
        library = find_library().with_name("libfaketimeMT.so.1")
        return {
            **preloading(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
        }

    def move_to(self, moment: dt.datetime) -> None:
        """Move the clock to a moment, in UTC."""
        distance = dt.timedelta(seconds=round((moment - clock.system_time()).total_seconds()))
        # Whoever reads the time meanwhile finds the old offset or the new one.
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(f"{distance.total_seconds():+.0f}s\n")
        unfinished.rename(self._file)
        clock.use_source(lambda: clock.system_time() + distance)
