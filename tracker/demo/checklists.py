"""Filling in a checklist for the demonstration, through the same services people use."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from tracker.access.actor import Actor
from tracker.activity.stale import recompute
from tracker.agreements import service as agreements
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Item, Part, Required
from tracker.checklists import policy, service
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist, Stance
from tracker.checklists.negotiation import positions
from tracker.checklists.rules import completeness
from tracker.cooperations.models import Mode
from tracker.core import clock
from tracker.demo.answers import answers
from tracker.demo.people import DemoPeople, ids
from tracker.signoff.identity_proof import Identity
from tracker.signoff.models import Method

COORDINATORS = {"npm": "ilena", "od": "samira", "lh": "joana", "rf": "celia"}
SIGNATORIES = {"npm": "tomas", "od": "henrik", "lh": "otto", "rf": "anton"}


def identity(actor: Actor) -> Identity:
    """Return the identity of a demonstration person; the signature says that none was proved."""
    return Identity(actor.user_id, Method.DEMONSTRATION, clock.now())


def bodies_of(demo_people: DemoPeople, loaded: LoadedChecklist) -> list[str]:
    """Return the keys of a checklist's parties, the NPM first."""
    party_ids = {party.organisation_id for party in loaded.surroundings.parties}
    return [key for key, body in demo_people.bodies.items() if body.id in party_ids]


def fill_in(
    demo_people: DemoPeople,
    checklist: Checklist,
    *,
    leave: Collection[str] = (),
    unaccepted: Collection[str] = (),
    other: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> None:
    """Answer every item that has an answer, and accept it for all parties.

    leave names items to leave open; unaccepted names those that the partners have not accepted yet;
    other has answers that differ from the default, by item and field.
    """
    loaded = load(checklist)
    around = loaded.surroundings
    takes_part = around.people | {party.organisation_id for party in around.parties}
    ready = answers(checklist.kind, ids(demo_people), takes_part)
    if checklist.kind is ChecklistKind.TERMS:
        ready["M3"]["in_scope"] = [mode.value for mode in Mode if mode in around.modes]
    for code, values in other.items():
        ready[code].update(values)
    for item in loaded.template.items:
        if item.code in ready and item.code not in leave and item.part is not Part.PERSON:
            _answer(demo_people, checklist, item, ready[item.code])
            if item.code not in unaccepted:
                accept(demo_people, checklist, item.code)
    recompute()


def _answer(
    demo_people: DemoPeople, checklist: Checklist, item: Item, values: dict[str, Any]
) -> None:
    loaded = load(checklist)
    stands = completeness.item_standing(item, loaded.sheet, loaded.surroundings)
    if stands.shown is not Truth.TRUE:
        return
    if item.required is Required.CONDITIONAL and not stands.required:
        return
    given = {scope for code, scope, _owner in loaded.sheet.answers if code == item.code}
    for body in bodies_of(demo_people, loaded):
        own = values.get(str(demo_people.bodies[body].id), values)
        for scope in (AnswerScope.SHARED, AnswerScope.PARTY):
            if scope is AnswerScope.SHARED and scope in given:
                continue
            if _save(demo_people, loaded, item, body, scope, own):
                given.add(scope)


def _save(
    demo_people: DemoPeople,
    loaded: LoadedChecklist,
    item: Item,
    body: str,
    scope: AnswerScope,
    values: dict[str, Any],
) -> bool:
    """Save a party's answer to an item; return False if it has none."""
    actor = demo_people.actor(COORDINATORS[body])
    party = loaded.party(demo_people.bodies[body].id)
    own = {}
    for field in item.fields_of(scope):
        value = values.get(field.key)
        if isinstance(value, dict):
            value = value.get(str(demo_people.bodies[body].id))
        if value is not None and policy.can_set(actor, party, field):
            own[field.key] = value
    if own:
        service.save_answer(actor, loaded.checklist, item.code, scope, own, base_version=0)
    return bool(own)


def accept(
    demo_people: DemoPeople, checklist: Checklist, code: str, *, bodies: Collection[str] = ()
) -> None:
    """Accept an item's answer for all parties that have not accepted it, or only for some."""
    loaded = load(checklist)
    item = loaded.template.by_code[code]
    current = loaded.sheet.shared(code)
    if current is None:
        return
    lacking = completeness.not_accepting(item, loaded.sheet, loaded.surroundings)
    for body in bodies or bodies_of(demo_people, loaded):
        if demo_people.bodies[body].id in lacking:
            positions.take_position(
                demo_people.actor(COORDINATORS[body]),
                checklist,
                code,
                Stance.ACCEPTS,
                answer_id=current.answer_id,
            )


def send(demo_people: DemoPeople, checklist: Checklist) -> None:
    """Send a text for signature, to the signatory of each party."""
    loaded = load(checklist)
    bodies = bodies_of(demo_people, loaded)
    agreements.send(
        demo_people.actor(COORDINATORS["npm"]),
        checklist,
        {demo_people.bodies[body].id: demo_people.users[SIGNATORIES[body]].id for body in bodies},
    )


def sign(demo_people: DemoPeople, checklist: Checklist, *bodies: str) -> None:
    """Sign a text for some parties, or for all."""
    for body in bodies or bodies_of(demo_people, load(checklist)):
        actor = demo_people.actor(SIGNATORIES[body])
        agreements.sign(
            actor,
            checklist,
            page=agreements.page_with(checklist),
            sentence=f"I, {actor.name}, sign this text for {actor.organisation_name} "
            "in this demonstration.",
            language="en",
            identity=identity(actor),
        )
    recompute()
