"""URLs that combine objects which don't belong together are 404."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories.demonstration import Demonstration
from tracker.accounts.models import Membership
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, Flag, Proposal
from tracker.checklists.negotiation import hints
from tracker.cooperations.models import CooperationPerson
from tracker.core.db import db
from tracker.getting_started.service import token_for
from tracker.undertakings.models import Undertaking

pytestmark = pytest.mark.both_databases


@dataclass(frozen=True, slots=True)
class Ids:
    """Objects that each belong to only one cooperation or person."""

    demonstration: Demonstration

    def checklist(self, cooperation: str, kind: str = "terms") -> UUID:
        return self.demonstration.checklists[cooperation, kind]

    def person(self, cooperation: str, key: str) -> UUID:
        return self._only(
            sa.select(CooperationPerson.id).where(
                CooperationPerson.cooperation_id == self.demonstration.cooperations[cooperation],
                CooperationPerson.user_id == self.demonstration.users[key],
            )
        )

    def undertaking(self, key: str) -> UUID:
        return self._only(
            sa.select(Undertaking.id).where(Undertaking.user_id == self.demonstration.users[key])
        )

    def role(self, key: str) -> UUID:
        return self._only(
            sa.select(Membership.id).where(Membership.user_id == self.demonstration.users[key])
        )

    def proposal(self) -> UUID:
        return self._only(sa.select(Proposal.id))

    def flag(self) -> UUID:
        return self._only(sa.select(Flag.id).where(Flag.closed_at.is_(None)))

    def mark(self) -> str:
        """Return the key by which pages name words in M18 of the differing terms."""
        loaded = load(db.session.get_one(Checklist, self.checklist("differing")))
        return hints.on_item(loaded, loaded.item("M18"))[0].mark

    def _only(self, wanted: "sa.Select[Any]") -> UUID:
        row_id: UUID | None = db.session.scalars(wanted.limit(1)).first()
        assert row_id is not None
        return row_id


def addresses(ids: Ids) -> list[tuple[str, str, str]]:
    """Return who may see each object, with which method, and the address."""
    waiting, complete = (ids.demonstration.references[name] for name in ("waiting", "complete"))
    organisations = ids.demonstration.organisations
    declined, terms = ids.checklist("declined"), ids.checklist("complete")
    return [
        ("ilena", "GET", f"/cooperations/{complete}/people/{ids.person('declined', 'celia')}/end"),
        ("ilena", "POST", f"/cooperations/{complete}/people/{ids.person('declined', 'celia')}/end"),
        ("tomas", "GET", f"/cooperations/{waiting}/undertakings/{ids.undertaking('leyla')}"),
        ("tomas", "POST", f"/cooperations/{waiting}/undertakings/{ids.undertaking('leyla')}/again"),
        (
            "tomas",
            "GET",
            f"/cooperations/{waiting}/undertakings/{ids.undertaking('leyla')}/countersign",
        ),
        ("ilena", "POST", f"/checklists/{declined}/proposals/{ids.proposal()}/accept"),
        ("ilena", "POST", f"/checklists/{declined}/proposals/{ids.proposal()}/withdraw"),
        ("ilena", "GET", f"/checklists/{declined}/proposals/{ids.proposal()}/turn-down"),
        ("ilena", "GET", f"/checklists/{declined}/flags/{ids.flag()}/explain"),
        ("ilena", "POST", f"/checklists/{declined}/flags/{ids.flag()}/explain"),
        ("ilena", "GET", f"/checklists/{declined}/items/M18/hints/{ids.mark()}"),
        ("ilena", "GET", f"/checklists/{terms}/items/V5/answer"),
        ("ilena", "GET", f"/checklists/{terms}/items/M99/propose"),
        ("ilena", "GET", f"/checklists/{terms}/record/9"),
        ("ilena", "GET", f"/cooperations/{waiting}/visits/1"),
        ("ilena", "GET", f"/cooperations/{waiting}/visits/1/ready"),
        ("ilena", "POST", f"/cooperations/{complete}/visits/2/stop"),
        ("milan", "GET", f"/register/{ids.checklist('complete', 'visit_roles')}"),
        (
            "iris",
            "GET",
            f"/people/{ids.demonstration.users['samira']}/roles/{ids.role('dina')}/end",
        ),
        (
            "iris",
            "POST",
            f"/people/{ids.demonstration.users['samira']}/roles/{ids.role('dina')}/end",
        ),
        ("samira", "GET", f"/people/{ids.demonstration.users['celia']}"),
        ("samira", "GET", f"/organisations/{ids.demonstration.organisations['court']}"),
        ("samira", "GET", f"/checklists/{ids.checklist('waiting')}"),
        ("samira", "POST", f"/checklists/{ids.checklist('waiting')}/items/M18/accept"),
        # Organisations that aren't parties there, or aren't the person's.
        *(
            ("ilena", "GET", f"/cooperations/{complete}/{part}/{organisations['court']}{end}")
            for part, end in (
                ("parties", "/invitation"),
                ("departures", ""),
                ("parties", "/take-back"),
                ("selection", ""),
            )
        ),
        ("samira", "GET", f"/people/invite/{organisations['lh']}"),
        ("samira", "POST", f"/people/without-email/{organisations['lh']}"),
        (
            "samira",
            "POST",
            f"/people/{ids.demonstration.users['dina']}/roles/new/{organisations['lh']}",
        ),
        ("samira", "POST", f"/account/leave/{organisations['lh']}"),
        ("joana", "POST", f"/people/invitations/{ids.demonstration.invitation}/again"),
        # A link that was mailed to somebody else.
        ("iris", "GET", f"/administration/mail/test/{token_for(ids.demonstration.users['dina'])}"),
        # An earlier text of a cooperation that the person isn't in.
        ("celia", "GET", f"/checklists/{declined}/copy/{ids.checklist('waiting')}"),
        ("leyla", "GET", f"/undertakings/{ids.undertaking('dina')}"),
        ("leyla", "POST", f"/undertakings/{ids.undertaking('dina')}/sign"),
    ]


def test_what_does_not_belong_together_is_not_found(
    app: Flask, demonstration: Demonstration
) -> None:
    with app.app_context():
        attempts = addresses(Ids(demonstration))
    opened = []
    for who, method, address in attempts:
        client = demonstration.browser(app, who)
        response = client.open(address, method=method, data={} if method == "POST" else None)
        if response.status_code != 404:
            opened.append((who, method, address, response.status))
    assert opened == []


@pytest.mark.few_on_postgresql(3)
@pytest.mark.parametrize(
    "address",
    [
        "/cooperations/C-2026-0001%00",
        "/cooperations/%F0%9F%92%A3",
        "/cooperations/' OR 1=1 --",
        "/cooperations/C-2026-0001/visits/0",
        "/cooperations/C-2026-0001/visits/99999999999999999999",
        "/checklists/1",
        "/checklists/templates/none",
        "/undertakings/not-an-id",
        "/people/not-an-id",
        "/organisations/%2e%2e%2f",
        "/guidance/no-such-article",
        "/guidance?category=none",
        "/static/../config.py",
        "/static/%2e%2e/config.py",
        "/nowhere",
    ],
)
def test_an_address_that_is_nothing_is_not_found(
    app: Flask, demonstration: Demonstration, address: str
) -> None:
    assert demonstration.browser(app, "ilena").get(address).status_code == 404
