"""In whatever order things happen, only what is agreed counts as agreed."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.effort import tries
from tests.factories.evidence import truth
from tests.factories.evidence.truth import Book, Version
from tests.factories.templates import (
    CHECKLIST,
    DOOR,
    ILENA,
    LANTERN,
    NPM,
    OREN,
    PARTIES,
    SAMIRA,
    a_template,
    an_answer,
)
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists.models import Stance
from tracker.checklists.rules.completeness import standing
from tracker.checklists.rules.facts import Filled, Sheet, Surroundings
from tracker.cooperations.models import Mode

SIDES = {party.organisation_id: party.side.value for party in PARTIES}
CODES = [f"M{n}" for n in range(1, 12)]
BODIES = st.sampled_from([NPM, DOOR, LANTERN])
MODES = st.sets(st.sampled_from(["VISIT", "PROJ", "ADVIS", "EXP"]))


class AnyOrder(RuleBasedStateMachine):
    """Answers, positions, parties, people and ways of working, in any order."""

    book: Book

    @initialize(items=truth.checklists())
    def begin(self, items: list[dict[str, Any]]) -> None:
        self.template = a_template(*items)
        self.book = Book(items, dict(list(SIDES.items())[:2]), {ILENA, OREN, SAMIRA})

    @rule(data=st.data(), code=st.sampled_from(CODES), body=BODIES)
    def answer(self, data: st.DataObject, code: str, body: UUID) -> None:
        if self.book.fields(code) and body in self.book.setters(code):
            self._add(code, body, data.draw(truth.answers(code, (OREN, ILENA))))

    @rule(code=st.sampled_from(["M2", "M4", "M6", "M10"]), body=BODIES)
    def leave_out(self, code: str, body: UUID) -> None:
        if body in self.book.setters(code) and not self.book.is_required(code):
            self._add(code, body, {"reason": "None."}, left_out=True)

    def _add(self, code: str, body: UUID, values: Mapping[str, Any], **more: bool) -> None:
        story = self.book.stories[code]
        story.versions.append(Version(len(story.versions) + 1, values, **more))
        story.stances[body] = (len(story.versions), truth.ACCEPTS)

    @rule(data=st.data(), code=st.sampled_from(["M8", "M9"]), body=BODIES)
    def answer_for_itself(self, data: st.DataObject, code: str, body: UUID) -> None:
        values = data.draw(st.fixed_dictionaries(truth.OWN[code]))
        self.book.stories[code].own.setdefault(body, []).append(values)

    @rule(
        code=st.sampled_from(CODES),
        body=BODIES,
        stance=st.sampled_from(["accepts", "accepts", "wants_change", "wants_talk"]),
        behind=st.sampled_from([0, 0, 0, 1]),
    )
    def say(self, code: str, body: UUID, stance: str, behind: int) -> None:
        """Take a position on the current version, or on an earlier one."""
        story = self.book.stories[code]
        if len(story.versions) > behind:
            story.stances[body] = (len(story.versions) - behind, stance)

    @rule(code=st.sampled_from(CODES))
    def all_accept(self, code: str) -> None:
        story = self.book.stories[code]
        for body in self.book.parties if story.versions else ():
            story.stances[body] = (len(story.versions), truth.ACCEPTS)

    @rule(body=BODIES)
    def join(self, body: UUID) -> None:
        self.book.parties[body] = SIDES[body]

    @precondition(lambda self: len(self.book.parties) > 1)
    @rule(body=st.sampled_from([DOOR, LANTERN]))
    def leave(self, body: UUID) -> None:
        self.book.parties.pop(body, None)

    @rule(modes=MODES)
    def work_in_other_ways(self, modes: set[str]) -> None:
        self.book.modes = modes

    @rule(given=st.sampled_from(["yes", "no", "not_known"]))
    def answer_the_question(self, given: str) -> None:
        self.book.questions = {"personal_data": given}

    @rule()
    def oren_leaves_or_comes_back(self) -> None:
        self.book.people ^= {OREN}

    # What the rules say about it

    @invariant()
    def each_item_stands_as_it_truly_does(self) -> None:
        book, status = self.book, standing(self.template, self._sheet(), self._around())
        for code, item_status in status.items.items():
            assert item_status.shown.value == ("false", "not_known", "true")[book.shown(code)], code
            assert item_status.required is book.is_required(code), code
            assert item_status.state.value == book.state(code), code
            assert set(item_status.waiting_for) == book.waits_for(code), code

    @invariant()
    def nothing_is_agreed_that_a_party_has_not_accepted_as_it_stands(self) -> None:
        status = standing(self.template, self._sheet(), self._around())
        agreed = [code for code, item_status in status.items.items() if item_status.done]
        assert [code for code in agreed if self.book.lacking(code)] == []

    @invariant()
    def progress_is_what_is_true(self) -> None:
        book, status = self.book, standing(self.template, self._sheet(), self._around())
        assert status.done_count == len(book.agreed())
        assert status.total_count == len(book.counted())
        assert list(status.blocking) == book.in_the_way()
        assert status.is_complete is not bool(book.in_the_way())
        assert status.waiting == {
            body: sum(body in book.waits_for(code) for code in book.by_code)
            for body in book.parties
        }

    def _sheet(self) -> Sheet:
        answers: dict[tuple[str, AnswerScope, UUID], Filled] = {}
        for code, story in self.book.stories.items():
            for version in story.versions[-1:]:
                answers[code, AnswerScope.SHARED, CHECKLIST] = an_answer(
                    version.values,
                    version.number,
                    answer_id=answer_id(code, version.number),
                    not_applicable=version.left_out,
                )
            for body, given in story.own.items():
                answers[code, AnswerScope.PARTY, body] = an_answer(given[-1])
        positions = {
            code: {
                body: (answer_id(code, number), Stance(stance))
                for body, (number, stance) in story.stances.items()
            }
            for code, story in self.book.stories.items()
        }
        return Sheet(CHECKLIST, answers, positions)

    def _around(self) -> Surroundings:
        parties = [party for party in PARTIES if party.organisation_id in self.book.parties]
        return Surroundings(
            modes=frozenset(Mode(mode) for mode in self.book.modes),
            questions=self.book.questions,
            parties=tuple(parties),
            npm_people=frozenset({ILENA, OREN}),
            people=frozenset(self.book.people),
        )


def answer_id(code: str, number: int) -> UUID:
    return uuid5(CHECKLIST, f"{code} {number}")


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=tries(50, 150), stateful_step_count=30, derandomize=True
)
