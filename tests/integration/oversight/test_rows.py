"""Every decisive row is compared with what events say about it.

In one file: a table of rows changed in the database, and what each is named as.
"""

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import due
from tests.factories import powers
from tests.factories.demonstration import Demonstration
from tests.factories.evidence.tampering import (
    DETAILS,
    Tampering,
    hands,
    table_of,
)
from tests.factories.prior_agreements import forget_rows
from tests.integration.oversight.conftest import Signed
from tracker.access.actor import Actor
from tracker.accounts.models import Membership, User
from tracker.accounts.people import service as accounts
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.models import Chain, Event
from tracker.checklists.models import Checklist, Position
from tracker.comments.models import Comment
from tracker.cooperations.models import (
    AudienceMember,
    Clearance,
    ClearanceScope,
    CooperationKey,
    Party,
)
from tracker.core import clock
from tracker.core.db import Base, db
from tracker.oversight import adopting, integrity, labels
from tracker.oversight.facts import Fault, Finding, Table, Verdict
from tracker.visits.models import TeamMember, Visit
from tracker.worker import prepare

# Rows changed only by their id belong to no particular cooperation.
NOBODY = UUID(int=0)

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(4)]


def change(model: type[Base], row: object, **values: object) -> None:
    with hands() as connection:
        Tampering(connection, NOBODY).update(table_of(model), row, **values)


def first(model: type[Base], *conditions: sa.ColumnElement[bool]) -> UUID:
    """Return the id of a row, and hold no transaction open."""
    table = table_of(model)
    row_ids = db.session.scalars(sa.select(table.c.id).where(*conditions).order_by(table.c.id))
    row: UUID | None = row_ids.first()
    db.session.rollback()
    assert row is not None
    return row


def finding() -> Finding:
    finding = integrity.check_all().finding
    assert finding is not None
    return finding


def place(fault: Fault, of: str, row: UUID, reference: str = "") -> tuple[Any, ...]:
    return fault, Table.CHECKED, of, str(row), reference


def actor(name: str) -> Actor:
    """Return a person as they act for their organisation, and hold no transaction open."""
    where = sa.select(Membership.user_id, Membership.organisation_id).join(
        User, User.id == Membership.user_id
    )
    user_id, home = db.session.execute(where.where(User.name == name)).first() or pytest.fail(name)
    person = powers.acting(user_id, home)
    db.session.rollback()
    return person


def parts_of(finding: Finding) -> tuple[Any, ...]:
    return (
        finding.fault,
        finding.place.table,
        finding.place.of,
        finding.place.row,
        finding.place.reference,
    )


# What is named --------------------------------------------------------------------------------


def test_a_changed_role_is_named_with_the_event_that_bound_it(
    app: Flask, demonstration: Demonstration
) -> None:
    with app.app_context():
        row = first(Membership)
        change(Membership, row, power="Section 12 of the Act")
        result = finding()
        assert parts_of(result) == place(Fault.ROW_DIFFERS, "membership", row)
        assert result.place.event is not None
        assert str(labels.finding_words(result)) == (
            f"the instance, row {row} of the table membership, as event {result.place.event} left "
            "it: The row was changed, and no event says so."
        )


def test_a_position_moved_to_another_party_is_named_with_its_cooperation(
    app: Flask, signed: Signed
) -> None:
    row = first(Position)
    with hands() as connection:
        positions = table_of(Position)
        position = connection.execute(sa.select(positions).where(positions.c.id == row)).one()
        parties = connection.scalars(sa.select(table_of(Party).c.organisation_id)).all()
        other = next(party for party in parties if party != position.organisation_id)
        Tampering(connection, NOBODY).update(positions, row, organisation_id=other)
    result = parts_of(finding())
    assert result[:4] == place(Fault.ROW_DIFFERS, "position", row)[:4]
    assert result[4] in {signed.first.reference, signed.second.reference}


def test_a_clearance_put_in_is_named(app: Flask, demonstration: Demonstration) -> None:
    with app.app_context():
        row = first(Clearance)
        with hands() as connection:
            new = UUID(int=7)
            Tampering(connection, NOBODY).copy(table_of(Clearance), row, id=new)
        result = finding()
        assert parts_of(result)[:4] == place(Fault.ROW_UNKNOWN, "clearance", new)[:4]
        assert result.place.event is None
        assert "No event mentions this row" in str(labels.finding_words(result))


