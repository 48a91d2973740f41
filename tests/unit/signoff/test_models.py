"""What the digest of a signature binds: every column of it but the digest itself."""

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from tracker.core import canonical
from tracker.signoff import service
from tracker.signoff.models import Method, Revision, Signature, SignatureKind

ONE, TWO = UUID(int=1), UUID(int=2)
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
SIGNATURE: dict[str, Any] = {
    "id": ONE,
    "revision_id": ONE,
    "kind": SignatureKind.SIGNATURE,
    "user_id": ONE,
    "organisation_id": ONE,
    "signer_name": "Henrik Asante",
    "organisation_name": "Open Door",
    "office": "President",
    "power": "Statutes",
    "sentence": "I sign.",
    "language": "en",
    "document_digest": "a" * 64,
    "method": Method.PASSWORD_TOTP,
    "signed_at": NOON,
    "paper": {"record": "0a"},
}
OTHER: dict[str, Any] = {
    key: "other" if isinstance(value, str) else TWO for key, value in SIGNATURE.items()
} | {
    "kind": SignatureKind.COUNTERSIGNATURE,
    "method": Method.DEMONSTRATION,
    "signed_at": NOON + dt.timedelta(microseconds=1),
    "paper": {"record": "0b"},
}
REVISION: dict[str, Any] = {
    "id": ONE,
    "cooperation_id": ONE,
    "subject_type": "checklist",
    "subject_id": ONE,
    "kind": "terms",
    "number": 1,
    "digest": "a" * 64,
    "is_sealed": False,
    "frozen_at": NOON,
    "frozen_by_id": ONE,
    "reason": "",
}
CHANGED: dict[str, Any] = {
    key: TWO if isinstance(value, UUID) else "other" for key, value in REVISION.items()
} | {"number": 2, "is_sealed": True, "frozen_at": NOON + dt.timedelta(microseconds=1)}


def digest(**values: Any) -> str:
    return canonical.digest_of(Signature(**(SIGNATURE | values)).content())


def test_every_column_of_a_signature_is_bound() -> None:
    assert set(SIGNATURE) == {column.name for column in Signature.__table__.columns} - {"digest"}
    assert len(Signature(**SIGNATURE).content()) == len(SIGNATURE)


@pytest.mark.parametrize("column", SIGNATURE)
def test_another_value_in_any_column_gives_another_digest(column: str) -> None:
    assert digest(**{column: OTHER[column]}) != digest()


def test_a_signature_without_a_scan_has_the_digest_it_had_before_there_were_any() -> None:
    content = Signature(**(SIGNATURE | {"paper": None})).content()
    assert "paper" not in content
    assert len(content) == len(SIGNATURE) - 1
    assert digest(paper=None) != digest() != digest(paper={})


def test_a_person_in_their_own_name_is_not_a_person_for_a_body() -> None:
    assert digest(organisation_id=None) != digest()


def test_the_same_moment_in_another_zone_is_the_same() -> None:
    later = NOON.astimezone(dt.timezone(dt.timedelta(hours=2)))
    assert digest(signed_at=later) == digest()


@pytest.mark.parametrize("column", REVISION)
def test_the_trail_binds_every_plain_column_of_a_revision(column: str) -> None:
    before = service.evidence_of_revision(Revision(**REVISION))
    after = service.evidence_of_revision(Revision(**(REVISION | {column: CHANGED[column]})))
    assert after != before


def test_there_is_no_plain_column_that_is_not_bound() -> None:
    columns = {column.name for column in Revision.__table__.columns}
    # The document is bound by its own digest.
    assert columns - set(REVISION) == {"document"}
