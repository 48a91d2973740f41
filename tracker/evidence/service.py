"""The verb of the evidence: taking out that of a cooperation, which is an event of its own."""

from dataclasses import dataclass
from uuid import UUID

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.service import lock_chain, log_read, record
from tracker.evidence import checkpoints, policy, queries

PAGE = "evidence"


@dataclass(frozen=True, slots=True)
class Export:
    """That the evidence of a cooperation was taken out: up to which event, and what goes along.

    The event itself is the last one, and the checkpoint stands for it.
    """

    cooperation_id: UUID
    reference: str
    count: int
    size: int
    revision_ids: frozenset[UUID]


def export(
    actor: Actor | None, cooperation_id: UUID, reference: str, *, with_closed: bool = False
) -> Export:
    """Record that the evidence is taken out, and sign a checkpoint that stands for all of it.

    The caller has found the cooperation scoped. with_closed takes along the texts of class K2 to K7
    that the person may open; each is noted as read. actor None means the command, which takes along
    what every manager may see. The bundle is built (bundle.build) after the commit, so that nobody
    waits for it. Raise KeysError when the key of the checkpoints can't be read.
    """
    if actor is not None:
        policy.can_export(actor).require()
    lock_chain(None)  # before the cooperation's, as everywhere that holds both
    texts = queries.texts(actor, cooperation_id, with_closed=with_closed)
    closed = [text for text in texts if text.is_sealed]
    for text in closed:
        if actor is not None:
            log_read(
                actor,
                cooperation_id=cooperation_id,
                subject_type=text.subject_type,
                subject_id=text.subject_id,
                page=PAGE,
            )
    event = record(
        verbs.EVIDENCE_EXPORTED,
        actor=actor,
        subject_type="cooperation",
        subject_id=cooperation_id,
        cooperation_id=cooperation_id,
        texts=len(texts),
        closed=len(closed),
    )
    checkpoint = checkpoints.make()
    if checkpoint is None:  # an event was just recorded, so there is something to sign
        raise LookupError
    return Export(
        cooperation_id=cooperation_id,
        reference=reference,
        count=event.number,
        size=checkpoint.size,
        revision_ids=frozenset(text.revision_id for text in texts),
    )
