"""The check that nothing was altered: chains, details, texts, signatures, scans, successions.

Signature requests and their places (who was asked, how it ended) are no evidence and are not
checked: what binds is the frozen revision, the signature and the events that name both. Nor can a
database that was put back whole to an earlier day be told from within: that needs the heads of the
chains kept elsewhere.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn, TypeVar, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection, CursorResult

from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.activity import verbs
from tracker.activity.chain import Link
from tracker.activity.models import Chain, ChainKind, Event, EventDetail
from tracker.activity.verify import ChainFault, Head, Walk
from tracker.cooperations import keys
from tracker.cooperations.models import Cooperation, CooperationKey
from tracker.cooperations.scope import visible_ids
from tracker.core import canonical
from tracker.core.crypto import SealBrokenError
from tracker.core.db import Base
from tracker.organisations.models import Organisation, Succession
from tracker.oversight import stored
from tracker.oversight.facts import Counts, Fault, Finding, Place, Table, Verdict
from tracker.oversight.stored import DamagedError, Stored, as_stored
from tracker.signoff import paper
from tracker.signoff import service as signoff
from tracker.signoff.models import Method, Revision, Signature
from tracker.signoff.paper_models import PaperDecision, PaperDecisionKind, PaperRecord

# How many events and how many documents are held at a time.
EVENTS_AT_A_TIME = 500
DOCUMENTS_AT_A_TIME = 20
SCANS_AT_A_TIME = 2

Made = TypeVar("Made")
# Told with each row how many there are in all.
Report = Callable[[int], None]


class NotCheckableError(Exception):
    """The check can't be made: there are no tables, or the keys are another instance's."""


def check_all(report: Report | None = None) -> Verdict:
    """Check the whole instance and return the verdict with the first broken place.

    report is called for each row, with how many there are. Runs in one consistent view, so that
    people may go on working. Raise NotCheckableError when there are no tables, or the keys are
    another instance's.
    """
    with stored.view() as connection:
        return check_view(connection, report)


def check_view(connection: Connection, report: Report | None = None) -> Verdict:
    """Check the whole instance as it is seen on a connection (stored.view)."""
    return _verdict(_Check(connection, report), None)


def check_cooperations(actor: Actor) -> Verdict:
    """Check the chains, revisions and signatures of the cooperations that a person may see.

    It may take a while: on SQLite the caller's transaction must not hold the write lock meanwhile.
    Raise NotCheckableError as check_all does.
    """
    with stored.view() as connection:
        seen = frozenset(connection.scalars(visible_ids(actor)))
        return _verdict(_Check(connection, None), seen)


class _BrokenError(Exception):
    """Carries the first broken place out of the check."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


def _break(fault: Fault | ChainFault, place: Place) -> NoReturn:
    raise _BrokenError(Finding(fault, place))


def _verdict(check: "_Check", only: frozenset[UUID] | None) -> Verdict:
    try:
        check.run(only)
    except _BrokenError as error:
        return Verdict(check.counts, error.finding)
    finally:
        check.close()
    return Verdict(check.counts)


@dataclass(frozen=True, slots=True)
class _Cooperation:
    id: UUID
    reference: str


