"""Who signs: one, all or any of the people named, in order, with a valid power, in time.

In one file: the rules of one list of signatories, which are combined.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import due
from tests.factories import checklists
from tests.factories.checklists import decline_text
from tests.factories.evidence import certificates
from tests.factories.negotiations import Negotiation
from tests.factories.powers import begun
from tests.integration.agreements.conftest import DAY, Clock
from tests.services import replaced
from tracker.access.actor import Confirmation, Role
from tracker.accounts.models import Membership
from tracker.agreements import evidence, pages, signature_requests
from tracker.agreements import service as agreements
from tracker.agreements.service import Asking
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import service as answers
from tracker.checklists.models import ChecklistState
from tracker.core import canonical, clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail.models import OutboxMessage
from tracker.oversight.integrity import check_all
from tracker.signoff import queries as signoff
from tracker.signoff import service as signoff_service
from tracker.signoff.models import RequestState, Signature, SignatureRequest, SignatureSlot
from tracker.signoff.settings import SIGNING_SETTINGS, SigningSettings
from tracker.signoff.signers import Named, Order, PartySigners
from tracker.ui.locale import as_date


@pytest.fixture
def four_eyes(app: Flask) -> Iterator[None]:
    with replaced(app, SIGNING_SETTINGS.holding(SigningSettings(four_eyes=True))):
        yield


def person(negotiation: Negotiation, first: str) -> UUID:
    return negotiation.country.users[first].id


def party(negotiation: Negotiation, key: str, *firsts: str, needed: int = 0) -> PartySigners:
    named = tuple(Named(person(negotiation, first)) for first in firsts)
    return PartySigners(negotiation.country.id(key), named, needed)


def one_after_the_other(negotiation: Negotiation, key: str, *firsts: str) -> PartySigners:
    named = tuple(Named(person(negotiation, first), n) for n, first in enumerate(firsts, 1))
    return PartySigners(negotiation.country.id(key), named)


def send(
    negotiation: Negotiation, *parties: PartySigners, asking: Asking | None = None
) -> SignatureRequest:
    """Send the terms; parties that aren't given sign as usual."""
    named: dict[UUID, UUID | PartySigners] = {
        body: signatory.user_id for body, signatory in negotiation.signatories.items()
    }
    named |= {party.organisation_id: party for party in parties}
    request = agreements.send(negotiation["ilena"], negotiation.checklist(), named, asking=asking)
    negotiation.session.commit()
    return request


def sign(negotiation: Negotiation, *firsts: str) -> None:
    for first in firsts:
        checklists.sign(negotiation.checklist(), negotiation[first])
        negotiation.session.commit()


def refused(negotiation: Negotiation, first: str, words: str) -> None:
    """Check that a person can't sign, in these words, and no signature is stored."""
    before = count(negotiation)
    with pytest.raises(RefusedError, match=words):
        checklists.sign(negotiation.checklist(), negotiation[first])
    negotiation.session.rollback()
    assert count(negotiation) == before


def count(negotiation: Negotiation) -> int:
    return negotiation.session.scalar(sa.select(sa.func.count()).select_from(Signature)) or 0


def state(negotiation: Negotiation) -> ChecklistState:
    return negotiation.checklist().state


def request(negotiation: Negotiation) -> SignatureRequest:
    revision = signoff.revisions_of("checklist", negotiation.checklist().id)[0][0]
    request = signoff.request_of(revision.id)
    assert request is not None
    return request


def document(negotiation: Negotiation) -> dict[str, Any]:
    return signoff_service.document_of(request(negotiation).revision, None)


def signature_of(negotiation: Negotiation, first: str) -> Signature:
    return negotiation.session.scalars(
        sa.select(Signature).where(Signature.user_id == person(negotiation, first))
    ).one()


def mailed(negotiation: Negotiation, kind: str) -> list[str]:
    """Return who got mails of a kind, one entry for each mail."""
    rows = negotiation.session.scalars(
        sa.select(OutboxMessage.recipient).where(OutboxMessage.kind == kind)
    )
    return sorted(row.split(".")[0] for row in rows)


