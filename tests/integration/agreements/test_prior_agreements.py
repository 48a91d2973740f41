"""Prior agreements on paper: recorded, and confirmed by every party."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import checklists, powers
from tests.factories import paper as scans
from tests.factories.cooperations import signed_in
from tests.factories.evidence.bundles import judged
from tests.factories.evidence.certificates import make_all, words_of
from tests.factories.evidence.leaves import shown_on, unseen
from tests.factories.evidence.tampering import SIGNATURES, Tampering, hands
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.test_paper import (
    confirm,
    refused,
    request_on,
    signatures,
)
from tracker.access.actor import Role
from tracker.access.decision import YES
from tracker.agreements import frozen_text
from tracker.agreements import service as agreements
from tracker.agreements.paper import prior_agreements
from tracker.agreements.paper import service as paper
from tracker.agreements.paper.prior_agreements import Person
from tracker.checklists.models import ChecklistState
from tracker.cooperations import queries as cooperation_queries
from tracker.cooperations import service as cooperations
from tracker.core import canonical, clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.evidence.bundles import bundle
from tracker.evidence.bundles import service as evidence
from tracker.evidence.certificates.service import CertificateError
from tracker.lifecycle import bound as lifecycle_bound
from tracker.lifecycle import planned_ends
from tracker.lifecycle import policy as lifecycle
from tracker.lifecycle import queries as gates
from tracker.lifecycle.policy import GateState
from tracker.oversight import integrity
from tracker.oversight.facts import Fault
from tracker.signoff import paper_policy
from tracker.signoff import service as signoff
from tracker.signoff.identity_proof import SigningPage
from tracker.signoff.models import Method, RequestState, Revision
from tracker.signoff.paper_models import PaperRecord

Clock = Callable[[dt.datetime | None], None]
DAY = dt.date(2021, 3, 9)


def page_now(negotiation: Negotiation) -> SigningPage:
    """Return the page on which the text to be frozen is read now."""
    return scans.page_of_known(negotiation.checklist())


def attempt(negotiation: Negotiation, first: str = "ilena", **values: Any) -> PaperRecord:
    people = {
        negotiation.country.id("npm"): [Person("Ada Former", "Head of the NPM")],
        negotiation.country.id("door"): [Person("Bo Earlier", "Chair"), Person("Cy Second")],
        negotiation.country.id("lantern"): [Person("Di Before", "President")],
    }
    usual = {"signed_on": DAY, "ends_on": None, "signers": people, "scan": scans.pdf()}
    given = usual | {"page": page_now(negotiation)} | values
    return prior_agreements.record(negotiation[first], negotiation.checklist(), **given)


@pytest.fixture
def known(negotiation: Negotiation) -> Negotiation:
    """Two answers are known, one of them agreed by nobody."""
    negotiation.go_on("known", _answer)
    return negotiation


def _answer(negotiation: Negotiation) -> None:
    negotiation.settle("M1")
    negotiation.save("ilena", "M6")


@pytest.fixture
def recorded(known: Negotiation) -> Negotiation:
    """The agreement is recorded; it ends in 90 days."""
    ends_on = clock.today() + dt.timedelta(days=90)
    known.go_on("recorded", lambda negotiation: attempt(negotiation, ends_on=ends_on))
    known.session.commit()
    return known


def paper_of(negotiation: Negotiation) -> PaperRecord:
    return negotiation.session.scalars(sa.select(PaperRecord)).one()


def agree_all(negotiation: Negotiation) -> None:
    for first in ("samira", "otto"):
        confirm(negotiation, first, paper_of(negotiation))


def document(negotiation: Negotiation) -> dict[str, Any]:
    return signoff.document_of(negotiation.session.scalars(sa.select(Revision)).one(), None)


def test_a_prior_agreement_freezes_known_terms_and_marks_the_rest_as_unknown(
    recorded: Negotiation,
) -> None:
    """product.md, 5.6."""
    text = frozen_text.read(document(recorded))
    assert text.by_code["M1"].answers
    assert text.by_code["M6"].answers
    assert text.by_code["M3"].answers == ()
    made_before = document(recorded)["made_before"]
    assert "M3" in made_before["not_known"]
    assert {"M1", "M6"}.isdisjoint(made_before["not_known"])
    assert made_before["signed_on"] == "2021-03-09"
    assert made_before["scan_digest"] == canonical.digest(scans.pdf())
    assert document(recorded)["signatories"][1]["name"] == "Bo Earlier; Cy Second"
    assert recorded.checklist().state is ChecklistState.SENT
    assert len(recorded.events("former_agreement_recorded")) == 1


def test_a_prior_agreement_is_in_force_from_its_date_once_every_other_party_confirms(
    recorded: Negotiation,
) -> None:
    confirm(recorded, "samira", paper_of(recorded))
    assert recorded.checklist().state is ChecklistState.SENT
    assert signatures(recorded) == []
    confirm(recorded, "otto", paper_of(recorded))
    checklist = recorded.checklist()
    assert checklist.state is ChecklistState.IN_FORCE
    assert checklist.in_force_at is not None
    assert checklist.in_force_at.astimezone(clock.zone()).date() == DAY
    assert request_on(recorded).state is RequestState.COMPLETED
    by_organisation = {signature.organisation_name: signature for signature in signatures(recorded)}
    assert {signature.method for signature in by_organisation.values()} == {Method.PAPER}
    door = by_organisation["Open Door Legal Aid"]
    assert (door.signer_name, door.office) == ("Bo Earlier; Cy Second", "Chair")
    assert door.user_id == recorded["samira"].user_id
    assert by_organisation["Office of the People's Advocate"].user_id == recorded["ilena"].user_id
    assert {
        signature.paper["made"] for signature in by_organisation.values() if signature.paper
    } == {"before"}
    assert integrity.check_all().finding is None


def test_who_typed_it_in_is_no_author_once_the_others_confirmed_it(recorded: Negotiation) -> None:
    writer = recorded["ilena"].user_id
    confirm(recorded, "samira", paper_of(recorded))
    assert writer in recorded.loaded().sheet.authors
    confirm(recorded, "otto", paper_of(recorded))
    recorded.session.commit()
    assert writer not in recorded.loaded().sheet.authors
    assert integrity.check_all().finding is None


def test_the_cooperation_takes_over_its_dates_and_keeps_what_was_planned(
    recorded: Negotiation,
) -> None:
    review = recorded.cooperation.review_on
    agree_all(recorded)
    recorded.session.refresh(recorded.cooperation)
    assert recorded.cooperation.starts_on == DAY
    assert recorded.cooperation.ends_on == clock.today() + dt.timedelta(days=90)
    assert recorded.cooperation.review_on == review


def plan_end(negotiation: Negotiation) -> dt.date:
    """Have the NPM plan a last day, and return it."""
    negotiation.cooperation.ends_on = planned = clock.today() + dt.timedelta(days=90)
    return planned


def test_an_agreement_that_names_no_end_has_no_last_day_whatever_one_side_had_planned(
    known: Negotiation, frozen_time: Clock
) -> None:
    """M19."""
    planned, review = plan_end(known), known.cooperation.review_on
    attempt(known, ends_on=None)
    known.session.commit()
    agree_all(known)
    known.session.commit()
    known.session.refresh(known.cooperation)
    assert (known.cooperation.starts_on, known.cooperation.ends_on) == (DAY, None)
    assert known.cooperation.review_on == review
    frozen_time(dt.datetime.combine(planned + dt.timedelta(days=1), dt.time(12), dt.UTC))
    assert not cooperation_queries.have_terms_run_out(known.cooperation)
    assert lifecycle_bound.agreeing([known.cooperation])
    # A day that nobody signed isn't borne out by the text.
    plan_end(known)
    assert not lifecycle_bound.agreeing([known.cooperation])


def test_a_planned_end_taken_over_by_an_earlier_version_is_dropped_at_the_next_start(
    known: Negotiation,
) -> None:
    attempt(known, ends_on=None)
    agree_all(known)
    cooperation = known.cooperation
    known.session.refresh(cooperation)
    changed = len(known.events("cooperation_changed"))
    cooperations.follow_dates(
        None,
        cooperation,
        starts_on=cooperation.starts_on,
        ends_on=clock.today() + dt.timedelta(days=90),
        review_on=cooperation.review_on,
        reminder_days=30,
    )
    known.session.commit()
    assert planned_ends.drop() == 1
    known.session.refresh(cooperation)
    assert (cooperation.starts_on, cooperation.ends_on) == (DAY, None)
    assert cooperation.remind_of_end_on is None
    assert len(known.events("cooperation_changed")) == changed + 2
    assert lifecycle_bound.agreeing([cooperation])
    assert integrity.check_all().finding is None
    assert planned_ends.drop() == 0


def test_an_end_that_the_paper_names_stays_at_a_start(recorded: Negotiation) -> None:
    agree_all(recorded)
    recorded.session.commit()
    assert planned_ends.drop() == 0
    recorded.session.refresh(recorded.cooperation)
    assert recorded.cooperation.ends_on is not None


def test_before_it_is_confirmed_all_is_shown_that_is_known_of_it(
    recorded: Negotiation, app: Flask
) -> None:
    text, record = document(recorded), paper_of(recorded)
    address = f"/checklists/{recorded.checklist().id}/papers/{record.id}"
    for first in ("samira", "otto"):
        browser = signed_in(app, recorded.country.users[first])
        for language in frozen_text.languages_of(text):
            page = browser.page(f"{address}?language={language}")
            assert unseen(text, shown_on(page), language, "en") == []


def test_its_evidence_is_sound_for_two_verifiers(recorded: Negotiation) -> None:
    """A prior agreement signed on paper counts as signed by all."""
    agree_all(recorded)
    recorded.session.commit()
    assert len(make_all()) == 1
    taken = evidence.export(None, recorded.cooperation.id, recorded.cooperation.reference)
    recorded.session.commit()
    assert judged(bundle.build(taken)) == {}
    recorded.session.close()
    with hands() as connection:
        own = Tampering(connection, taken.cooperation_id)
        own.delete(SIGNATURES, own.rows(SIGNATURES)[0].id)
    assert list(judged(bundle.build(taken))) == ["Certificates"]


def test_record_and_certificate_say_all_that_is_known_of_it(
    recorded: Negotiation, app: Flask
) -> None:
    agree_all(recorded)
    recorded.session.commit()
    text, checklist_id = document(recorded), recorded.checklist().id
    browser = signed_in(app, recorded.country.users["ilena"])
    for language in frozen_text.languages_of(text):
        page = browser.page(f"/checklists/{checklist_id}/record?language={language}")
        assert unseen(text, shown_on(page), language, "en") == []
    (rows,) = make_all().values()
    row = next(certificate for certificate in rows if certificate.language == "en")
    assert unseen(text, words_of(row), "en", "en") == []


def test_a_prior_agreement_never_counts_as_reviewed(recorded: Negotiation) -> None:
    """G3."""
    agree_all(recorded)
    facts = gates.facts_of(recorded.cooperation)
    gate = next(gate for gate in lifecycle.gates(facts) if gate.code == "G3")
    assert gate.state is GateState.NOT_MET
    assert "Nobody reviewed their safeguards here" in str(gate.missing[0].reason)
    assert facts.terms_in_force


def test_nobody_is_asked_to_sign_it_here(recorded: Negotiation) -> None:
    assert request_on(recorded).slots == []
    with pytest.raises(RefusedError, match="Somebody else is named"):
        checklists.sign(recorded.checklist(), recorded["tomas"])


def test_a_refusal_opens_the_checklist_again(recorded: Negotiation) -> None:
    confirm(recorded, "samira", paper_of(recorded))
    paper.refuse(
        recorded["joana"], recorded.checklist(), paper_of(recorded).id, reason="We never signed."
    )
    recorded.session.commit()
    assert recorded.checklist().state is ChecklistState.DRAFTING
    assert recorded.checklist().revision_in_force_id is None
    assert request_on(recorded).state is RequestState.DECLINED
    assert signatures(recorded) == []
    refused(
        recorded,
        lambda: scans.confirm(recorded["otto"], recorded.checklist(), paper_of(recorded)),
        "isn't waiting",
        RuleBrokenError,
    )
    assert integrity.check_all().finding is None


def test_a_prior_agreement_can_be_withdrawn_and_recorded_again(recorded: Negotiation) -> None:
    paper.withdraw(
        recorded["ilena"], recorded.checklist(), paper_of(recorded).id, reason="Wrong year."
    )
    recorded.session.commit()
    assert recorded.checklist().state is ChecklistState.DRAFTING
    attempt(recorded)
    recorded.session.commit()
    assert recorded.checklist().state is ChecklistState.SENT


def test_the_audit_and_both_verifiers_name_who_confirmed_it_for_two_parties(
    recorded: Negotiation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written as by code without that rule: each row is intact, and its event binds it."""
    monkeypatch.setattr(paper_policy, "can_decide", lambda *_arguments, **_more: YES)
    samira, lantern = recorded["samira"], recorded.country.id("lantern")
    for actor in (samira, powers.hold(samira.user_id, lantern, Role.COORDINATOR)):
        scans.confirm(actor, recorded.checklist(), paper_of(recorded))
    recorded.session.commit()
    finding = integrity.check_all().finding
    assert finding is not None
    assert finding.fault is Fault.ANSWERED_TWICE
    with pytest.raises(CertificateError):
        make_all()
    taken = evidence.export(None, recorded.cooperation.id, recorded.cooperation.reference)
    recorded.session.commit()
    assert set(judged(bundle.build(taken))) == {"Signatures", "Passkeys"}