class _Check:
    """One run of the check over one view of the database."""

    def __init__(self, connection: Connection, report: Report | None) -> None:
        self._connection = connection
        self._report = report
        self._checked: Counter[str] = Counter()
        self._reading: list[CursorResult[Any]] = []
        self._total = 0

    @property
    def counts(self) -> Counts:
        """How much was checked so far."""
        return Counts(**self._checked)

    def run(self, only: frozenset[UUID] | None) -> None:
        """Raise _BrokenError at the first broken place of all, or of some cooperations only."""
        self._require_tables()
        self._total = sum(self._count(table) for table in (Event, Revision, Signature))
        heads = self._heads()
        self._require_own_keys(heads)
        cooperations = self._cooperations()
        if only is None:
            self._check_registered(cooperations, self._check_instance(heads))
        chains = _by_cooperation(heads)
        for cooperation in cooperations:
            if only is None or cooperation.id in only:
                self._check_cooperation(cooperation, chains.get(cooperation.id))
        if only is None:
            self._check_strays(chains.keys() - {one.id for one in cooperations})

    def close(self) -> None:
        """Let go of what was still being read when something broken was found."""
        for result in self._reading:
            result.close()

    # What there is to check

    def _require_tables(self) -> None:
        needed = {table.value for table in Table}
        if not needed <= set(sa.inspect(self._connection).get_table_names()):
            raise NotCheckableError(
                "The database has no tables to check yet: run tracker db upgrade first."
            )

    def _count(self, table: type[Base]) -> int:
        return self._connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0

    def _heads(self) -> list[Head]:
        """Return the rows of all chains; there are no more than cooperations, and one."""
        query = sa.select(*stored.columns(Chain)).order_by(Chain.id)
        return [
            _read(stored.head, row, Place(Table.CHAIN, row=_printable(row["id"])))
            for row in self._rows(query)
        ]

    def _cooperations(self) -> list[_Cooperation]:
        columns = map(as_stored, (Cooperation.id, Cooperation.reference))
        query = sa.select(*columns).order_by(Cooperation.reference)
        return [
            _read(_cooperation, row, Place(Table.COOPERATION, row=_printable(row["reference"])))
            for row in self._rows(query)
        ]

    def _require_own_keys(self, heads: list[Head]) -> None:
        """Tell the keys of another instance from a trail that was tampered with."""
        if not heads or any(head.is_authentic() for head in heads):
            return
        query = sa.select(*stored.columns(CooperationKey)).where(
            CooperationKey.wrapped.is_not(None)
        )
        rows = list(self._rows(query))
        if rows and not any(map(_opens, rows)):
            raise NotCheckableError(
                "The keys are not those of this database: they open no cooperation and seal no "
                "chain of it. Restore the keys of this instance."
            )

    # The instance's chain

    def _check_instance(self, heads: list[Head]) -> dict[UUID, int]:
        """Check the instance's chain; return the cooperations it registered, with the events."""
        own = [head for head in heads if head.kind == ChainKind.INSTANCE]
        if len(own) > 1:
            _break(Fault.BELONGS_NOWHERE, Place(Table.CHAIN, row=str(own[1].chain_id)))
        if not own:
            if any(self._count(table) for table in (Event, Cooperation, User, Organisation)):
                _break(Fault.NO_INSTANCE_CHAIN, Place(Table.CHAIN))
            return {}
        registered: dict[UUID, int] = {}
        replaced: dict[str, int] = {}
        for link in self._walk(own[0], ""):
            if link.verb == verbs.COOPERATION_REGISTERED.name:
                if link.subject_id in registered:
                    _break(Fault.REGISTERED_TWICE, Place(Table.EVENT, event=link.number))
                registered[link.subject_id] = link.number
            elif link.verb == verbs.ORGANISATION_REPLACED.name:
                replaced[link.evidence or ""] = link.number
        self._check_successions(replaced)
        return registered

    def _check_successions(self, bound: dict[str, int]) -> None:
        """Check which body replaced which against what the instance's chain tells."""
        query = sa.select(*stored.columns(Succession)).order_by(Succession.recorded_at)
        for row in self._rows(query):
            place = Place(Table.SUCCESSION, row=_printable(row["former_name"]))
            fault = _bound_fault(_read(stored.succession, row, place), bound)
            if fault is not None:
                _break(fault, place)
        if bound:
            _break(Fault.ROW_GONE, Place(Table.EVENT, event=min(bound.values())))

    def _check_registered(
        self, cooperations: list[_Cooperation], registered: dict[UUID, int]
    ) -> None:
        for cooperation in cooperations:
            if registered.pop(cooperation.id, None) is None:
                _break(Fault.NOT_REGISTERED, Place(Table.COOPERATION, cooperation.reference))
        if registered:
            _break(Fault.NO_COOPERATION, Place(Table.EVENT, event=min(registered.values())))

    # A chain

    def _walk(self, head: Head, reference: str) -> Iterator[Link]:
        """Go along a chain and give each event that is as it was written."""
        walk = Walk(self._erased_before(head.chain_id))
        query = (
            sa.select(*stored.columns(Event), *map(as_stored, _DETAILS))
            .outerjoin(EventDetail, EventDetail.event_id == Event.id)
            .where(Event.chain_id == head.chain_id)
            .order_by(Event.number)
        )
        for row in self._rows(query):
            place = Place(Table.EVENT, reference, walk.number + 1)
            link, digest = _read(stored.event, row, place)
            details = _read(stored.details, row, replace(place, table=Table.DETAILS))
            fault = walk.step(link, digest, details)
            if fault is not None:
                _break(fault, replace(place, table=_TABLE_OF.get(fault, Table.EVENT)))
            self._note(events=1, details=1 if details else 0)
            yield link
        fault = walk.end(head)
        if fault is not None:
            _break(fault, Place(Table.CHAIN, reference, walk.number))
        self._note(chains=1)

    def _erased_before(self, chain_id: UUID) -> int:
        last = self._connection.scalar(
            sa.select(sa.func.max(Event.number)).where(
                Event.chain_id == chain_id, Event.verb == verbs.DETAILS_ERASED.name
            )
        )
        return last if isinstance(last, int) else 0  # a damaged number is found by the walk

    # A cooperation: its chain, and what the chain's events bind

    def _check_cooperation(self, cooperation: _Cooperation, head: Head | None) -> None:
        reference = cooperation.reference
        if head is None:
            _break(Fault.NO_CHAIN, Place(Table.COOPERATION, reference))
        bound: dict[str, int] = {}
        erased = False
        for link in self._walk(head, reference):
            erased = erased or link.verb == verbs.DETAILS_ERASED.name
            if link.evidence is None:
                continue
            if link.evidence in bound:
                _break(Fault.BOUND_TWICE, Place(Table.EVENT, reference, link.number))
            bound[link.evidence] = link.number
        key = _Key(self._connection, cooperation, may_be_erased=erased)
        digests = self._check_revisions(cooperation, bound, key)
        papers = self._check_papers(cooperation, bound, key)
        confirmed = self._check_paper_decisions(cooperation, bound)
        self._check_signatures(cooperation, bound, digests, _Papers(papers, confirmed))
        if bound:
            _break(Fault.ROW_GONE, Place(Table.EVENT, reference, min(bound.values())))

    def _check_revisions(
        self, cooperation: _Cooperation, bound: dict[str, int], key: "_Key"
    ) -> dict[UUID, str]:
        """Check the frozen revisions; return their digests, and take out of bound what is met."""
        digests: dict[UUID, str] = {}
        query = (
            sa.select(*stored.columns(Revision))
            .where(Revision.cooperation_id == cooperation.id)
            .order_by(Revision.frozen_at, Revision.id)
        )
        for row in self._rows(query, DOCUMENTS_AT_A_TIME):
            name = _printable(f"{row['number']} ({row['kind']})")
            place = Place(Table.REVISION, cooperation.reference, row=name)
            revision = _read(stored.revision, row, place)
            if bound.pop(signoff.evidence_of_revision(revision), None) is None:
                _break(Fault.NOT_BOUND, place)
            fault = _document_fault(revision, key)
            if fault is not None:
                _break(fault, place)
            digests[revision.id] = revision.digest
            self._note(revisions=1)
        return digests

    def _check_papers(
        self, cooperation: _Cooperation, bound: dict[str, int], key: "_Key"
    ) -> dict[str, PaperRecord]:
        """Check the scans of what was signed on paper; return them, and take out what is met."""
        found: dict[str, PaperRecord] = {}
        query = (
            sa.select(*stored.columns(PaperRecord))
            .join(Revision, Revision.id == PaperRecord.revision_id)
            .where(Revision.cooperation_id == cooperation.id)
            .order_by(PaperRecord.recorded_at, PaperRecord.id)
        )
        for row in self._rows(query, SCANS_AT_A_TIME):
            name = _printable(row["organisation_name"])
            place = Place(Table.PAPER, cooperation.reference, row=name)
            record = _read(stored.paper_record, row, place)
            fault = _bound_fault(record, bound) or _scan_fault(record, key)
            if fault is not None:
                _break(fault, place)
            record.scan = b""  # large, and not needed any more
            found[str(record.id)] = record
        return found

    def _check_paper_decisions(
        self, cooperation: _Cooperation, bound: dict[str, int]
    ) -> set[tuple[str, str]]:
        """Check what was said to scans; return who confirmed which, and take out what is met."""
        found: set[tuple[str, str]] = set()
        query = (
            sa.select(*stored.columns(PaperDecision))
            .join(PaperRecord, PaperRecord.id == PaperDecision.record_id)
            .join(Revision, Revision.id == PaperRecord.revision_id)
            .where(Revision.cooperation_id == cooperation.id)
            .order_by(PaperDecision.decided_at, PaperDecision.id)
        )
        for row in self._rows(query):
            name = _printable(row["organisation_name"])
            place = Place(Table.PAPER_DECISION, cooperation.reference, row=name)
            decision = _read(stored.paper_decision, row, place)
            fault = _bound_fault(decision, bound)
            if fault is not None:
                _break(fault, place)
            if decision.kind is PaperDecisionKind.CONFIRMED:
                found.add((str(decision.record_id), str(decision.user_id)))
        return found

    def _check_signatures(
        self,
        cooperation: _Cooperation,
        bound: dict[str, int],
        digests: dict[UUID, str],
        papers: "_Papers",
    ) -> None:
        """Check the signatures; take out of bound what is met."""
        query = (
            sa.select(*stored.columns(Signature))
            .join(Revision, Revision.id == Signature.revision_id)
            .where(Revision.cooperation_id == cooperation.id)
            .order_by(Signature.signed_at, Signature.id)
        )
        for row in self._rows(query):
            name = _printable(row["signer_name"])
            place = Place(Table.SIGNATURE, cooperation.reference, row=name)
            signature = _read(stored.signature, row, place)
            fault = _signature_fault(signature, bound, digests) or papers.fault(signature)
            if fault is not None:
                _break(fault, place)
            self._note(signatures=1)

    # Rows that belong to nothing

    def _check_strays(self, without_cooperation: set[UUID]) -> None:
        for cooperation_id in sorted(without_cooperation):
            _break(Fault.NO_COOPERATION, Place(Table.CHAIN, row=str(cooperation_id)))
        for table, query in _STRAYS.items():
            stray = self._connection.scalar(query.limit(1))
            if stray is not None:
                _break(Fault.BELONGS_NOWHERE, Place(table, row=_printable(stray)))

    # Reading

    def _rows(self, query: sa.Select[Any], at_a_time: int = EVENTS_AT_A_TIME) -> Iterator[Stored]:
        options = {"yield_per": at_a_time}
        result = self._connection.execute(query, execution_options=options)
        self._reading.append(result)
        yield from cast("Iterator[Stored]", result.mappings())
        self._reading.remove(result)

    def _note(self, **more: int) -> None:
        """Count what was checked, and say that it goes on."""
        self._checked.update(more)
        if self._report is not None and "chains" not in more:
            self._report(self._total)


