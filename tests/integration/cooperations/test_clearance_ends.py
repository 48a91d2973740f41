"""People are told once that a clearance is about to end: who, when, and in which words."""

import datetime as dt
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests import due
from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import hands
from tests.factories.visits import JointVisit
from tracker.agreements import notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Notice, NoticeKind
from tracker.cooperations import clearances
from tracker.cooperations.models import Clearance, ClearanceEnd, ClearanceScope
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.models import OutboxMessage
from tracker.notifications.kinds import Group, group_of
from tracker.notifications.models import Notification
from tracker.undertakings import lists

DAY = dt.timedelta(days=1)


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


def ends_in(joint_visit: JointVisit, days: int, key: str = "samira", **values: object) -> Clearance:
    """Make one person's clearance the only one that ends soon, and return it."""
    clearance_id, today = joint_visit.clearance(key).id, clock.today()
    joint_visit.session.rollback()
    with hands() as connection:
        connection.execute(sa.update(Clearance).values(until_on=today + 300 * DAY))
        connection.execute(
            sa.update(Clearance)
            .where(Clearance.id == clearance_id)
            .values(until_on=today + days * DAY, **values)
        )
    joint_visit.session.rollback()
    joint_visit.session.execute(sa.delete(OutboxMessage))
    joint_visit.session.commit()
    return joint_visit.session.get_one(Clearance, clearance_id)


def mails_by_recipient(joint_visit: JointVisit) -> dict[str, str]:
    """Return the body of each mail by its recipient."""
    rows = joint_visit.session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind == "clearance_ends")
    )
    return {row.recipient.split(".", maxsplit=1)[0]: row.subject + row.body for row in rows}


def remind(joint_visit: JointVisit) -> int:
    number = due.remind_of_clearances(clock.today())
    joint_visit.session.commit()
    return number


@pytest.mark.both_databases
@pytest.mark.parametrize(("days", "number"), [(0, 1), (14, 1), (15, 0), (-1, 0)])
def test_people_are_told_two_weeks_before_the_last_day(
    joint_visit: JointVisit, days: int, number: int
) -> None:
    ends_in(joint_visit, days)
    assert remind(joint_visit) == number


@pytest.mark.both_databases
def test_its_person_and_the_npms_coordinators_are_told_once(joint_visit: JointVisit) -> None:
    clearance = ends_in(joint_visit, 10)
    assert remind(joint_visit) == 1
    mails = mails_by_recipient(joint_visit)
    assert set(mails) == {"samira", "ilena"}
    for first, other in (("samira", "ilena"), ("ilena", "samira")):
        body = mails[first].lower().replace(f"dear {first}", "")
        assert other not in body
        assert str(clearance.until_on) not in body
    assert "/undertakings" in mails["samira"]
    assert f"/cooperations/{joint_visit.reference}/undertakings" in mails["ilena"]
    assert remind(joint_visit) == 0
    assert set(mails_by_recipient(joint_visit)) == {"samira", "ilena"}
    assert group_of("clearance_ends") is Group.UNDERTAKINGS


def test_nobody_is_told_of_a_clearance_for_one_visit(joint_visit: JointVisit) -> None:
    """It ends with the visit, and a mail some days before would say when that is (K2)."""
    ends_in(joint_visit, 10, visit_id=uuid4(), scope=ClearanceScope.VISIT)
    assert remind(joint_visit) == 0
    assert mails_by_recipient(joint_visit) == {}


def test_nobody_is_told_of_a_clearance_that_was_closed_or_of_a_suspended_person(
    joint_visit: JointVisit,
) -> None:
    clearance = ends_in(joint_visit, 10)
    clearances.close(None, clearance, ClearanceEnd.WITHDRAWN)
    joint_visit.session.commit()
    assert remind(joint_visit) == 0
    other = ends_in(joint_visit, 10, "leyla")
    joint_visit.session.execute(
        sa.text('UPDATE "user" SET suspended_at = :now WHERE id = :id').bindparams(
            sa.bindparam("now", clock.now(), type_=Clearance.closed_at.type),
            sa.bindparam("id", other.user_id, type_=Clearance.user_id.type),
        )
    )
    joint_visit.session.commit()
    assert remind(joint_visit) == 0
    assert mails_by_recipient(joint_visit) == {}


def test_it_is_done_once_the_clearance_was_replaced(joint_visit: JointVisit) -> None:
    clearance = ends_in(joint_visit, 10)
    remind(joint_visit)
    clearances.close(None, clearance, ClearanceEnd.REPLACED)
    joint_visit.session.commit()
    unread = sa.select(Notification).where(
        Notification.kind == "clearance_ends", Notification.read_at.is_(None)
    )
    assert db.session.scalars(unread).all() == []


