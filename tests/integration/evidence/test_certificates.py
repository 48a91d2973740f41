"""Certificates: made once all have signed, only by the worker, stored unchanged, downloaded.

In one file: one certificate, from its making to its download.
"""

import datetime as dt
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories import agreements, checklists, powers
from tests.factories.cooperations import (
    Country,
    open_one,
)
from tests.factories.demonstration import Demonstration
from tests.factories.evidence import sent_terms
from tests.factories.evidence.bundles import a_pdf
from tests.factories.evidence.certificates import (
    by_revision,
    file_of,
    make_all,
    words_of,
)
from tests.factories.evidence.tampering import CERTIFICATES, hands
from tests.factories.visits import JointVisit, planned
from tests.log_lines import Lines
from tests.servers.timestamps import MOVED, TimestampServer
from tracker.access.actor import Role
from tracker.accounts.people import service as accounts
from tracker.accounts.people.names import rename
from tracker.accounts.people.service import NewRole
from tracker.activity import verbs
from tracker.activity.models import Event, ReadLogEntry
from tracker.agreements import service as agreements_service
from tracker.agreements import signature_requests
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.checklists.negotiation import safeguards
from tracker.cooperations.models import CooperationKey
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.errors import KeyDestroyedError
from tracker.demo import checklists as demo_checklists
from tracker.evidence.certificates import (
    contents,
    issuing,
    pdf,
    remote,
    typesetting,
)
from tracker.evidence.certificates import (
    service as certificates,
)
from tracker.evidence.certificates.issuing import PATIENCE
from tracker.evidence.certificates.service import CertificateError
from tracker.evidence.keys import signing_keys
from tracker.evidence.keys.signing_keys import certificates_of
from tracker.evidence.models import Certificate, EvidenceKey, KeyUse
from tracker.mail.transport import from_url
from tracker.oversight import integrity
from tracker.settings import Settings
from tracker.signoff.models import Revision, Signature
from tracker.undertakings.models import Undertaking
from tracker.visits.encryption import Plan
from tracker.worker import jobs

NOWHERE = "http://127.0.0.1:9/tsa"
NO_CERTIFICATE = "no certificate yet; tracker check says more"


def count() -> int:
    return db.session.scalar(sa.select(sa.func.count(Certificate.id))) or 0


def a_round(folder: Path, *, with_dates: bool = False, timestamp_url: str = "") -> None:
    jobs.run_once(from_url(f"file://{folder}"), with_dates=with_dates, timestamp_url=timestamp_url)


# Making -----------------------------------------------------------------------------------------


def test_the_worker_makes_a_certificate_once_all_have_signed_and_not_before(
    country: Country, terms: Checklist, tmp_path: Path
) -> None:
    assert certificates.due() == []
    revision_id = sent_terms.sign(country, terms).id
    assert certificates.due() == [revision_id]
    assert count() == 0
    a_round(tmp_path)
    (row,) = db.session.scalars(sa.select(Certificate)).all()
    assert (row.language, row.is_sealed, row.has_timestamp) == ("en", False, False)
    assert certificates.due() == []
    a_round(tmp_path)
    assert count() == 1


def test_each_language_of_a_text_gets_its_own_and_the_chain_bears_witness(
    session: Session, demonstration: Demonstration
) -> None:
    rows = list(session.scalars(sa.select(Certificate)))
    assert len(rows) > 8
    assert {(row.revision_id, row.language) for row in rows} >= {
        (revision_id, language)
        for revision_id in session.scalars(
            sa.select(Revision.id).where(
                Revision.kind.in_(["terms", "visit_roles"]),
                Revision.cooperation_id == demonstration.cooperations["complete"],
            )
        )
        for language in ("en", "ar")
    }
    query = sa.select(Event.evidence).where(Event.verb == verbs.CERTIFICATE_MADE.name)
    assert set(session.scalars(query)) == {canonical.digest_of(row.content()) for row in rows}
    verdict = integrity.check_all()
    assert (verdict.finding, verdict.counts.certificates) == (None, len(rows))


