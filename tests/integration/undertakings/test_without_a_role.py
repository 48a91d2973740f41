"""Nobody signs, or is cleared, without a role in the organisation that named them.

Even before the worker has closed their undertaking, and whoever takes the signature.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import undertakings_on_paper as on_paper
from tests.factories.evidence.bundles import judged
from tests.factories.evidence.certificates import make_all
from tests.factories.undertakings import Clearing
from tests.factories.undertakings_on_paper import DRIVER, NAME
from tests.integration.undertakings.taken.test_in_presence import put_in, sign
from tests.pages import Page
from tracker.accounts.models import Membership, User
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError
from tracker.evidence.bundles import bundle, verify
from tracker.evidence.bundles import service as evidence
from tracker.signoff.models import Method
from tracker.undertakings import policy, queries
from tracker.undertakings.models import UndertakingState

NO_ROLE = "no longer have a role in the organisation that named them"
Away = Callable[[Clearing, str], None]


@pytest.fixture
def driver(app: Flask, clearing: Clearing) -> Clearing:
    """The cooperation, with a driver of the NPM who has no account and was asked."""
    on_paper.with_driver(app, clearing)
    return clearing


def suspend(clearing: Clearing, key: str) -> None:
    db.session.execute(
        sa.update(User).where(User.id == clearing.id(key)).values(suspended_at=clock.now())
    )
    db.session.commit()


def deactivate(clearing: Clearing, key: str) -> None:
    db.session.execute(sa.update(User).where(User.id == clearing.id(key)).values(active=False))
    db.session.commit()


def end_role(clearing: Clearing, key: str) -> None:
    db.session.execute(
        sa.update(Membership)
        .where(Membership.user_id == clearing.id(key))
        .values(ended_at=clock.now(), ends_on=clock.today())
    )
    db.session.commit()


def move_role(clearing: Clearing, key: str) -> None:
    """Give a person the same role in another organisation instead."""
    db.session.execute(
        sa.update(Membership)
        .where(Membership.user_id == clearing.id(key))
        .values(organisation_id=clearing.demo_people.bodies["od"].id)
    )
    db.session.commit()


ABSENT = pytest.mark.parametrize("away", [suspend, deactivate, end_role, move_role])


@ABSENT
def test_no_paper_is_recorded_of_somebody_without_a_role(driver: Clearing, away: Away) -> None:
    away(driver, DRIVER)
    with pytest.raises(RefusedError, match=NO_ROLE):
        on_paper.record(driver)


@ABSENT
def test_nobody_without_a_role_signs_on_a_device(driver: Clearing, away: Away) -> None:
    put_in(driver)
    db.session.commit()
    away(driver, DRIVER)
    with pytest.raises(RefusedError, match=NO_ROLE):
        sign(driver)
    db.session.rollback()
    with pytest.raises(RefusedError, match=NO_ROLE):
        put_in(driver)


@ABSENT
def test_no_scan_is_confirmed_of_somebody_without_a_role(driver: Clearing, away: Away) -> None:
    on_paper.record(driver)
    db.session.commit()
    away(driver, DRIVER)
    with pytest.raises(RefusedError, match=NO_ROLE):
        on_paper.confirm(driver)


@ABSENT
def test_nobody_without_a_role_is_cleared(driver: Clearing, away: Away) -> None:
    put_in(driver)
    sign(driver)
    db.session.commit()
    away(driver, DRIVER)
    with pytest.raises(RefusedError, match=NO_ROLE):
        driver.countersign(DRIVER)


@ABSENT
def test_nobody_with_an_account_is_cleared_without_a_role(clearing: Clearing, away: Away) -> None:
    clearing.sign("leyla")
    db.session.commit()
    away(clearing, "leyla")
    with pytest.raises(RefusedError, match=NO_ROLE):
        clearing.countersign("leyla")


@pytest.mark.parametrize("away", [end_role, move_role])
def test_somebody_with_an_account_is_told_of_their_own_role(clearing: Clearing, away: Away) -> None:
    actor = clearing.actor("leyla")
    away(clearing, "leyla")
    standing = queries.load(clearing.undertaking("leyla")).standing
    decision = policy.can_fill_in(actor, standing, clock.today())
    assert "You no longer have a role in the organisation that named you" in str(decision.reason)


def test_with_another_role_in_the_same_organisation_everything_goes_on(driver: Clearing) -> None:
    membership = db.session.scalars(
        sa.select(Membership).where(Membership.user_id == driver.id(DRIVER))
    ).one()
    db.session.add(
        Membership(
            user_id=membership.user_id,
            organisation_id=membership.organisation_id,
            role=membership.role,
            starts_on=clock.today(),
            created_at=clock.now(),
            begun_at=clock.now(),
        )
    )
    membership.ended_at = clock.now()
    db.session.commit()
    put_in(driver)
    sign(driver)
    assert driver.undertaking(DRIVER).state is UndertakingState.SIGNED
    driver.countersign(DRIVER)


def test_the_page_that_takes_a_signature_says_why_not(app: Flask, driver: Clearing) -> None:
    suspend(driver, DRIVER)
    undertaking = driver.undertaking(DRIVER)
    address = f"/cooperations/{driver.cooperation.reference}/undertakings/{undertaking.id}"
    for page in ("here", "paper/record"):
        response = driver.browser(app, "ilena").get(f"{address}/{page}")
        assert response.status_code == 403
        assert "account is suspended" in Page.of(response).text


# The organisation on the signature


@pytest.mark.parametrize("way", [Method.IN_PRESENCE, Method.PAPER])
def test_the_signature_names_the_organisation_that_named_the_person(
    driver: Clearing, way: Method
) -> None:
    if way is Method.PAPER:
        on_paper.record(driver)
        signature = on_paper.confirm(driver)
    else:
        put_in(driver)
        signature = sign(driver)
    npm = driver.demo_people.bodies["npm"].name
    assert (signature.method, signature.organisation_name) == (way, npm)
    # In their own name: it isn't the organisation's signature.
    assert signature.organisation_id is None


def test_the_bundle_says_for_which_organisation_a_person_signed_on_a_device(
    driver: Clearing,
) -> None:
    put_in(driver)
    sign(driver)
    driver.countersign(DRIVER)
    db.session.commit()
    undertaking, npm = driver.undertaking(DRIVER), driver.demo_people.bodies["npm"].name
    cooperation_id, reference = driver.cooperation.id, driver.cooperation.reference
    revision_id = undertaking.revision_id
    assert revision_id is not None
    make_all()
    taken = evidence.export(None, cooperation_id, reference)
    db.session.commit()
    data = bundle.build(replace(taken, revision_ids=taken.revision_ids | {revision_id}))
    assert judged(data) == {}
    lines = [line for line in verify.verify(data).signed if f": {NAME} for {npm}, " in line]
    assert len(lines) == 1
