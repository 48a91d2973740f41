"""Translations of checklists: stored by number, copied, shown, frozen, signed.

In one file: one translation, from loading to the signed text.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock
from xml.etree.ElementTree import Element

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories import checklists
from tests.factories import frozen_texts as texts
from tests.factories.evidence.certificates import make_all, words_of
from tests.factories.evidence.leaves import shown_on, unseen
from tests.factories.negotiations import Negotiation, StoredNegotiation, begin, set_out
from tests.factories.templates import a_field, a_template, an_item, publish, small_terms
from tests.factories.words import arabic_words, publish_with_words
from tests.integration.checklists.test_pages import Users
from tests.pages import Page
from tracker.activity.models import Event, EventDetail
from tracker.agreements import frozen_text as agreements_frozen_text
from tracker.agreements import service as agreements
from tracker.checklist_templates import languages, library, translations
from tracker.checklist_templates.models import (
    ChecklistKind,
    ChecklistTemplate,
    TemplateOrigin,
    TemplateWords,
    WordsOrigin,
)
from tracker.checklist_templates.schema import Template
from tracker.checklists.loading import load
from tracker.core import canonical
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.localized import language_of
from tracker.core.paths import CONTENT
from tracker.oversight import integrity
from tracker.signoff import queries as signoff
from tracker.signoff import service as signoff_service
from tracker.signoff.models import Revision

TERMS = ChecklistKind.TERMS
Statements = Callable[[], AbstractContextManager[list[str]]]


def row(number: int = 90) -> ChecklistTemplate:
    return next(version for version in library.versions(TERMS) if version.version == number)


def stored_words(session: Session, number: int = 90) -> list[TemplateWords]:
    return list(
        session.scalars(
            sa.select(TemplateWords)
            .where(TemplateWords.template_id == row(number).id)
            .order_by(TemplateWords.number)
        )
    )


def in_use(number: int = 90) -> dict[str, str]:
    """Return the items' labels from the Arabic translation in use."""
    template = library.localized(row(number), "ar")
    return {item.code: item.label for item in template.items if language_of(item.label) == "ar"}


def corrected(template: Template, label: str = "أصحّ") -> languages.ChecklistWords:
    """Return a translation in which M1's is better."""
    words = arabic_words(template)
    better = words.items["M1"].model_copy(update={"label": label})
    return words.model_copy(update={"items": words.items | {"M1": better}})


# Loading


def test_the_shipped_words_are_kept_with_their_version_and_digest(session: Session) -> None:
    for file in library.read(CONTENT):
        current_words = translations.current(library.newest(file.template.kind).id)
        assert (
            {word_file.words.language for word_file in file.words} == set(current_words) == {"ar"}
        )
        assert current_words["ar"].number == 1
        assert current_words["ar"].origin is WordsOrigin.SHIPPED
        assert current_words["ar"].digest == canonical.digest_of(current_words["ar"].content)
        assert translations.parsed(current_words["ar"]) == file.words[0].words


def test_words_are_loaded_once_and_recorded(session: Session) -> None:
    template = small_terms()
    messages = publish_with_words(template, arabic_words(template))
    assert messages == [
        "checklist terms, version 90",
        "words of checklist terms, version 90, in ar",
    ]
    assert publish_with_words(template, arabic_words(template)) == []
    (words,) = stored_words(session)
    evidence, details = session.execute(
        sa.select(Event.evidence, EventDetail.content)
        .join(EventDetail, EventDetail.event_id == Event.id)
        .where(Event.subject_id == words.id)
    ).one()
    assert evidence == words.digest == details["digest"]
    assert (details["kind"], details["name"]) == ("words", "terms 90 ar")
    assert details["version"] == 1


