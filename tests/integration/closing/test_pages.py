"""The pages of returns and of the closing, as each kind of reader sees them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories.accounts import take_app
from tests.factories.evidence.tampering import hands, table_of
from tests.factories.visits import JointVisit
from tests.integration.closing.test_service import answer_all, returns
from tests.integration.visits.test_readiness import in_force_again
from tests.pages import Page
from tests.services import put
from tracker.access.actor import Role
from tracker.accounts.factors.credentials import COMPULSORY_ROLES
from tracker.activity.models import ReadLogEntry
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import Notice
from tracker.closing import service
from tracker.closing.models import Disposal, ReturnState
from tracker.core import clock
from tracker.ui.locale import as_date
from tracker.undertakings.models import Undertaking

Statements = Callable[[], AbstractContextManager[list[str]]]


def closing_page(joint_visit: JointVisit) -> str:
    return f"/cooperations/{joint_visit.reference}/closing"


def test_a_person_confirms_from_my_work_and_reads_what_they_said(
    app: Flask, ended: JointVisit
) -> None:
    browser = ended.demonstration.browser(app, "leyla")
    address = browser.page("/").links()["Confirm what became of your copies"]
    page = browser.page(address)
    assert page.h1 == "Confirm what became of your copies"
    done = browser.submit(address, disposal="destroyed", words="Shredded on Monday.")
    text = done.get_data(as_text=True)
    assert "Thank you. What you confirmed is on record." in text
    assert "All copies destroyed" in text
    assert "Shredded on Monday." in text
    assert returns(ended)["leyla"].state is ReturnState.CONFIRMED
    assert "Confirm what became of your copies" not in browser.page("/").text


def test_without_a_choice_the_form_says_so_and_keeps_the_words(
    app: Flask, ended: JointVisit
) -> None:
    browser = ended.demonstration.browser(app, "leyla")
    address = f"/returns/{returns(ended)['leyla'].id}"
    response = browser.submit(address, words="Shredded on Monday.")
    text = response.get_data(as_text=True)
    assert "Choose what became of your copies" in text
    assert "Shredded on Monday." in text
    assert returns(ended)["leyla"].state is ReturnState.REQUESTED


@pytest.mark.parametrize(
    "key", ["ilena", "tomas", "samira", "joana", "greta", "iris", "vera", None]
)
def test_the_page_of_a_persons_copies_is_theirs_alone(
    app: Flask, ended: JointVisit, key: str | None
) -> None:
    browser = ended.demonstration.browser(app, key)
    response = browser.get(f"/returns/{returns(ended)['leyla'].id}")
    assert response.status_code == (302 if key is None else 404)


def test_the_npm_reads_everybodys_answers_and_a_cso_those_of_its_own_people(
    app: Flask, ended: JointVisit
) -> None:
    requests = returns(ended)
    assert {"leyla", "samira"} <= set(requests)
    npm = ended.demonstration.browser(app, "ilena").page(closing_page(ended)).text
    assert ("Leyla Marchetti" in npm, "Samira Okell" in npm) == (True, True)
    joana = ended.demonstration.browser(app, "joana").page(closing_page(ended)).text
    assert ("Leyla Marchetti" in joana, "Samira Okell" in joana) == (True, False)
    assert "people were asked" in joana or "person was asked" in joana


@pytest.mark.parametrize("key", ["celia", "vera", "iris"])
def test_to_strangers_the_closing_is_not_there(app: Flask, ended: JointVisit, key: str) -> None:
    assert ended.demonstration.browser(app, key).get(closing_page(ended)).status_code == 404


def test_only_deciders_read_what_a_person_added(app: Flask, ended: JointVisit) -> None:
    leyla = ended.demonstration.browser(app, "leyla")
    leyla.submit(
        f"/returns/{returns(ended)['leyla'].id}", disposal="both", words="Two films handed over."
    )
    browser = ended.demonstration.browser
    assert "Two films" in browser(app, "milan").page(closing_page(ended)).text
    for key in ("ilena", "joana", "samira", "greta"):
        assert "Two films" not in browser(app, key).page(closing_page(ended)).text, key


def test_reading_what_others_added_about_their_copies_is_in_the_read_log(
    app: Flask, ended: JointVisit
) -> None:
    """product.md, 7: no entry where nothing is shown."""
    ended.demonstration.browser(app, "milan").page(closing_page(ended))
    assert readers(ended) == []
    add_words(ended)
    for key in ("ilena", "joana", "samira", "leyla", "milan"):
        ended.demonstration.browser(app, key).page(closing_page(ended))
    assert readers(ended) == [ended.user("milan")]


def test_the_read_log_names_each_person_whose_words_were_shown(
    app: Flask, ended: JointVisit, statements: Statements
) -> None:
    """Whoever looks one of them up finds the reading; it takes no statement for each of them."""
    add_words(ended)
    milan = ended.demonstration.browser(app, "milan")
    with statements() as for_one:
        milan.page(closing_page(ended))
    service.confirm(
        ended.actor("samira"), returns(ended)["samira"].id, Disposal.BOTH, "One notebook burnt."
    )
    ended.session.commit()
    with statements() as for_two:
        milan.page(closing_page(ended))
    assert len(for_two) == len(for_one)
    entries = ended.session.scalars(sa.select(ReadLogEntry).order_by(ReadLogEntry.at)).all()
    of = {key: returns(ended)[key].undertaking_id for key in ("leyla", "samira")}
    assert entries[0].subject_id == of["leyla"]
    assert {entry.subject_id for entry in entries[1:]} == set(of.values())
    assert len(entries) == 3
    log = milan.page(f"/cooperations/{ended.reference}/reads")
    assert log.text.count("What a person wrote about their copies") == 3


def test_whoever_has_only_a_password_does_not_read_what_others_added(
    app: Flask, ended: JointVisit
) -> None:
    """ADR 81. The rest of the page stays open."""
    put(app, COMPULSORY_ROLES.holding(frozenset({Role.SIGNATORY})))
    for key in ("milan", "ilena"):
        take_app(ended.user(key))
    ended.session.commit()
    milan, ilena = (ended.demonstration.browser(app, key) for key in ("milan", "ilena"))
    assert milan.page(closing_page(ended)).h1 == "Closing"
    add_words(ended)
    assert milan.page(closing_page(ended)).where == "/account/second-factor/needed"
    assert ilena.page(closing_page(ended)).h1 == "Closing"
    # A form that is refused shows the page again.
    refused = milan.open(closing_page(ended), method="POST", data={"lessons": "Begin earlier."})
    assert "Two films" not in refused.get_data(as_text=True)
    assert readers(ended) == []


def add_words(joint_visit: JointVisit) -> None:
    row = returns(joint_visit)["leyla"]
    service.confirm(joint_visit.actor("leyla"), row.id, Disposal.BOTH, "Two films handed over.")
    joint_visit.session.commit()


def readers(joint_visit: JointVisit) -> list[UUID]:
    entries = joint_visit.session.scalars(sa.select(ReadLogEntry).order_by(ReadLogEntry.at)).all()
    return [entry.user_id for entry in entries]


def test_the_manager_goes_on_without_one_and_completes_the_closing(
    app: Flask, ended: JointVisit
) -> None:
    browser = ended.demonstration.browser(app, "milan")
    assert "You can't complete the closing yet." in browser.page(closing_page(ended)).text
    answer_all(ended, "leyla")
    exception = f"{closing_page(ended)}/{returns(ended)['leyla'].id}/exception"
    done = browser.submit(exception, reason="She can't be reached.")
    assert "The exception is recorded." in done.get_data(as_text=True)
    assert "Complete the closing" in browser.page("/").text
    done = browser.submit(closing_page(ended), lessons="Begin the briefings earlier.")
    text = done.get_data(as_text=True)
    assert "The closing is complete." in text
    assert "Begin the briefings earlier." in text
    greta = ended.demonstration.browser(app, "greta").page(closing_page(ended)).text
    assert "Begin the briefings earlier." in greta
    assert "She can't be reached." not in greta
    own = browser.page(f"/cooperations/{ended.reference}")
    assert "Copies returned or destroyed" in own.text


def test_words_about_copies_stay_when_somebody_else_answered_meanwhile(
    app: Flask, ended: JointVisit
) -> None:
    """product.md, 4.7: of the person, and of the manager who records why there is no answer."""
    request = returns(ended)["leyla"]
    own, exception = f"/returns/{request.id}", f"{closing_page(ended)}/{request.id}/exception"
    leyla, milan = (ended.demonstration.browser(app, key) for key in ("leyla", "milan"))
    written = {
        own: leyla.page(own).form().filled_in(disposal="destroyed", words="Shredded."),
        exception: milan.page(exception).form().filled_in(reason="She can't be reached."),
    }
    service.record_exception(ended.actor("tomas"), request.id, "She is abroad.")
    ended.session.commit()
    for client, address, field in ((leyla, own, "words"), (milan, exception, "reason")):
        data = written[address]
        again = client.open(address, method="POST", data=data, csrf=False)
        assert again.status_code == 403
        page = Page.of(again)
        assert "This was already answered." in page.text
        assert page.form().values[field] == data[field]


def test_lessons_stay_on_the_page_when_the_closing_was_completed_meanwhile(
    app: Flask, ended: JointVisit
) -> None:
    answer_all(ended)
    milan = ended.demonstration.browser(app, "milan")
    data = milan.page(closing_page(ended)).form().filled_in(lessons="Begin earlier.")
    service.complete(ended.actor("tomas"), ended.cooperation)
    ended.session.commit()
    again = milan.open(closing_page(ended), method="POST", data=data, csrf=False)
    assert again.status_code == 403
    assert "The closing is already complete." in Page.of(again).text
    assert Page.of(again).form().values["lessons"] == ["Begin earlier."]


@pytest.mark.parametrize(("key", "status"), [("ilena", 403), ("samira", 403), ("celia", 404)])
def test_others_complete_nothing(app: Flask, ended: JointVisit, key: str, status: int) -> None:
    answer_all(ended)
    response = ended.demonstration.browser(app, key).post(closing_page(ended), data={})
    assert response.status_code == status


def test_the_closing_page_gives_the_last_days_of_confidentiality_by_what_people_signed(
    app: Flask, joint_visit: JointVisit, end_cooperation: Callable[[], None]
) -> None:
    """Who had access under a longer duty keeps it, though all agreed on a shorter one since."""
    terms = joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None)
    agreements.amend(joint_visit.actor("ilena"), terms, reason="A shorter duty.", items=["C17"])
    current = load(terms).sheet.shared("C17")
    assert current is not None
    before = current.values["years"]
    checklists.save_answer(
        joint_visit.actor("ilena"),
        terms,
        "C17",
        AnswerScope.SHARED,
        {**current.values, "years": 1},
        base_version=current.version,
    )
    in_force_again(joint_visit, terms)
    joint_visit.session.commit()
    end_cooperation()
    ended = joint_visit.checklist(ChecklistKind.TERMS, None)
    day = joint_visit.session.scalars(
        sa.select(Notice.from_on).where(
            Notice.checklist_id == ended.id, Notice.taken_effect_at.is_not(None)
        )
    ).one()
    assert day > clock.today()
    first, last = (as_date(day.replace(year=day.year + years)) for years in (1, before))
    browser = joint_visit.demonstration.browser(app, "ilena")
    assert f"lasts until {last}." in browser.page(closing_page(joint_visit)).text
    # As if one of them had signed again before the end.
    rows = table_of(Undertaking)
    signed_again = (
        sa.update(rows)
        .where(rows.c.user_id == joint_visit.user("leyla"), rows.c.countersigned_at.is_not(None))
        .values(
            terms_revision_id=joint_visit.checklist(
                ChecklistKind.CONFIDENTIALITY, None
            ).revision_in_force_id
        )
    )
    joint_visit.session.commit()
    with hands() as connection:
        connection.execute(signed_again)
    page = browser.page(closing_page(joint_visit))
    assert f"lasts until {first} or longer, {last} at the latest" in page.text


def test_a_running_cooperation_says_that_nothing_is_to_be_closed(
    app: Flask, joint_visit: JointVisit
) -> None:
    page = joint_visit.demonstration.browser(app, "milan").page(closing_page(joint_visit))
    assert "The cooperation is still running." in page.text
    assert "Complete the closing" not in page.text
