"""An organisation's own guidance: who writes it, who reads it, and who can't.

In one file: one article of an organisation, read from every side wherever it is shown.
"""

import datetime as dt
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.authoring import BODY, own_article, own_words
from tests.factories.cooperations import bring_in, open_one
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import small_terms
from tests.integration.authoring.conftest import events
from tests.pages import Page
from tests.writing import write_during
from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.authoring import pages
from tracker.authoring.models import OwnArticle, OwnPassage
from tracker.authoring.own_guidance import queries as own_queries
from tracker.authoring.own_guidance import service as own_guidance
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import service as checklists
from tracker.cooperations.models import Party
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError
from tracker.guidance import library
from tracker.search.words import NOTHING, ask

pytestmark = pytest.mark.some_on_postgresql(4)

HOME = "/own-guidance"
Watch = Callable[[], AbstractContextManager[list[str]]]


@dataclass
class OwnGuidance:
    """A cooperation of an NPM with two CSOs, and their browsers."""

    app: Flask
    negotiation: Negotiation

    def __getitem__(self, first: str) -> Actor:
        return self.negotiation[first]

    @property
    def session(self) -> Session:
        return self.negotiation.session

    @property
    def checklist(self) -> str:
        return f"/checklists/{self.negotiation.checklist().id}"

    def browser(self, first: str) -> CheckedClient:
        return self.negotiation.country.browser(self.app, first)

    def page(self, first: str, address: str, status: int = 200) -> Page:
        return self.browser(first).page(address, status)

    def article(self, first: str = "samira", body: str = BODY, **more: Any) -> OwnArticle:
        return own_article(self[first], body, **more)


@pytest.fixture
def place(app: Flask, session: Session) -> OwnGuidance:
    return OwnGuidance(app, set_out(session, template=small_terms()))


def again(place: OwnGuidance, row: OwnArticle) -> OwnArticle:
    article = place.session.scalar(
        sa.select(OwnArticle)
        .where(OwnArticle.id == row.id)
        .execution_options(populate_existing=True)
    )
    assert article is not None
    return article


def passages(place: OwnGuidance, row: OwnArticle) -> list[tuple[str, str, list[str]]]:
    rows = place.session.scalars(
        sa.select(OwnPassage)
        .where(OwnPassage.article_id == row.id)
        .order_by(OwnPassage.number)
        .execution_options(populate_existing=True)
    )
    return [(passage.key, passage.title, passage.items) for passage in rows]


def readers(place: OwnGuidance, row: OwnArticle) -> set[str]:
    """Return who of all people may read an article."""
    return {
        first
        for first in place.negotiation.country.users
        if own_queries.find(place[first], row.id) is not None
    }


OF_THE_DOOR = {"samira", "henrik", "dora"}
OF_THE_NPM = {"ilena", "tomas", "nadia", "oren", "petra"}
OF_THE_LANTERN = {"joana", "leyla", "otto"}


# Writing ---------------------------------------------------------------------------------------


def test_an_article_is_added_with_its_passages_and_items(place: OwnGuidance) -> None:
    row = place.article(body=f"Before.\n\n{BODY}\n\n## Leave out who {{M1 M2}}\n\nNo names.")
    assert (row.organisation_id, row.version) == (place.negotiation.country.id("door"), 1)
    assert (row.lead, row.for_partners, row.withdrawn_at) == ("Before.", False, None)
    assert passages(place, row) == [
        ("within", "Send it within a day", ["M1"]),
        ("passage-2", "Leave out who", ["M1", "M2"]),
    ]


def test_the_trail_names_the_articles_owner_and_nothing_of_its_text(place: OwnGuidance) -> None:
    row = place.article()
    own_guidance.change(
        place["samira"],
        row.id,
        own_words(BODY.replace("same", "next")),
        language="en",
        for_partners=False,
        seen_version=1,
    )
    own_guidance.withdraw(place["samira"], row.id)
    own_guidance.restore(place["samira"], row.id)
    place.session.commit()
    names = [f"own_article_{verb}" for verb in ("added", "changed", "withdrawn", "restored")]
    events_of_articles = [details for name in names for details in events(place.session, name)]
    assert [details["version"] for details in events_of_articles] == [1, 2, 2, 2]
    assert {details["organisation"] for details in events_of_articles} == {"Open Door Legal Aid"}
    assert events_of_articles[0]["digest"] != events_of_articles[1]["digest"]
    assert "day" not in str(events_of_articles)
    assert "pass on" not in str(events_of_articles)


