"""People of a party whose activities are an interest (M1): they are asked, and the NPM decides."""

from collections.abc import Callable
from dataclasses import fields

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories.undertakings import Clearing
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
def browser(app: Flask, clearing: Clearing) -> Browser:
    return lambda key: clearing.browser(app, key)


def kinds(clearing: Clearing) -> list[tuple[TaskKind, str]]:
    tasks = waiting.tasks_in(clearing.actor("tomas"), clearing.cooperation.id)
    return [(task.kind, task.person) for task in tasks]


def state_of(clearing: Clearing, key: str) -> Interests:
    user_id = clearing.id(key)
    return clearing_states(clearing.cooperation.id, [user_id])[user_id].interests


def test_a_clearance_of_such_a_person_needs_a_decision_first(
    app: Flask, clearing: Clearing
) -> None:
    clearing.sign(LAWYER)
    assert clearing.undertaking(LAWYER).party_has_interest is True
    assert kinds(clearing) == [(TaskKind.DECIDE, "Samira Okell")]
    # Nothing claims that the person declared something.
    tomas = clearing.browser(app, "tomas")
    task = tomas.page("/").links()["Decide on the interests of Samira Okell"]
    page = tomas.page(task)
    assert "Nothing declared." in page.text
    assert "Decide on the interests" in page.text
    assert "what was declared" not in page.text
    assert state_of(clearing, LAWYER) is Interests.UNDECIDED
    with pytest.raises(RefusedError, match="Decide on the interests first"):
        clearing.countersign(LAWYER)
    clearing.decide(LAWYER)
    assert kinds(clearing) == [(TaskKind.COUNTERSIGN, "Samira Okell")]
    clearing.countersign(LAWYER)
    assert clearing.is_cleared(LAWYER)
    assert state_of(clearing, LAWYER) is Interests.ACCEPT


def test_the_npm_may_ask_for_another_person_where_nothing_is_declared(clearing: Clearing) -> None:
    clearing.sign(LAWYER)
    clearing.decide(LAWYER, InterestsDecision.REPLACE, "She represents people there.")
    with pytest.raises(RefusedError, match="somebody else"):
        clearing.countersign(LAWYER)


def test_a_declaration_of_none_by_others_needs_no_decision(clearing: Clearing) -> None:
    clearing.sign(PHYSICIAN)
    assert clearing.undertaking(PHYSICIAN).party_has_interest is False
    assert state_of(clearing, PHYSICIAN) is Interests.NONE
    with pytest.raises(RefusedError, match="nothing to decide"):
        clearing.decide(PHYSICIAN)
    clearing.countersign(PHYSICIAN)
    assert clearing.is_cleared(PHYSICIAN)


def test_what_was_true_at_signing_stays(clearing: Clearing) -> None:
    clearing.sign(LAWYER)
    body = db.session.get_one(Organisation, clearing.demo_people.bodies["od"].id)
    body.litigates = body.represents_persons = False
    db.session.flush()
    with pytest.raises(RefusedError, match="Decide on the interests first"):
        clearing.countersign(LAWYER)


def test_what_was_signed_before_this_was_asked_stays_as_it_was(clearing: Clearing) -> None:
    clearing.sign(LAWYER)
    undertaking = clearing.undertaking(LAWYER)
    undertaking.party_has_interest = None
    db.session.commit()
    assert state_of(clearing, LAWYER) is Interests.NONE
    clearing.countersign(LAWYER)
    assert clearing.is_cleared(LAWYER)


def says(clearing: Clearing, key: str = "lh", **ties: bool) -> None:
    """Have an organisation, the physician's if no other is named, say of itself what it does."""
    body = clearing.demo_people.bodies[key]
    details = {field.name: getattr(body, field.name) for field in fields(Details)}
    organisations.change(
        clearing.actor("iris"), body.id, Details(**{**details, **ties}), seen_version=body.version
    )
    recompute()


def added(clearing: Clearing) -> AddedInterest:
    """Return the interest that was added last."""
    return db.session.scalars(
        sa.select(AddedInterest).order_by(AddedInterest.added_at.desc()).limit(1)
    ).one()


def accept(clearing: Clearing) -> None:
    interest, undertaking = added(clearing), clearing.undertaking(PHYSICIAN)
    adding.decide(
        clearing.actor("tomas"),
        undertaking.id,
        interest.id,
        InterestsDecision.ACCEPT,
        seen=adding.mark(interest),
    )
    recompute()


