"""Agreed terms that are suspended and in force again once all have signed an amendment."""

import sqlalchemy as sa
from flask import Flask

from tests.factories.visits import JointVisit
from tracker.agreements import notices
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, NoticeKind
from tracker.demo import checklists as demo_checklists
from tracker.mail.models import OutboxMessage
from tracker.undertakings.models import Undertaking, UndertakingState
from tracker.visits.models import VisitStage


def send_amended(joint_visit: JointVisit) -> Checklist:
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    agreements.amend(joint_visit.actor("ilena"), terms, reason="It changed.", items=["M4"])
    joint_visit.session.flush()
    demo_checklists.accept(joint_visit.demo_people, terms, "M4")
    demo_checklists.send(joint_visit.demo_people, terms)
    return terms


def sign(joint_visit: JointVisit, terms: Checklist) -> None:
    demo_checklists.sign(joint_visit.demo_people, terms)
    joint_visit.visit()


def states(joint_visit: JointVisit) -> list[UndertakingState]:
    """Return the state of each undertaking of the cooperation, the oldest first."""
    rows = sa.select(Undertaking.state).where(
        Undertaking.cooperation_id == joint_visit.cooperation.id
    )
    return list(joint_visit.session.scalars(rows.order_by(Undertaking.asked_at, Undertaking.id)))


def asked_by_mail(joint_visit: JointVisit) -> list[str]:
    """Return whom a mail has asked for an undertaking since the last call."""
    of_kind = OutboxMessage.kind == "undertaking_asked"
    recipients = list(
        joint_visit.session.scalars(sa.select(OutboxMessage.recipient).where(of_kind))
    )
    joint_visit.session.execute(sa.delete(OutboxMessage).where(of_kind))
    return recipients


def test_everybody_is_asked_again_once_all_sign_an_amendment_of_suspended_terms(
    app: Flask, joint_visit: JointVisit
) -> None:
    asked_by_mail(joint_visit)
    before = states(joint_visit)
    sign(joint_visit, send_amended(joint_visit))
    assert states(joint_visit) == before
    assert asked_by_mail(joint_visit) == []
    terms = send_amended(joint_visit)
    notices.give_notice(
        joint_visit.actor("henrik"), terms, NoticeKind.SUSPENDED, reason="Not safe."
    )
    assert states(joint_visit) == [UndertakingState.CLOSED] * len(before)
    sign(joint_visit, terms)
    assert states(joint_visit)[len(before) :] == [UndertakingState.ASKED] * len(before)
    assert len(asked_by_mail(joint_visit)) == len(before)
    assert joint_visit.visit().stage is VisitStage.PLANNED
    joint_visit.session.commit()
    record = (
        joint_visit.demonstration.browser(app, "ilena").page(f"/checklists/{terms.id}/record").text
    )
    assert "This ends the suspension by Open Door Legal Aid." in record


def test_while_terms_are_suspended_the_npm_visits_outside_the_cooperation(
    app: Flask, joint_visit: JointVisit
) -> None:
    """Its right to visit comes from OPCAT, not from the terms (S7)."""
    joint_visit.session.commit()
    ready = f"/cooperations/{joint_visit.reference}/visits/1/ready"
    ilena = joint_visit.demonstration.browser(app, "ilena")
    mandate = "The NPM can always visit under its own mandate, with only its own people."
    outside = "Now it can plan such a visit only outside this cooperation."
    page = ilena.page(ready).text
    assert mandate in page
    assert outside not in page
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    notices.give_notice(
        joint_visit.actor("henrik"), terms, NoticeKind.SUSPENDED, reason="Not safe."
    )
    joint_visit.session.commit()
    assert f"{mandate} {outside}" in ilena.page(ready).text


def test_while_terms_are_suspended_nobody_is_asked_to_sign_or_to_make_a_visit_ready(
    app: Flask, joint_visit: JointVisit
) -> None:
    """Nothing that they did would be accepted; whoever suspended the terms can go on."""
    joint_visit.session.commit()
    task = "Make a joint visit ready"
    address = f"/cooperations/{joint_visit.reference}"
    ilena = joint_visit.demonstration.browser(app, "ilena")
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    notices.give_notice(
        joint_visit.actor("henrik"), terms, NoticeKind.SUSPENDED, reason="Not safe."
    )
    joint_visit.session.commit()
    assert task not in ilena.page("/").text
    page = ilena.page(address).text
    assert task not in page
    assert "A signatory of Open Door Legal Aid can lift the suspension." in page
    assert "Nobody has access now" in page
    assert "people asked are cleared" not in page
    ready = ilena.page(f"{address}/visits/1/ready").text
    assert "The agreed terms are suspended." in ready
    assert "Nobody can sign or be cleared until the suspension is lifted." in ready
    assert "Each person signs for themselves" not in ready
    assert "Waiting for you" not in ready.partition("What is missing")[2]
    says_that_undertakings_are_closed(ready)
    assert "Not yet due" not in ready


def says_that_undertakings_are_closed(ready: str) -> None:
    """What was closed had been signed, declared and confirmed."""
    for words in ("Not signed", "Not declared", "Not confirmed", "not signed", "not confirmed"):
        assert words not in ready
    assert "people have no undertaking that counts now." in ready
    assert "on the NPM's duties doesn't count now." in ready


def test_nobody_is_asked_to_sign_while_the_terms_on_confidentiality_are_suspended(
    app: Flask, joint_visit: JointVisit
) -> None:
    terms = joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None)
    notices.give_notice(
        joint_visit.actor("henrik"), terms, NoticeKind.SUSPENDED, reason="Not safe."
    )
    joint_visit.session.commit()
    ilena = joint_visit.demonstration.browser(app, "ilena")
    ready = ilena.page(f"/cooperations/{joint_visit.reference}/visits/1/ready").text
    words = "Nobody can sign or be cleared before the confidentiality terms are in force."
    assert words in ready
    assert "Each person signs for themselves" not in ready
    says_that_undertakings_are_closed(ready)
