"""Place and dates (class K2): who sees and hears of them; stored only encrypted.

In one file: each test asks about the same few words of one visit.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.visits import LISTED, OUTSIDE, PLACE, Scene, days, planned, team_plan
from tracker.access.actor import Role
from tracker.accounts.people import service as accounts
from tracker.accounts.people.service import NewRole
from tracker.activity.models import ReadLogEntry
from tracker.agreements import notices
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import queries as checklists
from tracker.checklists import service as loaded
from tracker.checklists.loading import load
from tracker.checklists.models import Notice
from tracker.cooperations import clearances
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import ClearanceEnd, CooperationKey
from tracker.core import clock
from tracker.core.crypto import SealBrokenError
from tracker.core.db import Base
from tracker.search import service as search
from tracker.ui.locale import as_date
from tracker.undertakings import service as undertakings
from tracker.visits import queries, service
from tracker.visits.encryption import plan_of
from tracker.visits.models import Visit
from tracker.visits.policy import Outline

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(5)]

ROLES = ChecklistKind.VISIT_ROLES
ONE_DAY = dt.timedelta(days=1)


def words() -> set[str]:
    """Return the ways in which place and dates of the planned visit might be written."""
    plan = days()
    words_of_plan = {PLACE, PLACE.split(maxsplit=1)[0]}
    for day in (plan.starts_on, plan.ends_on):
        words_of_plan |= {day.isoformat(), as_date(day)}
    return words_of_plan


def sees(scene: Scene, key: str, number: int = 1) -> bool:
    actor = scene.actor(key)
    cooperation_id = scene.demonstration.cooperations["complete"]
    visit = queries.find(actor, cooperation_id, number)
    numbers = {visit.number for visit in queries.of_cooperation(actor, cooperation_id)}
    lines = {line.number: line for line in queries.lines(actor, [cooperation_id])}
    is_open = number in lines and lines[number].outline is Outline.OPEN
    roles = checklists.find(actor, scene.checklist(ROLES, number).id)
    # The list, the page, the outline and the roles agree.
    assert (visit is not None) == (number in numbers) == is_open == (roles is not None)
    return visit is not None


def outline(scene: Scene, key: str, number: int = 1) -> Outline | None:
    lines = queries.lines(scene.actor(key), [scene.demonstration.cooperations["complete"]])
    return next((line.outline for line in lines if line.number == number), None)


# Who sees


@pytest.mark.parametrize("key", LISTED)
def test_a_listed_and_cleared_person_sees_a_visit(scene: Scene, key: str) -> None:
    assert sees(scene, key)


@pytest.mark.parametrize("key", OUTSIDE)
def test_nobody_else_sees_it(scene: Scene, key: str) -> None:
    assert not sees(scene, key)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("milan", Outline.NOT_LISTED),
        ("nadia", None),
        ("dina", None),
        ("greta", Outline.STATE),
        ("celia", None),
        ("vera", None),
        ("iris", None),
        ("noor", None),
    ],
)
def test_other_people_learn_no_more_than_they_may(
    scene: Scene, key: str, expected: Outline | None
) -> None:
    assert outline(scene, key) is expected


def test_listed_without_a_clearance_is_not_enough(scene: Scene) -> None:
    planned(scene, audience=("dina", "leyla"))
    assert not sees(scene, "dina", 2)
    assert outline(scene, "dina", 2) is Outline.NOT_CLEARED
    assert sees(scene, "leyla", 2)


def test_cleared_without_being_listed_is_not_enough(scene: Scene) -> None:
    planned(scene, audience=("leyla",))
    assert not sees(scene, "samira", 2)
    assert outline(scene, "samira", 2) is Outline.NOT_LISTED


def test_the_npms_own_people_are_listed_too_or_see_nothing(scene: Scene) -> None:
    planned(scene, audience=("nadia",))
    assert sees(scene, "nadia", 2)
    assert not sees(scene, "tomas", 2)


def test_an_outside_expert_of_the_npm_needs_a_clearance(scene: Scene) -> None:
    assert sees(scene, "marek")
    clearances.close(None, scene.clearance("marek"), ClearanceEnd.WITHDRAWN)
    assert not sees(scene, "marek")
    assert outline(scene, "marek") is Outline.NOT_CLEARED


def test_a_person_listed_from_tomorrow_sees_nothing_until_then(
    scene: Scene, frozen_time: Callable[[dt.datetime], None]
) -> None:
    tomorrow = clock.today() + ONE_DAY
    planned(scene, audience=("leyla",), from_on=tomorrow)
    assert not sees(scene, "leyla", 2)
    assert outline(scene, "leyla", 2) is None
    frozen_time(clock.now() + ONE_DAY)
    assert sees(scene, "leyla", 2)


def test_a_clearance_opens_through_its_last_day_and_no_longer(
    scene: Scene, frozen_time: Callable[[dt.datetime], None]
) -> None:
    # The demonstration has a notice that ends the terms before.
    notice = scene.session.scalars(sa.select(Notice)).one()
    giver = next(key for key, id_ in scene.demonstration.users.items() if id_ == notice.given_by_id)
    terms = scene.checklist(ChecklistKind.TERMS, None)
    notices.close_notice(scene.actor(giver), terms, notice.id, reason="We go on.")
    now, last = clock.now(), scene.clearance("samira").until_on
    frozen_time(now + (last - clock.today()))
    assert sees(scene, "samira")
    frozen_time(clock.now() + ONE_DAY)
    assert not sees(scene, "samira")
    assert sees(scene, "pavo")


def test_a_clearance_for_one_visit_opens_no_other(scene: Scene) -> None:
    second = planned(scene, audience=("samira",))
    given = scene.clearance("samira")
    clearances.close(None, given, ClearanceEnd.REPLACED)
    clearances.open_clearance(
        None,
        cooperation_id=second.cooperation_id,
        user_id=given.user_id,
        organisation_id=given.organisation_id,
        undertaking_id=given.undertaking_id,
        from_on=clock.today(),
        until_on=clock.today() + dt.timedelta(days=900),
        visit_id=second.id,
    )
    assert sees(scene, "samira", 2)
    assert not sees(scene, "samira", 1)


def test_a_clearance_in_another_cooperation_opens_nothing_here(scene: Scene) -> None:
    second = planned(scene, audience=("dina",))
    clearances.open_clearance(
        None,
        cooperation_id=scene.demonstration.cooperations["differing"],
        user_id=scene.user("dina"),
        organisation_id=scene.body("od"),
        undertaking_id=second.id,
        from_on=clock.today(),
        until_on=clock.today() + ONE_DAY,
    )
    assert not sees(scene, "dina", 2)


def test_withdrawing_an_undertaking_closes_a_visit_immediately(scene: Scene) -> None:
    undertakings.withdraw(scene.actor("leyla"), scene.undertaking("leyla").id)
    assert not sees(scene, "leyla")


def test_leaving_the_cooperation_removes_a_person_from_the_audience_until_they_return(
    scene: Scene,
) -> None:
    cooperation = scene.cooperation
    tomas, npm = scene.user("tomas"), scene.body("npm")
    cooperations.end_person(scene.actor("ilena"), cooperation, user_id=tomas, organisation_id=npm)
    scene.session.commit()
    assert not sees(scene, "tomas")
    cooperations.add_person(scene.actor("ilena"), cooperation, user_id=tomas, organisation_id=npm)
    scene.session.commit()
    assert sees(scene, "tomas")


def test_nobody_becomes_lead_who_needs_a_clearance(scene: Scene) -> None:
    planned(scene, audience=())
    roles = scene.checklist(ROLES, 2)
    current = load(roles).sheet.shared("V3")
    assert current is not None
    loaded.save_answer(
        scene.actor("ilena"),
        roles,
        "V3",
        AnswerScope.SHARED,
        {"lead": str(scene.user("dina")), "deputy": str(scene.user("ruth"))},
        base_version=current.version,
    )
    assert not sees(scene, "dina", 2)


def test_a_former_lead_who_now_acts_for_a_cso_needs_a_clearance(scene: Scene) -> None:
    """Once a visit is stopped its lists stay as they were, with the lead at that time."""
    partner = scene.actor("leyla").organisation_id
    service.stop(scene.actor("ilena"), scene.visit(), reason="No car.")
    assert sees(scene, "pavo")
    accounts.leave(scene.actor("pavo"), scene.body("npm"))
    accounts.give_role(scene.actor("iris"), scene.user("pavo"), NewRole(Role.COORDINATOR, partner))
    scene.session.expire_all()
    assert not sees(scene, "pavo")


def test_a_person_removed_from_the_list_sees_nothing_more(scene: Scene) -> None:
    visit = planned(scene, audience=("leyla", "tomas"))
    assert sees(scene, "tomas", 2)
    changed = service.change_team(
        scene.actor("ilena"),
        visit,
        versions={"V2": 1, "V3": 1, "V4": 1},
        planned=team_plan(scene, audience=("leyla",)),
    )
    assert changed
    assert not sees(scene, "tomas", 2)
    assert sees(scene, "leyla", 2)


# Where it is stored


def columns(session: Session) -> Iterator[tuple[str, str, object]]:
    """Yield every value of every row of the database."""
    for table in Base.metadata.sorted_tables:
        for row in session.execute(sa.select(table)).mappings():
            for name, value in row.items():
                yield table.name, str(name), value


def test_no_row_contains_place_or_dates(scene: Scene) -> None:
    visit = planned(scene)
    service.change_plan(
        scene.actor("pavo"),
        visit,
        version=1,
        plan=type(days())(f"{PLACE}, east wing", days().starts_on, days().ends_on),
    )
    roles = scene.checklist(ROLES, 2)
    loaded.save_answer(
        scene.actor("ilena"),
        roles,
        "V18",
        AnswerScope.SHARED,
        {"briefing": days().starts_on.isoformat()},
        base_version=0,
    )
    scene.session.flush()
    hidden = words()
    seen = 0
    for table, column, value in columns(scene.session):
        seen += 1
        raw = value if isinstance(value, bytes) else str(value).encode()
        for word in hidden:
            assert word.encode() not in raw, f"{table}.{column} tells {word}"
        assert not isinstance(value, dt.date) or str(value)[:10] not in hidden, f"{table}.{column}"
    assert seen > 1000


def test_the_database_file_contains_neither_place_nor_dates(scene: Scene, tmp_path: Path) -> None:
    planned(scene)
    scene.session.commit()
    if scene.session.get_bind().dialect.name != "sqlite":
        # There the rows are read one by one, as the test above does.
        assert plan_of(scene.visit(2)) == days()
        return
    file = Path(str(scene.session.get_bind().engine.url.database))
    content = b"".join(
        part.read_bytes()
        for part in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm")))
        if part.exists()
    )
    assert b"Joint monitoring of police custody" in content
    for word in words():
        assert word.encode() not in content, word


def test_no_event_contains_place_dates_or_names(scene: Scene) -> None:
    visit = planned(scene)
    service.stop(scene.actor("pavo"), visit, reason="No car.")
    contents = [content for verb, content in scene.events() if verb.startswith(("visit", "team"))]
    assert contents
    names = {"Leyla Marchetti", "Marek Tull", "Ruth Abara"}
    for content in contents:
        text = str({key: value for key, value in content.items() if key != "who"})
        for word in words() | names:
            assert word not in text


def test_no_mail_contains_place_dates_or_names(scene: Scene) -> None:
    before = {mail.id for mail in scene.mails()}
    visit = planned(scene)
    plan = days()
    service.change_plan(
        scene.actor("pavo"),
        visit,
        version=1,
        plan=type(plan)(f"{PLACE}, east wing", plan.starts_on, plan.ends_on),
    )
    scene.session.flush()
    fresh = [mail for mail in scene.mails() if mail.id not in before]
    assert {mail.kind for mail in fresh} == {"visit_changed"}
    names = {"Leyla Marchetti", "Marek Tull", "Pavo Linden", "Ruth Abara", "Ilena Dorvath"}
    for mail in fresh:
        reader = mail.body.splitlines()[0]
        text = mail.subject + mail.body.replace(reader, "")
        assert scene.reference in text
        for word in words() | names:
            assert word not in text


def hear_of_a_move(scene: Scene, visit: Visit) -> set[str]:
    """Move a visit to another place; return the first names of those who are mailed."""
    before = {mail.id for mail in scene.mails()}
    plan = replace(days(), place="Elsewhere")
    service.change_plan(scene.actor("pavo"), visit, version=visit.version, plan=plan)
    scene.session.flush()
    return {mail.recipient.split(".")[0] for mail in scene.mails() if mail.id not in before}


def test_people_of_both_sides_hear_that_a_visit_moved_if_they_are_listed(scene: Scene) -> None:
    """Also those who have accepted their tasks and are asked again; nobody outside V2."""
    visit = planned(scene, members=("leyla", "marek"), audience=("leyla", "marek"))
    assert hear_of_a_move(scene, visit) == {"ilena", "pavo", "ruth", "leyla", "marek"}


def test_nobody_whose_clearance_was_closed_hears_that_a_visit_moved(scene: Scene) -> None:
    """The visit isn't open to them any more, though they are still listed."""
    visit = planned(scene, members=("leyla", "marek"), audience=("leyla", "marek"))
    clearances.close(None, scene.clearance("marek"), ClearanceEnd.WITHDRAWN)
    assert hear_of_a_move(scene, visit) == {"ilena", "pavo", "ruth", "leyla"}


