"""Which items are done, which block signing, and whom they wait for.

In one file: cases of one pure function, and properties that are true for all of them.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import tries
from tests.factories.checklists import Writer
from tests.factories.templates import (
    CHECKLIST,
    DOOR,
    ILENA,
    KINDS,
    LANTERN,
    NPM,
    OREN,
    PARTIES,
    SAMIRA,
    a_column,
    a_field,
    a_sheet,
    a_table,
    a_template,
    an_answer,
    an_item,
    around,
    item_of,
    small_terms,
)
from tracker.access.actor import OrganisationKind
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Accepts, Item, Part
from tracker.checklists.labels import NOT_AGREED, WORK, work_of
from tracker.checklists.models import CopySource, Stance
from tracker.checklists.rules.completeness import (
    ChecklistStatus,
    ItemStatus,
    WorkState,
    accepters,
    concerns,
    is_left_to,
    is_required,
    item_standing,
    may_be_left_out,
    not_accepting,
    setters,
    standing,
)
from tracker.checklists.rules.facts import Filled, Sheet, Surroundings

TERMS = small_terms()
NOBODY: tuple[UUID, ...] = ()
ALL = (NPM, DOOR, LANTERN)
WORDS = {"words": "As settled."}


def stands(
    code: str,
    answer: Filled | None = None,
    accepted: tuple[UUID, ...] = NOBODY,
    *,
    others: Mapping[str, Filled] | None = None,
    own: Mapping[tuple[str, UUID], Filled] | None = None,
    surroundings: Surroundings | None = None,
) -> ItemStatus:
    shared = {**(others or {}), **({code: answer} if answer else {})}
    sheet = a_sheet(shared=shared, own=own, accepted={code: accepted} if answer else {})
    return item_standing(TERMS.by_code[code], sheet, surroundings or around())


# Optional


POINTS = a_template(
    an_item(
        "M1",
        {
            **a_field("points", "table", required=False, rows={"min": 0}),
            "columns": [
                {"key": "title", "label": "Title", "type": "line"},
                {"key": "text", "label": "Text", "type": "text"},
            ],
        },
        required="optional",
    ),
    an_item("M2"),
)
A_POINT = {"points": [{"title": "Key", "text": "The NPM keeps the key."}]}


def optional_item(
    values: Mapping[str, Any], accepted: tuple[UUID, ...] = NOBODY
) -> tuple[ItemStatus, ChecklistStatus]:
    answer = an_answer(values)
    sheet = a_sheet(shared={"M1": answer}, accepted={"M1": accepted})
    status = standing(POINTS, sheet, around())
    return status.items["M1"], status


@pytest.mark.parametrize("values", [{}, {"points": []}, {"points": [{"title": "", "text": ""}]}])
def test_an_optional_item_left_empty_waits_for_nobody_and_counts_nowhere(
    values: Mapping[str, Any],
) -> None:
    status, whole = optional_item(values)
    assert (status.required, status.holds_up, status.waiting_for) == (False, False, ())
    assert status.is_unused
    assert (whole.total_count, whole.blocking) == (1, ("M2",))
    assert set(whole.waiting.values()) == {1}


def test_a_point_added_to_an_optional_item_is_agreed_like_any_answer() -> None:
    status, whole = optional_item(A_POINT, (NPM, DOOR))
    assert status.waiting_for == (LANTERN,)
    assert status.holds_up
    assert (whole.total_count, whole.blocking) == (2, ("M1", "M2"))
    status, whole = optional_item(A_POINT, ALL)
    assert status.done
    assert whole.done_count == 1


def test_a_point_without_its_text_is_not_complete() -> None:
    status, _whole = optional_item({"points": [{"title": "Key"}]}, ALL)
    assert status.state is WorkState.IN_PROGRESS
    assert status.holds_up


def test_an_optional_item_is_left_to_whom_it_is_assigned_until_it_is_begun() -> None:
    item = POINTS.by_code["M1"]
    empty, _whole = optional_item({})
    assert is_left_to(DOOR, item, empty, around())
    agreed, _whole = optional_item(A_POINT, ALL)
    assert not is_left_to(DOOR, item, agreed, around())


def test_an_optional_item_is_left_empty_and_not_left_out() -> None:
    sheet = a_sheet()
    assert not may_be_left_out(POINTS.by_code["M1"], sheet, around())
    assert not may_be_left_out(TERMS.by_code["M1"], sheet, around())
    assert may_be_left_out(TERMS.by_code["M6"], sheet, around())


# Copied and not read (adr 22)


COPIED_FROM = UUID(int=77)


def copied(*read_by: UUID, **more: Any) -> Filled:
    return an_answer(
        more.pop("values", WORDS),
        source=CopySource.CHECKLIST,
        copied_from=COPIED_FROM,
        read_by=frozenset(read_by),
        **more,
    )


@pytest.mark.parametrize(
    ("read_by", "accepted", "waiting"),
    [
        (NOBODY, NOBODY, ALL),
        # Even a row that said otherwise wouldn't be an acceptance.
        (NOBODY, ALL, ALL),
        ((NPM,), ALL, (DOOR, LANTERN)),
        (ALL, (NPM, LANTERN), (DOOR,)),
        (ALL, ALL, NOBODY),
    ],
)
def test_a_copied_answer_is_accepted_by_those_who_have_read_it(
    read_by: tuple[UUID, ...], accepted: tuple[UUID, ...], waiting: tuple[UUID, ...]
) -> None:
    status = stands("M1", copied(*read_by), accepted)
    assert set(status.waiting_for) == set(waiting)
    assert status.done is not bool(waiting)
    assert set(status.unread_by) == set(ALL) - set(read_by)


def test_a_copy_that_needs_no_acceptance_waits_for_every_reader() -> None:
    assert stands("M2", copied(NPM, values={"kind": "police"})).waiting_for == (DOOR, LANTERN)
    assert stands("M2", copied(*ALL, values={"kind": "police"})).done


def test_a_partys_own_copied_answer_waits_for_every_reader() -> None:
    own = {("M7", body): an_answer(WORDS) for body in (NPM, LANTERN)}
    status = stands("M7", own=own | {("M7", DOOR): copied(DOOR, NPM)})
    assert (status.state, status.waiting_for) == (WorkState.WAITING, (LANTERN,))


def test_a_copy_in_an_item_that_does_not_apply_waits_for_nobody() -> None:
    status = stands("M4", copied(), others={"M2": an_answer({"kind": "police"})})
    assert (status.waiting_for, status.unread_by) == (NOBODY, NOBODY)


def test_an_item_left_incomplete_by_copying_is_in_progress() -> None:
    status = stands("M5", copied(*ALL, values={"second_reader": str(SAMIRA)}))
    assert status.state is WorkState.IN_PROGRESS


READERS = st.frozensets(st.sampled_from(ALL))


@given(READERS, READERS, READERS, READERS, st.booleans())
def test_nothing_is_agreed_while_a_party_has_not_read_a_copy(
    read: frozenset[UUID],
    own_read: frozenset[UUID],
    accepted: frozenset[UUID],
    answered: frozenset[UUID],
    is_copied: bool,
) -> None:
    """Whatever was read and accepted, on any kind of item, by anybody."""
    for code, values in (("M1", WORDS), ("M2", {"kind": "police"}), ("M3", WORDS), ("M7", None)):
        shared = copied(*read, values=values) if values and is_copied else None
        own = {("M7", body): copied(*own_read) for body in answered} if code == "M7" else {}
        status = stands(code, shared, tuple(accepted), own=own)
        answers = [(shared, read)] if shared else []
        answers += [(answer, own_read) for answer in own.values()]
        unread = {party for _answer, readers in answers for party in set(ALL) - readers}
        assert set(status.unread_by) == unread
        assert unread <= set(status.waiting_for)
        assert not (status.done and unread)


# Accepted by all (product.md, 4.1)


def test_an_item_that_nobody_answered_waits_for_those_who_write_it() -> None:
    status = stands("M1")
    assert (status.state, status.waiting_for, status.done) == (WorkState.NOT_STARTED, ALL, False)


@pytest.mark.parametrize(
    ("accepted", "waiting"),
    [
        (NOBODY, ALL),
        ((NPM,), (DOOR, LANTERN)),
        ((NPM, DOOR), (LANTERN,)),
        ((DOOR, LANTERN), (NPM,)),
        (ALL, NOBODY),
    ],
)
def test_an_item_of_both_is_done_when_every_party_accepts(
    accepted: tuple[UUID, ...], waiting: tuple[UUID, ...]
) -> None:
    status = stands("M1", an_answer(WORDS), accepted)
    assert status.waiting_for == waiting
    assert status.state is (WorkState.WAITING if waiting else WorkState.AGREED)
    assert status.done is not bool(waiting)


def test_the_acceptance_of_an_older_version_does_not_count() -> None:
    sheet = a_sheet(shared={"M1": an_answer(WORDS, version=2)}, accepted={"M1": ALL})
    older = {body: (UUID(int=77), Stance.ACCEPTS) for body in ALL}
    sheet = replace(sheet, positions={"M1": older})
    status = item_standing(TERMS.by_code["M1"], sheet, around())
    assert (status.state, status.waiting_for) == (WorkState.WAITING, ALL)


@pytest.mark.parametrize("stance", [Stance.WANTS_CHANGE, Stance.WANTS_TALK])
def test_a_wish_is_no_acceptance(stance: Stance) -> None:
    answer = an_answer(WORDS)
    sheet = a_sheet(shared={"M1": answer}, accepted={"M1": ALL})
    taken = {**sheet.positions["M1"], DOOR: (answer.answer_id, stance)}
    sheet = replace(sheet, positions={"M1": taken})
    status = item_standing(TERMS.by_code["M1"], sheet, around())
    assert (status.state, status.waiting_for) == (WorkState.WAITING, (DOOR,))


def test_when_a_party_joins_the_item_waits_for_it() -> None:
    before = stands("M1", an_answer(WORDS), (NPM, DOOR), surroundings=around(*PARTIES[:2]))
    after = stands("M1", an_answer(WORDS), (NPM, DOOR))
    assert before.done
    assert (after.state, after.waiting_for) == (WorkState.WAITING, (LANTERN,))


def test_the_acceptance_of_a_party_that_left_is_not_needed() -> None:
    status = stands("M1", an_answer(WORDS), (NPM, DOOR), surroundings=around(*PARTIES[:2]))
    assert status.done


@pytest.mark.parametrize(
    ("code", "accepts"),
    [
        ("M1", ALL),
        ("M2", NOBODY),
        ("M3", (DOOR, LANTERN)),
        ("M10", (NPM,)),
        ("M7", NOBODY),
    ],
)
def test_the_template_says_who_is_asked(code: str, accepts: tuple[UUID, ...]) -> None:
    parties = accepters(TERMS.by_code[code], around())
    assert tuple(party.organisation_id for party in parties) == accepts


@pytest.mark.parametrize(
    ("code", "writers"),
    [("M1", ALL), ("M2", (NPM,)), ("M3", (NPM,)), ("M10", (DOOR, LANTERN)), ("M7", NOBODY)],
)
def test_the_template_says_who_sets_the_shared_answer(code: str, writers: tuple[UUID, ...]) -> None:
    parties = setters(TERMS.by_code[code], around())
    assert tuple(party.organisation_id for party in parties) == writers


def test_what_the_npm_alone_settles_is_done_when_it_is_whole() -> None:
    status = stands("M2", an_answer({"kind": "police"}))
    assert status.done


def test_the_npm_need_not_accept_what_each_cso_accepts() -> None:
    assert stands("M3", an_answer(WORDS), (DOOR, LANTERN)).done
    assert stands("M3", an_answer(WORDS), (NPM, DOOR)).waiting_for == (LANTERN,)


# Complete answers, as rule 4.4 says


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("M1", {"words": ""}),
        ("M1", {}),
        ("M2", {"kind": None}),
        ("M5", {}),
    ],
)
def test_an_empty_answer_is_as_none(code: str, values: dict[str, Any]) -> None:
    assert stands(code, an_answer(values), ALL).state is WorkState.NOT_STARTED


def test_an_answer_that_is_not_whole_is_in_progress_though_all_accept_it() -> None:
    template = a_template(an_item("M1", a_field(), a_field("more")))
    answer = an_answer(WORDS)
    sheet = a_sheet(shared={"M1": answer}, accepted={"M1": ALL})
    status = item_standing(template.by_code["M1"], sheet, around())
    assert status.state is WorkState.IN_PROGRESS
    assert [str(problem.message) for problem in status.problems] == ["Fill in: More"]
    assert status.waiting_for == ALL


def test_a_done_test_keeps_an_item_from_being_done() -> None:
    own = stands("M5", an_answer({"second_reader": str(OREN)}))
    outside = stands("M5", an_answer({"second_reader": str(SAMIRA)}))
    assert own.done
    assert (outside.state, outside.waiting_for) == (WorkState.IN_PROGRESS, (NPM,))


def test_an_answer_that_names_who_left_is_not_done_any_more() -> None:
    answer = an_answer({"second_reader": str(OREN)})
    later = replace(around(), people=frozenset({ILENA, SAMIRA}))
    status = stands("M5", answer, surroundings=later)
    assert status.state is WorkState.IN_PROGRESS
    assert "no longer takes part" in str(status.problems[0].message)


# Each party its own


def own(*bodies: UUID, values: dict[str, Any] | None = None) -> dict[tuple[str, UUID], Filled]:
    stored = WORDS if values is None else values
    return {("M7", body): an_answer(stored, organisation_id=body) for body in bodies}


@pytest.mark.parametrize(
    ("given", "state", "waiting"),
    [
        (NOBODY, WorkState.NOT_STARTED, ALL),
        ((DOOR,), WorkState.IN_PROGRESS, (NPM, LANTERN)),
        (ALL, WorkState.AGREED, NOBODY),
    ],
)
def test_each_party_answers_for_itself(
    given: tuple[UUID, ...], state: WorkState, waiting: tuple[UUID, ...]
) -> None:
    status = stands("M7", own=own(*given))
    assert (status.state, status.waiting_for) == (state, waiting)


def test_the_answer_of_a_party_that_left_is_not_needed() -> None:
    status = stands("M7", own=own(NPM, DOOR), surroundings=around(*PARTIES[:2]))
    assert status.done


def test_where_each_cso_answers_the_npm_is_not_asked() -> None:
    template = a_template(an_item("M1", a_field(sets="each_cso", accepts="none")))
    answers = {("M1", body): an_answer(WORDS) for body in (DOOR, LANTERN)}
    item = template.by_code["M1"]
    assert item_standing(item, a_sheet(own=answers), around()).done
    assert item_standing(item, a_sheet(), around()).waiting_for == (DOOR, LANTERN)


def test_an_item_of_both_kinds_needs_the_shared_answer_and_each_own() -> None:
    shared = a_field("method", sets="npm", accepts="each_cso")
    received = a_field("received", "confirm", sets="each_party", accepts="none")
    template = a_template(an_item("M1", shared, received))
    item, method = template.by_code["M1"], an_answer({"method": "Interviews"})
    given = {("M1", body): an_answer({"received": True}) for body in ALL}
    whole = a_sheet(shared={"M1": method}, own=given, accepted={"M1": (DOOR, LANTERN)})
    assert item_standing(item, whole, around()).done
    for lacking in (
        a_sheet(shared={"M1": method}, accepted={"M1": (DOOR, LANTERN)}),
        a_sheet(own=given),
        a_sheet(shared={"M1": method}, own=given),
    ):
        status = item_standing(item, lacking, around())
        assert not status.done
        assert status.waiting_for


# Left out (4.2), hidden, not known (4.5)


def test_an_item_left_out_is_done_when_all_accept_that() -> None:
    left_out = an_answer({"reason": "No money moves."}, not_applicable=True)
    assert stands("M6", left_out, (NPM,)).state is WorkState.WAITING
    assert stands("M6", left_out, ALL).done


def test_an_item_left_out_does_not_count_once_it_is_required() -> None:
    left_out = an_answer({"reason": "No data."}, not_applicable=True)
    not_asked = around(questions={"personal_data": "no"})
    surroundings = around(questions={"personal_data": "yes"})
    assert stands("M9", left_out, ALL, surroundings=not_asked).done
    status = stands("M9", left_out, ALL, surroundings=surroundings)
    assert (status.required, status.state) == (True, WorkState.IN_PROGRESS)
    assert "required here" in str(status.problems[0].message)
    assert status.waiting_for == ALL


def test_an_item_left_out_for_all_is_asked_of_no_party() -> None:
    received = a_field("received", "confirm", sets="each_party", accepts="none")
    template = a_template(an_item("M1", a_field(), received, required="recommended"))
    left_out = an_answer({"reason": "None."}, not_applicable=True)
    sheet = a_sheet(shared={"M1": left_out}, accepted={"M1": ALL})
    assert item_standing(template.by_code["M1"], sheet, around()).done


@pytest.mark.parametrize(
    ("kind", "shown", "state", "counts"),
    [
        (None, Truth.NOT_KNOWN, WorkState.NOT_KNOWN, False),
        ("police", Truth.FALSE, WorkState.HIDDEN, False),
        ("prison", Truth.TRUE, WorkState.NOT_STARTED, True),
    ],
)
def test_an_item_is_shown_hidden_or_not_known_yet(
    kind: str | None, shown: Truth, state: WorkState, counts: bool
) -> None:
    others = {"M2": an_answer({"kind": kind})} if kind else {}
    status = stands("M4", others=others)
    assert (status.shown, status.state, status.counts) == (shown, state, counts)
    assert status.required is counts


def test_an_answer_hidden_by_a_changed_condition_counts_no_more() -> None:
    answer = an_answer(WORDS)
    shown = stands("M4", answer, ALL, others={"M2": an_answer({"kind": "prison"})})
    hidden = stands("M4", answer, ALL, others={"M2": an_answer({"kind": "police"})})
    assert shown.done
    assert (hidden.done, hidden.waiting_for, hidden.problems) == (False, NOBODY, ())


def test_what_rests_on_an_item_left_out_is_not_known() -> None:
    left_out = an_answer({"kind": "prison"}, not_applicable=True)
    assert stands("M4", others={"M2": left_out}).shown is Truth.NOT_KNOWN


CHAIN = a_template(
    an_item("M1", a_field("kind", "choice", sets="npm", accepts="none", options=KINDS)),
    an_item(
        "M2",
        a_field("kind", "choice", sets="npm", accepts="none", options=KINDS),
        shown_when={"item": "M1", "field": "kind", "in": ["prison"]},
    ),
    an_item("M3", shown_when={"item": "M2", "field": "kind", "in": ["other"]}),
)


@pytest.mark.parametrize(
    ("first", "states"),
    [
        ("prison", (WorkState.AGREED, WorkState.AGREED)),
        ("police", (WorkState.HIDDEN, WorkState.NOT_KNOWN)),
        (None, (WorkState.NOT_KNOWN, WorkState.NOT_KNOWN)),
    ],
)
def test_an_answer_that_is_hidden_settles_nothing(
    first: str | None, states: tuple[WorkState, WorkState]
) -> None:
    shared = {"M2": an_answer({"kind": "other"}), "M3": an_answer(WORDS)}
    if first:
        shared["M1"] = an_answer({"kind": first})
    status = standing(CHAIN, a_sheet(shared=shared, accepted={"M3": ALL}), around())
    assert (status.items["M2"].state, status.items["M3"].state) == states
    assert "M3" not in status.blocking


@pytest.mark.parametrize(
    ("answer", "required"), [("yes", True), ("not_known", True), ("no", False), (None, True)]
)
def test_an_item_is_required_on_its_condition(answer: str | None, required: bool) -> None:
    questions = {"personal_data": answer} if answer else {}
    surroundings = around(questions=questions)
    assert is_required(TERMS.by_code["M9"], a_sheet(), surroundings) is required


# The whole checklist


def whole_sheet(*, leave: tuple[str, ...] = (), surroundings: Surroundings | None = None) -> Sheet:
    """Return a sheet on which everything is answered and accepted except what is left."""
    here = surroundings or around()
    answers: dict[tuple[str, AnswerScope, UUID], Filled] = {}
    positions: dict[str, dict[UUID, tuple[UUID | None, Stance]]] = {}
    for item in TERMS.items:
        for scope in () if item.code in leave else item.scopes:
            values = Writer(item, here, frozenset({ILENA})).write(scope)
            owners = [CHECKLIST] if scope is AnswerScope.SHARED else list(ALL)
            for owner in owners:
                answers[item.code, scope, owner] = an_answer(values)
        shared = answers.get((item.code, AnswerScope.SHARED, CHECKLIST))
        if shared:
            positions[item.code] = {
                party.organisation_id: (shared.answer_id, Stance.ACCEPTS)
                for party in accepters(item, here)
            }
    return Sheet(CHECKLIST, answers, positions, frozenset({ILENA}))


def test_a_checklist_is_complete_when_all_that_is_required_is_agreed() -> None:
    status = standing(TERMS, whole_sheet(), around())
    # M4 is hidden: M2 says police.
    assert (status.is_complete, status.blocking) == (True, ())
    assert (status.done_count, status.total_count) == (9, 9)
    assert set(status.waiting.values()) == {0}


@pytest.mark.parametrize("code", ["M1", "M2", "M3", "M5", "M7", "M9", "M10"])
def test_each_required_item_holds_up_signing(code: str) -> None:
    status = standing(TERMS, whole_sheet(leave=(code,)), around())
    assert (status.is_complete, status.blocking) == (False, (code,))
    assert (status.done_count, status.total_count) == (8, 9)


def test_a_recommended_item_blocks_nothing_until_it_is_started() -> None:
    assert standing(TERMS, whole_sheet(leave=("M6",)), around()).is_complete
    sheet = whole_sheet()
    begun = replace(sheet, positions={**sheet.positions, "M6": {}})
    assert standing(TERMS, begun, around()).blocking == ("M6",)


def test_a_live_list_never_holds_up_signing() -> None:
    assert TERMS.by_code["M8"].part is Part.PEOPLE
    assert standing(TERMS, whole_sheet(leave=("M8",)), around()).is_complete
    sheet = whole_sheet()
    open_list = replace(sheet, positions={**sheet.positions, "M8": {}})
    assert standing(TERMS, open_list, around()).is_complete


def test_it_is_counted_how_many_items_wait_for_each_party() -> None:
    sheet = whole_sheet()
    for code in ("M1", "M3"):
        remaining = {b: p for b, p in sheet.positions[code].items() if b != LANTERN}
        sheet = replace(sheet, positions={**sheet.positions, code: remaining})
    assert standing(TERMS, sheet, around()).waiting == {NPM: 0, DOOR: 0, LANTERN: 2}


def test_the_text_of_a_stopped_visit_waits_for_nobody_and_is_no_more_agreed_for_that() -> None:
    stopped = replace(around(), visit_is_stopped=True)
    sheet = whole_sheet()
    remaining = {b: p for b, p in sheet.positions["M1"].items() if b != LANTERN}
    sheet = replace(sheet, positions={**sheet.positions, "M1": remaining})
    before, after = standing(TERMS, sheet, around()), standing(TERMS, sheet, stopped)
    assert after.waiting == after.unread == dict.fromkeys(ALL, 0)
    assert (after.done_count, after.blocking) == (before.done_count, before.blocking)
    status = after.items["M1"]
    assert (status.state, status.done, status.is_ended) == (WorkState.WAITING, False, True)
    assert work_of(status, LANTERN) == NOT_AGREED
    assert work_of(after.items["M3"], LANTERN) == WORK[WorkState.AGREED]
    assert not before.items["M1"].is_ended
    copy = stands("M1", copied(), ALL, surroundings=stopped)
    assert (copy.waiting_for, copy.unread_by, copy.done) == (NOBODY, NOBODY, False)


def test_nothing_is_left_on_the_text_of_a_stopped_visit() -> None:
    stopped = replace(around(), visit_is_stopped=True)
    for here, is_left in ((around(), True), (stopped, False)):
        status = stands("M1", surroundings=here)
        assert is_left_to(DOOR, TERMS.by_code["M1"], status, here) is is_left


def test_items_of_each_person_are_no_part_of_a_checklists_progress() -> None:
    person = a_field("read", "confirm", sets="each_person", accepts="none")
    template = a_template(an_item("M1"), an_item("M2", person, part="person"))
    status = standing(template, a_sheet(), around())
    assert list(status.items) == ["M1"]
    assert status.blocking == ("M1",)


# Properties

STANCES = st.sampled_from([None, Stance.ACCEPTS, Stance.WANTS_CHANGE, Stance.WANTS_TALK])
CODES = [item.code for item in TERMS.items]
KINDS_OF_ANSWER = ("none", "empty", "whole", "wrong", "left out")


@st.composite
def an_item_filled(draw: st.DrawFn, item: Item, here: Surroundings) -> tuple[Any, Any]:
    """Draw an item's shared answer, in any state, and any positions on it or on an older one."""
    values = {
        "none": None,
        "empty": {},
        "whole": Writer(item, here, frozenset({ILENA})).write(AnswerScope.SHARED),
        "wrong": {"second_reader": str(SAMIRA)} if item.code == "M5" else {"unknown": "x"},
        "left out": {"reason": "None."},
    }
    kind = draw(st.sampled_from(KINDS_OF_ANSWER))
    if item.code == "M2" and kind == "whole":
        values["whole"] = {"kind": draw(st.sampled_from(["police", "prison"]))}
    given_values = values[kind]
    if given_values is None or AnswerScope.SHARED not in item.scopes:
        return None, {}
    answer = an_answer(given_values, version=2, not_applicable=kind == "left out")
    older = UUID(int=1000)
    positions = {}
    for body in ALL:
        stance = draw(STANCES)
        if stance is not None:
            positions[body] = (draw(st.sampled_from([answer.answer_id, older])), stance)
    return answer, positions


