"""Which acts on the texts of a stopped visit go on, and which end with it.

In one file: every act is listed once, and pages and tasks are tested on the same text.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import datetime
from types import ModuleType
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

import tracker.agreements
import tracker.checklists
import tracker.comments
import tracker.visits
from tests import starting_points
from tests.factories.checklists import flag_term
from tests.factories.comments import comment
from tests.factories.cooperations import signed_in
from tests.factories.paper import pdf
from tests.factories.visits import JointVisit, days, team_plan
from tests.moments import standing_at, using
from tests.pages import Page
from tests.starting_points import noon_in
from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.activity.stale import recompute
from tracker.agreements import accepting, signature_requests
from tracker.agreements import service as agreements
from tracker.agreements.paper import service as paper
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import drafts
from tracker.checklists import service as checklists
from tracker.checklists.assignments import service as assignments
from tracker.checklists.assignments.service import DueAssignments
from tracker.checklists.deciding import left_to_decide
from tracker.checklists.deciding.left_to_decide import Seen
from tracker.checklists.drafts import DraftKey
from tracker.checklists.loading import load
from tracker.checklists.models import (
    Assignment,
    Checklist,
    ChecklistParty,
    DraftKind,
    Flag,
    Proposal,
    Stance,
)
from tracker.checklists.negotiation import positions, safeguards, undoing
from tracker.checklists.negotiation.text_digest import item_digest, item_token
from tracker.checklists.reuse import beginning, copying, template_upgrade
from tracker.comments import service as comments
from tracker.comments.models import Comment, CommentTask
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.dashboard import tasks
from tracker.demo import checklists as demo_checklists
from tracker.ui.tasks import written_out
from tracker.visits import service
from tracker.worker import recheck

REFUSED = "The visit was stopped, and its texts with it"
# Items of the roles: one with a suggestion, one with a flag, and one that is assigned.
SUGGESTED, FLAGGED, ASSIGNED = "V6", "V9", "V8"
OPENED = ["V6", "V8", "V9"]
# Reading, the record, what a side keeps for itself, and the end of what somebody took on.
GO_ON = {
    "agreements.keeping.keep",
    "agreements.service.call_back",
    "checklists.assignments.service.give_back",
    "comments.service.edit",
    "comments.service.finish_task",
    "comments.service.mark_seen",
    "comments.service.reopen",
    "comments.service.settle",
    "comments.service.withdraw",
    "comments.service.write",
    "visits.own_part.mail_code",
    "visits.own_part.open_it",
    "visits.service.stop",
}
# Never on a visit's text: their own rules refuse it.
OF_OTHER_TEXTS = {
    "agreements.amendments.call_off",
    "agreements.notices.agree_anew",
    "agreements.notices.close_notice",
    "agreements.notices.give_notice",
    "agreements.paper.prior_agreements.record",
    "agreements.renewal.open_renewal",
    "agreements.renewal.propose_renewal",
    "checklists.negotiation.safeguards.confirm_review",
    "checklists.outside_reading.service.ask",
    "checklists.outside_reading.service.take_back",
    "checklists.reuse.model_answers.keep",
}
# What a team member confirms, which the visit's own verb has asked for before.
ASKED_BY_THE_VISIT = {"checklists.service.record_for_person"}
# They change nothing themselves, or are what follows from another verb.
PARTS_OF_VERBS = {
    "agreements.notices.close_for_departure",
    "agreements.service.finish",
    "agreements.service.withdraw_request",
    "checklists.assignments.service.of_side",
    "checklists.assignments.service.seen_in",
    "checklists.assignments.service.token_of",
    "visits.beginnings.begin",
    "visits.beginnings.how_begun",
    "checklists.negotiation.positions.require_shown",
    "checklists.reuse.own_texts.store",
    "checklists.service.count_again",
    "checklists.service.owner_of",
}
# Modules that show, decide or read.
NO_VERBS = {"beside", "editing", "heads", "pages", "policy", "queries", "routes", "text_shown"}


@pytest.fixture(autouse=True)
def later(frozen_time: Callable[[datetime | None], None]) -> None:
    """A few days later: the demonstration's terms have begun."""
    frozen_time(noon_in(5))


