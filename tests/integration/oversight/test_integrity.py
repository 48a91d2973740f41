"""Evidence changed in the database: the audit names the first broken row.

In one file: a table of alterations, each tested on the same evidence.
"""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from tests.factories import agreements, passkeys
from tests.factories.cooperations import Country, copied_country, open_one
from tests.factories.evidence.tampering import (
    CHAINS,
    DETAILS,
    EVENTS,
    REVISIONS,
    SIGNATURES,
    Tampering,
    fresh,
    hands,
    revision_evidence,
    signature_digest,
    table_of,
)
from tests.factories.passkeys import Device
from tests.integration.oversight.conftest import Signed
from tests.services import replaced
from tracker.accounts.factors import credentials
from tracker.activity import chain as arithmetic
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.verify import ChainFault
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation, CooperationKey, Mode
from tracker.core import canonical, clock, keys
from tracker.core.db import db
from tracker.oversight import integrity
from tracker.oversight.facts import (
    Fault,
    Finding,
    RowLocation,
    Table,
)
from tracker.signoff import assertion
from tracker.signoff.models import SignatureRequest

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(6)]

Act = Callable[[Tampering, Tampering], object]
OTHER = "f" * 64


def finding(signed: Signed, act: Act) -> Finding | None:
    """Tamper with the first cooperation, with the second available, and audit everything."""
    with hands() as connection:
        act(Tampering(connection, signed.first.id), Tampering(connection, signed.second.id))
    return integrity.check_all().finding


def place_of(signed: Signed, table: Table, event: int | None = None, row: str = "") -> RowLocation:
    return RowLocation(table, signed.first.reference, event, row)


def test_nothing_is_found_where_nothing_was_altered(signed: Signed, session: Session) -> None:
    verdict = integrity.check_all()
    assert verdict.finding is None
    assert verdict.counts.chains == 3
    assert verdict.counts.revisions == 3
    assert verdict.counts.signatures == 5
    assert verdict.counts.events == session.scalar(sa.select(sa.func.count()).select_from(EVENTS))
    assert verdict.counts.details == verdict.counts.events


def test_the_same_is_found_again(signed: Signed) -> None:
    assert integrity.check_all() == integrity.check_all()


# Events ---------------------------------------------------------------------------------------


def edit_event(number: int, /, **values: object) -> Act:
    return lambda own, _: own.update(EVENTS, own.event_id(number), **values)


def drop_event(own: Tampering, number: int) -> None:
    event_id = own.event_id(number)
    own.delete(DETAILS, event_id)
    own.delete(EVENTS, event_id)


def insert_at_end(own: Tampering, _: Tampering) -> None:
    last = own.event_id(own.last())
    row = own.connection.execute(sa.select(EVENTS).where(EVENTS.c.id == last)).one()
    details = own.connection.execute(sa.select(DETAILS).where(DETAILS.c.event_id == last)).one()
    link = arithmetic.Link(
        event_id=fresh(),
        chain_id=row.chain_id,
        number=row.number + 1,
        verb=row.verb,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        at=row.at,
        details_digest=row.details_digest,
        evidence=None,
        previous=row.digest,
        state=arithmetic.state_digest(row.state),
    )
    own.copy(
        EVENTS,
        last,
        id=link.event_id,
        number=link.number,
        previous=link.previous,
        evidence=None,
        digest=link.digest(),
    )
    own.copy(DETAILS, last, event_id=link.event_id, salt=details.salt)


def insert_between(own: Tampering, _: Tampering) -> None:
    """Insert a copy of event 3 after it and renumber the rest."""
    for number in range(own.last(), 3, -1):
        own.update(EVENTS, own.event_id(number), number=number + 1)
    source, new = own.event_id(3), fresh()
    own.copy(EVENTS, source, id=new, number=4)
    own.copy(DETAILS, source, event_id=new)


def insert_and_rewrite(own: Tampering, other: Tampering) -> None:
    insert_between(own, other)
    own.rewrite()


def cut_off_with_the_head_put_back(own: Tampering, _: Tampering) -> None:
    number = own.last()
    drop_event(own, number)
    own.rewrite()


def move_to_the_other_chain(own: Tampering, other: Tampering) -> None:
    last = own.event_id(own.last())
    own.update(EVENTS, last, chain_id=other.chain_id, number=other.last() + 1)


