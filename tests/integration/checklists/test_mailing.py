"""Parties are mailed about what others do on a checklist: together, and once it is quiet there.

In one file: each reason for a mail with who gets it, when, and when it no longer holds.
"""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import due
from tests.factories.checklists import flag_term
from tests.factories.demonstration import Demonstration
from tests.factories.negotiations import Negotiation
from tests.factories.visits import JointVisit
from tracker.access.actor import Role
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import service
from tracker.checklists.loading import load
from tracker.checklists.models import (
    Checklist,
    ChecklistState,
    MailReason,
    PendingMail,
    Proposal,
    Stance,
)
from tracker.checklists.negotiation import mailing, positions, safeguards
from tracker.cooperations.models import AudienceMember, Stage
from tracker.core import clock
from tracker.mail.models import OutboxMessage

MINUTE = dt.timedelta(minutes=1)
PEOPLE_OF_NPM = {"ilena", "tomas", "nadia", "oren", "petra"}
PEOPLE_OF_DOOR = {"samira", "henrik", "dora"}
PEOPLE_OF_LANTERN = {"joana", "otto", "leyla"}
Later = Callable[[dt.timedelta], None]


@pytest.fixture
def later(frozen_time: Callable[[dt.datetime], None]) -> Later:
    """A function that stops the clock, or moves it on."""
    frozen_time(clock.now())
    return lambda passed: frozen_time(clock.now() + passed)


def mails(session: Session, *kinds: str) -> list[OutboxMessage]:
    wanted = sa.select(OutboxMessage).where(OutboxMessage.kind.in_(kinds))
    return list(session.scalars(wanted.order_by(OutboxMessage.created_at)))


def mailed(negotiation: Negotiation, kind: str) -> list[str]:
    """Return the first names of those who were mailed for a reason, sorted."""
    recipients = (mail.recipient for mail in mails(negotiation.session, kind))
    return sorted(address.split(".", maxsplit=1)[0] for address in recipients)


def kinds_mailed(negotiation: Negotiation) -> set[str]:
    kinds = {reason.value for reason in MailReason}
    return {mail.kind for mail in mails(negotiation.session, *kinds)}


def work(negotiation: Negotiation) -> int:
    """Have the worker mail what is due; return for how many parties it did."""
    negotiation.session.commit()
    number = due.mail_of_checklists()
    negotiation.session.commit()
    return number


def start_over(negotiation: Negotiation, later: Later) -> None:
    """Mail what preparing the negotiation has noted, and forget it."""
    later(mailing.QUIET)
    work(negotiation)
    negotiation.session.execute(sa.delete(OutboxMessage))
    negotiation.session.commit()


def suggest(
    negotiation: Negotiation, first: str, item: str = "M1", words: str = "Shorter."
) -> Proposal:
    answer = negotiation.loaded().sheet.shared(item)
    assert answer is not None
    proposal = positions.propose(
        negotiation[first],
        negotiation.checklist(),
        item,
        {"words": words},
        answer_id=answer.answer_id,
        reason="Because.",
    )
    negotiation.session.commit()
    return proposal


def discuss(negotiation: Negotiation, first: str, item: str = "M1") -> None:
    answer = negotiation.loaded().sheet.shared(item)
    assert answer is not None
    positions.take_position(
        negotiation[first],
        negotiation.checklist(),
        item,
        Stance.WANTS_TALK,
        answer_id=answer.answer_id,
        reason="What is meant?",
    )
    negotiation.session.commit()


# Together, once it is quiet


@pytest.mark.both_databases
def test_the_other_parties_are_mailed_once_about_many_suggestions(
    negotiation: Negotiation, later: Later
) -> None:
    for item in ("M1", "M6", "M9"):
        negotiation.save("ilena", item)
        suggest(negotiation, "samira", item)
        later(3 * MINUTE)
    assert work(negotiation) == 0
    later(mailing.QUIET)
    assert work(negotiation) == 2
    assert mailed(negotiation, "suggestion_made") == sorted(PEOPLE_OF_NPM | PEOPLE_OF_LANTERN)
    later(mailing.QUIET)
    assert work(negotiation) == 0
    assert negotiation.session.scalars(sa.select(PendingMail)).all() == []


