"""The worker finds what is due through an index, however much is finished or still ahead.

In one file: one table of the rows of each kind and the jobs that search for them.
"""

import datetime as dt
import enum
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from tests.factories.evidence.tampering import hands
from tracker.access.actor import OrganisationKind, Role
from tracker.accounts.factors import attempts, mailed_codes, passkeys
from tracker.accounts.models import Attempt, MailedCode, Membership, UsedChallenge, User
from tracker.activity.models import Chain, ChainKind, Event
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import drafts
from tracker.checklists.models import (
    Assignment,
    Checklist,
    Draft,
    Notice,
    OutsideReading,
    PendingMail,
)
from tracker.checklists.negotiation import mailing
from tracker.closing.models import MaterialReturn, ReturnState
from tracker.comments.models import CommentTask
from tracker.cooperations.invitation_requests.models import InvitationRequest
from tracker.cooperations.models import (
    Clearance,
    Cooperation,
    CooperationKey,
    CooperationPerson,
    Party,
    Stage,
)
from tracker.core import clock
from tracker.core.db import Base, UtcDateTime
from tracker.evidence.certificates import service as certificates
from tracker.evidence.log import anchors
from tracker.evidence.models import (
    Anchor,
    Certificate,
    CertificateFailure,
    EvidenceKey,
    LogLeaf,
    SignedCheckpoint,
)
from tracker.mail import sending
from tracker.mail.models import MessageState, OutboxMessage
from tracker.mail.transport import from_url
from tracker.notifications import service as notifications
from tracker.notifications.models import Delivery, Notification
from tracker.signoff.models import (
    RequestState,
    Revision,
    Signature,
    SignatureKind,
    SignatureRequest,
)
from tracker.undertakings.models import SUBJECT as UNDERTAKING
from tracker.worker import jobs

pytestmark = pytest.mark.both_databases

MANY = 2_000
DUE = 3
YEARS = dt.timedelta(days=1_000)
Row = Mapping[str, Any]


def put(
    connection: Connection, model: type[Base], rows: int, /, **values: Any
) -> list[dict[str, Any]]:
    """Insert rows into a table, most of their columns with any value; return them."""
    table = cast("sa.Table", model.__table__)
    inserted = [
        {
            column.name: values.get(column.name, _any_value(column, number))
            for column in table.columns
        }
        for number in range(rows)
    ]
    connection.execute(sa.insert(table), inserted)
    return inserted


def _any_value(column: "sa.Column[Any]", number: int) -> Any:
    kind = column.type
    if column.nullable:
        return None
    if isinstance(kind, sa.Enum):
        return next(iter(cast("type[enum.Enum]", kind.enum_class)))
    values: dict[type, Callable[[], Any]] = {
        UUID: uuid4,
        # Different in each row, and short enough.
        str: lambda: uuid4().hex[: getattr(kind, "length", None) or 32],
        int: lambda: number,
        bool: lambda: False,
        bytes: lambda: uuid4().bytes,
        dt.date: clock.today,
        list: list,
    }
    if isinstance(kind, UtcDateTime):
        return clock.now()
    return values[list if isinstance(kind, sa.JSON) else kind.python_type]()


def roles(connection: Connection) -> None:
    over = clock.today() - YEARS
    put(connection, Membership, MANY, ends_on=over, ended_at=clock.now())
    put(connection, Membership, MANY, ends_on=clock.today() + YEARS)
    put(connection, Membership, DUE, ends_on=over)


def powers(connection: Connection) -> None:
    day = clock.today()
    begun = {"role": Role.SIGNATORY, "begun_at": clock.now()}
    put(connection, Membership, MANY, power_until=day - YEARS)
    put(connection, Membership, MANY, **begun, ended_at=clock.now(), power_until=day - YEARS)
    put(connection, Membership, DUE, **begun, power_until=day + YEARS)
    put(connection, User, MANY, active=True)
    put(connection, Event, MANY, subject_type="membership")
    put(connection, Membership, DUE, **begun, power_until=day - YEARS)
    for user in put(connection, User, DUE, active=True):
        put(connection, Membership, 1, **begun, user_id=user["id"], power_until=day)


def places(connection: Connection) -> None:
    over, day = clock.today() - YEARS, clock.today()
    put(connection, CooperationPerson, MANY, from_on=over)
    put(connection, Membership, MANY, starts_on=over, ends_on=day + YEARS, begun_at=clock.now())
    for row in put(connection, CooperationPerson, DUE, from_on=over):
        place = {"user_id": row["user_id"], "organisation_id": row["organisation_id"]}
        put(connection, Membership, 1, ends_on=over, **place)