@st.composite
def situations(draw: st.DrawFn) -> tuple[Sheet, Surroundings]:
    """Draw any checklist in any state, with any current parties."""
    parties = draw(st.sampled_from([PARTIES, PARTIES[:2], (PARTIES[0], PARTIES[2])]))
    answer = draw(st.sampled_from(["yes", "no", "not_known"]))
    here = around(*parties, questions={"personal_data": answer})
    answers: dict[tuple[str, AnswerScope, UUID], Filled] = {}
    positions: dict[str, dict[UUID, tuple[UUID | None, Stance]]] = {}
    for item in TERMS.items:
        shared, taken = draw(an_item_filled(item, here))
        if shared is not None:
            answers[item.code, AnswerScope.SHARED, CHECKLIST] = shared
            positions[item.code] = taken
    for body in draw(st.sets(st.sampled_from(ALL))):
        answers["M7", AnswerScope.PARTY, body] = an_answer(draw(st.sampled_from([WORDS, {}])))
    return Sheet(CHECKLIST, answers, positions, frozenset({ILENA})), here


def accepters_of(item: Item, here: Surroundings) -> list[UUID]:
    """Determine in another way whose acceptance an item needs."""
    sides = {
        Accepts.ALL: {OrganisationKind.NPM, OrganisationKind.CSO},
        Accepts.EACH_CSO: {OrganisationKind.CSO},
        Accepts.NPM: {OrganisationKind.NPM},
        Accepts.NONE: set(),
    }[item.fields[0].accepts]
    return [party.organisation_id for party in here.parties if party.side in sides]


