"""Who may do what with a checklist, as tables of cases.

In one file: tables of cases of one policy, which vary the same facts.
"""

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.factories.templates import (
    DOOR,
    NPM,
    PARTIES,
    a_field,
    item_of,
    small_roles,
    small_terms,
)
from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.access.decision import YES, Decision, no
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import policy
from tracker.checklists.models import Checklist, ChecklistState, NoticeKind
from tracker.checklists.rules.facts import PartyFact
from tracker.cooperations.models import Stage

ME, SOMEBODY = UUID(int=21), UUID(int=22)
OUR_NPM, DOOR_PARTY, LANTERN_PARTY = PARTIES
# A body of the NPM that has yet to sign the terms in force.
JOINING_NPM = replace(OUR_NPM, is_joining=True)
TERMS = small_terms()
TODAY = dt.date(2027, 3, 1)
DRAFTING, SENT, IN_FORCE, SUSPENDED, ENDED = ChecklistState


def actor(*roles: Role, body: UUID = DOOR) -> Actor:
    kind = OrganisationKind.NPM if body == NPM else OrganisationKind.CSO
    return Actor(
        ME,
        "Samira Okell",
        memberships=tuple(
            ActorMembership(role, body, "Body", kind, power="An Act") for role in roles
        ),
        organisation_id=body,
    )


def says(decision: Decision, words: str) -> None:
    """Compare a decision with its reason, empty if it is allowed."""
    assert bool(decision) is not bool(words)
    assert words in str(decision.reason)


NO_PARTY = "Only people acting for one of the parties can do this."
READ_ONLY = "You can read this but not change it."
WRITING = (Role.COORDINATOR, Role.MEMBER, Role.SIGNATORY, Role.MANAGER)


@pytest.mark.parametrize("role", Role)
def test_who_only_audits_or_administers_writes_nothing(role: Role) -> None:
    says(policy.can_take_part(actor(role), DOOR_PARTY), "" if role in WRITING else READ_ONLY)
    says(policy.can_take_part(actor(role), None), NO_PARTY)


@pytest.mark.parametrize(
    ("sets", "npm", "cso"),
    [
        ("npm", "", "The NPM answers this."),
        ("cso", "The partner organisations answer this.", ""),
        ("both", "", ""),
        ("each_party", "", ""),
        ("each_cso", "The partner organisations answer this.", ""),
    ],
)
def test_the_template_says_who_sets_a_field(sets: str, npm: str, cso: str) -> None:
    field = item_of(a_field(sets=sets)).fields[0]
    says(policy.can_set(actor(Role.COORDINATOR, body=NPM), OUR_NPM, field), npm)
    says(policy.can_set(actor(Role.COORDINATOR), DOOR_PARTY, field), cso)
    says(policy.can_set(actor(Role.AUDITOR, body=NPM), OUR_NPM, field), READ_ONLY)
    says(policy.can_set(actor(Role.COORDINATOR), None, field), NO_PARTY)


NO_ANSWER = "This item has no answer like that."
EACH_PERSON = "Each person answers this for themselves."
SHARED, PARTY, PERSON = AnswerScope


@pytest.mark.parametrize(
    ("fields", "scope", "words"),
    [
        # Any party may suggest an answer that others accept, whoever writes it.
        ([a_field(sets="npm", accepts="each_cso")], SHARED, ""),
        ([a_field(sets="npm", accepts="all")], SHARED, ""),
        ([a_field(sets="npm", accepts="none")], SHARED, "The NPM answers this."),
        ([a_field(sets="cso", accepts="none")], SHARED, ""),
        ([a_field(sets="both", accepts="none")], SHARED, ""),
        ([a_field(sets="each_party", accepts="none")], PARTY, ""),
        ([a_field(sets="each_cso", accepts="none")], PARTY, ""),
        ([a_field(sets="each_party", accepts="none")], SHARED, NO_ANSWER),
        ([a_field(sets="npm", accepts="all")], PARTY, NO_ANSWER),
        ([a_field(sets="each_person", accepts="none")], PERSON, EACH_PERSON),
    ],
)
def test_a_partner_writes_what_it_sets_and_what_it_may_propose(
    fields: list[dict[str, Any]], scope: AnswerScope, words: str
) -> None:
    item = item_of(*fields)
    says(policy.can_write(actor(Role.MEMBER), DOOR_PARTY, item, scope), words)
    says(policy.can_write(actor(Role.AUDITOR), DOOR_PARTY, item, scope), READ_ONLY)
    says(policy.can_write(actor(Role.MEMBER), None, item, scope), NO_PARTY)


