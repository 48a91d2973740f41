"""The marks on a text's parties by which My work finds scans to confirm."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa

from tests.factories import checklists
from tests.factories import paper as scans
from tests.factories.negotiations import Negotiation
from tracker.agreements import service as agreements
from tracker.agreements.paper import queries
from tracker.agreements.paper import service as paper
from tracker.checklists.models import ChecklistParty
from tracker.notifications.models import Notification
from tracker.signoff.paper_models import PaperRecord
from tracker.signoff.signers import Named, PartySigners
from tracker.worker import recheck

End = Callable[[Negotiation, PaperRecord], object]


@pytest.fixture
def sent(negotiation: Negotiation) -> Negotiation:
    """The terms are agreed, frozen and sent; nobody has signed."""
    negotiation.send()
    negotiation.session.commit()
    return negotiation


def record(negotiation: Negotiation, key: str = "samira") -> PaperRecord:
    recorded = scans.record(negotiation[key], negotiation.checklist())
    negotiation.session.commit()
    return recorded


def marks(negotiation: Negotiation) -> set[dt.datetime | None]:
    negotiation.session.expire_all()
    return set(
        negotiation.session.scalars(
            sa.select(ChecklistParty.scan_waits_since).where(
                ChecklistParty.checklist_id == negotiation.checklist().id
            )
        )
    )


def set_mark(negotiation: Negotiation, since: dt.datetime | None) -> None:
    negotiation.session.execute(
        sa.update(ChecklistParty)
        .where(ChecklistParty.checklist_id == negotiation.checklist().id)
        .values(scan_waits_since=since)
    )
    negotiation.session.commit()


def differing(negotiation: Negotiation) -> set[str]:
    kinds = {line.kind for line in recheck.recheck(negotiation.checklist().cooperation_id)}
    negotiation.session.commit()
    return kinds


@pytest.mark.both_databases
def test_a_recorded_scan_waits_for_the_other_parties_and_is_shown_to_its_own(
    sent: Negotiation,
) -> None:
    recorded = record(sent)
    assert marks(sent) == {recorded.recorded_at}
    for key, is_for in (("ilena", True), ("joana", True), ("samira", False)):
        (waiting,) = queries.waiting(sent[key])
        assert (waiting.id, waiting.is_for(sent[key])) == (recorded.id, is_for)
    assert differing(sent) == set()


@pytest.mark.parametrize("key", ["marek", "ada", "root"])
def test_nobody_without_part_in_the_text_is_shown_a_scan(sent: Negotiation, key: str) -> None:
    record(sent)
    assert queries.waiting(sent[key]) == []


@pytest.mark.parametrize(
    "end",
    [
        lambda negotiation, scan: scans.confirm(
            negotiation["ilena"], negotiation.checklist(), scan
        ),
        lambda negotiation, scan: paper.refuse(
            negotiation["ilena"], negotiation.checklist(), scan.id, reason="No."
        ),
        lambda negotiation, scan: paper.withdraw(
            negotiation["samira"], negotiation.checklist(), scan.id, reason="The wrong file."
        ),
        lambda negotiation, _scan: checklists.sign(negotiation.checklist(), negotiation["henrik"]),
        lambda negotiation, _scan: agreements.call_back(
            negotiation["ilena"], negotiation.checklist(), reason="A date is wrong."
        ),
        lambda negotiation, _scan: agreements.decline(
            negotiation["otto"],
            negotiation.checklist(),
            page=agreements.page_with(negotiation.checklist()),
            items=["M2"],
            reason="Too narrow.",
        ),
    ],
    ids=["confirmed", "refused", "withdrawn", "signed here", "called back", "declined"],
)
def test_a_scan_waits_no_more(sent: Negotiation, end: End) -> None:
    end(sent, record(sent))
    sent.session.commit()
    assert marks(sent) == {None}
    assert queries.waiting(sent["ilena"]) == []
    assert differing(sent) == set()


def test_another_scan_goes_on_waiting(sent: Negotiation) -> None:
    first, second = record(sent), record(sent, "joana")
    assert marks(sent) == {first.recorded_at}
    scans.confirm(sent["ilena"], sent.checklist(), first)
    sent.session.commit()
    assert marks(sent) == {second.recorded_at}
    assert [waiting.id for waiting in queries.waiting(sent["ilena"])] == [second.id]


@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
def test_the_scan_of_one_signatory_waits_though_another_of_the_party_signs_here(
    many: Negotiation, is_first: bool
) -> None:
    henrik, paula = (many.country.users[first].id for first in ("henrik", "paula"))
    door = PartySigners(many.country.id("door"), (Named(henrik), Named(paula)))
    named = {body: signatory.user_id for body, signatory in many.signatories.items()}
    agreements.send(many["ilena"], many.checklist(), named | {door.organisation_id: door})
    if is_first:
        checklists.sign(many.checklist(), many["henrik"])
    recorded = scans.record(many["samira"], many.checklist(), only=paula)
    if not is_first:
        checklists.sign(many.checklist(), many["henrik"])
    many.session.commit()
    assert marks(many) == {recorded.recorded_at}
    assert [waiting.id for waiting in queries.waiting(many["ilena"])] == [recorded.id]
    assert differing(many) == set()
    scans.confirm(many["ilena"], many.checklist(), recorded)
    many.session.commit()
    assert marks(many) == {None}
    assert queries.waiting(many["ilena"]) == []


def who_is_asked(negotiation: Negotiation) -> set[UUID]:
    """Return who has an unread message that a text waits for their signature."""
    negotiation.session.expire_all()
    return set(
        negotiation.session.scalars(
            sa.select(Notification.user_id).where(
                Notification.kind == "text_sent", Notification.read_at.is_(None)
            )
        )
    )


def test_once_a_scan_is_confirmed_the_next_is_asked_to_sign_and_the_signer_no_longer(
    many: Negotiation,
) -> None:
    people = {first: many.country.users[first].id for first in ("henrik", "paula", "otto", "tomas")}
    in_turn = (Named(people["henrik"], 1), Named(people["paula"], 2))
    door = PartySigners(many.country.id("door"), in_turn)
    named = {body: signatory.user_id for body, signatory in many.signatories.items()}
    agreements.send(many["ilena"], many.checklist(), named | {door.organisation_id: door})
    recorded = scans.record(many["samira"], many.checklist(), only=people["henrik"])
    many.session.commit()
    assert who_is_asked(many) == {people[first] for first in ("henrik", "otto", "tomas")}
    scans.confirm(many["ilena"], many.checklist(), recorded)
    many.session.commit()
    assert who_is_asked(many) == {people[first] for first in ("paula", "otto", "tomas")}


@pytest.mark.both_databases
def test_a_recheck_corrects_a_mark_that_is_missing(sent: Negotiation) -> None:
    recorded = record(sent)
    set_mark(sent, None)
    assert differing(sent) == {"checklist of a party"}
    assert marks(sent) == {recorded.recorded_at}


def test_a_mark_without_a_scan_shows_nothing_and_is_corrected(sent: Negotiation) -> None:
    recorded = record(sent)
    paper.withdraw(sent["samira"], sent.checklist(), recorded.id, reason="The wrong file.")
    set_mark(sent, recorded.recorded_at)
    assert queries.waiting(sent["ilena"]) == []
    assert differing(sent) == {"checklist of a party"}
    assert marks(sent) == {None}
