"""Who writes an organisation's own guidance, and who decides on checklists and guidance."""

from uuid import UUID, uuid4

import pytest

from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.authoring import policy
from tracker.checklist_templates.models import TemplateState
from tracker.guidance import policy as guidance

HOME, AWAY = uuid4(), uuid4()


def actor(*roles: Role, home: UUID | None = HOME) -> Actor:
    memberships = tuple(
        ActorMembership(
            role, None if role is Role.ADMINISTRATOR else home, "", OrganisationKind.CSO
        )
        for role in roles
    )
    return Actor(user_id=uuid4(), name="Ada", memberships=memberships, organisation_id=home)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.COORDINATOR, True),
        (Role.MANAGER, True),
        (Role.MEMBER, False),
        (Role.SIGNATORY, False),
        (Role.AUDITOR, False),
        (Role.ADMINISTRATOR, False),
    ],
)
def test_coordinators_and_managers_write_own_guidance(role: Role, may: bool) -> None:
    assert bool(policy.can_write_own(actor(role))) is may
    assert bool(policy.can_change_own(actor(role), HOME)) is may
    refused = policy.can_change_own(actor(role), AWAY)
    assert not refused
    assert "Only the organisation that wrote this guidance can change" in str(refused.reason)


def test_a_person_acting_for_no_organisation_writes_none() -> None:
    assert not policy.can_write_own(actor(Role.ADMINISTRATOR, home=None))


def test_roles_in_other_organisations_do_not_count() -> None:
    away = ActorMembership(Role.COORDINATOR, AWAY, "", OrganisationKind.CSO)
    here = ActorMembership(Role.MEMBER, HOME, "", OrganisationKind.CSO)
    both = Actor(user_id=uuid4(), name="Ada", memberships=(away, here), organisation_id=HOME)
    assert not policy.can_write_own(both)
    assert not policy.can_change_own(both, AWAY)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_edit_and_decide(role: Role) -> None:
    other, own = actor(role), actor(Role.ADMINISTRATOR)
    assert guidance.can_edit(own)
    assert policy.can_look_after_checklists(own)
    for decision in (
        guidance.can_edit(other),
        guidance.can_use_shipped(other, is_newest_shipped=True, is_current=False),
        guidance.can_pass_over(other, waits=True),
        policy.can_look_after_checklists(other),
        policy.can_retire(other, TemplateState.PUBLISHED, 2),
        policy.can_publish(other, TemplateState.WAITING),
    ):
        assert not decision
        assert "Only administrators" in str(decision.reason)


def test_only_the_newest_shipped_revision_is_used_and_only_a_waiting_one_passed_over() -> None:
    ada = actor(Role.ADMINISTRATOR)
    assert guidance.can_use_shipped(ada, is_newest_shipped=True, is_current=False)
    for newest, current in ((False, False), (True, True), (False, True)):
        assert not guidance.can_use_shipped(ada, is_newest_shipped=newest, is_current=current)
    assert guidance.can_pass_over(ada, waits=True)
    assert not guidance.can_pass_over(ada, waits=False)