def test_the_npm_decides_again_on_people_of_a_party_that_litigates_by_now(
    browser: Browser, clearing: Clearing
) -> None:
    clearing.clear(PHYSICIAN)
    clearing.clear(LAWYER)
    says(clearing, litigates=True)
    assert not clearing.is_cleared(PHYSICIAN)
    assert clearing.is_cleared(LAWYER)
    assert state_of(clearing, PHYSICIAN) is Interests.UNDECIDED
    assert kinds(clearing) == [(TaskKind.DECIDE_ADDED, "Leyla Marchetti")]
    path = f"/undertakings/{clearing.undertaking(PHYSICIAN).id}"
    npm = f"/cooperations/{clearing.cooperation.reference}{path}"
    because = "Lantern Health Network takes cases to court"
    page = browser("tomas").page(f"{npm}/interests/{added(clearing).id}")
    assert page.title.startswith("What Leyla Marchetti's organisation does")
    assert because in page.text
    assert because in browser(PHYSICIAN).page(path).text
    accept(clearing)
    assert clearing.is_cleared(PHYSICIAN)


def test_the_npm_is_asked_once_about_each_thing_that_a_party_does(clearing: Clearing) -> None:
    clearing.clear(PHYSICIAN)
    says(clearing, litigates=True)
    accept(clearing)
    for litigates in (False, True):
        says(clearing, litigates=litigates)
        assert clearing.is_cleared(PHYSICIAN)
    says(clearing, represents_staff=True)
    assert added_interests.ties_in(added(clearing)).ties == {"represents_staff"}
    assert not clearing.is_cleared(PHYSICIAN)


def test_the_npm_is_asked_anew_where_a_person_acts_for_another_party_that_does_the_same(
    browser: Browser, clearing: Clearing
) -> None:
    clearing.clear(PHYSICIAN)
    says(clearing, litigates=True)
    accept(clearing)
    undertaking = clearing.undertaking(PHYSICIAN)
    undertaking.organisation_id = clearing.demo_people.bodies["rf"].id
    db.session.commit()
    says(clearing, "rf", litigates=True)
    assert not clearing.is_cleared(PHYSICIAN)
    text = browser(PHYSICIAN).page(f"/undertakings/{undertaking.id}").text
    for name in ("Lantern Health Network", clearing.demo_people.bodies["rf"].name):
        assert f"{name} takes cases to court" in text


def terms_of(clearing: Clearing) -> Checklist:
    own = heads.of_cooperation(clearing.cooperation.id)
    return next(checklist for checklist in own if checklist.kind is ChecklistKind.TERMS)


def come_into_force(clearing: Clearing) -> None:
    """Have what follows from terms that come into force happen for undertakings."""
    terms, details = terms_of(clearing), {"kind": "terms"}
    adding.follow_terms(
        DomainEvent(
            verbs.CAME_INTO_FORCE, "checklist", terms.id, clearing.cooperation.id, None, details
        )
    )
    recompute()


def test_the_npm_decides_again_where_amended_terms_say_it(clearing: Clearing) -> None:
    clearing.clear(PHYSICIAN)
    row = {"party": str(clearing.demo_people.bodies["lh"].id), "represents_persons": True}
    values = {"parties": [row]}
    checklists.save_answer(
        clearing.actor("ilena"),
        terms_of(clearing),
        "M1",
        AnswerScope.SHARED,
        values,
        base_version=0,
    )
    come_into_force(clearing)
    assert added_interests.ties_in(added(clearing)).ties == {"represents_persons"}
    assert not clearing.is_cleared(PHYSICIAN)
    accept(clearing)
    come_into_force(clearing)
    assert clearing.is_cleared(PHYSICIAN)


def sign_terms(clearing: Clearing) -> None:
    """Have the draft of the terms reviewed, and signed by all."""
    terms = terms_of(clearing)
    page = shown.page_with(text_digest(load(terms)))
    safeguards.confirm_review(clearing.actor("nadia"), terms, page=page)
    demo.send(clearing.demo_people, terms)
    demo.sign(clearing.demo_people, terms)


def leave_out(clearing: Clearing, party: str) -> None:
    """Have one CSO suggest that a party does nothing of this kind (M1), and another accept it."""
    terms = terms_of(clearing)
    agreements.amend(clearing.actor("ilena"), terms, reason="It changed.", items=["M1"])
    answer = load(terms).sheet.shared("M1")
    assert answer is not None
    nothing = dict.fromkeys(TIES, False)
    rows = [row | nothing if row["party"] == party else row for row in answer.values["parties"]]
    proposal = positions.propose(
        clearing.actor(LAWYER),
        terms,
        "M1",
        {**answer.values, "parties": rows},
        answer_id=answer.answer_id,
        reason="We stopped.",
    )
    positions.accept_proposal(clearing.actor("joana"), terms, proposal.id)