def test_a_corrected_translation_is_added_and_the_version_stays(session: Session) -> None:
    template = small_terms()
    publish_with_words(template, arabic_words(template))
    before = row().digest
    assert in_use()["M1"] == "عربي Item M1"
    publish_with_words(template, corrected(template))
    assert [words.number for words in stored_words(session)] == [1, 2]
    assert stored_words(session)[0].content["items"]["M1"]["label"] == "عربي Item M1"
    assert in_use()["M1"] == "أصحّ"
    assert row().digest == before
    publish_with_words(template, arabic_words(template))
    assert [words.number for words in stored_words(session)] == [1, 2, 3]
    assert in_use()["M1"] == "عربي Item M1"


def test_kept_words_can_be_neither_changed_nor_deleted(session: Session) -> None:
    for statement in (
        sa.update(TemplateWords).values(number=7),
        sa.delete(TemplateWords),
    ):
        with pytest.raises(sa.exc.DBAPIError), session.begin_nested():
            session.execute(statement)
    assert session.scalar(sa.select(sa.func.count()).select_from(TemplateWords)) == 4


def derive(template: Template) -> ChecklistTemplate:
    """Publish a version that is derived from version 90 in this instance."""
    base = row()
    derived = library.add(template.model_copy(update={"version": 91}), TemplateOrigin.DERIVED)
    library.carry(base, derived)
    return derived


def test_a_derived_version_keeps_the_words_of_what_it_left_as_it_was(session: Session) -> None:
    template = small_terms()
    publish_with_words(template, arabic_words(template, "M6"))
    items = [an_item("M1", label="Other words"), an_item("M21"), an_item("M6")]
    unchanged = [item.model_dump(mode="json", by_alias=True) for item in template.items[1:3]]
    derive(a_template(*items, *unchanged))
    assert set(in_use(91)) == {"M2", "M3"}
    (words,) = stored_words(session, 91)
    assert words.origin is WordsOrigin.CARRIED
    assert translations.parsed(words).version == 91
    in_arabic = library.localized(row(91), "ar")
    assert (in_arabic.by_code["M1"].label, language_of(in_arabic.by_code["M1"].label)) == (
        "Other words",
        "en",
    )


def test_corrected_words_reach_a_derived_version_but_not_its_own_ones(session: Session) -> None:
    template = small_terms()
    publish_with_words(template, arabic_words(template))
    derived = derive(small_terms())
    publish_with_words(template, corrected(template))
    assert in_use(91)["M1"] == "أصحّ"
    own = corrected(template, "كلماتنا").model_copy(update={"version": 91})
    translations.take_in(derived, own, WordsOrigin.OWN)
    publish_with_words(template, corrected(template, "أصحّ من ذلك"))
    assert in_use(91)["M1"] == "كلماتنا"
    assert in_use()["M1"] == "أصحّ من ذلك"


def test_words_reach_the_older_versions_that_checklists_run_on(session: Session) -> None:
    publish(small_terms())
    items = [item.model_dump(mode="json", by_alias=True) for item in small_terms().items]
    newer = a_template(items[0] | {"label": "Other words"}, *items[1:], version=91)
    publish_with_words(newer, arabic_words(newer))
    assert set(in_use()) == {item.code for item in newer.items} - {"M1"}
    assert set(in_use(91)) == {item.code for item in newer.items}
    (words,) = stored_words(session)
    assert (words.origin, translations.parsed(words).version) == (WordsOrigin.CARRIED, 90)


def test_this_instances_translation_takes_precedence_over_a_later_shipped_one(
    session: Session,
) -> None:
    template = small_terms()
    publish_with_words(template, arabic_words(template))
    translations.take_in(row(), corrected(template, "كلماتنا"), WordsOrigin.OWN)
    publish_with_words(template, corrected(template, "أصحّ"))
    assert [words.origin for words in stored_words(session)] == [
        WordsOrigin.SHIPPED,
        WordsOrigin.OWN,
        WordsOrigin.SHIPPED,
    ]
    assert in_use()["M1"] == "كلماتنا"


def test_an_untranslated_checklist_is_shown_in_its_own_language(session: Session) -> None:
    publish(small_terms())
    assert in_use() == {}
    assert library.localized(row(), "ar") == library.localized(row(), "en") == small_terms()


# Pages


