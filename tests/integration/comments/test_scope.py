"""Who can read comments as roles, parties, lists and clearances change; and encryption."""

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import due
from tests.factories.comments import ALL, OWN, comment
from tests.factories.cooperations import bring_in
from tests.factories.visits import JointVisit
from tests.integration.comments.conftest import Talk
from tracker.access.actor import ActorMembership, OrganisationKind, Role
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import ChecklistParty
from tracker.checklists.queries import writers
from tracker.comments import encryption, queries, service
from tracker.comments.models import Comment
from tracker.cooperations import clearances
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import CooperationKey, Party
from tracker.core import clock
from tracker.core.crypto import SealBrokenError
from tracker.core.errors import KeyDestroyedError, RuleBrokenError

pytestmark = pytest.mark.both_databases

ROLES = ChecklistKind.VISIT_ROLES


def test_a_body_of_the_npm_is_no_side_of_another_body(talk: Talk) -> None:
    negotiation = talk.negotiation
    cooperations.join_party(
        negotiation["ilena"], negotiation.cooperation, negotiation.country.id("other_npm")
    )
    bring_in(negotiation.country, negotiation.cooperation, "vesna")
    mine = talk.write("ilena", audience=OWN)
    theirs = talk.write("vesna", audience=OWN)
    assert queries.find(talk["ilena"], mine.id)
    assert queries.find(talk["vesna"], mine.id) is None
    assert queries.find(talk["vesna"], theirs.id)
    assert queries.find(talk["ilena"], theirs.id) is None


def test_a_person_on_two_sides_reads_the_comments_of_the_one_they_act_for(talk: Talk) -> None:
    own = talk.write("samira", audience=OWN)
    both = talk["samira"]
    npm = talk.negotiation.country.id("npm")
    role = ActorMembership(Role.COORDINATOR, npm, "Office", OrganisationKind.NPM)
    for_npm = replace(both, memberships=(*both.memberships, role), organisation_id=npm)
    assert queries.find(both, own.id)
    assert queries.find(for_npm, own.id) is None
    open_ = talk.write("samira", audience=ALL)
    assert queries.find(for_npm, open_.id)


@pytest.mark.few_on_postgresql(1)
@pytest.mark.parametrize("more", [(), (Role.ADMINISTRATOR,), (Role.MEMBER,)])
def test_an_auditor_of_the_npm_reads_none_even_with_another_role_beside(
    talk: Talk, more: tuple[Role, ...]
) -> None:
    open_ = talk.write("ilena")
    npm = talk.negotiation.country.id("npm")
    auditor = replace(
        talk["vesna"],
        memberships=tuple(
            ActorMembership(role, npm, "Office", OrganisationKind.NPM)
            for role in (Role.AUDITOR, *more)
        ),
        organisation_id=npm,
    )
    assert queries.find(auditor, open_.id) is None
    assert queries.find_checklist(auditor, talk.terms.id) is None
    assert queries.beside(auditor, talk.terms) is None


def test_an_auditor_who_takes_part_elsewhere_reads_comments_there(talk: Talk) -> None:
    open_ = talk.write("ilena")
    oren = talk["oren"]
    npm = talk.negotiation.country.id("npm")
    role = ActorMembership(Role.AUDITOR, npm, "Office", OrganisationKind.NPM)
    assert queries.find(replace(oren, memberships=(*oren.memberships, role)), open_.id)


def test_after_a_party_left_its_people_read_nothing(talk: Talk) -> None:
    open_ = talk.write("ilena")
    own = talk.write("samira", audience=OWN, mentions=[talk.id("dora")])
    service.make_task(talk["samira"], open_.id, talk.id("dora"), clock.today())
    party = talk.session.scalars(
        sa.select(Party).where(Party.organisation_id == talk.negotiation.country.id("door"))
    ).one()
    party.left_on = clock.today()
    talk.session.commit()
    assert queries.find(talk["dora"], own.id)
    party.left_on = clock.today() - dt.timedelta(days=1)
    talk.session.commit()
    for first in ("samira", "dora", "henrik"):
        assert queries.find(talk[first], open_.id) is None
        assert queries.find(talk[first], own.id) is None
        waiting = queries.waiting(talk[first])
        assert (waiting.mentions, waiting.tasks) == ((), ())
        talk.page(first, talk.thread(), 404)
        talk.page(first, f"/comments/{open_.id}", 404)
    able = writers(talk.terms)
    assert "Dora Lund" not in {person.name for person in able}
    assert "Joana Pires" in {person.name for person in able}


