"""Outside bodies in answers: chosen from the list, flagged by rule, frozen with their names."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import a_column, a_field, a_table, a_template, an_item
from tests.integration.checklists.test_pages import Users, item
from tracker.agreements.document import document, languages_for
from tracker.checklists.negotiation import hints
from tracker.checklists.rules.values import WrongTypeError
from tracker.cooperations import outside_bodies
from tracker.cooperations.models import BodyKind
from tracker.cooperations.outside_bodies import OutsideBody
from tracker.core import canonical

DECIDED: dict[str, Any] = {
    "key": "decided_outside",
    "powers": ["publication"],
    "because": "A body other than the NPM clears what is published.",
    "statement": "S6",
    "passage": "settling-terms/independence",
    "column": "cleared_by",
    "outside_npm": True,
}
CLEARING = a_table(
    "uses",
    a_column("cleared_by", "body"),
    a_column("person", "line", required=False, names_who=True),
    a_column("note", required=False),
    rows={"fixed": [{"key": "report", "label": "Report"}]},
    limits=[DECIDED],
)


@pytest.fixture
def users(app: Flask, session: Session) -> Users:
    template = a_template(
        an_item("M1", CLEARING), an_item("M2", a_field("consulted", "body")), an_item("M3")
    )
    return Users(app, set_out(session, template=template))


@pytest.fixture
def negotiation(users: Users) -> Negotiation:
    return users.negotiation


def a_ministry(
    negotiation: Negotiation, first: str = "samira", name: str = "Ministry of Justice"
) -> OutsideBody:
    body = outside_bodies.add(
        negotiation[first], negotiation.cooperation, name=name, kind=BodyKind.MINISTRY
    )
    negotiation.session.commit()
    return body


def cleared_by(negotiation: Negotiation, body_id: UUID, *, seen: int = 0) -> None:
    rows = [{"_row": "report", "cleared_by": str(body_id)}]
    negotiation.save("ilena", "M1", seen=seen, uses=rows)


def test_a_ministry_that_clears_is_flagged_by_rule(negotiation: Negotiation) -> None:
    ministry = a_ministry(negotiation)
    cleared_by(negotiation, ministry.id)
    negotiation.checklist()
    negotiation.session.commit()
    (flag,) = negotiation.loaded().flags
    assert (flag.item, flag.rule, flag.closed_at) == ("M1", "decided_outside", None)
    cleared_by(negotiation, negotiation.country.id("npm"), seen=1)
    negotiation.checklist()
    negotiation.session.commit()
    negotiation.session.expire_all()
    assert negotiation.loaded().flags[0].closed_at is not None


def test_a_body_that_is_typed_instead_of_chosen_is_asked_about(negotiation: Negotiation) -> None:
    npm, warden = str(negotiation.country.id("npm")), "The warden"
    row = {"_row": "report", "cleared_by": npm, "note": warden}
    negotiation.save("ilena", "M1", uses=[row])
    assert hints.waiting_for_reader(negotiation.loaded()) == ()
    negotiation.save("ilena", "M1", seen=1, uses=[row | {"person": warden}])
    (hint,) = hints.waiting_for_reader(negotiation.loaded())
    assert (hint.hint.phrase, hint.hint.words) == ("outside_body", ("warden",))


def test_a_body_that_is_not_listed_cannot_be_named(negotiation: Negotiation) -> None:
    for named in (uuid4(), negotiation.country.id("bridge")):
        with pytest.raises(WrongTypeError):
            negotiation.save("ilena", "M2", consulted=str(named))
    negotiation.save("ilena", "M2", consulted=str(negotiation.country.id("door")))
    negotiation.save("ilena", "M2", seen=1, consulted=str(a_ministry(negotiation).id))
    assert negotiation.standing("M2").problems == ()


def test_one_that_was_removed_is_shown_and_is_to_be_replaced(negotiation: Negotiation) -> None:
    ministry = a_ministry(negotiation)
    negotiation.save("ilena", "M2", consulted=str(ministry.id))
    outside_bodies.remove(negotiation["ilena"], negotiation.cooperation, ministry.id)
    negotiation.session.commit()
    (problem,) = negotiation.standing("M2").problems
    assert "names a body that is no longer listed" in str(problem.message)
    assert negotiation.loaded().names.bodies[ministry.id] == "Ministry of Justice"
    with pytest.raises(WrongTypeError):
        negotiation.save("ilena", "M2", seen=1, consulted=str(ministry.id))


def test_the_frozen_text_has_its_name(negotiation: Negotiation) -> None:
    negotiation.save("ilena", "M2", consulted=str(a_ministry(negotiation).id))
    negotiation.accept("M2", "samira", "joana")
    loaded = negotiation.loaded()
    frozen = document(loaded, [], [], languages_for(loaded.checklist.template, [], ""))
    assert "Ministry of Justice" in canonical.to_bytes(frozen).decode()


def test_the_form_offers_parties_and_bodies_and_leads_to_the_list(users: Users) -> None:
    a_ministry(users.negotiation)
    page = users.page("ilena", "/items/M2/answer")
    for words in ("Open Door Legal Aid", "Ministry of Justice (Ministry)"):
        assert words in page.text
    assert f"/cooperations/{users.negotiation.cooperation.reference}/outside-bodies" in page.html
    # The text names the button as the button names itself.
    assert "Is a body missing from the list? Press “Save answer”, then" in page.text
    assert "outside bodies" not in users.page("ilena", "/items/M3/answer").text


def test_it_is_chosen_on_a_page_and_shown_by_its_name(users: Users) -> None:
    body = a_ministry(users.negotiation)
    page = users.submit("ilena", "/items/M2/answer", consulted=str(body.id))
    assert "Ministry of Justice" in item(page, "M2")
    assert "Ministry of Justice" in item(users.page("samira"), "M2")
