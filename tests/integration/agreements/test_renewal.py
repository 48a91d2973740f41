"""Terms renew automatically if the parties chose so, or by new dates that all sign (M19)."""

import datetime as dt

import pytest
import sqlalchemy as sa

from tests import due
from tests.factories import agreements
from tests.factories.evidence.tampering import NOTICES, hands, table_of
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import (
    DAY,
    DAYS,
    NOTICE,
    SIGNERS,
    Clock,
)
from tests.integration.agreements.notices.test_notices import amend, close, give
from tests.integration.agreements.test_signers import mailed
from tracker.activity.witness import NotSoundError
from tracker.agreements import evidence, notices, renewal
from tracker.agreements import service as agreements_service
from tracker.checklists import obstacles
from tracker.checklists.models import ChecklistState, NoticeKind, Renewal
from tracker.checklists.negotiation import positions
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.signoff.models import RequestState, SignatureRequest
from tracker.signoff.outcomes import Outcome

LENGTH = (DAYS + 2) * DAY  # from yesterday on, both days included


def on(negotiation: Negotiation, frozen_time: Clock, days: int) -> int:
    """Run the worker this many days from now; return how many texts it renewed."""
    now = clock.now()
    frozen_time(now + days * DAY)
    done = due.renew_due(clock.today())
    negotiation.session.commit()
    frozen_time(now)
    return done


def renewals(negotiation: Negotiation) -> list[Renewal]:
    return list(negotiation.session.scalars(sa.select(Renewal).order_by(Renewal.number)))


def cooperation(negotiation: Negotiation) -> Cooperation:
    return negotiation.session.get_one(
        Cooperation, negotiation.cooperation.id, populate_existing=True
    )


def status(negotiation: Negotiation) -> tuple[ChecklistState, Outcome | None]:
    """Return the stored state of the terms, and their outcome by the evidence."""
    terms = negotiation.checklist()
    revision_id = notices.standing_revision_id(terms)
    assert revision_id is not None
    return terms.state, evidence.look(terms).outcome(revision_id)


def last_day() -> dt.date:
    return clock.today() + DAYS * DAY


