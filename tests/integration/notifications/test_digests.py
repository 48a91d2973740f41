"""Choosing how often emails come, and digests: what they list, what they leave out, and when."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People, make_people, signed_in
from tests.integration.notifications.test_list import tell
from tests.starting_points import noon_in
from tracker.core import clock
from tracker.mail.models import OutboxMessage
from tracker.notifications import messages, service
from tracker.notifications.kinds import Frequency, Group, parsed
from tracker.notifications.models import Delivery, Notification
from tracker.worker import jobs
from tracker.worker.one_by_one import each

Clock = Callable[[dt.datetime | None], None]
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
DIGESTS = next(job for job in jobs.DATED if job.name == "send digest")

pytestmark = pytest.mark.both_databases


def monday() -> dt.datetime:
    """Return noon of a Monday that is still to come."""
    noon = noon_in(100)
    return noon - noon.weekday() * DAY


@pytest.fixture
def people(session: Session, frozen_time: Clock) -> People:
    demo_people = make_people(session)
    session.execute(sa.delete(OutboxMessage))
    session.execute(sa.delete(Notification))
    session.commit()
    frozen_time(monday())
    return demo_people


def choose(people: People, key: str = "samira", **often: Frequency) -> None:
    service.choose(people.actor(key), {Group(name): value for name, value in often.items()})
    people.session.commit()


def send(frozen_time: Clock, moment: dt.datetime) -> None:
    frozen_time(moment)
    each(DIGESTS, clock.today())


def mails(session: Session) -> list[OutboxMessage]:
    session.expire_all()
    return list(session.scalars(sa.select(OutboxMessage)))


def morning(days: int) -> dt.datetime:
    """Return seven o'clock (UTC), some days after the Monday."""
    return monday().replace(hour=7) + days * DAY


def test_a_person_chooses_how_often_for_each_group(
    people: People, session: Session, client: CheckedClient
) -> None:
    signed_in(client, "samira")
    page = client.page("/notifications/emails")
    assert page.h1 == "Emails about notifications"
    data = page.form("").filled_in(signing="daily", comments="none", reviews="weekly")
    assert client.post("/notifications/emails", data=data).status_code == 302
    chosen = parsed(people.user("samira").notification_choices)
    assert chosen[Group.SIGNING] is Frequency.DAILY
    assert chosen[Group.COMMENTS] is Frequency.NONE
    assert chosen[Group.VISITS] is Frequency.IMMEDIATELY
    again = client.page("/notifications/emails")
    assert "Once a week" in again.text
    assert people.user("joana").notification_choices is None


def test_emails_about_signing_cannot_be_switched_off(
    people: People, session: Session, client: CheckedClient
) -> None:
    signed_in(client, "samira")
    client.page("/notifications/emails")
    data = {group.value: "immediately" for group in Group} | {"signing": "none"}
    refused = client.post("/notifications/emails", data=data)
    assert refused.status_code == 200
    assert people.user("samira").notification_choices is None


def test_without_emails_it_is_only_in_the_list(people: People, session: Session) -> None:
    choose(people, comments=Frequency.NONE)
    row = tell(people, kind="comment_mention")
    assert row.delivery is Delivery.NOT_MAILED
    assert mails(session) == []


def test_a_daily_digest_lists_what_waits_with_a_link_for_each_once(
    people: People, session: Session, frozen_time: Clock
) -> None:
    choose(people, signing=Frequency.DAILY, comments=Frequency.DAILY)
    tell(people, subject="A text is waiting")
    tell(people, subject="A text is waiting")
    frozen_time(monday() + HOUR)
    tell(people, subject="A comment mentions you", kind="comment_mention")
    assert mails(session) == []
    send(frozen_time, morning(1) - HOUR)
    assert mails(session) == []
    send(frozen_time, morning(1) + HOUR)
    (mail,) = mails(session)
    assert mail.recipient == "samira@example.org"
    assert mail.body.count("A text is waiting\nhttp://localhost:8000/account\n") == 1
    assert mail.body.count("A comment mentions you\nhttp://localhost:8000/account\n") == 1
    assert mail.body.index("A text") < mail.body.index("A comment")
    assert "http://localhost:8000/notifications\n" in mail.body
    send(frozen_time, morning(2) + HOUR)
    assert len(mails(session)) == 1


def test_what_was_read_or_done_meanwhile_is_left_out(
    people: People, session: Session, frozen_time: Clock
) -> None:
    choose(people, signing=Frequency.DAILY)
    about = people.people["joana"]
    service.mark_as_read(tell(people, subject="Read."))
    tell(people, subject="Done.", about=about)
    service.done(about, {"text_sent"})
    session.commit()
    send(frozen_time, morning(1) + HOUR)
    assert mails(session) == []
    tell(people, subject="Waits.")
    send(frozen_time, morning(2) + HOUR)
    (mail,) = mails(session)
    assert "Waits." in mail.body
    assert "Done." not in mail.body
    assert "Read." not in mail.body


def test_a_weekly_digest_comes_on_monday_with_what_is_due_daily(
    people: People, session: Session, frozen_time: Clock
) -> None:
    choose(people, signing=Frequency.DAILY, comments=Frequency.WEEKLY)
    tell(people, subject="A comment mentions you", kind="comment_mention")
    send(frozen_time, morning(6) + HOUR)
    assert mails(session) == []
    tell(people, subject="A text is waiting")
    send(frozen_time, morning(7) + HOUR)
    (mail,) = mails(session)
    assert "A comment mentions you" in mail.body
    assert "A text is waiting" in mail.body


def test_a_digest_that_a_stopped_worker_missed_is_sent_later(
    people: People, session: Session, frozen_time: Clock
) -> None:
    choose(people, comments=Frequency.WEEKLY)
    tell(people, kind="comment_mention")
    send(frozen_time, morning(9) + HOUR)
    assert len(mails(session)) == 1


def test_emails_that_nobody_wants_any_more_are_left_out_of_the_digest(
    people: People, session: Session, frozen_time: Clock
) -> None:
    choose(people, comments=Frequency.DAILY)
    tell(people, kind="comment_mention")
    choose(people, comments=Frequency.NONE)
    send(frozen_time, morning(1) + HOUR)
    assert mails(session) == []


def test_a_person_who_was_suspended_gets_no_digest(
    people: People, session: Session, frozen_time: Clock
) -> None:
    choose(people, signing=Frequency.DAILY)
    row = tell(people)
    people.user("samira").active = False
    session.commit()
    send(frozen_time, morning(1) + HOUR)
    assert mails(session) == []
    session.refresh(row)
    assert row.delivery is Delivery.NOT_MAILED


def test_a_long_digest_leaves_the_rest_to_the_list(
    people: People, session: Session, frozen_time: Clock
) -> None:
    choose(people, signing=Frequency.DAILY)
    for number in range(messages.MOST_LISTED + 2):
        tell(people, subject=f"Text {number}.")
    send(frozen_time, morning(1) + HOUR)
    (mail,) = mails(session)
    assert mail.body.count("\nText ") == messages.MOST_LISTED
    assert "2 more notifications are in the list." in mail.body


def test_days_begin_in_the_time_zone_of_the_instance(
    people: People, session: Session, frozen_time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "zone", lambda: ZoneInfo("America/Bogota"))
    choose(people, signing=Frequency.DAILY)
    tell(people)
    send(frozen_time, morning(1) + HOUR)
    assert mails(session) == []
    send(frozen_time, morning(1) + 5 * HOUR)
    assert len(mails(session)) == 1
