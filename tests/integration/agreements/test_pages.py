"""Pages for naming signatories, passing on, reminding, suspending, ending and renewing.

In one file: the pages that lead to one agreement, in order.
"""

import datetime as dt
from typing import Any

from flask import Flask

from tests import due
from tests.client import CheckedClient
from tests.factories import agreements
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import (
    DAY,
    DAYS,
    NOTICE,
    SIGNERS,
    Clock,
)
from tests.integration.agreements.notices.test_notices import give, on, send_amended
from tests.integration.agreements.test_signers import (
    mailed,
    one_after_the_other,
    party,
    pass_on,
    power,
    request,
    send,
    sign,
)
from tests.pages import Page
from tracker.agreements import renewal, service
from tracker.agreements.service import Asking
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import ChecklistState, NoticeKind
from tracker.core import clock
from tracker.mail.render import in_language
from tracker.signoff.models import RequestState
from tracker.signoff.signers import Named, Order, PartySigners
from tracker.ui.locale import as_date


def address(negotiation: Negotiation, rest: str = "") -> str:
    return f"/checklists/{negotiation.checklist().id}{rest}"


def browser(app: Flask, negotiation: Negotiation, first: str) -> CheckedClient:
    negotiation.session.commit()
    return negotiation.country.browser(app, first)


def page(app: Flask, negotiation: Negotiation, first: str, rest: str, status: int = 200) -> Page:
    where = address(negotiation, rest)
    return browser(app, negotiation, first).page(where, status)


def submit(app: Flask, negotiation: Negotiation, first: str, rest: str, **fields: Any) -> Page:
    where = address(negotiation, rest)
    return Page.of(browser(app, negotiation, first).submit(where, **fields))


def pass_on_rest(negotiation: Negotiation, first: str) -> str:
    return f"/pass-on/{negotiation.country.users[first].id}"


def words_of(day: dt.date) -> str:
    with in_language("en"):
        return as_date(day)


# Send


def test_several_are_named_with_rule_and_order_until_a_day(app: Flask, many: Negotiation) -> None:
    npm, door, lantern = (many.country.id(key) for key in ("npm", "door", "lantern"))
    users = many.country.users
    until = clock.today() + 10 * DAY
    shown = submit(
        app,
        many,
        "ilena",
        "/send",
        **{
            f"party_{npm}": "several",
            f"turn_{npm}_{users['greta'].id}": "1",
            f"turn_{npm}_{users['tomas'].id}": "2",
            f"behalf_{npm}": "Advocate Ruta Saen",
            f"party_{door}": "several",
            f"turn_{door}_{users['henrik'].id}": "0",
            f"turn_{door}_{users['paula'].id}": "0",
            f"needed_{door}": "1",
            f"party_{lantern}": str(users["otto"].id),
            "order": "partners_first",
            "expires_on": until.isoformat(),
            "remind_every": "7",
            "remind_whom": ["signatories", str(users["samira"].id)],
        },
    )
    assert "The text is frozen and sent." in shown.text
    for words in (
        "Office of the People's Advocate: all, one after the other.",
        "Open Door Legal Aid: any one of 2.",
        "Office of the People's Advocate: once the others have signed.",
        "on behalf of Advocate Ruta Saen",
        f"Can be signed until {words_of(until)}.",
        f"Reminders every week until {words_of(until)}.",
    ):
        assert words in shown.text
    asked_for = request(many)
    assert [(party.needed, party.turn) for party in asked_for.parties] == [(2, 1), (1, 0), (1, 0)]
    named = {slot.user_id: slot.turn for slot in asked_for.slots}
    assert named == {
        users["greta"].id: 1,
        users["tomas"].id: 2,
        users["henrik"].id: 0,
        users["paula"].id: 0,
        users["otto"].id: 0,
    }
    assert asked_for.remind_whom == ["signatories", str(users["samira"].id)]


def test_one_signature_for_each_party_is_still_enough(app: Flask, many: Negotiation) -> None:
    chosen = page(app, many, "ilena", "/send").form().filled_in()
    # The only possible signatory is preselected.
    assert chosen[f"party_{many.country.id('lantern')}"] == [str(many.country.users["otto"].id)]
    assert f"party_{many.country.id('npm')}" not in chosen
    fields = {
        f"party_{body}": str(signatory.user_id) for body, signatory in many.signatories.items()
    }
    shown = submit(app, many, "samira", "/send", **fields)
    assert "The text is frozen and sent." in shown.text
    assert "0 of 3" in shown.text
    assert request(many).expires_on == clock.today() + 30 * DAY


