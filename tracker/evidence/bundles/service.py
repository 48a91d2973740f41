"""The service function that exports a cooperation's evidence, which records an event."""

from dataclasses import dataclass
from uuid import UUID

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.service import lock_chain, log_read, record
from tracker.agreements.service import SUBJECT as CHECKLIST
from tracker.evidence import policy
from tracker.evidence.bundles import queries
from tracker.evidence.bundles.queries import Planning, Text
from tracker.evidence.log import checkpoints

PAGE = "evidence"
# The reader for whom the command makes the bundle: somebody without any role.
_NOBODY = Actor(user_id=UUID(int=0), name="")


@dataclass(frozen=True, slots=True)
class Export:
    """An export of a cooperation's evidence: up to which event, and what it includes.

    The event of the export is the last one, and the checkpoint covers it.
    """

    cooperation_id: UUID
    reference: str
    count: int
    size: int
    revision_ids: frozenset[UUID]
    # The visits whose planning is included, their checklists and the comments on these: the
    # subjects of events.
    planning_ids: frozenset[UUID] = frozenset()
    # The events that the history doesn't show the person who exports, by their numbers.
    unseen: frozenset[int] = frozenset()


def export(
    actor: Actor | None, cooperation_id: UUID, reference: str, *, with_closed: bool = False
) -> Export:
    """Record the export of the evidence, and sign a checkpoint that covers all of it.

    The caller has found the cooperation in scope. with_closed includes the texts of class K2 to K7
    that the person may open, and the details of what was done for visits that they may know of;
    each is logged as read. Details of events that the history doesn't show the person are left out.
    actor None means the command, whose bundle anybody may be given: it includes no text of class K2
    to K7, nothing of a team, and no details that the history shows only some people.
    The bundle is built (bundle.build) after the commit, so that nobody waits for it. Raise
    KeysError if the checkpoint key can't be read.
    """
    if actor is not None:
        policy.can_export(actor).require()
    instance = lock_chain(None)  # before the cooperation's, as everywhere that locks both
    texts = queries.texts(actor, cooperation_id, with_closed=with_closed)
    closed = [text for text in texts if text.is_sealed]
    planning: list[Planning] = []
    if actor is not None:
        planning = queries.planning(actor, cooperation_id) if with_closed else []
        _note_reads(actor, cooperation_id, closed, planning)
    event = record(
        verbs.EVIDENCE_EXPORTED,
        actor=actor,
        subject_type="cooperation",
        subject_id=cooperation_id,
        cooperation_id=cooperation_id,
        # Without the number of confidential texts: it would reveal whether the person may know of a
        # visit.
        texts=len(texts) - len(closed),
        closed=bool(closed),
    )
    checkpoint = checkpoints.make([instance.id, event.chain_id])
    if checkpoint is None:  # an event was just recorded, so there is something to sign
        raise LookupError
    return Export(
        cooperation_id=cooperation_id,
        reference=reference,
        count=event.number,
        size=checkpoint.size,
        revision_ids=frozenset(text.revision_id for text in texts),
        planning_ids=_subjects(planning),
        unseen=queries.unseen(actor or _NOBODY, event.chain_id),
    )


def _subjects(planning: list[Planning]) -> frozenset[UUID]:
    checklist_ids = {checklist.checklist_id for checklist in planning}
    visit_ids = {checklist.visit_id for checklist in planning}
    return frozenset(checklist_ids | visit_ids | {*queries.comments_on(checklist_ids)})


def _note_reads(
    actor: Actor, cooperation_id: UUID, closed: list[Text], planning: list[Planning]
) -> None:
    """Log each confidential text as read, and each checklist of a visit that has none."""
    read = [(text.subject_type, text.subject_id) for text in closed]
    read += [
        (CHECKLIST, checklist.checklist_id)
        for checklist in planning
        if (CHECKLIST, checklist.checklist_id) not in read
    ]
    for subject_type, subject_id in read:
        log_read(
            actor,
            cooperation_id=cooperation_id,
            subject_type=subject_type,
            subject_id=subject_id,
            page=PAGE,
        )