@pytest.fixture
def spoken(app: Flask, session: Session) -> Negotiation:
    """A cooperation on small terms translated into Arabic, except M2 and M6."""
    negotiation = starting_points.of(app).use("spoken", _spoken).load(session, "spoken")
    session.commit()
    return negotiation


def _spoken() -> StoredNegotiation:
    template = small_terms()
    publish_with_words(template, arabic_words(template, "M2", "M6"))
    negotiation = begin(db.session())
    negotiation.country.organisations["lantern"].languages = ["Arabic"]
    negotiation.session.flush()
    return StoredNegotiation.of(negotiation)


@pytest.fixture
def users(app: Flask, spoken: Negotiation) -> Users:
    return Users(app, spoken)


def in_arabic(users: Users, *firsts: str) -> None:
    for first in firsts:
        users.browser(first).set_cookie("language", "ar")


def element(page: Page, **attributes: str) -> Element:
    """Return the element that has some attributes."""
    elements = [
        element
        for element in page.root.iter()
        if all(element.attrib.get(name) == value for name, value in attributes.items())
    ]
    assert elements, attributes
    return elements[0]


def marked(part: Element) -> list[tuple[str, str]]:
    """Return what is marked as English inside a part of a page: its text and direction."""
    return [
        (" ".join("".join(element.itertext()).split()), element.attrib.get("dir", ""))
        for element in part.iter()
        if element.attrib.get("lang") == "en" and "passage" not in element.attrib.get("class", "")
    ]


def test_a_checklist_is_shown_in_the_readers_language(users: Users) -> None:
    in_arabic(users, "joana", "ilena")
    page = users.page("joana")
    assert page.h1 == "عربي A small checklist"
    assert "عربي What about M1?" in page.text
    assert "What about M2?" in page.text
    english = users.page("samira")
    assert english.h1 == "A small checklist"
    assert "عربي" not in english.text.replace("العربية", "")
    # An untranslated text is marked with its language and direction.
    without = dict(marked(element(page, id="m2")))
    assert without["Item M2"] == without["What about M2?"] == "ltr"
    # Nothing that is translated; the guidance beside it has its own mark.
    assert "عربي Item M1" not in dict(marked(element(page, id="m1")))
    assert not [element for element in english.root.iter("bdi") if "lang" in element.attrib]
    # A form asks in the reader's language.
    form = users.page("ilena", "/items/M1/answer")
    assert form.h1 == "عربي Item M1"
    assert "عربي Words" in form.text
    english = users.page("ilena", "/items/M2/answer")
    shown = dict(marked(element(english, id="content")))
    assert shown["Kind"] == shown["Police station"] == shown["Item M2"] == "ltr"
    # The page about the checklist is in it too.
    page = users.browser("joana").page("/checklists/templates/terms")
    assert page.h1 == "عربي A small checklist"
    assert "عربي For trying out." in page.text
    assert "عربي All of it" in page.text


def test_missing_items_are_named_in_the_readers_language(
    app: Flask, shipped_negotiation: Negotiation
) -> None:
    users = Users(app, shipped_negotiation)
    in_arabic(users, "ilena")
    address = f"/cooperations/{shipped_negotiation.cooperation.reference}"
    assert "الأطراف وولاياتها" in users.browser("ilena").page(address).text
    assert "Parties and mandates" in users.browser("samira").page(address).text


def test_an_answer_saved_in_one_language_reads_in_the_other(users: Users) -> None:
    in_arabic(users, "ilena")
    users.submit("ilena", "/items/M2/answer", kind="police")
    users.negotiation.save("ilena", "M1")
    assert "Police station" in users.page("samira").text
    assert users.negotiation.loaded().sheet.value("M2", "kind") == "police"


def test_every_page_about_a_checklist_opens_in_the_readers_language(users: Users) -> None:
    users.negotiation.settle("M1")
    in_arabic(users, "ilena")
    for rest in (
        "/items/M1/propose",
        "/items/M1/talk",
        "/items/M1/flag",
        "/items/M1/history",
        "/items/M1/comments",
        "/items/M6/leave-out",
        "/revisions",
        "/comments",
    ):
        page = users.page("ilena", rest)
        is_translated = "عربي" in page.text.replace("العربية", "")
        assert is_translated or "M6" in rest or rest == "/comments", rest


