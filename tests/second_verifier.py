"""A second verifier of bundles, written from docs/evidence-format.md alone.

It uses Python's standard library and `cryptography`, and nothing of the application.

In one file: it can be handed to anybody and run alone.
"""

import argparse
import base64
import datetime as dt
import hashlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

PLAIN_FILES = {
    "README.txt",
    "keys.txt",
    "events.jsonl",
    "rows.jsonl",
    "checkpoint.txt",
    "inclusion.txt",
}
FOLDERS = {"keys", "documents", "certificates", "checkpoints"}
EVENT = [
    "event",
    "chain",
    "number",
    "verb",
    "subject_type",
    "subject",
    "at",
    "details",
    "evidence",
    "previous",
]
LIST = [
    "format",
    "origin",
    "reference",
    "cooperation",
    "chain",
    "count",
    "size",
    "made_at",
    "left_out",
    "files",
]
# The text fields of each kind of row.
ROWS = {
    "revision": ["id", "cooperation", "subject_type", "subject", "kind", "digest"],
    "signature": [
        "revision",
        "kind",
        "user",
        "signer_name",
        "organisation_name",
        "sentence",
        "document_digest",
        "method",
        "signed_at",
    ],
    "certificate": ["revision", "language", "sha256", "made_at"],
}
# These end the wait for signatures on a text; the first of them means that all have signed.
ENDS_OF_WAITING = [
    "came_into_force",
    "declined",
    "signature_request_withdrawn",
    "signature_request_expired",
    "sent_for_signature",
    "former_agreement_recorded",
]
CHECKPOINT = ["origin", "size", "previous", "root", "at", "key", "signature"]
INCLUSION = ["chain", "count", "head", "leaf", "size", "proof"]
CONSISTENCY = ["origin", "from", "to", "proof"]
SEAL = ["manifest", "key", "signature"]
KEY = ["use", "number", "fingerprint", "public-key", "made"]
MORE_OF_KEY = ["retired", "revoked", "reason", "endorsed-by", "endorsement"]
PROOF = {
    "credential_id",
    "public_key",
    "authenticator_data",
    "client_data_json",
    "signature",
    "nonce",
}
WRONG = (
    ValueError,
    KeyError,
    TypeError,
    OverflowError,
    IndexError,
    AttributeError,
    RecursionError,
    InvalidSignature,
    UnsupportedAlgorithm,
    zipfile.BadZipFile,
    RuntimeError,  # from zipfile, for an entry that a changed bit marks as encrypted
)
Note = dict[str, str]
SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
TIMESTAMP_INFO = bytes.fromhex("2a864886f70d0109100104")
RSA_PSS = bytes.fromhex("2a864886f70d01010a")
MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
DIGESTS = {
    bytes.fromhex("608648016503040201"): SHA256(),
    bytes.fromhex("608648016503040202"): SHA384(),
    bytes.fromhex("608648016503040203"): SHA512(),
}


def need(condition: object, what: str = "not as it is written") -> None:
    if not condition:
        raise ValueError(what)


# Ways of writing ----------------------------------------------------------------------------------


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical(value: Any) -> bytes:
    return written(value).encode()


def written(value: Any, level: int = 1) -> str:
    need(level <= 100 or not isinstance(value, dict | list), "nested too deeply")
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        entries = (f"{written(name)}:{written(value[name], level + 1)}" for name in names)
        return "{" + ",".join(entries) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(entry, level + 1) for entry in value) + "]"
    need(not isinstance(value, float))
    need(not isinstance(value, int) or abs(value) < 2**53)
    return json.dumps(value, ensure_ascii=False)


def read_json(data: bytes) -> Any:
    value = json.loads(data.decode())
    need(canonical(value) == data, "not canonical")
    return value


# White space at the end, and line breaks of any kind.
UNWANTED = r"\s\Z|[\n\x0b-\x0d\x1c-\x1e\x85\u2028\u2029]"


def note_text(head: str, fields: Note) -> str:
    lines = [head]
    for name, value in fields.items():
        pieces = [value[at : at + 64] for at in range(0, len(value), 64)] or [""]
        odd = r"[>\s].*|.*\s|[a-z][a-z-]*:(?: .*)?"
        further = any(re.fullmatch(odd, piece, re.DOTALL) for piece in pieces[1:])
        if " " in value or re.search(r"\s\Z", pieces[0]) or further:
            pieces = [value]
        lines.append(f"{name}: {pieces[0]}" if pieces[0] else f"{name}:")
        lines += [f" {piece}" for piece in pieces[1:]]
    return "".join(f"{line}\n" for line in lines)