@pytest.mark.both_databases
def test_somebody_who_never_stops_delays_the_mail_for_an_hour_at_most(
    negotiation: Negotiation, later: Later
) -> None:
    negotiation.save("ilena", "M1")
    for number in range(20):
        assert work(negotiation) == 0, number
        suggest(negotiation, "samira", words=f"Wording {number}.")
        later(3 * MINUTE)
    later(MINUTE)
    assert work(negotiation) == 2
    assert mailed(negotiation, "suggestion_made") == sorted(PEOPLE_OF_NPM | PEOPLE_OF_LANTERN)


def test_a_mail_names_nothing_and_nobody(negotiation: Negotiation, later: Later) -> None:
    negotiation.save("ilena", "M1")
    suggest(negotiation, "samira")
    later(mailing.QUIET)
    work(negotiation)
    mail = mails(negotiation.session, "suggestion_made")[0]
    assert f"/checklists/{negotiation.checklist().id}?filter=us" in mail.body
    for word in ("Samira", "Open Door", "M1", "Shorter", "Because", negotiation.cooperation.title):
        assert word not in mail.subject + mail.body


def test_people_read_the_mail_in_their_language(negotiation: Negotiation, later: Later) -> None:
    negotiation.country.users["ilena"].language = "ar"
    negotiation.save("ilena", "M1")
    suggest(negotiation, "samira")
    later(mailing.QUIET)
    work(negotiation)
    languages = {
        mail.recipient: mail.language for mail in mails(negotiation.session, "suggestion_made")
    }
    assert languages.pop(negotiation.country.users["ilena"].email) == "ar"
    assert set(languages.values()) == {"en"}


def test_nobody_else_is_mailed(negotiation: Negotiation, later: Later) -> None:
    """Neither another cooperation's people, nor auditors and administrators."""
    negotiation.save("ilena", "M1")
    suggest(negotiation, "samira")
    discuss(negotiation, "joana")
    later(mailing.QUIET)
    work(negotiation)
    everybody = {*mailed(negotiation, "suggestion_made"), *mailed(negotiation, "discussion_wished")}
    assert everybody == PEOPLE_OF_NPM | PEOPLE_OF_DOOR | PEOPLE_OF_LANTERN


def test_a_coordinator_who_takes_no_part_yet_is_mailed_too(
    negotiation: Negotiation, later: Later
) -> None:
    negotiation.country.person("Iris Vane", "door", Role.COORDINATOR)
    negotiation.country.person("Milo Sand", "door", Role.MEMBER)
    negotiation.session.commit()
    negotiation.save("ilena", "M1")
    discuss(negotiation, "joana")
    later(mailing.QUIET)
    work(negotiation)
    assert {"iris"} == {*mailed(negotiation, "discussion_wished")} - PEOPLE_OF_NPM - PEOPLE_OF_DOOR


# Suggestions


def test_nobody_is_mailed_about_a_suggestion_that_was_answered_or_withdrawn(
    negotiation: Negotiation, later: Later
) -> None:
    negotiation.save("ilena", "M1")
    negotiation.save("ilena", "M6")
    answered, withdrawn = suggest(negotiation, "samira"), suggest(negotiation, "samira", "M6")
    positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), answered.id)
    positions.withdraw_proposal(negotiation["samira"], negotiation.checklist(), withdrawn.id)
    later(mailing.QUIET)
    work(negotiation)
    assert mailed(negotiation, "suggestion_made") == []


@pytest.mark.parametrize("how", ["accepted", "declined", "another"])
def test_the_party_that_suggested_is_mailed_the_answer(
    negotiation: Negotiation, later: Later, how: str
) -> None:
    negotiation.save("ilena", "M1")
    proposal = suggest(negotiation, "samira")
    terms = negotiation.checklist()
    if how == "accepted":
        positions.accept_proposal(negotiation["ilena"], terms, proposal.id)
    elif how == "declined":
        positions.turn_down_proposal(negotiation["ilena"], terms, proposal.id, "Too short.")
    else:
        answer = negotiation.loaded().sheet.shared("M1")
        assert answer is not None
        positions.propose(
            negotiation["ilena"],
            terms,
            "M1",
            {"words": "Shorter, but not that short."},
            answer_id=answer.answer_id,
            reason="Because.",
            replies_to=proposal.id,
        )
    later(mailing.QUIET)
    work(negotiation)
    assert mailed(negotiation, "suggestion_answered") == sorted(PEOPLE_OF_DOOR)
    # The other suggestion waits for the third party too, which is mailed that.
    others = sorted(PEOPLE_OF_LANTERN) if how == "another" else []
    assert mailed(negotiation, "suggestion_made") == others