def test_a_party_confirms_it_only_once(recorded: Negotiation) -> None:
    confirm(recorded, "samira", paper_of(recorded))
    refused(
        recorded,
        lambda: scans.confirm(recorded["henrik"], recorded.checklist(), paper_of(recorded)),
        "has already confirmed this scan",
    )


@pytest.mark.parametrize("first", ["samira", "tomas", "nadia", "vesna", "ada", "root", "marek"])
def test_only_a_coordinator_of_the_npm_records_it(known: Negotiation, first: str) -> None:
    refused(known, lambda: attempt(known, first), "coordinator of the NPM")


def test_a_text_sent_or_in_force_here_is_not_recorded_as_a_prior_agreement(
    negotiation: Negotiation,
) -> None:
    negotiation.send()
    negotiation.session.commit()
    refused(negotiation, lambda: attempt(negotiation), "Amend it instead")
    agreements.call_back(negotiation["ilena"], negotiation.checklist(), reason="A date is wrong.")
    negotiation.session.commit()
    attempt(negotiation)
    negotiation.session.commit()
    agree_all(negotiation)
    refused(negotiation, lambda: attempt(negotiation), "Amend it instead")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"signed_on": dt.date(2999, 1, 1)}, "can't be in the future"),
        ({"ends_on": DAY}, "end must come after"),
        ({"signers": {}}, "Name who signed for"),
        ({"scan": b""}, "is empty"),
        ({"scan": b"<!doctype html>"}, "isn't a complete PDF"),
    ],
)
def test_impossible_input_is_refused(
    known: Negotiation, values: dict[str, Any], words: str
) -> None:
    refused(known, lambda: attempt(known, **values), words, RuleBrokenError)


def test_every_party_needs_somebody_who_signed(known: Negotiation) -> None:
    people = {known.country.id("npm"): [Person("Ada Former")]}
    refused(known, lambda: attempt(known, signers=people), "Open Door", RuleBrokenError)
    people = {organisation_id: [Person("")] for organisation_id in (known.country.id("npm"),)}
    refused(known, lambda: attempt(known, signers=people), "One person per line", RuleBrokenError)
