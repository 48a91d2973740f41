"""What is left to decide in all items is filled in on one page; nobody has agreed to it by that.

In one file: every case opens and sends the same page.
"""

import datetime as dt
import re
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.effort import tries
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import KINDS, a_column, a_field, a_table, a_template, an_item
from tests.integration.accounts.test_unavailable import out_of_reach
from tests.pages import Page
from tracker.agreements import accepting
from tracker.checklists.deciding import left_to_decide
from tracker.checklists.deciding.left_to_decide import Seen
from tracker.checklists.negotiation.text_digest import item_token, question_token
from tracker.checklists.reuse import beginning
from tracker.checklists.rules.completeness import WorkState
from tracker.core.errors import RefusedError, StaleError

MARK = "[to decide: how long]"


@pytest.fixture
def negotiation(session: Session) -> Negotiation:
    """Return terms of three items with places to decide, which the NPM wrote."""
    choice = a_column("who", "choice", options=KINDS)
    other = a_column("more", required=False, required_when={"column": "who", "in": ["police"]})
    cover = a_table("cover", a_column("note"), choice, other)
    template = a_template(
        an_item(
            "M1",
            a_field("words"),
            a_field("begins", "date", hint="Usually the first day of a month."),
        ),
        an_item("M2", cover),
        an_item("M3", a_field("words")),
        an_item("M4", a_field("words")),
    )
    negotiation = set_out(session, template=template)
    negotiation.save("ilena", "M1", words=f"It lasts {MARK}.", begins="[to decide: the first day]")
    rows = [{"note": note, "who": "[to decide: who pays]"} for note in ("Travel", "Meals")]
    negotiation.save("ilena", "M2", cover=rows)
    negotiation.save("ilena", "M3", words="[to decide: how often]")
    negotiation.save("ilena", "M4", words="Complete.")
    return negotiation


def address(negotiation: Negotiation) -> str:
    return f"/checklists/{negotiation.checklist().id}/decide"


def page_of(negotiation: Negotiation, client: CheckedClient) -> Page:
    return client.page(address(negotiation))


def send(negotiation: Negotiation, client: CheckedClient, page: Page, **typed: str) -> Page:
    """Send the form of a page with these values; names have an underscore for each hyphen."""
    names = {name.replace("-", "_"): name for name in page.form().values}
    values = {**page.form().filled_in(), **{names[key]: [text] for key, text in typed.items()}}
    response = client.post(address(negotiation), data=values, csrf=False, follow_redirects=True)
    return Page.of(response)


def values(negotiation: Negotiation, item: str) -> dict[str, Any]:
    answer = negotiation.loaded().sheet.shared(item)
    assert answer is not None
    return dict(answer.values)


def seen(negotiation: Negotiation, first: str, *codes: str) -> dict[str, Seen]:
    loaded = negotiation.loaded()
    shown = {}
    for code in codes:
        answer = loaded.sheet.shared(code)
        token = question_token(loaded, negotiation[first], loaded.item(code))
        shown[code] = Seen(answer.version if answer else 0, token)
    return shown


# The page


def test_page_shows_the_open_places_of_all_items_and_nothing_else(
    app: Flask, negotiation: Negotiation
) -> None:
    page = page_of(negotiation, negotiation.country.browser(app, "ilena"))
    assert page.h1 == "What is left to decide"
    for words in ("how long", "the first day", "who pays", "how often", "Travel", "Meals"):
        assert words in page.text
    # What is to decide in several rows is said where all are decided together, and not again.
    assert page.text.count("who pays") == 1
    # It is a sentence, and left out where the label or the hint says it already.
    assert "To decide: how long." in page.text
    assert "To decide: the first day" not in page.text
    assert page.text.count("Only needed if your choices here call for it.") == 1
    assert "M4" not in page.text
    assert "Complete." not in page.text


def test_one_save_decides_places_of_several_items_each_as_a_version_and_an_event(
    app: Flask, negotiation: Negotiation
) -> None:
    browser = negotiation.country.browser(app, "ilena")
    page = send(
        negotiation,
        browser,
        page_of(negotiation, browser),
        M1_words="It lasts two years.",
        M1_begins="2031-02-01",
        M2_cover_all_who="prison",
        M2_cover_1_who="police",
        M2_cover_1_more="Per meal",
        M3_words="Twice a year",
    )
    assert "Saved: “Item M1”, “Item M2”, “Item M3”." in page.text
    assert page.h1 == "Read the draft"
    assert values(negotiation, "M1") == {"words": "It lasts two years.", "begins": "2031-02-01"}
    assert values(negotiation, "M2")["cover"] == [
        {"note": "Travel", "who": "prison"},
        {"note": "Meals", "who": "police", "more": "Per meal"},
    ]
    assert [event["item"] for event in negotiation.events("answer_saved")][-3:] == [
        "M1",
        "M2",
        "M3",
    ]


