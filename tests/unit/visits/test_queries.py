"""From when on a visit's team has to have read its urgent-action plan (V20)."""

import datetime as dt
from uuid import uuid4

import pytest

from tracker.checklists.models import Checklist, ChecklistState
from tracker.visits.encryption import Plan
from tracker.visits.queries import to_read_since

DAY = dt.date(2026, 6, 1)
SIGNED = dt.datetime(2026, 5, 1, 9, tzinfo=dt.UTC)


@pytest.mark.parametrize("state", ChecklistState)
def test_only_a_plan_in_force_is_to_be_read(state: ChecklistState) -> None:
    urgent_plan = Checklist(id=uuid4(), state=state, in_force_at=SIGNED)
    since = SIGNED if state is ChecklistState.IN_FORCE else None
    assert to_read_since(urgent_plan, Plan("Lower Harbour", DAY, DAY)) == since