WRONG: list[tuple[dict[str, str], str]] = [
    ({"needed_npm": "2"}, "You're asking for more signatures than there are people named"),
    ({"turn_npm_greta": "", "turn_npm_tomas": ""}, "Choose who signs for each party"),
    ({"turn_npm_milan": "2", "needed_npm": "1"}, "one after the other, all of them have to sign"),
    ({"expires_on": "2020-01-01"}, "Choose a day from today on, within a year"),
    ({"expires_on": ""}, "Enter"),
    ({"remind_whom": ""}, "Choose"),
]


def test_a_rule_that_can_never_be_met_shows_an_error_and_sends_nothing(
    app: Flask, many: Negotiation
) -> None:
    users, country = many.country.users, many.country
    usual = {
        "party_npm": "several",
        "turn_npm_tomas": "1",
        "needed_npm": "0",
        "party_door": str(users["henrik"].id),
        "party_lantern": str(users["otto"].id),
        "remind_every": "3",
    }

    def named(key: str) -> str:
        for body in ("npm", "door", "lantern"):
            key = key.replace(f"_{body}", f"_{country.id(body)}")
        for first in ("greta", "tomas", "milan"):
            key = key.replace(f"_{first}", f"_{users[first].id}")
        return key

    client, where = browser(app, many, "ilena"), address(many, "/send")
    form = client.page(where).form()
    for changed, message in WRONG:
        sent: dict[str, Any] = {named(key): value for key, value in (usual | changed).items()}
        if sent.get("remind_whom") == "":
            sent["remind_whom"] = []
        shown = Page.of(client.post(where, data=form.filled_in(**sent), csrf=False))
        assert shown.title.startswith("Problem: "), message
        assert message in shown.text, changed
        assert many.checklist().state is ChecklistState.DRAFTING, message


def test_a_person_without_power_today_is_shown_but_not_offered(
    app: Flask, many: Negotiation
) -> None:
    last = clock.today() - DAY
    power(many, "milan", None, last)
    client = browser(app, many, "ilena")
    shown = client.page(address(many, "/send"))
    assert f"Power until {words_of(last)}" in shown.text
    data: dict[str, Any] = {
        f"party_{b}": str(signatory.user_id) for b, signatory in many.signatories.items()
    }
    data[f"party_{many.country.id('npm')}"] = str(many.country.users["milan"].id)
    response = client.post(
        address(many, "/send"), data={**shown.form().filled_in(), **data}, csrf=False
    )
    assert Page.of(response).title.startswith("Problem: ")
    assert many.checklist().state is ChecklistState.DRAFTING
    # A party without a valid power blocks sending.
    blocked = "No signatory with power to sign today is known for: Lantern Health Network"
    assert blocked not in shown.text
    power(many, "otto", None, last)
    assert blocked in page(app, many, "ilena", "/send").text


# Read and sign


def test_the_pages_of_signing_say_who_signs_by_which_rule(app: Flask, many: Negotiation) -> None:
    last = clock.today() + 90 * DAY
    power(many, "greta", None, last)
    greta, tomas = (
        Named(many.country.users[first].id, n, "Advocate Ruta Saen")
        for n, first in enumerate(("greta", "tomas"), 1)
    )
    send(
        many,
        PartySigners(many.country.id("npm"), (greta, tomas)),
        asking=Asking(expires_on=clock.today() + 3 * DAY),
    )
    first = page(app, many, "greta", "/sign")
    second = browser(app, many, "greta").page(first.links()["Continue to sign"])
    for shown in (first, second):
        for words in (
            "Your turn",
            "When others have signed",
            "Office of the People's Advocate: all, one after the other.",
            f"Can be signed until {words_of(clock.today() + 3 * DAY)}.",
        ):
            assert words in shown.text, shown.h1
    assert "for Office of the People's Advocate, on behalf of Advocate Ruta Saen," in second.text
    assert f"under Decision of the board (until {words_of(last)})" in second.text