@pytest.mark.parametrize(
    ("state", "open_items", "words"),
    [
        (DRAFTING, None, ""),
        (DRAFTING, ["M1"], ""),
        (DRAFTING, ["M2"], "This item stays agreed"),
        (DRAFTING, [], "This item stays agreed"),
        (SENT, None, "sent for signature and can't be changed"),
        (SENT, ["M1"], "sent for signature and can't be changed"),
        (IN_FORCE, None, "Changes need an amendment"),
        (SUSPENDED, None, "This text is suspended."),
        (SUSPENDED, ["M1"], "This text is suspended."),
        (ENDED, None, "This text has ended."),
    ],
)
def test_an_item_is_open_or_not(
    state: ChecklistState, open_items: list[str] | None, words: str
) -> None:
    says(policy.is_open(state, open_items, "M1"), words)
    says(
        policy.is_item_open(state, open_items, TERMS.by_code["M1"], holds_up=False, goes_on=YES),
        words,
    )


@pytest.mark.parametrize("stage", list(Stage))
def test_texts_can_be_acted_on_until_their_cooperation_is_closed(stage: Stage) -> None:
    words = "This cooperation is closed." if stage is Stage.CLOSED else ""
    says(policy.goes_on(stage, visit_is_stopped=False), words)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DRAFTING, ""),
        (SENT, "sent for signature"),
        (IN_FORCE, "Changes need an amendment"),
        (SUSPENDED, "This text is suspended."),
        (ENDED, "This text has ended."),
    ],
)
def test_what_holds_up_signing_is_open_whatever_was_asked_for(
    state: ChecklistState, words: str
) -> None:
    item = TERMS.by_code["M1"]
    says(policy.is_item_open(state, ["M2"], item, holds_up=True, goes_on=YES), words)


@pytest.mark.parametrize("state", ChecklistState)
@pytest.mark.parametrize("open_items", [None, [], ["M1"]])
def test_a_live_list_is_always_open(state: ChecklistState, open_items: list[str] | None) -> None:
    """C2 and V13 are kept by the parties after signing too."""
    for holds_up in (True, False):
        says(
            policy.is_item_open(
                state, open_items, TERMS.by_code["M8"], holds_up=holds_up, goes_on=YES
            ),
            "",
        )


NOT_ASKED = "Your organisation doesn't have to accept this item."


@pytest.mark.parametrize(
    ("accepts", "npm", "cso"),
    [
        ("none", NOT_ASKED, NOT_ASKED),
        ("all", "", ""),
        ("each_cso", NOT_ASKED, ""),
        ("npm", "", NOT_ASKED),
    ],
)
def test_who_is_asked_takes_a_position(accepts: str, npm: str, cso: str) -> None:
    item = item_of(a_field(accepts=accepts))
    says(policy.can_take_position(actor(Role.MEMBER, body=NPM), OUR_NPM, item), npm)
    says(policy.can_take_position(actor(Role.MEMBER), DOOR_PARTY, item), cso)
    says(policy.can_take_position(actor(Role.MEMBER), None, item), NO_PARTY)
    says(policy.can_take_position(actor(Role.AUDITOR), DOOR_PARTY, item), READ_ONLY)


THE_NPM = "The NPM answers this suggestion because"
A_PARTNER = "A partner organisation answers this suggestion because partners"


@pytest.mark.parametrize(
    ("sets", "agreeing", "words"),
    [
        ("npm", (OUR_NPM, DOOR_PARTY), ""),
        ("npm", (DOOR_PARTY, OUR_NPM), ""),
        ("npm", (DOOR_PARTY, LANTERN_PARTY), THE_NPM),
        ("npm", (DOOR_PARTY, None), THE_NPM),
        ("npm", (None, None), THE_NPM),
        ("cso", (OUR_NPM, DOOR_PARTY), ""),
        ("cso", (OUR_NPM, None), A_PARTNER),
        ("both", (DOOR_PARTY, LANTERN_PARTY), ""),
        ("both", (DOOR_PARTY, None), ""),
    ],
)
def test_what_one_side_writes_is_not_changed_without_it(
    sets: str, agreeing: tuple[PartyFact | None, ...], words: str
) -> None:
    """S6: no other body decides what the NPM decides."""
    says(policy.can_agree_on(item_of(a_field(sets=sets)), *agreeing), words)


