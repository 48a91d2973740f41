"""Outside bodies of a cooperation: authorities, donors and the like, which its answers can name.

They are not parties. Answers choose them from this list, so that rules know whom an answer names
(S6, S7). The list is a column of the cooperation's row, which is read together with answers.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.cooperations import policy, queries
from tracker.cooperations.labels import BODY_KINDS
from tracker.cooperations.models import BodyKind, Cooperation
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.names import tidied

MOST = 50
# Including removed ones, which signed texts still name.
MOST_EVER = 200


@dataclass(frozen=True, slots=True)
class OutsideBody:
    """An outside body; a removed one can't be chosen any more, but is shown where it is named."""

    id: UUID
    name: str
    kind: BodyKind
    is_removed: bool = False

    def content(self) -> dict[str, Any]:
        """Return it as stored in the cooperation's row."""
        return {
            "id": str(self.id),
            "name": self.name,
            "kind": self.kind.value,
            "removed": self.is_removed,
        }


def of(cooperation: Cooperation) -> tuple[OutsideBody, ...]:
    """Return the outside bodies of a cooperation, including removed ones, in the order added."""
    return tuple(
        OutsideBody(UUID(row["id"]), row["name"], BodyKind(row["kind"]), row["removed"])
        for row in cooperation.outside_bodies or ()
    )


def offered(cooperation: Cooperation) -> list[tuple[UUID, str]]:
    """Return the outside bodies that can be chosen, with name and kind in words."""
    return [
        (body.id, f"{body.name} ({BODY_KINDS[body.kind]})")
        for body in of(cooperation)
        if not body.is_removed
    ]


def add(actor: Actor, cooperation: Cooperation, *, name: str, kind: BodyKind) -> OutsideBody:
    """Add an outside body that answers can name from now on; record OUTSIDE_BODY_ADDED.

    Raise RuleBrokenError for a name that is empty, too long or already in the list.
    """
    policy.can_add_body(actor, queries.fact(cooperation)).require()
    _lock(cooperation)
    tidy = tidied(name)
    if not tidy:
        raise RuleBrokenError(_l("Enter a name."), "name")
    bodies = of(cooperation)
    if any(body.name.casefold() == tidy.casefold() for body in bodies if not body.is_removed):
        raise RuleBrokenError(_l("This body is already on the list."), "name")
    if sum(not body.is_removed for body in bodies) >= MOST:
        words = _l("A cooperation has at most %(most)s outside bodies.", most=MOST)
        raise RuleBrokenError(words, "name")
    if len(bodies) >= MOST_EVER:
        words = _l("At most %(most)s outside bodies can ever be added here.", most=MOST_EVER)
        raise RuleBrokenError(words, "name")
    body = OutsideBody(uuid4(), tidy, kind)
    _put(cooperation, (*bodies, body))
    record(
        verbs.OUTSIDE_BODY_ADDED,
        actor=actor,
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        name=tidy,
        kind=kind.value,
    )
    return body


def remove(actor: Actor, cooperation: Cooperation, body_id: UUID) -> OutsideBody:
    """Remove an outside body: drafts that name it are no longer complete, signed texts stay.

    Records OUTSIDE_BODY_REMOVED; raises StaleError if it is not in the list.
    """
    policy.can_remove_body(actor, queries.fact(cooperation)).require()
    _lock(cooperation)
    bodies = of(cooperation)
    body = next((body for body in bodies if body.id == body_id and not body.is_removed), None)
    if body is None:
        raise StaleError(_l("This body is no longer on the list."))
    _put(
        cooperation,
        tuple(
            OutsideBody(other.id, other.name, other.kind, is_removed=True)
            if other is body
            else other
            for other in bodies
        ),
    )
    record(
        verbs.OUTSIDE_BODY_REMOVED,
        actor=actor,
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        name=body.name,
        kind=body.kind.value,
    )
    return body


def _lock(cooperation: Cooperation) -> None:
    """Lock the list until the transaction ends, and read it again."""
    db.session.refresh(cooperation, ["outside_bodies"], with_for_update=True)


def _put(cooperation: Cooperation, bodies: tuple[OutsideBody, ...]) -> None:
    cooperation.outside_bodies = [body.content() for body in bodies]
    db.session.flush()
