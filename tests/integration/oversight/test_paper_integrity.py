"""Changes to scans, responses to them, signatures on paper and successions are named."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories import agreements, paper, powers
from tests.factories.cooperations import (
    Country,
    StoredCountry,
    load_checklists,
    make_country,
    open_one,
)
from tests.factories.evidence.tampering import (
    CHAINS,
    EVENTS,
    REVISIONS,
    SIGNATURES,
    Tampering,
    fresh,
    hands,
    signature_digest,
    table_of,
)
from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.access.decision import YES
from tracker.activity import chain as arithmetic
from tracker.activity import verbs
from tracker.agreements.paper import service as papers
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations import keys
from tracker.cooperations.models import CooperationKey
from tracker.cooperations.succession import service as succession
from tracker.core import canonical, crypto
from tracker.core.db import db
from tracker.organisations.models import Succession
from tracker.oversight import integrity
from tracker.oversight.facts import Fault, Table
from tracker.signoff import paper_policy
from tracker.signoff.paper_models import PaperDecision, PaperRecord

RECORDS, DECISIONS = table_of(PaperRecord), table_of(PaperDecision)
SUCCESSIONS = table_of(Succession)
OTHER = "f" * 64
DAY = dt.date(2020, 1, 1)


@pytest.fixture
def papered(app: Flask, session: Session) -> Country:
    """Terms that Open Door signed on paper, a pending scan of the NPM, and a succession."""
    country = starting_points.of(app).use("papered", _papered).load(session)
    session.commit()
    return country


def _papered() -> StoredCountry:
    load_checklists()
    country = make_country(db.session())
    cooperation = open_one(country, "door")
    terms = agreements.checklist_of(cooperation, ChecklistKind.TERMS)
    agreements.send(country, terms, {"npm": "tomas", "door": "henrik"})
    paper.confirm(country.actor("ilena"), terms, paper.record(country.actor("samira"), terms))
    paper.record(country.actor("ilena"), terms, scan=paper.png())
    country.organisation("heir", "New Bridge", OrganisationKind.CSO)
    db.session.flush()
    succession.replace(
        country.actor("root"), country.id("bridge"), country.id("heir"), since=DAY, source="Law 12"
    )
    return StoredCountry.of(country)


Act = Callable[[Tampering, Any], object]


def finding_after(table: sa.Table, act: Act) -> tuple[object, Table]:
    """Tamper with the first row of a table; return what the audit finds and where."""
    (finding,) = findings_after(table, [act])
    return finding


def findings_after(table: sa.Table, acts: Iterable[Act]) -> list[tuple[object, Table]]:
    """Return what the audit finds after each of some acts, with the one before undone."""
    findings: list[tuple[object, Table]] = []
    with hands(keep=False) as connection:
        cooperation_id = connection.scalar(sa.select(REVISIONS.c.cooperation_id))
        moment = next(column for column in table.c if column.name.endswith(("ed_at", "_at")))
        row = connection.execute(sa.select(table).order_by(moment)).first()
        assert cooperation_id is not None
        for act in acts:
            with connection.begin_nested() as undone:
                act(Tampering(connection, cooperation_id), row)
                finding = integrity.check_view(connection).finding
                undone.rollback()
            assert finding is not None
            findings.append((finding.fault, finding.place.table))
    return findings


def test_nothing_is_found_where_nothing_was_altered(papered: Country) -> None:
    assert integrity.check_all().finding is None


def set_to(table: sa.Table, **values: object) -> Callable[[Tampering, Any], object]:
    return lambda own, row: own.update(table, row.id, **values)


def rewritten(model: type[Any], table: sa.Table, **values: object) -> Callable[..., object]:
    """Change values together with their digest."""

    def act(own: Tampering, row: Any) -> None:
        substitute = model(**{**row._mapping, **values})
        own.update(table, row.id, **values, digest=canonical.digest_of(substitute.content()))

    return act


def other_scan(own: Tampering, row: Any) -> None:
    key_table = table_of(CooperationKey)
    wrapped = own.connection.scalar(
        sa.select(key_table.c.wrapped).where(key_table.c.cooperation_id == own.cooperation_id)
    )
    key = keys.unwrapped(own.cooperation_id, wrapped)
    sealed = crypto.seal(key, paper.pdf("Another page"), f"paper:{row.id}")
    own.update(RECORDS, row.id, scan=sealed)


SIGNERS = [{"organisation_id": str(fresh()), "organisation": "X", "name": "Y", "office": ""}]


SCANS = [
    (set_to(RECORDS, scan=b"x" * 60), Fault.SCAN_CHANGED),
    (other_scan, Fault.SCAN_CHANGED),
    (set_to(RECORDS, signed_on=DAY), Fault.CHANGED),
    (set_to(RECORDS, ends_on=DAY), Fault.CHANGED),
    (set_to(RECORDS, signers=SIGNERS), Fault.CHANGED),
    (set_to(RECORDS, user_name="Somebody Else"), Fault.CHANGED),
    (set_to(RECORDS, organisation_id=fresh()), Fault.CHANGED),
    (set_to(RECORDS, scan_digest=OTHER), Fault.CHANGED),
    (set_to(RECORDS, digest=OTHER), Fault.CHANGED),
    (rewritten(PaperRecord, RECORDS, signed_on=DAY), Fault.NOT_BOUND),
    (rewritten(PaperRecord, RECORDS, scan_digest=OTHER), Fault.NOT_BOUND),
    (set_to(RECORDS, media_type="text/html"), Fault.CHANGED),
    (set_to(RECORDS, size=1), Fault.CHANGED),
    (set_to(RECORDS, kind="former"), Fault.CHANGED),
]


def test_a_scan_tampered_with_is_named(papered: Country) -> None:
    faults = [(fault, Table.PAPER) for _act, fault in SCANS]
    assert findings_after(RECORDS, [act for act, _fault in SCANS]) == faults


def test_signers_that_nobody_writes_are_named(papered: Country) -> None:
    act = set_to(RECORDS, signers=[{"name": 1}])
    assert finding_after(RECORDS, act) == (Fault.DAMAGED, Table.PAPER)


def test_a_scan_moved_to_another_text_is_named(papered: Country) -> None:
    def act(own: Tampering, row: Any) -> None:
        revision = fresh()
        own.copy(REVISIONS, row.revision_id, id=revision, number=2)
        own.update(RECORDS, row.id, revision_id=revision)

    assert finding_after(RECORDS, act) == (Fault.NOT_BOUND, Table.REVISION)


RESPONSES = [
    (set_to(DECISIONS, kind="refused"), Fault.CHANGED),
    (set_to(DECISIONS, user_id=fresh()), Fault.CHANGED),
    (set_to(DECISIONS, organisation_name="Another"), Fault.CHANGED),
    (set_to(DECISIONS, reason="A reason"), Fault.CHANGED),
    (set_to(DECISIONS, sealed_reason=b"x"), Fault.CHANGED),
    (rewritten(PaperDecision, DECISIONS, user_name="Somebody"), Fault.NOT_BOUND),
]


def test_a_changed_response_to_a_scan_is_named(papered: Country) -> None:
    faults = [(fault, Table.PAPER_DECISION) for _act, fault in RESPONSES]
    assert findings_after(DECISIONS, [act for act, _fault in RESPONSES]) == faults


@pytest.mark.parametrize("table", [DECISIONS, SUCCESSIONS], ids=["decision", "succession"])
def test_deleting_a_row_leaves_its_event(papered: Country, table: sa.Table) -> None:
    fault, _place = finding_after(table, lambda own, row: own.delete(table, row.id))
    assert fault in {Fault.ROW_GONE, Fault.NO_PAPER}


def test_deleting_a_scan_leaves_its_decision(papered: Country) -> None:
    fault, _place = finding_after(RECORDS, lambda own, row: own.delete(RECORDS, row.id))
    assert fault in {Fault.ROW_GONE, Fault.NO_PAPER, Fault.BELONGS_NOWHERE}


def test_deleting_a_pending_scan_leaves_its_event(papered: Country) -> None:
    def act(own: Tampering, _row: Any) -> None:
        last = own.connection.execute(
            sa.select(RECORDS.c.id).order_by(RECORDS.c.recorded_at.desc())
        ).first()
        assert last is not None
        own.delete(RECORDS, last.id)

    assert finding_after(RECORDS, act) == (Fault.ROW_GONE, Table.EVENT)


# What a signature says of its scan, and is not so; None if it says nothing.
OF_ANOTHER_SCAN: list[dict[str, Any] | None] = [
    None,
    {"record": str(fresh())},
    {"scan_digest": OTHER},
    {"confirmed_by": str(fresh())},
    {"recorded_by": str(fresh())},
    {"recorded_by_name": "Somebody Else"},
    {"recorded_for": "Another organisation"},
    {"confirmed_by_name": "Somebody Else"},
    {"confirmed_for": "Another organisation"},
    {"signed_on": "2020-01-01"},
    {"made": "before"},
]
OF_ANOTHER_SIGNER: list[dict[str, Any]] = [
    {"signer_name": "Somebody Else"},
    {"organisation_name": "Another organisation"},
    {"office": "Treasurer"},
    {"user_id": fresh()},
    {"organisation_id": fresh()},
]


def test_a_signature_that_differs_from_the_confirmed_scan_it_rests_on_is_named(
    papered: Country,
) -> None:
    def saying(mistaken: dict[str, Any] | None) -> Act:
        return resealed(
            lambda row: {"paper": None if mistaken is None else {**row.paper, **mistaken}}
        )

    def naming(mistaken: dict[str, Any]) -> Act:
        return resealed(lambda _row: mistaken)

    acts = [
        *map(saying, OF_ANOTHER_SCAN),
        *map(naming, OF_ANOTHER_SIGNER),
    ]
    findings = findings_after(SIGNATURES, acts)
    assert findings == [(Fault.NO_PAPER, Table.SIGNATURE)] * len(acts)


def resealed(change: Callable[[Any], dict[str, Any]]) -> Callable[[Tampering, Any], object]:
    """Rewrite a signature and its event, as somebody with the trail's key can."""

    def act(own: Tampering, row: Any) -> None:
        values = change(row)
        digest = signature_digest(row, **values)
        own.update(SIGNATURES, row.id, **values, digest=digest)
        event = own.connection.execute(
            sa.select(EVENTS).where(EVENTS.c.verb == verbs.SIGNED_ON_PAPER.name)
        ).one()
        assert event.evidence == row.digest
        own.rewrite(
            lambda link: replace(link, evidence=digest) if link.number == event.number else link
        )
        chain = own.connection.execute(sa.select(CHAINS).where(CHAINS.c.id == own.chain_id)).one()
        seal = arithmetic.seal_head(
            chain.kind, chain.id, chain.cooperation_id, chain.head, int(chain._mapping["count"])
        )
        own.update(CHAINS, chain.id, seal=seal)

    return act


