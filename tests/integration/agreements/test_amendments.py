"""Calling off an amendment, which restores the answers of the text in force."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import agreements as factory
from tests.factories import checklists
from tests.factories.checklists import flag_term
from tests.factories.evidence.tampering import REVISIONS, hands
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import publish, small_terms
from tests.integration.agreements.conftest import SIGNERS
from tests.integration.agreements.notices.test_notices import give
from tests.integration.agreements.parties.test_joining import invite, take_back
from tests.integration.agreements.test_pages import address, browser, page, submit
from tests.integration.agreements.test_signers import mailed
from tests.integration.agreements.test_signing import amend, refused
from tests.integration.checklists.test_power_limits import GIVES_AWAY, limited
from tests.pages import Page
from tracker.activity.stale import recompute
from tracker.agreements import amendments
from tracker.agreements import service as agreements
from tracker.agreements.document import Languages, document
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service
from tracker.checklists.loading import load
from tracker.checklists.models import (
    Answer,
    ChecklistState,
    NoticeKind,
    OutsideReading,
    Proposal,
    ProposalState,
    ReadingEnd,
)
from tracker.checklists.negotiation import positions, safeguards
from tracker.checklists.reuse import template_upgrade
from tracker.cooperations import service as cooperations
from tracker.core import clock
from tracker.oversight import integrity
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision
from tracker.worker import recheck

WHY = "The parties see it differently."


@pytest.fixture
def signed(negotiation: Negotiation) -> Negotiation:
    """The small terms in force."""
    negotiation.sign()
    negotiation.session.commit()
    return negotiation


def call_off(negotiation: Negotiation, first: str = "samira", reason: str = WHY) -> None:
    amendments.call_off(negotiation[first], negotiation.checklist(), reason=reason)
    negotiation.session.commit()


def propose(negotiation: Negotiation, first: str, item: str, **values: object) -> Proposal:
    answer = negotiation.loaded().sheet.shared(item)
    assert answer is not None
    proposal = positions.propose(
        negotiation[first],
        negotiation.checklist(),
        item,
        values,
        answer_id=answer.answer_id,
        reason="A new law.",
    )
    negotiation.session.commit()
    return proposal


def change(negotiation: Negotiation, item: str = "M1", **values: object) -> None:
    """Have a partner suggest another answer, and the NPM accept it."""
    proposal = propose(negotiation, "samira", item, **values or {"words": "As the new law says."})
    positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), proposal.id)
    negotiation.session.commit()


def answers(sections: Any) -> dict[str, list[Any]]:
    """Return the answers of a text by item, without the number of their versions."""
    return {
        item["code"]: [{**answer, "version": 0} for answer in item["answers"]]
        for section in sections
        for item in section["items"]
    }


def drafted(negotiation: Negotiation) -> dict[str, list[Any]]:
    """Return what the checklist would say if it were frozen now."""
    return answers(document(negotiation.loaded(), [], [], Languages("en", {}, "en"))["sections"])


def standing(negotiation: Negotiation) -> dict[str, list[Any]]:
    revision = negotiation.session.get_one(Revision, negotiation.checklist().revision_in_force_id)
    return answers(signoff.document_of(revision, None)["sections"])


def counts(negotiation: Negotiation) -> tuple[Any, ...]:
    terms = negotiation.checklist()
    waiting = {party.organisation_id: party.waiting_count for party in terms.parties}
    return terms.done_count, terms.total_count, terms.is_complete, waiting


def stances(negotiation: Negotiation) -> Mapping[str, Any]:
    """Return each party's position on each item, and the person who took it."""
    return {
        item: {
            party: (position.stance, position.author_name) for party, position in of_item.items()
        }
        for item, of_item in negotiation.loaded().positions_on.items()
    }


