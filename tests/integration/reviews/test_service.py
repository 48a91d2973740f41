"""A review begun, written by all, confirmed by each party, taking effect (P5, G6)."""

import datetime as dt

import pytest
import sqlalchemy as sa

from tests import due
from tests.factories import agreements
from tests.factories.evidence.tampering import hands, table_of
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, DAYS, NOTICE, SIGNERS
from tests.integration.agreements.notices.test_notices import amend, give
from tests.integration.agreements.test_signers import mailed
from tests.integration.reviews.conftest import (
    BOSSES,
    LATE,
    Clock,
    begin_review,
    confirm,
    cooperation,
    hold,
    review_of,
    save,
    saved,
    written,
)
from tracker.access.actor import Role
from tracker.access.page_tokens import NotShownError
from tracker.activity.witness import NotSoundError
from tracker.agreements import departures, joining
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.models import Checklist, ChecklistState, NoticeKind
from tracker.cooperations.models import Cooperation, Stage
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.lifecycle import policy as lifecycle
from tracker.lifecycle import queries as lifecycle_queries
from tracker.oversight import integrity
from tracker.reviews import service
from tracker.reviews.models import Outcome, ReviewConfirmation, ReviewVersion
from tracker.signoff import shown


def stage(negotiation: Negotiation) -> Stage:
    return cooperation(negotiation).stage


def change(
    negotiation: Negotiation, row: Checklist | Cooperation | ReviewConfirmation, **values: object
) -> None:
    """Change a row in the database, as somebody could who can write to it."""
    rows = table_of(type(row))
    query = sa.update(rows).where(rows.c.id == row.id).values(values)
    negotiation.session.commit()
    with hands() as connection:
        connection.execute(query)


def g5_is_open(negotiation: Negotiation) -> bool:
    facts = lifecycle_queries.facts_of(cooperation(negotiation))
    return next(gate for gate in lifecycle.gates(facts) if gate.code == "G5").is_open


@pytest.mark.both_databases
def test_an_overdue_review_is_held_and_visits_can_be_planned_again(
    active: Negotiation, frozen_time: Clock
) -> None:
    frozen_time(clock.now() + LATE)
    assert not g5_is_open(active)
    begin_review(active)
    assert stage(active) is Stage.UNDER_REVIEW
    assert not g5_is_open(active)
    save(active, "samira", written(active, next_on=clock.today()))
    with pytest.raises(RefusedError, match="not complete"):
        confirm(active, "tomas")
    active.session.rollback()
    save(
        active,
        "ilena",
        written(
            active,
            outcome=Outcome.RENEW,
            reason="It works.",
            ends_on=clock.today() + 300 * DAY,
            next_on=clock.today() + 299 * DAY,
        ),
        version=1,
    )
    confirm(active, *BOSSES)
    assert stage(active) is Stage.ACTIVE
    assert g5_is_open(active)
    assert active.checklist().open_items == ["M19"]


def test_a_review_that_is_not_due_yet_can_begin_and_names_everybody_once(
    active: Negotiation,
) -> None:
    begin_review(active, "joana")
    assert stage(active) is Stage.UNDER_REVIEW
    (event,) = active.events("review_begun")
    assert event["organisation"] == active.country.organisations["lantern"].name
    assert {"ilena", "samira"} <= set(mailed(active, "review_begun"))
    assert "joana" not in mailed(active, "review_begun")
    assert g5_is_open(active)


def test_only_one_review_is_held_at_a_time(active: Negotiation) -> None:
    begin_review(active)
    with pytest.raises(RuleBrokenError, match="already"):
        begin_review(active, "ilena")


@pytest.mark.parametrize("first", ["leyla", "petra", "tomas", "marek"])
def test_nobody_else_begins_a_review(active: Negotiation, first: str) -> None:
    with pytest.raises(RefusedError):
        service.begin(active[first], active.cooperation)


