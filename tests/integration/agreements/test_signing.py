"""Signing: the text is frozen, signed by the people named, in force with the last signature.

In one file: sending, signing, declining and amending check the same sequence of states and events.
"""

import datetime as dt
import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
import rfc8785
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories import checklists
from tests.factories.checklists import decline_text
from tests.factories.negotiations import QUESTIONS, Negotiation
from tests.factories.powers import begun
from tracker.access.actor import Actor, Role
from tracker.accounts.models import Membership
from tracker.activity.models import Chain, Event
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import obstacles, service
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, ChecklistState, Stance
from tracker.checklists.negotiation import positions
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Mode
from tracker.core import canonical, clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.guidance import queries as guidance
from tracker.signoff import queries as signoff
from tracker.signoff import service as signoff_service
from tracker.signoff import shown
from tracker.signoff.identity_proof import FRESH, Identity
from tracker.signoff.models import Method, RequestState, Revision, Signature, SignatureRequest


@pytest.fixture
def sent(negotiation: Negotiation) -> Negotiation:
    """The terms, agreed, frozen and sent; nobody has signed."""
    negotiation.send()
    negotiation.session.commit()
    return negotiation


@pytest.fixture
def in_force(sent: Negotiation) -> Negotiation:
    """The terms, signed by all."""
    sign(sent, "tomas", "henrik", "otto")
    return sent


def sign(negotiation: Negotiation, *firsts: str) -> None:
    for first in firsts:
        checklists.sign(negotiation.checklist(), negotiation[first])
        negotiation.session.commit()


def state(negotiation: Negotiation) -> ChecklistState:
    return negotiation.checklist().state


def binding(negotiation: Negotiation) -> UUID | None:
    return negotiation.checklist().revision_in_force_id


def revisions(negotiation: Negotiation) -> list[tuple[Revision, SignatureRequest]]:
    rows = signoff.revisions_of("checklist", negotiation.checklist().id)
    return [(revision, request) for revision, request in rows if request is not None]


def document(negotiation: Negotiation) -> dict[str, Any]:
    return signoff_service.document_of(revisions(negotiation)[0][0], None)


def refused(
    negotiation: Negotiation,
    attempt: Callable[[], object],
    words: str,
    error: type[Exception] = RefusedError,
) -> None:
    """Check that an attempt is refused in these words and changes neither state nor signatures."""

    def seen() -> tuple[object, ...]:
        checklist = negotiation.checklist()
        count = negotiation.session.scalar(sa.select(sa.func.count()).select_from(Signature))
        return checklist.state, checklist.revision_sent_id, checklist.revision_in_force_id, count

    before = seen()
    with pytest.raises(error, match=words):
        attempt()
    negotiation.session.rollback()
    assert seen() == before


# Send


def test_terms_that_are_not_agreed_are_not_sent(negotiation: Negotiation) -> None:
    """product.md, 5.1."""
    negotiation.save("ilena", "M1")
    chosen = {body: signatory.user_id for body, signatory in negotiation.signatories.items()}
    refused(
        negotiation,
        lambda: agreements.send(negotiation["ilena"], negotiation.checklist(), chosen),
        "6 items still to agree: Item M1; Item M2; Item M3; Item M5; Item M7; Item M10",
        RuleBrokenError,
    )
    assert revisions(negotiation) == []


def test_an_item_begun_but_not_agreed_blocks_sending_too(negotiation: Negotiation) -> None:
    negotiation.agree()
    negotiation.session.commit()
    negotiation.save("samira", "M6")
    assert str(obstacles.to_sending(negotiation.loaded())[0]) == "1 item still to agree: Item M6."


def test_a_new_party_blocks_sending_until_it_accepts(negotiation: Negotiation) -> None:
    negotiation.agree()
    cooperations.join_party(
        negotiation["ilena"], negotiation.cooperation, negotiation.country.id("bridge")
    )
    negotiation.session.commit()
    assert "items still to agree: Item M1;" in str(obstacles.to_sending(negotiation.loaded())[0])