def membership(negotiation: Negotiation, first: str) -> Membership:
    return negotiation.session.scalars(
        sa.select(Membership).where(
            Membership.user_id == person(negotiation, first), Membership.role == Role.SIGNATORY
        )
    ).one()


def power(
    negotiation: Negotiation, first: str, since: dt.date | None, until: dt.date | None
) -> None:
    row = membership(negotiation, first)
    row.power_from, row.power_until = since, until
    negotiation.session.commit()


# One, all of, any n of


def test_any_one_of_those_named_signs_for_the_party_and_nobody_else(many: Negotiation) -> None:
    send(many, party(many, "npm", "tomas", "milan", needed=1))
    for first in ("greta", "paula"):
        refused(many, first, "Somebody else is named")
    for first in ("nadia", "samira", "dora"):
        refused(many, first, "You aren't a signatory")
    sign(many, "milan")
    refused(many, "tomas", "Your organisation has already signed this revision")
    sign(many, "henrik")
    assert state(many) is ChecklistState.SENT
    sign(many, "otto")
    assert (state(many), count(many)) == (ChecklistState.IN_FORCE, 3)


@pytest.mark.both_databases
def test_any_two_of_three_have_to_sign(many: Negotiation) -> None:
    send(many, party(many, "npm", "tomas", "milan", "greta", needed=2))
    sign(many, "greta")
    # Nobody signs twice in the place of another.
    refused(many, "greta", "You have already signed this revision")
    sign(many, "henrik", "otto")
    assert state(many) is ChecklistState.SENT
    sign(many, "tomas")
    assert (state(many), count(many)) == (ChecklistState.IN_FORCE, 4)


def test_everybody_named_has_to_sign(many: Negotiation) -> None:
    send(many, party(many, "npm", "tomas", "milan"), party(many, "door", "henrik", "paula"))
    sign(many, "milan", "henrik", "otto", "tomas")
    assert state(many) is ChecklistState.SENT
    sign(many, "paula")
    assert (state(many), count(many)) == (ChecklistState.IN_FORCE, 5)


@pytest.mark.both_databases
def test_a_list_that_can_never_be_met_is_not_sent(many: Negotiation) -> None:
    npm = many.country.id("npm")
    two = ("tomas", "milan")
    ordered = one_after_the_other(many, "npm", "greta", "tomas")
    lists = [
        (
            party(many, "npm", *two, needed=3),
            "You're asking for more signatures than there are people named",
        ),
        (party(many, "npm"), "Choose who signs for each party"),
        (party(many, "npm", "tomas", "tomas"), "A person can only sign for one party"),
        (
            party(many, "door", "henrik", "otto", needed=1),
            "Choose who signs for Open Door Legal Aid",
        ),
        # An order needs all of those named.
        (
            PartySigners(npm, ordered.named, needed=1),
            "one after the other, all of them have to sign",
        ),
    ]
    for own, words in lists:
        with pytest.raises(RuleBrokenError, match=words) as error:
            send(many, own)
        assert error.value.field == f"party_{own.organisation_id}"
        many.session.rollback()
        assert state(many) is ChecklistState.DRAFTING, words
    for days in (-1, 366):
        with pytest.raises(RuleBrokenError, match="Choose a day from today on") as error:
            send(many, asking=Asking(expires_on=clock.today() + days * DAY))
        assert error.value.field == "expires_on"
        many.session.rollback()


def test_a_person_without_power_today_is_not_named(many: Negotiation) -> None:
    today = clock.today()
    for since, until in (
        (None, today - DAY),
        (today + DAY, None),
        (today - 3 * DAY, today - DAY),
        (today + DAY, today + 3 * DAY),
    ):
        power(many, "tomas", since, until)
        with pytest.raises(RuleBrokenError, match="Tomas Beridan has no power to sign today"):
            send(many)
        many.session.rollback()


# In order