@pytest.mark.parametrize(
    ("role", "party", "part", "words"),
    [
        (Role.MEMBER, DOOR_PARTY, "terms", ""),
        (Role.COORDINATOR, DOOR_PARTY, "terms", ""),
        (Role.AUDITOR, DOOR_PARTY, "terms", READ_ONLY),
        (Role.MEMBER, None, "terms", NO_PARTY),
        (Role.MEMBER, DOOR_PARTY, "people", "You can only flag what the parties sign."),
    ],
)
def test_any_partys_reviewer_flags_a_term(
    role: Role, party: PartyFact | None, part: str, words: str
) -> None:
    says(policy.can_flag(actor(role), party, item_of(a_field(), part=part)), words)


@pytest.mark.parametrize("role", Role)
def test_the_npm_answers_a_flag(role: Role) -> None:
    answering = role in {Role.COORDINATOR, Role.SIGNATORY, Role.MANAGER}
    words = (
        "" if answering else "Only a coordinator, signatory or manager of the NPM can answer flags."
    )
    says(policy.can_close_flag(actor(role, body=NPM), OUR_NPM), words)
    says(policy.can_close_flag(actor(role), DOOR_PARTY), "Only the NPM can explain or change")
    for party in (None, JOINING_NPM):
        says(policy.can_close_flag(actor(role, body=NPM), party), "Only the NPM can explain or")


@pytest.mark.parametrize(
    ("party", "written_by", "is_reader", "words"),
    [
        (OUR_NPM, NPM, False, ""),
        (DOOR_PARTY, DOOR, False, ""),
        (OUR_NPM, DOOR, True, ""),
        (OUR_NPM, DOOR, False, "Only the party that wrote these words can say whether"),
        (DOOR_PARTY, NPM, False, "Only the party that wrote these words can say whether"),
        (None, NPM, False, NO_PARTY),
        (None, NPM, True, NO_PARTY),
    ],
)
def test_the_side_that_wrote_words_says_if_they_limit_the_npm_and_the_second_reader(
    party: PartyFact | None, written_by: UUID, is_reader: bool, words: str
) -> None:
    decision = policy.can_answer_hint(actor(Role.MEMBER), party, written_by, is_reader=is_reader)
    says(decision, words)
    if party:
        says(
            policy.can_answer_hint(actor(Role.AUDITOR), party, written_by, is_reader=is_reader),
            "You can read this but not change it.",
        )


@pytest.mark.parametrize(
    ("body", "reader", "authors", "words"),
    [
        (NPM, ME, set(), ""),
        (NPM, ME, {SOMEBODY}, ""),
        (NPM, ME, {ME}, "You wrote an answer on this checklist"),
        (NPM, SOMEBODY, set(), "Only the second reader named in the terms can confirm this."),
        (NPM, None, set(), "No second reader is named yet."),
        (DOOR, ME, set(), "The second reader has to be somebody from the NPM."),
    ],
)
def test_the_second_reader_alone_confirms_the_review(
    body: UUID, reader: UUID | None, authors: set[UUID], words: str
) -> None:
    """Product.md, section 2, and gate G3."""
    person = actor(Role.MEMBER, body=body)
    says(policy.can_review(person, reader, frozenset(authors), TODAY), words)


@pytest.mark.parametrize(
    ("role", "is_alone", "authors", "words"),
    [
        (Role.SIGNATORY, True, {ME}, ""),
        (Role.MANAGER, True, {ME}, "a signatory of the NPM can read it"),
        (Role.MEMBER, True, {ME}, "a signatory of the NPM can read it"),
        (Role.COORDINATOR, True, {ME}, "a signatory of the NPM can read it"),
        (Role.MEMBER, True, {SOMEBODY}, ""),
        (Role.SIGNATORY, False, {ME}, "so somebody else has to read it"),
        (Role.MANAGER, False, {ME}, "so somebody else has to read it"),
    ],
)
def test_where_the_npm_has_nobody_else_its_head_reads_what_they_wrote(
    role: Role, is_alone: bool, authors: set[UUID], words: str
) -> None:
    """Product.md, section 6: small bodies."""
    head = actor(role, body=NPM)
    says(policy.can_review(head, ME, frozenset(authors), TODAY, is_alone=is_alone), words)


