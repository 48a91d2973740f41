"""Filling in a checklist: who writes what, which version is saved, what a change reopens.

In one file: the verbs of filling in, which check the same counts.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.cooperations import bring_in
from tests.factories.negotiations import QUESTIONS, Negotiation, set_out
from tests.factories.templates import a_column, a_table, a_template, an_item
from tracker.accounts.people import service as accounts
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import service
from tracker.checklists.models import (
    Answer,
    ChecklistParty,
    ChecklistState,
    Position,
    Stance,
)
from tracker.checklists.negotiation import positions
from tracker.checklists.rules.completeness import WorkState
from tracker.checklists.rules.values import WrongTypeError
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Mode
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.organisations import service as organisations
from tracker.organisations.models import Organisation

SHARED, PARTY, PERSON = AnswerScope.SHARED, AnswerScope.PARTY, AnswerScope.PERSON
Attempt = Callable[[], object]


def counts(negotiation: Negotiation) -> tuple[int, int, bool]:
    """Return the counts of the terms that lists show, as stored."""
    checklist = negotiation.checklist()
    return checklist.done_count, checklist.total_count, checklist.is_complete


def waits(negotiation: Negotiation) -> dict[str, int]:
    rows = negotiation.session.scalars(
        sa.select(ChecklistParty).where(ChecklistParty.checklist_id == negotiation.checklist().id)
    )
    by_id = {row.organisation_id: row.waiting_count for row in rows}
    return {key: by_id[negotiation.country.id(key)] for key in ("npm", "door", "lantern")}


def leaves_nothing(
    negotiation: Negotiation, attempt: Attempt, error: type[Exception], words: str
) -> None:
    """Check that an attempt is refused in these words and nothing is stored."""
    before = negotiation.session.scalar(sa.select(sa.func.count()).select_from(Answer))
    with pytest.raises(error, match=words):
        attempt()
    negotiation.session.rollback()
    assert negotiation.session.scalar(sa.select(sa.func.count()).select_from(Answer)) == before


# Start


@pytest.mark.both_databases
def test_a_checklist_begins_empty_for_its_parties(negotiation: Negotiation) -> None:
    checklist = negotiation.checklist()
    assert checklist.state is ChecklistState.DRAFTING
    assert counts(negotiation) == (0, 9, False)
    assert waits(negotiation) == {"npm": 6, "door": 3, "lantern": 3}
    started = [
        details for details in negotiation.events("checklist_started") if details["kind"] == "terms"
    ]
    assert [details["template_version"] for details in started] == [90]


@pytest.mark.both_databases
def test_the_same_checklist_is_not_begun_twice(negotiation: Negotiation) -> None:
    checklist = negotiation.checklist()
    with pytest.raises(sa.exc.IntegrityError):
        service.start(negotiation["ilena"], checklist.cooperation_id, checklist.kind, [])


# Save


def test_saving_an_answer_makes_a_new_version_that_its_party_accepts(
    negotiation: Negotiation,
) -> None:
    saved = negotiation.save("samira", "M1")
    assert (saved.version, saved.is_current) == (1, True)
    assert saved.author_id == negotiation.country.users["samira"].id
    assert saved.organisation_id == negotiation.country.id("door")
    assert negotiation.waiting("M1") == {"npm", "lantern"}
    assert negotiation.standing("M1").state is WorkState.WAITING
    assert negotiation.events("answer_saved")[-1]["organisation"] == "Open Door Legal Aid"
    assert {k: v for k, v in negotiation.events("answer_saved")[-1].items() if k != "who"} == {
        "kind": "terms",
        "item": "M1",
        "version": 1,
        "scope": "shared",
        "organisation": "Open Door Legal Aid",
    }


@pytest.mark.both_databases
def test_a_later_version_reopens_the_positions_of_the_rest(negotiation: Negotiation) -> None:
    first = negotiation.save("ilena", "M1")
    second = negotiation.save("ilena", "M1", seen=1)
    negotiation.accept("M1", "samira", "joana")
    assert negotiation.standing("M1").done
    assert (first.is_current, second.version, second.is_current) == (False, 2, True)
    rows = negotiation.session.scalars(sa.select(Position).where(Position.item == "M1")).all()
    assert {row.answer_id for row in rows if row.is_current} == {second.id}
    assert len([row for row in rows if row.is_current]) == 3


@pytest.mark.both_databases
def test_the_counts_of_lists_follow_each_change(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    assert counts(negotiation) == (0, 9, False)
    assert waits(negotiation) == {"npm": 5, "door": 3, "lantern": 3}
    negotiation.accept("M1", "samira", "joana")
    assert counts(negotiation) == (1, 9, False)
    assert waits(negotiation) == {"npm": 5, "door": 2, "lantern": 2}


def test_the_counts_follow_when_a_named_person_is_suspended_and_restored(
    negotiation: Negotiation,
) -> None:
    oren = negotiation.country.users["oren"].id
    negotiation.save("ilena", "M5", second_reader=str(oren))
    assert counts(negotiation) == (1, 9, False)
    accounts.suspend(negotiation["root"], oren, reason="A lost telephone")
    assert counts(negotiation) == (0, 9, False)
    assert negotiation.standing("M5").state is WorkState.IN_PROGRESS
    accounts.restore(negotiation["root"], oren)
    assert counts(negotiation) == (1, 9, False)


def test_the_counts_follow_when_an_organisation_says_that_it_litigates(session: Session) -> None:
    """S66: what it says about itself is an interest that M14 has to declare."""
    interests = a_table("interests", a_column("party", "party"), a_column("declares"))
    negotiation = set_out(session, template=a_template(an_item("M14", interests)))
    door = session.get_one(Organisation, negotiation.country.id("door"))
    negotiation.save("ilena", "M14", interests=[{"party": str(door.id), "declares": "none"}])
    negotiation.accept("M14", "samira", "joana")
    assert counts(negotiation) == (1, 1, True)
    details = organisations.Details(door.name, types=["human_rights"], litigates=True)
    organisations.change(negotiation["root"], door.id, details, seen_version=door.version)
    assert counts(negotiation) == (0, 1, False)


def test_an_empty_answer_is_refused_and_a_required_one_is_not_emptied(
    negotiation: Negotiation,
) -> None:
    leaves_nothing(
        negotiation,
        lambda: negotiation.save("ilena", "M1", words=""),
        RuleBrokenError,
        "There's nothing to save yet",
    )
    negotiation.save("ilena", "M1")
    leaves_nothing(
        negotiation,
        lambda: negotiation.save("ilena", "M1", seen=1, words=""),
        RuleBrokenError,
        "This item is required, so its answer can't be empty",
    )
    negotiation.save("ilena", "M6")
    assert negotiation.save("ilena", "M6", seen=1, words="").version == 2
    assert negotiation.standing("M6").state is WorkState.NOT_STARTED


def test_a_save_on_another_version_than_the_current_is_stopped(negotiation: Negotiation) -> None:
    """product.md, 4.6: the later save is never silently lost and never silently wins."""
    negotiation.save("ilena", "M1")
    negotiation.save("ilena", "M1", seen=1)
    for seen in (0, 1, 3, -1):
        leaves_nothing(
            negotiation,
            partial(negotiation.save, "joana", "M1", seen=seen),
            StaleError,
            "Somebody else saved this item while you were writing",
        )
        current = negotiation.loaded().sheet.shared("M1")
        assert current is not None
        assert (current.version, current.author_name) == (2, "Ilena Dorvath"), seen


def test_an_answer_another_party_accepted_is_changed_only_by_proposal(
    negotiation: Negotiation,
) -> None:
    """product.md, 4.1."""
    negotiation.save("ilena", "M1")
    negotiation.accept("M1", "samira")
    words = "Another party has accepted this answer. Suggest a change instead"
    leaves_nothing(
        negotiation, lambda: negotiation.save("ilena", "M1", seen=1), RuleBrokenError, words
    )
    leaves_nothing(
        negotiation, lambda: negotiation.save("joana", "M1", seen=1), RuleBrokenError, words
    )


def test_anybody_who_may_write_an_item_fills_in_an_empty_answer(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M6")
    negotiation.save("ilena", "M6", seen=1, words="")
    assert negotiation.save("samira", "M6", seen=2).version == 3
    assert negotiation.waiting("M6") == {"npm", "lantern"}


def test_an_answer_accepted_only_by_ones_own_party_is_changed_directly(
    negotiation: Negotiation,
) -> None:
    negotiation.save("samira", "M1")
    assert negotiation.save("dora", "M1", seen=1).version == 2
    assert negotiation.waiting("M1") == {"npm", "lantern"}


def test_a_former_partys_acceptance_does_not_lock_an_answer(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M1")
    negotiation.accept("M1", "samira")
    service.set_parties(
        negotiation.checklist(), [negotiation.country.id("npm"), negotiation.country.id("lantern")]
    )
    assert negotiation.save("ilena", "M1", seen=1).version == 2


NOT_OURS = "The NPM answers this."


def test_a_person_who_does_not_write_an_item_is_refused_even_without_its_page(
    negotiation: Negotiation,
) -> None:
    no_party = "Only people acting for one of the parties can do this."
    refused: tuple[tuple[str, str, type[Exception], str], ...] = (
        ("samira", "M2", RefusedError, NOT_OURS),
        ("samira", "M3", RefusedError, NOT_OURS),
        ("ilena", "M10", RefusedError, "The partner organisations answer this."),
        ("marek", "M1", RefusedError, no_party),
        ("vesna", "M1", RefusedError, no_party),
        ("ada", "M1", RefusedError, no_party),
        ("root", "M1", RefusedError, no_party),
        ("ilena", "M99", RuleBrokenError, "That item doesn't exist."),
        ("ilena", "M7", RuleBrokenError, "This item has no answer like that."),
        ("ilena", "M4", RuleBrokenError, "We don't know yet whether this item applies"),
    )
    for first, item, error, words in refused:
        leaves_nothing(negotiation, partial(negotiation.save, first, item), error, words)


def test_everybody_in_a_party_except_auditors_may_write(negotiation: Negotiation) -> None:
    for first in ("tomas", "nadia", "petra", "henrik", "dora"):
        saved = service.save_answer(
            negotiation[first],
            negotiation.checklist(),
            "M1",
            SHARED,
            {"words": f"As {first} writes it."},
            base_version=0,
        )
        assert saved.version == 1, first
        negotiation.session.rollback()


def test_values_that_no_form_would_send_are_refused(negotiation: Negotiation) -> None:
    wrong: list[dict[str, Any]] = [
        {"words": 5},
        {"words": ["a"]},
        {"words": "x" * 8001},
        {"words": "a\x00b"},
        {"words": "a\ud800"},
        {"else": "x"},
        {"words": "fine", "else": "x"},
    ]
    for values in wrong:
        attempt = partial(negotiation.save, "ilena", "M1", **values)
        leaves_nothing(negotiation, attempt, WrongTypeError, "answer can't be")
    # Nor can a person be named who does not take part.
    users = negotiation.country.users
    for stranger in (users["marek"].id, users["vesna"].id, uuid4()):
        leaves_nothing(
            negotiation,
            partial(negotiation.save, "ilena", "M5", second_reader=str(stranger)),
            WrongTypeError,
            "answer can't be saved: second_reader",
        )


@pytest.mark.both_databases
def test_words_of_any_kind_are_kept_as_they_are(negotiation: Negotiation) -> None:
    for number, words in enumerate(["<script>alert(1)</script>", "'; DROP TABLE", "شروط", "a\nb"]):
        negotiation.save("ilena", "M1", seen=number, words=words)
        answer = negotiation.loaded().sheet.shared("M1")
        assert answer is not None
        assert answer.values == {"words": words}


# Each party its own; each person their own


def test_each_party_keeps_its_own_answer(negotiation: Negotiation) -> None:
    for first in ("ilena", "samira"):
        service.save_answer(
            negotiation[first],
            negotiation.checklist(),
            "M7",
            PARTY,
            {"words": first},
            base_version=0,
        )
    assert negotiation.waiting("M7") == {"lantern"}
    sheet = negotiation.loaded().sheet
    own = {
        key: sheet.of_party("M7", negotiation.country.id(key)) for key in ("npm", "door", "lantern")
    }
    assert {key: answer and answer.values["words"] for key, answer in own.items()} == {
        "npm": "ilena",
        "door": "samira",
        "lantern": None,
    }
    service.save_answer(
        negotiation["dora"], negotiation.checklist(), "M7", PARTY, {"words": "dora"}, base_version=1
    )
    assert negotiation.waiting("M7") == {"lantern"}


def test_nobody_answers_for_another_party_or_person(negotiation: Negotiation) -> None:
    """S11: the owner of an answer is the person acting, whatever the request says."""
    saved = service.save_answer(
        negotiation["samira"], negotiation.checklist(), "M7", PARTY, {"words": "x"}, base_version=0
    )
    assert saved.owner_id == negotiation.country.id("door")
    with pytest.raises(StaleError):
        service.save_answer(
            negotiation["dora"],
            negotiation.checklist(),
            "M7",
            PARTY,
            {"words": "y"},
            base_version=0,
        )


def test_a_person_who_acts_for_no_organisation_answers_nothing(negotiation: Negotiation) -> None:
    with pytest.raises((RefusedError, RuleBrokenError)):
        service.save_answer(
            negotiation["root"],
            negotiation.checklist(),
            "M7",
            PARTY,
            {"words": "x"},
            base_version=0,
        )


# Left out, hidden, not known


def leave_out(
    negotiation: Negotiation, first: str, item: str, why: str = "No money moves."
) -> Answer:
    current = negotiation.loaded().sheet.shared(item)
    return service.save_answer(
        negotiation[first],
        negotiation.checklist(),
        item,
        SHARED,
        {},
        base_version=current.version if current else 0,
        not_applicable_because=why,
    )


def test_a_recommended_item_may_be_left_out_with_a_reason(negotiation: Negotiation) -> None:
    saved = leave_out(negotiation, "samira", "M6", "  No money moves.  ")
    assert (saved.not_applicable, saved.values) == (True, {"reason": "No money moves."})
    negotiation.accept("M6", "ilena", "joana")
    assert negotiation.standing("M6").done


def test_a_required_item_is_not_left_out(negotiation: Negotiation) -> None:
    """product.md, 4.2."""
    for item, why, words in (
        ("M1", "No money moves.", "required here, so it can't be left out"),
        ("M7", "No money moves.", "has no answer like that"),
        ("M6", "x" * 2001, "at most 2000 characters"),
    ):
        attempt = partial(leave_out, negotiation, "ilena", item, why)
        leaves_nothing(negotiation, attempt, RuleBrokenError, words)


def test_a_conditional_item_appears_and_disappears_with_the_answer_it_depends_on(
    negotiation: Negotiation,
) -> None:
    assert counts(negotiation)[1] == 9
    negotiation.save("ilena", "M2", kind="prison")
    assert counts(negotiation)[1] == 10
    negotiation.settle("M4")
    done = counts(negotiation)[0]
    negotiation.save("ilena", "M2", seen=1, kind="police")
    assert counts(negotiation) == (done - 1, 9, False)
    assert negotiation.standing("M4").state is WorkState.HIDDEN
    # The answer is kept in history.
    assert negotiation.loaded().sheet.shared("M4") is not None
    leaves_nothing(
        negotiation,
        lambda: negotiation.save("ilena", "M4", seen=1),
        RuleBrokenError,
        "does not apply here",
    )
    negotiation.save("ilena", "M2", seen=2, kind="prison")
    assert negotiation.standing("M4").done


# Changes around a checklist


def test_a_change_of_modes_immediately_changes_what_is_required(negotiation: Negotiation) -> None:
    assert negotiation.standing("M9").required is False
    before = waits(negotiation)
    cooperations.set_modes(
        negotiation["ilena"],
        negotiation.cooperation,
        modes=[Mode.VISIT, Mode.INFO_F],
        questions={**QUESTIONS, "personal_data": "yes"},
        version=negotiation.cooperation.version,
    )
    negotiation.session.commit()
    assert negotiation.standing("M9").required
    assert waits(negotiation) == {key: count + 1 for key, count in before.items()}


def test_a_party_that_joins_reopens_what_was_agreed(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    assert counts(negotiation)[0] == 1
    cooperations.join_party(
        negotiation["ilena"], negotiation.cooperation, negotiation.country.id("bridge")
    )
    negotiation.session.commit()
    assert counts(negotiation)[0] == 0
    assert negotiation.standing("M1").state is WorkState.WAITING
    assert negotiation.standing("M1").waiting_for == (negotiation.country.id("bridge"),)
    negotiation.accept("M1", "marek")
    assert negotiation.standing("M1").done


def test_somebody_who_leaves_is_missed_in_the_answers_that_name_them(
    negotiation: Negotiation,
) -> None:
    negotiation.save("ilena", "M5", second_reader=str(negotiation.country.users["oren"].id))
    assert negotiation.standing("M5").done
    assert counts(negotiation)[0] == 1
    cooperations.end_person(
        negotiation["ilena"],
        negotiation.cooperation,
        user_id=negotiation.country.users["oren"].id,
        organisation_id=negotiation.country.id("npm"),
    )
    negotiation.session.commit()
    assert counts(negotiation)[0] == 0
    assert "no longer takes part" in str(negotiation.standing("M5").problems[0].message)
    # The name is still known, for what was written before.
    assert negotiation.loaded().names.people[negotiation.country.users["oren"].id] == "Oren Maki"
    bring_in(negotiation.country, negotiation.cooperation, "oren")
    assert negotiation.standing("M5").done


@pytest.mark.both_databases
def test_a_live_list_can_be_updated_during_signing_and_afterwards(
    negotiation: Negotiation, session: Session
) -> None:
    """C2 and V13 are not in the signed text."""
    checklist = negotiation.checklist()
    negotiation.settle("M8")
    for state in (ChecklistState.SENT, ChecklistState.IN_FORCE):
        checklist.state = state
        session.commit()
        answer = negotiation.loaded().sheet.shared("M8")
        assert answer is not None
        proposal = positions.propose(
            negotiation["samira"],
            checklist,
            "M8",
            {"words": f"Another list while {state.value}"},
            answer_id=answer.answer_id,
            reason="Somebody came.",
        )
        positions.accept_proposal(negotiation["ilena"], checklist, proposal.id)
        negotiation.accept("M8", "joana")
        assert negotiation.standing("M8").done
        leaves_nothing(
            negotiation,
            lambda: negotiation.save("ilena", "M1"),
            RefusedError,
            "can't be changed|amendment",
        )


def test_after_a_decline_only_the_named_items_are_open(
    negotiation: Negotiation, session: Session
) -> None:
    """product.md, 4.10."""
    negotiation.checklist().open_items = ["M1"]
    session.commit()
    negotiation.save("ilena", "M1")
    leaves_nothing(
        negotiation, lambda: negotiation.save("ilena", "M6"), RefusedError, "This item stays agreed"
    )
    assert negotiation.save("ilena", "M8").version == 1


def test_accepts_is_the_only_stance_that_is_kept_with_a_save(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M3")
    # The NPM is not asked to accept what it writes for each CSO.
    rows = negotiation.session.scalars(sa.select(Position).where(Position.item == "M3")).all()
    assert rows == []
    negotiation.save("samira", "M10")
    assert negotiation.waiting("M10") == {"npm"}
    negotiation.accept("M10", "ilena")
    row = negotiation.session.scalars(sa.select(Position).where(Position.item == "M10")).one()
    assert (row.stance, row.organisation_id) == (Stance.ACCEPTS, negotiation.country.id("npm"))
