"""People of a party whose activities are an interest (M1): they are asked, and the NPM decides."""

from collections.abc import Callable
from dataclasses import fields

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories.undertakings import Stage
from tracker.access.actor import Role
from tracker.accounts.people import service as accounts
from tracker.accounts.people.service import NewRole
from tracker.activity import verbs
from tracker.activity.service import DomainEvent
from tracker.activity.stale import recompute
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import heads
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.checklists.negotiation import positions, safeguards
from tracker.checklists.negotiation.text_digest import text_digest
from tracker.checklists.rules.consistency import TIES
from tracker.cooperations import keys
from tracker.cooperations import service as cooperations
from tracker.core.db import db
from tracker.core.errors import RefusedError
from tracker.demo import checklists as demo
from tracker.organisations import service as organisations
from tracker.organisations.models import Organisation
from tracker.organisations.service import Details
from tracker.signoff import service as signoff
from tracker.signoff import shown
from tracker.signoff.models import Revision
from tracker.undertakings import added_interests, adding, waiting
from tracker.undertakings import people as parties
from tracker.undertakings.added_interests import PartyTies
from tracker.undertakings.clearing_states import Interests, clearing_states
from tracker.undertakings.models import AddedInterest, InterestsDecision
from tracker.undertakings.waiting import TaskKind

Browser = Callable[[str], CheckedClient]
# People of Open Door Legal Aid, which litigates and represents persons; and of a network that
# doesn't.
LAWYER, PHYSICIAN = "samira", "leyla"
BECAUSE = "Open Door Legal Aid takes cases to court and represents people deprived of liberty"


@pytest.fixture
def browser(app: Flask, stage: Stage) -> Browser:
    return lambda key: stage.browser(app, key)


def kinds(stage: Stage) -> list[tuple[TaskKind, str]]:
    tasks = waiting.tasks_in(stage.actor("tomas"), stage.cooperation.id)
    return [(task.kind, task.person) for task in tasks]


def state_of(stage: Stage, key: str) -> Interests:
    user_id = stage.id(key)
    return clearing_states(stage.cooperation.id, [user_id])[user_id].interests


def test_a_clearance_of_such_a_person_needs_a_decision_first(stage: Stage) -> None:
    stage.sign(LAWYER)
    assert stage.undertaking(LAWYER).party_has_interest is True
    assert kinds(stage) == [(TaskKind.DECIDE, "Samira Okell")]
    assert state_of(stage, LAWYER) is Interests.UNDECIDED
    with pytest.raises(RefusedError, match="Decide on the declared interests first"):
        stage.countersign(LAWYER)
    stage.decide(LAWYER)
    assert kinds(stage) == [(TaskKind.COUNTERSIGN, "Samira Okell")]
    stage.countersign(LAWYER)
    assert stage.is_cleared(LAWYER)
    assert state_of(stage, LAWYER) is Interests.ACCEPT


def test_the_npm_may_ask_for_another_person_where_nothing_is_declared(stage: Stage) -> None:
    stage.sign(LAWYER)
    stage.decide(LAWYER, InterestsDecision.REPLACE, "She represents people there.")
    with pytest.raises(RefusedError, match="somebody else"):
        stage.countersign(LAWYER)


def test_a_declaration_of_none_by_others_needs_no_decision(stage: Stage) -> None:
    stage.sign(PHYSICIAN)
    assert stage.undertaking(PHYSICIAN).party_has_interest is False
    assert state_of(stage, PHYSICIAN) is Interests.NONE
    with pytest.raises(RefusedError, match="nothing to decide"):
        stage.decide(PHYSICIAN)
    stage.countersign(PHYSICIAN)
    assert stage.is_cleared(PHYSICIAN)


def test_what_was_true_at_signing_stays(stage: Stage) -> None:
    stage.sign(LAWYER)
    body = db.session.get_one(Organisation, stage.cast.bodies["od"].id)
    body.litigates = body.represents_persons = False
    db.session.flush()
    with pytest.raises(RefusedError, match="Decide on the declared interests first"):
        stage.countersign(LAWYER)


def test_what_was_signed_before_this_was_asked_stays_as_it_was(stage: Stage) -> None:
    stage.sign(LAWYER)
    undertaking = stage.undertaking(LAWYER)
    undertaking.party_has_interest = None
    db.session.commit()
    assert state_of(stage, LAWYER) is Interests.NONE
    stage.countersign(LAWYER)
    assert stage.is_cleared(LAWYER)


def says(stage: Stage, key: str = "lh", **ties: bool) -> None:
    """Have an organisation, the physician's if no other is named, say of itself what it does."""
    body = stage.cast.bodies[key]
    details = {field.name: getattr(body, field.name) for field in fields(Details)}
    organisations.change(
        stage.actor("iris"), body.id, Details(**{**details, **ties}), seen_version=body.version
    )
    recompute()


