"""Answers any item of a checklist on its page, as somebody who knows all the facts would."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

from tracker.core import clock

FAR = dt.timedelta(days=400)
# The properties of each control, read from all in one call, since each call takes time; values are
# set in one call too, with the events that typing would fire.
DESCRIBE = """controls.map(one => ({
  name: one.name, value: one.value, kind: one.type, isNumeric: one.inputMode === "numeric",
  isShown: one.getClientRects().length > 0,
  options: [...(one.options ?? [])].map(option => [option.value, option.text.trim()]),
  isOpen: isOpen(one),
}))"""
# Whether a control is still to be decided: its text or its hint says so, or it is an empty cell of
# a row that says something else.
OPEN = """const isOpen = one => {
  const isMarked = words => /to decide/i.test(words ?? "");
  const isFilled = one => ["checkbox", "radio"].includes(one.type) ? one.checked : one.value;
  const hintOf = one => (one?.getAttribute("aria-describedby") ?? "").split(" ")
    .map(id => document.getElementById(id)?.textContent).join(" ");
  if (isMarked(one.value)) return true;
  const row = one.closest("tbody > tr");
  if (!row) return isMarked(hintOf(one)) || isMarked(hintOf(one.closest("fieldset")));
  const rest = [...row.querySelectorAll("input:not([type=hidden]), select, textarea")];
  const isBegun = rest.some(isFilled) || isMarked(hintOf(one.closest("fieldset")));
  return isBegun && !isFilled(one) && one.type !== "checkbox"
    && !one.labels?.[0]?.querySelector(".optional");
};"""

CHECK = """(controls, chosen) => controls.forEach((one, number) => {
  if (chosen[number] && !one.checked) one.click();
})"""
FILL = """(controls, values) => controls.forEach((one, number) => {
  if (values[number] === null) return;
  one.focus();
  one.value = values[number];
  if (one.value !== values[number]) throw new Error(`${one.name} takes no ${values[number]}`);
  one.dispatchEvent(new Event("input", { bubbles: true }));
  one.dispatchEvent(new Event("change", { bubbles: true }));
})"""


_FORM = "main form:has(button:text-is('Save answer'))"


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a form, and its properties."""

    name: str
    value: str
    kind: str
    is_numeric: bool
    is_shown: bool
    options: tuple[tuple[str, str], ...]
    # Whether it is still to be decided.
    is_open: bool

    @property
    def column(self) -> str:
        """Its name within a row of a table, or its whole name if it is in none."""
        return self.name.rsplit("-", 1)[-1]

    @property
    def row(self) -> str:
        """The number of its row; zero if it is in none."""
        return self.name.split("-")[1] if self.name.count("-") > 1 else "0"


@dataclass
class Facts:
    """What this person would choose: by item, the text of the wanted answer for some labels."""

    wanted: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # Whom they choose in any other list: the first of these people whom it offers, or else whoever
    # comes first there.
    people: tuple[str, ...] = ()
    today: dt.date = field(default_factory=clock.today)

    def for_item(self, code: str) -> Mapping[str, str]:
        """Return the wanted answers to an item."""
        return self.wanted.get(code, {})


def answer(page: Page, code: str, facts: Facts) -> None:
    """Fill in the form on the page and save it; every control gets a fitting value."""
    wanted = facts.for_item(code)
    form = page.locator(_FORM)
    _rows_for(form, wanted)
    _confirm_all(form)
    _choose_all(form, wanted)
    _select_all(form, wanted, facts)
    _write_all(form, wanted, facts)
    _save(page, form, code)


def decide(page: Page, code: str, facts: Facts) -> None:
    """Fill in what is still to be decided in the form on the page, and save it.

    If nothing is begun there, fill in all of it.
    """
    wanted = facts.for_item(code)
    form = page.locator(_FORM)
    if not any(control.is_open for control in _controls(form, "input, select, textarea")):
        answer(page, code, facts)
        return
    _choose_all(form, wanted, only_open=True)
    _select_all(form, wanted, facts, only_open=True)
    _write_all(form, wanted, facts, only_open=True)
    _save(page, form, code)


def _save(page: Page, form: Locator, code: str) -> None:
    form.get_by_role("button", name="Save answer").click()
    expect(page.locator(".flashes")).to_contain_text(f"{code} is saved.")


def _controls(form: Locator, selector: str) -> list[Control]:
    return [
        Control(
            name=described["name"],
            value=described["value"],
            kind=described["kind"],
            is_numeric=described["isNumeric"],
            is_shown=described["isShown"],
            options=tuple((value, label) for value, label in described["options"]),
            is_open=described["isOpen"],
        )
        for described in form.locator(selector).evaluate_all(
            f"controls => {{ {OPEN} return {DESCRIBE}; }}"
        )
    ]


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
    boxes = "input[type=checkbox]"
    form.locator(boxes).evaluate_all(
        CHECK, [box.is_shown and box.value in {"on", "y"} for box in _controls(form, boxes)]
    )


def _choose_all(form: Locator, wanted: Mapping[str, str], *, only_open: bool = False) -> None:
    choices = "input[type=radio], input[type=checkbox]"
    seen: set[str] = set()
    chosen = []
    for choice in _controls(form, choices):
        is_chosen = False
        if only_open and not choice.is_open:
            pass
        elif choice.value != "y" and choice.name in wanted:
            is_chosen = choice.value in {wanted[choice.name], *wanted[choice.name].split(",")}
        elif choice.value != "y" and choice.name not in seen:
            is_chosen = True
            seen.add(choice.name)
        chosen.append(is_chosen)
    form.locator(choices).evaluate_all(CHECK, chosen)


def _select_all(
    form: Locator, wanted: Mapping[str, str], facts: Facts, *, only_open: bool = False
) -> None:
    values: list[str | None] = []
    for select in _controls(form, "select"):
        if only_open and not select.is_open:
            values.append(None)
            continue
        options = [(value, label) for value, label in select.options if value]
        wish = (
            wanted.get(select.name)
            or wanted.get(f"{select.column}@{select.row}")
            or wanted.get(select.column)
            or next(
                (name for name in facts.people for _value, label in options if name in label), None
            )
        )
        values.append(
            next(
                (value for value, label in options if wish and (wish in label or wish == value)),
                options[0][0] if options else "",
            )
        )
    form.locator("select").evaluate_all(FILL, values)


def _write_all(
    form: Locator, wanted: Mapping[str, str], facts: Facts, *, only_open: bool = False
) -> None:
    written = "textarea, input:not([type=hidden]):not([type=radio]):not([type=checkbox])"
    values: list[str | None] = []
    number = 0
    for control in _controls(form, written):
        number += control.is_shown
        is_written = control.is_shown and (control.is_open or not only_open)
        values.append(_words(control, number, wanted, facts) if is_written else None)
    form.locator(written).evaluate_all(FILL, values)


def _words(control: Control, number: int, wanted: Mapping[str, str], facts: Facts) -> str:
    if control.name in wanted or control.column in wanted:
        return wanted.get(control.name) or wanted[control.column]
    if control.kind == "date":
        return (facts.today + FAR + dt.timedelta(days=number)).isoformat()
    if control.kind == "time":
        return "18:00"
    if control.kind == "tel":
        return "+000 555 010"
    if control.is_numeric:
        return "7"
    return f"As settled between us, point {number}"
