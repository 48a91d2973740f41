"""What one side of the demonstration writes and assigns only for itself."""

from dataclasses import dataclass

from tests import due
from tests.factories.comments import Secrets
from tests.factories.visits import JointVisit
from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.agreements.service import SUBJECT
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.assignments import service as assignments
from tracker.checklists.assignments.pages import parts_of
from tracker.checklists.assignments.service import Assigned
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, ChecklistState
from tracker.core import clock

# The items on which comments are written.
ITEMS = {"terms": "M18", "visit_roles": "V8"}
STANDING, VISIT = "standing", "visit"


@dataclass(frozen=True)
class Side:
    """Who on a side writes and assigns to whom, who else is on it, and the other people."""

    # cooperation, kind of checklist -> writer, reader
    comments: dict[tuple[str, str], tuple[str, str]]
    # cooperation, kind of checklist -> who assigns, to whom
    assignments: dict[tuple[str, str], tuple[str, str]]
    others: tuple[str | None, ...]
    # On the same side, but without a clearance or not on the list.
    uncleared: tuple[str, ...]


NOBODY_SIGNED_IN = None
# An auditor, an administrator, another NPM, somebody whose role has ended.
ELSEWHERE = ("greta", "iris", "vera", "noor", NOBODY_SIGNED_IN)
SIDES = {
    "npm": Side(
        comments={
            ("differing", "terms"): ("pavo", "ilena"),
            ("complete", "terms"): ("ilena", "milan"),
            ("complete", "visit_roles"): ("pavo", "ilena"),
        },
        assignments={
            ("differing", "terms"): ("ilena", "nadia"),
            ("complete", "visit_roles"): ("ilena", "pavo"),
        },
        others=("samira", "henrik", "dina", "joana", "leyla", "celia", *ELSEWHERE),
        uncleared=("nadia", "milan"),
    ),
    "cso": Side(
        comments={
            ("differing", "terms"): ("samira", "henrik"),
            ("complete", "terms"): ("dina", "samira"),
            ("complete", "visit_roles"): ("samira", "henrik"),
        },
        assignments={
            ("differing", "terms"): ("samira", "dina"),
            ("complete", "visit_roles"): ("samira", "henrik"),
        },
        others=("ilena", "tomas", "milan", "pavo", "nadia", "joana", "leyla", "anton", *ELSEWHERE),
        uncleared=("dina",),
    ),
}


@dataclass
class Written:
    """What a side wrote: on checklists outside visits, and on a visit's roles."""

    comments: dict[str, Secrets]

    def everything(self) -> list[Secrets]:
        return list(self.comments.values())

    @property
    def comment_ids(self) -> list[str]:
        return [str(comment_id) for secrets in self.everything() for comment_id in secrets.comments]

    @classmethod
    def together(cls, *sides: "Written") -> "Written":
        """Return what several sides wrote, together."""
        return cls(
            {
                name: Secrets.together(*(side.comments[name] for side in sides))
                for name in (STANDING, VISIT)
            }
        )

    def in_text(self, text: str, *classes: str) -> list[str]:
        """Return which texts or ids of these classes, or of all, a text contains."""
        wanted = classes or tuple(self.comments)
        return [mark for name in wanted for mark in self.comments[name].in_text(text)]


def post(joint_visit: JointVisit, side: Side) -> Written:
    """Have a side comment on items and on each whole checklist, and get reminders."""
    written = Written({STANDING: Secrets(), VISIT: Secrets()})
    for (cooperation, kind), (writer, reader) in side.comments.items():
        checklist_id = joint_visit.demonstration.checklists[cooperation, kind]
        checklist = joint_visit.session.get_one(Checklist, checklist_id)
        secrets = written.comments[VISIT if kind == "visit_roles" else STANDING]
        for item in (ITEMS[kind], None):
            secrets.post(joint_visit.actor(writer), joint_visit.actor(reader), checklist, item)
    assert due.remind_of_tasks(clock.today()) == 2 * len(side.comments)
    joint_visit.session.commit()
    return written


def draft_roles_again(joint_visit: JointVisit) -> None:
    """Reopen the roles of the ready visit, all of them."""
    checklist = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    checklist.state = ChecklistState.DRAFTING
    trail.record(
        verbs.AMENDMENT_OPENED,
        actor=None,
        subject_type=SUBJECT,
        subject_id=checklist.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        items=[],
        reason="",
    )
    joint_visit.session.commit()


def share_out(joint_visit: JointVisit, side: Side) -> int:
    """Assign, reassign, take and give back items on each checklist, and remind.

    Return how many reminders were sent.
    """
    today = clock.today()
    for (cooperation, kind), (by, to) in side.assignments.items():
        checklist_id = joint_visit.demonstration.checklists[cooperation, kind]
        checklist = joint_visit.session.get_one(Checklist, checklist_id)
        actor, person = joint_visit.actor(by), joint_visit.actor(to)
        for section in parts_of(_side_of(actor, checklist), load(checklist), actor):
            assignments.assign_section(
                actor,
                checklist,
                section.key,
                to=person.user_id,
                due_on=today,
                also_held=True,
                seen=_side_of(actor, checklist).seen(),
            )
        own_side = _side_of(actor, checklist)
        first, second, *_rest = own_side.holdings
        assignments.give_back(person, checklist, first, seen=own_side.seen(first))
        assignments.take(person, checklist, first)
        assignments.give_back(actor, checklist, second, seen=own_side.seen(second))
    reminded = due.remind_of_assignments(today)
    joint_visit.session.commit()
    return reminded


def _side_of(actor: Actor, checklist: Checklist) -> Assigned:
    side = assignments.of_side(actor, checklist)
    assert side is not None
    return side
