"""Keys that sign evidence: created, rotated, revoked, imported; old ones stay for verification.

Private keys are files, encrypted under a key derived from the instance's own; public keys are in a
table that the instance's chain binds.

In one file: files and rows of keys change together, in one order that survives a crash.
"""

import base64
import binascii
import datetime as dt
import logging
import os
import re
import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import NameOID
from flask_babel import lazy_gettext as _l

from tracker.activity import verbs
from tracker.activity.service import lock_chain, record
from tracker.activity.verbs import Verb
from tracker.core import canonical, clock, crypto
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.keys import KeysError
from tracker.core.services import Slot
from tracker.evidence.log import notes
from tracker.evidence.log.notes import KeyNote
from tracker.evidence.models import EvidenceKey, KeyOrigin, KeyUse

logger = logging.getLogger(__name__)

Private = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_DERIVED = b"common-terms/evidence-keys/1"
SUBJECT = "evidence_key"
# The lifetime of a self-signed certificate. Documents are verified by their digest in the trail as
# well, so an expired certificate doesn't invalidate what was signed with it.
YEARS = 10
LEAST_RSA_BITS = 2048
COMMON_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """The folder of private keys, and the host name for new certificates."""

    folder: Path
    host: str


KEY_FOLDER: Slot[KeyFolder | None] = Slot("evidence_keys", None)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key to sign with. Checkpoint keys have no certificates; else the key's own comes first."""

    id: UUID
    use: KeyUse
    number: int
    fingerprint: str
    private: Private = field(repr=False)
    certificates: tuple[x509.Certificate, ...] = ()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key to verify with, and when it was made and ended."""

    id: UUID
    use: KeyUse
    number: int
    origin: KeyOrigin
    fingerprint: str
    public_key: bytes
    certificates: tuple[x509.Certificate, ...]
    endorsement: bytes | None
    endorsed_by: int | None
    made_at: dt.datetime
    retired_at: dt.datetime | None
    revoked_at: dt.datetime | None
    reason: str

    def note(self) -> KeyNote:
        """Return the key as it is published and included in bundles."""
        return KeyNote(
            use=self.use.value,
            number=self.number,
            fingerprint=self.fingerprint,
            public_key=self.public_key,
            made_at=self.made_at,
            retired=self.retired_at,
            revoked=self.revoked_at,
            reason=self.reason,
            endorsed_by=self.endorsed_by,
            endorsement=self.endorsement or b"",
        )

    @property
    def is_current(self) -> bool:
        """Whether it signs new things."""
        return self.retired_at is None and self.revoked_at is None


# Reading ------------------------------------------------------------------------------------------


def current(use: KeyUse) -> SigningKey:
    """Return the key that signs new things; raise KeysError if it can't be read."""
    row = _current_row(use)
    if row is None:
        message = (
            f"There is no {use.value} key yet: "
            f"start with tracker run, or tracker keys rotate {use.value}."
        )
        raise KeysError(message)
    return SigningKey(
        id=row.id,
        use=row.use,
        number=row.number,
        fingerprint=row.fingerprint,
        private=_read(row),
        certificates=certificates_of(row),
    )


def public_keys(use: KeyUse | None = None) -> list[PublicKey]:
    """Return all keys ever used, or those of one use, oldest first."""
    query = sa.select(EvidenceKey).order_by(EvidenceKey.use, EvidenceKey.number)
    if use is not None:
        query = query.where(EvidenceKey.use == use)
    return [_public(row) for row in db.session.scalars(query)]


def pem_of(key: PublicKey) -> str:
    """Return the certificates of a key in PEM form, its own first."""
    return _pem(key.certificates)


def certificates_of(row: EvidenceKey) -> tuple[x509.Certificate, ...]:
    """Return the certificates of a key, its own first; none for checkpoints."""
    if not row.certificates:
        return ()
    return tuple(x509.load_pem_x509_certificates(row.certificates.encode()))


