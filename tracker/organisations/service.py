"""Service functions for organisations: add, change."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from tracker.access.actor import Actor, OrganisationKind
from tracker.activity import service as trail
from tracker.activity.verbs import ORGANISATION_ADDED, ORGANISATION_CHANGED
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.names import tidied
from tracker.organisations import queries
from tracker.organisations.initials import initials_for
from tracker.organisations.labels import CsoType
from tracker.organisations.models import Organisation
from tracker.organisations.policy import can_change_organisations, can_see_organisation

SHORT_NAME_LENGTH = 60


class ResemblanceError(RuleBrokenError):
    """Raised when a name looks like another organisation's, and nobody said it is another one."""

    def __init__(self, other_id: UUID, other_name: str) -> None:
        words = _l(
            "This name looks like that of another organisation: %(other)s. If they aren't the "
            "same, tick the box, then save again.",
            other=other_name,
        )
        super().__init__(words, "is_another")
        self.other_id = other_id


@dataclass(frozen=True, slots=True)
class Details:
    """An organisation's details. Types, expertise and flags are only for CSOs (S62 to S72)."""

    name: str
    short_name: str = ""
    country: str = ""
    languages: list[str] = field(default_factory=list)
    mandate: str = ""
    contact: str = ""
    types: list[str] = field(default_factory=list)
    other_type: str = ""
    expertise: str = ""
    litigates: bool = False
    represents_persons: bool = False
    represents_staff: bool = False


def add(
    actor: Actor | None,
    kind: OrganisationKind,
    details: Details,
    *,
    another_than: Collection[UUID] = (),
    is_demonstration: bool = False,
) -> Organisation:
    """Add an organisation. For administrators; actor None is the application itself.

    Raises RefusedError, or RuleBrokenError with the field if a name is taken or a type missing;
    ResemblanceError if the name or short name looks like that of an organisation that isn't among
    another_than.
    """
    can_change_organisations(actor).require()
    _lock_names()
    checked = _checked(kind, details)
    resembled = _require_another({checked.name, checked.short_name}, another_than)
    organisation = Organisation(
        id=uuid4(),
        kind=kind,
        mark=initials_for(checked.name, queries.taken_initials()),
        is_demonstration=is_demonstration,
        created_at=clock.now(),
        version=1,
        **asdict(checked),
    )
    db.session.add(organisation)
    _flush()
    trail.record(
        ORGANISATION_ADDED,
        actor=actor,
        subject_type="organisation",
        subject_id=organisation.id,
        name=organisation.name,
        kind=kind.value,
        **_said_of(resembled),
    )
    return organisation


def change(
    actor: Actor,
    organisation_id: UUID,
    details: Details,
    *,
    seen_version: int | None,
    another_than: Collection[UUID] = (),
) -> Organisation:
    """Change an organisation's details; its kind stays.

    Raises RefusedError, RuleBrokenError with the field, ResemblanceError as add() for a new name or
    short name, or StaleError if somebody else has saved since the version the person saw.
    """
    can_see_organisation(actor, organisation_id).require()
    can_change_organisations(actor).require()
    organisation = db.session.scalars(
        sa.select(Organisation).where(Organisation.id == organisation_id).with_for_update()
    ).one()
    if organisation.version != seen_version:
        raise StaleError(
            _l("Somebody else changed this organisation in the meantime. Compare, then save again.")
        )
    _lock_names()
    changes = asdict(_checked(organisation.kind, details, organisation))
    changed = sorted(
        name for name, value in changes.items() if getattr(organisation, name) != value
    )
    if not changed:
        return organisation
    new_names = {changes[name] for name in ("name", "short_name") if name in changed}
    resembled = _require_another(new_names, another_than, organisation.id)
    if "name" in changed:
        organisation.mark = initials_for(changes["name"], queries.taken_initials(organisation.id))
    for name in changed:
        setattr(organisation, name, changes[name])
    organisation.version += 1
    _flush()
    trail.record(
        ORGANISATION_CHANGED,
        actor=actor,
        subject_type="organisation",
        subject_id=organisation.id,
        name=organisation.name,
        changed=changed,
        **_said_of(resembled),
    )
    return organisation


def _lock_names() -> None:
    """Let nobody else store a name until this transaction ends: look-alikes aren't equal.

    By the instance's chain, to which whoever stores a name appends an event anyway. Only after the
    row of an organisation, as everywhere that locks both.
    """
    trail.lock_chain(None)


def _checked(
    kind: OrganisationKind, details: Details, former: Organisation | None = None
) -> Details:
    """Return the details as they will be stored, or raise RuleBrokenError."""
    name = tidied(details.name, former=former.name if former else "")
    if not name:
        raise RuleBrokenError(_l("Enter the name"), "name")
    same = queries.find_by_name(name)
    if same is not None and same is not former:
        raise RuleBrokenError(_l("There's already an organisation with this name"), "name")
    short_name = tidied(
        details.short_name,
        "short_name",
        former=former.short_name if former else "",
        most=SHORT_NAME_LENGTH,
    )
    known = replace(details, name=name, short_name=short_name or name[:SHORT_NAME_LENGTH])
    if kind is not OrganisationKind.CSO:
        return replace(
            known,
            types=[],
            other_type="",
            expertise="",
            litigates=False,
            represents_persons=False,
            represents_staff=False,
        )
    types: list[str] = [kind.value for kind in CsoType if kind.value in details.types]
    if not types:
        raise RuleBrokenError(_l("Choose at least one type"), "types")
    has_other = CsoType.OTHER.value in types
    if has_other and not details.other_type.strip():
        raise RuleBrokenError(_l("Say what other type it is"), "other_type")
    return replace(known, types=types, other_type=details.other_type if has_other else "")


def _require_another(
    names: Collection[str], another_than: Collection[UUID], own_id: UUID | None = None
) -> list[tuple[UUID, str]]:
    """Raise ResemblanceError if a name looks like that of an organisation not in another_than.

    Return those in it that it looks like.
    """
    resembled = queries.resembling(names, own_id)
    for other_id, other_name in resembled:
        if other_id not in another_than:
            raise ResemblanceError(other_id, other_name)
    return resembled


def _said_of(resembled: Collection[tuple[UUID, str]]) -> dict[str, Any]:
    """Return details of an event: the organisations of which this one was said to be another."""
    names = {str(other_id): name for other_id, name in resembled}
    return {"another_than": names} if names else {}


def _flush() -> None:
    """Flush now; two people adding the same name at the same moment is a broken rule."""
    try:
        with db.session.begin_nested():
            db.session.flush()
    except IntegrityError as error:
        raise RuleBrokenError(
            _l("There's already an organisation with this name"), "name"
        ) from error
