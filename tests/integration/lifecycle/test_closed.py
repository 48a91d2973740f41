"""In a closed cooperation (P7), no text is sent, signed or amended, and none waits any more."""

import datetime as dt
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import due, starting_points
from tests.factories import agreements
from tests.factories import cooperations as factories
from tests.factories.cooperations import Country, StoredCountry
from tracker.agreements import notices, service
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import ChecklistState, NoticeKind
from tracker.cooperations.models import Cooperation, Stage
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError
from tracker.signoff.models import RequestState, Revision, SignatureRequest

DAY = dt.timedelta(days=1)
SIGNERS = {"npm": "tomas", "door": "henrik"}
KINDS = (ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY)
CLOSED = "This cooperation is closed"


def _send() -> tuple[StoredCountry, UUID]:
    """Bring agreed terms into force, and send terms on confidentiality."""
    session, today = db.session(), clock.today()
    factories.load_checklists()
    country = factories.make_country(session)
    cooperation = factories.open_one(country, "door")
    terms, text = (agreements.checklist_of(cooperation, kind) for kind in KINDS)
    term = agreements.term(today - 10 * DAY, today + 400 * DAY)
    agreements.answer(country, terms, "M19", **term)
    agreements.send(country, terms, SIGNERS)
    agreements.sign(country, terms, "tomas", "henrik")
    until = (today + 300 * DAY).isoformat()
    agreements.answer(country, text, "C1", scope="all_until", until=until)
    agreements.send(country, text, SIGNERS)
    agreements.sign(country, text, "tomas")
    return StoredCountry.of(country), cooperation.id


class Texts:
    """A cooperation with agreed terms in force, and terms on confidentiality that were sent."""

    def __init__(self, session: Session, country: Country, cooperation_id: UUID) -> None:
        self.session, self.country = session, country
        self.cooperation = session.get_one(Cooperation, cooperation_id)
        self.terms, self.text = (agreements.checklist_of(self.cooperation, kind) for kind in KINDS)

    def end(self) -> None:
        """End the agreed terms, by a notice that is due."""
        tomas = self.country.actor("tomas")
        notices.give_notice(tomas, self.terms, NoticeKind.ENDED, reason="The law changed.")
        due.carry_out_due(notices.earliest(self.terms, NoticeKind.ENDED))
        assert self.cooperation.stage is Stage.CLOSED

    def last_request(self) -> SignatureRequest:
        """Return the newest signature request of the text on confidentiality."""
        return self.session.scalars(
            sa.select(SignatureRequest)
            .join(Revision, Revision.id == SignatureRequest.revision_id)
            .where(Revision.subject_id == self.text.id)
            .order_by(Revision.number.desc())
            .limit(1)
        ).one()


@pytest.fixture
def texts(app: Flask, session: Session) -> Texts:
    """A cooperation with a text that waits for its last signature."""
    country, cooperation_id = starting_points.of(app).use("text_that_waits", _send)
    return Texts(session, country.load(session), cooperation_id)


def test_a_text_that_waits_is_called_back_when_the_agreed_terms_end(
    app: Flask, texts: Texts
) -> None:
    texts.end()
    assert texts.text.revision_sent_id is None
    assert texts.text.state is ChecklistState.DRAFTING
    assert texts.last_request().state is RequestState.WITHDRAWN
    # Nothing is signed, sent or answered any more.
    named = {texts.country.id(key): texts.country.users[first].id for key, first in SIGNERS.items()}
    with pytest.raises(RefusedError, match=CLOSED):
        agreements.sign(texts.country, texts.text, "henrik")
    with pytest.raises(RefusedError, match=CLOSED):
        service.send(texts.country.actor("ilena"), texts.text, named)
    with pytest.raises(RefusedError, match=CLOSED):
        agreements.answer(texts.country, texts.text, "C4", classes=["K1"])
    # The page of the cooperation asks nobody for what was never signed.
    texts.session.commit()
    unsigned = "Not signed when the cooperation ended"
    for first in ("ilena", "samira", "henrik"):
        browser = factories.signed_in(app, texts.country.users[first])
        page = browser.page(f"/cooperations/{texts.cooperation.reference}").text
        assert unsigned in page
        assert "Waiting for us" not in page
        assert "Name who takes part" not in page
        text = browser.page(f"/checklists/{texts.text.id}").text
        assert f"{unsigned} There's nothing left to do" in text


def test_a_request_that_was_not_called_back_is_signed_by_nobody(texts: Texts) -> None:
    """The stage alone decides: a text may wait that was sent before this rule."""
    texts.cooperation.stage = Stage.CLOSED
    texts.session.commit()
    with pytest.raises(RefusedError, match=CLOSED):
        agreements.sign(texts.country, texts.text, "henrik")


def test_a_text_in_force_is_amended_by_nobody_in_a_closed_cooperation(
    app: Flask, texts: Texts
) -> None:
    agreements.sign(texts.country, texts.text, "henrik")
    texts.end()
    ilena = texts.country.actor("ilena")
    with pytest.raises(RefusedError, match=CLOSED):
        service.amend(ilena, texts.text, reason="Another contact.", items=["C4"])
    texts.session.commit()
    browser = factories.signed_in(app, texts.country.users["ilena"])
    for page in ("", "/record"):
        assert "Propose an amendment" not in browser.page(f"/checklists/{texts.text.id}{page}").text
    assert CLOSED in browser.page(f"/checklists/{texts.text.id}/amend", status=403).text


def test_no_page_calls_a_text_unsigned_whose_amendment_alone_was_not_signed(
    app: Flask, texts: Texts
) -> None:
    """A suspended text has no revision in force, so its open amendment isn't called off."""
    agreements.sign(texts.country, texts.text, "henrik")
    service.amend(texts.country.actor("ilena"), texts.text, reason="Another contact.", items=["C4"])
    henrik = texts.country.actor("henrik")
    notices.give_notice(henrik, texts.text, NoticeKind.SUSPENDED, reason="Not safe.")
    texts.end()
    assert texts.text.state is ChecklistState.DRAFTING
    texts.session.commit()
    browser = factories.signed_in(app, texts.country.users["ilena"])
    page = browser.page(f"/cooperations/{texts.cooperation.reference}").text
    text = browser.page(f"/checklists/{texts.text.id}").text
    for words in (page, text):
        assert "Not signed when the cooperation ended" not in words
    assert "Sign the confidentiality termsEnded" in page
    assert "Ended There's nothing left to do on this text." in text
    assert "See the signed record" in text


def test_no_notice_is_given_or_withdrawn_in_a_closed_cooperation(app: Flask, texts: Texts) -> None:
    agreements.sign(texts.country, texts.text, "henrik")
    henrik = texts.country.actor("henrik")
    notice = notices.give_notice(henrik, texts.text, NoticeKind.SUSPENDED, reason="Not safe.")
    texts.end()
    with pytest.raises(RefusedError, match=CLOSED):
        notices.close_notice(henrik, texts.text, notice.id, reason="It is safe again.")
    for kind in NoticeKind:
        with pytest.raises(RefusedError, match=CLOSED):
            notices.give_notice(texts.country.actor("tomas"), texts.text, kind, reason="Not safe.")
    texts.session.commit()
    browser = factories.signed_in(app, texts.country.users["henrik"])
    own = f"/checklists/{texts.text.id}/"
    targets = set(browser.page(f"{own}record").addresses())
    assert not {f"{own}suspend", f"{own}end", f"{own}notices/{notice.id}/close"} & targets