def trouble() -> list[str]:
    """Return a line for each use whose key can't sign now: lost, damaged, or from another instance.

    For commands and at the start.
    """
    lines = []
    for use in KeyUse:
        try:
            current(use)
        except KeysError as error:
            lines.append(str(error))
    return lines


# Making, rotating, revoking -----------------------------------------------------------------------


def make_missing() -> list[PublicKey]:
    """Create a key for each use that has none, in the caller's transaction; return them."""
    if all(_current_row(use) for use in KeyUse):
        return []
    lock_chain(None)
    return [_make(use, None) for use in KeyUse if _current_row(use) is None]


def rotate(use: KeyUse) -> PublicKey:
    """Create a new key and retire the old one, which vouches for it if it can still be read."""
    lock_chain(None)
    before = _current_row(use)
    key = _make(use, before)
    if before is not None:
        _retire(before)
    return key


def revoke(use: KeyUse, number: int, reason: str) -> PublicKey | None:
    """Declare that a key may be in other hands; return its replacement, if it was in use.

    A revoked key vouches for nothing. Raise RuleBrokenError if there is no such key, if it is
    already revoked, or without a reason.
    """
    lock_chain(None)
    row = db.session.scalar(
        sa.select(EvidenceKey).where(EvidenceKey.use == use, EvidenceKey.number == number)
    )
    if row is None:
        raise RuleBrokenError(_l("That key doesn't exist."), "number")
    if row.revoked_at is not None:
        raise RuleBrokenError(_l("This key has already been revoked."), "number")
    if not reason.strip():
        raise RuleBrokenError(_l("Say why the key is revoked."), "reason")
    was_current = row.retired_at is None
    row.reason = reason.strip()
    row.revoked_at = _note(
        verbs.EVIDENCE_KEY_REVOKED,
        row,
        evidence=canonical.digest_of(row.revocation()),
        reason=row.reason,
    )
    db.session.flush()
    return _make(use, None) if was_current else None


def import_key(key: bytes, certificates: bytes, password: bytes | None = None) -> PublicKey:
    """Import an organisation's own document key, and retire the old one.

    Both are PEM; the key's own certificate comes first, then its issuers'. Raise RuleBrokenError if
    they don't belong together or can't sign documents today.
    """
    private = _private_of(key, password)
    chain = _chain_of(certificates)
    _require_fit(private, chain)
    lock_chain(None)
    before = _current_row(KeyUse.DOCUMENT)
    imported = _keep(KeyUse.DOCUMENT, private, chain, origin=KeyOrigin.IMPORTED)
    if before is not None:
        _retire(before)
    return imported


def _make(use: KeyUse, before: EvidenceKey | None) -> PublicKey:
    """Create a key; the old one vouches for it, if it is given and can be read."""
    if use is KeyUse.DOCUMENT:
        private = ec.generate_private_key(ec.SECP256R1())
        return _keep(use, private, (_own_certificate(private),))
    return _keep(use, ed25519.Ed25519PrivateKey.generate(), (), before=before)


def _keep(
    use: KeyUse,
    private: Private,
    certificates: tuple[x509.Certificate, ...],
    *,
    origin: KeyOrigin = KeyOrigin.MADE,
    before: EvidenceKey | None = None,
) -> PublicKey:
    """Write the private key to its file and the public key to the table, and record it."""
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    row = EvidenceKey(
        id=uuid4(),
        use=use,
        number=_next_number(use),
        origin=origin,
        public_key=public,
        certificates=_pem(certificates),
        fingerprint=canonical.digest(_der(certificates[0]) if certificates else public),
        made_at=clock.now(),
    )
    if db.session.scalar(
        sa.select(EvidenceKey.id).where(EvidenceKey.fingerprint == row.fingerprint)
    ):
        raise RuleBrokenError(_l("This certificate has already been added."), "certificate")
    if before is not None:
        _let_vouch(before, row)
    _write(row, private)
    db.session.add(row)
    db.session.flush()
    is_made = origin is KeyOrigin.MADE
    _note(
        verbs.EVIDENCE_KEY_MADE if is_made else verbs.EVIDENCE_KEY_IMPORTED,
        row,
        evidence=canonical.digest_of(row.content()),
    )
    return _public(row)