def test_a_head_whose_power_ran_out_does_not_read_alone() -> None:
    """Product.md, section 2."""
    head = actor(Role.SIGNATORY, body=NPM)
    past = replace(head.memberships[0], power_until=TODAY - dt.timedelta(days=1))
    decision = policy.can_review(
        replace(head, memberships=(past,)), ME, frozenset({ME}), TODAY, is_alone=True
    )
    says(decision, "Your power to sign has run out.")


def test_nobody_reads_alone_unless_the_npm_has_nobody_else() -> None:
    head = actor(Role.SIGNATORY, body=NPM)
    words = "so somebody else has to read it"
    says(policy.can_review(head, ME, frozenset({ME}), TODAY), words)


def test_while_somebody_from_outside_is_asked_nobody_of_the_npm_reads() -> None:
    for role, authors in ((Role.SIGNATORY, {ME}), (Role.MEMBER, set())):
        person = actor(role, body=NPM)
        decision = policy.can_review(
            person, ME, frozenset(authors), TODAY, is_alone=True, is_read_outside=True
        )
        says(decision, "revoke the invitation first")


def test_the_outside_reader_is_of_no_party() -> None:
    nobody = actor()
    says(policy.can_answer_hint(nobody, None, NPM, is_reader=True, is_outside=True), "")
    terms, own = (item_of(a_field(), part=part) for part in ("terms", "people"))
    says(policy.can_flag(nobody, None, terms, is_outside=True), "")
    decision = policy.can_flag(nobody, None, own, is_outside=True)
    says(decision, "You can only flag what the parties sign.")


def test_an_administrator_is_never_the_second_reader() -> None:
    """Product.md, section 2."""
    both = actor(Role.MEMBER, Role.ADMINISTRATOR, body=NPM)
    says(
        policy.can_review(both, ME, frozenset(), TODAY),
        "An administrator can't be the second reader.",
    )


NOT_A_DRAFT = {
    DRAFTING: "",
    SENT: "has already been sent for signature",
    IN_FORCE: "is in force. Propose an amendment",
    SUSPENDED: "This text is suspended.",
    ENDED: "This text has ended.",
}
TO_MOVE = NOT_A_DRAFT | {
    SENT: "has been sent for signature and can't be changed",
    IN_FORCE: "is in force. Move it as part of an amendment",
}
SENDER = "Only a coordinator of one of the parties"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", ChecklistState)
def test_a_coordinator_sends_calls_back_moves_and_amends(role: Role, state: ChecklistState) -> None:
    person = actor(role)
    is_coordinator = role is Role.COORDINATOR
    cases: list[tuple[Any, bool, str]] = [
        (
            policy.can_send(person, DOOR_PARTY, state, goes_on=YES),
            state is DRAFTING,
            NOT_A_DRAFT[state],
        ),
        (
            policy.can_move(person, DOOR_PARTY, state, goes_on=YES),
            state is DRAFTING,
            TO_MOVE[state],
        ),
        (
            policy.can_amend(person, DOOR_PARTY, state, goes_on=YES),
            state is IN_FORCE,
            "You can only amend a text in force",
        ),
        (policy.can_withdraw_request(person, DOOR_PARTY), True, ""),
        (policy.can_remind(person, DOOR_PARTY), True, ""),
        (
            policy.can_agree_anew(person, DOOR_PARTY, state),
            state is ENDED,
            "Only a text that has ended",
        ),
    ]
    for decision, in_time, words in cases:
        says(decision, ("" if in_time else words) if is_coordinator else SENDER)
    for decision in (
        policy.can_send(person, None, state, goes_on=YES),
        policy.can_move(person, None, state, goes_on=YES),
        policy.can_amend(person, None, state, goes_on=YES),
        policy.can_withdraw_request(person, None),
        policy.can_remind(person, None),
        policy.can_agree_anew(person, None, state),
    ):
        says(decision, SENDER)


