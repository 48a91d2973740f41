"""Who may do what with a checklist. Pure.

In one file: the decisions about one checklist depend on the same parties and states.
"""

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.access.decision import YES, Decision, no
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import (
    Accepts,
    Item,
    Part,
    Sets,
    TemplateField,
)
from tracker.checklists.models import Checklist, ChecklistState, NoticeKind
from tracker.checklists.rules.facts import PartyFact
from tracker.cooperations.models import Stage
from tracker.cooperations.policy import ENDED as CLOSED
from tracker.cooperations.policy import NO_PARTY
from tracker.signoff import policy as signoff

WRITERS = (Role.COORDINATOR, Role.MEMBER, Role.SIGNATORY, Role.MANAGER)
SENDERS = (Role.COORDINATOR,)
ASSIGNERS = (Role.COORDINATOR,)
# Who explains, for the NPM, why a flagged term does not limit it.
FLAG_CLOSERS = (Role.SIGNATORY, Role.MANAGER, Role.COORDINATOR)
# Who leads a visit, is on its team and may know of it (V2 to V4): each visit names them again,
# since what is saved there gives people access immediately.
LET_IN = frozenset({"V2", "V3", "V4"})
# Who may copy answers from an earlier checklist, and who manages an organisation's model answers.
COPIERS = (Role.COORDINATOR, Role.MEMBER)
# Who of the NPM begins a checklist with a model text.
MODEL_USERS = (Role.COORDINATOR,)
KEEPERS = (Role.COORDINATOR, Role.MANAGER)
# The parties that fill in a field, if not all do (the Who column of the checklists).
SIDES = {
    Sets.NPM: {OrganisationKind.NPM},
    Sets.CSO: {OrganisationKind.CSO},
    Sets.EACH_CSO: {OrganisationKind.CSO},
}

# What parties may have agreed on paper before this software was used.
AGREED_BEFORE = (ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY)


def can_take_part(actor: Actor, party: PartyFact | None) -> Decision:
    """Decide whether a person may write on a checklist at all."""
    if party is None:
        return no(NO_PARTY)
    if not actor.has(*WRITERS):
        return no(_l("You can read this but not change it."))
    return YES


def can_set(actor: Actor, party: PartyFact | None, field: TemplateField) -> Decision:
    """Decide whether a person's party fills in a field."""
    taking_part = can_take_part(actor, party)
    if not taking_part or party is None:
        return taking_part
    sides = SIDES.get(field.sets, set(OrganisationKind))
    if party.side not in sides:
        if party.side is OrganisationKind.NPM:
            return no(_l("The partner organisations answer this."))
        return no(_l("The NPM answers this."))
    return YES


def can_write(actor: Actor, party: PartyFact | None, item: Item, scope: AnswerScope) -> Decision:
    """Decide whether a person may ever write on an item, so that their draft is worth keeping.

    Whether they may save or propose it now is asked when they do so; a draft isn't lost because the
    text was sent for signature meanwhile. Nobody writes for another person (product.md, 4.3).
    """
    taking_part = can_take_part(actor, party)
    if not taking_part:
        return taking_part
    if scope is AnswerScope.PERSON:
        return no(_l("Each person answers this for themselves."))
    if scope is AnswerScope.SHARED and item.accepted_by is not Accepts.NONE:
        return YES  # whoever does not set it may propose
    decisions = [can_set(actor, party, field) for field in item.fields_of(scope)]
    return next(
        (decision for decision in decisions if decision),
        decisions[0] if decisions else no(_l("This item has no answer like that.")),
    )


def is_open(state: ChecklistState, open_items: list[str] | None, item: str) -> Decision:
    """Decide whether an item may be changed now (product.md, 4.10 and 5.4)."""
    if state is ChecklistState.SENT:
        return no(_l("The text has been sent for signature and can't be changed now."))
    if state is ChecklistState.IN_FORCE:
        return no(_l("This text is in force. Changes need an amendment that everyone signs."))
    if not can_be_worked_on(state):
        return can_be_worked_on(state)
    if open_items is not None and item not in open_items:
        return no(_l("This item stays agreed: only other items were opened for changes."))
    return YES