EVENT_CASES: dict[str, tuple[Act, Table, Fault | ChainFault, int | None]] = {
    "verb edited": (
        edit_event(3, verb="signed"),
        Table.EVENT,
        ChainFault.CHANGED,
        3,
    ),
    "kind of subject edited": (
        edit_event(3, subject_type="visit"),
        Table.EVENT,
        ChainFault.CHANGED,
        3,
    ),
    "subject edited": (
        lambda own, _: own.update(EVENTS, own.event_id(3), subject_id=fresh()),
        Table.EVENT,
        ChainFault.CHANGED,
        3,
    ),
    "time edited": (
        lambda own, _: own.update(EVENTS, own.event_id(3), at=clock.now()),
        Table.EVENT,
        ChainFault.CHANGED,
        3,
    ),
    "digest of details edited": (
        edit_event(3, details_digest=OTHER),
        Table.EVENT,
        ChainFault.CHANGED,
        3,
    ),
    "evidence edited": (edit_event(3, evidence=OTHER), Table.EVENT, ChainFault.CHANGED, 3),
    "link edited": (edit_event(3, previous=OTHER), Table.EVENT, ChainFault.DOES_NOT_FOLLOW, 3),
    "digest edited": (edit_event(3, digest=OTHER), Table.EVENT, ChainFault.CHANGED, 3),
    "number edited": (edit_event(3, number=900), Table.EVENT, ChainFault.MISSING, 3),
    "id edited": (
        lambda own, _: own.update(EVENTS, own.event_id(3), id=fresh()),
        Table.EVENT,
        ChainFault.CHANGED,
        3,
    ),
    "chain edited": (move_to_the_other_chain, Table.CHAIN, ChainFault.CUT_OFF, -1),
    "deleted": (lambda own, _: drop_event(own, 3), Table.EVENT, ChainFault.MISSING, 3),
    "first deleted": (lambda own, _: drop_event(own, 1), Table.EVENT, ChainFault.MISSING, 1),
    "inserted at the end": (insert_at_end, Table.CHAIN, ChainFault.TOO_MANY, 1),
    "inserted between": (insert_between, Table.EVENT, ChainFault.DOES_NOT_FOLLOW, 4),
    "inserted between, all rewritten": (insert_and_rewrite, Table.CHAIN, ChainFault.UNSEALED, 1),
    "reordered": (
        lambda own, _: own.swap(EVENTS, own.event_id(3), own.event_id(5), "number", 900),
        Table.EVENT,
        ChainFault.DOES_NOT_FOLLOW,
        3,
    ),
    "cut off at the end": (
        lambda own, _: drop_event(own, own.last()),
        Table.CHAIN,
        ChainFault.CUT_OFF,
        -1,
    ),
    "cut off with the head put back": (
        cut_off_with_the_head_put_back,
        Table.CHAIN,
        ChainFault.UNSEALED,
        -1,
    ),
    "rewritten as a whole": (
        lambda own, _: own.rewrite(
            lambda link: replace(link, verb="signed") if link.number == 3 else link
        ),
        Table.CHAIN,
        ChainFault.UNSEALED,
        0,
    ),
}


@pytest.mark.few_on_postgresql(3)
@pytest.mark.parametrize("case", EVENT_CASES)
def test_an_event_tampered_with_is_named(signed: Signed, case: str) -> None:
    act, table, fault, event = EVENT_CASES[case]
    if table is Table.CHAIN:  # identified by the number of the last event, before the tampering
        event = (event or 0) + _last(signed)
    assert finding(signed, act) == Finding(fault, place_of(signed, table, event))


def _last(signed: Signed) -> int:
    with hands() as connection:
        return Tampering(connection, signed.first.id).last()


# Details --------------------------------------------------------------------------------------


def edit_content(own: Tampering, number: int) -> UUID:
    event_id = own.event_id(number)
    own.update(DETAILS, event_id, content={"who": None, "kind": "terms"})
    return event_id


def edit_and_rewrite(own: Tampering, _: Tampering) -> None:
    edit_content(own, 3)
    own.rewrite()


def swap_details(own: Tampering, _: Tampering) -> None:
    first, other = own.event_id(3), own.event_id(5)
    own.update(DETAILS, first, event_id=fresh_id)
    own.update(DETAILS, other, event_id=first)
    own.update(DETAILS, fresh_id, event_id=other)


fresh_id = fresh()

DETAIL_CASES: dict[str, tuple[Act, Table, Fault | ChainFault, int]] = {
    "content edited": (
        lambda own, _: edit_content(own, 3),
        Table.DETAILS,
        ChainFault.DETAILS_CHANGED,
        3,
    ),
    "salt edited": (
        lambda own, _: own.update(DETAILS, own.event_id(3), salt="0" * 32),
        Table.DETAILS,
        ChainFault.DETAILS_CHANGED,
        3,
    ),
    "event edited": (
        lambda own, _: own.update(DETAILS, own.event_id(3), event_id=fresh()),
        Table.DETAILS,
        ChainFault.DETAILS_GONE,
        3,
    ),
    "deleted": (
        lambda own, _: own.delete(DETAILS, own.event_id(3)),
        Table.DETAILS,
        ChainFault.DETAILS_GONE,
        3,
    ),
    "reordered": (swap_details, Table.DETAILS, ChainFault.DETAILS_CHANGED, 3),
    "cut off at the end": (
        lambda own, _: own.delete(DETAILS, own.event_id(own.last())),
        Table.DETAILS,
        ChainFault.DETAILS_GONE,
        0,
    ),
}