def test_sending_freezes_the_text_and_asks_each_signatory(sent: Negotiation) -> None:
    checklist = sent.checklist()
    (revision, request), *earlier = revisions(sent)
    assert earlier == []
    assert checklist.state is ChecklistState.SENT
    assert checklist.revision_sent_id == revision.id
    assert checklist.revision_in_force_id is None
    assert (revision.number, revision.kind, revision.is_sealed) == (1, "terms", False)
    assert request.state is RequestState.WAITING
    named = {(place.organisation_id, place.user_id) for place in request.slots}
    assert named == {(body, signatory.user_id) for body, signatory in sent.signatories.items()}
    event = sent.events("sent_for_signature")[0]
    assert event["document_digest"] == revision.digest
    assert event["signatories"] == [
        "Tomas Beridan, Office of the People's Advocate",
        "Henrik Asante, Open Door Legal Aid",
        "Otto Brandis, Lantern Health Network",
    ]
    # RFC 8785 and SHA-256: whoever has the bytes can check them by other means.
    assert canonical.digest(revision.document) == revision.digest
    assert rfc8785.dumps(json.loads(revision.document)) == revision.document
    # It is not sent again.
    refused(
        sent,
        lambda: checklists.send(sent.checklist(), sent["ilena"], sent.signatories),
        "The text has already been sent for signature",
    )


def test_the_text_names_template_guidance_parties_and_signatories(sent: Negotiation) -> None:
    text = document(sent)
    checklist = sent.checklist()
    assert text["template"] == {
        "kind": "terms",
        "version": 90,
        "digest": sent.loaded().checklist.template.digest,
        "language": "en",
        "words": [],
    }
    assert [party["name"] for party in text["parties"]] == [
        "Office of the People's Advocate",
        "Open Door Legal Aid",
        "Lantern Health Network",
    ]
    assert text["guidance"] == [
        {
            "slug": revision.slug,
            "language": revision.language,
            "revision": revision.revision,
            "digest": revision.digest,
        }
        for revision in guidance.current_revisions()
    ]
    assert text["guidance"]
    assert [(signatory["name"], signatory["power"]) for signatory in text["signatories"]] == [
        ("Tomas Beridan", "Act on the People's Advocate"),
        ("Henrik Asante", "Statutes, article 9"),
        ("Otto Brandis", "Board minutes"),
    ]
    assert text["cooperation"]["reference"] == sent.cooperation.reference
    assert (text["format"], text["revision"]) == ("common-terms/2", 1)
    assert checklist.visit_id is None
    assert text["for_a_visit"] is False


def test_the_text_contains_what_was_agreed_and_nothing_else(sent: Negotiation) -> None:
    """Hidden items, items not begun, live lists and people's own answers are left out."""
    items = {item["code"]: item for part in document(sent)["sections"] for item in part["items"]}
    # M4 is hidden, M6 was not begun, M8 is a live list, M9 is not required here.
    assert list(items) == ["M1", "M2", "M3", "M5", "M7", "M10"]
    words = items["M1"]["answers"][0]["fields"][0]["text"]
    assert words == "Words, as settled between us"
    assert items["M5"]["answers"][0]["fields"][0]["text"] == "Oren Maki"
    assert [answer["by_name"] for answer in items["M7"]["answers"]] == [
        "Office of the People's Advocate",
        "Open Door Legal Aid",
        "Lantern Health Network",
    ]


@pytest.mark.both_databases
def test_two_freezes_of_the_same_text_have_different_digests(negotiation: Negotiation) -> None:
    """A salt keeps the digest from being guessed from the content."""
    negotiation.send()
    negotiation.session.commit()
    agreements.call_back(negotiation["ilena"], negotiation.checklist(), reason="A wrong signatory.")
    checklists.send(negotiation.checklist(), negotiation["ilena"], negotiation.signatories)
    negotiation.session.commit()
    (second, _), (first, _) = revisions(negotiation)
    assert (first.number, second.number) == (1, 2)
    texts = [json.loads(revision.document) for revision in (first, second)]
    assert texts[0].pop("salt") != texts[1].pop("salt")
    assert first.digest != second.digest
    for text in texts:
        text.pop("frozen_at")
        text.pop("revision")
    assert texts[0] == texts[1]


