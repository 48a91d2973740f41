"""Everything in a frozen document is shown where it is signed and on its certificate."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories import paper as scans
from tests.factories.demonstration import Demonstration
from tests.factories.evidence.certificates import make_all, words_of
from tests.factories.evidence.leaves import TECHNICAL, shown_on, unseen
from tests.factories.visits import Scene
from tracker.agreements import frozen_text
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations import keys
from tracker.signoff import leaves
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision
from tracker.undertakings.models import Undertaking

CHECKLISTS = [kind.value for kind in ChecklistKind]


def of_kind(session: Session, kind: str) -> Revision:
    """Return the newest revision of a kind that was signed by all in the demonstration."""
    return session.scalars(
        sa.select(Revision)
        .where(Revision.kind == kind, Revision.signatures.any())
        .order_by(Revision.frozen_at, Revision.id)
        .limit(1)
    ).one()


def document_of(revision: Revision) -> dict[str, Any]:
    key = keys.key_of(revision.cooperation_id) if revision.is_sealed else None
    return signoff.document_of(revision, key)


@pytest.fixture
def ilena(app: Flask, demonstration: Demonstration) -> CheckedClient:
    return demonstration.browser(app, "ilena")


def test_the_list_of_what_only_machines_read_is_the_one_that_was_thought_about() -> None:
    assert set(leaves.TECHNICAL) == TECHNICAL


@pytest.mark.parametrize("kind", CHECKLISTS)
def test_the_record_says_all_that_was_signed(
    session: Session, demonstration: Demonstration, ilena: CheckedClient, kind: str
) -> None:
    revision = of_kind(session, kind)
    document = document_of(revision)
    for language in frozen_text.languages_of(document):
        page = ilena.page(
            f"/checklists/{revision.subject_id}/record/{revision.number}?language={language}"
        )
        text = "".join(page.root.itertext())
        technical = leaves.technical(document, frozen_text.languages_of(document))
        assert [leaf for leaf in technical if leaf[0] not in text or leaf[1] not in text] == []
        assert unseen(document, shown_on(page), language, "en") == []


def test_before_signing_all_is_shown_that_is_signed(
    session: Session, app: Flask, demonstration: Demonstration
) -> None:
    checklist_id = demonstration.checklists["waiting", "terms"]
    address = f"/checklists/{checklist_id}/sign"
    revision = session.scalars(sa.select(Revision).where(Revision.subject_id == checklist_id)).one()
    document = document_of(revision)
    for signatory in signatories(app, demonstration, address):
        for language in frozen_text.languages_of(document):
            page = signatory.page(f"{address}?language={language}")
            assert unseen(document, shown_on(page), language, "en") == []
        return
    pytest.fail("nobody may sign")


def test_before_a_scan_is_confirmed_all_is_shown_that_was_signed_on_it(
    session: Session, app: Flask, demonstration: Demonstration
) -> None:
    """product.md, 5.3 and 5.6."""
    checklist_id = demonstration.checklists["waiting", "terms"]
    record = scans.record(
        Scene(session, demonstration).actor("joana"), session.get_one(Checklist, checklist_id)
    )
    session.commit()
    document = document_of(session.get_one(Revision, record.revision_id))
    address = f"/checklists/{checklist_id}/papers/{record.id}"
    confirming = demonstration.browser(app, "ilena")
    for language in frozen_text.languages_of(document):
        page = confirming.page(f"{address}?language={language}")
        assert unseen(document, shown_on(page), language, "en") == []
    # Nobody confirms what they recorded; the text is on its record.
    assert unseen(document, shown_on(demonstration.browser(app, "joana").page(address)), "en", "en")


def test_before_countersigning_all_is_shown_that_was_signed(
    session: Session, app: Flask, demonstration: Demonstration
) -> None:
    undertaking, document = an_undertaking(session)
    reference = document["cooperation"]["reference"]
    page = demonstration.browser(app, "tomas").page(
        f"/cooperations/{reference}/undertakings/{undertaking.id}?language=en"
    )
    assert unseen(document, shown_on(page), "en", "en") == []


def signatories(app: Flask, demonstration: Demonstration, address: str) -> Iterator[CheckedClient]:
    for key in ("tomas", "henrik", "otto"):
        browser = demonstration.browser(app, key)
        if browser.get(address).status_code == 200:
            yield browser


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_persons_record_of_an_undertaking_says_all_that_was_signed(
    session: Session, app: Flask, demonstration: Demonstration, language: str
) -> None:
    undertaking, document = an_undertaking(session)
    key = next(
        key for key, user_id in demonstration.users.items() if user_id == undertaking.user_id
    )
    browser = demonstration.browser(app, key)
    page = browser.page(f"/undertakings/{undertaking.id}?language={language}")
    shown_words = frozen_text.shown_in(document, language)
    assert unseen(document, shown_on(page), shown_words, "en") == []


def an_undertaking(session: Session) -> tuple[Undertaking, dict[str, Any]]:
    undertaking = session.scalars(
        sa.select(Undertaking)
        .where(Undertaking.revision_id.is_not(None), Undertaking.closed_at.is_(None))
        .order_by(Undertaking.signed_at, Undertaking.id)
        .limit(1)
    ).one()
    revision_id: UUID = undertaking.revision_id  # type: ignore[assignment] # it is signed
    return undertaking, document_of(session.get_one(Revision, revision_id))


@pytest.mark.parametrize("kind", [*CHECKLISTS, "undertaking"])
def test_the_certificate_says_all_that_was_signed(
    session: Session, demonstration: Demonstration, kind: str
) -> None:
    revision = of_kind(session, kind)
    row = next(
        certificate for certificate in make_all()[revision.id] if certificate.language == "en"
    )
    assert unseen(document_of(revision), words_of(row), "en", "en") == []
