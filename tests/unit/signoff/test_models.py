"""The digest of a signature binds every column but itself."""

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
    "power_from": dt.date(2026, 1, 1),
    "power_until": dt.date(2026, 12, 31),
    "power_confirmed": {"how": "colleague", "by": "Greta Vale", "on": "2026-01-01"},
    "on_behalf_of": "Nadia Reyes",
    "in_place_of": "Otto Brandis",
    "in_place_of_id": ONE,
    "sentence": "I sign.",
    "language": "en",
    "document_digest": "a" * 64,
    "method": Method.PASSWORD_TOTP,
    "signed_at": NOON,
    "proof": {"nonce": "0a"},
    "paper": {"record": "0a"},
    "presence": {"host": "0a"},
}
OTHER: dict[str, Any] = {
    key: "other" if isinstance(value, str) else TWO for key, value in SIGNATURE.items()
} | {
    "kind": SignatureKind.COUNTERSIGNATURE,
    "method": Method.DEMONSTRATION,
    "power_from": dt.date(2026, 1, 2),
    "power_until": dt.date(2026, 12, 30),
    "signed_at": NOON + dt.timedelta(microseconds=1),
    "power_confirmed": {"how": "administrator", "by": "Greta Vale", "on": "2026-01-01"},
    "proof": {"nonce": "0b"},
    "paper": {"record": "0b"},
    "presence": {"host": "0b"},
}
# Later columns are bound only where they are set, so that earlier digests stay as they are.
LATER = (
    "power_from",
    "power_until",
    "power_confirmed",
    "on_behalf_of",
    "in_place_of",
    "in_place_of_id",
    "proof",
    "paper",
    "presence",
)
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


def test_missing_values_of_a_signature_do_not_change_its_digest() -> None:
    without = Signature(**(SIGNATURE | dict.fromkeys(LATER)))
    assert set(without.content()) == set(Signature(**SIGNATURE).content()) - set(LATER)


@pytest.mark.parametrize("column", LATER)
def test_taking_away_what_came_later_gives_another_digest(column: str) -> None:
    assert digest(**{column: None}) != digest()


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
