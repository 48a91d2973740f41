"""Roles and urgent-action plans on earlier shipped versions: they continue, and can be upgraded."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.factories.checklists import accept
from tests.factories.visits import LISTED, TEAM, JointVisit, planned
from tracker.access.actor import Actor
from tracker.checklist_templates import library
from tracker.checklist_templates.models import AnswerScope, ChecklistKind, TemplateOrigin
from tracker.checklist_templates.schema import Item, Part
from tracker.checklists import service
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist
from tracker.checklists.reuse import template_upgrade
from tracker.checklists.rules.values import fit
from tracker.core import clock
from tracker.demo.answers import answers
from tracker.demo.checklists import COORDINATORS
from tracker.demo.people import ids
from tracker.visits.encryption import Plan

FORMER = Path(__file__).parent / "former"
ROLES, URGENT_PLAN = ChecklistKind.VISIT_ROLES, ChecklistKind.URGENT_PLAN
KINDS = pytest.mark.parametrize("kind", [ROLES, URGENT_PLAN])
# No longer asked: the team (V4) shows that an interpreter has signed.
NO_LONGER_ASKED = {ROLES: {"V12": {"signed": True}}, URGENT_PLAN: {}}
# Items that ask for more, so that an answer to the previous version is incomplete.
ASK_MORE = {
    ROLES: {"V1", "V5", "V7", "V16", "V19"},
    URGENT_PLAN: {"U7", "U8", "U14", "U15", "U16"},
}


@pytest.fixture
def actors(joint_visit: JointVisit) -> dict[UUID, Actor]:
    """Return who writes for each organisation."""
    return {
        joint_visit.body(body): joint_visit.actor(key)
        for body, key in COORDINATORS.items()
        if body != "rf"
    }


def answered_before(
    joint_visit: JointVisit, kind: ChecklistKind, actors: dict[UUID, Actor]
) -> Checklist:
    """Return a visit's checklist, answered and agreed on the version shipped before."""
    first = clock.today() + dt.timedelta(days=21)
    planned(
        joint_visit,
        plan=Plan("The harbour cells", first, first),
        members=TEAM[2:],
        audience=LISTED,
        gaps="None.",
    )
    path = FORMER / f"{kind.value}.yaml"
    template = library.read_one(path.read_text(), path.name).template
    row = library.add(template, TemplateOrigin.SHIPPED, shipped_version=template.version)
    newest = library.versions(kind)[0]
    assert newest.published_at is not None
    row.published_at = newest.published_at - dt.timedelta(days=30)
    checklist = joint_visit.checklist(kind, 2)
    checklist.template_id = row.id
    joint_visit.session.commit()
    for item in template.items:
        if item.part is not Part.PERSON:
            _answer(joint_visit, checklist, item, actors)
            accept(checklist, item.code, actors)
    joint_visit.session.commit()
    return checklist


def _answer(
    joint_visit: JointVisit, checklist: Checklist, item: Item, actors: dict[UUID, Actor]
) -> None:
    """Save the demonstration's answer, as far as the item asks for it."""
    loaded = load(checklist)
    around = loaded.surroundings
    takes_part = around.people | {party.organisation_id for party in around.parties}
    ready = answers(checklist.kind, ids(joint_visit.demo_people), takes_part)[item.code]
    ready |= NO_LONGER_ASKED[checklist.kind].get(item.code, {})
    for scope, owner in _owners(loaded, item):
        own = {
            key: value.get(str(owner)) if isinstance(value, dict) else value
            for key, value in ready.items()
        }
        filled = loaded.sheet.answers.get((item.code, scope, owner))
        before = loaded.sheet.shared(item.code) if scope is AnswerScope.SHARED else filled
        values = fit(item.fields_of(scope), own, around).values
        service.save_answer(
            actors.get(owner, joint_visit.actor("ilena")),
            checklist,
            item.code,
            scope,
            {**(before.values if before else {}), **values},
            base_version=before.version if before else 0,
        )


def _owners(loaded: LoadedChecklist, item: Item) -> Iterator[tuple[AnswerScope, UUID]]:
    for scope in item.scopes:
        if scope is AnswerScope.SHARED:
            yield scope, loaded.checklist.id
        elif scope is AnswerScope.PARTY:
            npm_only = item.fields_of(scope)[0].sets.value == "each_cso"
            for party in loaded.parties:
                if not (npm_only and party.side.value == "npm"):
                    yield scope, party.organisation_id


def all_values(checklist: Checklist) -> dict[Any, dict[str, Any]]:
    return {key: dict(filled.values) for key, filled in load(checklist).sheet.answers.items()}


@KINDS
def test_a_checklist_runs_on_upon_a_version_shipped_before(
    joint_visit: JointVisit, actors: dict[UUID, Actor], kind: ChecklistKind
) -> None:
    checklist = answered_before(joint_visit, kind, actors)
    loaded = load(checklist)
    standing = loaded.standing()
    assert loaded.template.version < library.parsed(library.newest(kind)).version
    assert standing.blocking == ()
    assert standing.is_complete


@KINDS
def test_an_upgrade_keeps_every_answer_and_asks_for_new_ones(
    joint_visit: JointVisit, actors: dict[UUID, Actor], kind: ChecklistKind
) -> None:
    checklist = answered_before(joint_visit, kind, actors)
    if kind is ROLES:  # also how somebody without an account accepted a task
        service.record_for_person(
            joint_visit.actor("ilena"),
            checklist,
            "V5",
            joint_visit.user("marek"),
            {"accepted": True},
            how="Read to him by phone",
            base_version=0,
        )
    before = all_values(checklist)
    newest = library.newest(kind)
    seen = template_upgrade.preview(load(checklist), newest)
    assert seen.cut == tuple(NO_LONGER_ASKED[kind])
    assert (seen.difference.gone, seen.gone_answered) == ((), ())
    template_upgrade.move(joint_visit.actor("ilena"), checklist, newest.id)
    joint_visit.session.commit()
    for (code, scope, owner), values in all_values(checklist).items():
        left = NO_LONGER_ASKED[kind].get(code, {})
        assert values == {
            key: value for key, value in before[code, scope, owner].items() if key not in left
        }, code
    standing = load(checklist).standing()
    with_problems = {code for code, item in standing.items.items() if item.problems}
    assert with_problems == ASK_MORE[kind]


@KINDS
def test_an_upgraded_checklist_is_agreed_again_once_new_items_are_answered(
    joint_visit: JointVisit, actors: dict[UUID, Actor], kind: ChecklistKind
) -> None:
    checklist = answered_before(joint_visit, kind, actors)
    newest = library.newest(kind)
    template_upgrade.move(joint_visit.actor("ilena"), checklist, newest.id)
    again = {code for code, status in load(checklist).standing().items.items() if not status.done}
    assert again > ASK_MORE[kind]
    for code in sorted(again):
        if code in ASK_MORE[kind]:
            _answer(joint_visit, checklist, load(checklist).item(code), actors)
        accept(checklist, code, actors)
    joint_visit.session.commit()
    assert load(checklist).standing().blocking == ()