def test_the_signatories_of_a_party_sign_in_turn(many: Negotiation) -> None:
    """product.md, 5.2: an order can't be skipped."""
    send(many, one_after_the_other(many, "npm", "greta", "tomas", "milan"))
    refused(many, "tomas", "others in your organisation sign first")
    refused(many, "milan", "others in your organisation sign first")
    sign(many, "greta")
    refused(many, "milan", "others in your organisation sign first")
    sign(many, "tomas", "milan", "henrik", "otto")
    assert state(many) is ChecklistState.IN_FORCE


@pytest.mark.parametrize(
    ("order", "first", "later"),
    [
        (Order.PARTNERS_FIRST, ("otto", "henrik"), ("tomas",)),
        (Order.NPM_FIRST, ("tomas",), ("otto", "henrik")),
    ],
)
def test_one_side_signs_before_the_other(
    many: Negotiation, order: Order, first: tuple[str, ...], later: tuple[str, ...]
) -> None:
    send(many, asking=Asking(order))
    for first_key in first:
        refused(many, later[0], "other parties sign first")
        sign(many, first_key)
    sign(many, *later)
    assert state(many) is ChecklistState.IN_FORCE


def test_each_is_mailed_when_their_turn_comes(many: Negotiation) -> None:
    send(
        many,
        one_after_the_other(many, "npm", "greta", "tomas"),
        asking=Asking(Order.PARTNERS_FIRST),
    )
    assert mailed(many, "text_sent") == ["henrik", "otto"]
    sign(many, "henrik")
    assert mailed(many, "text_sent") == ["henrik", "otto"]
    sign(many, "otto")
    assert mailed(many, "text_sent") == ["greta", "henrik", "otto"]
    sign(many, "greta")
    assert mailed(many, "text_sent") == ["greta", "henrik", "otto", "tomas"]


def test_a_person_waiting_for_their_turn_may_decline(many: Negotiation) -> None:
    send(many, asking=Asking(Order.PARTNERS_FIRST))
    decline_text(
        many["tomas"],
        many.checklist(),
        reason="The Act changed.",
        items=["M1"],
    )
    assert state(many) is ChecklistState.DRAFTING


# The list is part of what is sent


@pytest.mark.both_databases
def test_the_text_says_who_signs_by_which_rule_in_which_order_until_when(many: Negotiation) -> None:
    today = clock.today()
    power(many, "milan", today - DAY, today + 90 * DAY)
    npm = PartySigners(
        many.country.id("npm"),
        (
            Named(person(many, "milan"), 1, "the People's Advocate"),
            Named(person(many, "tomas"), 2, "the People's Advocate"),
        ),
    )
    send(
        many,
        npm,
        party(many, "door", "henrik", "paula", needed=1),
        asking=Asking(Order.PARTNERS_FIRST, today + 10 * DAY),
    )
    text = document(many)
    assert text["signing"] == {
        "until": (today + 10 * DAY).isoformat(),
        "order": "partners_first",
        "parties": [
            {"organisation_id": str(many.country.id("npm")), "needed": 2, "named": 2},
            {"organisation_id": str(many.country.id("door")), "needed": 1, "named": 2},
            {"organisation_id": str(many.country.id("lantern")), "needed": 1, "named": 1},
        ],
    }
    lines = {signatory["name"]: signatory for signatory in text["signatories"]}
    assert lines["Milan Orsk"] == {
        "organisation": "Office of the People's Advocate",
        "organisation_id": str(many.country.id("npm")),
        "name": "Milan Orsk",
        "office": "",
        "power": "Decision of the board",
        "power_from": (today - DAY).isoformat(),
        "power_until": (today + 90 * DAY).isoformat(),
        "turn": 1,
        "on_behalf_of": "the People's Advocate",
    }
    assert set(lines) == {"Milan Orsk", "Tomas Beridan", "Henrik Asante", "Paula Rook"} | {
        "Otto Brandis"
    }
    assert "turn" not in lines["Otto Brandis"]
    assert len(many.events("sent_for_signature")[0]["signatories"]) == 5


# Power


