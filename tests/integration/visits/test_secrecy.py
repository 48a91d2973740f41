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

from tests.factories.visits import LISTED, OUTSIDE, PLACE, JointVisit, days, planned, team_plan
from tracker.access.actor import Role
from tracker.accounts.people import service as accounts
from tracker.accounts.people.service import NewRole
from tracker.activity.models import ReadLogEntry
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import queries as checklists
from tracker.checklists import service as loaded
from tracker.checklists.loading import load
from tracker.cooperations import clearances
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import ClearanceEnd, CooperationKey
from tracker.core import clock
from tracker.core.db import Base
from tracker.core.errors import DamagedRowError
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


def sees(joint_visit: JointVisit, key: str, number: int = 1) -> bool:
    actor = joint_visit.actor(key)
    cooperation_id = joint_visit.demonstration.cooperations["complete"]
    visit = queries.find(actor, cooperation_id, number)
    numbers = {visit.number for visit in queries.of_cooperation(actor, cooperation_id)}
    lines = {line.number: line for line in queries.lines(actor, [cooperation_id])}
    is_open = number in lines and lines[number].outline is Outline.OPEN
    roles = checklists.find(actor, joint_visit.checklist(ROLES, number).id)
    # The list, the page, the outline and the roles agree.
    assert (visit is not None) == (number in numbers) == is_open == (roles is not None)
    return visit is not None


def outline(joint_visit: JointVisit, key: str, number: int = 1) -> Outline | None:
    lines = queries.lines(
        joint_visit.actor(key), [joint_visit.demonstration.cooperations["complete"]]
    )
    return next((line.outline for line in lines if line.number == number), None)


# Who sees


def test_listed_and_cleared_people_see_a_visit_and_others_learn_no_more_than_they_may(
    joint_visit: JointVisit,
) -> None:
    assert [key for key in LISTED if not sees(joint_visit, key)] == []
    assert [key for key in OUTSIDE if sees(joint_visit, key)] == []
    outsiders = ("milan", "nadia", "dina", "greta", "celia", "vera", "iris", "noor")
    learnt = {key: outline(joint_visit, key) for key in outsiders}
    known = {"milan": Outline.NOT_LISTED, "greta": Outline.STATE}
    assert learnt == dict.fromkeys(outsiders) | known


def test_being_listed_without_a_clearance_or_cleared_without_being_listed_is_not_enough(
    joint_visit: JointVisit,
) -> None:
    planned(joint_visit, audience=("dina", "leyla"))
    assert not sees(joint_visit, "dina", 2)
    assert outline(joint_visit, "dina", 2) is Outline.NOT_CLEARED
    assert sees(joint_visit, "leyla", 2)
    assert not sees(joint_visit, "samira", 2)
    assert outline(joint_visit, "samira", 2) is Outline.NOT_LISTED


def test_the_npms_own_people_are_listed_too_or_see_nothing(joint_visit: JointVisit) -> None:
    planned(joint_visit, audience=("nadia",))
    assert sees(joint_visit, "nadia", 2)
    assert not sees(joint_visit, "tomas", 2)


def test_an_outside_expert_of_the_npm_needs_a_clearance(joint_visit: JointVisit) -> None:
    assert sees(joint_visit, "marek")
    clearances.close(None, joint_visit.clearance("marek"), ClearanceEnd.WITHDRAWN)
    assert not sees(joint_visit, "marek")
    assert outline(joint_visit, "marek") is Outline.NOT_CLEARED


def test_a_person_listed_from_tomorrow_sees_nothing_until_then(
    joint_visit: JointVisit, frozen_time: Callable[[dt.datetime], None]
) -> None:
    tomorrow = clock.today() + ONE_DAY
    planned(joint_visit, audience=("leyla",), from_on=tomorrow)
    assert not sees(joint_visit, "leyla", 2)
    assert outline(joint_visit, "leyla", 2) is None
    frozen_time(clock.now() + ONE_DAY)
    assert sees(joint_visit, "leyla", 2)


def test_a_clearance_opens_through_its_last_day_and_no_longer(
    joint_visit: JointVisit, frozen_time: Callable[[dt.datetime], None]
) -> None:
    joint_visit.withdraw_notice()
    now, last = clock.now(), joint_visit.clearance("samira").until_on
    frozen_time(now + (last - clock.today()))
    assert sees(joint_visit, "samira")
    frozen_time(clock.now() + ONE_DAY)
    assert not sees(joint_visit, "samira")
    assert sees(joint_visit, "pavo")


def test_a_clearance_for_one_visit_opens_no_other(joint_visit: JointVisit) -> None:
    second = planned(joint_visit, audience=("samira",))
    given = joint_visit.clearance("samira")
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
    assert sees(joint_visit, "samira", 2)
    assert not sees(joint_visit, "samira", 1)