def test_what_does_not_fit_is_said_after_saving_and_authors_are_marked_as_such(
    app: Flask, session: Session
) -> None:
    days = [a_field(key, "date", label=key.title()) for key in ("review", "end")]
    template = a_template(
        an_item(
            "M1",
            *days,
            done={"checks": [{"check": "dates_in_order", "fields": ["review", "end"]}]},
        ),
        an_item(
            "M2",
            a_field("second_reader", "person"),
            done={"checks": [{"check": "wrote_no_answer", "field": "second_reader"}]},
        ),
    )
    negotiation = set_out(session, template=template)
    mark = "[to decide: when]"
    negotiation.save("ilena", "M1", review=mark, end=mark)
    negotiation.save("ilena", "M2", second_reader="[to decide: who]")
    browser = negotiation.country.browser(app, "ilena")
    page = page_of(negotiation, browser)
    assert "Ilena Dorvath (Office of the People's Advocate): wrote an answer in this" in page.text
    page = send(
        negotiation,
        browser,
        page,
        M1_review="2031-02-01",
        M1_end="2030-02-01",
        M2_second_reader=str(negotiation.country.users["ilena"].id),
    )
    assert "Look at these again, they don't fit yet:" in page.text
    assert "“Item M1”, End must be later than Review." in page.text
    assert "This person wrote an answer in this checklist." in page.text
    assert page.h1 == "Read the draft"
    assert "not complete yet (End must be later than Review)." in page.text


def test_what_is_left_empty_stays_to_decide_and_the_page_says_how_much(
    app: Flask, negotiation: Negotiation
) -> None:
    browser = negotiation.country.browser(app, "ilena")
    page = send(negotiation, browser, page_of(negotiation, browser), M3_words="Twice a year")
    assert "Saved: “Item M3”." in page.text
    assert "4 places are still left to decide." in page.text
    assert page.h1 == "What is left to decide"
    assert values(negotiation, "M1")["words"] == f"It lasts {MARK}."
    assert negotiation.standing("M1").state is WorkState.IN_PROGRESS
    page = send(negotiation, browser, page)
    assert "There's nothing to save yet" in page.text


def test_what_was_typed_comes_back_from_a_busy_database_by_its_item_and_shows_no_tokens(
    app: Flask, negotiation: Negotiation
) -> None:
    browser = negotiation.country.browser(app, "ilena")
    form, where = page_of(negotiation, browser).form(), address(negotiation)
    data = {**form.filled_in(), "M1-words": ["It lasts two years."], "M3-words": ["Twice a year"]}
    negotiation.country.session.close()
    with out_of_reach(app):
        answer = browser.post(where, data=data, csrf=False, headers={"Origin": "http://localhost"})
    page = Page.of(answer)
    assert answer.status_code == 503
    assert (
        "Copy what you typed instead M1, Text 1 It lasts two years. M3, Text 2 Twice a year"
        in page.text
    )
    assert form.values["M1-question"][0] not in page.text


def test_a_wrong_day_is_said_beside_its_field_and_nothing_typed_is_lost(
    app: Flask, negotiation: Negotiation
) -> None:
    browser = negotiation.country.browser(app, "ilena")
    typed = {"M1_begins": "2031-02-31", "M3_words": "Twice a year"}
    page = send(negotiation, browser, page_of(negotiation, browser), **typed)
    assert "There is a problem" in page.text
    filled_in = page.form().filled_in()
    assert filled_in["M3-words"] == ["Twice a year"]
    assert filled_in["M1-begins"] == ["2031-02-31"]
    assert values(negotiation, "M3")["words"] == "[to decide: how often]"


def test_what_somebody_else_saved_meanwhile_is_neither_lost_nor_overwritten(
    app: Flask, negotiation: Negotiation
) -> None:
    browser = negotiation.country.browser(app, "ilena")
    page = page_of(negotiation, browser)
    negotiation.save("oren", "M3", seen=1, words="Monthly")
    typed = {"M1_words": "It lasts a year.", "M3_words": "Twice a year"}
    page = send(negotiation, browser, page, **typed)
    assert "nothing is saved yet" in page.text
    assert "Twice a year" in page.text
    assert page.form().filled_in()["M1-words"] == ["It lasts a year."]
    assert values(negotiation, "M3")["words"] == "Monthly"
    assert values(negotiation, "M1")["words"] == f"It lasts {MARK}."
    page = send(negotiation, browser, page)
    assert "Saved: “Item M1”." in page.text
    assert values(negotiation, "M3")["words"] == "Monthly"


