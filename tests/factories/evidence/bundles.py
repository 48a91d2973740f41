"""Bundles made for tests, and rebuilt after a change as their instance could.

In one file: the parts of one bundle, each of which contains digests of others.
"""

import base64
import datetime as dt
import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from tests.second_verifier import Verifier
from tracker.activity import chain as arithmetic
from tracker.activity.chain import START, Link
from tracker.core import canonical
from tracker.evidence.bundles import container, parts, verify
from tracker.evidence.bundles.parts import LeftOut, Manifest
from tracker.evidence.bundles.verify import Anchor
from tracker.evidence.certificates import pdf
from tracker.evidence.certificates.pdf import Signer
from tracker.evidence.log import merkle, notes
from tracker.evidence.log.notes import (
    Checkpoint,
    Consistency,
    Inclusion,
    KeyNote,
    Seal,
)
from tracker.signoff import assertion

BEGIN = dt.datetime(2026, 1, 15, 9, tzinfo=dt.UTC)
ORIGIN = "https://terms.npm.example"
SPACE = UUID("6f1d4c1a-0f6e-4a52-9d39-3d1f0e5a7c11")
SENTENCE = "I, Henrik Asante, sign revision 1 for Open Door. – أوافق"
PEM = serialization.Encoding.PEM
Files = dict[str, bytes]


def an_id(name: str) -> UUID:
    return uuid5(SPACE, name)


COOPERATION, CHAIN = an_id("cooperation"), an_id("chain")
NPM, CSO = an_id("npm"), an_id("cso")
HENRIK, TOMAS = an_id("henrik"), an_id("tomas")
# The default signers of a text: one for each of two parties.
RULE = {
    "signing": {
        "parties": [{"organisation_id": str(party), "needed": 1} for party in (NPM, CSO)],
    }
}


