"""Answers any item of a checklist on its page, as somebody would who has all the facts at hand."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

FAR = dt.timedelta(days=400)


@dataclass
class Facts:
    """What this person would choose: by item, the words of the wanted answer for some labels."""

    wanted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    today: dt.date = field(default_factory=dt.date.today)

    def for_item(self, code: str) -> Mapping[str, str]:
        """Return the wished answers of an item."""
        return self.wanted.get(code, {})


def answer(page: Page, code: str, facts: Facts) -> None:
    """Fill in the form on the page and save it; every control gets a fitting value."""
    wanted = facts.for_item(code)
    form = page.locator("main form:has(button:text-is('Save answer'))")
    _rows_for(form, wanted)
    _confirm_all(form)
    _choose_all(form, wanted)
    _select_all(form, wanted)
    _write_all(form, wanted, facts)
    form.get_by_role("button", name="Save answer").click()
    expect(page.locator(".error-summary")).to_have_count(0)


def _rows_for(form: Locator, wanted: Mapping[str, str]) -> None:
    """Add as many rows as wanted to each table that may grow: {"rows": "3"}."""
    rows = int(wanted.get("rows", "1"))
    for table in form.locator("fieldset.rows").all():
        add = table.get_by_role("button", name="Add a row")
        while add.count() and table.locator("tbody > tr").count() < rows:
            before = table.locator("tbody > tr").count()
            add.click()
            expect(table.locator("tbody > tr")).to_have_count(before + 1)


def _confirm_all(form: Locator) -> None:
    for box in form.locator("input[type=checkbox]").all():
        if box.is_visible() and box.get_attribute("value") in {None, "y"}:
            box.check()


def _choose_all(form: Locator, wanted: Mapping[str, str]) -> None:
    seen: set[str] = set()
    for radio in form.locator("input[type=radio], input[type=checkbox]").all():
        name = radio.get_attribute("name") or ""
        value = radio.get_attribute("value") or ""
        if value == "y" or name in seen:
            continue
        if name in wanted:
            if value == wanted[name] or value in wanted[name].split(","):
                radio.check()
        else:
            radio.check()
            seen.add(name)


def _select_all(form: Locator, wanted: Mapping[str, str]) -> None:
    for select in form.locator("select").all():
        name = select.get_attribute("name") or ""
        options = [
            (one.get_attribute("value") or "", (one.text_content() or "").strip())
            for one in select.locator("option").all()
        ]
        options = [(value, label) for value, label in options if value]
        column = name.rsplit("-", 1)[-1]
        row = name.split("-")[1] if name.count("-") > 1 else "0"
        wish = wanted.get(name) or wanted.get(f"{column}@{row}") or wanted.get(column)
        chosen = next(
            (value for value, label in options if wish and (wish in label or wish == value)),
            options[0][0] if options else "",
        )
        select.select_option(chosen)


def _write_all(form: Locator, wanted: Mapping[str, str], facts: Facts) -> None:
    number = 0
    for control in form.locator(
        "textarea, input:not([type=hidden]):not([type=radio]):not([type=checkbox])"
    ).all():
        if not control.is_visible():
            continue
        name = control.get_attribute("name") or ""
        column = name.rsplit("-", 1)[-1]
        kind = control.get_attribute("type") or "text"
        number += 1
        if name in wanted or column in wanted:
            value = wanted.get(name) or wanted[column]
        elif kind == "date":
            value = (facts.today + FAR + dt.timedelta(days=number)).isoformat()
        elif kind == "time":
            value = "18:00"
        elif kind == "tel":
            value = "+000 555 010"
        elif control.get_attribute("inputmode") == "numeric":
            value = "7"
        else:
            value = f"As settled between us, point {number}"
        control.fill(value)
