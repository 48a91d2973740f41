"""The public check: its answer in every state of a text, and what it never reveals.

In one file: every state of one text, and the answer to each.
"""

import datetime as dt
import io
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from tests import due
from tests.client import CheckedClient
from tests.factories import agreements
from tests.factories.cooperations import load_checklists, make_country, open_one
from tests.factories.demonstration import Demonstration
from tests.factories.evidence.bundles import as_large_as, begun, key_note, usual
from tests.factories.evidence.certificates import damages, file_of
from tests.factories.evidence.tampering import (
    CERTIFICATES,
    KEYS,
    REVISIONS,
    Tampering,
    hands,
    table_of,
)
from tests.factories.visits import JointVisit
from tests.pages import Page
from tests.starting_points import noon_in
from tests.writing import write_during
from tracker.accounts.factors import attempts
from tracker.activity import verbs
from tracker.activity.chain import Link
from tracker.activity.models import IS_OF_THE_INSTANCE, Chain, Event
from tracker.activity.service import record
from tracker.agreements import notices
from tracker.agreements import service as agreements_service
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, Notice, NoticeKind
from tracker.cooperations import keys
from tracker.cooperations.models import Cooperation, CooperationKey, Stage
from tracker.core import canonical
from tracker.core.db import db
from tracker.core.errors import KeyDestroyedError
from tracker.evidence import bound
from tracker.evidence.bundles import (
    bundle,
    container,
    parts,
    service,
    verify,
)
from tracker.evidence.certificates import contents, pdf
from tracker.evidence.forms import MAX_BYTES
from tracker.evidence.keys import signing_keys
from tracker.evidence.log import notes
from tracker.evidence.models import Certificate, EvidenceKey, KeyOrigin, KeyUse
from tracker.evidence.public_check import verdicts
from tracker.evidence.public_check.facts import REGISTER, Answer, Verdict
from tracker.evidence.public_check.routes import MAX_REQUEST_BYTES
from tracker.reviews import service as reviews
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision
from tracker.undertakings import handlers, queries
from tracker.undertakings.models import Undertaking, UndertakingEnd, UndertakingState

START, END = noon_in(-315).date(), noon_in(414).date()
PAIR = {"npm": "tomas", "door": "henrik"}
OTHER = "f" * 64
CHECKLISTS, DAY = table_of(Checklist), dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def later(frozen_time: Callable[[dt.datetime | None], None]) -> None:
    """A few days later: the demonstration's terms begin two days after they were signed."""
    frozen_time(noon_in(5))


def revision_of(demonstration: Demonstration, name: str, kind: str = "terms") -> Revision:
    return db.session.scalars(
        sa.select(Revision)
        .where(Revision.subject_id == demonstration.checklists[name, kind])
        .order_by(Revision.number.desc())
    ).first() or pytest.fail(f"{name}: nothing was frozen")


def certificate_of(revision: Revision, language: str = "en") -> Certificate:
    return db.session.scalars(
        sa.select(Certificate).where(
            Certificate.revision_id == revision.id, Certificate.language == language
        )
    ).one()


def verdict_on(demonstration: Demonstration, name: str, kind: str = "terms") -> Answer:
    digest = revision_of(demonstration, name, kind).digest
    return verdicts.of_text(demonstration.references[name], digest)


# Verdicts on a text -----------------------------------------------------------------------------


def test_a_text_in_force_is_genuine(session: Session, demonstration: Demonstration) -> None:
    for kind in ("terms", "confidentiality", "visit_roles", "urgent_plan"):
        assert verdict_on(demonstration, "complete", kind) == Answer(Verdict.GENUINE)