def in_list(joint_visit: JointVisit, key: str) -> dt.date | None:
    """Return until when a person is cleared, as the list of their cooperation shows it."""
    parties = lists.overview(joint_visit.actor("ilena"), joint_visit.cooperation).parties
    days = [
        line.until_on
        for party in parties
        for line in party.lines
        if line.undertaking.user_id == joint_visit.user(key)
    ]
    return days[0]


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(1)
@pytest.mark.parametrize("kind", [ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY])
def test_a_person_is_told_once_that_access_ends_with_the_terms_before_its_own_day(
    joint_visit: JointVisit, kind: ChecklistKind
) -> None:
    """Coordinators are reminded of the terms themselves, as M19 says."""
    first = clock.today() + 90 * DAY
    clearance = joint_visit.clearance("samira")
    text = joint_visit.checklist(kind, None)
    notice = notices.give_notice(
        joint_visit.actor("tomas"), text, NoticeKind.ENDED, reason="It is over.", from_on=first
    )
    joint_visit.session.commit()
    assert clearance.until_on > first
    assert in_list(joint_visit, "samira") == first - DAY
    own = [line for line, _of in lists.mine(joint_visit.actor("samira")).lines if line.clearance]
    assert {line.until_on for line in own} == {first - DAY}
    joint_visit.session.execute(sa.delete(OutboxMessage))
    assert due.remind_of_clearances(first - 16 * DAY) == 0
    assert due.remind_of_clearances(first - 15 * DAY) > 0
    joint_visit.session.commit()
    mails = mails_by_recipient(joint_visit)
    assert "samira" in mails
    assert "with its terms" in mails["samira"]
    assert "ilena" not in mails
    assert due.remind_of_clearances(first - 10 * DAY) == 0
    # Its own end comes later after all.
    notices.close_notice(joint_visit.actor("tomas"), text, notice.id, reason="It goes on.")
    joint_visit.session.commit()
    later = in_list(joint_visit, "samira")
    assert later is not None
    assert later > first + 30 * DAY
    assert due.remind_of_clearances(later - DAY) > 0


def let_clearances_outlast(joint_visit: JointVisit, days: int) -> dt.date:
    """Have all clearances end some days after the terms, of which no notice is open.

    Return the last day of the terms.
    """
    last = joint_visit.cooperation.ends_on
    assert last is not None
    joint_visit.session.rollback()
    with hands() as connection:
        connection.execute(sa.update(Clearance).values(until_on=last + days * DAY))
        connection.execute(sa.update(Notice).values(closed_at=clock.now()))
    joint_visit.session.rollback()
    return last


@pytest.mark.both_databases
def test_nobody_is_told_that_terms_end_which_renew_themselves(
    joint_visit: JointVisit, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = let_clearances_outlast(joint_visit, 300)
    times_read: list[bool] = []

    def renews_itself(_document: object) -> bool:
        times_read.append(True)
        return True

    monkeypatch.setattr(notices, "renews_itself", renews_itself)
    # Not read for each clearance again, with each round of the worker.
    assert clearances.ending(last - DAY) == []
    assert len(times_read) == 1
    # If they can't be read, each clearance fails alone.
    monkeypatch.setattr(notices, "renews_itself", lambda _document: 1 / 0)
    first, *others = clearances.ending(last - DAY)
    assert others
    with pytest.raises(ZeroDivisionError):
        clearances.remind(first, last - DAY)
    monkeypatch.setattr(notices, "renews_itself", lambda _document: False)
    assert due.remind_of_clearances(last - DAY) > 0


def test_a_person_is_told_in_time_of_an_own_end_soon_after_terms_that_renew_themselves(
    joint_visit: JointVisit, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = let_clearances_outlast(joint_visit, 5)
    monkeypatch.setattr(notices, "renews_itself", lambda _document: True)
    assert due.remind_of_clearances(last - 10 * DAY) == 0
    assert due.remind_of_clearances(last - 5 * DAY) > 0
    joint_visit.session.commit()
    assert "with its terms" not in mails_by_recipient(joint_visit)["samira"]


def test_a_person_with_two_clearances_is_told_once_that_they_end_with_the_terms(
    joint_visit: JointVisit,
) -> None:
    last, samira = joint_visit.cooperation.ends_on, joint_visit.user("samira")
    assert last is not None
    ids = [joint_visit.clearance(key).id for key in ("samira", "leyla")]
    joint_visit.session.rollback()
    with hands() as connection:
        for number, clearance_id in enumerate(ids):
            connection.execute(
                sa.update(Clearance)
                .where(Clearance.id == clearance_id)
                .values(until_on=last + (300 + number) * DAY, user_id=samira)
            )
        connection.execute(sa.update(Notice).values(closed_at=clock.now()))
    joint_visit.session.rollback()
    due.remind_of_clearances(last - DAY)
    notifications = sa.select(sa.func.count()).where(
        Notification.kind == "clearance_ends", Notification.user_id == samira
    )
    assert joint_visit.session.scalar(notifications) == 1