def test_a_manager_of_a_partner_begins_a_review(active: Negotiation) -> None:
    active.country.person("Vera Holm", "door", Role.MANAGER)
    begin_review(active, "vera")
    assert stage(active) is Stage.UNDER_REVIEW


def test_the_record_is_kept_in_versions_and_a_later_save_is_not_lost(active: Negotiation) -> None:
    begin_review(active)
    assert save(active, "samira", written(active, other_points="By Samira."))
    with pytest.raises(StaleError):
        save(active, "ilena", written(active, other_points="By Ilena."), version=0)
    active.session.rollback()
    assert saved(active).other_points == "By Samira."
    assert save(active, "ilena", written(active, other_points="By Ilena."), version=1)
    assert not save(active, "ilena", written(active, other_points="By Ilena."), version=2)
    versions = active.session.scalars(sa.select(ReviewVersion).order_by(ReviewVersion.number)).all()
    assert [row.content["other_points"] for row in versions] == ["By Samira.", "By Ilena."]
    assert len({row.digest for row in versions}) == 2


def test_a_confirmation_counts_only_for_what_was_on_the_screen(active: Negotiation) -> None:
    begin_review(active)
    save(active, "samira", written(active))
    page = service.page_with(review_of(active))
    save(active, "ilena", written(active, other_points="Something else."), version=1)
    with pytest.raises(NotShownError):
        service.confirm(active["tomas"], active.cooperation, 1, page=page)
    with pytest.raises(NotShownError):
        service.confirm(active["tomas"], active.cooperation, 1, page=None)
    with pytest.raises(NotShownError):
        service.confirm(active["tomas"], active.cooperation, 1, page=shown.page_with(""))


def test_a_new_version_takes_the_confirmations_away(active: Negotiation) -> None:
    begin_review(active)
    save(active, "samira", written(active))
    confirm(active, "tomas", "henrik")
    save(active, "joana", written(active, other_points="One thing more."), version=1)
    confirm(active, "otto")
    assert review_of(active).is_open
    confirm(active, "tomas", "henrik")
    assert not review_of(active).is_open


def test_each_party_confirms_once_by_a_signatory_or_manager(active: Negotiation) -> None:
    begin_review(active)
    save(active, "samira", written(active))
    for first in ("samira", "leyla", "petra", "marek"):
        with pytest.raises(RefusedError):
            confirm(active, first)
        active.session.rollback()
    confirm(active, "henrik")
    assert "tomas" in mailed(active, "review_confirmed")
    assert "henrik" not in mailed(active, "review_confirmed")
    with pytest.raises(RefusedError, match="Your organisation"):
        confirm(active, "henrik")


def test_a_review_whose_last_missing_party_leaves_is_concluded_by_another(
    active: Negotiation, frozen_time: Clock
) -> None:
    departures.give_notice(active["otto"], cooperation(active), reason="Other plans.")
    active.session.commit()
    begin_review(active)
    save(active, "samira", written(active, next_on=clock.today() + 90 * DAY))
    confirm(active, "tomas", "henrik")
    with pytest.raises(RefusedError, match="has confirmed this record"):
        confirm(active, "henrik")
    active.session.rollback()
    frozen_time(clock.now() + NOTICE * DAY)
    due.leave_due(clock.today())
    active.session.commit()
    assert review_of(active).is_open
    confirm(active, "henrik")
    assert not review_of(active).is_open
    assert len(active.events("review_confirmed")) == 2
    assert integrity.check_all().finding is None


def test_a_joining_party_is_not_needed_to_confirm_a_review(active: Negotiation) -> None:
    joining.add(
        active["ilena"],
        cooperation(active),
        active.country.id("bridge"),
        reason="Families asked for it.",
    )
    begin_review(active)
    with pytest.raises(RefusedError, match="Only coordinators and managers"):
        save(active, "marek", written(active))
    active.session.rollback()
    save(active, "samira", written(active))
    confirm(active, *BOSSES)
    assert not review_of(active).is_open
    assert "marek" not in mailed(active, "review_begun")