def test_a_place_that_is_still_open_in_a_newer_version_is_shown_again_before_it_is_saved(
    app: Flask, negotiation: Negotiation
) -> None:
    browser = negotiation.country.browser(app, "ilena")
    page = page_of(negotiation, browser)
    negotiation.save(
        "oren", "M1", seen=1, words=f"It lasts {MARK}, or longer.", begins="2031-05-01"
    )
    page = send(negotiation, browser, page, M1_words="It lasts a year.")
    assert "nothing is saved yet" in page.text
    assert values(negotiation, "M1")["words"] == f"It lasts {MARK}, or longer."
    page = send(negotiation, browser, page)
    assert "Saved: “Item M1”." in page.text
    assert values(negotiation, "M1") == {"words": "It lasts a year.", "begins": "2031-05-01"}


# Who may


def test_who_may_not_see_the_checklist_gets_404_and_who_may_only_read_403(
    app: Flask, negotiation: Negotiation
) -> None:
    for outsider in ("vesna", "marek", "root"):
        browser = negotiation.country.browser(app, outsider)
        assert browser.get(address(negotiation)).status_code == 404, outsider
        assert browser.post(address(negotiation)).status_code == 404, outsider
    auditor = negotiation.country.browser(app, "ada")
    for response in (auditor.get(address(negotiation)), auditor.post(address(negotiation))):
        assert response.status_code == 403
        assert "Save what is decided" not in response.text


@pytest.mark.parametrize("first", ["ada", "root", "vesna", "marek", "samira"])
def test_whoever_may_not_write_a_place_saves_nothing_in_it(
    negotiation: Negotiation, first: str
) -> None:
    """The auditor, the administrator, others; and a party to whom the answer isn't open."""
    loaded = negotiation.loaded()
    token = question_token(loaded, negotiation[first], loaded.item("M3"))
    typed = {"M3-words": "Twice a year"}
    with pytest.raises(StaleError if first == "samira" else RefusedError):
        left_to_decide.save(
            negotiation[first], negotiation.checklist(), {"M3": Seen(1, token)}, typed
        )
    negotiation.session.rollback()
    assert values(negotiation, "M3")["words"] == "[to decide: how often]"


def test_whoever_has_nothing_to_decide_is_led_to_reading_the_draft(
    app: Flask, negotiation: Negotiation
) -> None:
    response = negotiation.country.browser(app, "samira").get(address(negotiation))
    assert response.status_code == 303
    assert response.location.endswith("/read")
    page = Page.of(
        negotiation.country.browser(app, "samira").get(address(negotiation), follow_redirects=True)
    )
    assert page.h1 == "Read the draft"
    assert "Nothing is left to decide for your organisation." in page.text


def test_what_is_sent_for_signature_has_nothing_to_decide(app: Flask, session: Session) -> None:
    negotiation = set_out(session)
    negotiation.send()
    assert left_to_decide.open_items(negotiation.loaded(), negotiation["ilena"]) == ()
    page = page_of(negotiation, negotiation.country.browser(app, "ilena"))
    assert "Nothing is left to decide for your organisation." in page.text


def test_only_places_of_the_page_can_be_written(negotiation: Negotiation) -> None:
    """A name that the page doesn't have changes nothing: a decided text, another party's row."""
    for names in ({"M4-words": "Mine"}, {"M2-cover-0-note": "Mine"}, {"M2-cover-7-who": "prison"}):
        codes = {name.split("-")[0] for name in names}
        with pytest.raises(StaleError):
            left_to_decide.save(
                negotiation["ilena"],
                negotiation.checklist(),
                seen(negotiation, "ilena", *codes),
                names,
            )
        negotiation.session.rollback()


# Nothing counts as agreed that was not read


def test_whoever_fills_in_a_place_has_not_accepted_the_item(
    app: Flask, negotiation: Negotiation
) -> None:
    browser = negotiation.country.browser(app, "ilena")
    send(negotiation, browser, page_of(negotiation, browser), M3_words="Twice a year")
    status = negotiation.standing("M3")
    assert set(status.waiting_for) == {
        negotiation.country.id(key) for key in ("npm", "door", "lantern")
    }
    negotiation.accept("M3", "samira", "joana")
    assert negotiation.standing("M3").state is not WorkState.AGREED
    negotiation.accept("M3", "oren")
    assert negotiation.standing("M3").state is WorkState.AGREED


def test_the_form_of_a_single_item_still_accepts_what_it_shows(negotiation: Negotiation) -> None:
    negotiation.save("oren", "M3", seen=1, words="Twice a year")
    assert negotiation.country.id("npm") not in negotiation.standing("M3").waiting_for