def test_a_text_that_all_have_signed_says_that_it_has_not_begun_yet(
    session: Session,
    demonstration: Demonstration,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    terms = session.get_one(Cooperation, demonstration.cooperations["complete"])
    assert terms.starts_on is not None
    first = dt.datetime.combine(terms.starts_on, dt.time(12), dt.UTC)
    frozen_time(first - dt.timedelta(days=1))
    assert verdict_on(demonstration, "complete").verdict is Verdict.BEGINS_LATER
    frozen_time(first)
    assert verdict_on(demonstration, "complete").verdict is Verdict.GENUINE


def test_a_text_that_waits_or_was_declined_says_so(
    session: Session, demonstration: Demonstration
) -> None:
    assert verdict_on(demonstration, "waiting").verdict is Verdict.WAITING
    assert verdict_on(demonstration, "declined").verdict is Verdict.NOT_SIGNED


def test_a_revision_is_superseded_by_the_next_once_all_have_signed_that(session: Session) -> None:
    load_checklists()
    country = make_country(session)
    cooperation = open_one(country, "door")
    terms = agreements.checklist_of(cooperation, ChecklistKind.TERMS)
    agreements.answer(country, terms, "M19", **agreements.term(START, END))
    first = agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "tomas", "henrik")

    def verdict(revision: Revision) -> Verdict:
        return verdicts.of_text(cooperation.reference, revision.digest).verdict

    assert verdict(first) is Verdict.GENUINE
    agreements_service.amend(country.actor("ilena"), terms, reason="A new law.", items=["M19"])
    second = agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "tomas")
    assert (verdict(first), verdict(second)) == (Verdict.GENUINE, Verdict.WAITING)
    agreements.sign(country, terms, "henrik")
    assert (verdict(first), verdict(second)) == (Verdict.SUPERSEDED, Verdict.GENUINE)


def test_what_a_party_suspends_or_ends_no_longer_holds(session: Session) -> None:
    load_checklists()
    country = make_country(session)
    cooperation = open_one(country, "door")
    terms = agreements.checklist_of(cooperation, ChecklistKind.TERMS)
    agreements.answer(country, terms, "M19", **agreements.term(START, END))
    revision = agreements.send(country, terms, PAIR)
    agreements.sign(country, terms, "tomas", "henrik")

    def verdict() -> Verdict:
        return verdicts.of_text(cooperation.reference, revision.digest).verdict

    tomas = country.actor("tomas")
    notice = notices.give_notice(tomas, terms, NoticeKind.SUSPENDED, reason="It is not safe.")
    assert verdict() is Verdict.SUSPENDED
    notices.close_notice(tomas, terms, notice.id, reason="It is safe again.")
    assert verdict() is Verdict.GENUINE
    notices.give_notice(tomas, terms, NoticeKind.ENDED, reason="The law has changed.")
    due.carry_out_due(notices.earliest(terms, NoticeKind.ENDED))
    assert verdict() is Verdict.ENDED