def test_a_person_who_left_before_the_freeze_is_reported_missing_and_not_left_blank(
    negotiation: Negotiation,
) -> None:
    negotiation.agree()
    cooperations.end_person(
        negotiation["ilena"],
        negotiation.cooperation,
        user_id=negotiation.country.users["oren"].id,
        organisation_id=negotiation.country.id("npm"),
    )
    negotiation.session.commit()
    assert "M5" in str(obstacles.to_sending(negotiation.loaded())[0])


def test_only_a_coordinator_of_a_party_sends_a_partners_too(negotiation: Negotiation) -> None:
    terms = negotiation.agree()
    negotiation.session.commit()
    for first in ("dora", "tomas", "nadia", "marek", "vesna", "ada", "root"):
        attempt = partial(checklists.send, terms, negotiation[first], negotiation.signatories)
        refused(negotiation, attempt, "Only a coordinator of one of the parties can send")
    checklists.send(terms, negotiation["samira"], negotiation.signatories)
    assert terms.state is ChecklistState.SENT


def test_each_party_names_its_own_signatory(negotiation: Negotiation) -> None:
    terms = negotiation.agree()
    negotiation.session.commit()
    usual = {body: signatory.user_id for body, signatory in negotiation.signatories.items()}
    door, lantern = negotiation.country.id("door"), negotiation.country.id("lantern")
    users = negotiation.country.users
    people = [uuid4(), *(users[first].id for first in ("samira", "tomas", "marek", "vesna"))]
    for person in people:
        words = "Choose who signs for Open Door Legal Aid"
        with pytest.raises(RuleBrokenError, match=words) as error:
            agreements.send(negotiation["ilena"], terms, usual | {door: person})
        assert error.value.field == f"party_{door}"
        negotiation.session.rollback()
    # A party that names none blocks sending.
    del usual[lantern]
    with pytest.raises(RuleBrokenError, match="Choose who signs for Lantern Health Network"):
        agreements.send(negotiation["ilena"], terms, usual)


def test_a_signatory_whose_power_is_not_recorded_is_not_named(negotiation: Negotiation) -> None:
    terms = negotiation.agree()
    row = membership(negotiation, "henrik")
    row.power = ""
    negotiation.session.commit()
    refused(
        negotiation,
        lambda: checklists.send(terms, negotiation["ilena"], negotiation.signatories),
        "The power of Henrik Asante to sign isn't recorded",
        RuleBrokenError,
    )


def membership(negotiation: Negotiation, first: str) -> Membership:
    return negotiation.session.scalars(
        sa.select(Membership).where(Membership.user_id == negotiation.country.users[first].id)
    ).one()


def test_a_person_signs_for_one_party_only(negotiation: Negotiation) -> None:
    """product.md, 5.2."""
    terms = negotiation.agree()
    negotiation.session.add(
        Membership(
            user_id=negotiation.country.users["henrik"].id,
            organisation_id=negotiation.country.id("lantern"),
            role=Role.SIGNATORY,
            starts_on=dt.date(2020, 1, 1),
            created_at=clock.now(),
            **begun(Role.SIGNATORY),
            power="Board minutes",
        )
    )
    negotiation.session.commit()
    chosen = {body: signatory.user_id for body, signatory in negotiation.signatories.items()}
    chosen[negotiation.country.id("lantern")] = chosen[negotiation.country.id("door")]
    refused(
        negotiation,
        lambda: agreements.send(negotiation["ilena"], terms, chosen),
        "A person can only sign for one party",
        RuleBrokenError,
    )


def test_nothing_is_changed_while_the_text_is_waiting_for_signatures(sent: Negotiation) -> None:
    answer = sent.loaded().sheet.shared("M1")
    assert answer is not None
    for attempt in (
        lambda: sent.save("ilena", "M1", seen=1),
        lambda: sent.save("ilena", "M6"),
        lambda: positions.take_position(
            sent["samira"],
            sent.checklist(),
            "M1",
            Stance.WANTS_TALK,
            answer_id=answer.answer_id,
            reason="Too late?",
        ),
        lambda: positions.propose(
            sent["samira"],
            sent.checklist(),
            "M1",
            {"words": "x"},
            answer_id=answer.answer_id,
            reason="Too late?",
        ),
    ):
        refused(sent, attempt, "sent for signature and can't be changed now")


