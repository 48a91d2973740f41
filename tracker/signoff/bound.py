"""Queries for the events and signatures behind frozen texts, in a constant number."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import defer

from tracker.activity import witness
from tracker.activity.chain import Link
from tracker.activity.models import Event
from tracker.activity.witness import DetailedEvent
from tracker.core import canonical
from tracker.core.db import db
from tracker.signoff import outcomes, policy
from tracker.signoff.models import Revision, Signature
from tracker.signoff.outcomes import Course, Rule, Text, UndertakingCourse

SIGNATURE = "signature"
VERBS = (*outcomes.COURSE, *outcomes.RENEWING, *outcomes.SIGNING, *outcomes.UNDERTAKING)


@dataclass(slots=True)
class Bound:
    """The evidence about some subjects: revisions (without their text), signatures and events."""

    # By subject; the oldest revision first.
    revisions: dict[UUID, list[Revision]] = field(default_factory=dict)
    # By revision.
    signatures: dict[UUID, list[Signature]] = field(default_factory=dict)
    # By the subject of the event, or by a signature.
    links: dict[UUID, list[Link]] = field(default_factory=dict)
    # By revision, without its rule: a course is replayed twice, before and after texts are read.
    _texts: dict[UUID, Text] = field(default_factory=dict)

    def course(self, subject_id: UUID, rules: Mapping[UUID, Rule] | None = None) -> Course:
        """Replay a checklist's texts; rules say who signs, by revision, where the text was read."""
        known = rules or {}
        return outcomes.course(
            [link for link in self.links.get(subject_id, ()) if link.verb in _COURSE],
            [
                self._text(revision, known.get(revision.id))
                for revision in self.revisions.get(subject_id, ())
            ],
        )

    def undertaking(self, undertaking_id: UUID, person_id: UUID) -> UndertakingCourse:
        """Replay a person's undertaking."""
        frozen = self.revisions.get(undertaking_id, [])
        revision = frozen[0] if frozen else None
        return outcomes.undertaking_course(
            [link for link in self.links.get(undertaking_id, ()) if link.verb in _UNDERTAKING],
            person_id,
            revision,
            canonical.digest_of(revision.content()) if revision else "",
            self.signatures.get(revision.id, ()) if revision else (),
        )

    def proven(self, revision: Revision) -> bool:
        """Return whether each passkey under a text signed it and the sentence beside it."""
        return all(
            policy.is_signed_by(
                signature.method,
                signature.proof,
                signature.document_digest,
                signature.sentence,
                signature.presence,
            )
            for signature in self.signatures.get(revision.id, ())
        )

    def _text(self, revision: Revision, rule: Rule | None) -> Text:
        if revision.id not in self._texts:
            signatures, links = self._under(revision)
            given = outcomes.witnessed(revision, signatures, links)
            self._texts[revision.id] = Text(
                revision.id,
                canonical.digest_of(revision.content()),
                given,
                has_stray=len(given) != len(signatures),
            )
        return replace(self._texts[revision.id], rule=rule)

    def _under(self, revision: Revision) -> tuple[list[Signature], list[Link]]:
        given = self.signatures.get(revision.id, [])
        links = [
            link
            for signature in given
            for link in self.links.get(signature.id, ())
            if link.verb in _SIGNING and link.subject_type == SIGNATURE
        ]
        return given, links


_COURSE, _SIGNING, _UNDERTAKING = (
    frozenset(verb.name for verb in some)
    for some in (outcomes.COURSE, outcomes.SIGNING, outcomes.UNDERTAKING)
)

_TYPE: sa.BindParameter[str] = sa.bindparam("subject_type")
_IDS: sa.BindParameter[Any] = sa.bindparam("subject_ids", expanding=True)
_IS_OF_SUBJECTS = sa.and_(Revision.subject_type == _TYPE, Revision.subject_id.in_(_IDS))
_REVISIONS = (
    sa.select(Revision, Signature)
    .outerjoin(Signature, Signature.revision_id == Revision.id)
    .where(_IS_OF_SUBJECTS)
    .options(defer(Revision.document))
    .order_by(Revision.number, Signature.signed_at)
)
_UNDER = sa.select(Signature.id).join(Revision).where(_IS_OF_SUBJECTS)
# On Event, for statements that read other events of a cooperation too; with the values of wanted().
IS_ABOUT = sa.or_(
    sa.and_(Event.subject_type == _TYPE, Event.subject_id.in_(_IDS)),
    sa.and_(Event.subject_type == SIGNATURE, Event.subject_id.in_(_UNDER)),
)


def read(
    subject_type: str, subject_ids: Collection[UUID], recorded: Iterable[DetailedEvent]
) -> Bound:
    """Return the evidence about some subjects, in one query.

    recorded are events that contain those of VERBS that are IS_ABOUT these subjects. Only events
    that match their own digest count, so witness.py leaves out others. The chain around them is not
    verified: read_whole() does that, for one cooperation.
    """
    rows = _rows(subject_type, subject_ids)
    about = witness.those_of(recorded, {subject_type, SIGNATURE}, VERBS)
    _put(rows, (link for link, _details in about))
    return rows


def read_whole(subject_type: str, subject_ids: Collection[UUID], cooperation_id: UUID) -> Bound:
    """Return the evidence about some subjects of a cooperation, verifying its whole chain.

    In three queries. Raise NotSoundError (activity.witness) if the chain is not valid.
    """
    rows = _rows(subject_type, subject_ids)
    _put(rows, witness.of_chain(cooperation_id))
    return rows


def _rows(subject_type: str, subject_ids: Collection[UUID]) -> Bound:
    bound = Bound()
    # A revision comes once for each of its signatures, or once without any.
    for revision, signature in db.session.execute(_REVISIONS, wanted(subject_type, subject_ids)):
        of_subject = bound.revisions.setdefault(revision.subject_id, [])
        if revision not in of_subject:
            of_subject.append(revision)
        if signature is not None:
            bound.signatures.setdefault(revision.id, []).append(signature)
    return bound


def wanted(subject_type: str, subject_ids: Collection[UUID]) -> dict[str, Any]:
    """Return the values of IS_ABOUT for some subjects."""
    return {"subject_type": subject_type, "subject_ids": list(subject_ids)}


def _put(bound: Bound, links: Iterable[Link]) -> None:
    for link in links:
        bound.links.setdefault(link.subject_id, []).append(link)