def test_what_ran_out_or_was_closed_has_ended(
    session: Session,
    demonstration: Demonstration,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    cooperation = session.get_one(Cooperation, demonstration.cooperations["complete"])
    assert cooperation.ends_on is not None
    terms = session.get_one(Checklist, demonstration.checklists["complete", "terms"])
    (notice,) = notices.open_notices(terms)
    notices.close_for_departure(None, terms, notice.organisation_id, "It left.")
    last = dt.datetime.combine(cooperation.ends_on, dt.time(12), dt.UTC)
    frozen_time(last)
    assert verdict_on(demonstration, "complete").verdict is Verdict.GENUINE
    frozen_time(last + dt.timedelta(days=1))
    assert verdict_on(demonstration, "complete").verdict is Verdict.ENDED
    frozen_time(last)
    cooperation.stage = Stage.CLOSED
    session.flush()
    # A row alone is no evidence: the event that closed it is.
    assert verdict_on(demonstration, "complete").verdict is Verdict.GENUINE
    record(
        verbs.STAGE_CHANGED,
        actor=None,
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        before=Stage.CLEARED.value,
        after=Stage.CLOSED.value,
    )
    assert verdict_on(demonstration, "complete").verdict is Verdict.ENDED


def test_all_texts_have_ended_with_the_terms_from_the_day_of_a_notice_on(
    session: Session,
    demonstration: Demonstration,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    day = session.scalars(
        sa.select(Notice.from_on).where(
            Notice.checklist_id == demonstration.checklists["complete", "terms"]
        )
    ).one()
    for days, verdict in ((-1, Verdict.GENUINE), (0, Verdict.ENDED)):
        noon = dt.datetime.combine(day + dt.timedelta(days=days), dt.time(12), dt.UTC)
        frozen_time(noon)
        for kind in ("terms", "confidentiality"):
            assert verdict_on(demonstration, "complete", kind).verdict is verdict


@pytest.mark.parametrize(
    ("table", "values", "verdict"),
    [
        (CHECKLISTS, {"kind": ChecklistKind.VISIT_ROLES}, Verdict.ENDED),
        (CHECKLISTS, {"visit_id": uuid4()}, Verdict.ENDED),
        (CHECKLISTS, {"id": uuid4()}, Verdict.DISAGREES),
        (REVISIONS, {"document": b"{}"}, Verdict.DISAGREES),
        (REVISIONS, {"kind": "visit_roles"}, Verdict.DISAGREES),
        (REVISIONS, {"subject_id": uuid4()}, Verdict.DISAGREES),
    ],
)
def test_a_plan_that_ended_with_the_terms_is_not_genuine_once_their_rows_were_changed(
    session: Session,
    demonstration: Demonstration,
    frozen_time: Callable[[dt.datetime | None], None],
    table: sa.Table,
    values: dict[str, object],
    verdict: Verdict,
) -> None:
    cooperation = session.get_one(Cooperation, demonstration.cooperations["complete"])
    assert cooperation.ends_on is not None
    frozen_time(dt.datetime.combine(cooperation.ends_on, dt.time(12), dt.UTC) + DAY)
    assert verdict_on(demonstration, "complete", "urgent_plan").verdict is Verdict.ENDED
    row_id = demonstration.checklists["complete", "terms"]
    if table is REVISIONS:
        row_id = revision_of(demonstration, "complete").id
    session.rollback()
    with hands() as connection:
        Tampering(connection, demonstration.cooperations["complete"]).update(
            table, row_id, **values
        )
    assert verdict_on(demonstration, "complete", "urgent_plan").verdict is verdict


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        (UndertakingEnd.NEW_TERMS, Verdict.SUPERSEDED),
        (UndertakingEnd.WITHDRAWN, Verdict.ENDED),
    ],
)
def test_an_undertaking_holds_until_it_is_closed(
    session: Session, demonstration: Demonstration, reason: UndertakingEnd, verdict: Verdict
) -> None:
    undertaking = session.scalars(
        sa.select(Undertaking).where(Undertaking.state == UndertakingState.COUNTERSIGNED)
    ).first()
    assert undertaking is not None
    assert undertaking.revision_id is not None
    digest = session.get_one(Revision, undertaking.revision_id).digest
    reference = demonstration.references["complete"]
    assert verdicts.of_text(reference, digest) == Answer(Verdict.GENUINE)
    assert handlers.close(None, queries.locked(undertaking.id), reason)
    assert verdicts.of_text(reference, digest) == Answer(verdict)


def test_a_digest_is_read_as_printed_on_paper(
    session: Session, demonstration: Demonstration
) -> None:
    digest = revision_of(demonstration, "complete").digest
    typed = "  ".join(digest[at : at + 8] for at in range(0, 64, 8)).upper()
    reference = f" {demonstration.references['complete'].lower()} "
    assert verdicts.of_text(reference, typed).verdict is Verdict.GENUINE


@pytest.mark.parametrize("digest", ["", "0", OTHER, OTHER[:-1], "z" * 64, "%", "f" * 1000])
def test_an_unknown_document_is_reported_as_unknown(
    session: Session, demonstration: Demonstration, digest: str
) -> None:
    assert verdicts.of_text(demonstration.references["complete"], digest) == verdicts.UNKNOWN
    assert verdicts.of_digests(digest) == verdicts.UNKNOWN


def test_a_digest_under_the_reference_of_another_cooperation_is_unknown(
    session: Session, demonstration: Demonstration
) -> None:
    digest = revision_of(demonstration, "complete").digest
    assert verdicts.of_text(demonstration.references["waiting"], digest) == verdicts.UNKNOWN
    assert verdicts.of_text("", digest) == verdicts.UNKNOWN


# Verdicts on a file -----------------------------------------------------------------------------


def test_a_certificate_is_recognised_by_its_file_and_by_its_digest(
    session: Session, demonstration: Demonstration
) -> None:
    for kind in ("terms", "visit_roles"):
        for language in ("en", "ar"):
            row = certificate_of(revision_of(demonstration, "complete", kind), language)
            assert verdicts.of_file(file_of(row)).verdict is Verdict.GENUINE
            assert verdicts.of_digests(row.sha256).verdict is Verdict.GENUINE


def test_the_canonical_document_alone_is_recognised_too(
    session: Session, demonstration: Demonstration
) -> None:
    revision = revision_of(demonstration, "complete")
    assert verdicts.of_file(signoff.plain_bytes(revision, None)).verdict is Verdict.GENUINE