@pytest.mark.parametrize(
    ("goes_on", "words"),
    [
        (
            policy.goes_on(Stage.ACTIVE, visit_is_stopped=True),
            "The visit was stopped, and its texts with it.",
        ),
        (policy.goes_on(Stage.CLOSED, visit_is_stopped=False), "This cooperation is closed."),
    ],
)
@pytest.mark.parametrize("state", ChecklistState)
def test_nobody_acts_on_a_text_that_does_not_go_on(
    state: ChecklistState, goes_on: Decision, words: str
) -> None:
    coordinator = actor(Role.COORDINATOR)
    for decide in (policy.can_send, policy.can_move, policy.can_amend):
        says(decide(coordinator, DOOR_PARTY, state, goes_on=goes_on), words)
        says(decide(actor(Role.MEMBER), DOOR_PARTY, state, goes_on=goes_on), SENDER)
    for decide in (policy.can_copy, policy.can_read_copies):
        says(decide(coordinator, DOOR_PARTY, state, goes_on=goes_on), words)
        says(decide(coordinator, None, state, goes_on=goes_on), NO_PARTY)
    says(policy.is_amendable(state, goes_on=goes_on), words)
    for code in ("M1", "M8"):
        item = TERMS.by_code[code]
        says(policy.is_item_open(state, None, item, holds_up=True, goes_on=goes_on), words)
        assignable = policy.is_assignable(
            state, None, item, concerns_us=True, holds_up=True, goes_on=goes_on
        )
        says(assignable, words)


def call_off(
    person: Actor,
    state: ChecklistState = DRAFTING,
    party: PartyFact | None = DOOR_PARTY,
    *,
    in_force: bool = True,
    stopped_by: NoticeKind | None = None,
    is_restricted: bool = False,
    has_newcomer: bool = False,
) -> Decision:
    checklist = Checklist(
        state=state, revision_in_force_id=SOMEBODY if in_force else None, stopped_by=stopped_by
    )
    return policy.can_call_off_amendment(
        person, party, checklist, is_restricted=is_restricted, has_newcomer=has_newcomer
    )


@pytest.mark.parametrize("role", Role)
def test_a_coordinator_of_a_party_calls_an_amendment_off(role: Role) -> None:
    """Product.md, 5.7: the text in force stays so, signed or not."""
    who = "Only a coordinator of one of the parties can call off"
    says(call_off(actor(role)), "" if role is Role.COORDINATOR else who)
    says(call_off(actor(role), party=None), who)


NONE_OPEN = "There's no open amendment"


@pytest.mark.parametrize(
    ("state", "facts", "words"),
    [
        (DRAFTING, {"in_force": False}, NONE_OPEN),
        (IN_FORCE, {}, NONE_OPEN),
        (ENDED, {"in_force": False, "stopped_by": NoticeKind.ENDED}, NONE_OPEN),
        (SENT, {}, "Call the text back first."),
        (DRAFTING, {"in_force": False, "stopped_by": NoticeKind.SUSPENDED}, "text is suspended."),
        (DRAFTING, {"is_restricted": True}, "A visit's texts follow its team"),
        (DRAFTING, {"has_newcomer": True}, "is joining by this amendment"),
    ],
)
def test_only_an_open_amendment_of_the_parties_in_force_is_called_off(
    state: ChecklistState, facts: dict[str, Any], words: str
) -> None:
    says(call_off(actor(Role.COORDINATOR), state, **facts), words)


@pytest.mark.parametrize("role", Role)
def test_a_signatory_suspends_and_ends_a_text_in_force(role: Role) -> None:
    """Product.md, 5.8: for a party, those who may bind it, and never what belongs to a visit."""
    person = actor(role)
    who = "" if role is Role.SIGNATORY else "Only a signatory of one of the parties"
    nothing = "You can only suspend or end a text in force" if role is Role.SIGNATORY else who

    def give(
        party: Any,
        *,
        in_force: bool = True,
        is_restricted: bool = False,
        is_joining: bool = False,
    ) -> Decision:
        return policy.can_give_notice(
            person,
            party,
            in_force=in_force,
            is_restricted=is_restricted,
            is_joining=is_joining,
        )

    says(give(DOOR_PARTY), who)
    says(give(DOOR_PARTY, in_force=False), nothing)
    says(give(None), "Only a signatory of one of the parties")
    says(give(DOOR_PARTY, is_restricted=True), "stop when the visit does")
    says(give(DOOR_PARTY, is_joining=True), who or "hasn't signed the terms in force")


@pytest.mark.parametrize("role", Role)
def test_the_party_that_gave_notice_lifts_it(role: Role) -> None:
    person = actor(role)
    who = "" if role is Role.SIGNATORY else "Only a signatory of the party that gave the notice"
    other = "Only the party that gave the notice" if role is Role.SIGNATORY else who
    says(policy.can_close_notice(person, DOOR_PARTY, DOOR), who)
    says(policy.can_close_notice(person, DOOR_PARTY, LANTERN_PARTY.organisation_id), other)
    says(policy.can_close_notice(person, None, DOOR), "Only a signatory of the party that gave")


