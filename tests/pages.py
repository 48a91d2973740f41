"""Checks for every page, and reading a page as a person would: by heading, links and forms."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Self
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from markupever import HtmlOptions, Parser, dom
from markupever.dom import TreeDom
from werkzeug.test import TestResponse

# Attributes that point at the id of something on the same page.
_POINTERS = frozenset(
    {
        "for",
        "aria-controls",
        "aria-describedby",
        "aria-details",
        "aria-errormessage",
        "aria-labelledby",
        "aria-owns",
        "form",
        "headers",
        "list",
    }
)
# Elements that are landmarks once they have a name, and their roles.
_LANDMARKS = {
    "section": "region",
    "nav": "navigation",
    "aside": "complementary",
    "form": "form",
    "search": "search",
}
_LANDMARK_ROLES = frozenset(_LANDMARKS.values())
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_NOT_FILLED_IN = {"submit", "button", "reset", "image", "file"}


_OPTIONS = HtmlOptions(exact_errors=True, drop_doctype=True)
# Left out, so that elements have their plain names.
_HTML = "http://www.w3.org/1999/xhtml"
_NAMESPACE = f' xmlns="{_HTML}"'

# The attribute of a response that contains its parsed page.
_PAGE = "parsed_page"
# The first errors show what is wrong; the others follow from them.
MOST_ERRORS = 3


# The CSRF token, tokens of whoever opened a page to write, and the choice of an upcoming visit.
_REQUEST_NUMBER = re.compile(r'(give them the number <bdi class="code">)[^<]+')
_TOKEN = re.compile(r'(name="(?:csrf_token|draft_page|page_token|visit_id)"[^>]*? value=")[^"]+')


class PageError(AssertionError):
    """A page breaks a rule for every page; the message lists which."""


class Page:
    """An HTML response, parsed strictly."""

    def __init__(self, html: str, where: str) -> None:
        self.where = where
        self.html = html
        parser = Parser(_OPTIONS)
        parser.process(html)
        parser.finish()
        if parser.errors():
            message = f"{where}: not valid HTML: {'; '.join(parser.errors()[:MOST_ERRORS])}"
            raise PageError(message)
        self.root = _tree(parser.into_dom())

    @classmethod
    def of(cls, response: TestResponse) -> Self:
        """Return the page of a response, which is parsed once: nobody changes a page."""
        page: object = vars(response).get(_PAGE)
        if not isinstance(page, cls):
            page = cls(response.get_data(as_text=True), response.request.path)
            vars(response)[_PAGE] = page
        return page

    @property
    def h1(self) -> str:
        """The text of the heading."""
        return _words(self._only_element("h1"))

    @property
    def title(self) -> str:
        """The text of the title."""
        return _words(self._only_element("title"))

    @property
    def text(self) -> str:
        """All readable text, with single spaces."""
        return _words(self._only_element("body"))

    @property
    def only_on_paper(self) -> str:
        """The text that only the printed page has."""
        return " ".join(
            _words(part)
            for part in self.root.iter()
            if "only-print" in part.attrib.get("class", "").split()
        )

    def links(self) -> dict[str, str]:
        """Return each link's text and target; of links with the same text, the first."""
        addresses: dict[str, str] = {}
        for link in self.root.iter("a"):
            if "href" in link.attrib:
                addresses.setdefault(_words(link), link.attrib["href"])
        return addresses

    def addresses(self) -> list[str]:
        """Return the targets of the links, each once, in the order of the page."""
        return list(
            dict.fromkeys(a.attrib["href"] for a in self.root.iter("a") if "href" in a.attrib)
        )

    def buttons(self) -> list[str]:
        """Return the text of each button, in the order of the page."""
        return [_words(button) for button in self.root.iter("button")]

    def stages(self) -> list[tuple[str, str, bool]]:
        """Return the stages of the stage line: name, class, whether it is the current one."""
        (line,) = [row for row in self.root.iter("ol") if row.attrib.get("class") == "stages"]
        return [
            (
                (row.text or "").strip(),
                row.attrib.get("class", ""),
                row.attrib.get("aria-current") == "step",
            )
            for row in line.iter("li")
        ]

    def form(self, action: str | None = None) -> "Form":
        """Return the form with this action, or the only form in the main part."""
        forms = self.forms(action)
        if len(forms) != 1:
            message = f"{self.where}: {len(forms)} forms{f' for {action}' if action else ''}"
            raise PageError(message)
        return forms[0]

    def forms(self, action: str | None = None) -> "list[Form]":
        """Return the main part's forms: those with this action, or all that are posted."""
        forms = [Form(form) for form in self._only_element("main").iter("form")]
        if action is None:
            return [form for form in forms if form.method == "post"]
        return [form for form in forms if form.action.split("?")[0] == action]

    def check(self) -> None:
        """Raise PageError unless the page follows the rules for every page."""
        elements = list(self.root.iter())
        faults = [
            *self._heading_faults(),
            *_landmark_faults(elements),
            *_level_faults(elements),
            *_id_faults(elements),
            *_inline_faults(elements),
        ]
        if faults:
            message = f"{self.where}: " + "; ".join(faults)
            raise PageError(message)

    def _only_element(self, tag: str) -> Element:
        elements = list(self.root.iter(tag))
        if len(elements) != 1:
            message = f"{self.where}: {len(elements)} elements {tag}, not one"
            raise PageError(message)
        return elements[0]

    def _heading_faults(self) -> Iterator[str]:
        if not self.root.attrib.get("lang"):
            yield "the page does not say its language"
        headings = [_words(h1) for h1 in self.root.iter("h1")]
        if len(headings) != 1:
            yield f"{len(headings)} headings h1, not one"
            return
        if not headings[0]:
            yield "the h1 is empty"
        if not self.title.startswith((headings[0], f"Problem: {headings[0]}")):
            yield f"the title {self.title!r} does not begin with the h1 {headings[0]!r}"


