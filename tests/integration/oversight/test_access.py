"""Access to the register: who is refused, who gets 404, and what nobody can read."""

import datetime as dt
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from babel.dates import format_date
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import EVENTS, Tampering, hands, table_of
from tests.factories.visits import JointVisit, override, without_credential_of
from tests.services import put
from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import encryption
from tracker.checklists.models import Answer, Checklist
from tracker.cooperations import keys
from tracker.cooperations.models import Party
from tracker.core import canonical, clock, crypto
from tracker.core import keys as instance_keys
from tracker.core.db import db, writing
from tracker.core.keys import Keys
from tracker.organisations.models import Organisation
from tracker.oversight import integrity
from tracker.oversight import queries as register
from tracker.oversight.facts import Verdict
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision
from tracker.visits.encryption import plan_of
from tracker.visits.models import GateOverride, Visit

# The keys of the demonstration's people.
MANAGERS = {"npm": "milan", "cso": "henrik"}
AUDITOR = "greta"
REFUSED = {
    "npm coordinator": "ilena",
    "npm member": "nadia",
    "cso coordinator": "samira",
    "other cso's coordinator": "celia",
    "other npm": "vera",
    "administrator": "iris",
}
CODE = re.compile("[a-z_]+")
PAGES = ("/register", "/register?q=custody&state=in_force", "/register?page=9999")
ACTS = ("/register/export", "/register/check")


def pages_of(demonstration: Demonstration) -> list[str]:
    """Return every page of the register, with the history of each agreement of each cooperation."""
    return [
        *PAGES,
        *(f"/register/{checklist_id}" for checklist_id in demonstration.checklists.values()),
    ]


def test_strangers_are_led_to_the_sign_in(app: Flask, demonstration: Demonstration) -> None:
    browser = demonstration.browser(app, None)
    for address in pages_of(demonstration):
        response = browser.get(address)
        assert response.status_code == 302, address
        assert "/sign-in" in response.location
    for address in ACTS:
        response = browser.post(address)
        assert response.status_code == 400
        assert "Your session ended before this was sent" in response.get_data(as_text=True)


@pytest.mark.parametrize("who", REFUSED)
def test_other_people_are_refused_with_the_reason(
    app: Flask, demonstration: Demonstration, who: str
) -> None:
    browser = demonstration.browser(app, REFUSED[who])
    for address in PAGES:
        page = browser.page(address, status=403)
        assert "Only managers and auditors can see the register." in page.text
        assert "custody" not in page.text
    for address in ACTS:
        assert browser.post(address).status_code == 403
    for checklist_id in demonstration.checklists.values():
        assert browser.get(f"/register/{checklist_id}").status_code == 403


def test_a_manager_of_a_cso_finds_only_what_the_cso_is_a_party_of(
    app: Flask, demonstration: Demonstration
) -> None:
    browser = demonstration.browser(app, MANAGERS["cso"])
    text = browser.page("/register").text
    csv = browser.post("/register/export").get_data(as_text=True)
    for name, reference in demonstration.references.items():
        is_party = name in {"complete", "differing", "copied"}
        assert (reference in text) == is_party, name
        assert (reference in csv) == is_party, name
        status = browser.get(f"/register/{demonstration.checklists[name, 'terms']}").status_code
        assert status == (200 if is_party else 404), name


def test_an_agreement_that_does_not_exist_is_404(app: Flask, demonstration: Demonstration) -> None:
    browser = demonstration.browser(app, AUDITOR)
    assert browser.get(f"/register/{uuid4()}").status_code == 404
    assert browser.get("/register/not-an-id").status_code == 404
    assert browser.get("/register/00000000-0000-0000-0000-000000000000").status_code == 404


@pytest.mark.parametrize("key", [AUDITOR, MANAGERS["npm"]])
def test_of_a_visit_only_its_existence_and_stage_are_shown(
    app: Flask, demonstration: Demonstration, key: str
) -> None:
    browser = demonstration.browser(app, key)
    page = browser.page("/register?q=police+custody")
    assert "Roles for a joint visit, visit 1" in page.text
    assert "The visit is ready, or its days have passed" in page.text
    for kind in ("visit_roles", "urgent_plan"):
        checklist_id = _of_visit(app, demonstration, kind)
        assert str(checklist_id) not in page.html
        assert browser.get(f"/register/{checklist_id}").status_code == 404


def test_a_listed_and_cleared_person_can_read_the_history_of_the_roles_too(
    app: Flask, demonstration: Demonstration
) -> None:
    """Henrik Asante signed the roles: he is listed in V2, cleared, and a manager of his CSO."""
    page = demonstration.browser(app, MANAGERS["cso"]).page(
        f"/register/{_of_visit(app, demonstration, 'visit_roles')}"
    )
    assert "Revision 1" in page.text


