"""View models for the pages on how partners were chosen."""

from uuid import UUID

from flask_babel import gettext as _

from tracker.cooperations import outside_bodies
from tracker.cooperations.models import Cooperation
from tracker.cooperations.selection import labels
from tracker.cooperations.selection.models import PartnerSelection
from tracker.ui.locale import as_date


def facts_of(cooperation: Cooperation, row: PartnerSelection) -> list[tuple[object, object]]:
    """Return what is recorded about a partner except the criteria, without empty values."""
    recorded = _("%(day)s by %(name)s", day=as_date(row.recorded_at), name=row.recorded_by.name)
    facts: list[tuple[object, object]] = [
        (_("Chosen by"), labels.WAYS[row.way]),
        (_("Call or first contact"), as_date(row.opened_on) if row.opened_on else ""),
        (_("Date of the decision"), as_date(row.decided_on) if row.decided_on else ""),
        (_("Party or outside body that decided"), _name_of(cooperation, row.deciding_id)),
        (_("Decided by"), row.decided_by),
        (_("Recorded"), recorded),
    ]
    return [(name, words) for name, words in facts if words]


def _name_of(cooperation: Cooperation, body_id: UUID | None) -> str:
    """Return the name of a party or outside body, also of one that left or was removed."""
    names = {party.organisation_id: party.organisation.name for party in cooperation.parties}
    names |= {body.id: body.name for body in outside_bodies.of(cooperation)}
    return names.get(body_id, "") if body_id else ""