@pytest.mark.parametrize("case", DETAIL_CASES)
def test_details_tampered_with_are_named(signed: Signed, case: str) -> None:
    act, table, fault, event = DETAIL_CASES[case]
    event = event or _last(signed)
    assert finding(signed, act) == Finding(fault, place_of(signed, table, event))


def test_details_of_no_event_are_named(signed: Signed) -> None:
    other = fresh()
    result = finding(signed, lambda own, _: own.copy(DETAILS, own.event_id(3), event_id=other))
    assert result is not None
    assert result.fault is Fault.BELONGS_NOWHERE
    assert result.place.table is Table.DETAILS
    assert UUID(result.place.row) == other


def test_details_rewritten_with_the_whole_chain_lack_the_seal(signed: Signed) -> None:
    last = _last(signed)
    assert finding(signed, edit_and_rewrite) == Finding(
        ChainFault.UNSEALED, place_of(signed, Table.CHAIN, last)
    )


def _erase_the_first(signed: Signed, count: int) -> None:
    """Record it and erase, as for a closed cooperation's details."""
    trail.record(
        verbs.DETAILS_ERASED,
        actor=None,
        subject_type="cooperation",
        subject_id=signed.first.id,
        cooperation_id=signed.first.id,
        reason="retention",
    )
    db.session.commit()
    with hands() as connection:
        own = Tampering(connection, signed.first.id)
        for number in range(1, count + 1):
            own.delete(DETAILS, own.event_id(number))


def test_details_may_lack_once_an_event_says_that_they_were_erased(signed: Signed) -> None:
    before = integrity.check_all().counts
    _erase_the_first(signed, 4)
    verdict = integrity.check_all()
    assert verdict.finding is None
    assert verdict.counts.details == before.details + 1 - 4


def test_the_event_that_says_so_keeps_its_own_details(signed: Signed) -> None:
    last = _last(signed) + 1
    _erase_the_first(signed, last)
    assert integrity.check_all().finding == Finding(
        ChainFault.DETAILS_GONE, place_of(signed, Table.DETAILS, last)
    )


def test_an_event_made_to_say_so_is_named(signed: Signed) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        own.delete(DETAILS, own.event_id(3))
        own.update(EVENTS, own.event_id(5), verb=verbs.DETAILS_ERASED.name)

    assert finding(signed, act) == Finding(ChainFault.CHANGED, place_of(signed, Table.EVENT, 5))


def test_erasing_in_one_chain_excuses_nothing_in_another(signed: Signed) -> None:
    _erase_the_first(signed, 0)

    def act(_: Tampering, other: Tampering) -> None:
        other.delete(DETAILS, other.event_id(3))

    assert finding(signed, act) == Finding(
        ChainFault.DETAILS_GONE, RowLocation(Table.DETAILS, signed.second.reference, 3)
    )


# Chains ---------------------------------------------------------------------------------------


def seal_with_another_key(own: Tampering) -> None:
    own.rewrite()
    row: Any = own.connection.execute(sa.select(CHAINS).where(CHAINS.c.id == own.chain_id)).one()
    other = replace(keys.current(), trail=b"x" * 32)
    with replaced(current_app, keys.KEYS.holding(other)):
        seal = arithmetic.seal_head(row.kind.value, row.id, row.cooperation_id, row.head, row.count)
    own.update(CHAINS, row.id, seal=seal)


CHAIN_CASES: dict[str, Act] = {
    "head edited": lambda own, _: own.update(CHAINS, own.chain_id, head=OTHER),
    "count raised": lambda own, _: own.update(CHAINS, own.chain_id, count=own.last() + 1),
    "count lowered": lambda own, _: own.update(CHAINS, own.chain_id, count=own.last() - 1),
    "seal edited": lambda own, _: own.update(CHAINS, own.chain_id, seal=OTHER),
    "sealed with another key": lambda own, _: seal_with_another_key(own),
}


@pytest.mark.parametrize("case", CHAIN_CASES)
def test_a_head_tampered_with_lacks_the_seal(signed: Signed, case: str) -> None:
    last = _last(signed)
    assert finding(signed, CHAIN_CASES[case]) == Finding(
        ChainFault.UNSEALED, place_of(signed, Table.CHAIN, last)
    )


