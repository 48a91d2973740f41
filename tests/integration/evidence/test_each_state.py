"""Each place that says the state of a text says the same one, with the same date.

Nobody runs the worker: what a day changes is so from that day on.
"""

import csv
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import agreements
from tests.factories.checklists import decline_text
from tests.factories.cooperations import Country, copied_country, open_one
from tests.factories.evidence.bundles import judged
from tests.factories.evidence.certificates import make_all
from tests.pages import Page
from tracker.activity.stale import recompute
from tracker.agreements import notices
from tracker.agreements import service as agreements_service
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, NoticeKind
from tracker.cooperations.models import Cooperation, Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.evidence.bundles import bundle, service
from tracker.evidence.public_check import verdicts
from tracker.evidence.public_check.facts import Verdict
from tracker.signoff.models import Revision
from tracker.ui.locale import as_date

DAY = dt.timedelta(days=1)
PAIR = {"npm": "tomas", "door": "henrik"}
# In how many days a notice counts, and the terms begin or end.
SOON, LATE = 40, 400
Freeze = Callable[[dt.datetime | None], None]


@dataclass
class Text:
    """Agreed terms of a cooperation without further texts, and their first revision."""

    country: Country
    cooperation: Cooperation
    terms: Checklist
    revision: Revision
    frozen_time: Freeze

    @classmethod
    def send(
        cls, session: Session, frozen_time: Freeze, first: int = 0, last: int = LATE
    ) -> "Text":
        """Return terms sent for signature that run from and until this many days from today."""
        country, today = copied_country(session), clock.today()
        cooperation = open_one(country, modes=(Mode.SUPP,), questions={"unpublished_shared": "no"})
        terms = agreements.checklist_of(cooperation, ChecklistKind.TERMS)
        term = agreements.term(today + first * DAY, today + last * DAY)
        agreements.answer(country, terms, "M19", **term)
        revision = agreements.send(country, terms, PAIR)
        return cls(country, cooperation, terms, revision, frozen_time)

    def sign(self) -> "Text":
        agreements.sign(self.country, self.terms, *PAIR.values())
        return self

    def wait(self, days: int) -> "Text":
        """Let days pass, on which the worker does nothing."""
        self.frozen_time(clock.now() + days * DAY)
        return self

    def give_notice(self, kind: NoticeKind) -> "Text":
        """Give notice, and let its day come."""
        notices.give_notice(
            self.country.actor("henrik"),
            self.terms,
            kind,
            reason="It is not safe.",
            from_on=clock.today() + SOON * DAY,
        )
        return self.wait(SOON)

    def decline(self) -> "Text":
        henrik = self.country.actor("henrik")
        decline_text(henrik, self.terms, reason="Too long a term.", items=["M19"])
        return self

    def replace(self) -> "Text":
        """Bring another revision into force, which runs longer."""
        ilena, today = self.country.actor("ilena"), clock.today()
        agreements_service.amend(ilena, self.terms, reason="A longer term.", items=["M19"])
        longer = agreements.term(today, today + 2 * LATE * DAY)
        current = agreements.current(self.terms, "M19")
        agreements.change(self.country, self.terms, "M19", current, **longer)
        agreements.send(self.country, self.terms, PAIR)
        return self.sign()


@dataclass(frozen=True)
class Expected:
    """What each place says; {day} is the day that something begins, {last} the last one."""

    # About the first revision.
    words: str
    verdict: Verdict
    # About the cooperation.
    stage: str
    # About the checklist in the register, if its text is another one by now.
    register: str = ""
    # In how many days the text ends, in the register.
    last: int = LATE
    # What the record says of the notice, before its day.
    notice: str = ""


