"""Organisations: added, changed, and who sees them."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.at_once import before_commit
from tests.client import CheckedClient
from tests.factories.accounts import People, make_people, signed_in
from tests.pages import Page
from tracker.access.actor import OrganisationKind
from tracker.activity.models import Event, EventDetail
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.organisations import queries, service
from tracker.organisations.models import Organisation
from tracker.organisations.service import Details, ResemblanceError

BrowserOf = Callable[[str], CheckedClient]
NOBODY = "00000000-0000-4000-8000-000000000000"
CSO = {"name": "Age With Rights", "types": ["vulnerable_groups"]}


@pytest.fixture
def people(session: Session) -> People:
    return make_people(session)


@pytest.fixture
def browser_of(people: People, browsers: Callable[[], CheckedClient]) -> BrowserOf:
    return lambda key: signed_in(browsers(), key)


def test_an_administrator_adds_a_cso_with_its_types(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    ada = browser_of("ada")
    wrong_page = ada.submit("/organisations/new", kind="cso")
    assert wrong_page.request.path == "/organisations/new/cso"
    response = ada.submit(
        "/organisations/new/cso",
        name="  Age   With Rights ",
        types=["vulnerable_groups", "other"],
        other_type="Neighbours of homes",
        languages=["en"],
        other_languages="French, arabic ,, French",
        country="Maravena",
        litigates="y",
    )
    page = Page.of(response)
    assert page.h1 == "Age With Rights"
    assert "For a particular group in a vulnerable situation; Neighbours of homes" in page.text
    assert "English, Arabic, French" in page.text
    organisation = session.query(Organisation).filter_by(name="Age With Rights").one()
    assert organisation.mark == "AW"
    assert organisation.languages == ["en", "ar", "French"]
    assert organisation.litigates
    assert not organisation.represents_staff
    event = session.query(Event).filter_by(verb="organisation_added").all()[-1]
    assert session.get_one(EventDetail, event.id).content["name"] == "Age With Rights"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": ""}, "Enter the name"),
        ({"name": "open door LEGAL aid"}, "There's already an organisation with this name"),
        ({"name": "x" * 300}, "Use at most 200 characters"),
        ({"types": []}, "Choose at least one type"),
        ({"types": ["nonsense"]}, "Choose one of the answers offered"),
        ({"types": ["other"]}, "Say what other type it is"),
        ({"mandate": "x" * 6000}, "Use at most 5000 characters"),
        ({"country": "x" * 81}, "Use at most 80 characters"),
        ({"languages": ["xx"]}, "Choose one of the answers offered"),
    ],
)
def test_bad_input_says_why_and_adds_nothing(
    people: People,
    browser_of: BrowserOf,
    session: Session,
    changed: dict[str, object],
    message: str,
) -> None:
    before = session.query(Organisation).count()
    response = browser_of("ada").post("/organisations/new/cso", data={**CSO, **changed})
    assert message in Page.of(response).text
    session.rollback()
    assert session.query(Organisation).count() == before


def test_an_npm_has_no_types(people: People, session: Session) -> None:
    organisation = service.add(
        None,
        OrganisationKind.NPM,
        Details(name="Prevention Council", types=["families"], litigates=True, mandate="Law 12"),
    )
    assert organisation.types == []
    assert not organisation.litigates
    assert organisation.mandate == "Law 12"


@pytest.mark.both_databases
def test_marks_differ_where_names_allow(people: People, session: Session) -> None:
    organisation = service.add(
        None, OrganisationKind.CSO, Details(name="Open Data Watch", types=["other"], other_type="x")
    )
    assert organisation.mark == "ODW"


def test_a_change_is_recorded_by_what_changed_and_not_its_words(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    path = f"/organisations/{people.organisations['door']}/change"
    browser_of("ada").submit(path, country="Maravena", expertise="Law of detention")
    event = session.query(Event).filter_by(verb="organisation_changed").one()
    assert session.get_one(EventDetail, event.id).content["changed"] == ["country", "expertise"]
    stored = session.get_one(Organisation, people.organisations["door"], populate_existing=True)
    assert stored.version == 2


@pytest.mark.both_databases
def test_the_later_of_two_saves_is_stopped_with_both_values_shown(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    ada = browser_of("ada")
    path = f"/organisations/{people.organisations['door']}/change"
    form = ada.page(path).form()
    ada.submit(path, country="Maravena")
    late = ada.post(path, data=form.filled_in(country="Tressia"), csrf=False)
    page = Page.of(late)
    assert "Two people changed this at the same time." in page.text
    assert "Maravena" in page.text
    assert page.form().values["country"] == ["Tressia"]
    ada.post(path, data=page.form().values, csrf=False)
    stored = session.get_one(Organisation, people.organisations["door"], populate_existing=True)
    assert stored.country == "Tressia"


def test_languages_typed_by_name_earlier_are_chosen_and_others_kept(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    stored = session.get_one(Organisation, people.organisations["door"])
    stored.languages = ["Arabic", "Spanish"]
    session.commit()
    ada, path = browser_of("ada"), f"/organisations/{stored.id}"
    assert "Arabic, Spanish" in ada.page(path).text
    values = ada.page(f"{path}/change").form().values
    assert values["languages"] == ["ar"]
    assert values["other_languages"] == ["Spanish"]
    ada.submit(f"{path}/change", country="Maravena")
    session.refresh(stored)
    assert stored.languages == ["ar", "Spanish"]
    assert "Arabic, Spanish" in ada.page(path).text


def test_the_first_language_of_an_organisation_stays_the_first(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    stored = session.get_one(Organisation, people.organisations["npm"])
    stored.languages = ["Arabic"]
    session.commit()
    browser_of("ada").submit(f"/organisations/{stored.id}/change", languages=["en", "ar"])
    session.refresh(stored)
    assert stored.languages == ["ar", "en"]


def test_languages_somebody_else_saved_are_shown_by_their_names(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    path = f"/organisations/{people.organisations['door']}/change"
    form = ada.page(path).form()
    ada.submit(path, languages=["en", "ar"], other_languages="French")
    late = Page.of(ada.post(path, data=form.filled_in(languages=["en"]), csrf=False))
    assert "English, Arabic" in late.text
    assert "French" in late.text


@pytest.mark.parametrize("version", [None, 0, 7])
def test_a_version_nobody_saw_is_stale(
    people: People, session: Session, version: int | None
) -> None:
    with pytest.raises(StaleError):
        service.change(
            people.actor("ada"),
            people.organisations["door"],
            Details(name="Open Door", types=["families"]),
            seen_version=version,
        )


def test_nothing_changed_is_no_change(people: People, session: Session) -> None:
    stored = session.get_one(Organisation, people.organisations["door"])
    service.change(
        people.actor("ada"),
        stored.id,
        Details(name=stored.name, types=stored.types),
        seen_version=stored.version,
    )
    assert session.query(Event).filter_by(verb="organisation_changed").count() == 0


@pytest.mark.parametrize("name", ["Visit evil.example", "O\u0440en Door", "x" * 201])
def test_a_name_that_cannot_be_one_is_refused_in_both_fields_unless_it_was_stored_before(
    people: People, session: Session, name: str
) -> None:
    door = session.get_one(Organisation, people.organisations["door"])

    def save(name: str, short_name: str) -> None:
        service.change(
            people.actor("ada"),
            door.id,
            Details(name, short_name, types=door.types),
            seen_version=door.version,
        )

    for field, names in (("name", (name, "Door")), ("short_name", (door.name, name))):
        with pytest.raises(RuleBrokenError) as caught:
            save(*names)
        assert caught.value.field == field
    door.name, door.short_name = name, name[:60]
    save(door.name, door.short_name)


def test_a_name_is_not_changed_to_one_that_is_taken(people: People, session: Session) -> None:
    with pytest.raises(RuleBrokenError) as caught:
        service.change(
            people.actor("ada"),
            people.organisations["door"],
            Details(name="Lantern Health Network", types=["families"]),
            seen_version=1,
        )
    assert caught.value.field == "name"


def test_a_name_that_looks_like_another_organisations_is_stored_once_the_person_says_it_is_another(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    people.add_organisation("similar", "\u041e\u0420\u0415\u041d aid", OrganisationKind.CSO)
    session.commit()
    ada, names = browser_of("ada"), ("Open Door Legal-Aid", "OPEH Aid")
    resembled = {names[0]: "Open Door Legal Aid", names[1]: "\u041e\u0420\u0415\u041d aid"}
    asked_before: dict[str, list[str]] = {}
    for name in names:
        sent = CSO | {"name": name, "short_name": "", "is_another": "y"} | asked_before
        page = Page.of(ada.post("/organisations/new/cso", data=sent))
        # Also if the person said so of the organisation that the form before named.
        assert f"looks like that of another organisation: {resembled[name]}" in page.text
        form = page.form()
        assert form.filled_in()["name"] == [name]
        assert "is_another" not in form.filled_in()
        asked_before = {"resembles": form.filled_in()["resembles"]}
    assert session.query(Organisation).filter(Organisation.name.in_(names)).count() == 0
    sent = CSO | {"name": names[1], "short_name": "", "is_another": "y"} | asked_before
    assert ada.post("/organisations/new/cso", data=sent).status_code == 302
    added = session.query(Organisation).filter_by(name=names[1]).one()
    # What is stored stays without a question; a new name is asked about.
    address = f"/organisations/{added.id}/change"
    ada.submit(address, country="Maravena")
    session.refresh(added)
    assert added.country == "Maravena"
    page = Page.of(ada.submit(address, short_name="\u00d3pen-Door Legal aid"))
    assert "looks like that of another organisation: Open Door Legal Aid" in page.text
    assert ada.post(address, data=page.form().filled_in(is_another="y")).status_code == 302
    session.refresh(added)
    assert added.short_name == "\u00d3pen-Door Legal aid"
    # The trail has what each was said not to be.
    events = session.query(Event).filter_by(subject_id=added.id).order_by(Event.number)
    details = [session.get_one(EventDetail, event.id).content for event in events]
    similar, door = (people.organisations[key] for key in ("similar", "door"))
    assert [content.get("another_than") for content in details] == [
        {str(similar): "\u041e\u0420\u0415\u041d aid"},
        None,
        {str(door): "Open Door Legal Aid"},
    ]


@pytest.mark.both_databases
def test_of_two_names_that_look_alike_and_are_stored_at_the_same_moment_the_second_is_asked_about(
    app: Flask, people: People, session: Session
) -> None:
    ada, door = people.actor("ada"), people.organisations["door"]
    session.commit()

    def add(name: str, short_name: str = "") -> None:
        service.add(ada, OrganisationKind.CSO, Details(name, short_name, types=["families"]))

    def rename() -> None:
        details = Details("Opal House", types=["families"])
        service.change(ada, door, details, seen_version=1)

    for change, act, resembled in (
        (lambda: add("Harbour"), lambda: add("H\u00e1rbour"), "Harbour"),
        (lambda: add("Cedar"), lambda: add("Tree", "CEDAR"), "Cedar"),
        (rename, lambda: add("OPALHOUSE"), "Opal House"),
        (lambda: add("Lime"), lambda: add("lime"), None),
    ):
        (refused,) = before_commit(app, change, act)
        if resembled is None:
            assert isinstance(refused, RuleBrokenError)
            assert refused.field == "name"
        else:
            assert isinstance(refused, ResemblanceError)
            assert session.get_one(Organisation, refused.other_id).name == resembled
            session.rollback()


# Seen from each side ------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["samira", "ilena", "nadia", "dora", "joana"])
def test_others_see_their_own_and_change_none(
    people: People, browser_of: BrowserOf, who: str
) -> None:
    browser = browser_of(who)
    home = people.actor(who).organisation_id
    assert browser.get("/organisations").status_code == 403
    assert browser.get("/organisations/new").status_code == 403
    assert browser.post("/organisations/new/cso", data=CSO).status_code == 403
    for organisation_id in people.organisations.values():
        own = organisation_id == home
        page = f"/organisations/{organisation_id}"
        assert browser.get(page).status_code == (200 if own else 404)
        assert browser.get(f"{page}/change").status_code == (403 if own else 404)
        sent = browser.post(f"{page}/change", data=CSO)
        assert sent.status_code == (403 if own else 404)


@pytest.mark.parametrize("unknown", ["nonsense", NOBODY, "0", "x" * 300])
def test_an_unknown_organisation_is_not_there(
    people: People, browser_of: BrowserOf, unknown: str
) -> None:
    ada = browser_of("ada")
    assert ada.get(f"/organisations/{unknown}").status_code == 404
    assert ada.get(f"/organisations/{unknown}/change").status_code == 404
    assert ada.get(f"/organisations/new/{unknown}").status_code == 404


def test_the_verbs_ask_again_without_their_pages(people: People, session: Session) -> None:
    for who in ("samira", "ilena", "nadia", "dora"):
        with pytest.raises(RefusedError):
            service.add(people.actor(who), OrganisationKind.NPM, Details(name="Mine"))
        for key in ("door", "npm"):
            with pytest.raises(RefusedError):
                service.change(
                    people.actor(who),
                    people.organisations[key],
                    Details(name="Mine", types=["families"]),
                    seen_version=1,
                )


@pytest.mark.both_databases
def test_the_list_is_searched_and_narrowed(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    page = ada.page("/organisations?q=legal+door")
    assert "Open Door Legal Aid" in page.text
    assert "Lantern" not in page.text
    narrowed = ada.page("/organisations?kind=npm")
    assert "One organisation" in narrowed.text
    assert "Open Door" not in narrowed.text
    for hostile in ("%", "_", "\\", "' or 1=1"):
        assert "No organisations found" in ada.page(f"/organisations?q={hostile}").text


def test_npm_coordinators_choose_parties_and_nobody_else(people: People, session: Session) -> None:
    offered = queries.possible_parties(people.actor("ilena"))
    assert {organisation.name for organisation in offered} == {
        "Office of the People's Advocate",
        "Open Door Legal Aid",
        "Lantern Health Network",
    }
    for who in ("samira", "ada", "dora"):
        assert queries.possible_parties(people.actor(who)) == []