def is_item_open(
    state: ChecklistState,
    open_items: list[str] | None,
    item: Item,
    *,
    holds_up: bool,
    goes_on: Decision,
) -> Decision:
    """Decide whether an item may be changed now; live lists (C2, V13) may until a visit stops.

    Items that nobody asked to change stay agreed. If one is no longer agreed, since a party joined,
    somebody left or the ways of working changed, nobody could sign: so it is open too.
    """
    if not goes_on:
        return goes_on
    if item.part is Part.PEOPLE:
        return YES
    return is_open(state, None if holds_up else open_items, item.code)


def can_take_position(actor: Actor, party: PartyFact | None, item: Item) -> Decision:
    """Decide whether a person may take their party's position on an answer."""
    taking_part = can_take_part(actor, party)
    if not taking_part or party is None:
        return taking_part
    kinds = {
        Accepts.ALL: set(OrganisationKind),
        Accepts.EACH_CSO: {OrganisationKind.CSO},
        Accepts.NPM: {OrganisationKind.NPM},
    }.get(item.accepted_by, set())
    if party.side not in kinds:
        return no(_l("Your organisation doesn't have to accept this item."))
    return YES


def can_agree_on(item: Item, *agreeing: PartyFact | None) -> Decision:
    """Decide whether these parties can change an answer between them: one of them must set it.

    What only the NPM sets can't be changed by one partner's proposal and another's acceptance (S6).
    """
    sides = {
        side
        for field in item.fields_of(AnswerScope.SHARED)
        for side in SIDES.get(field.sets, set(OrganisationKind))
    }
    if any(party is not None and party.side in sides for party in agreeing):
        return YES
    if sides == {OrganisationKind.NPM}:
        return no(_l("The NPM answers this suggestion because it writes this item."))
    return no(
        _l("A partner organisation answers this suggestion because partners write this item.")
    )


def can_flag(
    actor: Actor,
    party: PartyFact | None,
    item: Item,
    *,
    is_outside: bool = False,
) -> Decision:
    """Decide who may flag a term as limiting the NPM: any party's reviewer (4.8).

    So may the outside second reader (is_outside).
    """
    if item.part is not Part.TERMS:
        return no(_l("You can only flag what the parties sign."))
    return YES if is_outside else can_take_part(actor, party)


def can_close_flag(actor: Actor, party: PartyFact | None) -> Decision:
    """Decide who may explain why a flagged term does not limit the NPM: people of the NPM."""
    if party is None or not party.is_of_npm:
        return no(_l("Only the NPM can explain or change a flagged term."))
    if not actor.has(*FLAG_CLOSERS):
        return no(_l("Only a coordinator, signatory or manager of the NPM can answer flags."))
    return YES


def can_answer_hint(
    actor: Actor,
    party: PartyFact | None,
    written_by: UUID,
    *,
    is_reader: bool,
    is_outside: bool = False,
) -> Decision:
    """Decide who may say whether a phrase limits the NPM: the side that wrote it.

    So may the second reader (is_reader), for everybody's text, and an outside reader (is_outside),
    who is of no party. Others flag the term instead.
    """
    if is_outside:
        return YES
    taking_part = can_take_part(actor, party)
    if not taking_part or party is None:
        return taking_part
    if not is_reader and party.organisation_id != written_by:
        return no(
            _l(
                "Only the party that wrote these words can say whether they limit the NPM. You "
                "can flag them."
            )
        )
    return YES