# Sign


def test_the_text_is_in_force_with_the_last_signature_and_not_before(sent: Negotiation) -> None:
    """product.md, 5.7."""
    sign(sent, "tomas", "otto")
    assert (state(sent), binding(sent)) == (ChecklistState.SENT, None)
    assert sent.events("came_into_force") == []
    sign(sent, "henrik")
    revision, request = revisions(sent)[0]
    assert (state(sent), binding(sent)) == (ChecklistState.IN_FORCE, revision.id)
    assert sent.checklist().revision_sent_id is None
    assert sent.checklist().in_force_at is not None
    assert request.state is RequestState.COMPLETED
    assert sent.events("came_into_force")[0]["document_digest"] == revision.digest


def test_last_signature_and_in_force_are_one_transaction(
    sent: Negotiation, session: Session
) -> None:
    sign(sent, "tomas", "otto")
    checklists.sign(sent.checklist(), sent["henrik"])
    assert state(sent) is ChecklistState.IN_FORCE
    session.rollback()
    session.expire_all()
    assert state(sent) is ChecklistState.SENT
    assert len(revisions(sent)[0][0].signatures) == 2
    assert sent.events("came_into_force") == []
    assert revisions(sent)[0][1].state is RequestState.WAITING


def test_a_signature_records_who_signed_for_whom_by_what_power_when_and_how(
    sent: Negotiation,
) -> None:
    sign(sent, "henrik")
    revision = revisions(sent)[0][0]
    (signature,) = revision.signatures
    assert signature.signer_name == "Henrik Asante"
    assert signature.organisation_name == "Open Door Legal Aid"
    assert signature.power == "Statutes, article 9"
    assert signature.method is Method.PASSWORD_TOTP
    assert signature.document_digest == revision.digest
    assert signature.sentence.startswith("I, Henrik Asante, sign this text")
    assert signature.digest == canonical.digest_of(signature.content())


def test_the_trail_binds_revision_and_signature(sent: Negotiation, session: Session) -> None:
    sign(sent, "henrik")
    revision = revisions(sent)[0][0]
    details_by_verb = dict(
        session.execute(
            sa.select(Event.verb, Event.evidence)
            .join(Chain, Chain.id == Event.chain_id)
            .where(
                Chain.cooperation_id == sent.cooperation.id,
                Event.verb.in_(["sent_for_signature", "signed"]),
            )
        ).all()
    )
    assert details_by_verb == {
        "sent_for_signature": signoff_service.evidence_of_revision(revision),
        "signed": revision.signatures[0].digest,
    }


def identity(
    actor: Actor, *, user_id: UUID | None = None, at: dt.datetime | None = None
) -> Identity:
    return Identity(user_id or actor.user_id, Method.PASSWORD_TOTP, at or clock.now())


def attempt(negotiation: Negotiation, first: str, **proof: Any) -> Callable[[], object]:
    actor = negotiation[first]
    return lambda: agreements.sign(
        actor,
        negotiation.checklist(),
        page=agreements.page_with(negotiation.checklist()),
        sentence="I sign.",
        language="en",
        identity=identity(actor, **proof),
    )


def test_only_the_named_people_sign_with_a_fresh_proof_of_their_own(sent: Negotiation) -> None:
    """S11: nobody signs for another."""
    sent.country.person("Bela Rossi", "door", Role.SIGNATORY, power="Statutes, article 9")
    sent.country.person("Sender Voss", "bridge", Role.SIGNATORY, power="Statutes")
    sent.session.commit()
    for first in ("samira", "dora", "nadia", "ilena", "marek", "ada", "root"):
        refused(sent, attempt(sent, first), "You aren't a signatory")
    for first in ("bela", "sender"):
        refused(sent, attempt(sent, first), "Somebody else is named to sign")
    for age in (FRESH + dt.timedelta(seconds=1), dt.timedelta(minutes=-1)):
        stale = attempt(sent, "henrik", at=clock.now() - age)
        refused(sent, stale, "The proof of identity is too old")
    theirs = attempt(sent, "henrik", user_id=sent.country.users["samira"].id)
    refused(sent, theirs, "The proof of identity belongs to another person")


