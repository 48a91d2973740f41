"""Counts what people do in their browsers: fields filled in, clicks, pages, and how long pages are.

Counted in the browser, in the storage of each tab, so that nothing is lost between two pages. A
field counts once its form is sent, if its value differs from what the page had; a radio group is
one field. A click is one on a link, a button or a summary; a page that a test opens by its address
counts as one too, since a person follows a link to it.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Page

_COUNT = """(() => {
  if (window.top !== window || !location.protocol.startsWith("http")) return;
  const add = (name, number) => sessionStorage.setItem(
    `count-${name}`, Number(sessionStorage.getItem(`count-${name}`) ?? 0) + number);
  add("pages", 1);
  if (!sessionStorage.getItem("count-led")) add("clicks", 1);
  sessionStorage.removeItem("count-led");
  const differs = control => {
    if (control.type === "hidden" || control.matches("button, fieldset, output")) return false;
    if (control.type === "radio") return control.checked && !control.defaultChecked;
    if (control.type === "checkbox") return control.checked !== control.defaultChecked;
    if (control.options) {
      const first = [...control.options].find(one => one.defaultSelected) ?? control.options[0];
      return control.value !== (first?.value ?? "");
    }
    return control.value !== control.defaultValue;
  };
  addEventListener("click", event => {
    if (!event.target.closest?.("a, button, summary")) return;
    add("clicks", 1);
    sessionStorage.setItem("count-led", "1");
  }, true);
  addEventListener("submit", event => {
    add("fields", [...event.target.elements].filter(differs).length);
  }, true);
  addEventListener("load", () => {
    const heights = JSON.parse(sessionStorage.getItem("count-heights") ?? "{}");
    const kind = location.pathname.replace(/[0-9a-f-]{36}/g, "ID").replace(/[A-Z]+-[0-9-]+/g, "REF")
      .replace(/\\/(items)\\/[A-Z][0-9]+/, "/$1/CODE");
    heights[kind] = Math.max(heights[kind] ?? 0, document.documentElement.scrollHeight);
    sessionStorage.setItem("count-heights", JSON.stringify(heights));
  });
})()"""
_READ = """() => {
  const number = name => Number(sessionStorage.getItem(`count-${name}`) ?? 0);
  const heights = JSON.parse(sessionStorage.getItem("count-heights") ?? "{}");
  return JSON.stringify([number("fields"), number("clicks"), number("pages"), heights]);
}"""
_FORGET = """() => Object.keys(sessionStorage)
  .filter(name => name.startsWith("count-") && name !== "count-led")
  .forEach(name => sessionStorage.removeItem(name))"""


@dataclass
class Effort:
    """What one person did."""

    fields: int = 0
    clicks: int = 0
    pages: int = 0
    # The height of the longest page of each kind, in pixels.
    heights: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: "Effort") -> "Effort":
        heights = {
            kind: max(self.heights.get(kind, 0), other.heights.get(kind, 0))
            for kind in {*self.heights, *other.heights}
        }
        return Effort(
            self.fields + other.fields,
            self.clicks + other.clicks,
            self.pages + other.pages,
            heights,
        )


@dataclass
class Journey:
    """What each person did for one purpose, by name."""

    name: str
    by_person: dict[str, Effort] = field(default_factory=dict)

    @property
    def together(self) -> Effort:
        """What all of them did."""
        return sum(self.by_person.values(), Effort())

    def lines(self, highest: int = 5) -> Iterator[str]:
        """Yield a table as text: all, each person, and the longest pages."""
        total = self.together
        yield f"{self.name}: {total.fields} fields, {total.clicks} clicks, {total.pages} pages"
        for name, effort in self.by_person.items():
            if effort.pages:
                yield f"  {name:<10} {effort.fields:>4} {effort.clicks:>4} {effort.pages:>4}"
        longest = sorted(total.heights.items(), key=lambda pair: -pair[1])[:highest]
        for kind, height in longest:
            yield f"  {height:>6} px  {kind}"


def watch(page: Page) -> Page:
    """Count on every page that is opened in a tab from now on."""
    page.add_init_script(_COUNT)
    return page


@contextmanager
def measured(name: str, people: Iterable[tuple[str, Page]]) -> Iterator[Journey]:
    """Yield a journey that is filled in once it has ended; people are names with their tabs."""
    tabs, journey = list(people), Journey(name)
    for _name, page in tabs:
        if page.url.startswith("http"):
            page.evaluate(_FORGET)
    yield journey
    journey.by_person = _counted(tabs)


def so_far(name: str, people: Iterable[tuple[str, Page]]) -> Journey:
    """Return a journey of all that was done in the tabs of people since they were opened."""
    return Journey(name, _counted(people))


def _counted(people: Iterable[tuple[str, Page]]) -> dict[str, Effort]:
    return {
        person: Effort(*json.loads(page.evaluate(_READ)))
        for person, page in people
        if page.url.startswith("http")
    }