def test_going_on_moves_the_review_and_leaves_the_text_alone(active: Negotiation) -> None:
    before = active.checklist().revision_in_force_id
    hold(active, next_on=clock.today() + 100 * DAY)
    assert stage(active) is Stage.ACTIVE
    assert cooperation(active).review_on == clock.today() + 100 * DAY
    assert active.checklist().revision_in_force_id == before
    assert active.checklist().state is ChecklistState.IN_FORCE
    (event,) = active.events("review_concluded")
    assert (event["outcome"], event["number"], event["version"]) == ("go_on", 1, 1)
    assert [e["after"] for e in active.events("stage_changed")][-2:] == ["P5", "P4"]
    active.session.rollback()
    assert integrity.check_all().finding is None


def test_amending_opens_the_items_and_an_unchanged_review_day_does_not_come_back(
    active: Negotiation,
) -> None:
    next_on = clock.today() + 100 * DAY
    hold(active, outcome=Outcome.AMEND, items=("M2",), reason="Aims have changed.", next_on=next_on)
    terms = active.checklist()
    assert (terms.open_items, terms.state) == (["M2"], ChecklistState.DRAFTING)
    assert terms.revision_in_force_id is not None
    assert stage(active) is Stage.ACTIVE
    assert cooperation(active).review_on == next_on
    current = agreements.current(terms, "M2")
    agreements.change(active.country, terms, "M2", current, objectives="Other aims.")
    agreements.send(active.country, terms, SIGNERS)
    agreements.sign(active.country, terms, *SIGNERS.values())
    active.session.commit()
    assert cooperation(active).review_on == next_on


def test_an_amendment_under_way_holds_up_the_last_confirmation(active: Negotiation) -> None:
    begin_review(active)
    save(active, "samira", written(active, outcome=Outcome.AMEND, items=("M2",), reason="New."))
    amend(active)
    active.session.commit()
    with pytest.raises(RuleBrokenError, match="being amended already"):
        confirm(active, "tomas")


def test_ending_waits_for_the_notice(active: Negotiation) -> None:
    hold(active, outcome=Outcome.END, reason="The project is over.", next_on=None)
    assert stage(active) is Stage.UNDER_REVIEW
    give(active, "henrik", NoticeKind.ENDED, from_on=clock.today() + (NOTICE + 1) * DAY)
    assert stage(active) is Stage.ACTIVE


def test_who_signs_other_terms_after_deciding_to_end_is_under_review_no_more(
    active: Negotiation,
) -> None:
    hold(active, outcome=Outcome.END, reason="The project is over.", next_on=None)
    amend(active)
    assert stage(active) is Stage.UNDER_REVIEW
    agreements.send(active.country, active.checklist(), SIGNERS)
    agreements.sign(active.country, active.checklist(), *SIGNERS.values())
    assert stage(active) is Stage.ACTIVE
    assert integrity.check_all().finding is None


def test_who_decided_to_end_can_hold_another_review_instead(active: Negotiation) -> None:
    hold(active, outcome=Outcome.END, reason="The project is over.", next_on=None)
    begin_review(active, "ilena")
    save(active, "ilena", written(active), number=2)
    confirm(active, *BOSSES, number=2)
    assert stage(active) is Stage.ACTIVE