# Who answered a scan ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scanned:
    """A country in which Open Door signed terms on paper, and nobody has answered the scan."""

    country: StoredCountry
    terms: UUID
    record: UUID


def _scanned() -> Scanned:
    load_checklists()
    country = make_country(db.session())
    terms = agreements.checklist_of(open_one(country, "door"), ChecklistKind.TERMS)
    agreements.send(country, terms, {"npm": "tomas", "door": "henrik"})
    record = paper.record(country.actor("samira"), terms)
    db.session.flush()
    return Scanned(StoredCountry.of(country), terms.id, record.id)


@pytest.fixture
def scanned(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> tuple[Country, Checklist, PaperRecord]:
    """That country, with code that lets anybody answer the scan."""
    stored = starting_points.of(app).use("scanned", _scanned)
    monkeypatch.setattr(paper_policy, "can_decide", lambda *_arguments, **_more: YES)
    country = stored.country.load(session)
    terms = session.get_one(Checklist, stored.terms)
    return country, terms, session.get_one(PaperRecord, stored.record)


def for_the_npm(country: Country, key: str) -> Actor:
    """Return somebody who acts for the NPM too."""
    return powers.hold(country.users[key].id, country.id("npm"), Role.COORDINATOR)


def audit() -> tuple[object, Table] | None:
    finding = integrity.check_all().finding
    return None if finding is None else (finding.fault, finding.place.table)


@pytest.mark.parametrize(
    ("key", "fault"), [("samira", Fault.OWN_SCAN), ("henrik", Fault.SIGNED_SCAN)]
)
@pytest.mark.parametrize("answer", ["confirm", "refuse"])
def test_whoever_recorded_or_signed_a_scan_and_answers_it_for_another_party_is_named(
    scanned: tuple[Country, Checklist, PaperRecord], key: str, fault: Fault, answer: str
) -> None:
    """Written as by code without that rule: each row is intact, and its event binds it."""
    country, terms, record = scanned
    actor = for_the_npm(country, key)
    if answer == "confirm":
        paper.confirm(actor, terms, record)
    else:
        papers.refuse(actor, terms, record.id, reason="Another page")
    db.session.commit()
    assert audit() == (fault, Table.PAPER_DECISION)


def test_whoever_only_acts_for_another_party_confirms_its_scan(
    scanned: tuple[Country, Checklist, PaperRecord],
) -> None:
    country, terms, record = scanned
    paper.confirm(for_the_npm(country, "tomas"), terms, record)
    db.session.commit()
    assert audit() is None


def test_a_signature_said_to_be_on_paper_is_named(papered: Country) -> None:
    def act(own: Tampering, row: Any) -> None:
        own.update(SIGNATURES, row.id, paper={**row.paper, "signed_on": "2020-01-01"})

    assert finding_after(SIGNATURES, act) == (Fault.CHANGED, Table.SIGNATURE)


REPLACED = [
    (set_to(SUCCESSIONS, since=dt.date(2019, 1, 1)), Fault.CHANGED),
    (set_to(SUCCESSIONS, source="Another law"), Fault.CHANGED),
    (set_to(SUCCESSIONS, successor_id=fresh()), Fault.CHANGED),
    (rewritten(Succession, SUCCESSIONS, source="Another law"), Fault.NOT_BOUND),
]


def test_a_succession_tampered_with_is_named(papered: Country) -> None:
    faults = [(fault, Table.SUCCESSION) for _act, fault in REPLACED]
    assert findings_after(SUCCESSIONS, [act for act, _fault in REPLACED]) == faults