@pytest.mark.both_databases
def test_the_checklist_has_the_signed_answers_again_and_nothing_is_lost(
    signed: Negotiation,
) -> None:
    """product.md, 5.7: the text in force stays so until a new one is signed by all."""
    before, counted = (signed.checklist().revision_in_force_id, stances(signed)), counts(signed)
    text = drafted(signed)
    assert text == standing(signed)
    amend(signed, "ilena", "M1", "M3", "M6", "M7", "M10")
    change(signed)
    signed.save("ilena", "M6")
    service.save_answer(
        signed["joana"],
        signed.checklist(),
        "M7",
        AnswerScope.PARTY,
        {"words": "Our own, anew."},
        base_version=1,
    )
    waits = propose(signed, "joana", "M10", words="In ten days.")
    versions = signed.session.scalar(sa.select(sa.func.count()).select_from(Answer))
    call_off(signed)
    terms = signed.checklist()
    assert (terms.state, terms.open_items, terms.reason) == (ChecklistState.IN_FORCE, None, "")
    assert (terms.revision_in_force_id, stances(signed)) == before
    assert (drafted(signed), counts(signed)) == (text, counted)
    signed.session.refresh(waits)
    assert waits.state is ProposalState.OUTDATED
    # M1, M6 and M7 have one more version, by whoever wrote the signed words.
    after = signed.session.scalar(sa.select(sa.func.count()).select_from(Answer))
    assert after == (versions or 0) + 3
    back = signed.loaded().sheet.shared("M1")
    assert back is not None
    assert (back.version, back.author_id) == (3, signed["ilena"].user_id)
    (event,) = signed.events("amendment_called_off")
    assert (event["revision"], event["items"], event["reason"]) == (1, ["M1", "M6", "M7"], WHY)
    assert mailed(signed, "amendment_called_off") == ["henrik", "ilena", "joana", "otto", "tomas"]
    assert recheck.recheck(signed.cooperation.id) == []
    assert integrity.check_all().finding is None


def test_it_is_amended_again_after_and_what_was_open_is_agreed(signed: Negotiation) -> None:
    amend(signed)
    call_off(signed, "ilena")
    assert signed.events("amendment_called_off")[0]["items"] == []
    amend(signed)
    change(signed)
    signed.accept("M1", "joana")
    call_off(signed)
    assert drafted(signed) == standing(signed)
    amend(signed)
    change(signed)
    signed.accept("M1", "joana")
    checklists.read_second(signed["oren"], signed.checklist())
    checklists.send(signed.checklist(), signed["ilena"], signed.signatories)
    checklists.sign(signed.checklist(), *signed.signatories.values())
    assert "As the new law says." in str(standing(signed)["M1"])


def test_the_history_of_an_item_says_that_nobody_wrote_it_again(
    app: Flask, signed: Negotiation
) -> None:
    amend(signed)
    change(signed)
    call_off(signed)
    shown = page(app, signed, "joana", "/items/M1/history").text
    npm = signed.country.organisations["npm"].name
    assert f"The answer is again what {npm} wrote before: version 3" in shown
    assert "accepted version 3" not in shown
    history = browser(app, signed, "joana").page(address(signed, "/record")).text
    assert "the amendment was called off; revision 1 stays in force." in history
    assert f"Items that went back to what was signed: “Item M1”. Reason: {WHY}" in history


def test_a_flag_on_changed_words_ends_and_one_on_signed_words_has_to_be_explained(
    signed: Negotiation,
) -> None:
    amend(signed, "ilena", "M1", "M10")
    change(signed)
    for item in ("M1", "M10"):
        flag_term(signed["samira"], signed.checklist(), item, "Who decides?")
    signed.session.commit()
    refused(signed, lambda: call_off(signed), "open flag on words of the text in force: “Item M10”")
    change(signed, "M10")
    call_off(signed)
    assert signed.loaded().flagged == frozenset()


