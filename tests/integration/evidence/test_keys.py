"""Evidence keys: created once, rotated, revoked, imported; old ones stay for verification.

In one file: all tests begin with the same keys of an instance.
"""

import datetime as dt
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from flask import current_app
from sqlalchemy.orm import Session

from tests.factories.evidence.key_files import (
    DAY,
    certificate,
    key_pem,
    new_private,
    pem,
)
from tests.services import replaced
from tracker.activity.models import Event, EventDetail
from tracker.core import canonical, keys
from tracker.core.errors import RuleBrokenError
from tracker.core.keys import Keys, KeysError
from tracker.evidence.keys import signing_keys
from tracker.evidence.keys.signing_keys import PublicKey
from tracker.evidence.log import notes
from tracker.evidence.models import EvidenceKey, KeyOrigin, KeyUse

pytestmark = pytest.mark.some_on_postgresql(4)

CHECKPOINT, DOCUMENT = KeyUse.CHECKPOINT, KeyUse.DOCUMENT


@pytest.fixture
def own_keys(folder: Path, session: Session) -> list[PublicKey]:
    """The two keys that every instance has."""
    new_keys = signing_keys.make_missing()
    session.commit()
    return new_keys


def verbs_of(session: Session, key: PublicKey) -> list[str]:
    query = sa.select(Event.verb).where(Event.subject_id == key.id).order_by(Event.number)
    return list(session.scalars(query))


def numbers(use: KeyUse) -> list[int]:
    return [key.number for key in signing_keys.public_keys(use)]


# Made at the first start --------------------------------------------------------------------------


@pytest.mark.both_databases
def test_an_instance_has_a_key_for_each_use_and_makes_none_twice(
    own_keys: list[PublicKey], session: Session
) -> None:
    assert [(key.use, key.number, key.origin) for key in own_keys] == [
        (CHECKPOINT, 1, KeyOrigin.MADE),
        (DOCUMENT, 1, KeyOrigin.MADE),
    ]
    assert signing_keys.make_missing() == []
    assert signing_keys.trouble() == []


def test_what_a_key_signs_verifies_with_its_public_key(own_keys: list[PublicKey]) -> None:
    own = signing_keys.current(CHECKPOINT)
    assert isinstance(own.private, ed25519.Ed25519PrivateKey)
    public = serialization.load_der_public_key(own_keys[0].public_key)
    assert isinstance(public, ed25519.Ed25519PublicKey)
    public.verify(own.private.sign(b"a checkpoint"), b"a checkpoint")
    assert own.fingerprint == canonical.digest(own_keys[0].public_key)
    assert own.certificates == ()


def test_the_document_key_comes_with_its_own_certificate(
    own_keys: list[PublicKey],
) -> None:
    own = signing_keys.current(DOCUMENT)
    assert isinstance(own.private, ec.EllipticCurvePrivateKey)
    (certificate,) = own.certificates
    assert certificate.public_key() == own.private.public_key()
    certificate.verify_directly_issued_by(certificate)
    assert certificate.subject.rfc4514_string() == "CN=terms.npm.example,O=Common Terms"
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc > dt.timedelta(
        days=3000
    )
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.content_commitment
    assert not usage.key_cert_sign
    assert own.fingerprint == canonical.digest(certificate.public_bytes(serialization.Encoding.DER))


def test_private_keys_are_sealed_files_for_the_owner_alone(
    own_keys: list[PublicKey], folder: Path
) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint-1.key",
        "document-1.key",
    ]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"PRIVATE" not in path.read_bytes()


def test_a_key_is_shown_by_nothing_that_prints_it(own_keys: list[PublicKey]) -> None:
    assert "private" not in repr(signing_keys.current(CHECKPOINT))