def test_a_rules_flag_is_explained_in_the_readers_language(app: Flask, session: Session) -> None:
    limit = {
        "key": "long",
        "above": 90,
        "powers": ["stop"],
        "because": "It is long.",
        "statement": "S7",
        "passage": "settling-terms/independence",
    }
    items = (an_item("M1", a_field("days", "number", limits=[limit])), an_item("M2"))
    template = a_template(*items)
    publish_with_words(template, arabic_words(template))
    users = Users(app, begin(session))
    users.negotiation.save("ilena", "M1", days=120)
    in_arabic(users, "joana")
    assert "عربي It is long." in users.page("joana").text
    assert "عربي It is long." not in users.page("samira").text
    publish_with_words(template, corrected(template))
    session.commit()
    assert "أصحّ" in users.page("joana").text


def test_the_queries_of_a_page_stay_few_in_another_language(
    users: Users, statements: Statements
) -> None:
    users.page("joana")
    with statements() as own:
        users.page("joana")
    in_arabic(users, "joana")
    users.page("joana")
    with statements() as other:
        users.page("joana")
    assert len(other) <= len(own) + 1


# Freezing and signing


def frozen_text(negotiation: Negotiation) -> dict[str, Any]:
    revision = signoff.revisions_of(agreements.SUBJECT, negotiation.checklist().id)[0][0]
    return signoff_service.document_of(revision, None)


def send(negotiation: Negotiation, binding: str = "") -> None:
    agreements.send(
        negotiation["ilena"],
        negotiation.checklist(),
        {body: signatory.user_id for body, signatory in negotiation.signatories.items()},
        binding=binding,
    )
    negotiation.session.commit()


def test_a_text_is_frozen_in_the_languages_of_its_parties(spoken: Negotiation) -> None:
    spoken.agree()
    assert agreements.languages(spoken.loaded()) == {"en": (), "ar": ("M2", "M6")}
    send(spoken)
    text = frozen_text(spoken)
    assert (text["format"], text["languages"]) == ("common-terms/2", ["ar", "en"])
    (words,) = stored_words(spoken.session)
    assert text["template"]["words"] == [{"language": "ar", "number": 1, "digest": words.digest}]
    read = agreements_frozen_text.read(text, "ar")
    assert read.by_code["M1"].label == "عربي Item M1"
    assert language_of(read.by_code["M2"].label) == "en"


def test_a_language_that_no_party_works_in_is_left_out(spoken: Negotiation) -> None:
    spoken.country.organisations["lantern"].languages = ["English", "Portuguese"]
    spoken.session.commit()
    assert agreements.languages(spoken.loaded()) == {"en": ()}


def test_a_language_without_words_is_left_out(session: Session) -> None:
    negotiation = set_out(session, template=small_terms())
    negotiation.country.organisations["npm"].languages = ["ar"]
    session.commit()
    assert agreements.languages(negotiation.loaded()) == {"en": ()}
    assert agreements.binding_by_default(negotiation.loaded()) == "en"


@pytest.mark.parametrize(
    ("npm", "chosen", "binding"),
    [
        ([], "", "en"),
        (["Arabic", "English"], "", "ar"),
        (["French", "English"], "", "en"),
        (["Arabic"], "en", "en"),
        ([], "ar", "ar"),
    ],
)
def test_the_language_that_counts_is_chosen_or_the_first_of_the_npm(
    spoken: Negotiation, npm: list[str], chosen: str, binding: str
) -> None:
    spoken.agree()
    spoken.country.organisations["npm"].languages = npm
    spoken.session.commit()
    send(spoken, chosen)
    assert frozen_text(spoken)["binding_language"] == binding


