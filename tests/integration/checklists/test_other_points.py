"""Points that parties add to a checklist for their own cooperation (domain.md, 2.6)."""

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories.checklists import flag_term
from tests.factories.negotiations import Negotiation
from tests.integration.checklists.test_pages import Users, item
from tracker.agreements import frozen_text
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import obstacles, service
from tracker.checklists.models import ChecklistState
from tracker.core.errors import RuleBrokenError
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision

POINT = {"title": "Keys of the archive", "text": "The NPM keeps them. Each side has a veto."}


def frozen(negotiation: Negotiation) -> dict[str, object]:
    revision = negotiation.session.scalars(sa.select(Revision)).one()
    return dict(frozen_text.values_in(signoff.document_of(revision, None), "M21"))


def test_terms_without_other_points_are_signed_and_hold_none(
    shipped_negotiation: Negotiation,
) -> None:
    negotiation = shipped_negotiation
    before = negotiation.loaded().standing().total_count
    negotiation.sign()
    assert frozen(negotiation) == {}
    loaded = negotiation.loaded()
    assert loaded.standing().items["M21"].is_unused
    assert loaded.standing().total_count == before


def test_a_point_is_negotiated_and_holds_up_until_all_accept_it(
    shipped_negotiation: Negotiation,
) -> None:
    negotiation = shipped_negotiation
    negotiation.save("samira", "M21", points=[POINT])
    assert negotiation.waiting("M21") == {"npm", "lantern"}
    assert "M21" in negotiation.loaded().standing().blocking
    negotiation.accept("M21", "ilena", "joana")
    assert negotiation.standing("M21").done
    assert "M21" not in negotiation.loaded().standing().blocking


def test_a_point_that_is_taken_back_waits_for_nobody_again(
    shipped_negotiation: Negotiation,
) -> None:
    negotiation = shipped_negotiation
    negotiation.save("samira", "M21", points=[POINT])
    negotiation.save("samira", "M21", seen=1, points=[])
    assert negotiation.waiting("M21") == set()
    assert negotiation.standing("M21").is_unused
    assert "M21" not in negotiation.loaded().standing().blocking


def test_a_point_can_be_flagged_and_then_holds_up_sending(shipped_negotiation: Negotiation) -> None:
    negotiation = shipped_negotiation
    negotiation.save("samira", "M21", points=[POINT])
    flag_term(negotiation["joana"], negotiation.checklist(), "M21", "A veto limits the NPM.")
    negotiation.session.commit()
    assert negotiation.loaded().flagged == frozenset({"M21"})
    reasons = list(map(str, obstacles.to_sending(negotiation.loaded())))
    assert "There's an open flag on “Other agreed points”." in reasons


def test_points_are_frozen_and_signed_with_the_rest(shipped_negotiation: Negotiation) -> None:
    negotiation = shipped_negotiation
    negotiation.save("ilena", "M21", points=[POINT])
    negotiation.accept("M21", "samira", "joana")
    checklist = negotiation.sign()
    assert checklist.state is ChecklistState.IN_FORCE
    assert frozen(negotiation) == {"points": [POINT]}


def test_other_points_are_left_empty_and_not_left_out(shipped_negotiation: Negotiation) -> None:
    negotiation = shipped_negotiation
    with pytest.raises(RuleBrokenError, match="This item is optional"):
        service.save_answer(
            negotiation["ilena"],
            negotiation.checklist(),
            "M21",
            AnswerScope.SHARED,
            {},
            base_version=0,
            not_applicable_because="There is nothing.",
        )


def test_the_second_checklist_has_other_points_too(shipped_negotiation: Negotiation) -> None:
    status = shipped_negotiation.loaded(ChecklistKind.CONFIDENTIALITY).standing().items["C19"]
    assert (status.optional, status.required, status.waiting_for) == (True, False, ())


def test_the_page_says_that_it_is_optional_and_points_at_risky_words(
    app: Flask, shipped_negotiation: Negotiation
) -> None:
    negotiation = shipped_negotiation
    users = Users(app, negotiation)
    shown = item(users.page("ilena"), "M21")
    assert "Optional" in shown
    assert "Nothing added" in shown
    assert "Not applicable" not in shown
    negotiation.save("ilena", "M21", points=[POINT])
    shown = item(users.page("samira"), "M21")
    assert "Keys of the archive" in shown
    assert "Here, veto can limit the NPM." in shown
    assert "Nothing added" not in shown
