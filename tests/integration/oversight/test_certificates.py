"""Certificates changed in the database: the audit names the first broken row."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.effort import tries
from tests.factories.demonstration import Demonstration
from tests.factories.evidence.certificates import YEAR
from tests.factories.evidence.tampering import (
    CERTIFICATES,
    Tampering,
    certificate_evidence,
    fresh,
    hands,
)
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.activity.verify import ChainFault
from tracker.core import clock
from tracker.oversight import integrity
from tracker.oversight.facts import Fault, Finding, Table

Act = Callable[[Tampering, Any], object]
OTHER = "f" * 64


def finding(demonstration: Demonstration, act: Act, *, sealed: bool = False) -> Finding:
    """Tamper with the last certificate of a cooperation, an encrypted one or a plain one."""
    with hands() as connection:
        own = Tampering(connection, demonstration.cooperations["complete"])
        act(own, [row for row in own.rows(CERTIFICATES) if bool(row.is_sealed) is sealed][-1])
    finding = integrity.check_all().finding
    assert finding is not None
    return finding


def edit(**values: object) -> Act:
    return lambda own, row: own.update(CERTIFICATES, row.id, **values)


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


CASES: dict[str, tuple[Act, Fault]] = {
    "language edited": (edit(language="fr"), Fault.NOT_BOUND),
    "digest edited": (edit(sha256=OTHER), Fault.NOT_BOUND),
    "encrypted edited": (edit(is_sealed=True), Fault.NOT_BOUND),
    "timestamp edited": (edit(has_timestamp=True), Fault.NOT_BOUND),
    "time edited": (edit(made_at=clock.now() - YEAR), Fault.NOT_BOUND),
    "id edited": (edit(id=fresh()), Fault.NOT_BOUND),
    "file edited": (
        lambda own, row: own.update(CERTIFICATES, row.id, document=flip(row.document)),
        Fault.FILE_CHANGED,
    ),
    "file emptied": (edit(document=b""), Fault.FILE_CHANGED),
    "inserted": (
        lambda own, row: own.copy(CERTIFICATES, row.id, id=fresh(), language="fr"),
        Fault.NOT_BOUND,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_certificate_tampered_with_is_named(
    session: Session, demonstration: Demonstration, case: str
) -> None:
    act, fault = CASES[case]
    result = finding(demonstration, act)
    assert (result.fault, result.place.table) == (fault, Table.CERTIFICATE)


def test_an_encrypted_file_tampered_with_can_not_be_read(
    session: Session, demonstration: Demonstration
) -> None:
    result = finding(
        demonstration,
        lambda own, row: own.update(CERTIFICATES, row.id, document=flip(row.document)),
        sealed=True,
    )
    assert (result.fault, result.place.table) == (Fault.FILE_UNREADABLE, Table.CERTIFICATE)


def test_deleting_a_certificate_leaves_its_event(
    session: Session, demonstration: Demonstration
) -> None:
    result = finding(demonstration, lambda own, row: own.delete(CERTIFICATES, row.id))
    assert (result.fault, result.place.table) == (Fault.ROW_GONE, Table.EVENT)
    query = sa.select(Event.number).where(Event.verb == verbs.CERTIFICATE_MADE.name)
    assert result.place.event in set(session.scalars(query))


def test_a_certificate_moved_to_no_text_leaves_its_event(
    session: Session, demonstration: Demonstration
) -> None:
    result = finding(demonstration, edit(revision_id=fresh()))
    assert (result.fault, result.place.table) == (Fault.ROW_GONE, Table.EVENT)


def test_a_certificate_put_in_for_no_text_is_named(
    session: Session, demonstration: Demonstration
) -> None:
    result = finding(
        demonstration,
        lambda own, row: own.copy(CERTIFICATES, row.id, id=fresh(), revision_id=fresh()),
    )
    assert (result.fault, result.place.table) == (Fault.BELONGS_NOWHERE, Table.CERTIFICATE)


def test_a_certificate_rewritten_with_the_chain_lacks_the_seal(
    session: Session, demonstration: Demonstration
) -> None:
    def act(own: Tampering, row: Any) -> None:
        old, new = certificate_evidence(row), certificate_evidence(row, language="fr")
        own.update(CERTIFICATES, row.id, language="fr")
        own.rewrite(lambda link: replace(link, evidence=new) if link.evidence == old else link)

    assert finding(demonstration, act).fault is ChainFault.UNSEALED


@given(place=st.integers(min_value=0), byte=st.integers(1, 255), sealed=st.booleans())
@settings(
    max_examples=tries(10, 100),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_byte_of_a_file_changed_is_noticed(
    session: Session, demonstration: Demonstration, place: int, byte: int, sealed: bool
) -> None:
    with hands(keep=False) as connection:
        own = Tampering(connection, demonstration.cooperations["complete"])
        row = next(row for row in own.rows(CERTIFICATES) if bool(row.is_sealed) is sealed)
        data, at = row.document, place % len(row.document)
        changed = data[:at] + bytes([data[at] ^ byte]) + data[at + 1 :]
        own.update(CERTIFICATES, row.id, document=changed)
        finding = integrity.check_view(connection).finding
    assert finding is not None
    assert finding.place.table is Table.CERTIFICATE
