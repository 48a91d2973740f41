"""A text is *signed by all, begins on ...* until its first day, then *in force*: everywhere."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.factories.evidence.certificates import by_revision, words_of
from tests.services import put
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.signoff.models import Revision
from tracker.ui.locale import as_date

Freeze = Callable[[dt.datetime | None], None]
# The NPM's time zone in this test: its day begins half a day before that of UTC.
EAST = ZoneInfo("Pacific/Auckland")


def revision_of(session: Session, demonstration: Demonstration) -> Revision:
    checklist_id = demonstration.checklists["complete", "terms"]
    return session.scalars(sa.select(Revision).where(Revision.subject_id == checklist_id)).one()


def statuses(app: Flask, session: Session, demonstration: Demonstration) -> dict[str, str]:
    """Return what each page and file says about the terms of the complete cooperation today."""
    reference = demonstration.references["complete"]
    checklist_id = demonstration.checklists["complete", "terms"]
    digest = revision_of(session, demonstration).digest
    client = demonstration.browser(app, "milan")
    pages = {
        "register": f"/register?q={reference}",
        "agreement in the register": f"/register/{checklist_id}",
        "record": f"/checklists/{checklist_id}/record",
        "revisions": f"/checklists/{checklist_id}/revisions",
        "checklist": f"/checklists/{checklist_id}",
        "cooperation": f"/cooperations/{reference}",
        "cooperations": f"/cooperations?q={reference}",
        "public check": f"/verify?reference={reference}&digest={digest}",
    }
    texts = {name: client.page(address).text for name, address in pages.items()}
    exported = client.post("/register/export", data={"q": reference})
    return {**texts, "export": exported.get_data(as_text=True)}


@pytest.mark.parametrize("hours", [-1, 1])
def test_each_page_and_file_names_the_first_day_until_it_has_come(
    app: Flask, session: Session, demonstration: Demonstration, frozen_time: Freeze, hours: int
) -> None:
    put(app, clock.ZONE.holding(EAST))
    first = session.get_one(Cooperation, demonstration.cooperations["complete"]).starts_on
    assert first is not None
    midnight = dt.datetime.combine(first, dt.time(), EAST)
    frozen_time((midnight + dt.timedelta(hours=hours)).astimezone(dt.UTC))
    begins = f"Signed by all, begins on {as_date(first)}"
    texts = statuses(app, session, demonstration)
    expected = set(texts) if hours < 0 else set()
    assert {name for name, text in texts.items() if begins in text} == expected
    assert (f"In time{begins}" in texts["cooperation"]) is (hours < 0)
    is_active = "Stage: Active" in texts["cooperation"]
    assert is_active is (hours > 0)
    for name in ("record", "revisions", "checklist", "agreement in the register"):
        assert ("In force" in texts[name]) is (hours > 0), name


def test_history_and_certificate_say_when_what_all_have_signed_begins(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    first = session.get_one(Cooperation, demonstration.cooperations["complete"]).starts_on
    client = demonstration.browser(app, "milan")
    history = client.page(
        f"/checklists/{demonstration.checklists['complete', 'terms']}/record"
    ).text
    signed = f"Agreed terms, revision 1: all have signed. It begins on {as_date(first)}."
    assert signed in history
    certificates = by_revision()[revision_of(session, demonstration).id]
    in_english = next(row for row in certificates if row.language == "en")
    assert signed in " ".join(words_of(in_english).split())
    events = client.page(f"/cooperations/{demonstration.references['complete']}/history").text
    assert "came into force" not in events


def test_a_cooperation_that_begins_later_is_not_called_active_in_its_history(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    address = f"/cooperations/{demonstration.references['complete']}/history"
    client = demonstration.browser(app, "milan")
    texts = [client.page(f"{address}?page={number}").text for number in range(1, 9)]
    assert any("Everything is signed; the stage “Active” begins on" in text for text in texts)
    assert not any("now at the stage “Active”" in text for text in texts)
