"""Bundles with signatures, passkeys and presences that don't belong there."""

from typing import Any

import pytest

from tests.factories.evidence.bundles import (
    an_id,
    begun,
    judged,
    proof,
)
from tracker.evidence.bundles import parts


def test_a_signature_under_a_text_that_is_not_there_is_noticed() -> None:
    instance = begun()
    text = instance.text()
    instance.sign(text | {"id": "another"})
    flaws = judged(instance.take_out())
    assert flaws["Signatures"] == "The signature of Henrik Asante belongs to another text."
    assert set(flaws) == {"Signatures", "Passkeys"}
    instance = begun()
    instance.sign(instance.text() | {"digest": "e" * 64})
    assert "belongs to another text" in judged(instance.take_out())["Signatures"]


def test_a_row_of_another_cooperation_or_without_its_fields_is_noticed() -> None:
    instance = begun()
    row = instance.text() | {"cooperation": "another"}
    instance.rows.clear()
    instance = begun()
    instance.event("sent_for_signature", row=(parts.REVISION, row))
    assert "of another cooperation" in judged(instance.take_out())["Texts"]
    instance = begun()
    instance.event("signed", row=(parts.SIGNATURE, {"signer_name": "Henrik Asante"}))
    assert "revision is missing" in judged(instance.take_out())["Texts"]
    for words in ("yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        instance = begun()
        instance.sign(instance.text(), signed_at=words)
        assert "is not a time" in judged(instance.take_out())["Signatures"]


@pytest.mark.parametrize(
    ("flaw", "more"),
    [
        ("has no proof", {"proof": None}),
        ("incomplete", {"proof": {}}),
        ("incomplete", {"proof": "proof"}),
        ("other_text", {"proof": proof("e" * 64)}),
        ("other_text", {"sentence": "I sign something else."}),
    ],
)
def test_a_passkey_that_did_not_sign_this_is_noticed(flaw: str, more: dict[str, Any]) -> None:
    instance = begun()
    instance.sign(instance.text(), "passkey", **more)
    flaws = judged(instance.take_out())
    assert set(flaws) == {"Passkeys"}
    assert flaw in flaws["Passkeys"]


@pytest.mark.parametrize("part", ["signature", "authenticator_data", "public_key"])
def test_a_passkey_whose_answer_was_changed_is_noticed(part: str) -> None:
    instance = begun()
    text = instance.text()
    given = proof(text["digest"])
    place = len(given[part]) // 2
    other = "B" if given[part][place] == "A" else "A"
    given[part] = given[part][:place] + other + given[part][place + 1 :]
    instance.sign(text, "passkey", proof=given)
    assert set(judged(instance.take_out())) == {"Passkeys"}


def test_a_proof_beside_another_method_is_noticed() -> None:
    instance = begun()
    text = instance.text()
    instance.sign(text, proof=proof(text["digest"]))
    assert "one of another method" in judged(instance.take_out())["Passkeys"]


def by_host(method: str, **more: Any) -> dict[str, Any]:
    host = {"host": str(an_id("host")), "host_name": "Ilena Dorvath", "host_for": "The NPM"}
    return {"presence": {**host, "method": method, "known_by": "An identity card", **more}}


def test_a_signature_in_somebodys_presence_is_proven_as_that_person_proved_it() -> None:
    instance = begun()
    text = instance.text()
    instance.sign(text, "in_presence", **by_host("password_totp"))
    instance.sign(text, "in_presence", **by_host("passkey"), proof=proof(text["digest"]))
    assert judged(instance.take_out()) == {}


@pytest.mark.parametrize(
    ("method", "more", "flaw"),
    [
        ("in_presence", {}, "names nobody present"),
        ("in_presence", {"presence": None}, "names nobody present"),
        ("in_presence", {"presence": ["host"]}, "names nobody present"),
        ("in_presence", by_host("password_totp", host=[]), "names nobody present"),
        ("in_presence", by_host("password_totp", host={}), "names nobody present"),
        ("password_totp", {"presence": None}, "names nobody present"),
        ("password_totp", by_host("password_totp"), "names nobody present"),
        ("in_presence", by_host("passkey"), "no proof"),
        ("in_presence", {**by_host("password_totp"), "proof": proof("a" * 64)}, "no proof"),
        ("in_presence", {**by_host("passkey"), "proof": proof("b" * 64)}, "did not sign"),
    ],
)
def test_a_signature_in_somebodys_presence_without_it_or_its_proof_is_noticed(
    method: str, more: dict[str, Any], flaw: str
) -> None:
    instance = begun()
    instance.sign(instance.text(), method, **more)
    assert flaw in judged(instance.take_out())["Passkeys"]