def test_a_review_is_held_though_rows_were_changed_and_ends_only_on_sound_terms(
    active: Negotiation,
) -> None:
    other = checklists.start(
        active["ilena"], active.cooperation.id, ChecklistKind.CONFIDENTIALITY, []
    )
    change(active, other, state=ChecklistState.IN_FORCE)
    change(active, active.cooperation, stage=Stage.SUSPENDED, ends_on=clock.today() - DAY)
    cooperation(active)
    begin_review(active)
    service.call_off(active["samira"], active.cooperation, 1, reason="Too early.")
    begun, called_off = active.events("stage_changed")[-2:]
    assert (begun["before"], begun["after"]) == ("P4", "P5")
    assert (called_off["before"], called_off["after"]) == ("P5", "P4")
    # No day that only the row says.
    assert "ran_out_on" not in called_off
    assert stage(active) is Stage.ACTIVE
    begin_review(active)
    save(active, "samira", written(active), number=2)
    in_force_at = active.checklist().in_force_at
    change(active, active.checklist(), in_force_at=clock.now() - DAY)
    with pytest.raises(RuleBrokenError, match="differs from the signatures"):
        confirm(active, *BOSSES, number=2)
    active.session.rollback()
    change(active, active.checklist(), in_force_at=in_force_at)
    confirm(active, "otto", number=2)
    assert stage(active) is Stage.ACTIVE
    assert not review_of(active, 2).is_open


def test_a_suspension_calls_the_review_off(active: Negotiation) -> None:
    begin_review(active)
    save(active, "samira", written(active))
    give(active, "henrik", NoticeKind.SUSPENDED)
    active.session.commit()
    assert stage(active) is Stage.SUSPENDED
    assert not review_of(active).is_open
    with pytest.raises(RefusedError):
        confirm(active, "tomas")


def test_nothing_is_reviewed_before_the_terms_are_in_force(active: Negotiation) -> None:
    give(active, "henrik", NoticeKind.SUSPENDED)
    active.session.commit()
    with pytest.raises(RefusedError, match="in force"):
        service.begin(active["ilena"], active.cooperation)


# Reminders


def on(negotiation: Negotiation, frozen_time: Clock, day: dt.date) -> int:
    now = clock.now()
    frozen_time(now + (day - clock.today()))
    sent = due.remind_of_dates(clock.today())
    negotiation.session.commit()
    frozen_time(now)
    return sent


def test_reminders_are_sent_once_as_the_terms_say(active: Negotiation, frozen_time: Clock) -> None:
    active.country.person("Vera Holm", "door", Role.MANAGER)
    end = clock.today() + DAYS * DAY
    assert on(active, frozen_time, end - 32 * DAY) == 0
    assert on(active, frozen_time, end - 31 * DAY) == 1
    assert {"ilena", "samira", "joana", "vera"} <= set(mailed(active, "review_near"))
    assert not {"leyla", "henrik", "petra"} & set(mailed(active, "review_near"))
    assert on(active, frozen_time, end - 30 * DAY) == 1
    # A signatory gives the notice by which a party says no to a renewal.
    assert {"ilena", "henrik", "tomas"} <= set(mailed(active, "end_near"))
    assert not {"leyla", "petra"} & set(mailed(active, "end_near"))
    assert on(active, frozen_time, end - 29 * DAY) == 0


@pytest.mark.parametrize("date", ["review", "end"])
def test_nobody_is_reminded_of_a_date_that_only_the_row_says(
    active: Negotiation, date: str
) -> None:
    today = clock.today()
    column = {"review": "review_on", "end": "ends_on"}[date]
    change(active, active.cooperation, **{column: today, f"remind_of_{date}_on": today})
    with pytest.raises(NotSoundError):
        due.remind_of_dates(today)
    active.session.rollback()
    assert mailed(active, f"{date}_near") == []


def test_a_moved_date_is_reminded_of_again(active: Negotiation, frozen_time: Clock) -> None:
    end = clock.today() + DAYS * DAY
    assert on(active, frozen_time, end - 31 * DAY) == 1
    hold(active, next_on=clock.today() + 100 * DAY)
    assert on(active, frozen_time, clock.today() + 69 * DAY) == 0
    assert on(active, frozen_time, clock.today() + 70 * DAY) == 1


def test_nobody_is_reminded_of_a_suspended_cooperation(
    active: Negotiation, frozen_time: Clock
) -> None:
    give(active, "henrik", NoticeKind.SUSPENDED)
    active.session.commit()
    assert on(active, frozen_time, clock.today() + (DAYS - 5) * DAY) == 0
