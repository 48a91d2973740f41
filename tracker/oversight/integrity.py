"""The audit that nothing was altered: chains, texts, signatures, certificates, scans, notices.

Each decisive row is compared with what events say about it (oversight/rows.py). The status of each
text is derived from its own content, its signatures and its events, and compared with the rows that
record it (statuses). A database that was restored from an older copy as a whole can't be
recognised from within: that needs a checkpoint kept elsewhere, which the audit takes as an anchor.

In one file: one pass over a cooperation, whose checks share what they have read.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tracker.access.actor import Actor
from tracker.accounts.factors import credentials
from tracker.accounts.models import User
from tracker.activity import verbs
from tracker.activity.chain import Link
from tracker.activity.checked import CHECKED
from tracker.activity.models import Chain, ChainKind, Event, EventDetail
from tracker.activity.verify import ChainFault, Details, Head, Walk
from tracker.checklists.models import Checklist, Notice, Renewal
from tracker.cooperations import keys
from tracker.cooperations.models import Cooperation, CooperationKey
from tracker.cooperations.scope import visible_ids
from tracker.core import canonical
from tracker.core.crypto import SealBrokenError
from tracker.core.errors import UnreadableError
from tracker.evidence.certificates import service as certificates
from tracker.evidence.log.notes import Checkpoint
from tracker.evidence.models import Certificate, LogLeaf
from tracker.organisations.models import Organisation, Succession
from tracker.oversight import (
    bound_accounts,
    interests,
    log_audit,
    rows,
    statuses,
    stored,
    visit_chains,
)
from tracker.oversight.facts import (
    Counts,
    Erasure,
    Fault,
    Finding,
    RowLocation,
    Table,
    Verdict,
)
from tracker.oversight.log_audit import InstanceEvents, Logged
from tracker.oversight.reading import BrokenError, Reader, Report, broken, printable, read
from tracker.oversight.rows import Bound
from tracker.oversight.stored import DamagedError, Stored, as_stored
from tracker.signoff import assertion, paper, vouching
from tracker.signoff import policy as signoff_policy
from tracker.signoff import service as signoff
from tracker.signoff.models import Method, Revision, Signature
from tracker.signoff.paper_models import PaperDecision, PaperDecisionKind, PaperRecord

# How many documents are in memory at a time.
DOCUMENTS_AT_A_TIME = 20
# How many digits of a certificate's digest name it.
SHORT = 8
SCANS_AT_A_TIME = 2


class NotCheckableError(Exception):
    """Raised if there are no tables, or the keys belong to another instance."""


def check_all(report: Report | None = None, anchors: Iterable[Checkpoint] = ()) -> Verdict:
    """Audit the whole instance and return the verdict with the first broken row.

    report is called for each row, with the total; anchors are checkpoints kept elsewhere. Runs on
    one consistent snapshot, so that people can go on working. Raise NotCheckableError if there are
    no tables, or the keys belong to another instance.
    """
    with stored.view() as connection:
        return check_view(connection, report, anchors)


def check_view(
    connection: Connection,
    report: Report | None = None,
    anchors: Iterable[Checkpoint] = (),
    only: frozenset[UUID] | None = None,
) -> Verdict:
    """Audit all, or only some cooperations, as seen on a connection (stored.view)."""
    return _verdict(_Check(Reader(connection, report), tuple(anchors)), only)


def check_cooperations(actor: Actor) -> Verdict:
    """Audit the chains, revisions and signatures of the cooperations that a person may see.

    This may take a while: on SQLite the caller's transaction must not have the write lock. Raise
    NotCheckableError as check_all does.
    """
    with stored.view() as connection:
        return check_view(connection, only=frozenset(connection.scalars(visible_ids(actor))))


def _verdict(check: "_Check", only: frozenset[UUID] | None) -> Verdict:
    try:
        check.run(only)
    except BrokenError as error:
        return Verdict(check.counts, error.finding)
    finally:
        check.close()
    return Verdict(
        check.counts,
        erased=tuple(check.erased),
        adopted_at=check.adopted_at,
        not_adopted=check.not_adopted,
    )


@dataclass(frozen=True, slots=True)
class _Cooperation:
    id: UUID
    reference: str


class _Check:
    """One run of the audit on one snapshot of the database."""

    def __init__(self, reader: Reader, anchors: tuple[Checkpoint, ...]) -> None:
        self._reader = reader
        self._connection = reader.connection
        self._anchors = anchors
        self._logged = Logged(())
        # Digests of the passkeys added, each with its person; None if their chain is not visible.
        self._passkeys: set[str] | None = None
        self._rows = rows.Cooperations(reader)
        # The chains of visits, by visit, that no cooperation's events have led to yet.
        self._visits: dict[UUID, Head] = {}
        # What the events of the instance's chain say about rows.
        self._instance: Bound | None = None
        # The first row that was changed outside the application and then taken over by an event.
        self._differed: Finding | None = None
        self.erased: list[Erasure] = []
        self.adopted_at: dt.datetime | None = None
        self.not_adopted = 0

    @property
    def counts(self) -> Counts:
        """How much was checked so far."""
        return self._reader.counts

    def run(self, only: frozenset[UUID] | None) -> None:
        """Raise BrokenError at the first broken row of all, or only of some cooperations."""
        self._require_tables()
        self._reader.total = sum(map(self._reader.count, _COUNTED))
        heads = self._heads()
        self._require_own_keys(heads)
        cooperations = self._cooperations()
        instance_events = InstanceEvents()
        self._logged = log_audit.check_log(self._reader, log_audit.keys_of(self._reader))
        log_audit.check_anchors(self._reader, self._logged, self._anchors)
        if only is None:
            self._check_registered(cooperations, self._check_instance(heads, instance_events))
            log_audit.check_keys(self._reader, instance_events)
            bound_accounts.check(self._reader, instance_events)
            if self._instance is not None:
                rows.check_instance(self._reader, self._instance)
        chains = _by_cooperation(heads)
        self._visits = visit_chains.by_visit(heads)
        for cooperation in cooperations:
            if only is None or cooperation.id in only:
                self._check_cooperation(cooperation, chains.get(cooperation.id))
        self._rows.compare()
        if only is None:
            self._rows.end()
            self._check_strays(chains.keys() - {cooperation.id for cooperation in cooperations})
        if self._differed is not None:
            broken(self._differed.fault, self._differed.place)

    def close(self) -> None:
        """Close open cursors when a fault was found."""
        self._reader.close()

    # What there is to check

    def _require_tables(self) -> None:
        needed = {table.value for table in Table} - {Table.CHECKED.value} | set(CHECKED)
        if not needed <= set(sa.inspect(self._connection).get_table_names()):
            raise NotCheckableError(
                "The database has no tables to check yet: run tracker db upgrade first."
            )

    def _heads(self) -> list[Head]:
        """Return the rows of all chains: the instance's, and those of cooperations and visits."""
        query = sa.select(*stored.columns(Chain)).order_by(Chain.id)
        return [
            read(stored.head, row, RowLocation(Table.CHAIN, row=printable(row["id"])))
            for row in self._reader.rows(query)
        ]

    def _cooperations(self) -> list[_Cooperation]:
        columns = map(as_stored, (Cooperation.id, Cooperation.reference))
        query = sa.select(*columns).order_by(Cooperation.reference)
        return [
            read(_cooperation, row, RowLocation(Table.COOPERATION, row=printable(row["reference"])))
            for row in self._reader.rows(query)
        ]

    def _require_own_keys(self, heads: list[Head]) -> None:
        """Distinguish another instance's keys from a trail that was tampered with."""
        if not heads or any(head.is_authentic() for head in heads):
            return
        query = sa.select(*stored.columns(CooperationKey)).where(
            CooperationKey.wrapped.is_not(None)
        )
        wrapped = list(self._reader.rows(query))
        if wrapped and not any(map(_opens, wrapped)):
            raise NotCheckableError(
                "The keys are not those of this database: they open none of its cooperations and "
                "seal none of its chains. Restore the keys of this instance."
            )

    # The instance's chain

    def _check_instance(self, heads: list[Head], events: InstanceEvents) -> dict[UUID, int]:
        """Verify the instance's chain; return the cooperations it registered, with the events.

        What it says about keys, passkeys and replaced bodies is added to told.
        """
        own = [head for head in heads if head.kind == ChainKind.INSTANCE]
        if len(own) > 1:
            broken(Fault.BELONGS_NOWHERE, RowLocation(Table.CHAIN, row=str(own[1].chain_id)))
        if not own:
            if any(self._reader.count(table) for table in (Event, Cooperation, User, Organisation)):
                broken(Fault.NO_INSTANCE_CHAIN, RowLocation(Table.CHAIN))
            return {}
        registered: dict[UUID, int] = {}
        bound = Bound()
        for link in self._walk(own[0], bound):
            events.hear(link)
            if link.verb == verbs.COOPERATION_REGISTERED.name:
                if link.subject_id in registered:
                    broken(Fault.REGISTERED_TWICE, RowLocation(Table.EVENT, event=link.number))
                registered[link.subject_id] = link.number
        self._passkeys = events.passkeys
        self._check_successions(events.replaced)
        self._hear_of(bound)
        self._instance = bound
        return registered

    def _check_successions(self, bound: dict[str, int]) -> None:
        """Check which body replaced which against the instance's chain."""
        query = sa.select(*stored.columns(Succession)).order_by(Succession.recorded_at)
        for row in self._reader.rows(query):
            place = RowLocation(Table.SUCCESSION, row=printable(row["former_name"]))
            fault = _bound_fault(read(stored.succession, row, place), bound)
            if fault is not None:
                broken(fault, place)
            self._reader.note(successions=1)
        if bound:
            broken(Fault.ROW_GONE, RowLocation(Table.EVENT, event=min(bound.values())))

    def _check_registered(
        self, cooperations: list[_Cooperation], registered: dict[UUID, int]
    ) -> None:
        for cooperation in cooperations:
            if registered.pop(cooperation.id, None) is None:
                broken(Fault.NOT_REGISTERED, RowLocation(Table.COOPERATION, cooperation.reference))
        if registered:
            broken(Fault.NO_COOPERATION, RowLocation(Table.EVENT, event=min(registered.values())))

    # A chain

    def _walk(
        self,
        head: Head,
        bound: Bound,
        hear: Callable[[Link, Details | None], object] = lambda _link, _details: None,
    ) -> Iterator[Link]:
        """Walk a chain and yield each event that is as it was written.

        What the events say about rows is added to bound; hear gets each with its details.
        """
        reference, of_visit = bound.reference, bound.of_visit
        walk = Walk(self._erased_before(head.chain_id))
        lacks_details = False
        leaves = log_audit.leaves_of(self._reader, head.chain_id)
        rewritten: LogLeaf | None = None
        query = (
            sa.select(*stored.columns(Event), *map(as_stored, _DETAILS))
            .outerjoin(EventDetail, EventDetail.event_id == Event.id)
            .where(Event.chain_id == head.chain_id)
            .order_by(Event.number)
        )
        for row in self._reader.rows(query):
            place = RowLocation(Table.EVENT, reference, walk.number + 1, of_visit=of_visit)
            link, digest, state = read(stored.event, row, place)
            details = read(stored.details, row, replace(place, table=Table.DETAILS))
            fault = walk.step(link, digest, details)
            if fault is not None:
                broken(fault, replace(place, table=_TABLE_OF.get(fault, Table.EVENT)))
            leaf = leaves.pop(link.number, None)
            if leaf is not None and leaf.head != digest:
                rewritten = rewritten or leaf
            self._reader.note(events=1, details=1 if details else 0)
            bound.hear(link, state)
            hear(link, details)
            lacks_details = lacks_details or details is None
            if link.verb == verbs.DETAILS_ERASED.name:
                bound.erasure = _erasure(link, bound, details)
                if lacks_details:
                    self.erased.append(bound.erasure)
                    lacks_details = False
            yield link
        fault = walk.end(head)
        end = RowLocation(Table.CHAIN, reference, walk.number, of_visit=of_visit)
        if fault is not None:
            broken(fault, end)
        self._require_as_logged(end, rewritten, leaves)
        self._reader.note(**{"visit_chains" if of_visit else "chains": 1})

    def _require_as_logged(
        self, end: RowLocation, rewritten: LogLeaf | None, left: dict[int, LogLeaf]
    ) -> None:
        """Refuse a chain that is valid in itself but not the one in the checkpoints."""
        for fault, event, leaf in (
            (Fault.REWRITTEN, rewritten.count if rewritten else end.event, rewritten),
            (Fault.SHORTENED, end.event, next(iter(left.values()), None)),
        ):
            if leaf is not None:
                size = self._logged.checkpoint_of(leaf.number)
                broken(fault, replace(end, event=event, checkpoint=size))

    def _erased_before(self, chain_id: UUID) -> int:
        last = self._connection.scalar(
            sa.select(sa.func.max(Event.number)).where(
                Event.chain_id == chain_id, Event.verb == verbs.DETAILS_ERASED.name
            )
        )
        return last if isinstance(last, int) else 0  # the walk finds a damaged number

    # A cooperation: its chain, and what the chain's events bind

    def _check_cooperation(self, cooperation: _Cooperation, head: Head | None) -> None:
        reference = cooperation.reference
        if head is None:
            broken(Fault.NO_CHAIN, RowLocation(Table.COOPERATION, reference))
        bound: dict[str, int] = {}
        bound_rows = Bound(reference)
        links: list[Link] = []
        decisions = interests.Decisions()
        planned = visit_chains.Planned(reference)
        for link in self._walk(head, bound_rows, decisions.hear):
            if link.verb in statuses.VERBS:
                links.append(link)
            if planned.hear(link) or link.evidence is None:
                continue
            if link.evidence in bound:
                broken(Fault.BOUND_TWICE, RowLocation(Table.EVENT, reference, link.number))
            bound[link.evidence] = link.number
        visits = {
            visit_id: self._check_visit(visit_id, own, planned)
            for visit_id, own in planned.take_from(self._visits)
        }
        key = _Key(self._connection, cooperation, may_be_erased=bound_rows.erasure is not None)
        digests = self._check_revisions(cooperation, bound, key)
        papers = self._check_papers(cooperation, bound, key)
        confirmed = self._check_paper_decisions(cooperation, bound, papers)
        self._check_signatures(cooperation, bound, digests, _Papers(papers, confirmed))
        self._check_certificates(cooperation, bound, key)
        self._check_notices(cooperation, bound)
        self._check_renewals(cooperation, bound)
        if bound:
            broken(Fault.ROW_GONE, RowLocation(Table.EVENT, reference, min(bound.values())))
        statuses.check(self._reader, cooperation.id, reference, links, key.open)
        interests.check(self._reader, cooperation.id, reference, decisions)
        if key.open() is None and bound_rows.erasure is not None:
            self.erased.append(replace(bound_rows.erasure, of_key=True))
        self._hear_of(bound_rows)
        self._rows.add(rows.OfCooperation(cooperation.id, bound_rows, key.open, visits))

    def _check_visit(self, visit_id: UUID, head: Head, planned: visit_chains.Planned) -> Bound:
        """Verify a visit's own chain; return what its events say about rows."""
        bound = Bound(planned.reference, is_whole=True, of_visit=True)
        planned.require_ends(visit_id, [link.digest() for link in self._walk(head, bound)])
        self._hear_of(bound)
        return bound

    def _hear_of(self, bound: Bound) -> None:
        """Record since when the rows of a chain are bound, and the first that differed."""
        self._differed = self._differed or bound.differed
        if not bound.is_whole:
            self.not_adopted += 1
        elif bound.adopted_at is not None:
            self.adopted_at = max(bound.adopted_at, self.adopted_at or bound.adopted_at)

    def _check_revisions(
        self, cooperation: _Cooperation, bound: dict[str, int], key: "_Key"
    ) -> dict[UUID, str]:
        """Check the frozen revisions; return their digests, and remove those found from bound."""
        digests: dict[UUID, str] = {}
        query = (
            sa.select(*stored.columns(Revision))
            .where(Revision.cooperation_id == cooperation.id)
            .order_by(Revision.frozen_at, Revision.id)
        )
        for row in self._reader.rows(query, DOCUMENTS_AT_A_TIME):
            name = printable(f"{row['number']} ({row['kind']})")
            place = RowLocation(Table.REVISION, cooperation.reference, row=name)
            revision = read(stored.revision, row, place)
            if bound.pop(signoff.evidence_of_revision(revision), None) is None:
                broken(Fault.NOT_BOUND, place)
            fault = _document_fault(revision, key)
            if fault is not None:
                broken(fault, place)
            digests[revision.id] = revision.digest
            self._reader.note(revisions=1)
        return digests

    def _check_papers(
        self, cooperation: _Cooperation, bound: dict[str, int], key: "_Key"
    ) -> dict[str, PaperRecord]:
        """Check the scans; return them, and remove those found from bound."""
        records: dict[str, PaperRecord] = {}
        query = (
            sa.select(*stored.columns(PaperRecord))
            .join(Revision, Revision.id == PaperRecord.revision_id)
            .where(Revision.cooperation_id == cooperation.id)
            .order_by(PaperRecord.recorded_at, PaperRecord.id)
        )
        for row in self._reader.rows(query, SCANS_AT_A_TIME):
            name = printable(row["organisation_name"])
            place = RowLocation(Table.PAPER, cooperation.reference, row=name)
            record = read(stored.paper_record, row, place)
            fault = _bound_fault(record, bound) or _scan_fault(record, key)
            if fault is not None:
                broken(fault, place)
            record.scan = b""  # large, and no longer needed
            records[str(record.id)] = record
            self._reader.note(scans=1)
        return records

    def _check_paper_decisions(
        self, cooperation: _Cooperation, bound: dict[str, int], papers: dict[str, PaperRecord]
    ) -> set["_Confirmation"]:
        """Check responses to scans; return who confirmed which, and remove them from bound."""
        confirmations: set[_Confirmation] = set()
        deciders: set[tuple[UUID, UUID]] = set()
        query = (
            sa.select(*stored.columns(PaperDecision))
            .join(PaperRecord, PaperRecord.id == PaperDecision.record_id)
            .join(Revision, Revision.id == PaperRecord.revision_id)
            .where(Revision.cooperation_id == cooperation.id)
            .order_by(PaperDecision.decided_at, PaperDecision.id)
        )
        for row in self._reader.rows(query):
            name = printable(row["organisation_name"])
            place = RowLocation(Table.PAPER_DECISION, cooperation.reference, row=name)
            decision = read(stored.paper_decision, row, place)
            fault = _bound_fault(decision, bound) or _decider_fault(decision, papers, deciders)
            if fault is not None:
                broken(fault, place)
            if decision.kind is not PaperDecisionKind.WITHDRAWN:
                deciders.add((decision.record_id, decision.user_id))
            if decision.kind is PaperDecisionKind.CONFIRMED:
                confirmations.add(_confirmation(decision))
            self._reader.note(decisions=1)
        return confirmations

    def _check_signatures(
        self,
        cooperation: _Cooperation,
        bound: dict[str, int],
        digests: dict[UUID, str],
        papers: "_Papers",
    ) -> None:
        """Check the signatures; remove those found from bound."""
        query = (
            sa.select(*stored.columns(Signature))
            .join(Revision, Revision.id == Signature.revision_id)
            .where(Revision.cooperation_id == cooperation.id)
            .order_by(Signature.signed_at, Signature.id)
        )
        for row in self._reader.rows(query):
            name = printable(row["signer_name"])
            place = RowLocation(Table.SIGNATURE, cooperation.reference, row=name)
            signature = read(stored.signature, row, place)
            fault = _signature_fault(signature, bound, digests, self._passkeys) or papers.fault(
                signature
            )
            if fault is not None:
                broken(fault, place)
            self._reader.note(signatures=1)

    def _check_certificates(
        self, cooperation: _Cooperation, bound: dict[str, int], key: "_Key"
    ) -> None:
        """Check the certificates; remove those found from bound."""
        query = (
            sa.select(*stored.columns(Certificate))
            .join(Revision, Revision.id == Certificate.revision_id)
            .where(Revision.cooperation_id == cooperation.id)
            .order_by(Certificate.made_at, Certificate.id)
        )
        for row in self._reader.rows(query, DOCUMENTS_AT_A_TIME):
            name = printable(f"{row['sha256']}"[:SHORT])
            place = RowLocation(Table.CERTIFICATE, cooperation.reference, row=name)
            certificate = read(stored.certificate, row, place)
            if bound.pop(canonical.digest_of(certificate.content()), None) is None:
                broken(Fault.NOT_BOUND, place)
            fault = _file_fault(certificate, key)
            if fault is not None:
                broken(fault, place)
            self._reader.note(certificates=1)

    def _check_notices(self, cooperation: _Cooperation, bound: dict[str, int]) -> None:
        """Check the notices; remove those found from bound."""
        query = (
            sa.select(*stored.columns(Notice), as_stored(Organisation.name))
            .join(Checklist, Checklist.id == Notice.checklist_id)
            .outerjoin(Organisation, Organisation.id == Notice.organisation_id)
            .where(Checklist.cooperation_id == cooperation.id)
            .order_by(Notice.given_at, Notice.id)
        )
        for row in self._reader.rows(query):
            place = RowLocation(Table.NOTICE, cooperation.reference, row=printable(row["name"]))
            notice = read(stored.notice, row, place)
            if bound.pop(canonical.digest_of(notice.content()), None) is None:
                broken(Fault.NOT_BOUND, place)
            self._reader.note(notices=1)

    def _check_renewals(self, cooperation: _Cooperation, bound: dict[str, int]) -> None:
        """Check the renewals; remove those found from bound."""
        query = (
            sa.select(*stored.columns(Renewal))
            .join(Checklist, Checklist.id == Renewal.checklist_id)
            .where(Checklist.cooperation_id == cooperation.id)
            .order_by(Renewal.renewed_at, Renewal.id)
        )
        for row in self._reader.rows(query):
            place = RowLocation(
                Table.RENEWAL, cooperation.reference, row=printable(row["until_on"])
            )
            renewal = read(stored.renewal, row, place)
            if bound.pop(canonical.digest_of(renewal.content()), None) is None:
                broken(Fault.NOT_BOUND, place)
            self._reader.note(renewals=1)

    # Rows that belong to nothing

    def _check_strays(self, without_cooperation: set[UUID]) -> None:
        for cooperation_id in sorted(without_cooperation):
            broken(Fault.NO_COOPERATION, RowLocation(Table.CHAIN, row=str(cooperation_id)))
        for head in self._visits.values():
            broken(Fault.BELONGS_NOWHERE, RowLocation(Table.CHAIN, row=str(head.chain_id)))
        for table, query in _STRAYS.items():
            stray = self._connection.scalar(query.limit(1))
            if stray is not None:
                broken(Fault.BELONGS_NOWHERE, RowLocation(table, row=printable(stray)))


