"""An outside second reader reads the terms if the NPM has nobody else (G3).

In one file: one invitation, from asking to its end, with every way it is refused.
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.client import CheckedClient
from tests.factories import checklists
from tests.factories.cooperations import bring_in
from tests.factories.evidence.certificates import make_all, words_of
from tests.factories.evidence.leaves import shown_on, unseen
from tests.factories.evidence.tampering import hands
from tests.integration.checklists.outside_reading.small_npm import (
    FUNCTION,
    HEAD,
    PARTNER,
    READER,
    REASON,
    SIGNER,
    WRITER,
    SmallNpm,
    small_npm,
)
from tests.pages import Page
from tracker.access.actor import Role
from tracker.access.page_tokens import NotShownError
from tracker.accounts.factors import second_factor
from tracker.accounts.models import Invitation, Membership, User
from tracker.accounts.people import invitations
from tracker.accounts.people.invitations import NewInvitation
from tracker.activity import queries as trail
from tracker.activity import service as trail_service
from tracker.activity import verbs
from tracker.agreements import frozen_text
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import obstacles
from tracker.checklists import service as answers
from tracker.checklists.models import Checklist, OutsideReading, ReadingEnd
from tracker.checklists.negotiation import hints, positions, safeguards
from tracker.checklists.negotiation.text_digest import text_digest
from tracker.checklists.outside_reading import queries, service
from tracker.cooperations.models import CooperationPerson
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail.models import OutboxMessage
from tracker.notifications.models import Notification
from tracker.oversight import integrity
from tracker.oversight.facts import Fault
from tracker.signoff import service as signoff
from tracker.signoff import shown
from tracker.signoff.models import Revision

Clock = Callable[[dt.datetime | None], None]
NEW = "omar.said@example.org"
PASSWORD = "three grey herons at the weir"


@pytest.fixture
def small(session: Session) -> SmallNpm:
    return small_npm(session)


def stored(reading_id: object) -> OutsideReading:
    reading = db.session.get(OutsideReading, reading_id, populate_existing=True)
    assert reading is not None
    return reading


def verbs_on(small: SmallNpm) -> list[str]:
    lines = trail.subject_history(small.cooperation_id, [small.terms_id])
    wanted = ("outside_read", "safeguards_reviewed")
    return [line.verb for line in reversed(lines) if line.verb.startswith(wanted)]


# From the invitation to the signature ---------------------------------------------------------


def test_an_outside_reader_confirms_and_the_text_says_so(small: SmallNpm, app: Flask) -> None:
    ask = f"/checklists/{small.terms_id}/outside-reader"
    coordinator, partner = (small.country.browser(app, key) for key in (WRITER, PARTNER))
    assert "Invite an outside" in coordinator.page(f"/checklists/{small.terms_id}").text
    until = clock.today() + dt.timedelta(days=10)
    sent = coordinator.submit(
        ask,
        name="Omar Said",
        function=FUNCTION,
        email=NEW,
        language="en",
        until_on=until.isoformat(),
        reason=REASON,
    )
    assert "Revoke the invitation" in Page.of(sent).text
    mail = db.session.scalars(sa.select(OutboxMessage).filter_by(recipient=NEW)).one()
    assert FUNCTION not in mail.body
    assert small.cooperation.title not in mail.body
    # All parties see who is asked.
    reference = small.cooperation.reference
    for address in (
        f"/checklists/{small.terms_id}",
        f"/cooperations/{reference}",
        f"/cooperations/{reference}/history",
    ):
        page = partner.page(address).text
        assert "Omar Said" in page
        assert FUNCTION in page
    # The reader creates an account, which has no role.
    link = re.search(r"http://localhost:8000(/invitations/\S+)", mail.body)
    assert link is not None
    reader = app.test_client()
    assert isinstance(reader, CheckedClient)
    assert "Outside second reader" in reader.page(link[1]).text
    reader.submit(link[1], name="Omar Said", language="en", password=PASSWORD)
    user = db.session.scalars(sa.select(User).filter_by(email=NEW)).one()
    second_factor.enrol(user)
    db.session.commit()
    address = reader.page("/").links()["Read a text as outside second reader"]
    text = reader.page(address)
    assert small.cooperation.title in text.text
    assert REASON in text.text
    assert all("/checklists/" not in place for place in text.addresses())
    done = reader.submit(address, password=PASSWORD, code=second_factor.current_code(user).code)
    assert "You confirmed the review" in Page.of(done).text
    assert reader.get(address).status_code == 404
    # The text that is signed says who read it, and so do its pages and its history.
    checklists.send(small.terms, small.actor(WRITER), small.signers())
    db.session.commit()
    signing = small.country.browser(app, HEAD).page(f"/checklists/{small.terms_id}/sign")
    checklists.sign(small.terms, *small.signers().values())
    db.session.commit()
    record = partner.page(f"/checklists/{small.terms_id}/record")
    revision = db.session.get_one(Revision, small.terms.revision_in_force_id)
    document = signoff.document_of(revision, None)
    assert document["second_reading"] == {
        "by": "Omar Said",
        "outside": FUNCTION,
        "because": REASON,
    }
    (certificate,) = [row for row in make_all()[revision.id] if row.language == "en"]
    for shown_words in (shown_on(signing), shown_on(record), words_of(certificate)):
        assert unseen(document, shown_words, "en", "en") == []
        assert "from outside the parties" in " ".join(shown_words.split())
    about = dict(frozen_text.read(document, "en").about)
    assert "in place of the NPM's second reader" in str(about["Second reading"])
    assert verbs_on(small) == [
        "outside_reader_asked",
        "outside_reader_accepted",
        "safeguards_reviewed",
    ]
    assert integrity.check_all().finding is None


# Access ---------------------------------------------------------------------------------------


def test_the_reader_opens_this_text_and_nothing_else(small: SmallNpm, app: Flask) -> None:
    reading = small.ask()
    reference, reader = small.cooperation.reference, small.country.browser(app, READER)
    others = [
        row.id for row in db.session.query(Checklist).filter_by(cooperation_id=small.cooperation_id)
    ]
    assert reader.get(f"/readings/{reading.id}").status_code == 200
    closed = [
        *(f"/checklists/{checklist_id}" for checklist_id in others),
        *(
            f"/checklists/{small.terms_id}/{page}"
            for page in ("review", "outside-reader", "revisions", "items/M5/history", "record")
        ),
        *(
            f"/cooperations/{reference}{page}"
            for page in ("", "/history", "/people", "/visits", "/gates", "/undertakings")
        ),
        f"/checklists/{small.terms_id}/items/M5/answer",
        "/register/export.csv",
    ]
    assert {address: reader.get(address).status_code for address in closed} == dict.fromkeys(
        closed, 404
    )
    for address in ("/cooperations", f"/cooperations?q={reference}", "/"):
        assert small.cooperation.title not in reader.get(address).get_data(as_text=True)
    for key in (WRITER, HEAD, PARTNER, "root", "ada"):
        assert small.country.browser(app, key).get(f"/readings/{reading.id}").status_code == 404


def test_access_ends_after_the_last_day_and_the_worker_says_so(
    small: SmallNpm, app: Flask, frozen_time: Clock
) -> None:
    reading = small.ask(until_on=clock.today())
    assert service.expire(reading.id, clock.today()) is False
    frozen_time(starting_points.noon_in(1))
    assert small.country.browser(app, READER).get(f"/readings/{reading.id}").status_code == 302
    assert queries.find(small.actor(READER), reading.id) is None
    assert queries.run_out(clock.today()) == [reading.id]
    assert service.expire(reading.id, clock.today())
    assert not service.expire(reading.id, clock.today())
    db.session.commit()
    assert stored(reading.id).end is ReadingEnd.RAN_OUT
    assert verbs_on(small)[-1] == "outside_reading_ended"
    mail = db.session.scalars(sa.select(OutboxMessage).filter_by(kind="outside_reading_ran_out"))
    assert [message.recipient for message in mail] == [small.country.users[WRITER].email]


def test_taken_back_it_is_closed_and_the_head_can_read(small: SmallNpm, app: Flask) -> None:
    reading = small.ask()
    with pytest.raises(RefusedError, match="revoke the invitation first"):
        checklists.read_second(small.actor(HEAD), small.terms, REASON)
    page = f"/checklists/{small.terms_id}/outside-reader"
    coordinator = small.country.browser(app, WRITER)
    coordinator.submit(page, action=f"{page}/take-back")
    assert stored(reading.id).end is ReadingEnd.TAKEN_BACK
    assert queries.find(small.actor(READER), reading.id) is None
    with pytest.raises(RefusedError, match="can't read this text any more"):
        small.confirm(reading)
    again = coordinator.post(f"{page}/take-back", follow_redirects=True)
    assert "No outside second reader is invited" in Page.of(again).text
    assert verbs_on(small) == ["outside_reader_asked", "outside_reading_ended"]
    checklists.read_second(small.actor(HEAD), small.terms, REASON)
    assert integrity.check_all().finding is None


@pytest.mark.parametrize("how", ["confirm", "revoke"])
def test_the_reader_is_not_asked_any_more_once_it_has_ended(small: SmallNpm, how: str) -> None:
    reading = small.ask()
    unread = sa.select(Notification.user_id).where(
        Notification.kind == "asked_to_read", Notification.read_at.is_(None)
    )
    assert db.session.scalars(unread).all() == [small.actor(READER).user_id]
    if how == "confirm":
        small.confirm(reading)
    else:
        service.take_back(small.actor(HEAD), small.terms)
        db.session.commit()
    assert db.session.scalars(unread).all() == []


def test_an_invitation_that_is_taken_back_makes_no_account(small: SmallNpm) -> None:
    small.ask(email=NEW)
    service.take_back(small.actor(HEAD), small.terms)
    db.session.commit()
    invitation = db.session.scalars(sa.select(Invitation).filter_by(email=NEW)).one()
    assert invitation.revoked_at is not None


@pytest.mark.parametrize("body", ["door", "other_npm"])
def test_a_role_with_a_party_closes_the_text(small: SmallNpm, body: str) -> None:
    reading = small.ask()
    country = small.country
    country.homes[READER] = country.organisations[body]
    db.session.add(
        Membership(
            user_id=country.users[READER].id,
            organisation_id=country.id(body),
            role=Role.MEMBER,
            starts_on=clock.today() + dt.timedelta(days=1),
            created_at=clock.now(),
            begun_at=clock.now(),
        )
    )
    db.session.commit()
    assert queries.find(small.actor(READER), reading.id) is None
    assert queries.of_reader(small.actor(READER)) == []
    with pytest.raises(RefusedError, match="can't read this text any more"):
        small.confirm(reading)


# Who asks, and who is asked -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (HEAD, "role with Prevention Council of Tressia"),
        ("henrik", "role with Open Door Legal Aid"),
        ("root", "An administrator can't be"),
        ("ada", "role with Prevention Council of Tressia"),
        ("leaver", "took part in this cooperation"),
        ("guest", "role with Open Door Legal Aid"),
    ],
)
def test_nobody_with_a_part_in_it_is_asked(small: SmallNpm, key: str, words: str) -> None:
    country = small.country
    address = country.users[key].email if key in country.users else f"{key}@example.org"
    if key == "ada":  # audits the NPM from outside
        db.session.execute(
            sa.update(Membership)
            .values(audits_id=country.id("other_npm"))
            .where(Membership.user_id == country.users["ada"].id)
        )
    elif key == "leaver":
        user = country.person("Leaver Past", None)
        address = user.email
        db.session.add(
            CooperationPerson(
                cooperation_id=small.cooperation_id,
                user_id=user.id,
                organisation_id=country.id("door"),
                from_on=clock.today() - dt.timedelta(days=9),
                until_on=clock.today() - dt.timedelta(days=1),
            )
        )
    elif key == "guest":
        invitations.invite(
            country.actor(PARTNER),
            NewInvitation(address, {Role.MEMBER}, organisation_id=country.id("door")),
        )
    db.session.commit()
    with pytest.raises(RuleBrokenError, match=words) as broken:
        small.ask(email=address)
    assert broken.value.field == "email"
    assert small.terms.reading is None


@pytest.mark.parametrize(
    ("key", "status"), [(PARTNER, 403), (SIGNER, 403), ("root", 404), ("ilena", 404), (READER, 404)]
)
def test_nobody_but_the_npm_asks(small: SmallNpm, app: Flask, key: str, status: int) -> None:
    small.ask()  # so that the reader can sign in at all
    page = f"/checklists/{small.terms_id}/outside-reader"
    browser = small.country.browser(app, key)
    answers_given = [
        browser.get(page).status_code,
        browser.post(page, data={}).status_code,
        browser.post(f"{page}/take-back").status_code,
    ]
    assert answers_given == [status] * 3
    assert len(db.session.scalars(sa.select(OutsideReading)).all()) == 1


def test_while_somebody_of_the_npm_could_read_nobody_from_outside_is_asked(
    small: SmallNpm, app: Flask
) -> None:
    small.country.person("Kai Moss", "other_npm", Role.MEMBER)
    db.session.commit()
    page = small.country.browser(app, WRITER).page(f"/checklists/{small.terms_id}/outside-reader")
    assert "Kai Moss of the NPM wrote none of the answers" in page.text
    with pytest.raises(RuleBrokenError, match="Kai Moss"):
        small.ask()
    bring_in(small.country, small.cooperation, "kai")
    with pytest.raises(RuleBrokenError, match="Name them as second reader in “Independence"):
        small.ask()


def test_a_text_has_one_outside_reader_however_often_the_form_is_sent(small: SmallNpm) -> None:
    first = small.ask()
    with pytest.raises(RuleBrokenError, match="already invited"):
        small.ask(email=NEW)
    db.session.rollback()
    small.confirm(stored(first.id))
    with pytest.raises(RefusedError, match="can't read this text any more"):
        small.confirm(stored(first.id))
    with pytest.raises(RuleBrokenError, match="already been confirmed"):
        small.ask(email=NEW)
    assert verbs_on(small) == ["outside_reader_asked", "safeguards_reviewed"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"until_on": -1}, "until_on"),
        ({"until_on": 61}, "until_on"),
        ({"name": " "}, "name"),
        ({"function": " "}, "function"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
    ],
)
def test_a_missing_part_of_an_invitation_is_reported_beside_its_field(
    small: SmallNpm, changed: dict[str, Any], field: str
) -> None:
    if "until_on" in changed:
        changed = {"until_on": clock.today() + dt.timedelta(days=changed["until_on"])}
    with pytest.raises(RuleBrokenError) as broken:
        small.ask(**changed)
    assert broken.value.field == field


# Reading --------------------------------------------------------------------------------------


def rewrite(small: SmallNpm, clause: str) -> None:
    """Change the words of M2, by a suggestion that the partner accepts."""
    current = small.loaded().sheet.shared("M2")
    assert current is not None
    text = next(k for k, v in current.values.items() if isinstance(v, str) and len(v) > 3)
    proposal = positions.propose(
        small.actor(WRITER),
        small.terms,
        "M2",
        {**current.values, text: clause},
        answer_id=current.answer_id,
        reason="Shorter.",
    )
    positions.accept_proposal(small.actor(PARTNER), small.terms, proposal.id)
    db.session.commit()


def test_the_reader_answers_hints_and_flags_for_nobody_but_themselves(
    small: SmallNpm, app: Flask
) -> None:
    """What they accept counts while they are asked or have read, but not once it is taken back."""
    reading = small.ask()
    rewrite(small, "Visits take place with the prior approval of Open Door.")
    (hint,) = hints.waiting_for_reader(small.loaded())
    reader, address = small.country.browser(app, READER), f"/readings/{reading.id}"
    assert "No, accept it" in reader.page(address).text
    reader.submit(f"{address}/items/M2/hints/{hint.mark}", limits="no", reason="Only by letter.")
    assert not hints.waiting_for_reader(small.loaded())
    reader.submit(f"{address}/items/M6/flag", reason="It can't stop.")
    partner = small.country.browser(app, PARTNER).page(f"/checklists/{small.terms_id}").text
    assert "The outside second reader flagged this" in partner
    service.take_back(small.actor(WRITER), small.terms)
    db.session.commit()
    assert len(hints.waiting_for_reader(small.loaded())) == 1
    with pytest.raises(RefusedError, match="Only people acting for one of the parties"):
        checklists.flag_term(small.actor(READER), small.terms, "M6", "Again.")


def test_a_text_that_changed_since_the_page_was_opened_is_not_confirmed(small: SmallNpm) -> None:
    reading = small.ask()
    digest = text_digest(small.loaded(), reading)
    whole = checklists.whole(small.loaded(), "M6")
    current = small.loaded().sheet.shared("M6")
    assert current is not None
    answers.save_answer(
        small.actor(HEAD),
        small.terms,
        "M6",
        AnswerScope.SHARED,
        {**whole, **current.values},
        base_version=current.version,
    )
    db.session.commit()
    with pytest.raises(NotShownError):
        service.confirm(
            small.actor(READER), reading.id, page=shown.page_with(digest), method="password_totp"
        )
    small.confirm(stored(reading.id))
    assert small.loaded().review is not None
    # So the coordinators are mailed.
    assert obstacles.to_sending(small.loaded()) == []
    assert small.loaded().checklist.is_ready_to_send


def test_the_outside_reader_flags_the_words_that_were_on_the_page(
    small: SmallNpm, app: Flask
) -> None:
    reading = small.ask()
    reader, address = small.country.browser(app, READER), f"/readings/{reading.id}/items/M6/flag"
    opened = reader.page(address).form().filled_in(reason="It can't stop.")
    whole = checklists.whole(small.loaded(), "M6")
    current = small.loaded().sheet.shared("M6")
    assert current is not None
    answers.save_answer(
        small.actor(HEAD),
        small.terms,
        "M6",
        AnswerScope.SHARED,
        {**whole, **current.values},
        base_version=current.version,
    )
    db.session.commit()
    page = Page.of(reader.post(address, data=opened, csrf=False))
    assert "The answer changed while you were writing." in page.text
    assert not small.loaded().flags_on.get("M6")
    reader.post(address, data=page.form().filled_in(), csrf=False)
    (flag,) = small.loaded().flags_on["M6"]
    assert flag.reason == "It can't stop."


def test_an_answer_to_a_hint_whose_words_changed_meanwhile_is_kept_and_not_taken(
    small: SmallNpm, app: Flask
) -> None:
    reading = small.ask()
    rewrite(small, "Visits take place with the prior approval of Open Door.")
    (hint,) = hints.waiting_for_reader(small.loaded())
    reader = small.country.browser(app, READER)
    address = f"/readings/{reading.id}/items/M2/hints/{hint.mark}"
    opened = reader.page(address).form().filled_in(limits="no", reason="Only by letter.")
    rewrite(small, "No visit takes place without the prior approval of Open Door.")
    page = Page.of(reader.post(address, data=opened, csrf=False))
    assert str(safeguards.words_changed()) in page.text
    assert page.form().values["reason"] == ["Only by letter."]
    assert [hint.mark for hint in hints.waiting_for_reader(small.loaded())] != []
    assert hint.mark not in [hint.mark for hint in hints.waiting_for_reader(small.loaded())]


def test_a_change_after_the_reading_asks_for_another(small: SmallNpm) -> None:
    small.confirm(small.ask())
    review = small.loaded().review
    assert review is not None
    safeguards.void_review(small.loaded())
    db.session.commit()
    assert small.loaded().review is None
    small.confirm(small.ask())
    assert integrity.check_all().finding is None


def test_freezing_without_the_reader_ends_the_invitation(small: SmallNpm) -> None:
    reading = small.ask()
    safeguards_event = trail_service.DomainEvent(
        verbs.FORMER_AGREEMENT_RECORDED,
        "checklist",
        small.terms_id,
        small.cooperation_id,
        small.actor(WRITER),
    )
    service.follow_frozen(safeguards_event)
    service.follow_frozen(safeguards_event)
    db.session.commit()
    assert stored(reading.id).end is ReadingEnd.FROZEN
    assert verbs_on(small) == ["outside_reader_asked", "outside_reading_ended"]


@pytest.mark.parametrize(
    "change",
    [
        {"until_on": dt.date(2099, 1, 1)},
        {"name": "Somebody else"},
        {"function": "Judge"},
        {"reason": "Another."},
        {"ended_at": None, "end": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_row_changed_by_hand_is_found(small: SmallNpm, change: dict[str, Any]) -> None:
    reading_id = small.ask().id
    service.take_back(small.actor(WRITER), small.terms)
    db.session.commit()
    assert integrity.check_all().finding is None
    with hands() as connection:
        connection.execute(sa.update(OutsideReading).filter_by(id=reading_id).values(**change))
    finding = integrity.check_all().finding
    assert finding is not None
    assert (finding.fault, finding.place.of) == (Fault.ROW_DIFFERS, "outside_reading")
