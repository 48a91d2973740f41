"""From the day of a notice on nothing counts as in force, also before the worker applies it."""

from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from tests import due
from tests.factories import agreements
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, NOTICE, SIGNERS, Clock
from tests.integration.agreements.notices.test_notices import give, send_amended
from tracker.activity.stale import recompute
from tracker.agreements import evidence, notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import ChecklistState, Notice, NoticeKind
from tracker.cooperations import labels
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Stage
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import queries as register
from tracker.oversight.facts import AgreementState, Narrowing, Need, Question
from tracker.signoff.outcomes import Outcome, Validity


def test_a_notice_of_the_end_is_not_taken_back_from_its_day_on(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    """From that day everybody reads that the text has ended, so it stays ended."""
    day = clock.today() + NOTICE * DAY
    notice = give(in_force, "henrik", NoticeKind.ENDED, from_on=day)
    frozen_time(clock.now() + NOTICE * DAY)
    with pytest.raises(RefusedError, match="agreed and signed again"):
        notices.close_notice(
            in_force["henrik"], in_force.checklist(), notice.id, reason="We go on."
        )


def test_the_last_signature_after_the_day_of_a_notice_brings_nothing_into_force(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    """The party that gave it signed the amendment afterwards, so its notice would be replaced."""
    send_amended(in_force)
    give(in_force, "henrik", NoticeKind.ENDED, from_on=clock.today() + NOTICE * DAY)
    *first, last = SIGNERS.values()
    agreements.sign(in_force.country, in_force.checklist(), *first)
    in_force.session.commit()
    before = len(in_force.events("came_into_force"))
    frozen_time(clock.now() + NOTICE * DAY)
    with pytest.raises(RuleBrokenError, match="ended by notice"):
        agreements.sign(in_force.country, in_force.checklist(), last)
    in_force.session.rollback()
    assert len(in_force.events("came_into_force")) == before


def test_a_suspension_that_nobody_gave_here_is_closed_and_never_has_an_effect(
    in_force: Negotiation,
) -> None:
    """Somebody put a row into the database; the audit names it."""
    henrik, checklist = in_force["henrik"], in_force.checklist()
    row = Notice(
        id=uuid4(),
        checklist_id=checklist.id,
        revision_id=checklist.revision_in_force_id,
        kind=NoticeKind.SUSPENDED,
        organisation_id=henrik.organisation_id,
        given_by_id=henrik.user_id,
        given_at=clock.now(),
        from_on=clock.today(),
        notice_days=0,
        reason="Made up.",
    )
    in_force.session.add(row)
    in_force.session.commit()
    notices.close_notice(henrik, checklist, row.id, reason="We gave none.")
    in_force.session.commit()
    assert in_force.checklist().state is ChecklistState.IN_FORCE
    assert in_force.events("text_suspended") == []


LISTED = {
    NoticeKind.SUSPENDED: Stage.SUSPENDED,
    NoticeKind.ENDED: Validity.RUN_OUT,
}


def listed_as(negotiation: Negotiation) -> list[str]:
    """Return by which filters the list of cooperations finds it; the counts say the same."""
    joana = negotiation["joana"]
    filters = [
        state for state in labels.LIST_STATES if cooperations.listing(joana, state=state).total
    ]
    counts = cooperations.state_counts(joana)
    assert counts == {"": 1, **{state.value: 1 for state in filters}}
    assert cooperations.listing(joana).cooperations
    return [state.value for state in filters]


@pytest.mark.parametrize("kind", [*NoticeKind])
def test_the_list_finds_a_cooperation_by_what_its_row_says_from_the_day_of_a_notice_on(
    in_force: Negotiation, frozen_time: Clock, kind: NoticeKind
) -> None:
    day = clock.today() + NOTICE * DAY
    before = listed_as(in_force)
    give(in_force, "henrik", kind, from_on=day)
    in_force.session.commit()
    assert listed_as(in_force) == before
    frozen_time(clock.now() + NOTICE * DAY)
    assert cooperations.listing(in_force["joana"]).stopped
    assert listed_as(in_force) == [LISTED[kind].value]
    assert notices.carry_out(in_force.session.scalars(sa.select(Notice.id)).one(), clock.today())
    in_force.session.commit()
    assert listed_as(in_force) == [in_force.cooperation.stage.value]


@pytest.mark.parametrize("kind", [*NoticeKind])
def test_a_notice_that_was_withdrawn_or_replaced_changes_no_filter_on_its_day(
    in_force: Negotiation, frozen_time: Clock, kind: NoticeKind
) -> None:
    day, before = clock.today() + NOTICE * DAY, listed_as(in_force)
    withdrawn = give(in_force, "henrik", kind, from_on=day)
    notices.close_notice(
        in_force["henrik"], in_force.checklist(), withdrawn.id, reason="We talked."
    )
    give(in_force, "henrik", kind, from_on=day)
    send_amended(in_force)
    for first in SIGNERS.values():
        agreements.sign(in_force.country, in_force.checklist(), first)
    in_force.session.commit()
    frozen_time(clock.now() + NOTICE * DAY)
    assert cooperations.listing(in_force["joana"]).stopped == {}
    assert listed_as(in_force) == before


REGISTERED = {
    NoticeKind.SUSPENDED: (AgreementState.SUSPENDED, Narrowing.SUSPENDED, Need.SUSPENDED),
    NoticeKind.ENDED: (AgreementState.ENDED, Narrowing.ENDED, Need.ENDED),
}


def registered_as(negotiation: Negotiation) -> tuple[AgreementState, set[Narrowing], Need]:
    """Return how the register shows the terms, by which filters it finds them, and in what group.

    The counts above the register and the export say the same.
    """
    recompute()
    nadia, of_terms = negotiation["nadia"], Question(kind=ChecklistKind.TERMS)
    (line,) = register.lines(nadia, of_terms)
    overview = register.overview(nadia, of_terms)
    matching = set()
    for narrowing in Narrowing:
        lines = register.lines(nadia, replace(of_terms, narrowing=narrowing))
        assert overview.counts[narrowing] == len(lines)
        assert [*register.all_lines(nadia, replace(of_terms, narrowing=narrowing))] == (
            [lines] if lines else []
        )
        matching |= {narrowing for _line in lines}
    (need,) = (need for need, count in overview.needs.items() if count)
    return line.state, matching, need


@pytest.mark.parametrize("kind", [*NoticeKind])
def test_the_register_finds_a_text_by_what_its_row_says_from_the_day_of_a_notice_on(
    in_force: Negotiation, frozen_time: Clock, kind: NoticeKind
) -> None:
    day = clock.today() + NOTICE * DAY
    give(in_force, "henrik", kind, from_on=day)
    frozen_time(clock.now() + (NOTICE - 1) * DAY)
    assert registered_as(in_force)[0] in {AgreementState.IN_FORCE, AgreementState.ENDS_SOON}
    frozen_time(clock.now() + DAY)
    state, narrowing, need = REGISTERED[kind]
    assert registered_as(in_force) == (state, {narrowing}, need)
    assert notices.carry_out(in_force.session.scalars(sa.select(Notice.id)).one(), clock.today())
    in_force.session.commit()
    assert registered_as(in_force) == (state, {narrowing}, need)


def test_a_notice_that_was_withdrawn_changes_nothing_in_the_register(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    before = registered_as(in_force)
    notice = give(in_force, "henrik", NoticeKind.ENDED)
    assert registered_as(in_force)[1] == {Narrowing.IN_FORCE, Narrowing.ENDS_SOON}
    notices.close_notice(in_force["henrik"], in_force.checklist(), notice.id, reason="We talked.")
    in_force.session.commit()
    assert registered_as(in_force) == before
    frozen_time(clock.now() + NOTICE * DAY)
    assert registered_as(in_force) == before


def test_the_register_counts_a_text_as_a_draft_once_its_last_day_to_sign_has_passed(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    """Also before the worker withdraws it."""
    last = clock.today() + 5 * DAY
    checklist = in_force.checklist(ChecklistKind.CONFIDENTIALITY)
    agreements.send(in_force.country, checklist, SIGNERS, until=last)
    in_force.session.commit()

    def of_text() -> tuple[AgreementState, list[int]]:
        recompute()
        nadia, question = in_force["nadia"], Question(kind=ChecklistKind.CONFIDENTIALITY)
        (line,) = register.lines(nadia, question)
        counts = register.counts(nadia, question)
        return line.state, [counts[Narrowing.LACKS_SIGNATURES], counts[Narrowing.DRAFTING]]

    frozen_time(clock.now() + 5 * DAY)
    assert of_text() == (AgreementState.WAITING, [1, 0])
    frozen_time(clock.now() + DAY)
    assert of_text() == (AgreementState.DRAFTING, [0, 1])
    assert due.expire_due(clock.today())
    in_force.session.commit()
    assert of_text() == (AgreementState.DRAFTING, [0, 1])


def test_an_amendment_no_longer_waits_from_the_day_of_a_notice_of_the_end_on(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    """Nobody can sign it any more, also before the worker withdraws it."""

    def in_register() -> tuple[Outcome | None, tuple[str, ...], bool]:
        compared = evidence.look(in_force.checklist())
        recompute()
        nadia, question = in_force["nadia"], Question(kind=ChecklistKind.TERMS)
        (line,) = register.lines(nadia, question)
        counted = register.counts(nadia, question)[Narrowing.LACKS_SIGNATURES]
        return compared.outcome(sent_id), line.waiting_for, bool(counted)

    sent_id = send_amended(in_force).revision_id
    day = clock.today() + NOTICE * DAY
    notice = give(in_force, "henrik", NoticeKind.ENDED, from_on=day)
    frozen_time(clock.now() + (NOTICE - 1) * DAY)
    assert (in_register()[0], in_register()[2]) == (Outcome.WAITING, True)
    frozen_time(clock.now() + DAY)
    assert in_register() == (Outcome.WITHDRAWN, (), False)
    assert notices.carry_out(notice.id, clock.today())
    in_force.session.commit()
    assert in_register() == (Outcome.WITHDRAWN, (), False)
