"""The list of notifications: who sees what, what is unread, and what marks it as read."""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People, make_people, signed_in
from tests.starting_points import noon_in
from tracker.core import clock
from tracker.core.crypto import SealBrokenError
from tracker.mail import render
from tracker.mail.models import OutboxMessage
from tracker.notifications import service
from tracker.notifications.models import MOST_COUNTED, Delivery, Notification
from tracker.worker.one_by_one import until_none_is_left

Clock = Callable[[dt.datetime | None], None]
Statements = Callable[[], AbstractContextManager[list[str]]]
NOON = noon_in(100)


@pytest.fixture
def people(session: Session) -> People:
    demo_people = make_people(session)
    session.execute(sa.delete(OutboxMessage))
    session.execute(sa.delete(Notification))
    session.commit()
    return demo_people


def tell(
    people: People,
    key: str = "samira",
    subject: str = "A text is waiting",
    kind: str = "text_sent",
    about: UUID | None = None,
) -> Notification:
    """Tell a person, commit, and return what was written."""
    user, before = people.user(key), set(people.session.scalars(sa.select(Notification.id)))
    with render.in_language(user.language):
        service.tell(
            user,
            kind,
            subject,
            "Read it, then sign it.",
            address=render.link_to("accounts.profile"),
            about=about,
        )
    people.session.commit()
    return people.session.scalars(
        sa.select(Notification).where(Notification.id.not_in(before))
    ).one()


@pytest.mark.both_databases
def test_whoever_is_told_finds_it_in_the_list_and_in_their_mail(
    people: People, session: Session, client: CheckedClient
) -> None:
    row = tell(people)
    assert row.delivery is Delivery.MAILED
    (mail,) = session.scalars(sa.select(OutboxMessage))
    assert mail.recipient == "samira@example.org"
    assert mail.subject == "A text is waiting"
    assert "Read it, then sign it." in mail.body
    signed_in(client, "samira")
    page = client.page("/notifications")
    assert page.h1 == "Notifications"
    assert "A text is waiting" in page.text
    assert "Read it, then sign it." in page.text


def test_the_page_head_shows_how_many_are_unread(people: People, client: CheckedClient) -> None:
    signed_in(client, "samira")
    assert "unread" not in client.page("/account").text
    tell(people)
    tell(people)
    assert "Notifications 2 unread" in client.page("/account").text
    client.post(f"/notifications/{tell(people).id}/read")
    assert "Notifications 2 unread" in client.page("/account").text


@pytest.mark.both_databases
def test_the_count_is_read_with_the_person_and_stops_at_a_hundred(
    people: People, session: Session, client: CheckedClient, statements: Statements
) -> None:
    signed_in(client, "samira")
    client.page("/account")
    with statements() as without:
        client.get("/account", read=False)
    for _again in range(MOST_COUNTED + 2):
        tell(people)
    with statements() as sent:
        page = client.page("/account")
    assert "Notifications 99+ unread" in page.text
    assert len(sent) == len(without)


@pytest.mark.both_databases
def test_nobody_sees_or_marks_the_notifications_of_others(
    people: People, session: Session, browsers: Callable[[], CheckedClient]
) -> None:
    """Not even an administrator."""
    row = tell(people)
    for key in ("joana", "ada"):
        client = signed_in(browsers(), key)
        assert "A text is waiting" not in client.page("/notifications").text
        for act in ("open", "read", "all"):
            assert client.post(f"/notifications/{row.id}/{act}").status_code == 404
    session.refresh(row)
    assert row.read_at is None


def test_nobody_has_a_list_without_signing_in(people: People, client: CheckedClient) -> None:
    assert client.get("/notifications").status_code == 302
    assert client.get("/notifications/emails").status_code == 302


def test_opening_marks_it_as_read_and_leads_to_its_page(
    people: People, session: Session, client: CheckedClient
) -> None:
    row = tell(people)
    signed_in(client, "samira")
    answer = client.post(f"/notifications/{row.id}/open")
    assert answer.location == "/account"
    session.refresh(row)
    assert row.read_at is not None


def test_reading_changes_nothing_without_a_post(
    people: People, session: Session, client: CheckedClient
) -> None:
    row = tell(people)
    signed_in(client, "samira")
    for act in ("open", "read", "all"):
        assert client.get(f"/notifications/{row.id}/{act}").status_code == 405
    session.refresh(row)
    assert row.read_at is None


@pytest.mark.both_databases
def test_all_that_the_list_showed_are_marked_as_read(
    people: People, session: Session, client: CheckedClient, frozen_time: Clock
) -> None:
    others = tell(people, "joana")
    frozen_time(clock.now() + dt.timedelta(minutes=1))
    old = tell(people)
    frozen_time(clock.now() + dt.timedelta(minutes=1))
    shown = tell(people)
    frozen_time(clock.now() + dt.timedelta(minutes=1))
    signed_in(client, "samira")
    form = client.page("/notifications").form(f"/notifications/{shown.id}/all")
    late = tell(people, subject="Later")
    client.post(form.action, data=form.filled_in())
    for row in (others, old, shown, late):
        session.refresh(row)
    assert old.read_at == shown.read_at is not None
    assert others.read_at is late.read_at is None