def test_a_power_that_runs_out_meanwhile_signs_no_more(
    many: Negotiation, frozen_time: Clock
) -> None:
    """An expired power can't sign; somebody else takes over, so nothing gets stuck."""
    today = clock.today()
    power(many, "tomas", None, today + 2 * DAY)
    send(many, asking=Asking(expires_on=today + 20 * DAY))
    now = clock.now()
    frozen_time(now + 3 * DAY)
    refused(many, "tomas", "Your power to sign has run out")
    with pytest.raises(RefusedError, match="Your power to sign has run out"):
        decline_text(
            many["tomas"],
            many.checklist(),
            reason="No.",
            items=["M1"],
        )
    many.session.rollback()
    signature_requests.pass_on(
        many["ilena"],
        many.checklist(),
        person(many, "tomas"),
        person(many, "milan"),
        page=agreements.page_with(many.checklist()),
        reason="His power has run out.",
    )
    sign(many, "milan", "henrik", "otto")
    assert state(many) is ChecklistState.IN_FORCE


def test_a_power_signs_on_its_last_day(many: Negotiation, frozen_time: Clock) -> None:
    today = clock.today()
    power(many, "tomas", today, today + 2 * DAY)
    send(many)
    frozen_time(clock.now() + 2 * DAY)
    sign(many, "tomas")
    signature = signature_of(many, "tomas")
    assert (signature.power_from, signature.power_until) == (today, today + 2 * DAY)
    assert signature.content()["power_until"] == (today + 2 * DAY).isoformat()
    assert canonical.digest_of(signature.content()) == signature.digest


# On behalf of a named person


def test_a_signature_on_behalf_of_somebody_is_marked(many: Negotiation) -> None:
    named = Named(person(many, "milan"), on_behalf_of="Advocate Ruta Saen")
    send(many, PartySigners(many.country.id("npm"), (named,)))
    sign(many, "milan", "henrik")
    signature = signature_of(many, "milan")
    assert signature.on_behalf_of == "Advocate Ruta Saen"
    assert signature.content()["on_behalf_of"] == "Advocate Ruta Saen"
    assert canonical.digest_of(signature.content()) == signature.digest
    assert signature_of(many, "henrik").on_behalf_of is None
    assert "on_behalf_of" not in signature_of(many, "henrik").content()


# Pass on


def pass_on(
    negotiation: Negotiation, by: str, holder: str, to: str, reason: str = "She is away."
) -> None:
    signature_requests.pass_on(
        negotiation[by],
        negotiation.checklist(),
        person(negotiation, holder),
        person(negotiation, to),
        page=agreements.page_with(negotiation.checklist()),
        reason=reason,
    )
    negotiation.session.commit()


def test_a_signature_says_who_confirmed_the_power(many: Negotiation, app: Flask) -> None:
    """product.md, section 2: on its page, the signature, the record and the certificate."""
    henrik = membership(many, "henrik")
    henrik.confirmed_how, henrik.confirmed_by = Confirmation.ADMINISTRATOR, "Ada Stone"
    send(many)
    terms = many.checklist()
    browser, address = many.country.browser(app, "henrik"), f"/checklists/{terms.id}"
    sentence = "Confirmed by the administrator Ada Stone"
    assert (
        sentence in browser.page(browser.page(f"{address}/sign").links()["Continue to sign"]).text
    )
    sign(many, "tomas", "henrik", "otto")
    assert signature_of(many, "henrik").content()["power_confirmed"]["how"] == "administrator"
    by_colleague = "Confirmed by Nour Castellan of the same organisation"
    [languages] = certificates.make_all().values()
    words = " ".join(certificates.words_of(languages[0]).split())
    for shown in (browser.page(f"{address}/record").text, words):
        assert sentence in shown
        assert by_colleague in shown
    assert check_all().finding is None


