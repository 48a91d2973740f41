"""Assignments by two sides of the demonstration, on terms they still disagree on."""

import datetime as dt

from tracker.checklists.assignments import service as assignments
from tracker.checklists.models import Checklist
from tracker.core import clock
from tracker.demo.people import DemoPeople


def share_out(demo_people: DemoPeople, terms: Checklist) -> None:
    """Have the NPM's coordinator assign a section to the team lead, and a CSO's two items."""
    today = clock.today()
    assignments.assign_section(
        demo_people.actor("ilena"),
        terms,
        "means",
        to=demo_people.users["pavo"].id,
        due_on=today + dt.timedelta(days=10),
        seen=assignments.NOTHING_HELD,
    )
    for item, key, days in (("M18", "dina", 5), ("M20", "henrik", None)):
        assignments.assign(
            demo_people.actor("samira"),
            terms,
            item,
            to=demo_people.users[key].id,
            due_on=today + dt.timedelta(days=days) if days else None,
            seen=assignments.NOTHING_HELD,
        )
