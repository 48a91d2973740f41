"""The log grows with the chains; checkpoints are signed, stored and published; proofs are valid."""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import due
from tests.client import CheckedClient
from tests.factories.cooperations import load_checklists, make_country, open_one
from tests.starting_points import noon_in
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.models import Chain
from tracker.core.db import BATCH, db
from tracker.core.keys import KeysError
from tracker.evidence.keys import signing_keys
from tracker.evidence.log import (
    checkpoints,
    merkle,
    notes,
)
from tracker.evidence.log import (
    service as log,
)
from tracker.evidence.log.notes import Checkpoint, Consistency, KeyNote
from tracker.evidence.log.service import LogError
from tracker.evidence.models import KeyUse, LogLeaf, LogNode, SignedCheckpoint

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(3)]

Freeze = Callable[[dt.datetime], None]
Statements = Callable[[], AbstractContextManager[list[str]]]
NOW = noon_in(1).replace(microsecond=250_000)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def begun(folder: Path, session: Session) -> None:
    """An instance with keys."""
    signing_keys.make_missing()
    session.commit()


def happen(session: Session, times: int = 1) -> None:
    for _ in range(times):
        trail.record(verbs.PASSWORD_CHANGED, actor=None, subject_type="user", subject_id=chain().id)
    session.commit()


def chain() -> Chain:
    return db.session.scalars(sa.select(Chain).where(Chain.cooperation_id.is_(None))).one()


def make(session: Session) -> Checkpoint:
    checkpoint = due.make_checkpoint()
    session.commit()
    assert checkpoint is not None
    return checkpoint


def leaves(session: Session) -> list[tuple[int, int, str]]:
    rows = session.scalars(sa.select(LogLeaf).order_by(LogLeaf.number))
    return [(row.number, row.count, row.head) for row in rows]


def key_of(checkpoint: Checkpoint) -> KeyNote:
    return next(
        key.note() for key in signing_keys.public_keys() if key.fingerprint == checkpoint.key
    )


# The log ------------------------------------------------------------------------------------------


def test_each_chain_whose_end_changed_gets_a_leaf_and_no_other(
    begun: None, session: Session
) -> None:
    load_checklists()
    country = make_country(session)
    session.commit()
    happen(session)
    first = make(session)
    assert first.size == 1
    cooperation = open_one(country)
    session.commit()
    second = make(session)
    own = session.scalars(sa.select(Chain).where(Chain.cooperation_id == cooperation.id)).one()
    assert second.size == 3  # the instance's chain registered it, and it has its own
    assert log.leaves_of(own.id) == [
        log.Leaf(number, own.count, own.head)
        for number, _count, head in leaves(session)
        if head == own.head
    ]
    assert make(session) == second


def test_the_root_is_computed_from_the_leaves_as_documented(begun: None, session: Session) -> None:
    for _ in range(11):
        happen(session)
        checkpoint = make(session)
        rows = session.scalars(sa.select(LogLeaf).order_by(LogLeaf.number))
        tree = merkle.Tree.of(
            merkle.leaf_hash(
                f"common-terms/leaf/1\nchain: {row.chain_id}\ncount: {row.count}\n"
                f"head: {row.head}\n".encode()
            )
            for row in rows
        )
        assert (tree.size, tree.root().hex()) == (checkpoint.size, checkpoint.root)
    assert session.scalar(sa.select(sa.func.count()).select_from(LogNode)) == 11 + 5 + 2 + 1


def test_a_checkpoint_is_signed_by_the_key_in_use_and_kept(
    begun: None, session: Session, frozen_time: Freeze
) -> None:
    frozen_time(NOW)
    happen(session)
    first = make(session)
    assert first.origin == "http://localhost:8000"
    assert first.at == NOW.replace(microsecond=0)
    assert key_of(first).number == 1
    assert key_of(first).signed(first.signed(), first.signature)
    signing_keys.rotate(KeyUse.CHECKPOINT)
    second = make(session)
    assert key_of(second).number == 2
    assert (first.previous, second.previous) == (0, first.size)
    assert key_of(second).signed(second.signed(), second.signature)
    assert checkpoints.of_sizes({first.size, second.size, 999}) == [first, second]
    assert checkpoints.newest() == second
    assert checkpoints.of_size(first.size) == first
    assert checkpoints.of_size(999) is None


def test_the_log_of_each_checkpoint_grew_out_of_each_before(begun: None, session: Session) -> None:
    checkpoints_made = []
    for _ in range(9):
        happen(session)
        checkpoints_made.append(make(session))
    for before in checkpoints_made:
        for after in checkpoints_made:
            note = checkpoints.consistency(before.size, after.size)
            if before.size > after.size:
                assert note is None
                continue
            assert note is not None
            assert merkle.grew(
                before.size,
                after.size,
                bytes.fromhex(before.root),
                bytes.fromhex(after.root),
                note.proof,
            )
    assert checkpoints.consistency(99, checkpoints_made[-1].size) is None


