"""Taking back an acceptance that was a slip, within a minute."""

import datetime as dt
from collections.abc import Collection

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklists import policy
from tracker.checklists.loading import LoadedChecklist, load_for_update
from tracker.checklists.models import Checklist, ChecklistState, Stance
from tracker.checklists.negotiation.stored_positions import end_positions_of
from tracker.checklists.service import count_again, own_organisation
from tracker.core import clock
from tracker.core.errors import StaleError

# How long somebody can undo what they accepted.
UNDO = dt.timedelta(minutes=1)


def undoable(loaded: LoadedChecklist, actor: Actor) -> list[str]:
    """Return the items whose acceptance the person can undo now, in the order of the checklist.

    Those that they accepted within the last minute, while no other party has done anything there
    since (product.md, 4.1).
    """
    if loaded.checklist.state is not ChecklistState.DRAFTING or not loaded.goes_on():
        return []
    since = clock.now() - UNDO
    own = {
        row.item: row.taken_at
        for row in loaded.positions
        if row.organisation_id == actor.organisation_id
        and row.author_id == actor.user_id
        and row.stance is Stance.ACCEPTS
        and row.taken_at > since
        and row.part_id is None
    }
    return [
        item.code
        for item in loaded.template.items
        if item.code in own and not _changed_since(loaded, actor, item.code, own[item.code])
    ]


def _changed_since(loaded: LoadedChecklist, actor: Actor, code: str, moment: dt.datetime) -> bool:
    """Return whether the answer changed, or another party acted on the item, since a moment.

    At the very moment when an answer is saved, its author's party accepts it by writing.
    """
    answer = loaded.sheet.shared(code)
    others = [
        row.taken_at
        for row in loaded.all_positions_on.get(code, ())
        if row.organisation_id != actor.organisation_id
    ]
    others += [row.made_at for row in loaded.proposals_on.get(code, ())]
    others += [row.raised_at for row in loaded.flags_on.get(code, ())]
    if answer is None or answer.saved_at >= moment:
        return True
    return any(at > moment for at in others)


def undo_accepting(actor: Actor, checklist: Checklist, codes: Collection[str]) -> list[str]:
    """Take back what the person accepted a moment ago; return the items.

    Raise StaleError if none of it can be taken back any more: see undoable().
    """
    loaded = load_for_update(checklist)
    policy.can_take_part(actor, loaded.own_party(actor)).require()
    loaded.goes_on().require()
    items = [code for code in undoable(loaded, actor) if code in codes]
    if not items:
        raise StaleError(_l("It's too late to undo this. Suggest a change or ask to discuss it."))
    end_positions_of(loaded, items, own_organisation(actor))
    count_again(checklist)
    trail.record(
        verbs.ACCEPTANCE_UNDONE,
        actor=actor,
        subject_type="checklist",
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        items=items,
        organisation=actor.organisation_name,
    )
    return items
