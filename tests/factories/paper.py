"""Scans of signed papers as small files, and their handling by the real services."""

import datetime as dt
import zlib
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.agreements import service as agreements
from tracker.agreements.paper import prior_agreements
from tracker.agreements.paper import service as paper
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import shown
from tracker.signoff.identity_proof import SigningPage
from tracker.signoff.models import SignatureRequest, SignatureSlot
from tracker.signoff.paper_models import PaperRecord

SENTENCE = "Signed on paper; the scan was compared with the text."


def pdf(words: str = "Signed by hand") -> bytes:
    """Return a small PDF."""
    return f"%PDF-1.4\n% {words}\nstartxref\n9\n%%EOF\n".encode()


def jpeg(words: str = "Signed by hand", *, width: int = 1, height: int = 1) -> bytes:
    """Return bytes that begin and end like a JPEG, with its size and no picture."""
    size = b"\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\x01\x01\x11\x00"
    segments = ((b"\xfe", words.encode()), (b"\xc0", size), (b"\xda", b"\x01\x01\x00\x00\x3f\x00"))
    return (
        b"\xff\xd8"
        + b"".join(b"\xff" + kind + (len(part) + 2).to_bytes(2) + part for kind, part in segments)
        + b"\xff\xd9"
    )


def png(words: str = "Signed by hand", *, width: int = 1, height: int = 1) -> bytes:
    """Return a PNG whose chunks have checksums, without a picture."""
    size = width.to_bytes(4) + height.to_bytes(4) + b"\x01\x00\x00\x00\x00"
    parts = (b"IHDR" + size, b"tEXt" + words.encode(), b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (len(part) - 4).to_bytes(4) + part + zlib.crc32(part).to_bytes(4) for part in parts
    )


def record(
    actor: Actor,
    checklist: Checklist,
    *,
    scan: bytes = b"",
    signed_on: dt.date | None = None,
    office: str = "Director",
    page: SigningPage | None = None,
    only: UUID | None = None,
) -> PaperRecord:
    """Record that the actor's organisation signed on paper, by the people the text names for it.

    Or by only one person, if the signature was passed on to them.
    """
    named = db.session.scalars(
        sa.select(SignatureSlot.user_id)
        .join(SignatureRequest, SignatureRequest.id == SignatureSlot.request_id)
        .where(
            SignatureRequest.revision_id == checklist.revision_sent_id,
            SignatureSlot.organisation_id == actor.organisation_id,
        )
    ).all()
    return paper.record(
        actor,
        checklist,
        page=page or agreements.page_with(checklist),
        signed_on=signed_on or clock.today(),
        offices=dict.fromkeys([only] if only else named, office),
        scan=scan or pdf(),
    )


def page_of_known(checklist: Checklist) -> SigningPage:
    """Return a page that shows the text of a prior agreement as it would be frozen now."""
    text = prior_agreements.known_text(load(checklist))
    return shown.page_with(prior_agreements.digest_of(text))


def confirm(actor: Actor, checklist: Checklist, record: PaperRecord) -> None:
    """Confirm a scan for another party."""
    page = shown.with_sentence(shown.page_with(record.digest), SENTENCE)
    paper.confirm(actor, checklist, record.id, page=page, sentence=SENTENCE, language="en")


def as_sent(fields: dict[str, list[str]], scan: bytes, name: str) -> tuple[bytes, str]:
    """Return the body a browser sends for a form with a file, and its content type."""
    edge = "----paper"
    head = "\r\nContent-Disposition: form-data; name="
    parts = [
        f'--{edge}{head}"{key}"\r\n\r\n{value}\r\n'.encode()
        for key, values in fields.items()
        for value in values
    ]
    file_head = f'--{edge}{head}"scan"; filename="{name}"\r\nContent-Type: text/html\r\n\r\n'
    body = b"".join([*parts, file_head.encode(), scan, f"\r\n--{edge}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={edge}"