def test_a_proof_takes_as_many_questions_in_a_long_log_as_in_a_short_one(
    begun: None, session: Session, statements: Statements
) -> None:
    counts = []
    for times in (3, 30):
        for _ in range(times):
            happen(session)
            make(session)
        first = session.scalar(sa.select(sa.func.min(SignedCheckpoint.size)))
        last = session.scalar(sa.select(sa.func.max(SignedCheckpoint.size)))
        session.commit()
        session.expire_all()
        with statements() as seen:
            assert checkpoints.consistency(first or 0, last or 0) is not None
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_growing_takes_as_many_questions_with_many_chains_as_with_one(
    begun: None, session: Session, statements: Statements
) -> None:
    load_checklists()
    country = make_country(session)
    session.commit()
    make(session)
    counts = []
    for times in (1, 6):
        for _ in range(times):
            open_one(country)
        session.commit()
        session.expire_all()
        with statements() as seen:
            due.make_checkpoint()
        counts.append(sum(statement.startswith("SELECT") for statement in seen))
        session.commit()
    assert counts[0] == counts[1]


def test_a_deleted_hash_is_noticed(begun: None, session: Session) -> None:
    for _ in range(3):
        happen(session)
        make(session)
    if session.get_bind().dialect.name == "sqlite":
        session.execute(sa.text("DROP TRIGGER log_node_refuse_delete"))
    else:
        session.execute(sa.text("ALTER TABLE log_node DISABLE TRIGGER ALL"))
    session.execute(sa.text("DELETE FROM log_node WHERE level = 1"))
    happen(session)
    with pytest.raises(LogError, match="tracker audit verify"):
        due.make_checkpoint()


@pytest.mark.parametrize("table", ["log_leaf", "log_node", "checkpoint"])
def test_the_database_lets_nobody_change_or_remove_what_was_logged(
    begun: None, session: Session, table: str
) -> None:
    happen(session)
    make(session)
    column = {"log_leaf": "count", "log_node": "hash", "checkpoint": "root"}[table]
    for act in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises(sa.exc.DBAPIError, match="never changed or deleted"):
            session.execute(sa.text(act))
        session.rollback()


# At intervals -------------------------------------------------------------------------------------


def test_a_checkpoint_is_due_when_the_last_is_old_enough(
    begun: None, session: Session, frozen_time: Freeze
) -> None:
    frozen_time(NOW)
    assert checkpoints.is_due()
    happen(session)
    make(session)
    happen(session)
    frozen_time(NOW + HOUR - dt.timedelta(seconds=2))
    assert not checkpoints.is_due()
    frozen_time(NOW + HOUR)
    assert checkpoints.is_due()


def test_more_leaves_than_a_short_transaction_takes_are_refused(
    begun: None, session: Session
) -> None:
    happen(session)
    with pytest.raises(ValueError, match="too many for one transaction"):
        checkpoints.make([uuid4() for _ in range(BATCH + 1)])
    session.rollback()
    assert leaves(session) == []


def test_without_a_key_nothing_is_logged_and_it_says_why(
    begun: None, session: Session, folder: Path
) -> None:
    (folder / "checkpoint-1.key").unlink()
    with pytest.raises(KeysError, match=r"checkpoint-1.key is missing"):
        due.make_checkpoint()
    assert leaves(session) == []


# Published ----------------------------------------------------------------------------------------


def test_anybody_reads_the_newest_checkpoint_those_before_and_proofs_between(
    app: Flask, begun: None, session: Session, client: CheckedClient
) -> None:
    checkpoints_made = []
    for _ in range(4):
        happen(session)
        checkpoints_made.append(make(session))
    first, last = checkpoints_made[0], checkpoints_made[-1]
    answer = client.get("/checkpoints")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text == last.text()
    assert client.get(f"/checkpoints/{first.size}").text == first.text()
    proof = Consistency.read(client.get(f"/checkpoints/{last.size}/from/{first.size}").text)
    roots = bytes.fromhex(first.root), bytes.fromhex(last.root)
    assert merkle.grew(proof.before, proof.after, *roots, proof.proof)
    (key,) = (
        note
        for note in KeyNote.read_all(client.get("/checkpoints/keys").text)
        if note.fingerprint == last.key
    )
    assert key.signed(last.signed(), last.signature)


def test_what_is_not_there_is_not_found(
    app: Flask, begun: None, session: Session, client: CheckedClient
) -> None:
    assert client.get("/checkpoints").status_code == 404
    assert client.get("/checkpoints/keys").status_code == 200
    happen(session)
    size = make(session).size
    for address in ("0", str(size + 1), f"{size}/from/0", f"{size}/from/{size + 1}", "9/from/9"):
        assert client.get(f"/checkpoints/{address}").status_code == 404
    assert client.get(f"/checkpoints/{size}/from/{size}").status_code == 200


def test_a_checkpoint_tells_nothing_but_a_size_a_root_and_a_time(
    begun: None, session: Session
) -> None:
    happen(session)
    (fields,) = notes.find(make(session).text(), notes.CHECKPOINT)
    assert set(fields) == {"origin", "size", "previous", "root", "at", "key", "signature"}