def test_a_party_signs_only_once(sent: Negotiation) -> None:
    sign(sent, "henrik")
    refused(sent, attempt(sent, "henrik"), "You have already signed this revision")


def test_a_person_who_lost_the_role_meanwhile_does_not_sign(sent: Negotiation) -> None:
    row = membership(sent, "henrik")
    row.ended_at, row.ends_on = clock.now(), clock.today() - dt.timedelta(days=1)
    sent.session.commit()
    refused(sent, attempt(sent, "henrik"), "You aren't a signatory")


def test_a_text_that_is_not_waiting_is_not_signed(negotiation: Negotiation) -> None:
    for first in ("tomas", "henrik"):
        attempted = attempt(negotiation, first)
        refused(negotiation, attempted, "isn't waiting for signatures", RuleBrokenError)
    negotiation.sign()
    negotiation.session.commit()
    for first in ("tomas", "henrik"):
        attempted = attempt(negotiation, first)
        refused(negotiation, attempted, "isn't waiting for signatures", RuleBrokenError)


# Decline


def decline(
    negotiation: Negotiation, first: str, *items: str, reason: str = "Our board can't."
) -> None:
    decline_text(
        negotiation[first],
        negotiation.checklist(),
        reason=reason,
        items=items,
    )
    negotiation.session.commit()


def test_a_decline_opens_only_the_named_items_and_keeps_the_signatures(sent: Negotiation) -> None:
    """product.md, 5.4 and 4.10."""
    sign(sent, "tomas")
    decline(sent, "henrik", "M3", "M1")
    checklist = sent.checklist()
    revision, request = revisions(sent)[0]
    assert checklist.state is ChecklistState.DRAFTING
    assert checklist.open_items == ["M1", "M3"]
    assert checklist.reason == "Our board can't."
    assert checklist.revision_sent_id is None
    assert request.state is RequestState.DECLINED
    assert (request.reason, request.items) == ("Our board can't.", ["M1", "M3"])
    assert [signature.signer_name for signature in revision.signatures] == ["Tomas Beridan"]
    event = sent.events("declined")[0]
    assert (event["items"], event["reason"]) == (["M1", "M3"], "Our board can't.")
    refused(sent, lambda: sent.save("ilena", "M2", seen=1, kind="prison"), "stays agreed")
    # The party that declined no longer accepts the named items.
    assert sent.waiting("M1") == sent.waiting("M3") == {"door"}
    assert sent.standing("M10").done


def test_a_party_that_joined_during_signing_has_to_agree_once_the_text_is_open_again(
    sent: Negotiation,
) -> None:
    """product.md, 4.1: every current party; items not named stay agreed among the others."""
    cooperations.join_party(sent["ilena"], sent.cooperation, sent.country.id("bridge"))
    sent.session.commit()
    assert len(sent.loaded().parties) == 3
    decline(sent, "henrik", "M1")
    assert sent.waiting("M1") == {"door", "bridge"}
    assert sent.waiting("M3") == sent.waiting("M7") == {"bridge"}
    refused(sent, lambda: sent.save("ilena", "M2", seen=1, kind="prison"), "stays agreed")
    sent.accept("M3", "marek")
    service.save_answer(
        sent["marek"], sent.checklist(), "M7", AnswerScope.PARTY, {"words": "Ours"}, base_version=0
    )
    assert sent.standing("M3").done
    assert sent.standing("M7").done
    refused(sent, lambda: sent.save("ilena", "M3", seen=1), "stays agreed")