def added(stage: Stage) -> AddedInterest:
    """Return the interest that was added last."""
    return db.session.scalars(
        sa.select(AddedInterest).order_by(AddedInterest.added_at.desc()).limit(1)
    ).one()


def accept(stage: Stage) -> None:
    interest, undertaking = added(stage), stage.undertaking(PHYSICIAN)
    adding.decide(
        stage.actor("tomas"),
        undertaking.id,
        interest.id,
        InterestsDecision.ACCEPT,
        seen=adding.mark(interest),
    )
    recompute()


def test_the_npm_decides_again_on_people_of_a_party_that_litigates_by_now(
    browser: Browser, stage: Stage
) -> None:
    stage.clear(PHYSICIAN)
    stage.clear(LAWYER)
    says(stage, litigates=True)
    assert not stage.is_cleared(PHYSICIAN)
    assert stage.is_cleared(LAWYER)
    assert state_of(stage, PHYSICIAN) is Interests.UNDECIDED
    assert kinds(stage) == [(TaskKind.DECIDE_ADDED, "Leyla Marchetti")]
    path = f"/undertakings/{stage.undertaking(PHYSICIAN).id}"
    npm = f"/cooperations/{stage.cooperation.reference}{path}"
    because = "Lantern Health Network takes cases to court"
    page = browser("tomas").page(f"{npm}/interests/{added(stage).id}")
    assert page.title.startswith("What Leyla Marchetti’s organisation does")
    assert because in page.text
    assert because in browser(PHYSICIAN).page(path).text
    accept(stage)
    assert stage.is_cleared(PHYSICIAN)


def test_the_npm_is_asked_once_about_each_thing_that_a_party_does(stage: Stage) -> None:
    stage.clear(PHYSICIAN)
    says(stage, litigates=True)
    accept(stage)
    for litigates in (False, True):
        says(stage, litigates=litigates)
        assert stage.is_cleared(PHYSICIAN)
    says(stage, represents_staff=True)
    assert added_interests.ties_in(added(stage)).ties == {"represents_staff"}
    assert not stage.is_cleared(PHYSICIAN)


def test_the_npm_is_asked_anew_where_a_person_acts_for_another_party_that_does_the_same(
    browser: Browser, stage: Stage
) -> None:
    stage.clear(PHYSICIAN)
    says(stage, litigates=True)
    accept(stage)
    undertaking = stage.undertaking(PHYSICIAN)
    undertaking.organisation_id = stage.cast.bodies["rf"].id
    db.session.commit()
    says(stage, "rf", litigates=True)
    assert not stage.is_cleared(PHYSICIAN)
    text = browser(PHYSICIAN).page(f"/undertakings/{undertaking.id}").text
    for name in ("Lantern Health Network", stage.cast.bodies["rf"].name):
        assert f"{name} takes cases to court" in text


def terms_of(stage: Stage) -> Checklist:
    own = heads.of_cooperation(stage.cooperation.id)
    return next(checklist for checklist in own if checklist.kind is ChecklistKind.TERMS)


def come_into_force(stage: Stage) -> None:
    """Have what follows from terms that come into force happen for undertakings."""
    terms, details = terms_of(stage), {"kind": "terms"}
    adding.follow_terms(
        DomainEvent(
            verbs.CAME_INTO_FORCE, "checklist", terms.id, stage.cooperation.id, None, details
        )
    )
    recompute()


def test_the_npm_decides_again_where_amended_terms_say_it(stage: Stage) -> None:
    stage.clear(PHYSICIAN)
    row = {"party": str(stage.cast.bodies["lh"].id), "represents_persons": True}
    values = {"parties": [row]}
    checklists.save_answer(
        stage.actor("ilena"), terms_of(stage), "M1", AnswerScope.SHARED, values, base_version=0
    )
    come_into_force(stage)
    assert added_interests.ties_in(added(stage)).ties == {"represents_persons"}
    assert not stage.is_cleared(PHYSICIAN)
    accept(stage)
    come_into_force(stage)
    assert stage.is_cleared(PHYSICIAN)


def sign_terms(stage: Stage) -> None:
    """Have the draft of the terms reviewed, and signed by all."""
    terms = terms_of(stage)
    page = shown.page_with(text_digest(load(terms)))
    safeguards.confirm_review(stage.actor("nadia"), terms, page=page)
    demo.send(stage.cast, terms)
    demo.sign(stage.cast, terms)


def leave_out(stage: Stage, party: str) -> None:
    """Have one CSO suggest that a party does nothing of this kind (M1), and another accept it."""
    terms = terms_of(stage)
    agreements.amend(stage.actor("ilena"), terms, reason="It changed.", items=["M1"])
    answer = load(terms).sheet.shared("M1")
    assert answer is not None
    nothing = dict.fromkeys(TIES, False)
    rows = [row | nothing if row["party"] == party else row for row in answer.values["parties"]]
    proposal = positions.propose(
        stage.actor(LAWYER),
        terms,
        "M1",
        {**answer.values, "parties": rows},
        answer_id=answer.answer_id,
        reason="We stopped.",
    )
    positions.accept_proposal(stage.actor("joana"), terms, proposal.id)