# Assigning

COORDINATES = "Only a coordinator of your organisation can assign items."


@pytest.mark.parametrize("role", Role)
def test_coordinators_assign_items_to_people_of_their_side(role: Role) -> None:
    words = {Role.COORDINATOR: ""} | dict.fromkeys((Role.AUDITOR, Role.ADMINISTRATOR), READ_ONLY)
    says(policy.can_assign(actor(role), DOOR_PARTY), words.get(role, COORDINATES))
    says(policy.can_assign(actor(role), None), NO_PARTY)


@pytest.mark.parametrize(
    ("held_by", "able", "words"),
    [
        (None, {ME, SOMEBODY}, ""),
        (SOMEBODY, {ME}, ""),
        (SOMEBODY, {ME, SOMEBODY}, "Somebody else has this item."),
        (ME, {ME}, "You already have this item."),
        (None, {SOMEBODY}, "Only people who take part in the cooperation"),
    ],
)
def test_whoever_takes_part_takes_on_what_nobody_has(
    held_by: UUID | None, able: set[UUID], words: str
) -> None:
    says(policy.can_take(actor(Role.MEMBER), DOOR_PARTY, held_by, able), words)
    says(policy.can_take(actor(Role.AUDITOR), DOOR_PARTY, held_by, able), READ_ONLY)
    says(policy.can_take(actor(Role.MEMBER), None, held_by, able), NO_PARTY)


@pytest.mark.parametrize(
    ("role", "held_by", "words"),
    [
        (Role.MEMBER, ME, ""),
        (Role.MEMBER, SOMEBODY, "Only the person who has an item"),
        (Role.MANAGER, SOMEBODY, "Only the person who has an item"),
        (Role.COORDINATOR, SOMEBODY, ""),
        (Role.AUDITOR, ME, READ_ONLY),
    ],
)
def test_who_has_an_item_or_a_coordinator_gives_it_back(
    role: Role, held_by: UUID, words: str
) -> None:
    says(policy.can_give_back(actor(role), DOOR_PARTY, held_by), words)
    says(policy.can_give_back(actor(role), None, held_by), NO_PARTY)


@pytest.mark.parametrize(
    ("state", "open_items", "code", "concerns_us", "words"),
    [
        (DRAFTING, None, "M1", True, ""),
        (DRAFTING, ["M1"], "M1", True, ""),
        (DRAFTING, ["M2"], "M1", True, "This item stays agreed"),
        (DRAFTING, ["M2"], "M8", True, ""),
        (DRAFTING, None, "M1", False, "has nothing to do on this item"),
        (SENT, None, "M1", True, "sent for signature"),
        (SENT, None, "M8", True, "sent for signature"),
        (IN_FORCE, None, "M8", True, "This text is in force."),
    ],
)
def test_an_item_is_assigned_while_it_is_worked_on_by_both(
    state: ChecklistState,
    open_items: list[str] | None,
    code: str,
    concerns_us: bool,
    words: str,
) -> None:
    item = TERMS.by_code[code]
    refusal = policy.is_assignable(
        state, open_items, item, concerns_us=concerns_us, holds_up=False, goes_on=YES
    )
    says(refusal, words)


def test_an_item_no_longer_agreed_can_be_assigned_though_nobody_asked_for_it() -> None:
    item = TERMS.by_code["M1"]
    assert policy.is_assignable(
        DRAFTING, ["M2"], item, concerns_us=True, holds_up=True, goes_on=YES
    )


def test_what_each_person_answers_is_assigned_to_nobody() -> None:
    own = item_of(a_field(sets="each_person", accepts="none"), part="person")
    refusal = policy.is_assignable(
        DRAFTING, None, own, concerns_us=True, holds_up=True, goes_on=YES
    )
    says(refusal, EACH_PERSON)


# The items of a visit that let people in


def test_the_items_that_let_people_in_name_the_audience_the_lead_and_the_team() -> None:
    items = small_roles().by_code
    keys = {field.key for code in policy.LET_IN for field in items[code].fields}
    assert {"audience", "lead", "team"} <= keys
    assert keys.isdisjoint({"aims", "note"})