def _let_vouch(before: EvidenceKey, row: EvidenceKey) -> None:
    try:
        private = _read(before)
    except (
        KeysError
    ):  # lost: then no key vouches for it, and people have to compare the fingerprint
        return
    if isinstance(private, ed25519.Ed25519PrivateKey):
        row.endorsement = private.sign(notes.endorsed(row.fingerprint))
        row.endorsed_by = before.number


def _retire(row: EvidenceKey) -> None:
    row.retired_at = _note(verbs.EVIDENCE_KEY_RETIRED, row)
    db.session.flush()


def _note(verb: Verb, row: EvidenceKey, evidence: str | None = None, **more: Any) -> dt.datetime:
    """Record what happened to a key in the instance's chain; return when."""
    event = record(
        verb,
        actor=None,
        subject_type=SUBJECT,
        subject_id=row.id,
        evidence=evidence,
        use=row.use.value,
        number=row.number,
        fingerprint=row.fingerprint,
        **more,
    )
    return event.at


def _current_row(use: KeyUse) -> EvidenceKey | None:
    return db.session.scalar(
        sa.select(EvidenceKey)
        .where(
            EvidenceKey.use == use,
            EvidenceKey.retired_at.is_(None),
            EvidenceKey.revoked_at.is_(None),
        )
        .order_by(EvidenceKey.number.desc())
        .limit(1)
    )


def _next_number(use: KeyUse) -> int:
    """Return a number that neither a row nor a file has: no file is ever overwritten."""
    in_table = db.session.scalar(
        sa.select(sa.func.max(EvidenceKey.number)).where(EvidenceKey.use == use)
    )
    names = (path.name for path in _folder().glob(f"{use.value}-*.key"))
    in_folder = (re.fullmatch(rf"{use.value}-([0-9]+)\.key", name) for name in names)
    return 1 + max([in_table or 0, *(int(key[1]) for key in in_folder if key)])


# Files --------------------------------------------------------------------------------------------


def _key_folder() -> KeyFolder:
    place = KEY_FOLDER.get()
    if place is None:
        message = "The folder of the evidence's keys is not set; build the application first."
        raise KeysError(message)
    return place


def _folder() -> Path:
    return _key_folder().folder


def _path(row: EvidenceKey) -> Path:
    return _folder() / f"{row.use.value}-{row.number}.key"


def _context(row: EvidenceKey) -> str:
    return f"evidence-key:{row.use.value}:{row.number}:{row.fingerprint}"


def _sealing_key(fields: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=_DERIVED).derive(fields)


def _write(row: EvidenceKey, private: Private) -> None:
    """Write an encrypted private key to a temporary file and move it into place."""
    plain = private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    sealed = base64.b64encode(crypto.seal_field(plain, _context(row), _sealing_key)) + b"\n"
    folder, path = _folder(), _path(row)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).rename(path)
        except OSError:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        message = f"The key can't be written to {path}: {error.strerror}."
        raise KeysError(message) from error


def count_files(number: int) -> tuple[int, int]:
    """Return the number of files of private keys, and of those not under a key of fields."""
    files = sorted(_folder().glob("*.key"))
    return len(files), sum(not _is_under(path, number) for path in files)


def encrypt_files_again(number: int) -> None:
    """Encrypt the files of private keys with the key of fields in use, which has that number.

    A file that can't be read stays as it is: it signs nothing, and trouble() says so.
    """
    for row in db.session.scalars(sa.select(EvidenceKey)):
        try:
            if not _is_under(_path(row), number):
                _write(row, _read(row))
        except (KeysError, OSError):
            logger.warning("The evidence key %s can't be encrypted again: it can't be read", row.id)


