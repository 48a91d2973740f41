"""Certificates made as the worker does, keys that sign PDFs, and files to tamper with."""

import datetime as dt
import io
import random
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.factories.evidence.key_files import Private, new_private
from tracker.core.db import db
from tracker.evidence.certificates import issuing
from tracker.evidence.certificates import service as certificates
from tracker.evidence.certificates.pdf import Signer
from tracker.evidence.certificates.typesetting import Attached
from tracker.evidence.keys import signing_keys
from tracker.evidence.models import Certificate
from tracker.signoff.models import Revision

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
ATTACHED = Attached("canonical-document.json", '{"a":1}', "application/json", "The text")


def make_all(timestamp_url: str = "") -> dict[UUID, list[Certificate]]:
    """Make and store the certificates of all fully signed texts, and commit."""
    signing_keys.make_missing()
    db.session.commit()
    for revision_id in certificates.due():
        issuing.keep(issuing.make(revision_id, timestamp_url))
        db.session.commit()
    return by_revision()


def by_revision() -> dict[UUID, list[Certificate]]:
    """Return all certificates by their revisions."""
    rows: dict[UUID, list[Certificate]] = {}
    for row in db.session.scalars(sa.select(Certificate).order_by(Certificate.language)):
        rows.setdefault(row.revision_id, []).append(row)
    return rows


def file_of(row: Certificate) -> bytes:
    """Return the PDF of a certificate."""
    return certificates.file_of(row, db.session.get_one(Revision, row.revision_id))


def words_of(row: Certificate) -> str:
    """Return the text of a certificate's PDF, as another program reads it."""
    return words_in(file_of(row))


def words_in(data: bytes) -> str:
    """Return the text of a PDF, as another program reads it."""
    program = shutil.which("pdftotext")
    assert program, "pdftotext is not installed: see .ci/system"
    done = subprocess.run([program, "-raw", "-", "-"], input=data, capture_output=True, check=True)
    return done.stdout.decode()


def a_signer(
    private: Private | None = None,
    *,
    begins: dt.datetime = NOW - YEAR,
    lasts: dt.timedelta = 10 * YEAR,
) -> Signer:
    """Return a key (by default a new one) with a self-signed certificate."""
    private = private or new_private()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "terms.npm.example")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + lasts)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    return Signer(private, (builder.sign(private, hashes.SHA256()),))


def plain_values(**changed: Any) -> dict[str, Any]:
    """Return the minimum that the certificate template needs, with some of it changed."""
    words = {"t": "Words"}
    signature = {
        "name": {"t": "Tomas Beridan"},
        "capacity": words,
        "heading": words,
        "power": None,
        "confirmed": None,
        "passed_on": [],
        "when": "25 November 2026, 14:47",
        "method": "Passkey",
        "proof_label": "Proof",
        "proof": "Passkey, 25 November 2026",
        "sentence": words,
        "digest": ["0123abcd"] * 8,
        "account": "9fbc024f-815c-445b-b865-1deea6ba65ec",
    }
    return {
        "lang": "en",
        "dir": "ltr",
        "name": "Common Terms",
        "author": "https://terms.npm.example",
        "marker": "common-terms-text:" + "0" * 64,
        "words": {"certificate": "Certificate", "not_answered": "Not answered"},
        "notices": [],
        "title": {"t": "Agreed terms"},
        "above": "C-2026-0001, revision 1",
        "below": [words],
        "running": "Agreed terms",
        "sections": [{"title": words, "items": [an_item()]}],
        "signatures_title": "Signatures",
        "signatures": [signature],
        "evidence": {
            "title": "Evidence",
            "lede": "Check it.",
            "facts": [{"label": "Text", "value": words}],
            "digests": [{"label": "Key", "about": "SHA-256", "groups": ["0123abcd"] * 8}],
            "check": {
                "title": "Check",
                "words": "Open it.",
                "digest_label": "Digest",
                "address": "https://terms.npm.example/verify",
                "qr": '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>',
                "alt": "Code",
            },
            "signers_title": "Who signed",
            "sentence_label": "Sentence",
            "digest_label": "Digest",
            "account_label": "Account",
            "events_title": "What happened",
            "events_words": "Events.",
            "event_heads": ["No.", "When", "What"],
            "events": [
                {
                    "number": 1,
                    "when": "25 Nov 2026",
                    "words": words,
                    "who": None,
                    "digest": ["0123abcd"] * 8,
                }
            ],
        },
        "digest": ["0123abcd"] * 8,
        **changed,
    }


def an_item(text: str = "As settled.", **more: Any) -> dict[str, Any]:
    """Return an item with one answer, in the form the template expects."""
    part = {"label": None, "short": False, "text": {"t": text}}
    return {
        "code": "M1",
        "label": {"t": "Purpose"},
        "prompt": {"t": "What for?"},
        "answers": [{"by": None, "parts": [part]}],
        **more,
    }


# Files to tamper with -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Damage:
    """One way to damage a file: a description, and the resulting file."""

    words: str
    data: bytes


def damages(data: bytes, count: int, seed: int) -> list[Damage]:
    """Return a file damaged in many ways: a byte changed, inserted, removed; drawn from a seed."""
    draw = random.Random(seed)
    damaged = []
    for _ in range(count):
        at = draw.randrange(len(data))
        act = draw.choice(("changed", "put in", "taken out"))
        if act == "changed":
            byte = draw.choice([byte for byte in range(256) if byte != data[at]])
            other = data[:at] + bytes([byte]) + data[at + 1 :]
        elif act == "put in":
            other = data[:at] + bytes([draw.randrange(256)]) + data[at:]
        else:
            other = data[:at] + data[at + 1 :]
        if other != data:
            damaged.append(Damage(f"byte {at} {act}", other))
    return damaged


def with_another_title(data: bytes) -> bytes:
    """Return a PDF with a change added at its end, as editors save it (an incremental update)."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    writer.root["/Lang"] = generic.TextStringObject("xx")
    writer.update_root()  # type: ignore[no-untyped-call]  # pyHanko
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Rotate"] = generic.NumberObject(180)  # type: ignore[no-untyped-call]
    writer.mark_update(page.container_ref)
    out = io.BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]
    return out.getvalue()
