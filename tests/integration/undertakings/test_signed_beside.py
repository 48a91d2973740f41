"""Documents that people sign with their undertaking: each with its own text and version (C1)."""

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import undertakings_on_paper as on_paper
from tests.factories import undertakings_taken as taken
from tests.factories.evidence.bundles import judged
from tests.factories.evidence.certificates import make_all, words_of
from tests.factories.evidence.leaves import unseen
from tests.factories.undertakings import PASSWORD, Clearing
from tests.integration.undertakings.test_pages import filled_in
from tests.pages import Page
from tracker.activity.models import Event, EventDetail
from tracker.cooperations import keys
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.evidence.bundles import bundle
from tracker.evidence.bundles import service as bundles
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision
from tracker.undertakings import queries, service
from tracker.undertakings.models import UndertakingEnd, UndertakingState

WORDS = "I, Leyla Marchetti, undertake this."
RULE = "I ask nobody why they are held."
CODE = {
    "document": "code_of_conduct",
    "title": "Conduct on visits",
    "version": "1, January 2027",
    "signers": "everyone",
    # Longer than a page, as such texts are.
    "text": "\n".join([RULE, *(f"Rule {n}: I follow the lead of the team." for n in range(150))]),
}
OF_NPM = {
    "document": "declaration",
    "title": "Declaration of the interpreter",
    "version": "4",
    "signers": "npm",
    "text": "I render all that is said.",
}


@pytest.fixture
def clearing(clearing: Clearing) -> Clearing:
    """The cooperation, on terms that name a code of conduct and a declaration."""
    clearing.amend(documents=[CODE, OF_NPM])
    db.session.commit()
    return clearing


def signed_text(clearing: Clearing, key: str) -> Revision:
    return db.session.get_one(Revision, clearing.undertaking(key).revision_id)


def frozen(clearing: Clearing, key: str) -> dict[str, Any]:
    revision = signed_text(clearing, key)
    return signoff.document_of(revision, keys.key_of(revision.cooperation_id))


def names(clearing: Clearing, key: str) -> list[str]:
    return [part.name for part in queries.load(clearing.undertaking(key)).documents]


def test_a_person_reads_confirms_and_signs_each_document_with_the_undertaking(
    app: Flask, clearing: Clearing
) -> None:
    client = clearing.browser(app, "leyla")
    path = f"/undertakings/{clearing.undertaking('leyla').id}"
    assert RULE in client.page(path).text
    (name,) = names(clearing, "leyla")
    left_out = Page.of(client.submit(path, **filled_in(), later=None, go="on"))
    assert "Confirm that you have read “Conduct on visits”" in left_out.text
    sent = client.submit(path, **filled_in(**{name: "y"}), later=None, go="on")
    page = Page.of(sent)
    assert RULE in page.text
    assert "I also sign these documents: Conduct on visits (1, January 2027)." in page.text
    client.submit(f"{path}/sign", password=PASSWORD, code=clearing.code("leyla"))
    record = client.page(path)
    assert RULE in record.text
    assert (
        "I have read “Conduct on visits (1, January 2027)” and sign it for myself." in record.text
    )
    history = client.page(f"/cooperations/{clearing.cooperation.reference}/history")
    assert "Signed with it: Conduct on visits (1, January 2027)." in history.text


def test_each_signs_the_documents_of_their_side(clearing: Clearing) -> None:
    clearing.sign("leyla")
    clearing.sign("marek")
    assert [part["title"] for part in frozen(clearing, "leyla")["documents"]] == [CODE["title"]]
    code, declaration = frozen(clearing, "marek")["documents"]
    assert (code["title"], code["kind"]["en"]) == (CODE["title"], "Code of conduct")
    assert (declaration["version"], declaration["text"]) == ("4", OF_NPM["text"])
    assert declaration["confirmed"] is True