@pytest.mark.parametrize("by", ["tomas", "ilena"])
def test_the_named_person_or_the_coordinator_passes_a_slot_on(many: Negotiation, by: str) -> None:
    """product.md, 5.5: to a person with the same power, with a reason, visible."""
    send(many)
    pass_on(many, by, "tomas", "greta", "Tomas is on leave until May.")
    refused(many, "tomas", "Somebody else is named")
    sign(many, "greta")
    signature = signature_of(many, "greta")
    assert signature.in_place_of == "Tomas Beridan"
    assert signature.in_place_of_id == person(many, "tomas")
    assert signature.content()["in_place_of"] == "Tomas Beridan"
    assert canonical.digest_of(signature.content()) == signature.digest
    event = many.events("signing_passed_on")[0]
    assert (event["before"], event["after"]) == ("Tomas Beridan", "Greta Vale")
    assert event["reason"] == "Tomas is on leave until May."
    sign(many, "henrik", "otto")
    assert state(many) is ChecklistState.IN_FORCE
    assert mailed(many, "text_sent").count("greta") == 1
    assert mailed(many, "signing_passed_on") == (["tomas"] if by == "ilena" else [])


def test_a_slot_goes_only_from_its_side_to_an_unnamed_signatory_of_the_same_body(
    many: Negotiation,
) -> None:
    """Not from another party's coordinator or signatory, nor the same party's who aren't named."""
    send(many)
    for by in ("samira", "henrik", "nadia", "oren", "milan", "marek", "ada"):
        with pytest.raises((RefusedError, RuleBrokenError)):
            pass_on(many, by, "tomas", "greta")
        many.session.rollback()
        assert len(request(many).slots) == 3, by
    for to in ("nadia", "oren", "ilena", "paula", "henrik", "vesna", "tomas"):
        words = "Choose a signatory of your organisation"
        with pytest.raises(RuleBrokenError, match=words) as error:
            pass_on(many, "tomas", "tomas", to)
        assert error.value.field == "person", to
        many.session.rollback()
    with pytest.raises(RuleBrokenError, match="Say why you pass it on") as error:
        pass_on(many, "tomas", "tomas", "greta", "  ")
    assert error.value.field == "reason"
    many.session.rollback()
    power(many, "greta", None, clock.today() - DAY)
    with pytest.raises(RuleBrokenError, match="with power to sign today"):
        pass_on(many, "tomas", "tomas", "greta")
    many.session.rollback()
    power(many, "greta", None, None)
    sign(many, "tomas")
    with pytest.raises(RefusedError, match="nothing left for this person to sign"):
        pass_on(many, "tomas", "tomas", "greta")


def test_the_line_that_was_passed_on_stays_as_history_and_the_certificate_says_why(
    many: Negotiation,
) -> None:
    send(many)
    pass_on(many, "ilena", "tomas", "greta", "Tomas is on leave until May.")
    pass_on(many, "greta", "greta", "milan", "Greta is ill.")
    places = [
        slot for slot in request(many).slots if slot.organisation_id == many.country.id("npm")
    ]
    assert len(places) == 3
    by_person = {slot.user_id: slot for slot in places}
    greta, milan = by_person[person(many, "greta")], by_person[person(many, "milan")]
    assert greta.stands_for_id == by_person[person(many, "tomas")].id
    assert milan.stands_for_id == greta.id
    assert (milan.reason, milan.passed_on_by_id) == ("Greta is ill.", person(many, "greta"))
    with pytest.raises(RuleBrokenError, match="Choose a signatory of your organisation"):
        pass_on(many, "milan", "milan", "tomas")
    many.session.rollback()
    sign(many, "milan", "henrik", "otto")
    # Only the event counts: somebody changed the row.
    many.session.execute(sa.update(SignatureSlot).values(reason="Somebody else's words."))
    many.session.commit()
    [files] = certificates.make_all().values()
    words = " ".join(certificates.words_of(files[0]).split())
    assert "Somebody else's words." not in words
    assert (
        "in place of Greta Vale "
        "Greta Vale was asked in place of Tomas Beridan: Tomas is on leave until May. "
        "Milan Orsk was asked in place of Greta Vale: Greta is ill. "
        "I, Milan Orsk, sign this text"
    ) in words


