"""Signing on paper according to the list of signatories: how many, in which order; passing on."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from tests.factories import paper as scans
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.test_signers import (
    one_after_the_other,
    party,
    person,
    send,
    sign,
    state,
)
from tracker.agreements import service as agreements
from tracker.agreements import signature_requests
from tracker.agreements.paper import service as paper
from tracker.agreements.service import Asking
from tracker.checklists.models import ChecklistState
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.signoff.models import Signature
from tracker.signoff.paper_models import PaperRecord
from tracker.signoff.signers import Order


def record(negotiation: Negotiation, *firsts: str, by: str = "ilena") -> PaperRecord:
    """Record a scan that some people signed."""
    offices = {person(negotiation, first): "Head" for first in firsts}
    record = paper.record(
        negotiation[by],
        negotiation.checklist(),
        page=agreements.page_with(negotiation.checklist()),
        signed_on=clock.today(),
        offices=offices,
        scan=scans.pdf(),
    )
    negotiation.session.commit()
    return record


def confirm(negotiation: Negotiation, first: str, record: PaperRecord) -> None:
    scans.confirm(negotiation[first], negotiation.checklist(), record)
    negotiation.session.commit()


def signed_for(negotiation: Negotiation, key: str) -> set[UUID]:
    return set(
        negotiation.session.scalars(
            sa.select(Signature.user_id).where(
                Signature.organisation_id == negotiation.country.id(key)
            )
        )
    )


def test_as_many_sign_on_paper_as_the_party_has_to_give(many: Negotiation) -> None:
    send(many, party(many, "npm", "tomas", "milan", "greta", needed=2))
    confirm(many, "samira", record(many, "milan", "greta"))
    assert signed_for(many, "npm") == {person(many, "milan"), person(many, "greta")}
    sign(many, "henrik")
    assert state(many) is ChecklistState.SENT
    sign(many, "otto")
    assert state(many) is ChecklistState.IN_FORCE
    assert integrity.check_all().finding is None


def test_one_signature_on_paper_and_one_online_complete_a_party_of_two(many: Negotiation) -> None:
    send(many, party(many, "npm", "tomas", "milan", needed=2))
    sign(many, "henrik", "otto", "tomas")
    assert state(many) is ChecklistState.SENT
    confirm(many, "samira", record(many, "milan"))
    assert state(many) is ChecklistState.IN_FORCE


def test_more_than_the_party_has_to_give_are_refused(many: Negotiation) -> None:
    send(many, party(many, "npm", "tomas", "milan", "greta", needed=2))
    with pytest.raises(RuleBrokenError, match="Too many people signed"):
        record(many, "tomas", "milan", "greta")


def test_a_paper_signature_waits_for_its_turn_within_the_party(many: Negotiation) -> None:
    send(many, one_after_the_other(many, "npm", "tomas", "milan"))
    with pytest.raises(RuleBrokenError, match="somebody signed out of turn"):
        record(many, "milan")
    many.session.rollback()
    confirm(many, "samira", record(many, "milan", "tomas"))
    assert signed_for(many, "npm") == {person(many, "tomas"), person(many, "milan")}


def test_nor_before_the_parties_that_come_first(many: Negotiation) -> None:
    send(many, asking=Asking(order=Order.PARTNERS_FIRST))
    with pytest.raises(RefusedError):
        record(many, "tomas")
    many.session.rollback()
    sign(many, "henrik", "otto")
    confirm(many, "samira", record(many, "tomas"))
    assert state(many) is ChecklistState.IN_FORCE


def test_only_the_new_signatory_signs_a_slot_that_was_passed_on(many: Negotiation) -> None:
    send(many)
    signature_requests.pass_on(
        many["ilena"],
        many.checklist(),
        person(many, "tomas"),
        person(many, "milan"),
        page=agreements.page_with(many.checklist()),
        reason="He is away.",
    )
    many.session.commit()
    with pytest.raises(RuleBrokenError, match="Choose who signed"):
        record(many, "tomas")
    many.session.rollback()
    confirm(many, "samira", record(many, "milan"))
    assert signed_for(many, "npm") == {person(many, "milan")}
