"""The page frame: entries by reader, the organisation they are acting for, signing out."""

import pytest

from tests.factories.ui import ADVOCATE, OPEN_TO_ALL, PageFrame, person
from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.ui.navigation import digest_groups, party_mark

NPM = OrganisationKind.NPM
CSO = OrganisationKind.CSO


def test_an_anonymous_visitor_sees_only_public_entries(frame: PageFrame) -> None:
    links = frame.page("/").links()
    assert "Guidance" in links
    assert "My work" not in links
    assert links["Sign in"] == "/sign-in"
    assert "Account" not in links


def test_a_page_that_does_not_exist_is_no_entry(frame: PageFrame) -> None:
    frame.actor = person()
    assert "Register" not in frame.page("/").links()


def test_the_entry_of_the_page_shown_is_marked(frame: PageFrame) -> None:
    frame.actor = person()
    assert '<a href="/" aria-current="page">My work</a>' in frame.page("/").html
    assert '<a href="/gallery" aria-current="page">' in frame.page("/gallery").html


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
def test_every_page_says_for_whom_one_acts(frame: PageFrame, actor: Actor, words: str) -> None:
    frame.actor = actor
    assert words in frame.page("/").text


def test_changing_whom_one_acts_for_is_offered_only_when_there_is_a_choice(
    frame: PageFrame,
) -> None:
    frame.actor = person()
    assert "/switch" not in frame.page("/").addresses()
    frame.actor = person(
        ActorMembership(Role.MEMBER, OPEN_TO_ALL, "Open Door Legal Aid", CSO),
        ActorMembership(Role.MEMBER, ADVOCATE, "Public Advocate", NPM),
    )
    assert "/switch" in frame.page("/").addresses()


def test_signing_out_is_a_form_with_a_token(frame: PageFrame) -> None:
    frame.actor = person()
    html = frame.page("/").html
    assert '<form method="post" action="/sign-out"><input type="hidden" name="csrf_token"' in html
    assert "Sign in" not in html


def test_a_name_of_markup_stays_a_name(frame: PageFrame) -> None:
    frame.actor = person(
        ActorMembership(Role.MEMBER, OPEN_TO_ALL, "<script>alert(1)</script>", CSO)
    )
    assert "<script>alert" not in frame.page("/").html


def test_the_language_chooser_offers_the_other_languages_and_redirects_back(
    frame: PageFrame,
) -> None:
    html = frame.page("/?words=a").html
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
