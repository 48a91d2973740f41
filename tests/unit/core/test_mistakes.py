"""A mistake shows its line, its place in words and what to write instead."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tracker.core.content import read_yaml
from tracker.core.mistakes import MOST_QUOTED, ContentError, Mistake, in_full, quote, report
from tracker.core.schema_problems import Reading


class Strict(BaseModel):
    """A part without unknown keys."""

    model_config = ConfigDict(extra="forbid")


class Either(Strict):
    """One form of a condition."""

    any: list[str]


class Answer(Strict):
    """Another form of it."""

    item: str
    field: str


CODE = r"^[A-Z][0-9]+$"


class Whole(Strict):
    """A small content file."""

    title: str
    size: Annotated[int, Field(ge=1)] = 1
    code: Annotated[str, StringConstraints(pattern=CODE)] = "A1"
    when: Either | Answer | None = None


READING = Reading(forms={CODE: "a letter and a number, such as A1"})


def mistakes(text: str) -> list[list[str]]:
    """Return every mistake of a text as it is shown."""
    wrong: list[Mistake] = []
    tree = read_yaml(text, "file", wrong)
    if tree is not None:
        tree.fit(Whole, wrong, reading=READING)
    return [list(in_full(mistake, text.splitlines())) for mistake in sorted(wrong)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "title: a\ntitles: b\n",
            [
                "file:2: there is no key titles",
                "    2 | titles: b",
                "        ^ character 1",
                "    Write title instead. It can be: title, size, code, when.",
            ],
        ),
        (
            "size: 2\n",
            [
                "file:1: title is missing",
                "    1 | size: 2",
                "    Add a line: title: followed by its value.",
            ],
        ),
        (
            "title: a\nsize: two\n",
            [
                "file:2: size must be a whole number",
                "    2 | size: two",
                "              ^ character 7",
                "    Write digits only, such as 2.",
            ],
        ),
        (
            "title: a\ncode: a1\n",
            [
                "file:2: code is 'a1', which has the wrong form",
                "    2 | code: a1",
                "              ^ character 7",
                "    Write a letter and a number, such as A1.",
            ],
        ),
        (
            "title: a\nwhen: {if: b}\n",
            [
                "file:2: when can't be read",
                "    2 | when: {if: b}",
                "              ^ character 7",
                "    Write keys with their values. These go together: any; item, field.",
            ],
        ),
        (
            "title: a\nwhen: {item: M1, fields: b}\n",
            [
                "file:2: there is no key when.fields",
                "    2 | when: {item: M1, fields: b}",
                "                         ^ character 18",
                "    Write field instead. It can be: any, item, field.",
            ],
        ),
    ],
)
def test_a_mistake_has_its_line_its_place_and_what_to_write(text: str, shown: list[str]) -> None:
    assert shown in mistakes(text)


def test_a_condition_in_no_known_form_is_one_mistake() -> None:
    assert len(mistakes("title: a\nwhen: {if: b}\n")) == 1
    assert len(mistakes("title: a\nwhen: often\n")) == 1


@pytest.mark.parametrize(
    ("text", "line", "words", "advice"),
    [
        ("a: 1\n\tb: 2\n", 2, "a tab can't be used to indent", "Use spaces instead"),
        ("a: 1\nb 2\nc: 3\n", 2, "a key without a colon", "Write a colon and a space"),
        ('a: 1\nb: "two\nc: 3\n', 2, "a quotation mark that isn't closed", "at the end of the"),
        ("a: b: c\n", 1, "a second colon in this line", "in quotes"),
        ("a:\n  - b\n c: 1\n", 3, "this line isn't indented like", "Begin it exactly below"),
        ("a: [b\nc: d\n", 1, "a bracket that isn't closed", "close the bracket"),
        ("a: 1\na: 2\n", 2, "this key is there twice", "Keep one of the two"),
        ("a: &b 1\n", 1, "anchors (&) and aliases (*) are not read", "Write the text again"),
    ],
)
def test_what_is_no_yaml_is_named_in_plain_words(
    text: str, line: int, words: str, advice: str
) -> None:
    (shown,) = mistakes(text)
    assert shown[0].startswith(f"file:{line}: not valid YAML: {words}")
    assert advice in shown[-1]


def test_a_long_line_is_cut_around_its_mistake() -> None:
    line = "a" * 5000 + " wrong " + "b" * 5000
    cut = quote([line], Mistake("file", 1, "x", column=5002))
    assert cut is not None
    assert cut.marked == "wrong"
    assert len(str(cut)) <= MOST_QUOTED + 2
    assert str(cut).startswith("…aaa")
    assert str(cut).endswith("bbb…")


def test_what_can_not_be_seen_is_shown_as_a_sign() -> None:
    shown = quote(["\ta\x1b[31m"], Mistake("file", 1, "x", column=1))
    assert shown is not None
    assert (shown.marked, shown.after) == ("→", "a\N{REPLACEMENT CHARACTER}[31m")


@pytest.mark.parametrize("line", [0, 2, 99])
def test_a_line_that_is_blank_or_not_there_is_not_quoted(line: int) -> None:
    assert quote(["a", " "], Mistake("file", line, "x", column=3)) is None


def test_the_command_line_reads_the_lines_from_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("one\ntwo\n")
    error = ContentError([Mistake("a.yaml", 2, "wrong", "Write three."), Mistake("b.yaml", 1, "x")])
    assert report(error, tmp_path).splitlines() == [
        "a.yaml:2: wrong",
        "    2 | two",
        "    Write three.",
        "b.yaml:1: x",
    ]
