"""The classes of information, K0 to K8, and who may see each.

Source: domain.md, section 5.
"""

import enum
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import YES, Decision, no


class InformationClass(enum.StrEnum):
    """The classes of information. They are kinds, not ranks."""

    PUBLIC = "K0"
    CSO_OWN = "K1"
    PLANNING = "K2"
    VISIT_MATERIAL = "K3"
    PERSONAL_DATA = "K4"
    URGENT_CASE = "K5"
    DRAFT_REPORT = "K6"
    SOURCES = "K7"
    COOPERATION_RECORD = "K8"


RESTRICTED = frozenset(
    {
        InformationClass.PLANNING,
        InformationClass.VISIT_MATERIAL,
        InformationClass.PERSONAL_DATA,
        InformationClass.URGENT_CASE,
        InformationClass.DRAFT_REPORT,
        InformationClass.SOURCES,
    }
)


def may_see_planning(
    actor: Actor, cooperation_id: UUID, visit_id: UUID, *, listed: bool, leads: bool
) -> Decision:
    """Decide who may see the place, dates and team of a visit (class K2).

    People listed in V2, and always the lead; with a clearance, if they need one. Somebody who led a
    visit and now acts for a CSO does. Auditors and administrators can't, unless they are listed and
    cleared in another role.
    """
    if actor.organisation_id is None:
        return no(_l("You aren't acting for any organisation."))
    if not actor.takes_part:
        return no(_l("Auditors and administrators can't see the planning of visits."))
    if not (listed or leads):
        return no(_l("You aren't on the list of people who may know of this visit."))
    if actor.needs_clearance and not actor.cleared_for(cooperation_id, visit_id):
        return no(
            _l(
                "You don't have access because your undertaking hasn't been both "
                "signed and countersigned."
            )
        )
    return YES