def test_a_slot_that_is_passed_on_keeps_its_turn(many: Negotiation) -> None:
    send(many, one_after_the_other(many, "npm", "tomas", "greta"))
    pass_on(many, "ilena", "greta", "milan")
    refused(many, "milan", "others in your organisation sign first")
    assert "milan" not in mailed(many, "text_sent")
    sign(many, "tomas", "milan", "henrik", "otto")
    assert state(many) is ChecklistState.IN_FORCE


# Four eyes


def writes_and_signs(negotiation: Negotiation) -> None:
    """Ilena, who wrote all of the NPM's answers, could sign too."""
    negotiation.session.add(
        Membership(
            user_id=person(negotiation, "ilena"),
            organisation_id=negotiation.country.id("npm"),
            role=Role.SIGNATORY,
            starts_on=dt.date(2020, 1, 1),
            created_at=clock.now(),
            **begun(Role.SIGNATORY),
            power="Act on the People's Advocate",
        )
    )
    negotiation.session.commit()


def test_a_person_who_drafted_alone_is_not_the_only_signer(
    many: Negotiation, four_eyes: None
) -> None:
    """product.md, 5.2, where the instance asks for it."""
    writes_and_signs(many)
    words = "Ilena Dorvath wrote this text alone and can't be the only one who signs"
    for own in (
        party(many, "npm", "ilena"),
        party(many, "npm", "ilena", "tomas", needed=1),
    ):
        with pytest.raises(RuleBrokenError, match=words) as error:
            send(many, own)
        assert error.value.field == f"party_{many.country.id('npm')}"
        many.session.rollback()
    send(many)
    # Nor by having it passed on.
    with pytest.raises(RuleBrokenError, match="wrote this text alone") as error:
        pass_on(many, "tomas", "tomas", "ilena")
    assert error.value.field == "person"
    many.session.rollback()
    refused(many, "ilena", "Somebody else is named")
    agreements.call_back(many["ilena"], many.checklist(), reason="Two should sign.")
    send(many, party(many, "npm", "ilena", "tomas"))
    assert state(many) is ChecklistState.SENT


def test_another_hand_in_the_text_is_a_second_pair_of_eyes(
    many: Negotiation, four_eyes: None
) -> None:
    writes_and_signs(many)
    many.save("petra", "M6")
    many.accept("M6", "samira", "joana")
    checklists.read_second(many["oren"], many.checklist())
    send(many, party(many, "npm", "ilena"))
    assert state(many) is ChecklistState.SENT


def test_whoever_only_loaded_a_text_is_no_second_pair_of_eyes(
    many: Negotiation, four_eyes: None
) -> None:
    """Copying or loading a text makes nobody its author (product.md, 6)."""
    writes_and_signs(many)
    petra_loads_m6(many)
    assert person(many, "petra") not in many.loaded().sheet.authors
    with pytest.raises(RuleBrokenError, match="Ilena Dorvath wrote this text alone"):
        send(many, party(many, "npm", "ilena"))


def petra_loads_m6(negotiation: Negotiation, seen: int = 0) -> None:
    values = checklists.whole(negotiation.loaded(), "M6")
    answers.save_answer(
        negotiation["petra"],
        negotiation.checklist(),
        "M6",
        AnswerScope.SHARED,
        values,
        base_version=seen,
        loaded_from=values,
    )
    negotiation.session.commit()
    negotiation.accept("M6", "samira", "joana")
    checklists.read_second(negotiation["oren"], negotiation.checklist())


def test_nor_is_whoever_wrote_only_what_was_replaced_since(
    many: Negotiation, four_eyes: None
) -> None:
    writes_and_signs(many)
    many.save("petra", "M6")
    petra_loads_m6(many, seen=1)
    assert person(many, "petra") in many.loaded().sheet.authors
    with pytest.raises(RuleBrokenError, match="Ilena Dorvath wrote this text alone"):
        send(many, party(many, "npm", "ilena"))


def test_without_the_setting_the_drafter_may_sign(many: Negotiation) -> None:
    writes_and_signs(many)
    send(many, party(many, "npm", "ilena"))
    sign(many, "ilena", "henrik", "otto")
    assert state(many) is ChecklistState.IN_FORCE


# Expires


