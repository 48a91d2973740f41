"""The audit that the status of texts in stored rows agrees with signatures and events.

It runs after the chain, texts and signatures were verified.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from tracker.accounts.models import User
from tracker.activity.chain import Link
from tracker.agreements import evidence as texts
from tracker.agreements.claims import Claims
from tracker.agreements.text_facts import TextFacts, facts_of
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import (
    Checklist,
    ChecklistState,
    Notice,
    NoticeKind,
    Renewal,
)
from tracker.core.db import Base
from tracker.oversight import stored
from tracker.oversight.facts import Fault, RowLocation, Table
from tracker.oversight.reading import Reader, broken, printable, read
from tracker.oversight.stored import Stored, as_stored
from tracker.signoff import bound
from tracker.signoff import service as signoff
from tracker.signoff.bound import Bound
from tracker.signoff.models import RequestState, Revision, Signature, SignatureRequest
from tracker.undertakings import bound as undertakings
from tracker.undertakings.models import Undertaking, UndertakingState

# The events that decide the outcome of a text.
VERBS = frozenset(verb.name for verb in bound.VERBS)
DOCUMENTS_AT_A_TIME = 20
Made = TypeVar("Made")
# Opens the key of a cooperation; None if it was destroyed, as the chain says.
OpenKey = Callable[[], bytes | None]


def check(
    reader: Reader, cooperation_id: UUID, reference: str, links: Collection[Link], key: OpenKey
) -> None:
    """Check the checklists and undertakings of a cooperation against the events of its chain.

    links are those of VERBS. Raise BrokenError at the first row that contradicts them.
    """
    cooperation = _Cooperation(reader, cooperation_id, reference)
    bound, words = cooperation.bound(links, key)
    cooperation.check_checklists(bound, words)
    cooperation.check_undertakings(bound)


class _Cooperation:
    """A cooperation whose rows are compared."""

    def __init__(self, reader: Reader, cooperation_id: UUID, reference: str) -> None:
        self._reader = reader
        self._id = cooperation_id
        self._reference = reference

    def bound(
        self, links: Collection[Link], key: OpenKey
    ) -> tuple[Bound, dict[UUID, TextFacts | None]]:
        """Return revisions, signatures and events, and the content of each readable text."""
        bound = Bound()
        words: dict[UUID, TextFacts | None] = {}
        for link in links:
            bound.links.setdefault(link.subject_id, []).append(link)
        query = self._rows(Revision, Revision.cooperation_id).order_by(Revision.number)
        for row in self._reader.rows(query, DOCUMENTS_AT_A_TIME):
            revision = self._read(stored.revision, row, Table.REVISION)
            bound.revisions.setdefault(revision.subject_id, []).append(revision)
            opened = key() if revision.is_sealed else None
            if (opened is not None or not revision.is_sealed) and (
                revision.subject_type == texts.SUBJECT
            ):
                plain = signoff.plain_bytes(revision, opened)
                words[revision.id] = facts_of(revision.kind, revision.digest, plain)
            revision.document = b""  # large, and no longer needed
        signatures = (
            sa.select(*stored.columns(Signature))
            .join(Revision, Revision.id == Signature.revision_id)
            .where(Revision.cooperation_id == self._id)
            .order_by(Signature.signed_at, Signature.id)
        )
        for row in self._reader.rows(signatures):
            signature = self._read(stored.signature, row, Table.SIGNATURE)
            bound.signatures.setdefault(signature.revision_id, []).append(signature)
        return bound, words

    def check_checklists(self, bound: Bound, words: Mapping[UUID, TextFacts | None]) -> None:
        """Compare each checklist, with the signature requests of its texts and their notices."""
        requests = self._requests()
        notices, renewals = self._notices(), self._renewals()
        query = self._rows(Checklist, Checklist.cooperation_id).order_by(
            Checklist.started_at, Checklist.id
        )
        for row in self._reader.rows(query):
            place = RowLocation(Table.CHECKLIST, self._reference, row=printable(row["kind"]))
            checklist_id = read(lambda row: stored.identity(row["id"]), row, place)
            own = requests.get(checklist_id, {})
            claims = read(_claims(own, notices.get(checklist_id, ())), row, place)
            compared = texts.compare_with_events(
                claims,
                checklist_id,
                bound,
                {
                    revision.id: words[revision.id]
                    for revision in bound.revisions.get(checklist_id, ())
                    if revision.id in words
                },
                renewals.get(checklist_id, []),
            )
            if not compared.agrees:
                broken(Fault.DISAGREES, place)

    def check_undertakings(self, bound: Bound) -> None:
        """Compare each undertaking."""
        query = (
            self._rows(Undertaking, Undertaking.cooperation_id, as_stored(User.name))
            .outerjoin(User, User.id == Undertaking.user_id)
            .order_by(Undertaking.asked_at, Undertaking.id)
        )
        for row in self._reader.rows(query):
            place = RowLocation(Table.UNDERTAKING, self._reference, row=printable(row["name"]))
            undertaking = read(_undertaking, row, place)
            if not undertakings.compare_with_events(undertaking, bound).agrees:
                broken(Fault.DISAGREES, place)

    # Rows

    def _rows(self, model: type[Base], owner: Any, *beside: Any) -> sa.Select[Any]:
        return sa.select(*stored.columns(model), *beside).where(owner == self._id)

    def _read(self, make: Callable[[Stored], Made], row: Stored, table: Table) -> Made:
        return read(make, row, RowLocation(table, self._reference, row=printable(row["id"])))

    def _requests(self) -> dict[UUID, dict[UUID, RequestState]]:
        states: dict[UUID, dict[UUID, RequestState]] = defaultdict(dict)
        query = (
            sa.select(
                as_stored(SignatureRequest.revision_id),
                as_stored(SignatureRequest.state),
                as_stored(Revision.subject_id),
                as_stored(Revision.number),
            )
            .join(Revision, Revision.id == SignatureRequest.revision_id)
            .where(Revision.cooperation_id == self._id)
        )
        for row in self._reader.rows(query):
            place = RowLocation(Table.REQUEST, self._reference, row=printable(row["number"]))
            subject_id, revision_id, state = read(_request, row, place)
            states[subject_id][revision_id] = state
        return states

    def _notices(self) -> dict[UUID, list[Notice]]:
        notices: dict[UUID, list[Notice]] = defaultdict(list)
        for row in self._beside_checklists(Notice, Notice.checklist_id):
            notice = self._read(_notice, row, Table.NOTICE)
            notices[notice.checklist_id].append(notice)
        return notices

    def _renewals(self) -> dict[UUID, list[Renewal]]:
        renewals: dict[UUID, list[Renewal]] = defaultdict(list)
        for row in self._beside_checklists(Renewal, Renewal.checklist_id):
            renewal = self._read(stored.renewal, row, Table.RENEWAL)
            renewals[renewal.checklist_id].append(renewal)
        return renewals

    def _beside_checklists(self, model: type[Base], owner: Any) -> Iterator[Stored]:
        query = (
            sa.select(*stored.columns(model))
            .join(Checklist, Checklist.id == owner)
            .where(Checklist.cooperation_id == self._id)
        )
        return self._reader.rows(query)


def _claims(
    requests: Mapping[UUID, RequestState], notices: Collection[Notice]
) -> Callable[[Stored], Claims]:
    def make(row: Stored) -> Claims:
        stopped_by = row["halt"]
        return Claims(
            kind=stored.choice(ChecklistKind, row["kind"]),
            state=stored.choice(ChecklistState, row["state"]),
            in_force_id=stored.identity_or_none(row["revision_in_force_id"]),
            sent_id=stored.identity_or_none(row["revision_sent_id"]),
            stopped_by=None if stopped_by is None else stored.choice(NoticeKind, stopped_by),
            stopped_id=stored.identity_or_none(row["halted_id"]),
            in_force_at=stored.moment_or_none(row["in_force_at"]),
            requests=requests,
            notices=notices,
        )

    return make


def _request(row: Stored) -> tuple[UUID, UUID, RequestState]:
    return (
        stored.identity(row["subject_id"]),
        stored.identity(row["revision_id"]),
        stored.choice(RequestState, row["state"]),
    )


def _notice(row: Stored) -> Notice:
    """Return a notice with its status, which is compared here."""
    notice = stored.notice(row)
    notice.closed_at = stored.moment_or_none(row["closed_at"])
    notice.taken_effect_at = stored.moment_or_none(row["taken_effect_at"])
    return notice


def _undertaking(row: Stored) -> Undertaking:
    return Undertaking(
        id=stored.identity(row["id"]),
        user_id=stored.identity(row["user_id"]),
        state=stored.choice(UndertakingState, row["state"]),
        revision_id=stored.identity_or_none(row["revision_id"]),
        countersigned_at=stored.moment_or_none(row["countersigned_at"]),
        signed_at=stored.moment_or_none(row["signed_at"]),
        closed_at=stored.moment_or_none(row["closed_at"]),
    )
