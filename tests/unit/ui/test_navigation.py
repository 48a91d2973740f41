"""The page frame: entries by reader, the organisation one is acting for, signing out."""

import pytest

from tests.factories.ui import ADVOCATE, OPEN_DOOR, Furniture, person
from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.ui.navigation import digest_groups, party_mark

NPM = OrganisationKind.NPM
CSO = OrganisationKind.CSO


def test_an_anonymous_visitor_sees_only_public_entries(furniture: Furniture) -> None:
    links = furniture.page("/").links()
    assert "Guidance" in links
    assert "My work" not in links
    assert links["Sign in"] == "/sign-in"
    assert "Account" not in links


def test_a_page_that_does_not_exist_is_no_entry(furniture: Furniture) -> None:
    furniture.actor = person()
    assert "Register" not in furniture.page("/").links()


def test_the_entry_of_the_page_shown_is_marked(furniture: Furniture) -> None:
    furniture.actor = person()
    assert '<a href="/" aria-current="page">My work</a>' in furniture.page("/").html
    assert '<a href="/gallery" aria-current="page">' in furniture.page("/gallery").html


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        (person(), "Samira Okell, acting for Open Door Legal Aid as coordinator"),
        (
            person(
                ActorMembership(Role.SIGNATORY, ADVOCATE, "Public Advocate", NPM),
                ActorMembership(Role.COORDINATOR, ADVOCATE, "Public Advocate", NPM),
                organisation=ADVOCATE,
            ),
            "Samira Okell, acting for Public Advocate (NPM) as coordinator and signatory",
        ),
        (
            person(ActorMembership(Role.ADMINISTRATOR), organisation=None),
            "Samira Okell, as administrator",
        ),
    ],
)
def test_every_page_says_for_whom_one_acts(furniture: Furniture, actor: Actor, words: str) -> None:
    furniture.actor = actor
    assert words in furniture.page("/").text


def test_changing_whom_one_acts_for_is_offered_only_when_there_is_a_choice(
    furniture: Furniture,
) -> None:
    furniture.actor = person()
    assert "/switch" not in furniture.page("/").addresses()
    furniture.actor = person(
        ActorMembership(Role.MEMBER, OPEN_DOOR, "Open Door Legal Aid", CSO),
        ActorMembership(Role.MEMBER, ADVOCATE, "Public Advocate", NPM),
    )
    assert "/switch" in furniture.page("/").addresses()


def test_signing_out_is_a_form_with_a_token(furniture: Furniture) -> None:
    furniture.actor = person()
    html = furniture.page("/").html
    assert '<form method="post" action="/sign-out"><input type="hidden" name="csrf_token"' in html
    assert "Sign in" not in html


def test_a_name_of_markup_stays_a_name(furniture: Furniture) -> None:
    furniture.actor = person(
        ActorMembership(Role.MEMBER, OPEN_DOOR, "<script>alert(1)</script>", CSO)
    )
    assert "<script>alert" not in furniture.page("/").html


def test_the_language_chooser_offers_the_other_languages_and_redirects_back(
    furniture: Furniture,
) -> None:
    html = furniture.page("/?words=a").html
    assert '<input type="hidden" name="back" value="/?words=a">' in html
    assert (
        '<button class="link" name="language" value="ar" lang="ar" dir="rtl">العربية</button>'
        in html
    )
    assert 'value="en"' not in html


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("Office of the Public Advocate", "PA"),
        ("Open Door Legal Aid", "OD"),
        ("Lantern Health Network", "LH"),
        ("Amnesty", "AM"),
        ("ÖRK", "ÖR"),
        ("منظمة الباب المفتوح", "ما"),
        ("of the", "OT"),
        ("—", "?"),
        ("", "?"),
    ],
)
def test_an_organisation_has_a_mark_of_two_letters(name: str, mark: str) -> None:
    assert party_mark(name) == mark


def test_a_digest_is_shown_in_groups_of_eight() -> None:
    assert digest_groups("8f3a1c075be2904d77") == "8f3a1c07 5be2904d 77"
