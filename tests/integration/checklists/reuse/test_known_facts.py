"""What is known already begins an answer that nobody has written: nothing is asked twice."""

import datetime as dt

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.agreements import checklist_of
from tests.factories.cooperations import bring_in, make_country, open_one
from tests.factories.demonstration import Demonstration
from tests.factories.templates import a_column, a_field, a_table, a_template, an_item, publish
from tests.factories.visits import JointVisit, planned
from tests.pages import Page
from tracker.accounts.models import Membership
from tracker.checklist_templates.models import ChecklistKind
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Mode
from tracker.core import clock
from tracker.organisations import service as organisations
from tracker.organisations.models import Organisation
from tracker.organisations.service import Details

KINDS = [
    {"value": "npm", "label": "NPM"},
    {"value": "families", "label": "Association of families"},
]
MODES = [{"value": "VISIT", "label": "Joint visits"}, {"value": "EXP", "label": "An expert"}]
TERMS = (
    an_item(
        "M1",
        a_table(
            "parties",
            a_column("party", "party"),
            a_column("kind", "choice", options=KINDS),
            a_column("mandate", "text"),
            a_column("signatory", "person"),
            a_column("power"),
            a_column("litigates", "confirm", required=False),
        ),
        done={"checks": [{"check": "row_per_party", "field": "parties", "column": "party"}]},
    ),
    an_item("M3", a_field("in_scope", "choices", options=MODES)),
    an_item("M19", a_field("start", "date"), a_field("end", "date")),
)


def values(page: Page) -> set[str]:
    return {value for given in page.form().values.values() for value in given if value}


def test_a_party_finds_its_own_details_the_ways_of_working_and_the_days(
    app: Flask, session: Session
) -> None:
    publish(a_template(*TERMS, version=92))
    country = make_country(session)
    henrik = country.users["henrik"]
    power = session.scalar(sa.select(Membership.power).where(Membership.user_id == henrik.id))
    door = session.get_one(Organisation, country.id("door"))
    organisations.change(
        country.actor("root"),
        door.id,
        Details(
            name=door.name,
            types=["families"],
            mandate="Stands by families.",
            litigates=True,
        ),
        seen_version=door.version,
    )
    starts_on = clock.today() + dt.timedelta(days=10)
    cooperation = open_one(country, "door", modes=(Mode.VISIT,))
    cooperations.change_head(
        country.actor("ilena"),
        cooperation,
        version=cooperation.version,
        title=cooperation.title,
        purpose=cooperation.purpose,
        starts_on=starts_on,
        ends_on=None,
        review_on=None,
    )
    bring_in(country, cooperation, "henrik")
    terms = checklist_of(cooperation, ChecklistKind.TERMS)
    session.commit()
    samira = country.browser(app, "samira")
    address = f"/checklists/{terms.id}/items"
    page = samira.page(f"{address}/M1/answer")
    assert "Begun with what is known here. Check it: nothing is saved yet." in page.text
    own = values(page)
    assert own >= {
        str(door.id),
        "families",
        "Stands by families.",
        power,
        str(henrik.id),
    }
    assert values(samira.page(f"{address}/M3/answer")) >= {"VISIT"}
    assert values(samira.page(f"{address}/M19/answer")) >= {starts_on.isoformat()}


def test_each_member_of_the_team_has_a_row_to_begin_with(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    joint_visit = JointVisit(session, demonstration)
    team = ("leyla", "samira", "marek")
    planned(joint_visit, members=team, audience=team)
    session.commit()
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES, 2).id
    session.rollback()
    page = demonstration.browser(app, "ilena").page(f"/checklists/{roles}/items/V5/answer")
    people = {str(demonstration.users[key]) for key in team}
    rows = [
        value
        for name, given in page.form().values.items()
        if name.endswith("-person")
        for value in given
        if value
    ]
    # With the lead and the deputy.
    assert set(rows) > people
    assert len(rows) == len(set(rows))
    assert "Begun with what is known here." in page.text


def test_a_partner_lists_its_people_who_take_part_and_changes_the_list(
    app: Flask, session: Session
) -> None:
    country = make_country(session)
    cooperation = open_one(country, "door", modes=(Mode.VISIT,))
    for first in ("samira", "henrik"):
        bring_in(country, cooperation, first)
    address = checklist_of(cooperation, ChecklistKind.CONFIDENTIALITY).id
    session.commit()
    page = country.browser(app, "samira").page(f"/checklists/{address}/items/C2/answer?for=party")
    assert values(page) >= {str(country.users[first].id) for first in ("samira", "henrik")}
    # What they do, by their roles; of somebody who is only a member the list knows nothing.
    assert {"Coordinator", "Signatory"} <= {
        word for text in values(page) for word in text.split(", ")
    }
    npm = country.browser(app, "ilena").page(f"/checklists/{address}/items/C2/answer?for=party")
    assert "Begun with what is known here." not in npm.text
