"""What somebody began to write on checklists and has not saved, for their list of work."""

from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.checklists import drafts
from tracker.checklists.drafts import Begun
from tracker.checklists.models import DraftKind
from tracker.ui.locale import as_datetime
from tracker.ui.tasks import YOURS, Task, Tasks


def drafts_begun(actor: Actor) -> Tasks:
    """Tell which answers a person began and did not save. A source of my work."""
    if actor.organisation_id is None:
        return Tasks()
    return Tasks(mine=tuple(_task(one) for one in drafts.begun(actor)))


def _task(one: Begun) -> Task:
    words = (
        _("You began to leave out %(code)s", code=one.item)
        if one.kind is DraftKind.LEFT_OUT
        else _("You began an answer to %(code)s", code=one.item)
    )
    return Task(
        label=words,
        state=_("Draft of %(when)s", when=as_datetime(one.kept_at)),
        s=YOURS,
        url=page_of(one.checklist_id, one.item, one.kind),
        why=one.cooperation,
        act=_("Go on"),
    )


def page_of(checklist_id: UUID, code: str, kind: DraftKind) -> str:
    """Return the address of the page on which a draft is gone on with."""
    if kind is DraftKind.LEFT_OUT:
        return str(url_for("checklists.leave_out", checklist_id=checklist_id, code=code))
    scope: dict[str, Any] = {"for": kind.value}
    return str(url_for("checklists.answer", checklist_id=checklist_id, code=code, **scope))
