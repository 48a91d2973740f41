"""Every result of the audit and the register has a label."""

import datetime as dt
from dataclasses import fields
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask_babel import force_locale

from tests.factories.ui import make_page_frame
from tracker.activity.models import Chain, Event, EventDetail
from tracker.activity.verify import ChainFault
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Notice, Renewal
from tracker.core.db import Base
from tracker.evidence.models import Certificate, EvidenceKey, LogLeaf, LogNode, SignedCheckpoint
from tracker.organisations.models import Succession
from tracker.oversight import labels, pages, stored
from tracker.oversight.facts import (
    AgreementState,
    Counts,
    Fault,
    Finding,
    Narrowing,
    RegisterLine,
    RowLocation,
    Table,
    VisitMark,
)
from tracker.signoff.models import Revision, Signature
from tracker.signoff.paper_models import PaperDecision, PaperRecord
from tracker.visits.models import VisitStage

PLACES = [
    (RowLocation(Table.EVENT, "C-1", 12), "Chain of C-1, event 12"),
    (RowLocation(Table.EVENT, "", 3), "Chain of the instance, event 3"),
    (RowLocation(Table.EVENT, row="0f"), "Row 0f of the table event"),
    (RowLocation(Table.DETAILS, "C-1", 12), "Chain of C-1, details of event 12"),
    (RowLocation(Table.DETAILS, row="0f"), "Row 0f of the table event_detail"),
    (RowLocation(Table.CHAIN, "C-1", 12), "Chain of C-1, after event 12"),
    (RowLocation(Table.CHAIN, "", 0), "Chain of the instance, after event 0"),
    (RowLocation(Table.CHAIN), "Chain of the instance"),
    (RowLocation(Table.CHAIN, row="0f"), "Row 0f of the table chain"),
    (RowLocation(Table.CHAIN, "C-1", of_visit=True), "Chain of a visit of C-1"),
    (RowLocation(Table.EVENT, "C-1", 2, of_visit=True), "Chain of a visit of C-1, event 2"),
    (RowLocation(Table.REVISION, "C-1", row="1 (terms)"), "C-1, frozen revision 1 (terms)"),
    (RowLocation(Table.REVISION, row="0f"), "Row 0f of the table revision"),
    (RowLocation(Table.SIGNATURE, "C-1", row="Otto Brandis"), "C-1, signature of Otto Brandis"),
    (RowLocation(Table.CERTIFICATE, "C-1", row="0f3a92bc"), "C-1, certificate 0f3a92bc"),
    (RowLocation(Table.NOTICE, "C-1", row="Open Door"), "C-1, notice of Open Door"),
    (RowLocation(Table.RENEWAL, "C-1", row="2027-12-31"), "C-1, renewal until 2027-12-31"),
    (RowLocation(Table.PAPER, "C-1", row="Open Door"), "C-1, scan recorded by Open Door"),
    (RowLocation(Table.PAPER_DECISION, "C-1", row="The NPM"), "C-1, answer of The NPM to a scan"),
    (RowLocation(Table.SUCCESSION, row="The old one"), "Row The old one of the table succession"),
    (RowLocation(Table.COOPERATION, "C-1"), "Cooperation C-1"),
    (RowLocation(Table.COOPERATION, row="C-?"), "Row C-? of the table cooperation"),
    (RowLocation(Table.KEY, "C-1"), "Key of C-1"),
    (RowLocation(Table.EVIDENCE_KEY, row="checkpoint 1"), "The key checkpoint 1"),
    (RowLocation(Table.LEAF, row="7"), "The log, leaf 7"),
    (RowLocation(Table.NODE, row="1, 3"), "The log, node 1, 3"),
    (RowLocation(Table.CHECKPOINT, row="8"), "The checkpoint of size 8"),
    (RowLocation(Table.ACCOUNT, row="otto@example.org"), "The account of otto@example.org"),
    (RowLocation(Table.PASSKEY, row="My key"), "The passkey My key"),
    (
        RowLocation(Table.EVENT, "C-1", 12, checkpoint=8),
        "Chain of C-1, event 12, beside the checkpoint of size 8",
    ),
    (RowLocation(Table.CHECKLIST, "C-1", row="terms"), "C-1, checklist terms"),
    (RowLocation(Table.REQUEST, "C-1", row="2"), "C-1, request to sign revision 2"),
    (RowLocation(Table.UNDERTAKING, "C-1", row="Henrik"), "C-1, undertaking of Henrik"),
    (
        RowLocation(Table.CHECKED, "C-1", 12, row="7", of="position"),
        "C-1, row 7 of the table position, as event 12 left it",
    ),
    (
        RowLocation(Table.CHECKED, "C-1", 2, row="7", of="answer", of_visit=True),
        "a visit of C-1, row 7 of the table answer, as event 2 left it",
    ),
    (
        RowLocation(Table.CHECKED, row="7", of="membership"),
        "the instance, row 7 of the table membership",
    ),
]


@pytest.mark.parametrize(("place", "words"), PLACES, ids=[words for _place, words in PLACES])
def test_a_place_is_named(place: RowLocation, words: str) -> None:
    with make_page_frame().app.app_context(), force_locale("en"):
        assert str(labels.place_words(place)) == words


def test_every_table_is_tried() -> None:
    assert {place.table for place, _words in PLACES} == set(Table)


def test_every_fault_has_a_sentence() -> None:
    assert set(labels.FAULTS) == {*Fault, *ChainFault}
    with make_page_frame().app.app_context(), force_locale("en"):
        for fault in labels.FAULTS:
            sentence = str(
                labels.finding_words(Finding(fault, RowLocation(Table.EVENT, "C-1", 12)))
            )
            assert sentence.startswith("Chain of C-1, event 12: ")
            assert sentence.endswith(".")


