"""Visits when a party joins or leaves: who is cleared, and which texts are called back."""

import datetime as dt

from tests.factories import agreements
from tests.factories.checklists import accept
from tests.factories.cooperations import Country
from tests.factories.visits import Scene, planned
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


def invite(scene: Scene) -> None:
    """Invite the fourth CSO, whose people take part immediately, one of them on its list (C2)."""
    joining.add(
        scene.actor("ilena"), scene.cooperation, scene.body("rf"), reason="Families asked for it."
    )
    scene.session.commit()
    for key in ("celia", "anton"):
        cooperation_service.add_person(
            scene.actor("celia"),
            scene.cooperation,
            user_id=scene.user(key),
            organisation_id=scene.body("rf"),
        )
    row = {"person": str(scene.user("celia")), "function": "Coordinator"}
    checklists.save_answer(
        scene.actor("celia"),
        scene.checklist(ChecklistKind.CONFIDENTIALITY, None),
        "C2",
        AnswerScope.PARTY,
        {"listed": "people", "persons": [row | {"organisation": str(scene.body("rf"))}]},
        base_version=0,
    )
    scene.session.commit()


def country_of(scene: Scene) -> Country:
    """Return the demonstration's people and organisations, to add others to them."""
    cast = scene.cast
    homes = {person.key: cast.bodies.get(person.body) for person in PEOPLE}
    return Country(scene.session, dict(cast.bodies), dict(cast.users), homes)


def sign(
    scene: Scene,
    kind: ChecklistKind,
    signers: dict[str, str] = SIGNERS,
    country: Country | None = None,
) -> None:
    """Have all parties sign an amendment as it is."""
    country = country or country_of(scene)
    text = scene.checklist(kind, None)
    agreements.send(country, text, signers)
    agreements.sign(country, text, *signers.values())
    scene.session.commit()


def requests_to_newcomer(scene: Scene) -> int:
    """Return how often the newcomer's listed person was asked for an undertaking."""
    events = scene.events("undertaking_asked")
    return sum(details["person"] == "Celia Morrow" for _verb, details in events)


def test_nobody_is_asked_to_undertake_before_their_party_has_signed_all(scene: Scene) -> None:
    """The list C2 is kept without signatures, and names them immediately."""
    invite(scene)
    assert scene.checklist(ChecklistKind.CONFIDENTIALITY, None).state is ChecklistState.DRAFTING
    assert requests_to_newcomer(scene) == 0
    sign(scene, ChecklistKind.CONFIDENTIALITY)
    assert requests_to_newcomer(scene) == 0
    sign(scene, ChecklistKind.TERMS)
    assert requests_to_newcomer(scene) == 1
    assert len(scene.events("party_joined")) == 1
    assert integrity.check_all().finding is None


def test_a_joining_party_makes_a_visit_not_ready_and_knows_of_none(scene: Scene) -> None:
    invite(scene)
    planned(scene, members=("leyla", "celia"), audience=("leyla", "celia"))
    scene.session.commit()
    assert RequirementKind.JOINING in missing_kinds(scene, 2)
    assert scene.visit(1).is_ready
    celia = scene.actor("celia")
    assert queries.lines(celia, [scene.cooperation.id]) == []
    assert queries.find(celia, scene.cooperation.id, 2) is None
    assert cooperations.find(celia, scene.reference) is None
    roles = scene.checklist(ROLES, 2)
    assert checklist_queries.find(celia, roles.id) is None
    sign(scene, ChecklistKind.CONFIDENTIALITY)
    sign(scene, ChecklistKind.TERMS)
    assert RequirementKind.JOINING not in missing_kinds(scene, 2)


def test_a_body_of_the_npm_that_joins_holds_up_no_visit_and_reads_no_earlier_declaration(
    scene: Scene,
) -> None:
    """It signs the texts of visits planned after it has joined, or with its people on the team."""
    country = country_of(scene)
    council = country.organisation("council", "Prevention Council", OrganisationKind.NPM)
    country.person("Vesna Hale", "council", Role.COORDINATOR)
    country.person("Runo Falk", "council", Role.SIGNATORY, power="Prevention Act, section 4")
    country.person("Mira Sand", "council", Role.MANAGER)
    joining.add(scene.actor("ilena"), scene.cooperation, council.id, reason="A second body.")
    scene.session.commit()
    before = scene.undertaking("leyla")
    planned(scene, members=("leyla",), audience=("leyla",))
    scene.session.commit()
    assert council.id not in parties(scene, 2)
    assert {line.visit for line in register.lines(country.actor("mira"), Question())} == {None}
    signers = {"npm": "tomas", "od": "henrik", "lh": "otto", "council": "runo"}
    sign(scene, ChecklistKind.CONFIDENTIALITY, signers, country)
    for item in ("M3", "M13"):
        accept(
            scene.checklist(ChecklistKind.TERMS, None), item, {council.id: country.actor("vesna")}
        )
    sign(scene, ChecklistKind.TERMS, signers, country)
    assert council.id not in parties(scene, 1) | parties(scene, 2)
    seen = register.lines(country.actor("mira"), Question())
    assert {line.visit.number for line in seen if line.visit} == {1, 2}
    assert RequirementKind.ROLES not in missing_kinds(scene, 1)
    planned(scene, members=("leyla",), audience=("leyla",))
    scene.session.commit()
    assert council.id in parties(scene, 3)
    # People sign again on the terms that name it. What they declared before wasn't meant for it.
    assert before.state is UndertakingState.CLOSED
    runo, after = country.actor("runo"), scene.undertaking("leyla")
    for undertaking, decides in ((before, False), (after, True)):
        known = undertakings.find_for_npm(scene.actor("tomas"), undertaking.id)
        assert known is not None
        assert (
            decides_for(runo, undertakings.load(known).standing.npm_ids, clock.today()) is decides
        )
        assert (undertakings.find_for_npm(runo, undertaking.id) is not None) is decides
    assert integrity.check_all().finding is None


