"""Names beside the lines of registers and lists: those changed by SQL, and those that weren't."""

import csv
import io
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import powers
from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import hands, table_of
from tests.factories.prior_agreements import forget_rows
from tracker.access.actor import OrganisationKind
from tracker.accounts.models import User
from tracker.accounts.people import service as people
from tracker.cooperations.succession import service as succession
from tracker.core import clock
from tracker.core.db import Base, db
from tracker.evidence import disagreements
from tracker.organisations import service as organisations
from tracker.organisations.models import Organisation
from tracker.organisations.service import Details
from tracker.oversight import adopting
from tracker.worker import jobs

DIFFERS = "match its signatures"


@pytest.mark.both_databases
def test_an_organisation_named_otherwise_by_sql_is_a_party_of_no_agreement_that_agrees(
    app: Flask, demonstration: Demonstration
) -> None:
    greta = demonstration.browser(app, "greta")
    terms = demonstration.checklists["complete", "terms"]
    reference = demonstration.references["complete"]
    history = f"/register/{terms}"
    undertakings = ("/register/undertakings", f"/cooperations/{reference}/undertakings")
    for address in ("/register", history, *undertakings):
        assert DIFFERS not in greta.page(address).text, address
    change(app, Organisation, demonstration.organisations["od"], name="Institute of Corrections")
    for address in ("/register", history, *undertakings):
        assert DIFFERS in greta.page(address).text, address
    milan = demonstration.browser(app, "milan")
    rows = table(milan.submit("/register", action="/register/export").data)
    theirs = [row for row in rows if "Institute of Corrections" in row["Parties"]]
    assert theirs
    assert {row["State"] for row in theirs} == {"Doesn't match its signatures"}
    assert reference in {text.reference for text in noted(app)}


def test_a_person_named_otherwise_by_sql_has_no_undertaking_that_agrees(
    app: Flask, demonstration: Demonstration
) -> None:
    reference = demonstration.references["complete"]
    change(app, User, demonstration.users["leyla"], name="Anton Vesk")
    milan = demonstration.browser(app, "milan")
    for address in ("/register/undertakings", f"/cooperations/{reference}/undertakings"):
        text = milan.page(address).text
        assert text.count("Doesn't match its signatures") == 1, address
    rows = table(
        milan.submit("/register/undertakings", action="/register/undertakings/export").data
    )
    [row] = [row for row in rows if row["Person"] == "Anton Vesk"]
    assert (row["Access"], row["Signed on"]) == ("Doesn't match its signatures", "")
    assert {text.subject_type for text in noted(app)} == {"undertaking"}


@pytest.mark.both_databases
def test_names_changed_in_the_ordinary_way_contradict_nothing(
    app: Flask, demonstration: Demonstration
) -> None:
    """Nor once they are bound again after an upgrade from a version whose events bound no rows."""
    own, leyla = demonstration.organisations["od"], demonstration.users["leyla"]
    with app.app_context():
        admin = powers.acting(demonstration.users["iris"], None)
        body = db.session.get_one(Organisation, own)
        renamed = Details(name="Threshold Union", types=list(body.types))
        organisations.change(admin, own, renamed, seen_version=body.version)
        people.change_profile(
            powers.acting(leyla, own), name="Leyla Ostrom", language="en", telephone=""
        )
        people.suspend(admin, leyla, reason="She left.")
        heir = organisations.add(None, OrganisationKind.CSO, renamed_as("Lintel"))
        succession.replace(admin, own, heir.id, since=clock.today(), source="Decision")
        organisations.change(admin, heir.id, renamed_as("Lintel Union"), seen_version=heir.version)
        db.session.commit()
    assert noted(app) == []
    with app.app_context():
        forget_rows()
        assert adopting.adopt_rows()
    assert noted(app) == []
    milan = demonstration.browser(app, "milan")
    for address, name in (
        ("/register", "Lintel Union"),
        ("/register/undertakings", "Leyla Ostrom"),
    ):
        text = milan.page(address).text
        assert name in text, address
        assert DIFFERS not in text, address
    # The name of the body that was replaced is compared too.
    change(app, Organisation, own, name="Institute of Corrections")
    assert {text.subject_type for text in noted(app)} == {"checklist", "undertaking"}


def renamed_as(name: str) -> Details:
    return Details(name=name, types=["human_rights"])


def noted(app: Flask) -> list[disagreements.DisagreeingText]:
    """Let the worker compare everything; return what then disagrees."""
    with app.app_context():
        reached = jobs.compare_texts()
        while reached != disagreements.BEGINNING:
            reached = jobs.compare_texts(reached)
        known = disagreements.known()
        db.session.rollback()
    return known


def change(app: Flask, model: type[Base], row_id: UUID, **values: Any) -> None:
    rows = table_of(model)
    with app.app_context(), hands() as connection:
        connection.execute(sa.update(rows).where(rows.c.id == row_id).values(**values))


def table(sent: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sent.decode("utf-8-sig"), newline=""), strict=True))
