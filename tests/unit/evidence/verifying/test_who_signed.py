"""Bundles whose texts lack a signature, or have one that doesn't count."""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

import pytest

from tests.effort import tries
from tests.factories.evidence.bundles import (
    CSO,
    HENRIK,
    NPM,
    TOMAS,
    Instance,
    a_pdf,
    an_id,
    begun,
    document_note,
    judged,
    key_note,
    listed,
    private_key,
    sealed,
)
from tests.unit.evidence.verifying.changes import (
    BUNDLE,
    ODD,
    SAMIRA,
    bind_anew,
    in_lines,
    named,
    put_somewhere,
)
from tests.unit.evidence.verifying.texts import (
    HENRIK_SIGNS,
    IN_FORCE,
    SWAPPED,
    TOMAS_SIGNS,
    agreed_before,
    agreed_on_paper,
    an_undertaking,
    asks,
    attested,
    by,
    countersigned,
    event_of,
    own,
    own_before,
    own_on_paper,
    signed_so,
    words_of_certificates,
)
from tracker.evidence.bundles import container, parts


@pytest.mark.parametrize(
    "tell",
    [
        signed_so(IN_FORCE),
        signed_so(HENRIK_SIGNS, IN_FORCE),
        signed_so(TOMAS_SIGNS, IN_FORCE),
        signed_so(HENRIK_SIGNS, by(SAMIRA, CSO), IN_FORCE),
        signed_so(HENRIK_SIGNS, by(TOMAS, None), IN_FORCE),
        signed_so(HENRIK_SIGNS, by(TOMAS, NPM, kind="countersignature"), IN_FORCE),
        signed_so(HENRIK_SIGNS, by(TOMAS, NPM, verb="answer_saved"), IN_FORCE),
        signed_so(HENRIK_SIGNS, IN_FORCE, TOMAS_SIGNS),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, event_of("declined"), IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, event_of("signature_request_withdrawn"), IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, event_of("signature_request_expired"), IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, event_of("sent_for_signature"), IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, event_of("former_agreement_recorded"), IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, lambda instance, _: instance.event("came_into_force")),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says=asks(npm=2, cso=1)),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, TOMAS_SIGNS, IN_FORCE, says=asks(npm=2, cso=1)),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says=named(CSO, NPM, NPM)),
        signed_so(TOMAS_SIGNS, IN_FORCE, says=asks() | named(CSO)),
        signed_so(TOMAS_SIGNS, IN_FORCE, says=named() | {"parties": [{"id": str(CSO)}]}),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says={}),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says={"signing": {}} | named(CSO)),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says={"signing": "by all"}),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says={"parties": []}),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says={"parties": [{"id": "the NPM"}]}),
    ],
)
def test_a_pdf_of_a_text_that_lacks_a_signature_is_named(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    ((link, words),) = judged(attested(tell)).items()
    assert link == "Certificates"
    assert words.endswith("is of a text that was not signed by all whom it names.")


@pytest.mark.parametrize(
    "tell",
    [
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE),
        signed_so(HENRIK_SIGNS, by(TOMAS, NPM, kind="signature"), IN_FORCE, event_of("declined")),
        signed_so(by("nobody", "x"), HENRIK_SIGNS, by("nobody", NPM), TOMAS_SIGNS, IN_FORCE),
        signed_so(HENRIK_SIGNS, TOMAS_SIGNS, by(SAMIRA, NPM), IN_FORCE, says=asks(npm=2, cso=1)),
        signed_so(HENRIK_SIGNS, by(SAMIRA, CSO), IN_FORCE, says=named(CSO, CSO)),
        signed_so(HENRIK_SIGNS, IN_FORCE, says=asks() | named(CSO)),
        signed_so(HENRIK_SIGNS, IN_FORCE, says=named() | {"parties": [{"id": str(CSO)}]}),
        agreed_on_paper(HENRIK),
        agreed_before(HENRIK, "Open Door"),
    ],
)
def test_a_pdf_holds_whose_text_was_signed_by_all_in_whatever_shape_it_names_them(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    assert judged(attested(tell)) == {}


def test_both_verifiers_judge_a_texts_signing_rules_alike() -> None:
    random = Random(20260121)
    odd = [value for value in ODD if type(value) is not float and value not in (2**53, 10**30)]
    odd += [str(NPM), str(CSO).upper(), "2", {"parties": []}, {"organisation_id": str(CSO)}]
    sound = 0
    number = tries(100, 300)
    for _ in range(number):
        says = {
            "signing": random.choice(
                [None, *(document["signing"] for document in (asks(), asks(npm=1, cso=1)))]
            ),
            **named(*random.choice([(), (CSO, NPM), (CSO, CSO)])),
            "parties": [{"id": str(CSO)}, {"id": str(NPM)}],
        }
        put_somewhere(says, random, odd)
        flaws = judged(attested(signed_so(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says=says)))
        assert flaws.keys() <= {"Certificates"}
        sound += not flaws
    assert number / 6 < sound < number * 5 / 6


def test_each_text_of_a_checklist_is_judged_by_its_own_signatures() -> None:
    instance = begun(keys=[key_note(), document_note()])
    first, second = instance.agree(), instance.agree()
    for text in (first, second):
        instance.certificate(text, a_pdf())
    instance.text()
    assert judged(instance.take_out()) == {}
    instance = begun(keys=[key_note(), document_note()])
    instance.agree()
    amended = instance.text()
    instance.sign(amended)
    instance.come_into_force(amended)
    instance.certificate(amended, a_pdf())
    assert list(judged(instance.take_out())) == ["Certificates"]


def test_a_signature_from_before_the_text_was_frozen_does_not_count() -> None:
    def tell(instance: Instance) -> dict[str, Any]:
        other = begun()
        other.event("answer_saved")
        to_be = other.text()
        TOMAS_SIGNS(instance, to_be)
        text = instance.text()
        assert text == to_be
        HENRIK_SIGNS(instance, text)
        IN_FORCE(instance, text)
        return text

    assert list(judged(attested(tell))) == ["Certificates"]


def test_a_signature_that_names_another_digest_does_not_count() -> None:
    other = by(TOMAS, NPM, document_digest="e" * 64)
    assert list(judged(attested(signed_so(HENRIK_SIGNS, other, IN_FORCE)))) == [
        "Signatures",
        "Passkeys",
        "Certificates",
    ]


def test_a_text_that_is_bound_twice_is_not_taken_for_signed_by_all() -> None:
    """It was declined, then the holder of the key sent and signed it again, as if another."""

    def tell(instance: Instance) -> dict[str, Any]:
        text = instance.text()
        instance.event("declined", about=UUID(text["subject"]))
        place = instance.event(
            "sent_for_signature", row=(parts.REVISION, text), about=UUID(text["subject"])
        )
        first = parts.file_name(parts.REVISION, 2)
        instance.files[parts.file_name(parts.REVISION, place)] = instance.files[first]
        for act in (HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE):
            act(instance, text)
        return text

    assert list(judged(attested(tell))) == ["Certificates"]


@pytest.mark.parametrize(
    "tell",
    [
        an_undertaking(),
        an_undertaking(own()),
        an_undertaking(countersigned()),
        an_undertaking(own(), countersigned(HENRIK)),
        an_undertaking(own(SAMIRA), countersigned()),
        an_undertaking(own(kind="countersignature"), countersigned()),
        an_undertaking(own(), countersigned(kind="signature")),
        an_undertaking(own(), countersigned(verb="undertaking_signed")),
        an_undertaking(own(), countersigned(about=an_id("another undertaking"))),
        an_undertaking(own(about=an_id("another undertaking")), countersigned()),
        an_undertaking(own_before(TOMAS), countersigned()),
        an_undertaking(own_on_paper(**SWAPPED), countersigned()),
        an_undertaking(own_before(TOMAS), countersigned(str(TOMAS).upper())),
        an_undertaking(own(), countersigned(str(HENRIK).upper())),
        an_undertaking(own(), countersigned("somebody")),
        an_undertaking(own("somebody"), countersigned()),
        an_undertaking(own(), countersigned(), says={}),
        an_undertaking(own(), countersigned(), says={"person": "Henrik Asante"}),
        an_undertaking(own(), countersigned(), says={"person": {"id": [str(HENRIK)]}}),
        an_undertaking(HENRIK_SIGNS, TOMAS_SIGNS, IN_FORCE, says=asks(npm=1, cso=1)),
    ],
)
def test_an_undertaking_that_its_person_or_somebody_else_did_not_sign_is_named(
    tell: Callable[[Instance], dict[str, Any]],
) -> None:
    ((link, words),) = judged(attested(tell)).items()
    assert (link, "not signed by all whom it names" in words) == ("Certificates", True)


def test_an_undertaking_holds_that_its_person_signed_and_another_countersigned() -> None:
    assert judged(attested(an_undertaking(own(), countersigned()))) == {}
    assert judged(attested(an_undertaking(own_before(SAMIRA), countersigned()))) == {}
    assert judged(attested(an_undertaking(own_on_paper(), countersigned()))) == {}
    assert judged(attested(an_undertaking(own(str(HENRIK).upper()), countersigned()))) == {}


@pytest.mark.parametrize(
    ("tell", "holds"),
    [
        (signed_so(IN_FORCE, readable=False), True),
        (signed_so(HENRIK_SIGNS, TOMAS_SIGNS, readable=False), False),
        (signed_so(HENRIK_SIGNS, event_of("declined"), IN_FORCE, readable=False), False),
        (an_undertaking(own(SAMIRA), countersigned(), readable=False), True),
        (an_undertaking(own(), countersigned(HENRIK), readable=False), False),
        (an_undertaking(own(), readable=False), False),
    ],
)
def test_an_erased_text_is_judged_by_events_and_the_report_says_so(
    tell: Callable[[Instance], dict[str, Any]], *, holds: bool
) -> None:
    instance = begun(keys=[key_note(), document_note()])
    instance.certificate(tell(instance), a_pdf(), readable=False)
    instance.event("details_erased")
    data = instance.take_out()
    assert set(judged(data)) == (set() if holds else {"Certificates"})
    assert (
        "can't be told, as they are not here; their PDFs: 1." in words_of_certificates(data)
    ) is (holds)


def test_nothing_is_reported_about_confidential_texts_and_the_report_says_so() -> None:
    instance = begun(keys=[key_note(), document_note()])
    instance.certificate(instance.agree(), a_pdf())
    assert "not here" not in words_of_certificates(instance.take_out())
    instance = begun(keys=[key_note(), document_note()])
    instance.certificate(instance.agree(), a_pdf())
    for verb in ("undertaking_frozen", "undertaking_signed", "certificate_made"):
        instance.left_out["rows"].append(instance.event(verb, evidence="a" * 64))
    data = instance.take_out()
    assert judged(data) == {}
    words = words_of_certificates(data)
    assert "all whom its text names have signed that; there are 1." in words
    assert words.endswith("can't be told, as they are not here; their PDFs: 1.")


@pytest.mark.parametrize("name", ["kind", "user", "organisation"])
def test_a_signature_that_does_not_say_who_gave_it_for_whom_is_noticed(name: str) -> None:
    def change(rows: list[Any]) -> None:
        del rows[1]["row"][name]

    files = container.unpack(BUNDLE)
    in_lines(parts.ROWS, change)(files)
    bind_anew(files)
    data = container.pack(sealed(listed(files), private_key()))
    assert f"{name} is missing, or not of its kind" in judged(data)["Texts"]
