"""Answers, reasons and texts on a visit (class K2) can't be read in the database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories.checklists import accept, decline_text, send, sign, whole
from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit
from tracker.access.actor import Actor
from tracker.activity.models import EventDetail
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import encryption
from tracker.checklists.loading import load
from tracker.checklists.models import (
    Answer,
    Checklist,
    ChecklistState,
    Position,
    Proposal,
    Stance,
)
from tracker.checklists.negotiation import positions
from tracker.checklists.service import save_answer
from tracker.cooperations import keys
from tracker.cooperations.models import AudienceMember, Clearance, CooperationKey
from tracker.core import canonical, clock, crypto
from tracker.core.crypto import SealBrokenError
from tracker.core.db import Base, db
from tracker.core.errors import DamagedRowError, KeyDestroyedError, RuleBrokenError
from tracker.signoff import queries as signoff
from tracker.signoff import service as signoff_service

ROLES, TERMS = ChecklistKind.VISIT_ROLES, ChecklistKind.TERMS
# Words that occur nowhere else.
ANSWER, PROPOSED, WHY, NO, TALK, OUTCOME, REASON, DECLINED, OWN = (
    f"quillfen-{name}-mark"
    for name in (
        "answer",
        "proposed",
        "why",
        "no",
        "talk",
        "outcome",
        "reason",
        "declined",
        "own",
    )
)


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


def _writers(joint_visit: JointVisit) -> dict[Any, Actor]:
    pairs = {"npm": "ilena", "od": "samira", "lh": "joana"}
    return {joint_visit.body(body): joint_visit.actor(key) for body, key in pairs.items()}


def _signers(joint_visit: JointVisit) -> dict[Any, Actor]:
    pairs = {"npm": "tomas", "od": "henrik", "lh": "otto"}
    return {joint_visit.body(body): joint_visit.actor(key) for body, key in pairs.items()}


@pytest.fixture
def writers(joint_visit: JointVisit) -> dict[Any, Actor]:
    return _writers(joint_visit)


@pytest.fixture
def signers(joint_visit: JointVisit) -> dict[Any, Actor]:
    return _signers(joint_visit)


@pytest.fixture
def roles(app: Flask, joint_visit: JointVisit) -> Checklist:
    """The visit's roles amended and declined, with a marked word at every step."""
    starting_points.of(app).use(
        "roles_declined",
        lambda: _decline(JointVisit(db.session(), joint_visit.demonstration)),
        on="demonstration",
    )
    return joint_visit.checklist(ROLES)


def _decline(joint_visit: JointVisit) -> None:
    roles, writers, signers = (
        joint_visit.checklist(ROLES),
        _writers(joint_visit),
        _signers(joint_visit),
    )
    agreements.amend(joint_visit.actor("ilena"), roles, reason=REASON, items=["V8", "V6"])
    accept(roles, "V8", writers)
    current = load(roles).sheet.shared("V8")
    assert current is not None
    first = positions.propose(
        joint_visit.actor("samira"),
        roles,
        "V8",
        {**current.values, "privacy": PROPOSED},
        answer_id=current.answer_id,
        reason=WHY,
    )
    positions.turn_down_proposal(joint_visit.actor("ilena"), roles, first.id, NO)
    second = positions.propose(
        joint_visit.actor("samira"),
        roles,
        "V8",
        {**current.values, "privacy": ANSWER},
        answer_id=current.answer_id,
        reason=WHY,
    )
    answer = positions.accept_proposal(joint_visit.actor("ilena"), roles, second.id)
    positions.take_position(
        joint_visit.actor("joana"), roles, "V8", Stance.WANTS_TALK, answer_id=answer.id, reason=TALK
    )
    positions.take_position(
        joint_visit.actor("joana"),
        roles,
        "V8",
        Stance.ACCEPTS,
        answer_id=answer.id,
        outcome=OUTCOME,
    )
    save_answer(
        joint_visit.actor("leyla"), roles, "V20", AnswerScope.PERSON, {"read": True}, base_version=1
    )
    for code in ("V6", "V8"):
        accept(roles, code, writers)
    send(roles, joint_visit.actor("ilena"), signers)
    sign(roles, joint_visit.actor("tomas"))
    decline_text(joint_visit.actor("otto"), roles, reason=DECLINED, items=["V8"])