def open_amendment(joint_visit: JointVisit) -> None:
    """Amend the visit's roles, and give everybody something to do on them."""
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    ilena, samira = joint_visit.actor("ilena"), joint_visit.actor("samira")
    agreements.amend(ilena, roles, reason="Another lead.", items=OPENED)
    flag_term(samira, roles, FLAGGED, "A ministry decides?")
    current = load(roles).sheet.shared(SUGGESTED)
    assert current is not None
    positions.propose(
        samira,
        roles,
        SUGGESTED,
        {**current.values, "method": "As the lead decides on the day."},
        answer_id=current.answer_id,
        reason="Shorter.",
    )
    for by, to in (("ilena", "pavo"), ("joana", "leyla")):
        side = assignments.of_side(joint_visit.actor(by), roles)
        assert side is not None
        assignments.assign(
            joint_visit.actor(by),
            roles,
            ASSIGNED,
            to=joint_visit.user(to),
            due_on=clock.today(),
            seen=side.seen(ASSIGNED),
        )
    remark = comment(ilena, roles, ASSIGNED)
    comments.make_task(ilena, remark.id, joint_visit.user("leyla"), clock.today())
    recompute()
    joint_visit.session.commit()


@pytest.fixture
def roles(app: Flask, joint_visit: JointVisit) -> Checklist:
    """The visit's roles with an amendment, on which everybody has something to do."""

    def build() -> None:
        joint_visit.session = db.session()
        with using(standing_at(noon_in(5))):
            open_amendment(joint_visit)

    starting_points.of(app).use("visit_roles_amended", build, on="demonstration")
    joint_visit.session = db.session()
    return joint_visit.checklist(ChecklistKind.VISIT_ROLES)


def stop(joint_visit: JointVisit) -> None:
    service.stop(joint_visit.actor("pavo"), joint_visit.visit(), reason="The lead is ill.")
    recompute()
    joint_visit.session.commit()


def remark_on(joint_visit: JointVisit, roles: Checklist) -> UUID:
    """Return the comment from which a task was made."""
    return joint_visit.session.scalars(
        sa.select(Comment.id).where(Comment.checklist_id == roles.id, Comment.item == ASSIGNED)
    ).one()


