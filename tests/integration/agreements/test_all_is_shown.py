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
from tests.factories.evidence.leaves import TECHNICAL, articles_on, shown_on, unseen
from tests.factories.visits import JointVisit
from tracker.agreements import frozen_text
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations import keys
from tracker.demo import checklists as demo_checklists
from tracker.signoff import leaves
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision
from tracker.undertakings.models import Undertaking

CHECKLISTS = [kind.value for kind in ChecklistKind]
# Of each kind, the visit whose text is amended, and an item that changes.
AMENDED = {"confidentiality": (None, "C1"), "visit_roles": (1, "V6"), "urgent_plan": (1, "U4")}


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


def sent(joint_visit: JointVisit, kind: str) -> tuple[Checklist, Revision]:
    """Return a text of a kind that waits for signatures: terms, or an amendment of another kind."""
    if kind == ChecklistKind.TERMS.value:
        checklist_id = joint_visit.demonstration.checklists["waiting", kind]
        checklist = joint_visit.session.get_one(Checklist, checklist_id)
    else:
        checklist = amended(joint_visit, kind)
        joint_visit.session.commit()
    return checklist, joint_visit.session.get_one(Revision, checklist.revision_sent_id)


def amended(joint_visit: JointVisit, kind: str) -> Checklist:
    number, item = AMENDED[kind]
    checklist = joint_visit.checklist(ChecklistKind(kind), number)
    agreements.amend(joint_visit.actor("ilena"), checklist, reason="It changed.", items=[item])
    joint_visit.session.flush()
    demo_checklists.send(joint_visit.demo_people, checklist)
    return checklist


@pytest.mark.parametrize("kind", CHECKLISTS)
def test_before_signing_all_is_shown_that_is_signed(
    session: Session, app: Flask, demonstration: Demonstration, kind: str
) -> None:
    checklist, revision = sent(JointVisit(session, demonstration), kind)
    address = f"/checklists/{checklist.id}/sign"
    document = document_of(revision)
    for signatory in signatories(app, demonstration, address):
        for language in frozen_text.languages_of(document):
            page = signatory.page(f"{address}?language={language}")
            assert unseen(document, shown_on(page), language, "en") == []
        return
    pytest.fail("nobody may sign")


def test_before_several_texts_are_signed_each_is_shown_in_full(
    session: Session, app: Flask, demonstration: Demonstration
) -> None:
    joint_visit = JointVisit(session, demonstration)
    checklists = [amended(joint_visit, kind) for kind in AMENDED]
    session.commit()
    documents = {
        document_of(session.get_one(Revision, checklist.revision_sent_id))["title"]["en"]: checklist
        for checklist in checklists
    }
    browser = demonstration.browser(app, "tomas")
    for language in ("en", "ar"):
        page = browser.page(f"/cooperations/{joint_visit.reference}/sign?language={language}")
        articles = articles_on(page)
        assert len(articles) == len(documents) == len(AMENDED)
        seen = []
        for checklist in checklists:
            document = document_of(session.get_one(Revision, checklist.revision_sent_id))
            # Each text is in one article, and not only on the page.
            seen += [
                number
                for number, article in enumerate(articles)
                if unseen(document, article, language, "en") == []
            ]
        assert sorted(seen) == [*range(len(AMENDED))]


@pytest.mark.parametrize("kind", CHECKLISTS)
def test_before_a_scan_is_confirmed_all_is_shown_that_was_signed_on_it(
    session: Session, app: Flask, demonstration: Demonstration, kind: str
) -> None:
    """product.md, 5.3 and 5.6."""
    joint_visit = JointVisit(session, demonstration)
    checklist, revision = sent(joint_visit, kind)
    recorder = "joana" if kind == ChecklistKind.TERMS.value else "samira"
    record = scans.record(joint_visit.actor(recorder), checklist)
    session.commit()
    document = document_of(revision)
    address = f"/checklists/{checklist.id}/papers/{record.id}"
    confirming = demonstration.browser(app, "ilena")
    for language in frozen_text.languages_of(document):
        page = confirming.page(f"{address}?language={language}")
        assert unseen(document, shown_on(page), language, "en") == []
    # Nobody confirms what they recorded; the text is on its record.
    own = demonstration.browser(app, recorder).page(address)
    assert unseen(document, shown_on(own), "en", "en")


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
