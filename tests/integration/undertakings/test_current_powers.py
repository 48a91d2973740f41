"""Only a manager, or a signatory whose power is current, decides for the NPM."""

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import powers
from tests.factories.undertakings import TOLD, Clearing
from tests.integration.undertakings.conftest import Clock
from tests.starting_points import noon_in
from tracker.access.actor import Role
from tracker.accounts.people import service as accounts
from tracker.accounts.people.service import NewRole
from tracker.core import clock
from tracker.core.errors import RefusedError
from tracker.evidence.certificates import contents
from tracker.signoff.models import Signature, SignatureKind
from tracker.undertakings import people, queries
from tracker.undertakings import waiting as tasks

RAN_OUT = "Your power to sign has run out."
NOBODY = "Nobody at the NPM can countersign undertakings or decide now."


def limit_power(clearing: Clearing, last: int) -> dt.date:
    """Give the NPM's signatory a power that ends in some days; return its last day."""
    until = clock.today() + dt.timedelta(days=last)
    role = NewRole(
        Role.SIGNATORY,
        clearing.demo_people.bodies["npm"].id,
        power="Mandate of the board",
        office="Acting head",
        power_until=until,
    )
    accounts.give_role(clearing.actor("ilena"), clearing.id("tomas"), role)
    powers.let_begin(clearing.id("tomas"))
    return until


def without_a_manager(clearing: Clearing) -> None:
    (role,) = [m for m in clearing.actor("milan").memberships if m.role is Role.MANAGER]
    assert role.membership_id is not None
    accounts.end_role(clearing.actor("tomas"), role.membership_id, reason="Left the office")


@pytest.mark.parametrize("after", [0, 1])
def test_a_signatory_decides_until_the_last_day_of_the_power(
    clearing: Clearing, frozen_time: Clock, after: int
) -> None:
    """product.md, section 2; days run in the NPM's time zone (section 7)."""
    limit_power(clearing, 2)
    frozen_time(noon_in(2 + after))
    clearing.sign("leyla", TOLD)
    tomas, leyla = clearing.actor("tomas"), clearing.undertaking("leyla")
    deciders = {
        user.id for user in people.all_deciders(clearing.cooperation.id, besides=frozenset())
    }
    assert (tomas.user_id in deciders) is not after
    assert bool(queries.find_for_npm(tomas, leyla.id)) is not after
    assert bool(tasks.tasks(tomas).mine) is not after
    if not after:
        clearing.decide("leyla")
        clearing.countersign("leyla")
        return
    with pytest.raises(RefusedError, match=RAN_OUT):
        clearing.decide("leyla")
    clearing.decide("leyla", by="milan")
    with pytest.raises(RefusedError, match=RAN_OUT):
        clearing.countersign("leyla")


def test_a_countersignature_names_the_power_and_its_days(
    app: Flask, clearing: Clearing, session: Session
) -> None:
    """product.md, 5.3."""
    until = limit_power(clearing, 2)
    clearing.sign("leyla")
    page = clearing.browser(app, "tomas").page(clearing.countersigning("leyla"))
    assert "I, Tomas Beridan, Acting head, countersign for" in page.text
    assert "under Mandate of the board (until" in page.text
    assert "Power to countersign: Confirmed by Milan Osterin" in page.text
    clearing.countersign("leyla")
    given = session.scalars(
        sa.select(Signature).where(Signature.kind == SignatureKind.COUNTERSIGNATURE)
    ).one()
    assert (given.power, given.power_until) == ("Mandate of the board", until)
    assert given.content()["power_until"] == until.isoformat()
    assert "(until" in str(contents._signature(given, (), "en")["power"])


def test_a_manager_whose_power_to_sign_ran_out_countersigns_as_manager(
    app: Flask, clearing: Clearing, session: Session, frozen_time: Clock
) -> None:
    limit_power(clearing, 2)
    npm = clearing.demo_people.bodies["npm"].id
    accounts.give_role(clearing.actor("iris"), clearing.id("tomas"), NewRole(Role.MANAGER, npm))
    powers.let_begin(clearing.id("tomas"))
    frozen_time(noon_in(3))
    clearing.sign("leyla")
    page = clearing.browser(app, "tomas").page(clearing.countersigning("leyla"))
    assert "I, Tomas Beridan, countersign as manager for" in page.text
    clearing.countersign("leyla")
    given = session.scalars(
        sa.select(Signature).where(Signature.kind == SignatureKind.COUNTERSIGNATURE)
    ).one()
    assert (given.power, given.power_until) == ("", None)


def test_the_list_says_why_nobody_decides_and_what_to_do(
    app: Flask, clearing: Clearing, frozen_time: Clock
) -> None:
    limit_power(clearing, 2)
    clearing.sign("leyla")
    address = f"/cooperations/{clearing.cooperation.reference}/undertakings"
    frozen_time(noon_in(3))
    own = clearing.browser(app, "tomas").page(address)
    assert RAN_OUT in own.text
    assert "other signatories or managers of the NPM countersign" in own.text
    assert NOBODY not in clearing.browser(app, "ilena").page(address).text
    frozen_time(noon_in(2))
    without_a_manager(clearing)
    frozen_time(noon_in(3))
    for key in ("tomas", "ilena"):
        page = clearing.browser(app, key).page(address)
        assert NOBODY in page.text
        assert "Ask for a power to be renewed" in page.text
    assert NOBODY not in clearing.browser(app, "joana").page(address).text