def verbs_in(package: ModuleType) -> Iterator[str]:
    """Yield the functions of a package by which somebody acts on a text, a comment or a visit."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not NO_VERBS.isdisjoint(module.name.split(".")):
            continue
        for name, function in inspect.getmembers(
            importlib.import_module(module.name), inspect.isfunction
        ):
            given = inspect.signature(function).parameters
            is_own = function.__module__ == module.name and name[0] != "_"
            is_of_text = not {"checklist", "comment_id", "visit"}.isdisjoint(given)
            is_verb = not name.startswith(("can_", "may_", "is_"))
            if is_own and is_verb and "actor" in given and is_of_text:
                yield f"{module.name.removeprefix('tracker.')}.{name}"


Act = Callable[[], object]


def acts(joint_visit: JointVisit, roles: Checklist) -> dict[str, Act]:
    """Return the verbs that end with the visit, each as somebody would use it."""
    ilena, samira, tomas = (
        joint_visit.actor("ilena"),
        joint_visit.actor("samira"),
        joint_visit.actor("tomas"),
    )
    loaded = load(roles)
    suggestion = joint_visit.session.scalars(
        sa.select(Proposal.id).where(Proposal.checklist_id == roles.id)
    ).one()
    flag = joint_visit.session.scalars(
        sa.select(Flag.id).where(Flag.checklist_id == roles.id)
    ).one()
    remark = remark_on(joint_visit, roles)
    current = loaded.sheet.shared(SUGGESTED)
    assert current is not None
    whole = loaded.item(SUGGESTED)

    def token(actor: Actor, code: str) -> str:
        return item_token(load(roles), actor, loaded.item(code))

    def seen(actor: Actor, code: str | None = None) -> str:
        side = assignments.of_side(actor, roles)
        return side.seen(code) if side else ""

    page = agreements.page_with(roles)
    return {
        "agreements.accepting.accept_items": lambda: accepting.accept_items(
            samira, roles, {SUGGESTED: token(samira, SUGGESTED)}
        ),
        "agreements.paper.service.confirm": lambda: paper.confirm(
            samira, roles, uuid4(), page=page, sentence="I confirm.", language="en"
        ),
        "agreements.paper.service.record": lambda: paper.record(
            ilena, roles, page=page, signed_on=clock.today(), offices={}, scan=pdf()
        ),
        "agreements.paper.service.refuse": lambda: paper.refuse(
            samira, roles, uuid4(), reason="Blurred."
        ),
        "agreements.paper.service.withdraw": lambda: paper.withdraw(
            ilena, roles, uuid4(), reason="The wrong page."
        ),
        "agreements.service.amend": lambda: agreements.amend(
            ilena, roles, reason="Another lead.", items=["V4"]
        ),
        "agreements.service.decline": lambda: agreements.decline(
            tomas, roles, page=page, reason="No.", items=["V4"]
        ),
        "agreements.service.open_amendment": lambda: agreements.open_amendment(
            ilena, roles, reason="Another lead.", items=["V4"]
        ),
        "agreements.service.send": lambda: agreements.send(ilena, roles, {}),
        "agreements.service.send_as_shown": lambda: agreements.send_as_shown(
            ilena, roles, {}, token=agreements.sending_token(ilena, load(roles))
        ),
        "agreements.service.sign": lambda: agreements.sign(
            tomas,
            roles,
            page=page,
            sentence="I sign.",
            language="en",
            identity=demo_checklists.identity(tomas),
        ),
        "agreements.signature_requests.pass_on": lambda: signature_requests.pass_on(
            tomas, roles, tomas.user_id, ilena.user_id, page=page, reason="Away."
        ),
        "agreements.signature_requests.remind": lambda: signature_requests.remind(
            ilena, roles, [tomas.user_id]
        ),
        "checklists.assignments.service.assign": lambda: assignments.assign(
            ilena, roles, ASSIGNED, to=joint_visit.user("ruth"), seen=seen(ilena, ASSIGNED)
        ),
        "checklists.assignments.service.assign_section": lambda: assignments.assign_section(
            ilena,
            roles,
            loaded.template.sections[1].key,
            to=joint_visit.user("ruth"),
            also_held=True,
            seen=seen(ilena),
        ),
        "checklists.assignments.service.take": lambda: assignments.take(samira, roles, SUGGESTED),
        "checklists.negotiation.positions.accept_as_shown": lambda: positions.accept_as_shown(
            samira, roles, SUGGESTED, token=token(samira, SUGGESTED)
        ),
        "checklists.negotiation.positions.accept_proposal": lambda: positions.accept_proposal(
            ilena, roles, suggestion
        ),
        "checklists.negotiation.positions.accept_proposal_as_shown": lambda: (
            positions.accept_proposal_as_shown(
                ilena, roles, suggestion, token=token(ilena, SUGGESTED)
            )
        ),
        "checklists.negotiation.positions.propose": lambda: positions.propose(
            ilena, roles, SUGGESTED, current.values, answer_id=current.answer_id, reason="Shorter."
        ),
        "checklists.negotiation.positions.take_position": lambda: positions.take_position(
            samira, roles, SUGGESTED, Stance.ACCEPTS, answer_id=current.answer_id
        ),
        "checklists.negotiation.positions.turn_down_proposal": lambda: positions.turn_down_proposal(
            ilena, roles, suggestion, "No."
        ),
        "checklists.negotiation.positions.turn_down_proposal_as_shown": lambda: (
            positions.turn_down_proposal_as_shown(
                ilena, roles, suggestion, "No.", token=token(ilena, SUGGESTED)
            )
        ),
        "checklists.negotiation.positions.withdraw_proposal": lambda: positions.withdraw_proposal(
            samira, roles, suggestion
        ),
        "checklists.negotiation.undoing.undo_accepting": lambda: undoing.undo_accepting(
            samira, roles, [SUGGESTED]
        ),
        "checklists.negotiation.safeguards.answer_hint": lambda: safeguards.answer_hint(
            ilena, roles, SUGGESTED, "", limits=False, reason="It doesn't.", as_reader=False
        ),
        "checklists.negotiation.safeguards.explain_flag": lambda: safeguards.explain_flag(
            ilena, roles, flag, "The NPM decides."
        ),
        "checklists.negotiation.safeguards.explain_flag_as_shown": lambda: (
            safeguards.explain_flag_as_shown(
                ilena, roles, flag, "The NPM decides.", token=token(ilena, FLAGGED)
            )
        ),
        "checklists.negotiation.safeguards.raise_flag": lambda: safeguards.raise_flag(
            samira, roles, SUGGESTED, "A donor decides?", seen=item_digest(load(roles), whole)
        ),
        "checklists.deciding.left_to_decide.save": lambda: left_to_decide.save(
            ilena, roles, {ASSIGNED: Seen(0, "")}, {f"{ASSIGNED}-words": "Some."}
        ),
        "checklists.reuse.beginning.begin": lambda: beginning.begin(ilena, roles, "en", seen=""),
        "checklists.reuse.beginning.begin_with_own": lambda: beginning.begin_with_own(
            ilena, roles, uuid4(), seen=""
        ),
        "checklists.reuse.copying.copy": lambda: copying.copy(
            ilena, roles, uuid4(), [SUGGESTED], seen=""
        ),
        "checklists.reuse.copying.say_read": lambda: copying.say_read(samira, roles, {uuid4(): ""}),
        "checklists.reuse.template_upgrade.move": lambda: template_upgrade.move(
            ilena, roles, roles.template_id
        ),
        "checklists.service.save_answer": lambda: checklists.save_answer(
            ilena,
            roles,
            ASSIGNED,
            AnswerScope.SHARED,
            {},
            base_version=0,
        ),
        "checklists.service.save_places": lambda: checklists.save_places(
            ilena, roles, ASSIGNED, AnswerScope.SHARED, {}, base_version=0
        ),
        "comments.service.make_task": lambda: comments.make_task(
            ilena, remark, joint_visit.user("leyla"), clock.today()
        ),
    }


def acts_on_visit(joint_visit: JointVisit) -> dict[str, Act]:
    """Return the verbs that change a visit's texts by way of the visit."""
    ilena, leyla, visit = (
        joint_visit.actor("ilena"),
        joint_visit.actor("leyla"),
        joint_visit.visit(),
    )
    return {
        "visits.service.accept_role": lambda: service.accept_role(leyla, visit, mark=""),
        "visits.service.change_plan": lambda: service.change_plan(
            ilena, visit, version=visit.version, plan=days()
        ),
        "visits.service.change_team": lambda: service.change_team(
            ilena, visit, versions={}, planned=team_plan(joint_visit)
        ),
        "visits.service.confirm_plan": lambda: service.confirm_plan(leyla, visit, mark=""),
        "visits.service.override": lambda: service.override(
            joint_visit.actor("milan"), visit, reason="A call.", mark=""
        ),
        "visits.service.put_in_charge": lambda: service.put_in_charge(
            joint_visit.actor("milan"), visit, joint_visit.user("nadia")
        ),
        "visits.service.record_part": lambda: service.record_part(
            ilena, visit, leyla.user_id, how="In French.", task_mark="", plan_mark=None
        ),
    }


