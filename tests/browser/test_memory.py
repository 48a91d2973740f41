"""The memory of a web process after people have opened every page of the demonstration."""

import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.demonstration import DEMONSTRATION, mark_of, pages_of
from tests.browser.instances import opened, signed_in
from tests.effort import is_long
from tests.servers.application import Application

VISITORS = (None, "ilena", "tomas", "dina", "otto", "milan", "samira", "leyla", "greta", "iris")
# Two people with different roles cause most of the statements that a page sends.
PEOPLE = 2
# In megabytes, without what a process shares: library files, and about 50 of what the server loaded
# before it started its processes. Pages add compiled statements, templates and caches:
# docs/adr/0051 and 0118.
MOST = 150
# Of all processes with one web process: that one, the server, the worker, and what started them.
MOST_OF_ALL = 440


@pytest.mark.skipif(not is_long(), reason="in the short form test_crawl looks at its own process")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much a process takes")
def test_a_web_process_stays_small_after_every_page_of_the_demonstration(
    browser: Browser, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(DEMONSTRATION.data_dir, folder)
    pages: Counter[str] = Counter()
    with Application(folder, workers="1") as application, opened(folder) as app:
        urls = app.url_map.bind("localhost")
        for key in VISITORS:
            state = signed_in(app, mark_of(app, key)) if key else None
            start = "/" if key else "/guidance"
            known = [page for page, times in pages.items() if times >= PEOPLE]
            # The second page of a kind adds next to nothing.
            pages.update(
                pages_of(
                    browser, application, urls, state, start, few=1, hub=2, left_out=known
                ).keys()
            )
        [taken], together = application.memory(), application.memory_of_all()
    assert len(pages) > 70
    assert 50 < taken < MOST, f"{taken:.0f} MB"
    assert taken < together < MOST_OF_ALL, f"{together:.0f} MB"