@pytest.mark.parametrize(
    ("body", "mistake"),
    [
        ("Words alone.", "the article has no passage"),
        ("## A {M99}\n\nText.", "there is no item M99 in the checklists"),
        ("## A\n\n<script>alert(1)</script>", "HTML isn't shown"),
        ("## A\n\n" + "x" * 50_000, "longer than 50000 characters"),
    ],
)
def test_a_text_with_mistakes_is_not_added(place: OwnGuidance, body: str, mistake: str) -> None:
    with pytest.raises(ContentError, match=mistake):
        own_guidance.add(place["samira"], own_words(body), language="en", for_partners=False)
    place.session.rollback()
    assert place.session.scalars(sa.select(OwnArticle)).all() == []


@pytest.mark.parametrize(
    ("head", "field"),
    [
        ({"question": ""}, "question"),
        ({"summary": "x" * 1001}, "summary"),
        ({"category": "nothing"}, "category"),
        ({"topics": ()}, "topics"),
        ({"topics": ("nothing",)}, "topics"),
    ],
)
def test_an_article_has_a_question_and_a_place(
    place: OwnGuidance, head: dict[str, Any], field: str
) -> None:
    with pytest.raises(RuleBrokenError) as caught:
        own_guidance.check(own_words(**head))
    assert caught.value.field == field
    assert own_guidance.check(own_words(summary="")).summary == ""


@pytest.mark.parametrize(
    "first", ["henrik", "dora", "joana", "ilena", "vesna", "ada", "root", "marek"]
)
def test_only_coordinators_and_managers_of_the_organisation_change_it(
    place: OwnGuidance, first: str
) -> None:
    row = place.article(for_partners=True)
    actor = place[first]
    acts: tuple[Callable[[], object], ...] = (
        lambda: own_guidance.change(
            actor,
            row.id,
            own_words(question="Mine?"),
            language="en",
            for_partners=True,
            seen_version=1,
        ),
        lambda: own_guidance.withdraw(actor, row.id),
        lambda: own_guidance.restore(actor, row.id),
    )
    for act in acts:
        with pytest.raises(RefusedError):
            act()
        place.session.rollback()
    assert again(place, row).question == own_words().question


@pytest.mark.parametrize("first", ["henrik", "dora", "oren", "ada", "root"])
def test_other_people_cannot_add_one(place: OwnGuidance, first: str) -> None:
    with pytest.raises(RefusedError, match="Coordinators and managers"):
        own_guidance.add(place[first], own_words(), language="en", for_partners=False)


def test_a_manager_writes_too(place: OwnGuidance) -> None:
    assert place.article("nadia").organisation_id == place.negotiation.country.id("npm")


@pytest.mark.both_databases
def test_two_simultaneous_changes_do_not_overwrite_each_other(place: OwnGuidance) -> None:
    row = place.article()

    def save(question: str, seen: int | None) -> None:
        own_guidance.change(
            place["samira"],
            row.id,
            own_words(question=question),
            language="en",
            for_partners=False,
            seen_version=seen,
        )
        place.session.commit()

    save("First?", 1)
    for seen in (1, None, 3):
        with pytest.raises(StaleError):
            save("Second?", seen)
        place.session.rollback()
    assert (again(place, row).question, again(place, row).version) == ("First?", 2)
    with pytest.raises(RuleBrokenError, match="Nothing is different"):
        save("First?", 2)


def test_a_withdrawn_article_is_kept_and_can_be_restored(place: OwnGuidance) -> None:
    row = place.article(for_partners=True)
    own_guidance.withdraw(place["samira"], row.id)
    place.session.commit()
    assert readers(place, row) == {"samira"}
    with pytest.raises(RuleBrokenError, match="already been withdrawn"):
        own_guidance.withdraw(place["samira"], row.id)
    place.session.rollback()
    own_guidance.restore(place["samira"], row.id)
    place.session.commit()
    assert readers(place, row) == OF_THE_DOOR | OF_THE_NPM | OF_THE_LANTERN
    with pytest.raises(RuleBrokenError, match="not withdrawn"):
        own_guidance.restore(place["samira"], row.id)