@pytest.mark.parametrize("way", ["call back", "amend"])
def test_the_same_holds_when_a_text_is_called_back_or_amended(
    shipped_negotiation: Negotiation, way: str
) -> None:
    rules = shipped_negotiation.send(ChecklistKind.CONFIDENTIALITY)
    before = [party.organisation_id for party in load(rules).parties]
    if way == "amend":
        checklists.sign(rules, *shipped_negotiation.signatories.values())
    cooperations.join_party(
        shipped_negotiation["ilena"],
        shipped_negotiation.cooperation,
        shipped_negotiation.country.id("bridge"),
    )
    assert [party.organisation_id for party in load(rules).parties] == before
    if way == "amend":
        agreements.amend(shipped_negotiation["ilena"], rules, reason="A new party.", items=["C1"])
    else:
        agreements.call_back(shipped_negotiation["ilena"], rules, reason="A new party.")
    after = [party.organisation_id for party in load(rules).parties]
    assert after == [*before, shipped_negotiation.country.id("bridge")]


def test_a_newly_required_item_is_open_without_being_requested(sent: Negotiation) -> None:
    decline(sent, "henrik", "M1")
    version, answers = sent.cooperation.version, QUESTIONS | {"personal_data": "yes"}
    refused(sent, lambda: sent.save("ilena", "M9"), "stays agreed")
    cooperations.set_modes(
        sent["ilena"], sent.cooperation, version=version, modes=[Mode.VISIT], questions=answers
    )
    sent.session.commit()
    assert sent.settle("M9").version == 1
    refused(sent, lambda: sent.save("ilena", "M9", seen=1), "stays agreed")


def test_a_declined_text_is_changed_sent_and_signed_again(sent: Negotiation) -> None:
    sign(sent, "tomas")
    decline(sent, "henrik", "M1")
    answer = sent.loaded().sheet.shared("M1")
    assert answer is not None
    proposal = positions.propose(
        sent["samira"],
        sent.checklist(),
        "M1",
        {"words": "Both sides name trainers."},
        answer_id=answer.answer_id,
        reason="Our board.",
    )
    positions.accept_proposal(sent["ilena"], sent.checklist(), proposal.id)
    sent.accept("M1", "joana")
    assert "second reader" in str(obstacles.to_sending(sent.loaded())[0])
    checklists.agree(sent.checklist(), sent.writers, sent["oren"])
    checklists.send(sent.checklist(), sent["ilena"], sent.signatories)
    sign(sent, "henrik", "otto")
    # The NPM's signature was on the first revision: it doesn't bind the NPM to the second.
    assert state(sent) is ChecklistState.SENT
    sign(sent, "tomas")
    assert state(sent) is ChecklistState.IN_FORCE
    assert sent.checklist().open_items is None
    (second, _), (first, declined) = revisions(sent)
    assert declined.state is RequestState.DECLINED
    assert (len(first.signatures), len(second.signatures)) == (1, 3)


def test_a_decline_names_its_items_and_its_reason(sent: Negotiation) -> None:
    wrong: tuple[tuple[tuple[str, ...], str, str, str], ...] = (
        ((), "Our board.", "items", "Name at least one item"),
        (("M99",), "Our board.", "items", "Name at least one item"),
        (("M1", "M99"), "Our board.", "items", "Name at least one item"),
        (("M8",), "Our board.", "items", "Name at least one item"),
        (("M1",), "", "reason", "Say why you decline"),
        (("M1",), "  ", "reason", "Say why you decline"),
    )
    for items, reason, field, words in wrong:
        with pytest.raises(RuleBrokenError, match=words) as error:
            decline(sent, "henrik", *items, reason=reason)
        assert error.value.field == field
        sent.session.rollback()
        assert state(sent) is ChecklistState.SENT


def test_only_people_who_could_sign_decline(sent: Negotiation) -> None:
    for first in ("samira", "marek", "ada", "nadia"):
        refused(sent, partial(decline, sent, first, "M1"), "You aren't a signatory")
    sign(sent, "tomas")
    refused(sent, lambda: decline(sent, "tomas", "M1"), "You have already signed this revision")


def test_a_declined_text_can_no_longer_be_signed(sent: Negotiation) -> None:
    decline(sent, "henrik", "M1")
    refused(sent, attempt(sent, "tomas"), "isn't waiting for signatures", RuleBrokenError)


# Call back