def read_notes(data: bytes, *kinds: tuple[str, list[str], list[str]]) -> list[Note]:
    """Read the notes of a file, of these kinds in turn (the last again and again)."""
    notes = []
    for place, text in enumerate(data.decode().split("\n\n")):
        head, names, more = kinds[min(place, len(kinds) - 1)]
        whole = text.removesuffix("\n") + "\n"
        lines = whole.replace("\n ", "").removesuffix("\n").split("\n")
        need(lines[0] == f"common-terms/{head}/1")
        pairs = [re.fullmatch(r"([a-z-]+):(?: (.+))?", line) for line in lines[1:]]
        fields = {pair[1]: pair[2] or "" for pair in pairs if pair}
        need(len(fields) == len(pairs))
        wanted = names + [name for name in more if name in fields]
        need(list(fields) == wanted)
        need(all(fields[name] for name in more if name in fields))
        need(not any(re.search(UNWANTED, value) for value in fields.values()))
        need(fields.get("endorsed-by") != "0")
        reason = fields.get("reason", "")
        need(reason == " ".join(reason.split()))
        need(note_text(lines[0], fields) == whole)
        notes.append(fields)
    again = [
        note_text(f"common-terms/{kinds[min(place, len(kinds) - 1)][0]}/1", note)
        for place, note in enumerate(notes)
    ]
    need("\n".join(again).encode() == data)
    return notes


def read_anchor(text: str) -> tuple[Note, list[Note]]:
    """Read a checkpoint that somebody kept, with the proofs kept with it, and their values."""
    checkpoint, *proofs = read_notes(
        text.encode(), ("checkpoint", CHECKPOINT, []), ("consistency", CONSISTENCY, [])
    )
    number(checkpoint["size"])
    number(checkpoint["previous"])
    digest(checkpoint["root"])
    moment(checkpoint["at"])
    digest(checkpoint["key"])
    from_base64(checkpoint["signature"])
    for proof in proofs:
        number(proof["from"])
        number(proof["to"])
        hashes(proof["proof"])
    return checkpoint, proofs


def number(text: str) -> int:
    need(re.fullmatch("0|[1-9][0-9]{0,11}", text))
    return int(text)


def digest(text: str) -> str:
    need(re.fullmatch("[0-9a-f]{64}", text))
    return text


def moment(text: str) -> dt.datetime:
    time = dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    need(time.strftime("%Y-%m-%dT%H:%M:%SZ") == text)
    return time


def time_in_utc(text: str) -> dt.datetime:
    time = dt.datetime.fromisoformat(text)
    need(time.tzinfo is not None)
    return time.astimezone(dt.UTC)


def from_base64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text)
    return data


def hashes(text: str) -> list[bytes]:
    need(len(text) % 64 == 0)
    return [bytes.fromhex(digest(text[at : at + 64])) for at in range(0, len(text), 64)]


# The tree (RFC 9162) ------------------------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def included(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """2.1.3.2, word by word."""
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node(p, r)
            if not fn & 1:
                while not (fn & 1 or fn == 0):
                    fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def consistent(
    first: int, second: int, path: list[bytes], first_root: bytes, second_root: bytes
) -> bool:
    """2.1.4.2, word by word."""
    if not 0 < first < second or not path:
        return False
    if first & (first - 1) == 0:
        path = [first_root, *path]
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not (fn & 1 or fn == 0):
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == first_root and sr == second_root and sn == 0


# Passkeys -----------------------------------------------------------------------------------------


def from_base64url(text: str) -> bytes:
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    need(base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text)
    return data


def cose(data: bytes) -> dict[Any, Any]:
    def take(at: int) -> tuple[Any, int]:
        kind, info = data[at] >> 5, data[at] & 31
        at += 1
        if info >= 24:
            width = {24: 1, 25: 2, 26: 4, 27: 8}[info]
            need(len(data) >= at + width)
            info, at = int.from_bytes(data[at : at + width]), at + width
            need(info >= (24 if width == 1 else 1 << 4 * width))
        if kind in {0, 1}:
            return (info if kind == 0 else -1 - info), at
        if kind in {2, 3}:
            need(len(data) >= at + info)
            piece = data[at : at + info]
            return (piece if kind == 2 else piece.decode()), at + info
        need(kind == 5)
        entries: dict[Any, Any] = {}
        for _ in range(info):
            key, at = take(at)
            need(key not in entries)
            entries[key], at = take(at)
        return entries, at

    value, end = take(0)
    need(end == len(data) and isinstance(value, dict))
    need(not any(isinstance(entry, dict) for entry in value.values()))
    return dict(value)