def test_every_certificate_is_sound_and_carries_the_very_bytes_that_were_signed(
    session: Session, demonstration: Demonstration
) -> None:
    assert len(by_revision()) > 4
    for revision_id, rows in by_revision().items():
        revision = session.get_one(Revision, revision_id)
        for row in rows:
            data = file_of(row)
            key = session.get_one(EvidenceKey, row.evidence_key_id)
            certificate = certificates_of(key)[0]
            assert pdf.flaw_of(data, kept_digest=row.sha256, certificate=certificate) is None
            assert canonical.digest(attached(data)) == revision.digest
            assert f"{pdf.MARKER}{revision.digest}".encode() in data
            assert row.is_sealed is revision.is_sealed
            assert row.document.startswith(b"%PDF") is not revision.is_sealed


def test_a_certificate_tells_text_signatures_events_digests_and_where_to_check(
    session: Session, demonstration: Demonstration
) -> None:
    revision = session.scalars(
        sa.select(Revision).where(
            Revision.subject_id == demonstration.checklists["complete", "terms"]
        )
    ).one()
    row = next(
        certificate for certificate in by_revision()[revision.id] if certificate.language == "en"
    )
    words = " ".join(words_of(row).split())
    for phrase in (
        "Agreed terms",
        "Demonstration. These people and organisations do not exist, and nobody signed.",
        "between Office of the People's Advocate, Open Door Legal Aid and Lantern Health Network",
        "Can another body decide, delay or veto the choice of places?",
        "If two of them differ, this one, in English, is binding.",
        "Tomas Beridan, People's Advocate, for Office of the People's Advocate",
        "I, Tomas Beridan, sign this text for Office of the People's Advocate",
        "Demonstration, without proof of identity",
        "Agreed terms, revision 1: all have signed. It begins on",
    ):
        assert phrase in words, phrase
    together = "".join(words.split())
    signed = sa.select(Signature.digest).where(Signature.revision_id == revision.id)
    digests = [revision.digest, *session.scalars(signed)]
    assert len(digests) == 4
    assert [digest for digest in digests if digest not in together] == []
    assert f"/verify?reference={demonstration.references['complete']}&digest=" in together


def test_the_events_of_a_certificate_name_items_by_their_titles_and_not_by_their_codes(
    country: Country, tmp_path: Path
) -> None:
    checklist = agreements.checklist_of(open_one(country, "door"), ChecklistKind.TERMS)
    agreements.answer(
        country, checklist, "M19", **agreements.term(sent_terms.START, sent_terms.END)
    )
    title = str(load(checklist).item("M19").label)
    flag = checklists.flag_term(country.actor("samira"), checklist, "M19", "It limits visits.")
    safeguards.explain_flag(country.actor("nadia"), checklist, flag.id, "It names no place.")
    agreements.send(country, checklist, sent_terms.PAIR)
    agreements.sign(country, checklist, "tomas")
    sent_terms.sign(country, checklist)
    a_round(tmp_path)
    row = db.session.scalars(sa.select(Certificate)).one()
    words = " ".join(words_of(row).split())
    text, heading, happened = words.partition("What happened, and who did it")
    assert text
    assert heading
    assert f"“{title}”" in happened
    assert re.findall(r"\b[MCVU]\d{1,2}\b", happened) == []


def test_the_certificate_of_a_visits_text_says_why_a_signature_was_passed_on(
    session: Session, demonstration: Demonstration
) -> None:
    """Its event doesn't say, as the history is read by people who may not know of the visit.

    It says so too if the person changes their name before they sign.
    """
    joint_visit = JointVisit(session, demonstration)
    role = NewRole(
        Role.SIGNATORY, joint_visit.body("npm"), office="Secretary general", power="Order 4"
    )
    accounts.give_role(joint_visit.actor("ilena"), joint_visit.user("milan"), role)
    powers.let_begin(joint_visit.user("milan"))
    first = clock.today() + dt.timedelta(days=21)
    planned(
        joint_visit,
        members=(),
        audience=("tomas", "milan"),
        plan=Plan("The harbour cells", first, first),
        gaps="A nurse: none could be found.",
    )
    plan = joint_visit.checklist(ChecklistKind.URGENT_PLAN, 2)
    recorder = {"U9": {"recorder": str(joint_visit.user("ruth"))}}
    demo_checklists.fill_in(joint_visit.demo_people, plan, other=recorder)
    demo_checklists.send(joint_visit.demo_people, plan)
    signature_requests.pass_on(
        joint_visit.actor("tomas"),
        plan,
        joint_visit.user("tomas"),
        joint_visit.user("milan"),
        page=agreements_service.page_with(plan),
        reason="Tomas is on leave.",
    )
    rename(joint_visit.actor("tomas"), joint_visit.user("milan"), "Milan Osterin Vale")
    checklists.sign(plan, joint_visit.actor("milan"))
    joint_visit.session.commit()
    assert plan.revision_in_force_id is not None
    certificates_ = make_all()[plan.revision_in_force_id]
    words = " ".join(words_of(next(row for row in certificates_ if row.language == "en")).split())
    assert "Milan Osterin was asked in place of Tomas Beridan: Tomas is on leave." in words