def _landmark_faults(elements: list[Element]) -> Iterator[str]:
    """Yield names that several landmarks of the same kind have: nobody can tell them apart."""
    labels = {row.attrib["id"]: row for row in elements if "id" in row.attrib}
    names: Counter[tuple[str, str]] = Counter()
    for element in elements:
        role = element.attrib.get("role") or _LANDMARKS.get(element.tag, "")
        if role not in _LANDMARK_ROLES:
            continue
        ids = element.attrib.get("aria-labelledby", "").split()
        name = element.attrib.get("aria-label") or " ".join(
            _words(labels[label]) if label in labels else "" for label in ids
        )
        if name:
            names[role, name] += 1
    for (role, name), count in names.items():
        if count > 1:
            yield f"{count} landmarks ({role}) are named {name!r}"


def _level_faults(elements: list[Element]) -> Iterator[str]:
    """Yield headings that skip a level; the summary of problems stands before the h1."""
    last = 1
    for element in elements:
        if element.tag in _HEADINGS:
            level = int(element.tag[1])
            if level > last + 1:
                yield f"the heading {_words(element)!r} (h{level}) follows an h{last}"
            last = level


def _id_faults(elements: list[Element]) -> Iterator[str]:
    ids = Counter(e.attrib["id"] for e in elements if "id" in e.attrib)
    for name, times in ids.items():
        if times > 1:
            yield f"the id {name!r} stands {times} times"
    for element in elements:
        for attribute, value in element.attrib.items():
            if attribute in _POINTERS or attribute == "href":
                for name in _names_of_ids(attribute, value):
                    if name not in ids:
                        yield f"{attribute}={name!r} points at nothing"