def check_proof(proof: dict[str, str], document: str, sentence: str) -> None:
    need(set(proof) - {"entries"} == PROOF and re.fullmatch("[0-9a-f]{32,128}", proof["nonce"]))
    values = {name: from_base64url(proof[name]) for name in PROOF - {"nonce"}}
    client_data = json.loads(values["client_data_json"])
    text = {"document": document, "sentence": sentence}
    expected: dict[str, Any] = {"use": "common-terms/sign/1", **text}
    if "entries" in proof:
        entries = proof["entries"].split(" ")
        need(len(entries) == 20 and all(re.fullmatch("[0-9a-f]{64}", entry) for entry in entries))
        need(all(first < second for first, second in pairwise(entries)))
        need(hashlib.sha256(canonical(text)).hexdigest() in entries)
        expected = {"use": "common-terms/sign-list/1", "entries": entries}
    expected["nonce"] = proof["nonce"]
    challenge = hashlib.sha256(canonical(expected)).digest()
    need(client_data["challenge"] == base64.urlsafe_b64encode(challenge).rstrip(b"=").decode())
    need(client_data["type"] == "webauthn.get" and client_data.get("crossOrigin", False) is False)
    device = values["authenticator_data"]
    host = urlsplit(client_data["origin"]).hostname or ""
    need(host and host.isascii())
    need(len(device) >= 37 and device[:32] == hashlib.sha256(host.encode()).digest())
    need(device[32] & 1 and device[32] & 4 and values["credential_id"])
    signed = device + hashlib.sha256(values["client_data_json"]).digest()
    key = cose(values["public_key"])
    signature = values["signature"]
    if (key[1], key[3]) == (2, -7):
        need(key[-1] == 1 and len(key[-2]) == len(key[-3]) == 32)
        point = b"\x04" + key[-2] + key[-3]
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point).verify(
            signature, signed, ec.ECDSA(SHA256())
        )
    elif (key[1], key[3]) == (1, -8):
        need(key[-1] == 6)
        ed25519.Ed25519PublicKey.from_public_bytes(key[-2]).verify(signature, signed)
    else:
        need((key[1], key[3]) == (3, -257))
        numbers = rsa.RSAPublicNumbers(int.from_bytes(key[-2]), int.from_bytes(key[-1]))
        numbers.public_key().verify(signature, signed, padding.PKCS1v15(), SHA256())


# PDFs ---------------------------------------------------------------------------------------------


def der(data: bytes) -> tuple[int, bytes, bytes, bytes]:
    """Return the first element's tag, its content, the whole element, and what follows it."""
    size, at = data[1], 2
    if size & 0x80:
        at += size & 0x7F
        size = int.from_bytes(data[2:at])
    need(len(data) >= at + size)
    return data[0], data[at : at + size], data[: at + size], data[at + size :]


def parts_of(content: bytes) -> list[tuple[int, bytes, bytes]]:
    parts = []
    while content:
        tag, inner, whole, content = der(content)
        parts.append((tag, inner, whole))
    return parts


def check_pdf(pdf: bytes, certificate: x509.Certificate) -> None:
    places = re.finditer(rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", pdf)
    end = 0
    for place in places:
        before, after, size = map(int, place.groups())
        begin, end = end, after + size
        need(begin <= place.start() < end <= len(pdf) and begin <= before < after)
        hole = re.fullmatch(rb"<([0-9A-Fa-f]+)>", pdf[before:after])
        need(hole)
        assert hole
        message, covered = bytes.fromhex(hole[1].decode()), pdf[:before] + pdf[after:end]
        if begin == 0:
            check_signature(message, covered, certificate)
        else:
            check_timestamp(message, covered)
    need(end == len(pdf) > 0)


def signed_data(message: bytes) -> list[tuple[int, bytes, bytes]]:
    """Return the parts of a CMS message that is followed by zeros only."""
    _, outer, _, rest = der(message)
    need(not rest.strip(b"\0"))
    kind, wrapped = parts_of(outer)
    need(kind[1] == SIGNED_DATA)
    return parts_of(parts_of(wrapped[1])[0][1])


def check_signature(message: bytes, covered: bytes, certificate: x509.Certificate) -> None:
    inner = signed_data(message)
    need(len(parts_of(inner[2][1])) == 1)  # no content of its own
    check_signer(inner, covered, certificate)


def check_timestamp(message: bytes, covered: bytes) -> None:
    """Check a timestamp (RFC 3161) with the certificate that it contains."""
    inner = signed_data(message)
    kind, wrapped = parts_of(inner[2][1])
    need(kind[1] == TIMESTAMP_INFO)
    ((tag, info, _whole),) = parts_of(wrapped[1])
    need(tag == 0x04)
    _version, _policy, imprint, *_ = parts_of(parts_of(info)[0][1])
    algorithm, digest_of_it = parts_of(imprint[1])
    hashing = DIGESTS[parts_of(algorithm[1])[0][1]]
    need(digest_of_it[1] == hashlib.new(hashing.name, covered).digest())
    ((_tag, signer, _signer),) = parts_of(inner[-1][1])
    issuer, serial = parts_of(parts_of(signer)[1][1])
    (own,) = [
        certificate
        for part in inner[3:-1]
        if part[0] == 0xA0
        for certificate in map(x509.load_der_x509_certificate, (w for *_, w in parts_of(part[1])))
        if certificate.issuer.public_bytes() == issuer[2]
        and certificate.serial_number == int.from_bytes(serial[1])
    ]
    check_signer(inner, info, own)


def check_signer(
    inner: list[tuple[int, bytes, bytes]], covered: bytes, certificate: x509.Certificate
) -> None:
    (signer,) = parts_of(inner[-1][1])
    _version, _who, algorithm, attributes, kind, signature, *_ = parts_of(signer[1])
    need(attributes[0] == 0xA0)
    hashing = DIGESTS[parts_of(algorithm[1])[0][1]]
    stated = {}
    for _tag, attribute, _whole in parts_of(attributes[1]):
        name, values = parts_of(attribute)
        stated[name[1]] = values[1]
    (own,) = parts_of(stated[MESSAGE_DIGEST])
    need(own[1] == hashlib.new(hashing.name, covered).digest())
    key, data = certificate.public_key(), b"\x31" + attributes[2][1:]
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature[1], data, ec.ECDSA(hashing))
    else:
        need(isinstance(key, rsa.RSAPublicKey))
        assert isinstance(key, rsa.RSAPublicKey)
        is_pss = parts_of(kind[1])[0][1] == RSA_PSS
        pss = padding.PSS(padding.MGF1(hashing), padding.PSS.AUTO)
        key.verify(signature[1], data, pss if is_pss else padding.PKCS1v15(), hashing)