def _of_visit(app: Flask, demonstration: Demonstration, kind: str) -> UUID:
    with app.app_context():
        return db.session.scalars(
            sa.select(Checklist.id).where(
                Checklist.cooperation_id == demonstration.cooperations["complete"],
                Checklist.kind == kind,
                Checklist.visit_id.is_not(None),
            )
        ).one()


# Class K2 to K7


def secrets(session: Session) -> set[str]:
    """Return every text of class K2 to K7 in the demonstration, in all its forms."""
    texts: set[str] = set()
    for visit in session.scalars(sa.select(Visit)):
        plan = plan_of(visit)
        texts |= {plan.place, *_shown(plan.starts_on), *_shown(plan.ends_on)}
    for answer, cooperation_id in session.execute(
        sa.select(Answer, Checklist.cooperation_id)
        .join(Checklist, Checklist.id == Answer.checklist_id)
        .where(Answer.sealed.is_not(None))
    ):
        texts |= set(_texts(encryption.values_of(cooperation_id, answer)))
    for revision in session.scalars(sa.select(Revision).where(Revision.is_sealed)):
        key = keys.key_of(revision.cooperation_id)
        if revision.kind == "undertaking":
            texts |= set(_texts(signoff.document_of(revision, key).get("interests")))
    public = " ".join(
        [
            *session.scalars(sa.select(User.name)),
            *session.scalars(sa.select(Organisation.name)),
            *(
                canonical.to_bytes(answer.values).decode()
                for answer in session.scalars(sa.select(Answer).where(Answer.values.is_not(None)))
                if answer.values
            ),
        ]
    )
    # Codes of options aren't secret, nor is today's date, which is on everything that happened
    # today.
    public += f" {clock.today().isoformat()}"
    return {
        text for text in texts if len(text) > 9 and text not in public and not CODE.fullmatch(text)
    }


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _shown(day: dt.date) -> set[str]:
    return {
        day.isoformat(),
        *(format_date(day, length, locale="en_GB") for length in ("medium", "long", "full")),
    }


@pytest.fixture
def hidden(app: Flask, demonstration: Demonstration) -> set[str]:
    with app.app_context():
        texts = secrets(db.session())
    assert "Lower Harbour police station" in texts
    assert any("two cases from the police station" in text for text in texts)
    assert len(texts) > 30
    return texts


@pytest.mark.parametrize("key", [AUDITOR, MANAGERS["npm"]])
def test_no_page_and_no_export_contains_visits_people_or_sources(
    app: Flask, demonstration: Demonstration, hidden: set[str], key: str
) -> None:
    browser = demonstration.browser(app, key)
    answers = [
        *(browser.get(address) for address in pages_of(demonstration)),
        *(browser.post(address) for address in ACTS),
    ]
    leaks = {
        (answer.request.path, secret)
        for answer in answers
        for text in (unescape(answer.get_data(as_text=True)),)
        for secret in hidden
        if secret in text
    }
    assert leaks == set()


def test_a_place_can_not_be_searched_for(app: Flask, demonstration: Demonstration) -> None:
    page = demonstration.browser(app, AUDITOR).page("/register?q=Lower+Harbour")
    assert "No agreements found." in page.text


def test_an_auditor_reads_the_terms_themselves(app: Flask, demonstration: Demonstration) -> None:
    terms = demonstration.checklists["complete", "terms"]
    browser = demonstration.browser(app, AUDITOR)
    page = browser.page(f"/register/{terms}")
    record = browser.page(page.links()["Revision 1"])
    assert "Memorandum of understanding" in record.text
    assert "Signatures" in record.text