# Wishes to discuss


def test_the_other_parties_are_mailed_that_one_asks_to_discuss_an_item(
    negotiation: Negotiation, later: Later
) -> None:
    negotiation.save("ilena", "M1")
    discuss(negotiation, "samira")
    later(mailing.QUIET)
    assert work(negotiation) == 2
    assert mailed(negotiation, "discussion_wished") == sorted(PEOPLE_OF_NPM | PEOPLE_OF_LANTERN)


def test_nobody_is_mailed_about_a_wish_that_ended_or_was_met(
    negotiation: Negotiation, later: Later
) -> None:
    negotiation.save("ilena", "M1")
    negotiation.save("ilena", "M6")
    discuss(negotiation, "samira")
    discuss(negotiation, "samira", "M6")
    later(MINUTE)
    negotiation.accept("M1", "dora", outcome="It stays as it is.")
    # The NPM changes what they wish to discuss.
    negotiation.save("oren", "M6", seen=1)
    later(mailing.QUIET)
    work(negotiation)
    assert mailed(negotiation, "discussion_wished") == []


# Changes of what was accepted


def change_what_lantern_accepted(negotiation: Negotiation, later: Later) -> None:
    """Have the NPM accept a suggestion to an answer that a party has already accepted."""
    negotiation.save("ilena", "M1")
    proposal = suggest(negotiation, "samira")
    negotiation.accept("M1", "joana")
    start_over(negotiation, later)
    positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), proposal.id)


def test_a_party_is_mailed_that_what_it_accepted_was_changed(
    negotiation: Negotiation, later: Later
) -> None:
    change_what_lantern_accepted(negotiation, later)
    later(mailing.QUIET)
    work(negotiation)
    assert mailed(negotiation, "item_reopened") == sorted(PEOPLE_OF_LANTERN)


def test_nobody_is_mailed_about_a_change_that_somebody_of_the_party_has_accepted(
    negotiation: Negotiation, later: Later
) -> None:
    change_what_lantern_accepted(negotiation, later)
    later(MINUTE)
    negotiation.accept("M1", "leyla")
    later(mailing.QUIET)
    assert work(negotiation) == 1
    assert kinds_mailed(negotiation) == {"suggestion_answered"}


# Flags


def test_those_who_can_explain_or_change_a_flagged_item_are_mailed(
    negotiation: Negotiation, later: Later
) -> None:
    negotiation.settle("M1")
    flag_term(negotiation["oren"], negotiation.checklist(), "M1", "A donor decides?")
    later(mailing.QUIET)
    work(negotiation)
    explaining = {"ilena", "tomas", "nadia"}
    everybody = explaining | PEOPLE_OF_DOOR | PEOPLE_OF_LANTERN
    assert mailed(negotiation, "flag_raised") == sorted(everybody)


def test_whoever_raised_a_flag_is_not_mailed_about_it(
    negotiation: Negotiation, later: Later
) -> None:
    negotiation.settle("M1")
    flag_term(negotiation["nadia"], negotiation.checklist(), "M1", "A donor decides?")
    later(mailing.QUIET)
    work(negotiation)
    assert "nadia" not in mailed(negotiation, "flag_raised")
    assert {"ilena", "tomas"} < {*mailed(negotiation, "flag_raised")}


def test_the_party_that_raised_a_flag_is_mailed_the_explanation(
    negotiation: Negotiation, later: Later
) -> None:
    negotiation.settle("M1")
    flag = flag_term(negotiation["oren"], negotiation.checklist(), "M1", "A donor decides?")
    safeguards.explain_flag(negotiation["nadia"], negotiation.checklist(), flag.id, "No donor.")
    later(mailing.QUIET)
    assert work(negotiation) == 1
    assert kinds_mailed(negotiation) == {"flag_answered"}
    assert mailed(negotiation, "flag_answered") == sorted(PEOPLE_OF_NPM - {"nadia"})