def test_an_older_head_with_its_genuine_seal_leaves_events_over(signed: Signed) -> None:
    """Restore the chain's row from before the last event: the seal is real, the count isn't."""
    with hands() as connection:
        own = Tampering(connection, signed.first.id)
        before: Any = connection.execute(sa.select(CHAINS).where(CHAINS.c.id == own.chain_id)).one()
    _erase_the_first(signed, 0)

    def act(own: Tampering, _: Tampering) -> None:
        own.update(CHAINS, before.id, head=before.head, count=before.count, seal=before.seal)

    assert finding(signed, act) == Finding(
        ChainFault.TOO_MANY, place_of(signed, Table.CHAIN, before.count + 1)
    )


def test_a_deleted_chain_is_noticed(signed: Signed) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        own.delete(CHAINS, own.chain_id)

    assert finding(signed, act) == Finding(Fault.NO_CHAIN, place_of(signed, Table.COOPERATION))


def test_chains_that_changed_cooperations_lack_the_seal(signed: Signed) -> None:
    def act(own: Tampering, other: Tampering) -> None:
        own.swap(CHAINS, own.chain_id, other.chain_id, "cooperation_id", fresh())

    result = finding(signed, act)
    assert result is not None
    assert result.fault is ChainFault.UNSEALED
    assert result.place.reference == signed.first.reference


def test_a_chain_put_in_for_nothing_is_named(signed: Signed) -> None:
    new = fresh()

    def act(own: Tampering, _: Tampering) -> None:
        own.copy(CHAINS, own.chain_id, id=fresh(), cooperation_id=new)

    assert finding(signed, act) == Finding(
        Fault.NO_COOPERATION, RowLocation(Table.CHAIN, row=str(new))
    )


def test_a_chain_made_the_instances_is_named(signed: Signed) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        own.update(CHAINS, own.chain_id, kind="instance")

    result = finding(signed, act)
    assert result is not None
    assert result.fault in {Fault.BELONGS_NOWHERE, ChainFault.UNSEALED}


def instance_chain(own: Tampering) -> Any:
    return own.connection.execute(sa.select(CHAINS).where(CHAINS.c.kind == "instance")).one()


def test_deleting_the_instances_whole_chain_is_noticed(signed: Signed) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        chain = instance_chain(own)
        events = sa.select(EVENTS.c.id).where(EVENTS.c.chain_id == chain.id)
        own.connection.execute(sa.delete(DETAILS).where(DETAILS.c.event_id.in_(events)))
        own.connection.execute(sa.delete(EVENTS).where(EVENTS.c.chain_id == chain.id))
        own.delete(CHAINS, chain.id)

    assert finding(signed, act) == Finding(Fault.NO_INSTANCE_CHAIN, RowLocation(Table.CHAIN))


def test_an_event_of_the_instance_tampered_with_is_named(signed: Signed) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        own.connection.execute(
            sa.update(EVENTS)
            .where(EVENTS.c.chain_id == instance_chain(own).id, EVENTS.c.number == 2)
            .values(verb="signed")
        )

    assert finding(signed, act) == Finding(ChainFault.CHANGED, RowLocation(Table.EVENT, "", 2))


def everything_of(own: Tampering, table: str) -> sa.Delete:
    rows = sa.table(table, sa.column("cooperation_id", sa.Uuid()))
    return sa.delete(rows).where(rows.c.cooperation_id == own.cooperation_id)


def test_deleting_a_cooperation_with_everything_in_it_is_noticed(signed: Signed) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        events = sa.select(EVENTS.c.id).where(EVENTS.c.chain_id == own.chain_id)
        own.connection.execute(sa.delete(DETAILS).where(DETAILS.c.event_id.in_(events)))
        own.connection.execute(sa.delete(EVENTS).where(EVENTS.c.chain_id == own.chain_id))
        for signature in own.rows(SIGNATURES):
            own.delete(SIGNATURES, signature.id)
        for table in ("revision", "chain", "cooperation_key"):
            own.connection.execute(everything_of(own, table))
        cooperation = sa.table("cooperation", sa.column("id", sa.Uuid()))
        own.connection.execute(sa.delete(cooperation).where(cooperation.c.id == own.cooperation_id))

    result = finding(signed, act)
    assert result is not None
    assert result.fault is Fault.NO_COOPERATION
    assert result.place.table is Table.EVENT
    assert result.place.reference == ""