def test_what_signed_terms_say_counts_until_others_are_signed(clearing: Clearing) -> None:
    terms, body = terms_of(clearing), clearing.demo_people.bodies["od"]
    demo.fill_in(clearing.demo_people, terms)
    sign_terms(clearing)
    says(clearing, "od", litigates=False, represents_persons=False)
    leave_out(clearing, str(body.id))
    clearing.clear(LAWYER)
    assert clearing.undertaking(LAWYER).party_has_interest is True
    # The NPM knew it when it decided, and isn't asked again.
    come_into_force(clearing)
    assert clearing.is_cleared(LAWYER)
    demo.accept(clearing.demo_people, terms, "M1")
    sign_terms(clearing)
    assert not parties.ties_of(clearing.undertaking(LAWYER))


def joins(
    clearing: Clearing, key: str, body: str, by: str, *, outside_expert: bool = False
) -> None:
    """Have a person take part for a further party, for which they are given a role."""
    organisation_id = clearing.demo_people.bodies[body].id
    role = NewRole(Role.MEMBER, organisation_id, outside_expert=outside_expert)
    accounts.give_role(clearing.actor("iris"), clearing.id(key), role)
    load(clearing.checklist)  # the cooperation with its parties
    cooperations.add_person(
        clearing.actor(by),
        clearing.cooperation,
        user_id=clearing.id(key),
        organisation_id=organisation_id,
    )
    recompute()


def test_the_npm_decides_again_on_a_person_who_begins_to_act_for_a_party_that_litigates(
    browser: Browser, clearing: Clearing
) -> None:
    clearing.clear(PHYSICIAN)
    joins(clearing, PHYSICIAN, "od", LAWYER)
    assert not clearing.is_cleared(PHYSICIAN)
    assert kinds(clearing) == [(TaskKind.DECIDE_ADDED, "Leyla Marchetti")]
    assert (
        BECAUSE
        in browser(PHYSICIAN).page(f"/undertakings/{clearing.undertaking(PHYSICIAN).id}").text
    )
    accept(clearing)
    assert clearing.is_cleared(PHYSICIAN)
    # Of the further party too, the NPM is asked what is new, and once about each thing.
    says(clearing, "od", represents_staff=True)
    assert added_interests.ties_in(added(clearing)) == PartyTies(
        clearing.demo_people.bodies["od"].id, frozenset({"represents_staff"})
    )
    assert not clearing.is_cleared(PHYSICIAN)
    accept(clearing)
    cooperations.end_person(
        clearing.actor(LAWYER),
        clearing.cooperation,
        user_id=clearing.id(PHYSICIAN),
        organisation_id=clearing.demo_people.bodies["od"].id,
    )
    cooperations.add_person(
        clearing.actor(LAWYER),
        clearing.cooperation,
        user_id=clearing.id(PHYSICIAN),
        organisation_id=clearing.demo_people.bodies["od"].id,
    )
    recompute()
    assert clearing.is_cleared(PHYSICIAN)
    says(clearing, "lh", litigates=True)
    acts_for = parties.ties_of(clearing.undertaking(PHYSICIAN))
    assert [party.name for party in acts_for] == ["Lantern Health Network", "Open Door Legal Aid"]


def test_a_person_whom_the_npm_lists_is_asked_about_the_other_party_they_act_for(
    browser: Browser, clearing: Clearing
) -> None:
    joins(clearing, LAWYER, "npm", "ilena", outside_expert=True)
    clearing.list_people("od", "otto")
    clearing.list_people("npm", LAWYER)
    undertaking = clearing.undertaking(LAWYER)
    assert undertaking.organisation_id == clearing.demo_people.bodies["npm"].id
    assert BECAUSE in browser(LAWYER).page(f"/undertakings/{undertaking.id}").text
    clearing.sign(LAWYER)
    assert clearing.undertaking(LAWYER).party_has_interest is True
    revision = db.session.get_one(Revision, clearing.undertaking(LAWYER).revision_id)
    document = signoff.document_of(revision, keys.key_of(clearing.cooperation.id))
    assert BECAUSE in document["interests"]["because"]["en"]


def test_the_form_asks_about_it_and_the_signed_text_contains_it(
    browser: Browser, clearing: Clearing
) -> None:
    path = f"/undertakings/{clearing.undertaking(LAWYER).id}"
    assert BECAUSE in browser(LAWYER).page(path).text
    clearing.sign(LAWYER)
    revision = db.session.get_one(Revision, clearing.undertaking(LAWYER).revision_id)
    document = signoff.document_of(revision, keys.key_of(clearing.cooperation.id))
    assert BECAUSE in document["interests"]["because"]["en"]
    assert BECAUSE in browser(LAWYER).page(path).text
    npm = f"/cooperations/{clearing.cooperation.reference}{path}"
    assert BECAUSE in browser("tomas").page(npm).text
    other = f"/undertakings/{clearing.undertaking(PHYSICIAN).id}"
    assert "takes cases to court" not in browser(PHYSICIAN).page(other).text