def test_a_coordinator_calls_a_text_back(sent: Negotiation) -> None:
    sign(sent, "tomas")
    agreements.call_back(sent["samira"], sent.checklist(), reason="A wrong signatory.")
    sent.session.commit()
    revision, request = revisions(sent)[0]
    assert state(sent) is ChecklistState.DRAFTING
    assert sent.checklist().open_items is None
    assert (request.state, request.reason) == (RequestState.WITHDRAWN, "A wrong signatory.")
    assert len(revision.signatures) == 1
    # Nothing changed: it may be sent again as it is.
    assert obstacles.to_sending(sent.loaded()) == []


def test_calling_back_opens_no_more_than_was_open(sent: Negotiation) -> None:
    """product.md, 4.10: the rest stays agreed."""
    decline(sent, "henrik", "M1")
    sent.accept("M1", "samira")
    checklists.send(sent.checklist(), sent["ilena"], sent.signatories)
    agreements.call_back(sent["ilena"], sent.checklist(), reason="A wrong signatory.")
    sent.session.commit()
    assert sent.checklist().open_items == ["M1"]
    refused(sent, lambda: sent.save("ilena", "M2", seen=1, kind="prison"), "stays agreed")


def test_nobody_else_calls_a_text_back(sent: Negotiation) -> None:
    def call_back(first: str, reason: str) -> None:
        agreements.call_back(sent[first], sent.checklist(), reason=reason)

    for first in ("tomas", "dora", "marek", "ada"):
        refused(
            sent,
            partial(call_back, first, "Why not."),
            "Only a coordinator of one of the parties can call a text back",
        )
    refused(sent, lambda: call_back("ilena", " "), "Say why you call it back", RuleBrokenError)


# Amend


def amend(
    negotiation: Negotiation, first: str = "ilena", *items: str, reason: str = "A new law."
) -> None:
    agreements.amend(
        negotiation[first], negotiation.checklist(), reason=reason, items=items or ("M1",)
    )
    negotiation.session.commit()


def test_while_an_amendment_is_drafted_the_old_revision_stays_in_force(
    in_force: Negotiation,
) -> None:
    """product.md, 5.7."""
    checklist = in_force.checklist()
    old = checklist.revision_in_force_id
    amend(in_force, "samira")
    assert (state(in_force), binding(in_force)) == (ChecklistState.DRAFTING, old)
    assert (checklist.open_items, checklist.reason) == (["M1"], "A new law.")
    in_force.accept("M1", "samira")
    checklists.send(checklist, in_force["ilena"], in_force.signatories)
    in_force.session.commit()
    assert (state(in_force), binding(in_force)) == (ChecklistState.SENT, old)
    sign(in_force, "tomas", "henrik")
    assert binding(in_force) == old
    sign(in_force, "otto")
    (second, _), (first, _) = revisions(in_force)
    assert (binding(in_force), first.id) == (second.id, old)
    assert in_force.checklist().open_items is None
    assert len(first.signatures) == 3
    assert len(in_force.events("came_into_force")) == 2


def test_an_amendment_that_is_declined_leaves_the_old_revision_in_force(
    in_force: Negotiation,
) -> None:
    old = in_force.checklist().revision_in_force_id
    amend(in_force)
    in_force.accept("M1", "ilena")
    checklists.send(in_force.checklist(), in_force["ilena"], in_force.signatories)
    decline(in_force, "henrik", "M1")
    assert in_force.checklist().revision_in_force_id == old


@pytest.mark.parametrize("first", ["tomas", "dora", "nadia", "marek", "ada"])
def test_only_a_coordinator_of_a_party_amends(in_force: Negotiation, first: str) -> None:
    refused(
        in_force,
        lambda: amend(in_force, first),
        "Only a coordinator of one of the parties can propose an amendment",
    )


def test_an_amendment_names_items_and_a_reason(in_force: Negotiation) -> None:
    for items, reason, words in (
        (("M99",), "A new law.", "Name at least one item"),
        (("M8",), "A new law.", "Name at least one item"),
        (("M1",), " ", "Give the reason for the amendment"),
    ):
        refused(
            in_force,
            lambda items=items, reason=reason: amend(in_force, "ilena", *items, reason=reason),  # type: ignore[misc]
            words,
            RuleBrokenError,
        )


