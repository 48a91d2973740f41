"""Undertakings in each person's language: asked for, signed and read."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories.undertakings import TOLD, Clearing
from tests.integration.undertakings.test_pages import check_of, filled_in, path_of
from tests.pages import Page
from tracker.agreements import frozen_text
from tracker.cooperations import keys
from tracker.core.db import db
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision, Signature
from tracker.undertakings import queries, service

SILENCE = "I tell nobody who is not cleared."
IN_ARABIC = "لا أخبر أحداً لم يُصرَّح له"


def arabic(app: Flask, clearing: Clearing, key: str) -> CheckedClient:
    client = clearing.browser(app, key)
    client.set_cookie("language", "ar")
    return client


def document(clearing: Clearing, key: str) -> dict[str, Any]:
    revision = db.session.get_one(Revision, clearing.undertaking(key).revision_id)
    return signoff.document_of(revision, keys.key_of(clearing.cooperation.id))


def sentences(page: Page) -> dict[str, str]:
    """Return the language that is marked on each sentence of a record."""
    return {
        " ".join("".join(element.itertext()).split()): element.attrib.get("lang", "")
        for element in page.root.iter("p")
    }


def test_a_person_is_asked_in_their_own_language(app: Flask, clearing: Clearing) -> None:
    page = arabic(app, clearing, "leyla").page(path_of(clearing, "leyla"))
    assert IN_ARABIC in page.text
    assert SILENCE not in page.text
    assert "هل هناك ما تعلنه؟" in page.text
    # What happens to copies (C17), from the frozen terms.
    assert "تُعاد" in page.text or "تُتلف" in page.text
    assert SILENCE in clearing.browser(app, "leyla").page(path_of(clearing, "leyla")).text


def test_a_signed_undertaking_contains_the_persons_language_and_the_binding_one(
    clearing: Clearing,
) -> None:
    clearing.sign("leyla", TOLD, language="ar")
    text = document(clearing, "leyla")
    assert (text["format"], text["languages"]) == ("common-terms/2", ["ar", "en"])
    assert text["binding_language"] == "en"
    assert text["template"]["kind"] == "confidentiality"
    assert [words["language"] for words in text["template"]["words"]] == ["ar"]
    (silence,) = [point for point in text["points"] if point["code"] == "C7"]
    assert silence["sentence"]["en"].startswith(SILENCE)
    assert silence["sentence"]["ar"].startswith(IN_ARABIC)
    assert set(text["briefing"]["day"]) == {"ar", "en"}
    assert text["interests"]["text"] == TOLD
    assert text["sentence"] == {"ar": "I, Leyla Marchetti, undertake this."}


def test_a_person_who_signs_in_the_binding_language_signs_only_in_that_one(
    clearing: Clearing,
) -> None:
    clearing.sign("leyla")
    assert document(clearing, "leyla")["languages"] == ["en"]


@pytest.mark.parametrize(
    ("terms", "person", "codes"),
    [
        ("en", "en", ("en",)),
        ("en", "ar", ("en", "ar")),
        ("ar", "en", ("ar", "en")),
        ("ar", "ar", ("ar", "en")),
        ("fr", "ar", ("en", "ar")),
    ],
)
def test_the_binding_language_is_the_terms_if_it_is_translated(
    clearing: Clearing, terms: str, person: str, codes: tuple[str, ...]
) -> None:
    loaded = queries.load(clearing.undertaking("leyla"))
    other = replace(loaded, terms=replace(loaded.terms, binding=terms))
    languages = service.languages_of(other, person)
    assert (languages.codes, languages.binding) == (codes, codes[0])


def test_the_page_that_signs_names_the_language_that_counts(app: Flask, clearing: Clearing) -> None:
    client = clearing.browser(app, "leyla")
    path = path_of(clearing, "leyla")
    page = Page.of(client.submit(path, **filled_in(), later=None, go="on"))
    assert "Binding: English." in page.text
    assert SILENCE in page.text
    client.set_cookie("language", "ar")
    assert IN_ARABIC in client.page(f"{path}/sign").text


def test_a_record_can_be_read_in_each_of_its_languages(app: Flask, clearing: Clearing) -> None:
    clearing.sign("leyla", TOLD, language="ar")
    db.session.commit()
    client = clearing.browser(app, "leyla")
    page = client.page(path_of(clearing, "leyla"))
    assert SILENCE in page.text
    assert page.links()["Arabic"].endswith("?language=ar")
    other = client.page(f"{path_of(clearing, 'leyla')}?language=ar")
    (marked,) = {lang for words, lang in sentences(other).items() if words.startswith(IN_ARABIC)}
    assert marked == "ar"
    # The sentence on the briefing is in the language used then.
    assert "Held on" in page.text
    assert "Held on" not in other.text
    assert TOLD in other.text
    npm = clearing.browser(app, "tomas").page(f"{check_of(clearing, 'leyla')}?language=ar")
    assert IN_ARABIC in npm.text


def test_the_terms_an_undertaking_rests_on_can_be_read_in_each_of_their_languages(
    app: Flask, clearing: Clearing
) -> None:
    path = f"{path_of(clearing, 'leyla')}/terms"
    client = clearing.browser(app, "leyla")
    assert "What it covers" in client.page(path).text
    assert "ما الذي يشمله" in client.page(f"{path}?language=ar").text
    client.set_cookie("language", "ar")
    assert "ما الذي يشمله" in client.page(path).text


# The previous format


def first_shape(clearing: Clearing) -> Mapping[str, Any]:
    """Return an undertaking as it was frozen before texts had several languages."""
    undertaking = clearing.undertaking("leyla")
    return {
        "undertaking": str(undertaking.id),
        "person": {"id": str(clearing.id("leyla")), "name": "Leyla Marchetti", "function": ""},
        "organisation": {"id": str(undertaking.organisation_id), "name": "Lantern Health Network"},
        "cooperation": {"reference": "C-2026-0001", "title": "Joint monitoring"},
        "terms": {"revision": 1, "digest": "d" * 64, "until": "2028-01-01"},
        "template_version": 1,
        "language": "en",
        "briefing": {"sentence": "I was told.", "confirmed": True, "on": "2026-11-01"},
        "interests": {"question": "What?", "declared": True, "text": TOLD},
        "points": [
            {"code": "C7", "label": "Silence", "sentence": "I tell nobody.", "confirmed": True}
        ],
        "sentence": "I undertake this.",
    }


def test_an_undertaking_in_the_first_shape_reads_as_it_did(app: Flask, clearing: Clearing) -> None:
    with (
        mock.patch.object(signoff, "FORMAT", frozen_text.FIRST),
        mock.patch.object(service, "document", return_value=first_shape(clearing)),
    ):
        clearing.sign("leyla")
    db.session.commit()
    for client in (clearing.browser(app, "leyla"), arabic(app, clearing, "leyla")):
        page = client.page(path_of(clearing, "leyla"))
        for words in ("I was told.", "I tell nobody.", TOLD, "I undertake this."):
            assert words in page.text
    assert sentences(arabic(app, clearing, "leyla").page(path_of(clearing, "leyla")))[
        "I tell nobody."
    ] == ("en")
    assert "I tell nobody." in clearing.browser(app, "tomas").page(check_of(clearing, "leyla")).text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Signature)) is not None
