"""Signers on paper need a power on the day of the paper, by their role, not their name."""

import datetime as dt

import pytest

from tests.factories import paper as scans
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, Clock
from tests.integration.agreements.test_paper import confirm, record, refused
from tests.integration.agreements.test_prior_agreements import attempt
from tests.integration.agreements.test_signers import (
    membership,
    party,
    person,
    power,
    send,
    signature_of,
)
from tracker.access.actor import Confirmation
from tracker.agreements import service as agreements
from tracker.agreements import signature_requests
from tracker.agreements.service import Asking
from tracker.core import clock
from tracker.core.errors import RuleBrokenError
from tracker.oversight import integrity


def pass_on(many: Negotiation) -> None:
    """Pass on to Milan what Tomas is to sign."""
    signature_requests.pass_on(
        many["ilena"],
        many.checklist(),
        person(many, "tomas"),
        person(many, "milan"),
        page=agreements.page_with(many.checklist()),
        reason="He is on leave.",
    )
    many.session.commit()


def test_a_power_that_ran_out_signs_no_paper_dated_after_it(
    many: Negotiation, frozen_time: Clock
) -> None:
    today = clock.today()
    power(many, "tomas", None, today + 2 * DAY)
    send(many, asking=Asking(expires_on=today + 20 * DAY))
    frozen_time(clock.now() + 4 * DAY)
    refused(
        many,
        lambda: scans.record(many["ilena"], many.checklist(), signed_on=today + 3 * DAY),
        "had no power to sign",
        RuleBrokenError,
    )
    confirm(many, "samira", record(many, "ilena", signed_on=today + 2 * DAY))
    assert signature_of(many, "tomas").power == membership(many, "tomas").power
    assert integrity.check_all().finding is None


def test_a_signature_on_paper_says_who_confirmed_its_power(many: Negotiation) -> None:
    send(many)
    role = membership(many, "tomas")
    role.confirmed_how, role.confirmed_by = Confirmation.COLLEAGUE, "Milan Orsk"
    role.confirmed_at = None
    role.power_until = clock.today() + DAY
    many.session.commit()
    confirm(many, "samira", record(many, "ilena"))
    signature = signature_of(many, "tomas")
    assert signature.power_confirmed == {"how": "colleague", "by": "Milan Orsk", "on": ""}
    assert signature.power_until == clock.today() + DAY
    assert integrity.check_all().finding is None


def test_a_power_that_had_not_begun_signs_no_paper(many: Negotiation, frozen_time: Clock) -> None:
    send(many)
    today = clock.today()
    frozen_time(clock.now() + 2 * DAY)
    power(many, "tomas", today + DAY, None)
    refused(
        many,
        lambda: scans.record(many["ilena"], many.checklist(), signed_on=today),
        "had no power to sign",
        RuleBrokenError,
    )
    record(many, "ilena", signed_on=today + DAY)


@pytest.mark.parametrize(("days", "signs"), [(0, True), (1, False)])
def test_a_role_that_had_ended_signs_no_paper_dated_after_it(
    many: Negotiation, frozen_time: Clock, days: int, signs: bool
) -> None:
    send(many)
    today = clock.today()
    membership(many, "tomas").ended_at = clock.now()
    many.session.commit()
    frozen_time(clock.now() + 2 * DAY)
    day = today + dt.timedelta(days=days)
    if signs:
        confirm(many, "samira", record(many, "ilena", signed_on=day))
        assert signature_of(many, "tomas").power
        return
    refused(
        many,
        lambda: scans.record(many["ilena"], many.checklist(), signed_on=day),
        "was no signatory of",
        RuleBrokenError,
    )


def test_a_suspended_person_signs_no_paper_dated_after_it(
    many: Negotiation, frozen_time: Clock
) -> None:
    send(many)
    today, user = clock.today(), many.country.users["tomas"]
    user.active, user.suspended_at = False, clock.now()
    many.session.commit()
    frozen_time(clock.now() + 2 * DAY)
    refused(
        many,
        lambda: scans.record(many["ilena"], many.checklist(), signed_on=today + DAY),
        "was no signatory of",
        RuleBrokenError,
    )
    record(many, "ilena", signed_on=today)


def test_the_reason_is_shown_beside_the_signer(many: Negotiation) -> None:
    send(many)
    power(many, "tomas", None, clock.today() - DAY)
    with pytest.raises(RuleBrokenError) as refusal:
        scans.record(many["ilena"], many.checklist())
    assert refusal.value.field == "signed"
    many.session.rollback()


def test_a_scan_is_not_confirmed_for_somebody_without_the_power_on_its_day(
    many: Negotiation,
) -> None:
    send(many)
    recorded = record(many, "ilena")
    power(many, "tomas", None, clock.today() - DAY)
    refused(
        many,
        lambda: scans.confirm(many["samira"], many.checklist(), recorded),
        "had no power to sign",
        RuleBrokenError,
    )


def test_whoever_a_signature_was_passed_on_to_signs_on_paper_by_their_own_power(
    many: Negotiation,
) -> None:
    send(many)
    pass_on(many)
    day = clock.today()
    recorded = record(many, "ilena", signed_on=day, office="", only=person(many, "milan"))
    confirm(many, "samira", recorded)
    signature = signature_of(many, "milan")
    own = membership(many, "milan")
    assert (signature.power, signature.office) == (own.power, own.office)
    assert own.power
    assert signature.in_place_of == many.country.users["tomas"].name
    assert signature.in_place_of_id == person(many, "tomas")
    assert integrity.check_all().finding is None


def test_a_scan_is_not_confirmed_for_somebody_who_has_passed_the_signature_on(
    many: Negotiation,
) -> None:
    send(many)
    recorded = record(many, "ilena")
    pass_on(many)
    refused(
        many,
        lambda: scans.confirm(many["samira"], many.checklist(), recorded),
        "no longer signs this text",
        RuleBrokenError,
    )


def test_whoever_changed_their_name_signs_on_paper_by_the_same_power(many: Negotiation) -> None:
    send(many, party(many, "npm", "tomas"))
    many.country.users["tomas"].name = "Tomas Beridan-Lund"
    many.session.commit()
    confirm(many, "samira", record(many, "ilena", office=""))
    signature = signature_of(many, "tomas")
    own = membership(many, "tomas")
    assert signature.signer_name == "Tomas Beridan-Lund"
    assert (signature.power, signature.office) == (own.power, own.office)
    assert own.power
    assert signature.in_place_of is None


def test_an_earlier_agreement_needs_no_power_known_here(negotiation: Negotiation) -> None:
    """The paper says who signed, before anybody had a role here."""
    negotiation.settle("M1")
    recorded = attempt(negotiation)
    negotiation.session.commit()
    for first in ("samira", "otto"):
        confirm(negotiation, first, recorded)
    assert integrity.check_all().finding is None