def who_signs(document: dict[str, Any]) -> dict[UUID, int]:
    """Return how many people have to sign for each organisation, according to a text."""
    if document.get("signing") is not None:
        parties = document["signing"]["parties"]
        needed = {UUID(party["organisation_id"]): party["needed"] for party in parties}
        need(all(type(number_of) is int for number_of in needed.values()))
        if needed:
            everybody = {UUID(party["id"]) for party in document.get("parties") or []}
            need(everybody <= needed.keys() and len(needed) == len(parties))
            need(min(needed.values()) >= 1)
            return needed
    named = [UUID(signatory["organisation_id"]) for signatory in document.get("signatories") or []]
    if named:
        return {party: named.count(party) for party in named}
    return {UUID(party["id"]): 1 for party in document["parties"]}


def is_id(text: Any) -> bool:
    try:
        return isinstance(text, str) and bool(UUID(text))
    except ValueError:
        return False


def is_plain_id(text: Any) -> bool:
    return is_id(text) and str(UUID(text)) == text


# The checks ---------------------------------------------------------------------------------------


class Verifier:
    """One run over one file; `verdicts` says whether each check passed."""

    def __init__(self, data: bytes, anchors: Iterable[str] = (), keys: Iterable[str] = ()) -> None:
        self.data = data
        self.verdicts: dict[str, bool] = {}
        self.files: dict[str, bytes] = {}
        self.heads: list[str] = []
        self.bound: dict[int, str] = {}
        self.erased = False
        self.keys: dict[str, Note] = {}
        self.certificates: dict[str, x509.Certificate] = {}
        self.rows: list[dict[str, Any]] = []
        self.events: dict[int, tuple[str, str]] = {}
        self.known: dict[int, Note] = {}
        self.leaves: list[tuple[int, int]] = []
        self.anchored, self.is_vouched_for = 0, False
        checks = [
            ("File", self.file),
            ("List", self.list),
            ("Keys", self.check_keys),
            ("Seal", self.seal),
            ("Chain", self.chain),
            ("Texts", self.texts),
            ("Signatures", self.signatures),
            ("Passkeys", self.passkeys),
            ("Certificates", self.pdfs),
            ("Log", self.log),
            ("Earlier checkpoints", self.earlier),
        ]
        for name, check in checks:
            if not self.holds(name, check) and name in {"File", "List"}:
                return
        for place, text in enumerate(anchors):
            self.holds(f"Anchor {place}", partial(self.anchor, text))
        for fingerprint in keys:
            self.holds(f"Key {fingerprint[:8]}", partial(self.held_key, fingerprint))

    def holds(self, name: str, check: Callable[[], None]) -> bool:
        try:
            check()
            self.verdicts[name] = True
        except WRONG:
            self.verdicts[name] = False
        return self.verdicts[name]

    @property
    def is_sound(self) -> bool:
        return all(self.verdicts.values())

    @property
    def is_compared(self) -> bool:
        """Whether everything was compared: what comes after an anchor, through the sealing key."""
        by_key = any(name.startswith("Key ") for name in self.verdicts)
        return by_key or self.is_vouched_for or 0 < self.anchored == len(self.heads) - 1

    @property
    def headline(self) -> str:
        if not self.is_sound:
            return "no sound evidence"
        if self.is_compared:
            return "sound"
        part = "only with what you hold of it" if self.anchored else "with nothing you hold"
        return f"sound in itself, compared {part}"

    def held_key(self, fingerprint: str) -> None:
        """Compare with a key that somebody has: it sealed, or vouches for the key that did."""
        need(self.verdicts["Seal"])
        (seal,) = read_notes(self.files["seal.txt"], ("bundle", SEAL, []))
        numbers = {key["number"]: key for key in self.keys.values() if key["use"] == "checkpoint"}
        key = self.keys[seal["key"]]
        while key["fingerprint"] != fingerprint:
            key = numbers[key["endorsed-by"]]
            need("revoked" not in key)

    def file(self) -> None:
        with zipfile.ZipFile(io.BytesIO(self.data)) as opened:
            names = opened.namelist()
            need(names == sorted(set(names)) and names)
            need(all(re.fullmatch("[!-~]+", name) for name in names))
            self.files = {name: opened.read(name) for name in names}
        again = io.BytesIO()
        with zipfile.ZipFile(again, "w", zipfile.ZIP_STORED) as packed:
            for name, data in self.files.items():
                name.encode("ascii")
                entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                entry.create_system, entry.external_attr = 3, 0o100600 << 16
                packed.writestr(entry, data)
        need(again.getvalue() == self.data)

    def list(self) -> None:
        self.manifest = read_json(self.files["manifest.json"])
        need(set(self.manifest) == set(LIST))
        need(self.manifest["format"] == "common-terms/bundle/1")
        for name in ("origin", "reference", "cooperation", "chain", "made_at"):
            need(isinstance(self.manifest[name], str))
        need(type(self.manifest["count"]) is int and type(self.manifest["size"]) is int)
        out = self.manifest["left_out"]
        need(set(out) == {"details", "rows", "documents"})
        for numbers in out.values():
            need(all(type(number) is int for number in numbers) and numbers == sorted(set(numbers)))
        listed = set(self.files) - {"manifest.json", "seal.txt"}
        need(listed == set(self.manifest["files"]))
        for name in listed:
            folder = name.split("/")[0]
            need(name in PLAIN_FILES or ("/" in name and folder in FOLDERS))
            need(sha256(self.files[name]) == self.manifest["files"][name])

    def check_keys(self) -> None:
        notes = read_notes(self.files["keys.txt"], ("public-key", KEY, MORE_OF_KEY))
        places = {(key["use"], number(key["number"])): key for key in notes}
        prints = {digest(key["fingerprint"]): key for key in notes}
        need(len(places) == len(prints) == len(notes))
        named = set()
        for (use, own), key in places.items():
            public = from_base64(key["public-key"])
            for end in ("made", "retired", "revoked"):
                if end in key:
                    moment(key[end])
            if use == "checkpoint":
                need(sha256(public) == key["fingerprint"])
            else:
                need(use == "document")
                named.add(f"keys/document-{own}.pem")
                pem = self.files[f"keys/document-{own}.pem"]
                chain = x509.load_pem_x509_certificates(pem)
                need(
                    b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain) == pem
                )
                certificate = chain[0]
                self.certificates[key["fingerprint"]] = certificate
                need(sha256(certificate.public_bytes(Encoding.DER)) == key["fingerprint"])
                need(
                    certificate.public_key().public_bytes(
                        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
                    )
                    == public
                )
            need(("endorsed-by" in key) == ("endorsement" in key))
            if "endorsed-by" in key:
                before = number(key["endorsed-by"])
                need(before < own)
                statement = f"common-terms/key/1\n{key['fingerprint']}\n".encode()
                self.verify(places[use, before], statement, from_base64(key["endorsement"]))
        need({name for name in self.files if name.startswith("keys/")} == named)
        need(any(use == "checkpoint" for use, _ in places))
        self.keys = prints

    def verify(self, key: Note, data: bytes, signature: bytes) -> None:
        public = load_der_public_key(from_base64(key["public-key"]))
        need(isinstance(public, ed25519.Ed25519PublicKey))
        assert isinstance(public, ed25519.Ed25519PublicKey)
        public.verify(signature, data)

    def signed(self, head: str, note: Note, at: dt.datetime) -> None:
        key = self.keys[note["key"]]
        need(key["use"] == "checkpoint")
        for end in ("retired", "revoked"):
            need(end not in key or moment(key[end]) >= at)
        plain = {name: value for name, value in note.items() if name != "signature"}
        text = note_text(f"common-terms/{head}/1", plain)
        self.verify(key, text.encode(), from_base64(note["signature"]))

    def seal(self) -> None:
        (seal,) = read_notes(self.files["seal.txt"], ("bundle", SEAL, []))
        need(seal["manifest"] == sha256(self.files["manifest.json"]))
        self.signed("bundle", seal, time_in_utc(self.manifest["made_at"]).replace(microsecond=0))

    def chain(self) -> None:
        *lines, last = self.files["events.jsonl"].split(b"\n")
        need(last == b"")
        heads, without = ["0" * 64], set()
        for place, line in enumerate(lines, 1):
            value = read_json(line)
            need(set(value) == {"event", "details"})
            event, details = value["event"], value["details"]
            names = set(EVENT) | ({"state"} & set(event))
            need(set(event) == names and type(event["number"]) is int)
            texts = names - {"number", "evidence"}
            need(all(isinstance(event[name], str) for name in texts))
            need(event["evidence"] is None or isinstance(event["evidence"], str))
            need(event["number"] == place and event["chain"] == self.manifest["chain"])
            need(event["previous"] == heads[-1])
            self.check_end(event, details)
            if details is None:
                without.add(place)
            else:
                need(set(details) == {"salt", "content"} and isinstance(details["salt"], str))
                need(isinstance(details["content"], dict))
                need(sha256(canonical(details)) == event["details"])
            if event["evidence"] is not None:
                self.bound[place] = event["evidence"]
            self.erased |= event["verb"] == "details_erased"
            self.events[place] = event["verb"], event["subject"]
            heads.append(sha256(canonical(event)))
        need(len(lines) == self.manifest["count"] > 0)
        self.heads = heads
        need(without == set(self.manifest["left_out"]["details"]))

    def check_end(self, event: dict[str, Any], details: dict[str, Any] | None) -> None:
        if event["number"] == 1:
            need(event["verb"] == "cooperation_opened")
            need(event["subject"] == self.manifest["cooperation"])
            if details is not None:
                need(details["content"]["reference"] == self.manifest["reference"])
        if event["number"] == self.manifest["count"]:
            need(event["verb"] == "evidence_exported")
            need(event["subject"] == self.manifest["cooperation"])
            need(event["at"] == self.manifest["made_at"])

    def texts(self) -> None:
        need(self.heads)
        *lines, last = self.files["rows.jsonl"].split(b"\n")
        need(last == b"")
        rows = [read_json(line) for line in lines]
        out = self.manifest["left_out"]
        for value in rows:
            need(set(value) == {"event", "kind", "row"} and type(value["event"]) is int)
            need(all(isinstance(value["row"][name], str) for name in ROWS[value["kind"]]))
            need(value["kind"] != "revision" or type(value["row"]["number"]) is int)
            if value["kind"] == "signature":
                need(isinstance(value["row"]["organisation"], str | None))
            need(self.bound[value["event"]] == sha256(canonical(value["row"])))
        events = [value["event"] for value in rows]
        need(events == sorted(set(events)))
        need(set(self.bound) - set(events) == set(out["rows"]))
        texts = {row["event"]: row["row"] for row in rows if row["kind"] == "revision"}
        for event, row in texts.items():
            need(row["cooperation"] == self.manifest["cooperation"])
            if event in out["documents"]:
                need(f"documents/{event}.json" not in self.files and self.erased)
                continue
            document = self.files[f"documents/{event}.json"]
            need(sha256(document) == row["digest"])
            need(read_json(document)["revision"] == row["number"])
        documents = {f"documents/{event}.json" for event in texts}
        need({name for name in self.files if name.startswith("documents/")} <= documents)
        with_file = {row["event"] for row in rows if row["kind"] != "signature"}
        need(set(out["documents"]) <= with_file)
        self.rows = rows

    def signatures(self) -> None:
        need(self.verdicts["Texts"])
        texts = {row["row"]["id"]: row["row"] for row in self.rows if row["kind"] == "revision"}
        for value in self.rows:
            if value["kind"] == "signature":
                row = value["row"]
                need(texts[row["revision"]]["digest"] == row["document_digest"])
                time_in_utc(row["signed_at"])
        need(not self.wrong_papers())

    def wrong_papers(self) -> set[int]:
        """Return the events of signatures on paper for which no two other people vouch."""
        signatures = [(row["event"], row["row"]) for row in self.rows if row["kind"] == "signature"]
        older = {
            row["row"]["id"]
            for row in self.rows
            if row["kind"] == "revision"
            and self.events[row["event"]][0] == "former_agreement_recorded"
        }
        wrong, parties = set(), set()
        papers: dict[int, dict[str, str]] = {}
        for event, row in signatures:
            paper = row.get("paper")
            if row["method"] != "paper":
                wrong |= {event} if "paper" in row else set()
            elif (
                isinstance(paper, dict)
                and all(
                    is_plain_id(paper.get(name))
                    for name in ("record", "recorded_by", "confirmed_by")
                )
                and all(isinstance(paper.get(name), str) for name in ("confirmed_for", "made"))
                and paper["made"] in {"here", "before"}
            ):
                papers[event] = paper
            else:
                wrong.add(event)
        for paper in papers.values():
            parties.add((paper["record"], paper["confirmed_by"], paper["confirmed_for"]))
        confirmed = [(record, person) for record, person, _ in parties]
        for event, row in signatures:
            if event in papers:
                paper = papers[event]
                signed_it = is_id(row["user"]) and UUID(row["user"]) == UUID(paper["confirmed_by"])
                if (
                    (paper["made"] == "before") != (row["revision"] in older)
                    or paper["recorded_by"] == paper["confirmed_by"]
                    or (paper["made"] == "here" and signed_it)
                    or confirmed.count((paper["record"], paper["confirmed_by"])) > 1
                ):
                    wrong.add(event)
        return wrong

    def passkeys(self) -> None:
        need(self.verdicts["Signatures"])
        for value in self.rows:
            row = value["row"]
            if value["kind"] != "signature":
                continue
            need((row["method"] == "in_presence") == ("presence" in row))
            if "presence" in row:
                need(is_plain_id(row["presence"]["host"]))
                need(isinstance(row["presence"]["method"], str))
            proven_by = row.get("presence", row)["method"]
            need((proven_by == "passkey") == (row.get("proof") is not None))
            if proven_by == "passkey":
                check_proof(row["proof"], row["document_digest"], row["sentence"])

    def pdfs(self) -> None:
        need(self.verdicts["Texts"])
        texts = {row["row"]["id"] for row in self.rows if row["kind"] == "revision"}
        listed = set()
        for value in self.rows:
            if value["kind"] == "certificate":
                listed.add(f"certificates/{value['event']}.pdf")
                self.pdf(value["event"], value["row"], texts)
        need({name for name in self.files if name.startswith("certificates/")} <= listed)

    def pdf(self, event: int, row: dict[str, Any], texts: set[str]) -> None:
        need(row["revision"] in texts and isinstance(row["language"], str))
        self.signed_by_all(row["revision"])
        name = f"certificates/{event}.pdf"
        if event in self.manifest["left_out"]["documents"]:
            need(name not in self.files and self.erased)
            return
        need(sha256(self.files[name]) == row["sha256"])
        at = time_in_utc(row["made_at"])
        need(any(self.is_signed_by(key, self.files[name], at) for key in self.keys.values()))

    def signed_by_all(self, text: str) -> None:
        ((frozen, row),) = [
            (row["event"], row["row"])
            for row in self.rows
            if row["kind"] == "revision" and row["row"]["id"] == text
        ]
        wrong = self.wrong_papers()
        # Verb and subject of the event, then the signature.
        under = [
            (entry["event"], *self.events[entry["event"]], entry["row"])
            for entry in self.rows
            if entry["kind"] == "signature"
            and entry["row"]["revision"] == text
            and entry["row"]["document_digest"] == row["digest"]
            and entry["event"] > frozen
        ]
        data = self.files.get(f"documents/{frozen}.json")
        document = None if data is None else read_json(data)
        if row["subject_type"] == "undertaking":
            own, other = (
                {
                    UUID(entry["user"])
                    for number, event_verb, subject, entry in under
                    if (event_verb, subject, entry["kind"]) == (verb, row["subject"], kind)
                    and number not in wrong
                    and is_id(entry["user"])
                }
                for verb, kind in (
                    ("undertaking_signed", "signature"),
                    ("undertaking_countersigned", "countersignature"),
                )
            )
            if document is not None:
                own &= {UUID(document["person"]["id"])}
            named = [
                (entry.get(part), name)
                for *_, entry in under
                for part, name in (("presence", "host"), ("paper", "recorded_by"))
            ]
            takers = {
                UUID(part[name])
                for part, name in named
                if isinstance(part, dict) and is_id(part.get(name))
            }
            need(own and other - own - takers)
            return
        end = min(
            number
            for number, (verb, subject) in self.events.items()
            if number > frozen and subject == row["subject"] and verb in ENDS_OF_WAITING
        )
        need(self.events[end][0] == "came_into_force")
        if document is None:
            return
        signers = {
            (UUID(entry["organisation"]), UUID(entry["user"]))
            for number, verb, _, entry in under
            if number < end
            and number not in wrong
            and verb in {"signed", "signed_on_paper"}
            and entry["kind"] == "signature"
            and is_id(entry["organisation"])
            and is_id(entry["user"])
        }
        needed_by_party = who_signs(document)
        need(needed_by_party)
        for party, needed in needed_by_party.items():
            need(sum(organisation == party for organisation, _ in signers) >= needed)

    def is_signed_by(self, key: Note, pdf: bytes, at: dt.datetime) -> bool:
        if key["use"] != "document":
            return False
        try:
            for end in ("retired", "revoked"):
                need(end not in key or moment(key[end]) >= at.replace(microsecond=0))
            check_pdf(pdf, self.certificates[key["fingerprint"]])
        except WRONG:
            return False
        return True

    def checkpoint(self, note: Note) -> None:
        number(note["previous"])
        digest(note["root"])
        self.signed("checkpoint", note, moment(note["at"]))

    def inclusion(self, note: Note, checkpoint: Note) -> None:
        need(self.heads and note["chain"] == self.manifest["chain"])
        need(note["size"] == checkpoint["size"])
        need(number(note["count"]) > 0)
        need(self.heads[number(note["count"])] == note["head"])
        stated = {name: note[name] for name in ("chain", "count", "head")}
        data = note_text("common-terms/leaf/1", stated).encode()
        leaf = hashlib.sha256(b"\x00" + data).digest()
        place, size = number(note["leaf"]), number(note["size"])
        root = bytes.fromhex(checkpoint["root"])
        need(included(leaf, place, size, hashes(note["proof"]), root))
        self.leaves.append((place, number(note["count"])))

    def log(self) -> None:
        (newest,) = read_notes(self.files["checkpoint.txt"], ("checkpoint", CHECKPOINT, []))
        need(number(newest["size"]) == self.manifest["size"])
        need(newest["origin"] == self.manifest["origin"])
        self.checkpoint(newest)
        (inclusion,) = read_notes(self.files["inclusion.txt"], ("inclusion", INCLUSION, []))
        need(number(inclusion["count"]) == self.manifest["count"])
        self.inclusion(inclusion, newest)
        self.newest = newest
        self.known[number(newest["size"])] = newest

    def grown(self, before: Note, after: Note, proof: Note) -> None:
        first, second = number(before["size"]), number(after["size"])
        need((number(proof["from"]), number(proof["to"])) == (first, second))
        roots = bytes.fromhex(before["root"]), bytes.fromhex(after["root"])
        need(consistent(first, second, hashes(proof["proof"]), *roots))

    def earlier(self) -> None:
        need(self.verdicts["Log"])
        for name in sorted(name for name in self.files if name.startswith("checkpoints/")):
            checkpoint, inclusion, proof = read_notes(
                self.files[name],
                ("checkpoint", CHECKPOINT, []),
                ("inclusion", INCLUSION, []),
                ("consistency", CONSISTENCY, []),
            )
            need(name == f"checkpoints/{number(checkpoint['size'])}.txt")
            self.checkpoint(checkpoint)
            need(proof["origin"] == self.newest["origin"])
            self.grown(checkpoint, self.newest, proof)
            self.inclusion(inclusion, checkpoint)
            self.known[number(checkpoint["size"])] = checkpoint

    def anchor(self, text: str) -> None:
        need(self.verdicts["Log"])
        checkpoint, proofs = read_anchor(text)
        size, newest = number(checkpoint["size"]), number(self.newest["size"])
        if size in self.known:
            need(self.known[size] == checkpoint)
        else:
            self.checkpoint(checkpoint)
            pair = (checkpoint, self.newest) if size < newest else (self.newest, checkpoint)
            self.grown(*pair, proofs[0])
        covered = [count for leaf, count in self.leaves if leaf < size]
        need(covered)
        self.anchored = max(self.anchored, *covered)
        try:
            self.held_key(checkpoint["key"])
            self.is_vouched_for = True
        except WRONG:
            pass