def test_answers_to_a_newer_version_of_the_checklist_dont_go_back(signed: Negotiation) -> None:
    amend(signed)
    publish(small_terms().model_copy(update={"version": small_terms().version + 1}))
    newer = template_upgrade.newer(signed.checklist())
    assert newer is not None
    template_upgrade.move(signed["ilena"], signed.checklist(), newer.id)
    signed.session.commit()
    refused(signed, lambda: call_off(signed), "moved to a newer version")


def call_off_all(negotiation: Negotiation) -> None:
    """As the worker does when the cooperation ends."""
    amendments.call_off_all(None, negotiation.cooperation.id, "The project is over.")
    negotiation.session.commit()


def test_with_the_cooperation_answers_go_back_in_the_names_of_those_who_wrote_them(
    signed: Negotiation,
) -> None:
    before = signed.loaded().sheet.shared("M1")
    assert before is not None
    amend(signed, "ilena", "M1")
    change(signed)
    flag_term(signed["samira"], signed.checklist(), "M1", "Who decides?")
    signed.session.commit()
    call_off_all(signed)
    loaded = signed.loaded()
    assert (loaded.checklist.state, loaded.checklist.open_items) == (ChecklistState.IN_FORCE, None)
    back = loaded.sheet.shared("M1")
    assert back is not None
    assert (back.values, back.author_id) == (before.values, before.author_id)
    assert loaded.flagged == frozenset()
    assert recheck.recheck(signed.cooperation.id) == []


def test_with_the_cooperation_an_amendment_ends_whose_answers_cant_go_back(
    signed: Negotiation,
) -> None:
    amend(signed, "ilena", "M1")
    change(signed)
    changed = signed.loaded().sheet.shared("M1")
    publish(small_terms().model_copy(update={"version": small_terms().version + 1}))
    newer = template_upgrade.newer(signed.checklist())
    assert newer is not None
    template_upgrade.move(signed["ilena"], signed.checklist(), newer.id)
    signed.session.commit()
    call_off_all(signed)
    assert signed.checklist().state is ChecklistState.IN_FORCE
    assert signed.loaded().sheet.shared("M1") == changed


def test_a_damaged_text_stays_as_it_is_and_holds_up_no_end(signed: Negotiation) -> None:
    amend(signed, "ilena", "M1")
    revision_id = signed.checklist().revision_in_force_id
    signed.session.commit()
    with hands() as connection:
        connection.execute(
            sa.update(REVISIONS).where(REVISIONS.c.id == revision_id).values(document=b"{")
        )
    signed.session.expire_all()
    call_off_all(signed)
    assert signed.checklist().state is ChecklistState.DRAFTING


def test_the_amendment_of_a_suspended_text_stays_open(in_force: Negotiation) -> None:
    negotiation = in_force
    amend(negotiation, "ilena", "M12")
    give(negotiation, "henrik", NoticeKind.SUSPENDED)
    refused(negotiation, lambda: call_off(negotiation), "This text is suspended")
    refused(
        negotiation,
        lambda: call_off(negotiation, "dora"),
        "Only a coordinator of one of the parties",
    )


def test_an_amendment_by_which_a_party_joins_ends_once_its_invitation_is_taken_back(
    inviting: Negotiation,
) -> None:
    invite(inviting)
    for first in ("ilena", "marek"):
        refused(inviting, lambda first=first: call_off(inviting, first), "is joining by this")  # type: ignore[misc]
    take_back(inviting)
    call_off(inviting)
    assert inviting.checklist().state is ChecklistState.IN_FORCE


def test_a_party_that_only_the_amendment_asked_is_asked_no_more(
    shipped_negotiation: Negotiation,
) -> None:
    kind, bridge = ChecklistKind.CONFIDENTIALITY, shipped_negotiation.country.id("bridge")
    rules = shipped_negotiation.send(kind)
    checklists.sign(rules, *shipped_negotiation.signatories.values())
    cooperations.join_party(shipped_negotiation["ilena"], shipped_negotiation.cooperation, bridge)
    agreements.amend(shipped_negotiation["ilena"], rules, reason="A new party.", items=["C1"])
    shipped_negotiation.session.commit()
    assert load(rules).party(bridge)
    refused(
        shipped_negotiation,
        lambda: amendments.call_off(shipped_negotiation["marek"], rules, reason=WHY),
        "isn't a party of the text in force",
    )
    amendments.call_off(
        shipped_negotiation["samira"], shipped_negotiation.checklist(kind), reason=WHY
    )
    shipped_negotiation.session.commit()
    assert load(rules).party(bridge) is None