THOROUGH = settings(max_examples=tries(40, 120), suppress_health_check=[HealthCheck.too_slow])


@THOROUGH
@given(situations())
def test_never_agreed_while_a_current_party_has_not_accepted_exactly_the_current_version(
    situation: tuple[Sheet, Surroundings],
) -> None:
    sheet, here = situation
    for code, item_status in standing(TERMS, sheet, here).items.items():
        answer = sheet.shared(code)
        for body in accepters_of(TERMS.by_code[code], here):
            position = sheet.positions.get(code, {}).get(body)
            accepts = answer is not None and position == (answer.answer_id, Stance.ACCEPTS)
            assert accepts or item_status.state is not WorkState.AGREED


@THOROUGH
@given(situations())
def test_progress_is_never_overstated(situation: tuple[Sheet, Surroundings]) -> None:
    sheet, here = situation
    status = standing(TERMS, sheet, here)
    kind = sheet.value("M2", "kind")
    counted = [code for code in CODES if code != "M4" or kind == "prison"]
    truly = [code for code in counted if is_truly_done(code, sheet, here)]
    assert status.total_count == len(counted)
    assert status.done_count == len(truly)
    assert status.done_count <= status.total_count


def is_truly_done(code: str, sheet: Sheet, here: Surroundings) -> bool:
    """Judge an item of the small terms by hand."""
    if code == "M7":
        bodies = [party.organisation_id for party in here.parties]
        return all((a := sheet.of_party("M7", body)) and a.values == WORDS for body in bodies)
    answer = sheet.shared(code)
    if answer is None:
        return False
    may_be_left_out = code == "M6" or (code == "M9" and here.questions["personal_data"] == "no")
    if answer.not_applicable:
        whole = may_be_left_out
    elif code == "M5":
        whole = answer.values.get("second_reader") == str(OREN)
    else:
        whole = bool(answer.values.get("kind" if code == "M2" else "words"))
    return whole and not_accepting(TERMS.by_code[code], sheet, here) == ()