@pytest.mark.both_databases
def test_the_chain_of_the_instance_binds_each_key(
    own_keys: list[PublicKey], session: Session
) -> None:
    for key in own_keys:
        row = session.get_one(EvidenceKey, key.id)
        event = session.scalars(sa.select(Event).where(Event.subject_id == key.id)).one()
        assert event.verb == "evidence_key_made"
        assert event.evidence == canonical.digest_of(row.content())
        content = session.get_one(EventDetail, event.id).content
        assert content == {
            "who": None,
            "use": key.use.value,
            "number": 1,
            "fingerprint": key.fingerprint,
        }


# Rotating -----------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_rotated_key_is_kept_and_vouches_for_the_next(
    own_keys: list[PublicKey], session: Session
) -> None:
    new = signing_keys.rotate(CHECKPOINT)
    session.commit()
    old, rotated = signing_keys.public_keys(CHECKPOINT)
    assert (old.number, old.is_current, rotated.is_current) == (1, False, True)
    assert rotated == new
    assert signing_keys.current(CHECKPOINT).number == 2
    assert new.endorsed_by == 1
    assert new.endorsement is not None
    voucher = serialization.load_der_public_key(old.public_key)
    assert isinstance(voucher, ed25519.Ed25519PublicKey)
    voucher.verify(new.endorsement, f"common-terms/key/1\n{new.fingerprint}\n".encode())
    with pytest.raises(InvalidSignature):
        voucher.verify(new.endorsement, notes.endorsed(old.fingerprint))
    assert verbs_of(session, old) == ["evidence_key_made", "evidence_key_retired"]


@pytest.mark.both_databases
def test_a_lost_key_is_reported_and_can_be_rotated_but_vouches_for_nothing(
    own_keys: list[PublicKey], folder: Path, session: Session
) -> None:
    (folder / "checkpoint-1.key").unlink()
    with pytest.raises(KeysError, match=r"checkpoint-1.key is missing in .*Restore it, or tracker"):
        signing_keys.current(CHECKPOINT)
    assert len(signing_keys.trouble()) == 1
    new = signing_keys.rotate(CHECKPOINT)
    assert (new.endorsement, new.endorsed_by) == (None, None)
    assert signing_keys.trouble() == []


def test_the_document_key_rotates_separately(own_keys: list[PublicKey]) -> None:
    signing_keys.rotate(DOCUMENT)
    assert numbers(DOCUMENT) == [1, 2]
    assert numbers(CHECKPOINT) == [1]


def test_a_file_left_by_another_time_is_never_written_over(
    own_keys: list[PublicKey], folder: Path
) -> None:
    (folder / "checkpoint-7.key").write_text("of a copy that was put back\n")
    assert signing_keys.rotate(CHECKPOINT).number == 8
    assert (folder / "checkpoint-7.key").read_text() == "of a copy that was put back\n"


@pytest.mark.both_databases
def test_what_is_rolled_back_leaves_the_key_in_use(
    own_keys: list[PublicKey], session: Session
) -> None:
    signing_keys.rotate(CHECKPOINT)
    session.rollback()
    assert signing_keys.current(CHECKPOINT).number == 1
    assert signing_keys.rotate(CHECKPOINT).number == 3


# Revoking -----------------------------------------------------------------------------------------


def test_a_revoked_key_is_replaced_immediately_by_one_it_does_not_vouch_for(
    own_keys: list[PublicKey], session: Session
) -> None:
    new = signing_keys.revoke(CHECKPOINT, 1, " The server was stolen. ")
    session.commit()
    assert new is not None
    assert (new.number, new.endorsed_by) == (2, None)
    old = signing_keys.public_keys(CHECKPOINT)[0]
    assert old.reason == "The server was stolen."
    assert old.revoked_at is not None
    assert signing_keys.current(CHECKPOINT).number == 2
    revoked = session.scalars(sa.select(Event).where(Event.verb == "evidence_key_revoked")).one()
    assert (revoked.subject_id, revoked.at) == (old.id, old.revoked_at)