def parties(connection: Connection) -> None:
    over, now = clock.today() - YEARS, clock.now()
    put(connection, Party, MANY)
    put(connection, Party, MANY, left_on=over, leave_given_at=now, leave_done_at=now)
    put(connection, Party, MANY, left_on=over + 2 * YEARS, leave_given_at=now)
    put(connection, Party, DUE, left_on=over, leave_given_at=now)


def places_of_parties(connection: Connection) -> None:
    over = clock.today() - YEARS
    put(connection, CooperationPerson, MANY, from_on=over)
    put(connection, Party, MANY)
    for values in ({"leave_done_at": clock.now()}, {}):
        leaving = {"left_on": over, "leave_given_at": clock.now(), **values}
        for row in put(connection, Party, DUE, **leaving):
            place = {name: row[name] for name in ("cooperation_id", "organisation_id")}
            put(connection, CooperationPerson, 1, from_on=over, **place)


def clearances(connection: Connection) -> None:
    over = clock.today() - YEARS
    put(connection, Clearance, MANY, until_on=over, closed_at=clock.now())
    put(connection, Clearance, MANY, until_on=clock.today() + YEARS)
    put(connection, Clearance, DUE, until_on=over)


def clearances_ending(connection: Connection) -> None:
    day = clock.today()
    # What is asked of the terms behind each.
    put(connection, Cooperation, MANY, ends_on=day + YEARS)
    put(connection, Checklist, MANY, kind=ChecklistKind.TERMS)
    put(connection, Notice, MANY, from_on=day + YEARS)
    put(connection, Revision, MANY, subject_type="checklist")
    put(connection, SignatureRequest, MANY, state=RequestState.WAITING)
    put(connection, Clearance, MANY, until_on=day, closed_at=clock.now())
    put(connection, Clearance, MANY, until_on=day, reminded_on=day)
    put(connection, Clearance, MANY, until_on=day + YEARS)
    put(connection, Clearance, DUE, until_on=day)


def notices(connection: Connection) -> None:
    over = clock.today() - YEARS
    put(connection, Notice, MANY, from_on=over, taken_effect_at=clock.now())
    put(connection, Notice, MANY, from_on=over, closed_at=clock.now())
    put(connection, Notice, DUE, from_on=over)


def texts(connection: Connection) -> None:
    revision_id = uuid4()
    for rows, end in ((MANY, YEARS), (DUE, -YEARS)):
        for cooperation in put(connection, Cooperation, rows, ends_on=clock.today() + end):
            put(
                connection,
                Checklist,
                1,
                cooperation_id=cooperation["id"],
                kind=ChecklistKind.TERMS,
                revision_in_force_id=revision_id,
            )


def requests(connection: Connection) -> None:
    day = clock.today()
    for state in (RequestState.COMPLETED, RequestState.EXPIRED):
        put(connection, SignatureRequest, MANY, state=state, expires_on=day - YEARS)
    sent = {"state": RequestState.WAITING, "sent_at": clock.now() - YEARS}
    put(connection, SignatureRequest, DUE, **sent, expires_on=day - YEARS)
    put(connection, SignatureRequest, DUE, **sent, remind_every=7)


def tasks(connection: Connection) -> None:
    over = clock.today() - YEARS
    for how in ("done_at", "ended_at", "reminded_at"):
        put(connection, CommentTask, MANY, due_on=over, **{how: clock.now()})
    put(connection, CommentTask, DUE, due_on=over)


def assignments(connection: Connection) -> None:
    over = clock.today() - YEARS
    put(connection, Assignment, MANY, due_on=over, reminded_on=over)
    put(connection, Assignment, MANY)
    put(connection, Assignment, DUE, due_on=over)


def pending(connection: Connection) -> None:
    put(connection, PendingMail, MANY, at=clock.now())
    put(connection, PendingMail, DUE, at=clock.now() - mailing.QUIET)


def readings(connection: Connection) -> None:
    put(connection, OutsideReading, MANY, until_on=clock.today() - YEARS, ended_at=clock.now())
    put(connection, OutsideReading, MANY, until_on=clock.today() + YEARS)
    put(connection, OutsideReading, DUE, until_on=clock.today() - YEARS)


def dates(connection: Connection) -> None:
    active = {"stage": Stage.ACTIVE}
    for kind in ("remind_of_review_on", "remind_of_end_on"):
        put(connection, Cooperation, MANY, **active)
        put(connection, Cooperation, MANY, **active, **{kind: clock.today() + YEARS})
        put(connection, Cooperation, DUE, **active, **{kind: clock.today() - YEARS})


def returns(connection: Connection) -> None:
    over = clock.today() - YEARS
    for state in (ReturnState.CONFIRMED, ReturnState.EXCEPTED):
        put(connection, MaterialReturn, MANY, state=state, due_on=over)
    for values in ({"due_on": over, "reminded_on": over}, {"due_on": over + 2 * YEARS}):
        put(connection, MaterialReturn, MANY, state=ReturnState.REQUESTED, **values)
    put(connection, MaterialReturn, DUE, state=ReturnState.REQUESTED, due_on=over)