def test_a_clearance_in_another_cooperation_opens_nothing_here(joint_visit: JointVisit) -> None:
    second = planned(joint_visit, audience=("dina",))
    clearances.open_clearance(
        None,
        cooperation_id=joint_visit.demonstration.cooperations["differing"],
        user_id=joint_visit.user("dina"),
        organisation_id=joint_visit.body("od"),
        undertaking_id=second.id,
        from_on=clock.today(),
        until_on=clock.today() + ONE_DAY,
    )
    assert not sees(joint_visit, "dina", 2)


def test_withdrawing_an_undertaking_closes_a_visit_immediately(joint_visit: JointVisit) -> None:
    undertakings.withdraw(joint_visit.actor("leyla"), joint_visit.undertaking("leyla").id)
    assert not sees(joint_visit, "leyla")


def test_leaving_the_cooperation_removes_a_person_from_the_audience_until_they_return(
    joint_visit: JointVisit,
) -> None:
    cooperation = joint_visit.cooperation
    tomas, npm = joint_visit.user("tomas"), joint_visit.body("npm")
    cooperations.end_person(
        joint_visit.actor("ilena"), cooperation, user_id=tomas, organisation_id=npm
    )
    joint_visit.session.commit()
    assert not sees(joint_visit, "tomas")
    cooperations.add_person(
        joint_visit.actor("ilena"), cooperation, user_id=tomas, organisation_id=npm
    )
    joint_visit.session.commit()
    assert sees(joint_visit, "tomas")


def test_nobody_becomes_lead_who_needs_a_clearance(joint_visit: JointVisit) -> None:
    planned(joint_visit, audience=())
    roles = joint_visit.checklist(ROLES, 2)
    current = load(roles).sheet.shared("V3")
    assert current is not None
    loaded.save_answer(
        joint_visit.actor("ilena"),
        roles,
        "V3",
        AnswerScope.SHARED,
        {"lead": str(joint_visit.user("dina")), "deputy": str(joint_visit.user("ruth"))},
        base_version=current.version,
    )
    assert not sees(joint_visit, "dina", 2)


def test_a_former_lead_who_now_acts_for_a_cso_needs_a_clearance(joint_visit: JointVisit) -> None:
    """Once a visit is stopped its lists stay as they were, with the lead at that time."""
    partner = joint_visit.actor("leyla").organisation_id
    service.stop(joint_visit.actor("ilena"), joint_visit.visit(), reason="No car.")
    assert sees(joint_visit, "pavo")
    accounts.leave(joint_visit.actor("pavo"), joint_visit.body("npm"))
    accounts.give_role(
        joint_visit.actor("iris"), joint_visit.user("pavo"), NewRole(Role.COORDINATOR, partner)
    )
    joint_visit.session.expire_all()
    assert not sees(joint_visit, "pavo")


def test_a_person_removed_from_the_list_sees_nothing_more(joint_visit: JointVisit) -> None:
    visit = planned(joint_visit, audience=("leyla", "tomas"))
    assert sees(joint_visit, "tomas", 2)
    changed = service.change_team(
        joint_visit.actor("ilena"),
        visit,
        versions={"V2": 1, "V3": 1, "V4": 1},
        planned=team_plan(joint_visit, audience=("leyla",)),
    )
    assert changed
    assert not sees(joint_visit, "tomas", 2)
    assert sees(joint_visit, "leyla", 2)


# Where it is stored


def columns(session: Session) -> Iterator[tuple[str, str, object]]:
    """Yield every value of every row of the database."""
    for table in Base.metadata.sorted_tables:
        for row in session.execute(sa.select(table)).mappings():
            for name, value in row.items():
                yield table.name, str(name), value


def test_no_row_contains_place_or_dates(joint_visit: JointVisit) -> None:
    visit = planned(joint_visit)
    service.change_plan(
        joint_visit.actor("pavo"),
        visit,
        version=1,
        plan=type(days())(f"{PLACE}, east wing", days().starts_on, days().ends_on),
    )
    roles = joint_visit.checklist(ROLES, 2)
    loaded.save_answer(
        joint_visit.actor("ilena"),
        roles,
        "V18",
        AnswerScope.SHARED,
        {"briefing": days().starts_on.isoformat()},
        base_version=0,
    )
    joint_visit.session.flush()
    hidden = words()
    seen = 0
    for table, column, value in columns(joint_visit.session):
        seen += 1
        raw = value if isinstance(value, bytes) else str(value).encode()
        for word in hidden:
            assert word.encode() not in raw, f"{table}.{column} tells {word}"
        assert not isinstance(value, dt.date) or str(value)[:10] not in hidden, f"{table}.{column}"
    assert seen > 1000


def test_the_database_file_contains_neither_place_nor_dates(
    joint_visit: JointVisit, tmp_path: Path
) -> None:
    planned(joint_visit)
    joint_visit.session.commit()
    if joint_visit.session.get_bind().dialect.name != "sqlite":
        # There the rows are read one by one, as the test above does.
        assert plan_of(joint_visit.visit(2)) == days()
        return
    file = Path(str(joint_visit.session.get_bind().engine.url.database))
    content = b"".join(
        part.read_bytes()
        for part in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm")))
        if part.exists()
    )
    assert b"Joint monitoring of police custody" in content
    for word in words():
        assert word.encode() not in content, word