def test_whoever_sends_chooses_the_language_that_counts(users: Users) -> None:
    users.negotiation.agree()
    users.negotiation.session.commit()
    # A language the text is not in can not count.
    with pytest.raises(RuleBrokenError, match="Choose the binding language"):
        send(users.negotiation, "fr")
    users.negotiation.session.rollback()
    assert users.negotiation.checklist().revision_sent_id is None
    page = users.page("ilena", "/send")
    assert "Which language is binding if they differ?" in page.text
    assert "Not translated yet, so shown in another language: “Item M2”, “Item M6”." in page.text
    signers = {
        f"party_{body}": signatory.user_id
        for body, signatory in users.negotiation.signatories.items()
    }
    users.submit("ilena", "/send", binding="ar", **signers)
    assert frozen_text(users.negotiation)["binding_language"] == "ar"


def test_with_one_language_there_is_nothing_to_choose(users: Users) -> None:
    users.negotiation.agree()
    users.negotiation.country.organisations["lantern"].languages = []
    users.negotiation.session.commit()
    assert "Which language is binding" not in users.page("ilena", "/send").text
    users.submit(
        "ilena",
        "/send",
        **{
            f"party_{body}": signatory.user_id
            for body, signatory in users.negotiation.signatories.items()
        },
    )
    text = frozen_text(users.negotiation)
    assert (text["languages"], text["binding_language"]) == (["en"], "en")


@pytest.fixture
def sent(users: Users) -> Users:
    """The terms are sent; the Arabic text is binding."""
    users.negotiation.go_on("send_in_arabic", _send_in_arabic)
    return users


def _send_in_arabic(negotiation: Negotiation) -> None:
    negotiation.agree()
    send(negotiation, "ar")


def to_sign(sent: Users, first: str) -> Page:
    """Read the text, and go on to the page on which it is signed."""
    addresses = sent.page(first, "/sign").addresses()
    return sent.browser(first).page(next(address for address in addresses if "opened=" in address))


def test_both_pages_of_signing_name_the_language_that_counts(sent: Users) -> None:
    assert "Binding: Arabic" in sent.page("tomas", "/sign").text
    page = to_sign(sent, "tomas")
    facts = [
        "".join(element.itertext())
        for element in page.root.iter("div")
        if element.find("dt") is not None
    ]
    assert any(fact.startswith("Binding languageArabic") for fact in facts)
    assert "The text is frozen in 2 languages." in page.text
    assert "“A small checklist”" in page.text
    # Readers see the text in their own language first, and sign a sentence in it.
    in_arabic(sent, "otto")
    assert "عربي What about M1?" in sent.page("otto", "/sign").text
    assert "What about M1?" in sent.page("otto", "/sign?language=en").text
    assert "«\u2068عربي A small checklist\u2069»" in to_sign(sent, "otto").text


def test_a_text_can_be_read_in_each_of_its_languages(sent: Users) -> None:
    for rest in ("/sign", "/record"):
        page = sent.page("tomas", rest)
        assert "What about M1?" in page.text
        links = page.links()
        assert links["Arabic"].endswith(f"{rest}?language=ar")
        arabic = sent.page("tomas", f"{rest}?language=ar")
        assert "عربي What about M1?" in arabic.text
        part = element(arabic, lang="ar", dir="rtl")
        assert any("عربي" in words for words in part.itertext())
        without = [row for row in arabic.root.iter("bdi") if row.attrib.get("lang") == "en"]
        assert ["".join(row.itertext()) for row in without][:2] == ["Item M2", "What about M2?"]
        assert {row.attrib["dir"] for row in without} == {"ltr"}
    # In an unknown language, it is the one that counts.
    for language in ("fr", "", "../../x", "en-GB"):
        page = sent.page("tomas", f"/record?language={language}")
        assert "عربي What about M1?" in page.text, language


def test_words_that_are_corrected_later_leave_a_frozen_text_as_it_was(sent: Users) -> None:
    publish_with_words(small_terms(), corrected(small_terms()))
    sent.negotiation.session.commit()
    assert "عربي Item M1" in sent.page("tomas", "/record?language=ar").text
    in_arabic(sent, "ilena")
    assert "أصحّ" in sent.page("ilena").text