def test_a_request_runs_out_after_its_last_day(many: Negotiation, frozen_time: Clock) -> None:
    today = clock.today()
    send(many, asking=Asking(expires_on=today + 5 * DAY))
    sign(many, "tomas")
    now = clock.now()
    frozen_time(now + 5 * DAY)
    assert due.expire_due(clock.today()) == 0
    sign(many, "henrik")
    frozen_time(now + 6 * DAY)
    # Even before the worker has processed it.
    refused(many, "otto", "The time to sign this text has run out")
    assert due.expire_due(clock.today()) == 1
    many.session.commit()
    assert state(many) is ChecklistState.DRAFTING
    assert many.checklist().revision_sent_id is None
    assert request(many).state is RequestState.EXPIRED
    assert count(many) == 2
    assert many.events("signature_request_expired")[0]["until"] == (today + 5 * DAY).isoformat()
    everybody = ["henrik", "ilena", "joana", "otto", "samira", "tomas"]
    assert mailed(many, "text_ran_out") == everybody
    assert due.expire_due(clock.today()) == 0
    # What was agreed stays agreed, and can be sent again.
    send(many)
    sign(many, "tomas", "henrik", "otto")
    assert state(many) is ChecklistState.IN_FORCE


def test_nobody_signs_after_the_day_that_the_text_states_whatever_its_request_says(
    many: Negotiation, frozen_time: Clock
) -> None:
    last = clock.today() + 5 * DAY
    send(many, asking=Asking(expires_on=last, remind_every=3))
    many.session.execute(sa.update(SignatureRequest).values(expires_on=last + 9 * DAY))
    many.session.commit()
    # The changed row is noticed immediately, and no page repeats it.
    terms = many.checklist()
    assert not evidence.on_pages([terms])[terms.id].agrees
    words = pages.until_words(pages.read(request(many), None))
    assert words[0] == f"Can be signed until {as_date(last)}."
    frozen_time(clock.now() + 6 * DAY)
    refused(many, "otto", "The time to sign this text has run out")
    assert due.send_reminders(clock.today()) == 0


def test_a_request_does_not_run_out_before_the_day_that_its_text_states(
    many: Negotiation, frozen_time: Clock
) -> None:
    last = clock.today() + 5 * DAY
    send(many, asking=Asking(expires_on=last))
    many.session.execute(sa.update(SignatureRequest).values(expires_on=last - 4 * DAY))
    many.session.commit()
    frozen_time(clock.now() + 5 * DAY)
    assert due.expire_due(clock.today()) == 0
    assert request(many).state is RequestState.WAITING
    frozen_time(clock.now() + DAY)
    assert due.expire_due(clock.today()) == 1
    assert many.events("signature_request_expired")[0]["until"] == last.isoformat()


def test_without_a_day_it_runs_as_long_as_the_instance_gives(app: Flask, many: Negotiation) -> None:
    with replaced(app, SIGNING_SETTINGS.holding(SigningSettings(days=12))):
        assert send(many).expires_on == clock.today() + 12 * DAY


def test_a_declined_or_recalled_request_does_not_expire(
    many: Negotiation, frozen_time: Clock
) -> None:
    send(many, asking=Asking(expires_on=clock.today()))
    agreements.call_back(many["ilena"], many.checklist(), reason="A wrong signatory.")
    many.session.commit()
    frozen_time(clock.now() + 2 * DAY)
    assert due.expire_due(clock.today()) == 0
    assert request(many).state is RequestState.WITHDRAWN


# Remind


def rounds(negotiation: Negotiation, frozen_time: Clock, days: int) -> list[int]:
    """Run the worker once a day; return the days on which it sent reminders."""
    now, reminded_on = clock.now(), []
    for day in range(days + 1):
        frozen_time(now + day * DAY)
        if due.send_reminders(clock.today()):
            reminded_on.append(day)
        assert due.send_reminders(clock.today()) == 0
        negotiation.session.commit()
    frozen_time(now)
    return reminded_on