def test_what_signed_terms_say_counts_until_others_are_signed(stage: Stage) -> None:
    terms, body = terms_of(stage), stage.cast.bodies["od"]
    demo.fill_in(stage.cast, terms)
    sign_terms(stage)
    says(stage, "od", litigates=False, represents_persons=False)
    leave_out(stage, str(body.id))
    stage.clear(LAWYER)
    assert stage.undertaking(LAWYER).party_has_interest is True
    # The NPM knew it when it decided, and isn't asked again.
    come_into_force(stage)
    assert stage.is_cleared(LAWYER)
    demo.accept(stage.cast, terms, "M1")
    sign_terms(stage)
    assert not parties.ties_of(stage.undertaking(LAWYER))


def joins(stage: Stage, key: str, body: str, by: str, *, outside_expert: bool = False) -> None:
    """Have a person take part for a further party, for which they are given a role."""
    organisation_id = stage.cast.bodies[body].id
    role = NewRole(Role.MEMBER, organisation_id, outside_expert=outside_expert)
    accounts.give_role(stage.actor("iris"), stage.id(key), role)
    load(stage.checklist)  # the cooperation with its parties
    cooperations.add_person(
        stage.actor(by), stage.cooperation, user_id=stage.id(key), organisation_id=organisation_id
    )
    recompute()


def test_the_npm_decides_again_on_a_person_who_begins_to_act_for_a_party_that_litigates(
    browser: Browser, stage: Stage
) -> None:
    stage.clear(PHYSICIAN)
    joins(stage, PHYSICIAN, "od", LAWYER)
    assert not stage.is_cleared(PHYSICIAN)
    assert kinds(stage) == [(TaskKind.DECIDE_ADDED, "Leyla Marchetti")]
    assert (
        BECAUSE in browser(PHYSICIAN).page(f"/undertakings/{stage.undertaking(PHYSICIAN).id}").text
    )
    accept(stage)
    assert stage.is_cleared(PHYSICIAN)
    # Of the further party too, the NPM is asked what is new, and once about each thing.
    says(stage, "od", represents_staff=True)
    assert added_interests.ties_in(added(stage)) == PartyTies(
        stage.cast.bodies["od"].id, frozenset({"represents_staff"})
    )
    assert not stage.is_cleared(PHYSICIAN)
    accept(stage)
    cooperations.end_person(
        stage.actor(LAWYER),
        stage.cooperation,
        user_id=stage.id(PHYSICIAN),
        organisation_id=stage.cast.bodies["od"].id,
    )
    cooperations.add_person(
        stage.actor(LAWYER),
        stage.cooperation,
        user_id=stage.id(PHYSICIAN),
        organisation_id=stage.cast.bodies["od"].id,
    )
    recompute()
    assert stage.is_cleared(PHYSICIAN)
    says(stage, "lh", litigates=True)
    acts_for = parties.ties_of(stage.undertaking(PHYSICIAN))
    assert [party.name for party in acts_for] == ["Lantern Health Network", "Open Door Legal Aid"]


def test_a_person_whom_the_npm_lists_is_asked_about_the_other_party_they_act_for(
    browser: Browser, stage: Stage
) -> None:
    joins(stage, LAWYER, "npm", "ilena", outside_expert=True)
    stage.list_people("od", "otto")
    stage.list_people("npm", LAWYER)
    undertaking = stage.undertaking(LAWYER)
    assert undertaking.organisation_id == stage.cast.bodies["npm"].id
    assert BECAUSE in browser(LAWYER).page(f"/undertakings/{undertaking.id}").text
    stage.sign(LAWYER)
    assert stage.undertaking(LAWYER).party_has_interest is True
    revision = db.session.get_one(Revision, stage.undertaking(LAWYER).revision_id)
    document = signoff.document_of(revision, keys.key_of(stage.cooperation.id))
    assert BECAUSE in document["interests"]["because"]["en"]


def test_the_form_asks_about_it_and_the_signed_text_contains_it(
    browser: Browser, stage: Stage
) -> None:
    path = f"/undertakings/{stage.undertaking(LAWYER).id}"
    assert BECAUSE in browser(LAWYER).page(path).text
    stage.sign(LAWYER)
    revision = db.session.get_one(Revision, stage.undertaking(LAWYER).revision_id)
    document = signoff.document_of(revision, keys.key_of(stage.cooperation.id))
    assert BECAUSE in document["interests"]["because"]["en"]
    assert BECAUSE in browser(LAWYER).page(path).text
    npm = f"/cooperations/{stage.cooperation.reference}{path}"
    assert BECAUSE in browser("tomas").page(npm).text
    other = f"/undertakings/{stage.undertaking(PHYSICIAN).id}"
    assert "takes cases to court" not in browser(PHYSICIAN).page(other).text