def outcome_of(joint_visit: JointVisit, act: Act) -> str:
    """Return what somebody is told who acts; nothing is kept."""
    with joint_visit.session.begin_nested() as nested:
        try:
            act()
        except (RefusedError, RuleBrokenError, StaleError) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            nested.rollback()
    return ""


def test_every_act_on_a_text_is_known_to_go_on_or_to_end_with_the_visit(
    joint_visit: JointVisit, roles: Checklist
) -> None:
    """A new verb has to be listed here: who adds it decides."""
    packages = (tracker.agreements, tracker.checklists, tracker.comments, tracker.visits)
    known = {name for package in packages for name in verbs_in(package)}
    ended = acts(joint_visit, roles).keys() | acts_on_visit(joint_visit).keys()
    assert known == ended | GO_ON | OF_OTHER_TEXTS | ASKED_BY_THE_VISIT | PARTS_OF_VERBS


def test_what_ends_with_the_visit_is_refused_with_the_reason(
    joint_visit: JointVisit, roles: Checklist
) -> None:
    before = {name: outcome_of(joint_visit, act) for name, act in acts(joint_visit, roles).items()}
    assert [name for name, outcome in before.items() if REFUSED in outcome] == []
    stop(joint_visit)
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    after = {name: outcome_of(joint_visit, act) for name, act in acts(joint_visit, roles).items()}
    wanted = f"RefusedError: {REFUSED}"
    assert {name: words for name, words in after.items() if not words.startswith(wanted)} == {}
    of_visit = {
        name: outcome_of(joint_visit, act) for name, act in acts_on_visit(joint_visit).items()
    }
    assert {name for name, words in of_visit.items() if "RefusedError" not in words} == set()
    assert not service.stop(joint_visit.actor("pavo"), joint_visit.visit(), reason="Again.")