def can_review(
    actor: Actor,
    second_reader: UUID | None,
    authors: frozenset[UUID],
    today: dt.date,
    *,
    is_alone: bool = False,
    is_read_outside: bool = False,
) -> Decision:
    """Decide who may confirm the review of independence and flexibility (G3).

    The second reader is the NPM's person named in M5, who wrote no answer in the checklist. If the
    NPM has nobody else (is_alone), its head, a signatory whose power is current, confirms and gives
    the reason; or it asks an outside reader (is_read_outside), and until that invitation is
    withdrawn nobody at the NPM confirms.
    """
    if not actor.acts_for_npm:
        return no(_l("The second reader has to be somebody from the NPM."))
    if actor.is_administrator:
        return no(
            _l(
                "An administrator can't be the second reader. Name another person in “Independence "
                "of the NPM”."
            )
        )
    if second_reader is None:
        return no(_l("No second reader is named yet."))
    if actor.user_id != second_reader:
        return no(_l("Only the second reader named in the terms can confirm this."))
    if is_read_outside:
        return no(
            _l(
                "An outside second reader is invited. To read the terms "
                "yourselves, revoke the invitation first."
            )
        )
    return YES if actor.user_id not in authors else _can_read_own(actor, today, is_alone=is_alone)


def _can_read_own(actor: Actor, today: dt.date, *, is_alone: bool) -> Decision:
    """Decide who reads what they wrote: the head of an NPM that has nobody else (is_alone)."""
    if not is_alone:
        return no(_l("You wrote an answer on this checklist, so somebody else has to read it."))
    if not actor.has(Role.SIGNATORY):
        return no(
            _l(
                "You wrote an answer on this checklist. If the NPM has nobody else, a signatory "
                "of the NPM can read it."
            )
        )
    return signoff.has_power(signoff.signing_membership(actor), today)


def can_ever_send(actor: Actor, party: PartyFact | None) -> Decision:
    """Decide whether a person sends texts for signature, whatever the state of the text."""
    if party is None or not actor.has(*SENDERS):
        return no(_l("Only a coordinator of one of the parties can send the text for signature."))
    return YES


def can_send(
    actor: Actor,
    party: PartyFact | None,
    state: ChecklistState,
    *,
    goes_on: Decision,
) -> Decision:
    """Decide whether a person may send the text for signature."""
    may = can_ever_send(actor, party)
    if not may:
        return may
    if not goes_on:
        return goes_on
    if state is ChecklistState.SENT:
        return no(_l("The text has already been sent for signature."))
    if state is ChecklistState.IN_FORCE:
        return no(_l("The text is in force. Propose an amendment to change it."))
    return can_be_worked_on(state)


def can_record_prior_agreement(
    actor: Actor, party: PartyFact | None, checklist: Checklist
) -> Decision:
    """Decide who may record that terms were previously agreed on paper.

    A coordinator of the NPM, while the text is being drafted and was never in force here.
    """
    if party is None or not party.is_of_npm or not actor.has(Role.COORDINATOR):
        return no(
            _l(
                "Only a coordinator of the NPM can record agreements made before you used this "
                "tool."
            )
        )
    if checklist.kind not in AGREED_BEFORE or checklist.visit_id is not None:
        return no(_l("You can only record earlier agreed terms and confidentiality terms."))
    if checklist.state is not ChecklistState.DRAFTING or checklist.revision_in_force_id is not None:
        return no(
            _l("This checklist's text is in force or waiting for signatures. Amend it instead.")
        )
    return YES


def goes_on(stage: Stage, *, visit_is_stopped: bool) -> Decision:
    """Decide whether a text can still be acted on: written, sent, signed, amended.

    Every text stops with its cooperation (P7), and a visit's texts when the visit does.
    """
    if stage in CLOSED:
        return no(_l("This cooperation is closed. Its record stays as it is."))
    if visit_is_stopped:
        return no(_l("The visit was stopped, and its texts with it. Their record stays as it is."))
    return YES


def can_be_worked_on(state: ChecklistState) -> Decision:
    """Decide whether a text can be worked on: not while it is suspended, nor after it ended."""
    if state is ChecklistState.SUSPENDED:
        return no(_l("This text is suspended. It can be changed once the suspension is lifted."))
    if state is ChecklistState.ENDED:
        return no(_l("This text has ended. Its record stays as it is."))
    return YES