def test_of_two_hundred_changes_to_a_file_none_is_taken_for_genuine(
    session: Session, demonstration: Demonstration
) -> None:
    data = file_of(certificate_of(revision_of(demonstration, "complete")))
    answers = {verdicts.of_file(damage.data).verdict for damage in damages(data, 200, seed=3)}
    assert answers <= {Verdict.ALTERED, Verdict.UNKNOWN}
    assert verdicts.of_file(data + b"\n").verdict is Verdict.ALTERED


def test_another_file_is_unknown(session: Session, demonstration: Demonstration) -> None:
    for data in (b"", b"A text.", b"%PDF-1.7\n%%EOF\n", f"{pdf.MARKER}{OTHER}".encode()):
        assert verdicts.of_file(data) == verdicts.UNKNOWN


def test_what_was_changed_in_the_database_is_not_called_genuine(
    session: Session, demonstration: Demonstration
) -> None:
    """A row inserted by hand has no event that proves it."""
    revision = revision_of(demonstration, "complete")
    row = certificate_of(revision)
    data, reference, digest = file_of(row), demonstration.references["complete"], revision.digest
    row_id, revision_id = row.id, revision.id
    cooperation_id = demonstration.cooperations["complete"]
    session.rollback()
    with hands() as connection:
        own = Tampering(connection, cooperation_id)
        own.update(CERTIFICATES, row_id, sha256=canonical.digest(data + b"x"))
    assert verdicts.of_file(data + b"x").verdict is Verdict.ALTERED
    session.rollback()
    with hands() as connection:
        Tampering(connection, cooperation_id).update(REVISIONS, revision_id, number=9)
    assert verdicts.of_text(reference, digest).verdict is Verdict.ALTERED


def test_a_file_whose_key_cooperation_or_text_was_deleted_is_altered(
    session: Session, demonstration: Demonstration
) -> None:
    row = certificate_of(revision_of(demonstration, "complete"))
    data, key_id, revision_id = file_of(row), row.evidence_key_id, row.revision_id
    cooperation_id = demonstration.cooperations["complete"]
    session.rollback()
    for table, row_id in (
        (KEYS, key_id),
        (table_of(Cooperation), cooperation_id),
        (REVISIONS, revision_id),
    ):
        with hands() as connection:
            Tampering(connection, cooperation_id).delete(table, row_id)
        assert verdicts.of_file(data) == verdicts.ALTERED
        if table is not KEYS:
            assert verdicts.of_digests(canonical.digest(data)) == verdicts.ALTERED
        session.rollback()


def test_an_erased_text_is_still_recognised_by_its_digest(
    session: Session, demonstration: Demonstration
) -> None:
    revision = revision_of(demonstration, "complete", "visit_roles")
    session.execute(sa.update(CooperationKey).values(wrapped=None))
    session.commit()
    with pytest.raises(KeyDestroyedError):
        keys.key_of(revision.cooperation_id)
    assert verdict_on(demonstration, "complete", "visit_roles").verdict is Verdict.GENUINE


# Who signed -------------------------------------------------------------------------------------