def test_verbs_keep_what_they_write_in_the_checklists_own_language(users: Users) -> None:
    """Saving in Arabic leaves the same rows as saving in English."""
    in_arabic(users, "ilena")
    users.submit("ilena", "/items/M1/answer", words="كما اتفقنا.")
    (event,) = users.negotiation.events("answer_saved")
    assert event["item"] == "M1"
    loaded = load(users.negotiation.checklist())
    assert loaded.template.by_code["M1"].label == "Item M1"


# The previous format


@pytest.fixture
def first(users: Users) -> Users:
    """The terms were frozen and signed in the first format, and are amended now."""
    users.negotiation.go_on("sign_in_first_format", _sign_in_first_format)
    return users


def _sign_in_first_format(negotiation: Negotiation) -> None:
    negotiation.agree()
    shape = texts.first_shape(texts.first_item("M1"), texts.first_item("M2"))
    shape["signatories"] = [
        {
            "organisation": signatory.organisation_name,
            "organisation_id": str(body),
            "name": signatory.name,
            "office": "",
            "power": "Statutes",
        }
        for body, signatory in negotiation.signatories.items()
    ]
    shape["parties"] = [
        {"id": str(party.organisation_id), "name": party.name, "side": party.side.value}
        for party in load(negotiation.checklist()).parties
    ]
    rest = {key: value for key, value in shape.items() if key not in {"revision", "salt"}}
    with (
        mock.patch.object(signoff_service, "FORMAT", agreements_frozen_text.FIRST),
        mock.patch.object(agreements, "document", return_value=rest),
    ):
        send(negotiation)
    checklists.sign(negotiation.checklist(), *negotiation.signatories.values())
    negotiation.session.commit()


def test_record_and_certificate_say_all_that_a_text_of_the_first_shape_says(first: Users) -> None:
    revision = first.negotiation.session.scalars(sa.select(Revision)).one()
    document = signoff_service.document_of(revision, None)
    assert unseen(document, shown_on(first.page("ilena", "/record")), "en", "en") == []
    (rows,) = make_all().values()
    assert [unseen(document, words_of(row), "en", "en") for row in rows] == [[]]


def test_a_record_in_the_first_shape_reads_as_it_did_in_every_language(first: Users) -> None:
    in_arabic(first, "ilena")
    for reader in ("ilena", "samira"):
        page = first.page(reader, "/record")
        assert page.h1 == "Agreed terms"
        assert "What about M1?" in page.text
        assert "As settled." in page.text
    parts = [
        element
        for element in first.page("ilena", "/record").root.iter("div")
        if "lang" in element.attrib
    ]
    assert [element.attrib["lang"] for element in parts] == ["en"]
    assert "What about M2?" in "".join(parts[0].itertext())
    revision = first.negotiation.session.scalars(sa.select(Revision)).one()
    assert canonical.digest(bytes(revision.document)) == revision.digest


def test_a_text_in_the_first_shape_is_compared_with_what_came_after(first: Users) -> None:
    negotiation = first.negotiation
    agreements.amend(
        negotiation["ilena"], negotiation.checklist(), reason="Better words.", items=["M1"]
    )
    negotiation.session.commit()
    page = first.page("ilena", "/revisions?old=1&new=draft")
    assert "items differ" in page.text
    in_arabic(first, "ilena")
    other = first.page("ilena", "/revisions?old=1&new=draft")
    # Compared in the language that both have, so that a translation isn't a change.
    assert "عربي" not in other.text.replace("العربية", "").replace("عربي A small", "")


def test_the_audit_accepts_both_document_formats(first: Users) -> None:
    negotiation = first.negotiation
    agreements.amend(
        negotiation["ilena"], negotiation.checklist(), reason="Better words.", items=["M1"]
    )
    negotiation.session.commit()
    negotiation.accept("M1", "ilena", "samira", "joana")
    send(negotiation)
    assert frozen_text(negotiation)["format"] == "common-terms/2"
    negotiation.session.commit()
    assert integrity.check_all().finding is None
    page = first.page("ilena", "/revisions?old=1&new=2")
    assert page.h1