class _Key:
    """A cooperation's key, opened when the first encrypted document needs it."""

    def __init__(
        self, connection: Connection, cooperation: _Cooperation, *, may_be_erased: bool
    ) -> None:
        self._connection = connection
        self._cooperation = cooperation
        self._may_be_erased = may_be_erased
        self._opened: bytes | None = None

    def open(self) -> bytes | None:
        """Return the key; None when it was destroyed and the chain says that details are erased."""
        if self._opened is None:
            self._opened = self._read()
        return self._opened

    def _read(self) -> bytes | None:
        place = Place(Table.KEY, self._cooperation.reference)
        wrapped = self._connection.scalar(
            sa.select(as_stored(CooperationKey.wrapped)).where(
                CooperationKey.cooperation_id == self._cooperation.id
            )
        )
        if wrapped is None:
            if not self._may_be_erased:
                _break(Fault.KEY_GONE, place)
            return None
        try:
            return keys.unwrapped(self._cooperation.id, stored.data(wrapped))
        except (SealBrokenError, DamagedError):
            _break(Fault.KEY_UNREADABLE, place)


@dataclass(frozen=True, slots=True)
class _Papers:
    """The scans of a cooperation, and who confirmed which."""

    records: dict[str, PaperRecord]
    confirmed: set[tuple[str, str]]

    def fault(self, signature: Signature) -> Fault | None:
        """Tell whether a signature on paper rests on a scan of this text that was confirmed."""
        said = signature.paper
        if (signature.method is Method.PAPER) != (said is not None):
            return Fault.NO_PAPER
        if said is None:
            return None
        record = self.records.get(str(said.get("record")))
        if record is None or record.revision_id != signature.revision_id:
            return Fault.NO_PAPER
        is_so = (
            said.get("scan_digest") == record.scan_digest
            and (
                str(record.id),
                said.get("confirmed_by"),
            )
            in self.confirmed
        )
        return None if is_so else Fault.NO_PAPER


