"""Visits when a party joins or leaves: who is cleared, and which texts are called back."""

import datetime as dt

from tests.factories import agreements
from tests.factories.checklists import accept
from tests.factories.cooperations import Country
from tests.factories.visits import JointVisit, planned
from tests.integration.visits.test_readiness import ROLES, amend, missing_kinds
from tracker.access.actor import OrganisationKind, Role
from tracker.activity.stale import recompute
from tracker.agreements import departures, joining
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import queries as checklist_queries
from tracker.checklists import service as checklists
from tracker.checklists.models import ChecklistState
from tracker.cooperations import departures as rows
from tracker.cooperations import queries as cooperations
from tracker.cooperations import service as cooperation_service
from tracker.cooperations.succession import service as succession
from tracker.core import clock
from tracker.demo import checklists as demo_checklists
from tracker.demo.people import PEOPLE
from tracker.oversight import integrity
from tracker.oversight import queries as register
from tracker.oversight.facts import Question
from tracker.undertakings import queries as undertakings
from tracker.undertakings.models import UndertakingState
from tracker.undertakings.policy import decides_for
from tracker.visits import queries
from tracker.visits.facts import RequirementKind

SIGNERS = {"npm": "tomas", "od": "henrik", "lh": "otto", "rf": "anton"}


def invite(joint_visit: JointVisit) -> None:
    """Invite the fourth CSO, whose people take part immediately, one of them on its list (C2)."""
    joining.add(
        joint_visit.actor("ilena"),
        joint_visit.cooperation,
        joint_visit.body("rf"),
        reason="Families asked for it.",
    )
    joint_visit.session.commit()
    for key in ("celia", "anton"):
        cooperation_service.add_person(
            joint_visit.actor("celia"),
            joint_visit.cooperation,
            user_id=joint_visit.user(key),
            organisation_id=joint_visit.body("rf"),
        )
    row = {"person": str(joint_visit.user("celia")), "function": "Coordinator"}
    checklists.save_answer(
        joint_visit.actor("celia"),
        joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None),
        "C2",
        AnswerScope.PARTY,
        {"listed": "people", "persons": [row | {"organisation": str(joint_visit.body("rf"))}]},
        base_version=0,
    )
    joint_visit.session.commit()


def country_of(joint_visit: JointVisit) -> Country:
    """Return the demonstration's people and organisations, to add others to them."""
    demo_people = joint_visit.demo_people
    homes = {person.key: demo_people.bodies.get(person.body) for person in PEOPLE}
    return Country(joint_visit.session, dict(demo_people.bodies), dict(demo_people.users), homes)


def sign(
    joint_visit: JointVisit,
    kind: ChecklistKind,
    signers: dict[str, str] = SIGNERS,
    country: Country | None = None,
) -> None:
    """Have all parties sign an amendment as it is."""
    country = country or country_of(joint_visit)
    text = joint_visit.checklist(kind, None)
    agreements.send(country, text, signers)
    agreements.sign(country, text, *signers.values())
    joint_visit.session.commit()


def requests_to_newcomer(joint_visit: JointVisit) -> int:
    """Return how often the newcomer's listed person was asked for an undertaking."""
    events = joint_visit.events("undertaking_asked")
    return sum(details["person"] == "Celia Morrow" for _verb, details in events)


def test_until_it_has_signed_all_a_joining_party_knows_of_no_visit_and_is_asked_to_undertake_none(
    joint_visit: JointVisit,
) -> None:
    """The list C2 is kept without signatures, and names its people immediately."""
    invite(joint_visit)
    assert (
        joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None).state is ChecklistState.DRAFTING
    )
    assert requests_to_newcomer(joint_visit) == 0
    planned(joint_visit, members=("leyla", "celia"), audience=("leyla", "celia"))
    joint_visit.session.commit()
    assert RequirementKind.JOINING in missing_kinds(joint_visit, 2)
    assert joint_visit.visit(1).is_ready
    celia = joint_visit.actor("celia")
    assert queries.lines(celia, [joint_visit.cooperation.id]) == []
    assert queries.find(celia, joint_visit.cooperation.id, 2) is None
    assert cooperations.find(celia, joint_visit.reference) is None
    roles = joint_visit.checklist(ROLES, 2)
    assert checklist_queries.find(celia, roles.id) is None
    sign(joint_visit, ChecklistKind.CONFIDENTIALITY)
    assert requests_to_newcomer(joint_visit) == 0
    sign(joint_visit, ChecklistKind.TERMS)
    assert requests_to_newcomer(joint_visit) == 1
    assert len(joint_visit.events("party_joined")) == 1
    assert RequirementKind.JOINING not in missing_kinds(joint_visit, 2)
    assert integrity.check_all().finding is None