class _Key:
    """A cooperation's key, opened when the first encrypted document needs it."""

    def __init__(
        self, connection: Connection, cooperation: _Cooperation, *, may_be_erased: bool
    ) -> None:
        self._connection = connection
        self._cooperation = cooperation
        self._may_be_erased = may_be_erased
        self._opened: bytes | None = None
        self._is_read = False

    def open(self) -> bytes | None:
        """Return the key; None if it was destroyed and the chain says that details were erased."""
        if not self._is_read:
            self._opened, self._is_read = self._read(), True
        return self._opened

    def _read(self) -> bytes | None:
        place = RowLocation(Table.KEY, self._cooperation.reference)
        wrapped = self._connection.scalar(
            sa.select(as_stored(CooperationKey.wrapped)).where(
                CooperationKey.cooperation_id == self._cooperation.id
            )
        )
        if wrapped is None:
            if not self._may_be_erased:
                broken(Fault.KEY_GONE, place)
            return None
        try:
            return keys.unwrapped(self._cooperation.id, stored.data(wrapped))
        except (SealBrokenError, DamagedError):
            broken(Fault.KEY_UNREADABLE, place)


# A scan, and who confirmed it: id, name and organisation, as a signature on paper has them.
_Confirmation = tuple[str, str, str, str]