# Ready to be sent


def test_nobody_is_mailed_that_it_is_ready_when_it_was_sent_in_the_meantime(
    shipped_negotiation: Negotiation, later: Later
) -> None:
    negotiation = shipped_negotiation
    negotiation.send()
    assert negotiation.checklist().state is ChecklistState.SENT
    later(mailing.QUIET)
    work(negotiation)
    assert mailed(negotiation, "ready_to_send") == []


def test_those_who_can_send_a_checklist_are_mailed_once_nothing_is_left(
    negotiation: Negotiation, later: Later
) -> None:
    terms = negotiation.agree()
    flag = flag_term(negotiation["dora"], terms, "M1", "A donor decides?")
    later(mailing.QUIET)
    work(negotiation)
    # It was ready for a moment only.
    assert mailed(negotiation, "ready_to_send") == []
    safeguards.explain_flag(negotiation["ilena"], negotiation.checklist(), flag.id, "No donor.")
    negotiation.session.commit()
    later(mailing.QUIET)
    work(negotiation)
    # Whoever did the last thing that was left knows.
    assert mailed(negotiation, "ready_to_send") == ["joana", "samira"]


def test_nobody_is_mailed_about_a_text_that_ended_with_its_cooperation(
    negotiation: Negotiation, later: Later
) -> None:
    negotiation.save("ilena", "M1")
    suggest(negotiation, "samira")
    negotiation.cooperation.stage = Stage.CLOSED
    later(mailing.QUIET)
    assert work(negotiation) == 0
    assert kinds_mailed(negotiation) == set()


# Visits


@pytest.fixture
def joint_visit(app: Flask, session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


@pytest.mark.both_databases
def test_only_people_of_a_visit_who_may_open_it_are_mailed_about_its_checklists(
    joint_visit: JointVisit, later: Later
) -> None:
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    agreements.amend(joint_visit.actor("ilena"), roles, reason="Other rooms.", items=["V8"])
    joint_visit.session.commit()
    later(mailing.QUIET)
    due.mail_of_checklists()
    joint_visit.session.execute(sa.delete(OutboxMessage))
    current = load(roles).sheet.shared("V8")
    assert current is not None
    positions.take_position(
        joint_visit.actor("ilena"),
        roles,
        "V8",
        Stance.WANTS_TALK,
        answer_id=current.answer_id,
        reason="Which rooms?",
    )
    joint_visit.session.commit()
    later(mailing.QUIET)
    due.mail_of_checklists()
    recipients = {mail.recipient for mail in mails(joint_visit.session, "discussion_wished")}
    listed = set(
        joint_visit.session.scalars(
            sa.select(AudienceMember.user_id).where(AudienceMember.subject_id == roles.visit_id)
        )
    )
    users = joint_visit.demo_people.users.values()
    may_open = {user.email for user in users if user.id in listed}
    assert recipients
    assert recipients <= may_open


# After an upgrade


@pytest.mark.both_databases
def test_a_draft_that_was_ready_before_that_was_stored_is_mailed_about_once(
    negotiation: Negotiation, later: Later
) -> None:
    negotiation.agree()
    start_over(negotiation, later)
    negotiation.session.execute(sa.delete(OutboxMessage))
    negotiation.session.execute(sa.update(Checklist).values(is_ready_to_send=None))
    negotiation.session.commit()
    assert service.work_out_readiness() >= 1
    assert service.work_out_readiness() == 0
    later(11 * MINUTE)
    work(negotiation)
    assert mailed(negotiation, "ready_to_send") == ["ilena", "joana", "samira"]
    negotiation.session.expire_all()
    assert negotiation.checklist().is_ready_to_send is True


def test_a_draft_that_was_not_ready_is_not_mailed_about_after_an_upgrade(
    negotiation: Negotiation, later: Later
) -> None:
    start_over(negotiation, later)
    negotiation.session.execute(sa.update(Checklist).values(is_ready_to_send=None))
    negotiation.session.commit()
    service.work_out_readiness()
    later(11 * MINUTE)
    work(negotiation)
    assert mailed(negotiation, "ready_to_send") == []
    negotiation.session.expire_all()
    assert negotiation.checklist().is_ready_to_send is False