def test_people_who_still_have_to_sign_are_reminded_at_the_chosen_interval(
    many: Negotiation, frozen_time: Clock
) -> None:
    send(many, asking=Asking(expires_on=clock.today() + 8 * DAY, remind_every=3))
    sign(many, "tomas")
    # The last day is the eighth; after it, reminders stop.
    assert rounds(many, frozen_time, 12) == [3, 6]
    assert mailed(many, "text_still_waits") == ["henrik", "henrik", "otto", "otto"]
    assert many.events("signatories_reminded")[0]["people"] == ["Henrik Asante", "Otto Brandis"]


def test_reminders_stop_when_all_have_signed(many: Negotiation, frozen_time: Clock) -> None:
    send(many, asking=Asking(remind_every=1))
    sign(many, "tomas", "henrik", "otto")
    assert rounds(many, frozen_time, 3) == []


def test_nobody_is_reminded_unless_it_was_asked_for_nor_once_it_is_called_back(
    many: Negotiation, frozen_time: Clock
) -> None:
    send(many)
    assert rounds(many, frozen_time, 8) == []
    agreements.call_back(many["ilena"], many.checklist(), reason="A wrong signatory.")
    send(many, asking=Asking(remind_every=1))
    agreements.call_back(many["ilena"], many.checklist(), reason="A wrong signatory.")
    many.session.commit()
    assert rounds(many, frozen_time, 3) == []


def test_chosen_people_are_reminded_until_their_party_has_signed(
    many: Negotiation, frozen_time: Clock
) -> None:
    samira, joana = person(many, "samira"), person(many, "joana")
    send(many, asking=Asking(remind_every=1, remind_whom=(str(samira), str(joana))))
    sign(many, "otto")
    assert rounds(many, frozen_time, 1) == [1]
    assert mailed(many, "text_still_waits") == ["samira"]


def test_a_person_waiting_for_their_turn_is_not_reminded(
    many: Negotiation, frozen_time: Clock
) -> None:
    send(many, asking=Asking(Order.PARTNERS_FIRST, remind_every=1))
    assert rounds(many, frozen_time, 1) == [1]
    assert mailed(many, "text_still_waits") == ["henrik", "otto"]


def test_a_rhythm_and_people_that_are_offered(many: Negotiation) -> None:
    for every, whom, field in (
        (2, ("signatories",), "remind_every"),
        (1, (), "remind_whom"),
        (1, ("everybody",), "remind_whom"),
        (1, ("00000000-0000-0000-0000-000000000000",), "remind_whom"),
    ):
        with pytest.raises(RuleBrokenError) as error:
            send(many, asking=Asking(remind_every=every, remind_whom=whom))
        assert error.value.field == field, whom
        many.session.rollback()


def test_only_a_coordinator_reminds_now_once_a_day_those_who_can_sign_now(
    many: Negotiation, frozen_time: Clock
) -> None:
    send(many)
    henrik = person(many, "henrik")
    for first in ("tomas", "nadia", "oren", "henrik", "marek", "vesna", "ada"):
        with pytest.raises(
            RefusedError, match="Only a coordinator of one of the parties can send reminders"
        ):
            signature_requests.remind(many[first], many.checklist(), [henrik])
        many.session.rollback()
    sign(many, "tomas")
    nobody: list[UUID] = []
    for chosen in (*([person(many, f)] for f in ("milan", "samira", "tomas", "marek")), nobody):
        with pytest.raises(RuleBrokenError, match="Choose who is reminded"):
            signature_requests.remind(many["ilena"], many.checklist(), chosen)
        many.session.rollback()
    signature_requests.remind(many["joana"], many.checklist(), [henrik])
    many.session.commit()
    assert mailed(many, "text_still_waits") == ["henrik"]
    with pytest.raises(RuleBrokenError, match="A reminder was already sent today"):
        signature_requests.remind(many["ilena"], many.checklist(), [henrik])
    many.session.rollback()
    frozen_time(clock.now() + DAY)
    signature_requests.remind(many["ilena"], many.checklist(), [henrik])
    assert mailed(many, "text_still_waits") == ["henrik", "henrik"]