@pytest.fixture
def begun(session: Session) -> Negotiation:
    """Return terms that the NPM began with the model text."""
    negotiation = set_out(session)
    (text,) = beginning.beginnings(negotiation["ilena"], negotiation.loaded(), ["en"])
    beginning.begin(negotiation["ilena"], negotiation.checklist(), "en", seen=text.seen)
    negotiation.session.commit()
    return negotiation


@given(st.lists(st.sampled_from(("ilena", "samira", "joana")), max_size=3), st.data())
@settings(
    max_examples=tries(5, 200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_way_of_filling_in_places_makes_a_party_accept_or_have_read_an_item(
    negotiation: Negotiation, firsts: list[str], data: st.DataObject
) -> None:
    """Whoever fills in whatever, in any order: each party still has to accept it."""
    with negotiation.session.begin_nested() as change:
        for first in firsts:
            actor, loaded = negotiation[first], negotiation.loaded()
            places = [p for item in left_to_decide.open_items(loaded, actor) for p in item.places]
            wanted = data.draw(st.sets(st.sampled_from([p.name for p in places]))) if places else ()
            typed = {
                place.name: {"date": "2031-01-01", "choice": "prison"}.get(
                    place.part.type.value, "Decided."
                )
                for place in places
                if place.name in wanted
            }
            codes = {name.split("-")[0] for name in typed}
            before = negotiation.loaded()
            left_to_decide.save(
                actor, negotiation.checklist(), seen(negotiation, first, *codes), typed
            )
            for code in codes:
                assert actor.organisation_id in negotiation.standing(code).waiting_for
                assert negotiation.standing(code).state is not WorkState.AGREED
            for item in before.template.items:
                if item.code not in codes:
                    assert negotiation.standing(item.code) == before.standing().items[item.code]
        change.rollback()
    negotiation.session.expire_all()


def test_a_model_text_stays_unread_by_the_party_that_fills_in_its_places(
    begun: Negotiation,
) -> None:
    names = {"M18-steps-2-who": "The ombudsperson of the region"}
    npm, door = begun.country.id("npm"), begun.country.id("door")
    left_to_decide.save(begun["ilena"], begun.checklist(), seen(begun, "ilena", "M18"), names)
    begun.session.commit()
    assert {npm, door} <= set(begun.standing("M18").unread_by)
    loaded = begun.loaded()
    accepting.accept_items(
        begun["ilena"],
        begun.checklist(),
        {"M18": item_token(loaded, begun["ilena"], loaded.item("M18"))},
    )
    begun.session.commit()
    assert npm not in begun.standing("M18").unread_by
    assert door in begun.standing("M18").unread_by
    assert npm not in begun.standing("M18").waiting_for


def test_a_party_that_only_sets_an_item_has_to_read_it_too(begun: Negotiation) -> None:
    """M5 needs nobody's acceptance, but the NPM has to read what it began with."""
    reader = str(begun["nadia"].user_id)
    left_to_decide.save(
        begun["ilena"], begun.checklist(), seen(begun, "ilena", "M5"), {"M5-second_reader": reader}
    )
    begun.session.commit()
    assert begun.country.id("npm") in begun.standing("M5").unread_by


def test_each_party_finds_its_own_row_only_with_what_is_known_of_it(
    app: Flask, begun: Negotiation
) -> None:
    page = page_of(begun, begun.country.browser(app, "joana"))
    names = [name for name in page.form().values if name.startswith("M4-expectations-")]
    assert len(names) == 1
    filled_in = page.form().filled_in()
    [kind] = [name for name in filled_in if name.startswith("M1-parties-") and "kind" in name][:1]
    assert filled_in[kind] == ["human_rights"]
    me = str(begun["joana"].user_id)
    assert me in {text for texts in filled_in.values() for text in texts}
    # Nobody of another party can be named in it.
    [deputies] = [
        [str(option.text) for option in select.iter("option")][1:]
        for select in page.root.iter("select")
        if re.fullmatch("M7-.+-deputy", select.attrib["name"])
    ]
    assert deputies
    assert all(words.endswith("(Lantern Health Network)") for words in deputies)


def test_what_nobody_has_begun_is_named_with_a_link(app: Flask, session: Session) -> None:
    negotiation = set_out(session, template=a_template(an_item("M1"), an_item("M2")))
    negotiation.save("ilena", "M1", words=MARK)
    page = page_of(negotiation, negotiation.country.browser(app, "ilena"))
    assert "Still to be written" in page.text
    [link] = [where for label, where in page.links().items() if label == "Item M2"]
    assert link.endswith("/items/M2/answer?for=shared&then=read")


def test_usual_days_begin_with_the_next_month_and_last_two_years() -> None:
    assert left_to_decide.usual_days(dt.date(2026, 12, 31)) == {
        "start": "2027-01-01",
        "review": "2028-01-01",
        "end": "2028-12-31",
    }
