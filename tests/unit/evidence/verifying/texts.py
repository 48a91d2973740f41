"""Texts of agreements and undertakings as their parties signed them, in bundles for tests."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

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
)
from tests.unit.evidence.verifying.changes import (
    SAMIRA,
    on_paper,
)
from tracker.evidence.bundles import verify


def attested(tell: Callable[[Instance], dict[str, Any]]) -> bytes:
    """Return a bundle with a PDF of the described text."""
    instance = begun(keys=[key_note(), document_note()])
    instance.certificate(tell(instance), a_pdf())
    return instance.take_out()


def asks(**needed: int) -> dict[str, Any]:
    """Return the rule of a text that asks this many people of each party."""
    ids = {"npm": NPM, "cso": CSO}
    parties = [
        {"organisation_id": str(ids[organisation]), "needed": many}
        for organisation, many in needed.items()
    ]
    return {"signing": {"parties": parties}}


def signed_so(
    *acts: Callable[[Instance, dict[str, Any]], object], **more: Any
) -> Callable[[Instance], dict[str, Any]]:
    """Freeze a text and perform the given acts on it, one after the other."""

    def tell(instance: Instance) -> dict[str, Any]:
        text = instance.text(**more)
        for act in acts:
            act(instance, text)
        return text

    return tell


def by(user: UUID | str, organisation: UUID | str | None, **more: Any) -> Callable[..., object]:
    """Sign as somebody for an organisation."""
    whom = str(organisation) if organisation else None
    return lambda instance, text: instance.sign(text, user=str(user), organisation=whom, **more)


def event_of(verb: str) -> Callable[..., object]:
    """Record an event about the text's subject."""
    return lambda instance, text: instance.event(verb, about=UUID(text["subject"]))


HENRIK_SIGNS, TOMAS_SIGNS = by(HENRIK, CSO), by(TOMAS, NPM)


IN_FORCE = event_of("came_into_force")


def agreed_on_paper(signer: UUID, **changed: Any) -> Callable[[Instance], dict[str, Any]]:
    """Have somebody sign for the CSO on paper, and Tomas for the NPM as usual."""
    paper = {"verb": "signed_on_paper", "method": "paper", "paper": on_paper(**changed)}
    return signed_so(by(signer, CSO, **paper), TOMAS_SIGNS, IN_FORCE)


def agreed_before(
    other: UUID, party: str, verb: str = "former_agreement_recorded", **changed: Any
) -> Callable[[Instance], dict[str, Any]]:
    """Record an agreement from before, which Henrik and another person confirm for two parties."""

    def signs(user: UUID, organisation: UUID, confirmed_for: str) -> Callable[..., object]:
        confirmed = {"confirmed_by": str(user), "confirmed_for": confirmed_for}
        paper = on_paper(**({"made": "before"} | confirmed | changed))
        return by(user, organisation, verb="signed_on_paper", method="paper", paper=paper)

    return signed_so(signs(HENRIK, CSO, "Open Door"), signs(other, NPM, party), IN_FORCE, verb=verb)


def an_undertaking(
    *acts: Callable[[Instance, dict[str, Any]], object], **more: Any
) -> Callable[[Instance], dict[str, Any]]:
    """Freeze Henrik's undertaking and perform the given acts on it."""
    given = {"says": {"person": {"id": str(HENRIK), "name": "Henrik Asante"}}} | more
    return signed_so(
        *acts, kind="undertaking", subject_type="undertaking", verb="undertaking_frozen", **given
    )


def own(user: UUID | str = HENRIK, **more: Any) -> Callable[..., object]:
    """Sign an undertaking."""
    about = {"verb": "undertaking_signed", "about": an_id("undertaking")}
    return by(user, None, **(about | more))


def own_before(host: object) -> Callable[..., object]:
    """Sign an undertaking on somebody's device."""
    presence = {"host": str(host), "host_name": "Somebody", "host_for": "The NPM"}
    known = {"method": "password_totp", "known_by": "An identity card"}
    return own(method="in_presence", presence=presence | known)


def own_on_paper(**changed: Any) -> Callable[..., object]:
    """Sign an undertaking on paper."""
    return own(method="paper", paper=on_paper(**changed))


# Tomas recorded the scan, and Samira confirmed it.
SWAPPED = {"recorded_by": str(TOMAS), "confirmed_by": str(SAMIRA)}


def countersigned(user: UUID | str = TOMAS, **more: Any) -> Callable[..., object]:
    """Countersign an undertaking."""
    about = {"verb": "undertaking_countersigned", "about": an_id("undertaking")}
    return by(user, NPM, **({"kind": "countersignature"} | about | more))


BROKEN = {"Signatures", "Passkeys", "Certificates"}


def flaw_of(tell: Callable[[Instance], dict[str, Any]]) -> str:
    """Return why a signature on paper doesn't count; a certificate of its text isn't sound."""
    wrong = judged(attested(tell))
    assert set(wrong) == BROKEN
    assert "not signed by all whom it names" in wrong["Certificates"]
    return wrong["Signatures"]


def words_of_certificates(data: bytes) -> str:
    return next(
        verdict.words for verdict in verify.verify(data).verdicts if verdict.link == "Certificates"
    )