def can_remind(actor: Actor, party: PartyFact | None) -> Decision:
    """Decide who may remind people who still have to sign: a party's coordinator."""
    if party is None or not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of one of the parties can send reminders."))
    return YES


def can_give_notice(
    actor: Actor,
    party: PartyFact | None,
    *,
    in_force: bool,
    is_restricted: bool,
    is_joining: bool,
) -> Decision:
    """Decide who may suspend or end a text in force for their party (5.8).

    Whoever may sign for the party; whether their power is current is checked separately. A visit's
    texts end with the visit. A party that is joining is not bound yet, so it can't stop anything.
    """
    if is_restricted:
        return no(_l("A visit's texts stop when the visit does."))
    if party is None or not actor.has(Role.SIGNATORY):
        return no(_l("Only a signatory of one of the parties can suspend or end a text."))
    if is_joining:
        return no(
            _l("Your organisation hasn't signed the terms in force, so it can't stop this text.")
        )
    if not in_force:
        return no(_l("You can only suspend or end a text in force."))
    return YES


def can_close_notice(actor: Actor, party: PartyFact | None, given_for: UUID) -> Decision:
    """Decide who may lift a suspension or withdraw a notice: people of the party that gave it."""
    if party is None or not actor.has(Role.SIGNATORY):
        return no(_l("Only a signatory of the party that gave the notice can lift or withdraw it."))
    if party.organisation_id != given_for:
        return no(_l("Only the party that gave the notice can lift or withdraw it."))
    return YES


def can_withdraw_request(actor: Actor, party: PartyFact | None) -> Decision:
    """Decide whether a person may call a text back from signature."""
    if party is None or not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of one of the parties can call a text back."))
    return YES


def can_ever_amend(actor: Actor, party: PartyFact | None) -> Decision:
    """Decide whether a person opens amendments, whatever the state of the text."""
    if party is None or not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of one of the parties can propose an amendment."))
    return YES


def can_amend(
    actor: Actor,
    party: PartyFact | None,
    state: ChecklistState,
    *,
    goes_on: Decision,
) -> Decision:
    """Decide whether a person may open an amendment of a text in force (product.md, 5.7)."""
    may = can_ever_amend(actor, party)
    if not may:
        return may
    return is_amendable(state, goes_on=goes_on)


def is_amendable(state: ChecklistState, *, goes_on: Decision) -> Decision:
    """Decide whether an amendment can be opened: only if no other one is open."""
    if not goes_on:
        return goes_on
    if state is not ChecklistState.IN_FORCE:
        return no(_l("You can only amend a text in force."))
    return YES


def can_ever_call_off_amendment(actor: Actor, party: PartyFact | None) -> Decision:
    """Decide whether a person calls off amendments, whatever the state of the text."""
    if party is None or not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of one of the parties can call off an amendment."))
    return YES


def can_call_off_amendment(
    actor: Actor,
    party: PartyFact | None,
    checklist: Checklist,
    *,
    is_restricted: bool,
    has_newcomer: bool,
) -> Decision:
    """Decide who may call off an open amendment: a party's coordinator (5.7).

    Not for a visit's texts, where restored answers might give access again to people who were
    removed; nor for an amendment by which a party joins, whose invitation is withdrawn instead.
    """
    may = can_ever_call_off_amendment(actor, party)
    if not may:
        return may
    if checklist.state is ChecklistState.SENT:
        return no(_l("The amendment is waiting for signatures. Call the text back first."))
    if checklist.stopped_by is NoticeKind.SUSPENDED:
        return can_be_worked_on(ChecklistState.SUSPENDED)
    if checklist.state is not ChecklistState.DRAFTING or checklist.revision_in_force_id is None:
        return no(_l("There's no open amendment of a text in force."))
    if is_restricted:
        return no(
            _l(
                "A visit's texts follow its team, so they don't go back to what was signed. "
                "Agree on the changes and sign them."
            )
        )
    if has_newcomer:
        return no(
            _l(
                "An organisation is joining by this amendment. Revoke its invitation first, or "
                "sign the amendment with it."
            )
        )
    return YES


