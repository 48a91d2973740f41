"""A notice that a signed amendment replaces is named before anybody signs, and after all have."""

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import agreements
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, NOTICE, SIGNERS, Clock
from tests.integration.agreements.notices.test_notices import amend, give, on, send_amended
from tests.integration.agreements.test_pages import browser
from tests.pages import Page
from tracker.agreements import notices
from tracker.checklists.models import NoticeKind
from tracker.core import clock
from tracker.mail.models import OutboxMessage
from tracker.ui.locale import as_date

SUSPENDED, ENDED = NoticeKind.SUSPENDED, NoticeKind.ENDED
ONCE_SIGNED = "This notice no longer counts once all parties have signed the new text."


def sign_all(negotiation: Negotiation) -> None:
    agreements.sign(negotiation.country, negotiation.checklist(), *SIGNERS.values())
    negotiation.session.commit()


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(1)
@pytest.mark.parametrize(
    ("kind", "named"), [(ENDED, "ends_replaced"), (SUSPENDED, "suspensions_replaced")]
)
def test_the_trail_and_a_mail_say_that_an_amendment_replaced_a_notice(
    in_force: Negotiation, frozen_time: Clock, kind: NoticeKind, named: str
) -> None:
    send_amended(in_force)
    later = clock.today() + NOTICE * DAY
    give(in_force, "henrik", kind, from_on=later)
    sign_all(in_force)
    event = in_force.events("came_into_force")[-1]
    assert event[named] == [in_force.country.organisations["door"].name]
    assert "suspended_by" not in event
    mails = in_force.session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind == "text_in_force_without_notice")
    ).all()
    assert {mail.recipient.split(".")[0] for mail in mails} >= {"ilena", "samira", "joana"}
    assert all("no longer counts" in mail.body for mail in mails)
    assert on(in_force, frozen_time, NOTICE) == 0


def test_an_amendment_without_a_notice_replaces_none(in_force: Negotiation) -> None:
    send_amended(in_force)
    sign_all(in_force)
    event = in_force.events("came_into_force")[-1]
    assert event.keys().isdisjoint({"ends_replaced", "suspensions_replaced"})
    kinds = set(in_force.session.scalars(sa.select(OutboxMessage.kind)))
    assert "text_in_force" in kinds
    assert "text_in_force_without_notice" not in kinds


def test_the_history_says_which_notice_no_longer_counts(app: Flask, in_force: Negotiation) -> None:
    send_amended(in_force)
    give(in_force, "henrik", ENDED)
    sign_all(in_force)
    page = browser(app, in_force, "ilena").page(f"/checklists/{in_force.checklist().id}/record")
    name = in_force.country.organisations["door"].name
    assert f"The notice of the end given by {name} no longer counts." in page.text


def test_each_page_up_to_the_signature_names_the_notice(app: Flask, in_force: Negotiation) -> None:
    notice = give(in_force, "henrik", ENDED)
    end = f"Will end on {as_date(notice.from_on)}."
    where = f"/checklists/{in_force.checklist().id}"
    for address in (f"{where}/amend", f"{where}/renew"):
        text = browser(app, in_force, "ilena").page(address).text
        assert end in text
        assert ONCE_SIGNED in text
    terms = amend(in_force)
    assert ONCE_SIGNED in browser(app, in_force, "ilena").page(f"{where}/send").text
    agreements.send(in_force.country, terms, SIGNERS)
    in_force.session.commit()
    for first, is_own in (("tomas", False), ("henrik", True)):
        read = browser(app, in_force, first).page(f"{where}/sign")
        assert end in read.text
        assert ONCE_SIGNED in read.text
        confirm = browser(app, in_force, first).page(read.links()["Continue to sign"])
        assert ONCE_SIGNED in confirm.text
        ours = f"Once all have signed, our notice that the text ends on {as_date(notice.from_on)}"
        assert (ours in confirm.text) is is_own


def test_nobody_signs_away_a_notice_that_their_page_did_not_name(
    app: Flask, in_force: Negotiation
) -> None:
    """Somebody else of the organisation may have given it meanwhile (product.md, 5.3)."""
    send_amended(in_force)
    client = browser(app, in_force, "henrik")
    read = client.page(f"/checklists/{in_force.checklist().id}/sign")
    confirm = client.page(read.links()["Continue to sign"])
    give(in_force, "henrik", ENDED)
    data = confirm.form().filled_in(password="x", code="123456")
    again = Page.of(client.post(confirm.where, data=data, csrf=False, follow_redirects=True))
    assert ONCE_SIGNED in again.text
    assert "our notice that the text ends on" in again.text


def test_a_text_that_has_ended_names_no_notice_when_it_is_agreed_again(
    in_force: Negotiation, frozen_time: Clock
) -> None:
    give(in_force, "henrik", ENDED)
    assert [row.kind for row in notices.replaced_by_signing(in_force.checklist())] == [ENDED]
    assert on(in_force, frozen_time, NOTICE) == 1
    assert notices.replaced_by_signing(in_force.checklist()) == []