# Copies and model answers


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", ChecklistState)
def test_coordinators_and_members_copy_while_it_is_drafted(
    role: Role, state: ChecklistState
) -> None:
    if role not in WRITING:
        words = READ_ONLY
    elif role not in {Role.COORDINATOR, Role.MEMBER}:
        words = "Only a coordinator or member of one of the parties can copy answers."
    else:
        words = "" if state is DRAFTING else "You can only copy answers while"
    says(policy.can_copy(actor(role), DOOR_PARTY, state, goes_on=YES), words)
    says(policy.can_copy(actor(role), None, state, goes_on=YES), NO_PARTY)


HAS_ANSWERS = "This checklist already has answers."


@pytest.mark.parametrize("role", Role)
def test_whoever_may_copy_chooses_how_an_empty_checklist_begins(role: Role) -> None:
    def chooses(*, is_empty: bool, state: ChecklistState = DRAFTING) -> Decision:
        return policy.can_choose_beginning(
            actor(role), DOOR_PARTY, state, goes_on=YES, is_empty=is_empty
        )

    may_copy = policy.can_copy(actor(role), DOOR_PARTY, DRAFTING, goes_on=YES)
    says(chooses(is_empty=True), str(may_copy.reason))
    assert not chooses(is_empty=True, state=SENT)
    says(chooses(is_empty=False), HAS_ANSWERS if may_copy else str(may_copy.reason))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", ChecklistState)
def test_a_coordinator_of_the_npm_begins_an_empty_draft_with_the_model_text(
    role: Role, state: ChecklistState
) -> None:
    def begins(
        party: PartyFact | None, *, is_empty: bool = True, goes_on: Decision = YES
    ) -> Decision:
        body = party.organisation_id if party else NPM
        return policy.can_use_model_text(
            actor(role, body=body), party, state, goes_on=goes_on, is_empty=is_empty
        )

    says(begins(None), NO_PARTY)
    if role not in WRITING:
        says(begins(OUR_NPM), READ_ONLY)
        return
    only_npm = "Only a coordinator of the NPM can begin"
    says(begins(DOOR_PARTY), only_npm)
    says(begins(JOINING_NPM), only_npm)
    if role is not Role.COORDINATOR:
        says(begins(OUR_NPM), only_npm)
        return
    says(begins(OUR_NPM, goes_on=no("It is closed.")), "It is closed.")
    words = "" if state is DRAFTING else "You can only copy answers while"
    says(begins(OUR_NPM), words)
    says(begins(OUR_NPM, is_empty=False), words or HAS_ANSWERS)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", ChecklistState)
def test_whoever_takes_part_reads_copies_while_it_is_drafted(
    role: Role, state: ChecklistState
) -> None:
    words = READ_ONLY
    if role in WRITING:
        words = "" if state is DRAFTING else "You can only mark prepared answers as read while"
    says(policy.can_read_copies(actor(role), DOOR_PARTY, state, goes_on=YES), words)
    says(policy.can_read_copies(actor(role), None, state, goes_on=YES), NO_PARTY)


@pytest.mark.parametrize("role", Role)
def test_coordinators_and_managers_look_after_model_answers_and_writers_use_them(
    role: Role,
) -> None:
    keeps = role in {Role.COORDINATOR, Role.MANAGER}
    keeping = "" if keeps else "Only coordinators and managers can change their organisation's"
    says(policy.can_keep_models(actor(role)), keeping)
    says(policy.can_use_models(actor(role)), "" if role in WRITING else "Model answers are for")
    says(policy.can_keep_as_model(actor(role), DOOR_PARTY, is_restricted=False), keeping)
    says(policy.can_keep_as_model(actor(role), None, is_restricted=False), NO_PARTY)
    nothing = "You can't keep anything from a visit's pages"
    says(policy.can_keep_as_model(actor(role), DOOR_PARTY, is_restricted=True), nothing)


def test_an_outside_expert_sees_no_model_answers_of_the_npm() -> None:
    npm = ActorMembership(Role.MEMBER, NPM, "Body", OrganisationKind.NPM, outside_expert=True)
    says(
        policy.can_use_models(Actor(ME, "Petra", memberships=(npm,), organisation_id=NPM)),
        "Model answers are for",
    )