@THOROUGH
@given(situations(), st.booleans())
def test_an_item_whose_condition_is_not_known_never_counts(
    situation: tuple[Sheet, Surroundings], answered: bool
) -> None:
    sheet, here = situation
    answers = {key: answer for key, answer in sheet.answers.items() if key[0] not in {"M2", "M4"}}
    positions = {code: taken for code, taken in sheet.positions.items() if code != "M4"}
    without = standing(TERMS, replace(sheet, answers=answers, positions=positions), here)
    if answered:
        answer = an_answer(WORDS)
        answers["M4", AnswerScope.SHARED, CHECKLIST] = answer
        positions["M4"] = dict.fromkeys(ALL, (answer.answer_id, Stance.ACCEPTS))
    status = standing(TERMS, replace(sheet, answers=answers, positions=positions), here)
    assert status.items["M4"].state is WorkState.NOT_KNOWN
    assert not status.items["M4"].counts
    assert (status.done_count, status.total_count) == (without.done_count, without.total_count)
    assert status.waiting == without.waiting


@THOROUGH
@given(situations())
def test_complete_means_that_nothing_required_and_nothing_begun_is_open(
    situation: tuple[Sheet, Surroundings],
) -> None:
    sheet, here = situation
    status = standing(TERMS, sheet, here)
    signed = [code for code in CODES if TERMS.by_code[code].part is Part.TERMS]
    shown = [code for code in signed if status.items[code].shown is Truth.TRUE]
    is_open = [
        code
        for code in shown
        if not status.items[code].done
        and (status.items[code].required or status.items[code].state is not WorkState.NOT_STARTED)
    ]
    assert list(status.blocking) == is_open
    assert status.is_complete is not bool(is_open)