def test_removing_a_person_from_a_team_by_hand_is_named(
    app: Flask, demonstration: Demonstration
) -> None:
    with app.app_context():
        row = first(TeamMember)
        with hands() as connection:
            Tampering(connection, NOBODY).delete(table_of(TeamMember), row)
        assert parts_of(finding())[:4] == place(Fault.ROW_DELETED, "team_member", row)[:4]


def test_an_emptied_table_is_named(app: Flask, demonstration: Demonstration) -> None:
    with app.app_context():
        with hands() as connection:
            connection.execute(sa.delete(table_of(AudienceMember)))
        result = finding()
        assert (result.fault, result.place.of) == (Fault.EMPTIED, "audience_member")
        assert "The table was emptied" in str(labels.finding_words(result))


def test_a_row_of_no_cooperation_is_named(app: Flask, signed: Signed) -> None:
    row, new = first(Party), UUID(int=7)
    with hands() as connection:
        Tampering(connection, NOBODY).copy(table_of(Party), row, id=new, cooperation_id=UUID(int=8))
    result = finding()
    assert (result.fault, result.place.of) == (Fault.BELONGS_NOWHERE, "party")
    assert UUID(result.place.row) == new


def test_a_value_that_nobody_writes_is_named(app: Flask, signed: Signed) -> None:
    row = first(Position)
    with hands() as connection:
        # PostgreSQL takes no such word, but moments that Python has no value for.
        words = "soon" if connection.dialect.name == "sqlite" else "10000-01-01 00:00+00"
        value = row.hex if connection.dialect.name == "sqlite" else row
        connection.execute(
            sa.text(f"UPDATE position SET taken_at = '{words}' WHERE id = :id"),
            {"id": value},
        )
    result = finding()
    assert (result.fault, result.place.of) == (Fault.DAMAGED, "position")
    assert UUID(result.place.row) == row


def test_a_reason_written_by_hand_is_named(app: Flask, signed: Signed) -> None:
    """A text's status is derived from what is bound; the rest of its row is compared too."""
    row = first(Checklist, Checklist.cooperation_id == signed.second.id)
    change(Checklist, row, reason="Another reason.")
    assert parts_of(finding()) == place(
        Fault.ROW_DIFFERS, "checklist", row, signed.second.reference
    )


def test_the_state_of_an_event_is_part_of_its_digest(app: Flask, signed: Signed) -> None:
    """Changing a row and what its event says about it means changing the event."""
    with hands() as connection:
        own = Tampering(connection, signed.first.id)
        own.update(table_of(Event), own.event_id(4), state={})
    result = finding()
    assert (result.place.table, result.place.event) == (Table.EVENT, 4)


def test_what_only_one_side_says_to_itself_is_bound_by_nothing(
    app: Flask, demonstration: Demonstration
) -> None:
    """Own-side comments leave no event (adr 19), so none says that there are any."""
    with app.app_context():
        own = first(Comment, Comment.audience == "own")
        change(Comment, own, text="Other words.")
        assert integrity.check_all().finding is None
        states = db.session.scalars(sa.select(Event.state)).all()
        assert all(str(own) not in (state or {}).get("comment", {}) for state in states)
        db.session.rollback()
        change(Comment, own, audience="all")
        assert parts_of(finding())[:4] == place(Fault.ROW_UNKNOWN, "comment", own)[:4]


def test_a_person_who_may_see_a_cooperation_has_its_rows_checked_too(
    app: Flask, signed: Signed
) -> None:
    row = first(Checklist, Checklist.cooperation_id == signed.second.id)
    manager = actor("Tomas Beridan")
    change(Checklist, row, reason="Another reason.")
    result = integrity.check_cooperations(manager).finding
    assert result is not None
    assert parts_of(result) == place(Fault.ROW_DIFFERS, "checklist", row, signed.second.reference)


# What changes rightly -------------------------------------------------------------------------