# Who reads it ----------------------------------------------------------------------------------


def test_without_a_word_for_partners_it_stays_in_the_organisation(place: OwnGuidance) -> None:
    assert readers(place, place.article()) == OF_THE_DOOR
    assert readers(place, place.article("nadia", question="Ours?")) == OF_THE_NPM


def test_partners_read_a_shared_article(place: OwnGuidance) -> None:
    row = place.article(for_partners=True)
    # Not another NPM, a CSO without a common cooperation, an auditor or an administrator.
    assert readers(place, row) == OF_THE_DOOR | OF_THE_NPM | OF_THE_LANTERN


def test_a_member_of_a_partner_reads_it_while_taking_part(place: OwnGuidance) -> None:
    country = place.negotiation.country
    row = place.article(for_partners=True)
    country.person("Ruth Abara", "npm", Role.MEMBER)
    place.session.commit()
    assert "ruth" not in readers(place, row)
    bring_in(country, place.negotiation.cooperation, "ruth")
    place.session.commit()
    assert "ruth" in readers(place, row)


def test_another_cooperation_makes_other_partners(place: OwnGuidance) -> None:
    country = place.negotiation.country
    row = place.article("marek", for_partners=True)
    assert readers(place, row) == {"marek"}
    open_one(country, "bridge")
    place.session.commit()
    assert {"ilena", "nadia", "tomas", "marek"} <= readers(place, row)
    assert readers(place, row).isdisjoint(OF_THE_DOOR | OF_THE_LANTERN)


@pytest.mark.parametrize("leaves", ["door", "lantern"])
def test_a_party_that_left_the_cooperation_is_no_longer_a_partner(
    place: OwnGuidance, leaves: str
) -> None:
    row = place.article(for_partners=True)
    party = place.session.scalars(
        sa.select(Party).where(Party.organisation_id == place.negotiation.country.id(leaves))
    ).one()
    party.left_on = clock.today() - dt.timedelta(days=1)
    place.session.commit()
    expected = OF_THE_DOOR if leaves == "door" else OF_THE_DOOR | OF_THE_NPM
    assert readers(place, row) == expected
    party.left_on = clock.today()
    place.session.commit()
    assert "joana" in readers(place, row)


def test_other_roles_of_a_person_give_no_access(place: OwnGuidance) -> None:
    row = place.article(for_partners=True)
    hers = place["joana"]
    auditor = ActorMembership(
        Role.AUDITOR, place.negotiation.country.id("court"), "", OrganisationKind.OTHER,
        audits_id=place.negotiation.country.id("npm"),
    )  # fmt: skip
    for memberships, organisation in (
        ((auditor,), auditor.organisation_id),
        ((*hers.memberships, auditor), auditor.organisation_id),
        ((ActorMembership(Role.ADMINISTRATOR),), None),
        (hers.memberships, None),
    ):
        actor = replace(hers, memberships=memberships, organisation_id=organisation)
        assert own_queries.find(actor, row.id) is None
        assert own_queries.in_library(actor, NOTHING) == []
        assert own_queries.beside(actor, place.negotiation.cooperation.id) == {}


# Beside items ----------------------------------------------------------------------------------


def test_it_is_shown_beside_its_items_with_its_organisation(place: OwnGuidance) -> None:
    place.article(for_partners=True)
    for first in ("dora", "oren", "leyla"):
        page = place.page(first, place.checklist)
        assert "Guidance of Open Door Legal Aid" in page.text
        assert page.text.count("Write it down on the same day.") == 1
    form = place.page("joana", f"{place.checklist}/items/M1/answer")
    assert "Write it down on the same day." in form.text
    assert "Write it down" not in place.page("ilena", f"{place.checklist}/items/M2/answer").text


def test_other_people_do_not_see_it_beside_any_item(place: OwnGuidance) -> None:
    place.article()
    place.article("ilena", BODY.replace("same", "very"), question="Ours?")
    page = place.page("joana", place.checklist)
    assert "Write it down" not in page.text
    assert "Guidance of" not in page.text
    page = place.page("ilena", place.checklist)
    assert "Write it down on the very day." in page.text
    assert "Guidance of Open Door" not in page.text
    auditor = place.page("ada", place.checklist)
    assert "Write it down" not in auditor.text


