"""Suspending and ending a text: by a signatory, with reason and notice; lifted, withdrawn.

In one file: each notice is given on the same text in force, alone or beside an amendment.
"""

import datetime as dt
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests import due
from tests.factories import agreements
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import (
    DAY,
    NOTICE,
    SIGNERS,
    Clock,
)
from tests.integration.agreements.test_signers import mailed, power
from tracker.activity.witness import NotSoundError
from tracker.agreements import notices
from tracker.agreements import service as agreements_service
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import (
    Checklist,
    ChecklistState,
    Notice,
    NoticeKind,
)
from tracker.cooperations.models import Cooperation, Stage
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.signoff.models import RequestState, Signature, SignatureRequest
from tracker.ui.locale import as_date

SUSPENDED, ENDED = NoticeKind.SUSPENDED, NoticeKind.ENDED
TERMS, CONFIDENTIALITY = ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY


def give(
    negotiation: Negotiation,
    first: str,
    kind: NoticeKind,
    reason: str = "We can't work safely.",
    from_on: dt.date | None = None,
    what: ChecklistKind = TERMS,
) -> Notice:
    notice = notices.give_notice(
        negotiation[first], negotiation.checklist(what), kind, reason=reason, from_on=from_on
    )
    negotiation.session.commit()
    return notice


def close(
    negotiation: Negotiation, first: str, notice: Notice, reason: str = "It is safe again."
) -> None:
    notices.close_notice(negotiation[first], negotiation.checklist(), notice.id, reason=reason)
    negotiation.session.commit()


def on(negotiation: Negotiation, frozen_time: Clock, days: int) -> int:
    """Run the worker this many days from now; return how many notices took effect."""
    now = clock.now()
    frozen_time(now + days * DAY)
    done = due.carry_out_due(clock.today())
    negotiation.session.commit()
    frozen_time(now)
    return done


def stage(negotiation: Negotiation) -> Stage:
    return negotiation.session.get_one(
        Cooperation, negotiation.cooperation.id, populate_existing=True
    ).stage


def state(negotiation: Negotiation) -> ChecklistState:
    return negotiation.checklist().state


def is_in_force(negotiation: Negotiation) -> bool:
    return negotiation.checklist().revision_in_force_id is not None