MARKS = (ANSWER, PROPOSED, WHY, NO, TALK, OUTCOME, REASON, DECLINED)


def columns(session: Session) -> Iterator[tuple[str, object]]:
    """Yield every value of every row of the database."""
    for table in Base.metadata.sorted_tables:
        for row in session.execute(sa.select(table)).mappings():
            for name, value in row.items():
                yield f"{table.name}.{name}", value


@pytest.mark.both_databases
def test_no_row_contains_anything_that_was_said(joint_visit: JointVisit, roles: Checklist) -> None:
    seen = 0
    for column, value in columns(joint_visit.session):
        seen += 1
        raw = value if isinstance(value, bytes) else str(value).encode()
        assert b"quillfen-" not in raw, column
    assert seen > 1000


def test_the_database_file_contains_nothing_that_was_said(
    joint_visit: JointVisit, roles: Checklist
) -> None:
    if joint_visit.session.get_bind().dialect.name != "sqlite":
        # There the rows are read one by one, as the test above does.
        assert everything_said(joint_visit, roles) >= set(MARKS)
        return
    file = Path(str(joint_visit.session.get_bind().engine.url.database))
    parts = (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm")))
    content = b"".join(part.read_bytes() for part in parts if part.exists())
    assert joint_visit.reference.encode() in content
    assert b"quillfen-" not in content


def everything_said(joint_visit: JointVisit, roles: Checklist) -> set[str]:
    """Return everything that was written on the roles, decrypted with the key."""
    own, session = roles.cooperation_id, joint_visit.session
    words = {encryption.reason_of(own, roles)}
    for answer in session.scalars(sa.select(Answer).where(Answer.checklist_id == roles.id)):
        words |= {str(value) for value in encryption.values_of(own, answer).values()}
    for position in session.scalars(sa.select(Position).where(Position.checklist_id == roles.id)):
        words |= {encryption.reason_of(own, position), encryption.outcome_of(own, position)}
    for proposal in session.scalars(sa.select(Proposal).where(Proposal.checklist_id == roles.id)):
        words |= {str(value) for value in encryption.values_of(own, proposal).values()}
        words |= {encryption.reason_of(own, proposal), encryption.ended_reason_of(own, proposal)}
    for _revision, request in signoff.revisions_of("checklist", roles.id):
        if request is not None:
            words.add(signoff_service.reason_of(request, keys.key_of(own)))
    return words


@pytest.mark.both_databases
def test_everything_is_decrypted_with_the_key(joint_visit: JointVisit, roles: Checklist) -> None:
    # The reason for the decline replaced the amendment's; the position keeps it.
    assert everything_said(joint_visit, roles) >= set(MARKS)
    assert encryption.reason_of(roles.cooperation_id, roles) == DECLINED


def test_the_frozen_text_is_encrypted_and_its_digest_is_of_the_plain_bytes(
    joint_visit: JointVisit, roles: Checklist
) -> None:
    revision = signoff.revisions_of("checklist", roles.id)[0][0]
    key = keys.key_of(roles.cooperation_id)
    assert revision.is_sealed
    plain = signoff_service.plain_bytes(revision, key)
    assert ANSWER.encode() in plain
    assert canonical.digest(plain) == revision.digest != canonical.digest(revision.document)
    with pytest.raises(DamagedRowError, match="A value of revision"):
        signoff_service.plain_bytes(revision, None)
    with pytest.raises(SealBrokenError):
        signoff_service.plain_bytes(revision, crypto.new_key())


def test_no_event_tells_what_was_said(joint_visit: JointVisit, roles: Checklist) -> None:
    for content in joint_visit.session.scalars(sa.select(EventDetail.content)):
        assert "quillfen" not in str(content)
    details_by_verb = dict(joint_visit.events("declined", "amendment_opened"))
    assert (
        details_by_verb["declined"]["reason"] == details_by_verb["amendment_opened"]["reason"] == ""
    )
    assert details_by_verb["declined"]["items"] == ["V8"]


def test_sealed_values_do_not_open_in_another_place(
    joint_visit: JointVisit, roles: Checklist
) -> None:
    first, second = joint_visit.session.scalars(
        sa.select(Answer).where(Answer.checklist_id == roles.id).limit(2)
    ).all()
    first.sealed, second.sealed = second.sealed, first.sealed
    with pytest.raises(SealBrokenError):
        encryption.values_of(roles.cooperation_id, first)
    joint_visit.session.rollback()


def test_with_the_key_destroyed_nothing_is_read_any_more(
    joint_visit: JointVisit, roles: Checklist
) -> None:
    joint_visit.session.execute(
        sa.update(CooperationKey)
        .where(CooperationKey.cooperation_id == roles.cooperation_id)
        .values(wrapped=None)
    )
    joint_visit.session.commit()
    answer = joint_visit.session.scalars(
        sa.select(Answer).where(Answer.checklist_id == roles.id)
    ).first()
    assert answer is not None
    with pytest.raises(KeyDestroyedError):
        encryption.values_of(roles.cooperation_id, answer)


def test_the_agreed_terms_are_kept_as_they_are(joint_visit: JointVisit, roles: Checklist) -> None:
    """Class K8: they are searchable, and shown to auditors."""
    terms = joint_visit.checklist(TERMS, None)
    rows = joint_visit.session.scalars(
        sa.select(Answer).where(Answer.checklist_id == terms.id)
    ).all()
    assert rows
    assert all(row.sealed is None and row.values for row in rows)
    assert encryption.key_for(terms) is None
    assert encryption.key_for(roles) == keys.key_of(roles.cooperation_id)


# People who could sign must be able to open it


@pytest.fixture
def agreed(joint_visit: JointVisit, writers: dict[Any, Actor]) -> Checklist:
    """The visit's roles, reopened by an amendment, and agreed."""
    roles = joint_visit.checklist(ROLES)
    agreements.amend(joint_visit.actor("ilena"), roles, reason="Anew.", items=["V8"])
    accept(roles, "V8", writers)
    joint_visit.session.commit()
    return roles


def test_a_person_who_may_not_open_the_text_is_not_asked_to_sign_it(
    joint_visit: JointVisit, agreed: Checklist, signers: dict[Any, Actor]
) -> None:
    def able() -> set[str]:
        people = agreements.signatories(load(agreed)).values()
        return {person.name for of_party in people for person in of_party}

    assert able() == {"Tomas Beridan", "Henrik Asante", "Otto Brandis"}
    clearance = joint_visit.session.scalars(
        sa.select(Clearance).where(Clearance.user_id == joint_visit.user("otto"))
    ).one()
    clearance.closed_at = clock.now()
    joint_visit.session.execute(
        sa.delete(AudienceMember).where(AudienceMember.user_id == joint_visit.user("tomas"))
    )
    joint_visit.session.flush()
    assert able() == {"Henrik Asante"}
    with pytest.raises(RuleBrokenError, match="Choose who signs for"):
        send(agreed, joint_visit.actor("ilena"), signers)
    assert agreed.state is ChecklistState.DRAFTING


def test_a_whole_answer_to_each_item_of_a_visit_can_be_made(joint_visit: JointVisit) -> None:
    """The factory of complete answers knows the team and the first day."""
    loaded = load(joint_visit.checklist(ROLES))
    rows = whole(loaded, "V5")["roles"]
    assert {row["person"] for row in rows} == {
        str(member) for member in loaded.surroundings.team or ()
    }
    assert all(
        row["due"] > str(loaded.surroundings.visit_starts_on)
        for row in whole(loaded, "V19")["parts"]
    )