def test_a_body_of_the_npm_that_joins_and_its_successor_hold_up_no_earlier_visit(
    joint_visit: JointVisit,
) -> None:
    """It signs the texts of visits planned after it has joined, or with its people on the team.

    Nor does it read an earlier declaration. The body itself didn't sign what was planned before it
    joined, so its successor needn't either (N13, adr 78).
    """
    country = country_of(joint_visit)
    council = country.organisation("council", "Prevention Council", OrganisationKind.NPM)
    country.person("Vesna Hale", "council", Role.COORDINATOR)
    country.person("Runo Falk", "council", Role.SIGNATORY, power="Prevention Act, section 4")
    country.person("Mira Sand", "council", Role.MANAGER)
    joining.add(
        joint_visit.actor("ilena"), joint_visit.cooperation, council.id, reason="A second body."
    )
    joint_visit.session.commit()
    before = joint_visit.undertaking("leyla")
    planned(joint_visit, members=("leyla",), audience=("leyla",))
    joint_visit.session.commit()
    assert council.id not in parties(joint_visit, 2)
    assert {line.visit for line in register.lines(country.actor("mira"), Question())} == {None}
    signers = {"npm": "tomas", "od": "henrik", "lh": "otto", "council": "runo"}
    sign(joint_visit, ChecklistKind.CONFIDENTIALITY, signers, country)
    for item in ("M3", "M13"):
        accept(
            joint_visit.checklist(ChecklistKind.TERMS, None),
            item,
            {council.id: country.actor("vesna")},
        )
    sign(joint_visit, ChecklistKind.TERMS, signers, country)
    assert council.id not in parties(joint_visit, 1) | parties(joint_visit, 2)
    seen = register.lines(country.actor("mira"), Question())
    assert {line.visit.number for line in seen if line.visit} == {1, 2}
    assert RequirementKind.ROLES not in missing_kinds(joint_visit, 1)
    planned(joint_visit, members=("leyla",), audience=("leyla",))
    joint_visit.session.commit()
    assert council.id in parties(joint_visit, 3)
    # People sign again on the terms that name it. What they declared before wasn't meant for it.
    assert before.state is UndertakingState.CLOSED
    runo, after = country.actor("runo"), joint_visit.undertaking("leyla")
    for undertaking, decides in ((before, False), (after, True)):
        known = undertakings.find_for_npm(joint_visit.actor("tomas"), undertaking.id)
        assert known is not None
        assert (
            decides_for(runo, undertakings.load(known).standing.npm_ids, clock.today()) is decides
        )
        assert (undertakings.find_for_npm(runo, undertaking.id) is not None) is decides
    assert integrity.check_all().finding is None
    heir = country.organisation("heir", "Prevention Authority", OrganisationKind.NPM)
    joint_visit.session.commit()
    succession.replace(
        joint_visit.actor("iris"), council.id, heir.id, since=clock.today(), source="Act 9 of 2026."
    )
    joint_visit.session.commit()
    assert heir.id not in parties(joint_visit, 1)
    assert RequirementKind.ROLES not in missing_kinds(joint_visit, 1)
    planned(joint_visit, members=("leyla",), audience=("leyla",))
    joint_visit.session.commit()
    assert heir.id in parties(joint_visit, 4)
    assert integrity.check_all().finding is None


def parties(joint_visit: JointVisit, number: int) -> set[object]:
    """Return the parties of a visit's roles."""
    recompute()
    roles = joint_visit.checklist(ROLES, number)
    joint_visit.session.refresh(roles, ["parties"])
    return {party.organisation_id for party in roles.parties}


def waiting_for_all(joint_visit: JointVisit) -> None:
    """Let an amendment of a visit's roles wait for signatures."""
    roles = amend(joint_visit, ROLES, "V6")
    joint_visit.session.flush()
    demo_checklists.send(joint_visit.demo_people, roles)
    joint_visit.session.commit()


def test_a_visits_text_comes_back_when_a_party_is_replaced(joint_visit: JointVisit) -> None:
    """Its people are removed first, and with them it stops being a party of the visit's texts."""
    waiting_for_all(joint_visit)
    succession.replace(
        joint_visit.actor("iris"),
        joint_visit.body("od"),
        joint_visit.body("rf"),
        since=clock.today(),
        source="Decision of both boards.",
    )
    joint_visit.session.commit()
    roles = joint_visit.checklist(ROLES)
    assert (roles.state, roles.revision_sent_id) == (ChecklistState.DRAFTING, None)
    assert joint_visit.body("od") not in parties(joint_visit, 1)
    assert integrity.check_all().finding is None


def test_what_a_replaced_body_of_the_npm_signed_counts_for_its_successor(
    joint_visit: JointVisit,
) -> None:
    """Nothing waits for its signature: it takes over everything that is in force (N13)."""
    council = country_of(joint_visit).organisation("council", "New Office", OrganisationKind.NPM)
    joint_visit.session.commit()
    succession.replace(
        joint_visit.actor("iris"),
        joint_visit.body("npm"),
        council.id,
        since=clock.today(),
        source="Prevention Act, section 4.",
    )
    joint_visit.session.commit()
    assert (
        joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None).state is ChecklistState.IN_FORCE
    )
    assert RequirementKind.CONFIDENTIALITY not in missing_kinds(joint_visit)


def test_a_visits_text_comes_back_when_a_party_has_left(joint_visit: JointVisit) -> None:
    """The worker removes its people one by one before its part ends."""
    waiting_for_all(joint_visit)
    departures.give_notice(
        joint_visit.actor("otto"), joint_visit.cooperation, reason="Other plans."
    )
    joint_visit.session.commit()
    party = next(
        party
        for party in joint_visit.cooperation.parties
        if party.organisation_id == joint_visit.body("lh")
    )
    assert party.left_on is not None
    day = party.left_on + dt.timedelta(days=1)
    for person_id in rows.people_due(day):
        rows.end_person(person_id, day)
        joint_visit.session.commit()
    assert joint_visit.checklist(ROLES).state is ChecklistState.SENT
    departures.carry_out(party.id, day)
    joint_visit.session.commit()
    assert joint_visit.checklist(ROLES).state is ChecklistState.DRAFTING