def test_a_cooperation_put_in_is_not_registered(signed: Signed) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        cooperation = sa.Table("cooperation", sa.MetaData(), autoload_with=own.connection)
        row = own.connection.execute(
            sa.select(cooperation).where(cooperation.c.reference == signed.first.reference)
        ).one()
        new = fresh()
        own.connection.execute(
            sa.insert(cooperation).values(
                {
                    **row._mapping,
                    "id": new.hex if isinstance(row.id, str) else new,
                    "reference": "C-2020-0001",
                }
            )
        )

    assert finding(signed, act) == Finding(
        Fault.NOT_REGISTERED, RowLocation(Table.COOPERATION, "C-2020-0001")
    )


# Revisions ------------------------------------------------------------------------------------


def edit_revision(**values: object) -> Act:
    return lambda own, _: own.update(REVISIONS, own.rows(REVISIONS)[0].id, **values)


def rewrite_document(own: Tampering) -> None:
    """Write another text, and adjust its digest and that of its signatures."""
    row = own.rows(REVISIONS)[0]
    plain = canonical.to_bytes({"text": "Another text."})
    digest = canonical.digest(plain)
    own.update(REVISIONS, row.id, document=plain, digest=digest)
    for signature in own.rows(SIGNATURES):
        if signature.revision_id == row.id:
            own.update(
                SIGNATURES,
                signature.id,
                document_digest=digest,
                digest=signature_digest(signature, document_digest=digest),
            )


def rewrite_document_and_chain(own: Tampering, _: Tampering) -> None:
    old_revision, old_signatures = own.rows(REVISIONS)[0], own.rows(SIGNATURES)
    evidence = {revision_evidence(old_revision): ""}
    rewrite_document(own)
    evidence[revision_evidence(old_revision)] = revision_evidence(own.rows(REVISIONS)[0])
    for old, new in zip(old_signatures, own.rows(SIGNATURES), strict=True):
        evidence[old.digest] = new.digest
    own.rewrite(
        lambda link: replace(link, evidence=evidence.get(link.evidence or "", link.evidence))
    )


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


REVISION_CASES: dict[str, tuple[Act, Fault, str]] = {
    "kind edited": (edit_revision(kind="urgent_plan"), Fault.NOT_BOUND, "1 (urgent_plan)"),
    "kind of subject edited": (
        edit_revision(subject_type="visit"),
        Fault.NOT_BOUND,
        "1 (terms)",
    ),
    "subject edited": (edit_revision(subject_id=fresh()), Fault.NOT_BOUND, "1 (terms)"),
    "number edited": (edit_revision(number=2), Fault.NOT_BOUND, "2 (terms)"),
    "digest edited": (edit_revision(digest=OTHER), Fault.NOT_BOUND, "1 (terms)"),
    "encrypted edited": (edit_revision(is_sealed=True), Fault.NOT_BOUND, "1 (terms)"),
    "author edited": (edit_revision(frozen_by_id=fresh()), Fault.NOT_BOUND, "1 (terms)"),
    "reason edited": (edit_revision(reason="None"), Fault.NOT_BOUND, "1 (terms)"),
    "id edited": (edit_revision(id=fresh()), Fault.NOT_BOUND, "1 (terms)"),
    "text edited": (
        lambda own, _: own.update(
            REVISIONS,
            own.rows(REVISIONS)[0].id,
            document=re.sub(rb"\b20(\d\d-\d\d-\d\d)\b", rb"30\1", own.rows(REVISIONS)[0].document),
        ),
        Fault.DOCUMENT_CHANGED,
        "1 (terms)",
    ),
    "encrypted text edited": (
        lambda own, _: own.update(
            REVISIONS,
            own.rows(REVISIONS)[1].id,
            document=flip(own.rows(REVISIONS)[1].document),
        ),
        Fault.DOCUMENT_UNREADABLE,
        "1 (confidentiality)",
    ),
    "encrypted text cut": (
        lambda own, _: own.update(REVISIONS, own.rows(REVISIONS)[1].id, document=b"1234"),
        Fault.DOCUMENT_UNREADABLE,
        "1 (confidentiality)",
    ),
    "encrypted text taken from elsewhere": (
        lambda own, _: own.swap(
            REVISIONS, own.rows(REVISIONS)[0].id, own.rows(REVISIONS)[1].id, "document", b""
        ),
        Fault.DOCUMENT_CHANGED,
        "1 (terms)",
    ),
    "inserted": (
        lambda own, _: own.copy(
            REVISIONS, own.rows(REVISIONS)[1].id, id=fresh(), number=2, frozen_at=clock.now()
        ),
        Fault.NOT_BOUND,
        "2 (confidentiality)",
    ),
    "reordered": (
        lambda own, _: own.swap(
            REVISIONS, own.rows(REVISIONS)[0].id, own.rows(REVISIONS)[1].id, "subject_id", fresh()
        ),
        Fault.NOT_BOUND,
        "1 (terms)",
    ),
    "rewritten with its signatures": (
        lambda own, _: rewrite_document(own),
        Fault.NOT_BOUND,
        "1 (terms)",
    ),
}