def attached(data: bytes) -> bytes:
    root = PdfFileReader(io.BytesIO(data)).root
    (spec,) = root["/AF"]
    content: bytes = spec.get_object()["/EF"]["/F"].data
    return content


def test_a_signature_waits_for_no_certificate_and_the_record_says_that_it_is_being_made(
    app: Flask, country: Country, terms: Checklist
) -> None:
    client, record = country.browser(app, "samira"), f"/checklists/{terms.id}/record"
    assert "Certificate" not in client.page(record).text
    sent_terms.sign(country, terms)
    assert "It's being made." in client.page(record).text
    make_all()
    page = client.page(record)
    assert "It's being made." not in page.text
    assert "PDF in English" in page.text


def test_a_certificate_that_fails_does_not_block_the_others_and_is_retried(
    country: Country,
    terms: Checklist,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log_lines: Lines,
    frozen_time: Callable[[dt.datetime], None],
) -> None:
    first, second = (
        sent_terms.sign(country, terms).id,
        sent_terms.sign(country, sent_terms.sent(country)).id,
    )
    real, attachments = typesetting.typeset, []

    def breaks(template: str, data: dict[str, object], attachment: typesetting.Attached) -> bytes:
        attachments.append(attachment)
        if len(attachments) == 1:
            raise typesetting.TypesettingError("unknown font family")
        return real(template, data, attachment)

    monkeypatch.setattr(issuing, "typeset", breaks)
    a_round(tmp_path)
    assert set(by_revision()) == {second}
    (line,) = log_lines
    assert (line["message"], line["revision"]) == (NO_CERTIFICATE, str(first))
    names = [error["error"].rpartition(".")[2] for error in line["errors"]]
    assert names == ["CertificateError", "TypesettingError"]
    assert [failing.error for failing in certificates.failing()] == ["unknown font family"]
    a_round(tmp_path, with_dates=True)
    assert set(by_revision()) == {second}
    frozen_time(clock.now() + certificates.WAITS[0])
    a_round(tmp_path)
    assert set(by_revision()) == {first, second}
    assert certificates.failing() == []


def test_what_can_not_be_made_shows_in_health_with_its_cause_and_waits_longer_each_time(
    app: Flask,
    country: Country,
    terms: Checklist,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    frozen_time: Callable[[dt.datetime], None],
) -> None:
    sent_terms.sign(country, terms)

    def breaks(*_given: object) -> dict[str, object]:
        nothing: dict[str, dict[str, object]] = {}
        return nothing["words of the text"]

    monkeypatch.setattr(contents, "certificate", breaks)
    begun, tried = clock.now(), []
    tries = [0, 1, 6, 36, 156, 516, 876, 1236]
    # It stays due until it's tried: a minute before each shows whether it was due earlier.
    for minute in sorted({*tries, *(minute - 1 for minute in tries[1:]), 24 * 60 - 1}):
        frozen_time(begun + dt.timedelta(minutes=minute))
        if certificates.due():
            a_round(tmp_path)
            tried.append(minute)
    assert tried == tries
    result = app.test_cli_runner().invoke(args=["check"])
    assert result.exit_code == 1
    assert "certificates: some can't be made" in result.output
    assert "terms, revision 1: Revision" in result.output
    assert "can't be set: KeyError in test_certificates.py, line" in result.output
    assert "(8 attempts; next at " in result.output
    assert "words of the text" not in result.output
    answer = app.test_client().get("/healthz")
    assert answer.status_code == 503
    assert answer.get_json()["certificates"] == "some can't be made"