def _confirmation(decision: PaperDecision) -> _Confirmation:
    return (
        str(decision.record_id),
        str(decision.user_id),
        decision.user_name,
        decision.organisation_name,
    )


@dataclass(frozen=True, slots=True)
class _Papers:
    """The scans of a cooperation, and who confirmed which."""

    records: dict[str, PaperRecord]
    confirmed: set[_Confirmation]

    def fault(self, signature: Signature) -> Fault | None:
        """Return whether a signature on paper has no confirmed scan of this text, as it says."""
        about = signature.paper
        if (signature.method is Method.PAPER) != (about is not None):
            return Fault.NO_PAPER
        if about is None:
            return None
        record = self.records.get(str(about.get("record")))
        if record is None or record.revision_id != signature.revision_id:
            return Fault.NO_PAPER
        confirmation = tuple(
            about.get(name)
            for name in ("record", "confirmed_by", "confirmed_by_name", "confirmed_for")
        )
        is_so = (
            paper.recorded(record).items() <= about.items()
            and confirmation in self.confirmed
            and any(_is_signer(signature, signer) for signer in record.signers)
        )
        return None if is_so else Fault.NO_PAPER


def _is_signer(signature: Signature, signer: Mapping[str, str]) -> bool:
    """Return whether a signature is that of somebody who signed a paper, as its record says."""
    organisation_id = signature.organisation_id
    return (
        (signer.get("name"), signer.get("organisation"), signer.get("office"))
        == (signature.signer_name, signature.organisation_name, signature.office)
        and signer.get("user_id") in {None, str(signature.user_id)}
        and organisation_id in {None, vouching.id_of(signer.get("organisation_id"))}
    )


