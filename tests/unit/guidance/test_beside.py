"""Which passages are shown beside an item of a checklist."""

from collections.abc import Collection
from dataclasses import dataclass

from tracker.guidance.beside import beside


@dataclass(frozen=True)
class Named:
    """A passage with its statements and the items it names."""

    statements: tuple[str, ...]
    items: tuple[str, ...] = ()


WHOLE = Named(("S20", "S21"))
CONSENT = Named(("S20", "S21"), ("U6", "U7"))
RECORD = Named(("S20", "S21"), ("U9",))
OTHER = Named(("S61",))
PASSAGES = {"a/whole": WHOLE, "a/consent": CONSENT, "a/record": RECORD, "b/other": OTHER}


def shown(item: str, statements: Collection[str], *refs: str) -> tuple[Named, ...]:
    return beside(item, statements, refs, PASSAGES)


def test_an_item_that_no_passage_names_has_those_it_rests_on() -> None:
    assert shown("U1", ["S20", "S21"], "a/whole") == (WHOLE,)


def test_a_passage_that_names_an_item_takes_the_place_of_the_one_it_is_part_of() -> None:
    assert shown("U6", ["S20", "S21"], "a/whole") == (CONSENT,)
    assert shown("U9", ["S20"], "a/whole") == (RECORD,)


def test_what_an_item_rests_on_beside_that_stays_after_it() -> None:
    assert shown("U6", ["S20", "S21", "S61"], "a/whole", "b/other") == (CONSENT, OTHER)


def test_a_passage_stays_while_the_item_rests_on_more_of_it_than_its_parts_carry() -> None:
    part = Named(("S20",), ("U6",))
    passages = beside("U6", ["S20", "S21"], ["a/whole"], {"a/whole": WHOLE, "a/part": part})
    assert passages == (part, WHOLE)


def test_a_part_carries_only_what_the_item_rests_on() -> None:
    part = Named(("S20",), ("U6",))
    passages = beside("U6", ["S20"], ["a/whole"], {"a/whole": WHOLE, "a/part": part})
    assert passages == (part,)


def test_a_passage_that_is_both_source_and_names_the_item_is_shown_once() -> None:
    assert shown("U6", ["S20"], "a/consent", "a/whole") == (CONSENT,)


def test_one_code_is_not_taken_for_the_beginning_of_another() -> None:
    passages = {"a/whole": WHOLE, "a/part": Named(("S20", "S21"), ("U16",))}
    assert beside("U1", ["S20"], ["a/whole"], passages) == (WHOLE,)


def test_a_passage_that_is_not_there_is_left_out() -> None:
    assert shown("U1", ["S20"], "a/gone", "a/whole") == (WHOLE,)
    assert shown("U1", ["S20"]) == ()
