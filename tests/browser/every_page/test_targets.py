"""The check of targets finds what is too small or too near, and lets a sentence's links be."""

import pytest
from playwright.sync_api import Browser

from tests.browser.every_page.targets import small_targets

PAGE = "<!doctype html><meta charset=utf-8><style>a { font: 15px/1.5 sans-serif }</style>"
ALL_AND_OURS = """<a href=/ style="display: block; height: 24px">All</a>
    <a href=/ style="display: block; height: 24px; margin-top: -8px">Ours</a>"""
NUMBERS = """<div style="display: flex; gap: {gap}px">
    <a href=/ style="width: 12px; height: 30px">1</a>
    <a href=/ style="width: 12px; height: 30px">2</a></div>"""


@pytest.mark.parametrize(
    ("html", "faults"),
    [
        ("<ul><li><a href=/>History</a></ul>", ["History: too low"]),
        ("<ul><li><a href=/ style='padding-block: 4px'>History</a></ul>", []),
        ("<p>Read <a href=/>the guidance</a> before you sign.", []),
        ("<button style='height: 20px; padding: 0'>Save</button>", ["Save: too low"]),
        ("<button style='position: absolute; clip-path: inset(50%)' class=vh>Save</button>", []),
        (ALL_AND_OURS, ["All: too near Ours", "Ours: too near All"]),
        (NUMBERS.format(gap=0), ["1: too near 2", "2: too near 1"]),
        (NUMBERS.format(gap=12), []),
    ],
)
def test_small_and_crowded_targets_are_reported(
    browser: Browser, html: str, faults: list[str]
) -> None:
    page = browser.new_page()
    page.set_content(PAGE + html)
    assert [fault.partition("wide: ")[2] for fault in small_targets(page)] == faults
    page.close()
