"""The demonstration with more begun in it, and the pages of that to which no first link leads."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from tests import open_sessions
from tests.browser.demonstration import DEMONSTRATION
from tests.browser.every_page import other_states
from tests.browser.every_page.other_states import Wanted, id_of
from tests.browser.instances import StartingPoint, opened
from tests.factories import demonstration, undertakings, undertakings_on_paper
from tests.factories.demonstration import Begun
from tests.factories.undertakings import Clearing
from tests.factories.undertakings_on_paper import DRIVER
from tests.factories.visits import JointVisit
from tracker.accounts import queries as accounts
from tracker.accounts.models import Membership, Passkey, User
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, OwnModelText
from tracker.closing.models import MaterialReturn
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.demo import people
from tracker.demo.people import DemoPeople
from tracker.organisations.models import Organisation
from tracker.reviews import service as reviews


@dataclass(frozen=True, slots=True)
class FurtherPage:
    """A page, and by which key and id the application knows the person who opens it."""

    key: str
    mark: str
    endpoint: str
    address: str


def _build(data_dir: Path) -> list[FurtherPage]:
    with opened(data_dir) as app:
        demo_people = _cast()
        demonstration.outsiders(demo_people)
        begun = demonstration.begin_more(demo_people)
        joint_visit = JointVisit(db.session(), demonstration.describe(demo_people, begun))
        monitoring, exchange, council = db.session.scalars(
            sa.select(Cooperation).order_by(Cooperation.reference).limit(3)
        ).all()
        ilena = demo_people.actor("ilena")
        cooperation = cooperations.find(ilena, monitoring.reference)
        assert cooperation is not None
        reviews.begin(ilena, cooperation)
        clearing = _sign_undertakings(demo_people)
        draft_id, of_versions = other_states.publish_terms(
            demo_people, begun.template_draft, _terms(council)
        )
        begun = replace(begun, template_draft=draft_id)
        wanted = [
            *_pages(demo_people, begun, monitoring, _terms(exchange), _terms(council)),
            *_undertaking_pages(clearing),
            *of_versions,
            *other_states.of_undertakings(clearing),
            *other_states.of_visits(joint_visit),
            *other_states.of_partners(demo_people),
            *other_states.of_texts(demo_people, monitoring),
            *other_states.of_accounts(demo_people, begun),
        ]
        for key in ("vera", "noor"):
            open_sessions.begin(demo_people.users[key].id)
        pages = _addresses(app, demo_people, wanted)
        db.session.commit()
        return pages


def _sign_undertakings(demo_people: DemoPeople) -> Clearing:
    """Have people sign undertakings in a new cooperation; a driver has no account."""
    clearing = undertakings.clearing(demo_people)
    undertakings_on_paper.bring_in(clearing)
    clearing.sign("leyla")
    clearing.sign("otto")
    clearing.sign("samira", "My cousin works there.")
    clearing.put_in("joana")
    return clearing


def _undertaking_pages(clearing: Clearing) -> list[Wanted]:
    def of(key: str) -> dict[str, Any]:
        return reference | {"undertaking_id": clearing.undertaking(key).id}

    reference = {"reference": clearing.cooperation.reference}
    mine = {"undertaking_id": clearing.undertaking("joana").id}
    return [
        ("ilena", "undertaking_paper.blank", of(DRIVER)),
        ("ilena", "undertaking_paper.record", of(DRIVER)),
        ("ilena", "undertaking_presence.fill_in", of(DRIVER)),
        ("joana", "undertakings.show", mine),
        ("joana", "undertakings.sign", mine),
        ("tomas", "undertakings.check", of("otto")),
        ("tomas", "undertakings.check", of("samira")),
        ("tomas", "undertakings_together.read", reference),
    ]


def _cast() -> DemoPeople:
    bodies = {row.name: row for row in db.session.scalars(sa.select(Organisation))}
    users = {person.key: people.find(person.key) for person in people.PEOPLE}
    return DemoPeople(
        bodies={key: bodies[body.details.name] for key, body in people.BODIES.items()},
        users={key: user for key, user in users.items() if user is not None},
    )


def _terms(cooperation: Cooperation) -> UUID:
    return id_of(
        Checklist.id,
        Checklist.cooperation_id == cooperation.id,
        Checklist.kind == ChecklistKind.TERMS,
    )


def _waiting_role(user: User) -> UUID:
    return id_of(Membership.id, Membership.user_id == user.id, accounts.waits())


def _pages(
    demo_people: DemoPeople, begun: Begun, monitoring: Cooperation, sent: UUID, drafted: UUID
) -> list[Wanted]:
    dina, vera = demo_people.users["dina"], demo_people.users["vera"]
    draft = {"draft_id": begun.template_draft}
    passkey = {"passkey_id": id_of(Passkey.id, Passkey.user_id == dina.id)}
    reference = {"reference": monitoring.reference}
    review = reference | {"number": 1}
    copies = {"return_id": id_of(MaterialReturn.id)}
    role = {"user_id": dina.id, "membership_id": _waiting_role(dina)}
    return [
        ("dina", "accounts.passkey", passkey),
        ("dina", "accounts.switch", {}),
        ("henrik", "people.confirm_role", role),
        ("ilena", "deciding.decide", {"checklist_id": drafted}),
        ("ilena", "own_texts.listed", {}),
        ("ilena", "own_texts.show", {"own_text_id": id_of(OwnModelText.id)}),
        ("ilena", "own_texts.retire", {"own_text_id": id_of(OwnModelText.id)}),
        ("ilena", "readings.ask", {"checklist_id": drafted}),
        ("ilena", "reviews.call_off", review),
        ("ilena", "reviews.show", review),
        ("ilena", "reviews.write", review),
        ("ilena", "signing.send", {"checklist_id": drafted}),
        ("iris", "authoring.change", draft),
        ("iris", "authoring.draft", draft),
        ("iris", "authoring.publish", draft),
        ("iris", "checklist_items.of_draft", draft | {"code": "M18"}),
        ("iris", "organisations.add_kind", {"kind": "cso"}),
        ("joana", "paper.record", {"checklist_id": sent}),
        ("joana", "paper.show", {"checklist_id": sent, "record_id": begun.paper}),
        ("marek", "closing.confirm", copies),
        ("milan", "visits.reads", reference),
        ("nadia", "safeguards.review", {"checklist_id": drafted}),
        (
            "otto",
            "requests.pass_on",
            {"checklist_id": sent, "user_id": demo_people.users["otto"].id},
        ),
        ("vera", "powers.accept", {"membership_id": _waiting_role(vera)}),
    ]


def _addresses(app: Flask, demo_people: DemoPeople, wanted: list[Wanted]) -> list[FurtherPage]:
    urls = app.url_map.bind("localhost")
    return [
        FurtherPage(
            key,
            demo_people.users[key].fs_uniquifier if key else "",
            endpoint,
            urls.build(endpoint, values),
        )
        for key, endpoint, values in wanted
    ]


def after_a_proof(app: Flask) -> list[str]:
    """Return the addresses of pages that Dina Faro, who has a passkey, opens after signing in."""
    with app.app_context():
        passkey = id_of(Passkey.id, Passkey.user_id == _cast().users["dina"].id)
        db.session.remove()
    urls = app.url_map.bind("localhost")
    return [
        urls.build(endpoint, {"passkey_id": passkey} if endpoint == REMOVES else {})
        for endpoint in sorted(AFTER_A_PROOF)
    ]


# The endpoints of after_a_proof().
REMOVES = "accounts.remove_passkey"
AFTER_A_PROOF = {
    REMOVES,
    "accounts.set_up_second_factor",
    "security.mf_recovery_codes",
    "security.wan_register",
}
# The demonstration after people began what it leaves out.
FURTHER: StartingPoint[list[FurtherPage]] = StartingPoint("further", _build, on=DEMONSTRATION)