def private_key(number: int = 1) -> ed25519.Ed25519PrivateKey:
    """Return a checkpoint key, always the same one for a number."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"%d" % number).digest())


def der_of(private: ed25519.Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def print_of(private: ed25519.Ed25519PrivateKey) -> str:
    return canonical.digest(der_of(private))


def key_note(number: int = 1, **more: Any) -> KeyNote:
    private = private_key(number)
    return KeyNote("checkpoint", number, print_of(private), der_of(private), BEGIN, **more)


@functools.cache
def document_signer(number: int = 1) -> Signer:
    """Return a document key with its certificate, always the same one for a number."""
    private = ec.derive_private_key(1000 + number, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "terms.npm.example")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(number)
        .not_valid_before(BEGIN - dt.timedelta(days=1))
        .not_valid_after(BEGIN + dt.timedelta(days=10))  # already expired, which is no flaw
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private, SHA256())
    )
    return Signer(private, (certificate,))


def document_note(number: int = 1, **more: Any) -> KeyNote:
    """Return that key as a note."""
    own = document_signer(number).certificates[0]
    public = own.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    fingerprint = canonical.digest(own.public_bytes(serialization.Encoding.DER))
    return KeyNote("document", number, fingerprint, public, BEGIN, **more)


@functools.cache
def a_pdf(words: str = "en", key: int | None = 1) -> bytes:
    """Return a PDF of one empty page, signed with a document key; unsigned for None."""
    objects = [
        f"<</Type /Catalog /Pages 2 0 R /Lang ({words})>>",
        "<</Type /Pages /Kids [3 0 R] /Count 1>>",
        "<</Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources <<>>>>",
    ]
    plain = b"%PDF-1.7\n"
    table = b"0000000000 65535 f \n"
    for number, body in enumerate(objects, 1):
        table += b"%010d 00000 n \n" % len(plain)
        plain += f"{number} 0 obj\n{body}\nendobj\n".encode()
    begin = len(plain)
    plain += b"xref\n0 4\n" + table + b"trailer\n<</Size 4 /Root 1 0 R>>\n"
    plain += b"startxref\n%d\n%%%%EOF\n" % begin
    return plain if key is None else pdf.sign(plain, document_signer(key))


def endorsed_by(number: int, before: int, **more: Any) -> KeyNote:
    """Return a key that the one before vouches for."""
    own = print_of(private_key(number))
    endorsement = private_key(before).sign(notes.endorsed(own))
    return key_note(number, endorsed_by=before, endorsement=endorsement, **more)


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def proof(document: str, sentence: str = SENTENCE) -> dict[str, str]:
    """Return what a passkey signed for a text and a sentence."""
    device = ec.derive_private_key(77, ec.SECP256R1())
    point = device.public_key().public_numbers()
    x, y = point.x.to_bytes(32), point.y.to_bytes(32)
    statement = {
        "type": "webauthn.get",
        "challenge": encode(assertion.challenge(document, sentence, "0b" * 32)),
        "origin": ORIGIN,
    }
    browser = json.dumps(statement).encode()
    answer = hashlib.sha256(b"terms.npm.example").digest() + b"\x05" + b"\0" * 4
    signed = answer + hashlib.sha256(browser).digest()
    return {
        "credential_id": encode(b"a passkey"),
        "public_key": encode(b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y),
        "authenticator_data": encode(answer),
        "client_data_json": encode(browser),
        "signature": encode(device.sign(signed, ec.ECDSA(SHA256()))),
        "nonce": "0b" * 32,
    }


@dataclass
class Instance:
    """An instance that records one cooperation's events, logs them with others and seals."""

    number: int = 1
    keys: list[KeyNote] = field(default_factory=lambda: [key_note()])
    lines: list[bytes] = field(default_factory=list)
    rows: list[bytes] = field(default_factory=list)
    files: Files = field(default_factory=dict)
    tree: merkle.Tree = field(default_factory=merkle.Tree)
    leaves: list[tuple[int, int, str]] = field(default_factory=list)
    left_out: dict[str, list[int]] = field(
        default_factory=lambda: {"details": [], "rows": [], "documents": []}
    )
    head: str = START
    at: dt.datetime = BEGIN
    last: Checkpoint | None = None

    @property
    def private(self) -> ed25519.Ed25519PrivateKey:
        return private_key(self.number)

    @property
    def count(self) -> int:
        return len(self.lines)

    @property
    def newest(self) -> Checkpoint:
        assert self.last is not None
        return self.last

    def event(
        self,
        verb: str,
        *,
        row: tuple[str, dict[str, Any]] | None = None,
        evidence: str | None = None,
        details: dict[str, Any] | None = None,
        hidden: bool = False,
        about: UUID = COOPERATION,
    ) -> int:
        """Record an event about a subject with the row it binds; return its number."""
        number = self.count + 1
        self.at += dt.timedelta(seconds=1)
        salt, content = f"{number:032x}", details or {"who": None}
        if row is not None:
            evidence = canonical.digest_of(row[1])
            self.rows.append(parts.row_line(number, *row))
        link = Link(
            event_id=an_id(f"event {number}"),
            chain_id=CHAIN,
            number=number,
            verb=verb,
            subject_type="cooperation" if about == COOPERATION else "checklist",
            subject_id=about,
            at=self.at,
            details_digest=arithmetic.details_digest(salt, content),
            evidence=evidence,
            previous=self.head,
            # The first event is older than row binding.
            state=arithmetic.state_digest({}) if number > 1 else None,
        )
        shown = None if hidden else {"salt": salt, "content": content}
        if hidden:
            self.left_out["details"].append(number)
        self.lines.append(parts.event_line(link.content(), shown))
        self.head = link.digest()
        return number

    def text(
        self,
        kind: str = "terms",
        *,
        readable: bool = True,
        verb: str = "sent_for_signature",
        says: Mapping[str, Any] = RULE,
        **more: Any,
    ) -> dict[str, Any]:
        """Freeze a text with these signatories and rules; return its row."""
        number = self.count + 1
        title = f"{kind} {number} – الشروط"
        document = canonical.to_bytes({"revision": 1, "title": title, **says})
        row: dict[str, Any] = {
            "id": str(an_id(f"revision {number}")),
            "cooperation": str(COOPERATION),
            "subject_type": "checklist",
            "subject": str(an_id(kind)),
            "kind": kind,
            "number": 1,
            "digest": canonical.digest(document),
        } | more
        self.event(verb, row=(parts.REVISION, row), about=UUID(row["subject"]))
        if readable:
            self.files[parts.file_name(parts.REVISION, number)] = document
        else:
            self.left_out["documents"].append(number)
        return row

    def sign(
        self,
        text: dict[str, Any],
        method: str = "password_totp",
        *,
        verb: str = "signed",
        about: UUID | None = None,
        **more: Any,
    ) -> int:
        """Sign a text, by default for the CSO; with a passkey the proof is included."""
        row = {
            "id": str(an_id(f"signature {self.count + 1}")),
            "revision": text["id"],
            "kind": "signature",
            "user": str(HENRIK),
            "organisation": str(CSO),
            "signer_name": "Henrik Asante",
            "organisation_name": "Open Door",
            "sentence": SENTENCE,
            "document_digest": text["digest"],
            "method": method,
            "signed_at": self.at.isoformat(timespec="microseconds"),
        }
        if method == "passkey":
            row["proof"] = proof(text["digest"])
        row |= more
        return self.event(verb, row=(parts.SIGNATURE, row), about=about or UUID(row["id"]))

    def sign_for_npm(self, text: dict[str, Any], method: str = "password_totp") -> int:
        """Sign a text as another person, for the other party."""
        return self.sign(
            text, method, signer_name="Tomas Beridan", user=str(TOMAS), organisation=str(NPM)
        )

    def come_into_force(self, text: dict[str, Any]) -> int:
        """Record that everybody has signed a text."""
        return self.event("came_into_force", about=UUID(text["subject"]))

    def agree(self, kind: str = "terms", *, readable: bool = True) -> dict[str, Any]:
        """Freeze a text that all sign, so that it comes into force; return its row."""
        text = self.text(kind, readable=readable)
        self.sign(text)
        self.sign_for_npm(text)
        self.come_into_force(text)
        return text

    def certificate(
        self, text: dict[str, Any], data: bytes, *, readable: bool = True, **more: Any
    ) -> int:
        """Store a PDF of a text; return the number of its event."""
        row = {
            "revision": text["id"],
            "language": "en",
            "sha256": canonical.digest(data),
            "made_at": self.at.isoformat(timespec="microseconds"),
        }
        number = self.event("certificate_made", row=(parts.CERTIFICATE, row | more))
        if readable:
            self.files[parts.file_name(parts.CERTIFICATE, number)] = data
        else:
            self.left_out["documents"].append(number)
        return number

    def checkpoint(self, *, others: int = 3) -> Checkpoint:
        """Log the chain's end together with those of others, and sign."""
        for other in range(others):
            self.tree.append(merkle.leaf_hash(f"{self.tree.size} {other}".encode()))
        self.leaves.append((self.tree.size, self.count, self.head))
        self.tree.append(
            merkle.leaf_hash(notes.leaf(str(CHAIN), self.count, self.head)),
        )
        before = self.last.size if self.last else 0
        plain = Checkpoint(
            ORIGIN,
            self.tree.size,
            before,
            self.tree.root().hex(),
            self.at.replace(microsecond=0),
            print_of(self.private),
        )
        self.last = signed(plain, self.private)
        return self.last

    def inclusion(self, size: int) -> Inclusion:
        """Return the proof for the last leaf of the chain in the log of a size."""
        leaf, count, head = [leaf for leaf in self.leaves if leaf[0] < size][-1]
        proof = tuple(merkle.inclusion(self.tree, leaf, size))
        return Inclusion(str(CHAIN), count, head, leaf, size, proof)

    def consistency(self, before: int, after: int) -> Consistency:
        return Consistency(
            ORIGIN, before, after, tuple(merkle.consistency(self.tree, before, after))
        )

    def take_out(self, checkpoints: Iterable[Checkpoint] = ()) -> bytes:
        """Export the bundle, with earlier checkpoints that people have."""
        self.event("evidence_exported")
        newest = self.checkpoint()
        files = dict(self.files)
        files[parts.EVENTS] = b"".join(self.lines)
        files[parts.ROWS] = b"".join(self.rows)
        files[parts.KEYS] = parts.key_notes(self.keys)
        for key in self.keys:
            if key.use == "document":
                name = parts.key_certificates_name(key.number)
                files[name] = document_signer(key.number).certificates[0].public_bytes(PEM)
        files[parts.CHECKPOINT] = newest.text().encode()
        files[parts.INCLUSION] = self.inclusion(newest.size).text().encode()
        for checkpoint in checkpoints:
            files[parts.checkpoint_name(checkpoint.size)] = parts.earlier(
                checkpoint,
                self.inclusion(checkpoint.size),
                self.consistency(checkpoint.size, newest.size),
            )
        manifest = Manifest(
            origin=ORIGIN,
            reference="C-2026-0001",
            cooperation=str(COOPERATION),
            chain=str(CHAIN),
            count=self.count,
            size=newest.size,
            made_at=self.at.isoformat(timespec="microseconds"),
            left_out=LeftOut(**{name: tuple(which) for name, which in self.left_out.items()}),
        )
        files[parts.README] = parts.readme(manifest, print_of(self.private))
        written = canonical.to_bytes(manifest.content(files))
        return container.pack(sealed(files | {parts.MANIFEST: written}, self.private))