def test_rows_changed_by_the_application_agree_with_its_events(
    app: Flask, session: Session, signed: Signed
) -> None:
    dora, samira = actor("Dora Lund"), actor("Samira Okell")
    role = first(Membership, Membership.user_id == dora.user_id)
    accounts.end_role(samira, role, reason="Left")
    session.commit()
    assert integrity.check_all().finding is None


def test_changes_without_an_event_are_bound_by_one_about_each_person_that_nobody_is_shown(
    app: Flask, session: Session, signed: Signed
) -> None:
    users = session.scalars(sa.select(User).order_by(User.id)).all()[:2]
    for user in users:
        user.language = "ar"
    role = session.scalars(sa.select(Membership).where(Membership.user_id == users[0].id)).one()
    role.power = "Section 12"
    session.commit()
    last = session.scalars(
        sa.select(Event)
        .join(Event.chain)
        .where(Chain.cooperation_id.is_(None))
        .order_by(Event.number.desc())
        .limit(2)
    ).all()
    assert {event.verb for event in last} == {verbs.ROWS_NOTED.name}
    assert {(event.subject_type, event.subject_id): set(event.state or {}) for event in last} == {
        ("user", users[0].id): {"user", "membership"},
        ("user", users[1].id): {"user"},
    }
    session.rollback()
    assert integrity.check_all().finding is None


# Instances from before ------------------------------------------------------------------------


def checked(verdict: Verdict) -> tuple[Finding | None, int, bool]:
    return verdict.finding, verdict.not_adopted, verdict.adopted_at is not None


def test_older_rows_are_reported_as_unchecked_until_they_are_adopted(
    app: Flask, signed: Signed
) -> None:
    forget_rows()
    assert checked(integrity.check_all()) == (None, 3, False)
    done = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert done.exit_code == 0
    assert "Chains whose rows are not checked yet: 3." in done.stdout


def test_older_rows_are_bound_as_they_are_once(app: Flask, signed: Signed) -> None:
    forget_rows()
    told_of: list[str] = []
    prepare.adopt_rows(told_of.append)
    assert told_of == ["Bound the decisive rows, which are checked from now on; chains: 3"]
    assert checked(integrity.check_all()) == (None, 0, True)
    done = app.test_cli_runner().invoke(args=["audit", "verify"])
    day = clock.now().date().isoformat()
    assert f"have been checked since they were bound as they were, on {day}." in done.stdout
    row = first(Membership)
    change(Membership, row, power="Section 12")
    assert adopting.adopt_rows() == 0
    assert parts_of(finding()) == place(Fault.ROW_DIFFERS, "membership", row)


def test_many_rows_are_taken_by_several_events(
    app: Flask, signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adopting, "ROWS_AN_EVENT", 10)
    forget_rows()
    assert adopting.adopt_rows() == 3
    assert checked(integrity.check_all()) == (None, 0, True)
    adopted = sa.select(sa.func.count()).where(Event.verb == verbs.ROWS_ADOPTED.name)
    assert (db.session.scalar(adopted) or 0) > 3


def test_a_chain_from_before_goes_on(app: Flask, session: Session, signed: Signed) -> None:
    """Events said nothing about rows; later ones do, before the other rows are adopted too."""
    forget_rows()
    user = session.scalars(sa.select(User)).first()
    assert user is not None
    user.language = "ar"
    session.commit()
    row = user.id
    session.rollback()
    assert checked(integrity.check_all()) == (None, 3, False)
    change(User, row, language="en")
    assert parts_of(finding()) == place(Fault.ROW_DIFFERS, "user", row)


# What was erased ------------------------------------------------------------------------------


def destroy_key(cooperation_id: UUID) -> None:
    with hands() as connection:
        Tampering(connection, NOBODY).update(table_of(CooperationKey), cooperation_id, wrapped=None)


def say_erased(cooperation_id: UUID) -> None:
    trail.record(
        verbs.DETAILS_ERASED,
        actor=actor("Ilena Dorvath"),
        subject_type="cooperation",
        subject_id=cooperation_id,
        cooperation_id=cooperation_id,
        reason="retention",
    )
    db.session.commit()