def test_signers_are_named_only_if_the_setting_allows_it_and_never_for_a_visit(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    assert verdict_on(demonstration, "complete").signers is None
    setting = f"/cooperations/{demonstration.references['complete']}/verification"
    session.rollback()
    demonstration.browser(app, "ilena").submit(setting, shows_signers="yes")
    session.expire_all()
    signers = verdict_on(demonstration, "complete").signers
    assert signers is not None
    assert {(signer.name, signer.organisation) for signer in signers} == {
        ("Tomas Beridan", "Office of the People's Advocate"),
        ("Henrik Asante", "Open Door Legal Aid"),
        ("Otto Brandis", "Lantern Health Network"),
    }
    assert verdict_on(demonstration, "complete", "visit_roles").signers is None


def test_a_setting_that_was_written_into_the_database_names_nobody(
    session: Session, demonstration: Demonstration
) -> None:
    cooperation_id = demonstration.cooperations["complete"]
    session.rollback()
    with hands() as connection:
        connection.execute(
            sa.update(table_of(Cooperation))
            .where(table_of(Cooperation).c.id == cooperation_id)
            .values(shows_signers=True)
        )
    session.expire_all()
    answer = verdict_on(demonstration, "complete")
    assert answer.verdict is Verdict.GENUINE
    assert answer.signers is None
    # Nor once an act binds the row that was altered (adr 126).
    joint_visit = JointVisit(session, demonstration)
    reviews.begin(joint_visit.actor("ilena"), joint_visit.cooperation)
    session.commit()
    assert verdict_on(demonstration, "complete").signers is None


# The page ---------------------------------------------------------------------------------------


@pytest.fixture
def stranger(app: Flask, demonstration: Demonstration) -> CheckedClient:
    return demonstration.browser(app, None)


def test_a_stranger_checks_by_reference_and_digest(
    app: Flask, session: Session, demonstration: Demonstration, stranger: CheckedClient
) -> None:
    digest = revision_of(demonstration, "complete").digest
    reference = demonstration.references["complete"]
    answer = stranger.get("/verify", query_string={"reference": reference, "digest": digest})
    page = Page.of(answer)
    assert "Genuine. It's as it was signed" in page.text
    assert "This page doesn't show who signed it." in page.text
    for content in ("police", "Tomas", "People's Advocate", "Agreed terms"):
        assert content not in page.text


def test_the_address_on_paper_leads_to_the_verdict(
    app: Flask, session: Session, demonstration: Demonstration, stranger: CheckedClient
) -> None:
    revision = revision_of(demonstration, "complete")
    with app.test_request_context():
        where = contents.address(demonstration.references["complete"], revision.digest)
    assert where.endswith(
        f"/verify?reference={demonstration.references['complete']}&digest={revision.digest}"
    )
    page = stranger.page(where[where.index("/verify") :])
    assert "Genuine." in page.text
    assert page.title.startswith("Check a document: Genuine.")


def test_a_stranger_hands_over_a_file_and_nothing_of_it_is_kept(
    session: Session,
    demonstration: Demonstration,
    stranger: CheckedClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody who saves has to wait for the check: it needs no account."""
    row = certificate_of(revision_of(demonstration, "complete"))
    data = file_of(row)
    before = _rows()
    calls = write_during(monkeypatch, (pdf, "flaw_of"), (bound, "standing_of"))
    assert "Genuine." in handed(stranger, data).text
    assert calls == ["flaw_of", "standing_of"]
    assert "Altered." in handed(stranger, data + b"\n").text
    assert "Unknown." in handed(stranger, b"Something else").text
    session.rollback()
    after = _rows()
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "attempt": 2
    }


def handed(client: CheckedClient, data: bytes) -> Page:
    answer = sent(client, data)
    assert answer.status_code == 200
    page = Page.of(answer)
    assert "secret-name" not in answer.get_data(as_text=True)
    return page


def sent(client: CheckedClient, data: bytes) -> TestResponse:
    page = client.page("/verify")
    token = page.form().values["csrf_token"]
    # As bytes: the test client stores a large form in a file, and leaves it open.
    boundary, form = encode_multipart(
        {"csrf_token": token[0], "file": FileStorage(io.BytesIO(data), "secret-name.pdf")}
    )
    return client.post(
        "/verify",
        data=form,
        content_type=f"multipart/form-data; boundary={boundary}",
        csrf=False,
    )


def _rows() -> dict[str, int]:
    return {
        table.name: db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for table in db.metadata.sorted_tables
    }


def a_bundle(demonstration: Demonstration) -> bytes:
    taken = service.export(
        None, demonstration.cooperations["complete"], demonstration.references["complete"]
    )
    db.session.commit()
    return bundle.build(taken)


def test_a_bundle_of_evidence_is_checked_link_by_link(
    session: Session,
    demonstration: Demonstration,
    stranger: CheckedClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = a_bundle(demonstration)
    calls = write_during(monkeypatch, (verify, "verify"))
    page = handed(stranger, data)
    assert calls == ["verify"]
    assert "A genuine evidence bundle. Every part of it is intact" in page.text
    assert "Who signed" not in page.text
    for place in (300, len(data) // 2, len(data) - 30):
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert "Altered." in handed(stranger, changed).text


def test_a_file_may_be_as_large_as_the_page_says_and_not_a_byte_larger(
    session: Session, demonstration: Demonstration, stranger: CheckedClient
) -> None:
    largest = as_large_as(MAX_BYTES)
    assert len(largest) == MAX_BYTES == 10 * 1024 * 1024
    assert "An evidence bundle from somewhere else." in handed(stranger, largest).text
    page = handed(stranger, as_large_as(MAX_BYTES + 1))
    assert "The file is too large: at most 10 MB." in page.text
    assert page.title.startswith("Problem: ")
    assert "An evidence bundle from somewhere else." not in page.text
    assert sent(stranger, bytes(MAX_REQUEST_BYTES)).status_code == 413


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: as_large_as(MAX_BYTES), id="one large event"),
        pytest.param(
            lambda: container.pack(
                {f"documents/{number:>80}.json": b"" for number in range(39_000)}
            ),
            id="many files",
        ),
    ],
)
def test_checking_the_largest_bundle_takes_a_few_times_its_size_of_memory(
    make: Callable[[], bytes],
) -> None:
    """The sender has no account: the limit on uploads limits what a check costs."""
    data = make()
    assert 0.9 * MAX_BYTES < len(data) <= MAX_BYTES
    tracemalloc.start()
    try:
        verify.verify(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * MAX_BYTES


def test_a_bundle_that_a_stranger_sealed_is_not_called_genuine_nor_opened(
    session: Session,
    demonstration: Demonstration,
    stranger: CheckedClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Comparing each of its PDFs with each of its keys could take days."""
    opened: list[object] = []
    monkeypatch.setattr(pdf, "signature_flaw", lambda *given: opened.append(given))
    monkeypatch.setattr(canonical, "from_strange_bytes", opened.append)
    _instance, _checkpoint, data = usual()
    page = handed(stranger, data)
    assert opened == []
    assert "An evidence bundle from somewhere else." in page.text
    assert "wasn't sealed with a key from here" in page.text


def test_a_bundle_that_only_claims_a_seal_from_here_is_altered(
    session: Session, demonstration: Demonstration, stranger: CheckedClient
) -> None:
    files = container.unpack(begun().take_out())
    seal = notes.Seal.read(files[parts.SEAL].decode())
    ours = signing_keys.current(KeyUse.CHECKPOINT).fingerprint
    files[parts.SEAL] = replace(seal, key=ours).text().encode()
    assert "Altered." in handed(stranger, container.pack(files)).text


def test_a_bundle_sealed_with_a_key_that_was_revoked_is_not_called_genuine(
    session: Session, demonstration: Demonstration, stranger: CheckedClient
) -> None:
    data = a_bundle(demonstration)
    number = signing_keys.current(KeyUse.CHECKPOINT).number
    signing_keys.revoke(KeyUse.CHECKPOINT, number, "The server was stolen")
    db.session.commit()
    assert "An evidence bundle from somewhere else." in handed(stranger, data).text


def test_a_bundle_sealed_with_a_key_that_somebody_put_in_is_not_called_genuine(
    session: Session, demonstration: Demonstration, stranger: CheckedClient
) -> None:
    """Anybody who can write to the database can add a row, but no event to the sealed chain."""
    strange = key_note()
    row = EvidenceKey(
        id=uuid4(),
        use=KeyUse.CHECKPOINT,
        number=99,
        origin=KeyOrigin.MADE,
        public_key=strange.public_key,
        fingerprint=strange.fingerprint,
        made_at=strange.made_at,
    )
    session.connection().execute(
        sa.insert(EvidenceKey).values(
            {column.key: getattr(row, column.key) for column in sa.inspect(EvidenceKey).columns}
            | {"certificates": "", "reason": ""}
        )
    )
    put_in_event("evidence_key_made", "evidence_key", canonical.digest_of(row.content()))
    assert "An evidence bundle from somewhere else." in handed(stranger, begun().take_out()).text


@pytest.mark.parametrize("name", ["register_exported", "undertakings_exported"])
def test_a_list_whose_event_somebody_put_in_is_unknown(
    session: Session, demonstration: Demonstration, stranger: CheckedClient, name: str
) -> None:
    forged = b"Reference,Title\r\nC-2026-0001,Forged\r\n"
    put_in_event(name, REGISTER, canonical.digest(forged))
    assert "Unknown." in handed(stranger, forged).text


def put_in_event(verb: str, subject_type: str, evidence: str) -> None:
    """Add a row for an event with a correct digest of its own, after the sealed end."""
    chain = session_chain()
    link = Link(
        event_id=uuid4(),
        chain_id=chain.id,
        number=chain.count + 1,
        verb=verb,
        subject_type=subject_type,
        subject_id=uuid4(),
        at=noon_in(0),
        details_digest="0" * 64,
        evidence=evidence,
        previous=chain.head,
        state=None,
    )
    db.session.connection().execute(
        sa.insert(Event).values(
            id=link.event_id,
            chain_id=link.chain_id,
            number=link.number,
            verb=link.verb,
            subject_type=link.subject_type,
            subject_id=link.subject_id,
            at=link.at,
            details_digest=link.details_digest,
            evidence=link.evidence,
            previous=link.previous,
            digest=link.digest(),
        )
    )
    db.session.commit()


def session_chain() -> Chain:
    return db.session.scalars(sa.select(Chain).where(IS_OF_THE_INSTANCE)).one()


def test_another_zip_is_unknown(
    session: Session, demonstration: Demonstration, stranger: CheckedClient
) -> None:
    assert "Unknown." in handed(stranger, container.pack({"a.txt": b"Words"})).text


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("reference=C-2026-0001", "Enter the digest too: the reference only names a cooperation"),
        (
            "reference=C-2026-0001&digest=%20",
            "Enter the digest too: the reference only names a cooperation",
        ),
        (
            "file=&reference=C-2026-0001",
            "Enter the digest too: the reference only names a cooperation",
        ),
        (f"digest={OTHER}", "Enter the reference too, such as C-2026-0001."),
    ],
)
def test_one_of_reference_and_digest_asks_for_the_other_and_counts_as_no_try(
    session: Session,
    demonstration: Demonstration,
    stranger: CheckedClient,
    typed: str,
    expected: str,
) -> None:
    for _ in range(attempts.verification("127.0.0.1").most):
        assert stranger.get(f"/verify?{typed}").status_code == 200
    page = stranger.page(f"/verify?{typed}")
    assert expected in page.text
    assert "Unknown." not in page.text
    known = OTHER if OTHER in typed else "C-2026-0001"
    assert known in page.html
    assert page.title.startswith("Problem: ")
    assert page.html.index('class="error-summary"') < page.html.index("<h1>")


