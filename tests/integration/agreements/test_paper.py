"""Signed on paper: one party records the scan, another confirms it, and it counts.

In one file: all tests begin with the same pending text.
"""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.factories import checklists
from tests.factories import paper as scans
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, Clock
from tracker.agreements import service as agreements
from tracker.agreements.paper import queries as waiting_scans
from tracker.agreements.paper import service as paper
from tracker.checklists.models import ChecklistState
from tracker.cooperations import keys
from tracker.core import canonical, clock, crypto
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail.models import OutboxMessage
from tracker.oversight import integrity
from tracker.signoff import paper as papers
from tracker.signoff import queries as signoff
from tracker.signoff.models import Method, RequestState, Revision, Signature, SignatureRequest
from tracker.signoff.paper_models import PaperDecision, PaperRecord, PaperState


@pytest.fixture
def sent(negotiation: Negotiation) -> Negotiation:
    """The terms, agreed, frozen and sent; nobody has signed."""
    negotiation.send()
    negotiation.session.commit()
    return negotiation


def request_on(negotiation: Negotiation) -> SignatureRequest:
    revision_id = negotiation.session.scalars(
        sa.select(Revision.id).where(Revision.subject_id == negotiation.checklist().id)
    ).one()
    request = signoff.request_of(revision_id)
    assert request is not None
    return request


def record(negotiation: Negotiation, first: str = "samira", **values: Any) -> PaperRecord:
    record = scans.record(negotiation[first], negotiation.checklist(), **values)
    negotiation.session.commit()
    return record


def confirm(negotiation: Negotiation, first: str, record: PaperRecord) -> None:
    scans.confirm(negotiation[first], negotiation.checklist(), record)
    negotiation.session.commit()


def state_of(negotiation: Negotiation, record: PaperRecord) -> PaperState:
    paper_record = papers.find([record.revision_id], record.id)
    assert paper_record is not None
    return paper.fact_of(paper_record, request_on(negotiation)).state


def signatures(negotiation: Negotiation) -> list[Signature]:
    return list(negotiation.session.scalars(sa.select(Signature).order_by(Signature.signed_at)))


def refused(
    negotiation: Negotiation,
    attempt: Callable[[], object],
    words: str,
    error: type[Exception] = RefusedError,
) -> None:
    """Check that an attempt is refused in these words and stores no scan, answer or signature."""

    def seen() -> list[int | None]:
        return [
            negotiation.session.scalar(sa.select(sa.func.count()).select_from(model))
            for model in (PaperRecord, PaperDecision, Signature)
        ]

    before = seen()
    with pytest.raises(error, match=words):
        attempt()
    negotiation.session.rollback()
    assert seen() == before


# Record


def test_a_coordinator_records_what_their_organisation_signed(sent: Negotiation) -> None:
    """product.md, 5.6."""
    sent.session.execute(sa.delete(OutboxMessage))
    recorded = record(sent, scan=scans.png(), office="Director of the board")
    assert recorded.signers == [
        {
            "organisation_id": str(sent.country.id("door")),
            "organisation": "Open Door Legal Aid",
            "name": "Henrik Asante",
            "office": "Director of the board",
            "user_id": str(sent["henrik"].user_id),
        }
    ]
    assert (recorded.media_type, recorded.size) == ("image/png", len(scans.png()))
    assert recorded.scan_digest == canonical.digest(scans.png())
    assert signatures(sent) == []
    assert state_of(sent, recorded) is PaperState.WAITING
    (event,) = sent.events("paper_recorded")
    assert event["organisation"] == "Open Door Legal Aid"
    assert event["scan_digest"] == recorded.scan_digest
    assert event["document_digest"] == request_on(sent).revision.digest
    # Only people of other parties who can confirm it are notified.
    rows = sent.session.scalars(sa.select(OutboxMessage))
    recipients = {row.recipient for row in rows if row.kind == "paper_recorded"}
    able = {sent.country.users[first].email for first in ("ilena", "tomas", "joana", "otto")}
    assert able <= recipients
    own = {sent.country.users[first].email for first in ("samira", "henrik", "dora", "marek")}
    assert recipients.isdisjoint(own)


def test_the_scan_is_kept_encrypted_and_no_second_is_recorded_while_it_waits(
    sent: Negotiation,
) -> None:
    recorded = record(sent)
    key = keys.key_of(sent.cooperation.id)
    assert papers.scan_of(recorded, key) == scans.pdf()
    sealed = sent.session.scalars(sa.select(PaperRecord.scan)).one()
    assert b"Signed by hand" not in sealed
    with pytest.raises(crypto.SealBrokenError):
        papers.unsealed(sent.cooperation.id, sealed, key)
    # No second scan is recorded while one is waiting.
    refused(sent, lambda: scans.record(sent["samira"], sent.checklist()), "waiting to be confirmed")


def test_nobody_but_a_coordinator_of_a_party_records_a_scan(sent: Negotiation) -> None:
    for first in ("henrik", "dora", "marek", "root"):
        attempt = partial(scans.record, sent[first], sent.checklist())
        refused(sent, attempt, "Only a coordinator of a party")