def begun(**more: Any) -> Instance:
    """Return an instance whose cooperation was opened."""
    instance = Instance(**more)
    instance.event("cooperation_opened", details={"who": None, "reference": "C-2026-0001"})
    return instance


def usual() -> tuple[Instance, Checkpoint, bytes]:
    """Return an instance, a checkpoint that somebody has, and a bundle with all kinds of files."""
    instance = begun(keys=[key_note(), document_note()])
    text = instance.text()
    instance.sign(text)
    checkpoint = instance.checkpoint()
    instance.sign_for_npm(text, "passkey")
    instance.event("answer_saved", hidden=True)
    instance.left_out["rows"].append(instance.event("undertaking_signed", evidence="a" * 64))
    instance.come_into_force(text)
    instance.certificate(text, a_pdf())
    return instance, checkpoint, instance.take_out([checkpoint])


def as_large_as(size: int) -> bytes:
    """Return a bundle of this many bytes, most of them in the details of one event."""

    def of(letters: int) -> bytes:
        instance = begun()
        instance.event("answer_saved", details={"who": None, "words": "x" * letters})
        return instance.take_out()

    return of(size - len(of(0)))


def large(events: int) -> bytes:
    """Return a bundle with this many events, most of them saved answers."""
    instance = begun(keys=[key_note(), document_note()])
    text = instance.text()
    instance.sign(text)
    instance.sign_for_npm(text, "passkey")
    instance.come_into_force(text)
    instance.certificate(text, a_pdf())
    who = {"id": "0" * 36, "name": "Ilena Dorvath", "for": "Office", "for_id": "0" * 36}
    for version in range(instance.count, events - 1):
        instance.event(
            "answer_saved", details={"who": who, "kind": "terms", "item": "M19", "version": version}
        )
    return instance.take_out()