@pytest.mark.parametrize("role", Role)
def test_who_acts_for_nobody_has_no_model_answers(role: Role) -> None:
    nobody = Actor(ME, "Root", memberships=(ActorMembership(role),))
    says(policy.can_use_models(nobody), "Model answers are for")
    says(
        policy.can_keep_models(nobody),
        "Only coordinators and managers can change their organisation's",
    )


# Prior agreements on paper

MADE_BY_NPM = "Only a coordinator of the NPM can record agreements made before you used this tool."
ONLY_TERMS = "You can only record earlier agreed terms and confidentiality terms."
HAS_TEXT = "This checklist's text is in force or waiting for signatures. Amend it instead."


def made_before(kind: ChecklistKind = ChecklistKind.TERMS, **more: Any) -> Checklist:
    return Checklist(kind=kind, **{"state": DRAFTING, **more})


@pytest.mark.parametrize("role", Role)
def test_a_coordinator_of_the_npm_records_what_was_agreed_before(role: Role) -> None:
    of_npm, of_cso = actor(role, body=NPM), actor(role)
    words = "" if role is Role.COORDINATOR else MADE_BY_NPM
    says(policy.can_record_prior_agreement(of_npm, OUR_NPM, made_before()), words)
    says(policy.can_record_prior_agreement(of_cso, DOOR_PARTY, made_before()), MADE_BY_NPM)
    for party in (None, JOINING_NPM):
        says(policy.can_record_prior_agreement(of_npm, party, made_before()), MADE_BY_NPM)


@pytest.mark.parametrize(
    ("checklist", "words"),
    [
        (made_before(), ""),
        (made_before(ChecklistKind.CONFIDENTIALITY), ""),
        (made_before(ChecklistKind.URGENT_PLAN), ONLY_TERMS),
        (made_before(ChecklistKind.VISIT_ROLES), ONLY_TERMS),
        (made_before(visit_id=UUID(int=1)), ONLY_TERMS),
        (made_before(ChecklistKind.URGENT_PLAN, visit_id=UUID(int=1)), ONLY_TERMS),
        *((made_before(state=state), HAS_TEXT) for state in (SENT, IN_FORCE, SUSPENDED, ENDED)),
        (made_before(revision_in_force_id=UUID(int=1)), HAS_TEXT),
        (made_before(state=IN_FORCE, revision_in_force_id=UUID(int=1)), HAS_TEXT),
    ],
)
def test_only_terms_that_are_drafted_for_the_first_time_were_agreed_before(
    checklist: Checklist, words: str
) -> None:
    coordinator = actor(Role.COORDINATOR, body=NPM)
    says(policy.can_record_prior_agreement(coordinator, OUR_NPM, checklist), words)


OWN_TEXTS = "Only coordinators and managers of an NPM can see the model texts that it keeps."
KEEPING = "Only coordinators and managers of the NPM can keep a text as a model text."
NOT_SIGNED = "You can only keep a text that all parties have signed."


@pytest.mark.parametrize("role", Role)
def test_coordinators_and_managers_of_the_npm_keep_signed_texts_and_see_those_kept(
    role: Role,
) -> None:
    keeps = role in {Role.COORDINATOR, Role.MANAGER}
    ours = actor(role, body=NPM)
    says(policy.can_use_own_texts(ours), "" if keeps else OWN_TEXTS)
    says(policy.can_keep_text(ours, OUR_NPM, is_signed=True), "" if keeps else KEEPING)
    says(policy.can_keep_text(ours, OUR_NPM, is_signed=False), NOT_SIGNED if keeps else KEEPING)
    says(policy.can_keep_text(ours, None, is_signed=True), NO_PARTY)


@pytest.mark.parametrize("role", Role)
def test_a_partner_keeps_no_text_as_a_model_text(role: Role) -> None:
    theirs = actor(role)
    says(policy.can_use_own_texts(theirs), OWN_TEXTS)
    says(policy.can_keep_text(theirs, DOOR_PARTY, is_signed=True), KEEPING)
    says(policy.can_keep_text(actor(role, body=NPM), DOOR_PARTY, is_signed=True), KEEPING)


def test_an_outside_expert_keeps_no_text_for_the_npm() -> None:
    ours = actor(Role.COORDINATOR, body=NPM)
    outside = replace(
        ours, memberships=tuple(replace(role, outside_expert=True) for role in ours.memberships)
    )
    says(policy.can_use_own_texts(outside), OWN_TEXTS)
    says(policy.can_keep_text(outside, OUR_NPM, is_signed=True), KEEPING)