def test_a_key_that_was_destroyed_without_an_event_is_a_fault(app: Flask, signed: Signed) -> None:
    destroy_key(signed.second.id)
    result = finding()
    assert (result.fault, result.place.table) == (Fault.KEY_GONE, Table.KEY)


def test_a_key_destroyed_by_a_recorded_act_is_reported_and_is_no_fault(
    app: Flask, signed: Signed
) -> None:
    say_erased(signed.first.id)
    destroy_key(signed.first.id)
    verdict = integrity.check_all()
    assert verdict.finding is None
    assert [(erasure.reference, erasure.of_key, erasure.by) for erasure in verdict.erased] == [
        (signed.first.reference, True, "Ilena Dorvath")
    ]
    done = app.test_cli_runner().invoke(args=["audit", "verify"])
    day = clock.now().date().isoformat()
    assert done.exit_code == 0
    assert f"{signed.first.reference}: key erased on {day} by Ilena Dorvath." in done.stdout


def test_details_erased_by_a_recorded_act_are_reported_and_are_no_fault(
    app: Flask, signed: Signed
) -> None:
    say_erased(signed.first.id)
    with hands() as connection:
        own = Tampering(connection, signed.first.id)
        own.delete(DETAILS, own.event_id(3))
    verdict = integrity.check_all()
    assert verdict.finding is None
    assert [(erasure.reference, erasure.of_key) for erasure in verdict.erased] == [
        (signed.first.reference, False)
    ]
    assert verdict.erased[0].at.tzinfo is dt.UTC


def test_agreed_terms_are_checked_though_the_key_is_gone(app: Flask, signed: Signed) -> None:
    """The key is the one for class K2 to K7; the terms were never encrypted."""
    say_erased(signed.second.id)
    destroy_key(signed.second.id)
    row = first(Checklist, Checklist.cooperation_id == signed.second.id)
    change(Checklist, row, reason="Another reason.")
    assert parts_of(finding()) == place(
        Fault.ROW_DIFFERS, "checklist", row, signed.second.reference
    )


def test_rows_of_a_visit_are_still_counted_though_the_key_is_gone(
    app: Flask, demonstration: Demonstration
) -> None:
    with app.app_context():
        row = first(TeamMember)
        cooperation_id = db.session.scalars(
            sa.select(Visit.cooperation_id).join(Visit.team).where(TeamMember.id == row)
        ).one()
        trail.record(
            verbs.DETAILS_ERASED,
            actor=None,
            subject_type="cooperation",
            subject_id=cooperation_id,
            cooperation_id=cooperation_id,
            reason="retention",
        )
        db.session.commit()
        destroy_key(cooperation_id)
        verdict = integrity.check_all()
        assert verdict.finding is None
        assert [(erasure.of_key, erasure.by) for erasure in verdict.erased] == [(True, "")]
        change(TeamMember, row, user_id=UUID(int=9))
        assert integrity.check_all().finding is None  # its text is erased
        with hands() as connection:
            Tampering(connection, NOBODY).delete(table_of(TeamMember), row)
        assert parts_of(finding())[:4] == place(Fault.ROW_DELETED, "team_member", row)[:4]


def test_rows_that_change_after_the_key_is_gone_hold_nobody_up(
    app: Flask, session: Session, signed: Signed
) -> None:
    henrik = actor("Henrik Asante")
    say_erased(signed.first.id)
    destroy_key(signed.first.id)
    row = session.scalars(
        sa.select(Checklist).where(
            Checklist.cooperation_id == signed.first.id, Checklist.visit_id.is_(None)
        )
    ).first()
    assert row is not None
    row.started_at = clock.now()
    session.add(
        Clearance(
            cooperation_id=signed.first.id,
            user_id=henrik.user_id,
            organisation_id=henrik.organisation_id,
            scope=ClearanceScope.ALL,
            undertaking_id=UUID(int=3),
            from_on=clock.today(),
            until_on=clock.today(),
        )
    )
    session.commit()
    assert integrity.check_all().finding is None


def test_checkpoints_stand_for_chains_that_say_of_rows(app: Flask, signed: Signed) -> None:
    due.make_checkpoint()
    db.session.commit()
    assert integrity.check_all().finding is None