def test_a_key_that_was_retired_can_be_revoked_later(own_keys: list[PublicKey]) -> None:
    signing_keys.rotate(DOCUMENT)
    assert signing_keys.revoke(DOCUMENT, 1, "It lay on a lost disk.") is None
    assert numbers(DOCUMENT) == [1, 2]


@pytest.mark.parametrize(
    ("number", "reason", "field"), [(9, "Lost.", "number"), (1, "  ", "reason")]
)
def test_no_key_is_revoked_without_being_there_and_a_reason(
    own_keys: list[PublicKey], number: int, reason: str, field: str
) -> None:
    with pytest.raises(RuleBrokenError) as refused:
        signing_keys.revoke(CHECKPOINT, number, reason)
    assert refused.value.field == field


def test_no_key_is_revoked_twice(own_keys: list[PublicKey]) -> None:
    signing_keys.revoke(CHECKPOINT, 1, "Lost.")
    with pytest.raises(RuleBrokenError, match="already been revoked"):
        signing_keys.revoke(CHECKPOINT, 1, "Lost again.")


# An organisation's own ----------------------------------------------------------------------------


def test_an_organisation_brings_its_own_key_and_chain(
    own_keys: list[PublicKey], session: Session
) -> None:
    root_key, own_key = new_private(), new_private()
    root = certificate(root_key, of="Root")
    own = certificate(own_key, issuer=root, issuer_key=root_key)
    imported = signing_keys.import_key(key_pem(own_key), pem(own, root))
    session.commit()
    assert (imported.number, imported.origin) == (2, KeyOrigin.IMPORTED)
    current = signing_keys.current(DOCUMENT)
    assert current.certificates == (own, root)
    assert current.private.public_key() == own_key.public_key()
    assert verbs_of(session, imported) == ["evidence_key_imported"]
    assert numbers(DOCUMENT) == [1, 2]


def test_a_key_of_rsa_and_one_with_a_password_are_taken(own_keys: list[PublicKey]) -> None:
    private = rsa.generate_private_key(65537, 2048)
    signing_keys.import_key(key_pem(private, b"words"), pem(certificate(private)), b"words")
    assert signing_keys.current(DOCUMENT).private.public_key() == private.public_key()


