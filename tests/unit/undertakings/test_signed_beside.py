"""Documents that people sign with their undertaking, read from frozen terms."""

from dataclasses import replace

import pytest

from tests.unit.undertakings.test_facts import (
    TODAY,
    document,
    questions_for,
    sheet,
    surroundings,
    template,
)
from tracker.undertakings import facts, signed_beside
from tracker.undertakings.facts import Draft
from tracker.undertakings.signed_beside import Signers, TermsDocument

ROW = {"document": "declaration", "title": "Declaration", "version": "2", "text": "I declare."}
READ = TermsDocument("declaration", "Declaration", "2", "I declare.")


def test_documents_are_read_from_the_frozen_terms_and_those_without_a_text_are_not() -> None:
    rows = [ROW, ROW | {"signers": "npm"}, {"title": "Code", "version": "1", "who": "All"}]
    covers = {"scope": "all_until", "until": "2029-01-14", "documents": rows}
    terms = facts.read_terms(document(C1=covers), "d" * 64)
    assert terms.documents == (READ, replace(READ, signers=Signers.NPM))
    assert facts.read_terms(document(), "d" * 64).documents == ()


@pytest.mark.parametrize(
    ("signers", "of_npm", "signs"),
    [
        (Signers.EVERYONE, True, True),
        (Signers.EVERYONE, False, True),
        (Signers.CSO, True, False),
        (Signers.CSO, False, True),
        (Signers.NPM, True, True),
        (Signers.NPM, False, False),
    ],
)
def test_a_person_signs_the_documents_of_their_side(
    signers: Signers, of_npm: bool, signs: bool
) -> None:
    row = ROW | {"signers": signers.value}
    covers = {"until": "2029-01-14", "documents": [row, row]}
    terms = facts.read_terms(document(C1=covers), "d" * 64)
    # Once, although it is there twice.
    assert len(terms.documents_for(of_npm=of_npm)) == signs


@pytest.mark.parametrize("changed", ["kind", "title", "version", "text"])
def test_another_text_or_version_is_another_document_to_confirm(changed: str) -> None:
    other = replace(READ, **{changed: "another"})  # type: ignore[arg-type]
    assert other.digest != READ.digest
    assert other.name != READ.name
    assert replace(READ, signers=Signers.NPM).name == READ.name


def test_a_document_is_missing_until_it_is_confirmed() -> None:
    questions = facts.questions(template(), sheet(), surroundings(), [READ])
    assert questions.documents == (("Declaration", READ),)
    draft = Draft(confirmed=frozenset(questions_for().names), has_interests=False)
    assert READ.name in list(facts.missing(questions, draft, TODAY))
    whole = replace(draft, confirmed=draft.confirmed | {READ.name})
    assert READ.name not in list(facts.missing(questions, whole, TODAY))


def test_a_kind_that_the_checklist_does_not_know_has_no_words() -> None:
    assert signed_beside.kind_of(replace(READ, kind="oath"), template().by_code["C1"]) == ""
