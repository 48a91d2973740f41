"""Following every link as a person would, from the first page on."""

import re
from collections import deque
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException

from tests.client import CheckedClient
from tests.pages import Form, Page

ITEM = re.compile(r"/checklists/[0-9a-f-]{36}/items/([A-Z])(\d+)/")
# Pages from which most others are reached: more of them are opened than of others.
HUBS = {
    "checklists.show",
    "dashboard.cooperation",
    "history.all_revisions",
    "undertakings.listed",
    "undertakings.mine",
}
FEW, MANY = 3, 9
_HREF = re.compile(r'<a [^>]*?href="([^"]+)"')


@dataclass
class Found:
    """What a crawl came by: each address with the page that led there, texts, foreign links."""

    addresses: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def bad(self) -> list[str]:
        """Return what was wrong: links that don't open, and what the client found on pages."""
        return self.faults + [
            f"{address} ({status}), linked from {self.addresses[address]}"
            for address, status in self.statuses.items()
            if status not in {200, 302, 303}
        ]


def crawl(
    client: CheckedClient, *, share: int, shares: int, start: str = "/", read: bool = True
) -> Found:
    """Follow every link and every form that only reads; each answer is looked at by the client.

    read=False leaves the pages unread, where another test reads the same ones.

    The pages of single items are many and alike: of them only the given share is opened, so that
    people who follow different shares open them all together.
    """
    found = Found(addresses={start: "nowhere"})
    queue = deque([start])
    while queue:
        address = queue.popleft()
        try:
            response = client.open(address, read=read)
        except AssertionError as fault:
            found.faults.append(str(fault))
            continue
        found.statuses[address] = response.status_code
        if response.status_code in {302, 303}:
            links = [response.location]
        elif response.mimetype == "text/html":
            text = found.texts[address] = response.get_data(as_text=True)
            links = [unescape(link) for link in _HREF.findall(text)]
            if 'method="get"' in text:
                links += _reading_forms(Page.of(response))
        else:
            # A byte a letter: files need not be text, and none of them goes unseen.
            found.texts[address] = response.get_data().decode("latin-1")
            continue
        for link in links:
            target = _target(address, link, found)
            if target and target not in found.addresses and _wanted(address, target, share, shares):
                found.addresses[target] = address
                queue.append(target)
    return found


def reachable(app: Flask, client: CheckedClient, start: str = "/") -> set[str]:
    """Return the pages (endpoints) that links lead to, opening only a few addresses of each."""
    urls = app.url_map.bind("localhost")
    opened: dict[str, int] = {}
    seen, queue = {start}, deque([start])
    while queue:
        address = queue.popleft()
        try:
            endpoint = str(urls.match(urlsplit(address).path)[0])
        except HTTPException:
            continue
        if opened.get(endpoint, 0) >= (MANY if endpoint in HUBS else FEW):
            continue
        opened[endpoint] = opened.get(endpoint, 0) + 1
        response = client.open(address, read=False)
        text = response.get_data(as_text=True) if response.mimetype == "text/html" else ""
        links = [unescape(link) for link in _HREF.findall(text)]
        for link in [*links, *([response.location] if response.location else [])]:
            target = _target(address, link, Found())
            if target and target not in seen:
                seen.add(target)
                queue.append(target)
    return set(opened)


def _reading_forms(page: Page) -> list[str]:
    forms = (Form(element) for element in page.root.iter("form"))
    return [
        f"{form.action or page.where}?{urlencode(form.filled_in(), doseq=True)}"
        for form in forms
        if form.method == "get"
    ]


def _target(address: str, link: str, found: Found) -> str | None:
    """Return where a link leads inside the application, or None; note it when it leads out."""
    full = urlsplit(urldefrag(urljoin(f"http://localhost{address}", link))[0])
    if full.scheme in {"http", "https"} and full.netloc == "localhost":
        return f"{full.path}?{full.query}" if full.query else full.path
    found.foreign.add(link)
    return None


def _wanted(address: str, target: str, share: int, shares: int) -> bool:
    """Leave out choices on top of choices, and the items of other shares."""
    here, there = urlsplit(address), urlsplit(target)
    if there.query and here.query and here.path == there.path:
        return False
    item = ITEM.match(there.path)
    return item is None or int(item[2]) % shares == share % shares
