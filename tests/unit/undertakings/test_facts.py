"""What is read from frozen terms and the template, and what is still missing in a draft."""

import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import pytest

from tracker.access.actor import OrganisationKind
from tracker.checklist_templates import library
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import FieldType, Template
from tracker.checklists.rules.facts import (
    Filled,
    PartyFact,
    Sheet,
    Surroundings,
)
from tracker.cooperations.models import Mode
from tracker.core.paths import CONTENT
from tracker.undertakings import facts
from tracker.undertakings.facts import Draft, Questions, Scope

TODAY = dt.date(2027, 3, 1)
NPM, CSO, OTHER = uuid4(), uuid4(), uuid4()
LEYLA, OTTO, MAREK = uuid4(), uuid4(), uuid4()


@cache
def template() -> Template:
    files = library.read(CONTENT)
    return next(
        file.template for file in files if file.template.kind is ChecklistKind.CONFIDENTIALITY
    )


def surroundings(*modes: Mode, **questions: str) -> Surroundings:
    return Surroundings(
        modes=frozenset(modes or {Mode.VISIT}),
        questions=questions,
        parties=(
            PartyFact(NPM, OrganisationKind.NPM, "The NPM"),
            PartyFact(CSO, OrganisationKind.CSO, "A CSO"),
            PartyFact(OTHER, OrganisationKind.CSO, "Another CSO"),
        ),
    )


def sheet(**lists: dict[str, Any]) -> Sheet:
    owners = {"npm": NPM, "cso": CSO, "other": OTHER}
    answers = {
        ("C2", AnswerScope.PARTY, owners[key]): Filled(
            answer_id=uuid4(),
            version=1,
            values=values,
            author_id=uuid4(),
            organisation_id=owners[key],
            saved_at=dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
        )
        for key, values in lists.items()
    }
    return Sheet(uuid4(), answers)


def questions_for(*modes: Mode, **questions: str) -> Questions:
    return facts.questions(template(), sheet(), surroundings(*modes, **questions))


def people(*rows: tuple[UUID, str]) -> dict[str, Any]:
    return {
        "listed": "people",
        "persons": [{"person": str(user_id), "function": function} for user_id, function in rows],
    }


# What each person is asked


def test_every_sentence_of_each_person_is_asked() -> None:
    assert [point.code for point in questions_for(Mode.VISIT).points] == [
        *("C6", "C6", "C7", "C8", "C10", "C14", "C15", "C17"),
    ]


def test_acting_for_the_npm_is_asked_only_where_it_is_required() -> None:
    without = questions_for(Mode.INFO_F)
    assert "C14" not in [point.code for point in without.points]
    assert len(without.points) == len(questions_for(Mode.VISIT).points) - 1


@pytest.mark.parametrize(
    ("modes", "questions", "required"),
    [
        ((Mode.VISIT,), {}, True),
        ((Mode.OMB_PLUS,), {}, True),
        ((Mode.EXP,), {"expert_on_visit": "yes"}, True),
        ((Mode.EXP,), {"expert_on_visit": "not_known"}, True),
        ((Mode.EXP,), {"expert_on_visit": "no"}, False),
        ((Mode.INFO_F,), {}, False),
    ],
)
def test_the_briefing_is_required_for_visits_and_recommended_else(
    modes: tuple[Mode, ...], questions: dict[str, str], required: bool
) -> None:
    points_asked = questions_for(*modes, **questions)
    assert points_asked.briefing is not None
    assert points_asked.briefing_required is required


def test_the_texts_come_from_the_template() -> None:
    questions = questions_for()
    by_code = {point.code: point for point in questions.points}
    item = template().by_code["C7"]
    assert by_code["C7"].sentence == item.fields[0].label
    assert by_code["C7"].label == item.label
    assert by_code["C7"].name == "c7_confirmed"
    assert [value for value, _words in questions.interest_options] == ["none", "declared"]
    date = questions.briefing_field(FieldType.DATE)
    assert date is not None
    assert date.key == "briefed_on"