@THOROUGH
@given(situations())
def test_a_required_item_that_is_not_done_always_waits_for_somebody(
    situation: tuple[Sheet, Surroundings],
) -> None:
    sheet, here = situation
    status = standing(TERMS, sheet, here)
    for code, item_status in status.items.items():
        if item_status.required and item_status.counts and not item_status.done:
            assert item_status.waiting_for, code
        if item_status.done:
            assert item_status.waiting_for == (), code
    assert status.waiting == {
        party.organisation_id: sum(
            party.organisation_id in item_status.waiting_for
            for item_status in status.items.values()
            if item_status.counts
        )
        for party in here.parties
    }


@THOROUGH
@given(situations(), st.sampled_from(CODES), st.sampled_from(ALL))
def test_taking_a_yes_away_makes_nothing_more_done(
    situation: tuple[Sheet, Surroundings], code: str, body: UUID
) -> None:
    sheet, here = situation
    taken = {b: p for b, p in sheet.positions.get(code, {}).items() if b != body}
    fewer = standing(TERMS, replace(sheet, positions={**sheet.positions, code: taken}), here)
    assert done(fewer) <= done(standing(TERMS, sheet, here))


@THOROUGH
@given(situations())
def test_a_party_that_joins_makes_nothing_more_done(
    situation: tuple[Sheet, Surroundings],
) -> None:
    sheet, here = situation
    joined = replace(here, parties=PARTIES)
    assert done(standing(TERMS, sheet, joined)) <= done(standing(TERMS, sheet, here))