def test_an_order_is_not_skipped_by_a_link(app: Flask, many: Negotiation) -> None:
    """product.md, 5.2."""
    send(many, one_after_the_other(many, "npm", "greta", "tomas"))
    for rest in ("/sign", "/sign/confirm"):
        shown = page(app, many, "tomas", rest, 403)
        assert "It isn't your turn yet: others in your organisation sign first." in shown.text
    assert "Read and sign" not in page(app, many, "tomas", "/record").links()
    # Those whose turn hasn't come may still decline.
    assert "Decline and say why" in page(app, many, "tomas", "/record").links()
    page(app, many, "tomas", "/decline")


def test_after_the_last_day_nobody_comes_to_sign(
    app: Flask, many: Negotiation, frozen_time: Clock
) -> None:
    send(many, asking=Asking(expires_on=clock.today()))
    frozen_time(clock.now() + DAY)
    shown = page(app, many, "tomas", "/sign", 403)
    assert "The time to sign this text has run out." in shown.text


# Pass on


def test_a_signatory_passes_on_a_text_with_a_reason(app: Flask, many: Negotiation) -> None:
    send(many)
    record = page(app, many, "tomas", "/record")
    rest = pass_on_rest(many, "tomas")
    assert record.links()["Have somebody else sign instead of Tomas Beridan"] == address(many, rest)
    form = page(app, many, "tomas", rest)
    assert "Greta Vale" in form.text
    assert "Paula Rook" not in form.text
    shown = submit(
        app,
        many,
        "tomas",
        rest,
        person=str(many.country.users["greta"].id),
        reason="I am on leave until May.",
    )
    assert "Passed on. The record says so." in shown.text
    assert "in place of Tomas Beridan" in shown.text
    assert shown.text.count("I am on leave until May.") >= 1
    assert "Greta Vale signs in place of Tomas Beridan" in shown.text
    # All parties see it.
    assert "in place of Tomas Beridan" in page(app, many, "henrik", "/record").text
    again = {"person": str(many.country.users["paula"].id), "reason": "I am ill."}
    late = browser(app, many, "tomas").post(address(many, rest), data=again)
    assert late.status_code == 403
    assert "I am ill." in Page.of(late).html
    assert "About this text" in Page.of(late).text


def test_nobody_else_comes_to_pass_it_on(app: Flask, many: Negotiation) -> None:
    send(many)
    rest = pass_on_rest(many, "tomas")
    data = {"person": str(many.country.users["greta"].id), "reason": "Because."}
    refused = ("samira", "henrik", "greta", "nadia", "oren", "dora", "ada")
    statuses = dict.fromkeys(refused, 403) | dict.fromkeys(("marek", "vesna", "root"), 404)
    for first, status in statuses.items():
        page(app, many, first, rest, status)
        response = browser(app, many, first).post(address(many, rest), data=data, read=False)
        assert response.status_code == status, first
        assert len(request(many).slots) == 3, first
    # Where there is nobody else, it says what to do.
    rest = pass_on_rest(many, "otto")
    shown = page(app, many, "otto", rest)
    assert "There is nobody else." in shown.text
    assert "signs in place of" not in shown.text
    browser(app, many, "otto").post(address(many, rest), data=data)
    assert len(request(many).slots) == 3


def test_a_text_that_is_not_waiting_is_neither_passed_on_nor_reminded_of(
    app: Flask, many: Negotiation
) -> None:
    page(app, many, "ilena", pass_on_rest(many, "tomas"), 404)
    shown = page(app, many, "ilena", "/remind")
    assert "This text is no longer waiting for signatures, so nothing was done." in shown.text


# Remind


def test_a_coordinator_reminds_chosen_people(app: Flask, many: Negotiation) -> None:
    send(many)
    sign(many, "otto")
    assert "Remind now" in page(app, many, "joana", "/record").links()
    form = page(app, many, "joana", "/remind")
    assert "Henrik Asante, Open Door Legal Aid" in form.text
    assert "Otto Brandis" not in form.text
    henrik = str(many.country.users["henrik"].id)
    shown = submit(app, many, "joana", "/remind", people=[henrik])
    assert "The reminder is written, but not sent" in shown.text
    assert "reminder to sign sent to Henrik Asante" in shown.text
    assert mailed(many, "text_still_waits") == ["henrik"]
    again = submit(app, many, "ilena", "/remind", people=[henrik])
    assert "A reminder was already sent today" in again.text
    service.call_back(many["ilena"], many.checklist(), reason="One more thing.")
    many.session.commit()
    sent = {"people": henrik}
    late = browser(app, many, "ilena").post(
        address(many, "/remind"), data=sent, follow_redirects=True
    )
    assert "no longer waiting for signatures" in Page.of(late).text
    assert mailed(many, "text_still_waits") == ["henrik"]


