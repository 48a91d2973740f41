"""Agreed terms that are suspended and in force again once all have signed an amendment."""

import sqlalchemy as sa
from flask import Flask

from tests.factories.visits import Scene
from tracker.agreements import notices
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, NoticeKind
from tracker.demo import checklists as demo_checklists
from tracker.mail.models import OutboxMessage
from tracker.undertakings.models import Undertaking, UndertakingState
from tracker.visits.models import VisitStage


def send_amended(scene: Scene) -> Checklist:
    terms = scene.checklist(ChecklistKind.TERMS, None)
    agreements.amend(scene.actor("ilena"), terms, reason="It changed.", items=["M4"])
    scene.session.flush()
    demo_checklists.accept(scene.cast, terms, "M4")
    demo_checklists.send(scene.cast, terms)
    return terms


def sign(scene: Scene, terms: Checklist) -> None:
    demo_checklists.sign(scene.cast, terms)
    scene.visit()


def states(scene: Scene) -> list[UndertakingState]:
    """Return the state of each undertaking of the cooperation, the oldest first."""
    rows = sa.select(Undertaking.state).where(Undertaking.cooperation_id == scene.cooperation.id)
    return list(scene.session.scalars(rows.order_by(Undertaking.asked_at, Undertaking.id)))


def asked_by_mail(scene: Scene) -> list[str]:
    """Return whom a mail has asked for an undertaking since the last call."""
    of_kind = OutboxMessage.kind == "undertaking_asked"
    recipients = list(scene.session.scalars(sa.select(OutboxMessage.recipient).where(of_kind)))
    scene.session.execute(sa.delete(OutboxMessage).where(of_kind))
    return recipients


def test_everybody_is_asked_again_once_all_sign_an_amendment_of_suspended_terms(
    app: Flask, scene: Scene
) -> None:
    asked_by_mail(scene)
    before = states(scene)
    sign(scene, send_amended(scene))
    assert states(scene) == before
    assert asked_by_mail(scene) == []
    terms = send_amended(scene)
    notices.give_notice(scene.actor("henrik"), terms, NoticeKind.SUSPENDED, reason="Not safe.")
    assert states(scene) == [UndertakingState.CLOSED] * len(before)
    sign(scene, terms)
    assert states(scene)[len(before) :] == [UndertakingState.ASKED] * len(before)
    assert len(asked_by_mail(scene)) == len(before)
    assert scene.visit().stage is VisitStage.PLANNED
    scene.session.commit()
    record = scene.demonstration.browser(app, "ilena").page(f"/checklists/{terms.id}/record").text
    assert "This ends the suspension by Open Door Legal Aid." in record


def test_while_terms_are_suspended_the_npm_visits_outside_the_cooperation(
    app: Flask, scene: Scene
) -> None:
    """Its right to visit comes from OPCAT, not from the terms (S7)."""
    scene.session.commit()
    ready = f"/cooperations/{scene.reference}/visits/1/ready"
    ilena = scene.demonstration.browser(app, "ilena")
    mandate = "The NPM can always visit under its own mandate, with only its own people."
    outside = "Now it can plan such a visit only outside this cooperation."
    page = ilena.page(ready).text
    assert mandate in page
    assert outside not in page
    terms = scene.checklist(ChecklistKind.TERMS, None)
    notices.give_notice(scene.actor("henrik"), terms, NoticeKind.SUSPENDED, reason="Not safe.")
    scene.session.commit()
    assert f"{mandate} {outside}" in ilena.page(ready).text


def test_while_terms_are_suspended_nobody_is_asked_to_sign_or_to_make_a_visit_ready(
    app: Flask, scene: Scene
) -> None:
    """Nothing that they did would be accepted; whoever suspended the terms can go on."""
    scene.session.commit()
    task = "Make a joint visit ready"
    address = f"/cooperations/{scene.reference}"
    ilena = scene.demonstration.browser(app, "ilena")
    terms = scene.checklist(ChecklistKind.TERMS, None)
    notices.give_notice(scene.actor("henrik"), terms, NoticeKind.SUSPENDED, reason="Not safe.")
    scene.session.commit()
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
    assert "on the NPM’s duties doesn't count now." in ready


def test_nobody_is_asked_to_sign_while_the_terms_on_confidentiality_are_suspended(
    app: Flask, scene: Scene
) -> None:
    terms = scene.checklist(ChecklistKind.CONFIDENTIALITY, None)
    notices.give_notice(scene.actor("henrik"), terms, NoticeKind.SUSPENDED, reason="Not safe.")
    scene.session.commit()
    ilena = scene.demonstration.browser(app, "ilena")
    ready = ilena.page(f"/cooperations/{scene.reference}/visits/1/ready").text
    words = "Nobody can sign or be cleared before the confidentiality terms are in force."
    assert words in ready
    assert "Each person signs for themselves" not in ready
    says_that_undertakings_are_closed(ready)