def broken_import(which: str) -> tuple[bytes, bytes, bytes | None]:
    private, other = new_private(), new_private()
    own = pem(certificate(private))
    weak = rsa.generate_private_key(65537, signing_keys.LEAST_RSA_BITS // 2)
    curve = ec.generate_private_key(ec.SECP256K1())
    edwards = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    cases: dict[str, tuple[bytes, bytes, bytes | None]] = {
        "no key": (b"words", own, None),
        "no certificate": (key_pem(private), b"words", None),
        "another's": (key_pem(other), own, None),
        "ended": (key_pem(private), pem(certificate(private, begins=-3 * DAY, ends=-DAY)), None),
        "later": (key_pem(private), pem(certificate(private, begins=DAY)), None),
        "not for signing": (key_pem(private), pem(certificate(private, may_sign=False)), None),
        "not issued by": (key_pem(private), own + pem(certificate(other)), None),
        "password wanted": (key_pem(private, b"words"), own, None),
        "password for nothing": (key_pem(private), own, b"words"),
        "wrong password": (key_pem(private, b"words"), own, b"others"),
        "weak": (key_pem(weak), pem(certificate(private)), None),
        "strange curve": (key_pem(curve), own, None),
        "not for PDF": (edwards, own, None),
    }
    return cases[which]


@pytest.mark.few_on_postgresql(3)
@pytest.mark.parametrize(
    ("which", "field"),
    [
        ("no key", "key"),
        ("no certificate", "certificate"),
        ("another's", "certificate"),
        ("ended", "certificate"),
        ("later", "certificate"),
        ("not for signing", "certificate"),
        ("not issued by", "chain"),
        ("password wanted", "password"),
        ("password for nothing", "password"),
        ("wrong password", "key"),
        ("weak", "key"),
        ("strange curve", "key"),
        ("not for PDF", "key"),
    ],
)
def test_what_does_not_fit_is_refused_and_the_key_in_use_stays(
    own_keys: list[PublicKey], session: Session, which: str, field: str
) -> None:
    with pytest.raises(RuleBrokenError) as refused:
        signing_keys.import_key(*broken_import(which))
    assert refused.value.field == field
    session.rollback()
    assert signing_keys.current(DOCUMENT).number == 1


def test_the_same_certificate_is_imported_once(own_keys: list[PublicKey]) -> None:
    private = new_private()
    own = pem(certificate(private))
    signing_keys.import_key(key_pem(private), own)
    with pytest.raises(RuleBrokenError, match="has already been added"):
        signing_keys.import_key(key_pem(private), own)


# Files of others, damaged files -------------------------------------------------------------------


def test_a_damaged_file_is_distinguished_from_a_missing_one(
    own_keys: list[PublicKey], folder: Path
) -> None:
    path = folder / "checkpoint-1.key"
    for content in (b"", b"no base64!", path.read_bytes()[:-5] + b"AAAA\n"):
        path.write_bytes(content)
        with pytest.raises(KeysError, match="damaged, or sealed with the keys of another instance"):
            signing_keys.current(CHECKPOINT)


def test_a_file_put_in_the_place_of_another_does_not_open(
    own_keys: list[PublicKey], folder: Path
) -> None:
    signing_keys.rotate(CHECKPOINT)
    (folder / "checkpoint-2.key").write_bytes((folder / "checkpoint-1.key").read_bytes())
    with pytest.raises(KeysError, match="damaged"):
        signing_keys.current(CHECKPOINT)


def test_the_keys_of_another_instance_open_nothing(own_keys: list[PublicKey]) -> None:
    own = keys.current()
    others = Keys(own.secret, b"f" * 32, own.trail, own.totp)
    with (
        replaced(current_app, keys.KEYS.holding(others)),
        pytest.raises(KeysError, match="another instance"),
    ):
        signing_keys.current(CHECKPOINT)


def test_a_folder_that_can_not_be_written_is_named_and_leaves_no_key(
    folder: Path, session: Session
) -> None:
    folder.write_text("a file in its place")
    with pytest.raises(KeysError, match=r"can't be written to .*checkpoint-1.key"):
        signing_keys.make_missing()
    session.rollback()
    assert signing_keys.public_keys() == []


def test_without_keys_nothing_can_be_signed_and_it_says_so(folder: Path, session: Session) -> None:
    with pytest.raises(KeysError, match="There is no checkpoint key yet"):
        signing_keys.current(CHECKPOINT)


# The table ----------------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "change",
    [
        "number = 7",
        "fingerprint = 'f'",
        "certificates = 'other'",
        "public_key = ''",
        "retired_at = NULL",
        "revoked_at = NULL",
        "revoked_at = CURRENT_TIMESTAMP",
        "reason = 'other'",
    ],
)
def test_the_database_lets_nobody_change_a_key_or_take_its_end_back(
    own_keys: list[PublicKey], session: Session, change: str
) -> None:
    signing_keys.rotate(CHECKPOINT)
    signing_keys.revoke(CHECKPOINT, 1, "Lost.")
    session.commit()
    with pytest.raises(sa.exc.DBAPIError, match="never changed or deleted"):
        session.execute(
            sa.text(f"UPDATE evidence_key SET {change} WHERE use = 'checkpoint' AND number = 1")
        )
    session.rollback()


@pytest.mark.both_databases
def test_the_database_lets_nobody_delete_a_key(own_keys: list[PublicKey], session: Session) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="never changed or deleted"):
        session.execute(sa.text("DELETE FROM evidence_key"))
    session.rollback()