@pytest.mark.few_on_postgresql(3)
@pytest.mark.parametrize("case", REVISION_CASES)
def test_a_frozen_revision_tampered_with_is_named(signed: Signed, case: str) -> None:
    act, fault, row = REVISION_CASES[case]
    assert finding(signed, act) == Finding(fault, place_of(signed, Table.REVISION, row=row))


def test_the_time_of_freezing_tampered_with_is_named(signed: Signed) -> None:
    result = finding(
        signed,
        lambda own, _: own.update(REVISIONS, own.rows(REVISIONS)[0].id, frozen_at=clock.now()),
    )
    assert result == Finding(Fault.NOT_BOUND, place_of(signed, Table.REVISION, row="1 (terms)"))


def test_a_revision_rewritten_with_signatures_and_chain_lacks_the_seal(signed: Signed) -> None:
    last = _last(signed)
    assert finding(signed, rewrite_document_and_chain) == Finding(
        ChainFault.UNSEALED, place_of(signed, Table.CHAIN, last)
    )


def test_a_revision_moved_to_another_cooperation_is_named(signed: Signed) -> None:
    def act(own: Tampering, other: Tampering) -> None:
        row = own.rows(REVISIONS)[1]
        own.update(REVISIONS, row.id, cooperation_id=other.cooperation_id)

    result = finding(signed, act)
    assert result is not None
    assert (result.fault, result.place.table) == (Fault.ROW_GONE, Table.EVENT)


@pytest.mark.parametrize("place", [0, 1], ids=["deleted", "cut off at the end"])
def test_deleting_a_revision_leaves_its_event(signed: Signed, place: int) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        row = own.rows(REVISIONS)[place]
        for signature in own.rows(SIGNATURES):
            if signature.revision_id == row.id:
                own.delete(SIGNATURES, signature.id)
        own.delete(REVISIONS, row.id)

    result = finding(signed, act)
    assert result is not None
    assert (result.fault, result.place.table) == (Fault.ROW_GONE, Table.EVENT)
    assert _verb(signed, result.place.event) == "sent_for_signature"


def _verb(signed: Signed, number: int | None) -> str:
    with hands() as connection:
        event_id = Tampering(connection, signed.first.id).event_id(number or 0)
        return str(connection.scalar(sa.select(EVENTS.c.verb).where(EVENTS.c.id == event_id)))


def test_a_deleted_key_leaves_the_text_unchecked_and_is_named(signed: Signed) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        own.connection.execute(
            sa.text("UPDATE cooperation_key SET wrapped = NULL"),
        )

    assert finding(signed, act) == Finding(Fault.KEY_GONE, place_of(signed, Table.KEY))


def test_a_key_destroyed_as_the_chain_says_is_no_finding(signed: Signed) -> None:
    _erase_the_first(signed, 0)

    def act(own: Tampering, _: Tampering) -> None:
        own.update(table_of(CooperationKey), own.cooperation_id, wrapped=None)

    assert finding(signed, act) is None


def test_a_key_changed_is_named(signed: Signed) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        own.connection.execute(
            sa.text("UPDATE cooperation_key SET wrapped = :other"), {"other": b"0" * 60}
        )

    assert finding(signed, act) == Finding(Fault.KEY_UNREADABLE, place_of(signed, Table.KEY))


# Signatures -----------------------------------------------------------------------------------


def edit_signature(**values: object) -> Act:
    return lambda own, _: own.update(SIGNATURES, own.rows(SIGNATURES)[0].id, **values)


def edit_proof(own: Tampering, **values: object) -> None:
    row = own.rows(SIGNATURES)[-1]
    own.update(SIGNATURES, row.id, proof={**row.proof, **values})


def rewrite_signature(own: Tampering) -> tuple[str, str]:
    row = own.rows(SIGNATURES)[0]
    digest = signature_digest(row, power="All powers")
    own.update(SIGNATURES, row.id, power="All powers", digest=digest)
    return row.digest, digest


def rewrite_signature_and_chain(own: Tampering, _: Tampering) -> None:
    old, new = rewrite_signature(own)
    own.rewrite(lambda link: replace(link, evidence=new) if link.evidence == old else link)


def insert_signature(own: Tampering, _: Tampering) -> None:
    row = own.rows(SIGNATURES)[-1]
    values = {
        "id": fresh(),
        "user_id": signed_by_nobody,
        "signer_name": "Vesna Hale",
        "signed_at": clock.now(),
    }
    own.copy(SIGNATURES, row.id, **values, digest=signature_digest(row, **values))