def done(status: ChecklistStatus) -> set[str]:
    return {code for code, item_status in status.items.items() if item_status.done}


# What is left for a party to do, if one of its people looks after the item


@pytest.mark.parametrize(
    ("code", "concerned"),
    [
        ("M1", ALL),
        ("M2", (NPM,)),
        ("M3", ALL),
        ("M7", ALL),
        ("M10", ALL),
    ],
)
def test_an_item_concerns_who_writes_and_who_accepts_it(
    code: str, concerned: tuple[UUID, ...]
) -> None:
    item = TERMS.by_code[code]
    assert tuple(body for body in ALL if concerns(body, item, around())) == concerned
    assert not concerns(ILENA, item, around())


def left(code: str, status: ItemStatus, surroundings: Surroundings | None = None) -> set[UUID]:
    item, here = TERMS.by_code[code], surroundings or around()
    return {body for body in ALL if is_left_to(body, item, status, here)}


@pytest.mark.parametrize(
    ("code", "answer", "accepted", "expected"),
    [
        ("M1", None, NOBODY, ALL),
        ("M1", an_answer(WORDS), (NPM,), (DOOR, LANTERN)),
        ("M1", an_answer(WORDS), ALL, NOBODY),
        ("M2", None, NOBODY, (NPM,)),
        ("M3", None, NOBODY, (NPM,)),
        ("M3", an_answer(WORDS), NOBODY, (DOOR, LANTERN)),
        ("M6", None, NOBODY, ALL),
        ("M6", an_answer(WORDS), (DOOR,), (NPM, LANTERN)),
        ("M10", None, NOBODY, (DOOR, LANTERN)),
    ],
)
def test_items_left_are_pending_ones_and_recommended_ones_not_started(
    code: str, answer: Filled | None, accepted: tuple[UUID, ...], expected: tuple[UUID, ...]
) -> None:
    assert left(code, stands(code, answer, accepted)) == set(expected)