# What is missing


def whole(questions: Questions, **changed: Any) -> Draft:
    values: dict[str, Any] = {
        "confirmed": frozenset(point.name for point in questions.points),
        "briefed": True,
        "briefed_on": TODAY,
        "has_interests": False,
        **changed,
    }
    return Draft(**values)


def test_a_whole_draft_lacks_nothing() -> None:
    questions = questions_for()
    assert list(facts.missing(questions, whole(questions), TODAY)) == []
    declared = whole(questions, has_interests=True, interests="A cousin.")
    assert list(facts.missing(questions, declared, TODAY)) == []


@pytest.mark.parametrize(
    ("changed", "lacks"),
    [
        ({"briefed": False}, ["briefed"]),
        ({"briefed_on": None}, ["briefed_on"]),
        ({"briefed_on": TODAY + dt.timedelta(days=1)}, ["briefed_on"]),
        ({"has_interests": None}, ["has_interests"]),
        ({"has_interests": True, "interests": ""}, ["interests"]),
    ],
)
def test_a_draft_lacks(changed: dict[str, Any], lacks: list[str]) -> None:
    questions = questions_for()
    assert list(facts.missing(questions, whole(questions, **changed), TODAY)) == lacks


def test_each_point_left_out_is_missing() -> None:
    questions = questions_for()
    for point in questions.points:
        rest = frozenset(point.name for point in questions.points) - {point.name}
        assert list(facts.missing(questions, whole(questions, confirmed=rest), TODAY)) == [
            point.name
        ]


def test_a_recommended_briefing_may_be_left_out() -> None:
    questions = questions_for(Mode.INFO_F)
    draft = whole(questions, briefed=False, briefed_on=None)
    assert list(facts.missing(questions, draft, TODAY)) == []


def test_a_draft_is_read_back_as_it_was_kept() -> None:
    questions = questions_for()
    draft = whole(
        questions,
        has_interests=True,
        interests="A cousin.",
        saved_at=dt.datetime(2027, 3, 1, 9, 30, tzinfo=dt.UTC),
        is_ready=True,
    )
    assert Draft.from_values(draft.to_values()) == draft
    assert Draft.from_values({}) == Draft()


def test_any_change_gives_a_draft_another_digest() -> None:
    questions = questions_for()
    drafts = [
        whole(questions),
        whole(questions, has_interests=True),
        whole(questions, has_interests=True, interests="A cousin."),
        whole(questions, briefed=False),
        whole(questions, briefed_on=TODAY - dt.timedelta(days=1)),
        whole(questions, confirmed=frozenset()),
        whole(questions, is_ready=True),
    ]
    assert len({draft.digest for draft in drafts}) == len(drafts)


# Who is listed


def test_each_party_lists_its_own_people() -> None:
    listed = facts.listed_in(
        sheet(npm=people((MAREK, "Interpreter")), cso=people((LEYLA, "Physician"))),
        surroundings(),
        {MAREK: [NPM], LEYLA: [CSO]},
    )
    assert {(person.user_id, person.organisation_id, person.function) for person in listed} == {
        (MAREK, NPM, "Interpreter"),
        (LEYLA, CSO, "Physician"),
    }


def test_who_takes_no_part_is_passed_over() -> None:
    lists = sheet(cso=people((LEYLA, "Physician"), (OTTO, "President")))
    listed = facts.listed_in(lists, surroundings(), {LEYLA: [CSO]})
    assert [person.user_id for person in listed] == [LEYLA]


def test_a_list_that_says_nobody_names_nobody() -> None:
    values = {**people((LEYLA, "Physician")), "listed": "nobody"}
    assert facts.listed_in(sheet(cso=values), surroundings(), {LEYLA: [CSO]}) == []


def test_listed_by_another_party_a_person_still_signs_for_their_own() -> None:
    lists = sheet(cso=people((OTTO, "President")), other=people((LEYLA, "Physician")))
    listed = facts.listed_in(lists, surroundings(), {LEYLA: [CSO], OTTO: [CSO]})
    assert {(person.user_id, person.organisation_id) for person in listed} == {
        (OTTO, CSO),
        (LEYLA, CSO),
    }