def test_nobody_else_comes_to_remind(app: Flask, many: Negotiation) -> None:
    send(many)
    data = {"people": str(many.country.users["henrik"].id)}
    refused = ("tomas", "nadia", "dora", "ada")
    statuses = dict.fromkeys(refused, 403) | dict.fromkeys(("marek", "vesna"), 404)
    for first, status in statuses.items():
        page(app, many, first, "/remind", status)
        where = address(many, "/remind")
        response = browser(app, many, first).post(where, data=data, read=False)
        assert response.status_code == status, first
        assert mailed(many, "text_still_waits") == [], first


# The record


def test_the_record_counts_the_signatures_needed_and_names_former_signatories(
    app: Flask, many: Negotiation
) -> None:
    send(many, party(many, "npm", "tomas", "milan", "greta", needed=1))
    sign(many, "milan")
    shown = page(app, many, "ilena", "/record")
    assert "Milan Orsk" in shown.text
    assert "1 of 3" in shown.text
    assert "Office of the People's Advocate: any one of 3." in shown.text


def test_the_record_shows_that_a_request_expired(
    app: Flask, many: Negotiation, frozen_time: Clock
) -> None:
    send(many, asking=Asking(expires_on=clock.today()))
    now = clock.now()
    frozen_time(now + DAY)
    due.expire_due(clock.today())
    many.session.commit()
    frozen_time(now)
    assert request(many).state is RequestState.EXPIRED
    shown = page(app, many, "ilena", "/record")
    assert "Ran out before everyone had signed" in shown.text
    assert "not everyone had signed revision 1 by its last day" in shown.text


def test_a_signatory_who_passed_a_text_on_is_no_longer_asked(app: Flask, many: Negotiation) -> None:
    send(many)
    pass_on(many, "tomas", "tomas", "greta")
    page(app, many, "tomas", "/sign", 403)
    assert "Waiting for your signature" not in browser(app, many, "tomas").page("/").text
    assert "Waiting for your signature" in browser(app, many, "greta").page("/").text


def test_my_work_asks_whose_turn_it_is_and_says_until_when(app: Flask, many: Negotiation) -> None:
    send(many, asking=Asking(Order.PARTNERS_FIRST, clock.today() + 4 * DAY))
    assert "Waiting for your signature" not in browser(app, many, "tomas").page("/").text
    shown = browser(app, many, "henrik").page("/")
    assert "Waiting for your signature" in shown.text


# Suspend, end, lift, renew


def test_a_text_is_suspended_and_the_suspension_lifted(app: Flask, in_force: Negotiation) -> None:
    record = page(app, in_force, "henrik", "/record")
    assert {"Suspend", "End this text"} <= record.links().keys()
    shown = submit(app, in_force, "henrik", "/suspend", reason="Our staff are threatened.")
    assert "Notice of the suspension given. All parties are notified." in shown.text
    assert "Our staff are threatened." in shown.text
    assert f"Suspended since {words_of(clock.today())}." in shown.text
    assert in_force.checklist().stopped_by is NoticeKind.SUSPENDED
    others = page(app, in_force, "ilena", "/record")
    assert "Lift the suspension" not in others.links()
    assert "Suspended" in page(app, in_force, "ilena", "").text
    link = page(app, in_force, "henrik", "/record").links()["Lift the suspension"]
    client = browser(app, in_force, "henrik")
    shown = Page.of(client.submit(link, reason="They are safe."))
    assert "The suspension is lifted." in shown.text
    assert in_force.checklist().revision_in_force_id is not None