def test_only_a_scan_of_people_the_text_names_since_it_was_frozen_is_recorded(
    sent: Negotiation,
) -> None:
    """S11: nobody signs for another."""
    for offices in ({sent["tomas"].user_id: "Director"}, {sent["dora"].user_id: "Director"}, {}):
        attempt = partial(
            paper.record,
            sent["samira"],
            sent.checklist(),
            page=agreements.page_with(sent.checklist()),
            signed_on=clock.today(),
            offices=offices,
            scan=scans.pdf(),
        )
        refused(sent, attempt, "Choose who signed", RuleBrokenError)
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"signed_on": clock.today() + DAY}, "can't be in the future"),
        ({"signed_on": clock.today() - DAY}, "frozen after this day"),
        ({"signed_on": clock.today() - 400 * DAY}, "frozen"),
        ({"scan": b"<html>"}, "isn't a complete PDF"),
    ]
    for values, words in wrong:
        attempt = partial(scans.record, sent["samira"], sent.checklist(), **values)
        refused(sent, attempt, words, RuleBrokenError)


# Confirm


@pytest.mark.parametrize("first", ["ilena", "tomas", "joana", "otto"])
def test_any_other_party_confirms_and_it_counts_as_a_signature(
    sent: Negotiation, first: str
) -> None:
    recorded = record(sent)
    confirm(sent, first, recorded)
    (signature,) = signatures(sent)
    assert (signature.method, signature.signer_name, signature.office) == (
        Method.PAPER,
        "Henrik Asante",
        "Director",
    )
    assert (signature.user_id, signature.organisation_id) == (
        sent["henrik"].user_id,
        sent.country.id("door"),
    )
    assert signature.power == sent["henrik"].memberships[0].power
    assert signature.sentence == scans.SENTENCE
    assert signature.paper == {
        "record": str(recorded.id),
        "scan_digest": recorded.scan_digest,
        "signed_on": clock.today().isoformat(),
        "recorded_by": str(sent["samira"].user_id),
        "recorded_by_name": "Samira Okell",
        "recorded_for": "Open Door Legal Aid",
        "confirmed_by": str(sent[first].user_id),
        "confirmed_by_name": sent[first].name,
        "confirmed_for": sent[first].organisation_name,
        "made": "here",
    }
    assert signature.digest == canonical.digest_of(signature.content())
    assert state_of(sent, recorded) is PaperState.CONFIRMED
    assert sent.checklist().state is ChecklistState.SENT
    assert len(sent.events("paper_confirmed")) == 1
    (event,) = sent.events("signed_on_paper")
    assert event["organisation"] == "Open Door Legal Aid"
    assert integrity.check_all().finding is None


def test_neither_the_same_side_nor_a_stranger_confirms(sent: Negotiation) -> None:
    recorded = record(sent)
    attempts: list[tuple[Callable[[str], object], str]] = [
        (lambda first: scans.confirm(sent[first], sent.checklist(), recorded), "another party"),
        (
            lambda first: paper.refuse(sent[first], sent.checklist(), recorded.id, reason="No."),
            "another party",
        ),
    ]
    for first in ("samira", "henrik", "dora", "nadia", "marek", "ada", "root"):
        for attempt, words in attempts:
            refused(sent, partial(attempt, first), words)
    actor = sent["ilena"]
    twin = type(actor)(
        **{name: getattr(actor, name) for name in ("name", "memberships", "organisation_id")},
        user_id=sent["samira"].user_id,
    )
    refused(
        sent,
        lambda: scans.confirm(twin, sent.checklist(), recorded),
        "recorded this scan for another party",
    )


def test_only_a_coordinator_of_the_same_side_withdraws(sent: Negotiation) -> None:
    recorded = record(sent)

    def withdraw(first: str) -> None:
        paper.withdraw(sent[first], sent.checklist(), recorded.id, reason="No.")

    for first in ("henrik", "ilena", "joana", "dora"):
        refused(sent, partial(withdraw, first), "coordinator of the organisation that recorded")
    # A refusal needs a reason, too.
    for attempt, first in ((paper.refuse, "ilena"), (paper.withdraw, "samira")):
        with pytest.raises(RuleBrokenError, match="Say why"):
            attempt(sent[first], sent.checklist(), recorded.id, reason="  ")
        sent.session.rollback()


def test_the_last_one_on_paper_brings_the_text_into_force(sent: Negotiation) -> None:
    checklists.sign(sent.checklist(), sent["tomas"], sent["otto"])
    sent.session.commit()
    recorded = record(sent)
    assert sent.checklist().state is ChecklistState.SENT
    confirm(sent, "joana", recorded)
    checklist = sent.checklist()
    assert checklist.state is ChecklistState.IN_FORCE
    assert checklist.revision_in_force_id == recorded.revision_id
    assert request_on(sent).state is RequestState.COMPLETED
    assert len(sent.events("came_into_force")) == 1


