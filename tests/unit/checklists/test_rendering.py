"""Answers as text: names for ids, labels for choices, rows under their headings."""

from typing import Any
from uuid import UUID

from tests.factories.templates import KINDS, a_column, a_field, a_table, item_of
from tracker.checklist_templates.field_content import ROW
from tracker.checklist_templates.schema import FieldType
from tracker.checklists.rules.rendering import (
    Head,
    Names,
    ShownField,
    show,
)

SAMIRA, DOOR = UUID(int=1), UUID(int=2)
NAMES = Names({SAMIRA: "Samira Okell"}, {DOOR: "Open Door"})


def shown(field: dict[str, Any], value: Any) -> ShownField | None:
    lines = show(item_of(field).fields, {field["key"]: value}, NAMES)
    return lines[0] if lines else None


def text(kind: str, value: Any, **more: Any) -> str:
    part = shown(a_field("words", kind, **more), value)
    return part.text if part else ""


def test_each_type_as_text() -> None:
    assert text("text", "As <b>settled</b>") == "As <b>settled</b>"
    assert text("choice", "prison", options=KINDS) == "Prison"
    assert text("choice", "boat", options=KINDS) == "boat"
    assert text("person", str(SAMIRA)) == "Samira Okell"
    assert text("party", str(DOOR)) == "Open Door"
    assert text("number", 0, unit="days") == "0"
    assert text("date", "2026-03-02") == "2026-03-02"
    assert text("confirm", True) == "yes"
    assert text("confirm", False) == "no"
    assert text("class", "K3") == "K3"


def test_the_unit_stays_beside_the_number() -> None:
    part = shown(a_field("words", "number", unit="days"), 7)
    assert part is not None
    assert (part.text, part.unit) == ("7", "days")


def test_several_are_a_list() -> None:
    part = shown(a_field("words", "choices", options=KINDS), ["prison", "police"])
    assert part is not None
    assert part.texts == ("Prison", "Police station")
    people = shown(a_field("words", "persons"), [str(SAMIRA)])
    assert people is not None
    assert people.texts == ("Samira Okell",)


def test_who_is_not_known_has_no_name_rather_than_a_wrong_one() -> None:
    assert text("person", str(UUID(int=50))) == ""


def test_what_holds_nothing_is_not_shown() -> None:
    fields = item_of(a_field(), a_field("more"), a_table("t", a_column("a"))).fields
    assert show(fields, {}, NAMES) == ()
    assert show(fields, {"words": "", "t": [{"a": ""}]}, NAMES) == ()
    assert [line.key for line in show(fields, {"more": "x", "else": "y"}, NAMES)] == ["more"]


def test_a_table_has_written_rows_and_columns_that_hold_something() -> None:
    field = a_table(
        "t",
        a_column("who", "person"),
        a_column("days", "number", unit="days"),
        a_column("note", required=False),
        a_column("signed", "confirm", required=False),
    )
    rows = [{"who": str(SAMIRA), "days": 7}, {}, {"days": 3, "signed": True}]
    part = shown(field, rows)
    assert part is not None
    assert part.columns == (
        Head("Who", FieldType.PERSON),
        Head("Days", FieldType.NUMBER, "days"),
        Head("Signed", FieldType.CONFIRM),
    )
    assert part.rows == (("Samira Okell", "7", ""), ("", "3", "yes"))


def test_given_rows_begin_with_their_label() -> None:
    rows = {
        "label": "Decision",
        "more": True,
        "fixed": [{"key": "team", "label": "Team"}, {"key": "media", "label": "Media"}],
    }
    field = a_table("t", a_column("decider"), rows=rows)
    given = [{ROW: "media", "decider": "NPM"}, {ROW: "team"}, {"decider": "Both"}]
    part = shown(field, given)
    assert part is not None
    assert [head.label for head in part.columns] == ["Decision", "Decider"]
    assert part.rows == (("Media", "NPM"), ("", "Both"))