def test_it_is_called_off_from_the_checklist_and_the_record(
    app: Flask, signed: Negotiation
) -> None:
    words = "Call off the amendment"
    assert words not in page(app, signed, "samira", "").links()
    amend(signed)
    change(signed)
    for rest in ("", "/record"):
        assert words in page(app, signed, "samira", rest).links()
        assert words not in page(app, signed, "dora", rest).links()
    page(app, signed, "dora", "/call-off", 403)
    shown = page(app, signed, "samira", "/call-off")
    assert "These answers go back to what was signed: “Item M1”." in shown.text
    assert "Enter an answer" in submit(app, signed, "samira", "/call-off", reason=" ").text
    done = submit(app, signed, "samira", "/call-off", reason=WHY)
    assert "The amendment is called off. All parties are notified." in done.text
    assert signed.checklist().state is ChecklistState.IN_FORCE


def test_an_amendment_opened_meanwhile_is_not_called_off_unread(
    app: Flask, signed: Negotiation
) -> None:
    amend(signed)
    where, client = address(signed, "/call-off"), browser(app, signed, "samira")
    data = client.page(where).form().filled_in(reason=WHY)
    call_off(signed, "joana")
    amend(signed, "ilena", "M10", reason="Another matter.")
    again = Page.of(client.post(where, data=data, csrf=False))
    assert "The text changed after you opened it, so nothing was done." in again.text
    assert WHY in again.html
    assert signed.checklist().open_items == ["M10"]


def test_flags_by_rule_end_with_the_words_and_none_is_raised_on_what_is_signed(
    session: Session,
) -> None:
    """Signed words that give a power away were explained before they were signed."""
    waiting_terms = set_out(session, template=limited())
    terms = waiting_terms.checklist()
    factory.answer(waiting_terms.country, terms, "M1", **GIVES_AWAY)
    factory.answer(waiting_terms.country, terms, "M4", days=10)
    recompute()
    (first,) = waiting_terms.loaded().flags
    safeguards.explain_flag(waiting_terms["tomas"], terms, first.id, "By law, all agree.")
    factory.send(waiting_terms.country, terms, SIGNERS)
    factory.sign(waiting_terms.country, terms, *SIGNERS.values())
    session.commit()
    amend(waiting_terms, "ilena", "M1", "M4")
    for item, values in (("M1", {"agrees": "npm"}), ("M4", {"days": 120})):
        change(waiting_terms, item, **values)
    assert waiting_terms.loaded().flagged == {"M4"}
    call_off(waiting_terms)
    assert waiting_terms.loaded().flagged == frozenset()
    assert waiting_terms.events("flag_closed")[-1]["how"] == "no_longer"


def test_an_outside_reader_of_the_amendment_reads_it_no_more(signed: Negotiation) -> None:
    amend(signed)
    reading = OutsideReading(
        id=uuid4(),
        checklist_id=signed.checklist().id,
        organisation_id=signed.country.id("npm"),
        name="Vera Holm",
        function="University of Ardenia",
        email="vera.holm@example.org",
        reason="Nobody else is left.",
        until_on=clock.today(),
        asked_by_id=signed["ilena"].user_id,
        asked_at=clock.now(),
    )
    signed.session.add(reading)
    signed.session.commit()
    call_off(signed)
    assert reading.end is ReadingEnd.TAKEN_BACK
    assert [event["how"] for event in signed.events("outside_reading_ended")] == ["taken_back"]