def test_no_event_contains_place_dates_or_names(joint_visit: JointVisit) -> None:
    visit = planned(joint_visit)
    service.stop(joint_visit.actor("pavo"), visit, reason="No car.")
    contents = [
        content for verb, content in joint_visit.events() if verb.startswith(("visit", "team"))
    ]
    assert contents
    names = {"Leyla Marchetti", "Marek Tull", "Ruth Abara"}
    for content in contents:
        text = str({key: value for key, value in content.items() if key != "who"})
        for word in words() | names:
            assert word not in text


def test_no_mail_contains_place_dates_or_names(joint_visit: JointVisit) -> None:
    before = {mail.id for mail in joint_visit.mails()}
    visit = planned(joint_visit)
    plan = days()
    service.change_plan(
        joint_visit.actor("pavo"),
        visit,
        version=1,
        plan=type(plan)(f"{PLACE}, east wing", plan.starts_on, plan.ends_on),
    )
    joint_visit.session.flush()
    fresh = [mail for mail in joint_visit.mails() if mail.id not in before]
    assert {mail.kind for mail in fresh} == {"visit_changed"}
    names = {"Leyla Marchetti", "Marek Tull", "Pavo Linden", "Ruth Abara", "Ilena Dorvath"}
    for mail in fresh:
        reader = mail.body.splitlines()[0]
        text = mail.subject + mail.body.replace(reader, "")
        assert joint_visit.reference in text
        for word in words() | names:
            assert word not in text


def hear_of_a_move(joint_visit: JointVisit, visit: Visit) -> set[str]:
    """Move a visit to another place; return the first names of those who are mailed."""
    before = {mail.id for mail in joint_visit.mails()}
    plan = replace(days(), place="Elsewhere")
    service.change_plan(joint_visit.actor("pavo"), visit, version=visit.version, plan=plan)
    joint_visit.session.flush()
    return {mail.recipient.split(".")[0] for mail in joint_visit.mails() if mail.id not in before}


def test_people_of_both_sides_hear_that_a_visit_moved_if_they_are_listed(
    joint_visit: JointVisit,
) -> None:
    """Also those who have accepted their tasks and are asked again; nobody outside V2."""
    visit = planned(joint_visit, members=("leyla", "marek"), audience=("leyla", "marek"))
    assert hear_of_a_move(joint_visit, visit) == {"ilena", "pavo", "ruth", "leyla", "marek"}


def test_nobody_whose_clearance_was_closed_hears_that_a_visit_moved(
    joint_visit: JointVisit,
) -> None:
    """The visit isn't open to them any more, though they are still listed."""
    visit = planned(joint_visit, members=("leyla", "marek"), audience=("leyla", "marek"))
    clearances.close(None, joint_visit.clearance("marek"), ClearanceEnd.WITHDRAWN)
    assert hear_of_a_move(joint_visit, visit) == {"ilena", "pavo", "ruth", "leyla"}


def test_people_who_know_the_visit_today_hear_of_a_change_of_plan(joint_visit: JointVisit) -> None:
    visit = planned(joint_visit, audience=("leyla",), from_on=clock.today() + ONE_DAY)
    before = {mail.id for mail in joint_visit.mails()}
    plan = days()
    service.change_plan(
        joint_visit.actor("pavo"),
        visit,
        version=1,
        plan=type(plan)("Elsewhere", plan.starts_on, plan.ends_on),
    )
    joint_visit.session.flush()
    recipients = {mail.recipient for mail in joint_visit.mails() if mail.id not in before}
    assert recipients == {
        f"{name}@maravena.example" for name in ("ilena.dorvath", "pavo.linden", "ruth.abara")
    }


def test_search_finds_nothing_of_a_visit(joint_visit: JointVisit) -> None:
    planned(joint_visit)
    joint_visit.session.flush()
    kinds = list(joint_visit.session.scalars(sa.text("SELECT DISTINCT kind FROM search_document")))
    assert search.find("confidentiality", kinds)
    for word in (PLACE, "Quillfen", "Lower Harbour"):
        assert search.find(word, kinds) == []


def test_a_sealed_plan_cannot_be_moved_to_another_visit(joint_visit: JointVisit) -> None:
    first, second = joint_visit.visit(1), planned(joint_visit)
    first.sealed_plan = second.sealed_plan
    with pytest.raises(DamagedRowError):
        plan_of(first)


def test_without_the_cooperations_key_place_and_days_are_gone(joint_visit: JointVisit) -> None:
    visit = planned(joint_visit)
    joint_visit.session.flush()
    joint_visit.session.get_one(CooperationKey, visit.cooperation_id).wrapped = None
    joint_visit.session.flush()
    with pytest.raises(Exception, match="destroyed"):
        plan_of(visit)


def test_the_read_log_says_who_and_which_page_and_nothing_more(joint_visit: JointVisit) -> None:
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
