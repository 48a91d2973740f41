"""Follows every link as a person would, from the first page or from others."""

import re
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.pages import Form, Page

ITEM = re.compile(r"/checklists/([0-9a-f-]{36})/items/[A-Z](\d+)/")
LIST = re.compile(r"/checklists/([0-9a-f-]{36})(?:/comments|/items/[A-Z]\d+/comments)?")
_HREF = re.compile(r'<a [^>]*?href="([^"]+)"')


@dataclass(frozen=True)
class Selection:
    """Which of many similar pages are opened: of items, and of filtered lists."""

    # Ids of checklists whose lists of items and comments are opened with each filter.
    filtered: frozenset[str]
    # In these checklists, the items whose number ends in the digit are opened.
    watched: frozenset[str]
    watched_digit: int
    # In all checklists, the items whose number ends in this one are opened.
    digit: int | None = None
    # Whether the library is opened with each filter, and each article.
    library: bool = True
    # If any are named, only the pages of these checklists.
    within: frozenset[str] = frozenset()

    def has_item(self, checklist_id: str, number: int) -> bool:
        """Return whether the pages of an item are opened."""
        last = number % 10
        return last == self.digit or (last == self.watched_digit and checklist_id in self.watched)


@dataclass
class Found:
    """What a crawl found: each address with the page that led there, texts, foreign links."""

    addresses: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def bad(self) -> list[str]:
        """Return all problems: links that don't open, and what the client found on pages."""
        return self.faults + [
            f"{address} ({status}), linked from {self.addresses[address]}"
            for address, status in self.statuses.items()
            if status not in {200, 302, 303}
        ]


def crawl(
    client: CheckedClient,
    *,
    selection: Selection,
    starts: Collection[str] = ("/",),
    read: bool = True,
    look: Callable[[str, Page], None] | None = None,
) -> Found:
    """Follow every link and every form that only reads; the client checks each response.

    read=False skips checking the pages, if another walk checks the same ones. look is called with
    the address of each page and the page.
    """
    walked = Found(addresses=dict.fromkeys(starts, "nowhere"))
    queue = deque(starts)
    while queue:
        address = queue.popleft()
        try:
            response = client.open(address, read=read)
        except AssertionError as fault:
            walked.faults.append(str(fault))
            continue
        walked.statuses[address] = response.status_code
        if response.status_code in {302, 303}:
            links = [response.location]
        elif response.mimetype == "text/html":
            walked.texts[address] = text = response.get_data(as_text=True)
            links = _links(response, text)
            if look is not None:
                look(address, Page.of(response))
        else:
            # One character per byte: files need not be text, and none may be skipped.
            walked.texts[address] = response.get_data().decode("latin-1")
            continue
        for link in links:
            target = _target(address, link, walked)
            if target and target not in walked.addresses and _wanted(address, target, selection):
                walked.addresses[target] = address
                queue.append(target)
    return walked


def _links(response: TestResponse, text: str) -> list[str]:
    """Return where a page leads, by links and by forms that only read."""
    links = [unescape(link) for link in _HREF.findall(text)]
    return links + (_reading_forms(Page.of(response)) if 'method="get"' in text else [])


def _reading_forms(page: Page) -> list[str]:
    forms = (Form(element) for element in page.root.iter("form"))
    return [
        f"{form.action or page.where}?{urlencode(form.filled_in(), doseq=True)}"
        for form in forms
        if form.method == "get"
    ]


def _target(address: str, link: str, walked: Found) -> str | None:
    """Return where a link leads inside the application, or None; record it if it leads outside."""
    full = urlsplit(urldefrag(urljoin(f"http://localhost{address}", link))[0])
    if full.scheme in {"http", "https"} and full.netloc == "localhost":
        return f"{full.path}?{full.query}" if full.query else full.path
    walked.foreign.add(link)
    return None


def _wanted(address: str, target: str, selection: Selection) -> bool:
    """Skip filters on top of filters, and items and filters that are not selected."""
    here, destination = urlsplit(address), urlsplit(target)
    if not selection.library and destination.path.startswith("/guidance") and target != "/guidance":
        return False
    if selection.within and not any(
        part in selection.within for part in destination.path.split("/")
    ):
        return False
    if destination.query and here.query and here.path == destination.path:
        return False
    filters = LIST.fullmatch(destination.path) if destination.query else None
    if filters is not None and filters[1] not in selection.filtered:
        return False
    item = ITEM.match(destination.path)
    return item is None or selection.has_item(item[1], int(item[2]))