def test_the_successor_of_a_body_that_joined_later_holds_up_no_earlier_visit_either(
    scene: Scene,
) -> None:
    """The body itself didn't sign what was planned before it joined (N13, adr 78)."""
    country = country_of(scene)
    council = country.organisation("council", "Prevention Council", OrganisationKind.NPM)
    heir = country.organisation("heir", "Prevention Authority", OrganisationKind.NPM)
    country.person("Vesna Hale", "council", Role.COORDINATOR)
    country.person("Runo Falk", "council", Role.SIGNATORY, power="Prevention Act, section 4")
    joining.add(scene.actor("ilena"), scene.cooperation, council.id, reason="A second body.")
    scene.session.commit()
    signers = {"npm": "tomas", "od": "henrik", "lh": "otto", "council": "runo"}
    sign(scene, ChecklistKind.CONFIDENTIALITY, signers, country)
    for item in ("M3", "M13"):
        accept(
            scene.checklist(ChecklistKind.TERMS, None), item, {council.id: country.actor("vesna")}
        )
    sign(scene, ChecklistKind.TERMS, signers, country)
    assert council.id not in parties(scene, 1)
    succession.replace(
        scene.actor("iris"), council.id, heir.id, since=clock.today(), source="Act 9 of 2026."
    )
    scene.session.commit()
    assert heir.id not in parties(scene, 1)
    assert RequirementKind.ROLES not in missing_kinds(scene, 1)
    planned(scene, members=("leyla",), audience=("leyla",))
    scene.session.commit()
    assert heir.id in parties(scene, 2)
    assert integrity.check_all().finding is None


def parties(scene: Scene, number: int) -> set[object]:
    """Return the parties of a visit's roles."""
    recompute()
    roles = scene.checklist(ROLES, number)
    scene.session.refresh(roles, ["parties"])
    return {party.organisation_id for party in roles.parties}


def waiting_for_all(scene: Scene) -> None:
    """Let an amendment of a visit's roles wait for signatures."""
    roles = amend(scene, ROLES, "V6")
    scene.session.flush()
    demo_checklists.send(scene.cast, roles)
    scene.session.commit()


def test_a_visits_text_comes_back_when_a_party_is_replaced(scene: Scene) -> None:
    """Its people are removed first, and with them it stops being a party of the visit's texts."""
    waiting_for_all(scene)
    succession.replace(
        scene.actor("iris"),
        scene.body("od"),
        scene.body("rf"),
        since=clock.today(),
        source="Decision of both boards.",
    )
    scene.session.commit()
    roles = scene.checklist(ROLES)
    assert (roles.state, roles.revision_sent_id) == (ChecklistState.DRAFTING, None)
    assert scene.body("od") not in parties(scene, 1)
    assert integrity.check_all().finding is None


def test_what_a_replaced_body_of_the_npm_signed_counts_for_its_successor(scene: Scene) -> None:
    """Nothing waits for its signature: it takes over everything that is in force (N13)."""
    council = country_of(scene).organisation("council", "New Office", OrganisationKind.NPM)
    scene.session.commit()
    succession.replace(
        scene.actor("iris"),
        scene.body("npm"),
        council.id,
        since=clock.today(),
        source="Prevention Act, section 4.",
    )
    scene.session.commit()
    assert scene.checklist(ChecklistKind.CONFIDENTIALITY, None).state is ChecklistState.IN_FORCE
    assert RequirementKind.CONFIDENTIALITY not in missing_kinds(scene)


def test_a_visits_text_comes_back_when_a_party_has_left(scene: Scene) -> None:
    """The worker removes its people one by one before its part ends."""
    waiting_for_all(scene)
    departures.give_notice(scene.actor("otto"), scene.cooperation, reason="Other plans.")
    scene.session.commit()
    party = next(
        party for party in scene.cooperation.parties if party.organisation_id == scene.body("lh")
    )
    assert party.left_on is not None
    day = party.left_on + dt.timedelta(days=1)
    for person_id in rows.people_due(day):
        rows.end_person(person_id, day)
        scene.session.commit()
    assert scene.checklist(ROLES).state is ChecklistState.SENT
    departures.carry_out(party.id, day)
    scene.session.commit()
    assert scene.checklist(ROLES).state is ChecklistState.DRAFTING
