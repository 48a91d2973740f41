"""All that an undertaking contains is shown wherever it is signed, confirmed or countersigned."""

from typing import Any

import pytest
from flask import Flask

from tests import starting_points
from tests.factories import undertakings
from tests.factories import undertakings_on_paper as on_paper
from tests.factories import undertakings_taken as taken
from tests.factories.evidence.certificates import make_all, words_of
from tests.factories.evidence.leaves import articles_on, shown_on, unseen
from tests.factories.undertakings import PASSWORD, TOLD, Clearing
from tests.integration.undertakings.test_pages import check_of, filled_in, path_of
from tests.pages import Page
from tracker.agreements import frozen_text
from tracker.cooperations import keys
from tracker.core.db import db
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision
from tracker.undertakings import queries

DOCUMENTS = [
    {
        "document": kind,
        "title": title,
        "version": version,
        "signers": "everyone",
        "text": text,
    }
    for kind, title, version, text in (
        ("code_of_conduct", "Conduct on visits", "1, January 2027", "I ask nobody about charges."),
        ("declaration", "Declaration of all who go in", "4", "I say what I saw.\nNothing else."),
    )
]
LANGUAGES = ["en", "ar"]


@pytest.fixture
def app(worker_app: Flask) -> Flask:
    """The application with terms in force that name a code of conduct and a declaration."""
    undertakings.start(worker_app)
    points = starting_points.of(worker_app)
    points.use(
        "undertakings_on_documents",
        lambda: undertakings.existing().amend(documents=DOCUMENTS),
        on=undertakings.START,
    )
    return worker_app


def document(clearing: Clearing, key: str) -> dict[str, Any]:
    """Return the frozen text of somebody's undertaking."""
    db.session.rollback()
    revision = db.session.get_one(Revision, clearing.undertaking(key).revision_id)
    return signoff.document_of(revision, keys.key_of(revision.cooperation_id))


def not_shown(document: dict[str, Any], page: Page, language: str = "en") -> list[str]:
    shown_language = frozen_text.shown_in(document, language)
    return unseen(document, shown_on(page), shown_language, "en")


def before_signing(document: dict[str, Any]) -> dict[str, Any]:
    """Leave out the time of signing, which nobody knows before."""
    return {key: value for key, value in document.items() if key != "frozen_at"}


def names(clearing: Clearing, key: str) -> dict[str, str]:
    """Return what a form sends to confirm each document."""
    return {part.name: "y" for part in queries.load(clearing.undertaking(key)).documents}


# samira's party represents people concerned, so the text says why the NPM decides (C13).
@pytest.mark.parametrize("key", ["leyla", "samira"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_on_which_a_person_signs_shows_it(
    app: Flask, clearing: Clearing, key: str, language: str
) -> None:
    path, client = path_of(clearing, key), clearing.browser(app, key)
    client.set_cookie("language", language)
    sent = client.submit(path, **filled_in(TOLD, **names(clearing, key)), later=None, go="on")
    page = Page.of(sent)
    assert sent.request.path == f"{path}/sign"
    client.submit(f"{path}/sign", password=PASSWORD, code=clearing.code(key))
    text = document(clearing, key)
    assert ("because" in text["interests"]) is (key == "samira")
    assert unseen(before_signing(text), shown_on(page), language, language) == []


def test_record_certificate_and_page_to_countersign_show_it(app: Flask, clearing: Clearing) -> None:
    texts = {}
    for key in ("leyla", "samira"):
        clearing.sign(key, TOLD, language="ar")
        clearing.decide(key)
        db.session.commit()
        text = document(clearing, key)
        own, check = path_of(clearing, key), check_of(clearing, key)
        for language in LANGUAGES:
            for reader, url in ((key, own), ("tomas", check)):
                page = clearing.browser(app, reader).page(f"{url}?language={language}")
                assert not_shown(text, page, language) == [], (url, language)
        clearing.countersign(key)
        db.session.commit()
        revision_id = clearing.undertaking(key).revision_id
        assert revision_id is not None
        texts[revision_id] = text
    certificates = make_all()
    for revision_id, text in texts.items():
        # Arabic can't be read from a PDF in the order in which it's written.
        (row,) = [row for row in certificates[revision_id] if row.language == "en"]
        assert unseen(text, words_of(row), "en", "en") == []


def test_countersigning_several_shows_each_in_full_under_its_own_heading(
    app: Flask, clearing: Clearing
) -> None:
    keys_of_three = ("leyla", "otto", "joana")
    for key in keys_of_three:
        clearing.sign(key, language="ar" if key != "otto" else "en")
    db.session.commit()
    url = f"/cooperations/{clearing.cooperation.reference}/undertakings/countersign"
    for language in LANGUAGES:
        page = clearing.browser(app, "tomas").page(f"{url}?language={language}")
        of_one = articles_on(page)
        assert len(of_one) == 3
        for key, article in zip(keys_of_three, of_one, strict=True):
            text = document(clearing, key)
            shown_language = frozen_text.shown_in(text, language)
            assert unseen(text, article, shown_language, "en") == [], (key, language)


def test_a_scan_is_confirmed_on_a_page_that_shows_it(app: Flask, clearing: Clearing) -> None:
    taken.bring_in(clearing)
    on_paper.record(clearing, taken.TAKER, draft=on_paper.filled_in(clearing, TOLD))
    db.session.commit()
    text = document(clearing, on_paper.DRIVER)
    page = clearing.browser(app, taken.OTHER).page(taken.address(clearing, "/paper"))
    assert not_shown(text, page) == []


def test_the_page_that_signs_on_a_coordinators_device_shows_it(
    app: Flask, clearing: Clearing
) -> None:
    taken.bring_in(clearing)
    client, where = clearing.browser(app, taken.TAKER), taken.address(clearing, "/here")
    confirmed = names(clearing, on_paper.DRIVER)
    form = client.page(where).form().filled_in(**filled_in(TOLD, **confirmed))
    client.post(where, data=form)
    page = client.page(f"{where}/sign")
    taken.take(clearing, "on their device", TOLD)
    text = document(clearing, on_paper.DRIVER)
    # The factory signs with a sentence of its own.
    del text["sentence"]
    assert not_shown(before_signing(text), page) == []
    npm = clearing.browser(app, taken.OTHER).page(taken.address(clearing))
    assert not_shown(document(clearing, on_paper.DRIVER), npm) == []


def test_the_terms_behind_an_undertaking_are_shown_in_full(app: Flask, clearing: Clearing) -> None:
    terms = db.session.get_one(Revision, clearing.checklist.revision_in_force_id)
    text = signoff.document_of(terms, None)
    clearing.sign("leyla")
    db.session.commit()
    for language in LANGUAGES:
        url = f"{path_of(clearing, 'leyla')}/terms?language={language}"
        for key in ("leyla", "tomas"):
            page = clearing.browser(app, key).page(url)
            assert unseen(text, shown_on(page), language, "en") == [], (key, language)