# Nobody is asked


def asked_of(app: Flask, joint_visit: JointVisit, key: str) -> list[str]:
    """Return what *My work* asks of a person about the visit's roles."""
    roles = str(joint_visit.checklist(ChecklistKind.VISIT_ROLES).id)
    remarks = {
        str(remark)
        for remark in joint_visit.session.scalars(
            sa.select(Comment.id).where(Comment.checklist_id == UUID(roles))
        )
    }
    with app.test_request_context():
        work = tasks.of_person(joint_visit.actor(key))
        shown = written_out((*work.mine, *work.others))
    return [
        str(task.label)
        for task in shown
        if roles in task.url or any(remark in task.url for remark in remarks)
    ]


def test_my_work_and_reminders_ask_nobody_for_anything_about_its_texts(
    app: Flask, joint_visit: JointVisit, roles: Checklist
) -> None:
    leyla = joint_visit.actor("leyla")
    assert leyla.organisation_id is not None
    whose = DraftKey(leyla.user_id, leyla.organisation_id, SUGGESTED, DraftKind.SHARED)
    drafts.keep(roles, whose, {"method": ["Begun."]}, base_version=0, number=1)
    joint_visit.session.commit()
    assert "Do 1 item assigned to you" in asked_of(app, joint_visit, "pavo")
    begun = {"You started an answer to “Common approach”", "Task from a comment"}
    assert begun <= set(asked_of(app, joint_visit, "leyla"))
    stop(joint_visit)
    people = ("leyla", "pavo", "ilena", "joana", "samira", "tomas")
    assert {key: asked_of(app, joint_visit, key) for key in people} == {key: [] for key in people}
    day, remark = clock.today(), remark_on(joint_visit, roles)
    task_id = sa.select(CommentTask.id).where(CommentTask.comment_id == remark)
    assert not assignments.remind(DueAssignments(roles.id, joint_visit.user("pavo")), day)
    assert not comments.remind_of_task(joint_visit.session.scalars(task_id).one(), day)


def test_nothing_is_counted_as_waiting_and_no_rule_flags_it(
    joint_visit: JointVisit, roles: Checklist
) -> None:
    waiting = sa.select(ChecklistParty.waiting_count).where(ChecklistParty.checklist_id == roles.id)
    assert any(joint_visit.session.scalars(waiting))
    stop(joint_visit)
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    assert set(joint_visit.session.scalars(waiting)) == {0}
    assert not any(status.waiting_for for status in load(roles).standing().items.values())
    left = sa.select(Assignment.is_left).where(Assignment.checklist_id == roles.id)
    assert set(joint_visit.session.scalars(left)) == {False}
    assert recheck.recheck(joint_visit.cooperation.id) == []


