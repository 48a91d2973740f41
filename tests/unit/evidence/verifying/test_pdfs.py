"""Bundles with PDFs that are altered, missing or signed by the wrong key."""

from typing import Any

import pytest

from tests.factories.evidence.bundles import (
    Instance,
    a_pdf,
    altered,
    begun,
    document_note,
    judged,
    key_note,
    private_key,
)
from tests.unit.evidence.verifying.changes import BUNDLE, INSTANCE, put, take
from tracker.evidence.bundles import parts
from tracker.evidence.log.notes import KeyNote


def with_pdf(data: bytes, *keys: KeyNote, **more: Any) -> bytes:
    """Return a bundle with a PDF of its only text and the given document keys."""
    instance = begun(keys=[key_note(), *(keys or [document_note()])])
    instance.certificate(instance.agree(), data, **more)
    return instance.take_out()


def test_a_pdf_is_sound_that_a_key_for_documents_signed_even_an_old_one() -> None:
    assert judged(with_pdf(a_pdf())) == {}
    assert judged(with_pdf(a_pdf(key=2), document_note(), document_note(2))) == {}
    retired = document_note(retired=INSTANCE.at)
    assert judged(with_pdf(a_pdf(), retired, document_note(2))) == {}


@pytest.mark.parametrize(
    ("words", "data"),
    [
        ("is not signed", a_pdf(key=None)),
        ("was not signed with a key of this instance", a_pdf(key=2)),
        ("was added to after it was signed", a_pdf() + b"\n"),
        ("can't be read", b"No PDF."),
        ("can't be read", b""),
    ],
)
def test_a_pdf_that_is_not_signed_as_a_whole_by_such_a_key_is_noticed(
    words: str, data: bytes
) -> None:
    flaws = judged(with_pdf(data))
    assert set(flaws) == {"Certificates"}
    assert words in flaws["Certificates"]


def test_a_pdf_signed_with_a_key_that_had_ended_is_noticed() -> None:
    before = INSTANCE.at.replace(year=2025)
    for ended in (document_note(retired=before), document_note(revoked=before)):
        assert set(judged(with_pdf(a_pdf(), ended))) == {"Certificates"}


def test_a_pdf_changed_by_who_holds_the_checkpoint_key_alone_is_noticed() -> None:
    forged = a_pdf().replace(b"/Lang (en)", b"/Lang (ar)", 1)
    assert forged != a_pdf()
    assert "was not signed with a key" in judged(with_pdf(forged))["Certificates"]


def test_a_pdf_of_a_text_that_is_not_here_is_noticed() -> None:
    flaws = judged(with_pdf(a_pdf(), revision="another"))
    assert flaws == {"Certificates": "The PDF of event 6 is of a text that is not here."}


def test_a_pdf_that_is_missing_or_put_in_is_noticed() -> None:
    name = parts.file_name(parts.CERTIFICATE, 8)
    missing = judged(altered(BUNDLE, take(name), private_key()))
    assert "is missing or present" in missing["Certificates"]
    other = judged(altered(BUNDLE, put(name, a_pdf("ar")), private_key()))
    assert "doesn't match its digest" in other["Certificates"]
    stray = put("certificates/2.pdf", a_pdf())
    assert "belongs to no event" in judged(altered(BUNDLE, stray, private_key()))["Certificates"]


def test_a_pdf_whose_key_was_destroyed_may_be_missing_once_that_is_recorded() -> None:
    def erased(instance: Instance) -> Instance:
        instance.certificate(instance.agree(readable=False), a_pdf(), readable=False)
        return instance

    assert set(judged(erased(begun()).take_out())) == {
        "Texts",
        "Signatures",
        "Passkeys",
        "Certificates",
    }
    instance = erased(begun())
    instance.event("details_erased")
    assert judged(instance.take_out()) == {}
    instance = begun()
    instance.certificate(instance.agree(), a_pdf(), readable=False)
    flaws = judged(instance.take_out())
    assert "no event says that it was erased" in flaws["Certificates"]
