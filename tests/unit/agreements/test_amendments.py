"""The versions named in a frozen text, in both document formats."""

from uuid import UUID

from tests.factories import frozen_texts
from tests.factories.templates import DOOR
from tracker.agreements.amendments import versions_in


def test_each_answer_of_a_frozen_text_is_found_by_its_item_and_whose_it_is() -> None:
    answers = [{"by": None, "version": 3}, {"by": str(DOOR), "version": 2}]
    text = {"parties": [], "sections": [{"items": [{"code": "M7", "answers": answers}]}]}
    assert versions_in(text) == {("M7", None): 3, ("M7", DOOR): 2}


def test_a_text_of_the_first_shape_names_its_parties() -> None:
    item = frozen_texts.first_item("M7")
    item["answers"].append({"by": "People's Advocate", "version": 2})
    text = frozen_texts.first_shape(item)
    npm = UUID(text["parties"][0]["id"])
    assert versions_in(text) == {("M7", None): 1, ("M7", npm): 2}
