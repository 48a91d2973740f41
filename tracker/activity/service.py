"""Recording of events: appends to the chain and runs the handlers, in the caller's transaction.

In one file: whatever appends to a chain locks it, binds the rows that changed and seals its end.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, SessionTransaction

from tracker.access.actor import Actor
from tracker.activity import binding, stale, unaltered
from tracker.activity import chain as arithmetic
from tracker.activity.binding import ChainKey, State
from tracker.activity.models import (
    IS_OF_THE_INSTANCE,
    Chain,
    ChainKind,
    Event,
    EventDetail,
    ReadLogEntry,
)
from tracker.activity.verbs import ROWS_NOTED, Verb
from tracker.core import clock, crypto
from tracker.core.db import apart, db, will_write
from tracker.core.services import Slot


@dataclass(frozen=True, slots=True)
class DomainEvent:
    """What a handler receives about an event."""

    verb: Verb
    subject_type: str
    subject_id: UUID
    cooperation_id: UUID | None
    actor: Actor | None
    details: Mapping[str, Any] = field(default_factory=dict)
    # Whether a handler recorded it, since it follows from another event.
    follows: bool = False


Handler = Callable[[DomainEvent], None]
# How many events' handlers are running.
_DEPTH = "handlers running"
# The handlers of each verb, which belong to higher packages; app lists them in one table.
HANDLERS: Slot[Mapping[Verb, tuple[Handler, ...]]] = Slot("handlers", {})


def record(
    verb: Verb,
    *,
    actor: Actor | None,
    subject_type: str,
    subject_id: UUID,
    cooperation_id: UUID | None = None,
    evidence: str | None = None,
    **details: Any,
) -> Event:
    """Append an event to the cooperation's chain, or to the instance's if there is none.

    evidence is the digest of the row the event is about (a revision, a signature), bound into the
    chain permanently. details may have only the verb's keys (ValueError otherwise) and must contain
    nothing of class K2 to K7. actor None means the application itself. Checked rows of the chain
    that have changed since its last event are bound too (activity/checked.py).
    """
    subject = (subject_type, subject_id)
    return _record(verb, actor, ChainKey(cooperation_id), subject, evidence, details)


def record_of_team(
    verb: Verb,
    *,
    actor: Actor | None,
    subject_type: str,
    subject_id: UUID,
    cooperation_id: UUID,
    visit_id: UUID | None,
    **details: Any,
) -> Event:
    """Record what somebody confirms for themselves, in the chain of the visit it is about.

    So the cooperation's chain, which every bundle contains, reveals nothing about the size of the
    team (adr 87). It is recorded there if it is about no visit, or about one that was planned
    before visits had chains. Otherwise as record().
    """
    key = ChainKey(cooperation_id)
    if visit_id is not None and binding.has_chain(db.session(), visit_id):
        key = ChainKey(cooperation_id, visit_id)
    return _record(verb, actor, key, (subject_type, subject_id), None, details)


def _record(
    verb: Verb,
    actor: Actor | None,
    key: ChainKey,
    subject: tuple[str, UUID],
    evidence: str | None,
    details: dict[str, Any],
) -> Event:
    unknown = details.keys() - verb.keys
    if unknown:
        message = f"{verb.name} keeps no {', '.join(sorted(unknown))}"
        raise ValueError(message)
    db.session.flush()
    event = _append(
        lock_chain(*key),
        verb,
        subject,
        {"who": _who(actor), **details},
        binding.take(db.session(), key),
        evidence,
    )
    depth = db.session.info.get(_DEPTH, 0)
    domain_event = DomainEvent(verb, *subject, key.cooperation_id, actor, details, depth > 0)
    db.session.info[_DEPTH] = depth + 1
    try:
        for handler in HANDLERS.get().get(verb, ()):
            handler(domain_event)
    finally:
        db.session.info[_DEPTH] = depth
    return event


def bind_rows(
    verb: Verb, cooperation_id: UUID | None, rows: State, *, visit_id: UUID | None = None
) -> Event:
    """Append an event that only binds the current state of some rows of a chain.

    With visit_id it is the visit's own chain: raise LookupError if it has none.
    """
    db.session.flush()
    chain = lock_chain(cooperation_id, visit_id)
    state = {table: dict(digests_by_row) for table, digests_by_row in rows.items()}
    taken = binding.take(db.session(), ChainKey(cooperation_id, visit_id))
    for table, row_digests in taken.items():
        state.setdefault(table, {}).update(row_digests)
    return _append(chain, verb, ("chain", chain.id), {"who": None}, state)


def _bind_by_subject() -> None:
    """Bind the rows of the instance that no event has bound, each in an event about its subject.

    So whoever compares a person finds these events among those about the person.
    """
    for subject in binding.subjects_to_bind(db.session()):
        if subject is None:
            continue
        state = binding.take(db.session(), ChainKey(), subject)
        _append(lock_chain(None), ROWS_NOTED, subject, {"who": None}, state)
    if ChainKey() in binding.chains(db.session()):
        bind_rows(ROWS_NOTED, None, {})


def bind_visit(cooperation_id: UUID, visit_id: UUID) -> None:
    """Bind what changed in a visit's own chain since its last event, if anything did.

    For whoever judges by events what no other event of this transaction has bound yet.
    """
    db.session.flush()
    if ChainKey(cooperation_id, visit_id) in binding.chains(db.session()):
        bind_rows(ROWS_NOTED, cooperation_id, {}, visit_id=visit_id)


def _append(
    chain: Chain,
    verb: Verb,
    subject: tuple[str, UUID],
    content: dict[str, Any],
    state: State,
    evidence: str | None = None,
) -> Event:
    unaltered.begin(db.session(), (chain.cooperation_id, chain.visit_id), chain.count)
    salt = secrets.token_hex(16)
    subject_type, subject_id = subject
    link = arithmetic.Link(
        event_id=uuid4(),
        chain_id=chain.id,
        number=chain.count + 1,
        verb=verb.name,
        subject_type=subject_type,
        subject_id=subject_id,
        at=clock.now(),
        details_digest=arithmetic.details_digest(salt, content),
        evidence=evidence,
        previous=chain.head,
        state=arithmetic.state_digest(state),
    )
    event = Event(
        id=link.event_id,
        chain_id=link.chain_id,
        number=link.number,
        verb=link.verb,
        subject_type=link.subject_type,
        subject_id=link.subject_id,
        at=link.at,
        details_digest=link.details_digest,
        evidence=link.evidence,
        state=state,
        previous=link.previous,
        digest=link.digest(),
    )
    db.session.add(event)
    db.session.add(EventDetail(event_id=event.id, salt=salt, content=content))
    chain.head = event.digest
    chain.count = event.number
    chain.seal = _seal(chain)
    db.session.flush()
    return event


@sa.event.listens_for(Session, "before_commit")
def _finish(session: Session) -> None:
    """Recompute stale values, then bind rows changed since their chain's last event.

    Then raise RefusedError if the act may not change what was altered before it.
    """
    if session.in_nested_transaction():
        return
    stale.work_out(session)
    session.flush()
    for key in binding.chains(session):
        if key == ChainKey():
            _bind_by_subject()
        else:
            bind_rows(ROWS_NOTED, key.cooperation_id, {}, visit_id=key.visit_id)
    unaltered.require(session)


def start_chain(cooperation_id: UUID | None) -> Chain:
    """Start the chain of a cooperation, or of the instance."""
    kind = ChainKind.COOPERATION if cooperation_id else ChainKind.INSTANCE
    return _start(kind, cooperation_id, None)


def start_visit_chain(visit_id: UUID) -> Chain:
    """Start the chain of a visit, for what the people of its team confirm (adr 87).

    The event that records the planning of the visit binds it (chain.visit_chain_digest).
    """
    binding.know_chain(db.session(), visit_id)
    return _start(ChainKind.VISIT, None, visit_id)


def end_of_visit_chain(cooperation_id: UUID, visit_id: UUID) -> str | None:
    """Return the digest of the last event in a visit's chain; None if the visit has no chain.

    An event of the cooperation that rests on what the team confirmed binds it, so nobody can cut
    that off without rewriting the cooperation's chain (adr 87).
    """
    if not binding.has_chain(db.session(), visit_id):
        return None
    return lock_chain(cooperation_id, visit_id).head


def _start(kind: ChainKind, cooperation_id: UUID | None, visit_id: UUID | None) -> Chain:
    chain = Chain(
        id=uuid4(),
        kind=kind,
        cooperation_id=cooperation_id,
        visit_id=visit_id,
        head=arithmetic.START,
        count=0,
    )
    chain.seal = _seal(chain)
    db.session.add(chain)
    db.session.flush()
    return chain


def log_read(
    actor: Actor, *, cooperation_id: UUID, subject_type: str, subject_id: UUID, page: str
) -> None:
    """Record that a person opened a page with information of class K2 to K7.

    In a request that only reads, it is written in a short transaction of its own, so that the page
    needs no write lock; in one that writes, in the caller's transaction.
    """
    log_reads(
        actor,
        cooperation_id=cooperation_id,
        subject_type=subject_type,
        subject_ids=[subject_id],
        page=page,
    )


def log_reads(
    actor: Actor,
    *,
    cooperation_id: UUID,
    subject_type: str,
    subject_ids: Sequence[UUID],
    page: str,
) -> None:
    """Record that a person opened a page that shows several subjects: an entry for each.

    Like log_read, in a constant number of statements.
    """
    reads = [Read(cooperation_id, subject_type, subject_id) for subject_id in subject_ids]
    log_all_reads(actor, reads, page=page)


class Read(NamedTuple):
    """Something of class K2 to K7 that a page shows."""

    cooperation_id: UUID
    subject_type: str
    subject_id: UUID


def log_all_reads(actor: Actor, reads: Iterable[Read], *, page: str) -> None:
    """Record that a person opened a page that shows subjects of several cooperations."""
    now = clock.now()
    entries = [
        ReadLogEntry(
            cooperation_id=read.cooperation_id,
            user_id=actor.user_id,
            organisation_id=actor.organisation_id,
            subject_type=read.subject_type,
            subject_id=read.subject_id,
            page=page,
            at=now,
        )
        for read in reads
    ]
    if will_write.get():
        db.session.add_all(entries)
        return
    with apart() as own:
        own.add_all(entries)


# The chains that the session's transaction has locked.
_HELD = "held_chains"


def holds_chain(cooperation_id: UUID | None) -> bool:
    """Return whether this transaction has locked a chain."""
    return ChainKey(cooperation_id) in db.session.info.get(_HELD, {})


@sa.event.listens_for(Session, "after_transaction_end")
def _let_go(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_HELD, None)


@sa.event.listens_for(Session, "after_soft_rollback")
def _let_go_of_what_was_rolled_back(session: Session, _before: SessionTransaction) -> None:
    # Rolling back a savepoint releases what was locked since.
    session.info.pop(_HELD, None)


def lock_chain(cooperation_id: UUID | None, visit_id: UUID | None = None) -> Chain:
    """Lock a chain (None: the instance's) against appending until the caller's transaction ends.

    So whoever has locked a cooperation's chain reads everything that earlier transactions wrote to
    it. The chain of a visit is locked after its cooperation's, so whoever has locked that sees
    what its people have confirmed. Raise LookupError if there is none.
    """
    chains: dict[ChainKey, Chain] = db.session.info.setdefault(_HELD, {})
    for key in dict.fromkeys((ChainKey(cooperation_id), ChainKey(cooperation_id, visit_id))):
        if key not in chains:
            chains[key] = _locked_chain(key)
    return chains[ChainKey(cooperation_id, visit_id)]


_LOCKED = sa.select(Chain).with_for_update().execution_options(populate_existing=True)
_CHAIN_OF = _LOCKED.where(Chain.cooperation_id == sa.bindparam("cooperation_id"))
_CHAIN_OF_VISIT = _LOCKED.where(Chain.visit_id == sa.bindparam("visit_id"))
_CHAIN_OF_THE_INSTANCE = _LOCKED.where(IS_OF_THE_INSTANCE)


def _locked_chain(key: ChainKey) -> Chain:
    wanted, values = _CHAIN_OF_THE_INSTANCE, {}
    if key.visit_id is not None:
        wanted, values = _CHAIN_OF_VISIT, {"visit_id": key.visit_id}
    elif key.cooperation_id is not None:
        wanted, values = _CHAIN_OF, {"cooperation_id": key.cooperation_id}
    chain = db.session.scalar(wanted, values)
    if chain is not None:
        return chain
    if values:
        message = f"No chain was started for {values}."
        raise LookupError(message)
    try:
        with db.session.begin_nested():
            return start_chain(None)
    except IntegrityError:  # another process started the instance's chain in the same moment
        return db.session.execute(wanted).scalar_one()


def _seal(chain: Chain) -> str:
    if chain.seal:
        crypto.require_key_of(chain.seal)
    return arithmetic.seal_head(
        chain.kind.value,
        chain.id,
        chain.cooperation_id,
        chain.head,
        chain.count,
        chain.visit_id,
    )


def _who(actor: Actor | None) -> dict[str, str] | None:
    if actor is None:
        return None
    return {
        "id": str(actor.user_id),
        "name": actor.name,
        "for": actor.organisation_name,
        "for_id": str(actor.organisation_id or ""),
    }