def _is_under(path: Path, number: int) -> bool:
    try:
        sealed = base64.b64decode(path.read_bytes().strip())
    except binascii.Error:
        return False
    return sealed.startswith(crypto.field_prefix(number))


def _read(row: EvidenceKey) -> Private:
    path = _path(row)
    mend = f"Restore it, or tracker keys rotate {row.use.value}."
    try:
        sealed = base64.b64decode(path.read_bytes().strip(), validate=True)
        plain = crypto.unseal_field(sealed, _context(row), _sealing_key)
        private = serialization.load_der_private_key(plain, None)
    except FileNotFoundError as error:
        message = f"{path.name} is missing in {path.parent}. {mend}"
        raise KeysError(message) from error
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}."
        raise KeysError(message) from error
    except (crypto.SealBrokenError, binascii.Error, ValueError) as error:
        message = f"{path} is damaged, or sealed with the keys of another instance. {mend}"
        raise KeysError(message) from error
    if not isinstance(private, Private):  # encrypted by us, so of a type that we create or import
        raise TypeError(type(private))
    return private


# Certificates -------------------------------------------------------------------------------------


def _own_certificate(private: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Return a self-signed certificate, which people trust by its fingerprint."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Common Terms"),
            x509.NameAttribute(NameOID.COMMON_NAME, _key_folder().host[:COMMON_NAME_LENGTH]),
        ]
    )
    begins = clock.now().replace(microsecond=0)
    usage = {
        name: name in {"digital_signature", "content_commitment"}
        for name in (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        )
    }
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + dt.timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False
        )
        .sign(private, hashes.SHA256())
    )


def _private_of(key: bytes, password: bytes | None) -> Private:
    try:
        private = serialization.load_pem_private_key(key, password)
    except TypeError as error:  # encrypted but no password given, or a password not needed
        message = _l("The key is protected by a password.")
        if password:
            message = _l("The key is not protected by a password.")
        raise RuleBrokenError(message, "password") from error
    except ValueError as error:
        message = _l("This isn't a key in PEM format, or the password is wrong.")
        raise RuleBrokenError(message, "key") from error
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= LEAST_RSA_BITS:
        return private
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in {
        "secp256r1",
        "secp384r1",
        "secp521r1",
    }:
        return private
    raise RuleBrokenError(
        _l("Use an elliptic curve key (P-256, P-384 or P-521), or RSA with at least 2048 bits."),
        "key",
    )


def _chain_of(certificates: bytes) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(certificates))
    except ValueError as error:
        raise RuleBrokenError(
            _l("This isn't a certificate in PEM format."), "certificate"
        ) from error


def _require_fit(private: Private, chain: tuple[x509.Certificate, ...]) -> None:
    """Refuse certificates that are not the key's, out of order or date, or not for signing."""
    own = chain[0]
    if own.public_key() != private.public_key():
        raise RuleBrokenError(_l("The first certificate doesn't belong to the key."), "certificate")
    now = clock.now()
    if not own.not_valid_before_utc <= now <= own.not_valid_after_utc:
        raise RuleBrokenError(_l("The certificate is not valid today."), "certificate")
    if not _may_sign(own):
        raise RuleBrokenError(_l("The certificate isn't for signing documents."), "certificate")
    for certificate, issuer in pairwise(chain):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise RuleBrokenError(
                _l("The certificates are not in order: each must be issued by the next."), "chain"
            ) from error


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.digital_signature or usage.content_commitment


def _pem(certificates: tuple[x509.Certificate, ...]) -> str:
    return "".join(
        certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
        for certificate in certificates
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _public(row: EvidenceKey) -> PublicKey:
    return PublicKey(
        id=row.id,
        use=row.use,
        number=row.number,
        origin=row.origin,
        fingerprint=row.fingerprint,
        public_key=row.public_key,
        certificates=certificates_of(row),
        endorsement=row.endorsement,
        endorsed_by=row.endorsed_by,
        made_at=row.made_at,
        retired_at=row.retired_at,
        revoked_at=row.revoked_at,
        reason=row.reason,
    )