def test_all_parties_can_sign_on_paper_and_confirm_each_other(sent: Negotiation) -> None:
    for first, other in (("ilena", "samira"), ("samira", "joana"), ("joana", "tomas")):
        confirm(sent, other, record(sent, first))
    assert sent.checklist().state is ChecklistState.IN_FORCE
    assert {signature.method for signature in signatures(sent)} == {Method.PAPER}
    assert integrity.check_all().finding is None


def test_a_scan_is_confirmed_only_once_and_the_last_one_here_brings_it_into_force(
    sent: Negotiation,
) -> None:
    recorded = record(sent)
    confirm(sent, "ilena", recorded)
    refused(
        sent, lambda: scans.confirm(sent["joana"], sent.checklist(), recorded), "no longer waiting"
    )
    refused(
        sent,
        lambda: paper.withdraw(sent["samira"], sent.checklist(), recorded.id, reason="Late."),
        "no longer waiting",
    )
    checklists.sign(sent.checklist(), sent["tomas"], sent["otto"])
    sent.session.commit()
    assert sent.checklist().state is ChecklistState.IN_FORCE


def test_after_the_last_day_that_the_text_states_nobody_confirms_or_refuses_a_scan(
    sent: Negotiation, frozen_time: Clock
) -> None:
    checklists.sign(sent.checklist(), sent["tomas"], sent["otto"])
    recorded, last = record(sent), request_on(sent).expires_on
    assert last is not None
    for day, tasks in ((last, 1), (last + DAY, 0)):
        frozen_time(noon_of(day))
        assert [len(waiting_scans.waiting(sent[key])) for key in ("ilena", "samira")] == [tasks] * 2
    # The worker hasn't ended the request, and its row names a later day than the text.
    request_on(sent).expires_on = last + 10 * DAY
    sent.session.commit()
    refused(
        sent,
        lambda: scans.confirm(sent["ilena"], sent.checklist(), recorded),
        "The time to sign this text has run out",
    )
    refused(
        sent,
        lambda: paper.refuse(sent["ilena"], sent.checklist(), recorded.id, reason="No."),
        "The time to sign this text has run out",
    )
    frozen_time(noon_of(last))
    confirm(sent, "ilena", recorded)
    assert sent.checklist().state is ChecklistState.IN_FORCE


def noon_of(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), tzinfo=clock.zone())


def test_a_scan_signs_nothing_once_its_signer_has_signed_here(sent: Negotiation) -> None:
    recorded = record(sent)
    checklists.sign(sent.checklist(), sent["henrik"])
    sent.session.commit()
    refused(
        sent,
        lambda: scans.confirm(sent["ilena"], sent.checklist(), recorded),
        "already signed this revision",
        RuleBrokenError,
    )


def test_a_scan_of_another_text_is_not_confirmed_here(sent: Negotiation) -> None:
    recorded = record(sent)
    agreements.call_back(sent["ilena"], sent.checklist(), reason="A date is wrong.")
    checklists.send(sent.checklist(), sent["ilena"], sent.signatories)
    sent.session.commit()
    refused(
        sent,
        lambda: scans.confirm(sent["ilena"], sent.checklist(), recorded),
        "no longer waiting",
        RuleBrokenError,
    )


# Refuse and withdraw


def test_a_withdrawn_or_refused_scan_stays_in_history_and_another_can_follow(
    sent: Negotiation,
) -> None:
    withdrawn = record(sent)
    paper.withdraw(sent["samira"], sent.checklist(), withdrawn.id, reason="The wrong file.")
    sent.session.commit()
    assert state_of(sent, withdrawn) is PaperState.WITHDRAWN
    refused(
        sent, lambda: scans.confirm(sent["ilena"], sent.checklist(), withdrawn), "no longer waiting"
    )
    assert sent.events("paper_withdrawn")[0]["reason"] == "The wrong file."
    recorded = record(sent)
    paper.refuse(sent["ilena"], sent.checklist(), recorded.id, reason="Page 3 is missing.")
    sent.session.commit()
    assert state_of(sent, recorded) is PaperState.REFUSED
    assert signatures(sent) == []
    assert sent.checklist().state is ChecklistState.SENT
    (event,) = sent.events("paper_refused")
    assert event["reason"] == "Page 3 is missing."
    recipients = sent.session.scalars(
        sa.select(OutboxMessage.recipient).where(OutboxMessage.kind == "paper_refused")
    ).all()
    assert recipients == [sent.country.users["samira"].email]
    confirm(sent, "ilena", record(sent, scan=scans.jpeg()))
    assert len(signatures(sent)) == 1
    assert integrity.check_all().finding is None


# The database itself


def test_the_database_refuses_to_change_what_paper_left(sent: Negotiation) -> None:
    confirm(sent, "ilena", record(sent))
    for table_name in ("paper_record", "paper_decision", "signature"):
        for act in ("update {} set digest = ''", "delete from {}"):
            with pytest.raises(DBAPIError):
                sent.session.execute(sa.text(act.format(table_name)))
            sent.session.rollback()