def signed(plain: Checkpoint, private: ed25519.Ed25519PrivateKey) -> Checkpoint:
    return Checkpoint(
        plain.origin,
        plain.size,
        plain.previous,
        plain.root,
        plain.at,
        plain.key,
        private.sign(plain.signed()),
    )


def sealed(files: Files, private: ed25519.Ed25519PrivateKey) -> Files:
    """Return files with the seal of a key on their list."""
    plain = Seal(canonical.digest(files[parts.MANIFEST]), print_of(private))
    seal = Seal(plain.manifest, plain.key, private.sign(plain.signed()))
    return files | {parts.SEAL: seal.text().encode()}


def listed(files: Files, **more: Any) -> Files:
    """Return files with a matching list, changed as given."""
    manifest = canonical.from_bytes(files[parts.MANIFEST]) | more
    listed_files = {
        name: data for name, data in files.items() if name not in {parts.MANIFEST, parts.SEAL}
    }
    manifest["files"] = {name: canonical.digest(data) for name, data in listed_files.items()}
    return files | {parts.MANIFEST: canonical.to_bytes(manifest)}


def altered(
    data: bytes, change: Callable[[Files], object], private: ed25519.Ed25519PrivateKey | None = None
) -> bytes:
    """Return a bundle with changed files, a new list, and a new seal by a key."""
    files = container.unpack(data)
    change(files)
    files = listed(files)
    return container.pack(sealed(files, private) if private else files)


def judged(data: bytes, *anchors: str, keys: Sequence[str] = ()) -> dict[str, str]:
    """Return the invalid links with their explanations; both verifiers must agree on each."""
    report = verify.verify(
        data, [Anchor.read(str(place), text.encode()) for place, text in enumerate(anchors)], keys
    )
    second = Verifier(data, anchors, keys)
    assert {verdict.link: verdict.holds for verdict in report.verdicts} == second.verdicts, report
    assert report.is_sound is second.is_sound
    assert report.is_compared is second.is_compared
    return {verdict.link: verdict.words for verdict in report.verdicts if not verdict.holds}
