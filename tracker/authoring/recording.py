"""The event for a published part of this instance's content, bound to its row by the digest."""

from typing import Any

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklist_templates.models import ChecklistTemplate
from tracker.checklists.models import ModelTextRevision


def record(
    verb: verbs.Verb, actor: Actor, row: ChecklistTemplate | ModelTextRevision, **details: Any
) -> None:
    """Record what was done with a version of a checklist, or a revision of a model text."""
    subject_type, version = (
        ("checklist_template", row.version)
        if isinstance(row, ChecklistTemplate)
        else ("model_text_revision", row.number)
    )
    trail.record(
        verb,
        actor=actor,
        subject_type=subject_type,
        subject_id=row.id,
        evidence=row.digest,
        kind=row.kind.value,
        version=version,
        digest=row.digest,
        **details,
    )