def buttons_of(page: Page) -> list[str]:
    """Return the forms on a page and its links that lead to a change of the checklist."""
    changing = ("/answer", "/propose", "/talk", "/flag", "/explain", "/assign", "/copy", "/amend")
    forms = [
        form.attrib.get("action", "")
        for form in page.root.iter("form")
        if form.attrib.get("method") == "post"
    ]
    links = [url for url in page.links().values() if url.endswith(changing)]
    return links + [action for action in forms if "/checklists/" in action]


def test_its_pages_say_that_it_ended_and_offer_nothing_that_cannot_work(
    app: Flask, joint_visit: JointVisit, roles: Checklist
) -> None:
    address = f"/checklists/{roles.id}"
    ilena = signed_in(app, joint_visit.session.get_one(User, joint_visit.user("ilena")))
    page = ilena.page(address)
    assert buttons_of(page)
    assert "Items waiting for" in page.text
    stop(joint_visit)
    for key in ("ilena", "samira", "leyla"):
        browser = signed_in(app, joint_visit.session.get_one(User, joint_visit.user(key)))
        page = browser.page(address)
        assert buttons_of(page) == []
        assert "Ended: the visit was stopped There's nothing left to do on this text." in page.text
        for words in ("Waiting for", "waiting for", "An amendment is being drafted", "Only these"):
            assert words not in page.text
        listed = browser.page(f"{address}/assignments")
        assert "The visit was stopped, so there's nothing left to do on this text." in listed.text
        # An item can still be given back.
        assert [url for url in buttons_of(listed) if not url.endswith("/assign/back")] == []
        assert "Make it a task" not in browser.page(f"{address}/items/{ASSIGNED}/comments").text
    visit = ilena.page(f"/cooperations/{joint_visit.reference}/visits/1")
    assert visit.text.count("Ended: the visit was stopped") == 2
    assert "Waiting for you" not in visit.text
    ready = ilena.page(f"/cooperations/{joint_visit.reference}/visits/1/ready")
    assert "The visit was stopped. Reason: The lead is ill." in ready.text
    assert "What is missing" not in ready.text


def test_pages_by_which_somebody_would_act_say_why_they_cannot(
    app: Flask, joint_visit: JointVisit, roles: Checklist
) -> None:
    flag = joint_visit.session.scalars(
        sa.select(Flag.id).where(Flag.checklist_id == roles.id)
    ).one()
    remark = remark_on(joint_visit, roles)
    stop(joint_visit)
    ilena = signed_in(app, joint_visit.session.get_one(User, joint_visit.user("ilena")))
    of_text = f"/checklists/{roles.id}"
    for address in (
        f"{of_text}/items/{SUGGESTED}/answer",
        f"{of_text}/items/{SUGGESTED}/flag",
        f"{of_text}/items/{ASSIGNED}/assign",
        f"{of_text}/flags/{flag}/explain",
        f"{of_text}/copy",
        f"{of_text}/send",
        f"{of_text}/decline",
        f"{of_text}/call-back",
        f"{of_text}/paper",
        f"{of_text}/pass-on/{joint_visit.user('tomas')}",
        f"{of_text}/remind",
        f"{of_text}/amend",
        f"/comments/{remark}/task",
    ):
        response = ilena.get(address)
        assert (address, response.status_code) == (address, 403)
        assert REFUSED in response.get_data(as_text=True)


def test_talk_goes_on_and_what_was_taken_on_can_be_given_back(
    joint_visit: JointVisit, roles: Checklist
) -> None:
    ilena, leyla = joint_visit.actor("ilena"), joint_visit.actor("leyla")
    remark = remark_on(joint_visit, roles)
    stop(joint_visit)
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    written = comment(ilena, roles, ASSIGNED, mentions=[leyla.user_id])
    comments.mark_seen(leyla, written.id)
    comments.finish_task(leyla, remark)
    comments.settle(ilena, remark, "Nothing more to do.")
    side = assignments.of_side(leyla, roles)
    assert side is not None
    assignments.give_back(leyla, roles, ASSIGNED, seen=side.seen(ASSIGNED))
