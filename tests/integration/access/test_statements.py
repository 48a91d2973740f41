"""Limits on the statements of each main page and action, whatever the number of rows."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.bench.acts import writable
from tests.factories.demonstration import PASSWORD, Demonstration
from tests.factories.visits import JointVisit, planned
from tracker.accounts.factors import second_factor
from tracker.accounts.models import User
from tracker.checklist_templates.models import ChecklistKind
from tracker.core.db import db

# Only PostgreSQL is asked for locks.
pytestmark = pytest.mark.both_databases

Statements = Callable[[], AbstractContextManager[list[str]]]

# Who opens which page, and the most statements for it. Those above 15 load a whole checklist (5),
# or compare texts (3), undertakings (3, one more with added interests), or a cooperation or visit
# with their evidence: docs/architecture.md says why.
PAGES = {
    "the library": (None, "/guidance", 3),
    "a search of it": (None, "/guidance?q=independence", 5),
    "the library, signed in": ("ilena", "/guidance", 7),
    "an article": (None, "/guidance/settling-terms", 4),
    "what a checklist asks": ("ilena", "/checklists/templates/terms", 4),
    # One compares the visits that are listed with the events.
    "my work": ("ilena", "/", 29),
    "the list of cooperations": ("ilena", "/cooperations", 9),
    # One asks for which parties nobody can act, one which notices are due; one compares who takes
    # part with the events.
    "a cooperation": ("ilena", "/cooperations/{complete}", 28),
    "its history": ("ilena", "/cooperations/{complete}/history", 9),
    # Two compare all people and parties with the events, however many there are; nothing else on
    # the page reads them.
    "its people": ("samira", "/cooperations/{complete}/people", 8),
    # One looks for undertakings that were deleted from the database; so does one in their register.
    "own undertakings": ("leyla", "/undertakings", 7),
    # One reads the discussions that have ended.
    "a checklist of 21 items": ("ilena", "/checklists/{draft}", 17),
    "one item of it": ("ilena", "/checklists/{draft}/items/M18/propose", 12),
    "a text before signing": ("otto", "/checklists/{waiting}/sign", 10),
    "the record of a text": ("ilena", "/checklists/{signed}/record", 21),
    # Three compare what people on the team confirmed.
    "a visit": ("leyla", "/cooperations/{complete}/visits/1", 24),
    "whether a visit is ready": ("leyla", "/cooperations/{complete}/visits/1/ready", 24),
    # Before there can be any: the terms aren't judged for it.
    "the visits of a cooperation to come": ("ilena", "/cooperations/{negotiated}/visits", 7),
    # With the agreed terms, which end it too.
    "the roles of a visit": ("ilena", "/checklists/{roles}", 18),
    # One counts the undertakings, one finds the last check, one which parties' pages open; two
    # compare the names that are shown with the events, one the parties, however many lines there
    # are.
    "the register": ("milan", "/register", 16),
    "the register of undertakings": ("milan", "/register/undertakings", 15),
}
# Who is refused which page (403), and the most statements for it: what a person's role and party
# say is asked before the checklist, and what its text says, is loaded.
REFUSED = {
    "what is left to decide": ("greta", "/checklists/{draft}/decide", 6),
    "discussing an item": ("greta", "/checklists/{draft}/items/M18/talk", 6),
    "copying answers": ("greta", "/checklists/{draft}/copy", 6),
    "sending a text": ("milan", "/checklists/{draft}/send", 7),
    "amending a text": ("milan", "/checklists/{signed}/amend", 7),
    "renewing a text": ("milan", "/checklists/{signed}/renew", 7),
    "calling off an amendment": ("milan", "/checklists/{signed}/call-off", 7),
}
SAVING = 25
# The visit's readiness is judged again, from what agrees with its evidence (8).
SAVING_V4 = 45
# One of them finds out who has joined by it (adr 70), one whether it is a prior agreement; three
# compare who signs, and their slot, with the events (adr 86); two ask whether the cooperation is
# closed, and whether a notice has ended the text by today; one asks that again for gate G5; one
# asks whether a party of the text has left by today; one marks as read what asked people to sign.
SIGNING_LAST = 64
# PostgreSQL reads locked rows again: request and checklist. SQLite has only one writer.
READ_AGAIN = 2


@pytest.mark.parametrize("page", PAGES)
def test_a_page_sends_no_more_statements_than_its_limit(
    app: Flask, demonstration: Demonstration, statements: Statements, page: str
) -> None:
    key, address, most = PAGES[page]
    client = demonstration.browser(app, key)
    checklists = demonstration.checklists
    address = address.format(
        complete=demonstration.references["complete"],
        negotiated=demonstration.references["differing"],
        draft=checklists["differing", "terms"],
        waiting=checklists["waiting", "terms"],
        signed=checklists["complete", "terms"],
        roles=checklists["complete", "visit_roles"],
    )
    client.page(address)
    with statements() as sent:
        assert client.get(address, read=False).status_code == 200
    assert len(sent) <= most


@pytest.mark.parametrize("page", REFUSED)
def test_a_person_is_refused_before_the_checklist_is_loaded(
    app: Flask, demonstration: Demonstration, statements: Statements, page: str
) -> None:
    key, address, most = REFUSED[page]
    checklists = demonstration.checklists
    address = address.format(
        draft=checklists["differing", "terms"], signed=checklists["complete", "terms"]
    )
    client = demonstration.browser(app, key)
    with statements() as sent:
        assert client.get(address, read=False).status_code == 403
    assert len(sent) <= most


def test_saving_an_answer_of_the_terms_takes_few_statements(
    app: Flask, session: Session, demonstration: Demonstration, statements: Statements
) -> None:
    """In a cooperation with two CSOs and no visit."""
    checklist_id = demonstration.checklists["differing", "terms"]
    code, key = writable(checklist_id)
    client = demonstration.browser(app, "ilena")
    address = f"/checklists/{checklist_id}/items/{code}/answer"
    form = client.page(address).form()
    with statements() as sent:
        saved = client.post(address, data=form.filled_in(**{key: "As settled."}), csrf=False)
    assert saved.status_code == 303
    more = READ_AGAIN if db.engine.dialect.name == "postgresql" else 0
    assert len(sent) <= SAVING + more
    assert loads(sent) == 1


def test_saving_a_team_takes_as_many_statements_for_eight_people_as_for_one(
    app: Flask, session: Session, demonstration: Demonstration, statements: Statements
) -> None:
    joint_visit, counts = JointVisit(session, demonstration), []
    eight = ("leyla", "samira", "marek", "nadia", "tomas", "milan", "dina", "henrik")
    for number, team in ((2, ("leyla",)), (3, eight)):
        planned(joint_visit, members=team, audience=[key for key in team if key != "dina"])
        session.commit()
        checklist = joint_visit.checklist(ChecklistKind.VISIT_ROLES, number).id
        session.rollback()
        client = demonstration.browser(app, "ilena")
        address = f"/checklists/{checklist}/items/V4/answer"
        form = client.page(address).form()
        with statements() as sent:
            client.post(address, data=form.filled_in(gaps="No physician."), csrf=False)
        counts.append(len(sent))
        assert loads(sent) == 1
    assert counts == [SAVING_V4, SAVING_V4]


def test_the_last_signature_takes_few_statements(
    app: Flask, session: Session, demonstration: Demonstration, statements: Statements
) -> None:
    """It brings the terms into force, advances the cooperation and notifies those concerned."""
    address = f"/checklists/{demonstration.checklists['waiting', 'terms']}/sign"
    client = demonstration.browser(app, "otto")
    confirm = client.page(address).links()["Continue to sign"]
    form = client.page(confirm).form()
    given = form.filled_in(password=PASSWORD, code=code_of(session, demonstration, "otto"))
    with statements() as sent:
        signed = client.post(form.action or confirm, data=given, csrf=False)
    assert signed.location.endswith("/record")
    more = READ_AGAIN if db.engine.dialect.name == "postgresql" else 0
    assert len(sent) <= SIGNING_LAST + more
    assert loads(sent) == 1


def loads(sent: list[str]) -> int:
    """Return how many times a checklist was loaded: these actions read positions for nothing else.

    No request loads the same checklist more than once.
    """
    return sum(statement.startswith("SELECT position.") for statement in sent)


def code_of(session: Session, demonstration: Demonstration, key: str) -> str:
    user = session.get_one(User, demonstration.users[key])
    code = second_factor.current_code(user).code
    session.rollback()
    return code
