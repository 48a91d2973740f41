"""The demonstration with more begun in it, and the pages of that to which no first link leads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tests import open_sessions
from tests.browser.demonstration import DEMONSTRATION
from tests.browser.instances import StartingPoint, opened
from tests.factories import demonstration, undertakings, undertakings_on_paper
from tests.factories.demonstration import Begun
from tests.factories.undertakings import Stage
from tests.factories.undertakings_on_paper import DRIVER
from tracker.accounts import queries as accounts
from tracker.accounts.models import Membership, Passkey, User
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, OwnModelText
from tracker.closing.models import MaterialReturn
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.demo import people
from tracker.demo.people import Cast
from tracker.organisations.models import Organisation
from tracker.reviews import service as reviews

# Who opens which endpoint, with which values.
Wanted = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class FurtherPage:
    """A page, and by which key and id the application knows the person who opens it."""

    key: str
    mark: str
    endpoint: str
    address: str


def _build(data_dir: Path) -> list[FurtherPage]:
    with opened(data_dir) as app:
        cast = _cast()
        demonstration.outsiders(cast)
        begun = demonstration.begin_more(cast)
        monitoring, exchange, council = db.session.scalars(
            sa.select(Cooperation).order_by(Cooperation.reference).limit(3)
        ).all()
        ilena = cast.actor("ilena")
        cooperation = cooperations.find(ilena, monitoring.reference)
        assert cooperation is not None
        reviews.begin(ilena, cooperation)
        stage = _sign_undertakings(cast)
        for key in ("vera", "noor"):
            open_sessions.begin(cast.users[key].id)
        wanted = [
            *_pages(cast, begun, monitoring, _terms(exchange), _terms(council)),
            *_undertaking_pages(stage),
        ]
        urls = app.url_map.bind("localhost")
        pages = [
            FurtherPage(key, cast.users[key].fs_uniquifier, endpoint, urls.build(endpoint, values))
            for key, endpoint, values in wanted
        ]
        db.session.commit()
        return pages


def _sign_undertakings(cast: Cast) -> Stage:
    """Have people sign undertakings in a new cooperation; a driver has no account."""
    stage = undertakings.stage(cast)
    undertakings_on_paper.bring_in(stage)
    stage.sign("leyla")
    stage.sign("otto")
    stage.sign("samira", "My cousin works there.")
    stage.put_in("joana")
    return stage


def _undertaking_pages(stage: Stage) -> list[Wanted]:
    def of(key: str) -> dict[str, Any]:
        return reference | {"undertaking_id": stage.undertaking(key).id}

    reference = {"reference": stage.cooperation.reference}
    mine = {"undertaking_id": stage.undertaking("joana").id}
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


def _cast() -> Cast:
    bodies = {row.name: row for row in db.session.scalars(sa.select(Organisation))}
    users = {person.key: people.find(person.key) for person in people.PEOPLE}
    return Cast(
        bodies={key: bodies[body.details.name] for key, body in people.BODIES.items()},
        users={key: user for key, user in users.items() if user is not None},
    )


def _terms(cooperation: Cooperation) -> UUID:
    return _id(
        Checklist.id,
        Checklist.cooperation_id == cooperation.id,
        Checklist.kind == ChecklistKind.TERMS,
    )


def _id(column: Any, *conditions: Any) -> UUID:
    row_id: UUID = db.session.scalars(sa.select(column).where(*conditions).limit(1)).one()
    return row_id


def _waiting_role(user: User) -> UUID:
    return _id(Membership.id, Membership.user_id == user.id, accounts.waits())


def _pages(
    cast: Cast, begun: Begun, monitoring: Cooperation, sent: UUID, drafted: UUID
) -> list[Wanted]:
    dina, vera = cast.users["dina"], cast.users["vera"]
    draft = {"draft_id": begun.template_draft}
    passkey = {"passkey_id": _id(Passkey.id, Passkey.user_id == dina.id)}
    reference = {"reference": monitoring.reference}
    review = reference | {"number": 1}
    copies = {"return_id": _id(MaterialReturn.id)}
    role = {"user_id": dina.id, "membership_id": _waiting_role(dina)}
    return [
        ("dina", "accounts.passkey", passkey),
        ("dina", "accounts.switch", {}),
        ("henrik", "people.confirm_role", role),
        ("ilena", "own_texts.listed", {}),
        ("ilena", "own_texts.show", {"own_text_id": _id(OwnModelText.id)}),
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
        ("otto", "requests.pass_on", {"checklist_id": sent, "user_id": cast.users["otto"].id}),
        ("vera", "powers.accept", {"membership_id": _waiting_role(vera)}),
    ]


# The demonstration after people began what it leaves out.
FURTHER: StartingPoint[list[FurtherPage]] = StartingPoint("further", _build, on=DEMONSTRATION)
