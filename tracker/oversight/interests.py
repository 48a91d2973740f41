"""The audit that whoever took a person's signature didn't decide on that person's interests.

It runs after the chain, signatures and rows of undertakings were verified. The details of a
decision's event say who decided; once they are erased, only the row does, and only for the last
decision.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import verbs
from tracker.activity.chain import Link
from tracker.activity.verify import Details
from tracker.oversight import stored
from tracker.oversight.facts import Fault, RowLocation, Table
from tracker.oversight.reading import Reader, broken, printable, read
from tracker.oversight.stored import Stored, as_stored
from tracker.signoff import vouching
from tracker.signoff.models import Revision, Signature
from tracker.undertakings.models import AddedInterest, Undertaking

DECIDED = verbs.INTERESTS_DECIDED.name
# A signature is taken when the text is frozen: on paper, the scan is confirmed after that.
TAKEN, CLOSED = verbs.UNDERTAKING_FROZEN.name, verbs.UNDERTAKING_CLOSED.name


@dataclass(slots=True)
class Decisions:
    """The events of a chain that say who decided on interests, and on which undertakings."""

    # The event of each decision, with who decided; None where its details were erased.
    decided: list[tuple[Link, UUID | None]] = field(default_factory=list)
    # By undertaking: the event with which its signature was taken, and the one that closed it.
    taken: dict[UUID, int] = field(default_factory=dict)
    closed: dict[UUID, int] = field(default_factory=dict)

    def hear(self, link: Link, details: Details | None) -> None:
        """Add the next event of the chain."""
        if link.verb == DECIDED:
            self.decided.append((link, _actor(details)))
        elif link.verb == TAKEN:
            self.taken[link.subject_id] = link.number
        elif link.verb == CLOSED:
            self.closed[link.subject_id] = link.number


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a cooperation's rows say: whose each undertaking or interest is, and who decided."""

    # By undertaking or added interest.
    decided_by: dict[UUID, UUID | None]
    # The person of an added interest, and the undertakings of a person.
    whose: dict[UUID, UUID]
    undertakings: dict[UUID, list[UUID]]
    # By undertaking.
    takers: Mapping[UUID, set[UUID]]


def check(reader: Reader, cooperation_id: UUID, reference: str, decisions: Decisions) -> None:
    """Raise BrokenError at the first decision by whoever took the signature it is about."""
    if not decisions.decided:
        return
    rows = _read(reader, cooperation_id, reference)
    last = {link.subject_id: link.number for link, _decider in decisions.decided}
    for link, decider in decisions.decided:
        who = decider
        if who is None and link.number == last[link.subject_id]:
            who = rows.decided_by.get(link.subject_id)
        undertaking_id = _undertaking_of(link, decisions, rows)
        if who is not None and who in rows.takers.get(undertaking_id, ()):
            broken(Fault.TAKER_DECIDED, RowLocation(Table.EVENT, reference, link.number))


def _actor(details: Details | None) -> UUID | None:
    who = details.content.get("who") if details is not None else None
    return vouching.id_of(who.get("id")) if isinstance(who, dict) else None


def _undertaking_of(link: Link, decisions: Decisions, rows: _Rows) -> UUID:
    """Return the undertaking that a decision is about.

    An added interest belongs to the person and outlives the undertaking it was added to: the
    decision is about the one that was signed and not yet closed at that time.
    """
    person_id = rows.whose.get(link.subject_id)
    if person_id is None:
        return link.subject_id
    open_then = [
        undertaking_id
        for undertaking_id in rows.undertakings[person_id]
        if decisions.taken.get(undertaking_id, link.number) < link.number
        and decisions.closed.get(undertaking_id, link.number) >= link.number
    ]
    return max(open_then, key=lambda own: decisions.taken[own], default=link.subject_id)


def _read(reader: Reader, cooperation_id: UUID, reference: str) -> _Rows:
    rows = _Rows({}, {}, defaultdict(list), defaultdict(set))
    for model, table in ((Undertaking, Table.UNDERTAKING), (AddedInterest, Table.CHECKED)):
        query = sa.select(*map(as_stored, (model.id, model.user_id, model.decided_by_id))).where(
            model.cooperation_id == cooperation_id
        )
        for row in reader.rows(query):
            place = RowLocation(table, reference, row=printable(row["id"]), of=model.__tablename__)
            row_id, user_id, decided_by = read(_decided_row, row, place)
            rows.decided_by[row_id] = decided_by
            if model is Undertaking:
                rows.undertakings[user_id].append(row_id)
            else:
                rows.whose[row_id] = user_id
    for undertaking_id, signature in _signatures(reader, cooperation_id, reference):
        about = {"presence": signature.presence, "paper": signature.paper}
        rows.takers[undertaking_id].update(vouching.takers([about]))
    return rows


def _decided_row(row: Stored) -> tuple[UUID, UUID, UUID | None]:
    return (
        stored.identity(row["id"]),
        stored.identity(row["user_id"]),
        stored.identity_or_none(row["decided_by_id"]),
    )


def _signatures(
    reader: Reader, cooperation_id: UUID, reference: str
) -> Iterator[tuple[UUID, Signature]]:
    query = (
        sa.select(*stored.columns(Signature), as_stored(Revision.subject_id))
        .join(Revision, Revision.id == Signature.revision_id)
        .join(Undertaking, Undertaking.id == Revision.subject_id)
        .where(Revision.cooperation_id == cooperation_id)
    )
    for row in reader.rows(query):
        place = RowLocation(Table.SIGNATURE, reference, row=printable(row["signer_name"]))
        yield (
            read(lambda row: stored.identity(row["subject_id"]), row, place),
            read(stored.signature, row, place),
        )