_COUNTED = (
    Event,
    Revision,
    Signature,
    Certificate,
    Notice,
    Renewal,
    PaperRecord,
    PaperDecision,
    Succession,
    LogLeaf,
)
_DETAILS = (EventDetail.event_id, EventDetail.salt, EventDetail.content)

_TABLE_OF: dict[ChainFault, Table] = {
    ChainFault.DETAILS_CHANGED: Table.DETAILS,
    ChainFault.DETAILS_GONE: Table.DETAILS,
}

# Rows that no chain and no cooperation leads to.
_STRAYS: dict[Table, sa.Select[Any]] = {
    Table.LEAF: sa.select(as_stored(LogLeaf.number)).where(
        ~sa.exists().where(Chain.id == LogLeaf.chain_id)
    ),
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
    Table.CERTIFICATE: sa.select(as_stored(Certificate.id)).where(
        ~sa.exists().where(Revision.id == Certificate.revision_id)
    ),
    Table.NOTICE: sa.select(as_stored(Notice.id)).where(
        ~sa.exists().where(Checklist.id == Notice.checklist_id)
    ),
    Table.RENEWAL: sa.select(as_stored(Renewal.id)).where(
        ~sa.exists().where(Checklist.id == Renewal.checklist_id)
    ),
    Table.PAPER: sa.select(as_stored(PaperRecord.id)).where(
        ~sa.exists().where(Revision.id == PaperRecord.revision_id)
    ),
    Table.KEY: sa.select(as_stored(CooperationKey.cooperation_id)).where(
        ~sa.exists().where(Cooperation.id == CooperationKey.cooperation_id)
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
    except UnreadableError:
        return Fault.DOCUMENT_UNREADABLE
    return None if canonical.digest(plain) == revision.digest else Fault.DOCUMENT_CHANGED


def _file_fault(certificate: Certificate, key: _Key) -> Fault | None:
    opened = key.open() if certificate.is_sealed else None
    if certificate.is_sealed and opened is None:
        return None  # erased for good, as the chain says
    try:
        plain = certificates.plain_bytes(certificate, opened)
    except UnreadableError:
        return Fault.FILE_UNREADABLE
    return None if canonical.digest(plain) == certificate.sha256 else Fault.FILE_CHANGED


def _bound_fault(
    row: PaperRecord | PaperDecision | Succession, bound: dict[str, int]
) -> Fault | None:
    if canonical.digest_of(row.content()) != row.digest:
        return Fault.CHANGED
    return Fault.NOT_BOUND if bound.pop(row.digest, None) is None else None


def _decider_fault(
    decision: PaperDecision,
    papers: Mapping[str, PaperRecord],
    deciders: Collection[tuple[UUID, UUID]],
) -> Fault | None:
    """Return whether somebody confirmed or refused a scan that they may not vouch for.

    They recorded it, are named as one of its signers, or have answered for another party. deciders
    are scans with the people who answered before. For a prior agreement only the names of the
    signers are known.
    """
    record = papers.get(str(decision.record_id))
    if record is None or decision.kind is PaperDecisionKind.WITHDRAWN:
        return None
    if record.user_id == decision.user_id:
        return Fault.OWN_SCAN
    if any(signer.get("user_id") == str(decision.user_id) for signer in record.signers):
        return Fault.SIGNED_SCAN
    if (decision.record_id, decision.user_id) in deciders:
        return Fault.ANSWERED_TWICE
    return None


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
    signature: Signature,
    bound: dict[str, int],
    digests: dict[UUID, str],
    set_up: set[str] | None,
) -> Fault | None:
    if canonical.digest_of(signature.content()) != signature.digest:
        return Fault.CHANGED
    if bound.pop(signature.digest, None) is None:
        return Fault.NOT_BOUND
    if digests[signature.revision_id] != signature.document_digest:
        return Fault.OTHER_TEXT
    return _proof_fault(signature, set_up)


def _proof_fault(signature: Signature, set_up: set[str] | None) -> Fault | None:
    """Verify what a passkey signed, and that it had been added to the signer's account."""
    if not signoff_policy.is_signed_by(
        signature.method,
        signature.proof,
        signature.document_digest,
        signature.sentence,
        signature.presence,
    ):
        return Fault.NOT_PROVEN
    if signature.proof is None or set_up is None:
        return None
    credential_id, public_key = (
        assertion.decode(signature.proof[name]) for name in ("credential_id", "public_key")
    )
    whose = _whose_passkey(signature)
    if whose is None:
        return Fault.NOT_PROVEN
    known = credentials.evidence_of(whose, credential_id, public_key)
    return None if known in set_up else Fault.OTHER_PASSKEY


def _whose_passkey(signature: Signature) -> UUID | None:
    """Return who proved who they are: the signer, or the person in whose presence they signed."""
    if signature.presence is None:
        return signature.user_id
    return vouching.host_of(signature.presence)


def _erasure(link: Link, bound: Bound, details: Details | None) -> Erasure:
    who = details.content.get("who") if details is not None else None
    name = who.get("name") if isinstance(who, dict) else None
    return Erasure(
        bound.reference,
        of_key=False,
        at=link.at,
        by=printable(name or ""),
        of_visit=bound.of_visit,
    )


def _by_cooperation(heads: list[Head]) -> dict[UUID, Head]:
    by_id: dict[UUID, Head] = {}
    for head in heads:
        if head.kind in {ChainKind.INSTANCE, ChainKind.VISIT}:
            continue
        if head.cooperation_id is None or head.cooperation_id in by_id:
            broken(Fault.BELONGS_NOWHERE, RowLocation(Table.CHAIN, row=str(head.chain_id)))
        by_id[head.cooperation_id] = head
    return by_id


def _cooperation(row: Stored) -> _Cooperation:
    return _Cooperation(stored.identity(row["id"]), stored.text(row["reference"]))


def _opens(row: Stored) -> bool:
    """Return whether this instance's key opens a cooperation's."""
    try:
        keys.unwrapped(stored.identity(row["cooperation_id"]), stored.data(row["wrapped"]))
    except (SealBrokenError, DamagedError):
        return False
    return True