def test_a_partner_of_another_cooperation_is_not_beside_the_items_of_this_one(
    place: OwnGuidance,
) -> None:
    place.article("marek", for_partners=True)
    other = open_one(place.negotiation.country, "bridge")
    place.session.commit()
    assert own_queries.beside(place["ilena"], other.id)["M1"][0].organisation == (
        "Bridge Families Association"
    )
    assert own_queries.beside(place["ilena"], place.negotiation.cooperation.id) == {}


def test_a_withdrawn_one_is_shown_beside_no_item(place: OwnGuidance) -> None:
    row = place.article(for_partners=True)
    own_guidance.withdraw(place["samira"], row.id)
    place.session.commit()
    assert own_queries.beside(place["samira"], place.negotiation.cooperation.id) == {}


# In the library --------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_the_library_lists_it_for_its_readers_alone(
    place: OwnGuidance, client: CheckedClient
) -> None:
    row = place.article(question="Zebra paths?", for_partners=True)
    for first in ("samira", "oren", "joana"):
        page = place.page(first, "/guidance")
        assert page.links()["Zebra paths?"] == f"{HOME}/{row.id}"
        assert "Guidance of Open Door Legal Aid." in page.text
        assert "5 articles" in page.text
    for first in ("marek", "vesna", "ada", "root"):
        assert "Zebra" not in place.page(first, "/guidance").text
    assert "4 articles" in client.page("/guidance").text


@pytest.mark.both_databases
def test_keywords_find_it_in_question_summary_and_text(place: OwnGuidance) -> None:
    row = place.article(
        body="## Go {#go M1}\n\nThe *harbour* pilot waits at [the pier](https://pier.example).",
        question="Zebra paths?",
        summary="Of café tables.",
    )
    for typed in ("ZEBRA", "cafe tab", "harbour PIL", "zebra pier", "m1"):
        page = place.page("dora", f"/guidance?q={typed}")
        assert page.links()["".join(page_words(page, "Zebra paths?"))].startswith(
            f"{HOME}/{row.id}?q="
        )
    assert "Zebra" not in place.page("dora", "/guidance?q=zebra+missing").text
    page = place.page("dora", "/guidance?q=harbour")
    assert page.links()["1. Go"] == f"{HOME}/{row.id}?q=harbour#go"
    assert "<mark>harbour</mark>" in page.html
    shown = place.page("dora", f"{HOME}/{row.id}?q=harbour")
    assert "<mark>harbour</mark>" in shown.html


def page_words(page: Page, wanted: str) -> list[str]:
    """Return the text of a link, which highlighting may split."""
    return [words for words in page.links() if words.replace(" ", "") == wanted.replace(" ", "")]


def test_counts_beside_choices_count_what_the_reader_may_see(place: OwnGuidance) -> None:
    place.article(category="npm-models", topics=("finances",))
    assert "NPM Models 1" in place.page("dora", "/guidance").links()
    assert "NPM Models 0" in place.page("joana", "/guidance").links()
    assert "1 article in NPM Models" in place.page("dora", "/guidance?category=npm-models").text
    assert "0 articles in NPM Models" in place.page("joana", "/guidance?category=npm-models").text


@pytest.mark.parametrize("first", ["joana", "marek", "vesna", "ada", "root", "ilena", None])
def test_other_organisations_articles_change_no_byte_of_a_persons_pages(
    place: OwnGuidance, client: CheckedClient, first: str | None
) -> None:
    word = secrets.token_hex(8)
    browser = client if first is None else place.browser(first)
    addresses = [
        "/guidance",
        "/guidance?q=day",
        "/guidance?q=confidentiality+visit",
        f"/guidance?q={word}",
        "/guidance?category=engaging-with-others",
    ]

    def bodies() -> list[str]:
        texts = (browser.get(address).get_data(as_text=True) for address in addresses)
        # A form's token differs each time.
        return [Page(text, "/").text for text in texts]

    before = bodies()
    row = place.article(
        body=f"## {word} {{M1}}\n\nConfidentiality of the visit, each day: {word}.",
        question=f"{word} day?",
    )
    place.session.commit()
    assert bodies() == before
    assert browser.get(f"{HOME}/{row.id}").status_code in {302, 404}


