"""The demonstration as a newcomer has it: its people signed in by the form, the pages they see."""

import fcntl
import re
from collections import deque
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from flask import Flask
from playwright.sync_api import Browser, expect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from tests.servers.application import Application
from tracker.accounts import second_factor
from tracker.core.db import db
from tracker.demo import people
from tracker.demo.people import PEOPLE

# The pages from which most others are reached, which look different to each person.
HUBS = {
    "checklists.show",
    "dashboard.cooperation",
    "dashboard.my_work",
    "undertakings.show",
    "visits.show",
}
FEW, HUB = 2, 5
# The demonstration is made before the first page is served.
PATIENCE = 240.0
_HREF = re.compile(r'<a [^>]*?href="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who looks around: what their browser keeps, and the pages that they see first."""

    key: str
    state: Any
    addresses: dict[str, str]


def load_once(root: Path) -> Path:
    """Return a data directory with the demonstration, made by whichever worker comes first."""
    folder = root / "demonstration"
    with (root / "demonstration.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            made = root / "demonstration-in-the-making"
            with Application(made, patience=PATIENCE, demo="1"):
                pass
            made.rename(folder)
    return folder


def code_of(app: Flask, key: str) -> str:
    """Return the code that the telephone of a person of the demonstration shows now."""
    with app.app_context():
        user = people.find(key)
        assert user is not None
        code = second_factor.current_code(user).code
        db.session.remove()
    return code


def sign_in(browser: Browser, live: Application, key: str, code: str) -> Any:
    """Sign a person of the demonstration in by the form; return what the browser keeps of it."""
    password = (live.data_dir / "demonstration-password.txt").read_text().strip()
    context = browser.new_context(base_url=live.url)
    page = context.new_page()
    page.goto("/sign-in")
    page.get_by_label("Email address").fill(next(one.email for one in PEOPLE if one.key == key))
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Six-digit code").fill(code)
    page.locator("main form button.button").first.click()
    expect(page.locator(".acting")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


def pages_of(
    browser: Browser, live: Application, urls: MapAdapter, state: Any, start: str
) -> dict[str, str]:
    """Follow links and return one address for each page (endpoint) that answers with HTML.

    Only few addresses of each page are opened, so that many rows cost no more than few.
    """
    context = browser.new_context(base_url=live.url, storage_state=state)
    found: dict[str, str] = {}
    opened: dict[str, int] = {}
    seen, queue = {start}, deque([start])
    while queue:
        address = queue.popleft()
        endpoint = _endpoint(urls, address)
        if endpoint is None or opened.get(endpoint, 0) >= (HUB if endpoint in HUBS else FEW):
            continue
        opened[endpoint] = opened.get(endpoint, 0) + 1
        response = context.request.get(address)
        assert response.status == 200, f"{address}: {response.status}"
        if not response.headers["content-type"].startswith("text/html"):
            continue
        found.setdefault(_endpoint(urls, response.url) or endpoint, address)
        for link in _HREF.findall(response.text()):
            full = urldefrag(urljoin(response.url, unescape(link)))[0]
            target = full.removeprefix(live.url)
            if full.startswith(f"{live.url}/") and target not in seen:
                seen.add(target)
                queue.append(target)
    context.close()
    return found


def _endpoint(urls: MapAdapter, address: str) -> str | None:
    try:
        return str(urls.match(urlsplit(address).path)[0])
    except HTTPException:
        return None
