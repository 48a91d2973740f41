"""What an edited article must still contain: each must of the source, and items' passages."""

import re

from tests.factories.templates import a_field, a_template, an_item
from tracker.authoring.guidance.required_content import (
    Lost,
    Rest,
    lost,
    rests,
)
from tracker.checklist_templates import library
from tracker.core.paths import CONTENT, PACKAGE
from tracker.guidance import library as guidance
from tracker.guidance.library import PassageText

MUSTS = frozenset({"S1", "S10"})
M4 = Rest("M4", ("expectations",), ("S2",))


def text(**passages: str) -> list[PassageText]:
    """Return passages by their keys, each with its statements."""
    return [
        PassageText(number, key, key.capitalize(), tuple(codes.split()), "Words.")
        for number, (key, codes) in enumerate(passages.items(), 1)
    ]


BEFORE = text(expectations="S1 S2", form="S10 S3", spare="S4")


def losses(after: list[PassageText], *resting: Rest) -> list[str]:
    return [f"{loss.key}: {loss.message}" for loss in lost(BEFORE, after, resting, MUSTS)]


def test_nothing_is_lost_by_the_same_text_or_by_more() -> None:
    assert losses(BEFORE, M4) == []
    assert losses([*BEFORE, *text(added="S1")], M4) == []


def test_a_must_that_no_passage_carries_any_more_is_lost() -> None:
    assert losses(text(expectations="S2", form="S10 S3", spare="S4")) == [
        "expectations: S1 is a must of the source, so a passage must carry it"
    ]
    assert losses(text(expectations="S1 S2", spare="S4")) == [
        ": S10 is a must of the source, so a passage must carry it"
    ]


def test_a_must_may_move_to_another_passage() -> None:
    assert losses(text(expectations="S2", form="S10", spare="S1")) == []


def test_statements_that_are_no_must_and_unused_may_be_removed() -> None:
    assert losses(text(expectations="S1", form="S10")) == []


def test_a_passage_that_something_rests_on_keeps_its_key() -> None:
    renamed = text(hopes="S1 S2", form="S10")
    hints = Rest("hints at words", ("expectations",))
    assert losses(renamed, M4, Rest("M7", ("expectations",)), hints, M4) == [
        ": the passage expectations must stay, with its key: needed by M4, M7, hints at words"
    ]


def test_a_passage_carries_the_statements_for_which_items_rest_on_it() -> None:
    assert losses(text(expectations="S1", form="S10 S2"), M4) == [
        "expectations: this passage must carry S2: needed by M4"
    ]


def test_another_passage_that_the_item_rests_on_may_carry_the_statement() -> None:
    both = Rest("M4", ("expectations", "form"), ("S2",))
    assert losses(text(expectations="S1", form="S10 S2"), both) == []
    assert losses(text(expectations="S1", form="S10"), both) == [
        "expectations: this passage must carry S2: needed by M4"
    ]


def test_what_the_text_before_did_not_carry_is_not_asked_for() -> None:
    gone = Rest("M9", ("long-gone",), ("S1",))
    assert lost(text(other="S4"), text(another="S4"), [gone], MUSTS) == []


def test_items_and_their_rules_rest_on_the_passages_of_their_article_alone() -> None:
    limited = a_field(
        kind="number",
        limits=[
            {
                "key": "long",
                "powers": ["timing"],
                "because": "It takes too long.",
                "statement": "S7",
                "passage": "settling-terms/independence",
                "above": 3,
            }
        ],
    )
    here = {"statements": ["S1"], "passages": ["settling-terms/a", "ways-of-working/b"]}
    template = a_template(an_item("M1", limited, rests_on=here))
    assert list(rests(template, "settling-terms")) == [
        Rest("M1", ("a",), ("S1",)),
        Rest("M1", ("independence",), ("S7",)),
    ]
    assert list(rests(template, "ways-of-working")) == [Rest("M1", ("b",), ("S1",))]
    assert list(rests(template, "elsewhere")) == []


def test_a_loss_is_reported_with_its_passage() -> None:
    (loss,) = lost(BEFORE, text(expectations="S2", form="S10"), [], MUSTS)
    assert loss == Lost("expectations", "S1 is a must of the source, so a passage must carry it")


def test_the_passages_that_pages_name_stay_since_shipped_items_rest_on_them() -> None:
    slugs = {article.head.slug for article in guidance.read(CONTENT).articles}
    ref = re.compile(rf'"((?:{"|".join(sorted(slugs))})/[a-z-]+)"')
    code = "".join(path.read_text() for path in (PACKAGE).rglob("*.py"))
    named = set(ref.findall(code))
    passages = {
        f"{slug}/{key}"
        for file in library.read(CONTENT)
        for slug in slugs
        for rest in rests(file.template, slug)
        for key in rest.keys
    }
    assert len(named) > 15
    assert named - passages == set()