def _inline_faults(elements: list[Element]) -> Iterator[str]:
    for element in elements:
        if element.tag == "style":
            yield "a style element"
        if element.tag == "script" and (element.text or "").strip():
            yield "an inline script"
        for name, value in element.attrib.items():
            if name == "style":
                yield f"a style attribute: {value!r}"
            if name.startswith("on"):
                yield f"an inline handler: {name}"
            # Most values have no colon.
            if ":" in value and value.lstrip()[:11].lower() == "javascript:":
                yield f"a script in {name}"


def _names_of_ids(attribute: str, value: str) -> list[str]:
    """Return the ids that an attribute refers to."""
    if attribute in _POINTERS:
        return value.split()
    if attribute == "href" and value.startswith("#") and value != "#":
        return [value[1:]]
    return []


class Form:
    """A form with its current values, as a browser would send it."""

    def __init__(self, element: Element) -> None:
        self.action = element.attrib.get("action", "")
        self.method = element.attrib.get("method", "get").lower()
        self.names: set[str] = set()
        self.values: dict[str, list[str]] = {}
        for control in element.iter():
            name = control.attrib.get("name")
            if name and "disabled" not in control.attrib:
                self._read(name, control)

    def filled_in(self, **values: object) -> dict[str, list[str]]:
        """Return what is sent once these fields are filled in; the form must have each."""
        unknown = sorted(set(values) - self.names)
        if unknown:
            message = f"The form has no field {', '.join(unknown)}; it has {sorted(self.names)}"
            raise PageError(message)
        sent = {name: list(values) for name, values in self.values.items()}
        for name, value in values.items():
            if value is None or value is False:
                sent.pop(name, None)
            elif isinstance(value, list | tuple):
                sent[name] = [str(part) for part in value]
            else:
                sent[name] = [str(value)]
        return sent

    def _read(self, name: str, control: Element) -> None:
        kind = control.attrib.get("type", "text").lower()
        if control.tag == "textarea":
            self._hold(name, re.sub(r"\A\r?\n", "", control.text or ""))
        elif control.tag == "select":
            self._read_select(name, control)
        elif control.tag == "input" and kind in {"checkbox", "radio"}:
            self.names.add(name)
            if "checked" in control.attrib:
                self._hold(name, control.attrib.get("value", "on"))
        elif control.tag == "input" and kind not in _NOT_FILLED_IN:
            self._hold(name, control.attrib.get("value", ""))
        elif control.tag in {"input", "button"}:
            self.names.add(name)

    def _read_select(self, name: str, control: Element) -> None:
        self.names.add(name)
        options = list(control.iter("option"))
        chosen = [option for option in options if "selected" in option.attrib]
        if not chosen and "multiple" not in control.attrib:
            chosen = options[:1]
        for option in chosen:
            self._hold(name, option.attrib.get("value", _words(option)))

    def _hold(self, name: str, value: str) -> None:
        self.names.add(name)
        self.values.setdefault(name, []).append(value)


def _tree(document: TreeDom) -> Element:
    """Return a document as elements of the standard library."""
    xml = document.serialize(is_html=False).replace(_NAMESPACE, "")
    try:
        return ET.fromstring(xml)  # noqa: S314 -- it is our own
    except ET.ParseError:
        # HTML allows what XML doesn't, such as < in an attribute: convert it element by element.
        roots = document.root().children()
        return _element(next(root for root in roots if isinstance(root, dom.Element)))


def _element(node: dom.Element) -> Element:
    name = node.name
    element = Element(name.local if name.ns == _HTML else f"{{{name.ns}}}{name.local}")
    for key, value in node.attrs.items():
        element.set(key.local, value)
    last: Element | None = None
    for child in node.children():
        if isinstance(child, dom.Element):
            last = _element(child)
            element.append(last)
        elif isinstance(child, dom.Text):
            if last is None:
                element.text = (element.text or "") + child.content
            else:
                last.tail = (last.tail or "") + child.content
    return element


def without_tokens(html: str) -> str:
    """Return a page without what differs each time it is rendered."""
    return _REQUEST_NUMBER.sub(r"\1", _TOKEN.sub(r"\1", html))


def _words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())