def test_who_countersigns_reads_what_was_signed_and_the_register_names_it(
    app: Flask, clearing: Clearing
) -> None:
    clearing.sign("marek")
    browser = clearing.browser(app, "tomas")
    page = browser.page(clearing.countersigning("marek"))
    assert "Signed with it: Conduct on visits (1, January 2027); Declaration" in page.text
    browser = clearing.browser(app, "ilena")
    both = "Conduct on visits (1, January 2027)", "Declaration of the interpreter (4)"
    page = browser.page("/register/undertakings")
    # Only by marek: nobody else has signed.
    assert [page.text.count(document) for document in both] == [1, 1]
    exported = browser.post("/register/undertakings/export").get_data(as_text=True)
    assert "; ".join(both) in exported


def test_nobody_signs_without_a_document_that_they_have_to_sign(clearing: Clearing) -> None:
    draft = clearing.put_in("leyla")
    clearing.put_in("leyla", confirmed=draft.confirmed - set(names(clearing, "leyla")))
    with pytest.raises(RuleBrokenError, match="Something is missing"):
        service.sign(
            clearing.actor("leyla"),
            clearing.undertaking("leyla").id,
            page=clearing.page("leyla", WORDS),
            sentence=WORDS,
            language="en",
            identity=clearing.proof("leyla"),
        )
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED


def test_a_new_version_has_to_be_signed_again(clearing: Clearing) -> None:
    clearing.clear("leyla")
    signed = clearing.undertaking("leyla")
    clearing.amend(documents=[CODE | {"version": "2", "text": "I ask nobody anything."}])
    asked_anew = clearing.undertaking("leyla")
    assert signed.closed_reason == UndertakingEnd.NEW_TERMS
    assert (asked_anew.state, asked_anew.id != signed.id) == (UndertakingState.ASKED, True)
    assert not clearing.is_cleared("leyla")
    clearing.clear("leyla")
    assert [part["version"] for part in frozen(clearing, "leyla")["documents"]] == ["2"]


def test_the_certificate_shows_all_of_it_and_both_verifiers_accept_the_bundle(
    clearing: Clearing,
) -> None:
    clearing.clear("marek")
    db.session.commit()
    revision_id, document = signed_text(clearing, "marek").id, frozen(clearing, "marek")
    terms = db.session.get_one(Revision, clearing.checklist.revision_in_force_id)
    certificates = make_all()
    for revision, text in ((revision_id, document), (terms.id, signoff.document_of(terms, None))):
        words = next(words_of(row) for row in certificates[revision] if row.language == "en")
        binding = document["binding_language"]
        left_out = [place for place in unseen(text, words, "en", binding) if RULE not in place]
        assert left_out == []
        # It continues on a second page, with the foot of one and the head of the next in between.
        assert all(line in words for line in CODE["text"].split("\n"))
    (row,) = certificates[revision_id]
    assert f"Held on {clock.today():%-d %B %Y}" in " ".join(words_of(row).split())
    digest = document["documents"][0]["digest"]
    groups = " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))
    assert f"Digest of this text (SHA-256) {groups}" in " ".join(words_of(row).split())
    export = bundles.export(None, clearing.cooperation.id, clearing.cooperation.reference)
    db.session.commit()
    whole = replace(export, revision_ids=export.revision_ids | {revision_id})
    assert judged(bundle.build(whole)) == {}


@pytest.mark.parametrize("way", taken.WAYS)
def test_who_has_no_account_signs_them_too(app: Flask, clearing: Clearing, way: str) -> None:
    taken.bring_in(clearing)
    client = clearing.browser(app, taken.TAKER)
    for page in ("/paper/blank", "/paper/record", "/here"):
        assert OF_NPM["text"] in client.page(taken.address(clearing, page)).text
    taken.take(clearing, way)
    titles = [part["title"] for part in frozen(clearing, on_paper.DRIVER)["documents"]]
    assert titles == [CODE["title"], OF_NPM["title"]]
    details = db.session.scalars(
        sa.select(EventDetail.content)
        .join(Event, Event.id == EventDetail.event_id)
        .where(Event.verb == "undertaking_signed")
    ).all()
    assert details[-1]["documents"][1] == "Declaration of the interpreter (4)"
