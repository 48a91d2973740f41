"""Whether the database is consistent after the torture, judged from its rows alone."""

from collections import Counter
from collections.abc import Iterable, Iterator
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from tests.torture.acts import Act, Agreement
from tests.torture.record import Record
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.checklists.models import Checklist, ChecklistState
from tracker.core.db import db
from tracker.signoff.models import RequestState, Revision, Signature, SignatureRequest

# The trail's verb for each act. Accepting isn't part of signing.
VERB_OF = {
    Act.SEND: verbs.SENT_FOR_SIGNATURE,
    Act.SIGN: verbs.SIGNED,
    Act.DECLINE: verbs.DECLINED,
    Act.AMEND: verbs.AMENDMENT_OPENED,
}

# What may follow each state, and the state after it.
NEXT = {
    ChecklistState.DRAFTING: {verbs.SENT_FOR_SIGNATURE.name: ChecklistState.SENT},
    ChecklistState.SENT: {
        verbs.SIGNED.name: ChecklistState.SENT,
        verbs.DECLINED.name: ChecklistState.DRAFTING,
        verbs.CAME_INTO_FORCE.name: ChecklistState.IN_FORCE,
    },
    ChecklistState.IN_FORCE: {verbs.AMENDMENT_OPENED.name: ChecklistState.DRAFTING},
}


def faults(app: Flask, agreements: tuple[Agreement, ...], record: Record) -> list[str]:
    """Return a sentence for everything that is wrong; nothing if all is consistent."""
    with app.app_context():
        faults_found = [
            *_lost(record),
            *_doubled(),
            *(fault for agreement in agreements for fault in Story(agreement).faults()),
            *_miscounted(agreements, record),
        ]
        db.session.remove()
    checked = app.test_cli_runner().invoke(args=["audit", "verify"])
    if checked.exit_code:
        faults_found.append(checked.output)
    return faults_found


def _lost(record: Record) -> Iterator[str]:
    digests = set(db.session.scalars(sa.select(Signature.digest)))
    for digest in record.signatures:
        if digest not in digests:
            yield f"Signature {digest} was acknowledged and is not there."


def _doubled() -> Iterator[str]:
    twice = sa.select(Signature.revision_id, Signature.organisation_id).group_by(
        Signature.revision_id, Signature.organisation_id
    )
    for revision_id, organisation_id in db.session.execute(twice.having(sa.func.count() > 1)):
        yield f"Revision {revision_id} is signed twice for {organisation_id}."


def _miscounted(agreements: tuple[Agreement, ...], record: Record) -> Iterator[str]:
    """Check that all acts reported as done are there, and no others unless a response was lost."""
    subjects = [agreement.checklist_id for agreement in agreements]
    signed = (
        sa.select(Signature.id)
        .join(Revision)
        .where(Revision.subject_id.in_(subjects))
        .scalar_subquery()
    )
    rows = db.session.execute(
        sa.select(Event.verb, sa.func.count())
        .where(Event.subject_id.in_(subjects) | Event.subject_id.in_(signed))
        .group_by(Event.verb)
    )
    counted = Counter[str]()
    for name, times in rows:
        counted[name] += times
    for act, verb in VERB_OF.items():
        more = counted[verb.name] - record.done[act]
        if more < 0 or (more and not record.lost):
            yield f"{record.done[act]} times {act.value} were told, {counted[verb.name]} are there."


class Story:
    """What happened to one text, replayed event by event, accepting only what the rules allow."""

    def __init__(self, agreement: Agreement) -> None:
        self._everybody = {party.organisation_id for party in agreement.parties}
        self._checklist = db.session.get_one(Checklist, agreement.checklist_id)
        self._revisions = list(
            db.session.scalars(
                sa.select(Revision)
                .where(Revision.subject_id == agreement.checklist_id)
                .order_by(Revision.number)
            )
        )
        self._signatures = {
            signature.id: signature
            for signature in db.session.scalars(
                sa.select(Signature).where(
                    Signature.revision_id.in_([revision.id for revision in self._revisions])
                )
            )
        }
        # Signatures whose event was seen so far, and how many revisions were sent.
        self._recorded: set[UUID] = set()
        self._sent = 0

    def faults(self) -> Iterator[str]:
        """Yield every inconsistency."""
        state = ChecklistState.DRAFTING
        signed: set[UUID | None] = set()
        for event in self._events():
            if event.verb not in NEXT[state]:
                yield f"{self._at(event)}: it can't follow on {state.value}."
            state = NEXT[state].get(event.verb, state)
            match event.verb:
                case verbs.SENT_FOR_SIGNATURE.name:
                    signed = set()
                    self._sent += 1
                case verbs.SIGNED.name:
                    yield from self._signature_faults(event)
                    signed.add(self._signatures[event.subject_id].organisation_id)
                case verbs.CAME_INTO_FORCE.name if signed != self._everybody:
                    yield f"{self._at(event)}: not all have signed."
        yield from self._end_faults(state)

    def _end_faults(self, state: ChecklistState) -> Iterator[str]:
        """Yield where the tables differ from what the events say."""
        if state is not self._checklist.state:
            yield f"{self._checklist.id} is {self._checklist.state.value}, not {state.value}."
        if self._recorded != set(self._signatures) or self._sent != len(self._revisions):
            yield f"{self._checklist.id} has signatures or revisions without an event."
        for revision in self._revisions:
            yield from self._request_faults(revision)

    def _at(self, event: Event) -> str:
        return f"{self._checklist.id}, event {event.number} ({event.verb})"

    def _signature_faults(self, event: Event) -> Iterator[str]:
        """Yield what is wrong with a signature: a second event, its revision, its digest."""
        signature = self._signatures[event.subject_id]
        if signature.id in self._recorded:
            yield f"{self._at(event)}: it is told twice."
        if signature.revision_id != self._revisions[self._sent - 1].id:
            yield f"{self._at(event)}: it is the signature of another revision."
        if signature.digest != event.evidence:
            yield f"{self._at(event)}: the trail binds another signature."
        self._recorded.add(signature.id)

    def _events(self) -> Iterable[Event]:
        names = [verb.name for verb in (*VERB_OF.values(), verbs.CAME_INTO_FORCE)]
        subjects = [self._checklist.id, *self._signatures]
        return db.session.scalars(
            sa.select(Event)
            .where(Event.subject_id.in_(subjects), Event.verb.in_(names))
            .order_by(Event.number)
        )

    def _request_faults(self, revision: Revision) -> Iterator[str]:
        """Yield requests completed by anything but the signatures of all."""
        request = db.session.scalars(
            sa.select(SignatureRequest).where(SignatureRequest.revision_id == revision.id)
        ).one()
        signatures = [
            signature
            for signature in self._signatures.values()
            if signature.revision_id == revision.id
        ]
        signers = {signature.organisation_id for signature in signatures}
        if (request.state is RequestState.COMPLETED) != (signers == self._everybody):
            yield f"Revision {revision.id} is {request.state.value}, signed by {len(signers)}."
        if request.ended_at is not None and any(
            signature.signed_at > request.ended_at for signature in signatures
        ):
            yield f"Revision {revision.id} was signed after its request ended."