STATES: Mapping[str, tuple[Callable[[Session, Freeze], Text], Expected]] = {
    "signed by all, begins later": (
        lambda session, freeze: Text.send(session, freeze, first=SOON).sign(),
        Expected(
            "Signed by all, begins on {day}",
            Verdict.BEGINS_LATER,
            "Signed by all, begins on {day}",
        ),
    ),
    "in force": (
        lambda session, freeze: Text.send(session, freeze).sign(),
        Expected("In force", Verdict.GENUINE, "Active"),
    ),
    "suspended": (
        lambda session, freeze: Text.send(session, freeze).sign().give_notice(NoticeKind.SUSPENDED),
        Expected("Suspended", Verdict.SUSPENDED, "Suspended", notice="Suspended since"),
    ),
    "ended by notice": (
        lambda session, freeze: Text.send(session, freeze).sign().give_notice(NoticeKind.ENDED),
        Expected("Ended", Verdict.ENDED, "Terms ended on {day}", last=SOON - 1, notice="Ended on"),
    ),
    "expired": (
        lambda session, freeze: Text.send(session, freeze, last=SOON).sign().wait(SOON + 1),
        Expected("Ended", Verdict.ENDED, "Terms ended on {last}", last=SOON),
    ),
    "superseded": (
        lambda session, freeze: Text.send(session, freeze).sign().replace(),
        Expected(
            "Replaced by a later revision",
            Verdict.SUPERSEDED,
            "Active",
            register="In force",
            last=2 * LATE,
        ),
    ),
    "declined": (
        lambda session, freeze: Text.send(session, freeze).decline(),
        Expected("Declined", Verdict.NOT_SIGNED, "Drafting terms"),
    ),
}


def states_on(page: Page) -> list[str]:
    """Return what a page says in the places for a state, in order."""
    spans = page.root.iter("span")
    return ["".join(span.itertext()) for span in spans if span.get("class") == "state"]


def cells(page: Page) -> dict[str, str]:
    """Return the text of each row's second cell by the heading of the row."""
    rows = [
        ["".join(cell.itertext()).strip() for cell in row]
        for row in page.root.iter("tr")
        if row.find("th") is not None and row.find("td") is not None
    ]
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize("state", STATES)
def test_each_place_says_the_same_state_and_date(
    app: Flask, session: Session, frozen_time: Freeze, folder: Path, state: str
) -> None:
    begin, expected = STATES[state]
    today = clock.today()
    text = begin(session, frozen_time)
    recompute()
    session.commit()
    last = today + expected.last * DAY
    days = {"day": as_date(today + SOON * DAY), "last": as_date(last)}
    words, stage = expected.words.format(**days), expected.stage.format(**days)
    current = expected.register or words
    cooperation_id, reference = text.cooperation.id, text.cooperation.reference
    revision_id, checklist = text.revision.id, f"/checklists/{text.terms.id}"

    for key in ("henrik", "nadia"):
        client = text.country.browser(app, key)
        assert states_on(client.page(f"{checklist}/record/1"))[0] == words
        assert states_on(client.page(f"{checklist}/record"))[0] == current
        revisions = cells(client.page(f"{checklist}/revisions"))
        assert revisions["Revision 1"] == f"State: {words}"
        (listed,) = states_on(client.page(f"/cooperations?q={reference}"))
        assert listed == stage
        page = client.page(f"/cooperations/{reference}").text
        assert f"Stage: {stage}" in page
        assert ("In timeMet" in page) is (stage == "Active")
        if expected.notice:
            record = client.page(f"{checklist}/record").text
            assert f"{expected.notice} {days['day']}." in record

    manager = text.country.browser(app, "nadia")
    assert states_on(manager.page(f"/register?q={reference}"))[0] == current
    assert states_on(manager.page(f"/register/{text.terms.id}"))[0] == current
    exported = manager.post("/register/export", data={"q": reference}).get_data(as_text=True)
    (row,) = csv.DictReader(exported.lstrip("\ufeff").splitlines())
    assert (row["State"], row["Until"]) == (current, last.isoformat())

    answer = verdicts.of_text(reference, text.revision.digest)
    assert answer.verdict is expected.verdict
    certificates = make_all().get(revision_id, [])
    assert bool(certificates) is (state != "declined")
    for certificate in certificates:
        assert verdicts.of_digests(certificate.sha256) == answer
    data = bundle.build(service.export(None, cooperation_id, reference))
    db.session.commit()
    assert judged(data) == {}
    assert verdicts.of_file(data).verdict is Verdict.BUNDLE