def test_an_error_that_nobody_expected_is_recorded_too_and_stops_no_worker(
    country: Country,
    terms: Checklist,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    log_lines: Lines,
) -> None:
    revision_id = sent_terms.sign(country, terms).id

    def breaks(_revision_id: object) -> None:
        raise RecursionError("words of the text")

    monkeypatch.setattr(issuing, "_work", breaks)
    a_round(tmp_path)
    (failing,) = certificates.failing()
    cause = f"Revision {revision_id} can't be set: RecursionError in test_certificates.py, line"
    assert failing.error.startswith(cause)
    (line,) = log_lines
    assert line["message"] == NO_CERTIFICATE
    assert "words of the text" not in str(line)


def test_a_text_in_an_unknown_format_is_reported(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    confidentiality = agreements.checklist_of(
        open_one(country, "door", title="Visits to homes"), ChecklistKind.CONFIDENTIALITY
    )
    revision_id = agreements.send_sealed(
        country, confidentiality, "No shape at all.", sent_terms.PAIR
    ).id
    agreements.sign(country, confidentiality, "tomas")
    db.session.commit()
    # Nothing in such a format comes into force here; a later format may.
    monkeypatch.setattr(issuing, "_require_signed_by_all", lambda _revision: None)
    with pytest.raises(CertificateError, match=f"Revision {revision_id} can't be set"):
        issuing.make(revision_id)


def test_a_lost_key_is_reported_and_the_certificate_is_made_once_it_is_restored(
    settings: Settings, country: Country, terms: Checklist
) -> None:
    folder = settings.data_dir / "keys" / "evidence"
    sent_terms.sign(country, terms)
    number = signing_keys.current(KeyUse.DOCUMENT).number
    file = folder / f"document-{number}.key"
    bytes_ = file.read_bytes()
    file.unlink()
    with pytest.raises(CertificateError, match="is missing"):
        make_all()
    file.write_bytes(bytes_)
    file.chmod(0o600)
    assert len(make_all()) == 1


def test_two_workers_keep_one_certificate(country: Country, terms: Checklist) -> None:
    revision_id = sent_terms.sign(country, terms).id
    both = [issuing.make(revision_id) for _ in range(2)]
    assert [len(issuing.keep(revision_id)) for revision_id in both] == [1, 0]
    db.session.commit()
    assert count() == 1


def test_what_was_erased_gets_none(session: Session, demonstration: Demonstration) -> None:
    """What can't be decrypted any more can't be typeset; existing certificates can't be read."""
    row = session.scalars(sa.select(Certificate).where(Certificate.is_sealed)).first()
    assert row is not None
    revision = session.get_one(Revision, row.revision_id)
    session.execute(
        sa.update(CooperationKey)
        .where(CooperationKey.cooperation_id == revision.cooperation_id)
        .values(wrapped=None)
    )
    session.commit()
    with pytest.raises(KeyDestroyedError):
        certificates.file_of(row, revision)
    with pytest.raises(CertificateError, match="destroyed"):
        issuing.make(revision.id)
    assert certificates.due() == []


def test_the_database_refuses_to_change_a_certificate(country: Country, terms: Checklist) -> None:
    sent_terms.sign(country, terms)
    make_all()
    for act in ("UPDATE certificate SET language = 'fr'", "DELETE FROM certificate"):
        with pytest.raises(DBAPIError):
            db.session.execute(sa.text(act))
        db.session.rollback()
    assert count() == 1


def test_an_overdue_certificate_is_reported(
    country: Country, terms: Checklist, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    sent_terms.sign(country, terms)
    assert certificates.overdue(dt.timedelta(minutes=30)) == 0
    frozen_time(clock.now() + dt.timedelta(hours=1))
    assert certificates.overdue(dt.timedelta(minutes=30)) == 1
    make_all()
    assert certificates.overdue(dt.timedelta(minutes=30)) == 0


# Timestamps -------------------------------------------------------------------------------------


@pytest.fixture
def timestamps() -> Iterator[TimestampServer]:
    """A timestamp service on this machine, whose certificate names a revocation list."""
    with TimestampServer(lists=True) as server:
        yield server


def test_a_configured_service_timestamps_the_signature_and_then_the_whole_file(
    country: Country, terms: Checklist, timestamps: TimestampServer, tmp_path: Path
) -> None:
    sent_terms.sign(country, terms)
    a_round(tmp_path, timestamp_url=timestamps.url)
    (row,) = db.session.scalars(sa.select(Certificate)).all()
    assert row.has_timestamp
    reader = PdfFileReader(io.BytesIO(file_of(row)))
    signature, archive = reader.embedded_signatures
    unsigned = signature.signer_info["unsigned_attrs"].native
    assert [field["type"] for field in unsigned] == ["signature_time_stamp_token"]
    assert archive.sig_object_type == "/DocTimeStamp"
    assert len(reader.root["/DSS"]["/CRLs"]) == 1


def test_no_redirect_of_a_service_is_followed(timestamps: TimestampServer) -> None:
    with pytest.raises(HTTPError, match="302"):
        remote.exchange(timestamps.address + MOVED, {}, b"", longest=1)


def test_a_revocation_list_that_is_away_is_waited_for_a_day_and_then_left_out(
    country: Country,
    terms: Checklist,
    timestamps: TimestampServer,
    tmp_path: Path,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    sent_terms.sign(country, terms)
    timestamps.revocation_is_away = True
    a_round(tmp_path, timestamp_url=timestamps.url)
    assert count() == 0
    assert "no revocation list from http://127.0.0.1" in certificates.failing()[0].error
    frozen_time(clock.now() + PATIENCE + dt.timedelta(minutes=1))
    a_round(tmp_path, with_dates=True, timestamp_url=timestamps.url)
    (row,) = db.session.scalars(sa.select(Certificate)).all()
    assert row.has_timestamp
    assert certificates.failing() == []


def test_an_operator_renews_a_certificate_into_a_new_file(
    app: Flask, timestamps: TimestampServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, renewed = tmp_path / "certificate.pdf", tmp_path / "renewed.pdf"
    file.write_bytes(a_pdf())
    arguments = ["evidence", "renew", str(file), "-o", str(renewed)]
    done = app.test_cli_runner().invoke(args=arguments)
    assert (done.exit_code, renewed.exists()) == (1, False)
    assert "Set TRACKER_TIMESTAMP_URL" in done.output
    settings = replace(app.extensions["settings"], timestamp_url=timestamps.url)
    monkeypatch.setitem(app.extensions, "settings", settings)
    done = app.test_cli_runner().invoke(args=arguments)
    end = timestamps.own.not_valid_after_utc
    assert (done.exit_code, done.output) == (0, f"{renewed}: renew it before {end:%F}.\n")
    assert renewed.read_bytes().startswith(file.read_bytes())
    again = app.test_cli_runner().invoke(args=arguments)
    assert (again.exit_code, "already exists" in again.output) == (1, True)
    file.write_bytes(b"%PDF-1.7")
    done = app.test_cli_runner().invoke(args=[*arguments[:-1], str(tmp_path / "other.pdf")])
    assert (done.exit_code, "isn't sound (unreadable)" in done.output) == (1, True)


def test_a_service_that_is_away_is_waited_for_a_day_and_no_longer(
    country: Country,
    terms: Checklist,
    tmp_path: Path,
    frozen_time: Callable[[dt.datetime | None], None],
    log_lines: Lines,
) -> None:
    sent_terms.sign(country, terms)
    a_round(tmp_path, timestamp_url=NOWHERE)
    assert count() == 0
    assert [line["message"] for line in log_lines] == [NO_CERTIFICATE]
    assert "The timestamp service can't be used" in certificates.failing()[0].error
    frozen_time(clock.now() + PATIENCE + dt.timedelta(minutes=1))
    a_round(tmp_path, with_dates=True, timestamp_url=NOWHERE)
    (row,) = db.session.scalars(sa.select(Certificate)).all()
    assert not row.has_timestamp


# Handing out ------------------------------------------------------------------------------------


def test_whoever_reads_the_record_gets_the_file_byte_for_byte(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    terms = demonstration.checklists["complete", "terms"]
    row = session.scalars(
        sa.select(Certificate)
        .join(Revision, Revision.id == Certificate.revision_id)
        .where(Revision.subject_id == terms, Certificate.language == "ar")
    ).one()
    answer = demonstration.browser(app, "samira").get(
        f"/checklists/{terms}/record/1/certificate/ar"
    )
    assert canonical.digest(answer.data) == row.sha256
    assert answer.mimetype == "application/pdf"
    reference = demonstration.references["complete"]
    digest = session.get_one(Revision, row.revision_id).digest
    assert answer.headers["Content-Disposition"] == (
        f'attachment; filename="{reference}-{digest[:8]}-ar.pdf"'
    )


def test_the_certificate_of_another_text_is_not_handed_out_under_this_ones_name(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    """Its row was moved to this text, or its file copied into this one's row."""
    terms = demonstration.checklists["complete", "terms"]
    own, other = (
        session.scalars(
            sa.select(Certificate)
            .join(Revision, Revision.id == Certificate.revision_id)
            .where(Revision.subject_id == checklist_id, Certificate.language == "ar")
        ).one()
        for checklist_id in (terms, demonstration.checklists["complete", "confidentiality"])
    )
    file = {"document": other.document, "sha256": other.sha256}
    address = f"/checklists/{terms}/record/1/certificate/ar"
    samira = demonstration.browser(app, "samira")
    assert samira.get(address).status_code == 200
    is_own, is_other = CERTIFICATES.c.id == own.id, CERTIFICATES.c.id == other.id
    of_text, of_other = own.revision_id, other.revision_id
    session.rollback()
    with hands() as connection:
        connection.execute(sa.update(CERTIFICATES).where(is_own).values(file))
    assert "differs from the signatures" in samira.page(address, 403).text
    with hands() as connection:
        free = uuid4()
        for which, revision_id in ((is_own, free), (is_other, of_text), (is_own, of_other)):
            connection.execute(sa.update(CERTIFICATES).where(which).values(revision_id=revision_id))
    assert "differs from the signatures" in samira.page(address, 403).text


def test_what_is_not_there_is_not_found(app: Flask, demonstration: Demonstration) -> None:
    terms = demonstration.checklists["complete", "terms"]
    browser = demonstration.browser(app, "samira")
    for rest in ("1/certificate/fr", "2/certificate/en", "1/certificate/EN"):
        assert browser.get(f"/checklists/{terms}/record/{rest}").status_code == 404, rest


def test_nobody_who_is_not_let_into_a_visit_gets_its_certificates(
    app: Flask, demonstration: Demonstration
) -> None:
    roles = demonstration.checklists["complete", "visit_roles"]
    address = f"/checklists/{roles}/record/1/certificate/en"
    for key in ("celia", "vera", "iris", "dina", "milan", "greta"):
        assert demonstration.browser(app, key).get(address).status_code == 404, key


def test_downloading_a_certificate_is_logged_once(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    noted = sa.select(ReadLogEntry).where(ReadLogEntry.page == "certificate")
    log = f"/cooperations/{demonstration.references['complete']}/reads"
    leyla, milan = (demonstration.browser(app, key) for key in ("leyla", "milan"))
    addresses = []
    for kind, words in (("terms", "Certificate"), ("visit_roles", "Visit 1")):
        checklist_id = demonstration.checklists["complete", kind]
        addresses.append(f"/checklists/{checklist_id}/record/1/certificate/en")
        leyla.get(addresses[-1])
        session.rollback()
        notes = session.scalars(noted).all()
        assert len(notes) == len(addresses), kind
        (note,) = [note for note in notes if note.subject_id == checklist_id]
        assert note.user_id == demonstration.users["leyla"], kind
        assert f"Page: {words}" in milan.page(log).text
    for address in addresses:  # what isn't there was not downloaded
        for nothing in (address.replace("/en", "/xx"), address.replace("/1/", "/9/")):
            assert leyla.get(nothing).status_code == 404
    session.rollback()
    assert len(session.scalars(noted).all()) == len(addresses)


def test_an_undertaking_is_handed_to_its_person_and_to_who_decides_and_that_is_noted(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    undertaking = session.scalars(
        sa.select(Undertaking).where(Undertaking.user_id == demonstration.users["leyla"])
    ).first()
    assert undertaking is not None
    address = f"/undertakings/{undertaking.id}/certificate/en"
    noted = sa.select(ReadLogEntry.user_id).where(ReadLogEntry.page == "certificate")
    assert demonstration.browser(app, "leyla").get(address).data.startswith(b"%PDF")
    assert demonstration.browser(app, "tomas").get(address).data.startswith(b"%PDF")
    session.rollback()
    assert set(session.scalars(noted)) == {demonstration.users[key] for key in ("leyla", "tomas")}
    for other in ("samira", "otto", "ilena", "greta", "celia", "iris"):
        assert demonstration.browser(app, other).get(address).status_code == 404
