"""Fixtures for tests in a real browser: the application as people run it, and a Chromium."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    ViewportSize,
    expect,
    sync_playwright,
)
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.browser import demonstration
from tests.browser.instances import PREPARED, StartingPoint, put_under, signed_in
from tests.servers.application import Application
from tracker import create_app
from tracker.core import clock
from tracker.core.db import db
from tracker.settings import Settings

# Fastest first.
_NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
# Only the pages under test: no calls home, no first-run pages, no graphics card.
_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
# Nor the menus and pages that a window prepares for a person. The list begins with what Playwright
# itself disables, since only the last of these flags counts.
_WITHOUT = (
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
    "SpareRendererForSitePerProcess",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
)
WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
# How long something may take to appear on a busy machine, in milliseconds; it is no limit on pages.
PATIENCE = 30_000

expect.set_options(timeout=PATIENCE)

_REPORT = pytest.StashKey[pytest.TestReport]()

NewContext = Callable[..., BrowserContext]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Store the result where fixtures find it: screenshots are taken of what failed."""
    report = yield
    if report.when == "call":
        item.stash[_REPORT] = report
    return report


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the system's Chromium, or of the one named by TRACKER_TEST_CHROMIUM."""
    named = os.environ.get("TRACKER_TEST_CHROMIUM")
    for name in (named,) if named else _NAMES:
        path = shutil.which(name)
        if path:
            return path
    wanted = f"TRACKER_TEST_CHROMIUM={named} is no program" if named else "No Chromium was found"
    pytest.fail(
        f"{wanted}. Type: sudo apt-get install chromium (make test does, as root),"
        " or set TRACKER_TEST_CHROMIUM to the path of one.",
        pytrace=False,
    )


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for all tests of a worker."""
    with sync_playwright() as playwright:
        flags = [*_FLAGS, f"--disable-features={','.join(_WITHOUT)}"]
        # Chromium refuses its sandbox to root.
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def clock_of_tests() -> None:
    """Replace the fixture of this name: here time is the system's, as for the server."""
    clock.use_source(clock.system_time)


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[Any]:
    """The starting point of each test of a file; most files replace it by another."""
    return PREPARED


class Running:
    """The application that this worker started last, and those it started before."""

    def __init__(self, new_folder: Callable[[], Path]) -> None:
        self._new_folder = new_folder
        self._started: list[Application] = []
        self._name = ""

    def on(self, point: StartingPoint[Any]) -> Application:
        """Return the application on a starting point; files on ones with the same keys share it."""
        if self._name == point.first.name:
            put_under(self._started[-1], point.data_dir)
            return self._started[-1]
        self._name = ""
        if self._started:
            # The next file doesn't wait until it has stopped.
            self._started[-1].ask_to_stop()
        folder = self._new_folder() / "data"
        shutil.copytree(point.data_dir, folder)
        # One process responds like two, and takes a third less time to start.
        self._started.append(Application(folder, workers="1").__enter__())
        self._name = point.first.name
        return self._started[-1]

    def stop(self) -> None:
        """Wait until all have stopped."""
        for application in self._started:
            application.stop()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Starts applications, and reuses the one that is running."""
    running = Running(lambda: tmp_path_factory.mktemp("live"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def application(starting_point: StartingPoint[Any], running: Running) -> Application:
    """The application, started once for a file of tests, or for several on one starting point."""
    return running.on(starting_point)


@pytest.fixture
def live(application: Application, starting_point: StartingPoint[Any]) -> Application:
    """The application on a fresh copy of the starting point."""
    put_under(application, starting_point.data_dir)
    return application


@pytest.fixture(scope="module")
def inside(application: Application) -> Iterator[Flask]:
    """The same application in this process: it knows addresses, codes and keys."""
    app = create_app(Settings.from_environment({"TRACKER_DATA_DIR": str(application.data_dir)}))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def state_of(inside: Flask) -> Callable[[str], Any]:
    """A function that returns a demonstration person's cookies just after signing in."""

    def find(key: str) -> Any:
        return signed_in(inside, demonstration.mark_of(inside, key))

    return find


# Slow files come first, so that no worker begins one when the other has finished.
_FIRST = (
    "test_joint_visit_journey.py",
    "test_agreement_journey.py",
    "test_nothing_typed_is_lost.py",
    "test_crawl.py",
    "test_signed_means_seen.py",
    "test_passkeys.py",
    "test_powers.py",
    "test_page_frame.py",
    "test_register_journey.py",
    "test_checking_a_document.py",
    "test_start.py",
)
# One worker takes all of these, almost half of the work. They share an application, and the other
# worker needs none but that of the demonstration: each start takes nine seconds of CPU.
_TOGETHER = _FIRST[:3]


class Scheduler(LoadFileScheduling):  # type: ignore[misc]  # the library is not typed
    """Gives each file to a free worker, and some files to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return "kept together" if file.rpartition("/")[2] in _TOGETHER else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduler | None:
    """Return the scheduler, unless --dist asks for another one."""
    return Scheduler(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of this folder into an order in which two workers finish together."""
    place = {name: number for number, name in enumerate(_FIRST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


class Watch:
    """Records what must not happen while pages are shown."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.faults: list[str] = []

    def follow(self, context: BrowserContext, *, bad_line: bool) -> None:
        context.on("console", self._console_on_a_bad_line if bad_line else self._console)
        context.on("weberror", lambda error: self._error(error.error))
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        # Refusals such as 404 and 422 are responses too; the tests check those themselves.
        if (
            message.type == "error"
            and "the server responded with a status of 4" not in message.text
        ):
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _console_on_a_bad_line(self, message: ConsoleMessage) -> None:
        if "Failed to load resource" not in message.text:
            self._console(message)

    def _error(self, error: Error) -> None:
        self.faults.append(f"script: {error.message}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.home + "/", "data:", "blob:")):
            self.faults.append(f"a request left the server: {request.url}")


@pytest.fixture
def new_context(
    browser: Browser, live: Application, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[NewContext]:
    """A function that opens a person's browser, for example with viewport=PHONE.

    It takes the arguments of Playwright's method of this name. Afterwards the test fails if a
    script failed, the Content-Security-Policy was violated, or a request went to another server or
    got no response; bad_line=True allows the last.
    """
    watch = Watch(live.url)
    contexts: list[BrowserContext] = []

    def make(*, bad_line: bool = False, **options: Any) -> BrowserContext:
        defaults = {"base_url": live.url, "viewport": WIDE, "locale": "en-GB", "timezone_id": "UTC"}
        context = browser.new_context(**{**defaults, **options})
        context.set_default_timeout(PATIENCE)
        watch.follow(context, bad_line=bad_line)
        contexts.append(context)
        return context

    yield make
    report = request.node.stash.get(_REPORT, None)
    if report is not None and report.failed:
        _take_pictures(contexts, tmp_path)
    for context in contexts:
        context.close()
    assert not watch.faults, "\n".join(watch.faults)


@pytest.fixture
def page(new_context: NewContext) -> Page:
    """A page on a wide screen with nobody signed in."""
    return new_context().new_page()


def _take_pictures(contexts: list[BrowserContext], folder: Path) -> None:
    for number, page in enumerate(page for context in contexts for page in context.pages):
        path = folder / f"failed-{number}.png"
        page.screenshot(path=path, full_page=True)
        print(f"picture of {page.url}: {path}")  # noqa: T201 -- pytest shows it with the failure
