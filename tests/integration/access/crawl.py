"""Follows every link as a person would, from the first page or from others."""

import re
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.pages import Form, Page

ITEM = re.compile(r"/checklists/([0-9a-f-]{36})/items/[A-Z](\d+)/")
LIST = re.compile(r"/checklists/([0-9a-f-]{36})(?:/comments|/items/[A-Z]\d+/comments)?")
# Pages on which administrators edit an item of a checklist, or a passage of an article.
_EDITED_ITEM = re.compile(r"/administration/checklists/.*/items/([A-Z]\d+)(?:/|$)")
_PASSAGE = re.compile(r"(/administration/guidance/)[^/]+(/.*passages/)[^/]+")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")
_REFERENCE = re.compile(r"/C-\d{4}-\d+(?=/|$)")
_TOPIC = re.compile(r"(?<=topic=)[^&]+")
# The second passage can be moved up, the first can't.
_PASSAGES_OPENED = 2
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
    # If given, links that differ only in what they are about are opened once, except those about
    # something in it. Such links lead to lists with a filter, and to passages of articles.
    always: frozenset[str] | None = None
    # The kind of each checklist, by its id: pages of different kinds are not alike.
    kinds: Mapping[str, str] = field(default_factory=dict)
    # If any are named, the items that administrators edit, by their codes.
    edited: frozenset[str] = frozenset()

    def has_item(self, checklist_id: str, number: int) -> bool:
        """Return whether the pages of an item are opened."""
        last = number % 10
        return last == self.digit or (last == self.watched_digit and checklist_id in self.watched)

    def has_enough(self, target: str, opened: Counter[str]) -> bool:
        """Return whether enough links like this one were opened; otherwise count it."""
        path, _, query = target.partition("?")
        is_passage = _PASSAGE.match(path) is not None
        if self.always is None or not (query or is_passage):
            return False
        if not self.always.isdisjoint(path.split("/")):
            return False
        alike = _ID.sub(lambda id_: self.kinds.get(id_[0], "id"), target)
        alike = _TOPIC.sub("", _PASSAGE.sub(r"\1\2", _REFERENCE.sub("", alike)))
        opened[alike] += 1
        return opened[alike] > (_PASSAGES_OPENED if is_passage else 1)


@dataclass
class Found:
    """What a crawl found: each address with the page that led there, texts, foreign links."""

    addresses: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    # Links that were not followed, since others like them were.
    passed_over: set[str] = field(default_factory=set)
    alike: Counter[str] = field(default_factory=Counter)

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
        queue.extend(_to_open(address, links, walked, selection))
    return walked


def _to_open(
    address: str, links: Collection[str], walked: Found, selection: Selection
) -> Iterator[str]:
    """Yield where links lead that are still to be opened, and record from which page."""
    for link in links:
        target = _target(address, link, walked)
        if not target or target in walked.addresses or target in walked.passed_over:
            continue
        if not _wanted(address, target, selection):
            continue
        if selection.has_enough(target, walked.alike):
            walked.passed_over.add(target)
            continue
        walked.addresses[target] = address
        yield target


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
    edited = _EDITED_ITEM.match(destination.path)
    if edited is not None and selection.edited and edited[1] not in selection.edited:
        return False
    item = ITEM.match(destination.path)
    return item is None or selection.has_item(item[1], int(item[2]))