def can_agree_anew(actor: Actor, party: PartyFact | None, state: ChecklistState) -> Decision:
    """Decide whether a person may reopen a text that ended, to be agreed and signed again."""
    if party is None or not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of one of the parties can reopen a text."))
    if state is not ChecklistState.ENDED:
        return no(_l("Only a text that has ended can be agreed again."))
    return YES


def can_ever_move(actor: Actor, party: PartyFact | None) -> Decision:
    """Decide whether a person upgrades checklists, whatever the state of the text."""
    if party is None or not actor.has(Role.COORDINATOR):
        return no(
            _l("Only a coordinator of one of the parties can move a checklist to a newer version.")
        )
    return YES


def can_move(
    actor: Actor,
    party: PartyFact | None,
    state: ChecklistState,
    *,
    goes_on: Decision,
) -> Decision:
    """Decide who may upgrade a checklist to a newer version of its template."""
    may = can_ever_move(actor, party)
    if not may:
        return may
    if not goes_on:
        return goes_on
    if state is ChecklistState.SENT:
        return no(_l("The text has been sent for signature and can't be changed now."))
    if state is ChecklistState.IN_FORCE:
        return no(_l("This text is in force. Move it as part of an amendment, signed by all."))
    return can_be_worked_on(state)


def is_assignable(
    state: ChecklistState,
    open_items: list[str] | None,
    item: Item,
    *,
    concerns_us: bool,
    holds_up: bool,
    goes_on: Decision,
) -> Decision:
    """Decide whether an item can be assigned now: it is open, and the actor's side works on it.

    concerns_us is the result of completeness.concerns for the item and the party; holds_up says
    whether it blocks signing.
    """
    if item.part is Part.PERSON:
        return no(_l("Each person answers this for themselves."))
    if not concerns_us:
        return no(_l("Your organisation has nothing to do on this item."))
    if not goes_on:
        return goes_on
    if state is not ChecklistState.DRAFTING:
        return is_open(state, open_items, item.code)
    return is_item_open(state, open_items, item, holds_up=holds_up, goes_on=goes_on)


def can_assign(actor: Actor, party: PartyFact | None) -> Decision:
    """Decide who may assign items to people on their side: its coordinators."""
    taking_part = can_take_part(actor, party)
    if not taking_part:
        return taking_part
    if not actor.has(*ASSIGNERS):
        return no(
            _l(
                "Only a coordinator of your organisation can assign items. You can take one "
                "yourself."
            )
        )
    return YES


def can_take(
    actor: Actor, party: PartyFact | None, held_by: UUID | None, able: Collection[UUID]
) -> Decision:
    """Decide whether a person may take an item that is unassigned on their side.

    able are people on the actor's side who can work on the checklist today; an item of anybody else
    counts as unassigned.
    """
    taking_part = can_take_part(actor, party)
    if not taking_part:
        return taking_part
    if actor.user_id not in able:
        return no(_l("Only people who take part in the cooperation can be assigned items."))
    if held_by == actor.user_id:
        return no(_l("You already have this item."))
    if held_by in able:
        return no(
            _l("Somebody else has this item. They, or a coordinator, have to give it back first.")
        )
    return YES


def can_give_back(actor: Actor, party: PartyFact | None, held_by: UUID) -> Decision:
    """Decide who may unassign an item: the person who has it, or a coordinator."""
    taking_part = can_take_part(actor, party)
    if not taking_part:
        return taking_part
    if held_by != actor.user_id and not actor.has(*ASSIGNERS):
        return no(
            _l(
                "Only the person who has an item, or a coordinator of your organisation, can "
                "give it back."
            )
        )
    return YES


