"""Terms renewed by a review: in force without a gap while they run, or again once they ran out."""

from flask import Flask

from tests.factories import agreements
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, DAYS, SIGNERS
from tests.integration.reviews.conftest import Clock, cooperation, hold
from tracker.checklists.negotiation import positions
from tracker.core import clock
from tracker.oversight import integrity
from tracker.reviews.models import Outcome
from tracker.signoff.models import Revision
from tracker.visits.facts import Term


def sign_anew(negotiation: Negotiation) -> None:
    """Accept the new dates that the party of who confirmed last has proposed, and sign them."""
    terms = negotiation.checklist()
    (proposal,) = negotiation.loaded().proposals_on["M19"]
    assert proposal.organisation_id == negotiation.country.id("lantern")
    positions.accept_proposal(negotiation["ilena"], terms, proposal.id)
    negotiation.accept("M19", "samira")
    agreements.send(negotiation.country, terms, SIGNERS)
    agreements.sign(negotiation.country, terms, *SIGNERS.values())
    negotiation.session.commit()


def test_terms_renewed_early_stay_in_force_from_their_first_day_to_the_new_last_one(
    app: Flask, active: Negotiation, frozen_time: Clock
) -> None:
    before = cooperation(active)
    first, last = before.starts_on, clock.today() + DAYS * DAY
    hold(
        active,
        outcome=Outcome.RENEW,
        reason="It went well.",
        next_on=last + 50 * DAY,
        ends_on=last + 100 * DAY,
    )
    assert active.checklist().open_items == ["M19"]
    assert cooperation(active).ends_on == last
    sign_anew(active)
    after = cooperation(active)
    assert (after.starts_on, after.ends_on) == (first, last + 100 * DAY)
    assert Term(after.starts_on, after.ends_on).contains(clock.today(), last)  # J1
    text = active.session.get_one(Revision, active.checklist().revision_in_force_id)
    reference, now = after.reference, clock.now()
    # Until the old terms would have ended, and afterwards.
    for days in (1, DAYS, DAYS + 1):
        frozen_time(now + days * DAY)
        auditor = active.country.browser(app, "nadia")
        assert "In force 1" in auditor.page("/register?state=in_force").text
        assert "Stage: Active" in auditor.page(f"/cooperations/{reference}").text
        check = auditor.page(f"/verify?reference={reference}&digest={text.digest}").text
        assert "everyone has signed, and it's still valid" in check
    active.session.rollback()
    assert integrity.check_all().finding is None


def test_terms_that_have_run_out_are_renewed_from_a_day_that_the_record_names(
    active: Negotiation, frozen_time: Clock
) -> None:
    frozen_time(clock.now() + (DAYS + 1) * DAY)
    start = clock.today() + 10 * DAY
    hold(
        active,
        outcome=Outcome.RENEW,
        reason="It works.",
        starts_on=start,
        next_on=start + 50 * DAY,
        ends_on=start + 100 * DAY,
    )
    sign_anew(active)
    assert cooperation(active).starts_on == start