def proposed(connection: Connection) -> None:
    long_ago = clock.now() - YEARS
    put(connection, InvitationRequest, MANY, requested_at=long_ago, answered_at=clock.now())
    put(connection, InvitationRequest, DUE, requested_at=long_ago)


def digests(connection: Connection) -> None:
    long_ago = clock.now() - YEARS
    put(connection, Notification, MANY, delivery=Delivery.MAILED, created_at=long_ago)
    put(connection, Notification, MANY, delivery=Delivery.DAILY, created_at=clock.now())
    put(connection, Notification, DUE, delivery=Delivery.DAILY, created_at=long_ago)


def stamped(connection: Connection) -> None:
    for months in range(3):
        at = clock.now() - months * dt.timedelta(days=31)
        for revision_id in signed_texts(connection, MANY // 6, at):
            put(connection, Certificate, 1, revision_id=revision_id, has_timestamp=True)


LOOKED_FOR = {
    "leave cooperation": (places, DUE),
    "end role": (roles, DUE),
    "close clearance": (clearances, DUE),
    "apply notice": (notices, DUE),
    "leave with party": (places_of_parties, DUE),
    "end a party's part": (parties, DUE),
    "expire signature request": (requests, DUE),
    "remind of signature request": (requests, DUE),
    "end outside reading": (readings, DUE),
    "end invitation request": (proposed, DUE),
    "remind of task": (tasks, DUE),
    "remind of return": (returns, DUE),
    "remind of assignments": (assignments, DUE),
    "mail of checklists": (pending, DUE),
    "send digest": (digests, DUE),
    "remind of review": (dates, DUE),
    "remind of end": (dates, DUE),
    "remind of clearance": (clearances_ending, DUE),
    "renew text": (texts, DUE),
    "remind of power": (powers, DUE),
    "note power run out": (powers, DUE),
    # These files have no timestamps: test_timestamp_ends.py has one that has.
    "remind of timestamps": (stamped, 0),
}
JOBS = {job.name: job for job in (*jobs.DATED, jobs.RENEW, *jobs.POWERS, jobs.TIMESTAMPS)}


def test_each_job_that_a_day_makes_due_is_looked_at_here() -> None:
    assert set(JOBS) == set(LOOKED_FOR)


@contextmanager
def plans(session: Session) -> Iterator[list[str]]:
    """Collect the query plan of each statement in the block that looks for work."""
    session.commit()
    session.execute(sa.text("ANALYZE"))
    session.commit()
    plans_read: list[str] = []

    def note(connection: Connection, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "DELETE")):
            explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
            cursor.execute(explain + statement, values)
            plans_read.extend(str(row[-1]) for row in cursor.fetchall())

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield plans_read
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def scans(plan: list[str]) -> list[str]:
    """Return the lines of a plan that scan a whole table, except those that stay small.

    Failures are always few, and the heartbeat is one row.
    """
    return [
        line
        for line in plan
        if ("Seq Scan" in line or line.startswith("SCAN "))
        and "failure" not in line
        and "heartbeat" not in line
    ]


@pytest.mark.parametrize("name", LOOKED_FOR)
def test_a_job_finds_due_objects_through_an_index(session: Session, name: str) -> None:
    make, count = LOOKED_FOR[name]
    with hands() as connection:
        make(connection)
    with plans(session) as plan:
        due = JOBS[name].find(clock.today())
    assert len(due) == count
    assert plan
    assert scans(plan) == []


FORGOTTEN: dict[str, tuple[Callable[[], int], type[Base], str]] = {
    "attempts": (attempts.forget_old, Attempt, "at"),
    "challenges": (passkeys.forget_used, UsedChallenge, "at"),
    "codes": (mailed_codes.forget_old, MailedCode, "made_at"),
    "drafts": (drafts.forget_old, Draft, "kept_at"),
    "notifications": (notifications.forget_old, Notification, "created_at"),
    "read notifications": (notifications.forget_read, Notification, "read_at"),
}


@pytest.mark.parametrize("name", FORGOTTEN)
def test_old_rows_are_found_through_an_index(session: Session, name: str) -> None:
    forget, model, column = FORGOTTEN[name]
    with hands() as connection:
        put(connection, model, MANY, **{column: clock.now()})
        put(connection, model, DUE, **{column: clock.now() - YEARS})
    with plans(session) as plan:
        assert forget() == DUE
    assert plan
    assert scans(plan) == []