def test_no_file_is_asked_for_again(
    session: Session, demonstration: Demonstration, stranger: CheckedClient
) -> None:
    page = stranger.page("/verify")
    token = page.form().values["csrf_token"]
    answer = Page.of(stranger.post("/verify", data={"csrf_token": token}))
    assert "Choose a file" in answer.text
    assert answer.title.startswith("Problem: ")
    assert answer.html.index('class="error-summary"') < answer.html.index("<h1>")


def test_the_answer_to_a_secret_name_is_the_same_as_to_nothing(
    session: Session, demonstration: Demonstration, stranger: CheckedClient
) -> None:
    """Nobody learns by guessing which cooperations there are."""
    known = stranger.page(
        f"/verify?reference={demonstration.references['complete']}&digest={OTHER}"
    )
    unknown = stranger.page(f"/verify?reference=C-1999-0001&digest={OTHER}")
    assert "Unknown." in known.text
    assert without_the_form(known) == without_the_form(unknown)


def without_the_form(page: Page) -> str:
    return page.text.split("Check the file")[0]


def test_who_tries_too_often_waits_and_genuine_ones_are_not_counted(
    session: Session, demonstration: Demonstration, stranger: CheckedClient
) -> None:
    digest = revision_of(demonstration, "complete").digest
    good = f"/verify?reference={demonstration.references['complete']}&digest={digest}"
    limit = attempts.verification("127.0.0.1").most
    for _ in range(limit + 1):
        assert "Genuine." in stranger.page(good).text
    for _ in range(limit):
        assert stranger.get(f"/verify?file={OTHER}").status_code == 200
    answer = stranger.get(f"/verify?file={OTHER}")
    assert answer.status_code == 429
    assert "Too many tries." in answer.get_data(as_text=True)
    assert stranger.get("/verify").status_code == 200


def test_the_page_exists_in_both_languages_and_is_linked_from_every_page(
    session: Session, demonstration: Demonstration, stranger: CheckedClient
) -> None:
    assert "/verify" in stranger.page("/guidance").addresses()
    arabic = stranger.get("/verify", headers={"Accept-Language": "ar"})
    assert 'dir="rtl"' in arabic.get_data(as_text=True)