def test_a_party_that_is_not_on_the_checklist_reads_no_comments(talk: Talk) -> None:
    open_ = talk.write("ilena")
    talk.session.execute(
        sa.delete(ChecklistParty).where(
            ChecklistParty.organisation_id == talk.negotiation.country.id("lantern")
        )
    )
    talk.session.commit()
    assert queries.find(talk["joana"], open_.id) is None
    assert queries.find(talk["samira"], open_.id)
    assert "Joana Pires" not in {person.name for person in writers(talk.terms)}
    talk.page("joana", talk.thread(), 404)


# The planning of a visit


def test_on_a_visits_roles_those_listed_and_cleared_read_and_write(joint_visit: JointVisit) -> None:
    roles = joint_visit.checklist(ROLES)
    written = comment(joint_visit.actor("ilena"), roles, "V8")
    able = {person.user_id for person in writers(roles)}
    for key, user_id in joint_visit.demonstration.users.items():
        actor = joint_visit.actor(key)
        reads = queries.find(actor, written.id) is not None
        assert reads == (user_id in able), key
        assert reads == (queries.beside(actor, roles) is not None), key
    assert {joint_visit.user("leyla"), joint_visit.user("pavo"), joint_visit.user("samira")} <= able
    assert (
        not {joint_visit.user("dina"), joint_visit.user("nadia"), joint_visit.user("greta")} & able
    )
    with pytest.raises(RuleBrokenError, match="can't read this comment"):
        comment(joint_visit.actor("ilena"), roles, "V8", mentions=[joint_visit.user("nadia")])


def test_a_clearance_that_ends_closes_the_comments_too(app: Flask, joint_visit: JointVisit) -> None:
    roles = joint_visit.checklist(ROLES)
    own = comment(joint_visit.actor("leyla"), roles, "V8", audience=OWN)
    service.make_task(joint_visit.actor("joana"), own.id, joint_visit.user("leyla"), clock.today())
    clearances.close(None, joint_visit.clearance("leyla"), "withdrawn")
    joint_visit.session.commit()
    leyla = joint_visit.actor("leyla")
    assert queries.find(leyla, own.id) is None
    assert queries.waiting(leyla).tasks == ()
    assert due.remind_of_tasks(clock.today()) == 0
    joint_visit.session.commit()
    page = joint_visit.demonstration.browser(app, "leyla").get(f"/checklists/{roles.id}/comments")
    assert page.status_code == 404


def test_words_on_a_visits_roles_are_encrypted_for_their_row_alone(joint_visit: JointVisit) -> None:
    roles = joint_visit.checklist(ROLES)
    written = comment(joint_visit.actor("ilena"), roles, "V8", text="quillfen")
    other = comment(joint_visit.actor("ilena"), roles, "V8", text="thistle")
    assert written.text is None
    assert written.sealed is not None
    assert b"quillfen" not in written.sealed
    assert encryption.text_of(roles.cooperation_id, written) == "quillfen"
    service.edit(joint_visit.actor("ilena"), written.id, "quillfen again")
    assert encryption.text_of(roles.cooperation_id, written) == "quillfen again"
    written.sealed = other.sealed
    with pytest.raises(SealBrokenError):
        encryption.text_of(roles.cooperation_id, written)
    service.withdraw(joint_visit.actor("ilena"), other.id)
    assert (other.text, other.sealed) == (None, None)


def test_without_its_key_nothing_of_a_visit_is_read(joint_visit: JointVisit) -> None:
    roles = joint_visit.checklist(ROLES)
    written = comment(joint_visit.actor("ilena"), roles, "V8", text="quillfen")
    joint_visit.session.get_one(CooperationKey, roles.cooperation_id).wrapped = None
    with pytest.raises(KeyDestroyedError):
        encryption.text_of(roles.cooperation_id, written)


def test_words_on_agreed_terms_are_plain(joint_visit: JointVisit) -> None:
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    written = comment(joint_visit.actor("ilena"), terms, "M1", text="quillfen")
    assert joint_visit.session.get_one(Comment, written.id).text == "quillfen"