signed_by_nobody = fresh()

SIGNATURE_CASES: dict[str, tuple[Act, Fault, str]] = {
    "id edited": (edit_signature(id=fresh()), Fault.CHANGED, "Tomas Beridan"),
    "kind edited": (edit_signature(kind="countersignature"), Fault.CHANGED, "Tomas Beridan"),
    "person edited": (edit_signature(user_id=fresh()), Fault.CHANGED, "Tomas Beridan"),
    "organisation edited": (
        edit_signature(organisation_id=fresh()),
        Fault.CHANGED,
        "Tomas Beridan",
    ),
    "organisation taken out": (
        edit_signature(organisation_id=None),
        Fault.CHANGED,
        "Tomas Beridan",
    ),
    "name edited": (edit_signature(signer_name="Vesna Hale"), Fault.CHANGED, "Vesna Hale"),
    "name of organisation edited": (
        edit_signature(organisation_name="Nobody"),
        Fault.CHANGED,
        "Tomas Beridan",
    ),
    "office edited": (edit_signature(office="Director"), Fault.CHANGED, "Tomas Beridan"),
    "power edited": (edit_signature(power="All powers"), Fault.CHANGED, "Tomas Beridan"),
    "first day of the power put in": (
        edit_signature(power_from=dt.date(2026, 1, 1)),
        Fault.CHANGED,
        "Tomas Beridan",
    ),
    "last day of the power put in": (
        edit_signature(power_until=dt.date(2036, 1, 1)),
        Fault.CHANGED,
        "Tomas Beridan",
    ),
    "somebody put in for whom it was signed": (
        edit_signature(on_behalf_of="Vesna Hale"),
        Fault.CHANGED,
        "Tomas Beridan",
    ),
    "somebody put in whose place it was": (
        edit_signature(in_place_of="Vesna Hale"),
        Fault.CHANGED,
        "Tomas Beridan",
    ),
    "the id of somebody put in whose place it was": (
        edit_signature(in_place_of_id=fresh()),
        Fault.CHANGED,
        "Tomas Beridan",
    ),
    "sentence edited": (edit_signature(sentence="Nothing."), Fault.CHANGED, "Tomas Beridan"),
    "language edited": (edit_signature(language="ar"), Fault.CHANGED, "Tomas Beridan"),
    "digest of the text edited": (
        edit_signature(document_digest=OTHER),
        Fault.CHANGED,
        "Tomas Beridan",
    ),
    "method no longer known": (edit_signature(method="wax"), Fault.DAMAGED, "Tomas Beridan"),
    "proof put in": (edit_signature(proof={"nonce": "0a"}), Fault.CHANGED, "Tomas Beridan"),
    "proof edited": (
        lambda own, _: edit_proof(own, nonce="0b" * 32),
        Fault.CHANGED,
        "Henrik Asante",
    ),
    "proof taken out": (
        lambda own, _: own.update(SIGNATURES, own.rows(SIGNATURES)[-1].id, proof=None),
        Fault.CHANGED,
        "Henrik Asante",
    ),
    "proof of no text": (lambda own, _: edit_proof(own, nonce=7), Fault.DAMAGED, "Henrik Asante"),
    "method of a passkey edited": (
        lambda own, _: own.update(SIGNATURES, own.rows(SIGNATURES)[-1].id, method="password_totp"),
        Fault.CHANGED,
        "Henrik Asante",
    ),
    "digest edited": (edit_signature(digest=OTHER), Fault.CHANGED, "Tomas Beridan"),
    "rewritten": (lambda own, _: rewrite_signature(own), Fault.NOT_BOUND, "Tomas Beridan"),
    "inserted": (insert_signature, Fault.NOT_BOUND, "Vesna Hale"),
    "reordered": (
        lambda own, _: own.swap(
            SIGNATURES,
            own.rows(SIGNATURES)[0].id,
            own.rows(SIGNATURES)[1].id,
            "signed_at",
            clock.now(),
        ),
        Fault.CHANGED,
        "Henrik Asante",
    ),
}


@pytest.mark.few_on_postgresql(3)
@pytest.mark.parametrize("case", SIGNATURE_CASES)
def test_a_signature_tampered_with_is_named(signed: Signed, case: str) -> None:
    act, fault, row = SIGNATURE_CASES[case]
    assert finding(signed, act) == Finding(fault, place_of(signed, Table.SIGNATURE, row=row))


def test_a_signature_moved_under_another_text_is_named(signed: Signed) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        row = own.rows(SIGNATURES)[0]
        own.update(SIGNATURES, row.id, revision_id=own.rows(REVISIONS)[1].id)

    assert finding(signed, act) == Finding(
        Fault.CHANGED, place_of(signed, Table.SIGNATURE, row="Tomas Beridan")
    )