def test_what_was_checked_is_counted() -> None:
    with make_page_frame().app.app_context(), force_locale("en"):
        assert labels.count_words(Counts(1, 2, 3, 4, 5, certificates=6, anchors=7)) == (
            "chains 1, events 2, details 3, frozen revisions 4, signatures 5, certificates 6, "
            "anchors 7"
        )
        assert labels.count_words(Counts()) == "nothing"
        assert set(labels.COUNTED) == {field.name for field in fields(Counts)}


@pytest.mark.parametrize("visit", [None, VisitMark(1, VisitStage.PLANNED, is_ready=False)])
def test_since_when_a_text_is_declined_is_not_said_of_a_visits_text(
    visit: VisitMark | None,
) -> None:
    line = RegisterLine(
        checklist_id=uuid4(),
        cooperation_id=uuid4(),
        reference="C-2026-1",
        title="Joint visits",
        kind=ChecklistKind.VISIT_ROLES if visit else ChecklistKind.TERMS,
        visit=visit,
        is_open=False,
        parties=(),
        modes=(),
        form="",
        state=AgreementState.DECLINED,
        is_amended=False,
        waiting_for=(),
        since=None if visit else dt.date(2026, 11, 25),
        revision=1,
        signed=None,
        to_sign=None,
        from_on=None,
        until_on=None,
        review_on=None,
    )
    with make_page_frame().app.app_context(), force_locale("en"):
        remarks = str(pages.export_row(line)[7])
    assert ("Since" in remarks) is (visit is None)


def test_every_state_and_way_of_narrowing_has_words() -> None:
    # What begins later is named with its day, by state_words.
    assert set(labels.STATES) == set(AgreementState) - {AgreementState.BEGINS_LATER}
    assert set(labels.NARROWINGS) == set(Narrowing)


@pytest.mark.parametrize(
    ("model", "read"),
    [
        (Chain, stored.head),
        (Event, stored.event),
        (EventDetail, stored.details),
        (Revision, stored.revision),
        (Signature, stored.signature),
        (Certificate, stored.certificate),
        (EvidenceKey, stored.evidence_key),
        (LogLeaf, stored.leaf),
        (LogNode, stored.node),
        (SignedCheckpoint, stored.checkpoint),
        (Notice, stored.notice),
        (Renewal, stored.renewal),
        (PaperRecord, stored.paper_record),
        (PaperDecision, stored.paper_decision),
        (Succession, stored.succession),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_column_of_evidence_is_looked_at(model: type[Base], read: object) -> None:
    """A column that is added later must be bound, and read by the audit, or this fails."""
    seen: set[str] = set()

    class Row(dict[str, object]):
        def __getitem__(self, name: str) -> object:
            seen.add(name)
            return OWN.get((model, name), GOOD.get(name, ZEROS))

    assert callable(read)
    read(Row())
    columns = sa.inspect(model).columns
    assert seen == {column.name for column in columns} - GOES_ON.get(model, set())


# Separate events say what became of a notice.
GOES_ON: dict[type[Base], set[str]] = {
    Notice: {"taken_effect_at", "closed_at", "closed_by_id", "closed_reason"}
}
ZEROS = "0" * 32
KINDS: dict[type[Base], str] = {
    Chain: "instance",
    Revision: "terms",
    Signature: "signature",
    PaperRecord: "text",
    PaperDecision: "confirmed",
}
GOOD: dict[str, object] = {
    "count": 1,
    "number": 1,
    "at": "2026-11-25 12:00:00.000000",
    "frozen_at": "2026-11-25 12:00:00.000000",
    "signed_at": "2026-11-25 12:00:00.000000",
    "given_at": "2026-11-25 12:00:00.000000",
    "renewed_at": "2026-11-25 12:00:00.000000",
    "power_from": "2026-11-25",
    "power_until": "2026-11-25",
    "from_on": "2026-11-25",
    "until_on": "2026-11-25",
    "review_on": "2026-11-25",
    "notice_days": 30,
    "document": b"",
    "is_sealed": 0,
    "has_timestamp": 0,
    "content": "{}",
    "method": "password_totp",
    "proof": "{}",
    "power_confirmed": "{}",
    "presence": "{}",
    "state": "{}",
    "use": "checkpoint",
    "origin": "made",
    "public_key": b"",
    "endorsement": None,
    "endorsed_by": None,
    "made_at": "2026-11-25 12:00:00.000000",
    "retired_at": None,
    "revoked_at": None,
    "size": 1,
    "level": 0,
    "place": 0,
    "hash": b"",
    "paper": "{}",
    "signers": "[{}]",
    "scan": b"",
    "sealed_reason": None,
    "signed_on": "2026-11-25",
    "ends_on": None,
    "since": "2026-11-25",
    "recorded_at": "2026-11-25 12:00:00.000000",
    "decided_at": "2026-11-25 12:00:00.000000",
}
# For columns whose name another table uses for something else.
OWN: dict[tuple[type[Base], str], object] = {
    (Chain, "kind"): "instance",
    (Signature, "kind"): "signature",
    (Notice, "kind"): "ended",
    (PaperRecord, "kind"): "text",
    (PaperDecision, "kind"): "refused",
    (SignedCheckpoint, "previous"): 0,
    (SignedCheckpoint, "origin"): "https://terms.npm.example",
    (SignedCheckpoint, "signature"): b"",
}