@pytest.mark.both_databases
def test_the_library_and_a_checklist_ask_as_many_queries_for_many_as_for_few(
    place: OwnGuidance, statements: Watch
) -> None:
    browser = place.browser("ilena")
    addresses = ("/guidance", "/guidance?q=day", place.checklist, HOME)

    def counts() -> list[int]:
        sent = []
        for address in addresses:
            browser.get(address)
            with statements() as seen:
                browser.get(address)
            sent.append(len(seen))
        return sent

    place.article(for_partners=True)
    place.article("ilena", question="Ours?")
    few = counts()
    for number in range(6):
        for first in ("samira", "joana", "ilena"):
            place.article(
                first,
                "\n\n".join(f"## Day {n} {{M1 M2}}\n\nEach day." for n in range(4)),
                for_partners=True,
                question=f"Number {number} of {first}?",
            )
    assert counts() == few


# Pages -----------------------------------------------------------------------------------------


def test_the_whole_way_from_writing_to_withdrawn(place: OwnGuidance) -> None:
    samira = place.browser("samira")
    assert "Your organisation hasn't written anything here yet." in samira.page(HOME).text
    fields: dict[str, Any] = {
        "question": "How do we pass it on?",
        "category": "engaging-with-others",
        "topics": ["finances", "visit-reports"],
        "text": BODY.replace("same", "**same**"),
    }
    previewed = Page.of(samira.submit(f"{HOME}/new", **fields, step="preview"))
    assert "<strong>same</strong>" in previewed.html
    assert "Paired with Item M1" in previewed.text
    assert place.session.scalars(sa.select(OwnArticle)).all() == []
    sent = previewed.form().filled_in(step="save")
    done = samira.post(f"{HOME}/new", data=sent, csrf=False, follow_redirects=True)
    page = Page.of(done)
    assert page.h1 == "How do we pass it on?"
    assert "For our organisation only" in page.text
    address = done.request.path
    changed = Page.of(
        samira.submit(f"{address}/change", for_partners="y", summary="In short.", step="save")
    )
    assert "For us and our partners" in changed.text
    assert place.page("joana", address).h1 == "How do we pass it on?"
    assert "Withdraw" not in place.page("joana", address).text
    gone = Page.of(samira.post(f"{address}/withdraw", follow_redirects=True))
    assert "This article is withdrawn." in gone.text
    assert place.browser("joana").get(address).status_code == 404
    assert place.browser("dora").get(address).status_code == 404
    assert "Withdrawn" in samira.page(HOME).text
    back = Page.of(samira.post(f"{address}/restore", follow_redirects=True))
    assert "The article is shown again." in back.text
    again_ = Page.of(samira.post(f"{address}/restore", follow_redirects=True))
    assert "This article is not withdrawn." in again_.text