def test_only_a_text_in_force_is_amended(sent: Negotiation) -> None:
    refused(sent, lambda: amend(sent), "You can only amend a text in force")


def test_a_text_in_force_is_changed_only_by_an_amendment(in_force: Negotiation) -> None:
    refused(in_force, lambda: in_force.save("ilena", "M6"), "Changes need an amendment")
    refused(
        in_force,
        lambda: checklists.send(in_force.checklist(), in_force["ilena"], in_force.signatories),
        "The text is in force",
    )


# In a person's own name


def own_revision(negotiation: Negotiation, checklist: Checklist) -> Revision:
    return signoff_service.freeze(
        negotiation["dora"],
        cooperation_id=checklist.cooperation_id,
        subject_type="undertaking",
        subject_id=uuid4(),
        kind="undertaking",
        document={"text": "I keep what I learn to myself."},
    )


def as_person(negotiation: Negotiation, revision: Revision, first: str, **proof: Any) -> Signature:
    actor = negotiation[first]
    return signoff_service.sign_as_person(
        actor, revision, sentence="I sign.", language="en", identity=identity(actor, **proof)
    )


def test_a_person_signs_a_revision_in_their_own_name_only_once(negotiation: Negotiation) -> None:
    revision = own_revision(negotiation, negotiation.checklist())
    signature = as_person(negotiation, revision, "dora")
    assert (signature.organisation_id, signature.power) == (None, "")
    with pytest.raises(RuleBrokenError, match="You have already signed this revision"):
        as_person(negotiation, revision, "dora")
    # The refusal undoes nothing else.
    assert as_person(negotiation, revision, "leyla").revision_id == revision.id


def test_a_proof_is_asked_of_a_person_too(negotiation: Negotiation) -> None:
    revision = own_revision(negotiation, negotiation.checklist())
    with pytest.raises(RefusedError, match="belongs to another person"):
        as_person(negotiation, revision, "dora", user_id=negotiation.country.users["leyla"].id)
    with pytest.raises(RefusedError, match="too old"):
        as_person(negotiation, revision, "dora", at=clock.now() - dt.timedelta(hours=1))


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("tomas", ""),
        ("nadia", ""),
        ("ilena", "Only a signatory or manager of the NPM can countersign"),
        ("henrik", "Only a signatory or manager of the NPM can countersign"),
        ("own", "You can't countersign your own undertaking"),
    ],
)
def test_an_undertaking_is_countersigned_for_the_npm(
    negotiation: Negotiation, first: str, words: str
) -> None:
    revision = own_revision(negotiation, negotiation.checklist())
    actor = negotiation["tomas" if first == "own" else first]
    signer: UUID = actor.user_id if first == "own" else negotiation.country.users["dora"].id

    def countersign() -> Signature:
        return signoff_service.countersign(
            actor,
            revision,
            signer_id=signer,
            page=shown.page_with(revision.digest),
            sentence="I countersign.",
            language="en",
            identity=identity(actor),
        )

    if words:
        with pytest.raises(RefusedError, match=words):
            countersign()
        return
    assert countersign().organisation_id == negotiation.country.id("npm")
    with pytest.raises(RuleBrokenError, match="You have already signed this revision"):
        countersign()


def test_revisions_of_a_subject_are_numbered_from_one(negotiation: Negotiation) -> None:
    service_of, checklist = signoff_service.freeze, negotiation.checklist()
    subject = uuid4()
    numbers = [
        service_of(
            negotiation["dora"],
            cooperation_id=checklist.cooperation_id,
            subject_type="undertaking",
            subject_id=subject,
            kind="undertaking",
            document={"n": n},
        ).number
        for n in range(3)
    ]
    assert numbers == [1, 2, 3]


@pytest.mark.both_databases
def test_the_counts_of_lists_are_right_after_a_decline(sent: Negotiation) -> None:
    assert [sent.checklist().is_complete] == [True]
    decline(sent, "henrik", "M1")
    assert [sent.checklist().is_complete] == [False]
    assert sent.loaded().standing().blocking == ("M1",)
