"""The dates of a cooperation are the ones that its parties signed, whatever answers say by then."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories import agreements
from tests.factories import cooperations as factories
from tests.factories.evidence.tampering import hands, table_of
from tracker.activity.stale import recompute
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Answer
from tracker.core import clock
from tracker.oversight import integrity

ANSWERS = table_of(Answer)
DAY = dt.timedelta(days=1)


def test_changing_an_answer_while_its_text_is_signed_changes_no_date_of_the_cooperation(
    session: Session,
) -> None:
    """Nothing tells once the answer is as it was again."""
    factories.load_checklists()
    country = factories.make_country(session)
    cooperation = factories.open_one(country, "door")
    terms = agreements.checklist_of(cooperation, ChecklistKind.TERMS)
    first, last = clock.today(), clock.today() + 365 * DAY
    review = first + 90 * DAY
    signed = agreements.term(first, last, review)
    agreements.answer(country, terms, "M19", **signed)
    agreements.send(country, terms, {"npm": "tomas", "door": "henrik"})
    changed = {**signed, "review": (first + 300 * DAY).isoformat(), "reminder_days": 1}
    set_answer(session, changed)
    agreements.sign(country, terms, "tomas", "henrik")
    recompute()
    set_answer(session, signed)
    assert integrity.check_all().finding is None
    session.refresh(cooperation)
    dates = (cooperation.starts_on, cooperation.review_on, cooperation.ends_on)
    assert dates == (first, review, last)
    assert cooperation.reminder_days == signed["reminder_days"]


def set_answer(session: Session, values: dict[str, object]) -> None:
    """Write the answer to M19 by SQL."""
    session.commit()
    with hands() as connection:
        connection.execute(sa.update(ANSWERS).where(ANSWERS.c.item == "M19").values(values=values))
    session.expire_all()