def test_what_each_party_answers_is_left_to_those_who_have_not() -> None:
    assert left("M7", stands("M7")) == set(ALL)
    status = stands("M7", own={("M7", DOOR): an_answer(WORDS)})
    assert left("M7", status) == {NPM, LANTERN}


@pytest.mark.parametrize("kind", ["police", None])
def test_nothing_is_left_on_an_item_that_does_not_apply_or_may_not(kind: str | None) -> None:
    others = {"M2": an_answer({"kind": kind})} if kind else None
    assert left("M4", stands("M4", others=others)) == set()


# A proposal waits for those who may answer it


def proposed(
    code: str, accepted: tuple[UUID, ...], *by: UUID, surroundings: Surroundings | None = None
) -> ItemStatus:
    """Return the state of an answered item to which some parties suggested changes."""
    sheet = a_sheet(shared={code: an_answer(WORDS)}, accepted={code: accepted})
    sheet = replace(sheet, proposed={code: frozenset(by)})
    return item_standing(TERMS.by_code[code], sheet, surroundings or around())


@pytest.mark.parametrize(
    ("code", "accepted", "by", "waiting"),
    [
        ("M1", (NPM, LANTERN), (DOOR,), (NPM, LANTERN)),
        ("M1", (NPM,), (DOOR,), (NPM, LANTERN)),
        ("M1", (LANTERN,), (NPM,), (DOOR, LANTERN)),
        ("M1", (LANTERN,), (NPM, DOOR), ALL),
        # Only the NPM answers proposals for what only the NPM writes (S6).
        ("M3", (LANTERN,), (DOOR,), (NPM,)),
        ("M3", NOBODY, (DOOR,), (NPM, LANTERN)),
        ("M10", NOBODY, (NPM,), (DOOR, LANTERN)),
        # A party that accepts the answer has withdrawn its proposal.
        ("M1", ALL, (DOOR,), NOBODY),
    ],
)
def test_other_words_wait_for_those_who_may_answer_them(
    code: str, accepted: tuple[UUID, ...], by: tuple[UUID, ...], waiting: tuple[UUID, ...]
) -> None:
    status = proposed(code, accepted, *by)
    assert status.waiting_for == waiting
    assert status.done is not bool(waiting)