def test_others_can_write_while_a_text_is_parsed_and_previewed(
    place: OwnGuidance, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{HOME}/{place.article().id}/change"
    calls = write_during(monkeypatch, (library, "read_own_body"), (pages, "text_view"))
    browser = place.browser("samira")
    page = Page.of(browser.submit(address, text=f"{BODY}\n\nMore.", step="preview"))
    assert page.root.find(".//ins") is not None
    assert calls == ["read_own_body", "text_view"]
    calls.clear()
    page = Page.of(browser.submit(address, text=f"{BODY}\n\nMore."))
    assert "The article is saved." in page.text
    assert calls == ["read_own_body", "read_own_body", "text_view"]


def test_mistakes_are_shown_beside_the_text_and_nothing_typed_is_lost(place: OwnGuidance) -> None:
    samira = place.browser("samira")
    text = "## One {M99}\n\n<b>so</b>"
    page = Page.of(samira.submit(f"{HOME}/new", question="How?", text=text, step="save"))
    assert "There is a problem" in page.text
    fields: dict[str, Any] = {
        "question": "How?",
        "category": "activities",
        "topics": ["finances"],
        "text": text,
    }
    page = Page.of(samira.submit(f"{HOME}/new", **fields, step="save"))
    assert "Line 1: there is no item M99 in the checklists" in page.text
    assert "Line 3: HTML isn't shown; write Markdown" in page.text
    assert page.form().values["text"] == [text]
    assert page.form().values["topics"] == ["finances"]
    assert "<b>so</b>" not in page.html


def test_somebody_elses_save_is_shown_beside_ones_own_text(place: OwnGuidance) -> None:
    row = place.article()
    samira = place.browser("samira")
    address = f"{HOME}/{row.id}/change"
    sent = samira.page(address).form().filled_in(text=BODY.replace("same", "late"), step="save")
    own_guidance.change(
        place["samira"],
        row.id,
        own_words(BODY.replace("same", "early")),
        language="en",
        for_partners=False,
        seen_version=1,
    )
    place.session.commit()
    page = Page.of(samira.post(address, data=sent, csrf=False))
    assert "Somebody else changed this article while you were writing." in page.text
    assert "late" in page.form().values["text"][0]
    assert "early" in page.text
    assert page.form().values["version"] == ["2"]
    sent = page.form().filled_in(step="save")
    assert samira.post(address, data=sent, csrf=False).status_code == 303
    assert "late" in again(place, row).body


def test_a_text_is_downloaded_as_it_was_written(place: OwnGuidance) -> None:
    row = place.article()
    response = place.browser("samira").get(f"{HOME}/{row.id}/file")
    assert response.mimetype == "text/markdown"
    assert response.text == f"# {row.question}\n\n{BODY}\n"


def test_an_article_in_arabic_says_its_direction(place: OwnGuidance) -> None:
    row = own_guidance.add(
        place["samira"],
        own_words("## العنوان {M1}\n\nقبل العمل", question="كيف نعمل؟"),
        language="ar",
        for_partners=True,
    )
    place.session.commit()
    html = place.browser("dora").get(f"{HOME}/{row.id}").text
    assert '<article class="article" lang="ar" dir="rtl"' in html
    assert "كيف نعمل؟" in place.page("dora", "/guidance?q=قبل").text


@pytest.mark.few_on_postgresql(3)
@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("first", "status"),
    [
        ("dora", 403),
        ("henrik", 403),
        ("joana", 403),
        ("ilena", 403),
        ("marek", 404),
        ("vesna", 404),
        ("ada", 404),
        ("root", 404),
    ],
)
def test_readers_are_refused_and_other_people_get_404(
    place: OwnGuidance, first: str, status: int
) -> None:
    row = place.article(for_partners=True)
    browser = place.browser(first)
    for method, address in (
        ("GET", f"{HOME}/{row.id}/change"),
        ("POST", f"{HOME}/{row.id}/change"),
        ("GET", f"{HOME}/{row.id}/file"),
        ("POST", f"{HOME}/{row.id}/withdraw"),
        ("POST", f"{HOME}/{row.id}/restore"),
    ):
        assert browser.open(address, method=method).status_code == status, address
    assert browser.get(f"{HOME}/{row.id}").status_code == (200 if status == 403 else 404)
    writes = first in {"joana", "ilena", "marek", "vesna"}
    for address in (HOME, f"{HOME}/new"):
        assert browser.get(address).status_code == (200 if writes else 403)
    assert (HOME in browser.page("/").addresses()) is writes


def test_an_answer_under_own_guidance_is_saved_as_ever(place: OwnGuidance) -> None:
    place.article(for_partners=True)
    saved = checklists.save_answer(
        place["ilena"],
        place.negotiation.checklist(),
        "M1",
        AnswerScope.SHARED,
        {"words": "So."},
        base_version=0,
    )
    place.session.commit()
    assert saved.version == 1
    assert "So." in place.page("joana", place.checklist).text


@pytest.mark.both_databases
def test_own_articles_of_one_search_come_with_the_words_in_their_question_first(
    place: OwnGuidance,
) -> None:
    place.article(question="A path?", body="## A {M1}\n\nZebra crossing.")
    place.article(question="Zebra?", body="## B {M1}\n\nNothing else.")
    articles = own_queries.in_library(place["dora"], ask("zebra"))
    assert [article.question for article in articles] == ["Zebra?", "A path?"]
    assert [article.uses for article in articles] == [1, 1]
