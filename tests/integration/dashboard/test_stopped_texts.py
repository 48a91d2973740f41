"""What the pages of a running cooperation say once its terms on confidentiality have stopped."""

import datetime as dt

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import due
from tests.factories import agreements
from tests.factories import cooperations as factories
from tests.factories.cooperations import Country
from tracker.activity.stale import recompute
from tracker.agreements import notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, NoticeKind
from tracker.cooperations.models import Cooperation, Mode, Stage
from tracker.core import clock
from tracker.dashboard.my_work import checklist_tasks
from tracker.ui.tasks import Task

DAY = dt.timedelta(days=1)
SIGNERS = {"npm": "tomas", "door": "henrik"}
NO_QUESTION = {"unpublished_shared": "no", "npm_passes_restricted": "no"}
IN_FORCE = "Everything that is agreed is in force"
AGREE_AGAIN = "The signed text has ended, and this cooperation still needs one."


class Texts:
    """An active cooperation with agreed terms and terms on confidentiality in force."""

    def __init__(self, session: Session) -> None:
        factories.load_checklists()
        self.country: Country = factories.make_country(session)
        self.cooperation: Cooperation = factories.open_one(self.country, "door")
        for first in ("tomas", "henrik"):
            factories.bring_in(self.country, self.cooperation, first)
        today = clock.today()
        self.terms = agreements.checklist_of(self.cooperation, ChecklistKind.TERMS)
        term = agreements.term(today - 10 * DAY, today + 400 * DAY)
        agreements.answer(self.country, self.terms, "M19", **term)
        self.agree(self.terms)
        self.text = agreements.checklist_of(self.cooperation, ChecklistKind.CONFIDENTIALITY)
        until = (today + 300 * DAY).isoformat()
        agreements.answer(self.country, self.text, "C1", scope="all_until", until=until)
        self.agree(self.text)
        recompute()
        assert self.cooperation.stage is Stage.ACTIVE

    def agree(self, checklist: Checklist) -> None:
        agreements.send(self.country, checklist, SIGNERS)
        agreements.sign(self.country, checklist, "tomas", "henrik")

    def stop(self, kind: NoticeKind, text: Checklist | None = None) -> None:
        """Suspend or end a text, by default the terms on confidentiality, by a notice."""
        stopped = text or self.text
        notices.give_notice(self.country.actor("henrik"), stopped, kind, reason="Not safe.")
        due.carry_out_due(notices.earliest(stopped, kind))
        recompute()
        self.country.session.commit()

    def page(self, app: Flask, first: str, rest: str = "") -> str:
        client = self.country.browser(app, first)
        return client.page(f"/cooperations/{self.cooperation.reference}{rest}").text


@pytest.fixture
def texts(app: Flask, session: Session) -> Texts:
    return Texts(session)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (NoticeKind.SUSPENDED, "Not everything that was agreed is in force. Confidentiality: Sus"),
        (NoticeKind.ENDED, AGREE_AGAIN),
    ],
)
def test_nobody_reads_that_all_is_in_force_once_a_text_has_stopped(
    app: Flask, texts: Texts, kind: NoticeKind, words: str
) -> None:
    texts.stop(kind)
    for first in ("tomas", "henrik"):
        page = texts.page(app, first)
        assert IN_FORCE not in page
        assert words in page


def test_a_coordinator_is_asked_to_agree_again_on_a_needed_text_that_has_ended(
    app: Flask, texts: Texts
) -> None:
    texts.stop(NoticeKind.ENDED)
    for first, state in (("ilena", "Waiting for you"), ("henrik", "Waiting for a coordinator")):
        page = texts.page(app, first)
        assert f"Agree the confidentiality terms{AGREE_AGAIN}{state}" in page
    texts.stop(NoticeKind.ENDED, texts.terms)
    assert AGREE_AGAIN not in texts.page(app, "ilena")


def test_my_work_asks_the_same_people_to_agree_again(app: Flask, texts: Texts) -> None:
    assert agreeing_again(app, texts, "ilena") == []
    texts.stop(NoticeKind.ENDED)
    record = f"/checklists/{texts.text.id}/record"
    for first in ("ilena", "samira"):
        assert agreeing_again(app, texts, first) == [record]
    # No coordinators, though they sign; and the coordinator of another CSO.
    for first in ("henrik", "leyla", "joana"):
        assert agreeing_again(app, texts, first) == []
    notices.agree_anew(texts.country.actor("ilena"), texts.text, reason="Agreed again.")
    assert agreeing_again(app, texts, "ilena") == []


def test_my_work_asks_nobody_to_agree_again_on_a_text_that_is_not_needed_any_more(
    app: Flask, texts: Texts
) -> None:
    texts.stop(NoticeKind.ENDED)
    texts.cooperation.modes, texts.cooperation.questions = [Mode.INFO_F.value], NO_QUESTION
    texts.country.session.commit()
    assert AGREE_AGAIN not in texts.page(app, "ilena")
    assert agreeing_again(app, texts, "ilena") == []


def agreeing_again(app: Flask, texts: Texts, first: str) -> list[str]:
    """Return where My work of a person leads to agree again on a text that has ended."""
    with app.test_request_context():
        tasks = checklist_tasks(texts.country.actor(first)).mine
        return [
            task.url for task in tasks if isinstance(task, Task) and AGREE_AGAIN in str(task.why)
        ]