_DETAILS = (EventDetail.event_id, EventDetail.salt, EventDetail.content)

_TABLE_OF: dict[ChainFault, Table] = {
    ChainFault.DETAILS_CHANGED: Table.DETAILS,
    ChainFault.DETAILS_GONE: Table.DETAILS,
}

# Rows that no chain and no cooperation leads to.
_STRAYS: dict[Table, sa.Select[Any]] = {
    Table.EVENT: sa.select(as_stored(Event.id)).where(
        ~sa.exists().where(Chain.id == Event.chain_id)
    ),
    Table.DETAILS: sa.select(as_stored(EventDetail.event_id)).where(
        ~sa.exists().where(Event.id == EventDetail.event_id)
    ),
    Table.REVISION: sa.select(as_stored(Revision.id)).where(
        ~sa.exists().where(Cooperation.id == Revision.cooperation_id)
    ),
    Table.SIGNATURE: sa.select(as_stored(Signature.id)).where(
        ~sa.exists().where(Revision.id == Signature.revision_id)
    ),
    Table.PAPER: sa.select(as_stored(PaperRecord.id)).where(
        ~sa.exists().where(Revision.id == PaperRecord.revision_id)
    ),
    Table.PAPER_DECISION: sa.select(as_stored(PaperDecision.id)).where(
        ~sa.exists().where(PaperRecord.id == PaperDecision.record_id)
    ),
}