SOUND, NOT_SOUND, NOT_COMPARED = 0, 1, 3


def main(arguments: list[str]) -> int:
    """Print what was checked in a bundle and the conclusion; return the exit code.

    0 means sound and compared, 1 no sound evidence, 3 sound in itself only. Exits 2 if nothing was
    checked: a file is missing, or an anchor or a key can't be read.
    """
    parser = argparse.ArgumentParser(description="Verify a bundle of evidence.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--anchor", type=Path, action="append", default=[])
    parser.add_argument("--key", action="append", default=[])
    given = parser.parse_args(arguments)
    try:
        data = given.bundle.read_bytes()
        anchors = [anchor.read_text(encoding="utf-8") for anchor in given.anchor]
    except (OSError, UnicodeDecodeError) as error:
        parser.error(str(error))
    for file, text in zip(given.anchor, anchors, strict=True):
        try:
            read_anchor(text)
        except WRONG as error:
            parser.error(f"{file} contains no checkpoint: {error}")
    keys = ["".join(key.split()).lower() for key in given.key]
    for typed, key in zip(given.key, keys, strict=True):
        if not re.fullmatch("[0-9a-f]{64}", key):
            parser.error(f"{typed} is not a SHA-256, which has 64 hexadecimal digits.")
    verifier = Verifier(data, anchors, keys)
    for name, is_valid in verifier.verdicts.items():
        sys.stdout.write(f"{'valid' if is_valid else 'FLAW '}  {name}\n")
    sys.stdout.write(f"{verifier.headline}\n")
    if not verifier.is_sound:
        return NOT_SOUND
    return SOUND if verifier.is_compared else NOT_COMPARED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