def refused(negotiation: Negotiation, first: str, kind: NoticeKind, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        give(negotiation, first, kind)
    negotiation.session.rollback()
    assert is_in_force(negotiation)
    assert negotiation.session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 0


# Suspend


def test_a_suspension_takes_the_text_out_of_force_immediately(in_force: Negotiation) -> None:
    """product.md, 5.8; S7: each party must be able to stop."""
    before = in_force.checklist().revision_in_force_id
    give(in_force, "henrik", SUSPENDED, "Our staff are threatened.")
    terms = in_force.checklist()
    assert (terms.state, terms.stopped_by) == (ChecklistState.SUSPENDED, SUSPENDED)
    assert (terms.revision_in_force_id, terms.stopped_id) == (None, before)
    assert stage(in_force) is Stage.SUSPENDED
    given, stopped = in_force.events("notice_given")[0], in_force.events("text_suspended")[0]
    assert (given["what"], given["organisation"]) == ("suspended", "Open Door Legal Aid")
    assert given["since"] == clock.today().isoformat()
    assert stopped["reason"] == "Our staff are threatened."


def test_no_signature_is_changed_by_any_of_it(in_force: Negotiation) -> None:
    """product.md, 5.9."""

    def signatures() -> list[tuple[object, ...]]:
        rows = in_force.session.execute(sa.select(Signature.__table__).order_by(Signature.id))
        return [tuple(row) for row in rows]

    before = signatures()
    close(in_force, "henrik", give(in_force, "henrik", SUSPENDED))
    give(in_force, "tomas", ENDED)
    assert signatures() == before
    assert len(before) == 3
    in_force.session.rollback()
    assert integrity.check_all().finding is None


def test_the_party_that_suspended_a_text_lifts_the_suspension_and_it_is_in_force_again(
    in_force: Negotiation,
) -> None:
    before = in_force.checklist().revision_in_force_id
    notice = give(in_force, "henrik", SUSPENDED)
    close(in_force, "henrik", notice)
    terms = in_force.checklist()
    assert (terms.state, terms.revision_in_force_id) == (ChecklistState.IN_FORCE, before)
    assert (terms.stopped_by, terms.stopped_id) == (None, None)
    assert stage(in_force) is not Stage.SUSPENDED
    assert in_force.events("suspension_lifted")[0]["reason"] == "It is safe again."


def test_nobody_else_lifts_a_suspension_and_nothing_is_written_or_sent_meanwhile(
    in_force: Negotiation,
) -> None:
    notice = give(in_force, "henrik", SUSPENDED)
    # All coordinators and signatories are notified.
    assert mailed(in_force, "text_notice") == ["ilena", "joana", "otto", "samira", "tomas"]
    for first in ("tomas", "otto", "samira", "ilena", "nadia", "dora", "ada"):
        with pytest.raises(RefusedError, match="party that gave the notice can lift or"):
            close(in_force, first, notice)
        in_force.session.rollback()
        assert not is_in_force(in_force), first
    with pytest.raises(RefusedError, match="This text is suspended"):
        agreements.answer(in_force.country, in_force.checklist(), "M18", words="New.")
    in_force.session.rollback()
    with pytest.raises(RefusedError, match="You can only amend a text in force"):
        agreements_service.amend(
            in_force["ilena"], in_force.checklist(), reason="Why not.", items=["M19"]
        )


def test_two_suspensions_are_lifted_by_both(in_force: Negotiation) -> None:
    first = give(in_force, "henrik", SUSPENDED)
    with pytest.raises(RefusedError, match="You can only suspend or end a text in force"):
        give(in_force, "henrik", SUSPENDED)
    in_force.session.rollback()
    with pytest.raises(RefusedError, match="You can only suspend or end a text in force"):
        give(in_force, "tomas", SUSPENDED)
    in_force.session.rollback()
    close(in_force, "henrik", first)
    assert is_in_force(in_force)


def test_a_later_suspension_keeps_the_text_out_of_force_after_the_first_is_lifted(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    later = give(in_force, "tomas", SUSPENDED, from_on=clock.today() + 2 * DAY)
    assert is_in_force(in_force)
    first = give(in_force, "henrik", SUSPENDED)
    assert on(in_force, frozen_time, 2) == 1
    close(in_force, "henrik", first)
    assert not is_in_force(in_force)
    close(in_force, "tomas", later)
    assert is_in_force(in_force)


# End


def test_an_ending_keeps_the_notice_agreed(in_force: Negotiation, frozen_time: Clock) -> None:
    """M20: days of notice."""
    assert notices.agreed_notice(in_force.checklist()) == NOTICE
    early = clock.today() + (NOTICE - 1) * DAY
    with pytest.raises(RuleBrokenError, match="Notice agreed: 30 days") as error:
        give(in_force, "tomas", ENDED, from_on=early)
    assert error.value.field == "from_on"
    in_force.session.rollback()
    notice = give(in_force, "tomas", ENDED, "The law has changed.")
    assert (notice.from_on, notice.notice_days) == (clock.today() + NOTICE * DAY, NOTICE)
    assert is_in_force(in_force)
    assert on(in_force, frozen_time, NOTICE - 1) == 0
    assert is_in_force(in_force)
    assert on(in_force, frozen_time, NOTICE) == 1
    terms = in_force.checklist()
    assert (terms.state, terms.stopped_by) == (ChecklistState.ENDED, ENDED)
    assert terms.revision_in_force_id is None
    assert stage(in_force) is Stage.CLOSED
    assert in_force.events("text_ended")[0]["organisation"] == "Office of the People's Advocate"
    assert on(in_force, frozen_time, NOTICE + 1) == 0


def test_only_the_party_that_gave_notice_withdraws_it_before_its_day(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    notice = give(in_force, "tomas", ENDED)
    with pytest.raises(RefusedError, match="Only the party that gave the notice"):
        close(in_force, "henrik", notice)
    in_force.session.rollback()
    close(in_force, "tomas", notice, "We found a way.")
    assert in_force.events("notice_taken_back")[0]["reason"] == "We found a way."
    assert on(in_force, frozen_time, NOTICE + 5) == 0
    assert is_in_force(in_force)


def test_an_ended_text_cannot_be_reinstated(in_force: Negotiation, frozen_time: Clock) -> None:
    notice = give(in_force, "tomas", ENDED)
    with pytest.raises(RuleBrokenError, match="has already given this notice"):
        give(in_force, "tomas", ENDED)
    in_force.session.rollback()
    on(in_force, frozen_time, NOTICE)
    with pytest.raises(RefusedError, match="has to be agreed and signed again"):
        close(in_force, "tomas", notice)
    in_force.session.rollback()
    # Terms that ended closed the cooperation.
    with pytest.raises(RefusedError, match="This cooperation is closed"):
        notices.agree_anew(in_force["ilena"], in_force.checklist(), reason="We try again.")


def test_a_suspended_text_can_be_ended_too(in_force: Negotiation, frozen_time: Clock) -> None:
    give(in_force, "henrik", SUSPENDED)
    give(in_force, "henrik", ENDED)
    assert on(in_force, frozen_time, NOTICE) == 1
    assert in_force.checklist().stopped_by is ENDED
    assert [notice.kind for notice in notices.open_notices(in_force.checklist())] == [ENDED]


def test_only_a_signatory_of_a_party_stops_a_text_with_a_reason(in_force: Negotiation) -> None:
    for kind in NoticeKind:
        for first in ("ilena", "samira", "nadia", "oren", "dora", "marek", "vesna", "ada", "root"):
            words = "Only a signatory of one of the parties can suspend or end"
            refused(in_force, first, kind, words)
        for reason in ("", "  "):
            with pytest.raises(RuleBrokenError, match="Give the reason") as error:
                give(in_force, "tomas", kind, reason)
            assert error.value.field == "reason"
            in_force.session.rollback()
        # Only a text in force is stopped.
        with pytest.raises(RefusedError, match="You can only suspend or end a text in force"):
            give(in_force, "tomas", kind, what=CONFIDENTIALITY)
        in_force.session.rollback()
    for days in (-1, 400):
        with pytest.raises(RuleBrokenError, match="Choose a day from") as error:
            give(in_force, "tomas", SUSPENDED, from_on=clock.today() + days * DAY)
        # In words, as on every page.
        assert f"from {as_date(clock.today())} on" in str(error.value)
        in_force.session.rollback()
    with pytest.raises(RefusedError, match="Only a text that has ended"):
        notices.agree_anew(in_force["ilena"], in_force.checklist(), reason="Why not.")
    in_force.session.rollback()
    # The continuing duties come from the signed text.
    words = str(notices.surviving_duties(in_force.checklist()))
    assert "Confidentiality" in words
    assert "For ever" in words
    assert "Thanks are owed." in words
    # An expired power stops nothing.
    power(in_force, "henrik", None, clock.today() - DAY)
    refused(in_force, "henrik", SUSPENDED, "Your power to sign has run out")


# Beside an amendment


def amend(negotiation: Negotiation) -> Checklist:
    terms = negotiation.checklist()
    agreements_service.amend(negotiation["ilena"], terms, reason="Another year.", items=["M19"])
    negotiation.session.commit()
    return terms


def send_amended(negotiation: Negotiation) -> SignatureRequest:
    terms = amend(negotiation)
    agreements.send(negotiation.country, terms, SIGNERS)
    negotiation.session.commit()
    return negotiation.session.scalars(
        sa.select(SignatureRequest).where(SignatureRequest.revision_id == terms.revision_sent_id)
    ).one()


def test_ending_a_text_calls_back_a_waiting_amendment(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    request = send_amended(in_force)
    give(in_force, "tomas", ENDED)
    assert on(in_force, frozen_time, NOTICE) == 1
    in_force.session.refresh(request)
    assert request.state is RequestState.WITHDRAWN
    terms = in_force.checklist()
    assert (terms.state, terms.revision_sent_id) == (ChecklistState.ENDED, None)
    assert in_force.events("signature_request_withdrawn")


def test_an_amendment_signed_by_all_during_a_suspension_is_in_force(in_force: Negotiation) -> None:
    send_amended(in_force)
    give(in_force, "henrik", SUSPENDED)
    assert state(in_force) is ChecklistState.SENT
    assert not is_in_force(in_force)
    agreements.sign(in_force.country, in_force.checklist(), *SIGNERS.values())
    in_force.session.commit()
    terms = in_force.checklist()
    assert (terms.state, terms.stopped_by, terms.stopped_id) == (
        ChecklistState.IN_FORCE,
        None,
        None,
    )
    assert notices.open_notices(terms) == []
    assert stage(in_force) is not Stage.SUSPENDED


@pytest.mark.parametrize("kind", [SUSPENDED, ENDED])
def test_a_notice_given_after_its_party_signed_is_not_closed_by_the_last_signature(
    in_force: Negotiation, kind: NoticeKind
) -> None:
    send_amended(in_force)
    agreements.sign(in_force.country, in_force.checklist(), "henrik")
    notice = give(in_force, "henrik", kind)
    in_force.session.commit()
    others = [first for first in SIGNERS.values() if first != "henrik"]
    with pytest.raises(RuleBrokenError, match="gave notice after it signed, so nothing was done"):
        agreements.sign(in_force.country, in_force.checklist(), *others)
    in_force.session.rollback()
    assert [row.id for row in notices.open_notices(in_force.checklist())] == [notice.id]
    assert state(in_force) is ChecklistState.SENT
    close(in_force, "henrik", notice)
    agreements.sign(in_force.country, in_force.checklist(), *others)
    assert is_in_force(in_force)


def test_a_suspension_while_an_amendment_is_drafted_is_lifted_beside_it(
    in_force: Negotiation,
) -> None:
    amend(in_force)
    notice = give(in_force, "henrik", SUSPENDED)
    assert state(in_force) is ChecklistState.DRAFTING
    close(in_force, "henrik", notice)
    assert (state(in_force), is_in_force(in_force)) == (ChecklistState.DRAFTING, True)


# Agreed again


def confidentiality_ended(negotiation: Negotiation, frozen_time: Clock) -> Checklist:
    text = negotiation.checklist(CONFIDENTIALITY)
    until = clock.today() + 500 * DAY
    agreements.answer(negotiation.country, text, "C1", scope="all_until", until=until.isoformat())
    agreements.send(negotiation.country, text, SIGNERS)
    agreements.sign(negotiation.country, text, *SIGNERS.values())
    negotiation.session.commit()
    give(negotiation, "otto", ENDED, what=CONFIDENTIALITY)
    on(negotiation, frozen_time, NOTICE)
    return negotiation.checklist(CONFIDENTIALITY)


def test_another_text_that_has_ended_can_be_agreed_again(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    text = confidentiality_ended(in_force, frozen_time)
    assert text.stopped_by is ENDED
    # The notice agreed in M20 of the terms applies to it too; the cooperation continues.
    assert stage(in_force) is not Stage.CLOSED
    for first in ("otto", "nadia", "marek", "ada"):
        with pytest.raises(
            RefusedError, match="Only a coordinator of one of the parties can reopen"
        ):
            notices.agree_anew(in_force[first], text, reason="We try again.")
    with pytest.raises(RuleBrokenError, match="Give the reason"):
        notices.agree_anew(in_force["joana"], text, reason=" ")
    notices.agree_anew(in_force["joana"], text, reason="We try again.")
    in_force.session.commit()
    assert text.state is ChecklistState.DRAFTING
    assert text.stopped_id is not None
    agreements.send(in_force.country, text, SIGNERS)
    agreements.sign(in_force.country, text, *SIGNERS.values())
    in_force.session.commit()
    signed = in_force.checklist(CONFIDENTIALITY)
    assert (signed.state, signed.stopped_by, signed.stopped_id) == (
        ChecklistState.IN_FORCE,
        None,
        None,
    )


def test_the_worker_applies_no_notice_that_nobody_gave_here(in_force: Negotiation) -> None:
    """A row put into the database must not become an event that says the text has ended."""
    checklist, henrik = in_force.checklist(), in_force["henrik"]
    row = Notice(
        id=uuid4(),
        checklist_id=checklist.id,
        revision_id=checklist.revision_in_force_id,
        kind=NoticeKind.ENDED,
        organisation_id=henrik.organisation_id,
        given_by_id=henrik.user_id,
        given_at=clock.now(),
        from_on=clock.today(),
        notice_days=0,
        reason="Made up.",
    )
    in_force.session.add(row)
    in_force.session.commit()
    with pytest.raises(NotSoundError):
        due.carry_out_due(clock.today())
    in_force.session.rollback()
    assert is_in_force(in_force)