def test_people_who_know_the_visit_today_hear_of_a_change_of_plan(scene: Scene) -> None:
    visit = planned(scene, audience=("leyla",), from_on=clock.today() + ONE_DAY)
    before = {mail.id for mail in scene.mails()}
    plan = days()
    service.change_plan(
        scene.actor("pavo"),
        visit,
        version=1,
        plan=type(plan)("Elsewhere", plan.starts_on, plan.ends_on),
    )
    scene.session.flush()
    recipients = {mail.recipient for mail in scene.mails() if mail.id not in before}
    assert recipients == {
        f"{name}@maravena.example" for name in ("ilena.dorvath", "pavo.linden", "ruth.abara")
    }


def test_search_finds_nothing_of_a_visit(scene: Scene) -> None:
    planned(scene)
    scene.session.flush()
    kinds = list(scene.session.scalars(sa.text("SELECT DISTINCT kind FROM search_document")))
    assert search.find("confidentiality", kinds)
    for word in (PLACE, "Quillfen", "Lower Harbour"):
        assert search.find(word, kinds) == []


def test_a_sealed_plan_cannot_be_moved_to_another_visit(scene: Scene) -> None:
    first, second = scene.visit(1), planned(scene)
    first.sealed_plan = second.sealed_plan
    with pytest.raises(SealBrokenError):
        plan_of(first)


def test_without_the_cooperations_key_place_and_days_are_gone(scene: Scene) -> None:
    visit = planned(scene)
    scene.session.flush()
    scene.session.get_one(CooperationKey, visit.cooperation_id).wrapped = None
    scene.session.flush()
    with pytest.raises(Exception, match="destroyed"):
        plan_of(visit)


def test_the_read_log_says_who_and_which_page_and_nothing_more(scene: Scene) -> None:
    columns_of_it = set(ReadLogEntry.__table__.columns.keys())
    assert columns_of_it == {
        "id",
        "cooperation_id",
        "user_id",
        "organisation_id",
        "subject_type",
        "subject_id",
        "page",
        "at",
    }