@pytest.mark.both_databases
def test_a_long_list_has_pages_of_25_which_stay_as_they_are(
    people: People, client: CheckedClient, frozen_time: Clock
) -> None:
    for number in range(30):
        # Some at the same moment.
        frozen_time(NOON + dt.timedelta(seconds=number // 4))
        tell(people, subject=f"Text {number}.")
    signed_in(client, "samira")
    first = client.page("/notifications")
    shown = [number for number in range(30) if f"Text {number}." in first.text]
    assert len(shown) == 25
    following = first.links()["Next"]
    frozen_time(NOON + dt.timedelta(minutes=1))
    tell(people, subject="Newest")
    second = client.page(following)
    rest = [number for number in range(30) if f"Text {number}." in second.text]
    assert sorted([*shown, *rest]) == list(range(30))
    assert "Newest" not in second.text
    assert "First page" in second.links()


def test_an_entry_that_is_not_theirs_begins_the_list_anew(
    people: People, client: CheckedClient
) -> None:
    tell(people)
    signed_in(client, "samira")
    assert "A text is waiting" in client.page(f"/notifications?page={uuid4()}").text


def test_an_empty_list_says_so(people: People, client: CheckedClient) -> None:
    signed_in(client, "samira")
    assert "You have no notifications." in client.page("/notifications").text


def test_words_are_in_the_language_they_were_written_in(
    people: People, client: CheckedClient, session: Session
) -> None:
    people.user("samira").language = "ar"
    session.commit()
    tell(people, subject="نص بانتظار توقيعك")
    people.user("samira").language = "en"
    session.commit()
    signed_in(client, "samira")
    html = client.get("/notifications").get_data(as_text=True)
    form = html[: html.index("نص بانتظار توقيعك")].rpartition("<form")[2]
    assert form.partition(">")[0].endswith('lang="ar" dir="rtl"')


@pytest.mark.both_databases
def test_what_is_said_is_encrypted_for_its_row(people: People, session: Session) -> None:
    row, other = tell(people), tell(people)
    for word in (b"waiting", b"sign", b"account"):
        assert word not in row.sealed_words
    other.sealed_words = row.sealed_words
    with pytest.raises(SealBrokenError):
        _ = other.words


def test_somebody_without_an_address_has_no_list(people: People, session: Session) -> None:
    user = people.user("samira")
    reader = _Nobody(user.id)
    service.tell(reader, "text_sent", "Subject", address=render.link_to("accounts.profile"))
    session.commit()
    assert session.scalar(sa.select(sa.func.count()).select_from(Notification)) == 0


def test_an_act_that_ends_the_task_marks_it_as_read_for_those_concerned(
    people: People, session: Session
) -> None:
    about = uuid4()
    hers, his = tell(people, about=about), tell(people, "joana", about=about)
    another_kind = tell(people, about=about, kind="text_declined")
    another_text = tell(people, about=uuid4())
    service.done(about, {"text_sent"}, [people.people["samira"]])
    session.commit()
    assert [_is_read(session, row) for row in (hers, his)] == [True, False]
    service.done(about, {"text_sent"})
    session.commit()
    assert [_is_read(session, row) for row in (his, another_kind, another_text)] == [
        True,
        False,
        False,
    ]


@pytest.mark.both_databases
def test_old_notifications_are_deleted(
    people: People, session: Session, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    read, unread = tell(people), tell(people)
    service.mark_as_read(read)
    session.commit()
    _forget(frozen_time, NOON + service.READ_FOR - dt.timedelta(minutes=1))
    assert len(_ids(session)) == 2
    _forget(frozen_time, NOON + service.READ_FOR)
    assert _ids(session) == [unread.id]
    _forget(frozen_time, NOON + service.UNREAD_FOR)
    assert _ids(session) == []


class _Nobody:
    """A person without an email address."""

    email = "x@no-email.invalid"
    name = "Dina"
    language = "en"
    notification_choices = None

    def __init__(self, user_id: UUID) -> None:
        self.id = user_id


def _is_read(session: Session, row: Notification) -> bool:
    session.refresh(row)
    return row.read_at is not None


def _ids(session: Session) -> list[object]:
    session.expire_all()
    return list(session.scalars(sa.select(Notification.id)))


def _forget(frozen_time: Clock, moment: dt.datetime) -> None:
    frozen_time(moment)
    until_none_is_left(service.forget_read)
    until_none_is_left(service.forget_old)