def test_overrides_are_shown_with_name_and_reason_whether_they_still_count_or_not(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    joint_visit = JointVisit(session, demonstration)
    visit = without_credential_of(joint_visit, "ruth")
    override(joint_visit.actor(MANAGERS["npm"]), visit, reason="One briefing is held on the way.")
    # It covers the letter of Ruth, which is no longer what is missing.
    assert not without_credential_of(joint_visit, "leyla").is_ready
    session.commit()
    words = "Milan Osterin overrode what was missing: One briefing is held on the way."
    browser = demonstration.browser(app, AUDITOR)
    page = browser.page("/register?state=overridden")
    assert "One agreement" in page.text
    assert "With an override 1" in page.text
    assert words in page.text
    assert words in browser.post("/register/export").get_data(as_text=True)
    assert words not in demonstration.browser(app, MANAGERS["cso"]).page("/register?q=council").text


OVERRIDES = table_of(GateOverride)


@pytest.mark.parametrize(
    "change",
    [sa.update(OVERRIDES).values(reason="Nobody said this."), sa.delete(OVERRIDES)],
    ids=["changed", "deleted"],
)
def test_a_visit_whose_override_was_changed_by_hand_does_not_agree(
    app: Flask, demonstration: Demonstration, session: Session, change: sa.Update | sa.Delete
) -> None:
    """Who overrode, and why, can't be hidden from auditors or put into somebody's mouth."""
    joint_visit = JointVisit(session, demonstration)
    visit = without_credential_of(joint_visit, "ruth")
    override(joint_visit.actor(MANAGERS["npm"]), visit, reason="One briefing is held on the way.")
    session.commit()
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    assert roles.id not in register.disagreeing([roles.id])
    session.rollback()
    with hands() as connection:
        connection.execute(change)
    session.expire_all()
    assert roles.id in register.disagreeing([roles.id])
    session.rollback()
    browser = demonstration.browser(app, AUDITOR)
    for text in (
        browser.page("/register?state=overridden").text,
        browser.post("/register/export").get_data(as_text=True),
    ):
        assert "Doesn't match its signatures" in text
        assert "Nobody said this." not in text


def test_a_visits_texts_name_the_parties_of_today(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    def roles_of_visits() -> str:
        export = demonstration.browser(app, AUDITOR).post("/register/export")
        lines = export.get_data(as_text=True).splitlines()
        (roles,) = [line for line in lines if "Roles for a joint visit, visit 1" in line]
        return roles

    assert "Open Door Legal Aid; Lantern Health Network" in roles_of_visits()
    visit = session.scalars(sa.select(Visit)).one()
    lantern = sa.select(Organisation.id).where(Organisation.name == "Lantern Health Network")
    for change in ({"left_on": clock.today() - dt.timedelta(days=1)}, {"invited_at": clock.now()}):
        session.execute(
            sa.update(Party)
            .where(
                Party.cooperation_id == visit.cooperation_id,
                Party.organisation_id.in_(lantern),
            )
            .values({"left_on": None, "invited_at": None} | change)
        )
        session.commit()
        assert "Open Door Legal Aid" in roles_of_visits()
        assert "Lantern Health Network" not in roles_of_visits()


# The check


@pytest.mark.parametrize("key", [AUDITOR, MANAGERS["npm"], MANAGERS["cso"]])
def test_the_audit_says_that_nothing_was_altered(
    app: Flask, demonstration: Demonstration, key: str
) -> None:
    response = demonstration.browser(app, key).submit("/register", action="/register/check")
    text = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "Nothing was altered." in text
    number = 3 if key == MANAGERS["cso"] else 5
    assert f"{number} cooperations, checked on" in text
    # How many would tell who isn't to know it how many people are in a visit's team.
    assert "rows compared" not in text
    assert "events" not in text


def test_others_can_write_while_the_audit_runs(app: Flask, demonstration: Demonstration) -> None:
    """The check is requested by POST, yet it holds no lock meanwhile."""
    written: list[int] = []

    def write(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "FROM chain" in statement and not written:
            written.append(0)
            with writing(), db.engine.connect() as other:
                written.append(other.execute(sa.update(User).values(name=User.name)).rowcount)
                other.rollback()

    event.listen(Engine, "before_cursor_execute", write)
    try:
        response = demonstration.browser(app, AUDITOR).post("/register/check")
    finally:
        event.remove(Engine, "before_cursor_execute", write)
    assert "Nothing was altered." in response.get_data(as_text=True)
    assert written[-1] > 10


def test_the_check_says_when_it_can_not_be_made(
    app: Flask, demonstration: Demonstration, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys_of_another = Keys(*(crypto.new_key() for _ in instance_keys.NAMES))
    check = integrity.check_cooperations

    def with_other_keys(actor: Actor) -> Verdict:
        # Only now: with these keys nobody would be signed in either.
        put(app, instance_keys.KEYS.holding(keys_of_another))
        return check(actor)

    monkeypatch.setattr(integrity, "check_cooperations", with_other_keys)
    browser = demonstration.browser(app, AUDITOR)
    text = browser.post("/register/check").get_data(as_text=True)
    assert "Not checked." in text
    assert "Nothing was altered" not in text


def test_the_audit_covers_only_ones_own_cooperations(
    app: Flask, demonstration: Demonstration
) -> None:
    """What was altered in another cooperation is neither found nor named."""
    with app.app_context(), hands() as connection:
        other = Tampering(connection, demonstration.cooperations["waiting"])
        other.update(EVENTS, other.event_id(3), verb="signed")
    npm = demonstration.browser(app, MANAGERS["npm"]).post("/register/check")
    assert "Something was altered." in npm.get_data(as_text=True)
    assert demonstration.references["waiting"] in npm.get_data(as_text=True)
    cso = demonstration.browser(app, MANAGERS["cso"]).post("/register/check")
    assert "Nothing was altered." in cso.get_data(as_text=True)
    assert demonstration.references["waiting"] not in cso.get_data(as_text=True)