def can_copy(
    actor: Actor,
    party: PartyFact | None,
    state: ChecklistState,
    *,
    goes_on: Decision,
) -> Decision:
    """Decide who may copy answers into a checklist from an earlier one."""
    taking_part = can_take_part(actor, party)
    if not taking_part:
        return taking_part
    if not actor.has(*COPIERS):
        return no(_l("Only a coordinator or member of one of the parties can copy answers."))
    if not goes_on:
        return goes_on
    if state is not ChecklistState.DRAFTING:
        return no(_l("You can only copy answers while the text is a draft."))
    return YES


def can_choose_beginning(
    actor: Actor,
    party: PartyFact | None,
    state: ChecklistState,
    *,
    goes_on: Decision,
    is_empty: bool,
) -> Decision:
    """Decide who may choose how a checklist begins: whoever may copy into it, while it is empty."""
    copying = can_copy(actor, party, state, goes_on=goes_on)
    if copying and not is_empty:
        return no(
            _l("This checklist already has answers. You can only choose how an empty one begins.")
        )
    return copying


def can_use_model_text(
    actor: Actor,
    party: PartyFact | None,
    state: ChecklistState,
    *,
    goes_on: Decision,
    is_empty: bool,
) -> Decision:
    """Decide who may begin a checklist with a model text: a coordinator of the NPM (M5, S6).

    It also answers what only the NPM sets.
    """
    taking_part = can_take_part(actor, party)
    if not taking_part or party is None:
        return taking_part
    if not party.is_of_npm or not actor.has(*MODEL_USERS):
        return no(_l("Only a coordinator of the NPM can begin a checklist with a model text."))
    return can_choose_beginning(actor, party, state, goes_on=goes_on, is_empty=is_empty)


def can_read_copies(
    actor: Actor,
    party: PartyFact | None,
    state: ChecklistState,
    *,
    goes_on: Decision,
) -> Decision:
    """Decide who may confirm for their party that they have read copied answers."""
    taking_part = can_take_part(actor, party)
    if not taking_part:
        return taking_part
    if not goes_on:
        return goes_on
    if state is not ChecklistState.DRAFTING:
        return no(_l("You can only mark prepared answers as read while the text is a draft."))
    return YES


def can_use_models(actor: Actor) -> Decision:
    """Decide who may see the model answers of the organisation they act for.

    Not an outside expert of the NPM, who may come from one of its partners.
    """
    if actor.organisation_id is not None and actor.has(*WRITERS) and not actor.outside_expert:
        return YES
    return no(_l("Model answers are for the people of an organisation who fill in checklists."))


def can_keep_models(actor: Actor) -> Decision:
    """Decide who may save, change and delete model answers of their organisation."""
    if actor.organisation_id is not None and actor.has(*KEEPERS):
        return YES
    return no(_l("Only coordinators and managers can change their organisation's model answers."))


def can_keep_as_model(actor: Actor, party: PartyFact | None, *, is_restricted: bool) -> Decision:
    """Decide whether an answer may be saved as a model answer: never one about a visit (K2)."""
    if party is None:
        return no(NO_PARTY)
    if is_restricted:
        return no(_l("You can't keep anything from a visit's pages as a model answer."))
    return can_keep_models(actor)


def can_use_own_texts(actor: Actor) -> Decision:
    """Decide who may see the model texts that their body of the NPM keeps, and retire them."""
    if actor.acts_for_npm and actor.has(*KEEPERS) and not actor.outside_expert:
        return YES
    return no(_l("Only coordinators and managers of an NPM can see the model texts that it keeps."))


def can_keep_text(actor: Actor, party: PartyFact | None, *, is_signed: bool) -> Decision:
    """Decide who may keep a text as a model text of their body of the NPM: once all have signed."""
    if party is None:
        return no(NO_PARTY)
    if not party.is_of_npm or not can_use_own_texts(actor):
        return no(_l("Only coordinators and managers of the NPM can keep a text as a model text."))
    if not is_signed:
        return no(_l("You can only keep a text that all parties have signed."))
    return YES