def test_where_nobody_is_left_to_answer_it_stays_with_who_proposed() -> None:
    alone = proposed("M1", NOBODY, NPM, surroundings=around(PARTIES[0]))
    assert (alone.waiting_for, alone.done) == ((NPM,), False)


# How CSOs were chosen is the NPM's to say

PARTNERS = item_of(
    a_table("parties", a_column("party", "party")),
    a_table("selection", a_column("party", "party"), a_column("criteria")),
    done={
        "checks": [
            {"check": "row_per_party", "field": "parties", "column": "party"},
            {"check": "row_per_cso", "field": "selection", "column": "party"},
        ]
    },
)


@pytest.mark.parametrize(
    ("rows", "chosen", "by", "waiting", "to_accept"),
    [
        # A CSO's own row is still its own to write.
        ((NPM, DOOR), (DOOR,), (), (NPM, LANTERN), NOBODY),
        (ALL, (DOOR,), (), (NPM,), NOBODY),
        # Once the NPM has suggested its row, the others answer that.
        (ALL, (DOOR,), (NPM,), (DOOR, LANTERN), NOBODY),
        ((NPM, DOOR), (DOOR, LANTERN), (), ALL, (NPM, DOOR)),
        (ALL, (DOOR, LANTERN), (), ALL, ALL),
    ],
)
def test_how_a_partner_was_chosen_waits_for_the_npm_and_not_for_the_partner(
    rows: tuple[UUID, ...],
    chosen: tuple[UUID, ...],
    by: tuple[UUID, ...],
    waiting: tuple[UUID, ...],
    to_accept: tuple[UUID, ...],
) -> None:
    values = {
        "parties": [{"party": str(party)} for party in rows],
        "selection": [{"party": str(party), "criteria": "Known nurses."} for party in chosen],
    }
    sheet = a_sheet(shared={"M1": an_answer(values)})
    sheet = replace(sheet, proposed={"M1": frozenset(by)})
    status = item_standing(PARTNERS, sheet, around())
    assert (status.waiting_for, status.to_accept) == (waiting, to_accept)
