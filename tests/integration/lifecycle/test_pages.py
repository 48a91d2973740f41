"""Opening a cooperation in the browser, in two steps without a script."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.cooperations import Country, copied_country
from tracker.cooperations import queries
from tracker.cooperations.models import Cooperation

Browser = Callable[[str], CheckedClient]


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def browser(app: Flask, country: Country) -> Browser:
    return lambda first: country.browser(app, first)


def head(country: Country, **change: object) -> dict[str, Any]:
    return {
        "title": "Joint monitoring",
        "purpose": "To learn whether safeguards are kept.",
        "organisation_ids": [str(country.id("door"))],
        "starts_on": "2027-01-15",
        "ends_on": "2028-01-14",
        "review_on": "2027-07-15",
        "modes": ["VISIT", "INFO_F"],
        **change,
    }


ANSWERS = {
    "question_npm_passes_restricted": "yes",
    "question_cso_passes_restricted": "no",
    "question_personal_data": "no",
    "question_consent_hard": "not_known",
}


def opened(country: Country) -> list[Cooperation]:
    country.session.expire_all()
    return queries.listing(country.actor("ilena")).cooperations


def test_a_coordinator_opens_a_cooperation_in_two_steps(browser: Browser, country: Country) -> None:
    client = browser("ilena")
    first = client.submit("/cooperations/open", **head(country), step="questions")
    assert "Does the NPM pass anything that is not public" in first.text
    assert "What this cooperation needs, and why" in first.text
    assert opened(country) == []
    carried = client.page("/cooperations/open").form().names
    assert "title" in carried
    second = client.post(
        "/cooperations/open",
        data={**head(country), **ANSWERS, "step": "open"},
        follow_redirects=True,
    )
    assert "“Joint monitoring” is open." in second.text
    assert "Drafting terms" in second.text
    (cooperation,) = opened(country)
    assert cooperation.title == "Joint monitoring"
    assert cooperation.questions == {
        "npm_passes_restricted": "yes",
        "cso_passes_restricted": "no",
        "personal_data": "no",
        "consent_hard": "not_known",
    }


def test_what_was_typed_is_carried_through_both_steps(browser: Browser, country: Country) -> None:
    client = browser("ilena")
    answer = client.submit(
        "/cooperations/open", **head(country, title='A "title" <b>'), step="questions"
    )
    assert 'value="A &#34;title&#34; &lt;b&gt;"' in answer.text
    back = client.post("/cooperations/open", data={**head(country), **ANSWERS, "step": "back"})
    assert 'value="Joint monitoring"' in back.text
    assert "To learn whether safeguards are kept." in back.text
    assert 'value="2027-01-15"' in back.text
    assert back.text.count("checked") == 3


def test_showing_again_takes_the_answers_in(browser: Browser, country: Country) -> None:
    answer = browser("ilena").post(
        "/cooperations/open",
        data={
            **head(country, modes=["SUPP"]),
            "question_unpublished_shared": "no",
            "question_personal_data": "no",
            "step": "questions",
        },
    )
    text = " ".join(answer.text.split())
    assert "Confidentiality: not needed" in text
    assert "Agreed terms: recommended" in text
    assert "begin before they are signed." in text
    assert opened(country) == []


def test_without_a_mode_there_is_nothing_to_ask_and_it_opens_in_p0(
    browser: Browser, country: Country
) -> None:
    client = browser("ilena")
    first = client.submit("/cooperations/open", **head(country, modes=[]), step="questions")
    assert "Show again" not in first.text
    client.post("/cooperations/open", data={**head(country, modes=[]), "step": "open"})
    (cooperation,) = opened(country)
    assert cooperation.stage.value == "P0"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"title": ""}, "Enter a title"),
        ({"title": "x" * 201}, "Use at most 200 characters"),
        ({"purpose": " "}, "Enter what the cooperation is for"),
        ({"purpose": "x" * 5001}, "Use at most"),
        ({"organisation_ids": []}, "Choose at least one civil society organisation"),
        ({"organisation_ids": ["nonsense"]}, "Choose one of the answers"),
        ({"organisation_ids": ["00000000-0000-0000-0000-000000000000"]}, "Choose"),
        ({"modes": ["NOTHING"]}, "Choose one of the answers"),
        ({"starts_on": "yesterday"}, "Enter a date"),
        ({"ends_on": "2027-01-15"}, "The end must come after the start"),
        ({"review_on": "2029-01-01"}, "The review can&#39;t come after the end"),
    ],
)
@pytest.mark.parametrize("step", ["questions", "open"])
def test_a_problem_is_shown_on_the_first_page_and_nothing_is_opened(
    browser: Browser, country: Country, change: dict[str, object], problem: str, step: str
) -> None:
    answer = browser("ilena").post(
        "/cooperations/open", data={**head(country, **change), **ANSWERS, "step": step}
    )
    assert answer.status_code == 200
    assert "There is a problem" in answer.text
    assert problem in answer.text
    assert "To learn whether" in answer.text or "purpose" in change
    assert opened(country) == []


@pytest.mark.parametrize("keys", [["other_npm"], ["court"], ["npm"]])
def test_organisations_that_do_not_fit_are_not_taken(
    browser: Browser, country: Country, keys: list[str]
) -> None:
    chosen = [str(country.id(key)) for key in keys]
    answer = browser("ilena").post(
        "/cooperations/open",
        data={**head(country, organisation_ids=chosen), **ANSWERS, "step": "open"},
    )
    assert "There is a problem" in answer.text
    assert opened(country) == []


def test_an_invalid_answer_is_asked_again(browser: Browser, country: Country) -> None:
    answer = browser("ilena").post(
        "/cooperations/open",
        data={**head(country), **ANSWERS, "question_personal_data": "perhaps", "step": "open"},
    )
    assert "There is a problem" in answer.text
    assert opened(country) == []


@pytest.mark.parametrize("first", ["samira", "tomas", "nadia", "oren", "petra", "ada", "root"])
def test_for_everybody_else_opening_is_refused_with_the_reason(
    browser: Browser, country: Country, first: str
) -> None:
    client = browser(first)
    refused = client.get("/cooperations/open")
    assert refused.status_code == 403
    assert "can open a cooperation" in refused.text
    sent = client.post("/cooperations/open", data={**head(country), **ANSWERS, "step": "open"})
    assert sent.status_code == 403
    assert opened(country) == []


def test_a_stranger_is_sent_to_the_sign_in(client: CheckedClient) -> None:
    assert "/sign-in" in client.get("/cooperations/open").location
