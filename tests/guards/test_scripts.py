"""Scripts insert text as text, set no property by a name from outside, and handle no pasting."""

import re

import pytest

from tracker.core.paths import STATIC

# Markup from text, code from text, properties of every object, and what a page must not do to
# people who paste a password or open the application from another window.
FORBIDDEN = re.compile(
    r"\.(?:inner|outer)HTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser"
    r"|srcdoc|setHTMLUnsafe|\beval\(|\bnew Function\b|set(?:Timeout|Interval)\(\s*[\"'`]"
    r"|__proto__|\.prototype\s*[.\[]|Object\.(?:assign|defineProperty|setPrototypeOf)"
    r"|[\"']paste[\"']|\bonpaste\b|addEventListener\(\s*[\"']message[\"']|window\.onmessage\b"
)


def test_no_script_makes_markup_or_code_of_text_or_changes_what_all_objects_have() -> None:
    scripts = sorted(STATIC.rglob("*.js"))
    assert len(scripts) >= 4
    offending = [
        f"{script.name}:{number}: {line.strip()}"
        for script in scripts
        for number, line in enumerate(script.read_text().splitlines(), 1)
        if FORBIDDEN.search(line)
    ]
    assert offending == []


@pytest.mark.parametrize(
    "line",
    [
        "box.innerHTML = text;",
        "frame.srcdoc = text",
        "setTimeout('go()', 1)",
        "into.__proto__[name] = value",
        "Object.assign(settings, JSON.parse(text))",
        "field.addEventListener('paste', refuse)",
        'addEventListener("message", take)',
    ],
)
def test_each_way_is_seen(line: str) -> None:
    assert FORBIDDEN.search(line)
