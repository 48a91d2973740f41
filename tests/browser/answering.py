"""Answers any item of a checklist on its page, as somebody who knows all the facts would."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

from tracker.core import clock

FAR = dt.timedelta(days=400)
# The properties of each control, read from all in one call, since each call takes time; values are
# set in one call too, with the events that typing would fire.
DESCRIBE = """controls.map(one => ({
  name: one.name, value: one.value, kind: one.type, isNumeric: one.inputMode === "numeric",
  isShown: one.getClientRects().length > 0 && one.checkVisibility(),
  options: [...(one.options ?? [])].map(option => [option.value, option.text.trim()]),
  label: one.labels?.[0]?.textContent.trim() ?? "",
  isOpen: isOpen(one),
  isNeeded: !(hintOf(one) + hintOf(one.closest("fieldset"))).includes("Only needed if"),
}))"""
# Whether a control is still to be decided: its text or its hint says so, it is an empty cell of a
# row that says something else, or it is a sentence to confirm.
OPEN = """const hintOf = one => (one?.getAttribute("aria-describedby") ?? "").split(" ")
  .map(id => document.getElementById(id)?.textContent).join(" ");
const isOpen = one => {
  const isMarked = words => /to decide/i.test(words ?? "");
  const isFilled = one => ["checkbox", "radio"].includes(one.type) ? one.checked : one.value;
  if (isMarked(one.value)) return true;
  const row = one.closest("tbody > tr");
  const isOptional = one.labels?.[0]?.querySelector(".optional");
  if (!row && one.value === "y") return !one.checked && !isOptional;
  if (!row) return isMarked(hintOf(one)) || isMarked(hintOf(one.closest("fieldset")));
  const rest = [...row.querySelectorAll("input:not([type=hidden]), select, textarea")];
  const isBegun = rest.some(isFilled) || isMarked(hintOf(one.closest("fieldset")));
  return isBegun && !isFilled(one) && one.type !== "checkbox" && !isOptional;
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
    label: str
    options: tuple[tuple[str, str], ...]
    # Whether it is still to be decided.
    is_open: bool
    # Whether it is needed, whatever is chosen elsewhere on the page of what is left to decide.
    is_needed: bool

    @property
    def column(self) -> str:
        """Its name within a row of a table, or its whole name if it is in none."""
        return self.name.rsplit("-", 1)[-1]

    @property
    def is_in_row(self) -> bool:
        """Whether it is in a row of a table."""
        return self.name.count("-") > 1

    @property
    def row(self) -> str:
        """The number of its row; zero if it is in none."""
        return self.name.split("-")[1] if self.is_in_row else "0"

    def is_to_fill(self, wanted: Mapping[str, str]) -> bool:
        """Return whether it is still to be decided, lacks what is wanted, or says another day."""
        if self.is_open or (self.name in wanted and not self.value):
            return True
        return self.kind == "date" and self.wish(wanted) not in {None, self.value}

    def wish(self, wanted: Mapping[str, str]) -> str | None:
        """Return what is wanted of it: by its name, or by its column, in its row or in any.

        Empty if it is to be left empty.
        """
        keys = (self.name, f"{self.column}@{self.row}", self.column)
        return next((wanted[key] for key in keys if key in wanted), None)


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
    _choose_all(form, wanted, facts)
    _select_all(form, wanted, facts)
    _write_all(form, wanted, facts)
    _save(page, form, code)


def decide(page: Page, code: str, facts: Facts) -> None:
    """Fill in what is still to be decided in the form on the page, and save it.

    If nothing is begun there, fill in all of it; if nothing is open there, leave it as it is.
    """
    wanted = facts.for_item(code)
    form = page.locator(_FORM)
    controls = _controls(form, "input, select, textarea")
    if wanted == {"listed": "nobody"}:  # nothing else is asked then
        form.locator("[name=listed][value=nobody]").check()
        _save(page, form, code)
        return
    if not any(control.is_to_fill(wanted) for control in controls):
        # What is written and has nothing open needs no second version.
        is_written = any(c.value and c.kind in {"text", "textarea"} for c in controls)
        if not is_written:
            answer(page, code, facts)
        return
    _confirm_all(form, only_open=True)
    _choose_all(form, wanted, facts, only_open=True)
    _select_all(form, wanted, facts, only_open=True)
    _write_all(form, wanted, facts, only_open=True)
    _save(page, form, code)


def decide_together(page: Page, facts: Facts) -> None:
    """Fill in what is left to decide of all items on the page, and save it.

    What one choice can decide for all rows is decided so.
    """
    form = page.locator("main form:has(button:text-is('Save what is decided'))")
    controls = _controls(form, "input:not([type=hidden]), select, textarea")
    together = {
        (table, column)
        for table, _all, columns in (control.name.partition("-all-") for control in controls)
        for column in columns.split("-")
    }
    for control in controls:
        is_of_row = "-all-" not in control.name
        if is_of_row and (control.name.rsplit("-", 2)[0], control.column) in together:
            continue
        wish = facts.for_item(re.split("[.-]", control.name)[0]).get(control.column)
        if control.kind == "checkbox":
            # People are listed without a hint: that they are on this page says that they are open.
            is_open = control.is_open or not (control.is_in_row or control.value == "y")
            if (
                control.is_shown
                and control.is_needed
                and is_open
                and _is_meant(control, wish, facts)
            ):
                form.locator(f"[name='{control.name}'][value='{control.value}']").check()
            continue
        is_open = not control.value or "to decide" in control.value.lower()
        is_other_day = control.kind == "date" and wish not in {None, control.value}
        if control.is_shown and control.is_needed and (is_open or is_other_day):
            _decide_one(form, control, wish, facts)
    # The page may show already that something was saved.
    with page.expect_navigation():
        form.get_by_role("button", name="Save what is decided").click()
    expect(page.locator(".flashes")).to_contain_text("Saved:")


def _is_meant(box: Control, wish: str | None, facts: Facts) -> bool:
    """Return whether a box is to be ticked: a sentence to confirm, or somebody who is wished."""
    wishes = tuple(wish.split(",")) if wish else facts.people
    return box.value == "y" or box.label.startswith(wishes)


def _decide_one(form: Locator, control: Control, wish: str | None, facts: Facts) -> None:
    """Choose or write what is wished, or the first of the people and choices that are offered."""
    field = form.locator(f"[name='{control.name}']")
    if control.options:
        options = [(value, label) for value, label in control.options if value]
        wishes = [wish] if wish else list(facts.people)
        fitting = [
            value for value, label in options if any(w == value or w in label for w in wishes)
        ]
        field.select_option((fitting or [options[0][0]])[0])
    elif control.kind == "radio":
        if not form.locator(f"[name='{control.name}']:checked").count():
            value = wish or control.value
            form.locator(f"[name='{control.name}'][value='{value}']").check()
    else:
        field.fill(wish or _words(control, 1, {}, facts))


def _save(page: Page, form: Locator, code: str) -> None:
    save = form.get_by_role("button", name="Save answer")
    save.click()
    # A telephone number was filled in from an account, to be checked.
    again = page.get_by_text("press the button again")
    expect(again.or_(page.locator(".flashes")).first).to_be_visible()
    if again.count():
        save.click()
    expect(page.locator(".flashes")).to_contain_text("is saved.")


def _controls(form: Locator, selector: str) -> list[Control]:
    return [
        Control(
            name=described["name"],
            value=described["value"],
            kind=described["kind"],
            is_numeric=described["isNumeric"],
            is_shown=described["isShown"],
            label=described["label"],
            options=tuple((value, label) for value, label in described["options"]),
            is_open=described["isOpen"],
            is_needed=described["isNeeded"],
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


def _confirm_all(form: Locator, *, only_open: bool = False) -> None:
    boxes = "input[type=checkbox]"
    form.locator(boxes).evaluate_all(
        CHECK,
        [
            box.is_shown and box.value in {"on", "y"} and (box.is_open or not only_open)
            for box in _controls(form, boxes)
        ],
    )


def _choose_all(
    form: Locator, wanted: Mapping[str, str], facts: Facts, *, only_open: bool = False
) -> None:
    choices = "input[type=radio], input[type=checkbox]"
    controls = _controls(form, choices)
    by_name: dict[str, list[Control]] = {}
    for choice in controls:
        if choice.value != "y" and (choice.is_open or not only_open):
            by_name.setdefault(choice.name, []).append(choice)
    chosen = {
        (choice.name, choice.value)
        for name, group in by_name.items()
        for choice in _chosen(group, wanted.get(name), facts)
    }
    form.locator(choices).evaluate_all(
        CHECK, [(choice.name, choice.value) in chosen for choice in controls]
    )


def _chosen(group: list[Control], wish: str | None, facts: Facts) -> list[Control]:
    """Return the choices of a group by their values, or as people by the beginning of a name."""
    if wish is None:
        people = [c for name in facts.people for c in group if c.label.startswith(name)]
        return [*people, *group][:1]
    values = {wish, *wish.split(",")}
    return [c for c in group if c.value in values] or [
        c for c in group if c.label.startswith(tuple(wish.split(",")))
    ]


def _select_all(
    form: Locator, wanted: Mapping[str, str], facts: Facts, *, only_open: bool = False
) -> None:
    values: list[str | None] = []
    for select in _controls(form, "select"):
        if select.wish(wanted) == "" or (only_open and not select.is_to_fill(wanted)):
            values.append(None)
            continue
        options = [(value, label) for value, label in select.options if value]
        wish = select.wish(wanted) or next(
            (name for name in facts.people for _value, label in options if name in label), None
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
        is_written = control.is_shown and (not only_open or control.is_to_fill(wanted))
        values.append(_words(control, number, wanted, facts) if is_written else None)
    form.locator(written).evaluate_all(FILL, values)


def _words(control: Control, number: int, wanted: Mapping[str, str], facts: Facts) -> str:
    wish = control.wish(wanted)
    if wish is not None:
        return wish
    if control.kind == "date":
        return (facts.today + FAR + dt.timedelta(days=number)).isoformat()
    if control.kind == "time":
        return "18:00"
    if control.kind == "tel":
        return "+000 555 010"
    if control.is_numeric:
        return "7"
    return f"As settled between us, point {number}"