def signed_texts(connection: Connection, count: int, at: dt.datetime) -> list[UUID]:
    """Insert texts that everybody signed at one moment: as many checklists as undertakings."""
    of_all = []
    for subject_type in ("checklist", UNDERTAKING):
        rows = put(connection, Revision, count, subject_type=subject_type, frozen_at=at)
        for number, revision in enumerate(rows):
            of_all.append(revision["id"])
            # No two at the same moment.
            signed_at = at + dt.timedelta(seconds=number)
            kind = SignatureKind.COUNTERSIGNATURE
            if subject_type == UNDERTAKING:
                put(
                    connection,
                    Signature,
                    1,
                    revision_id=revision["id"],
                    kind=kind,
                    signed_at=signed_at,
                )
            else:
                put(
                    connection,
                    SignatureRequest,
                    1,
                    revision_id=revision["id"],
                    state=RequestState.COMPLETED,
                    ended_at=signed_at,
                )
    return of_all


def test_texts_that_need_a_certificate_are_found_by_an_index(session: Session) -> None:
    now = clock.now()
    with hands() as connection:
        put(connection, CooperationKey, MANY)
        for revision_id in signed_texts(connection, MANY // 2, now - YEARS):
            put(connection, Certificate, 1, revision_id=revision_id)
        failed = signed_texts(connection, 1, now - YEARS)
        for revision_id in failed:
            put(connection, CertificateFailure, 1, revision_id=revision_id, next_try_at=now)
        forgotten = signed_texts(connection, 1, now - YEARS)
        for revision_id in forgotten:  # no failure waits as long as this row says
            put(connection, CertificateFailure, 1, revision_id=revision_id, next_try_at=now + YEARS)
        lately = signed_texts(connection, DUE, now)
    with plans(session) as plan:
        due = certificates.due(now - jobs.LATELY)
    assert set(due) == {*failed, *lately}
    assert scans(plan) == []
    # Once a day all are checked.
    assert set(certificates.due()) == {*failed, *lately, *forgotten}


def coordinators(
    connection: Connection, count: int, *, leaf: int, mailed: int, at: dt.datetime
) -> None:
    """Insert coordinators, each with a cooperation and its leaf, mailed a checkpoint of a size."""
    for number, coordinator in enumerate(
        put(connection, User, count, active=True, name="A coordinator")
    ):
        organisation_id, chain_id = uuid4(), uuid4()
        cooperation = put(connection, Cooperation, 1)[0]
        put(
            connection,
            Membership,
            1,
            user_id=coordinator["id"],
            organisation_id=organisation_id,
            role=Role.COORDINATOR,
            begun_at=at,
        )
        put(
            connection,
            Party,
            1,
            cooperation_id=cooperation["id"],
            organisation_id=organisation_id,
            side=OrganisationKind.CSO,
        )
        put(
            connection,
            Chain,
            1,
            id=chain_id,
            kind=ChainKind.COOPERATION,
            cooperation_id=cooperation["id"],
        )
        put(connection, LogLeaf, 1, number=leaf + number, chain_id=chain_id)
        put(connection, Anchor, 1, user_id=coordinator["id"], size=mailed, at=at)


def test_who_is_due_to_be_mailed_a_checkpoint_is_found_by_an_index(session: Session) -> None:
    now = clock.now()
    with hands() as connection:
        # The first ones' cooperations changed after the last mail, the others' did not.
        coordinators(connection, DUE, leaf=MANY, mailed=1, at=now - YEARS)
        coordinators(connection, MANY // 4, leaf=0, mailed=MANY, at=now - YEARS)
        put(connection, Membership, MANY, role=Role.MEMBER)
        put(connection, Checklist, MANY, in_force_at=now - YEARS)
        key_id = put(connection, EvidenceKey, 1, number=1)[0]["id"]
        put(connection, SignedCheckpoint, 1, size=MANY + 1, previous=0, key_id=key_id)
    with plans(session) as plan:
        if session.get_bind().dialect.name == "postgresql":
            # The tables are too small for it to prefer an index; this checks whether there is one.
            session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        due = anchors.due()
    assert len(due) == DUE
    # The last checkpoint, the few keys, and the texts of two weeks.
    few = {"SCAN checkpoint", "SCAN evidence_key", "SCAN anon_1"}
    assert [line for line in scans(plan) if line not in few] == []


def test_mails_that_are_due_are_found_by_an_index(session: Session, tmp_path: Any) -> None:
    with hands() as connection:
        put(connection, OutboxMessage, MANY, state=MessageState.SENT)
        later = clock.now() + YEARS
        put(connection, OutboxMessage, MANY, state=MessageState.WAITING, next_try_at=later)
    with plans(session) as plan:
        sending.send_due(from_url(f"file://{tmp_path}"))
    assert plan
    assert scans(plan) == []