def test_terms_renew_themselves_after_their_last_day(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    assert on(in_force, frozen_time, DAYS) == 0
    assert on(in_force, frozen_time, DAYS + 1) == 1
    (row,) = renewals(in_force)
    assert (row.number, row.from_on, row.until_on) == (
        1,
        last_day() + DAY,
        last_day() + LENGTH,
    )
    term = renewal.term_of(in_force.checklist())
    assert term is not None
    assert (term.start, term.end) == (row.from_on, row.until_on)
    assert cooperation(in_force).ends_on == row.until_on
    assert cooperation(in_force).review_on == row.review_on == last_day() - DAY
    assert in_force.events("text_renewed")[0]["until"] == row.until_on.isoformat()
    everybody = ["henrik", "ilena", "joana", "otto", "samira", "tomas"]
    assert mailed(in_force, "text_notice") == everybody
    assert in_force.checklist().state is ChecklistState.IN_FORCE
    assert on(in_force, frozen_time, DAYS + 2) == 0


def test_terms_missed_are_made_up_for_one_by_one(in_force: Negotiation, frozen_time: Clock) -> None:
    assert on(in_force, frozen_time, 3 * DAYS) == 1
    assert [row.number for row in renewals(in_force)] == [1, 2]
    assert len(in_force.events("text_renewed")) == 2
    in_force.session.rollback()
    assert integrity.check_all().counts.renewals == 2


def test_a_party_that_says_no_in_time_stops_it(in_force: Negotiation, frozen_time: Clock) -> None:
    now = clock.now()
    frozen_time(now + (DAYS - NOTICE) * DAY)
    notice = give(in_force, "henrik", NoticeKind.ENDED, from_on=clock.today() + (NOTICE + 1) * DAY)
    frozen_time(now)
    assert on(in_force, frozen_time, DAYS + 1) == 0
    close(in_force, "henrik", notice)
    assert on(in_force, frozen_time, DAYS + 1) == 1


@pytest.mark.parametrize("changed", ["closed_at", "from_on"])
def test_the_worker_renews_nothing_after_somebody_changed_a_notice_in_the_database(
    in_force: Negotiation, frozen_time: Clock, changed: str
) -> None:
    """Otherwise it would record a renewal that a party refused in time."""
    frozen_time(clock.now() + (DAYS - NOTICE) * DAY)
    give(in_force, "henrik", NoticeKind.ENDED, from_on=clock.today() + (NOTICE + 1) * DAY)
    values = {"closed_at": clock.now(), "from_on": clock.today() + LENGTH}
    with hands() as connection:
        connection.execute(sa.update(NOTICES).values({changed: values[changed]}))
    with pytest.raises(NotSoundError):
        on(in_force, frozen_time, NOTICE + 1)
    in_force.session.rollback()
    assert renewals(in_force) == []
    assert in_force.events("text_renewed") == []


def test_a_suspended_text_is_renewed_and_stays_suspended(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    """To suspend isn't to say no; nobody agreed that it ends."""
    notice = give(in_force, "henrik", NoticeKind.SUSPENDED)
    assert on(in_force, frozen_time, DAYS + 1) == 1
    (row,) = renewals(in_force)
    assert cooperation(in_force).ends_on == row.until_on
    frozen_time(clock.now() + (DAYS + 1) * DAY)
    assert status(in_force) == (ChecklistState.SUSPENDED, Outcome.SUSPENDED)
    assert on(in_force, frozen_time, 0) == 0
    close(in_force, "henrik", notice)
    assert status(in_force) == (ChecklistState.IN_FORCE, Outcome.IN_FORCE)


def test_suspended_terms_that_a_party_ends_in_time_are_not_renewed(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    now = clock.now()
    give(in_force, "henrik", NoticeKind.SUSPENDED)
    frozen_time(now + (DAYS - NOTICE) * DAY)
    give(in_force, "henrik", NoticeKind.ENDED, from_on=clock.today() + (NOTICE + 1) * DAY)
    frozen_time(now)
    assert on(in_force, frozen_time, DAYS + 1) == 0


def test_terms_that_end_on_their_day_are_not_renewed(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    now = clock.now()
    terms = amend(in_force)
    current = agreements.current(terms, "M19")
    agreements.change(
        in_force.country, terms, "M19", current, **{**current.values, "renewal": "none"}
    )
    in_force.accept("M19", "joana")
    agreements.send(in_force.country, terms, SIGNERS)
    agreements.sign(in_force.country, terms, *SIGNERS.values())
    in_force.session.commit()
    assert on(in_force, frozen_time, DAYS + 1) == 0
    assert renewals(in_force) == []
    # No row that says otherwise shortens the notice.
    ends_on = cooperation(in_force).ends_on
    for day in (now.date() - DAY, ends_on):
        in_force.session.execute(sa.update(Cooperation).values(ends_on=day))
        assert notices.agreed_notice(terms) == NOTICE
    # Expired terms end without the notice that was agreed for while they run.
    for days, notice in ((DAYS, NOTICE), (DAYS + 1, 0)):
        frozen_time(now + days * DAY)
        assert notices.earliest(terms, NoticeKind.ENDED) == clock.today() + notice * DAY


def test_terms_that_renew_themselves_keep_the_notice_until_the_worker_has_renewed_them(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    frozen_time(clock.now() + (DAYS + 1) * DAY)
    assert notices.agreed_notice(in_force.checklist()) == NOTICE


def test_an_amendment_signed_after_a_renewal_goes_on_with_the_renewed_dates(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    frozen_time(clock.now() + (DAYS + 1) * DAY)
    assert due.renew_due(clock.today()) == 1
    in_force.session.commit()
    before = cooperation(in_force)
    dates = (before.starts_on, before.ends_on, before.review_on)
    terms = in_force.checklist()
    agreements_service.amend(in_force["ilena"], terms, reason="A word.", items=["M2"])
    agreements.send(in_force.country, terms, SIGNERS)
    agreements.sign(in_force.country, terms, *SIGNERS.values())
    in_force.session.commit()
    after = cooperation(in_force)
    assert (after.starts_on, after.ends_on, after.review_on) == dates
    revision_id = in_force.checklist().revision_in_force_id
    assert revision_id is not None
    compared = evidence.look(in_force.checklist())
    assert compared.agrees
    assert compared.last(revision_id) == after.ends_on
    assert [row.revision_id == revision_id for row in renewals(in_force)] == [False, True]
    assert due.renew_due(clock.today()) == 0
    in_force.session.rollback()
    assert integrity.check_all().finding is None


def test_an_amendment_signed_after_the_last_day_is_in_force_but_not_renewed_if_rows_disagree(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    frozen_time(clock.now() + (DAYS + 1) * DAY)
    terms = in_force.checklist()
    first = terms.revision_in_force_id
    agreements_service.amend(in_force["ilena"], terms, reason="A word.", items=["M2"])
    agreements.send(in_force.country, terms, SIGNERS)
    in_force.session.commit()
    with hands() as connection:
        requests = table_of(SignatureRequest)
        of_first = sa.update(requests).where(requests.c.revision_id == first)
        connection.execute(of_first.values(state=RequestState.WITHDRAWN))
    agreements.sign(in_force.country, terms, *SIGNERS.values())
    in_force.session.commit()
    assert in_force.checklist().revision_in_force_id not in {first, None}
    assert renewals(in_force) == []
    with pytest.raises(NotSoundError):
        due.renew_due(clock.today())
    in_force.session.rollback()


def test_an_amendment_that_no_longer_renews_itself_ends_as_it_says(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    frozen_time(clock.now() + (DAYS + 1) * DAY)
    due.renew_due(clock.today())
    terms = amend(in_force)
    current = agreements.current(terms, "M19")
    last = clock.today() + 20 * DAY
    values = {**current.values, **agreements.term(clock.today(), last)}
    agreements.change(in_force.country, terms, "M19", current, **values)
    agreements.send(in_force.country, terms, SIGNERS)
    agreements.sign(in_force.country, terms, *SIGNERS.values())
    in_force.session.commit()
    assert cooperation(in_force).ends_on == last
    assert len(renewals(in_force)) == 1


def test_new_dates_are_proposed_and_count_once_all_have_signed(in_force: Negotiation) -> None:
    before = in_force.checklist().revision_in_force_id
    starts_on, end = cooperation(in_force).starts_on, last_day() + 200 * DAY
    renewal.propose_renewal(
        in_force["joana"],
        in_force.checklist(),
        review=last_day() + 100 * DAY,
        end=end,
        reason="It went well.",
    )
    in_force.session.commit()
    terms = in_force.checklist()
    assert (terms.state, terms.open_items) == (ChecklistState.DRAFTING, ["M19"])
    assert terms.revision_in_force_id == before
    loaded = in_force.loaded()
    (proposal,) = [proposal for proposal in loaded.proposals if proposal.item == "M19"]
    positions.accept_proposal(in_force["ilena"], terms, proposal.id)
    in_force.accept("M19", "samira")
    agreements.send(in_force.country, terms, SIGNERS)
    agreements.sign(in_force.country, terms, *SIGNERS.values())
    in_force.session.commit()
    assert terms.revision_in_force_id not in {before, None}
    renewed = cooperation(in_force)
    assert (renewed.starts_on, renewed.ends_on) == (starts_on, end)


def test_prolonged_terms_renew_themselves_for_as_long_as_the_further_term(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    start, further = cooperation(in_force).starts_on, dt.timedelta(days=45)
    assert start is not None
    terms = amend(in_force)
    current = agreements.current(terms, "M19")
    end = last_day() + further
    values = {**current.values, "review": last_day().isoformat(), "end": end.isoformat()}
    agreements.change(in_force.country, terms, "M19", current, **values)
    in_force.accept("M19", "joana")
    agreements.send(in_force.country, terms, SIGNERS)
    agreements.sign(in_force.country, terms, *SIGNERS.values())
    in_force.session.commit()
    assert cooperation(in_force).starts_on == start
    assert on(in_force, frozen_time, (end - clock.today()).days + 1) == 1
    (row,) = renewals(in_force)
    assert (row.from_on, row.until_on) == (end + DAY, end + further)


def test_new_dates_that_no_other_party_has_answered_keep_the_text_from_being_sent(
    in_force: Negotiation,
) -> None:
    assert "M19" not in in_force.loaded().standing().blocking
    renewal.propose_renewal(
        in_force["joana"],
        in_force.checklist(),
        review=last_day(),
        end=last_day() + DAY,
        reason="It went well.",
    )
    loaded = in_force.loaded()
    assert "M19" in loaded.standing().blocking
    assert loaded.template.by_code["M19"].label in str(obstacles.to_sending(loaded)[0])


def test_no_text_that_starts_later_takes_the_place_of_terms_in_force(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    now, start = clock.now(), clock.today() + DAY
    with pytest.raises(RuleBrokenError, match="replaces the terms in force") as error:
        renewal.propose_renewal(
            in_force["ilena"],
            in_force.checklist(),
            start=start,
            review=start + DAY,
            end=start + 2 * DAY,
            reason="It went well.",
        )
    assert error.value.field == "start"
    in_force.session.rollback()
    # Before the terms run, another start can be chosen; the text is signed when they do.
    frozen_time(now - 2 * DAY)
    terms = amend(in_force)
    current = agreements.current(terms, "M19")
    values = {**current.values, **agreements.term(start, last_day() + 2 * DAY)}
    agreements.change(in_force.country, terms, "M19", current, **values)
    in_force.accept("M19", "joana")
    assert not in_force.loaded().standing().items["M19"].problems
    agreements.send(in_force.country, terms, SIGNERS)
    frozen_time(now)
    (problem,) = in_force.loaded().standing().items["M19"].problems
    assert problem.field == "start"
    agreements.sign(in_force.country, terms, "tomas", "henrik")
    in_force.session.commit()
    with pytest.raises(RuleBrokenError, match="starts later than today"):
        agreements.sign(in_force.country, terms, "otto")
    in_force.session.rollback()
    frozen_time(now + DAY)
    agreements.sign(in_force.country, terms, "otto")
    assert cooperation(in_force).starts_on == start


@pytest.mark.parametrize(("review", "end"), [(5, 0), (0, 10), (11, 10), (5, -1)])
def test_new_dates_follow_each_other(in_force: Negotiation, review: int, end: int) -> None:
    start = clock.today()
    with pytest.raises(RuleBrokenError, match="The review must come after the start") as error:
        renewal.propose_renewal(
            in_force["ilena"],
            in_force.checklist(),
            start=start,
            review=start + review * DAY,
            end=start + end * DAY,
            reason="It went well.",
        )
    assert error.value.field == "review"


@pytest.mark.parametrize("first", ["tomas", "nadia", "dora", "marek", "vesna", "ada"])
def test_only_a_coordinator_of_a_party_proposes_new_dates(
    in_force: Negotiation, first: str
) -> None:
    start = last_day() + DAY
    with pytest.raises(RefusedError, match="Only a coordinator of one of the parties"):
        renewal.propose_renewal(
            in_force[first],
            in_force.checklist(),
            start=start,
            review=start + 5 * DAY,
            end=start + 10 * DAY,
            reason="It went well.",
        )