def test_whoever_lifts_one_of_two_suspensions_reads_that_the_text_stays_suspended(
    app: Flask, in_force: Negotiation, frozen_time: Clock
) -> None:
    tomorrow = clock.today() + DAY
    submit(app, in_force, "tomas", "/suspend", reason="Later.", from_on=tomorrow.isoformat())
    submit(app, in_force, "henrik", "/suspend", reason="Our staff are threatened.")
    link = page(app, in_force, "henrik", "/record").links()["Lift the suspension"]
    client = browser(app, in_force, "henrik")
    assert "The text is in force again immediately." in client.page(link).text
    frozen_time(clock.now() + DAY)
    due.carry_out_due(clock.today())
    client = browser(app, in_force, "henrik")
    stays = "stays suspended, because of a notice of Office of the People's Advocate."
    assert stays in client.page(link).text
    lifted = Page.of(client.submit(link, reason="They are safe.")).text
    assert "Your suspension is lifted." in lifted
    assert stays in lifted
    assert in_force.checklist().revision_in_force_id is None


def test_a_party_gives_notice_to_end_a_text_and_withdraws_it(
    app: Flask, in_force: Negotiation
) -> None:
    day = clock.today() + NOTICE * DAY
    form = page(app, in_force, "tomas", "/end")
    assert f"Agreed notice: 30 days. The earliest day is {words_of(day)}." in form.text
    assert "Duties that continue" in form.text
    assert "For ever" in form.text
    early = submit(
        app, in_force, "tomas", "/end", from_on=clock.today().isoformat(), reason="The law."
    )
    assert early.title.startswith("Problem: ")
    assert "Notice agreed: 30 days." in early.text
    shown = submit(app, in_force, "tomas", "/end", reason="The law has changed.")
    assert f"Will end on {words_of(day)}." in shown.text
    assert "The law has changed." in page(app, in_force, "joana", "/record").text
    link = shown.links()["Withdraw the notice"]
    assert "Withdraw the notice" not in page(app, in_force, "henrik", "/record").links()
    shown = Page.of(browser(app, in_force, "tomas").submit(link, reason="A mistake."))
    assert "The notice is withdrawn." in shown.text
    assert "Will end on" not in shown.text
    # Sent from a page that was opened before.
    again = browser(app, in_force, "tomas").submit(link, reason="By oversight.")
    assert "This notice no longer exists." in Page.of(again).text
    assert Page.of(again).form().values["reason"] == ["By oversight."]
    assert len(in_force.events("notice_taken_back")) == 1


def test_nobody_else_comes_to_stop_a_text(app: Flask, in_force: Negotiation) -> None:
    data = {"reason": "Because.", "from_on": (clock.today() + 60 * DAY).isoformat()}
    refused = ("ilena", "samira", "nadia", "dora", "ada")
    statuses = dict.fromkeys(refused, 403) | dict.fromkeys(("marek", "vesna", "root"), 404)
    for first, status in statuses.items():
        client = browser(app, in_force, first)
        for rest in ("/suspend", "/end"):
            client.page(address(in_force, rest), status)
            response = client.post(address(in_force, rest), data=data, read=False)
            assert response.status_code == status, (first, rest)
            assert in_force.events("notice_given") == [], (first, rest)


def test_nobody_else_comes_to_lift_a_suspension(app: Flask, in_force: Negotiation) -> None:
    notice = give(in_force, "henrik", NoticeKind.SUSPENDED)
    rest = f"/notices/{notice.id}/close"
    expected = {"tomas": 403, "samira": 403, "ada": 403, "marek": 404, "vesna": 404}
    for first, status in expected.items():
        page(app, in_force, first, rest, status)
        data = {"reason": "Because."}
        response = browser(app, in_force, first).post(address(in_force, rest), data=data)
        assert response.status_code == status
    assert in_force.checklist().stopped_by is NoticeKind.SUSPENDED
    page(app, in_force, "henrik", "/notices/00000000-0000-4000-8000-000000000000/close", 404)


def test_whoever_acts_on_a_text_means_the_revision_on_their_page(
    app: Flask, in_force: Negotiation
) -> None:
    words = "Because of the law."
    leave = f"/cooperations/{in_force.cooperation.reference}/leave"
    places: dict[str, tuple[str, dict[str, str]]] = {
        address(in_force, "/suspend"): ("henrik", {}),
        address(in_force, "/amend"): ("ilena", {"items": "M1"}),
        leave: ("otto", {}),
    }
    clients = {place: browser(app, in_force, first) for place, (first, _typed) in places.items()}
    opened = {
        place: clients[place].page(place).form().filled_in(reason=words, **typed)
        for place, (_first, typed) in places.items()
    }
    send_amended(in_force)
    agreements.sign(in_force.country, in_force.checklist(), *SIGNERS.values())
    in_force.session.commit()
    for place, client in clients.items():
        again = Page.of(client.post(place, data=opened[place], csrf=False))
        assert "The text changed after you opened it, so nothing was done." in again.text, place
        assert words in again.html
        if place != leave:
            assert "What changed since you opened revision 1" in again.text, place
            assert "Agreed terms" in again.text
    assert in_force.events("notice_given") == []
    assert in_force.checklist().state is ChecklistState.IN_FORCE