def _document_fault(revision: Revision, key: _Key) -> Fault | None:
    opened = key.open() if revision.is_sealed else None
    if revision.is_sealed and opened is None:
        return None  # erased for good, as the chain says
    try:
        plain = signoff.plain_bytes(revision, opened)
    except SealBrokenError:
        return Fault.DOCUMENT_UNREADABLE
    return None if canonical.digest(plain) == revision.digest else Fault.DOCUMENT_CHANGED


def _bound_fault(
    row: PaperRecord | PaperDecision | Succession, bound: dict[str, int]
) -> Fault | None:
    if canonical.digest_of(row.content()) != row.digest:
        return Fault.CHANGED
    return Fault.NOT_BOUND if bound.pop(row.digest, None) is None else None


def _scan_fault(record: PaperRecord, key: _Key) -> Fault | None:
    opened = key.open()
    if opened is None:
        return None  # erased for good, as the chain says
    try:
        scan = paper.unsealed(record.id, record.scan, opened)
    except SealBrokenError:
        return Fault.SCAN_CHANGED
    is_same = canonical.digest(scan) == record.scan_digest and len(scan) == record.size
    return None if is_same else Fault.SCAN_CHANGED


def _signature_fault(
    signature: Signature, bound: dict[str, int], digests: dict[UUID, str]
) -> Fault | None:
    if canonical.digest_of(signature.content()) != signature.digest:
        return Fault.CHANGED
    if bound.pop(signature.digest, None) is None:
        return Fault.NOT_BOUND
    if digests[signature.revision_id] != signature.document_digest:
        return Fault.OTHER_TEXT
    return None


def _by_cooperation(heads: list[Head]) -> dict[UUID, Head]:
    found: dict[UUID, Head] = {}
    for head in heads:
        if head.kind == ChainKind.INSTANCE:
            continue
        if head.cooperation_id is None or head.cooperation_id in found:
            _break(Fault.BELONGS_NOWHERE, Place(Table.CHAIN, row=str(head.chain_id)))
        found[head.cooperation_id] = head
    return found


def _read(make: Callable[[Stored], Made], row: Stored, place: Place) -> Made:
    try:
        return make(row)
    except DamagedError:
        _break(Fault.DAMAGED, place)


def _cooperation(row: Stored) -> _Cooperation:
    return _Cooperation(stored.identity(row["id"]), stored.text(row["reference"]))


def _opens(row: Stored) -> bool:
    """Tell whether this instance's key opens a cooperation's."""
    try:
        keys.unwrapped(stored.identity(row["cooperation_id"]), stored.data(row["wrapped"]))
    except (SealBrokenError, DamagedError):
        return False
    return True


def _printable(value: object) -> str:
    """Return what may be shown of a value that somebody may have put into the database by hand."""
    return "".join(one if one.isprintable() else "?" for one in str(value))[:80]