def test_who_takes_part_for_two_signs_for_the_one_that_lists_them() -> None:
    lists = sheet(other=people((LEYLA, "Physician")))
    listed = facts.listed_in(lists, surroundings(), {LEYLA: [CSO, OTHER]})
    assert [(person.user_id, person.organisation_id) for person in listed] == [(LEYLA, OTHER)]


@pytest.mark.parametrize("person", ["", None, "no id", 7])
def test_rows_without_a_person_are_passed_over(person: object) -> None:
    values = {"listed": "people", "persons": [{"person": person, "function": "Driver"}, {}]}
    assert facts.listed_in(sheet(cso=values), surroundings(), {LEYLA: [CSO]}) == []


# The frozen terms


def document(**changed: Mapping[str, Any]) -> dict[str, Any]:
    items = {
        "C1": {"scope": "all_until", "until": "2029-01-14"},
        "C16": {"contact": str(LEYLA), "phone": "+000 555 010", "hours": 2},
        "C17": {"years": 10, "return_by": "2029-02-14", "copies": "returned"},
        **changed,
    }
    texts = {"C16": {"contact": "Ilena Dorvath"}, "C17": {"copies": "They are returned"}}
    return {
        "language": "en",
        "revision": 3,
        "frozen_at": "2027-01-10T09:15:00+00:00",
        "cooperation": {"reference": "C-2027-0001", "title": "Joint monitoring"},
        "parties": [{"name": "The NPM", "side": "npm"}, {"name": "A CSO", "side": "cso"}],
        "sections": [
            {
                "items": [
                    {
                        "code": code,
                        "answers": [
                            {
                                "values": values,
                                "fields": [
                                    {"key": key, "text": text}
                                    for key, text in texts.get(code, {}).items()
                                ],
                            }
                        ]
                        if values
                        else [],
                    }
                    for code, values in items.items()
                ]
            }
        ],
    }


def test_what_a_person_must_know_is_read_from_the_frozen_text() -> None:
    terms = facts.read_terms(document(), "d" * 64)
    assert terms.revision == 3
    assert terms.scope is Scope.ALL_UNTIL
    assert terms.until == dt.date(2029, 1, 14)
    assert (terms.contact, terms.phone, terms.hours) == ("Ilena Dorvath", "+000 555 010", 2)
    assert (terms.years, terms.return_by) == (10, dt.date(2029, 2, 14))
    assert (terms.copies, terms.binding) == ("They are returned", "en")


def test_terms_frozen_in_several_languages_say_what_happens_to_copies_in_each() -> None:
    text = document() | {"binding_language": "ar", "languages": ["ar", "en"]}
    copies = {"en": "They are returned", "ar": "تُعاد"}
    for item in text["sections"][0]["items"]:
        for field in item["answers"][0]["fields"]:
            field["text"] = copies if field["key"] == "copies" else field["text"]
    terms = facts.read_terms(text, "d" * 64)
    assert (terms.copies, terms.binding) == (copies, "ar")
    assert terms.contact == "Ilena Dorvath"
    assert terms.npm_names == ("The NPM",)
    assert terms.reference == "C-2027-0001"


def test_the_last_day_is_included() -> None:
    terms = facts.read_terms(document(), "d" * 64)
    assert not terms.is_over(dt.date(2029, 1, 14))
    assert terms.is_over(dt.date(2029, 1, 15))


def test_terms_without_answers_beside_the_last_day_are_read() -> None:
    terms = facts.read_terms(document(C16={}, C17={}), "d" * 64)
    assert (terms.contact, terms.phone, terms.hours, terms.years) == ("", "", None, None)


def test_terms_without_a_last_day_are_refused() -> None:
    with pytest.raises(ValueError, match="no last day"):
        facts.read_terms(document(C1={"scope": "all_until"}), "d" * 64)
