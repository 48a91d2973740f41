"""The demonstration in a browser: signing its people in, and the pages they see."""

import re
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from tests import open_sessions
from tests.browser.instances import StartingPoint, opened, settle
from tests.effort import tries
from tests.servers.application import Application, ApplicationError
from tests.servers.ports import free_port
from tracker.accounts.factors import second_factor
from tracker.accounts.models import User
from tracker.core.db import db
from tracker.demo import people
from tracker.demo.people import PEOPLE
from tracker.evidence.certificates import service as certificates
from tracker.evidence.models import Certificate
from tracker.mail.models import MessageState, OutboxMessage

# The pages that lead to most others, which look different to each person.
HUBS = {
    "checklists.show",
    "dashboard.cooperation",
    "dashboard.my_work",
    "undertakings.show",
    "visits.show",
}
FEW, HUB = 2, tries(short=3, long=5)
# How long the first start may take on a busy machine, in seconds: it creates the demonstration.
PATIENCE = 240.0
_HREF = re.compile(r'<a [^>]*?href="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who looks around: their cookies, and the pages that they are the first to see."""

    key: str
    state: Any
    addresses: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server responded: the status, the number of the request, where it led, the text."""

    status: int
    request: str
    url: str
    text: str


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What could be seen of the first start with the demonstration, before anybody did anything."""

    url: str
    # What a visitor was shown.
    home: Answer
    # What the command check printed.
    checked: str
    # Requests that the web processes refused; the metrics before and after; what was logged.
    refused: tuple[Answer, ...]
    metrics: tuple[Answer, Answer]
    log: str
    # Why a second start at the same address stopped.
    second_start: str


def _get(url: str) -> Answer:
    try:
        answer = urllib.request.urlopen(url, timeout=PATIENCE)  # noqa: S310 -- own address
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        number = answer.headers.get("X-Request-Id", "")
        return Answer(answer.status, number, answer.url, answer.read().decode())


def _start_first(data_dir: Path) -> FirstStart:
    """Start for the first time as somebody who tries it, with two web processes; look around."""
    port = free_port()
    metrics = f"http://127.0.0.1:{port}/metrics"
    with Application(
        data_dir, patience=PATIENCE, demo="1", metrics_port=str(port), log_format="json"
    ) as application:
        home, checked, before = _get(application.url), application.command("check"), _get(metrics)
        refused = tuple(_get(f"{application.url}/metrics") for _ in range(8))
        after, log, second_start = _get(metrics), application.log(), "It started."
        try:
            application.command("run")
        except ApplicationError as error:
            second_start = str(error)
    return FirstStart(application.url, home, checked, refused, (before, after), log, second_start)


def _load(data_dir: Path) -> FirstStart:
    """Load it by a first start, and do what the worker would do next."""
    first_start = _start_first(data_dir)
    with opened(data_dir) as app:
        settle(app)
        assert db.session.scalar(sa.select(sa.func.count(Certificate.id)))
        assert not certificates.due()
        while _mails_to_send():
            db.session.remove()
            settle(app)
        open_sessions.begin_all()
        db.session.commit()
    return first_start


def _mails_to_send() -> int:
    waiting = OutboxMessage.state == MessageState.WAITING
    return db.session.scalar(sa.select(sa.func.count(OutboxMessage.id)).where(waiting)) or 0


# The demonstration, with its mails sent and its certificates made.
DEMONSTRATION = StartingPoint("demonstration", _load)


def code_of(app: Flask, key: str) -> str:
    """Return the code that the phone of a person of the demonstration shows now."""
    with app.app_context():
        code = second_factor.current_code(_user(key)).code
        db.session.remove()
    return code


def mark_of(app: Flask, key: str) -> str:
    """Return the id by which sessions know a person of the demonstration."""
    with app.app_context():
        mark = _user(key).fs_uniquifier
        db.session.remove()
    return mark


def _user(key: str) -> User:
    user = people.find(key)
    assert user is not None
    return user


def sign_in(page: Page, live: Application, inside: Flask, key: str) -> None:
    """Sign in a person of the demonstration on a page, with password and code."""
    give_password(page, live, key)
    page.get_by_label("Six-digit code").fill(code_of(inside, key))
    page.locator("main form button.button").first.click()
    expect(page.locator(".acting")).to_be_visible()


def give_password(page: Page, live: Application, key: str) -> None:
    """Sign in a person of the demonstration as far as the page that asks for the code."""
    password = (live.data_dir / "demonstration-password.txt").read_text().strip()
    page.goto("/sign-in")
    page.get_by_label("Email address").fill(
        next(person.email for person in PEOPLE if person.key == key)
    )
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter your code")


def pages_of(
    browser: Browser,
    live: Application,
    urls: MapAdapter,
    state: Any,
    start: str,
    *,
    few: int = FEW,
    hub: int = HUB,
    left_out: Collection[str] = (),
) -> dict[str, str]:
    """Follow links and return one address for each page (endpoint) that responds with HTML.

    Only a few addresses of each page are opened, so that many rows cost no more than a few; of the
    pages that lead to most others, as many as hub says. Pages to leave out are opened only if they
    are among the latter.
    """
    context = browser.new_context(base_url=live.url, storage_state=state)
    addresses: dict[str, str] = {}
    opened: dict[str, int] = {}
    seen, queue = {start}, deque([start])
    while queue:
        address = queue.popleft()
        endpoint = _endpoint(urls, address)
        most = hub if endpoint in HUBS else 0 if endpoint in left_out else few
        if endpoint is None or opened.get(endpoint, 0) >= most:
            continue
        opened[endpoint] = opened.get(endpoint, 0) + 1
        response = context.request.get(address)
        assert response.status == 200, f"{address}: {response.status}"
        if not response.headers["content-type"].startswith("text/html"):
            continue
        addresses.setdefault(_endpoint(urls, response.url) or endpoint, address)
        for link in _HREF.findall(response.text()):
            full = urldefrag(urljoin(response.url, unescape(link)))[0]
            target = full.removeprefix(live.url)
            if full.startswith(f"{live.url}/") and target not in seen:
                seen.add(target)
                queue.append(target)
    context.close()
    return addresses


def _endpoint(urls: MapAdapter, address: str) -> str | None:
    try:
        return str(urls.match(urlsplit(address).path)[0])
    except HTTPException:
        return None
