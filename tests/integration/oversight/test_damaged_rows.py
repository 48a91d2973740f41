"""Values in the database that can't be read any more: other lines and pages are still shown."""

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import hands, table_of
from tracker.accounts.models import User
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation, CooperationKey
from tracker.core.db import Base, db
from tracker.organisations.models import Organisation
from tracker.signoff.models import Revision
from tracker.undertakings.models import Undertaking
from tracker.visits.models import Visit
from tracker.worker import failures, jobs

VISITS, CHECKLISTS = table_of(Visit), table_of(Checklist)

# A value of a row that can't be read, and pages that need it, by who opens them.
PAGES = (
    (Cooperation, "stage", "ilena", "/"),
    (Cooperation, "starts_on", "tomas", "/cooperations/{complete}"),
    (Cooperation, "modes", "samira", "/"),
    (Checklist, "revision_in_force_id", "ilena", "/checklists/{terms}/record"),
    (Revision, "document", "leyla", "/undertakings/{undertaking}"),
    (Revision, "frozen_at", "tomas", "/checklists/{terms}/record"),
    (CooperationKey, "wrapped", "leyla", "/undertakings/{undertaking}"),
    (User, "suspended_at", "leyla", "/"),
    (Organisation, "kind", "ilena", "/cooperations/{complete}"),
)


def test_lists_go_on_and_mark_a_visit_whose_plan_cannot_be_read_and_its_page_says_so(
    app: Flask, demonstration: Demonstration
) -> None:
    reference = demonstration.references["complete"]
    with app.app_context(), hands() as connection:
        connection.execute(sa.update(VISITS).values(sealed_plan=b"\0"))
    for key in ("samira", "tomas"):
        assert "match its signatures" in demonstration.browser(app, key).page("/").text, key
    for key in ("ilena", "leyla"):
        browser = demonstration.browser(app, key)
        for address in ("/", f"/cooperations/{reference}", f"/cooperations/{reference}/visits"):
            assert "match its signatures" in browser.page(address).text, (key, address)
        page = browser.page(f"/cooperations/{reference}/visits/1", status=500)
        assert page.title.startswith("This can't be read"), key
    with app.app_context():
        jobs.judge_visits()
        assert failures.known() == []
        assert not db.session.scalars(sa.select(Visit.is_ready)).one()
        db.session.rollback()


@pytest.mark.both_databases
@pytest.mark.parametrize("kind", [ChecklistKind.URGENT_PLAN, ChecklistKind.VISIT_ROLES])
def test_a_visit_without_one_of_its_checklists_is_not_ready_and_its_page_says_so(
    app: Flask, demonstration: Demonstration, kind: ChecklistKind
) -> None:
    own = demonstration.checklists["complete", kind.value]
    with app.app_context(), hands() as connection:
        connection.execute(sa.delete(CHECKLISTS).where(CHECKLISTS.c.id == own))
    reference = demonstration.references["complete"]
    page = demonstration.browser(app, "ilena").page(f"/cooperations/{reference}/visits/1", 500)
    assert page.title.startswith("This can't be read")
    with app.app_context():
        jobs.judge_visits()
        assert failures.known() == []
        assert not db.session.scalars(sa.select(Visit.is_ready)).one()
        db.session.rollback()


@pytest.mark.few_on_postgresql(0)  # it stores no list that can't be read
def test_a_visit_with_an_answer_that_cannot_be_read_is_not_ready_and_the_worker_goes_on(
    app: Flask, demonstration: Demonstration
) -> None:
    roles = demonstration.checklists["complete", "visit_roles"]
    with app.app_context(), hands() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        connection.exec_driver_sql(
            'UPDATE answer SET "values" = ? WHERE checklist_id = ?', ("nothing", roles.hex)
        )
    with app.app_context():
        jobs.judge_visits()
        assert failures.known() == []
        assert not db.session.scalars(sa.select(Visit.is_ready)).one()
        db.session.rollback()


@pytest.mark.few_on_postgresql(0)  # it stores no date or list that can't be read
@pytest.mark.parametrize(("model", "column", "key", "address"), PAGES)
def test_a_page_says_that_what_it_needs_cannot_be_read(
    app: Flask,
    demonstration: Demonstration,
    model: type[Base],
    column: str,
    key: str,
    address: str,
) -> None:
    with app.app_context():
        undertaking = db.session.scalar(
            sa.select(Undertaking.id).where(
                Undertaking.user_id == demonstration.users["leyla"],
                Undertaking.cooperation_id == demonstration.cooperations["complete"],
                Undertaking.revision_id.is_not(None),
            )
        )
        db.session.rollback()
        with hands() as connection:
            connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
            is_bytes = isinstance(table_of(model).c[column].type, sa.LargeBinary)
            connection.exec_driver_sql(
                f'UPDATE "{model.__tablename__}" SET {column} = ?',
                (b"nothing" if is_bytes else "nothing",),
            )
    path = address.format(
        complete=demonstration.references["complete"],
        terms=demonstration.checklists["complete", "terms"],
        undertaking=undertaking,
    )
    page = demonstration.browser(app, key).page(path, status=500)
    assert page.title.startswith("This can't be read")
    assert "tell an administrator" in page.text
