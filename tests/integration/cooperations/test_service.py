"""Opening a cooperation and changing its head, ways of working, parties and people.

In one file: the verbs of one cooperation, which check the same events.
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests import due
from tests.factories.cooperations import Country, bring_in, copied_country, open_one
from tracker.access.actor import Role
from tracker.accounts.models import Membership
from tracker.activity import queries as trail
from tracker.activity import verbs
from tracker.activity.service import DomainEvent
from tracker.cooperations import clearances, keys, people, queries, service
from tracker.cooperations.models import (
    Clearance,
    ClearanceEnd,
    Cooperation,
    CooperationKey,
    CooperationPerson,
    Mode,
    Party,
)
from tracker.core import clock
from tracker.core.errors import (
    KeyDestroyedError,
    RefusedError,
    RuleBrokenError,
    StaleError,
    UnreadableError,
)
from tracker.mail.models import OutboxMessage

DAY = dt.timedelta(days=1)


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


def opened(country: Country, **more: object) -> Cooperation:
    given = {
        "title": "Joint monitoring",
        "purpose": "To learn.",
        "organisation_ids": [country.id("door"), country.id("lantern")],
        "modes": [Mode.VISIT],
        **more,
    }
    return service.open_cooperation(country.actor("ilena"), **given)  # type: ignore[arg-type]


def verbs_of(cooperation: Cooperation) -> list[str]:
    return [line.verb for line in reversed(trail.history(cooperation.id)[1])]


# Opening


def test_opening_gives_reference_parties_key_chain_and_opener(country: Country) -> None:
    cooperation = opened(country)
    assert cooperation.reference == f"C-{clock.today().year}-0001"
    assert [party.organisation_id for party in people.parties(cooperation)] == [
        country.id("npm"),
        country.id("door"),
        country.id("lantern"),
    ]
    assert len(keys.key_of(cooperation.id)) == 32
    assert [person.name for person in people.people(cooperation.id)] == ["Ilena Dorvath"]
    assert verbs_of(cooperation)[:2] == ["cooperation_opened", "person_joined"]
    instance = [line.verb for line in trail.instance_history()[1]]
    assert instance[0] == "cooperation_registered"


def test_the_partners_people_are_mailed_that_a_cooperation_was_opened(country: Country) -> None:
    """Those who see it and can begin: not the members, and nobody of the NPM that opened it."""
    country.person("Sten Arvo", "door", Role.MANAGER)
    cooperation = open_one(country, "door", "lantern")
    mails = country.session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind == "cooperation_opened")
    ).all()
    assert sorted(mail.recipient for mail in mails) == [
        "joana.pires@example.org",
        "samira.okell@example.org",
        "sten.arvo@example.org",
    ]
    for mail in mails:
        assert f"/cooperations/{cooperation.reference}" in mail.body
        for words in (cooperation.title, "Ilena", "People's Advocate"):
            assert words not in mail.subject + mail.body


def test_references_count_up_and_restart_each_year(
    country: Country, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    year = clock.today().year + 1
    frozen_time(dt.datetime(year, 12, 31, 12, tzinfo=dt.UTC))
    first, second = opened(country), opened(country)
    frozen_time(dt.datetime(year + 1, 1, 1, 12, tzinfo=dt.UTC))
    third = opened(country)
    references = [cooperation.reference for cooperation in (first, second, third)]
    assert references == [f"C-{year}-0001", f"C-{year}-0002", f"C-{year + 1}-0001"]


def test_npm_bodies_come_before_csos(country: Country) -> None:
    cooperation = opened(country, organisation_ids=[country.id("door"), country.id("other_npm")])
    sides = [party.side.value for party in people.parties(cooperation)]
    assert sides == ["npm", "npm", "cso"]


@pytest.mark.parametrize("first", ["samira", "tomas", "nadia", "oren", "petra", "ada", "root"])
def test_only_a_coordinator_of_an_npm_opens(country: Country, first: str) -> None:
    with pytest.raises(RefusedError):
        service.open_cooperation(
            country.actor(first), title="T", purpose="P", organisation_ids=[country.id("door")]
        )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"purpose": ""}, "purpose"),
        ({"purpose": "x" * 5001}, "purpose"),
        ({"organisation_ids": []}, "organisation_ids"),
        ({"organisation_ids": [uuid4()]}, "organisation_ids"),
        ({"starts_on": dt.date(2027, 2, 1), "ends_on": dt.date(2027, 2, 1)}, "ends_on"),
        ({"starts_on": dt.date(2027, 2, 1), "review_on": dt.date(2027, 1, 1)}, "review_on"),
        ({"ends_on": dt.date(2027, 2, 1), "review_on": dt.date(2027, 2, 2)}, "review_on"),
    ],
)
def test_invalid_input_is_reported_with_its_field(
    country: Country, change: dict[str, object], field: str
) -> None:
    with pytest.raises(RuleBrokenError) as error:
        opened(country, **change)
    assert error.value.field == field


@pytest.mark.parametrize("keys_of", [["other_npm"], ["npm", "door"], ["court", "door"]])
def test_organisations_that_cannot_be_parties_are_refused(
    country: Country, keys_of: list[str]
) -> None:
    with pytest.raises(RuleBrokenError) as error:
        opened(country, organisation_ids=[country.id(key) for key in keys_of])
    assert error.value.field == "organisation_ids"


def test_answers_are_kept_for_the_questions_of_the_modes_only(country: Country) -> None:
    cooperation = opened(
        country,
        modes=[Mode.CAP],
        questions={"real_cases_in_training": "no", "expert_on_visit": "no"},
    )
    assert cooperation.questions == {
        "real_cases_in_training": "no",
        "personal_data": "not_known",
    }


def test_a_destroyed_key_says_so(country: Country, session: Session) -> None:
    cooperation = opened(country)
    session.get_one(CooperationKey, cooperation.id).wrapped = None
    session.flush()
    with pytest.raises(KeyDestroyedError, match="destroyed"):
        keys.key_of(cooperation.id)
    with pytest.raises(UnreadableError):
        keys.key_of(uuid4())


def test_a_key_wrapped_for_another_cooperation_is_refused(
    country: Country, session: Session
) -> None:
    first, second = opened(country), opened(country)
    moved = session.get_one(CooperationKey, first.id).wrapped
    session.get_one(CooperationKey, second.id).wrapped = moved
    session.flush()
    with pytest.raises(Exception, match="can't be read"):
        keys.key_of(second.id)


# The head


def head_of(cooperation: Cooperation, **change: object) -> dict[str, object]:
    names = ("version", "title", "purpose", "starts_on", "ends_on", "review_on")
    return {name: getattr(cooperation, name) for name in names} | change


def test_a_change_of_the_head_is_recorded_by_the_names_of_what_changed(country: Country) -> None:
    cooperation = opened(country)
    head = head_of(cooperation, title="Other title", starts_on=dt.date(2027, 1, 1))
    assert service.change_head(country.actor("ilena"), cooperation, **head)  # type: ignore[arg-type]
    assert (cooperation.title, cooperation.version) == ("Other title", 2)
    newest = trail.history(cooperation.id)[1][0]
    assert newest.verb == "cooperation_changed"
    assert newest.details == {"changed": ["title", "starts_on"]}


def test_saving_the_same_head_changes_nothing(country: Country) -> None:
    cooperation = opened(country)
    before = verbs_of(cooperation)
    head = head_of(cooperation)
    assert not service.change_head(country.actor("ilena"), cooperation, **head)  # type: ignore[arg-type]
    assert (verbs_of(cooperation), cooperation.version) == (before, 1)


def test_the_later_save_of_a_head_is_stopped(country: Country) -> None:
    cooperation = opened(country)
    for version in (None, 0, 2):
        head = head_of(cooperation, version=version, title="Later")
        with pytest.raises(StaleError):
            service.change_head(country.actor("ilena"), cooperation, **head)  # type: ignore[arg-type]
    assert cooperation.title == "Joint monitoring"


@pytest.mark.parametrize("first", ["samira", "tomas", "nadia", "oren", "vesna", "ada", "root"])
def test_only_a_coordinator_of_its_npm_changes_the_head_and_the_modes(
    country: Country, first: str
) -> None:
    cooperation = opened(country)
    with pytest.raises(RefusedError):
        service.change_head(country.actor(first), cooperation, **head_of(cooperation))  # type: ignore[arg-type]
    with pytest.raises(RefusedError):
        service.set_modes(
            country.actor(first), cooperation, version=1, modes=[Mode.CAP], questions={}
        )
    with pytest.raises(RefusedError):
        service.join_party(country.actor(first), cooperation, country.id("bridge"))


# Ways of working


def test_new_modes_are_recorded_with_the_answers(country: Country) -> None:
    cooperation = opened(country)
    assert service.set_modes(
        country.actor("ilena"),
        cooperation,
        version=1,
        modes=[Mode.CAP, Mode.INFO_A],
        questions={"real_cases_in_training": "yes"},
    )
    assert cooperation.modes == ["INFO_A", "CAP"]
    newest = next(line for line in trail.history(cooperation.id)[1] if line.verb == "modes_changed")
    assert newest.details["modes"] == ["INFO_A", "CAP"]
    assert newest.details["questions"]["real_cases_in_training"] == "yes"


def test_the_same_modes_change_nothing_and_old_versions_are_stopped(country: Country) -> None:
    cooperation = opened(country)
    same = {"modes": [Mode.VISIT], "questions": {}}
    ilena = country.actor("ilena")
    assert not service.set_modes(ilena, cooperation, version=1, **same)  # type: ignore[arg-type]
    with pytest.raises(StaleError):
        service.set_modes(ilena, cooperation, version=7, modes=[Mode.CAP], questions={})


# Parties


@pytest.mark.both_databases
def test_a_party_joins_at_the_end_of_the_list(country: Country) -> None:
    cooperation = opened(country)
    service.join_party(country.actor("ilena"), cooperation, country.id("bridge"))
    assert [party.organisation.name for party in people.current(cooperation.id)][-1] == (
        "Bridge Families Association"
    )
    assert "party_joined" in verbs_of(cooperation)


@pytest.mark.parametrize("key", ["door", "court", None])
def test_an_organisation_that_is_a_party_or_cannot_be_one_does_not_join(
    country: Country, key: str | None
) -> None:
    cooperation = opened(country)
    organisation_id = country.id(key) if key else uuid4()
    with pytest.raises(RuleBrokenError):
        service.join_party(country.actor("ilena"), cooperation, organisation_id)


# People


def test_a_coordinator_adds_people_of_their_organisation(country: Country) -> None:
    cooperation = opened(country)
    service.add_person(
        country.actor("joana"),
        cooperation,
        user_id=country.users["leyla"].id,
        organisation_id=country.id("lantern"),
        function="physician",
    )
    person = people.people(cooperation.id)[-1]
    assert (person.name, person.function, person.side.value) == (
        "Leyla Marchetti",
        "physician",
        "cso",
    )
    assert person.roles == {Role.MEMBER}
    assert person.needs_clearance


def test_an_outside_expert_of_the_npm_needs_a_clearance_and_is_not_the_npms_own(
    country: Country,
) -> None:
    cooperation = opened(country)
    bring_in(country, cooperation, "petra")
    bring_in(country, cooperation, "oren")
    by_name = {person.name: person for person in people.people(cooperation.id)}
    assert by_name["Petra Sund"].needs_clearance
    assert not by_name["Oren Maki"].needs_clearance
    npm_ids = people.npm_user_ids(cooperation.id)
    assert npm_ids == {country.users["ilena"].id, country.users["oren"].id}


@pytest.mark.parametrize("first", ["ilena", "samira", "henrik", "leyla", "marek", "ada", "root"])
def test_nobody_adds_people_of_another_party(country: Country, first: str) -> None:
    cooperation = opened(country)
    with pytest.raises(RefusedError):
        service.add_person(
            country.actor(first),
            cooperation,
            user_id=country.users["leyla"].id,
            organisation_id=country.id("lantern"),
        )


def test_nobody_is_added_for_an_organisation_that_is_not_a_party(country: Country) -> None:
    cooperation = opened(country)
    with pytest.raises(RefusedError):
        service.add_person(
            country.actor("marek"),
            cooperation,
            user_id=country.users["marek"].id,
            organisation_id=country.id("bridge"),
        )


def test_people_without_a_role_there_cannot_be_added(country: Country, session: Session) -> None:
    cooperation = opened(country)
    samira = country.actor("samira")
    for user_id in (country.users["leyla"].id, uuid4()):
        with pytest.raises(RuleBrokenError):
            service.add_person(
                samira, cooperation, user_id=user_id, organisation_id=country.id("door")
            )
    country.users["dora"].suspended_at = clock.now()
    session.flush()
    with pytest.raises(RuleBrokenError):
        service.add_person(
            samira,
            cooperation,
            user_id=country.users["dora"].id,
            organisation_id=country.id("door"),
        )


def test_a_person_is_added_once_and_again_after_leaving(country: Country, session: Session) -> None:
    cooperation = opened(country)
    bring_in(country, cooperation, "dora")
    with pytest.raises(RuleBrokenError):
        bring_in(country, cooperation, "dora")
    place = {"user_id": country.users["dora"].id, "organisation_id": country.id("door")}
    service.end_person(country.actor("samira"), cooperation, **place)
    assert not people.takes_part(cooperation.id, **place)
    bring_in(country, cooperation, "dora")
    assert people.takes_part(cooperation.id, **place)
    rows = session.scalars(
        sa.select(CooperationPerson).where(CooperationPerson.user_id == country.users["dora"].id)
    ).all()
    assert len(rows) == 1


def test_leaving_closes_clearances_in_this_cooperation_only(
    country: Country, session: Session
) -> None:
    first, second = opened(country), opened(country)
    dora = country.users["dora"]
    for cooperation in (first, second):
        bring_in(country, cooperation, "dora")
        clearances.open_clearance(
            country.actor("nadia"),
            cooperation_id=cooperation.id,
            user_id=dora.id,
            organisation_id=country.id("door"),
            undertaking_id=uuid4(),
            from_on=clock.today(),
            until_on=clock.today() + 30 * DAY,
        )
    service.end_person(
        country.actor("samira"), first, user_id=dora.id, organisation_id=country.id("door")
    )
    open_now = clearances.open_clearances(dora.id, clock.today())
    assert [clearance.cooperation_id for clearance in open_now] == [second.id]


def test_the_last_coordinator_of_the_npm_stays(country: Country) -> None:
    cooperation = opened(country)
    place = {"user_id": country.users["ilena"].id, "organisation_id": country.id("npm")}
    with pytest.raises(RuleBrokenError, match="only coordinator"):
        service.end_person(country.actor("ilena"), cooperation, **place)
    country.person("Zora Venn", "npm", Role.COORDINATOR)
    bring_in(country, cooperation, "zora")
    service.end_person(country.actor("ilena"), cooperation, **place)
    assert [coordinator.name for coordinator in people.coordinators_for_npm(cooperation.id)] == [
        "Zora Venn"
    ]


def test_could_join_leaves_out_auditors_and_people_who_already_take_part(country: Country) -> None:
    cooperation = opened(country)
    country.person("Audra Penn", "door", Role.AUDITOR)
    bring_in(country, cooperation, "dora")
    names = [name for _id, name in people.could_join(cooperation.id, country.id("door"))]
    assert names == ["Henrik Asante", "Samira Okell"]


def ended(country: Country, membership: Membership) -> DomainEvent:
    return DomainEvent(
        verbs.ROLE_ENDED,
        "user",
        membership.user_id,
        None,
        country.actor("samira"),
        {"organisation_id": str(membership.organisation_id)},
    )


def test_a_person_without_any_role_left_is_removed_everywhere(
    country: Country, session: Session
) -> None:
    cooperation = opened(country)
    bring_in(country, cooperation, "dora")
    membership = session.scalars(
        sa.select(Membership).where(Membership.user_id == country.users["dora"].id)
    ).one()
    membership.ended_at = clock.now()
    session.flush()
    service.follow_departure(ended(country, membership))
    assert "Dora Lund" not in [person.name for person in people.people(cooperation.id)]
    assert "person_left" in verbs_of(cooperation)


def test_a_person_who_keeps_another_role_stays(country: Country, session: Session) -> None:
    cooperation = opened(country)
    country.person("Dana Rook", "door", Role.MEMBER, Role.SIGNATORY)
    bring_in(country, cooperation, "dana")
    membership = session.scalars(
        sa.select(Membership).where(
            Membership.user_id == country.users["dana"].id, Membership.role == Role.SIGNATORY
        )
    ).one()
    membership.ended_at = clock.now()
    session.flush()
    service.follow_departure(ended(country, membership))
    assert "Dana Rook" in [person.name for person in people.people(cooperation.id)]


@pytest.mark.both_databases
def test_suspension_closes_clearances_immediately(country: Country, session: Session) -> None:
    cooperation = opened(country)
    leyla = country.users["leyla"]
    bring_in(country, cooperation, "leyla")
    clearances.open_clearance(
        country.actor("nadia"),
        cooperation_id=cooperation.id,
        user_id=leyla.id,
        organisation_id=country.id("lantern"),
        undertaking_id=uuid4(),
        from_on=clock.today(),
        until_on=clock.today() + 30 * DAY,
    )
    service.follow_departure(
        DomainEvent(verbs.PERSON_SUSPENDED, "user", leyla.id, None, country.actor("root"))
    )
    row = session.scalars(sa.select(Clearance)).one()
    assert row.closed_reason == ClearanceEnd.SUSPENDED.value
    assert clearances.open_clearances(leyla.id, clock.today()) == ()


def accepted(country: Country, cooperation: Cooperation, first: str, key: str) -> DomainEvent:
    return DomainEvent(
        verbs.INVITATION_ACCEPTED,
        "user",
        country.users[first].id,
        None,
        country.actor(first),
        {
            "organisation_id": str(country.id(key)),
            "cooperation": str(cooperation.id),
            "function": "interpreter",
        },
    )


def test_a_person_who_accepts_an_invitation_to_a_cooperation_takes_part(country: Country) -> None:
    cooperation = opened(country)
    event = accepted(country, cooperation, "dora", "door")
    service.follow_invitation(event)
    service.follow_invitation(event)  # repeated: nothing more happens
    listed = [person for person in people.people(cooperation.id) if person.name == "Dora Lund"]
    assert [person.function for person in listed] == ["interpreter"]


def test_the_other_parties_are_told_of_a_power_that_an_administrator_confirmed(
    country: Country,
) -> None:
    """product.md, section 2."""
    opened(country)
    door = country.organisations["door"]
    country.session.execute(sa.delete(OutboxMessage))
    service.tell_of_power(
        DomainEvent(
            verbs.ROLE_ACCEPTED,
            "user",
            country.users["henrik"].id,
            None,
            country.actor("henrik"),
            {"organisation_id": str(country.id("door")), "role": "signatory"},
        )
    )
    mails = country.session.scalars(sa.select(OutboxMessage)).all()
    recipients = {mail.recipient for mail in mails}
    own = {country.users[first].email for first, home in country.homes.items() if home is door}
    assert country.users["ilena"].email in recipients
    assert recipients.isdisjoint(own)
    assert all("C-" in mail.body and "Door" not in mail.body for mail in mails)


def test_an_invitation_to_somebody_elses_cooperation_adds_nobody(country: Country) -> None:
    cooperation = opened(country)
    service.follow_invitation(accepted(country, cooperation, "marek", "bridge"))
    assert "Marek Tull" not in [person.name for person in people.people(cooperation.id)]


def test_an_invitation_to_no_cooperation_brings_nobody_in(country: Country) -> None:
    event = DomainEvent(
        verbs.INVITATION_ACCEPTED,
        "user",
        country.users["dora"].id,
        None,
        country.actor("dora"),
        {"organisation_id": str(country.id("door")), "cooperation": "", "function": ""},
    )
    cooperation = opened(country)
    service.follow_invitation(event)
    assert "Dora Lund" not in [person.name for person in people.people(cooperation.id)]


# Clearances


def open_clearance(country: Country, cooperation: Cooperation, **more: object) -> Clearance:
    today = clock.today()
    given = {
        "cooperation_id": cooperation.id,
        "user_id": country.users["dora"].id,
        "organisation_id": country.id("door"),
        "undertaking_id": uuid4(),
        "from_on": today,
        "until_on": today + 10 * DAY,
        **more,
    }
    return clearances.open_clearance(country.actor("nadia"), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(("days", "is_open"), [(-1, False), (0, True), (10, True), (11, False)])
def test_a_clearance_is_open_from_its_first_to_its_last_day(
    country: Country, days: int, is_open: bool
) -> None:
    cooperation = opened(country)
    open_clearance(country, cooperation)
    day = clock.today() + days * DAY
    assert bool(clearances.open_clearances(country.users["dora"].id, day)) is is_open


def test_a_clearance_of_a_suspended_person_is_not_open(country: Country, session: Session) -> None:
    cooperation = opened(country)
    open_clearance(country, cooperation)
    country.users["dora"].suspended_at = clock.now()
    session.flush()
    assert clearances.open_clearances(country.users["dora"].id, clock.today()) == ()
    assert clearances.cleared_user_ids(cooperation.id) == frozenset()


def test_a_clearance_for_one_visit_does_not_reveal_its_date(country: Country) -> None:
    cooperation = opened(country)
    open_clearance(country, cooperation, visit_id=uuid4())
    newest = trail.history(cooperation.id)[1][0]
    assert newest.details == {"person": "Dora Lund", "scope": "visit"}
    open_clearance(country, cooperation)
    newest = trail.history(cooperation.id)[1][0]
    assert newest.details["until"] == (clock.today() + 10 * DAY).isoformat()


def test_a_person_cleared_for_one_visit_is_not_cleared_for_all(country: Country) -> None:
    cooperation = opened(country)
    visit_id = uuid4()
    open_clearance(country, cooperation, visit_id=visit_id)
    dora = {country.users["dora"].id}
    assert clearances.cleared_user_ids(cooperation.id) == frozenset()
    assert clearances.cleared_user_ids(cooperation.id, visit_id) == dora
    assert clearances.cleared_user_ids(cooperation.id, uuid4()) == frozenset()


def test_a_clearance_that_ends_before_it_begins_is_refused(country: Country) -> None:
    with pytest.raises(RuleBrokenError):
        open_clearance(country, opened(country), until_on=clock.today() - DAY)


def test_closing_is_recorded_once(country: Country) -> None:
    cooperation = opened(country)
    clearance = open_clearance(country, cooperation)
    assert clearances.close(country.actor("nadia"), clearance, ClearanceEnd.WITHDRAWN)
    assert not clearances.close(country.actor("nadia"), clearance, ClearanceEnd.WITHDRAWN)
    assert verbs_of(cooperation).count("clearance_closed") == 1
    assert trail.history(cooperation.id)[1][0].details["reason"] == "withdrawn"


def test_new_terms_close_all_clearances_of_the_cooperation(country: Country) -> None:
    first, second = opened(country), opened(country)
    open_clearance(country, first)
    open_clearance(
        country, first, user_id=country.users["leyla"].id, organisation_id=country.id("lantern")
    )
    open_clearance(country, second)
    assert clearances.close_for_terms(None, first.id) == 2
    assert clearances.cleared_user_ids(second.id)


def test_closing_an_undertaking_closes_its_clearances(country: Country) -> None:
    cooperation = opened(country)
    undertaking_id = uuid4()
    open_clearance(country, cooperation, undertaking_id=undertaking_id)
    open_clearance(country, cooperation)
    assert clearances.close_for_undertaking(None, undertaking_id, ClearanceEnd.WITHDRAWN) == 1


def test_expired_clearances_are_recorded_by_the_application(country: Country) -> None:
    cooperation = opened(country)
    open_clearance(country, cooperation)
    last_day = clock.today() + 10 * DAY
    assert due.close_expired(last_day) == 0
    assert due.close_expired(last_day + DAY) == 1
    assert due.close_expired(last_day + DAY) == 0
    newest = trail.history(cooperation.id)[1][0]
    assert (newest.who, newest.details["reason"]) == (None, "expired")


# Queries


def test_the_dates_of_terms_in_force_are_copied_without_a_policy(country: Country) -> None:
    cooperation = opened(country)
    dates: dict[str, Any] = {
        "starts_on": dt.date(2027, 1, 1),
        "ends_on": dt.date(2028, 1, 1),
        "review_on": dt.date(2027, 6, 1),
    }
    assert service.follow_dates(country.actor("henrik"), cooperation, **dates)
    assert not service.follow_dates(country.actor("henrik"), cooperation, **dates)
    assert cooperation.ends_on == dt.date(2028, 1, 1)


@pytest.mark.both_databases
def test_the_list_finds_by_title_reference_and_party(country: Country) -> None:
    opened(country, title="Custody in the north")
    second = open_one(country, "bridge", title="Families and 100% contact")
    ilena = country.actor("ilena")

    def titles(words: str) -> list[str]:
        return [
            cooperation.title for cooperation in queries.listing(ilena, words=words).cooperations
        ]

    assert titles("") == ["Families and 100% contact", "Custody in the north"]
    assert titles("NORTH custody") == ["Custody in the north"]
    assert titles("bridge") == ["Families and 100% contact"]
    assert titles(second.reference.lower()) == ["Families and 100% contact"]
    assert titles("%") == ["Families and 100% contact"]
    assert titles("_") == []
    assert titles("north bridge") == []
    assert queries.listing(ilena, limit=1, offset=1).total == 2


def test_parties_that_left_see_nothing_after_their_last_day(
    country: Country, session: Session
) -> None:
    cooperation = opened(country)
    party = session.scalars(
        sa.select(Party).where(Party.organisation_id == country.id("lantern"))
    ).one()
    joana = country.actor("joana")
    party.left_on = clock.today()
    session.flush()
    assert queries.find(joana, cooperation.reference)
    party.left_on = clock.today() - DAY
    session.flush()
    assert queries.find(joana, cooperation.reference) is None


def test_references_look_as_people_know_them(country: Country) -> None:
    assert re.fullmatch(r"C-\d{4}-\d{4}", opened(country).reference)
