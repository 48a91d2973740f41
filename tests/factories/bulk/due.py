"""Many rows that a day makes due for the worker, inserted directly into a database."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tests.factories.evidence.tampering import hands
from tests.factories.visits import JointVisit, planned
from tests.moments import RunningFrom, using
from tracker.access.actor import Role
from tracker.accounts import queries as accounts
from tracker.accounts.models import Attempt, Membership
from tracker.agreements.service import WHO_SIGNS
from tracker.checklists.models import Assignment, Checklist, Notice, NoticeKind, OutsideReading
from tracker.closing.models import MaterialReturn
from tracker.comments.models import CommentTask
from tracker.cooperations import service as cooperations
from tracker.cooperations.invitation_requests import service as invitation_requests
from tracker.cooperations.invitation_requests.models import InvitationRequest
from tracker.cooperations.models import Clearance, Cooperation, Party, Stage
from tracker.core import clock
from tracker.core.db import Base, db
from tracker.mail.render import link
from tracker.notifications import service as notifications
from tracker.notifications.models import Delivery, Notification
from tracker.signoff.models import RequestState, Revision, SignatureRequest

DAY = dt.timedelta(days=1)
GOES = "marek"
LEAVES = "od"


def copies(
    connection: Connection, model: type[Base], where: Any, count: int, **values: Any
) -> None:
    """Insert copies of a row, each with new ids unless values name some."""
    table = cast("sa.Table", model.__table__)
    row: Mapping[str, Any] = dict(
        connection.execute(sa.select(table).where(where).limit(1)).mappings().one()
    )
    ids = [name for name in ("id", *values) if values.get(name) is None]
    connection.execute(
        sa.insert(table),
        [{**row, **values, **{name: uuid4() for name in ids}} for _ in range(count)],
    )


def make_due(joint_visit: JointVisit, visits: int, count: int) -> None:
    """Make much due, in a cooperation with many visits in preparation and in others.

    visits are planned in addition to the demonstration's; count rows of each kind become due. Only
    in cooperations of the demonstration: nothing that was copied can be acted on, since no event
    binds it.
    """
    own = list(joint_visit.demonstration.cooperations.values())
    checklist_ids = list(
        joint_visit.session.scalars(
            sa.select(Checklist.id).where(Checklist.cooperation_id.in_(own))
        )
    )
    revision_ids = list(
        joint_visit.session.scalars(sa.select(Revision.id).where(Revision.cooperation_id.in_(own)))
    )
    for _ in range(visits):
        planned(joint_visit)
    joint_visit.session.commit()
    yesterday, today, now = clock.today() - DAY, clock.today(), clock.now()
    is_open = sa.and_(Clearance.closed_at.is_(None), Clearance.cooperation_id.in_(own))
    is_waiting = sa.and_(
        SignatureRequest.state == RequestState.WAITING,
        SignatureRequest.revision_id.in_(revision_ids),
    )
    is_notice = sa.and_(Notice.taken_effect_at.is_(None), Notice.checklist_id.in_(checklist_ids))
    is_running = sa.and_(Membership.role == Role.MEMBER, Membership.ended_at.is_(None))
    with hands() as connection:
        # Refers to undertakings that don't exist, since one that ends closes everything it opened.
        copies(connection, Clearance, is_open, count, until_on=yesterday, undertaking_id=None)
        connection.execute(sa.update(Clearance).where(is_open).values(until_on=yesterday))
        # One that ends soon, of somebody who stays, where no text goes out of force.
        copies(
            connection,
            Clearance,
            sa.and_(is_open, Clearance.visit_id.is_(None)),
            1,
            user_id=joint_visit.demonstration.users["leyla"],
            cooperation_id=joint_visit.demonstration.cooperations["differing"],
            until_on=today + DAY,
            undertaking_id=None,
        )
        copies(connection, Membership, is_running, count, ends_on=yesterday)
        # People whose last role expired no longer take part in cooperations.
        connection.execute(
            sa.update(Membership)
            .where(Membership.user_id == joint_visit.demonstration.users[GOES])
            .values(ends_on=yesterday)
        )
        # Suspensions: the first takes the text out of force.
        values = {"from_on": today, "kind": NoticeKind.SUSPENDED}
        copies(connection, Notice, is_notice, count, **values)
        # A party that takes part in the visits has left by itself.
        connection.execute(
            sa.update(Party)
            .where(
                Party.cooperation_id == joint_visit.demonstration.cooperations["complete"],
                Party.organisation_id == joint_visit.demonstration.organisations[LEAVES],
            )
            .values(left_on=yesterday, leave_given_at=now, leave_reason="Its last day has passed.")
        )
        # Its text is being drafted in another cooperation.
        drafted = joint_visit.demonstration.checklists["differing", "terms"]
        connection.execute(
            sa.insert(OutsideReading).values(
                id=uuid4(),
                checklist_id=drafted,
                organisation_id=joint_visit.demonstration.organisations["npm"],
                name="Rada Ilves",
                function="University of Norvald",
                email="rada@example.org",
                reason="The NPM has nobody else.",
                until_on=yesterday,
                asked_by_id=joint_visit.demonstration.users["ilena"],
                asked_at=now - 10 * DAY,
            )
        )
        # Of a party without a coordinator, and nobody has answered for long.
        connection.execute(
            sa.insert(InvitationRequest).values(
                id=uuid4(),
                cooperation_id=joint_visit.demonstration.cooperations["differing"],
                organisation_id=joint_visit.demonstration.organisations[LEAVES],
                partner_id=joint_visit.demonstration.organisations["npm"],
                requested_by_id=joint_visit.demonstration.users["ilena"],
                requested_at=now - 2 * invitation_requests.DAYS * DAY,
                name="Rada Ilves",
                email="rada@example.org",
                language="en",
                reason="",
            )
        )
        copies(connection, CommentTask, CommentTask.done_at.is_(None), count, due_on=yesterday)
        connection.execute(
            sa.update(MaterialReturn)
            .where(MaterialReturn.cooperation_id.in_(own))
            .values(due_on=yesterday)
        )
        connection.execute(
            sa.update(Assignment)
            .where(Assignment.checklist_id.in_(checklist_ids))
            .values(due_on=yesterday, reminded_on=None)
        )
        connection.execute(
            sa.update(SignatureRequest)
            .where(is_waiting)
            .values(remind_every=1, remind_whom=[WHO_SIGNS], sent_at=now - 10 * DAY)
        )
        connection.execute(
            sa.insert(Attempt),
            [{"id": uuid4(), "key": "old", "at": now - DAY} for _ in range(10 * count)],
        )
    _tell_in_digests(joint_visit, count, now - 8 * DAY)
    # One that stays active when the other one is suspended. Nobody is reminded of dates that no
    # event binds.
    active = joint_visit.session.get_one(
        Cooperation, joint_visit.demonstration.cooperations["declined"]
    )
    active.stage = Stage.ACTIVE
    tomorrow = today + DAY
    cooperations.follow_dates(
        None,
        active,
        starts_on=active.starts_on,
        ends_on=tomorrow,
        review_on=tomorrow,
        reminder_days=7,
    )
    joint_visit.session.commit()


def _tell_in_digests(joint_visit: JointVisit, count: int, moment: dt.datetime) -> None:
    """Write notifications to somebody who gets one digest of them, as of a past moment."""
    user_id = joint_visit.demonstration.users["ilena"]
    reader = replace(accounts.contacts([user_id])[user_id], notification_choices="comments=daily")
    for _number in range(count):
        notifications.tell(
            reader, "comment_mention", "A comment mentions you", "Sign in.", address=link("/")
        )
    db.session.flush()
    db.session.execute(
        sa.update(Notification)
        .where(Notification.delivery == Delivery.DAILY)
        .values(created_at=moment)
        .execution_options(synchronize_session=False)
    )


@contextmanager
def after_requests_ran_out() -> Iterator[None]:
    """Move the clock to the day after the deadlines of all signature requests."""
    last = db.session.scalar(
        sa.select(sa.func.max(SignatureRequest.expires_on)).where(
            SignatureRequest.state == RequestState.WAITING
        )
    )
    db.session.rollback()
    assert last is not None
    with using(RunningFrom(clock.now() + (last + DAY - clock.today()))):
        yield