def test_a_signature_rewritten_with_the_chain_lacks_the_seal(signed: Signed) -> None:
    last = _last(signed)
    assert finding(signed, rewrite_signature_and_chain) == Finding(
        ChainFault.UNSEALED, place_of(signed, Table.CHAIN, last)
    )


@pytest.mark.parametrize("place", [0, -1], ids=["deleted", "cut off at the end"])
def test_deleting_a_signature_leaves_its_event(signed: Signed, place: int) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        own.delete(SIGNATURES, own.rows(SIGNATURES)[place].id)

    result = finding(signed, act)
    assert result is not None
    assert (result.fault, result.place.table) == (Fault.ROW_GONE, Table.EVENT)
    assert _verb(signed, result.place.event) == "signed"


def test_a_signature_of_no_revision_is_named(signed: Signed) -> None:
    new = fresh()

    def act(own: Tampering, _: Tampering) -> None:
        own.copy(SIGNATURES, own.rows(SIGNATURES)[0].id, id=new, revision_id=fresh())

    result = finding(signed, act)
    assert result is not None
    assert (result.fault, result.place.table) == (Fault.BELONGS_NOWHERE, Table.SIGNATURE)
    assert UUID(result.place.row) == new


# Passkeys, by somebody who has the keys too ------------------------------------------------------


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


def sent_terms(country: Country) -> tuple[Cooperation, Checklist]:
    cooperation = open_one(country, "door", modes=(Mode.VISIT,))
    terms = agreements.checklist_of(cooperation, ChecklistKind.TERMS)
    agreements.send(country, terms, {"npm": "tomas", "door": "henrik"})
    return cooperation, terms


def test_a_signature_that_its_passkey_did_not_give_is_named(
    country: Country, monkeypatch: pytest.MonkeyPatch
) -> None:
    cooperation, terms = sent_terms(country)
    device = Device()
    passkeys.add(country.actor("henrik"), device)
    with monkeypatch.context() as patched:
        patched.setattr(assertion, "flaw", lambda *_a, **_k: None)
        patched.setattr(assertion, "challenge", lambda *_a: b"\x00" * 32)
        agreements.sign_with_passkey(country, terms, "henrik", device)
    place = RowLocation(Table.SIGNATURE, cooperation.reference, row="Henrik Asante")
    country.session.commit()
    assert integrity.check_all().finding == Finding(Fault.NOT_PROVEN, place)


def test_a_signature_by_a_passkey_that_was_never_the_signers_is_named(country: Country) -> None:
    cooperation, terms = sent_terms(country)
    device = Device()
    passkeys.add(country.actor("tomas"), device)
    agreements.sign_with_passkey(country, terms, "henrik", device)
    place = RowLocation(Table.SIGNATURE, cooperation.reference, row="Henrik Asante")
    country.session.commit()
    assert integrity.check_all().finding == Finding(Fault.OTHER_PASSKEY, place)


def test_a_signature_by_a_passkey_that_was_removed_later_is_valid(country: Country) -> None:
    _cooperation, terms = sent_terms(country)
    device, henrik = Device(), country.actor("henrik")
    passkey = passkeys.add(henrik, device)
    agreements.sign_with_passkey(country, terms, "henrik", device)
    credentials.remove(henrik, passkey.id)
    country.session.commit()
    assert integrity.check_all().finding is None
    assert integrity.check_cooperations(country.actor("nadia")).finding is None


def test_a_key_of_a_cooperation_that_is_not_there_is_named(signed: Signed) -> None:
    def act(own: Tampering, _: Tampering) -> None:
        table = table_of(CooperationKey)
        row = own.connection.execute(
            sa.select(table).where(table.c.cooperation_id == signed.first.id)
        ).one()
        own.connection.execute(
            sa.insert(table).values(**(dict(row._mapping) | {"cooperation_id": fresh()}))
        )

    result = finding(signed, act)
    assert result is not None
    assert (result.fault, result.place.table) == (Fault.BELONGS_NOWHERE, Table.KEY)


# What is no evidence --------------------------------------------------------------------------


def test_a_request_to_sign_tampered_with_is_named(signed: Signed) -> None:
    """Who was asked and how it ended isn't evidence, and is bound like other rows."""

    def act(own: Tampering, _: Tampering) -> None:
        own.connection.execute(
            sa.update(table_of(SignatureRequest)).values(reason="Another reason")
        )

    result = finding(signed, act)
    assert result is not None
    assert (result.fault, result.place.of) == (Fault.ROW_DIFFERS, "signature_request")