def test_a_text_that_was_called_back_meanwhile_is_not_called_back_unread(
    app: Flask, many: Negotiation
) -> None:
    send(many)
    where = address(many, "/call-back")
    client = browser(app, many, "ilena")
    data = client.page(where).form().filled_in(reason="Not this one.")
    service.call_back(many["ilena"], many.checklist(), reason="One more thing.")
    many.session.commit()
    for is_sent_anew in (False, True):
        if is_sent_anew:
            send(many)
        again = Page.of(client.post(where, data=data, csrf=False))
        assert "The text changed after you opened it, so nothing was done." in again.text
        assert "Not this one." in again.html
        assert (many.checklist().state is ChecklistState.SENT) is is_sent_anew


def test_an_ended_text_shows_the_duties_that_remain(
    app: Flask, in_force: Negotiation, frozen_time: Clock
) -> None:
    give(in_force, "tomas", NoticeKind.ENDED, "The law has changed.")
    on(in_force, frozen_time, NOTICE)
    shown = page(app, in_force, "henrik", "/record")
    assert f"Ended on {words_of(clock.today() + NOTICE * DAY)}." in shown.text
    assert "Duties that continue" in shown.text
    assert "Thanks are owed." in shown.text
    assert not {"Suspend", "End this text", "Renew", "Propose an amendment"} & shown.links().keys()
    page(app, in_force, "ilena", "/agree-anew", 403)


def test_another_text_that_has_ended_can_be_opened_again(
    app: Flask, in_force: Negotiation, frozen_time: Clock
) -> None:
    text = in_force.checklist(ChecklistKind.CONFIDENTIALITY)
    until = clock.today() + 500 * DAY
    agreements.answer(in_force.country, text, "C1", scope="all_until", until=until.isoformat())
    agreements.send(in_force.country, text, SIGNERS)
    agreements.sign(in_force.country, text, *SIGNERS.values())
    in_force.session.commit()
    give(in_force, "otto", NoticeKind.ENDED, what=ChecklistKind.CONFIDENTIALITY)
    on(in_force, frozen_time, NOTICE)
    where = f"/checklists/{text.id}"
    client = browser(app, in_force, "joana")
    assert "Agree the text again" in client.page(f"{where}/record").links()
    shown = Page.of(client.submit(f"{where}/agree-anew", reason="We try again."))
    assert "The text is open again. The history shows that it had ended." in shown.text
    browser(app, in_force, "otto").page(f"{where}/agree-anew", 403)
    browser(app, in_force, "marek").page(f"{where}/agree-anew", 404)


def test_new_dates_are_proposed_from_the_record(
    app: Flask, in_force: Negotiation, frozen_time: Clock
) -> None:
    last = clock.today() + DAYS * DAY
    shown = page(app, in_force, "joana", "/record")
    assert f"until {words_of(last)}. It renews automatically" in shown.text
    assert "Renew" in shown.links()
    following = renewal.next_term(renewal.Term(clock.today() - DAY, last))
    now = clock.now()
    for days, start in ((DAYS + 1, [following.start.isoformat()]), (0, None)):
        frozen_time(now + days * DAY)
        form = page(app, in_force, "joana", "/renew").form().filled_in()
        # Terms that haven't run out keep their start.
        assert (form.get("start"), form["end"]) == (start, [following.end.isoformat()])
    wrong = submit(app, in_force, "joana", "/renew", reason="Well.", review="2020-01-01")
    assert "The review must come after the start and not after the end." in wrong.text
    shown = submit(app, in_force, "joana", "/renew", reason="It went well.")
    words = "The new dates are proposed. The other parties see them in “Term, review, renewal”."
    assert words in shown.text
    assert in_force.checklist().open_items == ["M19"]
    for first, status in {"tomas": 403, "nadia": 403, "ada": 403, "marek": 404}.items():
        page(app, in_force, first, "/renew", status)
